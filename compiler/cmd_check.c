/* cmd_check.c - `dgc check`: every mistake at once, with place, reason and fix. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
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

static const char *const formats[] = {"text", "json", "sarif", "github"};
enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF, FORMAT_GITHUB, FORMATS };

/* One of formats[]; FORMATS: none has this name. */
static int format_of(Str name)
{
    int i = 0;
    while (i < FORMATS && !str_eq(name, str_from(formats[i])))
        i++;
    return i;
}

/* GitHub's workflow commands: `%`, and line ends, must be written as escapes. */
static void add_escaped(StrBuf *out, Str text, bool property)
{
    for (ptrdiff_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' || c == '\n' || c == '\r' || (property && (c == ':' || c == ',')))
            buf_format(out, "%%%02X", (unsigned)c);
        else
            buf_char(out, c);
    }
}

static void render_github(const Diag *d, Str prefix, StrBuf *out)
{
    for (size_t i = 0; i < d->items.count; i++) {
        const DiagItem *it = d->items.items[i];
        buf_format(out, "::%s title=%s", it->level == DIAG_ERROR ? "error" : "warning",
                   diag_code_name(it->code));
        if (it->at.file) {
            Place p = sources_place(d->sources, it->at);
            buf_add(out, S(",file="));
            add_escaped(out, prefix, true);
            add_escaped(out, sources_file(d->sources, it->at.file)->path, true);
            buf_format(out, ",line=%u,col=%u,endLine=%u,endColumn=%u", p.line, p.column, p.end_line,
                       p.end_column);
        }
        buf_add(out, S("::"));
        add_escaped(out, it->message, false);
        for (size_t k = 0; k < it->helps.count; k++) {
            buf_add(out, S("%0A"));
            add_escaped(out, it->helps.items[k], false);
        }
        for (size_t k = 0; k < it->fixes.count; k++) {
            buf_add(out, S("%0A"));
            add_escaped(out, it->fixes.items[k].text, false);
        }
        buf_char(out, '\n');
    }
}

static void print_findings(Compile *c, const CheckOptions *o, StrBuf *out)
{
    static const DiagFormat kinds[] = {DIAG_TEXT, DIAG_JSON, DIAG_SARIF, DIAG_TEXT};
    int format = format_of(o->format);
    diag_finish(&c->diag);
    if (format == FORMAT_GITHUB)
        render_github(&c->diag, (Str){0}, out);
    else
        diag_render(&c->diag, (DiagRender){.format = kinds[format], .color = color_wanted(1),
                                           .items_max = 20}, out);
}

/* ---- Which project, which of its files ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* `PROJECT`, `PROJECT FILE...`, or files and folders of the project round them. *missing: a file
 * that is not there. */
static CompileOptions compile_options(const CheckOptions *o, Arena *a, Str *missing)
{
    CompileOptions co = {.check_sql = !o->no_sql, .check_env = !o->no_requirements};
    char real[PATH_MAX];
    for (size_t i = 0; i < o->rest.count; i++) {
        Str path = o->rest.items[i];
        if (i > 0 && co.project.len) { /* a file of PROJECT: as messages show it, or as it is */
            Str inside = str_format(a, "%.*s/%.*s", FMT(co.project), FMT(path));
            if (realpath(str_cstr(a, inside), real) || realpath(str_cstr(a, path), real))
                array_add(a, &co.paths, str_copy(a, str_from(real)));
            else
                *missing = path;
            continue;
        }
        if (!realpath(str_cstr(a, path), real)) {
            co.project = path;
            continue;
        }
        Str found = str_copy(a, str_from(real));
        if (is_folder(real)) {
            co.project = found;
            continue;
        }
        ptrdiff_t slash = found.len;
        while (slash > 1 && found.ptr[slash - 1] != '/')
            slash--;
        co.project = str_sub(found, 0, slash > 1 ? slash - 1 : slash);
        array_add(a, &co.paths, found);
    }
    return co;
}

/* A folder below the project's own stands for the files in it. */
static void restrict_to_folder(Arena *a, CompileOptions *co)
{
    Compile finder = {0};
    arena_init(&finder.arena, 0);
    sources_init(&finder.sources, &finder.arena);
    diag_init(&finder.diag, &finder.arena, &finder.sources);
    if (co->project.len && !co->paths.count && project_find(&finder, co->project) &&
        co->project.len > finder.project->root.len)
        array_add(a, &co->paths, co->project);
    arena_free(&finder.arena);
}

