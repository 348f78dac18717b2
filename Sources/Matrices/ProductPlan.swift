import COneDNN

/// A view of numbers in memory as oneDNN takes it: `[rows, columns]` with a step from row to row and from column to
/// column, in elements.
struct Operand {
  var address: UnsafeMutableRawPointer
  let precision: Precision
  var rows: Int
  var columns: Int
  var rowStep: Int
  var columnStep: Int

  /// The matrix as it lies.
  init(_ input: ProductInput) {
    address = input.rounded.map { UnsafeMutableRawPointer($0) } ?? .init(input.matrix.elements)
    precision = input.precision
    (rows, columns) = (input.matrix.rows, input.matrix.columns)
    (rowStep, columnStep) = (input.matrix.columns, 1)
  }

  /// A result as it lies.
  init(_ matrix: Matrix) { self.init(ProductInput(matrix)) }

  /// The numbers of a result.
  var floats: UnsafeMutablePointer<Float> {
    precondition(precision == .float32)
    return address.assumingMemoryBound(to: Float.self)
  }

  /// The same shape and steps with the numbers of another matrix.
  func moved(to other: ProductInput) -> Operand {
    var operand = self
    operand.address = Operand(other).address
    return operand
  }

  var transposed: Operand {
    var other = self
    (other.rows, other.columns) = (columns, rows)
    (other.rowStep, other.columnStep) = (columnStep, rowStep)
    return other
  }

  /// The same numbers in other memory, column after column without gaps.
  func packed(in memory: UnsafeMutablePointer<UInt8>) -> Operand {
    var operand = self
    operand.address = UnsafeMutableRawPointer(memory)
    (operand.rowStep, operand.columnStep) = (1, rows)
    return operand
  }

  func rows(_ range: Range<Int>) -> Operand {
    var part = self
    part.address += range.lowerBound * rowStep * precision.byteCount
    part.rows = range.count
    return part
  }

  func columns(_ range: Range<Int>) -> Operand { transposed.rows(range).transposed }
}

/// What to do with the product's numbers before they are stored.
struct ProductEnding {
  var bias: UnsafeMutablePointer<Float>?
  var activation = ProductActivation.identity
  /// Whether the product is added to what the result holds.
  var accumulates = false
}

/// One oneDNN matmul primitive with its memory: created once, run by one thread at a time.
final class ProductPlan {
  /// All that it takes to run the plan, without counting references; valid as long as the plan lives.
  struct Call {
    fileprivate let primitive: dnnl_primitive_t
    fileprivate let stream: dnnl_stream_t
    fileprivate let arguments: UnsafePointer<dnnl_exec_arg_t>
    fileprivate let argumentCount: Int32

    @inline(__always)
    func run() -> dnnl_status_t {
      dnnl_primitive_execute(primitive, stream, argumentCount, arguments)
    }
  }

  let call: Call
  private var memories: [dnnl_memory_t] = []
  private let arguments: UnsafeMutableBufferPointer<dnnl_exec_arg_t>

  /// Plans `result = activation(left * right + bias)`.
  init(
    _ left: Operand, _ right: Operand, into result: Operand,
    ending: ProductEnding = ProductEnding()
  ) throws {
    // The plan is for one thread: it may be run by any, and its bits do not depend on how many there are.
    omp_set_num_threads(1)
    let engine = try OneDNN.engine()
    var leftShape = try Self.shape(left)
    var rightShape = try Self.shape(right)
    var resultShape = try Self.shape(result)
    var matmul = dnnl_matmul_desc_t()
    let hasBias = ending.bias != nil
    var biasShape = dnnl_memory_desc_t()
    if hasBias {
      var row = result
      row.rows = 1
      biasShape = try Self.shape(row)
      try check(
        dnnl_matmul_desc_init(&matmul, &leftShape, &rightShape, &biasShape, &resultShape),
        "dnnl_matmul_desc_init")
    } else {
      try check(
        dnnl_matmul_desc_init(&matmul, &leftShape, &rightShape, nil, &resultShape),
        "dnnl_matmul_desc_init")
    }
    let attributes = try Self.attributes(ending)
    defer { dnnl_primitive_attr_destroy(attributes) }
    var description: dnnl_primitive_desc_t?
    try check(
      dnnl_primitive_desc_create(&description, &matmul, attributes, engine, nil),
      "dnnl_primitive_desc_create for [\(left.rows), \(left.columns)] x [\(right.rows), \(right.columns)]"
    )
    defer { dnnl_primitive_desc_destroy(description) }
    var primitive: dnnl_primitive_t?
    try check(dnnl_primitive_create(&primitive, description), "dnnl_primitive_create")
    var stream: dnnl_stream_t?
    try check(
      dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue), "dnnl_stream_create")

