/// The picture of a training: the losses on the left, the discriminator's predictions on the right.
///
/// Each array has one value per epoch; a value that is not finite leaves a gap in its curve.
public struct TrainingCurves: Sendable {
  /// The size of the picture in pixels.
  static let size = (width: 1280, height: 520)
  private static let margin = 16.0
  private static let between = 28.0

  /// The number of the first value's epoch, where the x axis begins.
  public var firstEpoch: Int
  /// `[epochs]`, the discriminator's mean loss.
  public var discriminatorLoss: [Double]
  /// `[epochs]`, the generator's mean loss.
  public var generatorLoss: [Double]
  /// `[epochs]`, the discriminator's mean probability that a real image is real.
  public var realProbability: [Double]
  /// `[epochs]`, the discriminator's mean probability that a generated image is real.
  public var fakeProbability: [Double]

  /// The curves so far; without values the picture has empty axes.
  public init(
    firstEpoch: Int = 1, discriminatorLoss: [Double] = [], generatorLoss: [Double] = [],
    realProbability: [Double] = [], fakeProbability: [Double] = []
  ) {
    self.firstEpoch = firstEpoch
    self.discriminatorLoss = discriminatorLoss
    self.generatorLoss = generatorLoss
    self.realProbability = realProbability
    self.fakeProbability = fakeProbability
  }

  /// Draws both panels and writes them as a PNG that appears whole or not at all.
  ///
  /// - Parameter path: The file to write; an older one is replaced.
  /// - Throws: `PictureError` if the picture cannot be drawn or written.
  public func write(to path: String) throws(PictureError) {
    let canvas = try Canvas(path: path, width: Self.size.width, height: Self.size.height)
    let width = Double(Self.size.width)
    let top = Self.margin
    let bottom = Double(Self.size.height) - Self.margin
    lossPanel.draw(
      on: canvas,
      in: Rectangle(
        left: Self.margin, top: top, right: (width - Self.between) / 2, bottom: bottom))
    predictionPanel.draw(
      on: canvas,
      in: Rectangle(
        left: (width + Self.between) / 2, top: top, right: width - Self.margin, bottom: bottom))
    try canvas.save()
  }

  private var lossPanel: CurvePanel {
    CurvePanel(
      title: "Loss Curves", valueLabel: "Loss", firstEpoch: firstEpoch,
      curves: [
        CurvePanel.Curve(
          name: "Discriminator loss", values: discriminatorLoss, colour: .blue, marker: .disc),
        CurvePanel.Curve(
          name: "Generator loss", values: generatorLoss, colour: .vermillion, marker: .square),
      ],
      valueRange: AxisRange(around: discriminatorLoss + generatorLoss))
  }

  private var predictionPanel: CurvePanel {
    CurvePanel(
      title: "Discriminator Predictions", valueLabel: "Probability", firstEpoch: firstEpoch,
      curves: [
        CurvePanel.Curve(
          name: "p_real", values: realProbability, colour: .bluishGreen, marker: .disc),
        CurvePanel.Curve(
          name: "p_fake", values: fakeProbability, colour: .reddishPurple, marker: .square),
      ],
      reference: CurvePanel.Reference(name: "ideal (0.5)", value: 0.5),
      // All of 0 ... 1 whatever the values, so that pictures of different trainings compare.
      valueRange: AxisRange(around: realProbability + fakeProbability + [0, 1]))
  }
}
