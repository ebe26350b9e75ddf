/* Faults on demand: DGC_FAULT and DGC_FAULT_COUNT, see os.h.
 *
 * When either variable is set, os_faults_init() keeps the table as `real` and puts a wrapper in
 * front of each call that can fail. A wrapper counts, looks for a rule for (call, count), and does
 * what the rule says or passes the call on. Otherwise the table is left alone. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/os/power.h"

#define FAULT_CALLS(X)                                                                   \
    X(open) X(close) X(read) X(write) X(pread) X(pwrite) X(fsync) X(fdatasync)           \
    X(ftruncate) X(rename) X(rename_new) X(exchange) X(link) X(unlink) X(rmdir) X(mkdir) X(stat) X(flock) \
    X(opendir) X(pipe) X(poll) X(fork) X(waitpid) X(kill) X(random) X(malloc) X(crash)

enum {
#define X(name) CALL_##name,
    FAULT_CALLS(X)
#undef X
    CALLS_COUNT,
    RULES_MAX = 32,
    CRASHPOINTS_MAX = 64,
};

static const char *const call_names[] = {
#define X(name) #name,
    FAULT_CALLS(X)
#undef X
};

typedef enum Effect { EFFECT_NONE, EFFECT_ERROR, EFFECT_KILL, EFFECT_AFTER, EFFECT_SHORT,
                      EFFECT_POWER } Effect;

typedef struct Rule {
    int call;
    Str name; /* of a crash point */
    int64_t nth;
    bool onwards;
    Effect effect;
    int error_number;
} Rule;

/* Process-wide like the table it stands before; written once, before any thread starts. */
static DgOs real;
static Rule rules[RULES_MAX];
static int rules_count;
static atomic_llong counts[CALLS_COUNT];
static const char *count_path;
static bool active;
static bool power_may_fail; /* some rule says so */
static struct {
    const char *_Atomic name;
    atomic_llong count;
} crashpoints[CRASHPOINTS_MAX];

static void die(void)
{
    raise(SIGKILL);
    _exit(137);
}

static const Rule *rule_for(int call, Str name, int64_t nth)
{
    for (int i = 0; i < rules_count; i++) {
        const Rule *r = &rules[i];
        if (r->call != call || (call == CALL_crash && !str_eq(r->name, name)))
            continue;
        if (nth == r->nth || (r->onwards && nth > r->nth))
            return r;
    }
    return NULL;
}

/* Counts a call. EFFECT_ERROR sets errno. */
static Effect hit(int call)
{
    int64_t nth = atomic_fetch_add_explicit(&counts[call], 1, memory_order_relaxed) + 1;
    const Rule *r = rule_for(call, (Str){0}, nth);
    if (!r)
        return EFFECT_NONE;
    if (r->effect == EFFECT_POWER)
        power_lost();
    if (r->effect == EFFECT_KILL || r->effect == EFFECT_POWER)
        die();
    if (r->effect == EFFECT_ERROR)
        errno = r->error_number;
    return r->effect;
}

