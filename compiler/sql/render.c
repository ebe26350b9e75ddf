/* render.c - the names that SQL templates may use: ref, source, var, this, config... as in dbt. */
#include "compiler/sql/sql_internal.h"

#include "runtime/db/warehouse.h"

typedef struct Render {
    Plan *plan;
    SqlUnit *unit;
    RenderFor what;
    NameError why; /* of the error that a function has returned last */
} Render;

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Relations: what ref() and source() give and `this` is; printed, the table's name ---- */

typedef struct Relation {
    DgObject head;
    Str schema, table, text;
} Relation;

static DgStatus relation_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out,
                              DgError *err)
{
    const Relation *r = (const Relation *)self;
    if (str_eq(name, S("schema")))
        *out = dgv_from_str(r->schema);
    else if (str_eq(name, S("identifier")) || str_eq(name, S("name")) || str_eq(name, S("table")))
        *out = dgv_from_str(r->table);
    else if (str_eq(name, S("database")))
        *out = dgv_none();
    else
        return DG_END;
    return DG_OK;
}

static void relation_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    buf_add(b, ((const Relation *)self)->text);
}

static bool relation_equal(const DgObject *a, const DgObject *b)
{
    return str_eq(((const Relation *)a)->text, ((const Relation *)b)->text);
}

static const DgObjectType relation_type = {.name = "Relation", .attr = relation_attr,
                                           .write = relation_write, .equal = relation_equal};

static DgValue relation(Plan *plan, Str schema, Str table)
{
    Relation *r = push(plan->arena, Relation, 1);
    *r = (Relation){.head = {.type = &relation_type}, .schema = schema, .table = table,
                    .text = dg_duckdb_table(plan->arena, schema, table)};
    return dgv_object(&r->head);
}

static DgStatus give_table(Render *r, Asset *asset, DgValue *out)
{
    bool known = false;
    if (!asset)
        return DG_DATA;
    for (size_t i = 0; i < r->unit->refs.count; i++)
        known |= r->unit->refs.items[i] == asset;
    if (!known)
        array_add(r->plan->arena, &r->unit->refs, asset);
    *out = relation(r->plan, asset->schema, asset->table);
    return DG_OK;
}

/* ---- ref, source, var ---- */

static bool is_text(const DgArgs *args, size_t i)
{
    return i < args->count && args->items[i].kind == DG_V_STR;
}

static DgStatus call_ref(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Render *r = ctx;
    if (!args->count || args->count > 2 || !is_text(args, args->count - 1))
        return dg_fail(err, DG_DATA, "ref() takes the name of a model, as in ref('orders')");
    if (r->what == RENDER_CONFIG)
        return *out = relation(r->plan, S("main"), S("t")), DG_OK;
    Str name = args->items[args->count - 1].as.s;
    Asset *asset = sql_find_ref(r->plan, r->unit->asset_key, name, &r->why, err);
    return give_table(r, asset, out);
}

static DgStatus call_source(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Render *r = ctx;
    if (args->count != 2 || !is_text(args, 0) || !is_text(args, 1))
        return dg_fail(err, DG_DATA, "source() takes two names, as in source('raw', 'orders')");
    if (r->what == RENDER_CONFIG)
        return *out = relation(r->plan, S("main"), S("t")), DG_OK;
    Asset *asset = sql_find_source(r->plan, args->items[0].as.s, args->items[1].as.s, &r->why, err);
    return give_table(r, asset, out);
}

static void add_names(Render *r, DgValue dict)
{
    for (size_t i = 0; dict.kind == DG_V_DICT && i < dict.as.dict->count; i++)
        if (dict.as.dict->keys[i].kind == DG_V_STR)
            array_add(r->plan->arena, &r->why.near, dict.as.dict->keys[i].as.s);
}

