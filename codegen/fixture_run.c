/* fixture_run.c - runs one test and says what is not as expected. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codegen/driver.h"
#include "codegen/emit_program.h"
#include "codegen/fixture_impl.h"
#include "codegen/sandbox.h"
#include "compiler/project.h"

#include <cJSON.h>

#ifndef DGC_VERSION
#define DGC_VERSION "0.1.0"
#endif

void fixture_differs(FixtureRun *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vformat(r->report, fmt, args);
    buf_char(r->report, '\n');
    va_end(args);
    r->failed = true;
}

/* ---- Diagnostics ---- */

static bool diagnostic_matches(const FixtureRun *r, const FixtureDiagnostic *want, const DiagItem *it)
{
    const SourceFile *file = it->at.file ? sources_file(&r->c->sources, it->at.file) : NULL;
    return str_eq(want->code, str_from(diag_code_name(it->code))) &&
           (!want->line || (file && want->line == sources_line_of(&r->c->sources, it->at))) &&
           (!want->file.len || (file && str_eq(file->path, want->file))) &&
           (!want->message.len || str_find(it->message, want->message) >= 0);
}

static void check_diagnostics(FixtureRun *r)
{
    Diag *d = &r->c->diag;
    diag_finish(d);
    for (size_t i = 0; i < r->f->diagnostics.count; i++) {
        const FixtureDiagnostic *want = &r->f->diagnostics.items[i];
        bool found = false;
        for (size_t k = 0; k < d->items.count; k++)
            found = found || diagnostic_matches(r, want, d->items.items[k]);
        if (!found)
            fixture_differs(r, "expected diagnostic %.*s%s%.*s (line %lld; 0 is any), which did not come",
                    FMT(want->code), want->file.len ? " in " : "", FMT(want->file), (long long)want->line);
    }
    for (size_t k = 0; k < d->items.count; k++) {
        const DiagItem *it = d->items.items[k];
        bool wanted = it->level != DIAG_ERROR;
        for (size_t i = 0; i < r->f->diagnostics.count; i++)
            wanted = wanted || diagnostic_matches(r, &r->f->diagnostics.items[i], it);
        Place at = sources_place(&r->c->sources, it->at);
        const SourceFile *file = it->at.file ? sources_file(&r->c->sources, it->at.file) : NULL;
        if (!wanted)
            fixture_differs(r, "unexpected %s: %.*s%s%u: %.*s", diag_code_name(it->code),
                    FMT(file ? file->path : S("")), file ? ":" : "", at.line, FMT(it->message));
    }
}

/* ---- Running ---- */

