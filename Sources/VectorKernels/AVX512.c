#if defined(__x86_64__)
// Features by name, not arch=x86-64-v4: the latter's tuning prefers 256-bit registers.
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,bmi,bmi2,f16c,avx512f,avx512vl,avx512dq,avx512bw,avx512cd"))), \
    apply_to = function)
#define TABLE avx512Kernels
#define HAS_FMA
#define HAS_AVX512
#define TABLE_NAME "AVX-512"
#include "Build.h"
#pragma clang attribute pop
#endif
