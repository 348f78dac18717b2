import GANTraining
import Texts

/// Numbers as people read them, the same in every line of the program.
package enum Phrases {
  /// 60000 as "60,000".
  package static func count(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }

  /// 59999.7 as "59,999"; what no integer can hold as its nearest one, and "?" for no number.
  package static func count(_ number: Double) -> String {
    guard !number.isNaN else { return "?" }
    return count(Int(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max))
  }

  /// 1 as "1 rank", 4 as "4 ranks".
  package static func count(_ number: Int, _ noun: String) -> String {
    "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// 7 as "0007".
  package static func padded(_ number: Int, to width: Int, with character: Character) -> String {
    let digits = String(number)
    return String(repeating: character, count: max(0, width - digits.count)) + digits
  }

  /// Seconds as "0:42", "12:05" or "1:02:03".
  package static func duration(_ seconds: Double) -> String {
    guard seconds.magnitude < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    let shortSeconds = padded(rest, to: 2, with: "0")
    return hours > 0
      ? "\(hours):\(padded(minutes, to: 2, with: "0")):\(shortSeconds)"
      : "\(minutes):\(shortSeconds)"
  }

  /// The four means of a line.
  package static func means(_ means: LossSummary) -> String {
    """
    loss D \(means.discriminatorLoss.fixed(4))  loss G \(means.generatorLoss.fixed(4))  \
    p_real \(means.probabilityOfReal.fixed(4))  p_fake \(means.probabilityOfFake.fixed(4))
    """
  }

  /// "epoch   7/100".
  package static func epoch(_ epoch: Int, of epochs: Int) -> String {
    "epoch \(padded(epoch, to: String(epochs).count, with: " "))/\(epochs)"
  }
}
