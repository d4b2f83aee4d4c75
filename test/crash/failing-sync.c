/*
 * Preloaded into a daemon: while the file FAIL_SYNC_WHILE exists, making a file durable whose path ends with FAIL_SYNC_OF fails with EIO,
 * as it does on a disk that lost what was written. Like the kernel, it says so and forgets it: nothing else is different.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd) {
  const char *flag = getenv("FAIL_SYNC_WHILE"), *suffix = getenv("FAIL_SYNC_OF");
  if (!flag || !suffix || access(flag, F_OK) != 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  size_t end = strlen(suffix);
  return (size_t)length >= end && strcmp(path + length - end, suffix) == 0;
}

int fsync(int fd) {
  if (fails(fd)) { errno = EIO; return -1; }
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  return real(fd);
}

int fdatasync(int fd) {
  if (fails(fd)) { errno = EIO; return -1; }
  int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
  return real(fd);
}
