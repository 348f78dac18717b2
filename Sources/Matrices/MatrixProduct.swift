import COneDNN

/// What a product does to each number before it is stored.
public enum ProductActivation: Sendable, Equatable {
  case identity
  /// x > 0 ? x : slope * x
  case leakyReLU(slope: Float)
  case tanh
}

/// `result = activation(left * right + bias)`, planned once for fixed memory and run in every step.
///
/// A oneDNN matmul primitive. Forward products give the same bits for a row whatever the number of
/// rows beside it. A product is run by one thread at a time.
public final class MatrixProduct {
  /// A factor, read as it lies in memory or transposed.
  public enum Factor {
    case plain(Matrix)
    case transposed(Matrix)

    var matrix: Matrix {
      switch self {
      case .plain(let matrix), .transposed(let matrix): matrix
      }
    }
    var rows: Int {
      switch self {
      case .plain(let matrix): matrix.rows
      case .transposed(let matrix): matrix.columns
      }
    }
    var columns: Int {
      switch self {
      case .plain(let matrix): matrix.columns
      case .transposed(let matrix): matrix.rows
      }
    }
    /// oneDNN's strides of the factor as it is read: elements from row to row, from column to column.
    var strides: (Int, Int) {
      switch self {
      case .plain(let matrix): (matrix.columns, 1)
      case .transposed(let matrix): (1, matrix.columns)
      }
    }
  }

  private let result: Matrix
  private let plan: OneDNNPlan?

  /// Plans `result[m, n] = activation(left[m, k] * right[k, n] + bias[n])`.
  ///
  /// Without rows to multiply (m is 0) nothing is done; with nothing to add up (k is 0) the result is zero.
  /// - Throws: ``OneDNNError`` if oneDNN cannot plan it.
  public init(
    _ left: Factor, times right: Factor, plus bias: Matrix? = nil,
    activation: ProductActivation = .identity, into result: Matrix
  ) throws {
    precondition(
      left.columns == right.rows && left.rows == result.rows && right.columns == result.columns,
      "[\(left.rows), \(left.columns)] * [\(right.rows), \(right.columns)]"
        + " does not give [\(result.rows), \(result.columns)]")
    precondition(bias == nil || (bias!.rows == 1 && bias!.columns == result.columns))
    precondition(bias == nil || left.columns > 0, "a bias needs a product to be added to")
    self.result = result
    plan =
      result.rows == 0 || left.columns == 0
      ? nil
      : try OneDNNPlan(left, right, bias: bias, activation: activation, result: result)
  }

  /// Computes the product.
  /// - Throws: ``OneDNNError``.
  public func run() throws {
    if let plan {
      try plan.run()
    } else {
      result.buffer.update(repeating: 0)
    }
  }
}

/// The oneDNN objects of one product; they are created once and live as long as the plan.
private final class OneDNNPlan {
  private var primitive: dnnl_primitive_t?
  private var stream: dnnl_stream_t?
  private var memories: [dnnl_memory_t] = []
  private var arguments: [dnnl_exec_arg_t] = []

  init(
    _ left: MatrixProduct.Factor, _ right: MatrixProduct.Factor, bias: Matrix?,
    activation: ProductActivation, result: Matrix
  ) throws {
    let engine = try OneDNN.engine()
    var leftShape = try Self.shape(left.rows, left.columns, strides: left.strides)
    var rightShape = try Self.shape(right.rows, right.columns, strides: right.strides)
    var resultShape = try Self.shape(result.rows, result.columns, strides: (result.columns, 1))
    var biasShape = try Self.shape(1, result.columns, strides: (result.columns, 1))

    var matmul = dnnl_matmul_desc_t()
    if bias == nil {
      try check(
        dnnl_matmul_desc_init(&matmul, &leftShape, &rightShape, nil, &resultShape),
        "dnnl_matmul_desc_init")
    } else {
      try check(
        dnnl_matmul_desc_init(&matmul, &leftShape, &rightShape, &biasShape, &resultShape),
        "dnnl_matmul_desc_init")
    }
    let attributes = try Self.attributes(activation)
    defer { dnnl_primitive_attr_destroy(attributes) }
    var description: dnnl_primitive_desc_t?
    try check(
      dnnl_primitive_desc_create(&description, &matmul, attributes, engine, nil),
      "dnnl_primitive_desc_create for [\(left.rows), \(left.columns)] x [\(right.rows), \(right.columns)]"
    )
    defer { dnnl_primitive_desc_destroy(description) }
    try check(dnnl_primitive_create(&primitive, description), "dnnl_primitive_create")
    try check(
      dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue), "dnnl_stream_create")

