#include "children.h"

#include <mutex>

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tpm2 {

namespace {

constexpr unsigned kFirst = STDERR_FILENO + 1;
constexpr unsigned kCloseOnExec = 1u << 2;  // CLOSE_RANGE_CLOEXEC, Linux 5.11: close_range(2)
constexpr int kHighestTried = 4096;

// In the child of a fork, where nothing may be called but what a signal handler may call. Whoever forks marks again what
// the new program is to have, as libuv does.
void MarkAll() {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, kFirst, ~0u, kCloseOnExec) == 0) return;
#endif
  for (int fd = kFirst; fd < kHighestTried; fd++) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

}  // namespace

void KeepDescriptorsFromChildren() {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, MarkAll); });
}

}  // namespace tpm2
