/* emit_tables.c - the plan's nouns as the tables of runtime/pipeline.h, rows with named members. */
#include "codegen/emit_program_impl.h"

#include "compiler/spec.h"
#include "runtime/eval/value.h"
#include "runtime/symbols.h"

static void declare_ops(Program *p, const DgStepOps *ops, Str symbol)
{
    if (map_has(&p->ops, symbol))
        return;
    map_put(p->a, &p->ops, symbol, (void *)(uintptr_t)ops);
    EmitSection before = emit_section(p->e, EMIT_TYPES);
    emit_line(p->e, "extern const DgStepOps %.*s;", FMT(symbol));
    emit_section(p->e, before);
}

static Str indices(Program *p, Str name, const int *items, size_t count)
{
    if (!count)
        return S("{0, 0}");
    Str table = emit_fresh(p->e, name);
    StrBuf b = {0};
    for (size_t i = 0; i < count; i++)
        buf_format(&b, "%s%d", i ? ", " : "", items[i]);
    emit_line(p->e, "static const int32_t %.*s[] = {%.*s};", FMT(table), FMT(buf_str(&b)));
    buf_free(&b);
    return str_format(p->a, "{%.*s, %zu}", FMT(table), count);
}

/* Every noun of the plan that has an index begins differently, so this is a macro. */
#define INDICES_OF(out, p, name, array)                       \
    do {                                                      \
        int *ids_ = push((p)->a, int, (array).count + 1);     \
        for (size_t i_ = 0; i_ < (array).count; i_++)         \
            ids_[i_] = (array).items[i_]->index;              \
        (out) = indices((p), (name), ids_, (array).count);    \
    } while (0)

static Str strs(Program *p, Str name, const StrArray *items)
{
    if (!items->count)
        return S("{0, 0}");
    Str table = emit_fresh(p->e, name);
    emit_open(p->e, "static const DgStr %.*s[] =", FMT(table));
    for (size_t i = 0; i < items->count; i++)
        emit_line(p->e, "%.*s,", FMT(emit_str(p->a, items->items[i])));
    emit_close(p->e, ";");
    return str_format(p->a, "{%.*s, %zu}", FMT(table), items->count);
}

static Str pairs(Program *p, Str name, const DgPair *items, size_t count)
{
    if (!count)
        return S("0");
    Str table = emit_fresh(p->e, name);
    emit_open(p->e, "static const DgPair %.*s[] =", FMT(table));
    for (size_t i = 0; i < count; i++)
        emit_line(p->e, "{%.*s, %.*s},", FMT(emit_str(p->a, items[i].key)),
                  FMT(emit_str(p->a, items[i].value)));
    emit_close(p->e, ";");
    return table;
}

