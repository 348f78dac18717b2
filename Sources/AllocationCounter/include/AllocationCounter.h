#pragma once
#include <stdbool.h>

// In programs that link this, malloc and its relatives are counted on their way to the C library. Not counted is what
// oneDNN allocates: a few small objects each time that a product is run, which nobody else can help.

/// Begins or ends to count.
void countAllocations(bool on);

/// Allocations counted so far.
long allocationCount(void);
