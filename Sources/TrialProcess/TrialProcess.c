#define _GNU_SOURCE
#include "TrialProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// Longer than any trial takes on a slow and busy machine.
enum { secondsToEnd = 60 };

static _Noreturn void tryOut(bool (*trial)(void), int report) {
  // A fault is an answer here: nobody is to handle it, write a core file, or print a backtrace.
  const int faults[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP, SIGSYS, SIGABRT, SIGALRM};
  sigset_t unblocked;
  sigemptyset(&unblocked);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    signal(faults[i], SIG_DFL);
    sigaddset(&unblocked, faults[i]);
  }
  sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  alarm(secondsToEnd);
  if (trial() && write(report, "1", 1) == 1) _exit(0);
  _exit(1);
}

bool passesInChild(bool (*trial)(void), int *ending) {
  *ending = 0;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return trial();
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    tryOut(trial, ends[1]);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return trial();
  }
  // What counts is the byte: how a child ends is not told where SIGCHLD is ignored.
  char byte;
  ssize_t count;
  do count = read(ends[0], &byte, 1);
  while (count < 0 && errno == EINTR);
  close(ends[0]);
  int status = 0;
  pid_t ended;
  do ended = waitpid(child, &status, 0);
  while (ended < 0 && errno == EINTR);
  if (ended == child) *ending = status;
  return count == 1;
}
