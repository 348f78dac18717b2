import GANTraining
import Texts
import Waiting

/// Says in the log when steps become far slower than they were, and when they are as before.
///
/// To be the last of all observers: the time that the others take is no step's.
package final class PaceReporter: TrainingObserver {
  private let log: RunLog
  private var pace = StepPace()

  /// - Parameter log: of the run.
  package init(log: RunLog) { self.log = log }

  package func stepDidEnd(_ progress: TrainingProgress) {
    switch pace.stepDidEnd(at: Spinning.monotonicTime()) {
    case .slow(let now, let best):
      log.logger.warning(
        """
        steps take \(now.fixed(1)) ms, and took \(best.fixed(1)) ms before: do other \
        programs use these processors?
        """)
    case .asBefore(let now):
      log.logger.notice("steps take \(now.fixed(1)) ms again")
    case nil: break
    }
  }

  package func epochDidEnd(_ record: EpochRecord, trainer: Trainer) { skip() }
  package func checkpointIsDue(_ trainer: Trainer) { skip() }

  /// What other observers have done until now is no part of a step.
  private func skip() { pace.stepBegins(at: Spinning.monotonicTime()) }
}
