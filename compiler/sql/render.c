/* render.c - the names that SQL templates may use: ref, source, var, this, config... as in dbt. */
#include "compiler/sql/sql_internal.h"

#include "runtime/db/warehouse.h"

typedef struct Render {
    Plan *plan;
    SqlUnit *unit;
    RenderFor what;
} Render;

static Str table_text(Plan *plan, const Asset *asset)
{
    return dg_duckdb_table(plan->arena, asset->schema, asset->table);
}

static DgStatus give_table(Render *r, Asset *asset, DgValue *out)
{
    bool known = false;
    for (size_t i = 0; i < r->unit->refs.count; i++)
        known |= r->unit->refs.items[i] == asset;
    if (!known)
        array_add(r->plan->arena, &r->unit->refs, asset);
    *out = dgv_from_str(table_text(r->plan, asset));
    return DG_OK;
}

static Str last_part(Str key)
{
    ptrdiff_t i = key.len;
    while (i > 0 && key.ptr[i - 1] != '/')
        i--;
    return str_sub(key, i, key.len);
}

/* Assets by the last part of their key; NULL value: several have it. */
static void index_names(Plan *plan)
{
    if (plan->asset_by_name.entries.count)
        return;
    for (size_t i = 0; i < plan->assets.count; i++) {
        Asset *x = plan->assets.items[i];
        Str name = last_part(x->key);
        bool several = map_has(&plan->asset_by_name, name);
        map_put(plan->arena, &plan->asset_by_name, name, several ? NULL : x);
    }
}

static DgStatus no_asset(Render *r, const char *what, Str name, DgError *err)
{
    Str nearest = {0};
    int best = 3;
    for (size_t i = 0; i < r->plan->assets.count; i++) {
        const Asset *x = r->plan->assets.items[i];
        Str candidate = str_find_char(name, '/') >= 0 ? x->key : last_part(x->key);
        int d = x->stub ? 9 : str_distance(name, candidate, 3);
        if (d < best) {
            best = d;
            nearest = candidate;
        }
    }
    dg_fail(err, DG_DATA, "there is no %s `%.*s`", what, FMT(name));
    if (nearest.len)
        dg_hint(err, "a similar one exists: `%.*s`", FMT(nearest));
    return DG_DATA;
}

static DgStatus call_ref(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Render *r = ctx;
    if (args->count < 1 || args->items[args->count - 1].kind != DG_V_STR)
        return dg_fail(err, DG_DATA, "ref() takes the name of a model, as in ref('orders')");
    if (r->what == RENDER_CONFIG)
        return *out = dgv_from_str(S("t")), DG_OK;
    Str name = args->items[args->count - 1].as.s;
    Asset *asset = plan_asset(r->plan, name);
    if (asset && !asset->stub)
        return give_table(r, asset, out);
    /* A neighbour first: `ref('daily')` in marts/revenue means marts/daily. */
    Str own = r->unit->asset_key;
    own.len -= last_part(own).len;
    asset = own.len > 0 ? plan_asset(r->plan, str_format(ev->arena, "%.*s%.*s", FMT(own), FMT(name))) : NULL;
    if (asset && !asset->stub)
        return give_table(r, asset, out);
    index_names(r->plan);
    asset = map_get(&r->plan->asset_by_name, name);
    if (asset && !asset->stub)
        return give_table(r, asset, out);
    if (map_has(&r->plan->asset_by_name, name) && !asset) {
        dg_fail(err, DG_DATA, "several assets are called `%.*s`", FMT(name));
        dg_hint(err, "write the whole key, as in ref('marts/%.*s')", FMT(name));
        return DG_DATA;
    }
    return no_asset(r, "model or asset", name, err);
}

static DgStatus call_source(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Render *r = ctx;
    if (args->count != 2 || args->items[0].kind != DG_V_STR || args->items[1].kind != DG_V_STR)
        return dg_fail(err, DG_DATA, "source() takes two names, as in source('raw', 'orders')");
    if (r->what == RENDER_CONFIG)
        return *out = dgv_from_str(S("t")), DG_OK;
    Str key = str_format(ev->arena, "%.*s/%.*s", FMT(args->items[0].as.s), FMT(args->items[1].as.s));
    Asset *asset = plan_asset(r->plan, key);
    return asset ? give_table(r, asset, out) : no_asset(r, "source", key, err);
}

