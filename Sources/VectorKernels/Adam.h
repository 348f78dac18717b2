static void adam(AdamStep step, const float *restrict gradients, size_t count,
                 float *restrict parameters, float *restrict firstMoments,
                 float *restrict secondMoments) {
  for (size_t i = 0; i < count; i++) {
    float g = gradients[i];
    float m = firstMoments[i] + (g - firstMoments[i]) * step.firstWeight;
    float v = secondMoments[i] * step.secondDecay + g * g * step.secondWeight;
    float root = __builtin_elementwise_sqrt(v);
    firstMoments[i] = m;
    secondMoments[i] = v;
    parameters[i] -= step.stepSize * (m / (root / step.secondCorrectionRoot + step.epsilon));
  }
}
