/* emit_program.c - the tables of pipeline.h, and the functions that steps point to. */
#include "codegen/emit_program.h"

#include "codegen/emit_config.h"
#include "codegen/emit_rows.h"
#include "codegen/emit_template.h"
#include "compiler/spec.h"
#include "compiler/sql/sql.h"
#include "runtime/eval/value.h"
#include "runtime/symbols.h"

typedef struct Program {
    Plan *plan;
    Emit *e;
    Arena *a;
    EmitConfig config;
    Map code;           /* bytes of a CodeUnit's or Residual's address -> Str* */
    Map ops;            /* names of DgStepOps declared */
    Map printed;        /* names of functions already there: a unit may have several users */
    Map quoted;         /* places of the YAML documents already shown */
    Map site_index;     /* "file:line" -> index + 1, as a pointer */
    Array(Span) sites;
    bool failed;
} Program;

/* ---- Sites ---- */

static int32_t site_of(Program *p, Span at)
{
    const SourceFile *file = at.file ? sources_file(p->plan->sources, at.file) : NULL;
    if (!file)
        return -1;
    Str key = str_format(p->a, "%u:%u", at.file, sources_line_of(p->plan->sources, at));
    uintptr_t known = (uintptr_t)map_get(&p->site_index, key);
    if (!known) {
        array_add(p->a, &p->sites, at);
        known = p->sites.count;
        map_put(p->a, &p->site_index, key, (void *)known);
    }
    return (int32_t)known - 1;
}

static int32_t template_site(void *ctx, Span at)
{
    return site_of(ctx, at) + 1;
}

/* ---- Functions ---- */

static Str *code_slot(Program *p, const void *address, Str hint)
{
    Str key = {(const char *)&address, sizeof address};
    Str *name = map_get(&p->code, key);
    if (!name) {
        name = push(p->a, Str, 1);
        *name = emit_fresh(p->e, hint);
        map_put(p->a, &p->code, str_copy(p->a, key), name);
    }
    return name;
}

static Str code_name(void *ctx, const CodeUnit *unit)
{
    return *code_slot(ctx, unit, unit->name);
}

static Str template_name(void *ctx, const Binding *b)
{
    Program *p = ctx;
    return *code_slot(p, b->value, str_format(p->a, "%s_template", b->field->name));
}

static void emit_code(Program *p, const CodeUnit *unit)
{
    EmitTemplate how = {.diag = p->plan->diag, .site = template_site, .ctx = p};
    Str name = code_name(p, unit);
    if (map_has(&p->printed, name))
        return;
    map_put(p->a, &p->printed, name, p);
    EmitSection before = emit_section(p->e, EMIT_FUNCS);
    if (unit->kind == CODE_TEMPLATE) {
        if (unit->as.sql->rendered)
            p->failed |= !emit_template(p->e, name, unit->as.sql->rendered, &how);
    } else {
        assert(unit->kind == CODE_ROWS);
        emit_rows(p->e, name, unit->as.rows);
    }
    emit_line(p->e, "%s", "");
    emit_section(p->e, before);
}

static void declare_ops(Program *p, const DgStepOps *ops, Str symbol)
{
    if (map_has(&p->ops, symbol))
        return;
    map_put(p->a, &p->ops, symbol, (void *)(uintptr_t)ops);
    EmitSection before = emit_section(p->e, EMIT_TYPES);
    emit_line(p->e, "extern const DgStepOps %.*s;", FMT(symbol));
    emit_section(p->e, before);
}

/* ---- Tables ---- */

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
    cell(&row, "site", "%d", site_of(p, plan_source(x->instance)));
    return row_end(&row);
}

static void emit_assets(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->assets.count + 1);
    for (size_t i = 0; i < plan->assets.count; i++)
        rows[i] = asset_row(p, plan->assets.items[i]);
    emit_rows_table(p, "DgAssetDef", "assets", rows, plan->assets.count);
}

