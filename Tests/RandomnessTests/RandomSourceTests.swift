import Glibc
import Matrices
import TestSupport
import Testing

@testable import Randomness

@Suite struct RandomSourceTests {
  // Matrices are views: their memory must outlive the test.
  private let workspace = Workspace()

  /// Known answers published with Philox (Random123's kat_vectors).
  @Test func philoxGivesThePublishedWords() {
    let zero = RandomSource(seed: 0).words(stream: 0, step: 0, sample: 0, blockCount: 1)
    #expect(zero == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])

    let ones = RandomSource(seed: .max)
      .words(
        stream: .max, step: 0xffff_ffff, sample: 0xffff_ffff, firstBlock: 0xffff_ffff, blockCount: 1
      )
    #expect(ones == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])

    let pi = RandomSource(seed: 0x299f_31d0_a409_3822)
      .words(
        stream: 0x0370_7344, step: 0x1319_8a2e, sample: 0x85a3_08d3, firstBlock: 0x243f_6a88,
        blockCount: 1)
    #expect(pi == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  @Test func wordsAreThoseOfAnIndependentProgram() throws {
    let golden = try Golden.document("layers.json")["random"]
    let random = RandomSource(seed: golden["seed"].seed)
    for draw in golden["words"].elements {
      let words = random.words(
        stream: UInt32(draw["stream"].integer), step: draw["step"].integer,
        sample: draw["sample"].integer, firstBlock: draw["firstBlock"].integer, blockCount: 3)
      #expect(words.map(Double.init) == draw["words"].values)
    }
  }

  @Test func normalsAreThoseOfAnIndependentProgram() throws {
    let golden = try Golden.document("layers.json")["random"]
    let random = RandomSource(seed: golden["seed"].seed)
    let draw = golden["normals"]
    let expected = draw["values"].floats
    for (index, sample) in draw["samples"].elements.enumerated() {
      let row = workspace.testMatrix(rows: 1, columns: 20)
      random.fillNormals(
        row, stream: UInt32(draw["stream"].integer), step: draw["step"].integer,
        firstSample: sample.integer)
      #expect(Array(row.buffer) == Array(expected[20 * index..<20 * (index + 1)]))
    }
  }

  /// The series of the kernels against the C library's log, sqrt, sine and cosine, in double precision.
  @Test func normalsAreThoseOfTheExactFunctions() {
    let random = RandomSource(seed: 5)
    let (rows, columns) = (64, 1000)
    let values = workspace.testMatrix(rows: rows, columns: columns)
    random.fillNormals(values, stream: 3, step: 9, firstSample: 100)
    var unlike = 0
    for row in 0..<rows {
      let words = random.words(stream: 3, step: 9, sample: 100 + row, blockCount: columns / 4)
      for pair in 0..<columns / 2 {
        let radius = (-2 * log((Double(words[2 * pair]) + 1) / 4_294_967_296)).squareRoot()
        let angle = 2 * Double.pi * (Double(words[2 * pair + 1]) / 4_294_967_296)
        if values[row, 2 * pair] != Float(radius * cos(angle)) { unlike += 1 }
        if values[row, 2 * pair + 1] != Float(radius * sin(angle)) { unlike += 1 }
      }
    }
    // A double's last bit changes the float about once in 10^8 numbers.
    #expect(unlike <= 1)
  }

  @Test func normalsHaveMeanZeroAndVarianceOne() {
    let values = workspace.testMatrix(rows: 1000, columns: 64)
    RandomSource(seed: 1).fillNormals(values, stream: 16, step: 0, firstSample: 0)
    let count = Double(values.count)
    let mean = values.buffer.reduce(0) { $0 + Double($1) } / count
    let variance = values.buffer.reduce(0) { $0 + Double($1) * Double($1) } / count
    #expect(abs(mean) < 5 / count.squareRoot())
    #expect(abs(variance - 1) < 5 * (2 / count).squareRoot())
  }

