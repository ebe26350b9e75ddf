/* sql_models.c - dgc.SqlModels: a folder of .sql files, one asset each. */
#include "runtime/base/base.h"
#include "runtime/db/warehouse.h"
#include "runtime/eval/value.h"
#include "stdlib-components/sql_models/model_step.h"

typedef struct Config {
    DgStr path, prefix, group, description, macros;
    int32_t materialized, incremental_strategy, on_schema_change;
    DgList unique_key, tags, kinds, owners, metadata, vars, pre_hook, post_hook;
    DgAssetSpec spec;
} Config;

static const DgField fields[] = {
    DG_FIELD_PATH(Config, path, .flags = DG_REQUIRED | DG_BUILD, .example = "models",
                  .doc = "Folder of the models, `.sql` files; folders below it are searched too."),
    DG_FIELD_STRING(Config, prefix, .flags = DG_BUILD, .example = "marts",
                    .doc = "Begins every asset key: `marts` and `orders.sql`, in whatever folder, "
                           "give `marts/orders`."),
    DG_FIELD_ENUM(Config, materialized, .choices = dg_materialized_names, .fallback = "view",
                  .flags = DG_BUILD,
                  .doc = "What a model becomes; `config(materialized=...)` in a model wins."),
    DG_FIELD_STRINGS(Config, unique_key, .flags = DG_BUILD | DG_ONE_OR_MANY,
                     .doc = "Incremental models: columns whose rows are replaced by new ones."),
    DG_FIELD_ENUM(Config, incremental_strategy, .choices = dg_strategy_names,
                  .fallback = "delete+insert", .flags = DG_BUILD,
                  .doc = "How new rows enter an incremental table."),
    DG_FIELD_ENUM(Config, on_schema_change, .choices = dg_schema_change_names,
                  .fallback = "ignore", .flags = DG_BUILD,
                  .doc = "What becomes of columns that an incremental model has got since its "
                         "table was made."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Group of the models."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD,
                    .doc = "Description of models without a leading comment."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Tags of the models."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD,
                     .doc = "Kinds of the models; `sql` and `duckdb` when not given."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD,
                     .doc = "Owners: e-mail addresses or `team:NAME`."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Metadata of the models."),
    DG_FIELD_ANY_MAP(Config, vars, .flags = DG_BUILD,
                     .doc = "Variables for `var()`; they win over those of dgc.yaml."),
    DG_FIELD_PATH(Config, macros, .fallback = "macros", .flags = DG_BUILD | DG_ADVANCED,
                  .doc = "Folder of `.sql` files whose `{% macro %}`s the models may call."),
    DG_FIELD_STRINGS(Config, pre_hook, .flags = DG_ONE_OR_MANY | DG_NO_TEMPLATE,
                     .doc = "SQL to run before each model, in its transaction; a template as the "
                            "models are."),
    DG_FIELD_STRINGS(Config, post_hook, .flags = DG_ONE_OR_MANY | DG_NO_TEMPLATE,
                     .doc = "SQL to run after each model, in its transaction."),
    DG_FIELD_STRUCT(Config, spec, DgAssetSpec, dg_asset_post_fields,
                    .flags = DG_BUILD | DG_ADVANCED,
                    .doc = "Further parts of the models' asset specs, such as `partitions_def`."),
    {0},
};

typedef struct Models { /* one component being planned */
    DgPlanner *p;
    const Config *c;
    DgStr macros;
    Arena scratch;
} Models;

/* ---- What config(...) says of a model, else the component ---- */

static Str stem_of(Str path)
{
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, i, path.len - 4);
}

static Str text_of(DgValue config, const char *name, Str otherwise)
{
    const DgValue *v = dgv_get_str(config, str_from(name));
    return v && v->kind == DG_V_STR ? v->as.s : otherwise;
}

/* Choices that are none were reported where they stand. */
static int32_t choice_of(DgValue config, const char *name, const char *const *choices,
                         int32_t otherwise)
{
    Str text = text_of(config, name, (Str){0});
    for (int32_t i = 0; text.len && choices[i]; i++)
        if (str_eq(text, str_from(choices[i])))
            return i;
    return otherwise;
}

