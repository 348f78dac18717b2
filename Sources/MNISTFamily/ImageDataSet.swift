import Files

/// Labelled grey images in memory that stays where it is: pixels `[count, height * width]`.
///
/// Not `Sendable`: a set made empty is written to when the content arrives from another rank.
public final class ImageDataSet {
  /// Which data these are, recognised by their content.
  public enum Identity: Equatable, Sendable {
    /// The training set of FashionMNIST, byte for byte as published.
    case fashionMNIST
    /// Anything else.
    case unknown
  }

  /// Images in the set.
  public let imageCount: Int
  /// Rows of an image, in pixels.
  public let imageHeight: Int
  /// Columns of an image, in pixels.
  public let imageWidth: Int

  /// Pixels of an image: height * width.
  public var pixelsPerImage: Int { imageHeight * imageWidth }

  private let pixels: ByteStorage
  private let labels: ByteStorage
  private let headers: (images: IDXHeader, labels: IDXHeader)
  private var knownDigests: Digests?

  private struct Digests {
    let images: ContentDigest
    let labels: ContentDigest
  }

  /// Makes a set of zeros that is to be filled with content from elsewhere.
  /// - Throws: `DataSetError` if a size is out of range or memory has no room.
  public convenience init(
    imageCount: Int, imageHeight: Int, imageWidth: Int
  ) throws(DataSetError) {
    let sizes = [imageCount, imageHeight, imageWidth]
    let byteCount = try Self.headers(of: sizes).images.contentByteCount
    guard let pixels = ByteStorage(zeroed: byteCount) else {
      throw .noMemory("", byteCount: byteCount)
    }
    try self.init(sizes: sizes, pixels: pixels)
  }

  /// Makes a set whose pixels are all of another object's memory, and whose labels are zeros.
  /// - Parameter owner: is kept for as long as the set.
  /// - Throws: `DataSetError` if a size is out of range or memory has no room.
  public convenience init(
    imageCount: Int, imageHeight: Int, imageWidth: Int, pixels: UnsafeMutableRawBufferPointer,
    of owner: AnyObject
  ) throws(DataSetError) {
    try self.init(
      sizes: [imageCount, imageHeight, imageWidth], pixels: ByteStorage(pixels, of: owner))
  }

  private init(sizes: [Int], pixels: ByteStorage) throws(DataSetError) {
    headers = try Self.headers(of: sizes)
    precondition(pixels.count == headers.images.contentByteCount, "memory of another size")
    guard let labels = ByteStorage(zeroed: sizes[0]) else {
      throw .noMemory("", byteCount: sizes[0])
    }
    (imageCount, imageHeight, imageWidth) = (sizes[0], sizes[1], sizes[2])
    (self.pixels, self.labels) = (pixels, labels)
  }

  private static func headers(
    of sizes: [Int]
  ) throws(DataSetError) -> (images: IDXHeader, labels: IDXHeader) {
    guard let images = try? IDXHeader(content: .images, dimensions: sizes, path: ""),
      let labels = try? IDXHeader(content: .labels, dimensions: [sizes[0]], path: "")
    else {
      throw DataSetError(
        kind: .broken, path: "",
        message: """
          no set can have \(sizes[0]) images of \(sizes[1]) x \(sizes[2]) pixels: \
          each size must be at least 1, and all bytes must be countable
          """)
    }
    return (images, labels)
  }

  /// Makes a set of a pair of files, whose memory it takes over.
  /// - Throws: `DataSetError.broken` unless there is one label for each image.
  public init(images: consuming IDXFile, labels: consuming IDXFile) throws(DataSetError) {
    for (file, found, expected) in [
      (images.path, images.content, IDXFile.Content.images),
      (labels.path, labels.content, IDXFile.Content.labels),
    ] where found != expected {
      throw .broken(file, atByte: 0, expected: "\(expected)", found: "\(found)")
    }
    let sizes = images.dimensions
    guard labels.dimensions == [sizes[0]] else {
      throw .broken(
        labels.path, atByte: 4,
        expected: "as many labels as \(images.path) has images (\(sizes[0]))",
        found: labels.header.text)
    }
    (imageCount, imageHeight, imageWidth) = (sizes[0], sizes[1], sizes[2])
    pixels = images.storage
    self.labels = labels.storage
    headers = (images.header, labels.header)
    knownDigests = Digests(images: images.digest, labels: labels.digest)
  }

  /// Lends the pixels `[count, height * width]`, 0 black to 255 white.
  public func withUnsafePixels<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(pixels.bytes)
  }

  /// Lends the labels `[count]`.
  public func withUnsafeLabels<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(labels.bytes)
  }

  /// Lends the pixels `[count, height * width]` to be overwritten; the identity is found anew.
  public func withUnsafeMutablePixels<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { knownDigests = nil }
    return try body(pixels.mutableBytes)
  }

  /// Lends the labels `[count]` to be overwritten; the identity is found anew.
  public func withUnsafeMutableLabels<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { knownDigests = nil }
    return try body(labels.mutableBytes)
  }

  /// Overwrites pixels and labels with those of a set of the same sizes.
  public func copyContent(of other: ImageDataSet) {
    precondition(
      pixels.count == other.pixels.count && labels.count == other.labels.count,
      "a set of other sizes")
    knownDigests = nil
    _ = pixels.mutableBytes.update(fromContentsOf: other.pixels.bytes)
    _ = labels.mutableBytes.update(fromContentsOf: other.labels.bytes)
  }
}

extension ImageDataSet {
  /// Which data these are; hashes the content if it was written to since it was last asked.
  public var identity: Identity { publishedPart == .training ? .fashionMNIST : .unknown }

  /// SHA-256 over the digests of both IDX files.
  ///
  /// A set received from another rank has the digest of the files it came from.
  public var digest: ContentDigest {
    let known = digests()
    var hasher = ContentDigest.Hasher()
    hasher.update(known.images.hex + known.labels.hex)
    return hasher.finish()
  }

  /// 16 hexadecimal digits that stand for the content, for logs.
  public var shortDigest: String { digest.short }

  /// Names of labels 0 to 9 if this is FashionMNIST, its training or its test set.
  public var classNames: [String]? {
    publishedPart == nil ? nil : PublishedFashionMNIST.classNames
  }

  /// Distinct labels that occur.
  public var classCount: Int { imageCountsByLabel.count { $0 > 0 } }

  /// Images of each label `[256]`.
  public var imageCountsByLabel: [Int] {
    var counts = [Int](repeating: 0, count: 256)
    for label in labels.bytes { counts[Int(label)] += 1 }
    return counts
  }

  private var publishedPart: PublishedFashionMNIST.Part? {
    let known = digests()
    return PublishedFashionMNIST.part(images: known.images, labels: known.labels)
  }

  private func digests() -> Digests {
    if let knownDigests { return knownDigests }
    let found = Digests(
      images: Self.digest(of: pixels, under: headers.images),
      labels: Self.digest(of: labels, under: headers.labels))
    knownDigests = found
    return found
  }

  private static func digest(of storage: ByteStorage, under header: IDXHeader) -> ContentDigest {
    var hasher = ContentDigest.Hasher()
    header.encoded.withUnsafeBytes { hasher.update($0) }
    hasher.update(UnsafeRawBufferPointer(storage.bytes))
    return hasher.finish()
  }
}
