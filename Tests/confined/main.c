// Usage: confined HOW PROGRAM [ARGUMENT]…
//
// Runs PROGRAM where the system forbids something that it allows elsewhere:
//
//   no-machine-code    memory that was written to cannot become executable (hardened kernels)
//   kill-machine-code  a process that asks for memory to be both written and executed is killed, too (systemd)
//   no-other-memory    no process reads another's memory (containers)

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

enum { call = offsetof(struct seccomp_data, nr), protection = offsetof(struct seccomp_data, args[2]) };
static const unsigned refused = SECCOMP_RET_ERRNO | EPERM;

static int confine(struct sock_filter *code, size_t count) {
  struct sock_fprog program = {.len = count, .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int forbidMachineCode(unsigned answer) {
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
  return confine(code, sizeof code / sizeof *code);
}

static int forbidOtherMemory(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, call),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_writev, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, refused),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return confine(code, sizeof code / sizeof *code);
}

int main(int count, char **arguments) {
  const char *how = count < 3 ? "" : arguments[1];
  int result;
  if (!strcmp(how, "no-machine-code")) {
    result = forbidMachineCode(refused);
  } else if (!strcmp(how, "kill-machine-code")) {
    result = forbidMachineCode(SECCOMP_RET_KILL_PROCESS);
  } else if (!strcmp(how, "no-other-memory")) {
    result = forbidOtherMemory();
  } else {
    fputs("usage: confined no-machine-code|kill-machine-code|no-other-memory PROGRAM [ARGUMENT]...\n", stderr);
    return 64;
  }
  if (result != 0) {
    perror("confined: prctl");
    return 69;
  }
  execvp(arguments[2], arguments + 2);
  perror(arguments[2]);
  return 127;
}
