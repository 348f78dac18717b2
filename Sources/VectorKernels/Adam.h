static bool adam(AdamStep step, const float *restrict gradients, size_t count,
                 float *restrict parameters, float *restrict firstMoments,
                 float *restrict secondMoments, uint16_t *restrict rounded) {
  unsigned beyond = 0;
  for (size_t i = 0; i < count; i++) {
    float g = gradients[i];
    beyond |= g - g != 0;  // infinity - infinity is no number, and no number equals nothing
    float m = firstMoments[i] + (g - firstMoments[i]) * step.firstWeight;
    float v = secondMoments[i] * step.secondDecay + g * g * step.secondWeight;
    float root = __builtin_elementwise_sqrt(v);
    firstMoments[i] = m;
    secondMoments[i] = v;
    float value = parameters[i] - step.stepSize * (m / (root * step.secondCorrection + step.epsilon));
    parameters[i] = value;
    if (rounded) rounded[i] = bfloat16(value);
  }
  return beyond == 0;
}
