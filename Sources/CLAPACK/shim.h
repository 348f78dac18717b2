#pragma once
#include <stddef.h>

// The Fortran interface of LAPACK; all that provide it (Netlib, OpenBLAS) have it. The last two arguments are the
// lengths of the two texts, which Fortran compilers pass.

/// Eigenvalues in ascending order, and with job "V" the eigenvectors, of a real symmetric matrix.
void dsyev_(const char *_Nonnull job, const char *_Nonnull triangle, const int *_Nonnull size, double *_Nonnull matrix,
            const int *_Nonnull leadingDimension, double *_Nonnull eigenvalues, double *_Nonnull work,
            const int *_Nonnull workSize, int *_Nonnull information, size_t jobLength, size_t triangleLength);
