#include "VectorKernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

ProcessorRegisters readProcessorRegisters(void) {
  ProcessorRegisters registers = {0};
  uint32_t a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d)) registers.leaf1C = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    registers.leaf7B = b;
    registers.leaf7C = c;
    // The number of the last sub-leaf.
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) registers.leaf7sub1A = a;
  }
  if (registers.leaf1C & bit_OSXSAVE) {
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    registers.xcr0 = a;
  }
  return registers;
}
#else
ProcessorRegisters readProcessorRegisters(void) { return (ProcessorRegisters){0}; }
#endif

// Bits as in Intel's manual, volume 2A, CPUID; and volume 1, section 13.3, XCR0.
uint32_t processorFeatures(ProcessorRegisters registers) {
  const uint32_t keepsAVX = 0x6, keepsAVX512 = 0xE6;
  uint32_t features = 0;
  if (registers.leaf1C >> 20 & 1) features |= featureSSE42;
  if (registers.leaf7B >> 3 & 1) features |= featureBMI;
  if (registers.leaf7B >> 8 & 1) features |= featureBMI2;
  if ((registers.xcr0 & keepsAVX) == keepsAVX) {
    if (registers.leaf1C >> 28 & 1) features |= featureAVX;
    if (registers.leaf1C >> 12 & 1) features |= featureFMA;
    if (registers.leaf1C >> 29 & 1) features |= featureF16C;
    if (registers.leaf7B >> 5 & 1) features |= featureAVX2;
  }
  if ((registers.xcr0 & keepsAVX512) == keepsAVX512) {
    if (registers.leaf7B >> 16 & 1) features |= featureAVX512F;
    if (registers.leaf7B >> 17 & 1) features |= featureAVX512DQ;
    if (registers.leaf7B >> 28 & 1) features |= featureAVX512CD;
    if (registers.leaf7B >> 30 & 1) features |= featureAVX512BW;
    if (registers.leaf7B >> 31 & 1) features |= featureAVX512VL;
    if (registers.leaf7C >> 11 & 1) features |= featureAVX512VNNI;
    if (registers.leaf7sub1A >> 5 & 1) features |= featureAVX512BF16;
  }
  return features;
}
