/* model_step.c - builds one model: view, table, or the new rows of an incremental table. */
#include "stdlib-components/sql_models/model_step.h"

#include "runtime/base/base.h"
#include "runtime/eval/value.h"

const char *const dg_materialized_names[] = {"view", "table", "incremental", NULL};
const char *const dg_strategy_names[] = {"delete+insert", "append", NULL};

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(ModelStep, asset, .doc = "The model's asset."),
    DG_FIELD_STRING(ModelStep, schema, .doc = "Where its table lies."),
    DG_FIELD_STRING(ModelStep, table, .doc = "Its table."),
    DG_FIELD_ENUM(ModelStep, materialized, .choices = dg_materialized_names, .doc = "What it becomes."),
    DG_FIELD_ENUM(ModelStep, strategy, .choices = dg_strategy_names, .doc = "How new rows enter."),
    DG_FIELD_STRINGS(ModelStep, unique_key, .doc = "Columns that tell rows apart."),
    DG_FIELD_CODE(ModelStep, sql, .doc = "Renders the SELECT."),
    DG_FIELD_STRINGS(ModelStep, pre_hook, .doc = "SQL before."),
    DG_FIELD_STRINGS(ModelStep, post_hook, .doc = "SQL after."),
    {0},
};

static DgStatus select_text(DgStepRun *run, const ModelStep *m, Str *out, DgError *err)
{
    DgValue v;
    DG_TRY(((DgTemplateFn)m->sql.call)(dg_eval(run), &v, err));
    if (v.kind != DG_V_STR)
        return dg_fail(err, DG_BUG, "the model's SQL is no text");
    Str text = str_trim(v.as.s);
    while (text.len && text.ptr[text.len - 1] == ';')
        text = str_trim(str_sub(text, 0, text.len - 1));
    *out = text;
    return DG_OK;
}

/* How many views (or tables) have the model's name: 0 or 1. */
static DgStatus count_named(DgStepRun *run, const ModelStep *m, const char *what, int64_t *n, DgError *err)
{
    return dg_sql_int(run,
                      dg_format(run, "SELECT count(*) FROM duckdb_%ss() WHERE schema_name = %.*s AND "
                                     "%s_name = %.*s AND database_name = current_database()",
                                what, FMT(dg_quote_text(run, m->schema)), what,
                                FMT(dg_quote_text(run, m->table))),
                      n, err);
}

static DgStatus run_hooks(DgStepRun *run, const DgList *hooks, DgError *err)
{
    for (size_t i = 0; i < hooks->count; i++)
        DG_TRY(dg_sql(run, DG_ITEMS(DgStr, *hooks)[i], err));
    return DG_OK;
}

/* Rows of the model's key that the new rows replace go first. */
static DgStatus add_rows(DgStepRun *run, const ModelStep *m, Str table, Str sql, DgError *err)
{
    Str staged = dg_quote_name(run, dg_format(run, "dgc_new_%.*s", FMT(m->table)));
    DG_TRY(dg_sql(run, dg_format(run, "CREATE OR REPLACE TEMP TABLE %.*s AS\n%.*s\n", FMT(staged), FMT(sql)), err));
    if (m->unique_key.count && m->strategy == STRATEGY_DELETE_INSERT) {
        StrBuf on = {0};
        for (size_t i = 0; i < m->unique_key.count; i++) {
            Str key = dg_quote_name(run, DG_ITEMS(DgStr, m->unique_key)[i]);
            buf_format(&on, "%sold.%.*s IS NOT DISTINCT FROM new.%.*s", i ? " AND " : "", FMT(key), FMT(key));
        }
        Str statement = dg_format(run, "DELETE FROM %.*s AS old USING %.*s AS new WHERE %.*s", FMT(table),
                                  FMT(staged), FMT(buf_str(&on)));
        buf_free(&on);
        DG_TRY(dg_sql(run, statement, err));
    }
    DG_TRY(dg_sql(run, dg_format(run, "INSERT INTO %.*s BY NAME SELECT * FROM %.*s", FMT(table), FMT(staged)), err));
    int64_t rows = 0;
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s", FMT(staged)), &rows, err));
    dg_progress(run, rows, 0);
    return dg_sql(run, dg_format(run, "DROP TABLE %.*s", FMT(staged)), err);
}

static DgStatus model_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const ModelStep *m = config;
    Str sql = {0}, table = dg_table(run, m->asset);
    int64_t views = 0, tables = 0, rows = 0;
    (void)state;
    DG_TRY(select_text(run, m, &sql, err));
    DG_TRY(count_named(run, m, "view", &views, err));
    DG_TRY(count_named(run, m, "table", &tables, err));
    DG_TRY(run_hooks(run, &m->pre_hook, err));
    if (m->materialized == MODEL_INCREMENTAL && tables && !dg_truthy(dg_eval(run), dg_var(dg_eval(run), "full_refresh"))) {
        DG_TRY(add_rows(run, m, table, sql, err));
        return run_hooks(run, &m->post_hook, err);
    }
    bool view = m->materialized == MODEL_VIEW;
    if (view && tables)
        DG_TRY(dg_sql(run, dg_format(run, "DROP TABLE %.*s", FMT(table)), err));
    if (!view && views)
        DG_TRY(dg_sql(run, dg_format(run, "DROP VIEW %.*s", FMT(table)), err));
    DG_TRY(dg_sql(run, dg_format(run, "CREATE OR REPLACE %s %.*s AS\n%.*s\n", view ? "VIEW" : "TABLE", FMT(table), FMT(sql)), err));
    if (!view) {
        DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s", FMT(table)), &rows, err));
        dg_progress(run, rows, 0);
    }
    return run_hooks(run, &m->post_hook, err);
}

const DgStepOps dg_sql_model_ops = {
    .name = "dgc.SqlModels",
    .symbol = "dg_sql_model_ops",
    .role = DG_ACTION,
    .fields = fields,
    .config_size = sizeof(ModelStep),
    .execute = model_execute,
};
