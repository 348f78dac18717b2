import MNISTFamily
import Testing

/// All four places have data; those of lower rank must not be taken.
@Suite struct DataLocationTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for place in ["explicit", "named", "home/data/fashion-mnist", "system"] {
      try MadeUpSet().write(to: folder, under: place)
    }
  }

  /// The place found, relative to the temporary folder.
  private func resolve(
    explicit: String? = nil, named: String? = nil, working: String = "/home",
    system: String = "/system"
  ) throws(DataSetError) -> String {
    let found = try DataLocation.resolve(
      explicitFolder: explicit, namedFolder: named,
      localFolder: folder.path + working + "/" + DataLocation.localFolder,
      systemFolder: folder.path + system)
    return String(found.path.dropFirst(folder.path.count))
  }

  @Test func explicitFolderComesFirst() throws {
    let found = try resolve(explicit: folder.path + "/explicit", named: folder.path + "/named")
    #expect(found == "/explicit")
  }

  @Test func environmentComesSecond() throws {
    #expect(try resolve(named: folder.path + "/named") == "/named")
  }

  @Test func workingDirectoryComesThird() throws {
    #expect(try resolve() == "/home/data/fashion-mnist")
  }

  @Test func systemFolderComesLast() throws {
    #expect(try resolve(working: "/elsewhere") == "/system")
  }

  @Test func localFolderWithoutFilesIsPassed() throws {
    _ = try folder.entry("bare/data/fashion-mnist/inside")
    #expect(try resolve(working: "/bare") == "/system")
  }

  @Test func localFolderWithHalfTheFilesIsAnError() throws {
    try folder.write(MadeUpSet().imagesFile, to: "half/data/fashion-mnist/train-images-idx3-ubyte")
    let error = #expect(throws: DataSetError.self) { _ = try resolve(working: "/half") }
    #expect(error?.path == folder.path + "/half/data/fashion-mnist")
  }

  @Test func emptyVariableIsAsUnset() throws {
    #expect(try resolve(named: "") == "/home/data/fashion-mnist")
  }

  @Test func explicitFolderMustHaveTheData() throws {
    let path = folder.path + "/none"
    let error = #expect(throws: DataSetError.self) { _ = try resolve(explicit: path) }
    #expect(error?.kind == .missing)
    #expect(error?.path == path)
  }

  @Test func folderOfTheEnvironmentMustHaveTheData() throws {
    let path = folder.path + "/none"
    let error = #expect(throws: DataSetError.self) { _ = try resolve(named: path) }
    #expect(error?.path == path)
    #expect(error?.message.contains("GAN_DIST_DATA") == true)
  }

  @Test func withoutDataThePlacesAreListed() throws {
    let error = #expect(throws: DataSetError.self) {
      _ = try resolve(working: "/elsewhere", system: "/nosystem")
    }
    #expect(error?.kind == .missing)
    for text in [
      "--data", "GAN_DIST_DATA", folder.path + "/elsewhere/data/fashion-mnist",
      folder.path + "/nosystem", "apt-get install dataset-fashion-mnist", "./launch/fetch-data",
    ] {
      #expect(error?.description.contains(text) == true, "\(text)")
    }
  }

  @Test func processResolvesAnExplicitFolder() throws {
    let path = folder.path + "/explicit"
    #expect(try DataLocation.resolve(explicitFolder: path).path == path)
  }

  @Test func anEmptyNameIsRefused() {
    let error = #expect(throws: DataSetError.self) {
      _ = try DataLocation.resolve(explicitFolder: "", namedFolder: nil)
    }
    #expect(error?.kind == .misnamed)
  }

  /// The folder is opened as it was named: the system joins paths, no text does.
  @Test func relativeFoldersStayRelative() throws {
    let depth = String(repeating: "../", count: 64)
    let relative = String(depth.dropLast()) + folder.path + "/explicit"
    #expect(
      try DataLocation.resolve(explicitFolder: relative, namedFolder: nil).path == relative)
  }
}