/* What is asked for, without the assets whose rows are given. */
static Str selection(const FixtureRun *r)
{
    Arena *a = &r->c->arena;
    Str select = r->f->select;
    for (size_t i = 0; r->f->job.len && i < r->c->plan.jobs.count; i++)
        if (r->f->given.count && str_eq(r->c->plan.jobs.items[i]->name, r->f->job))
            select = r->c->plan.jobs.items[i]->selection;
    if (!r->f->given.count)
        return select;
    StrBuf b = {0};
    buf_format(&b, "(%.*s)", FMT(select.len ? select : S("*")));
    for (size_t i = 0; i < r->f->given.count; i++)
        buf_format(&b, " and not key:\"%.*s\"", FMT(r->f->given.items[i].asset));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

typedef struct Args {
    char *items[64];
    int count;
} Args;

static void add_arg(Arena *a, Args *args, const char *name, Str value)
{
    if (args->count + 2 >= 63)
        return;
    if (name)
        args->items[args->count++] = str_cstr(a, str_from(name));
    if (value.len)
        args->items[args->count++] = str_cstr(a, value);
}

static Args arguments(const FixtureRun *r)
{
    Arena *a = &r->c->arena;
    Args args = {0};
    Str select = selection(r);
    add_arg(a, &args, "dgc", S("run"));
    add_arg(a, &args, "--project", r->folder);
    add_arg(a, &args, "--home", str_format(a, "%.*s/.dgc", FMT(r->folder)));
    add_arg(a, &args, "--progress", S("plain"));
    add_arg(a, &args, "--json", (Str){0});
    if (select.len)
        add_arg(a, &args, "--select", select);
    else if (r->f->job.len)
        add_arg(a, &args, "--job", r->f->job);
    if (r->f->partition.len)
        add_arg(a, &args, "--partition", r->f->partition);
    if (r->tape.len)
        add_arg(a, &args, r->recording ? "--record" : "--replay", r->tape);
    for (size_t i = 0; i < r->f->args.count; i++)
        add_arg(a, &args, NULL, r->f->args.items[i]);
    return args;
}

static char *in_folder(const FixtureRun *r, const char *name)
{
    return str_cstr(&r->c->arena, str_format(&r->c->arena, "%.*s/%s", FMT(r->folder), name));
}

/* In the child. */
static void run_pipeline(FixtureRun *r, Str text)
{
    const DgPipeline *pipeline = NULL;
    UserSources sources = {0};
    DgError err = {0};
    Args args = arguments(r);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = open(in_folder(r, ".result"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int messages = open(in_folder(r, ".messages"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0 || messages < 0 || dup2(out, 1) < 0 || dup2(messages, 2) < 0)
        _exit(74);
    user_sources_of(&r->c->arena, &r->c->plan, &sources);
    if (driver_jit(&r->c->arena, text, &sources, &pipeline, &err) != DG_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(70);
    }
    exit(dg_main(pipeline, args.count, args.items));
}

/* The exit code, or 128 and the signal. */
static int run_in_child(FixtureRun *r, Str text)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_pipeline(r, text);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 70;
    return pid < 0 ? 71 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static Str read_back(const FixtureRun *r, const char *name)
{
    enum { BYTES_MAX = 16 << 20 };
    Arena *a = &r->c->arena;
    FILE *f = fopen(in_folder(r, name), "rb");
    char *text = push(a, char, BYTES_MAX);
    size_t n = f ? fread(text, 1, BYTES_MAX, f) : 0;
    if (f)
        fclose(f);
    return (Str){text, (ptrdiff_t)n};
}

/* ---- What came out ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* Why the run ended as it did: its own error, and those of its steps. */
static void explain_failure(FixtureRun *r, const cJSON *document, Str messages)
{
    const cJSON *step;
    bool said = false;
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(document, "steps")) {
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(step, "error");
        if (!cJSON_IsObject(error))
            continue;
        fixture_differs(r, "  step %s: %s (%s)", text_of(step, "step"), text_of(error, "message"),
                        text_of(error, "file"));
        said = true;
    }
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(document, "error");
    if (cJSON_IsObject(error))
        fixture_differs(r, "  %s", text_of(error, "message"));
    else if (!said)
        fixture_differs(r, "%.*s", FMT(str_sub(str_trim(messages), 0, 2000)));
}

static const char *outcome_of(const cJSON *document, const FixtureCheck *want)
{
    const cJSON *step, *check;
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(document, "steps")) {
        cJSON_ArrayForEach(check, cJSON_GetObjectItemCaseSensitive(step, "checks")) {
            if (str_eq(str_from(text_of(check, "asset")), want->asset) &&
                str_eq(str_from(text_of(check, "name")), want->name))
                return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(check, "passed")) ? "passed" : "failed";
        }
    }
    return "not run";
}

static void check_result(FixtureRun *r, int code)
{
    Str result = read_back(r, ".result"), messages = read_back(r, ".messages");
    cJSON *document = cJSON_ParseWithLength(result.ptr, (size_t)result.len);
    if (code != r->f->exit_code) {
        fixture_differs(r, "exit code %d, expected %lld", code, (long long)r->f->exit_code);
        explain_failure(r, document, messages);
    }
    for (size_t i = 0; i < r->f->checks.count; i++) {
        const FixtureCheck *want = &r->f->checks.items[i];
        const char *got = outcome_of(document, want);
        if (!str_eq(want->outcome, str_from(got)))
            fixture_differs(r, "check %.*s:%.*s is %s, expected %.*s", FMT(want->asset), FMT(want->name), got,
                    FMT(want->outcome));
    }
    cJSON_Delete(document);
    for (size_t i = 0; i < r->f->output.count; i++)
        if (str_find(messages, r->f->output.items[i]) < 0 && str_find(result, r->f->output.items[i]) < 0)
            fixture_differs(r, "the output does not have: %.*s", FMT(r->f->output.items[i]));
}

/* ---- One test ---- */

static bool prepare(FixtureRun *r, Str project, DgError *err)
{
    Arena *a = r->arena;
    if (sandbox_make(a, project, &r->folder, err) != DG_OK)
        return false;
    for (size_t i = 0; i < r->f->files.count; i++)
        if (sandbox_write(a, r->folder, r->f->files.items[i].key, r->f->files.items[i].value, err) != DG_OK)
            return false;
    for (size_t i = 0; i < r->f->env.count; i++)
        setenv(str_cstr(a, r->f->env.items[i].key), str_cstr(a, r->f->env.items[i].value), 1);
    unsetenv("DGC_HOME");
    unsetenv("DAGSTER_PIPES_CONTEXT");
    unsetenv("DAGSTER_PIPES_MESSAGES");
    if (chdir(str_cstr(a, r->folder)) != 0) {
        dg_fail(err, DG_CANTCREATE, "could not enter %.*s: %s", FMT(r->folder), strerror(errno));
        return false;
    }
    return true;
}

/* Recordings outlive the sandbox: they are read from the project, and written there. */
static bool find_tape(FixtureRun *r, Str project)
{
    struct stat is;
    char *root = realpath(str_cstr(r->arena, project), NULL);
    r->tape = str_format(r->arena, "%s/%.*s", root ? root : "", FMT(r->f->tape));
    free(root);
    if (r->recording || (stat(str_cstr(r->arena, r->tape), &is) == 0 && S_ISDIR(is.st_mode)))
        return true;
    DiagItem *it = diag_report(r->diag, E0901, r->f->tape_at, "the project has no tape `%.*s`", FMT(r->f->tape));
    diag_help(it, "make it with `dgc test --record`");
    r->failed = true;
    return false;
}

static void run_and_compare(FixtureRun *r)
{
    CompileOptions co = {.project = r->folder, .check_sql = true};
    bool good = compile_project(r->c, &co);
    if (r->f->diagnostics.count || !good)
        check_diagnostics(r);
    if (r->f->fails_to_compile || !good)
        return;
    if (!fixture_names_exist(r))
        return;
    EmitOptions eo = {.version = S(DGC_VERSION)};
    Str text = emit_program(&r->c->plan, &eo);
    if (!text.len) {
        check_diagnostics(r);
        return;
    }
    if (!fixture_put_tables(r))
        return;
    check_result(r, run_in_child(r, text));
    fixture_compare_tables(r);
}

bool fixture_run(Arena *a, Diag *diag, const Fixture *f, Str project, bool recording, StrBuf *report)
{
    Compile c = {0};
    FixtureRun r = {.arena = a, .diag = diag, .f = f, .c = &c, .recording = recording, .report = report};
    DgError err = {0};
    if (f->tape.len && !find_tape(&r, project))
        return false;
    if (prepare(&r, project, &err))
        run_and_compare(&r);
    else
        fixture_differs(&r, "%s", err.message);
    sandbox_remove(r.folder);
    return !r.failed;
}
