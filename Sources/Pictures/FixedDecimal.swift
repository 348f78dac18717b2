import Glibc

/// A number with a fixed count of decimals and a point, whatever the locale.
func fixedDecimal(_ value: Double, places: Int) -> String {
  let places = max(0, places)
  let scaled = (value * pow(10, Double(places))).rounded()
  // Beyond this a Double has no exact digits left to show.
  guard scaled.magnitude < 9e15 else { return "\(value)" }
  let digits = String(Int(scaled.magnitude))
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  let sign = scaled < 0 ? "-" : ""
  guard places > 0 else { return sign + padded }
  return sign + padded.dropLast(places) + "." + padded.suffix(places)
}