static DgStatus call_var(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Render *r = ctx;
    (void)ev;
    if (args->count < 1 || args->items[0].kind != DG_V_STR)
        return dg_fail(err, DG_DATA, "var() takes a name, and perhaps a default");
    Str name = args->items[0].as.s;
    for (size_t i = 0; i < r->unit->decl.vars.count; i++) {
        const DgValuePair *p = &DG_ITEMS(DgValuePair, r->unit->decl.vars)[i];
        if (str_eq(p->key, name))
            return *out = p->value, DG_OK;
    }
    const DgValue *found = r->plan->vars.kind == DG_V_DICT ? dgv_get_str(r->plan->vars, name) : NULL;
    if (found)
        return *out = *found, DG_OK;
    if (args->count > 1)
        return *out = args->items[1], DG_OK;
    dg_fail(err, DG_DATA, "the variable `%.*s` is not set", FMT(name));
    dg_hint(err, "set it under `vars:` in dgc.yaml, or give a default: var('%.*s', ...)", FMT(name));
    return DG_DATA;
}

static DgStatus call_config(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Render *r = ctx;
    (void)err;
    if (r->what == RENDER_CONFIG) {
        if (r->unit->config.kind != DG_V_DICT)
            r->unit->config = dg_new_dict(ev);
        for (size_t i = 0; i < args->named_count; i++)
            dg_put(ev, r->unit->config, dgv_from_str(str_copy(ev->arena, args->names[i])), args->named[i]);
    }
    *out = dgv_from_str((Str){0});
    return DG_OK;
}

static DgStatus call_nothing(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    (void)ctx, (void)ev, (void)args, (void)err;
    *out = dgv_from_str((Str){0});
    return DG_OK;
}

static DgStatus call_false(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    (void)ctx, (void)ev, (void)args, (void)err;
    *out = dgv_bool(false);
    return DG_OK;
}

static DgStatus call_env_var(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    (void)ctx, (void)ev, (void)args, (void)out;
    dg_fail(err, DG_DATA, "env_var() is dbt's name");
    dg_hint(err, "write env('NAME') or env('NAME', 'default')");
    return DG_DATA;
}

/* Names whose values a run gives, and what stands for them while DuckDB judges. */
static const struct { const char *name, *stand_in; } run_names[] = {
    {"partition_key", "2000-01-01"}, {"partition_range_start", "2000-01-01"},
    {"partition_range_end", "2000-01-01"}, {"run_id", "run"}, {"run_started_at", "2000-01-01 00:00:00"},
    {"invocation_id", "run"},
};

static Scope *scope_of(Render *r, const Scope *outer)
{
    Plan *plan = r->plan;
    Scope *s = scope_new(plan->arena, outer);
    const SqlUnit *u = r->unit;
    scope_function(s, S("ref"), call_ref, r);
    scope_function(s, S("source"), call_source, r);
    scope_function(s, S("var"), call_var, r);
    scope_function(s, S("config"), call_config, r);
    scope_function(s, S("log"), call_nothing, r);
    scope_function(s, S("env_var"), call_env_var, r);
    scope_value(s, S("execute"), dgv_bool(true));
    Str schema, table;
    dg_asset_table(plan->arena, u->asset_key.len ? u->asset_key : S("this"), &schema, &table);
    scope_value(s, S("this"), dgv_from_str(dg_duckdb_table(plan->arena, schema, table)));
    if (r->what == RENDER_EMIT)
        scope_later(s, S("is_incremental"), PHASE_RUN);
    else
        scope_function(s, S("is_incremental"), call_false, r);
    for (size_t i = 0; i < sizeof run_names / sizeof *run_names; i++) {
        if (r->what == RENDER_EMIT)
            scope_later(s, str_from(run_names[i].name), PHASE_RUN);
        else
            scope_value(s, str_from(run_names[i].name), dgv_from_str(str_from(run_names[i].stand_in)));
    }
    if (r->what == RENDER_EMIT)
        scope_later(s, S("partition_time_window"), PHASE_RUN);
    for (size_t i = 0; i < u->decl.vars.count; i++) {
        const DgValuePair *p = &DG_ITEMS(DgValuePair, u->decl.vars)[i];
        scope_value(s, p->key, p->value);
    }
    return s;
}

bool sql_render(Plan *plan, SqlUnit *unit, RenderFor what, TemplateResult *out)
{
    Render r = {plan, unit, what};
    Diag silent;
    diag_init(&silent, plan->arena, plan->sources);
    TemplateCtx ctx = {.arena = plan->arena, .diag = what == RENDER_EMIT ? plan->diag : &silent};
    *out = template_eval(&ctx, unit->parsed, scope_of(&r, unit->scope));
    return !out->failed;
}
