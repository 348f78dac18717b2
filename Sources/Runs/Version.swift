/// The program as it names itself, in files of a run too.
package enum Version {
  static let number = "0.1.0"
  package static let name = "gan-dist \(number)"
}
