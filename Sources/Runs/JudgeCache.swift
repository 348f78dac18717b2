import Collectives
import Files
import Glibc
import Judge
import MNISTFamily
import MPI
import TensorFiles

/// The judge of a data set: from the user's cache if it is there, else trained, and kept for the next time.
package struct JudgeCache {
  package let judge: Judge
  /// What people should know of it, on rank 0.
  package let notes: [String]

  /// Every rank must call this.
  /// - Parameters:
  ///   - tell: says on rank 0 what takes time.
  /// - Throws: `JudgeError`, `KernelError`, `MemoryError`, or what the collective throws.
  package init(
    of dataSet: ImageDataSet, over collective: any Collective, _ communicator: Communicator,
    tell: (String) -> Void
  ) throws {
    let isRoot = communicator.rank == 0
    let pixels = dataSet.pixelsPerImage
    var path: String?
    var weights: [Float] = []
    if isRoot, let folder = CachedJudge.folder({ getenv($0).map { String(cString: $0) } }) {
      let file = RunFolder.Layout(path: folder).file(
        CachedJudge.fileName(
          dataDigest: dataSet.digest, arithmetic: RunDescription.arithmeticOfBits))
      path = file
      let counts = dataSet.imageCountsByLabel
      let classCount = Judge.classCount(of: counts)
      weights = CachedJudge(path: file, pixels: pixels, classCount: classCount)?.weights ?? []
    }
    // The file need not be where other ranks are.
    let count = try communicator.broadcast(weights.count, from: 0)
    if !isRoot { weights = [Float](repeating: 0, count: count) }
    if count > 0 {
      try weights.withUnsafeMutableBytes { bytes in
        try communicator.broadcast(bytes.bindMemory(to: UInt8.self), from: 0)
      }
    }
    if isRoot && count == 0 {
      tell("training the judge of these data: once, it is kept for the next time")
    }
    judge = try Judge(
      of: dataSet, over: collective, cached: count > 0 ? CachedJudge(weights: weights) : nil)
    var notes: [String] = []
    if isRoot, judge.origin == .trained {
      if let path {
        do {
          try Self.keep(judge, at: path)
        } catch {
          notes.append("the judge could not be kept for the next time: \(error)")
        }
      } else {
        notes.append(
          "the judge is not kept for the next time: neither XDG_CACHE_HOME nor HOME names a folder")
      }
    }
    if judge.isPublished == false {
      notes.append(
        """
        this judge of FashionMNIST (\(judge.digest.short)) is not the published one \
        (\(Judge.digestOfFashionMNIST.short)): its figures compare only with its own. Processors without FMA, \
        another libxsmm or another C library round differently
        """)
    }
    self.notes = notes
  }

  private static func keep(_ judge: Judge, at path: String) throws {
    let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
    try RunFolder.makeFolder(folder)
    try judge.write(to: path, program: RunDescription.program)
  }
}
