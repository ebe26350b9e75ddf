/* What a loss of power would undo: a list of changes, each with the bytes from before it. The real
 * calls are used throughout: these are not the program's own. */
#include "runtime/os/power.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Change {
    struct Change *before;
    dev_t device; /* of the file written to, or of the folder that a name came into */
    ino_t number;
    int fd; /* of a write; -1: a renaming */
    bool exchange; /* both names were there */
    off_t at, size;
    size_t count;
    char *old; /* `count` bytes at `at`; of a renaming both names, NUL between them */
} Change;

/* Process-wide, as the files are. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Change *latest;

static void add(const struct stat *st, Change c)
{
    Change *kept = c.old ? malloc(sizeof *kept) : NULL;
    if (!kept)
        abort(); /* a test that cannot say what was there proves nothing */
    c.device = st->st_dev;
    c.number = st->st_ino;
    pthread_mutex_lock(&lock);
    c.before = latest;
    *kept = c;
    latest = kept;
    pthread_mutex_unlock(&lock);
}

void power_writes(int fd, size_t n)
{
    struct stat st;
    char path[64];
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    Change c = {.fd = open(path, O_RDWR | O_CLOEXEC), .size = st.st_size};
    if (c.fd < 0)
        return; /* opened for reading: the write will fail */
    c.at = lseek(fd, 0, SEEK_CUR);
    if (c.at < st.st_size)
        c.count = (size_t)(st.st_size - c.at) < n ? (size_t)(st.st_size - c.at) : n;
    c.old = malloc(c.count + 1);
    if (c.old && pread(c.fd, c.old, c.count, c.at) != (ssize_t)c.count)
        abort();
    add(&st, c);
}

static void add_names(const char *from, const char *to, bool exchange)
{
    struct stat st;
    char folder[4096];
    size_t a = strlen(from) + 1, b = strlen(to) + 1;
    const char *slash = strrchr(to, '/');
    int n = slash ? (int)(slash - to) : 1;
    snprintf(folder, sizeof folder, "%.*s", slash == to ? 1 : n, slash ? to : ".");
    if (stat(folder, &st) != 0)
        return;
    Change c = {.fd = -1, .exchange = exchange, .at = (off_t)a, .old = malloc(a + b)};
    if (c.old) {
        memcpy(c.old, from, a);
        memcpy(c.old + a, to, b);
    }
    add(&st, c);
}

void power_renamed(const char *from, const char *to)
{
    add_names(from, to, false);
}

void power_exchanged(const char *a, const char *b)
{
    add_names(a, b, true);
}

static bool undo_names(const Change *c)
{
    unsigned how = c->exchange ? RENAME_EXCHANGE : 0;
    return renameat2(AT_FDCWD, c->old + c->at, AT_FDCWD, c->old, how) == 0;
}

static void forget(Change *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->old);
    free(c);
}

void power_synced(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return;
    pthread_mutex_lock(&lock);
    for (Change **at = &latest; *at;) {
        Change *c = *at;
        if (c->device == st.st_dev && c->number == st.st_ino) {
            *at = c->before;
            forget(c);
        } else {
            at = &c->before;
        }
    }
    pthread_mutex_unlock(&lock);
}

void power_lost(void)
{
    pthread_mutex_lock(&lock); /* for good: nothing happens after it */
    for (Change *c = latest; c; c = c->before) {
        bool failed = c->fd < 0 ? !undo_names(c)
                                : pwrite(c->fd, c->old, c->count, c->at) != (ssize_t)c->count ||
                                      ftruncate(c->fd, c->size) != 0;
        if (failed)
            perror("power_lost");
    }
}