static DgStatus call_var(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Render *r = ctx;
    const DgList *own = &r->unit->decl.vars;
    if (!is_text(args, 0))
        return dg_fail(err, DG_DATA, "var() takes a name, and perhaps a default");
    Str name = args->items[0].as.s;
    for (size_t i = 0; i < own->count; i++)
        if (str_eq(DG_ITEMS(DgValuePair, *own)[i].key, name))
            return *out = DG_ITEMS(DgValuePair, *own)[i].value, DG_OK;
    const DgValue *found = r->plan->vars.kind == DG_V_DICT ? dgv_get_str(r->plan->vars, name)
                                                            : NULL;
    const DgValue *named = dg_args_named(args, S("default"));
    if (found || args->count > 1 || named)
        return *out = found ? *found : named ? *named : args->items[1], DG_OK;
    r->why = (NameError){.code = E0602, .wrong = name};
    for (size_t i = 0; i < own->count; i++)
        array_add(r->plan->arena, &r->why.near, DG_ITEMS(DgValuePair, *own)[i].key);
    add_names(r, r->plan->vars);
    dg_fail(err, DG_DATA, "the variable `%.*s` is not set", FMT(name));
    dg_hint(err, "set it under `vars:` in dgc.yaml, or give a default: var('%.*s', ...)",
            FMT(name));
    return DG_DATA;
}

/* ---- config ---- */

static const Str config_names[] = {
    {"materialized", 12}, {"unique_key", 10}, {"incremental_strategy", 20},
    {"on_schema_change", 16}, {"group", 5}, {"tags", 4}, {"description", 11}, {"owners", 6},
    {"kinds", 5}, {"metadata", 8}, {"enabled", 7}, {"pre_hook", 8}, {"post_hook", 9},
};
static const struct {
    Str name;
    Str choices[4];
} config_choices[] = {
    {{"materialized", 12}, {{"view", 4}, {"table", 5}, {"incremental", 11}}},
    {{"incremental_strategy", 20}, {{"delete+insert", 13}, {"append", 6}, {"merge", 5}}},
    {{"on_schema_change", 16}, {{"ignore", 6}, {"fail", 4}, {"append_new_columns", 18}}},
};

static DgStatus check_choice(Render *r, Str name, DgValue value, DgError *err)
{
    for (size_t i = 0; i < COUNT(config_choices); i++) {
        if (!str_eq(config_choices[i].name, name))
            continue;
        const Str *choices = config_choices[i].choices;
        size_t n = 0;
        for (; n < 4 && choices[n].len; n++)
            if (value.kind == DG_V_STR && str_eq(choices[n], value.as.s))
                return DG_OK;
        r->why = (NameError){.code = E0110};
        if (value.kind == DG_V_STR)
            r->why.wrong = value.as.s;
        for (size_t k = 0; k < n; k++)
            array_add(r->plan->arena, &r->why.near, choices[k]);
        dg_fail(err, DG_DATA, "`%.*s` cannot be %s%.*s%s", FMT(name),
                value.kind == DG_V_STR ? "`" : "", FMT(r->why.wrong.len ? r->why.wrong : S("this")),
                value.kind == DG_V_STR ? "`" : "");
        dg_hint(err, "it can be %.*s, %.*s or %.*s", FMT(choices[0]), FMT(choices[1]),
                FMT(choices[2]));
        return DG_DATA;
    }
    return DG_OK;
}

/* Options of dbt that mean nothing here pass; what looks like one of ours is a slip. */
static DgStatus check_option(Render *r, Str name, DgValue value, DgError *err)
{
    for (size_t i = 0; i < COUNT(config_names); i++)
        if (str_eq(config_names[i], name))
            return check_choice(r, name, value, err);
    for (size_t i = 0; i < COUNT(config_names); i++) {
        if (name.len < 4 || str_distance(name, config_names[i], 2) > 2)
            continue;
        r->why = (NameError){.code = E0107, .wrong = name};
        array_add(r->plan->arena, &r->why.near, config_names[i]);
        return dg_fail(err, DG_DATA, "config() has no option `%.*s`", FMT(name));
    }
    return DG_OK;
}

static DgStatus put_option(Render *r, DgEval *ev, DgValue name, DgValue value, DgError *err)
{
    if (name.kind != DG_V_STR)
        return DG_OK;
    if (r->what != RENDER_CONFIG)
        return check_option(r, name.as.s, value, err);
    if (r->unit->config.kind != DG_V_DICT)
        r->unit->config = dg_new_dict(ev);
    dg_put(ev, r->unit->config, dgv_from_str(str_copy(ev->arena, name.as.s)), value);
    return DG_OK;
}

