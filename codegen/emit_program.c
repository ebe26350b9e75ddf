/* emit_program.c - the tables of pipeline.h, and the functions that steps point to. */
#include "codegen/emit_program.h"

#include "codegen/emit_config.h"
#include "codegen/emit_decoder.h"
#include "codegen/emit_rows.h"
#include "codegen/emit_template.h"
#include "compiler/sql/sql.h"
#include "runtime/eval/value.h"

typedef struct Program {
    Plan *plan;
    Emit *e;
    Arena *a;
    EmitConfig config;
    Map code;           /* bytes of a CodeUnit's or Residual's address -> Str* */
    Map ops;            /* names of DgStepOps declared */
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
    EmitSection before = emit_section(p->e, EMIT_FUNCS);
    if (unit->kind == CODE_TEMPLATE) {
        if (unit->as.sql->rendered)
            p->failed |= !emit_template(p->e, name, unit->as.sql->rendered, &how);
    } else if (unit->kind == CODE_DECODER) {
        emit_decoder(p->e, name, unit->as.decoder, unit->at);
    } else {
        emit_rows(p->e, name, unit->as.rows);
    }
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

static void emit_assets(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->assets.count + 1);
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *x = plan->assets.items[i];
        Str deps;
        INDICES_OF(deps, p, str_format(p->a, "%.*s_deps", FMT(x->key)), x->deps);
        Str kinds = strs(p, str_format(p->a, "%.*s_kinds", FMT(x->key)), &x->kinds);
        Str owners = strs(p, str_format(p->a, "%.*s_owners", FMT(x->key)), &x->owners);
        Str tags = pairs(p, str_format(p->a, "%.*s_tags", FMT(x->key)), x->tags.items, x->tags.count);
        Str cols = columns(p, x);
        Str meta = x->metadata.count ? json_of(p, x->metadata.items, x->metadata.count) : (Str){0};
        rows[i] = str_format(
            p->a,
            ".key = %.*s, .schema = %.*s, .table = %.*s,\n"
            "     .description = %.*s, .group = %.*s, .code_version = %.*s,\n"
            "     .deps = %.*s, .kinds = %.*s, .owners = %.*s, .tags = %.*s, .tags_count = %zu,\n"
            "     .metadata_json = %.*s, .columns = %.*s, .columns_count = %zu,\n"
            "     .step = %d, .partitions = %d, .site = %d",
            FMT(emit_str(p->a, x->key)), FMT(emit_str(p->a, x->schema)),
            FMT(emit_str(p->a, x->table)), FMT(emit_str(p->a, x->description)),
            FMT(emit_str(p->a, x->group)), FMT(emit_str(p->a, x->code_version)), FMT(deps),
            FMT(kinds), FMT(owners), FMT(tags), x->tags.count, FMT(emit_str(p->a, meta)), FMT(cols),
            x->columns_known ? x->columns.count : 0, x->step ? x->step->index : -1,
            partitions_index(x->partitions), site_of(p, x->at));
    }
    if (!plan->assets.count)
        return;
    emit_open(p->e, "static const DgAssetDef assets[] =");
    for (size_t i = 0; i < plan->assets.count; i++)
        emit_line(p->e, "{%.*s},", FMT(rows[i]));
    emit_close(p->e, ";\n");
}

static void emit_checks(Program *p)
{
    const Plan *plan = p->plan;
    if (!plan->checks.count)
        return;
    emit_open(p->e, "static const DgCheckDef checks[] =");
    for (size_t i = 0; i < plan->checks.count; i++) {
        const Check *x = plan->checks.items[i];
        emit_line(p->e, "{%d, %.*s, %.*s, %d, %d, %d, %d},", x->asset ? x->asset->index : -1,
                  FMT(emit_str(p->a, x->name)), FMT(emit_str(p->a, x->description)), x->blocking,
                  x->warn, x->step ? x->step->index : -1, site_of(p, x->at));
    }
    emit_close(p->e, ";\n");
}

