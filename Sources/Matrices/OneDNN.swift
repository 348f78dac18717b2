import COneDNN

/// A call of oneDNN that failed.
public struct OneDNNError: Error, CustomStringConvertible {
  public let call: String
  public let status: Int

  public var description: String { "oneDNN: \(call) failed with status \(status)" }
}

/// The one door to oneDNN's return codes.
func check(_ status: dnnl_status_t, _ call: @autoclosure () -> String) throws {
  guard status == dnnl_success else {
    throw OneDNNError(call: call(), status: Int(status.rawValue))
  }
}

/// oneDNN's engine of this process, and what it is.
public enum OneDNN {
  // Written once, before first use; oneDNN's engine may be used by all threads.
  nonisolated(unsafe) private static let sharedEngine: Result<dnnl_engine_t, OneDNNError> = {
    var engine: dnnl_engine_t?
    let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
    guard status == dnnl_success, let engine else {
      return .failure(OneDNNError(call: "dnnl_engine_create", status: Int(status.rawValue)))
    }
    return .success(engine)
  }()

  static func engine() throws -> dnnl_engine_t { try sharedEngine.get() }

  /// oneDNN's version, such as "2.6.3".
  public static var version: String {
    guard let version = dnnl_version()?.pointee else { return "unknown" }
    return "\(version.major).\(version.minor).\(version.patch)"
  }

  /// The instruction set that oneDNN's products use on this processor, such as "AVX-512 BF16".
  public static var instructionSet: String {
    switch dnnl_get_effective_cpu_isa() {
    case dnnl_cpu_isa_sse41: "SSE4.1"
    case dnnl_cpu_isa_avx: "AVX"
    case dnnl_cpu_isa_avx2: "AVX2"
    case dnnl_cpu_isa_avx512_core: "AVX-512"
    case dnnl_cpu_isa_avx512_core_vnni: "AVX-512 VNNI"
    case dnnl_cpu_isa_avx512_core_bf16: "AVX-512 BF16"
    case dnnl_cpu_isa_avx512_core_amx: "AMX"
    default: "generic"
    }
  }
}