#define WRAP(name, failure, ...)              \
    Effect effect = hit(CALL_##name);         \
    if (effect == EFFECT_ERROR)               \
        return failure;                       \
    __typeof__(real.name(__VA_ARGS__)) result = real.name(__VA_ARGS__); \
    if (effect == EFFECT_AFTER)               \
        die();                                \
    return result

static size_t cut(Effect effect, size_t n)
{
    return effect == EFFECT_SHORT && n > 1 ? 1 : n;
}

#define WRAP_TRANSFER(name, n, ...)           \
    Effect effect = hit(CALL_##name);         \
    if (effect == EFFECT_ERROR)               \
        return -1;                            \
    n = cut(effect, n);                       \
    ssize_t result = real.name(__VA_ARGS__);  \
    if (effect == EFFECT_AFTER)               \
        die();                                \
    return result

static int fault_open(const char *path, int flags, mode_t mode) { WRAP(open, -1, path, flags, mode); }
static int fault_close(int fd) { WRAP(close, -1, fd); }
static ssize_t fault_read(int fd, void *to, size_t n) { WRAP_TRANSFER(read, n, fd, to, n); }
static ssize_t fault_write(int fd, const void *p, size_t n)
{
    if (power_may_fail)
        power_writes(fd, n);
    WRAP_TRANSFER(write, n, fd, p, n);
}
static ssize_t fault_pread(int fd, void *to, size_t n, off_t at)
{
    WRAP_TRANSFER(pread, n, fd, to, n, at);
}
static ssize_t fault_pwrite(int fd, const void *from, size_t n, off_t at)
{
    WRAP_TRANSFER(pwrite, n, fd, from, n, at);
}
static int synced(int fd, int result)
{
    if (power_may_fail && result == 0)
        power_synced(fd);
    return result;
}
static int sync_file(int fd) { WRAP(fsync, -1, fd); }
static int sync_data(int fd) { WRAP(fdatasync, -1, fd); }
static int fault_fsync(int fd) { return synced(fd, sync_file(fd)); }
static int fault_fdatasync(int fd) { return synced(fd, sync_data(fd)); }
static int fault_ftruncate(int fd, off_t size) { WRAP(ftruncate, -1, fd, size); }
static int rename_file(const char *from, const char *to) { WRAP(rename, -1, from, to); }
static int fault_rename(const char *from, const char *to)
{
    struct stat info;
    bool anew = power_may_fail && real.stat(to, &info) != 0;
    int result = rename_file(from, to);
    if (anew && result == 0)
        power_renamed(from, to);
    return result;
}
static int rename_to_new(const char *from, const char *to) { WRAP(rename_new, -1, from, to); }
static int fault_rename_new(const char *from, const char *to)
{
    int result = rename_to_new(from, to);
    if (power_may_fail && result == 0)
        power_renamed(from, to);
    return result;
}
static int exchange_names(const char *a, const char *b) { WRAP(exchange, -1, a, b); }
static int fault_exchange(const char *a, const char *b)
{
    int result = exchange_names(a, b);
    if (power_may_fail && result == 0)
        power_exchanged(a, b);
    return result;
}
static int fault_link(const char *from, const char *to) { WRAP(link, -1, from, to); }
static int fault_unlink(const char *path) { WRAP(unlink, -1, path); }
static int fault_rmdir(const char *path) { WRAP(rmdir, -1, path); }
static int fault_mkdir(const char *path, mode_t mode) { WRAP(mkdir, -1, path, mode); }
static int fault_stat(const char *path, struct stat *out) { WRAP(stat, -1, path, out); }
static int fault_flock(int fd, int operation) { WRAP(flock, -1, fd, operation); }
static void *fault_opendir(const char *path) { WRAP(opendir, NULL, path); }
static int fault_pipe(int fds[2]) { WRAP(pipe, -1, fds); }
static int fault_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    WRAP(poll, -1, fds, count, timeout_ms);
}
static pid_t fault_fork(void)
{
    Effect effect = hit(CALL_fork);
    if (effect == EFFECT_ERROR)
        return -1;
    pid_t pid = real.fork();
    if (effect == EFFECT_AFTER && pid != 0)
        die();
    return pid;
}
static pid_t fault_waitpid(pid_t pid, int *status, int options)
{
    WRAP(waitpid, -1, pid, status, options);
}
static int fault_kill(pid_t pid, int signal) { WRAP(kill, -1, pid, signal); }
static int fault_random(void *to, size_t n) { WRAP(random, -1, to, n); }

/* All ways to get memory count as malloc. */
static void *fault_malloc(size_t n) { WRAP(malloc, NULL, n); }
static void *fault_calloc(size_t count, size_t n)
{
    Effect effect = hit(CALL_malloc);
    return effect == EFFECT_ERROR ? NULL : real.calloc(count, n);
}
static void *fault_realloc(void *p, size_t n)
{
    Effect effect = hit(CALL_malloc);
    return effect == EFFECT_ERROR ? NULL : real.realloc(p, n);
}

/* ---- The two variables ---- */

static bool parse_effect(Str what, int call, Rule *r)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR}, {"EAGAIN", EAGAIN},
                  {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"ENOENT", ENOENT}, {"EPIPE", EPIPE}};
    r->effect = EFFECT_ERROR;
    if (str_eq(what, S("kill")))
        r->effect = EFFECT_KILL;
    else if (str_eq(what, S("after")))
        r->effect = EFFECT_AFTER;
    else if (str_eq(what, S("power"))) {
        r->effect = EFFECT_POWER;
        power_may_fail = true;
    } else if (str_eq(what, S("short")))
        r->effect = EFFECT_SHORT;
    else if (str_eq(what, S("fail")))
        r->error_number = call == CALL_malloc ? ENOMEM : EIO;
    else {
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
            if (str_eq(what, str_from(errors[i].name)))
                r->error_number = errors[i].number;
        return r->error_number != 0;
    }
    return true;
}

