/* sql_models.c - dgc.SqlModels: a folder of .sql files, one asset each. */
#include "runtime/base/base.h"
#include "runtime/db/warehouse.h"
#include "runtime/eval/value.h"
#include "stdlib-components/sql_models/model_step.h"

typedef struct Config {
    DgStr path, prefix, group;
    int32_t materialized, strategy;
    DgList unique_key, tags, kinds, owners, metadata, vars, pre_hook, post_hook;
    DgAssetSpec spec;
} Config;

static const DgField fields[] = {
    DG_FIELD_PATH(Config, path, .flags = DG_REQUIRED | DG_BUILD, .example = "models",
                  .doc = "Folder of the models, `.sql` files; folders below it are searched too."),
    DG_FIELD_STRING(Config, prefix, .flags = DG_BUILD, .example = "marts",
                    .doc = "Begins every asset key: `marts` and `orders.sql` give `marts/orders`."),
    DG_FIELD_ENUM(Config, materialized, .choices = dg_materialized_names, .fallback = "view",
                  .flags = DG_BUILD, .doc = "What a model becomes; `config(materialized=...)` in a model wins."),
    DG_FIELD_STRINGS(Config, unique_key, .flags = DG_BUILD | DG_ONE_OR_MANY,
                     .doc = "Incremental models: columns whose rows are replaced by new ones."),
    {.name = "incremental_strategy", .kind = DG_F_ENUM, .offset = offsetof(Config, strategy),
     .choices = dg_strategy_names, .fallback = "delete+insert", .flags = DG_BUILD,
     .doc = "How new rows enter an incremental table."},
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Group of the models."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Tags of the models."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Kinds of the models; `sql` and `duckdb` when not given."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Owners: e-mail addresses or `team:NAME`."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Metadata of the models."),
    DG_FIELD_ANY_MAP(Config, vars, .flags = DG_BUILD, .doc = "Variables for `var()`; they win over those of dgc.yaml."),
    DG_FIELD_STRINGS(Config, pre_hook, .flags = DG_ONE_OR_MANY, .doc = "SQL to run before each model."),
    DG_FIELD_STRINGS(Config, post_hook, .flags = DG_ONE_OR_MANY, .doc = "SQL to run after each model."),
    DG_FIELD_STRUCT(Config, spec, DgAssetSpec, dg_asset_post_fields, .flags = DG_BUILD | DG_ADVANCED,
                    .doc = "Further parts of the models' asset specs, such as `partitions_def`."),
    {0},
};

static Str stem_of(Str path)
{
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, i, path.len - 4);
}

