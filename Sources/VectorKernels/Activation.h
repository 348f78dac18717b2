// As in Cephes (Moshier, 1984-2000): a series for small numbers, else by way of the exponential function. Within two
// units in the last place.
INLINE float hyperbolicTangent(float x) {
  float size = __builtin_elementwise_abs(x), square = x * x;
  float series = -5.70498872745e-3f;
  series = series * square + 2.06390887954e-2f;
  series = series * square + -5.37397155531e-2f;
  series = series * square + 1.33314422036e-1f;
  series = series * square + -3.33332819422e-1f;
  series = x + x * square * series;

  // e^(2|x|) = 2^n e^r; from 10 on, tanh is 1 in float32.
  float y = size < 10 ? size + size : 20.0f;
  float n = __builtin_elementwise_rint(y * 1.44269504088896341f);
  float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
  float power = 1.9875691500e-4f;
  power = power * r + 1.3981999507e-3f;
  power = power * r + 8.3334519073e-3f;
  power = power * r + 4.1665795894e-2f;
  power = power * r + 1.6666665459e-1f;
  power = power * r + 5.0000001201e-1f;
  power = power * (r * r) + r + 1;
  uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
  float scale;
  __builtin_memcpy(&scale, &bits, sizeof scale);
  float quotient = 1 - 2 / (power * scale + 1);
  float large = __builtin_copysignf(quotient, x);
  float result = size < 0.625f ? series : large;
  return x == x ? result : x;  // What is no number stays none.
}

static void addBias(float *restrict x, size_t stride, size_t rows, size_t columns,
                    const float *restrict bias) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column++) x[row * stride + column] += bias[row];
  }
}

static void addBiasLeakyReLU(float *restrict x, size_t stride, size_t rows, size_t columns,
                             const float *restrict bias, float slope) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column++) {
      float sum = x[row * stride + column] + bias[row];
      x[row * stride + column] = sum > 0 ? sum : slope * sum;
    }
  }
}

static void addBiasTanh(float *restrict x, size_t stride, size_t rows, size_t columns,
                        const float *restrict bias) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column++) {
      x[row * stride + column] = hyperbolicTangent(x[row * stride + column] + bias[row]);
    }
  }
}
