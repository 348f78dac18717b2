static void pixelsToFloats(const uint8_t *pixels, size_t count, float *restrict out) {
  // To multiply by 2 is to divide by 0.5.
  for (size_t i = 0; i < count; i++) out[i] = ((float)pixels[i] / 255.0f - 0.5f) * 2.0f;
}

static void multiply(float *restrict values, const float *restrict factors, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] *= factors[i];
}

static void leakyReLUBackward(float *restrict gradient, const float *restrict output, float slope,
                              size_t count) {
  for (size_t i = 0; i < count; i++) gradient[i] *= output[i] > 0 ? 1.0f : slope;
}

static void tanhBackward(float *restrict gradient, const float *restrict output, size_t count) {
  for (size_t i = 0; i < count; i++) gradient[i] *= 1.0f - output[i] * output[i];
}

static void columnSums(const float *restrict matrix, size_t stride, size_t rows, size_t columns,
                       bool accumulates, float *restrict sums) {
  if (!accumulates) {
    for (size_t column = 0; column < columns; column++) sums[column] = 0;
  }
  for (size_t row = 0; row < rows; row++) {
    const float *restrict x = matrix + row * stride;
    for (size_t column = 0; column < columns; column++) sums[column] += x[column];
  }
}

static void add(float *restrict target, const float *restrict source, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] += source[i];
}
