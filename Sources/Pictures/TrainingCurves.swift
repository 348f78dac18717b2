import Texts

/// The picture of a training: the losses on the left, the discriminator's predictions beside them, and on the right how
/// far the images are from real ones, if that was looked at.
///
/// Each array has one value per epoch; a value that is not finite leaves a gap in its curve.
public struct TrainingCurves: Sendable {
  /// The size of the picture in pixels.
  static let size = (width: 1280, height: 520)
  /// With the third panel.
  static let broadWidth = 1920
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
  /// `[epochs]`, the Fréchet classifier distance; NaN where it was not looked at. Empty for no third panel.
  public var distance: [Double] = []
  /// The distance of real images.
  public var floor = 0.0
  /// D's probability and loss where G's images are as good as real ones.
  public var ideal = (probability: 0.5, discriminatorLoss: 1.3863)

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

  /// Draws the panels and writes them as a PNG that appears whole or not at all.
  ///
  /// - Parameter path: The file to write; an older one is replaced.
  /// - Throws: `PictureError` if the picture cannot be drawn or written.
  public func write(to path: String) throws(PictureError) {
    let panels = [lossPanel, predictionPanel] + (distance.isEmpty ? [] : [distancePanel])
    let width = panels.count == 2 ? Self.size.width : Self.broadWidth
    let canvas = try Canvas(path: path, width: width, height: Self.size.height)
    let count = Double(panels.count)
    let room = (Double(width) - 2 * Self.margin - (count - 1) * Self.between) / count
    for (index, panel) in panels.enumerated() {
      let left = Self.margin + Double(index) * (room + Self.between)
      panel.draw(
        on: canvas,
        in: Rectangle(
          left: left, top: Self.margin, right: left + room,
          bottom: Double(Self.size.height) - Self.margin))
    }
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
      reference: CurvePanel.Reference(
        name: "ideal D (\(ideal.discriminatorLoss.fixed(3)))", value: ideal.discriminatorLoss),
      valueRange: AxisRange(around: discriminatorLoss + generatorLoss + [ideal.discriminatorLoss]))
  }

  private var distancePanel: CurvePanel {
    CurvePanel(
      title: "Distance from Test Images", valueLabel: "fcd", firstEpoch: firstEpoch,
      curves: [
        CurvePanel.Curve(
          name: "fcd", values: distance, colour: .blue, marker: .disc, bridgesGaps: true)
      ],
      reference: CurvePanel.Reference(name: "floor (\(floor.fixed(2)))", value: floor),
      valueRange: AxisRange(around: distance + [0, floor]))
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
      reference: CurvePanel.Reference(
        name: "ideal (\(ideal.probability.fixed(2)))", value: ideal.probability),
      // All of 0 ... 1 whatever the values, so that pictures of different trainings compare.
      valueRange: AxisRange(around: realProbability + fakeProbability + [0, 1]))
  }
}
