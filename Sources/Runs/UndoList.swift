import Glibc

/// What a start has changed on the disk, so that it can be taken back if the start is refused after
/// all.
final class UndoList {
  private var steps: [() -> Void] = []

  /// Notes how to take back what was just done.
  func add(_ step: @escaping () -> Void) { steps.append(step) }

  /// Renames a file or folder.
  /// - Throws: `RunFolderError`.
  func rename(_ old: String, to new: String) throws {
    guard Glibc.rename(old, new) == 0 else { throw RunFolderError(path: old) }
    add { _ = Glibc.rename(new, old) }
  }

  /// Takes everything back, the last thing first. What cannot be taken back stays: there is nobody
  /// to help.
  func run() {
    for step in steps.reversed() { step() }
    steps = []
  }
}