/* {"label": "eager", "expanded": [...]}: what `list` shows of an automation condition. */
static Str automation_json(Program *p, DgValue condition)
{
    AutomationLabel label = automation_label(p->a, condition);
    StrBuf b = {0};
    if (!label.expanded.count)
        return (Str){0};
    buf_add(&b, S("{\"label\": "));
    buf_json(&b, label.label);
    for (size_t i = 0; i < label.expanded.count; i++) {
        buf_add(&b, i ? S(", ") : S(", \"expanded\": ["));
        buf_json(&b, label.expanded.items[i]);
    }
    buf_add(&b, S("]}"));
    Str out = str_copy(p->a, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str json_of(Program *p, const DgValuePair *items, size_t count)
{
    DgEval ev;
    StrBuf b = {0};
    dg_eval_init(&ev, p->a);
    buf_char(&b, '{');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_add(&b, S(", "));
        buf_json(&b, items[i].key);
        buf_add(&b, S(": "));
        dg_write_json(&ev, &b, items[i].value, 0, false);
    }
    buf_char(&b, '}');
    Str out = str_copy(p->a, buf_str(&b));
    buf_free(&b);
    dg_eval_free(&ev);
    return out;
}

static const char *const type_names[] = {
#define X(name, text, width) #name,
    DG_TYPES(X)
#undef X
};

static Str columns(Program *p, const Asset *asset)
{
    if (!asset->columns_known || !asset->columns.count)
        return S("0");
    Str table = emit_fresh(p->e, str_format(p->a, "%.*s_columns", FMT(asset->key)));
    emit_open(p->e, "static const DgColumn %.*s[] =", FMT(table));
    for (size_t i = 0; i < asset->columns.count; i++) {
        const DgColumn *c = &asset->columns.items[i].column;
        emit_line(p->e, "{%.*s, {%s, %d, %d}, %d, %.*s},", FMT(emit_str(p->a, c->name)),
                  type_names[c->type.kind], c->type.precision, c->type.scale, c->not_null,
                  FMT(emit_str(p->a, c->path)));
    }
    emit_close(p->e, ";");
    return table;
}

static int32_t partitions_index(const Partitions *x)
{
    return x ? x->index : -1;
}

/* A row of a table: the members that are not zero, each on a line of its own. */
typedef struct Row {
    Program *p;
    StrBuf text;
} Row;

static void cell(Row *row, const char *name, const char *fmt, ...) DG_PRINTF(3, 4);
static void cell(Row *row, const char *name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str value = str_vformat(row->p->a, fmt, args);
    va_end(args);
    if (!str_eq(value, S("0")) && !str_eq(value, S("{0, 0}")) && !str_eq(value, S("{}")))
        buf_format(&row->text, "%s\n        .%s = %.*s", row->text.len ? "," : "", name, FMT(value));
}

static void cell_text(Row *row, const char *name, Str text)
{
    cell(row, name, "%.*s", FMT(emit_str(row->p->a, text)));
}

static Str row_end(Row *row)
{
    Str out = row->text.len ? str_copy(row->p->a, buf_str(&row->text)) : S("0");
    buf_free(&row->text);
    return out;
}

static void emit_rows_table(Program *p, const char *type, const char *name, const Str *rows, size_t count)
{
    if (!count)
        return;
    emit_open(p->e, "static const %s %s[] =", type, name);
    for (size_t i = 0; i < count; i++)
        emit_line(p->e, "{%.*s},", FMT(rows[i]));
    emit_close(p->e, ";\n");
}

static Str asset_row(Program *p, const Asset *x)
{
    Row row = {.p = p};
    Str deps;
    INDICES_OF(deps, p, str_format(p->a, "%.*s_deps", FMT(x->key)), x->deps);
    Str kinds = strs(p, str_format(p->a, "%.*s_kinds", FMT(x->key)), &x->kinds);
    Str owners = strs(p, str_format(p->a, "%.*s_owners", FMT(x->key)), &x->owners);
    Str tags = pairs(p, str_format(p->a, "%.*s_tags", FMT(x->key)), x->tags.items, x->tags.count);
    Str cols = columns(p, x);
    cell_text(&row, "key", x->key);
    cell_text(&row, "schema", x->schema);
    cell_text(&row, "table", x->table);
    cell_text(&row, "description", x->description);
    cell_text(&row, "group", x->group);
    cell(&row, "deps", "%.*s", FMT(deps));
    cell(&row, "kinds", "%.*s", FMT(kinds));
    cell(&row, "owners", "%.*s", FMT(owners));
    cell(&row, "tags", "%.*s", FMT(tags));
    cell(&row, "tags_count", "%zu", x->tags.count);
    if (x->metadata.count)
        cell_text(&row, "metadata_json", json_of(p, x->metadata.items, x->metadata.count));
    cell_text(&row, "code_version", x->code_version);
    cell_text(&row, "automation_json", automation_json(p, x->automation));
    cell(&row, "columns", "%.*s", FMT(cols));
    cell(&row, "columns_count", "%zu", x->columns_known ? x->columns.count : 0);
    cell(&row, "step", "%d", x->step ? x->step->index : -1);
    cell(&row, "partitions", "%d", partitions_index(x->partitions));
    cell(&row, "unlisted", "%d", x->unlisted);
    cell(&row, "site", "%d", program_site(p, plan_source(x->instance)));
    return row_end(&row);
}

void emit_assets(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->assets.count + 1);
    for (size_t i = 0; i < plan->assets.count; i++)
        rows[i] = asset_row(p, plan->assets.items[i]);
    emit_rows_table(p, "DgAssetDef", "assets", rows, plan->assets.count);
}

