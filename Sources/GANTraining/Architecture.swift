/// The sizes of both networks.
public struct Architecture: Equatable, Sendable, Codable {
  /// Features of the noise z.
  public var noiseSize = 64
  /// Units of G's hidden layers, from the noise to the image.
  public var generatorHiddenSizes = [128, 256, 512]
  /// Units of D's hidden layers, from the image to the logit.
  public var discriminatorHiddenSizes = [512, 256]
  /// Pixels of an image.
  public var imageSize: Int
  /// LeakyReLU's slope for negative inputs.
  public var leakyReLUSlope: Float = 0.2

  public init(imageSize: Int) { self.imageSize = imageSize }
}
