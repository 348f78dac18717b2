import ArgumentParser
import Files
import GANTraining
import Runs
import TensorFiles

/// `gan-dist inspect`: what is in a checkpoint.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is in a checkpoint or another safetensors file.",
    discussion: """
      The file is read whole and checked, its SHA-256 too. With --digest only the SHA-256 of the training \
      state is printed: names and bytes of all tensors (parameters, running statistics, moments, counters) and \
      the step. Two runs with the same digest are in the same state, bit for bit.
      """)

  @Argument(help: ArgumentHelp("A safetensors file.", valueName: "file"))
  var file: String

  @Flag(help: "Print only the SHA-256 of the training state.")
  var digest = false

  func run() throws {
    FileCommand.run {
      let tensors = try SafetensorsFile(path: file)
      if digest {
        try Console.deliver(try Checkpoint.stateDigest(of: tensors) + "\n")
        return .done
      }
      try describe(tensors)
      return .done
    }
  }

  private func describe(_ file: SafetensorsFile) throws {
    var lines = ["\(file.path.escapedForTerminal): \(Phrases.count(file.tensors.count, "tensor"))"]
    for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) where key != "history" {
      lines.append("  \(key.escapedForTerminal): \(value.escapedForTerminal)")
    }
    if let checkpoint = try? Checkpoint(path: file.path) {
      let position = checkpoint.position
      lines.append("  whole epochs: \(position.history.count), steps: \(position.step)")
      if let last = position.history.last {
        lines.append("  last epoch: \(Phrases.means(last.means))")
      }
      lines.append("  state's digest: \(try Checkpoint.stateDigest(of: file))")
    }
    let width = file.tensors.map(\.shownName.count).max() ?? 0
    for tensor in file.tensors {
      let name = tensor.shownName.padding(to: width)
      let shape = tensor.shape.map(String.init).joined(separator: ", ")
      lines.append("  \(name)  \(tensor.dataType.rawValue) [\(shape)]")
    }
    try Console.deliver(lines.joined(separator: "\n") + "\n")
  }
}

extension SafetensorsFile.Tensor {
  /// The name as it is shown: it comes from a file, and may hold anything.
  var shownName: String { name.escapedForTerminal }
}

extension String {
  /// The text with spaces behind it, so many characters long.
  func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
