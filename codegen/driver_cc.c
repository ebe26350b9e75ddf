/* driver_cc.c - gcc and clang: compile to objects, link with the archives beside dgc. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codegen/driver_impl.h"

extern char **environ;

typedef Array(char *) Argv;

static void arg(Arena *a, Argv *v, const char *fmt, ...) DG_PRINTF(3, 4);
static void arg(Arena *a, Argv *v, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = str_cstr(a, str_vformat(a, fmt, args));
    va_end(args);
    array_add(a, v, text);
}

typedef struct Command {
    Argv argv;
    pid_t pid; /* 0: not running */
    Str log;   /* name within the folder */
} Command;

static char *in_folder(const Build *b, Str name)
{
    return str_cstr(b->a, str_format(b->a, "%s/%.*s", b->folder, FMT(name)));
}

/* Starts a command in the folder, its output in `log`. */
static DgStatus start_command(Build *b, Command *c, Str log)
{
    posix_spawn_file_actions_t actions;
    c->log = log;
    array_add(b->a, &c->argv, NULL);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, b->folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, in_folder(b, log), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int failed = posix_spawn(&c->pid, c->argv.items[0], &actions, NULL, c->argv.items, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (!failed)
        return DG_OK;
    c->pid = 0;
    return dg_fail(b->err, failed == EAGAIN ? DG_TEMPFAIL : DG_IO, "could not run %s: %s",
                   c->argv.items[0], strerror(failed));
}

/* True when it ended well; else *said has what it printed. */
static bool wait_command(Build *b, Command *c, Str *said)
{
    int status = -1;
    while (c->pid > 0 && waitpid(c->pid, &status, 0) < 0)
        if (errno != EINTR)
            break;
    bool ok = c->pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!ok && (!read_file(b->a, in_folder(b, c->log), 1 << 20, said) || !said->len))
        *said = str_format(b->a, "%s could not be run", c->argv.items[0]);
    return ok;
}

static void compile_options(Build *b, Argv *v, const char *compiler)
{
    static const char *const flags[] = {
        "-std=gnu11", "-O2", "-c", "-w", "-fPIC", "-ffunction-sections", "-fdata-sections",
        "-fno-asynchronous-unwind-tables", "-fstack-protector-strong"};
    arg(b->a, v, "%s", compiler);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        arg(b->a, v, "%s", flags[i]);
    if (!strstr(compiler, "clang")) {
        /* The caret would point into the YAML at a column of the C text. */
        arg(b->a, v, "-fno-diagnostics-show-caret");
        arg(b->a, v, "-fno-show-column");
        arg(b->a, v, "-frandom-seed=dgc");
    }
    if (b->job->debug)
        arg(b->a, v, "-g");
    arg(b->a, v, "-ffile-prefix-map=%s=.", b->folder);
    arg(b->a, v, "-I%.*s/include", FMT(b->lib));
    arg(b->a, v, "-I%.*s/include/runtime", FMT(b->lib));
}

/* Users' components are copied in: so their paths on this machine cannot enter the object. */
static DgStatus compile_user_source(Build *b, const char *compiler, size_t i)
{
    const UserSource *source = &b->job->user_sources.items[i];
    Command c = {0};
    Str text, said, name = str_format(b->a, "user%zu.c", i);
    if (!read_file(b->a, str_cstr(b->a, source->path), 4 << 20, &text))
        return dg_fail(b->err, DG_IO, "could not read %.*s: %s", FMT(source->shown), strerror(errno));
    bool libc_free = driver_is_libc_free(text);
    text = str_format(b->a, "#line 1 \"%.*s\"\n%.*s", FMT(source->shown), FMT(text));
    if (!write_file(in_folder(b, name), text, 0600))
        return dg_fail(b->err, DG_CANTCREATE, "could not write to %s: %s", b->folder, strerror(errno));
    compile_options(b, &c.argv, compiler);
    if (libc_free)
        arg(b->a, &c.argv, "-DDGC_NO_LIBC");
    arg(b->a, &c.argv, "-o");
    arg(b->a, &c.argv, "user%zu.o", i);
    arg(b->a, &c.argv, "%.*s", FMT(name));
    DG_TRY(start_command(b, &c, S("log")));
    return wait_command(b, &c, &said) ? DG_OK : driver_user_error(compiler, said, b->err);
}

static DgStatus compile_all(Build *b, const char *compiler)
{
    Command c = {0};
    Str said;
    if (!write_file(in_folder(b, S("pipeline.c")), b->job->text, 0600))
        return dg_fail(b->err, DG_CANTCREATE, "could not write to %s: %s", b->folder, strerror(errno));
    for (size_t i = 0; i < b->job->user_sources.count; i++)
        DG_TRY(compile_user_source(b, compiler, i));
    compile_options(b, &c.argv, compiler);
    arg(b->a, &c.argv, "-o");
    arg(b->a, &c.argv, "pipeline.o");
    arg(b->a, &c.argv, "pipeline.c");
    DG_TRY(start_command(b, &c, S("log")));
    return wait_command(b, &c, &said) ? DG_OK
                                      : driver_internal_error(b->a, said, b->job->text, b->err);
}

static bool link_all(Build *b, const char *compiler, const char *linker, const StrArray *list, Str *said)
{
    Command c = {0};
    arg(b->a, &c.argv, "%s", compiler);
    arg(b->a, &c.argv, "pipeline.o");
    for (size_t i = 0; i < b->job->user_sources.count; i++)
        arg(b->a, &c.argv, "user%zu.o", i);
    if (linker)
        arg(b->a, &c.argv, "-fuse-ld=%s", linker);
    arg(b->a, &c.argv, "-pie");
    arg(b->a, &c.argv, "-Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack,--build-id=none%s",
        b->job->debug ? "" : ",-s");
    for (size_t i = 0; i < list->count; i++) {
        if (str_starts(list->items[i], S("-")))
            arg(b->a, &c.argv, "%.*s", FMT(list->items[i]));
        else
            arg(b->a, &c.argv, "%.*s/%.*s", FMT(b->lib), FMT(list->items[i]));
    }
    arg(b->a, &c.argv, "%.*s/notices.o", FMT(b->lib));
    if (b->job->needs_duckdb)
        arg(b->a, &c.argv, "%.*s/payload.o", FMT(b->lib));
    arg(b->a, &c.argv, "-o");
    arg(b->a, &c.argv, "pipeline");
    *said = (Str){0};
    return start_command(b, &c, S("log")) == DG_OK && wait_command(b, &c, said);
}

DgStatus driver_cc(Build *b, const char *compiler)
{
    /* Fastest first; the last is whatever the compiler takes by itself. */
    static const struct { const char *program, *name; } linkers[] = {
        {"mold", "mold"}, {"ld.lld", "lld"}, {"ld.gold", "gold"}, {NULL, NULL}};
    StrArray list = {0};
    Str said = {0};
    if (!driver_link_list(b, &list))
        return b->err->status;
    DG_TRY(compile_all(b, compiler));
    for (size_t i = 0; i < sizeof linkers / sizeof *linkers; i++) {
        const char *const name[] = {linkers[i].program, NULL};
        if (linkers[i].program && !driver_find(b->a, name))
            continue;
        if (link_all(b, compiler, linkers[i].name, &list, &said)) {
            b->out->linker = str_from(linkers[i].name ? linkers[i].name : "ld");
            return DG_OK;
        }
    }
    if (!said.len) /* the last linker could not be run */
        return b->err->status;
    return driver_internal_error(b->a, said, b->job->text, b->err);
}

DgStatus driver_cc_object(Build *b, const char *compiler)
{
    return compile_all(b, compiler);
}
