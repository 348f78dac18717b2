// One build of all kernels. The including file names the table and, before this, sets the target.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "VectorKernels.h"

#pragma STDC FP_CONTRACT OFF
// Wide vectors pass between functions of this file only, and all of those are inlined.
#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

#include "BFloat16.h"

#include "Activation.h"
#include "Adam.h"
#include "BatchNorm.h"
#include "Digest.h"
#include "Distances.h"
#include "Elementwise.h"
#include "MatrixProduct.h"
#include "Peak.h"
#include "Random.h"

const VectorKernelTable TABLE = {
    .name = TABLE_NAME,
    .randomWords = randomWords,
    .randomNormals = randomNormals,
    .dropoutMultipliers = dropoutMultipliers,
    .pixelsToFloats = pixelsToFloats,
    .roundToBFloat16 = roundToBFloat16,
    .roundPairToBFloat16 = roundPairToBFloat16,
    .pairBFloat16 = pairBFloat16,
    .addBias = addBias,
    .addBiasLeakyReLU = addBiasLeakyReLU,
    .addBiasTanh = addBiasTanh,
    .multiply = multiply,
    .leakyReLUBackward = leakyReLUBackward,
    .tanhBackward = tanhBackward,
    .columnSums = columnSums,
    .add = add,
    .digest = digest,
    .squaredDistances = squaredDistances,
    .columnMoments = columnMoments,
    .mergeMoments = mergeMoments,
    .batchNormForward = batchNormForward,
    .batchNormBackwardSums = batchNormBackwardSums,
    .batchNormBackwardInput = batchNormBackwardInput,
    .adam = adam,
    .multiplyMatrices = multiplyMatrices,
    .transpose = transpose,
    .endVectors = endVectors,
    .multiplyAdds = multiplyAdds,
    .multiplyAddsARound = multiplyAddsARound,
};
