import Foundation
import Testing

@testable import Matrices

/// Threads that share work, also where they have no time for it.
@Suite(.serialized) struct WorkTeamTests {
  private struct Job: BitwiseCopyable {
    let counts: UnsafeMutablePointer<Int>
    let workers: UnsafeMutablePointer<UInt>
  }

  /// Counts each piece, and notes who did it.
  private static func share(pieces: Int) -> (counts: [Int], workers: Set<UInt>) {
    let counts = UnsafeMutablePointer<Int>.allocate(capacity: pieces)
    let workers = UnsafeMutablePointer<UInt>.allocate(capacity: pieces)
    counts.initialize(repeating: 0, count: pieces)
    workers.initialize(repeating: 0, count: pieces)
    defer {
      counts.deallocate()
      workers.deallocate()
    }
    WorkTeam.share(
      { context, begin, end in
        let job = context.assumingMemoryBound(to: Job.self).pointee
        for piece in begin..<end {
          job.counts[piece] += 1
          job.workers[piece] = UInt(pthread_self())
        }
      }, of: pieces, with: Job(counts: counts, workers: workers))
    return (
      Array(UnsafeBufferPointer(start: counts, count: pieces)),
      Set(UnsafeBufferPointer(start: workers, count: pieces))
    )
  }

  /// Every piece is done once, by whomever, in work after work.
  @Test(arguments: [1, 2, 3, 8], [1, 2, 7, 64])
  func everyPieceIsDoneOnce(threads: Int, pieces: Int) throws {
    try WorkTeam.setThreadCount(threads)
    defer { try? WorkTeam.setThreadCount(1) }
    for _ in 0..<50 {
      let (counts, workers) = Self.share(pieces: pieces)
      #expect(counts.allSatisfy { $0 == 1 })
      #expect(workers.count <= min(threads, pieces))
    }
  }

  /// Several callers at a time: who finds the helpers busy works alone.
  @Test func callersDoNotMixTheirWork() throws {
    try WorkTeam.setThreadCount(3)
    defer { try? WorkTeam.setThreadCount(1) }
    let group = DispatchGroup()
    for _ in 0..<4 {
      group.enter()
      Thread {
        for _ in 0..<500 {
          let (counts, _) = Self.share(pieces: 9)
          if !counts.allSatisfy({ $0 == 1 }) { Issue.record("\(counts)") }
        }
        group.leave()
      }.start()
    }
    #expect(group.wait(timeout: .now() + 120) == .success)
  }

  @Test func helpersDoWorkThatTakesLong() throws {
    try WorkTeam.setThreadCount(2)
    defer { try? WorkTeam.setThreadCount(1) }
    let memory = UnsafeMutablePointer<UInt>.allocate(capacity: 2)
    defer { memory.deallocate() }
    // On any machine a helper comes within some of these.
    let isShared = (0..<200).contains { _ in
      memory.initialize(repeating: 0, count: 2)
      WorkTeam.share(
        { context, begin, end in
          let workers = context.assumingMemoryBound(to: UnsafeMutablePointer<UInt>.self).pointee
          usleep(5000)
          for piece in begin..<end { workers[piece] = UInt(pthread_self()) }
        }, of: 2, with: memory)
      return memory[0] != memory[1]
    }
    #expect(isShared)
  }
}