static DgList list_of(DgPlanner *p, DgValue config, const char *name, DgList otherwise)
{
    const DgValue *v = dgv_get_str(config, str_from(name));
    bool one = v && v->kind == DG_V_STR;
    if (!one && !(v && (v->kind == DG_V_LIST || v->kind == DG_V_TUPLE)))
        return otherwise;
    size_t count = one ? 1 : v->as.list->count;
    DgStr *items = p->api->alloc(p, sizeof *items * (count + 1));
    for (size_t i = 0; i < count; i++) {
        DgValue item = one ? *v : v->as.list->items[i];
        items[i] = item.kind == DG_V_STR ? item.as.s : (Str){0};
    }
    return (DgList){items, count};
}

/* A list of names, as dbt has it, or a mapping; added to the component's. */
static DgList tags_of(DgPlanner *p, DgValue config, DgList own)
{
    const DgValue *v = dgv_get_str(config, S("tags"));
    DgList names = list_of(p, config, "tags", (DgList){0});
    size_t more = v && v->kind == DG_V_DICT ? v->as.dict->count : names.count;
    DgPair *tags = p->api->alloc(p, sizeof *tags * (own.count + more + 1));
    size_t n = 0;
    for (; n < own.count; n++)
        tags[n] = DG_ITEMS(DgPair, own)[n];
    for (size_t i = 0; i < more; i++) {
        bool pair = v->kind == DG_V_DICT && v->as.dict->values[i].kind == DG_V_STR;
        tags[n++] = v->kind == DG_V_DICT
                        ? (DgPair){v->as.dict->keys[i].as.s,
                                   pair ? v->as.dict->values[i].as.s : (Str){0}}
                        : (DgPair){DG_ITEMS(DgStr, names)[i], (Str){0}};
    }
    return (DgList){tags, n};
}

static DgList metadata_of(DgPlanner *p, DgValue config, DgList own)
{
    const DgValue *v = dgv_get_str(config, S("metadata"));
    size_t more = v && v->kind == DG_V_DICT ? v->as.dict->count : 0;
    DgValuePair *all = p->api->alloc(p, sizeof *all * (own.count + more + 1));
    size_t n = 0;
    for (; n < own.count; n++)
        all[n] = DG_ITEMS(DgValuePair, own)[n];
    for (size_t i = 0; i < more; i++)
        if (v->as.dict->keys[i].kind == DG_V_STR)
            all[n++] = (DgValuePair){v->as.dict->keys[i].as.s, v->as.dict->values[i]};
    return (DgList){all, n};
}

static DgList kinds_of(DgPlanner *p, DgValue config, DgList own)
{
    DgStr *items = p->api->alloc(p, sizeof *items * 2);
    items[0] = S("duckdb");
    items[1] = S("sql");
    return list_of(p, config, "kinds", own.count ? own : (DgList){items, 2});
}

/* ---- Steps ---- */

/* Hooks of the component are fields; those of config(...) are plain text. */
static DgList hooks_of(Models *s, DgStr key, DgValue config, const char *name, const DgList *own)
{
    DgPlanner *p = s->p;
    DgList texts = list_of(p, config, name, *own);
    ModelHook *hooks = p->api->alloc(p, sizeof *hooks * (texts.count + 1));
    for (size_t i = 0; i < texts.count; i++) {
        DgStr *text = &DG_ITEMS(DgStr, texts)[i];
        p->api->sql(p, &hooks[i].sql,
                    &(DgSqlDecl){.asset = key, .field = texts.items == own->items ? text : NULL,
                                 .text = *text, .statements = true, .vars = s->c->vars,
                                 .macros = s->macros});
    }
    return (DgList){hooks, texts.count};
}

static ModelStep *step_of(Models *s, DgStr key, DgValue config)
{
    DgPlanner *p = s->p;
    const Config *c = s->c;
    ModelStep *m = p->api->alloc(p, sizeof *m);
    Str schema, table;
    arena_reset(&s->scratch);
    dg_asset_table(&s->scratch, key, &schema, &table);
    m->asset = key;
    m->schema = p->api->format(p, "%.*s", FMT(schema));
    m->table = p->api->format(p, "%.*s", FMT(table));
    m->materialized = choice_of(config, "materialized", dg_materialized_names, c->materialized);
    m->strategy = choice_of(config, "incremental_strategy", dg_strategy_names,
                            c->incremental_strategy);
    m->on_schema_change = choice_of(config, "on_schema_change", dg_schema_change_names,
                                    c->on_schema_change);
    m->unique_key = list_of(p, config, "unique_key", c->unique_key);
    if (m->materialized == MODEL_INCREMENTAL && m->strategy == STRATEGY_MERGE &&
        !m->unique_key.count)
        p->api->report(p, "E0106", &c->path, "name the columns that tell its rows apart, in "
                       "`unique_key` here or in config(...)",
                       "the model `%.*s` merges rows, but has no `unique_key`", FMT(key));
    if (m->materialized != MODEL_INCREMENTAL && p->api->is_set(p, &c->spec.partitions_def))
        p->api->report(p, "E0110", &c->spec.partitions_def, "write `materialized: incremental`, with a `unique_key` "
                       "that tells the partitions apart",
                       "the model `%.*s` is made whole, a partition would take the place of all others", FMT(key));
    return m;
}