/* ---- One check ---- */

typedef struct Checked {
    int code;
    size_t components, assets, checks;
} Checked;

/* *files gets what was read and searched, one path a line, for --watch. */
static Checked check_project(const CheckOptions *o, CompileOptions co, StrBuf *out, StrBuf *files)
{
    Compile c = {0};
    bool good = compile_project(&c, &co);
    if (o->fix && c.diag.items.count) {
        DgError err = {0};
        diag_finish(&c.diag);
        int edits = diag_apply_fixes(&c.diag, &err);
        if (edits < 0) {
            fprintf(stderr, "dgc check: %s\n", err.message);
            compile_release(&c);
            return (Checked){.code = dg_status_exit_code(DG_CANTCREATE)};
        }
        if (edits > 0) {
            fprintf(stderr, "%d fix%s applied\n", edits, edits == 1 ? "" : "es");
            compile_release(&c);
            c = (Compile){0};
            good = compile_project(&c, &co);
        }
    }
    print_findings(&c, o, out);
    const Project *p = c.project;
    for (size_t i = 1; files && p && i < c.sources.files.count; i++)
        buf_format(files, "%.*s\n", FMT(c.sources.files.items[i].disk_path));
    for (size_t i = 0; files && p && i < p->folders.count; i++)
        buf_format(files, "%.*s/%.*s/\n", FMT(p->root), FMT(p->folders.items[i]));
    Checked result = {good ? 0 : !p || !p->top ? 2 : 1, p ? p->instances.count : 0,
                      c.plan.assets.count, c.plan.checks.count};
    compile_release(&c);
    return result;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* A workspace stands for all of its projects. */
static StrArray projects_of(Arena *a, Str project)
{
    char real[PATH_MAX];
    StrArray none = {0};
    if (!realpath(project.len ? str_cstr(a, project) : ".", real))
        return none;
    return project_workspace(a, str_copy(a, str_from(real)));
}

static int check_once(const CheckOptions *o, StrBuf *out, StrBuf *files)
{
    double start = now_ms();
    Arena arena;
    arena_init(&arena, 0);
    Str missing = {0};
    CompileOptions co = compile_options(o, &arena, &missing);
    if (missing.len) {
        fprintf(stderr, "dgc check: there is no file `%.*s`\n", FMT(missing));
        arena_free(&arena);
        return 2;
    }
    StrArray projects = projects_of(&arena, co.project);
    Checked all = {0};
    if (projects.count == 0) {
        restrict_to_folder(&arena, &co);
        all = check_project(o, co, out, files);
    }
    for (size_t i = 0; i < projects.count; i++) {
        co.project = projects.items[i];
        size_t before = out->len;
        if (str_eq(o->format, S("text"))) /* paths in the findings are relative to it */
            buf_format(out, "%s%.*s\n", before ? "\n" : "", FMT(projects.items[i]));
        size_t heading = out->len;
        Checked one = check_project(o, co, out, files);
        if (out->len == heading)
            out->len = before;
        all.code = one.code > all.code ? one.code : all.code;
        all.components += one.components;
        all.assets += one.assets;
        all.checks += one.checks;
    }
    if (!all.code && str_eq(o->format, S("text")) && !o->quiet)
        buf_format(out, "All component YAML validated successfully: %zu component%s, %zu asset%s, "
                        "%zu check%s, %.0f ms\n", all.components, plural(all.components), all.assets,
                   plural(all.assets), all.checks, plural(all.checks), now_ms() - start);
    arena_free(&arena);
    return all.code;
}

/* ---- --watch ---- */

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
        inotify_add_watch(fd, folder,
                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE);
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
        if (fflush(stdout) != 0)
            return dg_status_exit_code(DG_IO);
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
    if (format_of(o.format) == FORMATS) {
        fprintf(stderr,
                "dgc check: there is no format `%.*s`; formats are text, json, sarif, github\n",
                FMT(o.format));
        return 2;
    }
    if (o.watch)
        return watch(&o);
    StrBuf out = {0};
    code = check_once(&o, &out, NULL);
    if (out.len)
        fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
    return flush_stdout(code);
}
