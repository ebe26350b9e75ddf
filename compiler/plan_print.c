/* plan_print.c - the plan as text: `dgc build --emit plan`, and what golden tests compare.
 *
 * One noun a block, in the plan's own order; empty facts are left out, so that a diff of two plans
 * shows what changed and nothing else. */
#include "compiler/plan.h"
#include "compiler/template.h"

typedef struct Print {
    const Plan *plan;
    StrBuf *out;
    DgEval ev;
} Print;

/* ---- Small pieces ---- */

static void place(Print *p, Span at)
{
    const SourceFile *file = at.file ? sources_file(p->plan->sources, at.file) : NULL;
    if (file)
        buf_format(p->out, "  at %.*s:%u\n", FMT(file->path),
                   sources_line_of(p->plan->sources, at));
}

static void fact(Print *p, const char *name, Str value)
{
    if (value.len)
        buf_format(p->out, "  %s %.*s\n", name, FMT(value));
}

static void quoted(Print *p, const char *name, Str value)
{
    if (!value.len)
        return;
    buf_format(p->out, "  %s ", name);
    buf_json(p->out, value);
    buf_char(p->out, '\n');
}

static void strs(Print *p, const char *name, const StrArray *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_format(p->out, "%s%s%.*s", i ? ", " : "  ", i ? "" : name, FMT(list->items[i]));
    if (list->count)
        buf_char(p->out, '\n');
}

static void assets(Print *p, const char *name, Asset *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_format(p->out, "%s%s%.*s", i ? ", " : "  ", i ? "" : name, FMT(list[i]->key));
    if (count)
        buf_char(p->out, '\n');
}

static void checks(Print *p, const char *name, Check *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_format(p->out, "%s%s%.*s:%.*s", i ? ", " : "  ", i ? "" : name,
                   FMT(list[i]->asset_key), FMT(list[i]->name));
    if (count)
        buf_char(p->out, '\n');
}

static void pairs(Print *p, const char *name, const DgPair *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_format(p->out, "%s%s%.*s=%.*s", i ? ", " : "  ", i ? "" : name, FMT(list[i].key),
                   FMT(list[i].value));
    if (count)
        buf_char(p->out, '\n');
}

static void value_fact(Print *p, const char *name, DgValue v)
{
    if (v.kind == DG_V_NONE || v.kind == DG_V_UNDEFINED)
        return;
    buf_format(p->out, "  %s ", name);
    dg_write_repr(&p->ev, p->out, v);
    buf_char(p->out, '\n');
}

static void metadata(Print *p, const DgValuePair *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_format(p->out, "  metadata %.*s: ", FMT(list[i].key));
        dg_write_repr(&p->ev, p->out, list[i].value);
        buf_char(p->out, '\n');
    }
}

static const char *type_name(DgType t)
{
    static const char *const names[] = {
#define X(name, text, width) text,
        DG_TYPES(X)
#undef X
    };
    return names[t.kind];
}

static void columns(Print *p, const Asset *a)
{
    if (!a->columns_known)
        return;
    buf_format(p->out, "  columns\n");
    for (size_t i = 0; i < a->columns.count; i++) {
        const DgColumn *c = &a->columns.items[i].column;
        buf_format(p->out, "    %.*s %s", FMT(c->name), type_name(c->type));
        if (c->type.kind == DG_DECIMAL)
            buf_format(p->out, "(%d,%d)", c->type.precision, c->type.scale);
        buf_format(p->out, "%s", c->not_null ? " not null" : "");
        if (c->path.len)
            buf_format(p->out, " from %.*s", FMT(c->path));
        const char *between = " <- ";
        for (size_t k = 0; k < a->lineage.count; k++) {
            const LineageEdge *e = &a->lineage.items[k];
            if (e->column != (int32_t)i)
                continue;
            Str from = e->from_column >= 0 && (size_t)e->from_column < e->from->columns.count
                           ? e->from->columns.items[e->from_column].column.name : S("?");
            buf_format(p->out, "%s%.*s.%.*s", between, FMT(e->from->key), FMT(from));
            between = ", ";
        }
        buf_char(p->out, '\n');
    }
}

/* ---- Configs, by their field table ---- */

static void fields(Print *p, const Step *step, const DgField *table, const char *base, int indent);