static void emit_checks(Program *p)
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
        cell(&row, "site", "%d", site_of(p, plan_source(x->instance)));
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
    Str assets, checks, reads, after;
    quote_source(p, x);
    Str settings = emit_config(&p->config, x), bind = emit_bind(&p->config, x);
    Str symbol = ops_symbol(p, x);
    declare_ops(p, x->ops, symbol);
    INDICES_OF(assets, p, str_format(p->a, "%.*s_assets", FMT(x->name)), x->assets);
    INDICES_OF(checks, p, str_format(p->a, "%.*s_checks", FMT(x->name)), x->checks);
    INDICES_OF(reads, p, str_format(p->a, "%.*s_reads", FMT(x->name)), x->reads);
    INDICES_OF(after, p, str_format(p->a, "%.*s_after", FMT(x->name)), x->after);
    cell_text(&row, "name", x->name);
    cell(&row, "ops", "&%.*s", FMT(symbol));
    if (settings.len)
        cell(&row, "config", "&%.*s", FMT(settings));
    cell(&row, "bind", "%.*s", FMT(bind.len ? bind : S("0")));
    cell(&row, "assets", "%.*s", FMT(assets));
    cell(&row, "checks", "%.*s", FMT(checks));
    cell(&row, "reads", "%.*s", FMT(reads));
    cell(&row, "after", "%.*s", FMT(after));
    if (x->retry.retries_max)
        cell(&row, "retry", "{%d, %.*s, %d, %d}", x->retry.retries_max,
             FMT(emit_int(p->a, x->retry.delay_ms)), x->retry.exponential, x->retry.jitter);
    cell_text(&row, "pool", x->pool);
    cell(&row, "partitions", "%d", partitions_index(x->partitions));
    cell(&row, "backfill_partitions_max", "%d", x->backfill_partitions_max);
    cell(&row, "site", "%d", site_of(p, x->at));
    return row_end(&row);
}

static void emit_steps(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->steps.count + 1);
    for (size_t i = 0; i < plan->steps.count; i++)
        rows[i] = step_row(p, plan->steps.items[i]);
    emit_rows_table(p, "DgStepDef", "steps", rows, plan->steps.count);
}

/* Before the steps, whose bind functions call them. */
static void emit_functions(Program *p)
{
    EmitTemplate how = {.diag = p->plan->diag, .site = template_site, .ctx = p};
    for (size_t i = 0; i < p->plan->steps.count; i++) {
        const Step *x = p->plan->steps.items[i];
        for (size_t k = 0; k < x->code.count; k++)
            emit_code(p, x->code.items[k].unit);
        for (size_t k = 0; k < x->bindings.count; k++) {
            const Binding *b = &x->bindings.items[k];
            Str name = *code_slot(p, b->value, str_format(p->a, "%.*s_%s", FMT(x->name), b->field->name));
            EmitSection before = emit_section(p->e, EMIT_FUNCS);
            p->failed |= !emit_template(p->e, name, x->bindings.items[k].value, &how);
            emit_line(p->e, "%s", "");
            emit_section(p->e, before);
        }
    }
}

static void emit_partitions(Program *p)
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

static void emit_jobs(Program *p)
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
        cell(&row, "site", "%d", site_of(p, plan_source(x->instance)));
        rows[i] = row_end(&row);
    }
    emit_rows_table(p, "DgJobDef", "jobs", rows, plan->jobs.count);
}

static void emit_schedules(Program *p)
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
        cell(&row, "site", "%d", site_of(p, plan_source(x->instance)));
        rows[i] = row_end(&row);
    }
    emit_rows_table(p, "DgScheduleDef", "schedules", rows, plan->schedules.count);
}

static void emit_small_tables(Program *p)
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
                      plan->env.items[i].secret, site_of(p, plan->env.items[i].at));
        emit_close(p->e, ";\n");
    }
}

static size_t emit_lineage(Program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->plan->assets.count; i++) {
        const Asset *x = p->plan->assets.items[i];
        for (size_t k = 0; k < x->lineage.count; k++) {
            if (!n++)
                emit_open(p->e, "static const DgLineage lineage[] =");
            emit_line(p->e, "{%d, %d, %d, %d},", x->index, x->lineage.items[k].column,
                      x->lineage.items[k].from->index, x->lineage.items[k].from_column);
        }
    }
    if (n)
        emit_close(p->e, ";\n");
    return n;
}

static void emit_sites(Program *p)
{
    if (!p->sites.count)
        return;
    emit_open(p->e, "static const DgSite sites[] =");
    for (size_t i = 0; i < p->sites.count; i++)
        emit_line(p->e, "{%.*s, %u},",
                  FMT(emit_str(p->a, sources_file(p->plan->sources, p->sites.items[i].file)->path)),
                  sources_line_of(p->plan->sources, p->sites.items[i]));
    emit_close(p->e, ";\n");
}

static void emit_table_ref(Program *p, const char *name, size_t count)
{
    emit_line(p->e, ".%s = %s, .%s_count = %zu,", name, count ? name : "0", name, count);
}