void emit_checks(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->checks.count + 1);
    for (size_t i = 0; i < plan->checks.count; i++) {
        const Check *x = plan->checks.items[i];
        Row row = {.p = p};
        Str deps;
        INDICES_OF(deps, p, str_format(p->a, "%.*s_%.*s_deps", FMT(x->asset_key), FMT(x->name)),
                   x->deps);
        cell(&row, "asset", "%d", x->asset ? x->asset->index : -1);
        cell_text(&row, "name", x->name);
        cell_text(&row, "description", x->description);
        cell(&row, "deps", "%.*s", FMT(deps));
        cell(&row, "blocking", "%d", x->blocking);
        cell(&row, "warn", "%d", x->warn);
        cell(&row, "automated", "%d", x->automation.kind == DG_V_OBJECT);
        cell(&row, "step", "%d", x->step ? x->step->index : -1);
        cell(&row, "site", "%d", program_site(p, plan_source(x->instance)));
        rows[i] = row_end(&row);
    }
    emit_rows_table(p, "DgCheckDef", "checks", rows, plan->checks.count);
}

/* What the linker knows the step's functions by. */
static Str ops_symbol(Program *p, const Step *step)
{
    const DgStepOps *ops = step->ops;
    if (ops->symbol)
        return str_from(ops->symbol);
    for (const DgSymbol *s = dg_symbols; s->name; s++)
        if (s->address == (const void *)ops)
            return str_from(s->name);
    diag_report(p->plan->diag, E0801, step->at,
                "the DgStepOps `%s` has no `symbol`: emitted code cannot refer to it", ops->name);
    p->failed = true;
    return S("dg_no_ops");
}

/* The component's YAML, once; later steps of the same component say where it stands. */
static void quote_source(Program *p, const Step *x)
{
    const SourceFile *file = sources_file(p->plan->sources, x->at.file);
    Span at = x->at;
    if (file && x->source.len) { /* a part of the file's text */
        at.start = (uint32_t)(x->source.ptr - file->text.ptr);
        at.end = at.start + (uint32_t)x->source.len;
    }
    Str key = str_format(p->a, "%u:%u", at.file, at.start);
    emit_section(p->e, EMIT_TABLES);
    if (!map_has(&p->quoted, key)) {
        map_put(p->a, &p->quoted, key, p);
        emit_quote(p->e, at);
    } else if (file) {
        emit_line(p->e, "/* of the component at %.*s:%u */", FMT(file->path),
                  sources_line_of(p->plan->sources, at));
    }
}

static Str step_row(Program *p, const Step *x)
{
    Row row = {.p = p};
    Str assets, checks, reads, after, around;
    quote_source(p, x);
    Str settings = emit_config(&p->config, x), bind = emit_bind(&p->config, x);
    Str symbol = ops_symbol(p, x);
    declare_ops(p, x->ops, symbol);
    INDICES_OF(assets, p, str_format(p->a, "%.*s_assets", FMT(x->name)), x->assets);
    INDICES_OF(checks, p, str_format(p->a, "%.*s_checks", FMT(x->name)), x->checks);
    INDICES_OF(reads, p, str_format(p->a, "%.*s_reads", FMT(x->name)), x->reads);
    INDICES_OF(after, p, str_format(p->a, "%.*s_after", FMT(x->name)), x->after);
    INDICES_OF(around, p, str_format(p->a, "%.*s_around", FMT(x->name)), x->around);
    cell_text(&row, "name", x->name);
    cell(&row, "ops", "&%.*s", FMT(symbol));
    if (settings.len)
        cell(&row, "config", "&%.*s", FMT(settings));
    cell(&row, "bind", "%.*s", FMT(bind.len ? bind : S("0")));
    cell(&row, "assets", "%.*s", FMT(assets));
    cell(&row, "checks", "%.*s", FMT(checks));
    cell(&row, "reads", "%.*s", FMT(reads));
    cell(&row, "after", "%.*s", FMT(after));
    if (x->around.count)
        cell(&row, "around", "%.*s", FMT(around));
    if (x->after_keys.count)
        cell(&row, "always", "1");
    if (x->retry.retries_max)
        cell(&row, "retry", "{%d, %.*s, %d, %d}", x->retry.retries_max,
             FMT(emit_int(p->a, x->retry.delay_ms)), x->retry.exponential, x->retry.jitter);
    cell_text(&row, "pool", x->pool);
    cell(&row, "partitions", "%d", partitions_index(x->partitions));
    cell(&row, "backfill_partitions_max", "%d", x->backfill_partitions_max);
    cell(&row, "site", "%d", program_site(p, x->at));
    return row_end(&row);
}

void emit_steps(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->steps.count + 1);
    for (size_t i = 0; i < plan->steps.count; i++)
        rows[i] = step_row(p, plan->steps.items[i]);
    emit_rows_table(p, "DgStepDef", "steps", rows, plan->steps.count);
}

