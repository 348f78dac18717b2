#pragma once
#include <stdbool.h>

// In programs that link this, malloc and its relatives are counted on their way to the C library.

/// Begins or ends to count.
void countAllocations(bool on);

/// Allocations counted so far.
long allocationCount(void);
