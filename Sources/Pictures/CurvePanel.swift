import Texts

/// One panel of curves over epochs: title, legend, axes, grid and lines.
///
/// The legend is a row between title and plot, where it can never hide a curve.
struct CurvePanel {
  /// The shape of a point where points are drawn, so that curves differ without colour too.
  enum Marker {
    case disc, square
  }

  /// A curve: one value per epoch, gaps where a value is not finite.
  struct Curve {
    let name: String
    let values: [Double]
    let colour: Colour
    let marker: Marker
    /// Whether lines lead over gaps: for values that are taken in some epochs only, which are then marked.
    var bridgesGaps = false
  }

  /// A dashed horizontal line to compare with.
  struct Reference {
    let name: String
    let value: Double
  }

  static let titleFont = Canvas.Font(size: 20, bold: true)
  static let labelFont = Canvas.Font(size: 16)
  static let tickFont = Canvas.Font(size: 14)

  /// Up to this many epochs each one is marked; more marks would run into each other.
  static let mostMarkedEpochs = 25
  private static let broad = 2.25
  private static let markerSize = 8.0
  private static let dashes = [8.0, 5.0]
  private static let gap = 8.0
  private static let legendSample = 30.0
  /// Between the frame and the first and last epoch, so that no mark is cut by the frame.
  private static let inset = 12.0

  let title: String
  let valueLabel: String
  let firstEpoch: Int
  let curves: [Curve]
  var reference: Reference?
  let valueRange: AxisRange

  private var epochCount: Int { curves.map(\.values.count).max() ?? 0 }

  /// Pixels. With about one pixel per epoch a broad line would become a band.
  private var curveWidth: Double { epochCount > 300 ? 1.25 : Self.broad }

  /// Draws the panel into a rectangle; nothing leaves it.
  func draw(on canvas: Canvas, in area: Rectangle) {
    let titleBaseline = area.top + Self.titleFont.size
    let legendMiddle = titleBaseline + Self.gap + Self.labelFont.size
    let epochLabelBaseline = area.bottom - 5
    let epochTickBaseline = epochLabelBaseline - Self.labelFont.size - Self.gap
    let plotTop = (legendMiddle + Self.labelFont.size / 2 + Self.gap).rounded() + 0.5
    let plotBottom =
      (epochTickBaseline - Self.tickFont.size - Self.gap / 2).rounded() + 0.5

    let valueTicks = AxisTicks(
      range: valueRange, maximumCount: max(2, Int((plotBottom - plotTop) / 45)))
    let widest = valueTicks.labels.map { canvas.width(of: $0, in: Self.tickFont) }.max() ?? 0
    // Half pixels: lines of one pixel fall on one row of pixels, not on two pale ones.
    let plot = Rectangle(
      left: (area.left + Self.labelFont.size + 2.5 * Self.gap + widest).rounded() + 0.5,
      top: plotTop, right: (area.right - Self.gap).rounded() - 0.5, bottom: plotBottom)
    let middle = (plot.left + plot.right) / 2

    canvas.draw(
      title, at: Point(x: middle, y: titleBaseline), in: Self.titleFont, alignment: .centre)
    drawLegend(on: canvas, centre: Point(x: middle, y: legendMiddle))
    drawValueTicks(valueTicks, on: canvas, plot: plot)
    drawEpochTicks(on: canvas, area: area, plot: plot, baseline: epochTickBaseline)
    canvas.draw(
      "Epoch", at: Point(x: middle, y: epochLabelBaseline), in: Self.labelFont, alignment: .centre)
    canvas.drawUpwards(
      valueLabel, at: Point(x: area.left + Self.labelFont.size, y: (plot.top + plot.bottom) / 2),
      in: Self.labelFont)
    canvas.stroke(plot, with: Canvas.Pen(colour: .frame))
    if let reference {
      let y = row(of: reference.value, in: plot)
      canvas.stroke(
        [Point(x: plot.left, y: y), Point(x: plot.right, y: y)], with: Self.referencePen)
    }
    for curve in curves { draw(curve, on: canvas, plot: plot) }
  }

  // MARK: Axes

  private func drawValueTicks(_ ticks: AxisTicks, on canvas: Canvas, plot: Rectangle) {
    let halfDigit = canvas.digitHeight(in: Self.tickFont) / 2
    for (value, label) in zip(ticks.values, ticks.labels) {
      let y = row(of: value, in: plot).rounded(.down) + 0.5
      canvas.stroke(
        [Point(x: plot.left, y: y), Point(x: plot.right, y: y)],
        with: Canvas.Pen(colour: .grid))
      canvas.draw(
        label, at: Point(x: plot.left - Self.gap, y: y + halfDigit), in: Self.tickFont,
        alignment: .trailing)
    }
  }

