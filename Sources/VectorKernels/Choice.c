#include "VectorKernels.h"

extern const VectorKernelTable baselineKernels, avx2Kernels, avx512Kernels;

const VectorKernelTable *_Nullable availableVectorKernels(size_t index) {
  if (index == 0) return &baselineKernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  // A processor of level v4 has all of v3.
  if (index == 1 && __builtin_cpu_supports("x86-64-v3")) return &avx2Kernels;
  if (index == 2 && __builtin_cpu_supports("x86-64-v4")) return &avx512Kernels;
#endif
  return NULL;
}
