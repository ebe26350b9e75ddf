/* cmd_check.c - `dgc check`: every mistake at once, with place, reason and fix. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "compiler/cmd.h"
#include "compiler/project.h"

typedef struct CheckOptions {
    Str format;
    bool fix, json, watch, no_sql, no_requirements, quiet;
    StrArray rest;
} CheckOptions;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void print_findings(Compile *c, const CheckOptions *o, StrBuf *out)
{
    DiagFormat format = str_eq(o->format, S("json"))    ? DIAG_JSON
                        : str_eq(o->format, S("sarif")) ? DIAG_SARIF
                                                        : DIAG_TEXT;
    diag_finish(&c->diag);
    diag_render(&c->diag, (DiagRender){.format = format, .color = color_wanted(1), .items_max = 20}, out);
}

static CompileOptions compile_options(const CheckOptions *o)
{
    CompileOptions co = {.check_sql = !o->no_sql, .check_env = !o->no_requirements};
    for (size_t i = 0; i < o->rest.count; i++) {
        if (i == 0)
            co.project = o->rest.items[0];
    }
    if (o->rest.count > 1) {
        co.paths.items = o->rest.items + 1;
        co.paths.count = o->rest.count - 1;
    }
    return co;
}

/* One check. Returns the exit code; *files gets what was read, for --watch. */
static int check_once(const CheckOptions *o, StrBuf *out, StrBuf *files)
{
    double start = now_ms();
    Compile c = {0};
    CompileOptions co = compile_options(o);
    bool good = compile_project(&c, &co);
    if (o->fix && c.diag.items.count) {
        DgError err = {0};
        diag_finish(&c.diag);
        int edits = diag_apply_fixes(&c.diag, &err);
        if (edits < 0) {
            fprintf(stderr, "dgc check: %s\n", err.message);
            compile_release(&c);
            return dg_status_exit_code(DG_CANTCREATE);
        }
        if (edits > 0) {
            fprintf(stderr, "%d fix%s applied\n", edits, edits == 1 ? "" : "es");
            compile_release(&c);
            c = (Compile){0};
            good = compile_project(&c, &co);
        }
    }
    print_findings(&c, o, out);
    if (good && !str_eq(o->format, S("json")) && !str_eq(o->format, S("sarif")) && !o->quiet)
        buf_format(out, "All component YAML validated successfully: %zu components, %zu assets, %zu checks, %.0f ms\n",
                   c.project ? c.project->instances.count : 0, c.plan.assets.count,
                   c.plan.checks.count, now_ms() - start);
    for (size_t i = 0; files && c.project && i < c.project->files.count; i++)
        buf_format(files, "%.*s/%.*s\n", FMT(c.project->root), FMT(c.project->files.items[i]));
    bool no_project = !c.project || !c.project->top;
    compile_release(&c);
    return good ? 0 : no_project ? 2 : 1;
}

static void watch_folders(int fd, Str files)
{
    char folder[4096];
    for (Str rest = files, line; str_cut(rest, '\n', &line, &rest);) {
        ptrdiff_t n = line.len;
        while (n > 0 && line.ptr[n - 1] != '/')
            n--;
        if (n <= 0 || n >= (ptrdiff_t)sizeof folder)
            continue;
        memcpy(folder, line.ptr, (size_t)n);
        folder[n] = '\0';
        inotify_add_watch(fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE);
    }
}

/* Checks again whenever a file changes; says something only when the findings change. */
static int watch(const CheckOptions *o)
{
    StrBuf before = {0};
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        fprintf(stderr, "dgc check: could not watch files: %s\n", strerror(errno));
        return dg_status_exit_code(DG_IO);
    }
    for (;;) {
        StrBuf out = {0}, files = {0};
        char events[4096];
        CheckOptions quiet = *o;
        quiet.quiet = true;
        int code = check_once(&quiet, &out, &files);
        if (code == 0 && !out.len)
            buf_add(&out, S("no mistakes; watching\n"));
        if (!str_eq(buf_str(&out), buf_str(&before)))
            fwrite(out.ptr, 1, out.len, stdout);
        fflush(stdout);
        watch_folders(fd, buf_str(&files));
        buf_free(&files);
        buf_free(&before);
        before = out;
        struct pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, -1) < 0)
            return 130;
        usleep(20000); /* editors write in several steps */
        while (read(fd, events, sizeof events) > 0)
            ;
    }
}

int cmd_check(int argc, char **argv)
{
    Arena arena;
    arena_init(&arena, 0);
    CheckOptions o = {.format = S("text")};
    const Option options[] = {
        {.name = "--format", .takes_value = true, .value = &o.format},
        {.name = "--json", .flag = &o.json},
        {.name = "--fix", .flag = &o.fix},
        {.name = "--watch", .letter = 'w', .flag = &o.watch},
        {.name = "--no-sql", .flag = &o.no_sql},
        {.name = "--no-validate-requirements", .flag = &o.no_requirements},
        {.name = "--quiet", .letter = 'q', .flag = &o.quiet},
    };
    int code = options_read("check", argc, argv, options, sizeof options / sizeof *options, &o.rest,
                            &arena);
    if (code >= 0)
        return code;
    if (o.json)
        o.format = S("json");
    if (!str_eq(o.format, S("text")) && !str_eq(o.format, S("json")) && !str_eq(o.format, S("sarif"))) {
        fprintf(stderr, "dgc check: there is no format `%.*s`; formats are text, json, sarif\n", FMT(o.format));
        return 2;
    }
    if (o.watch)
        return watch(&o);
    StrBuf out = {0};
    code = check_once(&o, &out, NULL);
    fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
    return flush_stdout(code);
}
