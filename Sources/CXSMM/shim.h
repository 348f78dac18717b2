#pragma once
#include <libxsmm.h>
#include <stdbool.h>

// libxsmm's kernels are variadic functions, which Swift cannot call, and its matrices lie column by column. Seen row by
// row, a product's factors change places: that is done here and nowhere else.

static inline void *_Nullable xsmmNoMemory(size_t size) {
  (void)size;
  return 0;
}

static inline void xsmmFreeNothing(void *_Nullable memory) { (void)memory; }

/// Makes libxsmm write code for `target` from now on, a value of LIBXSMM_TARGET.
///
/// Where it gets no memory that may be executed it takes malloc's, and its code ends with a fault. So its malloc gives
/// nothing: then there simply is no kernel. (What else libxsmm needs malloc for it has got by then.)
static inline void xsmmPrepare(const char *_Nonnull target) {
  libxsmm_init();
  libxsmm_set_target_arch(target);
  libxsmm_malloc_function allocate;
  allocate.function = xsmmNoMemory;
  libxsmm_free_function release;
  release.function = xsmmFreeNothing;
  libxsmm_set_default_allocator(0, allocate, release);
}

/// The kernel of result[rows, columns] = left[rows, inner] * right[inner, columns], or += where it accumulates.
/// Strides lead from row to row, in numbers; a transposed left factor is [inner, rows] in memory. Of bfloat16 numbers,
/// the right factor has the rows 2i and 2i + 1 interleaved, and `inner` is even. Null if there is no such kernel.
static inline const void *_Nullable xsmmMultiplyKernel(
    int rows, int columns, int inner, int leftStride, int rightStride, int resultStride,
    bool leftIsTransposed, bool accumulates, bool bfloat16) {
  const float alpha = 1, beta = accumulates ? 1 : 0;
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  if (bfloat16) {
    if (leftIsTransposed) return 0;
    const int flags = LIBXSMM_GEMM_FLAG_VNNI_A;
    return (const void *)libxsmm_bsmmdispatch(columns, rows, inner, &rightStride, &leftStride,
                                              &resultStride, &alpha, &beta, &flags, &prefetch);
  }
  const int flags = leftIsTransposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  return (const void *)libxsmm_smmdispatch(columns, rows, inner, &rightStride, &leftStride,
                                           &resultStride, &alpha, &beta, &flags, &prefetch);
}

static inline void xsmmMultiply(const void *_Nonnull kernel, const void *_Nonnull left,
                                const void *_Nonnull right, float *_Nonnull result) {
  ((libxsmm_smmfunction)kernel)((const float *)right, (const float *)left, result);
}

/// The kernel that turns [rows, columns] words of 32 bits into [columns, rows]. Null if there is none.
static inline const void *_Nullable xsmmTransposeKernel(unsigned rows, unsigned columns,
                                                        unsigned resultStride) {
  libxsmm_descriptor_blob memory;
  return (const void *)libxsmm_dispatch_trans(
      libxsmm_trans_descriptor_init(&memory, 4, columns, rows, resultStride));
}

static inline void xsmmTranspose(const void *_Nonnull kernel, const void *_Nonnull words,
                                 unsigned stride, void *_Nonnull result, unsigned resultStride) {
  ((libxsmm_xtransfunction)kernel)(words, &stride, result, &resultStride);
}

static inline const char *_Nonnull xsmmVersion(void) { return LIBXSMM_CONFIG_VERSION; }
