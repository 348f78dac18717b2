#pragma once
#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Calls of Linux for which C's library has no function that Swift could call: syscall(2) is variadic.

/// Sleeps while the word is `expected`, at most so long; may return early. Works between processes that share the word.
static inline void futexWait(const uint32_t *_Nonnull word, uint32_t expected, long nanoseconds) {
  const struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  syscall(SYS_futex, word, FUTEX_WAIT, expected, &limit, 0, 0);
}

/// Wakes all who sleep at the word.
static inline void futexWake(const uint32_t *_Nonnull word) {
  syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, 0, 0, 0);
}

/// Tells the processor that this is a loop that waits: the core's other hardware thread gets the time.
static inline void pauseProcessor(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Writes this process's affinity mask, one bit a processor; returns the number of bytes written, or -1.
static inline long readAffinityMask(unsigned long *_Nonnull words, unsigned long byteCount) {
  return syscall(SYS_sched_getaffinity, 0, byteCount, words);
}