static DgStatus call_config(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    *out = dgv_from_str((Str){0});
    for (size_t i = 0; i < args->named_count; i++)
        DG_TRY(put_option(ctx, ev, dgv_from_str(args->names[i]), args->named[i], err));
    if (!args->count || args->items[0].kind != DG_V_DICT)
        return DG_OK;
    const DgValueDict *d = args->items[0].as.dict;
    for (size_t i = 0; i < d->count; i++)
        DG_TRY(put_option(ctx, ev, d->keys[i], d->values[i], err));
    return DG_OK;
}

/* ---- The rest of dbt's names ---- */

static DgStatus call_nothing(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    *out = dgv_from_str((Str){0});
    return DG_OK;
}

static DgStatus call_is_incremental(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out,
                                    DgError *err)
{
    const Render *r = ctx;
    *out = dgv_bool(r->what == RENDER_AGAIN && r->unit->decl.incremental);
    return DG_OK;
}

static DgStatus raise_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                             DgValue *out, DgError *err)
{
    if (!str_eq(name, S("raise_compiler_error")) && !str_eq(name, S("warn")))
        return DG_END;
    *out = dgv_from_str((Str){0});
    if (str_eq(name, S("warn")))
        return DG_OK;
    Str text = is_text(args, 0) ? args->items[0].as.s : S("the model refuses to be compiled");
    return dg_fail(err, DG_DATA, "%.*s", FMT(text));
}

static const DgObjectType exceptions_type = {.name = "exceptions", .method = raise_method};
static const DgObject exceptions = {.type = &exceptions_type};

/* Names of dbt that need a live warehouse or a package. */
typedef struct Foreign {
    DgObject head;
    const char *name;
} Foreign;

static DgStatus refuse(const DgObject *self, DgError *err)
{
    const char *name = ((const Foreign *)self)->name;
    dg_fail(err, DG_DATA, "`%s` is dbt's and not available here", name);
    dg_hint(err, "write the SQL itself, or a macro of your own in a .sql file of `macros`");
    return DG_DATA;
}

static DgStatus foreign_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err)
{
    return refuse(self, err);
}

static DgStatus foreign_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                               DgValue *out, DgError *err)
{
    return refuse(self, err);
}

static DgStatus foreign_call(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                             DgError *err)
{
    return refuse(self, err);
}

static const DgObjectType foreign_type = {.name = "name of dbt", .attr = foreign_attr,
                                          .method = foreign_method, .call = foreign_call};
static const Foreign foreign[] = {
    {{&foreign_type, NULL}, "adapter"},       {{&foreign_type, NULL}, "dbt_utils"},
    {{&foreign_type, NULL}, "dbt"},           {{&foreign_type, NULL}, "graph"},
    {{&foreign_type, NULL}, "run_query"},     {{&foreign_type, NULL}, "statement"},
    {{&foreign_type, NULL}, "load_result"},   {{&foreign_type, NULL}, "dbt_date"},
    {{&foreign_type, NULL}, "codegen"},       {{&foreign_type, NULL}, "dbt_expectations"},
};

/* ---- The scope ---- */

/* Names whose values a run gives, and what stands for them while DuckDB judges. */
static const struct {
    const char *name, *stand_in;
} run_names[] = {
    {"partition_key", "2000-01-01"}, {"partition_range_start", "2000-01-01"},
    {"partition_range_end", "2000-01-01"}, {"run_id", "run"}, {"invocation_id", "run"},
    {"job_name", "job"}, {"step_name", "step"}, {"retry_number", "0"},
};

static DgValue dict_of(DgEval *ev, const char *const *names, const DgValue *values, size_t count)
{
    DgValue d = dg_new_dict(ev);
    for (size_t i = 0; i < count; i++)
        dg_put_str(ev, d, names[i], values[i]);
    return d;
}