    try add(DNNL_ARG_SRC, &leftShape, left.matrix.elements, engine)
    try add(DNNL_ARG_WEIGHTS, &rightShape, right.matrix.elements, engine)
    try add(DNNL_ARG_DST, &resultShape, result.elements, engine)
    if let bias { try add(DNNL_ARG_BIAS, &biasShape, bias.elements, engine) }
    // A scratchpad of our own: the library's default one belongs to the thread that made the plan.
    if let scratchpad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0) {
      var scratchpadShape = scratchpad.pointee
      try add(
        DNNL_ARG_SCRATCHPAD, &scratchpadShape, UnsafeMutableRawPointer(bitPattern: UInt.max), engine
      )
    }
  }

  deinit {
    if let primitive { dnnl_primitive_destroy(primitive) }
    if let stream { dnnl_stream_destroy(stream) }
    for memory in memories { dnnl_memory_destroy(memory) }
  }

  func run() throws {
    let status = arguments.withUnsafeBufferPointer {
      dnnl_primitive_execute(primitive, stream, Int32($0.count), $0.baseAddress)
    }
    try check(status, "dnnl_primitive_execute")
  }

  private func add(
    _ argument: Int32, _ shape: inout dnnl_memory_desc_t, _ address: UnsafeMutableRawPointer?,
    _ engine: dnnl_engine_t
  ) throws {
    var memory: dnnl_memory_t?
    try check(dnnl_memory_create(&memory, &shape, engine, address), "dnnl_memory_create")
    guard let memory else { return }
    memories.append(memory)
    arguments.append(dnnl_exec_arg_t(arg: argument, memory: memory))
  }

  private static func shape(
    _ rows: Int, _ columns: Int, strides: (Int, Int)
  ) throws -> dnnl_memory_desc_t {
    var shape = dnnl_memory_desc_t()
    let sizes = [Int64(rows), Int64(columns)]
    let steps = [Int64(strides.0), Int64(strides.1)]
    try check(
      dnnl_memory_desc_init_by_strides(&shape, 2, sizes, dnnl_f32, steps),
      "dnnl_memory_desc_init_by_strides")
    return shape
  }

  private static func attributes(_ activation: ProductActivation) throws -> dnnl_primitive_attr_t? {
    var attributes: dnnl_primitive_attr_t?
    try check(dnnl_primitive_attr_create(&attributes), "dnnl_primitive_attr_create")
    do {
      try check(
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user),
        "dnnl_primitive_attr_set_scratchpad_mode")
      let (algorithm, slope): (dnnl_alg_kind_t, Float)
      switch activation {
      case .identity: return attributes
      case .leakyReLU(let value): (algorithm, slope) = (dnnl_eltwise_relu, value)
      case .tanh: (algorithm, slope) = (dnnl_eltwise_tanh, 0)
      }
      var operations: dnnl_post_ops_t?
      try check(dnnl_post_ops_create(&operations), "dnnl_post_ops_create")
      defer { dnnl_post_ops_destroy(operations) }
      try check(
        dnnl_post_ops_append_eltwise(operations, 1, algorithm, slope, 0),
        "dnnl_post_ops_append_eltwise")
      try check(
        dnnl_primitive_attr_set_post_ops(attributes, operations), "dnnl_primitive_attr_set_post_ops"
      )
      return attributes
    } catch {
      dnnl_primitive_attr_destroy(attributes)
      throw error
    }
  }
}