/* "write:7+:EIO", "crash:commit:1" */
static bool parse_rule(Str text, Rule *r)
{
    Str call, rest, middle, last;
    *r = (Rule){.call = -1};
    if (!str_cut(text, ':', &call, &rest) || !str_cut(rest, ':', &middle, &last))
        return false;
    for (int i = 0; i < CALLS_COUNT; i++)
        if (str_eq(call, str_from(call_names[i])))
            r->call = i;
    if (r->call < 0)
        return false;
    Str nth = r->call == CALL_crash ? last : middle;
    if (str_ends(nth, S("+"))) {
        r->onwards = true;
        nth.len--;
    }
    if (!str_to_int(nth, &r->nth) || r->nth < 1)
        return false;
    if (r->call == CALL_crash) {
        r->name = middle;
        r->effect = EFFECT_KILL;
        return true;
    }
    return parse_effect(last, r->call, r);
}

static void write_counts(void)
{
    FILE *f = fopen(count_path, "w");
    if (!f)
        return;
    for (int i = 0; i < CALLS_COUNT; i++)
        if (i != CALL_crash)
            fprintf(f, "%s %lld\n", call_names[i], (long long)counts[i]);
    for (int i = 0; i < CRASHPOINTS_MAX; i++)
        if (crashpoints[i].name)
            fprintf(f, "crash:%s %lld\n", crashpoints[i].name, (long long)crashpoints[i].count);
    fclose(f);
}

static void install(void)
{
    real = dg_os;
    active = true;
#define X(name) dg_os.name = fault_##name;
    X(open) X(close) X(read) X(write) X(pread) X(pwrite) X(fsync) X(fdatasync) X(ftruncate)
    X(rename) X(rename_new) X(exchange) X(link) X(unlink) X(rmdir) X(mkdir) X(stat) X(flock) X(opendir) X(pipe)
    X(poll) X(fork) X(waitpid) X(kill) X(random) X(malloc) X(calloc) X(realloc)
#undef X
}

bool os_faults_init(DgError *err)
{
    const char *text = getenv("DGC_FAULT"), *path = getenv("DGC_FAULT_COUNT");
    if (active || ((!text || !*text) && (!path || !*path)))
        return true;
    Str rest = str_from(text), one;
    while (rest.len) {
        str_cut(rest, ',', &one, &rest);
        if (rules_count == RULES_MAX || !parse_rule(one, &rules[rules_count])) {
            dg_fail(err, DG_USAGE, "DGC_FAULT: `%.*s` is not CALL:N:WHAT", FMT(one));
            return false;
        }
        rules_count++;
    }
    if (path && *path) {
        count_path = path;
        atexit(write_counts);
    }
    install();
    return true;
}

void os_crashpoint(const char *name)
{
    if (!active)
        return;
    for (int i = 0; i < CRASHPOINTS_MAX; i++) {
        const char *there = NULL;
        if (!atomic_compare_exchange_strong(&crashpoints[i].name, &there, name) &&
            !str_eq(str_from(there), str_from(name)))
            continue;
        int64_t nth = atomic_fetch_add(&crashpoints[i].count, 1) + 1;
        if (rule_for(CALL_crash, str_from(name), nth))
            die();
        return;
    }
}
