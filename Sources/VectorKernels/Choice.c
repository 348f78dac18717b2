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