static bool is_empty(DgFieldKind kind, const void *at)
{
    switch (kind) {
    case DG_F_INT: case DG_F_DURATION: case DG_F_SIZE: case DG_F_TIMESTAMP:
        return *(const int64_t *)at == 0;
    case DG_F_FLOAT: {
        static const double zero;
        return memcmp(at, &zero, sizeof zero) == 0;
    }
    case DG_F_BOOL: return !*(const bool *)at;
    case DG_F_LIST: case DG_F_MAP: return ((const DgList *)at)->count == 0;
    case DG_F_ANY:
        return ((const DgValue *)at)->kind == DG_V_NONE ||
               ((const DgValue *)at)->kind == DG_V_UNDEFINED;
    case DG_F_ONE_OF: return ((const DgOneOf *)at)->variant < 0 || !((const DgOneOf *)at)->config;
    case DG_F_ENUM: case DG_F_STRUCT: case DG_F_CODE: return false;
    case DG_F_STRING: case DG_F_PATH: case DG_F_ASSET_KEY: case DG_F_SELECTION: case DG_F_CRON:
    case DG_F_COLUMN_TYPE: case DG_F_EXPRESSION: case DG_F_SQL: case DG_F_SECRET:
        return ((const DgStr *)at)->len == 0;
    }
    return true;
}

/* What a member waits for. True when it does. */
static bool pending(Print *p, const Step *step, const void *at)
{
    for (size_t i = 0; i < step->bindings.count; i++) {
        const Binding *b = &step->bindings.items[i];
        if (b->member != at)
            continue;
        buf_format(p->out, "waits for %s: ", phase_name(b->value->phase));
        buf_json(p->out, b->value->text);
        buf_char(p->out, '\n');
        return true;
    }
    for (size_t i = 0; i < step->code.count; i++) {
        if ((const void *)step->code.items[i].member != at)
            continue;
        buf_format(p->out, "code `%.*s`\n", FMT(step->code.items[i].unit->name));
        return true;
    }
    return false;
}

static void scalar(Print *p, const DgField *f, DgFieldKind kind, const void *at)
{
    switch (kind) {
    case DG_F_INT: case DG_F_DURATION: case DG_F_SIZE: case DG_F_TIMESTAMP:
        buf_format(p->out, "%lld\n", (long long)*(const int64_t *)at);
        break;
    case DG_F_FLOAT:
        dg_float_repr(p->out, *(const double *)at);
        buf_char(p->out, '\n');
        break;
    case DG_F_BOOL:
        buf_format(p->out, "%s\n", *(const bool *)at ? "true" : "false");
        break;
    case DG_F_ENUM:
        buf_format(p->out, "%s\n", f->choices[*(const int32_t *)at]);
        break;
    case DG_F_ANY:
        dg_write_repr(&p->ev, p->out, *(const DgValue *)at);
        buf_char(p->out, '\n');
        break;
    case DG_F_CODE:
        buf_format(p->out, "none\n");
        break;
    default:
        buf_json(p->out, *(const DgStr *)at);
        buf_char(p->out, '\n');
    }
}

static void member(Print *p, const Step *step, const DgField *f, DgFieldKind kind, const char *at,
                   int indent)
{
    if (pending(p, step, at))
        return;
    if (kind == DG_F_STRUCT) {
        buf_char(p->out, '\n');
        fields(p, step, f->of, at, indent + 2);
    } else if (kind == DG_F_ONE_OF) {
        const DgOneOf *one = (const DgOneOf *)(const void *)at;
        if (one->variant < 0 || !one->config) {
            buf_format(p->out, "none\n");
            return;
        }
        buf_format(p->out, "%s\n", f->variants[one->variant].name);
        fields(p, step, f->variants[one->variant].fields, one->config, indent + 2);
    } else if (kind == DG_F_LIST || kind == DG_F_MAP) {
        const DgList *list = (const DgList *)(const void *)at;
        size_t skip = kind == DG_F_MAP && f->of_kind != DG_F_STRUCT ? sizeof(DgStr) : 0;
        buf_char(p->out, '\n');
        for (size_t i = 0; i < list->count; i++) {
            const char *item = (const char *)list->items + i * f->of_size;
            buf_format(p->out, "%*s", indent + 2, "");
            if (kind == DG_F_MAP)
                buf_format(p->out, "%.*s: ", FMT(*(const DgStr *)(const void *)item));
            else
                buf_format(p->out, "- ");
            member(p, step, f, f->of_kind, item + skip, indent + 2);
        }
    } else {
        scalar(p, f, kind, at);
    }
}

