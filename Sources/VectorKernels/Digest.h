// Sixteen interleaved digests, so that they fill a vector. For given other words, each round maps a word
// one to one to the digest (exclusive or, then a product with an odd number): no single change is lost.

enum { DIGEST_LANES = 16 };

INLINE uint32_t digestRound(uint32_t lane, uint32_t word) { return (lane ^ word) * 0x9E3779B1u; }

static uint64_t digest(const float *values, size_t count) {
  uint32_t lanes[DIGEST_LANES], words[DIGEST_LANES];
  for (int lane = 0; lane < DIGEST_LANES; lane++) lanes[lane] = 0x85EBCA77u + (uint32_t)lane;
  size_t whole = count - count % DIGEST_LANES;
  for (size_t i = 0; i < whole; i += DIGEST_LANES) {
    __builtin_memcpy(words, values + i, sizeof words);
    for (int lane = 0; lane < DIGEST_LANES; lane++) lanes[lane] = digestRound(lanes[lane], words[lane]);
  }
  for (size_t i = whole; i < count; i++) {
    __builtin_memcpy(words, values + i, sizeof *values);
    lanes[i - whole] = digestRound(lanes[i - whole], words[0]);
  }
  uint64_t result = count;
  for (int lane = 0; lane < DIGEST_LANES; lane++) {
    result = (result ^ lanes[lane]) * 0x9E3779B97F4A7C15u;
    result ^= result >> 29;
  }
  return result;
}
