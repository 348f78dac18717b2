#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Loops of a training step, built three times (baseline, AVX2, AVX-512) and chosen once at start. All builds give the
// same bits: no contraction into fused multiply-adds, no reassociated sums (a column is always added up row after row).
//
// Matrices are row-major and dense. `count`, `rows` and `columns` may be zero.

/// Counter and key of a Philox4x32-10 draw; the counter's first word is the block index.
typedef struct {
  uint32_t keyLow, keyHigh;
  uint32_t stream;
  uint32_t step;
} RandomAddress;

/// What Adam needs to know of a step besides the arrays.
typedef struct {
  float firstWeight;           // 1 - beta1
  float secondDecay;           // beta2
  float secondWeight;          // 1 - beta2, rounded once: 1 - float(beta2) would be 1e-5 off
  float stepSize;              // learning rate / (1 - beta1^t)
  float secondCorrection;      // 1 / sqrt(1 - beta2^t): to multiply takes less time than to divide
  float epsilon;
} AdamStep;

/// A product result[rows, columns] = left[rows, inner] * right[inner, columns], or +=. Strides lead from row to row, in
/// numbers; a transposed left factor is [inner, rows] in memory.
typedef struct {
  size_t rows, columns, inner, leftStride, rightStride, resultStride;
  bool leftIsTransposed, accumulates;
} ProductShape;

/// Points that are compared at a time, and those of the block that they are compared with.
enum { DISTANCE_POINTS = 4, DISTANCE_BLOCK = 16 };

