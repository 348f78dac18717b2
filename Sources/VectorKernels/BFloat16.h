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