  private func drawEpochTicks(
    on canvas: Canvas, area: Rectangle, plot: Rectangle, baseline: Double
  ) {
    let first = Double(firstEpoch)
    let last = first + Double(max(epochCount, 1) - 1)
    // Two label widths for each tick: half a step is then still free of overlap.
    let labelWidth = canvas.width(of: last.fixed(0), in: Self.tickFont)
    let room = (plot.width - 2 * Self.inset) / max(2 * labelWidth, 1)
    let ticks = AxisTicks(
      firstEpoch: first, lastEpoch: last, maximumCount: Int(min(max(room, 2), 11)))
    for (value, label) in zip(ticks.values, ticks.labels) {
      let x = column(ofEpochAt: value - first, in: plot).rounded(.down) + 0.5
      canvas.stroke(
        [Point(x: x, y: plot.top), Point(x: x, y: plot.bottom)],
        with: Canvas.Pen(colour: .grid))
      // Only a very long number reaches the side; it then moves inwards.
      let halfWidth = canvas.width(of: label, in: Self.tickFont) / 2
      let middle = max(area.left + halfWidth, min(x, area.right - halfWidth))
      canvas.draw(
        label, at: Point(x: middle, y: baseline), in: Self.tickFont, alignment: .centre)
    }
  }

  /// The x of an epoch counted from the first one; a single epoch stands in the middle.
  private func column(ofEpochAt offset: Double, in plot: Rectangle) -> Double {
    guard epochCount > 1 else { return (plot.left + plot.right) / 2 }
    let share = offset / Double(epochCount - 1)
    return plot.left + Self.inset + share * (plot.width - 2 * Self.inset)
  }

  private func row(of value: Double, in plot: Rectangle) -> Double {
    plot.bottom - valueRange.share(of: value) * plot.height
  }

  // MARK: Curves

  private func draw(_ curve: Curve, on canvas: Canvas, plot: Rectangle) {
    let runs = Self.drawableRuns(of: curve.values)
    for run in curve.bridgesGaps ? [runs.flatMap { $0 }] : runs.map(Array.init) where !run.isEmpty {
      let points = run.map { index in
        Point(
          x: column(ofEpochAt: Double(index), in: plot), y: row(of: curve.values[index], in: plot))
      }
      canvas.stroke(points, with: Canvas.Pen(colour: curve.colour, width: curveWidth))
      // A value between two gaps has no line: without a mark it would vanish.
      if points.count <= Self.mostMarkedEpochs && curve.bridgesGaps
        || epochCount <= Self.mostMarkedEpochs || points.count == 1
      {
        for point in points { mark(point, of: curve, on: canvas) }
      }
    }
  }

  private func mark(_ point: Point, of curve: Curve, on canvas: Canvas) {
    switch curve.marker {
    case .disc:
      canvas.fillDisc(at: point, radius: Self.markerSize / 2, colour: curve.colour)
    case .square:
      canvas.fillSquare(at: point, side: Self.markerSize - 1, colour: curve.colour)
    }
  }

  /// The unbroken stretches of values that can be drawn, as indices.
  static func drawableRuns(of values: [Double]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for (index, value) in values.enumerated() where AxisRange.isDrawable(value) {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }

  // MARK: Legend

  private static var referencePen: Canvas.Pen {
    Canvas.Pen(colour: .reference, width: 1.75, dashes: dashes)
  }

  private func drawLegend(on canvas: Canvas, centre: Point) {
    let names = curves.map(\.name) + (reference.map { [$0.name] } ?? [])
    let widths = names.map { canvas.width(of: $0, in: Self.labelFont) }
    let sampleAndGap = Self.legendSample + Self.gap
    let between = 3 * Self.gap
    let total =
      widths.reduce(0) { $0 + $1 + sampleAndGap } + between * Double(max(names.count - 1, 0))
    let baseline = centre.y + canvas.digitHeight(in: Self.labelFont) / 2
    var left = centre.x - total / 2
    for (index, name) in names.enumerated() {
      let line = [Point(x: left, y: centre.y), Point(x: left + Self.legendSample, y: centre.y)]
      if index < curves.count {
        let curve = curves[index]
        canvas.stroke(line, with: Canvas.Pen(colour: curve.colour, width: Self.broad))
        if epochCount <= Self.mostMarkedEpochs {
          mark(Point(x: left + Self.legendSample / 2, y: centre.y), of: curve, on: canvas)
        }
      } else {
        canvas.stroke(line, with: Self.referencePen)
      }
      canvas.draw(name, at: Point(x: left + sampleAndGap, y: baseline), in: Self.labelFont)
      left += sampleAndGap + widths[index] + between
    }
  }
}
