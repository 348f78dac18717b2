// swift-tools-version: 6.1
import PackageDescription

// The floors of the house, from the ground up. A target imports only floors below it.

let systemLibraries: [Target] = [
  .systemLibrary(
    name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
  .systemLibrary(name: "CXSMM", providers: [.apt(["libxsmm-dev"])]),
  .systemLibrary(name: "CLinux"),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
  .systemLibrary(name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),
  .systemLibrary(name: "CLAPACK", pkgConfig: "lapack", providers: [.apt(["liblapack-dev"])]),
  .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
]

let libraries: [Target] = [
  // Element-wise loops. Optimised in debug builds too: tests would crawl otherwise.
  .target(
    name: "VectorKernels",
    cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-Wall", "-Wextra"])]),
  .target(name: "Waiting", dependencies: ["CLinux"]),
  .target(name: "Timelines", dependencies: ["Waiting"]),
  .target(name: "KernelFiles"),
  .target(name: "Texts"),
  .target(name: "Processors", dependencies: ["CLinux", "KernelFiles", "Texts"]),
  .target(name: "Memory", dependencies: ["KernelFiles"]),
  .target(name: "Collectives", dependencies: ["Memory", "Waiting"]),
  .target(name: "MPI", dependencies: ["COpenMPI", "Memory", "Processors", "Waiting"]),
  // What may fault is tried in a process of its own.
  .target(name: "TrialProcess", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
  .target(
    name: "Matrices",
    dependencies: [
      "CXSMM", "Collectives", "Memory", "Timelines", "TrialProcess", "VectorKernels", "Waiting",
    ]),
  .target(name: "Randomness", dependencies: ["Matrices", "VectorKernels"]),
  .target(name: "ProcessorPeak", dependencies: ["Matrices", "VectorKernels", "Waiting"]),
  .target(name: "ImageMetrics", dependencies: ["CLAPACK", "Matrices", "VectorKernels"]),
  .target(
    name: "NeuralNetwork",
    dependencies: [
      "Collectives", "Matrices", "Memory", "Randomness", "Timelines", "VectorKernels",
    ]),
  .target(
    name: "Files",
    dependencies: ["COpenSSL", .product(name: "SystemPackage", package: "swift-system")]),
  .target(name: "TensorFiles", dependencies: ["Files"]),
  .target(
    name: "MNISTFamily",
    dependencies: ["CZlib", "Files", .product(name: "SystemPackage", package: "swift-system")]),
  .target(
    name: "Judge",
    dependencies: [
      "Collectives", "Files", "ImageMetrics", "MNISTFamily", "Matrices", "Memory", "NeuralNetwork",
      "Randomness", "TensorFiles",
    ]),
  .target(
    name: "GANTraining",
    dependencies: [
      "Collectives", "Files", "MNISTFamily", "Matrices", "Memory", "NeuralNetwork", "Randomness",
      "TensorFiles", "Timelines",
    ]),
  .target(
    name: "FlightRecorder",
    dependencies: ["Files", "Texts", .product(name: "SystemPackage", package: "swift-system")]),
  .target(
    name: "MPICollectives",
    dependencies: [
      "Collectives", "FlightRecorder", "MPI", "Memory", "Texts", "Timelines", "Waiting",
    ]),
  .target(name: "Tracing", dependencies: ["Files", "Texts", "Timelines"]),
  .target(name: "Pictures", dependencies: ["CCairo", "Files", "Texts"]),
  .target(
    name: "Runs",
    dependencies: [
      "Collectives", "Files", "FlightRecorder", "GANTraining", "ImageMetrics", "Judge",
      "KernelFiles", "MNISTFamily", "MPI", "MPICollectives", "Matrices", "Memory", "NeuralNetwork",
      "Pictures", "ProcessorPeak",
      "Processors", "TensorFiles", "Texts", "Timelines", "Tracing", "Waiting",
      .product(name: "Logging", package: "swift-log"),
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
]

let programs: [Target] = [
  // Stands in for malloc in mpi-checks only.
  .target(name: "AllocationCounter", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
  .executableTarget(
    name: "gan-dist",
    dependencies: [
      "Collectives", "Files", "FlightRecorder", "GANTraining", "ImageMetrics", "Judge",
      "MNISTFamily", "MPI", "MPICollectives", "Matrices", "Memory", "NeuralNetwork", "Pictures",
      "ProcessorPeak",
      "Processors", "Randomness", "Runs", "TensorFiles", "Texts", "Timelines", "Waiting",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ]),
  .executableTarget(
    name: "mpi-checks",
    dependencies: [
      "AllocationCounter", "Collectives", "FlightRecorder", "GANTraining", "MNISTFamily", "MPI",
      "MPICollectives", "Matrices", "NeuralNetwork", "Timelines",
    ]),
]

let tests: [Target] = [
  // Stands in for systems that forbid what others allow.
  .executableTarget(
    name: "confined", path: "Tests/confined",
    cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
  .target(
    name: "TestSupport", dependencies: ["Collectives", "Matrices", "Randomness", "Waiting"],
    path: "Tests/TestSupport"),
  .testTarget(name: "KernelFilesTests", dependencies: ["KernelFiles"]),
  .testTarget(name: "MemoryTests", dependencies: ["Memory"]),
  .testTarget(name: "ProcessorsTests", dependencies: ["KernelFiles", "Processors"]),
  .testTarget(name: "TextsTests", dependencies: ["Texts"]),
  .testTarget(name: "WaitingTests", dependencies: ["Waiting"]),
  .testTarget(name: "CollectivesTests", dependencies: ["Collectives"]),
  .testTarget(
    name: "MatricesTests",
    dependencies: ["Collectives", "Matrices", "TestSupport", "TrialProcess", "VectorKernels"]),
  .testTarget(name: "RandomnessTests", dependencies: ["Matrices", "Randomness", "TestSupport"]),
  .testTarget(
    name: "ImageMetricsTests", dependencies: ["ImageMetrics", "Matrices", "TestSupport"]),
  .testTarget(
    name: "NeuralNetworkTests",
    dependencies: ["Collectives", "Matrices", "NeuralNetwork", "Randomness", "TestSupport"]),
  .testTarget(
    name: "FilesTests",
    dependencies: [
      "Files", "TestSupport", .product(name: "SystemPackage", package: "swift-system"),
    ]),
  .testTarget(name: "TensorFilesTests", dependencies: ["Files", "TensorFiles", "TestSupport"]),
  .testTarget(
    name: "MNISTFamilyTests", dependencies: ["CZlib", "MNISTFamily", "TestSupport"]),
  .testTarget(
    name: "GANTrainingTests",
    dependencies: [
      "Collectives", "GANTraining", "MNISTFamily", "Matrices", "Memory", "NeuralNetwork",
      "Randomness", "TensorFiles", "TestSupport",
    ]),
  .testTarget(
    name: "JudgeTests",
    dependencies: [
      "Collectives", "ImageMetrics", "Judge", "MNISTFamily", "Matrices", "NeuralNetwork",
      "TestSupport",
    ]),
  .testTarget(
    name: "FlightRecorderTests",
    dependencies: ["FlightRecorder", "TestSupport"]),
  .testTarget(
    name: "MPICollectivesTests", dependencies: ["Collectives", "MPI", "MPICollectives"]),
  .testTarget(
    name: "TracingTests", dependencies: ["Files", "TestSupport", "Timelines", "Tracing"]),
  .testTarget(name: "PicturesTests", dependencies: ["Pictures", "CCairo"]),
  .testTarget(name: "RunsTests", dependencies: ["GANTraining", "Judge", "Runs", "TestSupport"]),
  .testTarget(
    name: "ProgramTests",
    dependencies: [
      "gan-dist", "mpi-checks", "MPI", "Matrices", "TestSupport", "confined",
    ]),
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
