import Collectives
import MNISTFamily
import Matrices
import NeuralNetwork
import TestSupport
import Testing

@testable import GANTraining

/// States that training cannot go on from are found, by all ranks together.
@Suite struct FailureDetectionTests {
  private static func trainer(
    _ collective: any Collective, _ change: (inout TrainingSettings) -> Void = { _ in }
  ) throws -> Trainer {
    let set = try ImageDataSet(imageCount: 32, imageHeight: 6, imageWidth: 5)
    set.withUnsafeMutablePixels { pixels in
      for index in pixels.indices { pixels[index] = UInt8(truncatingIfNeeded: index * 7) }
    }
    var settings = TrainingSettings()
    settings.globalBatchSize = 8
    settings.epochs = 4
    change(&settings)
    return try Trainer(set, settings: settings, collective: collective)
  }

  /// Flips one bit of one tensor after an epoch, on one rank; not the lowest, which rounding may take away again.
  private struct Saboteur: TrainingObserver {
    let isActive: Bool
    let tensor: String

    func epochDidEnd(_ record: EpochRecord, trainer: Trainer) {
      guard isActive, record.epoch == 2,
        let target = trainer.state.tensors.first(where: { $0.name == tensor })
      else { return }
      target.values[3] = Float(bitPattern: target.values[3].bitPattern ^ 0x1000)
    }
  }

  @Test(
    arguments: [
      "generator.0.weight", "discriminator.3.bias", "generator.4.running_var",
      "optimizer_d.exp_avg_sq.6.weight",
    ], [1, 2])
  func aFlippedBitIsFoundAndNamed(tensor: String, rank: Int) {
    let errors = ThreadTeam.run(hosts: [[0], [1], [2]]) { collective in
      do {
        _ = try Self.trainer(collective).run(
          observer: Saboteur(isActive: collective.rank == rank, tensor: tensor))
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(Set(errors).count == 1)
    // It was right after 8 steps of 2 epochs; by the next check it has spread from parameters to all that follow from
    // them.
    #expect(errors[0].hasPrefix("rank \(rank) holds other bits"), "\(errors[0])")
    #expect(errors[0].contains("seen after step 12; after step 8 all agreed"), "\(errors[0])")
  }

  @Test func theOddOneOutIsTheMinority() {
    #expect(DriftSentinel.oddOneOut([5, 5, 5]) == nil)
    #expect(DriftSentinel.oddOneOut([5, 5, 7]) == 2)
    #expect(DriftSentinel.oddOneOut([7, 5, 5]) == 0)
    #expect(DriftSentinel.oddOneOut([5, 7]) == 1)
    #expect(DriftSentinel.oddOneOut([1]) == nil)
  }

  @Test(arguments: [1, 2])
  func nanStopsAllRanks(rankCount: Int) {
    let errors = ThreadTeam.run(rankCount: rankCount) { collective in
      do {
        _ = try Self.trainer(collective) { $0.adam.learningRate = 1e30 }.run(observer: NoObserver())
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(Set(errors).count == 1)
    #expect(errors[0].hasPrefix("NaN or infinity in "), "\(errors[0])")
    #expect(errors[0].contains("step 1."), "\(errors[0])")
  }

  /// The place that is named is the one where it began.
  @Test func theFirstPlaceOfNaNIsNamed() throws {
    struct Poisoner: TrainingObserver {
      func stepDidEnd(_ progress: TrainingProgress) throws {}
      func trainingWillBegin(_ trainer: Trainer) {
        // An infinite weight in D's last layer makes its loss infinite or no number.
        let tensor = trainer.state.tensors.first { $0.name == "discriminator.6.weight" }
        tensor?.values[0] = .infinity
      }
    }
    let error = try #require(throws: TrainingFailure.self) {
      _ = try Self.trainer(SoloCollective()).run(observer: Poisoner())
    }
    #expect("\(error)".hasPrefix("NaN or infinity in D's loss, step 1"))
  }

  @Test func whenRankZeroCannotSaveAllRanksStop() {
    struct FullDisk: Error {}
    struct Saver: TrainingObserver {
      let isRoot: Bool
      func checkpointIsDue(_ trainer: Trainer) throws { if isRoot { throw FullDisk() } }
    }
    let errors = ThreadTeam.run(rankCount: 3) { collective in
      do {
        _ = try Self.trainer(collective).run(observer: Saver(isRoot: collective.rank == 0))
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(errors[0].hasPrefix("FullDisk"))
    #expect(errors[1] == "rank 0 failed" && errors[2] == "rank 0 failed")
  }

  /// One rank is asked to stop; all stop after the same step.
  @Test func ranksAgreeOnWhenToStop() {
    let endings = ThreadTeam.run(rankCount: 3) { collective in
      var looks = 0
      let trainer = try Self.trainer(collective)
      let ending = try trainer.run(observer: NoObserver()) {
        looks += 1
        return collective.rank == 1 && looks == 6
      }
      return (ending, trainer.state.step)
    }
    #expect(endings.allSatisfy { $0.0 == .stopped && $0.1 == 6 })
  }
}