    var memories: [dnnl_memory_t] = []
    var list: [dnnl_exec_arg_t] = []
    func add(
      _ argument: Int32, _ shape: inout dnnl_memory_desc_t, _ address: UnsafeMutableRawPointer?
    ) throws {
      var memory: dnnl_memory_t?
      try check(dnnl_memory_create(&memory, &shape, engine, address), "dnnl_memory_create")
      guard let memory else { return }
      memories.append(memory)
      list.append(dnnl_exec_arg_t(arg: argument, memory: memory))
    }
    try add(DNNL_ARG_SRC, &leftShape, left.address)
    try add(DNNL_ARG_WEIGHTS, &rightShape, right.address)
    try add(DNNL_ARG_DST, &resultShape, result.address)
    if hasBias { try add(DNNL_ARG_BIAS, &biasShape, ending.bias) }
    // A scratchpad of its own: the library's default one belongs to the thread that made the plan.
    if let scratchpad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0) {
      var scratchpadShape = scratchpad.pointee
      // All ones: oneDNN allocates the memory.
      try add(DNNL_ARG_SCRATCHPAD, &scratchpadShape, UnsafeMutableRawPointer(bitPattern: UInt.max))
    }
    arguments = .allocate(capacity: list.count)
    _ = arguments.initialize(from: list)
    self.memories = memories
    guard let primitive, let stream, let first = arguments.baseAddress else {
      throw OneDNNError(call: "dnnl_primitive_create", status: 0)
    }
    call = Call(
      primitive: primitive, stream: stream, arguments: first, argumentCount: Int32(list.count))
  }

  deinit {
    dnnl_primitive_destroy(call.primitive)
    dnnl_stream_destroy(call.stream)
    for memory in memories { dnnl_memory_destroy(memory) }
    arguments.deallocate()
  }

  private static func shape(_ operand: Operand) throws -> dnnl_memory_desc_t {
    var shape = dnnl_memory_desc_t()
    let sizes = [Int64(operand.rows), Int64(operand.columns)]
    let steps = [Int64(operand.rowStep), Int64(operand.columnStep)]
    try check(
      dnnl_memory_desc_init_by_strides(&shape, 2, sizes, operand.precision.dataType, steps),
      "dnnl_memory_desc_init_by_strides")
    return shape
  }

  private static func attributes(_ ending: ProductEnding) throws -> dnnl_primitive_attr_t? {
    var attributes: dnnl_primitive_attr_t?
    try check(dnnl_primitive_attr_create(&attributes), "dnnl_primitive_attr_create")
    do {
      try check(
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user),
        "dnnl_primitive_attr_set_scratchpad_mode")
      if ending.activation == .identity && !ending.accumulates { return attributes }
      var operations: dnnl_post_ops_t?
      try check(dnnl_post_ops_create(&operations), "dnnl_post_ops_create")
      defer { dnnl_post_ops_destroy(operations) }
      if ending.accumulates {
        try check(dnnl_post_ops_append_sum(operations, 1), "dnnl_post_ops_append_sum")
      }
      let function: (algorithm: dnnl_alg_kind_t, slope: Float)? =
        switch ending.activation {
        case .identity: nil
        case .leakyReLU(let slope): (dnnl_eltwise_relu, slope)
        case .tanh: (dnnl_eltwise_tanh, 0)
        }
      if let function {
        try check(
          dnnl_post_ops_append_eltwise(operations, 1, function.algorithm, function.slope, 0),
          "dnnl_post_ops_append_eltwise")
      }
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