typedef struct {
  const char *_Nonnull name;

  // -- random numbers (Salmon et al., SC'11) --

  /// Words of blocks firstBlock ..< firstBlock + blockCount of one sample: out[4 * blockCount].
  void (*_Nonnull randomWords)(RandomAddress address, uint32_t sample, uint32_t firstBlock,
                               size_t blockCount, uint32_t *_Nonnull out);
  /// Standard normal numbers, out[samples, valuesPerSample], by Box and Muller's method.
  void (*_Nonnull randomNormals)(RandomAddress address, uint32_t firstSample, size_t samples,
                                 size_t valuesPerSample, float *_Nonnull out);
  /// Dropout multipliers, out[samples, units]: 0 where the unit's word is below `threshold`, else `scale`.
  void (*_Nonnull dropoutMultipliers)(RandomAddress address, uint32_t firstSample, size_t samples,
                                      size_t units, uint32_t threshold, float scale,
                                      float *_Nonnull out);

  // -- element by element --

  /// out = (pixel / 255 - 0.5) / 0.5
  void (*_Nonnull pixelsToFloats)(const uint8_t *_Nonnull pixels, size_t count, float *_Nonnull out);
  /// out = the nearest bfloat16 numbers (the upper halves of float32 numbers), ties to even
  void (*_Nonnull roundToBFloat16)(const float *_Nonnull values, size_t count,
                                   uint16_t *_Nonnull out);
  /// The same of two rows: words whose lower halves are the first row's, zeros for a second row that is not there.
  void (*_Nonnull roundPairToBFloat16)(const float *_Nonnull first, const float *_Nullable second,
                                       size_t count, uint32_t *_Nonnull out);
  /// Such words of rows that are rounded already.
  void (*_Nonnull pairBFloat16)(const uint16_t *_Nonnull first, const uint16_t *_Nullable second,
                                size_t count, uint32_t *_Nonnull out);
  /// x[rows, columns] += bias[rows], `stride` numbers from row to row
  void (*_Nonnull addBias)(float *_Nonnull x, size_t stride, size_t rows, size_t columns,
                           const float *_Nonnull bias);
  /// The same, then x > 0 ? x : slope * x
  void (*_Nonnull addBiasLeakyReLU)(float *_Nonnull x, size_t stride, size_t rows, size_t columns,
                                    const float *_Nonnull bias, float slope);
  /// The same, then tanh(x)
  void (*_Nonnull addBiasTanh)(float *_Nonnull x, size_t stride, size_t rows, size_t columns,
                               const float *_Nonnull bias);
  /// values *= factors
  void (*_Nonnull multiply)(float *_Nonnull values, const float *_Nonnull factors, size_t count);
  /// gradient *= (output > 0 ? 1 : slope); `output` is the activation's output, of the input's sign.
  void (*_Nonnull leakyReLUBackward)(float *_Nonnull gradient, const float *_Nonnull output,
                                     float slope, size_t count);
  /// gradient *= 1 - output^2
  void (*_Nonnull tanhBackward)(float *_Nonnull gradient, const float *_Nonnull output, size_t count);
  /// sums[columns] = the matrix added up over its rows, or +=; `stride` numbers from row to row
  void (*_Nonnull columnSums)(const float *_Nonnull matrix, size_t stride, size_t rows, size_t columns,
                              bool accumulates, float *_Nonnull sums);
  /// target += source
  void (*_Nonnull add)(float *_Nonnull target, const float *_Nonnull source, size_t count);

  /// A number that any single changed bit changes, to compare copies of an array by.
  uint64_t (*_Nonnull digest)(const float *_Nonnull values, size_t count);

  /// distances[DISTANCE_POINTS, DISTANCE_BLOCK] = squared Euclidean distances of points[DISTANCE_POINTS, size] to those
  /// whose coordinates are the columns of block[size, DISTANCE_BLOCK].
  void (*_Nonnull squaredDistances)(const double *_Nonnull points, const double *_Nonnull block, size_t size,
                                    double *_Nonnull distances);

  // -- batch normalisation --

  /// mean[columns] and m2[columns] = sum((x - mean)^2) of the rows given; zeros for no rows.
  void (*_Nonnull columnMoments)(const float *_Nonnull x, size_t rows, size_t columns,
                                 double *_Nonnull mean, double *_Nonnull m2);
  /// The moments of two groups of rows become those of both, in place of the first (Chan et al., 1983).
  void (*_Nonnull mergeMoments)(double firstCount, double *_Nonnull firstMean,
                                double *_Nonnull firstM2, double secondCount,
                                const double *_Nonnull secondMean,
                                const double *_Nonnull secondM2, size_t columns);
  /// normalized = (x - mean) * inverseDeviation, in place of x;
  /// y = leakyReLU(scale * normalized + shift)
  void (*_Nonnull batchNormForward)(float *_Nonnull x, size_t rows, size_t columns,
                                    const float *_Nonnull mean,
                                    const float *_Nonnull inverseDeviation,
                                    const float *_Nonnull scale, const float *_Nonnull shift,
                                    float slope, float *_Nonnull y);
  /// sums[0 ..< columns] = sum(dy); sums[columns ..< 2 * columns] = sum(dy * normalized)
  void (*_Nonnull batchNormBackwardSums)(const float *_Nonnull dy, const float *_Nonnull normalized,
                                         size_t rows, size_t columns, double *_Nonnull sums);
  /// dy becomes dx = factor * (dy - meanGradient - normalized * meanProduct)
  void (*_Nonnull batchNormBackwardInput)(float *_Nonnull dy, const float *_Nonnull normalized,
                                          size_t rows, size_t columns, const float *_Nonnull factor,
                                          const float *_Nonnull meanGradient,
                                          const float *_Nonnull meanProduct);

  // -- optimisation --

  /// One step of Adam (Kingma and Ba, 2015, algorithm 1) over whole arenas.
  /// Returns whether all gradients were finite; the arrays are already in the cache here.
  /// Where `rounded` is not null it gets the new parameters as bfloat16 numbers.
  bool (*_Nonnull adam)(AdamStep step, const float *_Nonnull gradients, size_t count,
                        float *_Nonnull parameters, float *_Nonnull firstMoments,
                        float *_Nonnull secondMoments, uint16_t *_Nullable rounded);

  // -- what libxsmm does where it can --

  void (*_Nonnull multiplyMatrices)(const ProductShape *_Nonnull shape, const float *_Nonnull left,
                                    const float *_Nonnull right, float *_Nonnull result);
  /// result[columns, rows] = words[rows, columns]
  void (*_Nonnull transpose)(const uint32_t *_Nonnull words, size_t rows, size_t columns,
                             size_t stride, uint32_t *_Nonnull result, size_t resultStride);

  /// Clears the upper halves of vector registers: while libxsmm's code has left something there, instructions of
  /// ordinary code are many times slower.
  void (*_Nonnull endVectors)(void);

  // -- measuring --

  /// Does `rounds` rounds of multiply-adds on registers; the result means nothing.
  double (*_Nonnull multiplyAdds)(size_t rounds);
  /// Multiply-adds of float32 numbers in a round.
  size_t (*_Nonnull multiplyAddsARound)(void);
} VectorKernelTable;

/// The builds: 0 for every processor, 1 for AVX2, 2 for AVX-512; null for those that are not in this program.
const VectorKernelTable *_Nullable vectorKernels(size_t index);

/// Instructions of a processor, as bits of a number.
enum {
  featureSSE42 = 1 << 0,
  featureAVX = 1 << 1,
  featureAVX2 = 1 << 2,
  featureFMA = 1 << 3,
  featureF16C = 1 << 4,
  featureBMI = 1 << 5,
  featureBMI2 = 1 << 6,
  featureAVX512F = 1 << 7,
  featureAVX512CD = 1 << 8,
  featureAVX512BW = 1 << 9,
  featureAVX512DQ = 1 << 10,
  featureAVX512VL = 1 << 11,
  featureAVX512VNNI = 1 << 12,
  featureAVX512BF16 = 1 << 13,
};

/// What CPUID tells of instructions, and which registers the operating system keeps for programs (XCR0).
typedef struct {
  uint32_t leaf1C, leaf7B, leaf7C, leaf7sub1A, xcr0;
} ProcessorRegisters;

/// Those of this processor; zeros where there is no CPUID.
ProcessorRegisters readProcessorRegisters(void);

/// The instructions that a processor has and programs may use.
uint32_t processorFeatures(ProcessorRegisters registers);
