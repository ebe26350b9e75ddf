/* os.h - the one door to the operating system.
 *
 * `dg_os` is the table of system calls; everything in runtime/ and stdlib-components/ that touches
 * files, clocks, processes or the heap goes through it, so a test can fail or kill at each call.
 * Table members behave as the libc calls they are named after (errno, -1). What most code wants
 * are the functions below them: they loop short reads and writes, retry EINTR and report by
 * DgStatus and DgError. Third-party libraries (DuckDB, curl) make their own calls; SQLite's go
 * through this table (runtime/run/history.c sees to that).
 *
 * Faults: DGC_FAULT in the environment, a comma list of CALL:N:WHAT with CALL a member's name,
 * N the call to hit (from 1; `N+`: that one and all after it) and WHAT one of
 *     kill          the process dies by SIGKILL just before the call
 *     after         the process dies by SIGKILL just after it
 *     power         as kill, and what no fsync has followed is undone (power.h)
 *     short         only one byte is read or written
 *     fail          malloc gives NULL; for other calls the same as EIO
 *     EIO ENOSPC EINTR EAGAIN EACCES EMFILE ENOENT EPIPE
 * and `crash:NAME:N` for os_crashpoint("NAME"). DGC_FAULT_COUNT=FILE writes how often each was
 * called, one "NAME COUNT" a line, at exit. Without these variables the table holds the plain
 * calls and costs one indirect call.
 */
#ifndef DG_OS_H
#define DG_OS_H

#include <sys/stat.h>
#include <sys/types.h>

#include "runtime/base/base.h"

struct pollfd;

typedef struct DgOs {
    int (*open)(const char *path, int flags, mode_t mode); /* O_CLOEXEC is added */
    int (*close)(int fd);
    ssize_t (*read)(int fd, void *to, size_t n);
    ssize_t (*write)(int fd, const void *from, size_t n);
    ssize_t (*pread)(int fd, void *to, size_t n, off_t at);
    ssize_t (*pwrite)(int fd, const void *from, size_t n, off_t at);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*rename)(const char *from, const char *to);
    int (*exchange)(const char *a, const char *b); /* of what both names stand for, in one step */
    int (*rename_new)(const char *from, const char *to); /* fails when `to` is there */
    int (*link)(const char *from, const char *to); /* fails when `to` is there */
    int (*unlink)(const char *path);
    int (*rmdir)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*stat)(const char *path, struct stat *out);
    int (*flock)(int fd, int operation);
    void *(*opendir)(const char *path);
    int (*pipe)(int fds[2]); /* close-on-exec */
    int (*poll)(struct pollfd *fds, size_t count, int timeout_ms);
    pid_t (*fork)(void);
    int (*exec)(const char *file, char *const argv[], char *const env[]); /* looks through PATH */
    pid_t (*waitpid)(pid_t pid, int *status, int options);
    int (*kill)(pid_t pid, int signal);
    int64_t (*monotonic_ns)(void);
    int64_t (*real_ns)(void);         /* since 1970, UTC */
    void (*sleep_ns)(int64_t ns);     /* may wake early on a signal */
    int (*random)(void *to, size_t n);
    void *(*malloc)(size_t n);
    void *(*calloc)(size_t count, size_t n);
    void *(*realloc)(void *p, size_t n);
    void (*free)(void *p);
} DgOs;

extern DgOs dg_os;

/* Reads DGC_FAULT and DGC_FAULT_COUNT; dg_main() calls it first. False: the text is wrong. */
bool os_faults_init(DgError *err);
/* A named place where a test can kill the process. */
void os_crashpoint(const char *name);

/* ---- Memory. The runtime's long-lived allocations; arenas and StrBuf have their own. ---- */

void *os_alloc(size_t bytes);                  /* zeroed; NULL when out of memory */
void *os_realloc(void *p, size_t bytes);
void os_free(void *p);
/* dg_fail(DG_NOMEM) in one wording: "out of memory WHAT". */
DgStatus os_no_memory(DgError *err, const char *what);

/* ---- Files. Paths are NUL-terminated C strings. ---- */

/* Fails with the class that errno stands for: "could not VERB `path`: reason". */
DgStatus os_fail(DgError *err, int error_number, const char *verb, const char *path);
DgStatus os_open(const char *path, int flags, mode_t mode, int *fd, DgError *err);
void os_close(int fd); /* keeps errno; -1 is fine */
/* All of it, or an error; EINTR and short transfers are looped over. */
DgStatus os_write_all(int fd, const void *from, size_t n, const char *path, DgError *err);
/* Up to n bytes; fewer only at the end of the file. */
DgStatus os_read_some(int fd, void *to, size_t n, size_t *got, const char *path, DgError *err);
DgStatus os_pread_some(int fd, void *to, size_t n, int64_t at, size_t *got, const char *path,
                       DgError *err);
/* A failed fsync ends the process with exit code 74: what reached the disk is not known, and
 * asking again would say "fine". */
void os_sync(int fd, const char *path);

/* An exclusive lock on an open file or folder, which ends when it is closed. It is meant to be held for a moment: who
 * waits longer than wait_ms gets DG_TEMPFAIL. File systems without locks are as if nobody else were there. */
DgStatus os_lock(int fd, const char *path, int64_t wait_ms, DgError *err);

/* The whole file into the arena; more than bytes_max is an error. */
DgStatus os_read_file(Arena *a, const char *path, size_t bytes_max, Str *out, DgError *err);
/* Old content or new content, never a mix: temporary file, fsync, rename, fsync of the folder. */
DgStatus os_atomic_write(const char *path, Str bytes, mode_t mode, DgError *err);
/* mkdir -p. */
DgStatus os_make_folders(const char *path, DgError *err);
bool os_exists(const char *path);
/* Names in a folder, sorted, without . and .. */
DgStatus os_list(Arena *a, const char *path, StrArray *names, DgError *err);
/* rm -r; what is not there is fine. Does not follow symbolic links. */
DgStatus os_remove_tree(const char *path, DgError *err);

/* ---- Clocks ---- */

int64_t os_monotonic_ms(void); /* for durations and deadlines */
int64_t os_real_us(void);      /* microseconds since 1970, UTC */
void os_sleep_ms(int64_t ms);
void os_random(void *to, size_t n); /* never fails: falls back to the clocks */
uint64_t os_random_below(uint64_t bound); /* 0 <= x < bound; bound > 0 */

/* ---- Child processes: an argument list, never a shell ---- */

typedef struct OsSpawn {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* whole environment, "K=V", NULL-terminated; NULL: our own */
    const char *folder;      /* working directory; NULL: ours */
} OsSpawn;

typedef struct OsChild {
    pid_t pid;          /* leader of a process group of its own */
    int out_fd, err_fd; /* read ends; -1 once closed */
} OsChild;

/* Standard input is /dev/null. Fails with DG_CONFIG when the program is not there. */
DgStatus os_spawn(const OsSpawn *spawn, OsChild *out, DgError *err);
/* True once it has ended; *status as from waitpid. */
bool os_child_done(OsChild *child, int *status);
/* SIGTERM to the group, SIGKILL after grace_ms, then reaped; closes the pipes. */
void os_child_stop(OsChild *child, int64_t grace_ms, int *status);

#endif