static void fields(Print *p, const Step *step, const DgField *table, const char *base, int indent)
{
    for (const DgField *f = table; f && f->name; f++) {
        const char *at = base + f->offset;
        bool waits = false;
        for (size_t i = 0; i < step->bindings.count && !waits; i++)
            waits = step->bindings.items[i].member == (const void *)at;
        if (!waits && is_empty(f->kind, at))
            continue;
        buf_format(p->out, "%*s%s: ", indent, "", f->name);
        member(p, step, f, f->kind, at, indent);
    }
}

/* ---- Nouns ---- */

static void print_asset(Print *p, const Asset *a)
{
    buf_format(p->out, "\nasset %.*s%s\n", FMT(a->key),
               a->stub ? " (external, undeclared)" : !a->step ? " (external)" : "");
    if (!str_eq(a->group, S("default")))
        fact(p, "group", a->group);
    if (a->step)
        buf_format(p->out, "  table %.*s.%.*s%s\n", FMT(a->schema), FMT(a->table),
                   a->is_view ? " (view)" : "");
    if (a->step)
        fact(p, "step", a->step->name);
    assets(p, "deps ", a->deps.items, a->deps.count);
    quoted(p, "description", a->description);
    strs(p, "kinds ", &a->kinds);
    strs(p, "owners ", &a->owners);
    pairs(p, "tags ", a->tags.items, a->tags.count);
    metadata(p, a->metadata.items, a->metadata.count);
    quoted(p, "code_version", a->code_version);
    if (a->skippable)
        buf_format(p->out, "  skippable\n");
    if (a->partitions)
        fact(p, "partitions", a->partitions->shown);
    value_fact(p, "automation", a->automation);
    value_fact(p, "freshness", a->freshness);
    columns(p, a);
    if (!a->stub)
        place(p, a->at);
}

static void print_check(Print *p, const Check *c)
{
    buf_format(p->out, "\ncheck %.*s:%.*s%s%s\n", FMT(c->asset_key), FMT(c->name),
               c->blocking ? " blocking" : "", c->warn ? " warn" : "");
    if (c->step)
        fact(p, "step", c->step->name);
    quoted(p, "description", c->description);
    assets(p, "deps ", c->deps.items, c->deps.count);
    metadata(p, c->metadata.items, c->metadata.count);
    place(p, c->at);
}

static void print_step(Print *p, const Step *s)
{
    static const char *const roles[] = {"source", "map", "action"};
    buf_format(p->out, "\nstep %.*s\n", FMT(s->name));
    if (s->ops)
        buf_format(p->out, "  runs %s (%s)\n", s->ops->name, roles[s->ops->role]);
    assets(p, "makes ", s->assets.items, s->assets.count);
    checks(p, "judges ", s->checks.items, s->checks.count);
    assets(p, "reads ", s->reads.items, s->reads.count);
    for (size_t i = 0; i < s->after.count; i++)
        buf_format(p->out, "%s%.*s", i ? ", " : "  after ", FMT(s->after.items[i]->name));
    if (s->after.count)
        buf_char(p->out, '\n');
    quoted(p, "description", s->description);
    pairs(p, "tags ", s->tags.items, s->tags.count);
    fact(p, "pool", s->pool);
    if (s->retry.retries_max)
        buf_format(p->out, "  retries %d, delay %lld ms%s%s\n", s->retry.retries_max,
                   (long long)s->retry.delay_ms, s->retry.exponential ? ", doubling" : "",
                   s->retry.jitter == 1 ? ", full jitter" : s->retry.jitter ? ", jitter" : "");
    if (s->partitions)
        buf_format(p->out, "  partitions %.*s, %s a run\n", FMT(s->partitions->shown),
                   s->backfill_partitions_max == 0   ? "all"
                   : s->backfill_partitions_max == 1 ? "one" : "several");
    if (s->ops && s->config && s->ops->fields) {
        buf_format(p->out, "  config\n");
        fields(p, s, s->ops->fields, s->config, 4);
    }
    place(p, s->at);
}

