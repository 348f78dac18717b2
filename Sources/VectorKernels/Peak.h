// As many multiply-adds as the processor can do: nothing is loaded or stored, and no chain waits for another.

// All sums stay in registers: of 32, 16 or 16 that hold a whole, a half or a quarter of 64 bytes each.
#if defined(HAS_AVX512)
enum { chains = 24 };
#elif defined(HAS_FMA)
enum { chains = 6 };
#else
enum { chains = 3 };
#endif
enum { lanes = 64 / sizeof(float) };
typedef float Lanes __attribute__((vector_size(64)));

static double multiplyAdds(size_t rounds) {
  Lanes sums[chains];
  for (int chain = 0; chain < chains; chain++) sums[chain] = (Lanes){0} + (float)chain;
  const Lanes factor = (Lanes){0} + 0.5f, term = (Lanes){0} + 1.0f;
  for (size_t round = 0; round < rounds; round++)
    for (int chain = 0; chain < chains; chain++)
#if defined(HAS_FMA)
      sums[chain] = __builtin_elementwise_fma(sums[chain], factor, term);
#else
      sums[chain] = sums[chain] * factor + term;
#endif
  // The result is used, so that the compiler cannot leave the work out.
  double total = 0;
  for (int chain = 0; chain < chains; chain++)
    for (size_t lane = 0; lane < lanes; lane++) total += (double)sums[chain][lane];
  return total;
}

static size_t multiplyAddsARound(void) { return chains * lanes; }
