import COpenMPI

/// A Swift type that MPI knows: the type of a buffer supplies the datatype (MPI-3.1 section 3.2.2).
public protocol MPIElement: BitwiseCopyable {
  static var datatype: MPI_Datatype { get }
}

extension Float: MPIElement {
  public static var datatype: MPI_Datatype { MPI_FLOAT }
}

extension Double: MPIElement {
  public static var datatype: MPI_Datatype { MPI_DOUBLE }
}

extension UInt8: MPIElement {
  public static var datatype: MPI_Datatype { MPI_BYTE }
}

extension Int32: MPIElement {
  public static var datatype: MPI_Datatype { MPI_INT32_T }
}

extension Int: MPIElement {
  public static var datatype: MPI_Datatype { MPI_INT64_T }
}
