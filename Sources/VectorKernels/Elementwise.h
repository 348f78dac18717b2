static void pixelsToFloats(const uint8_t *pixels, size_t count, float *restrict out) {
  for (size_t i = 0; i < count; i++) out[i] = ((float)pixels[i] / 255.0f - 0.5f) / 0.5f;
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

static void columnSums(const float *restrict matrix, size_t rows, size_t columns,
                       float *restrict sums) {
  for (size_t column = 0; column < columns; column++) sums[column] = 0;
  for (size_t row = 0; row < rows; row++) {
    const float *restrict x = matrix + row * columns;
    for (size_t column = 0; column < columns; column++) sums[column] += x[column];
  }
}

static void sumInOrder(const float *restrict slices, size_t sliceCount, size_t stride, size_t count,
                       float *restrict out) {
  for (size_t i = 0; i < count; i++) out[i] = 0;
  for (size_t slice = 0; slice < sliceCount; slice++) {
    const float *restrict x = slices + slice * stride;
    for (size_t i = 0; i < count; i++) out[i] += x[i];
  }
}
