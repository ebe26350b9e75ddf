/* cmd_build.c - `dgc build`: a project becomes one file. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "codegen/driver.h"
#include "codegen/emit_program.h"
#include "codegen/sbom.h"
#include "compiler/cmd.h"
#include "compiler/project.h"

typedef struct BuildOptions {
    Str output, emit, driver, select, job;
    bool debug;
    StrArray rest;
} BuildOptions;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int read_options(BuildOptions *o, int argc, char **argv, Arena *arena)
{
    const Option options[] = {
        {.name = "--output", .letter = 'o', .takes_value = true, .value = &o->output},
        {.name = "--emit", .takes_value = true, .value = &o->emit},
        {.name = "--driver", .takes_value = true, .value = &o->driver},
        {.name = "--select", .letter = 's', .takes_value = true, .value = &o->select},
        {.name = "--job", .takes_value = true, .value = &o->job},
        {.name = "--debug", .flag = &o->debug},
    };
    int code = options_read("build", argc, argv, options, sizeof options / sizeof *options, &o->rest,
                            arena);
    if (code >= 0)
        return code;
    if (o->emit.len && !str_eq(o->emit, S("c")) && !str_eq(o->emit, S("plan"))) {
        fprintf(stderr, "dgc build: cannot emit `%.*s`\n  write `--emit plan` or `--emit c`\n",
                FMT(o->emit));
        return 2;
    }
    if (o->rest.count > 1) {
        fprintf(stderr, "dgc build: one project at a time, not also `%.*s`\n", FMT(o->rest.items[1]));
        return 2;
    }
    return -1;
}

static int print_text(Str text)
{
    fwrite(text.ptr, 1, (size_t)text.len, stdout);
    return flush_stdout(0);
}

static int emit(Compile *c, const BuildOptions *o)
{
    if (str_eq(o->emit, S("plan"))) {
        StrBuf out = {0};
        plan_print(&c->plan, &out);
        int code = print_text(buf_str(&out));
        buf_free(&out);
        return code;
    }
    EmitOptions eo = {.for_people = true, .version = S(DGC_VERSION)};
    Str text = emit_program(&c->plan, &eo);
    if (!text.len) {
        diag_print(&c->diag, 2);
        return 1;
    }
    return print_text(text);
}

static int build(Compile *c, const BuildOptions *o, double start)
{
    Arena *a = &c->arena;
    EmitOptions eo = {.version = S(DGC_VERSION), .sbom_json = sbom_json(a, &c->plan)};
    BuildJob job = {.text = emit_program(&c->plan, &eo), .output = o->output, .driver = o->driver,
                    .needs_duckdb = c->plan.needs_duckdb, .debug = o->debug};
    if (!job.text.len) {
        diag_print(&c->diag, 2);
        return 1;
    }
    if (!job.output.len)
        job.output = str_format(a, "%.*s.bin", FMT(c->plan.name));
    user_sources_of(a, &c->plan, &job.user_sources);
    BuildResult made = {0};
    DgError err = {0};
    DgStatus status = driver_build(a, &job, &made, &err);
    if (status != DG_OK) {
        fprintf(stderr, "dgc build: %s\n", err.message);
        if (err.hint[0])
            fprintf(stderr, "  help: %s\n", err.hint);
        return dg_status_exit_code(status);
    }
    size_t steps = c->plan.steps.count, assets = c->plan.assets.count;
    fprintf(stderr, "Built %.*s: %zu step%s, %zu asset%s, %.1f MB, in %.2f s (%.*s, linker: %.*s)\n",
            FMT(job.output), steps, steps == 1 ? "" : "s", assets, assets == 1 ? "" : "s",
            (double)made.bytes / 1e6, now_s() - start, FMT(made.driver), FMT(made.linker));
    fprintf(stderr, "Next: %s%.*s run\n", str_find_char(job.output, '/') < 0 ? "./" : "",
            FMT(job.output));
    return 0;
}

int cmd_build(int argc, char **argv)
{
    double start = now_s();
    Arena arena;
    arena_init(&arena, 0);
    BuildOptions o = {.driver = S("auto")};
    int code = read_options(&o, argc, argv, &arena);
    if (code >= 0)
        return code;
    Compile c = {0};
    CompileOptions co = {.project = o.rest.count ? o.rest.items[0] : (Str){0}, .select = o.select,
                         .job = o.job, .check_sql = true, .lineage = true};
    bool good = compile_project(&c, &co);
    if (c.diag.items.count)
        diag_print(&c.diag, 2);
    if (!good)
        code = c.project && c.project->top ? 1 : 2;
    else
        code = o.emit.len ? emit(&c, &o) : build(&c, &o, start);
    compile_release(&c);
    arena_free(&arena);
    return code;
}
