// Philox4x32-10 with one block a lane, and Box and Muller's normal numbers in double precision.
// The series below are plain Taylor series: their error is below double rounding on the reduced
// ranges, so a float rounded from them is the float that any exact library gives.

enum { LANES = 16 };
typedef uint32_t UInt32s __attribute__((ext_vector_type(LANES)));
typedef uint64_t UInt64s __attribute__((ext_vector_type(LANES)));
typedef int32_t Int32s __attribute__((ext_vector_type(LANES)));
typedef int64_t Int64s __attribute__((ext_vector_type(LANES)));
typedef double Doubles __attribute__((ext_vector_type(LANES)));
typedef float Floats __attribute__((ext_vector_type(LANES)));

typedef struct {
  UInt32s word[4];
} Blocks;

INLINE Blocks philox(RandomAddress address, uint32_t sample, uint32_t firstBlock) {
  const UInt32s laneIndex = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  UInt32s c0 = firstBlock + laneIndex, c1 = sample, c2 = address.step, c3 = address.stream;
  uint32_t k0 = address.keyLow, k1 = address.keyHigh;
  for (int round = 0; round < 10; round++) {
    UInt64s product0 = __builtin_convertvector(c0, UInt64s) * 0xD2511F53u;
    UInt64s product1 = __builtin_convertvector(c2, UInt64s) * 0xCD9E8D57u;
    UInt32s high0 = __builtin_convertvector(product0 >> 32, UInt32s);
    UInt32s high1 = __builtin_convertvector(product1 >> 32, UInt32s);
    c0 = high1 ^ c1 ^ k0;
    c1 = __builtin_convertvector(product1, UInt32s);
    c2 = high0 ^ c3 ^ k1;
    c3 = __builtin_convertvector(product0, UInt32s);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return (Blocks){{c0, c1, c2, c3}};
}

/// Natural logarithm of x in (0, 1]: exponent * ln 2 + 2 artanh((m - 1) / (m + 1)), m in [sqrt(1/2), sqrt(2)).
INLINE Doubles logarithm(Doubles x) {
  Int64s bits = (Int64s)x;
  Int64s exponent = (bits >> 52) - 1023;
  Doubles m = (Doubles)((bits & 0x000FFFFFFFFFFFFFll) | 0x3FF0000000000000ll);
  Int64s above = m > 1.4142135623730951;  // -1 where true
  m = (Doubles)(((Int64s)(m * 0.5) & above) | ((Int64s)m & ~above));
  exponent -= above;
  Doubles e = __builtin_convertvector(__builtin_convertvector(exponent, Int32s), Doubles);
  Doubles s = (m - 1.0) / (m + 1.0), z = s * s;
  Doubles series = 1.0 / 23.0;
  for (int k = 10; k >= 1; k--) series = series * z + 1.0 / (2 * k + 1);
  Doubles logM = 2.0 * s + 2.0 * s * (z * series);
  return e * 0x1.62E42FEE00000p-1 + (e * 0x1.A39EF35793C76p-33 + logM);
}

/// Sine and cosine of 2 pi w / 2^32. The quarter turn is split off in integers, so it is exact.
INLINE void sineAndCosineOfTurn(UInt32s w, Doubles *sine, Doubles *cosine) {
  UInt32s quarter = (w + 0x20000000u) >> 30;
  Int32s rest = (Int32s)(w - (quarter << 30));
  Doubles t = __builtin_convertvector(rest, Doubles) * (6.283185307179586476925 / 4294967296.0);
  Doubles z = t * t;
  Doubles sineSeries = 1.0, cosineSeries = 1.0;
  for (int k = 16; k >= 2; k -= 2) sineSeries = 1.0 - sineSeries * z * (1.0 / (k * (k + 1)));
  for (int k = 17; k >= 1; k -= 2) cosineSeries = 1.0 - cosineSeries * z * (1.0 / (k * (k + 1)));
  sineSeries *= t;
  Int64s odd = -__builtin_convertvector(quarter & 1, Int64s);
  Int64s flipSine = __builtin_convertvector((quarter >> 1) & 1, Int64s) << 63;
  Int64s flipCosine = __builtin_convertvector(((quarter + 1) >> 1) & 1, Int64s) << 63;
  Int64s s = (Int64s)sineSeries, c = (Int64s)cosineSeries;
  *sine = (Doubles)(((c & odd) | (s & ~odd)) ^ flipSine);
  *cosine = (Doubles)(((s & odd) | (c & ~odd)) ^ flipCosine);
}

INLINE void boxMuller(UInt32s radiusWord, UInt32s angleWord, Floats *first, Floats *second) {
  Doubles u = (__builtin_convertvector(radiusWord, Doubles) + 1.0) * (1.0 / 4294967296.0);
  Doubles radius = __builtin_elementwise_sqrt(-2.0 * logarithm(u)), sine, cosine;
  sineAndCosineOfTurn(angleWord, &sine, &cosine);
  *first = __builtin_convertvector(radius * cosine, Floats);
  *second = __builtin_convertvector(radius * sine, Floats);
}

static void randomWords(RandomAddress address, uint32_t sample, uint32_t firstBlock,
                        size_t blockCount, uint32_t *out) {
  for (size_t done = 0; done < blockCount; done += LANES) {
    Blocks blocks = philox(address, sample, firstBlock + (uint32_t)done);
    size_t lanes = blockCount - done < LANES ? blockCount - done : LANES;
    for (size_t lane = 0; lane < lanes; lane++)
      for (int word = 0; word < 4; word++) out[4 * (done + lane) + word] = blocks.word[word][lane];
  }
}

/// Four vectors, one value of each block a lane, written as the first `count` of 4 * LANES values in block order.
INLINE void storeInterleaved(const Floats values[4], float *out, size_t count) {
  float scratch[4 * LANES];
  float *target = count >= 4 * LANES ? out : scratch;
  for (size_t lane = 0; lane < LANES; lane++)
    for (int word = 0; word < 4; word++) target[4 * lane + word] = values[word][lane];
  if (target == scratch)
    for (size_t i = 0; i < count; i++) out[i] = scratch[i];
}

static void randomNormals(RandomAddress address, uint32_t firstSample, size_t samples,
                          size_t valuesPerSample, float *out) {
  for (size_t sample = 0; sample < samples; sample++)
    for (size_t done = 0; done < valuesPerSample; done += 4 * LANES) {
      Blocks blocks = philox(address, firstSample + (uint32_t)sample, (uint32_t)(done / 4));
      Floats values[4];
      boxMuller(blocks.word[0], blocks.word[1], &values[0], &values[1]);
      boxMuller(blocks.word[2], blocks.word[3], &values[2], &values[3]);
      storeInterleaved(values, out + sample * valuesPerSample + done, valuesPerSample - done);
    }
}

static void dropoutMultipliers(RandomAddress address, uint32_t firstSample, size_t samples,
                               size_t units, uint32_t threshold, float scale, float *out) {
  Floats kept = scale;
  for (size_t sample = 0; sample < samples; sample++)
    for (size_t done = 0; done < units; done += 4 * LANES) {
      Blocks blocks = philox(address, firstSample + (uint32_t)sample, (uint32_t)(done / 4));
      Floats values[4];
      for (int word = 0; word < 4; word++)
        values[word] = (Floats)((UInt32s)kept & (UInt32s)(blocks.word[word] >= threshold));
      storeInterleaved(values, out + sample * units + done, units - done);
    }
}
