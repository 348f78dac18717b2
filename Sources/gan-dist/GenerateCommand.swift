import ArgumentParser
import GANTraining
import Matrices
import Pictures
import Randomness
import Runs
import TensorFiles

/// `gan-dist generate`: images from a trained G.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make images with a trained G.",
    discussion: """
      Takes a checkpoint or a generator.safetensors. The noise is drawn from a seed, or read from a NumPy file \
      [n, 64]. Writes a grid (.png), or the images themselves (.npy, float32 [n, pixels] in [-1, 1]).

        gan-dist generate --checkpoint runs/try/generator.safetensors --count 64 --seed 1 --out images.png
      """)

  @Option(help: ArgumentHelp("A checkpoint or a generator.safetensors.", valueName: "file"))
  var checkpoint: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many images to make (default: 16).", valueName: "n"),
    transform: NumberOption<Int>.whole("--count", 1...1_000_000).parse)
  var count: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Determines the noise (default: 0).", valueName: "n"),
    transform: NumberOption<UInt64>.whole("--seed", 0...UInt64.max).parse)
  var seed: UInt64?

  @Option(
    help: ArgumentHelp("Noise [n, 64] in place of --count and --seed.", valueName: "file.npy"))
  var noise: String?

  @Option(help: ArgumentHelp("What to write.", valueName: "file.png|file.npy"))
  var out: String

  func validate() throws {
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
      let given = try readNoise(for: generator)
      let imageCount = given?.shape[0] ?? count ?? 16
      // What cannot be written is not computed first.
      try demandDrawable(imageCount, generator)
      try RunFolder.demandWritable(file: out)
      let images = try makeImages(imageCount, generator, given)
      if out.hasSuffix(".npy") {
        try NPYFile.write(
          images, rows: imageCount, columns: generator.architecture.imageSize, to: out)
      } else {
        try SampleGrid(
          imageHeight: generator.imageHeight, imageWidth: generator.imageWidth,
          squareFor: imageCount
        ).write(images, to: out)
      }
      return .done
    }
  }

  /// Sees whether a picture has room for so many images, if a picture is asked for.
  /// - Throws: `TrainingSettings.Invalid`.
  private func demandDrawable(_ imageCount: Int, _ generator: GeneratorFile) throws {
    guard out.hasSuffix(".png") else { return }
    let most = SampleGrid.largestSquare(
      imageHeight: generator.imageHeight, imageWidth: generator.imageWidth)
    guard imageCount > most else { return }
    throw TrainingSettings.Invalid(
      setting: noise == nil ? "--count" : "--noise",
      reason: """
        asks for \(Phrases.count(imageCount, "image")), but a picture has room for at most \
        \(Phrases.count(most)) of \(generator.imageHeight) x \(generator.imageWidth) pixels; \
        a file that ends in .npy has room for all
        """)
  }

  /// The noise that is given; nil if there is none.
  /// - Throws: `TensorFileError` unless it is finite numbers of G's size.
  private func readNoise(for generator: GeneratorFile) throws -> NPYFile? {
    guard let noise else { return nil }
    let given = try NPYFile(path: noise)
    let size = generator.architecture.noiseSize
    guard given.shape.count == 2, given.shape[0] > 0, given.shape[1] == size else {
      throw TensorFileError(
        kind: .broken, path: noise,
        message: """
          expected the shape [n, \(size)], found \
          [\(given.shape.map(String.init).joined(separator: ", "))]
          """)
    }
    if let index = given.values.firstIndex(where: { !$0.isFinite }) {
      let (row, column) = index.quotientAndRemainder(dividingBy: size)
      throw TensorFileError(
        kind: .broken, path: noise,
        message: "expected finite numbers, found \(given.values[index]) at [\(row), \(column)]")
    }
    return given
  }

  private func makeImages(
    _ imageCount: Int, _ generator: GeneratorFile, _ given: NPYFile?
  ) throws -> [Float] {
    try generator.images(count: imageCount) { matrix in
      if let given {
        _ = matrix.buffer.update(fromContentsOf: given.values)
      } else {
        RandomSource(seed: seed ?? 0).fillNormals(
          matrix, stream: RandomStream.generate, step: 0, firstSample: 0)
      }
    }
  }
}