static Str ops_symbol(Program *p, const DgStepOps *ops)
{
    return ops->symbol ? str_from(ops->symbol)
                       : str_format(p->a, "dg_%.*s_ops", FMT(emit_name(p->e, str_from(ops->name))));
}

static void emit_steps(Program *p)
{
    const Plan *plan = p->plan;
    Str *rows = push(p->a, Str, plan->steps.count + 1);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *x = plan->steps.items[i];
        EmitSection before = emit_section(p->e, EMIT_TABLES);
        if (x->source.len)
            emit_quote(p->e, x->at);
        emit_section(p->e, before);
        for (size_t k = 0; k < x->code.count; k++)
            code_name(p, x->code.items[k].unit);
        Str settings = emit_config(&p->config, x), bind = emit_bind(&p->config, x);
        Str symbol = ops_symbol(p, x->ops);
        declare_ops(p, x->ops, symbol);
        Str assets;
        INDICES_OF(assets, p, str_format(p->a, "%.*s_assets", FMT(x->name)), x->assets);
        Str checks;
        INDICES_OF(checks, p, str_format(p->a, "%.*s_checks", FMT(x->name)), x->checks);
        Str reads;
        INDICES_OF(reads, p, str_format(p->a, "%.*s_reads", FMT(x->name)), x->reads);
        Str after;
        INDICES_OF(after, p, str_format(p->a, "%.*s_after", FMT(x->name)), x->after);
        rows[i] = str_format(
            p->a,
            ".name = %.*s, .ops = &%.*s, .config = %s%.*s, .bind = %.*s,\n"
            "     .assets = %.*s, .checks = %.*s, .reads = %.*s, .after = %.*s,\n"
            "     .retry = {%d, %lldL, %d, %d}, .pool = %.*s, .partitions = %d,\n"
            "     .backfill_partitions_max = %d, .site = %d",
            FMT(emit_str(p->a, x->name)), FMT(symbol), settings.len ? "&" : "",
            FMT(settings.len ? settings : S("0")), FMT(bind.len ? bind : S("0")), FMT(assets),
            FMT(checks), FMT(reads), FMT(after), x->retry.retries_max,
            (long long)x->retry.delay_ms, x->retry.exponential, x->retry.jitter,
            FMT(emit_str(p->a, x->pool)), partitions_index(x->partitions),
            x->backfill_partitions_max, site_of(p, x->at));
    }
    if (!plan->steps.count)
        return;
    emit_open(p->e, "static const DgStepDef steps[] =");
    for (size_t i = 0; i < plan->steps.count; i++)
        emit_line(p->e, "{%.*s},", FMT(rows[i]));
    emit_close(p->e, ";\n");
}