static void print_code(Print *p, const CodeUnit *unit)
{
    static const char *const kinds[] = {"template", "decoder", "rows", "text", "rules"};
    buf_format(p->out, "\ncode `%.*s` %s\n", FMT(unit->name), kinds[unit->kind]);
    if (unit->kind == CODE_DECODER) {
        static const char *const formats[] = {"csv", "ndjson", "json"};
        const DgDecoderDecl *d = unit->as.decoder;
        buf_format(p->out, "  %s, %d columns\n", formats[d->format], d->columns_count);
    }
    for (size_t i = 0; unit->kind == CODE_RULES && i < unit->as.rules->sources.count; i++)
        buf_format(p->out, "  %.*s\n", FMT(DG_ITEMS(DgStr, unit->as.rules->sources)[i]));
    place(p, unit->at);
}

static void print_jobs(Print *p)
{
    const Plan *plan = p->plan;
    for (size_t i = 0; i < plan->jobs.count; i++) {
        const Job *job = plan->jobs.items[i];
        buf_format(p->out, "\njob %.*s\n", FMT(job->name));
        quoted(p, "description", job->description);
        quoted(p, "selection", job->selection);
        assets(p, "assets ", job->assets.items, job->assets.count);
        checks(p, "checks ", job->checks.items, job->checks.count);
        pairs(p, "tags ", job->tags.items, job->tags.count);
        place(p, job->at);
    }
    for (size_t i = 0; i < plan->schedules.count; i++) {
        const Schedule *s = plan->schedules.items[i];
        buf_format(p->out, "\nschedule %.*s%s\n", FMT(s->name), s->stopped ? " (stopped)" : "");
        quoted(p, "description", s->description);
        buf_format(p->out, "  cron %.*s, %.*s\n", FMT(s->cron), FMT(s->timezone));
        if (s->job)
            fact(p, "job", s->job->name);
        assets(p, "assets ", s->assets.items, s->assets.count);
        checks(p, "checks ", s->checks.items, s->checks.count);
        pairs(p, "tags ", s->tags.items, s->tags.count);
        place(p, s->at);
    }
}

void plan_print(const Plan *plan, StrBuf *out)
{
    Print p = {.plan = plan, .out = out};
    dg_eval_init(&p.ev, plan->arena);
    buf_format(out, "plan %.*s%s\n", FMT(plan->name), plan->needs_duckdb ? " (needs DuckDB)" : "");
    for (size_t i = 0; i < plan->partitions.count; i++) {
        const Partitions *part = plan->partitions.items[i];
        buf_format(out, "\npartitions %d: %.*s\n", part->index, FMT(part->shown));
        strs(&p, "keys ", &part->keys);
        fact(&p, "cron", part->cron);
        fact(&p, "format", part->format);
        place(&p, part->at);
    }
    for (size_t i = 0; i < plan->assets.count; i++)
        print_asset(&p, plan->assets.items[i]);
    for (size_t i = 0; i < plan->checks.count; i++)
        print_check(&p, plan->checks.items[i]);
    for (size_t i = 0; i < plan->steps.count; i++)
        print_step(&p, plan->steps.items[i]);
    for (size_t i = 0; i < plan->code.count; i++)
        print_code(&p, plan->code.items[i]);
    print_jobs(&p);
    for (size_t i = 0; i < plan->resources.count; i++)
        buf_format(out, "\nresource %.*s %.*s\n", FMT(plan->resources.items[i]->name),
                   FMT(plan->resources.items[i]->type));
    for (size_t i = 0; i < plan->build_env.count; i++) {
        buf_format(out, "\nbuild_env %.*s ", FMT(plan->build_env.items[i].name));
        buf_json(out, plan->build_env.items[i].value);
        buf_char(out, '\n');
    }
    for (size_t i = 0; i < plan->env.count; i++)
        buf_format(out, "\nenv %.*s%s%s\n", FMT(plan->env.items[i].name),
                   plan->env.items[i].required ? " required" : "",
                   plan->env.items[i].secret ? " secret" : "");
    dg_eval_free(&p.ev);
}
