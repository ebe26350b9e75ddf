/* plan: what would run, in which order, and why. */
#include "runtime/cli/cli.h"

#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "runtime/run/step.h"

static const char *role_name(const DgStepOps *ops)
{
    return ops->role == DG_SOURCE ? "source" : ops->role == DG_MAP ? "map" : "action";
}

static void partitions_text(Run *run, const Unit *u, StrBuf *b)
{
    PartitionSet set;
    DgError err = {0};
    if (u->partition.len)
        buf_format(b, "%.*s", FMT(u->partition));
    else if (run_partition_set(run->pipeline, &run->arena, u->def->partitions, &set, &err) == DG_OK)
        buf_format(b, "--partition needed: %.*s",
                   FMT(partitions_summary(&run->arena, &set, run->started_us / 1000000)));
    else
        buf_format(b, "%s", err.message);
}

static void why(const Run *run, const Unit *u, StrBuf *b)
{
    if (run->options.job.len)
        buf_format(b, "job %.*s", FMT(run->options.job));
    else if (run->options.select.len)
        buf_format(b, "selected by `%.*s`", FMT(run->options.select));
    else
        buf_add(b, S("all is selected"));
}

/* What the step says about itself, each line behind a word. A place that cannot be looked at is no reason
 * to show no plan. */
static void explained(Run *run, const Unit *u, StrBuf *b)
{
    Str text = {0}, line;
    DgError err = {0};
    const char *word = "moves";
    if (!u->def->ops->explain)
        return;
    if (step_explain(run, u->step, &text, &err) != DG_OK) {
        redact_cstring(run->redactor, err.message, sizeof err.message);
        buf_format(b, "     but    %s\n", err.message);
    }
    while (text.len) {
        str_cut(text, '\n', &line, &text);
        if (line.len)
            buf_format(b, "     %-6s %.*s\n", word, FMT(line));
        word = "";
    }
}

static void plan_text(Run *run, StrBuf *b)
{
    const DgPipeline *p = run->pipeline;
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        buf_format(b, "%d. %.*s  (%s, %s)\n", i + 1, FMT(unit_name(run, u)), u->def->ops->name,
                   role_name(u->def->ops));
        buf_add(b, S("     why    "));
        why(run, u, b);
        buf_char(b, '\n');
        for (int32_t k = 0; k < u->def->assets.count; k++) {
            const DgAssetDef *a = &p->assets[u->def->assets.items[k]];
            buf_format(b, "     makes  %.*s", FMT(a->key));
            for (int32_t c = 0; c < a->columns_count; c++)
                buf_format(b, "%s%.*s %s", c ? ", " : " (", FMT(a->columns[c].name),
                           dg_type_name(a->columns[c].type.kind));
            buf_add(b, a->columns_count ? S(")\n") : S("\n"));
        }
        for (int32_t k = 0; k < u->def->checks.count; k++) {
            const DgCheckDef *c = &p->checks[u->def->checks.items[k]];
            buf_format(b, "     checks %.*s:%.*s%s\n", FMT(p->assets[c->asset].key), FMT(c->name),
                       c->blocking ? " (blocking)" : "");
        }
        for (int32_t k = 0; k < u->deps_count; k++)
            buf_format(b, "%s%d%s", k ? ", " : "     after  ", u->deps[k] + 1,
                       k + 1 == u->deps_count ? "\n" : "");
        if (u->def->partitions >= 0) {
            buf_add(b, S("     of     "));
            partitions_text(run, u, b);
            buf_char(b, '\n');
        }
        if (u->def->retry.retries_max > 0)
            buf_format(b, "     tries  again up to %d times\n", u->def->retry.retries_max);
        if (u->def->pool.len)
            buf_format(b, "     pool   %.*s\n", FMT(u->def->pool));
        explained(run, u, b);
    }
}

static void json_keys(const DgPipeline *p, const DgIndices *list, StrBuf *b)
{
    buf_char(b, '[');
    for (int32_t i = 0; i < list->count; i++) {
        buf_add(b, i ? S(", ") : S(""));
        buf_json(b, p->assets[list->items[i]].key);
    }
    buf_char(b, ']');
}

static void json_columns(const DgPipeline *p, const Unit *u, StrBuf *b)
{
    buf_char(b, '{');
    bool any = false;
    for (int32_t k = 0; k < u->def->assets.count; k++) {
        const DgAssetDef *a = &p->assets[u->def->assets.items[k]];
        if (!a->columns_count)
            continue;
        buf_add(b, any ? S(", ") : S(""));
        any = true;
        buf_json(b, a->key);
        for (int32_t c = 0; c < a->columns_count; c++) {
            buf_add(b, c ? S(", {\"name\": ") : S(": [{\"name\": "));
            buf_json(b, a->columns[c].name);
            buf_format(b, ", \"type\": \"%s\", \"nullable\": %s}",
                       dg_type_name(a->columns[c].type.kind),
                       a->columns[c].not_null ? "false" : "true");
        }
        buf_char(b, ']');
    }
    buf_char(b, '}');
}

static void plan_json(Run *run, StrBuf *b)
{
    const DgPipeline *p = run->pipeline;
    buf_add(b, S("{\n  \"schema\": \"dgc-plan/1\",\n  \"pipeline\": "));
    buf_json(b, p->name);
    buf_add(b, S(",\n  \"steps\": ["));
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        StrBuf reason = {0};
        why(run, u, &reason);
        buf_add(b, i ? S(",\n    {\"step\": ") : S("\n    {\"step\": "));
        buf_json(b, u->def->name);
        buf_add(b, S(", \"partition\": "));
        u->partition.len ? buf_json(b, u->partition) : buf_add(b, S("null"));
        buf_format(b, ", \"partitioned\": %s, \"type\": \"%s\", \"role\": \"%s\", \"why\": ",
                   u->def->partitions >= 0 ? "true" : "false", u->def->ops->name,
                   role_name(u->def->ops));
        buf_json(b, buf_str(&reason));
        buf_free(&reason);
        buf_add(b, S(", \"assets\": "));
        json_keys(p, &u->def->assets, b);
        buf_add(b, S(", \"reads\": "));
        json_keys(p, &u->def->reads, b);
        buf_add(b, S(", \"after\": ["));
        for (int32_t k = 0; k < u->deps_count; k++)
            buf_format(b, "%s%d", k ? ", " : "", u->deps[k]);
        buf_add(b, S("], \"columns\": "));
        json_columns(p, u, b);
        buf_char(b, '}');
    }
    buf_add(b, run->units_count ? S("\n  ]\n}\n") : S("]\n}\n"));
}

int cli_plan(Cli *cli)
{
    DgError err = {0};
    Run *run;
    StrBuf b = {0};
    int code;
    Console *console = console_open(PROGRESS_PLAIN, cli->redactor); /* for what steps warn of */
    cli->run.planning = true;
    if (!console)
        os_no_memory(&err, "starting");
    if (!console || run_open(cli->pipeline, &cli->run, console, cli->redactor, &run, &err) != DG_OK) {
        if (console)
            console_close(console);
        return cli_error(cli, &err);
    }
    if (run_plan(run, &err) != DG_OK) {
        code = cli_error(cli, &err);
    } else {
        cli->json ? plan_json(run, &b) : plan_text(run, &b);
        code = cli_write(&b, 0);
    }
    buf_free(&b);
    run_close(run);
    console_close(console);
    return code;
}