static void add_run_names(Render *r, Scope *s, DgEval *ev)
{
    static const char *const range[] = {"start", "end"};
    bool emit = r->what == RENDER_EMIT;
    DgValue text = dgv_from_str(S("2000-01-01")), time = dg_datetime_from_us(ev, 946684800000000);
    for (size_t i = 0; i < COUNT(run_names); i++) {
        if (emit)
            scope_later(s, str_from(run_names[i].name), PHASE_RUN);
        else
            scope_value(s, str_from(run_names[i].name),
                        dgv_from_str(str_from(run_names[i].stand_in)));
    }
    if (emit) {
        static const char *const later[] = {"partition_time_window", "partition_key_range",
                                            "run_started_at", "full_refresh"};
        for (size_t i = 0; i < COUNT(later); i++)
            scope_later(s, str_from(later[i]), PHASE_RUN);
        return;
    }
    scope_value(s, S("partition_time_window"), dict_of(ev, range, (DgValue[]){time, time}, 2));
    scope_value(s, S("partition_key_range"), dict_of(ev, range, (DgValue[]){text, text}, 2));
    scope_value(s, S("run_started_at"), time);
    scope_value(s, S("full_refresh"), dgv_bool(false));
}

static void add_values(Render *r, Scope *s)
{
    scope_value(s, S("execute"), dgv_bool(true));
    scope_value(s, S("exceptions"), dgv_object(&exceptions));
    for (size_t i = 0; i < COUNT(foreign); i++) {
        scope_value(s, str_from(foreign[i].name),
                    (DgValue){.kind = DG_V_FUNC, .as.object = &foreign[i].head});
        s->entries.items[s->entries.count - 1].is_global = true; /* not offered */
    }
}

/* The names that mean the same in every unit; `r` is told which one is being rendered. */
static Scope *base_scope(Render *r, const Scope *outer)
{
    Plan *plan = r->plan;
    Scope *s = scope_new(plan->arena, outer);
    DgEval ev;
    dg_eval_init(&ev, plan->arena);
    scope_function(s, S("ref"), call_ref, r);
    scope_function(s, S("source"), call_source, r);
    scope_function(s, S("var"), call_var, r);
    scope_function(s, S("config"), call_config, r);
    scope_function(s, S("log"), call_nothing, r);
    scope_function(s, S("print"), call_nothing, r);
    scope_env(s);
    ScopeEntry env_var = {.name = S("env_var"), .kind = SCOPE_ENV, .phase = PHASE_START};
    array_add(plan->arena, &s->entries, env_var);
    build_env_scope(plan, s);
    if (r->what != RENDER_EMIT)
        s->env_stand_in = S("1"); /* a number, and between quotes a text */
    add_values(r, s);
    add_run_names(r, s, &ev);
    dg_eval_free(&ev);
    return s;
}

typedef struct Rendering { /* kept from unit to unit */
    Render render;
    const Scope *outer;
    Scope *base;
} Rendering;
struct SqlRenderings {
    Array(Rendering *) items;
};

static Rendering *rendering_of(Plan *plan, SqlUnit *unit, RenderFor what)
{
    struct SqlRenderings **all = &sql_state(plan)->renderings;
    if (!*all)
        *all = push(plan->arena, struct SqlRenderings, 1);
    Rendering *found = NULL;
    for (size_t i = (*all)->items.count; i-- > 0 && !found;) {
        Rendering *x = (*all)->items.items[i];
        if (x->outer == unit->scope && x->render.what == what)
            found = x;
    }
    if (!found) {
        found = push(plan->arena, Rendering, 1);
        *found = (Rendering){.render = {.plan = plan, .what = what}, .outer = unit->scope};
        found->base = base_scope(&found->render, unit->scope);
        array_add(plan->arena, &(*all)->items, found);
    }
    found->render.unit = unit;
    found->render.why = (NameError){0};
    return found;
}

