import Glibc

/// The wall clock as text.
enum LocalTime {
  /// Now, by strftime(3)'s format; without one such as "2026-03-01T12:30:05+0900".
  static func now(format: String = "%Y-%m-%dT%H:%M:%S%z") -> String {
    var seconds = time(nil)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 64)
    let length = strftime(&text, text.count, format, &parts)
    return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