  /// 1, 3, 63, 64, 65 values: whole vectors and all tails.
  @Test(arguments: [1, 2, 3, 4, 5, 63, 64, 65, 130])
  func aSamplesNumbersDoNotDependOnHowTheyAreDrawn(columns: Int) {
    let random = RandomSource(seed: 77)
    let together = workspace.testMatrix(rows: 6, columns: columns)
    random.fillNormals(together, stream: 1, step: 2, firstSample: 10)
    for row in 0..<6 {
      let alone = workspace.testMatrix(rows: 1, columns: columns)
      random.fillNormals(alone, stream: 1, step: 2, firstSample: 10 + row)
      #expect(alone.buffer.elementsEqual(together.rows(row..<row + 1).buffer))
    }
  }

  @Test func unlikeAddressesGiveUnlikeWords() {
    func words(seed: UInt64 = 1, stream: UInt32 = 1, step: Int = 1, sample: Int = 1) -> [UInt32] {
      RandomSource(seed: seed).words(stream: stream, step: step, sample: sample, blockCount: 1)
    }
    let all = [
      words(), words(seed: 2), words(seed: 1 << 32), words(stream: 2), words(step: 2),
      words(sample: 2),
    ]
    #expect(Set(all).count == all.count)
  }

  @Test func dropoutMultipliersAreThoseOfAnIndependentProgram() throws {
    let golden = try Golden.document("layers.json")["dropout"]
    let samples = golden["samples"].elements.map(\.integer)
    let out = workspace.testMatrix(rows: samples.count, columns: golden["units"].integer)
    RandomSource(seed: golden["seed"].seed).fillDropoutMultipliers(
      out, probability: golden["p"].number, stream: UInt32(golden["stream"].integer),
      step: golden["step"].integer, firstSample: samples[0])
    #expect(Array(out.buffer) == golden["multipliers"].floats)
  }

  @Test(arguments: [0, 0.3, 0.5, 0.9])
  func dropoutDropsItsShare(probability: Double) {
    let out = workspace.testMatrix(rows: 100, columns: 512)
    RandomSource(seed: 3).fillDropoutMultipliers(
      out, probability: probability, stream: 32, step: 1, firstSample: 0)
    let dropped = Double(out.buffer.count { $0 == 0 }) / Double(out.count)
    let deviation = (probability * (1 - probability) / Double(out.count)).squareRoot()
    #expect(abs(dropped - probability) <= 5 * deviation)
    #expect(Set(out.buffer).subtracting([0, Float(1 / (1 - probability))]).isEmpty)
  }

  @Test func shufflesAreThoseOfAnIndependentProgram() throws {
    let golden = try Golden.document("layers.json")["random"]
    let random = RandomSource(seed: golden["seed"].seed)
    for shuffle in golden["shuffles"].elements {
      let order = random.permutation(
        count: shuffle["count"].integer, stream: 2, epoch: shuffle["epoch"].integer)
      let expected = shuffle["first"].elements.map { Int32($0.integer) }
      #expect(Array(order.prefix(expected.count)) == expected)
    }
  }

  @Test(arguments: [0, 1, 2, 3, 10, 1001, 2048, 2049, 2050, 4099])
  func aShuffleIsAPermutation(count: Int) {
    let order = RandomSource(seed: 9).permutation(count: count, stream: 2, epoch: 4)
    #expect(order.sorted() == (0..<Int32(count)).map { $0 })
  }

  @Test func everyEpochHasAnotherOrder() {
    let random = RandomSource(seed: 9)
    #expect(
      random.permutation(count: 100, stream: 2, epoch: 0)
        != random.permutation(count: 100, stream: 2, epoch: 1))
  }
}

extension RandomSource {
  fileprivate func permutation(count: Int, stream: UInt32, epoch: Int) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: count) { buffer, filled in
      permute(
        UnsafeMutableBufferPointer(rebasing: buffer[..<count]), stream: stream, epoch: epoch)
      filled = count
    }
  }
}
