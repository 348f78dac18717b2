import ArgumentParser
import Files
import Glibc

/// The arguments as the system gives them: bytes that need not be text.
enum ArgumentBytes {
  /// Sees that all arguments are UTF-8, before anything reads them as text.
  ///
  /// Text in place of other bytes would be the name of another file.
  /// - Throws: `ValidationError` that shows the first argument that is not.
  static func demandText() throws {
    let arguments = UnsafeBufferPointer(
      start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    for (place, argument) in arguments.enumerated() {
      guard place > 0, let argument, String(validatingCString: argument) == nil else { continue }
      let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
      throw ValidationError(
        """
        Argument \(place) is not UTF-8: \(String(escapingForTerminal: bytes)). \
        Use a file or folder whose name is UTF-8, or a link of such a name.
        """)
    }
  }
}
