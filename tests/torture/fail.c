/* fail.c: fails calls that a program makes of the C library. Loaded with LD_PRELOAD; the program
 * under test is as it is shipped. Only calls from the program's own file count, that is our code and
 * the libraries linked into it, not those that DuckDB or the C library make themselves.
 *
 *     FAIL=memory:N    the Nth allocation fails;   FAIL=memory:N+   that one and all after it
 *     FAIL=call:N      the Nth system call fails, with an errno it may well have
 *     FAIL_PROGRAM=X   only in the program X, not in those that start it
 *     FAIL_LOG=FILE    at exit: "memory COUNT", "call COUNT"; what was failed: "failed NAME" */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMORY, CALL, KINDS };
static const char *const kind_names[] = {"memory", "call"};

static uintptr_t code_from, code_to; /* the program's own code */
static atomic_long counts[KINDS];
static int fail_kind = -1;
static long fail_nth;
static bool fail_onwards;
static pid_t owner;
static const char *log_path;
static const char *_Atomic failed_name;

static int find_code(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        code_from = info->dlpi_addr + p->p_vaddr;
        code_to = code_from + p->p_memsz;
    }
    return 1; /* the first is the program */
}

static void write_log(void)
{
    FILE *f = log_path && getpid() == owner ? fopen(log_path, "w") : NULL;
    if (!f)
        return;
    for (int k = 0; k < KINDS; k++)
        fprintf(f, "%s %ld\n", kind_names[k], (long)counts[k]);
    if (failed_name)
        fprintf(f, "failed %s\n", failed_name);
    fclose(f);
}

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("FAIL"), *colon = text ? strchr(text, ':') : NULL;
    const char *program = getenv("FAIL_PROGRAM");
    if (program && strcmp(program, program_invocation_short_name) != 0)
        return;
    log_path = getenv("FAIL_LOG");
    owner = getpid();
    if (colon) {
        char *end;
        fail_nth = strtol(colon + 1, &end, 10);
        fail_onwards = *end == '+';
        fail_kind = strncmp(text, "memory", 6) == 0 ? MEMORY : CALL;
    }
    unsetenv("LD_PRELOAD"); /* programs that it starts are left alone */
    dl_iterate_phdr(find_code, NULL);
    atexit(write_log);
}