/* The `--` lines that a model begins with describe it. */
static Str description_of(DgPlanner *p, Str text)
{
    StrBuf b = {0};
    Str line, rest = text;
    while (rest.len) {
        if (!str_cut(rest, '\n', &line, &rest)) {
            line = rest;
            rest = (Str){0};
        }
        line = str_trim(line);
        if (str_starts(line, S("--")))
            buf_format(&b, "%s%.*s", b.len ? " " : "", FMT(str_trim(str_sub(line, 2, line.len))));
        else if (line.len && !str_starts(line, S("{{")))
            break;
    }
    DgStr out = p->api->format(p, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

static Str text_of(DgValue config, const char *name, Str otherwise)
{
    const DgValue *v = dgv_get_str(config, str_from(name));
    return v && v->kind == DG_V_STR ? v->as.s : otherwise;
}

static int32_t choice_of(DgPlanner *p, const Config *c, DgValue config, const char *name,
                         const char *const *choices, int32_t otherwise, Str file)
{
    Str text = text_of(config, name, (Str){0});
    for (int32_t i = 0; text.len && choices[i]; i++)
        if (str_eq(text, str_from(choices[i])))
            return i;
    if (text.len)
        p->api->report(p, "E0110", &c->path, "choices: view, table, incremental; delete+insert, append",
                       "%.*s: config(%s='%.*s') is not one of the choices", FMT(file), name, FMT(text));
    return otherwise;
}

static DgList list_of(DgPlanner *p, DgValue config, const char *name, DgList otherwise)
{
    const DgValue *v = dgv_get_str(config, str_from(name));
    if (!v || (v->kind != DG_V_STR && v->kind != DG_V_LIST))
        return otherwise;
    size_t n = v->kind == DG_V_STR ? 1 : v->as.list->count;
    DgStr *items = p->api->alloc(p, sizeof *items * (n + 1));
    for (size_t i = 0; i < n; i++) {
        DgValue item = v->kind == DG_V_STR ? *v : v->as.list->items[i];
        items[i] = item.kind == DG_V_STR ? item.as.s : (Str){0};
    }
    return (DgList){items, n};
}

static DgList default_kinds(DgPlanner *p)
{
    DgStr *items = p->api->alloc(p, sizeof *items * 2);
    items[0] = S("duckdb");
    items[1] = S("sql");
    return (DgList){items, 2};
}

static void plan_model(DgPlanner *p, const Config *c, Str file)
{
    Str stem = stem_of(file), text = {0};
    DgStr key = c->prefix.len ? p->api->format(p, "%.*s/%.*s", FMT(c->prefix), FMT(stem)) : stem;
    DgSqlDecl sql = {.asset = key, .file = file, .vars = c->vars};
    DgValue config = p->api->sql_config(p, &sql);
    const DgValue *enabled = dgv_get_str(config, S("enabled"));
    if (enabled && enabled->kind == DG_V_BOOL && !enabled->as.b)
        return;
    p->api->file_read(p, file, 1 << 16, &text);
    ModelStep *m = p->api->alloc(p, sizeof *m);
    Arena scratch;
    arena_init(&scratch, 1 << 20);
    Str schema, table;
    dg_asset_table(&scratch, key, &schema, &table);
    m->asset = key;
    m->schema = p->api->format(p, "%.*s", FMT(schema));
    m->table = p->api->format(p, "%.*s", FMT(table));
    arena_free(&scratch);
    m->materialized = choice_of(p, c, config, "materialized", dg_materialized_names, c->materialized, file);
    m->strategy = choice_of(p, c, config, "incremental_strategy", dg_strategy_names, c->strategy, file);
    m->unique_key = list_of(p, config, "unique_key", c->unique_key);
    p->api->copy(p, &m->pre_hook, &c->pre_hook, sizeof m->pre_hook);
    p->api->copy(p, &m->post_hook, &c->post_hook, sizeof m->post_hook);
    p->api->asset(p, &(DgAssetDecl){
        .key = key, .description = text_of(config, "description", description_of(p, text)),
        .group = text_of(config, "group", c->group), .kinds = c->kinds.count ? c->kinds : default_kinds(p),
        .owners = c->owners, .tags = c->tags, .metadata = c->metadata, .filled = &c->spec,
        .is_view = m->materialized == MODEL_VIEW, .at = &c->path});
    p->api->sql(p, &m->sql, &sql);
    DgStr *made = p->api->alloc(p, sizeof *made);
    *made = key;
    p->api->step(p, &(DgStepDecl){.ops = &dg_sql_model_ops, .config = m, .assets = {made, 1}, .at = &c->path});
}

static void sql_models_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    DgStr folder = p->api->resolve(p, &c->path, c->path);
    if (!folder.ptr && !folder.len)
        return;
    DgList files = p->api->glob(p, p->api->format(p, "%.*s/**/*.sql", FMT(folder)));
    if (!files.count) {
        p->api->report(p, "E0703", &c->path, "put one `.sql` file for each model there",
                       "there are no models in `%.*s`", FMT(folder));
        return;
    }
    for (size_t i = 0; i < files.count; i++)
        plan_model(p, c, DG_ITEMS(DgStr, files)[i]);
}

static const DgStepOps *const steps[] = {&dg_sql_model_ops, NULL};

const DgComponent dg_component_sql_models = {
    .name = "dgc.SqlModels",
    .summary = "A folder of SQL models, one asset each, as in dbt.",
    .doc = "Models may use `ref('name')`, `source('schema', 'table')`, `var('name', default)`, "
           "`env('NAME')`, `this`, `config(...)` and `is_incremental()`. Dependencies come from "
           "`ref` and `source`, and from tables named in plain SQL. DuckDB checks every model "
           "against the known columns before anything runs.",
    .example = "type: dgc.SqlModels\nattributes:\n  path: models\n  prefix: marts\n  materialized: table\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = sql_models_plan,
    .steps = steps,
};
