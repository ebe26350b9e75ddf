/* The real system calls, memory and clocks. */
#include "runtime/os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int real_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

static void *real_opendir(const char *path)
{
    return opendir(path);
}

static int real_exchange(const char *a, const char *b)
{
    return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

/* Some network file systems know links only. */
static int real_rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return link(from, to) == 0 ? unlink(from) : -1;
}

static int real_pipe(int fds[2])
{
    return pipe2(fds, O_CLOEXEC);
}

static int real_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    return poll(fds, (nfds_t)count, timeout_ms);
}

static int real_exec(const char *file, char *const argv[], char *const env[])
{
    return execvpe(file, argv, env);
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t real_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t real_real_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

static void real_sleep_ns(int64_t ns)
{
    if (ns <= 0)
        return;
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    nanosleep(&t, NULL);
}

static int real_random(void *to, size_t n)
{
    char *at = to;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

DgOs dg_os = {
    .open = real_open,
    .close = close,
    .read = read,
    .write = write,
    .pread = pread,
    .pwrite = pwrite,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .ftruncate = ftruncate,
    .rename = rename,
    .exchange = real_exchange,
    .rename_new = real_rename_new,
    .link = link,
    .unlink = unlink,
    .rmdir = rmdir,
    .mkdir = mkdir,
    .stat = stat,
    .flock = flock,
    .opendir = real_opendir,
    .pipe = real_pipe,
    .poll = real_poll,
    .fork = fork,
    .exec = real_exec,
    .waitpid = waitpid,
    .kill = kill,
    .monotonic_ns = real_monotonic_ns,
    .real_ns = real_real_ns,
    .sleep_ns = real_sleep_ns,
    .random = real_random,
    .malloc = malloc,
    .calloc = calloc,
    .realloc = realloc,
    .free = free,
};

/* ---- Memory ---- */

void *os_alloc(size_t bytes)
{
    return dg_os.calloc(1, bytes ? bytes : 1);
}

void *os_realloc(void *p, size_t bytes)
{
    return dg_os.realloc(p, bytes ? bytes : 1);
}

void os_free(void *p)
{
    int kept = errno;
    dg_os.free(p);
    errno = kept;
}

DgStatus os_no_memory(DgError *err, const char *what)
{
    return dg_fail(err, DG_NOMEM, "out of memory %s", what);
}

/* ---- Clocks ---- */

int64_t os_monotonic_ms(void)
{
    return dg_os.monotonic_ns() / 1000000;
}

int64_t os_real_us(void)
{
    return dg_os.real_ns() / 1000;
}

void os_sleep_ms(int64_t ms)
{
    dg_os.sleep_ns(ms * 1000000);
}

void os_random(void *to, size_t n)
{
    if (dg_os.random(to, n) == 0)
        return;
    /* No entropy: jitter and ids only need to differ, so the clocks will do. */
    uint64_t x = (uint64_t)dg_os.monotonic_ns() ^ (uint64_t)dg_os.real_ns() << 20 ^
                 (uint64_t)(uintptr_t)to;
    unsigned char *at = to;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        at[i] = (unsigned char)(x >> 32);
    }
}

uint64_t os_random_below(uint64_t bound)
{
    assert(bound > 0);
    uint64_t x = 0;
    os_random(&x, sizeof x);
    return x % bound; /* the bias is far below what jitter needs */
}
