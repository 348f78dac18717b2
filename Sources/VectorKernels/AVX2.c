#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,f16c"))), apply_to = function)
#define TABLE avx2Kernels
#define HAS_FMA
#define TABLE_NAME "AVX2"
#include "Build.h"
#pragma clang attribute pop
#endif