static void emit_pipeline(Program *p, const EmitOptions *o, size_t lineage)
{
    const Plan *plan = p->plan;
    emit_section(p->e, EMIT_MAIN);
    emit_open(p->e, "const DgPipeline dg_pipeline =");
    emit_line(p->e, ".name = %.*s,", FMT(emit_str(p->a, plan->name)));
    emit_line(p->e, ".version = %.*s,", FMT(emit_str(p->a, o->version)));
    emit_line(p->e, ".fingerprint = %.*s,", FMT(emit_str(p->a, plan->fingerprint)));
    emit_line(p->e, ".sbom_json = %.*s,", FMT(emit_str(p->a, o->sbom_json)));
    emit_line(p->e, ".source_root = {\".\", 1},");
    emit_table_ref(p, "sites", p->sites.count);
    emit_table_ref(p, "assets", plan->assets.count);
    emit_table_ref(p, "checks", plan->checks.count);
    emit_table_ref(p, "steps", plan->steps.count);
    emit_table_ref(p, "partitions", plan->partitions.count);
    emit_table_ref(p, "jobs", plan->jobs.count);
    emit_table_ref(p, "schedules", plan->schedules.count);
    emit_table_ref(p, "resources", plan->resources.count);
    emit_table_ref(p, "secrets", plan->env.count);
    emit_table_ref(p, "lineage", lineage);
    emit_line(p->e, ".needs_duckdb = %d,", plan->needs_duckdb);
    emit_close(p->e, ";\n");
    emit_open(p->e, "int main(int argc, char **argv)");
    emit_line(p->e, "return dg_main(&dg_pipeline, argc, argv);");
    emit_close(p->e, "");
}

/* Which parts of the runtime the functions call: so many headers fewer to read. */
typedef struct Uses {
    bool templates, decoders, rows, bindings;
} Uses;

static Uses uses_of(const Plan *plan)
{
    Uses uses = {0};
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *x = plan->steps.items[i];
        uses.bindings |= x->bindings.count > 0;
        for (size_t k = 0; k < x->code.count; k++) {
            CodeKind kind = x->code.items[k].unit->kind;
            uses.templates |= kind == CODE_TEMPLATE;
            uses.decoders |= kind == CODE_DECODER;
            uses.rows |= kind == CODE_ROWS;
        }
    }
    return uses;
}

static void emit_head(Program *p, const EmitOptions *o)
{
    const Sources *sources = p->plan->sources;
    Uses uses = uses_of(p->plan);
    emit_section(p->e, EMIT_HEAD);
    emit_line(p->e, "/* %.*s: a data pipeline, written by dgc %.*s. Do not edit; edit what it is made "
              "from:\n *", FMT(p->plan->name), FMT(o->version));
    for (size_t i = 1; i < sources->files.count; i++)
        emit_line(p->e, " *     %.*s", FMT(str_replace(p->a, sources->files.items[i].path, S("*/"), S("* /"))));
    emit_line(p->e, " */");
    emit_line(p->e, "#define DGC_NO_LIBC");
    emit_line(p->e, "#include \"runtime/pipeline.h\"");
    if (uses.decoders || uses.rows)
        emit_line(p->e, "#include \"runtime/data/decode.h\"");
    if (uses.decoders)
        emit_line(p->e, "#include \"runtime/data/decode_api.h\"");
    if (uses.rows)
        emit_line(p->e, "#include \"runtime/data/rows_api.h\"");
    if (uses.templates || uses.bindings)
        emit_line(p->e, "#include \"runtime/eval/eval_api.h\"");
    if (uses.bindings)
        emit_line(p->e, "#include \"runtime/run/bind.h\"");
}

Str emit_program(Plan *plan, const EmitOptions *o)
{
    Program p = {.plan = plan, .a = plan->arena};
    p.e = emit_new(plan->arena, plan->sources, !o->for_people);
    p.config = (EmitConfig){.e = p.e, .arena = p.a, .code_name = code_name,
                            .template_name = template_name, .ctx = &p, .diag = plan->diag};
    emit_head(&p, o);
    emit_section(p.e, EMIT_TABLES);
    emit_partitions(&p);
    emit_assets(&p);
    emit_checks(&p);
    emit_functions(&p);
    emit_section(p.e, EMIT_TABLES);
    emit_steps(&p);
    emit_jobs(&p);
    emit_schedules(&p);
    emit_small_tables(&p);
    size_t lineage = emit_lineage(&p);
    emit_sites(&p);
    emit_pipeline(&p, o, lineage);
    Str out = emit_finish(p.e);
    return p.failed || diag_failed(plan->diag) ? (Str){0} : out;
}
