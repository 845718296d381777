#define _GNU_SOURCE

#include "CFaultInjection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Everything below reaches the kernel by syscall(2), so that no call of this library comes back to it.

enum { NOBODY = -1 };

static struct {
    const char *below;
    size_t length;
    int trace;
    long at;
    int error;
    int kills, tears, lasts;
} plan = {.trace = NOBODY};

static atomic_long counted;

__attribute__((constructor)) static void read_plan(void) {
    const char *trace = getenv("FAULT_TRACE"), *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND");
    const char *span = getenv("FAULT_SPAN");
    plan.below = getenv("FAULT_BELOW");
    plan.length = plan.below ? strlen(plan.below) : 0;
    if (trace) {
        plan.trace = (int)syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    plan.at = at ? atol(at) : 0;
    plan.kills = kind && strcmp(kind, "kill") == 0;
    plan.tears = kind && strcmp(kind, "torn") == 0;
    plan.error = kind ? atoi(kind) : 0;
    plan.lasts = span && strcmp(span, "on") == 0;
}

static int is_below(const char *path) {
    return plan.below && strncmp(path, plan.below, plan.length) == 0 &&
           (path[plan.length] == '/' || path[plan.length] == 0);
}

/// The path of an open file, or an empty one.
static void path_of(int descriptor, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long count = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[count > 0 ? count : 0] = 0;
}

/// The path that a name in a folder stands for.
static void path_at(int folder, const char *name, char path[PATH_MAX]) {
    char start[PATH_MAX] = "";
    if (name[0] != '/') {
        if (folder == AT_FDCWD) {
            syscall(SYS_getcwd, start, sizeof start);
        } else {
            path_of(folder, start);
        }
        strncat(start, "/", sizeof start - strlen(start) - 1);
    }
    snprintf(path, PATH_MAX, "%s%s", start, name);
}

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) syscall(SYS_sched_yield);
}

/// What a call is to do.
enum order { DO_IT, FAIL, SHORTEN, TEAR };

static enum order order_for(const char *call, const char *path, size_t bytes) {
    if (!is_below(path)) return DO_IT;
    long number = atomic_fetch_add(&counted, 1) + 1;
    if (plan.trace != NOBODY) {
        char line[PATH_MAX + 64];
        int count = snprintf(line, sizeof line, "%ld %s %s\n", number, call, path);
        syscall(SYS_write, plan.trace, line, (size_t)count);
    }
    if (plan.at == 0 || number < plan.at || (number > plan.at && !plan.lasts)) return DO_IT;
    if (plan.kills || (plan.tears && bytes < 2)) die();
    if (plan.tears) return TEAR;
    if (number == plan.at && plan.lasts && bytes > 1) return SHORTEN;
    errno = plan.error;
    return FAIL;
}

static enum order order_for_descriptor(const char *call, int descriptor, size_t bytes) {
    int number = errno;
    char path[PATH_MAX];
    path_of(descriptor, path);
    errno = number;
    return order_for(call, path, bytes);
}

static enum order order_for_name(const char *call, int folder, const char *name) {
    int number = errno;
    char path[PATH_MAX];
    path_at(folder, name, path);
    errno = number;
    return order_for(call, path, 0);
}

// MARK: What writes

static ssize_t written(enum order order, ssize_t result) {
    if (order == TEAR) die();
    return result;
}

static size_t part(enum order order, size_t count) { return order == DO_IT ? count : count / 2; }

ssize_t write(int descriptor, const void *bytes, size_t count) {
    enum order order = order_for_descriptor("write", descriptor, count);
    if (order == FAIL) return -1;
    return written(order, syscall(SYS_write, descriptor, bytes, part(order, count)));
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    enum order order = order_for_descriptor("pwrite", descriptor, count);
    if (order == FAIL) return -1;
    return written(order, syscall(SYS_pwrite64, descriptor, bytes, part(order, count), offset));
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    return pwrite(descriptor, bytes, count, offset);
}

/// The first of several pieces, or half of it where there is one only.
static ssize_t write_first(enum order order, int descriptor, const struct iovec *pieces, int count, off_t offset) {
    struct iovec first = pieces[0];
    if (count == 1) first.iov_len /= 2;
    long result = offset < 0 ? syscall(SYS_write, descriptor, first.iov_base, first.iov_len)
                             : syscall(SYS_pwrite64, descriptor, first.iov_base, first.iov_len, offset);
    return written(order, result);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
    enum order order = order_for_descriptor("writev", descriptor, 2);
    if (order == FAIL) return -1;
    if (order != DO_IT && count > 0) return write_first(order, descriptor, pieces, count, -1);
    return syscall(SYS_writev, descriptor, pieces, count);
}

