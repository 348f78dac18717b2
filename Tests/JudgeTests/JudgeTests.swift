import Collectives
import Files
import Foundation
import MNISTFamily
import TestSupport
import Testing

@testable import Judge

/// Data that are quickly learned: each class has a bright bar in a place of its own, among noise.
enum BarImages {
  static func make(_ count: Int, seed: UInt32 = 1, classes: Int = 4) throws -> ImageDataSet {
    let set = try ImageDataSet(imageCount: count, imageHeight: 8, imageWidth: 8)
    var state = seed
    set.withUnsafeMutablePixels { pixels in
      for index in pixels.indices {
        state = state &* 1_664_525 &+ 1_013_904_223
        let (image, place) = index.quotientAndRemainder(dividingBy: 64)
        pixels[index] = UInt8(state >> 25) + (place / 8 == 2 * (image % classes) ? 127 : 0)
      }
    }
    set.withUnsafeMutableLabels { labels in
      for index in labels.indices { labels[index] = UInt8(index % classes) }
    }
    return set
  }
}

@Suite struct JudgeTests {
  @Test func itLearnsToTellTheClasses() throws {
    let (training, test) = (try BarImages.make(512), try BarImages.make(64, seed: 9))
    let collective = SoloCollective()
    let judge = try Judge(of: training, over: collective)
    #expect(judge.classCount == 4 && judge.origin == .trained && judge.isPublished == nil)
    let evaluator = try Evaluator(
      judge, training: training, test: test, count: 64, findsCopies: false, over: collective)
    #expect(evaluator.judgeAccuracy > 0.95)
    #expect(evaluator.testImages.features.size == 128)
  }

  @Test func anyRanksAndHostsHaveTheSameJudge() throws {
    func digests(_ hosts: [[Int]], threads: Int) -> [ContentDigest] {
      ThreadTeam.run(hosts: hosts, threads: threads) {
        try Judge(of: BarImages.make(300), over: $0).digest
      }
    }
    let one = digests([[0]], threads: 1)
    #expect(digests([[0, 1, 2]], threads: 1) == one + one + one)
    #expect(digests([[0, 1], [2]], threads: 2) == one + one + one)
  }

  @Test func otherDataHaveAnotherJudge() throws {
    let collective = SoloCollective()
    let first = try Judge(of: BarImages.make(300), over: collective)
    let second = try Judge(of: BarImages.make(300, seed: 2), over: collective)
    #expect(first.digest != second.digest)
  }

  @Test func fewerImagesThanABatchAreEnough() throws {
    #expect(try Judge(of: BarImages.make(5), over: SoloCollective()).classCount == 4)
  }
}

@Suite struct CachedJudgeTests {
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  @Test func aJudgeFromAFileIsTheSame() throws {
    let set = try BarImages.make(300)
    let judge = try Judge(of: set, over: SoloCollective())
    let path = scratch.path("judge.safetensors")
    try judge.write(to: path, program: "test")
    let cached = try #require(CachedJudge(path: path, pixels: 64, classCount: 4))
    let again = try Judge(of: set, over: SoloCollective(), cached: cached)
    #expect(again.origin == .cached && again.digest == judge.digest)
    // One of other data is not taken.
    #expect(CachedJudge(path: path, pixels: 64, classCount: 5) == nil)
  }

  @Test func aDamagedOrMissingFileIsNone() throws {
    let judge = try Judge(of: BarImages.make(300), over: SoloCollective())
    let path = scratch.path("judge.safetensors")
    try judge.write(to: path, program: "test")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 9] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(CachedJudge(path: path, pixels: 64, classCount: 4) == nil)
    #expect(CachedJudge(path: scratch.path("none"), pixels: 64, classCount: 4) == nil)
  }

  @Test func theFolderIsTheOneOfTheSpecification() {
    func folder(_ environment: [String: String]) -> String? {
      CachedJudge.folder { environment[$0] }
    }
    #expect(folder(["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/gan-dist")
    #expect(folder(["HOME": "/h"]) == "/h/.cache/gan-dist")
    #expect(folder(["XDG_CACHE_HOME": "c", "HOME": "/h"]) == "/h/.cache/gan-dist")
    #expect(folder([:]) == nil && folder(["HOME": ""]) == nil)
  }

  @Test func theNameTellsDataAndArithmetic() {
    let (one, other) = (ContentDigest(hex: "0a"), ContentDigest(hex: "0b"))
    let names = [(one, "FMA"), (other, "FMA"), (one, "no FMA")].map {
      CachedJudge.fileName(dataDigest: $0, arithmetic: $1)
    }
    #expect(Set(names).count == 3)
    #expect(names.allSatisfy { $0.hasPrefix("judge-") && $0.hasSuffix(".safetensors") })
  }
}
