/* state packages, state abort: the loads of steps that keep their state in their targets. */
#include "runtime/cli/cli.h"

#include "runtime/run/step.h"

enum { SHOWN_MAX = 10 }; /* of a step's committed ones; --json has all */

static void show_json(StrBuf *b, Str step, const DgStepPackage *p, bool first)
{
    const struct { const char *name; Str text; } members[] = {
        {"step", step}, {"stream", p->stream}, {"table", p->table}, {"package", p->package}, {"status", p->status}, {"run", p->run}};
    buf_add(b, first ? S("\n    {") : S(",\n    {"));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        buf_format(b, "%s\"%s\": ", i ? ", " : "", members[i].name);
        buf_json(b, members[i].text);
    }
    buf_format(b, ", \"rows\": %lld, \"at_us\": %lld}", (long long)p->rows, (long long)p->at_us);
}

static void show_line(StrBuf *b, Str step, const DgStepPackage *p)
{
    Str package = p->package.len ? p->package : S("-");
    buf_format(b, "  %.*s  %.*s  %.*s  %lld rows  %.*s", FMT(step), FMT(package), FMT(p->status),
               (long long)p->rows, FMT(p->table));
    if (p->at_us) {
        buf_add(b, S("  "));
        cli_time(b, p->at_us);
    }
    buf_format(b, "%s\n", str_eq(p->status, S("loading")) ? "  (not finished: `run` loads it again, `state abort` drops what it left)" : "");
}

DgStatus cli_packages(Cli *cli, Run *run, Str step, StrBuf *b, DgError *err)
{
    size_t shown = 0;
    bool known = !step.len;
    buf_add(b, cli->json ? S("{\n  \"schema\": \"dgc-packages/1\",\n  \"packages\": [") : S(""));
    for (int32_t i = 0; i < cli->pipeline->steps_count; i++) {
        const DgStepDef *def = &cli->pipeline->steps[i];
        DgList packages;
        known = known || str_eq(def->name, step);
        if (!def->ops->packages || (step.len && !str_eq(def->name, step)))
            continue;
        DG_TRY(step_packages(run, i, NULL, &packages, err));
        size_t skip = packages.count > SHOWN_MAX && !cli->json ? packages.count - SHOWN_MAX : 0;
        for (size_t k = 0; k < packages.count; k++) {
            const DgStepPackage *p = &DG_ITEMS(DgStepPackage, packages)[k];
            if (k < skip && !str_eq(p->status, S("loading")))
                continue;
            if (cli->json)
                show_json(b, def->name, p, shown == 0);
            else
                show_line(b, def->name, p);
            shown++;
        }
    }
    if (!known)
        return dg_fail(err, DG_USAGE, "there is no step `%.*s`", FMT(step));
    buf_add(b, cli->json ? S("\n  ]\n}\n") : shown ? S("") : S("no load yet\n"));
    return DG_OK;
}

DgStatus cli_abort(Cli *cli, Run *run, Str package, StrBuf *b, DgError *err)
{
    DG_TRY(run_take_home(run, err)); /* no run is at work here */
    for (int32_t i = 0; i < cli->pipeline->steps_count; i++) {
        DgList left;
        if (!cli->pipeline->steps[i].ops->packages)
            continue;
        DgStatus status = step_packages(run, i, &package, &left, err);
        if (status == DG_END)
            continue;
        DG_TRY(status);
        buf_format(b, "package %.*s of %.*s dropped\n", FMT(package), FMT(cli->pipeline->steps[i].name));
        return DG_OK;
    }
    dg_fail(err, DG_USAGE, "there is no unfinished package `%.*s`", FMT(package));
    dg_hint(err, "`state packages` lists them; what is committed stays");
    return DG_USAGE;
}
