import TensorFiles

/// A file of a G in any sizes, whose tensors may be changed before it is written.
struct MadeUpGenerator {
  struct Tensor {
    var shape: [Int]
    var values: [Float]
  }

  /// By their names in the notebook's `nn.Sequential`.
  var tensors: [String: Tensor] = [:]

  /// A sound one: noise, three hidden layers, the image.
  init(sizes: [Int] = [3, 4, 5, 6, 4]) {
    for (index, (inputs, outputs)) in zip(sizes, sizes.dropFirst()).enumerated() {
      setTensor("\(3 * index).weight", [outputs, inputs], 0.1)
      setTensor("\(3 * index).bias", [outputs], 0.1)
      guard index < 3 else { continue }
      setTensor("\(3 * index + 1).weight", [outputs], 1)
      setTensor("\(3 * index + 1).bias", [outputs], 0)
      setTensor("\(3 * index + 1).running_mean", [outputs], 0)
      setTensor("\(3 * index + 1).running_var", [outputs], 1)
    }
  }

  /// Gives a tensor this shape, and this value to all its elements.
  mutating func setTensor(_ name: String, _ shape: [Int], _ value: Float) {
    tensors[name] = Tensor(
      shape: shape, values: Array(repeating: value, count: shape.reduce(1, *)))
  }

  /// Writes the file.
  func write(to path: String) throws {
    let all = tensors.sorted { $0.key < $1.key }
    let values = all.flatMap(\.value.values)
    try values.withUnsafeBytes { bytes in
      var begin = 0
      try SafetensorsWriter.write(
        all.map { name, tensor in
          defer { begin += 4 * tensor.values.count }
          return SafetensorsWriter.Tensor(
            name: name, dataType: .float32, shape: tensor.shape,
            bytes: UnsafeRawBufferPointer(
              rebasing: bytes[begin..<begin + 4 * tensor.values.count]))
        }, addsDigest: false, to: path)
    }
  }
}