static void plan_model(Models *s, Str file)
{
    DgPlanner *p = s->p;
    const Config *c = s->c;
    Str stem = stem_of(file);
    DgStr key = c->prefix.len ? p->api->format(p, "%.*s/%.*s", FMT(c->prefix), FMT(stem)) : stem;
    DgSqlDecl sql = {.asset = key, .file = file, .vars = c->vars, .macros = s->macros};
    DgValue config = p->api->sql_config(p, &sql);
    const DgValue *enabled = dgv_get_str(config, S("enabled"));
    if (enabled && enabled->kind == DG_V_BOOL && !enabled->as.b)
        return;
    ModelStep *m = step_of(s, key, config);
    sql.incremental = m->materialized == MODEL_INCREMENTAL;
    p->api->asset(p, &(DgAssetDecl){
        .key = key, .description = text_of(config, "description", c->description),
        .group = text_of(config, "group", c->group), .kinds = kinds_of(p, config, c->kinds),
        .owners = list_of(p, config, "owners", c->owners), .tags = tags_of(p, config, c->tags),
        .metadata = metadata_of(p, config, c->metadata), .filled = &c->spec,
        .is_view = m->materialized == MODEL_VIEW, .at = &c->path});
    p->api->sql(p, &m->sql, &sql);
    m->pre_hook = hooks_of(s, key, config, "pre_hook", &c->pre_hook);
    m->post_hook = hooks_of(s, key, config, "post_hook", &c->post_hook);
    DgStr *made = p->api->alloc(p, sizeof *made);
    *made = key;
    p->api->step(p, &(DgStepDecl){.ops = &dg_sql_model_ops, .config = m, .assets = {made, 1},
                                  .at = &c->path});
}

static bool is_within(Str path, Str folder)
{
    return str_starts(path, folder) && path.len > folder.len && path.ptr[folder.len] == '/';
}

static void sql_models_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    Models s = {.p = p, .c = c, .macros = p->api->resolve(p, &c->macros, c->macros)};
    DgStr folder = p->api->resolve(p, &c->path, c->path);
    if (!folder.len)
        return;
    DgList files = p->api->glob(p, p->api->format(p, "%.*s/**/*.sql", FMT(folder)));
    size_t models = 0;
    arena_init(&s.scratch, 1 << 20);
    for (size_t i = 0; i < files.count; i++) {
        DgStr file = DG_ITEMS(DgStr, files)[i];
        if (is_within(file, s.macros))
            continue;
        plan_model(&s, file);
        models++;
    }
    arena_free(&s.scratch);
    if (!models)
        p->api->report(p, "E0703", &c->path, "put one `.sql` file for each model there",
                       "there are no models in `%.*s`", FMT(folder));
}

static const DgStepOps *const steps[] = {&dg_sql_model_ops, NULL};

const DgComponent dg_component_sql_models = {
    .name = "dgc.SqlModels",
    .summary = "A folder of SQL models, one asset each, as in dbt.",
    .doc = "Models may use `ref('name')`, `source('schema', 'table')`, `var('name', default)`, "
           "`env_var('NAME')`, `this`, `target`, `config(...)`, `is_incremental()` and the macros "
           "of the folder `macros`. Dependencies come from `ref` and `source`, and from tables "
           "named in plain SQL. DuckDB checks every model against the known columns before "
           "anything runs. A model's leading `--` comment is its description.",
    .example = "type: dgc.SqlModels\nattributes:\n  path: models\n  prefix: marts\n"
               "  materialized: table\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = sql_models_plan,
    .steps = steps,
};
