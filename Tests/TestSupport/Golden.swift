import Foundation
import Matrices

/// The golden vectors of Tests/Golden.
public enum Golden {
  public static let folder = Repository.folder.appendingPathComponent("Tests/Golden")

  /// A node of a JSON document.
  public struct Node {
    private let value: Any?
    private let path: String

    init(_ value: Any?, path: String) {
      self.value = value
      self.path = path
    }

    public subscript(key: String) -> Node {
      Node((value as? [String: Any])?[key], path: "\(path).\(key)")
    }

    public var elements: [Node] {
      let list = value as? [Any] ?? []
      precondition(!list.isEmpty, "\(path) is no list, or an empty one")
      return list.enumerated().map { Node($1, path: "\(path)[\($0)]") }
    }

    public var number: Double {
      guard let number = value as? NSNumber else { preconditionFailure("\(path) is no number") }
      return number.doubleValue
    }

    public var integer: Int { Int(number) }

    public var string: String {
      guard let text = value as? String else { preconditionFailure("\(path) is no text") }
      return text
    }

    /// A number written as "0x2a".
    public var seed: UInt64 { UInt64(string.dropFirst(2), radix: 16)! }

    public var shape: [Int] { self["shape"].elements.map(\.integer) }

    /// The values of `{"shape", "values"}`, whose count is checked.
    public var values: [Double] {
      let values = self["values"].elements.map(\.number)
      precondition(
        values.count == shape.reduce(1, *), "\(path): \(values.count) values for \(shape)")
      return values
    }

    /// The values as float32: the file writes the shortest text that reads back to the same float.
    public var floats: [Float] { values.map { Float($0) } }

    /// The values as a matrix in a workspace; a vector is a row.
    public func matrix(in workspace: Workspace) -> Matrix {
      let shape = shape
      let matrix = workspace.testMatrix(
        rows: shape.count == 1 ? 1 : shape[0], columns: shape[shape.count - 1])
      for (index, value) in floats.enumerated() { matrix.buffer[index] = value }
      return matrix
    }
  }

  /// A document of the folder.
  public static func document(_ name: String) throws -> Node {
    let data = try Data(contentsOf: folder.appendingPathComponent(name))
    return Node(try JSONSerialization.jsonObject(with: data), path: name)
  }

  /// Little-endian float32 numbers of a file of the folder.
  public static func floats(_ name: String) throws -> [Float] {
    let data = try Data(contentsOf: folder.appendingPathComponent(name))
    return data.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        Float(
          bitPattern: UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    }
  }
}

/// This repository on disk.
public enum Repository {
  public static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}
