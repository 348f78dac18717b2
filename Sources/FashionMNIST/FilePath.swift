/// Paths put together.
enum FilePath {
  /// `path` as seen from `folder`; an absolute path stays as it is, an empty one is the folder.
  static func join(_ folder: String, _ path: String) -> String {
    if path.hasPrefix("/") || folder.isEmpty { return path }
    if path.isEmpty { return folder }
    return folder.hasSuffix("/") ? folder + path : folder + "/" + path
  }
}
