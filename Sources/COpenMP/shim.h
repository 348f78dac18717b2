#pragma once

// Of libgomp, GCC's OpenMP library; <omp.h> itself is a compiler's header.
extern int omp_get_num_procs(void);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
