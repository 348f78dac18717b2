import Files
import SystemPackage

/// One of the four files of a data set of the MNIST family, under any of its spellings.
enum DataFile: String, CaseIterable {
  case trainingImages = "train-images-idx3-ubyte"
  case trainingLabels = "train-labels-idx1-ubyte"
  case testImages = "t10k-images-idx3-ubyte"
  case testLabels = "t10k-labels-idx1-ubyte"

  /// The name it was published under, uncompressed.
  var name: String { rawValue }

  /// Names it goes by, the plain ones before the gzipped.
  private var spellings: [String] {
    let plain = [name, name.split(separator: "-idx").joined(separator: ".idx")]
    return plain + plain.map { $0 + ".gz" }
  }

  /// The file in `folder` under the first spelling that is a file.
  ///
  /// A folder of that name is passed over: some archives unpack to a folder named as its file.
  func path(in folder: String) -> String? {
    spellings.map { FilePath(folder).appending($0).string }.first { path in
      switch FileStatus(path: path) {
      case .file, .other, .unreachable: true
      case .folder, .absent: false
      }
    }
  }
}
