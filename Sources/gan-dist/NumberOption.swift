import ArgumentParser

/// An option whose value is a number of a range: how its text is read, and what is said of any other.
///
/// Values that begin with a minus are values, so options take them with `parsing: .unconditional`.
struct NumberOption<Number: Comparable & Sendable>: Sendable {
  /// Such as "--epochs".
  let name: String
  /// What the value must be, such as "must be at least 0".
  let demand: String
  private let read: @Sendable (String) -> Number?
  private let isAllowed: @Sendable (Number) -> Bool

  /// The number that a text is.
  /// - Throws: `ValidationError` that says what it must be.
  func parse(_ text: String) throws -> Number {
    guard let number = read(text), isAllowed(number) else {
      // What it is instead, the parser says itself.
      throw ValidationError("\(name) \(demand).")
    }
    return number
  }
}

extension NumberOption where Number: FixedWidthInteger {
  /// Whole numbers in decimal digits, without an upper limit if that of the range is the type's.
  /// - Parameter note: why, where that is not plain.
  static func whole(
    _ name: String, _ range: ClosedRange<Number>, note: String = ""
  ) -> NumberOption {
    let reason = note.isEmpty ? "" : " (\(note))"
    let bits = Number.bitWidth - (Number.isSigned ? 1 : 0)
    return NumberOption(
      name: name,
      demand: range.upperBound == Number.max
        ? "must be at least \(range.lowerBound)\(reason), a whole number below 2^\(bits)"
        : "must be from \(range.lowerBound) to \(range.upperBound)\(reason), a whole number",
      read: { text in
        // Swift would take "+5", which no option means.
        text.hasPrefix("+") ? nil : Number(text)
      }, isAllowed: range.contains)
  }
}

extension NumberOption<Double> {
  /// Decimal numbers.
  /// - Parameter demand: what they must be, such as "must be a positive number".
  static func decimal(
    _ name: String, _ demand: String, _ isAllowed: @escaping @Sendable (Double) -> Bool
  ) -> NumberOption {
    NumberOption(
      name: name, demand: demand,
      read: { text in
        // Swift would also take hexadecimal numbers, "inf" and "nan".
        text.allSatisfy("0123456789.eE-+".contains) && !text.hasPrefix("+") ? Double(text) : nil
      }, isAllowed: { $0.isFinite && isAllowed($0) })
  }

  /// A share: from 0, below 1.
  static func share(_ name: String) -> NumberOption {
    decimal(name, "must be in 0 ..< 1") { (0..<1).contains($0) }
  }
}
