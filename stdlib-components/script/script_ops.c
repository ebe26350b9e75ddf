/* The step that runs a program: dgc.Script, PythonScriptComponent, UvRunComponent.
 *
 * The program gets its Pipes context in DAGSTER_PIPES_CONTEXT and writes its messages to a file
 * that is read while it runs. Its output goes line by line to the log. Cancelling or a timeout
 * stops its whole process group. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stdlib-components/script/script.h"

#include "runtime/os/os.h"
#include "runtime/run/pipes_server.h"
#include "runtime/run/scheduler.h"

enum { LINE_MAX_BYTES = 64 << 10, POLL_MS = 100, GRACE_MS = 5000 };

const DgField dg_script_step_fields[] = {
    DG_FIELD_STRINGS(ScriptStep, argv, .flags = DG_REQUIRED,
                     .doc = "Program and arguments; no shell."),
    DG_FIELD_STRING(ScriptStep, folder, .doc = "Working directory."),
    DG_FIELD_BOOL(ScriptStep, pipes, .doc = "Speak Dagster Pipes.", .fallback = "true"),
    DG_FIELD_STRING_MAP(ScriptStep, env, .doc = "Added to the environment."),
    DG_FIELD_DURATION(ScriptStep, timeout, .doc = "Stop the program after this time."),
    DG_FIELD_STRING_MAP(ScriptStep, extras, .doc = "Extras of the Pipes context."),
    {0},
};

/* One of the program's two streams, cut into lines. */
typedef struct Stream {
    const char *name;
    int *fd;
    StrBuf line;
    bool too_long;
} Stream;

typedef struct Script {
    PipesServer *pipes;
    OsChild child;
    Stream streams[2];
    char last_line[256]; /* of standard error: what a failure is told with */
} Script;

static void emit_line(DgStepRun *run, Script *s, Stream *stream)
{
    Str line = buf_str(&stream->line);
    if (str_ends(line, S("\r")))
        line.len--;
    report_output(run->run, run->unit, stream->name, line);
    if (line.len && stream == &s->streams[1])
        snprintf(s->last_line, sizeof s->last_line, "%.*s", FMT(line));
    stream->line.len = 0;
    stream->too_long = false;
}

static void take_bytes(DgStepRun *run, Script *s, Stream *stream, Str bytes)
{
    for (ptrdiff_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] == '\n') {
            emit_line(run, s, stream);
        } else if (stream->line.len < LINE_MAX_BYTES) {
            buf_char(&stream->line, bytes.ptr[i]);
        } else if (!stream->too_long) {
            buf_add(&stream->line, S(" ... (cut)"));
            stream->too_long = true;
        }
    }
}

static void read_stream(DgStepRun *run, Script *s, Stream *stream)
{
    char bytes[8192];
    ssize_t got = dg_os.read(*stream->fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got > 0) {
        take_bytes(run, s, stream, (Str){bytes, got});
        return;
    }
    if (stream->line.len)
        emit_line(run, s, stream);
    os_close(*stream->fd);
    *stream->fd = -1;
}

/* Waits a moment for output; reads what there is. */
static void read_output(DgStepRun *run, Script *s)
{
    struct pollfd fds[2];
    Stream *of[2];
    size_t count = 0;
    for (int i = 0; i < 2; i++)
        if (*s->streams[i].fd >= 0) {
            fds[count] = (struct pollfd){.fd = *s->streams[i].fd, .events = POLLIN};
            of[count++] = &s->streams[i];
        }
    if (count == 0) {
        os_sleep_ms(10);
        return;
    }
    if (dg_os.poll(fds, count, POLL_MS) <= 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (fds[i].revents)
            read_stream(run, s, of[i]);
}

/* ---- Starting ---- */

extern char **environ;

static bool is_replaced(const char *entry, const DgPair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = (size_t)pairs[i].key.len;
        if (strncmp(entry, pairs[i].key.ptr, n) == 0 && entry[n] == '=')
            return true;
    }
    return false;
}

/* Ours, with the step's own and those of Pipes in front. */
static const char *const *environment(DgStepRun *run, const ScriptStep *c, PipesServer *pipes)
{
    DgPair *pairs = dg_alloc(run, (c->env.count + 3) * sizeof *pairs);
    size_t count = c->env.count, ours = 0;
    if (!pairs)
        return NULL;
    if (count)
        memcpy(pairs, c->env.items, count * sizeof *pairs);
    if (pipes) {
        pairs[count++] = (DgPair){S("DAGSTER_PIPES_CONTEXT"), pipes_server_context(pipes)};
        pairs[count++] = (DgPair){S("DAGSTER_PIPES_MESSAGES"), pipes_server_messages(pipes)};
    } else { /* a program we run must not report to the one that runs us */
        pairs[count++] = (DgPair){S("DAGSTER_PIPES_CONTEXT"), S("")};
    }
    while (environ[ours])
        ours++;
    const char **env = dg_alloc(run, (count + ours + 1) * sizeof *env);
    if (!env)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        Str entry = dg_format(run, "%.*s=%.*s", FMT(pairs[i].key), FMT(pairs[i].value));
        if (!entry.ptr)
            return NULL;
        if (pairs[i].value.len || i < c->env.count)
            env[n++] = entry.ptr;
    }
    for (size_t i = 0; i < ours; i++)
        if (!is_replaced(environ[i], pairs, count))
            env[n++] = environ[i];
    env[n] = NULL;
    return env;
}

