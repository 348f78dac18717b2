import ArgumentParser
import Files
import Memory
import Runs
import TensorFiles

/// `gan-dist compare`: how far two files of tensors are apart.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare the tensors of two checkpoints.",
    discussion: """
      For each tensor: how many numbers differ, the largest absolute difference, and the largest difference in \
      units in the last place (ULP). Exit status: 0 if all tensors are the same bit for bit, 1 if not.
      """)

  @Argument(help: ArgumentHelp("A safetensors file.", valueName: "a"))
  var first: String

  @Argument(help: ArgumentHelp("Another one.", valueName: "b"))
  var second: String

  func run() throws {
    FileCommand.run {
      let (a, b) = (try SafetensorsFile(path: first), try SafetensorsFile(path: second))
      let (lines, isSame) = try Self.compare(a, b)
      try Console.deliver(lines.joined(separator: "\n") + "\n")
      return isSame ? .done : .different
    }
  }

  /// A line a tensor, in the order of the first file.
  private static func compare(
    _ a: SafetensorsFile, _ b: SafetensorsFile
  ) throws -> (lines: [String], isSame: Bool) {
    var lines: [String] = []
    var isSame = true
    let width = (a.tensors + b.tensors).map(\.shownName.count).max() ?? 0
    // By their bytes: texts count as equal also where an accent is encoded in another way.
    let others = Dictionary(b.tensors.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    for tensor in a.tensors {
      let name = tensor.shownName.padding(to: width)
      guard let other = others[Array(tensor.name.utf8)] else {
        lines.append("\(name)  only in \(a.path.escapedForTerminal)")
        isSame = false
        continue
      }
      guard tensor.shape == other.shape && tensor.dataType == other.dataType else {
        lines.append("\(name)  of another shape or type")
        isSame = false
        continue
      }
      let hasSameBytes = a.withUnsafeBytes(of: tensor) { ours in
        b.withUnsafeBytes(of: other) { ours.elementsEqual($0) }
      }
      if hasSameBytes {
        lines.append("\(name)  same")
      } else if tensor.dataType == .float32 {
        try Memory.demand(
          2 * tensor.byteRange.count, for: "two copies of the tensor \(tensor.name)")
        let difference = TensorDifference(
          try a.floats(named: tensor.name), try b.floats(named: tensor.name))
        lines.append("\(name)  \(difference)")
        isSame = false
      } else {
        lines.append("\(name)  differs")
        isSame = false
      }
    }
    let ours = Set(a.tensors.map { Array($0.name.utf8) })
    for tensor in b.tensors where !ours.contains(Array(tensor.name.utf8)) {
      lines.append("\(tensor.shownName.padding(to: width))  only in \(b.path.escapedForTerminal)")
      isSame = false
    }
    lines.append(isSame ? "the same, bit for bit" : "different")
    return (lines, isSame)
  }
}

/// How two arrays of floats differ.
struct TensorDifference: CustomStringConvertible {
  private(set) var unlikeCount = 0
  private(set) var largest: Float = 0
  private(set) var largestULP: Int64 = 0
  private let count: Int

  /// The arrays have the same length.
  init(_ a: [Float], _ b: [Float]) {
    count = a.count
    for (x, y) in zip(a, b) where x.bitPattern != y.bitPattern {
      unlikeCount += 1
      let distance = abs(x - y)
      // A NaN is further away than any number.
      largest = distance.isNaN || largest.isNaN ? .nan : max(largest, distance)
      largestULP = max(largestULP, abs(Self.order(x) - Self.order(y)))
    }
  }

  /// Floats counted through in their order, both zeros as one.
  private static func order(_ x: Float) -> Int64 {
    let magnitude = Int64(x.bitPattern & 0x7FFF_FFFF)
    return x.sign == .minus ? -magnitude : magnitude
  }

  var description: String {
    "\(Phrases.count(unlikeCount)) of \(Phrases.count(count)) differ, by up to \(largest) or"
      + " \(Phrases.count(Int(largestULP))) ULP"
  }
}
