// Usage: without-machine-code refuse|kill PROGRAM [ARGUMENT]…
//
// Runs PROGRAM where no memory can become executable that was written to, as systemd's MemoryDenyWriteExecute and
// hardened kernels have it. A process that asks for memory to be both written and executed is refused it, or killed.

#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **arguments) {
  if (count < 3 || (strcmp(arguments[1], "refuse") && strcmp(arguments[1], "kill"))) {
    fputs("usage: without-machine-code refuse|kill PROGRAM [ARGUMENT]...\n", stderr);
    return 64;
  }
  const unsigned refused = SECCOMP_RET_ERRNO | EPERM;
  const unsigned answer = strcmp(arguments[1], "kill") ? refused : SECCOMP_RET_KILL_PROCESS;
  enum { call = offsetof(struct seccomp_data, nr), protection = offsetof(struct seccomp_data, args[2]) };
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, call),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pkey_mprotect, 4, 7),
      // mmap: both written and executed
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, protection),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_WRITE | PROT_EXEC, 0, 4),
      BPF_STMT(BPF_RET | BPF_K, answer),
      // mprotect: executed from now on
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, protection),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, refused),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("without-machine-code: prctl");
    return 69;
  }
  execvp(arguments[2], arguments + 2);
  perror(arguments[2]);
  return 127;
}