static DgStatus start(DgStepRun *run, const ScriptStep *c, Script *s, DgError *err)
{
    const char **argv = dg_alloc(run, (c->argv.count + 1) * sizeof *argv);
    const char *const *env = environment(run, c, s->pipes);
    Str folder = dg_project_path(run, c->folder);
    if (!argv || !env || !folder.ptr)
        return os_no_memory(err, "starting a program");
    if (c->argv.count == 0)
        return dg_fail(err, DG_CONFIG, "no program is given");
    for (size_t i = 0; i < c->argv.count; i++) {
        Str word = DG_ITEMS(DgStr, c->argv)[i];
        if (str_find_char(word, 0) >= 0)
            return dg_fail(err, DG_CONFIG, "argument %zu holds a NUL byte", i);
        if (!(argv[i] = step_copy(run, word).ptr))
            return os_no_memory(err, "starting a program");
    }
    OsSpawn spawn = {.argv = argv, .env = env, .folder = folder.ptr};
    DG_TRY(os_spawn(&spawn, &s->child, err));
    run_child_started(run->run, s->child.pid);
    return DG_OK;
}

/* ---- Running ---- */

static DgStatus verdict(const ScriptStep *c, const Script *s, int status, DgError *err)
{
    const DgError *told = s->pipes ? pipes_server_error(s->pipes) : NULL;
    Str program = DG_ITEMS(DgStr, c->argv)[0];
    if (told) {
        *err = *told;
        return told->status;
    }
    if (WIFSIGNALED(status))
        return dg_fail(err, DG_FAILED, "`%.*s` was killed by signal %d", FMT(program),
                       WTERMSIG(status));
    if (WEXITSTATUS(status) == 0)
        return DG_OK;
    dg_fail(err, DG_FAILED, "`%.*s` ended with exit code %d%s%s", FMT(program), WEXITSTATUS(status),
            s->last_line[0] ? ": " : "", s->last_line);
    return DG_FAILED;
}

static DgStatus follow(DgStepRun *run, const ScriptStep *c, Script *s, DgError *err)
{
    int64_t stop_at = c->timeout > 0 ? os_monotonic_ms() + c->timeout / 1000000 : INT64_MAX;
    pid_t group = s->child.pid;
    int status = 0;
    DgStatus result = DG_OK;
    while (!os_child_done(&s->child, &status)) {
        read_output(run, s);
        if (s->pipes)
            pipes_server_poll(s->pipes);
        if (dg_cancelled(run))
            result = dg_fail(err, DG_CANCELLED, "cancelled");
        else if (os_monotonic_ms() >= stop_at)
            result = dg_fail(err, DG_TEMPFAIL, "did not end within %lld s",
                             (long long)(c->timeout / 1000000000));
        if (result != DG_OK)
            os_child_stop(&s->child, GRACE_MS, &status);
    }
    run_child_ended(run->run, group);
    /* What it wrote last is still in the pipes; a grandchild that keeps them open is not waited
     * for. */
    int64_t drain_until = os_monotonic_ms() + 1000;
    while ((s->child.out_fd >= 0 || s->child.err_fd >= 0) && os_monotonic_ms() < drain_until)
        read_output(run, s);
    if (s->pipes)
        pipes_server_finish(s->pipes);
    return result == DG_OK ? verdict(c, s, status, err) : result;
}

static DgStatus script_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const ScriptStep *c = config;
    Script *s = state;
    s->child = (OsChild){.pid = -1, .out_fd = -1, .err_fd = -1};
    s->streams[0] = (Stream){.name = "stdout", .fd = &s->child.out_fd, .line.max = 1 << 20};
    s->streams[1] = (Stream){.name = "stderr", .fd = &s->child.err_fd, .line.max = 1 << 20};
    if (c->pipes)
        DG_TRY(pipes_server_open(run, DG_ITEMS(DgPair, c->extras), c->extras.count, &s->pipes, err));
    DG_TRY(start(run, c, s, err));
    return follow(run, c, s, err);
}

static void script_close(DgStepRun *run, const void *config, void *state)
{
    Script *s = state;
    int status;
    if (s->streams[0].fd)
        os_child_stop(&s->child, 0, &status);
    buf_free(&s->streams[0].line);
    buf_free(&s->streams[1].line);
    pipes_server_close(s->pipes);
}

const DgStepOps dg_script_ops = {
    .name = "dgc.Script",
    .role = DG_ACTION,
    .fields = dg_script_step_fields,
    .config_size = sizeof(ScriptStep),
    .state_size = sizeof(Script),
    .execute = script_execute,
    .close = script_close,
    .no_warehouse = true,
};
