/* pass_reads.c - tables that steps read must be made by somebody, checks that they ask about be there. */
#include "compiler/pass.h"

static Str *known_keys(const Plan *plan, size_t *count)
{
    Str *names = push(plan->arena, Str, plan->assets.count + 1);
    *count = 0;
    for (size_t i = 0; i < plan->assets.count; i++)
        if (!plan->assets.items[i]->stub)
            names[(*count)++] = plan->assets.items[i]->key;
    return names;
}

static void report(Plan *plan, const Step *step, Str key, Str *names, size_t count)
{
    DiagItem *it = diag_report(plan->diag, E0202, step->at, "there is no asset `%.*s`", FMT(key));
    const SourceFile *file = sources_file(plan->sources, step->at.file);
    Str there = file ? str_sub(file->text, step->at.start, step->at.end) : (Str){0};
    if (!str_eq(there, key) || !diag_suggest(it, step->at, "asset", key, names, count))
        diag_help(it, "`dgc list defs` shows the assets of the project");
}

static void report_check(Plan *plan, const Step *step, const DgPair *wanted)
{
    StrBuf known = {0};
    for (size_t i = 0; i < plan->checks.count; i++)
        if (str_eq(plan->checks.items[i]->asset_key, wanted->key))
            buf_format(&known, "%s`%.*s`", known.len ? ", " : "", FMT(plan->checks.items[i]->name));
    DiagItem *it = diag_report(plan->diag, E0202, step->awaits_at, "there is no check `%.*s` of asset `%.*s`", FMT(wanted->value), FMT(wanted->key));
    if (known.len)
        diag_help(it, "its checks are %.*s", FMT(buf_str(&known)));
    else
        diag_help(it, "no check judges that asset; `dgc list defs` shows assets and checks");
    buf_free(&known);
}

/* Dagster takes unknown dependencies for assets made elsewhere. A table of our own warehouse is
 * made here or nowhere, so for what a step reads from it that is a mistake. */
void pass_reads(Plan *plan)
{
    size_t count;
    Str *names = known_keys(plan, &count);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.items[i];
        for (size_t j = 0; j < step->awaits.count; j++)
            if (!plan_check(plan, &step->awaits.items[j]))
                report_check(plan, step, &step->awaits.items[j]);
        if (!step->ops || step->ops->no_warehouse)
            continue;
        for (size_t j = 0; j < step->read_keys.count; j++) {
            const Asset *asset = plan_asset(plan, step->read_keys.items[j]);
            if (!asset || asset->stub)
                report(plan, step, step->read_keys.items[j], names, count);
        }
    }
}
