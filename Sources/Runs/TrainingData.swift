import GANTraining
import Glibc
import MNISTFamily

/// The data set that rank 0 reads for a run.
package struct TrainingData {
  package let set: ImageDataSet
  /// The folder that it was found in.
  package let folder: String
  /// What the log is to say, once there is one.
  let warnings: [String]

  private init(_ set: ImageDataSet, folder: String, warnings: [String]) {
    (self.set, self.folder, self.warnings) = (set, folder, warnings)
  }

  /// Reads the data of a folder, or those that a process without options finds.
  /// - Parameter explicitFolder: that of `--data`.
  /// - Throws: `DataSetError`.
  package init(explicitFolder: String?) throws {
    let folder = try DataLocation.resolve(explicitFolder: explicitFolder)
    self.init(try folder.readTrainingSet(), folder: folder.path, warnings: [])
  }

  /// Reads the data of a folder, or those that a run was begun with: where they were, else in the
  /// usual places.
  /// - Parameters:
  ///   - explicitFolder: that of `--data`.
  ///   - begun: what a resumed run was set to.
  /// - Throws: `DataSetError`.
  package init(explicitFolder: String?, resuming begun: RunConfiguration?) throws {
    guard explicitFolder == nil, let begun, let remembered = begun.dataFolder else {
      try self.init(explicitFolder: explicitFolder)
      return
    }
    let problem: DataSetError
    do {
      let data = try TrainingData(explicitFolder: remembered)
      if data.set.digest.hex == begun.dataDigest {
        self = data
        return
      }
      problem = DataSetError(
        kind: .missing, path: remembered, message: "holds another data set now")
    } catch let error as DataSetError {
      problem = error
    }
    if let usual = try? TrainingData(explicitFolder: nil), usual.set.digest.hex == begun.dataDigest
    {
      self.init(
        usual.set, folder: usual.folder,
        warnings: [
          "\(problem). The same data are in \(usual.folder): the run goes on with them"
        ])
      return
    }
    throw DataSetError(
      kind: problem.kind, path: problem.path,
      message: """
        \(problem.message). (The run was begun with the data of this folder, and the usual places do not \
        have them; name another with --data)
        """)
  }

  /// The test images of the same folder.
  /// - Throws: `DataSetError`, also if there are none.
  package func test() throws -> TrainingData {
    try Self.test(in: folder, matching: set)
  }

  /// The test images of a folder.
  /// - Throws: `DataSetError`, also if there are none.
  package static func test(
    in folder: String, matching set: ImageDataSet
  ) throws -> TrainingData {
    guard let test = try DataFolder(path: folder).readTestSet(matching: set) else {
      throw DataSetError(
        kind: .missing, path: folder,
        message: """
          has no test images: images are compared with those that G has never seen \
          (t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte)
          """)
    }
    return TrainingData(test, folder: folder, warnings: [])
  }

  /// The folder as it can be found again from anywhere; nil if its name is no text.
  var lastingFolder: String? {
    guard let real = realpath(folder, nil) else { return folder }
    defer { free(real) }
    return String(validatingCString: real)
  }
}
