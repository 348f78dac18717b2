static void pixelsToFloats(const uint8_t *pixels, size_t count, float *restrict out) {
  // A look at a table takes less time than two divisions.
  float table[256];
  for (int pixel = 0; pixel < 256; pixel++) table[pixel] = ((float)pixel / 255.0f - 0.5f) / 0.5f;
  for (size_t i = 0; i < count; i++) out[i] = table[pixels[i]];
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

static void addRows(float *restrict target, size_t targetStep, const float *restrict source,
                    size_t sourceStep, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column++) {
      target[row * targetStep + column] += source[row * sourceStep + column];
    }
  }
}

static void sumPairs(float *restrict target, size_t targetStep, const float *restrict leaves,
                     size_t leafSize, size_t leafCount, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++) {
    const float *restrict first = leaves + row * columns, *restrict second = first + leafSize;
    float *restrict sum = target + row * targetStep;
    if (leafCount == 2) {
      for (size_t column = 0; column < columns; column++) sum[column] = first[column] + second[column];
      continue;
    }
    const float *restrict third = second + leafSize, *restrict fourth = third + leafSize;
    for (size_t column = 0; column < columns; column++) {
      sum[column] = (first[column] + second[column]) + (third[column] + fourth[column]);
    }
  }
}

static void sumInTree(const float *const *parts, const size_t *additions, size_t partCount,
                      size_t count, float *out) {
  // Small blocks, so that the stack of sums stays in the first cache.
  enum { blockSize = 512, depth = 64 };
  float sums[depth][blockSize];
  for (size_t begin = 0; begin < count; begin += blockSize) {
    size_t size = count - begin < blockSize ? count - begin : blockSize;
    const float *stack[depth];
    size_t level = 0;
    for (size_t part = 0; part < partCount; part++) {
      stack[level++] = parts[part] + begin;
      for (size_t addition = 0; addition < additions[part]; addition++) {
        level--;
        const float *left = stack[level - 1], *right = stack[level];
        float *sum = sums[level - 1];
        for (size_t i = 0; i < size; i++) sum[i] = left[i] + right[i];
        stack[level - 1] = sum;
      }
    }
    for (size_t i = 0; i < size; i++) out[begin + i] = partCount == 0 ? 0 : stack[0][i];
  }
}
