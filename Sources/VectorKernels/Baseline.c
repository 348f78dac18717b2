#define TABLE baselineKernels
#define TABLE_NAME "baseline"
#include "Build.h"
