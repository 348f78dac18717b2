#include "VectorKernels.h"

extern const VectorKernelTable baselineKernels, avx2Kernels, avx512Kernels;

size_t availableVectorKernels(const VectorKernelTable *_Nonnull tables[_Nonnull 3]) {
  size_t count = 0;
  tables[count++] = &baselineKernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3")) tables[count++] = &avx2Kernels;
  if (__builtin_cpu_supports("x86-64-v4")) tables[count++] = &avx512Kernels;
#endif
  return count;
}
