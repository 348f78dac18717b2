// Products and transpositions for processors that libxsmm makes no code for. Each number of a product is one chain of
// multiplications and additions in the order of `inner`, each of them rounded: as libxsmm's chains without FMA.

enum { productLanes = 16 };
typedef float ProductLanes __attribute__((ext_vector_type(productLanes)));

INLINE float leftNumber(const ProductShape *shape, const float *left, size_t row, size_t inner) {
  return left[shape->leftIsTransposed ? inner * shape->leftStride + row : row * shape->leftStride + inner];
}

static void multiplyMatrices(const ProductShape *shape, const float *restrict left,
                             const float *restrict right, float *restrict result) {
  for (size_t row = 0; row < shape->rows; row++) {
    float *sums = result + row * shape->resultStride;
    size_t column = 0;
    for (; column + productLanes <= shape->columns; column += productLanes) {
      ProductLanes sum = 0, factor;
      if (shape->accumulates) __builtin_memcpy(&sum, sums + column, sizeof sum);
      for (size_t inner = 0; inner < shape->inner; inner++) {
        __builtin_memcpy(&factor, right + inner * shape->rightStride + column, sizeof factor);
        sum = sum + factor * leftNumber(shape, left, row, inner);
      }
      __builtin_memcpy(sums + column, &sum, sizeof sum);
    }
    for (; column < shape->columns; column++) {
      float sum = shape->accumulates ? sums[column] : 0;
      for (size_t inner = 0; inner < shape->inner; inner++) {
        sum = sum + right[inner * shape->rightStride + column] * leftNumber(shape, left, row, inner);
      }
      sums[column] = sum;
    }
  }
}

static void transpose(const uint32_t *restrict words, size_t rows, size_t columns, size_t stride,
                      uint32_t *restrict result, size_t resultStride) {
  for (size_t column = 0; column < columns; column++) {
    for (size_t row = 0; row < rows; row++) {
      result[column * resultStride + row] = words[row * stride + column];
    }
  }
}

static void endVectors(void) {
#if defined(HAS_FMA)
  __asm__ volatile("vzeroupper");
#endif
}
