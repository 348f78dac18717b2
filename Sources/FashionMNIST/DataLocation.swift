import Glibc

/// Where the data are looked for.
public enum DataLocation {
  /// The environment variable that names the folder.
  public static let environmentVariable = "GAN_DIST_DATA"
  /// The folder tried under the working directory.
  public static let localFolder = "data/fashion-mnist"
  /// The folder of Debian's package dataset-fashion-mnist.
  public static let systemFolder = "/usr/share/datasets/fashion-mnist"

  /// Finds the data for this process: its environment and its working directory.
  /// - Throws: `DataSetError.missing` if there are none, which lists where they were looked for.
  public static func resolve(explicitFolder: String?) throws(DataSetError) -> DataFolder {
    var environment: [String: String] = [:]
    if let value = getenv(environmentVariable) {
      environment[environmentVariable] = String(cString: value)
    }
    let current = getcwd(nil, 0)
    defer { free(current) }
    return try resolve(
      explicitFolder: explicitFolder, environment: environment,
      workingDirectory: current.map { String(cString: $0) } ?? ".")
  }

  /// Finds the data in the folder named, else that of the environment, else in the usual places.
  ///
  /// A folder that is named must have the data; a usual place that has no file of them is passed.
  /// - Throws: `DataSetError.missing` if there are none, which lists where they were looked for.
  public static func resolve(
    explicitFolder: String?, environment: [String: String], workingDirectory: String,
    systemFolder: String = Self.systemFolder
  ) throws(DataSetError) -> DataFolder {
    if let explicitFolder {
      return try DataFolder(path: FilePath.join(workingDirectory, explicitFolder))
    }
    if let named = environment[environmentVariable], !named.isEmpty {
      do {
        return try DataFolder(path: FilePath.join(workingDirectory, named))
      } catch {
        throw DataSetError(
          kind: error.kind, path: error.path,
          message: "\(error.message). (\(environmentVariable) names this folder)")
      }
    }
    let places = [FilePath.join(workingDirectory, localFolder), systemFolder]
    for place in places where DataFolder.hasAnyFile(under: place) {
      return try DataFolder(path: place)
    }
    throw DataSetError(
      kind: .missing, path: "",
      message: """
        no data set found. Looked at: --data (not given), \
        \(environmentVariable) (not set), \(places.joined(separator: ", ")). \
        To get the data: \(DataSetError.waysToGetTheData)
        """)
  }
}
