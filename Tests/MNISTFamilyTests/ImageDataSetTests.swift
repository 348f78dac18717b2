import MNISTFamily
import Testing

@Suite struct ImageDataSetTests {
  private func read(_ set: MadeUpSet, gzipped: Bool = false) throws -> ImageDataSet {
    let folder = try TemporaryFolder()
    try set.write(to: folder, gzipped: gzipped)
    return try DataFolder(path: folder.path).readTrainingSet()
  }

  @Test(arguments: [false, true])
  func roundTrip(gzipped: Bool) throws {
    let made = MadeUpSet()
    let set = try read(made, gzipped: gzipped)
    #expect((set.imageCount, set.imageHeight, set.imageWidth) == (4, 3, 5))
    #expect(set.pixelsPerImage == 15)
    #expect(set.withUnsafePixels { Array($0) } == made.pixels)
    #expect(set.withUnsafeLabels { Array($0) } == made.labels)
  }

  @Test func otherDataHaveNoClassNames() throws {
    let set = try read(MadeUpSet())
    #expect(set.identity == .unknown)
    #expect(set.classNames == nil)
    #expect(set.classCount == 3)
    #expect(set.imageCountsByLabel.prefix(4) == [2, 1, 1, 0])
  }

  @Test func madeEmptyItIsZero() throws {
    let set = try ImageDataSet(imageCount: 2, imageHeight: 3, imageWidth: 5)
    #expect(set.withUnsafePixels { Array($0) } == [UInt8](repeating: 0, count: 30))
    #expect(set.withUnsafeLabels { Array($0) } == [0, 0])
  }

  @Test func memoryStaysWhereItIs() throws {
    let set = try ImageDataSet(imageCount: 2, imageHeight: 3, imageWidth: 5)
    let written = set.withUnsafeMutablePixels { pixels in
      pixels[29] = 9
      return UnsafePointer(pixels.baseAddress)
    }
    #expect(set.withUnsafePixels { $0.baseAddress } == written)
    #expect(set.withUnsafePixels { $0[29] } == 9)
  }

  /// Memory that somebody else has: used where it is, kept, and not freed by the set.
  @Test func pixelsMayBeInAnothersMemory() throws {
    final class Owner {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 60, alignment: 64)
      deinit { memory.deallocate() }
    }
    let made = MadeUpSet()
    weak var owner: Owner?
    func lend() throws -> ImageDataSet {
      let lender = Owner()
      lender.memory.copyBytes(from: made.pixels)
      owner = lender
      return try ImageDataSet(
        imageCount: 4, imageHeight: 3, imageWidth: 5, pixels: lender.memory, of: lender)
    }
    var set: ImageDataSet? = try lend()
    #expect(owner != nil)
    set?.withUnsafeMutableLabels { _ = $0.update(fromContentsOf: made.labels) }
    #expect(try set?.digest == read(made).digest)
    set?.withUnsafeMutablePixels { $0[59] = 1 }
    #expect(owner?.memory[59] == 1)
    set = nil
    #expect(owner == nil)
  }

  @Test func receivedSetHasTheDigestOfItsFiles() throws {
    let made = MadeUpSet()
    let sent = try read(made)
    let received = try ImageDataSet(imageCount: 4, imageHeight: 3, imageWidth: 5)
    #expect(received.digest != sent.digest)
    received.withUnsafeMutablePixels { _ = $0.update(fromContentsOf: made.pixels) }
    #expect(received.digest != sent.digest)
    received.withUnsafeMutableLabels { _ = $0.update(fromContentsOf: made.labels) }
    #expect(received.digest == sent.digest)
  }

  @Test func copiedSetHasTheDigestOfItsOriginal() throws {
    let original = try read(MadeUpSet())
    let copy = try ImageDataSet(imageCount: 4, imageHeight: 3, imageWidth: 5)
    #expect(copy.digest != original.digest)
    copy.copyContent(of: original)
    #expect(copy.digest == original.digest)
  }

  @Test func digestTellsSetsApart() throws {
    let digests = try [
      MadeUpSet(), MadeUpSet(firstPixel: 8), MadeUpSet(count: 5), MadeUpSet(height: 5, width: 3),
    ].map { try read($0).shortDigest }
    #expect(Set(digests).count == 4)
    #expect(digests.allSatisfy { $0.count == 16 })
  }

  @Test func digestIsTheSameGzipped() throws {
    #expect(try read(MadeUpSet()).digest == read(MadeUpSet(), gzipped: true).digest)
  }

  @Test(arguments: [
    (0, 3, 5), (2, 0, 5), (2, 3, 0), (-1, 3, 5), (1 << 40, 3, 5), (1 << 31, 1 << 31, 1 << 31),
  ])
  func impossibleSizesAreBroken(count: Int, height: Int, width: Int) {
    let error = #expect(throws: DataSetError.self) {
      _ = try ImageDataSet(imageCount: count, imageHeight: height, imageWidth: width)
    }
    #expect(error?.kind == .broken)
  }

  @Test func pairTheWrongWayRoundIsBroken() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(MadeUpSet().labelsFile, to: "a")
    #expect(throws: DataSetError.self) {
      _ = try ImageDataSet(
        images: try IDXFile(path: path, expecting: .labels),
        labels: try IDXFile(path: path, expecting: .labels))
    }
  }
}
