/* templated_sql.c - dagster.TemplatedSqlComponent: SQL statements that make assets. */
#include "stdlib-components/dagster/templated_sql.h"

typedef struct Template { /* `sql_template`: text, or {path: file} */
    DgStr text, path;
} Template;
static const DgField template_fields[] = {
    DG_FIELD_SQL(Template, text, .flags = DG_SHORTHAND | DG_NO_TEMPLATE,
                 .doc = "The statements themselves."),
    DG_FIELD_PATH(Template, path, .flags = DG_BUILD,
                  .doc = "File with the statements, from the component's folder."),
    {0},
};

typedef struct Config {
    Template sql_template;
    DgList sql_template_vars;
    DgValue connection;
    DgOpSpec execution;
    DgList assets, checks;
} Config;

static const DgField fields[] = {
    DG_FIELD_STRUCT(Config, sql_template, Template, template_fields, .flags = DG_REQUIRED,
                    .doc = "SQL statements: text, or `{path: file.sql}`. Jinja, with "
                           "`sql_template_vars` in scope.",
                    .example = "{path: orders.sql}"),
    DG_FIELD_ANY_MAP(Config, sql_template_vars, .flags = DG_BUILD,
                     .doc = "Names that the statements may use."),
    DG_FIELD_ANY(Config, connection, .flags = DG_BUILD,
                 .doc = "The database: `{{ context.load_component('PATH') }}`, PATH being the folder "
                        "of a DuckDBConnectionComponent. The pipeline's own when not given.",
                 .example = "\"{{ context.load_component('warehouse') }}\""),
    DG_FIELD_STRUCT(Config, execution, DgOpSpec, dg_op_spec_fields, .flags = DG_BUILD,
                    .doc = "Name, tags, pool and retries of the step."),
    DG_FIELD_STRUCTS(Config, assets, DgAssetSpec, dg_asset_spec_fields,
                     .doc = "The assets that the statements make, all of them in one run.",
                     .example = "[{key: orders}]"),
    DG_FIELD_STRUCTS(Config, checks, DgCheckSpec, dg_check_spec_fields,
                     .doc = "Checks of the assets."),
    {0},
};

static bool ends_with(DgStr s, const char *end)
{
    DgStr e = {end, 0};
    while (end[e.len])
        e.len++;
    return s.len >= e.len && memcmp(s.ptr + s.len - e.len, e.ptr, (size_t)e.len) == 0;
}

/* The database that `connection` names, into the step. */
static void connect(DgPlanner *p, const Config *config, TemplatedSqlStep *step)
{
    if (!p->api->is_set(p, &config->connection))
        return;
    DgStr type = p->api->refers_to(p, &config->connection);
    const DgStr *database = p->api->attribute(p, &config->connection, "database");
    if (!ends_with(type, "DuckDBConnectionComponent") || !database) {
        p->api->report(p, "E0110", &config->connection,
                       "name the folder of a dagster_duckdb.DuckDBConnectionComponent: "
                       "`{{ context.load_component('warehouse') }}`",
                       type.len ? "`%.*s` is no connection that SQL runs on"
                                : "`connection` does not refer to a component%.*s",
                       (int)type.len, type.len ? type.ptr : "");
        return;
    }
    p->api->copy(p, &step->database, database, sizeof *database);
    const DgList *settings = p->api->attribute(p, &config->connection, "connection_config");
    if (settings)
        step->settings = *settings;
}

static void templated_plan(DgPlanner *p, const void *data)
{
    const Config *config = data;
    if (!config->assets.count) {
        p->api->report(p, "E0106", &config->sql_template.text, "add `assets: [{key: ...}]`",
                       "the statements make no asset");
        return;
    }
    const Template *template = &config->sql_template;
    const DgStr *written = template->path.len ? &template->path : &template->text;
    if (!written->len)
        p->api->report(p, "E0106", NULL, "write the SQL, or `{path: file.sql}`",
                       "`sql_template` has no statements");
    DgStr *keys = p->api->alloc(p, config->assets.count * sizeof *keys);
    for (size_t i = 0; i < config->assets.count; i++) {
        const DgAssetSpec *spec = &DG_ITEMS(DgAssetSpec, config->assets)[i];
        p->api->asset(p, &(DgAssetDecl){.filled = spec});
        keys[i] = spec->key;
    }
    DgPair *checks = p->api->alloc(p, (config->checks.count + 1) * sizeof *checks);
    for (size_t i = 0; i < config->checks.count; i++) {
        const DgCheckSpec *spec = &DG_ITEMS(DgCheckSpec, config->checks)[i];
        p->api->check(p, &(DgCheckDecl){.filled = spec});
        checks[i] = (DgPair){spec->asset, spec->name};
    }
    TemplatedSqlStep *step = p->api->alloc(p, sizeof *step);
    connect(p, config, step);
    DgSqlDecl sql = {.asset = keys[0], .statements = true, .vars = config->sql_template_vars};
    if (template->path.len) {
        sql.file = p->api->resolve(p, written, *written);
    } else {
        sql.field = written;
        sql.text = *written;
    }
    p->api->sql(p, &step->sql, &sql);
    p->api->step(p, &(DgStepDecl){.ops = &dg_templated_sql_ops, .config = step,
                                  .assets = {keys, config->assets.count},
                                  .checks = {checks, config->checks.count},
                                  .op_filled = &config->execution,
                                  .at = written});
}

static const char *const aliases[] = {
    "dagster.components.TemplatedSqlComponent",
    "dagster.components.lib.sql_component.sql_component.TemplatedSqlComponent",
    NULL,
};
static const DgStepOps *const steps[] = {&dg_templated_sql_ops, NULL};

const DgComponent dg_component_templated_sql = {
    .name = "dagster.TemplatedSqlComponent",
    .aliases = aliases,
    .summary = "Assets made by SQL statements, written with Jinja.",
    .doc = "Runs the statements in one transaction. On the pipeline's own warehouse they commit "
           "together with the step; on another DuckDB file, by themselves just before.",
    .example = "type: dagster.TemplatedSqlComponent\n"
               "attributes:\n"
               "  sql_template: create or replace table orders as select {{ n }} as n\n"
               "  sql_template_vars: {n: 1}\n"
               "  assets:\n"
               "    - key: orders\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = templated_plan,
    .steps = steps,
};
