// swift-tools-version: 6.1
import PackageDescription

// The floors of the house, from the ground up. A target imports only floors below it.

let systemLibraries: [Target] = [
  .systemLibrary(
    name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
  .systemLibrary(name: "CXSMM", providers: [.apt(["libxsmm-dev"])]),
  .systemLibrary(name: "COpenMP"),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
  .systemLibrary(name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),
  .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
]

let libraries: [Target] = [
  // Element-wise loops. Optimised in debug builds too: tests would crawl otherwise.
  .target(
    name: "VectorKernels",
    cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-Wall", "-Wextra"])]),
  .target(name: "MPI", dependencies: ["COpenMPI"]),
  .target(name: "Matrices", dependencies: ["COpenMP", "CXSMM", "VectorKernels"]),
  .target(name: "NeuralNetwork", dependencies: ["Matrices"]),
  .target(
    name: "Files",
    dependencies: ["COpenSSL", .product(name: "SystemPackage", package: "swift-system")]),
  .target(name: "TensorFiles", dependencies: ["Files"]),
  .target(name: "FashionMNIST", dependencies: ["CZlib", "Files"]),
  .target(
    name: "GANTraining",
    dependencies: ["Matrices", "NeuralNetwork", "FashionMNIST", "Files", "TensorFiles"]),
  .target(name: "FlightRecorder"),
  .target(
    name: "MPICollectives", dependencies: ["FlightRecorder", "MPI", "Matrices", "NeuralNetwork"]),
  .target(name: "Tracing", dependencies: ["Files", "Matrices"]),
  .target(name: "Pictures", dependencies: ["CCairo", "Files"]),
]

let programs: [Target] = [
  // Stands in for malloc in mpi-checks only.
  .target(name: "AllocationCounter", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
  .executableTarget(
    name: "gan-dist",
    dependencies: [
      "FashionMNIST", "Files", "FlightRecorder", "GANTraining", "MPI", "MPICollectives", "Matrices",
      "NeuralNetwork", "Pictures", "TensorFiles", "Tracing",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Logging", package: "swift-log"),
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
  .executableTarget(
    name: "mpi-checks",
    dependencies: [
      "AllocationCounter",
      "FashionMNIST", "FlightRecorder", "GANTraining", "MPI", "MPICollectives", "Matrices",
      "NeuralNetwork",
    ]),
]

let tests: [Target] = [
  .target(
    name: "TestSupport", dependencies: ["NeuralNetwork", "Matrices"], path: "Tests/TestSupport"),
  .testTarget(name: "MatricesTests", dependencies: ["Matrices", "VectorKernels", "TestSupport"]),
  .testTarget(
    name: "NeuralNetworkTests", dependencies: ["Matrices", "NeuralNetwork", "TestSupport"]),
  .testTarget(
    name: "FilesTests",
    dependencies: [
      "Files", "TestSupport", .product(name: "SystemPackage", package: "swift-system"),
    ]),
  .testTarget(name: "TensorFilesTests", dependencies: ["Files", "TensorFiles", "TestSupport"]),
  .testTarget(
    name: "FashionMNISTTests", dependencies: ["CZlib", "FashionMNIST", "TestSupport"]),
  .testTarget(
    name: "GANTrainingTests",
    dependencies: [
      "FashionMNIST", "GANTraining", "Matrices", "NeuralNetwork", "TensorFiles", "TestSupport",
    ]),
  .testTarget(
    name: "FlightRecorderTests",
    dependencies: ["FlightRecorder", "MPICollectives", "NeuralNetwork", "TestSupport"]),
  .testTarget(name: "TracingTests", dependencies: ["Files", "Matrices", "TestSupport", "Tracing"]),
  .testTarget(name: "PicturesTests", dependencies: ["Pictures", "CCairo"]),
  .testTarget(
    name: "ProgramTests",
    dependencies: ["gan-dist", "mpi-checks", "MPI", "Matrices", "TestSupport"]),
]

let package = Package(
  name: "gan-dist",
  products: [.executable(name: "gan-dist", targets: ["gan-dist"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: systemLibraries + libraries + programs + tests
)
