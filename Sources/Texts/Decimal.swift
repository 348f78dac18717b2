import Glibc

extension Double {
  /// The number with so many decimals, rounded as printf does, such as "-0.05".
  public func fixed(_ decimals: Int) -> String {
    var text = [CChar](repeating: 0, count: 400)
    let length = withVaList([Int32(decimals), self]) { vsnprintf(&text, text.count, "%.*f", $0) }
    let digits = String(
      decoding: text.prefix(Int(max(length, 0))).map(UInt8.init(bitPattern:)), as: UTF8.self)
    // What rounds to zero has no sign.
    return digits.hasPrefix("-") && !digits.contains { ("1"..."9").contains($0) || $0.isLetter }
      ? String(digits.dropFirst()) : digits
  }
}
