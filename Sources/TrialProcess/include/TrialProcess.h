#pragma once
#include <stdbool.h>

/// Runs `trial` in a child process: whether it returned true there. Otherwise `ending` is how the child ended, as
/// waitpid() says it, or 0 if that is not known. Where no process can be had, the trial runs in this one.
bool passesInChild(bool (*_Nonnull trial)(void), int *_Nonnull ending);
