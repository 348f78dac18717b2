#pragma once
#include <mpi.h>

// MPI's handles are macros with casts, which Swift does not import: here they are again as getters.
#define SWIFT_GETTER(type, name) \
  static inline __attribute__((swift_name("getter:" #name "()"))) type shim_##name(void) { return name; }

SWIFT_GETTER(MPI_Comm, MPI_COMM_WORLD)
SWIFT_GETTER(MPI_Comm, MPI_COMM_NULL)
SWIFT_GETTER(MPI_Info, MPI_INFO_NULL)
SWIFT_GETTER(MPI_Errhandler, MPI_ERRORS_RETURN)
SWIFT_GETTER(MPI_Request, MPI_REQUEST_NULL)
SWIFT_GETTER(MPI_Status *, MPI_STATUS_IGNORE)
SWIFT_GETTER(MPI_Status *, MPI_STATUSES_IGNORE)
SWIFT_GETTER(void *, MPI_IN_PLACE)
SWIFT_GETTER(void *, MPI_BOTTOM)
SWIFT_GETTER(MPI_Datatype, MPI_FLOAT)
SWIFT_GETTER(MPI_Datatype, MPI_DOUBLE)
SWIFT_GETTER(MPI_Datatype, MPI_BYTE)
SWIFT_GETTER(MPI_Datatype, MPI_INT32_T)
SWIFT_GETTER(MPI_Datatype, MPI_INT64_T)
SWIFT_GETTER(MPI_Datatype, MPI_DATATYPE_NULL)
SWIFT_GETTER(MPI_Op, MPI_SUM)
