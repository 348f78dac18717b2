import Foundation
import Testing
import TrialProcess
import VectorKernels

@testable import Matrices

/// Which instructions are used, of processors made up here.
@Suite struct InstructionSetTests {
  private static let haswell: ProcessorFeatures = [.sse42, .avx, .avx2, .fma, .f16c, .bmi, .bmi2]
  private static let skylake = haswell.union([
    .avx512f, .avx512cd, .avx512bw, .avx512dq, .avx512vl,
  ])

  @Test(
    arguments: [
      ([], .sse2), (.sse42, .sse42), ([.sse42, .avx], .avx), (haswell, .avx2),
      (skylake, .avx512), (skylake.union(.avx512vnni), .avx512VNNI),
      (skylake.union([.avx512vnni, .avx512bf16]), .avx512BF16),
      // One instruction set is missing: Piledriver has no AVX2, some virtual machines hide one,
      // and Knights Landing has half of AVX-512.
      ([.sse42, .avx, .fma, .f16c, .bmi], .avx), (haswell.subtracting(.fma), .avx),
      (haswell.union([.avx512f, .avx512cd]), .avx2),
      (skylake.union(.avx512bf16), .avx512),
      // The operating system does not keep AVX's registers, so nothing of AVX counts as there.
      ([.sse42, .bmi, .bmi2], .sse42),
    ] as [(ProcessorFeatures, InstructionSet)])
  func aSetIsThereAsAWhole(features: ProcessorFeatures, expected: InstructionSet) {
    #expect(InstructionSet(features) == expected)
  }

  /// What CPUID says of a Zen 5, with less and less of its registers kept by the operating system.
  @Test(
    arguments: [
      (0xE7, .avx512BF16), (0x67, .avx2), (0x27, .avx2), (0x7, .avx2), (0x3, .sse42), (0, .sse42),
    ] as [(UInt32, InstructionSet)])
  func registersThatAreNotKeptAreNotUsed(xcr0: UInt32, expected: InstructionSet) {
    let registers = ProcessorRegisters(
      leaf1C: 0xFFFA_3203, leaf7B: 0xF1BF_07AB, leaf7C: 0x0040_5FC6, leaf7sub1A: 0x30, xcr0: xcr0)
    let features = ProcessorFeatures(rawValue: processorFeatures(registers))
    #expect(InstructionSet(features) == expected)
  }

  @Test func theSystemSeesTheSameProcessor() throws {
    let text = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("flags") })
    let flags = Set(line.split(separator: " ").map(String.init))
    let features: [(String, ProcessorFeatures)] = [
      ("sse4_2", .sse42), ("avx", .avx), ("avx2", .avx2), ("fma", .fma), ("f16c", .f16c),
      ("bmi1", .bmi), ("bmi2", .bmi2), ("avx512f", .avx512f), ("avx512cd", .avx512cd),
      ("avx512bw", .avx512bw), ("avx512dq", .avx512dq), ("avx512vl", .avx512vl),
      ("avx512_vnni", .avx512vnni), ("avx512_bf16", .avx512bf16),
    ]
    for (flag, feature) in features {
      #expect(
        ProcessorFeatures.ofThisProcessor.contains(feature) == flags.contains(flag), "\(flag)")
    }
  }

  @Test(
    arguments: [
      ("cpx", .avx512BF16), ("clx", .avx512VNNI), ("skx", .avx512), ("avx512", .avx512),
      ("hsw", .avx2), ("avx2", .avx2), ("snb", .avx), ("avx", .avx), ("wsm", .sse42),
      ("sse3", .sse42),
      ("0", .sse42), ("generic", .sse2), ("x86", .sse2),
    ] as [(String, InstructionSet)])
  func namesOfLibxsmmAreKnown(name: String, expected: InstructionSet) {
    #expect(InstructionSet(target: name) == expected)
  }

  @Test(arguments: [
    "", "hws", "HSW", "hsw ", " hsw", "avx 2", "knl", "knm", "1", "20", "1006", "-1",
  ])
  func otherNamesMeanNothing(name: String) { #expect(InstructionSet(target: name) == nil) }

  @Test func everySetHasANameOfItsOwn() {
    for set in InstructionSet.allCases { #expect(InstructionSet(target: set.target) == set) }
    #expect(Set(InstructionSet.allCases.map(\.description)).count == InstructionSet.allCases.count)
  }

  @Test(arguments: InstructionSet.allCases, InstructionSet.allCases)
  func aLimitIsNeverExceededNorIsTheProcessor(limit: InstructionSet, supported: InstructionSet) {
    #expect(Processor.used(limit: limit.target, supported: supported) == min(limit, supported))
    #expect(Processor.used(limit: nil, supported: supported) == supported)
    #expect(Processor.used(limit: "nonsense", supported: supported) == supported)
    if limit <= supported {
      #expect(throws: Never.self) {
        try Processor.demandSense(limit: limit.target, supported: supported)
      }
    } else {
      let expected = ProcessorError.limitTooHigh(limit.target, asked: limit, supported: supported)
      #expect(throws: expected) {
        try Processor.demandSense(limit: limit.target, supported: supported)
      }
      #expect(expected.isBadUsage && "\(expected)".contains("the processor has \(supported) only"))
    }
  }

  @Test func nonsenseIsNamedWithoutItsControlCharacters() {
    let error = #expect(throws: ProcessorError.self) {
      try Processor.demandSense(limit: "\u{1B}[2Jhsw", supported: .avx2)
    }
    #expect(error?.isBadUsage == true)
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("[2Jhsw") && !text.contains("\u{1B}"))
    #expect(text.contains("generic, wsm, snb, hsw, skx, clx, cpx"))
  }

  @Test func whatIsUsedIsThere() { #expect(Processor.instructionSet <= Processor.supported) }

  @Test func theTrialPassesHere() { #expect(ProductTrial.passes()) }
}

/// A fault in the child is an answer.
@Suite struct TrialProcessTests {
  private func ending(_ trial: @convention(c) () -> Bool) -> (passed: Bool, signal: Int32?) {
    var status: Int32 = 0
    let passed = passesInChild(trial, &status)
    return (passed, TrialEnding(waitStatus: status)?.signal)
  }

  @Test func aTrialPassesOrFails() {
    #expect(ending { true } == (true, nil))
    #expect(ending { false } == (false, nil))
  }

  @Test func faultsEndTheChildOnly() {
    #expect(ending { raise(SIGILL) == 0 } == (false, SIGILL))
    #expect(ending { raise(SIGSEGV) == 0 } == (false, SIGSEGV))
    #expect(ending { raise(SIGSYS) == 0 } == (false, SIGSYS))
    // Half way: the child had done its work, but could not say so.
    #expect(ending { raise(SIGKILL) == 0 } == (false, SIGKILL))
  }
}
