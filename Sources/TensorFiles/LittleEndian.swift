/// Numbers as they stand in files: little-endian, at any alignment.
enum LittleEndian {
  /// The floats that fill `bytes`.
  static func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    let count = bytes.count / MemoryLayout<Float>.stride
    return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      copyFloats(bytes, to: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      filled = count
    }
  }

  /// The first of the floats that fill `bytes` for which something holds; nil if there is none.
  static func firstFloat(
    in bytes: UnsafeRawBufferPointer, where isSought: (Float) -> Bool
  ) -> (index: Int, value: Float)? {
    let stride = MemoryLayout<Float>.stride
    for index in 0..<bytes.count / stride {
      let bits = bytes.loadUnaligned(fromByteOffset: index * stride, as: UInt32.self)
      let value = Float(bitPattern: UInt32(littleEndian: bits))
      if isSought(value) { return (index, value) }
    }
    return nil
  }

  /// The doubles that fill `bytes`, each rounded to the nearest float.
  static func floatsOfDoubles(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    let stride = MemoryLayout<UInt64>.stride
    return (0..<bytes.count / stride).map { index in
      let bits = bytes.loadUnaligned(fromByteOffset: index * stride, as: UInt64.self)
      return Float(Double(bitPattern: UInt64(littleEndian: bits)))
    }
  }

  /// The integers that fill `bytes`.
  static func integers(_ bytes: UnsafeRawBufferPointer) -> [Int64] {
    let stride = MemoryLayout<Int64>.stride
    return (0..<bytes.count / stride).map { index in
      Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * stride, as: Int64.self))
    }
  }

  /// Copies `[count]` floats to a place for as many.
  static func copyFloats(
    _ bytes: UnsafeRawBufferPointer, to destination: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(bytes.count == destination.count * MemoryLayout<Float>.stride)
    UnsafeMutableRawBufferPointer(destination).copyMemory(from: bytes)
    #if _endian(big)
      for index in destination.indices {
        destination[index] = Float(bitPattern: destination[index].bitPattern.byteSwapped)
      }
    #endif
  }

  /// Lends the bytes of floats as they stand in a file.
  static func withBytes<Failure: Error>(
    of values: UnsafeBufferPointer<Float>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    #if _endian(big)
      let swapped = values.map { $0.bitPattern.byteSwapped }
      try swapped.withUnsafeBufferPointer { (swapped) throws(Failure) in
        try body(UnsafeRawBufferPointer(swapped))
      }
    #else
      try body(UnsafeRawBufferPointer(values))
    #endif
  }
}
