#include "VectorKernels.h"

extern const VectorKernelTable baselineKernels, avx2Kernels, avx512Kernels;

const VectorKernelTable *_Nullable vectorKernels(size_t index) {
  if (index == 0) return &baselineKernels;
#if defined(__x86_64__)
  if (index == 1) return &avx2Kernels;
  if (index == 2) return &avx512Kernels;
#endif
  return NULL;
}

uint32_t processorFeatures(void) {
  uint32_t features = 0;
#if defined(__x86_64__)
  // These ask for the registers that the operating system keeps (XGETBV), too.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2")) features |= featureSSE42;
  if (__builtin_cpu_supports("avx")) features |= featureAVX;
  if (__builtin_cpu_supports("avx2")) features |= featureAVX2;
  if (__builtin_cpu_supports("fma")) features |= featureFMA;
  if (__builtin_cpu_supports("f16c")) features |= featureF16C;
  if (__builtin_cpu_supports("bmi")) features |= featureBMI;
  if (__builtin_cpu_supports("bmi2")) features |= featureBMI2;
  if (__builtin_cpu_supports("avx512f")) features |= featureAVX512F;
  if (__builtin_cpu_supports("avx512cd")) features |= featureAVX512CD;
  if (__builtin_cpu_supports("avx512bw")) features |= featureAVX512BW;
  if (__builtin_cpu_supports("avx512dq")) features |= featureAVX512DQ;
  if (__builtin_cpu_supports("avx512vl")) features |= featureAVX512VL;
  if (__builtin_cpu_supports("avx512vnni")) features |= featureAVX512VNNI;
  if (__builtin_cpu_supports("avx512bf16")) features |= featureAVX512BF16;
#endif
  return features;
}
