import Glibc

#if READ_IDX
  import MNISTFamily
#else
  import TensorFiles
#endif

#if READ_IDX
  // This reader takes a path only. A file without a name has one too, and leaves nothing behind.
  private let descriptor = {
    let name = "/dev/shm/gan-dist-fuzz-\(getpid())"
    let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o600))
    unlink(name)
    return descriptor
  }()
  private let path = "/proc/self/fd/\(descriptor)"
#else
  private let path = "input"
#endif

/// Reads one input; the sanitizer watches, and an error without its place is a finding too.
@_cdecl("LLVMFuzzerTestOneInput")
public func readOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  #if READ_SAFETENSORS
    do throws(TensorFileError) {
      let file = try SafetensorsFile(copying: input, path: path)
      for tensor in file.tensors {
        let copy = file.withUnsafeBytes(of: tensor) { Array($0) }
        precondition(
          8 * copy.count == tensor.shape.reduce(tensor.dataType.bitCount, *), "not its bytes")
      }
    } catch {
      check(error.description)
    }
  #elseif READ_NPY
    do throws(TensorFileError) {
      let file = try NPYFile(decoding: input, path: path)
      precondition(file.values.count == file.shape.reduce(1, *), "not its values")
    } catch {
      check(error.description)
    }
  #else
    guard replaceFile(with: input) else { return 0 }
    for content in [IDXFile.Content.images, .labels] {
      do throws(DataSetError) {
        let file = try IDXFile(path: path, expecting: content)
        let (dimensions, count) = (file.dimensions, file.withUnsafeBytes { $0.count })
        precondition(count == dimensions.reduce(1, *), "not its bytes")
      } catch {
        check(error.description)
      }
    }
  #endif
  return 0
}

private func check(_ text: String) {
  precondition(text.hasPrefix("\(path): at byte "), "an error without its place: \(text)")
}

#if READ_IDX
  private func replaceFile(with bytes: UnsafeRawBufferPointer) -> Bool {
    atexit { unlink(path) }
    return ftruncate(descriptor, 0) == 0
      && pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
  }
#endif