ssize_t pwritev(int descriptor, const struct iovec *pieces, int count, off_t offset) {
    enum order order = order_for_descriptor("pwritev", descriptor, 2);
    if (order == FAIL) return -1;
    if (order != DO_IT && count > 0) return write_first(order, descriptor, pieces, count, offset);
    return syscall(SYS_pwritev, descriptor, pieces, count, offset, 0L);
}

ssize_t pwritev64(int descriptor, const struct iovec *pieces, int count, off64_t offset) {
    return pwritev(descriptor, pieces, count, offset);
}

// MARK: What changes or saves an open file

#define ON_DESCRIPTOR(name, parameters, ...)                          \
    int name parameters {                                             \
        if (order_for_descriptor(#name, descriptor, 0) == FAIL) return -1; \
        return (int)syscall(__VA_ARGS__);                             \
    }

ON_DESCRIPTOR(ftruncate, (int descriptor, off_t size), SYS_ftruncate, descriptor, size)
ON_DESCRIPTOR(ftruncate64, (int descriptor, off64_t size), SYS_ftruncate, descriptor, size)
ON_DESCRIPTOR(fsync, (int descriptor), SYS_fsync, descriptor)
ON_DESCRIPTOR(fdatasync, (int descriptor), SYS_fdatasync, descriptor)
ON_DESCRIPTOR(fchmod, (int descriptor, mode_t mode), SYS_fchmod, descriptor, mode)
ON_DESCRIPTOR(
    fallocate, (int descriptor, int mode, off_t offset, off_t size), SYS_fallocate, descriptor, mode, offset, size)
ON_DESCRIPTOR(
    fallocate64, (int descriptor, int mode, off64_t offset, off64_t size), SYS_fallocate, descriptor, mode, offset, size)

int posix_fallocate(int descriptor, off_t offset, off_t size) {
    int before = errno;
    int result = fallocate(descriptor, 0, offset, size) == 0 ? 0 : errno;
    errno = before;
    return result;
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t size) {
    return posix_fallocate(descriptor, offset, size);
}

// MARK: What changes names

int openat(int folder, const char *name, int flags, ...) {
    mode_t mode = 0;
    int creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    if (creates) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
        if (order_for_name("open", folder, name) == FAIL) return -1;
    }
    return (int)syscall(SYS_openat, folder, name, flags, mode);
}

int openat64(int folder, const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return openat(folder, name, flags, mode);
}

int open(const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return openat(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return openat(AT_FDCWD, name, flags, mode);
}

#define ON_NAME(call, parameters, folder, name, ...)              \
    int call parameters {                                         \
        if (order_for_name(#call, folder, name) == FAIL) return -1; \
        return (int)syscall(__VA_ARGS__);                         \
    }

ON_NAME(mkdir, (const char *name, mode_t mode), AT_FDCWD, name, SYS_mkdirat, AT_FDCWD, name, mode)
ON_NAME(mkdirat, (int folder, const char *name, mode_t mode), folder, name, SYS_mkdirat, folder, name, mode)
ON_NAME(rmdir, (const char *name), AT_FDCWD, name, SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR)
ON_NAME(unlink, (const char *name), AT_FDCWD, name, SYS_unlinkat, AT_FDCWD, name, 0)
ON_NAME(unlinkat, (int folder, const char *name, int flags), folder, name, SYS_unlinkat, folder, name, flags)
ON_NAME(chmod, (const char *name, mode_t mode), AT_FDCWD, name, SYS_fchmodat, AT_FDCWD, name, mode)
ON_NAME(rename, (const char *from, const char *name), AT_FDCWD, name, SYS_renameat2, AT_FDCWD, from, AT_FDCWD, name, 0)
ON_NAME(
    renameat, (int from, const char *old, int folder, const char *name), folder, name, SYS_renameat2, from, old, folder,
    name, 0)
ON_NAME(
    renameat2, (int from, const char *old, int folder, const char *name, unsigned flags), folder, name, SYS_renameat2,
    from, old, folder, name, flags)
ON_NAME(link, (const char *from, const char *name), AT_FDCWD, name, SYS_linkat, AT_FDCWD, from, AT_FDCWD, name, 0)
ON_NAME(
    linkat, (int from, const char *old, int folder, const char *name, int flags), folder, name, SYS_linkat, from, old,
    folder, name, flags)
ON_NAME(symlink, (const char *text, const char *name), AT_FDCWD, name, SYS_symlinkat, text, AT_FDCWD, name)
ON_NAME(symlinkat, (const char *text, int folder, const char *name), folder, name, SYS_symlinkat, text, folder, name)
