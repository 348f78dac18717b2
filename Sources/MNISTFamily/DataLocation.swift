import Files
import Glibc

/// Where the data are looked for.
public enum DataLocation {
  /// The environment variable that names the folder.
  public static let environmentVariable = "GAN_DIST_DATA"
  /// The folder tried under the working directory.
  public static let localFolder = "data/fashion-mnist"
  /// The folder of Debian's package dataset-fashion-mnist.
  public static let systemFolder = "/usr/share/datasets/fashion-mnist"

  /// Finds the data for this process, with its environment.
  /// - Throws: `DataSetError.missing` if there are none, which lists where they were looked for;
  ///   `.misnamed` if the environment names them by bytes that are no text.
  public static func resolve(explicitFolder: String?) throws(DataSetError) -> DataFolder {
    try resolve(
      explicitFolder: explicitFolder,
      namedFolder: explicitFolder == nil ? folderOfEnvironment() : nil)
  }

  /// Finds the data in the folder named, else that of the environment, else in the usual places.
  ///
  /// A folder that is named must have the data; a usual place that has no file of them is passed.
  /// Relative folders stay relative: the system knows where it is, also where no text can say so.
  /// - Throws: `DataSetError.missing` if there are none, which lists where they were looked for.
  public static func resolve(
    explicitFolder: String?, namedFolder: String?, localFolder: String = Self.localFolder,
    systemFolder: String = Self.systemFolder
  ) throws(DataSetError) -> DataFolder {
    if let explicitFolder {
      guard !explicitFolder.isEmpty else {
        throw DataSetError(
          kind: .misnamed, path: "", message: "--data needs the name of a folder")
      }
      return try DataFolder(path: explicitFolder)
    }
    if let namedFolder, !namedFolder.isEmpty {
      do {
        return try DataFolder(path: namedFolder)
      } catch {
        throw DataSetError(
          kind: error.kind, path: error.path,
          message: "\(error.message). (\(environmentVariable) names this folder)")
      }
    }
    let places = [localFolder, systemFolder]
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

  private static func folderOfEnvironment() throws(DataSetError) -> String? {
    guard let bytes = getenv(environmentVariable) else { return nil }
    guard let folder = String(validatingCString: bytes) else {
      let shown = String(
        escapingForTerminal: UnsafeRawBufferPointer(start: bytes, count: strlen(bytes)))
      throw DataSetError(
        kind: .misnamed, path: "",
        message: """
          the environment variable \(environmentVariable) is not UTF-8: \(shown). \
          Name the folder in UTF-8, or go there and name it by a relative path
          """)
    }
    return folder
  }
}
