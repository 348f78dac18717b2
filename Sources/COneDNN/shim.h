#pragma once
#include <oneapi/dnnl/dnnl.h>

// oneDNN runs its loops on OpenMP threads (libgomp); <omp.h> itself is a compiler's header.
extern void omp_set_num_threads(int count);
extern int omp_get_num_procs(void);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
