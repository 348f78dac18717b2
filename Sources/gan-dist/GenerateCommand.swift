import ArgumentParser
import GANTraining
import Matrices
import Pictures
import TensorFiles

/// `gan-dist generate`: images from a trained G.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make images with a trained G.",
    discussion: """
      Takes a checkpoint or a generator.safetensors. The noise is drawn from a seed, or read from a NumPy file [n, 64]. \
      Writes a grid (.png), or the images themselves (.npy, float32 [n, pixels] in [-1, 1]).

        gan-dist generate --checkpoint runs/try/generator.safetensors --count 64 --seed 1 --out images.png
      """)

  @Option(help: ArgumentHelp("A checkpoint or a generator.safetensors.", valueName: "file"))
  var checkpoint: String

  @Option(help: ArgumentHelp("How many images to make (default: 16).", valueName: "n"))
  var count: Int?

  @Option(help: ArgumentHelp("Determines the noise (default: 0).", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp("Noise [n, 64] in place of --count and --seed.", valueName: "file.npy"))
  var noise: String?

  @Option(help: ArgumentHelp("What to write.", valueName: "file.png|file.npy"))
  var out: String

  func validate() throws {
    if let count, !(1...1_000_000).contains(count) {
      throw ValidationError("--count must be from 1 to 1000000, but is \(count).")
    }
    if noise != nil && (count != nil || seed != nil) {
      throw ValidationError("--noise excludes --count and --seed: give one or the other.")
    }
    if !out.hasSuffix(".png") && !out.hasSuffix(".npy") {
      throw ValidationError("--out must end in .png or .npy, but is '\(out)'.")
    }
  }

  func run() throws {
    FileCommand.run {
      try Processor.verify()
      let generator = try GeneratorFile(path: checkpoint)
      let images = try makeImages(generator)
      let pixels = generator.architecture.imageSize
      if out.hasSuffix(".npy") {
        try NPYFile.write(images, rows: images.count / pixels, columns: pixels, to: out)
      } else {
        let count = images.count / pixels
        let columns = Int(Double(count).squareRoot().rounded(.up))
        try SampleGrid(
          imageHeight: generator.imageHeight, imageWidth: generator.imageWidth, columns: columns
        ).write(images, to: out)
      }
      return .done
    }
  }

  private func makeImages(_ generator: GeneratorFile) throws -> [Float] {
    guard let noise else {
      let random = RandomSource(seed: seed ?? 0)
      return try generator.images(count: count ?? 16) {
        random.fillNormals($0, stream: RandomStream.generate, step: 0, firstSample: 0)
      }
    }
    let given = try NPYFile(path: noise)
    guard given.shape.count == 2, given.shape[0] > 0,
      given.shape[1] == generator.architecture.noiseSize
    else {
      throw TensorFileError(
        kind: .broken, path: noise,
        message: """
          expected the shape [n, \(generator.architecture.noiseSize)], found \
          [\(given.shape.map(String.init).joined(separator: ", "))]
          """)
    }
    return try generator.images(count: given.shape[0]) { matrix in
      _ = matrix.buffer.update(fromContentsOf: given.values)
    }
  }
}
