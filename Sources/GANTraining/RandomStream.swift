/// The streams of random numbers, as the page *Randomness* lists them.
public enum RandomStream {
  public static let generatorWeights: UInt32 = 0x00
  public static let discriminatorWeights: UInt32 = 0x01
  public static let shuffle: UInt32 = 0x02
  public static let noiseOfDiscriminatorStep: UInt32 = 0x10
  public static let noiseOfGeneratorStep: UInt32 = 0x11
  /// The first dropout layer of D(real); the next layers follow.
  public static let dropoutOfReal: UInt32 = 0x20
  /// The first dropout layer of D(G(z)) in the discriminator step.
  public static let dropoutOfFake: UInt32 = 0x28
  /// The first dropout layer of D(G(z)) in the generator step.
  public static let dropoutOfGeneratorStep: UInt32 = 0x30
  public static let sampleGrid: UInt32 = 0x40
  public static let interpolation: UInt32 = 0x41
  public static let untrainedSamples: UInt32 = 0x42
  public static let generate: UInt32 = 0x43
  public static let evaluation: UInt32 = 0x44
}
