import TestSupport
import Testing
import VectorKernels

@testable import Matrices

/// Every build of the kernels gives the same bits: ranks on unlike processors must agree.
@Suite struct KernelBuildTests {
  // Matrices are views: their memory must outlive the test.
  private let workspace = Workspace()

  private static let rows = 7
  private static let columns = 133  // No multiple of any vector's length.

  /// What all kernels compute from fixed numbers with one build.
  private func results(_ kernels: VectorKernelTable) throws -> [String: [Float]] {
    let (rows, columns) = (Self.rows, Self.columns)
    func matrix(_ stream: UInt32) -> Matrix {
      workspace.normals(rows: rows, columns: columns, stream: stream)
    }
    func row(_ stream: UInt32) -> Matrix {
      workspace.normals(rows: 1, columns: columns, stream: stream)
    }
    let count = rows * columns
    let address = RandomAddress(keyLow: 3, keyHigh: 4, stream: 5, step: 6)
    var results: [String: [Float]] = [:]

    let normals = matrix(0)
    kernels.randomNormals(address, 11, rows, columns, normals.elements)
    results["randomNormals"] = Array(normals.buffer)

    let multipliers = matrix(0)
    kernels.dropoutMultipliers(address, 11, rows, columns, 1 << 30, 1.25, multipliers.elements)
    results["dropoutMultipliers"] = Array(multipliers.buffer)

    let pixels = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let images = matrix(0)
    kernels.pixelsToFloats(pixels, count, images.elements)
    results["pixelsToFloats"] = Array(images.buffer)

    let rounded = try workspace.zeros(of: UInt16.self, count: count)
    kernels.roundToBFloat16(matrix(1).elements, count, rounded.baseAddress!)
    results["roundToBFloat16"] = rounded.map(Float.init)

    let offset = row(7)
    for (name, add) in [
      ("addBias", { kernels.addBias($0, columns, rows, columns - 1, offset.elements) }),
      (
        "addBiasLeakyReLU",
        { kernels.addBiasLeakyReLU($0, columns, rows, columns - 1, offset.elements, 0.2) }
      ),
      ("addBiasTanh", { kernels.addBiasTanh($0, columns, rows, columns - 1, offset.elements) }),
    ] as [(String, (UnsafeMutablePointer<Float>) -> Void)] {
      let sums = matrix(1)
      add(sums.elements)
      results[name] = Array(sums.buffer)
    }

    let product = matrix(1)
    kernels.multiply(product.elements, matrix(2).elements, count)
    results["multiply"] = Array(product.buffer)

    let leaky = matrix(1)
    kernels.leakyReLUBackward(leaky.elements, matrix(2).elements, 0.2, count)
    results["leakyReLUBackward"] = Array(leaky.buffer)

    let tanh = matrix(1)
    kernels.tanhBackward(tanh.elements, matrix(2).elements, count)
    results["tanhBackward"] = Array(tanh.buffer)

    let sums = row(0)
    kernels.columnSums(matrix(1).elements, columns, rows, columns - 1, false, sums.elements)
    kernels.columnSums(matrix(2).elements, columns, rows, columns - 1, true, sums.elements)
    results["columnSums"] = Array(sums.buffer)

    let sum = matrix(1)
    kernels.add(sum.elements, matrix(2).elements, count - 1)
    results["add"] = Array(sum.buffer)

    let digest = kernels.digest(matrix(1).elements, count)
    results["digest"] = [
      Float(bitPattern: UInt32(truncatingIfNeeded: digest)),
      Float(bitPattern: UInt32(truncatingIfNeeded: digest >> 32)),
    ]

    let (pointCount, blockCount) = (Int(DISTANCE_POINTS), Int(DISTANCE_BLOCK))
    let distances = try workspace.zeros(of: Double.self, count: pointCount * blockCount)
    kernels.squaredDistances(
      matrix(1).buffer.prefix(pointCount * 19).map(Double.init),
      matrix(2).buffer.prefix(blockCount * 19).map(Double.init), 19, distances.baseAddress!)
    // Both halves of each number: all 64 bits are compared.
    results["squaredDistances"] = distances.flatMap {
      [UInt32(truncatingIfNeeded: $0.bitPattern), UInt32($0.bitPattern >> 32)].map(
        Float.init(bitPattern:))
    }

    let moments = try workspace.zeros(of: Double.self, count: 2 * columns)
    kernels.columnMoments(
      matrix(1).elements, rows, columns, moments.baseAddress!, moments.baseAddress! + columns)
    results["columnMoments"] = moments.map(Float.init)

    let others = try workspace.zeros(of: Double.self, count: 2 * columns)
    kernels.columnMoments(
      matrix(2).elements, rows, columns, others.baseAddress!, others.baseAddress! + columns)
    kernels.mergeMoments(
      3, moments.baseAddress!, moments.baseAddress! + columns, 5, others.baseAddress!,
      others.baseAddress! + columns, columns)
    results["mergeMoments"] = moments.map(Float.init)

    let (x, y) = (matrix(1), matrix(2))
    kernels.batchNormForward(
      x.elements, rows, columns, row(3).elements, row(4).elements, row(5).elements,
      row(6).elements, 0.2, y.elements)
    results["batchNormForward"] = Array(x.buffer) + Array(y.buffer)

    let gradientSums = try workspace.zeros(of: Double.self, count: 2 * columns)
    kernels.batchNormBackwardSums(
      matrix(1).elements, matrix(2).elements, rows, columns, gradientSums.baseAddress!)
    results["batchNormBackwardSums"] = gradientSums.map(Float.init)

    let gradient = matrix(1)
    kernels.batchNormBackwardInput(
      gradient.elements, matrix(2).elements, rows, columns, row(3).elements, row(4).elements,
      row(5).elements)
    results["batchNormBackwardInput"] = Array(gradient.buffer)

    for (leftIsTransposed, accumulates) in [(false, true), (true, false)] {
      var shape = ProductShape(
        rows: rows, columns: columns - 1, inner: rows, leftStride: columns, rightStride: columns,
        resultStride: columns, leftIsTransposed: leftIsTransposed, accumulates: accumulates)
      let product = matrix(3)
      kernels.multiplyMatrices(
        &shape, matrix(1).elements, matrix(2).elements, product.elements)
      results["multiplyMatrices, left transposed: \(leftIsTransposed)"] = Array(product.buffer)
    }

    let words = try workspace.zeros(of: UInt32.self, count: count)
    kernels.transpose(
      matrix(1).buffer.map(\.bitPattern), rows, columns - 1, columns, words.baseAddress!, rows)
    results["transpose"] = words.map(Float.init(bitPattern:))

    let (parameters, first, second) = (matrix(2), matrix(3), matrix(4))
    for index in second.buffer.indices { second.buffer[index].round(.up) }
    for index in second.buffer.indices { second.buffer[index] = abs(second.buffer[index]) }
    let isFinite = kernels.adam(
      AdamStep(
        firstWeight: 0.5, secondDecay: 0.999, secondWeight: 0.001, stepSize: 1e-4,
        secondCorrection: 0.3,
        epsilon: 1e-8), matrix(1).elements, count, parameters.elements, first.elements,
      second.elements, rounded.baseAddress)
    results["adam is finite"] = [isFinite ? 1 : 0]
    results["adam rounded"] = rounded.map(Float.init)
    results["adam"] = Array(parameters.buffer) + Array(first.buffer) + Array(second.buffer)
    return results
  }

  @Test func allBuildsOfThisProcessorAgree() throws {
    let baseline = try results(VectorMath.builds[0].pointee)
    for build in VectorMath.builds.dropFirst() {
      for (kernel, values) in try results(build.pointee) {
        #expect(
          values.map(\.bitPattern) == baseline[kernel]?.map(\.bitPattern),
          "\(kernel) of \(String(cString: build.pointee.name))")
      }
    }
    #expect(baseline.values.allSatisfy { $0.contains { $0 != 0 } })
  }

  @Test func noRowsAreNoTrouble() {
    for build in VectorMath.builds {
      let row = workspace.normals(rows: 1, columns: 8, stream: 1)
      build.pointee.columnSums(row.elements, 8, 0, 8, false, row.elements)
      #expect(row.buffer.allSatisfy { $0 == 0 })
    }
  }
}