void emit_partitions(Program *p)
{
    const Plan *plan = p->plan;
    Str *keys = push(p->a, Str, plan->partitions.count + 1);
    for (size_t i = 0; i < plan->partitions.count; i++)
        keys[i] = strs(p, S("partition_keys"), &plan->partitions.items[i]->keys);
    if (!plan->partitions.count)
        return;
    emit_open(p->e, "static const DgPartitionsDef partitions[] =");
    for (size_t i = 0; i < plan->partitions.count; i++) {
        const Partitions *x = plan->partitions.items[i];
        Str table = S("0"), rest;
        if (x->keys.count)
            str_cut(str_sub(keys[i], 1, keys[i].len), ',', &table, &rest);
        emit_line(p->e, "{.kind = %s, .keys = %.*s, .keys_count = %zu, .start = %.*s, .end = %.*s,\n"
                  "     .timezone = %.*s, .format = %.*s, .cron = %.*s},",
                  x->kind == DG_PARTITIONS_STATIC ? "DG_PARTITIONS_STATIC" : "DG_PARTITIONS_TIME",
                  FMT(table), x->keys.count, FMT(emit_str(p->a, x->start)),
                  FMT(emit_str(p->a, x->end)), FMT(emit_str(p->a, x->timezone)),
                  FMT(emit_str(p->a, x->format)), FMT(emit_str(p->a, x->cron)));
    }
    emit_close(p->e, ";\n");
}

void emit_jobs(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->jobs.count + 1), assets, checks;
    for (size_t i = 0; i < plan->jobs.count; i++) {
        const Job *x = plan->jobs.items[i];
        Row row = {.p = p};
        INDICES_OF(assets, p, str_format(p->a, "%.*s_job_assets", FMT(x->name)), x->assets);
        INDICES_OF(checks, p, str_format(p->a, "%.*s_job_checks", FMT(x->name)), x->checks);
        cell_text(&row, "name", x->name);
        cell_text(&row, "description", x->description);
        cell(&row, "assets", "%.*s", FMT(assets));
        cell(&row, "checks", "%.*s", FMT(checks));
        cell(&row, "site", "%d", program_site(p, plan_source(x->instance)));
        rows[i] = row_end(&row);
    }
    emit_rows_table(p, "DgJobDef", "jobs", rows, plan->jobs.count);
}

void emit_schedules(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->schedules.count + 1), assets, checks;
    for (size_t i = 0; i < plan->schedules.count; i++) {
        const Schedule *x = plan->schedules.items[i];
        Row row = {.p = p};
        INDICES_OF(assets, p, str_format(p->a, "%.*s_fires", FMT(x->name)), x->assets);
        INDICES_OF(checks, p, str_format(p->a, "%.*s_fires_checks", FMT(x->name)), x->checks);
        cell_text(&row, "name", x->name);
        cell_text(&row, "description", x->description);
        cell_text(&row, "cron", x->cron);
        cell_text(&row, "timezone", x->timezone);
        cell(&row, "job", "%d", x->job ? x->job->index : -1);
        cell(&row, "assets", "%.*s", FMT(assets));
        cell(&row, "checks", "%.*s", FMT(checks));
        cell(&row, "stopped", "%d", x->stopped);
        cell(&row, "site", "%d", program_site(p, plan_source(x->instance)));
        rows[i] = row_end(&row);
    }
    emit_rows_table(p, "DgScheduleDef", "schedules", rows, plan->schedules.count);
}

void emit_small_tables(Program *p)
{
    const Plan *plan = p->plan;
    if (plan->resources.count) {
        emit_open(p->e, "static const DgResourceDef resources[] =");
        for (size_t i = 0; i < plan->resources.count; i++)
            emit_line(p->e, "{%.*s, %.*s},", FMT(emit_str(p->a, plan->resources.items[i]->name)),
                      FMT(emit_str(p->a, plan->resources.items[i]->type)));
        emit_close(p->e, ";\n");
    }
    if (plan->env.count) {
        emit_open(p->e, "static const DgSecretDef secrets[] =");
        for (size_t i = 0; i < plan->env.count; i++)
            emit_line(p->e, "{.name = %.*s, .required = %d, .secret = %d, .site = %d},",
                      FMT(emit_str(p->a, plan->env.items[i].name)), plan->env.items[i].required,
                      plan->env.items[i].secret, program_site(p, plan->env.items[i].at));
        emit_close(p->e, ";\n");
    }
}
