/* cmd_build.c - `dgc build`: a project becomes one file. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "codegen/driver.h"
#include "codegen/emit_program.h"
#include "codegen/sbom.h"
#include "compiler/cmd.h"
#include "compiler/project.h"

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int cmd_build(int argc, char **argv)
{
    Arena arena;
    arena_init(&arena, 0);
    Str output = {0}, emit = {0}, driver = S("auto"), select = {0}, job = {0};
    bool debug = false;
    StrArray rest = {0};
    const Option options[] = {
        {.name = "--output", .letter = 'o', .takes_value = true, .value = &output},
        {.name = "--emit", .takes_value = true, .value = &emit},
        {.name = "--driver", .takes_value = true, .value = &driver},
        {.name = "--select", .letter = 's', .takes_value = true, .value = &select},
        {.name = "--job", .takes_value = true, .value = &job},
        {.name = "--debug", .flag = &debug},
    };
    int code = options_read("build", argc, argv, options, sizeof options / sizeof *options, &rest, &arena);
    if (code >= 0)
        return code;
    if (emit.len && !str_eq(emit, S("c")) && !str_eq(emit, S("plan"))) {
        fprintf(stderr, "dgc build: cannot emit `%.*s`; write `--emit plan` or `--emit c`\n", FMT(emit));
        return 2;
    }
    double start = now_s();
    Compile c = {0};
    CompileOptions co = {.project = rest.count ? rest.items[0] : (Str){0}, .select = select, .job = job,
                         .check_sql = true};
    bool good = compile_project(&c, &co);
    if (c.diag.items.count)
        diag_print(&c.diag, 2);
    if (!good)
        return c.project && c.project->top ? 1 : 2;
    if (str_eq(emit, S("plan"))) {
        StrBuf out = {0};
        plan_print(&c.plan, &out);
        fwrite(out.ptr, 1, out.len, stdout);
        return flush_stdout(0);
    }
    EmitOptions eo = {.for_people = emit.len > 0, .version = S(DGC_VERSION),
                      .sbom_json = emit.len ? (Str){0} : sbom_json(&arena, &c.plan)};
    Str text = emit_program(&c.plan, &eo);
    if (!text.len) {
        diag_print(&c.diag, 2);
        return 1;
    }
    if (emit.len) {
        fwrite(text.ptr, 1, (size_t)text.len, stdout);
        return flush_stdout(0);
    }
    if (!output.len)
        output = str_format(&arena, "%.*s.bin", FMT(c.plan.name));
    BuildJob job_ = {.text = text, .output = output, .driver = driver, .needs_duckdb = c.plan.needs_duckdb,
                     .debug = debug};
    for (size_t i = 0; i < c.plan.user_sources.count; i++)
        array_add(&arena, &job_.user_sources, c.plan.user_sources.items[i]);
    BuildResult made = {0};
    DgError err = {0};
    DgStatus status = driver_build(&arena, &job_, &made, &err);
    if (status != DG_OK) {
        fprintf(stderr, "dgc build: %s\n", err.message);
        if (err.hint[0])
            fprintf(stderr, "  %s\n", err.hint);
        return dg_status_exit_code(status);
    }
    fprintf(stderr, "Built %.*s: %zu steps, %zu assets, %.1f MB, %.2f s (%.*s)\n", FMT(output),
            c.plan.steps.count, c.plan.assets.count, (double)made.bytes / 1e6, now_s() - start,
            FMT(made.driver));
    fprintf(stderr, "Next: %s%.*s run\n", str_find_char(output, '/') < 0 ? "./" : "", FMT(output));
    compile_release(&c);
    return 0;
}