/* The functions come after every name is settled, in the order of the plan. */
static void emit_functions(Program *p)
{
    EmitTemplate how = {.diag = p->plan->diag, .site = template_site, .ctx = p};
    for (size_t i = 0; i < p->plan->steps.count; i++) {
        const Step *x = p->plan->steps.items[i];
        for (size_t k = 0; k < x->code.count; k++)
            emit_code(p, x->code.items[k].unit);
        for (size_t k = 0; k < x->bindings.count; k++) {
            Str name = template_name(p, &x->bindings.items[k]);
            EmitSection before = emit_section(p->e, EMIT_FUNCS);
            p->failed |= !emit_template(p->e, name, x->bindings.items[k].value, &how);
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
        emit_line(p->e, "{%s, %.*s, %zu, %.*s, %.*s, %.*s, %.*s, %.*s},",
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
    Str *rows = push(p->a, Str, plan->jobs.count + plan->schedules.count + 1);
    for (size_t i = 0; i < plan->jobs.count; i++) {
        const Job *x = plan->jobs.items[i];
        Str assets;
        INDICES_OF(assets, p, str_format(p->a, "%.*s_job_assets", FMT(x->name)), x->assets);
        Str checks;
        INDICES_OF(checks, p, str_format(p->a, "%.*s_job_checks", FMT(x->name)), x->checks);
        rows[i] = str_format(p->a, "%.*s, %.*s, %.*s, %.*s, %d", FMT(emit_str(p->a, x->name)),
                             FMT(emit_str(p->a, x->description)), FMT(assets), FMT(checks),
                             site_of(p, x->at));
    }
    if (plan->jobs.count) {
        emit_open(p->e, "static const DgJobDef jobs[] =");
        for (size_t i = 0; i < plan->jobs.count; i++)
            emit_line(p->e, "{%.*s},", FMT(rows[i]));
        emit_close(p->e, ";\n");
    }
    for (size_t i = 0; i < plan->schedules.count; i++) {
        const Schedule *x = plan->schedules.items[i];
        Str assets;
        INDICES_OF(assets, p, str_format(p->a, "%.*s_fires", FMT(x->name)), x->assets);
        Str checks;
        INDICES_OF(checks, p, str_format(p->a, "%.*s_fires_checks", FMT(x->name)), x->checks);
        rows[i] = str_format(p->a, "%.*s, %.*s, %.*s, %.*s, %d, %.*s, %.*s, %d, %d",
                             FMT(emit_str(p->a, x->name)), FMT(emit_str(p->a, x->description)),
                             FMT(emit_str(p->a, x->cron)), FMT(emit_str(p->a, x->timezone)),
                             x->job ? x->job->index : -1, FMT(assets), FMT(checks), x->stopped,
                             site_of(p, x->at));
    }
    if (plan->schedules.count) {
        emit_open(p->e, "static const DgScheduleDef schedules[] =");
        for (size_t i = 0; i < plan->schedules.count; i++)
            emit_line(p->e, "{%.*s},", FMT(rows[i]));
        emit_close(p->e, ";\n");
    }
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
            emit_line(p->e, "{%.*s, %d, %d, %d},", FMT(emit_str(p->a, plan->env.items[i].name)),
                      plan->env.items[i].required, plan->env.items[i].secret,
                      site_of(p, plan->env.items[i].at));
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

static void emit_head(Program *p, const EmitOptions *o)
{
    emit_section(p->e, EMIT_HEAD);
    emit_line(p->e, "/* %.*s: written by dgc %.*s from the project's YAML and SQL. Do not edit. */",
              FMT(p->plan->name), FMT(o->version));
    emit_line(p->e, "#define DGC_NO_LIBC");
    emit_line(p->e, "#include \"runtime/pipeline.h\"");
    emit_line(p->e, "#include \"runtime/data/decode.h\"");
    emit_line(p->e, "#include \"runtime/data/decode_api.h\"");
    emit_line(p->e, "#include \"runtime/data/rows_api.h\"");
    emit_line(p->e, "#include \"runtime/eval/eval_api.h\"");
    emit_line(p->e, "#include \"runtime/run/bind.h\"");
}

Str emit_program(Plan *plan, const EmitOptions *o)
{
    Program p = {.plan = plan, .a = plan->arena};
    p.e = emit_new(plan->arena, plan->sources, !o->for_people);
    p.config = (EmitConfig){.e = p.e, .arena = p.a, .code_name = code_name,
                            .template_name = template_name, .ctx = &p};
    emit_head(&p, o);
    emit_section(p.e, EMIT_TABLES);
    emit_partitions(&p);
    emit_assets(&p);
    emit_checks(&p);
    emit_steps(&p);
    emit_functions(&p);
    emit_section(p.e, EMIT_TABLES);
    emit_jobs(&p);
    emit_small_tables(&p);
    size_t lineage = emit_lineage(&p);
    emit_sites(&p);
    emit_pipeline(&p, o, lineage);
    Str out = emit_finish(p.e);
    return p.failed || diag_failed(plan->diag) ? (Str){0} : out;
}
