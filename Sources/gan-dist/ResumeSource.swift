import ArgumentParser

/// Where a run goes on from: `--resume latest` or `--resume PATH`.
enum ResumeSource: ExpressibleByArgument, Equatable {
  /// The newest whole checkpoint of the run folder.
  case latest
  case file(String)

  init?(argument: String) {
    if argument.isEmpty { return nil }
    self = argument == "latest" ? .latest : .file(argument)
  }

  /// The folder of the run that a checkpoint's path is in: the one above `checkpoints/`.
  var runFolder: String? {
    guard case .file(let path) = self else { return nil }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[parts.count - 2] == "checkpoints" else { return nil }
    return parts.dropLast(2).joined(separator: "/")
  }
}
