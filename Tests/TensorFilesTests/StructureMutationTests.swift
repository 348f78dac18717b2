import TensorFiles
import TestSupport
import Testing

/// Files that are sound but for what they claim: sizes at their limits, offsets that do not fit them.
@Suite struct TensorStructureMutationTests {
  private static let sizes = [
    "0", "1", "2", "7", "8", "2147483647", "2147483648", "4294967295", "4294967296",
    "2305843009213693951", "4611686018427387904", "9223372036854775807", "9223372036854775808",
    "18446744073709551616",
  ]

  private func safetensors(_ header: String, _ content: [UInt8]) -> [UInt8] {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return length + Array(header.utf8) + content
  }

  /// Every type with two sizes and an end at their limits: an error with its place, or a tensor that is there.
  @Test(.timeLimit(.minutes(15)))
  func sizesOfTensorsMayBeAnything() throws {
    let content = [UInt8](repeating: 1, count: 16)
    var (accepted, refused) = (0, 0)
    for type in TensorDataType.allCases {
      for rows in Self.sizes {
        for columns in Self.sizes {
          for end in ["0", "1", "16", "17", "9223372036854775807"] {
            let input = safetensors(
              #"{"t":{"dtype":"\#(type.rawValue)","shape":[\#(rows),\#(columns)],"#
                + #""data_offsets":[0,\#(end)]}}"#, end == "16" ? content : [])
            do throws(TensorFileError) {
              let file = try input.withUnsafeBufferPointer { (input) throws(TensorFileError) in
                try SafetensorsFile(copying: UnsafeRawBufferPointer(input), path: "a.safetensors")
              }
              let tensor = file.tensors[0]
              #expect(tensor.elementCount * type.bitCount == 8 * tensor.byteRange.count)
              accepted += 1
            } catch {
              #expect(error.kind == .broken && error.byteOffset != nil, "\(error)")
              refused += 1
            }
          }
        }
      }
    }
    #expect(accepted > 100 && refused > 1000)
  }

  @Test func headersMayClaimAnyLength() {
    for length in [0, 1, 2, 100_000_000, 100_000_001, 1 << 31, 1 << 32, 1 << 63, UInt64.max] {
      let input = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
      do throws(TensorFileError) {
        _ = try input.withUnsafeBufferPointer { (input) throws(TensorFileError) in
          try SafetensorsFile(copying: UnsafeRawBufferPointer(input), path: "a.safetensors")
        }
        #expect(length == 2)
      } catch {
        #expect(length != 2 && error.kind == .broken && error.byteOffset != nil, "\(error)")
      }
    }
  }

  /// An array's shape with the content of another.
  @Test func shapesOfArraysMayBeAnything() throws {
    for type in ["<f4", "<f8"] {
      for shape in Self.sizes.flatMap({ rows in
        Self.sizes.map { "(\(rows), \($0))" } + ["(\(rows),)"]
      }) {
        let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
        for count in [0, 4, 8, 56] {
          let input =
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
            + [UInt8](repeating: 0, count: count)
          do throws(TensorFileError) {
            let file = try input.withUnsafeBufferPointer { (input) throws(TensorFileError) in
              try NPYFile(decoding: UnsafeRawBufferPointer(input), path: "a.npy")
            }
            #expect(file.values.count * (type == "<f4" ? 4 : 8) == count)
          } catch {
            #expect(error.kind == .broken && error.byteOffset != nil, "\(error)")
          }
        }
      }
    }
  }
}
