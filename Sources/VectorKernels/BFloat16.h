/// Round to nearest, ties to even. Infinities stay, and what is no number stays none: it becomes a quiet one.
INLINE uint16_t bfloat16(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  uint32_t upper = bits >> 16;
  uint32_t rounded = (bits + 0x7FFFu + (upper & 1)) >> 16;
  return (uint16_t)(x == x ? rounded : upper | 0x40);
}

static void roundToBFloat16(const float *restrict values, size_t count, uint16_t *restrict out) {
  for (size_t i = 0; i < count; i++) out[i] = bfloat16(values[i]);
}

static void roundPairToBFloat16(const float *restrict first, const float *restrict second,
                                size_t count, uint32_t *restrict out) {
  if (!second) {
    for (size_t i = 0; i < count; i++) out[i] = bfloat16(first[i]);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    out[i] = bfloat16(first[i]) | (uint32_t)bfloat16(second[i]) << 16;
  }
}

static void pairBFloat16(const uint16_t *restrict first, const uint16_t *restrict second,
                         size_t count, uint32_t *restrict out) {
  if (!second) {
    for (size_t i = 0; i < count; i++) out[i] = first[i];
    return;
  }
  for (size_t i = 0; i < count; i++) out[i] = first[i] | (uint32_t)second[i] << 16;
}
