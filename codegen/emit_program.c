/* emit_program.c - the tables of pipeline.h, and the functions that steps point to. */
#include "codegen/emit_program_impl.h"

#include "codegen/emit_decoder.h"
#include "codegen/emit_rows.h"
#include "codegen/emit_rules.h"
#include "codegen/emit_template.h"
#include "compiler/sql/sql.h"

/* ---- Sites ---- */

int32_t program_site(Program *p, Span at)
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
    return program_site(ctx, at) + 1;
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
    } else if (unit->kind == CODE_TEXT) {
        p->failed |= !emit_template(p->e, name, unit->as.text, &how);
    } else if (unit->kind == CODE_DECODER) {
        emit_decoder(p->e, name, unit->as.decoder, unit->at);
    } else if (unit->kind == CODE_RULES) {
        emit_at(p->e, unit->at);
        emit_rules(p->e, name, unit->as.rules, &p->rules);
    } else {
        emit_rows(p->e, name, unit->as.rows);
    }
    emit_line(p->e, "%s", "");
    emit_section(p->e, before);
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
            if (map_has(&p->printed, name)) /* one value may go to several steps */
                continue;
            map_put(p->a, &p->printed, name, p);
            EmitSection before = emit_section(p->e, EMIT_FUNCS);
            p->failed |= !emit_template(p->e, name, x->bindings.items[k].value, &how);
            emit_line(p->e, "%s", "");
            emit_section(p->e, before);
        }
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
    bool templates, decoders, rows, rules, bindings;
} Uses;

static Uses uses_of(const Plan *plan)
{
    Uses uses = {0};
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *x = plan->steps.items[i];
        uses.bindings |= x->bindings.count > 0;
        for (size_t k = 0; k < x->code.count; k++) {
            CodeKind kind = x->code.items[k].unit->kind;
            uses.templates |= kind == CODE_TEMPLATE || kind == CODE_TEXT;
            uses.decoders |= kind == CODE_DECODER;
            uses.rows |= kind == CODE_ROWS;
            uses.rules |= kind == CODE_RULES;
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
    if (uses.rules)
        emit_line(p->e, "#include \"runtime/copy/loop_api.h\"");
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