/* What differs from unit to unit. */
static Scope *unit_scope(Rendering *x)
{
    static const char *const target[] = {"name", "schema", "type", "database", "profile_name"};
    Plan *plan = x->render.plan;
    const SqlUnit *unit = x->render.unit;
    const DgList *vars = &unit->decl.vars;
    Scope *s = scope_new(plan->arena, x->base);
    Str schema, table, key = unit->asset_key, name = plan->name;
    const Asset *asset = key.len ? plan_asset(plan, key) : NULL;
    dg_asset_table(plan->arena, key.len ? key : S("this"), &schema, &table);
    if (asset && asset->table.len) {
        schema = asset->schema;
        table = asset->table;
    }
    scope_value(s, S("this"), relation(plan, schema, table));
    if (x->render.what == RENDER_EMIT && unit->decl.incremental)
        scope_later(s, S("is_incremental"), PHASE_RUN);
    else
        scope_function(s, S("is_incremental"), call_is_incremental, &x->render);
    if (str_find(unit->parsed->text, S("target")) >= 0) {
        DgEval ev;
        dg_eval_init(&ev, plan->arena);
        DgValue values[] = {dgv_from_str(name), dgv_from_str(schema), dgv_from_str(S("duckdb")),
                            dgv_from_str(name), dgv_from_str(name)};
        scope_value(s, S("target"), dict_of(&ev, target, values, COUNT(target)));
        dg_eval_free(&ev);
    }
    for (size_t i = 0; i < vars->count; i++)
        scope_value(s, DG_ITEMS(DgValuePair, *vars)[i].key, DG_ITEMS(DgValuePair, *vars)[i].value);
    return s;
}

/* ---- Rendering ---- */

/* An error of generated SQL belongs to the field that holds the wrong name, else to the unit. */
static bool place_generated(const Render *r, DiagItem *it)
{
    const SqlUnit *unit = r->unit;
    it->at = unit->at;
    for (size_t i = 0; i < unit->places.count; i++) {
        const SqlPlace *p = &unit->places.items[i];
        if (!p->node || !str_eq(p->node->text, r->why.wrong))
            continue;
        it->at = p->at;
        return true;
    }
    return false;
}

/* The error of a function stands at its call; the wrong name is one of the arguments. */
static void sharpen(Render *r, DiagItem *it)
{
    const NameError *why = &r->why;
    const SourceFile *file = sources_file(r->plan->sources, it->at.file);
    Str call = file ? str_sub(file->text, it->at.start, it->at.end) : (Str){0};
    it->code = why->code;
    Span at = it->at;
    bool found = r->unit->is_generated && !it->at.file && place_generated(r, it);
    if (found)
        at = it->at;
    static const char *const quotes[] = {"'%.*s'", "\"%.*s\"", "%.*s"};
    for (size_t i = 0; why->wrong.len && i < COUNT(quotes) && !found; i++) {
        const char *form = quotes[i];
        Str quoted = form[0] == '%' ? why->wrong
                                    : str_format(r->plan->arena, form[0] == '\'' ? "'%.*s'"
                                                                                 : "\"%.*s\"",
                                                 FMT(why->wrong));
        ptrdiff_t offset = str_find(call, quoted);
        if (offset < 0)
            continue;
        found = true;
        at.start += (uint32_t)offset + (form[0] != '%');
        at.end = at.start + (uint32_t)why->wrong.len;
    }
    if (!found)
        return;
    it->at = at;
    diag_suggest(it, at, why->code == E0107 ? "option" : why->code == E0602 ? "variable" : "name",
                 why->wrong, why->near.items, why->near.count);
}

bool sql_render_template(Plan *plan, SqlUnit *unit, const Template *t, RenderFor what,
                         TemplateResult *out)
{
    Rendering *x = rendering_of(plan, unit, what);
    Render *r = &x->render;
    Diag silent, *diag = what == RENDER_EMIT ? plan->diag : &silent;
    diag_init(&silent, plan->arena, plan->sources);
    size_t before = diag->items.count;
    TemplateCtx ctx = {.arena = plan->arena, .diag = diag};
    *out = template_eval(&ctx, t, unit_scope(x));
    if (out->failed && r->why.code && diag->items.count == before + 1)
        sharpen(r, diag->items.items[before]);
    return !out->failed;
}

bool sql_render(Plan *plan, SqlUnit *unit, RenderFor what, TemplateResult *out)
{
    return sql_render_template(plan, unit, unit->parsed, what, out);
}