/* Whether this call is the one to fail. */
static bool hit(int kind, const char *name, const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    if (at < code_from || at >= code_to)
        return false;
    long nth = atomic_fetch_add(&counts[kind], 1) + 1;
    if (kind != fail_kind || (nth != fail_nth && !(fail_onwards && nth > fail_nth)))
        return false;
    if (!failed_name)
        failed_name = name;
    return true;
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* What ferror() looks at in glibc. */
enum { STDIO_ERROR = 0x20 };

#define CALLER __builtin_return_address(0)

/* FAKE(TYPE, NAME, (PARAMETERS), (ARGUMENTS), FAILURE, ERRNO) */
#define FAKE_OF(kind, type, name, parameters, arguments, failure, number) \
    type name parameters                                                  \
    {                                                                     \
        static type(*next) parameters;                                    \
        if (!next)                                                        \
            *(void **)&next = real(#name);                                \
        if (hit(kind, #name, CALLER)) {                                   \
            errno = number;                                               \
            return failure;                                               \
        }                                                                 \
        return next arguments;                                            \
    }
#define FAKE(...) FAKE_OF(CALL, __VA_ARGS__)
#define FAKE_MEMORY(...) FAKE_OF(MEMORY, __VA_ARGS__)

#ifndef CALLS_ONLY /* valgrind has an allocator of its own */
/* dlsym may allocate: the allocator is looked up under the names that glibc keeps for itself. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
#define ALLOCATE(parameters, name, arguments)          \
    void *name parameters                              \
    {                                                  \
        if (hit(MEMORY, #name, CALLER)) {              \
            errno = ENOMEM;                            \
            return NULL;                               \
        }                                              \
        return __libc_##name arguments;                \
    }
ALLOCATE((size_t n), malloc, (n))
ALLOCATE((size_t count, size_t n), calloc, (count, n))
ALLOCATE((void *p, size_t n), realloc, (p, n))

#endif
FAKE_MEMORY(char *, strdup, (const char *s), (s), NULL, ENOMEM)
FAKE_MEMORY(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from),
            (at, n, prot, flags, fd, from), MAP_FAILED, ENOMEM)
FAKE_MEMORY(int, mprotect, (void *at, size_t n, int prot), (at, n, prot), -1, ENOMEM)

#define OPEN(name)                                                                    \
    int name(const char *path, int flags, ...)                                        \
    {                                                                                 \
        static int (*next)(const char *, int, ...);                                   \
        if (!next)                                                                    \
            *(void **)&next = real(#name);                                            \
        __builtin_va_list args;                                                       \
        __builtin_va_start(args, flags);                                              \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? __builtin_va_arg(args, mode_t) : 0; \
        __builtin_va_end(args);                                                       \
        if (hit(CALL, #name, CALLER)) {                                               \
            errno = flags & (O_WRONLY | O_RDWR) ? EACCES : EMFILE;                    \
            return -1;                                                                \
        }                                                                             \
        return next(path, flags, mode);                                               \
    }
OPEN(open)
OPEN(open64)

FAKE(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, EMFILE)
FAKE(FILE *, fopen64, (const char *path, const char *mode), (path, mode), NULL, EMFILE)
FAKE(FILE *, fdopen, (int fd, const char *mode), (fd, mode), NULL, ENOMEM)
FAKE(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n), -1, EIO)
FAKE(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), -1, EIO)
FAKE(ssize_t, pread64, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), -1, EIO)
/* Standard error stays: else nobody could be told. */
ssize_t write(int fd, const void *from, size_t n)
{
    static ssize_t (*next)(int, const void *, size_t);
    if (!next)
        *(void **)&next = real("write");
    if (fd != STDERR_FILENO && hit(CALL, "write", CALLER)) {
        errno = ENOSPC;
        return -1;
    }
    return next(fd, from, n);
}
FAKE(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at), -1, ENOSPC)
FAKE(ssize_t, pwrite64, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at), -1, ENOSPC)
FAKE(int, fsync, (int fd), (fd), -1, EIO)
FAKE(int, fdatasync, (int fd), (fd), -1, EIO)
FAKE(int, ftruncate, (int fd, off_t n), (fd, n), -1, EIO)
FAKE(int, ftruncate64, (int fd, off_t n), (fd, n), -1, EIO)
FAKE(off_t, lseek, (int fd, off_t at, int from), (fd, at, from), -1, EIO)
FAKE(int, close, (int fd), (fd), (next(fd), -1), EIO)
FAKE(int, rename, (const char *from, const char *to), (from, to), -1, ENOSPC)
FAKE(int, renameat2, (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
     (from_folder, from, to_folder, to, flags), -1, ENOSPC)
FAKE(int, unlink, (const char *path), (path), -1, EACCES)
FAKE(int, remove, (const char *path), (path), -1, EACCES)
FAKE(int, rmdir, (const char *path), (path), -1, EACCES)
FAKE(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, ENOSPC)
FAKE(char *, mkdtemp, (char *path), (path), NULL, EACCES)
FAKE(int, mkstemp, (char *path), (path), -1, EACCES)
FAKE(int, mkstemps, (char *path, int n), (path, n), -1, EACCES)
FAKE(int, stat, (const char *path, struct stat *to), (path, to), -1, EIO)
FAKE(int, stat64, (const char *path, struct stat64 *to), (path, to), -1, EIO)
FAKE(int, lstat, (const char *path, struct stat *to), (path, to), -1, EIO)
FAKE(int, lstat64, (const char *path, struct stat64 *to), (path, to), -1, EIO)
FAKE(int, fstat, (int fd, struct stat *to), (fd, to), -1, EIO)
FAKE(int, fstat64, (int fd, struct stat64 *to), (fd, to), -1, EIO)
FAKE(int, access, (const char *path, int mode), (path, mode), -1, EACCES)
FAKE(int, chmod, (const char *path, mode_t mode), (path, mode), -1, EACCES)
FAKE(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, EACCES)
FAKE(int, flock, (int fd, int operation), (fd, operation), -1, EIO)
FAKE(DIR *, opendir, (const char *path), (path), NULL, EMFILE)
FAKE(struct dirent *, readdir, (DIR *dir), (dir), NULL, EIO)
FAKE(char *, realpath, (const char *path, char *to), (path, to), NULL, EACCES)
FAKE(char *, getcwd, (char *to, size_t n), (to, n), NULL, ENOENT)
FAKE(int, pipe2, (int fds[2], int flags), (fds, flags), -1, EMFILE)
FAKE(int, poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms), -1, ENOMEM)
FAKE(pid_t, fork, (void), (), -1, EAGAIN)
FAKE(int, posix_spawn,
     (pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *restrict a, char *const *restrict argv, char *const *restrict env),
     (pid, path, actions, a, argv, env), EAGAIN, EAGAIN)
FAKE(int, pthread_create,
     (pthread_t *restrict t, const pthread_attr_t *restrict a, void *(*f)(void *), void *restrict x),
     (t, a, f, x), EAGAIN, EAGAIN)
FAKE(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1, EMFILE)
FAKE(void *, dlopen, (const char *path, int flags), (path, flags), NULL, ENOMEM)
FAKE(int, glob, (const char *restrict pattern, int flags, int (*f)(const char *, int),
                 glob_t *restrict to), (pattern, flags, f, to), GLOB_NOSPACE, ENOMEM)
FAKE(int, statvfs, (const char *restrict path, struct statvfs *restrict to), (path, to), -1, EIO)
FAKE(ssize_t, getrandom, (void *to, size_t n, unsigned flags), (to, n, flags), -1, ENOSYS)
FAKE(size_t, fread, (void *restrict to, size_t size, size_t n, FILE *restrict f), (to, size, n, f),
     (f->_flags |= STDIO_ERROR, 0), EIO)
