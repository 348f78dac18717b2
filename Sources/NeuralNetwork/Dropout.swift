import Matrices
import Randomness

/// Inverted dropout in place: a unit is dropped with a probability, or multiplied by 1 / (1 - probability).
///
/// PyTorch's `nn.Dropout` in training mode (Srivastava et al., 2014). Each global sample has masks of its own, whoever
/// has its row; so only that worker keeps them.
public struct Dropout {
  public let probability: Double
  /// `[passes * rows, features]` of one worker: 0 or 1 / (1 - probability).
  public let multipliers: Matrix
  private let rows: Range<Int>

  /// - Parameters:
  ///   - rows: of a pass, those of the worker.
  ///   - workspace: of the worker.
  /// - Throws: `MemoryError`.
  public init(
    features: Int, passes: Int, rows: Range<Int>, probability: Double, in workspace: Workspace
  ) throws {
    (self.probability, self.rows) = (probability, rows)
    multipliers = try workspace.matrix(rows: passes * rows.count, columns: features)
  }

  private func ofPass(_ pass: Int) -> Matrix {
    multipliers.rows(pass * rows.count..<(pass + 1) * rows.count)
  }

  /// Draws the masks of a pass.
  public func draw(
    pass: Int, from random: RandomSource, stream: UInt32, in list: InstructionList
  ) {
    list.dropoutMultipliers(
      ofPass(pass), probability: probability, from: random, stream: stream,
      firstSample: rows.lowerBound)
  }

  /// value *= multipliers.
  public func forward(_ signal: Signal, in list: InstructionList) {
    for pass in 0..<signal.passes {
      list.multiply(signal.value(rows, ofPass: pass), by: ofPass(pass))
    }
  }

  /// gradient *= multipliers.
  public func backward(_ signal: Signal, in list: InstructionList) {
    for pass in signal.lastPasses {
      if let gradient = signal.gradient(rows, ofPass: pass) {
        list.multiply(gradient, by: ofPass(pass))
      }
    }
  }
}
