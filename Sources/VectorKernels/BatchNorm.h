static void columnMoments(const float *restrict x, size_t rows, size_t columns,
                          double *restrict mean, double *restrict m2) {
  for (size_t column = 0; column < columns; column++) mean[column] = m2[column] = 0;
  if (rows == 0) return;
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++)
      mean[column] += (double)x[row * columns + column];
  for (size_t column = 0; column < columns; column++) mean[column] /= (double)rows;
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++) {
      double distance = (double)x[row * columns + column] - mean[column];
      m2[column] += distance * distance;
    }
}

static void mergeMoments(double firstCount, double *restrict firstMean, double *restrict firstM2,
                         double secondCount, const double *restrict secondMean,
                         const double *restrict secondM2, size_t columns) {
  double count = firstCount + secondCount;
  double share = secondCount / count, weight = firstCount * secondCount / count;
  for (size_t column = 0; column < columns; column++) {
    double distance = secondMean[column] - firstMean[column];
    firstMean[column] += distance * share;
    firstM2[column] += secondM2[column] + distance * distance * weight;
  }
}

static void batchNormForward(float *restrict x, size_t rows, size_t columns,
                             const float *restrict mean, const float *restrict inverseDeviation,
                             const float *restrict scale, const float *restrict shift, float slope,
                             float *restrict y) {
  for (size_t row = 0; row < rows; row++) {
    float *restrict in = x + row * columns, *restrict out = y + row * columns;
    for (size_t column = 0; column < columns; column++) {
      float normalized = (in[column] - mean[column]) * inverseDeviation[column];
      float value = normalized * scale[column] + shift[column];
      in[column] = normalized;
      out[column] = value > 0 ? value : value * slope;
    }
  }
}

static void batchNormBackwardSums(const float *restrict dy, const float *restrict normalized,
                                  size_t rows, size_t columns, double *restrict sums) {
  double *restrict gradientSums = sums, *restrict productSums = sums + columns;
  for (size_t column = 0; column < columns; column++) gradientSums[column] = productSums[column] = 0;
  for (size_t row = 0; row < rows; row++) {
    const float *restrict g = dy + row * columns, *restrict n = normalized + row * columns;
    for (size_t column = 0; column < columns; column++) {
      gradientSums[column] += (double)g[column];
      productSums[column] += (double)g[column] * (double)n[column];
    }
  }
}

static void batchNormBackwardInput(float *restrict dy, const float *restrict normalized,
                                   size_t rows, size_t columns, const float *restrict factor,
                                   const float *restrict meanGradient,
                                   const float *restrict meanProduct) {
  for (size_t row = 0; row < rows; row++) {
    float *restrict g = dy + row * columns;
    const float *restrict n = normalized + row * columns;
    for (size_t column = 0; column < columns; column++)
      g[column] =
          factor[column] * (g[column] - meanGradient[column] - n[column] * meanProduct[column]);
  }
}
