/* model_step.c - builds one model: view, table, or the new rows of an incremental table. */
#include "stdlib-components/sql_models/model_step.h"

#include "runtime/base/base.h"
#include "runtime/eval/value.h"

const char *const dg_materialized_names[] = {"view", "table", "incremental", NULL};
const char *const dg_strategy_names[] = {"delete+insert", "append", "merge", NULL};
const char *const dg_schema_change_names[] = {"ignore", "fail", "append_new_columns", NULL};

static const DgField hook_fields[] = {
    DG_FIELD_CODE(ModelHook, sql, .doc = "Renders the statements."),
    {0},
};
static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(ModelStep, asset, .doc = "The model's asset."),
    DG_FIELD_STRING(ModelStep, schema, .doc = "Where its table lies."),
    DG_FIELD_STRING(ModelStep, table, .doc = "Its table."),
    DG_FIELD_ENUM(ModelStep, materialized, .choices = dg_materialized_names,
                  .doc = "What it becomes."),
    DG_FIELD_ENUM(ModelStep, strategy, .choices = dg_strategy_names, .doc = "How new rows enter."),
    DG_FIELD_ENUM(ModelStep, on_schema_change, .choices = dg_schema_change_names,
                  .doc = "What becomes of new columns."),
    DG_FIELD_STRINGS(ModelStep, unique_key, .doc = "Columns that tell rows apart."),
    DG_FIELD_CODE(ModelStep, sql, .doc = "Renders the SELECT."),
    DG_FIELD_STRUCTS(ModelStep, pre_hook, ModelHook, hook_fields, .doc = "SQL before."),
    DG_FIELD_STRUCTS(ModelStep, post_hook, ModelHook, hook_fields, .doc = "SQL after."),
    {0},
};

/* ---- Text ---- */

static DgStatus render(DgStepRun *run, DgCode code, Str *out, DgError *err)
{
    DgValue v;
    if (!code.call)
        return dg_fail(err, DG_BUG, "the model has no SQL");
    DG_TRY(((DgTemplateFn)code.call)(dg_eval(run), &v, err));
    if (v.kind != DG_V_STR)
        return dg_fail(err, DG_BUG, "the model's SQL is no text");
    Str text = str_trim(v.as.s);
    while (text.len && text.ptr[text.len - 1] == ';')
        text = str_trim(str_sub(text, 0, text.len - 1));
    *out = text;
    return DG_OK;
}

static DgStatus run_hooks(DgStepRun *run, const DgList *hooks, DgError *err)
{
    for (size_t i = 0; i < hooks->count; i++) {
        Str sql;
        DG_TRY(render(run, DG_ITEMS(ModelHook, *hooks)[i].sql, &sql, err));
        if (sql.len)
            DG_TRY(dg_sql(run, sql, err));
    }
    return DG_OK;
}

/* "a", "b": each name through `form`, in which %1 stands for it. */
static Str name_list(DgStepRun *run, const DgList *names, const char *form, const char *between)
{
    StrBuf b = {0};
    for (size_t i = 0; i < names->count; i++) {
        Str name = dg_quote_name(run, DG_ITEMS(DgStr, *names)[i]);
        buf_add(&b, i ? str_from(between) : S(""));
        for (const char *c = form; *c; c++) {
            if (c[0] == '%' && c[1] == '1') {
                buf_add(&b, name);
                c++;
            } else {
                buf_char(&b, *c);
            }
        }
    }
    Str out = dg_format(run, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

/* ---- Incremental tables ---- */

typedef struct Growth { /* new rows on their way into a table */
    DgStepRun *run;
    const ModelStep *m;
    Str table, staged;
    Str staged_name;    /* in quotes, as text */
    Str common;         /* columns that both have, quoted, with commas */
    Str added, gone;    /* the others, for messages */
} Growth;

/* Columns of one table that another lacks, `what` made of each, or of those that both have. */
static DgStatus columns_of(const Growth *g, const char *what, const char *between, bool of_staged,
                           bool in_both, Str *out, DgError *err)
{
    Str schema = dg_quote_text(g->run, g->m->schema), table = dg_quote_text(g->run, g->m->table);
    Str staged = dg_format(g->run, "FROM duckdb_columns() WHERE database_name = 'temp' AND "
                           "table_name = %.*s", FMT(g->staged_name));
    Str target = dg_format(g->run, "FROM duckdb_columns() WHERE database_name = current_database() "
                           "AND schema_name = %.*s AND table_name = %.*s", FMT(schema), FMT(table));
    Str first = of_staged ? staged : target, second = of_staged ? target : staged;
    return dg_sql_text(g->run,
                       dg_format(g->run, "SELECT string_agg(%s, '%s' ORDER BY column_index) %.*s "
                                 "AND lower(column_name) %s (SELECT lower(column_name) %.*s)",
                                 what, between, FMT(first), in_both ? "IN" : "NOT IN", FMT(second)),
                       out, err);
}

static const char QUOTED[] = "'\"' || replace(column_name, '\"', '\"\"') || '\"'";

static DgStatus settle_columns(Growth *g, DgError *err)
{
    Str changes;
    DG_TRY(columns_of(g, "column_name", ", ", true, false, &g->added, err));
    DG_TRY(columns_of(g, "column_name", ", ", false, false, &g->gone, err));
    if (g->m->on_schema_change == SCHEMA_FAIL && (g->added.len || g->gone.len)) {
        dg_fail(err, DG_DATA, "the columns of `%.*s` have changed:%s%.*s%s%.*s", FMT(g->m->asset),
                g->added.len ? " new are " : "", FMT(g->added), g->gone.len ? " gone are " : "",
                FMT(g->gone));
        dg_hint(err, "run once with --full-refresh, or set on_schema_change: append_new_columns");
        return DG_DATA;
    }
    if (g->m->on_schema_change == SCHEMA_APPEND && g->added.len) {
        Str each = dg_format(g->run, "'ALTER TABLE %.*s ADD COLUMN ' || %s || ' ' || data_type",
                             FMT(str_replace(dg_eval(g->run)->arena, g->table, S("'"), S("''"))),
                             QUOTED);
        DG_TRY(columns_of(g, each.ptr, "; ", true, false, &changes, err));
        DG_TRY(dg_sql(g->run, changes, err));
    }
    return columns_of(g, QUOTED, ", ", true, true, &g->common, err);
}

/* Rows whose keys come anew: deleted, or changed where they stand. */
static DgStatus replace_rows(const Growth *g, DgError *err)
{
    DgStepRun *run = g->run;
    Str keys = name_list(run, &g->m->unique_key, "%1", ", ");
    if (g->m->strategy == STRATEGY_DELETE_INSERT)
        return dg_sql(run, dg_format(run, "DELETE FROM %.*s WHERE (%.*s) IN (SELECT (%.*s) FROM "
                                     "%.*s)", FMT(g->table), FMT(keys), FMT(keys),
                                     FMT(g->staged)), err);
    Str same = name_list(run, &g->m->unique_key, "old.%1 = new.%1", " AND "), sets;
    Str each = dg_format(run, "%s || ' = new.' || %s", QUOTED, QUOTED);
    DG_TRY(columns_of(g, each.ptr, ", ", true, true, &sets, err));
    DG_TRY(dg_sql(run, dg_format(run, "UPDATE %.*s AS old SET %.*s FROM %.*s AS new WHERE %.*s",
                                 FMT(g->table), FMT(sets), FMT(g->staged), FMT(same)), err));
    return DG_OK;
}

static DgStatus insert_rows(const Growth *g, DgError *err)
{
    DgStepRun *run = g->run;
    Str only = {0};
    if (g->m->strategy == STRATEGY_MERGE && g->m->unique_key.count)
        only = dg_format(run, " AS new WHERE NOT EXISTS (SELECT 1 FROM %.*s AS old WHERE %.*s)",
                         FMT(g->table),
                         FMT(name_list(run, &g->m->unique_key, "old.%1 = new.%1", " AND ")));
    return dg_sql(run, dg_format(run, "INSERT INTO %.*s (%.*s) SELECT %.*s FROM %.*s%.*s",
                                 FMT(g->table), FMT(g->common), FMT(g->common), FMT(g->staged),
                                 FMT(only)), err);
}

static DgStatus add_rows(DgStepRun *run, const ModelStep *m, Str table, Str sql, DgError *err)
{
    Str name = dg_format(run, "dgc_new_%.*s", FMT(m->table));
    Growth g = {.run = run, .m = m, .table = table, .staged = dg_quote_name(run, name),
                .staged_name = dg_quote_text(run, name)};
    int64_t rows = 0;
    DG_TRY(dg_sql(run, dg_format(run, "CREATE OR REPLACE TEMP TABLE %.*s AS\n%.*s\n",
                                 FMT(g.staged), FMT(sql)), err));
    DG_TRY(settle_columns(&g, err));
    if (m->unique_key.count && m->strategy != STRATEGY_APPEND)
        DG_TRY(replace_rows(&g, err));
    DG_TRY(insert_rows(&g, err));
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s", FMT(g.staged)), &rows,
                      err));
    dg_progress(run, rows, 0);
    return dg_sql(run, dg_format(run, "DROP TABLE %.*s", FMT(g.staged)), err);
}

/* ---- Views and tables ---- */

/* How many views (or tables) have the model's name: 0 or 1. */
static DgStatus count_named(DgStepRun *run, const ModelStep *m, const char *what, int64_t *n,
                            DgError *err)
{
    return dg_sql_int(run,
                      dg_format(run, "SELECT count(*) FROM duckdb_%ss() WHERE schema_name = %.*s "
                                "AND %s_name = %.*s AND database_name = current_database()", what,
                                FMT(dg_quote_text(run, m->schema)), what,
                                FMT(dg_quote_text(run, m->table))),
                      n, err);
}

static DgStatus make_whole(DgStepRun *run, const ModelStep *m, Str table, Str sql, DgError *err)
{
    bool view = m->materialized == MODEL_VIEW;
    int64_t other = 0, rows = 0;
    DG_TRY(count_named(run, m, view ? "table" : "view", &other, err));
    if (other)
        DG_TRY(dg_sql(run, dg_format(run, "DROP %s %.*s", view ? "TABLE" : "VIEW", FMT(table)),
                      err));
    DG_TRY(dg_sql(run, dg_format(run, "CREATE OR REPLACE %s %.*s AS\n%.*s\n",
                                 view ? "VIEW" : "TABLE", FMT(table), FMT(sql)), err));
    if (view)
        return DG_OK;
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s", FMT(table)), &rows, err));
    dg_progress(run, rows, 0);
    return DG_OK;
}

static DgStatus model_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const ModelStep *m = config;
    Str sql, table = dg_table(run, m->asset);
    int64_t tables = 0;
    DG_TRY(run_hooks(run, &m->pre_hook, err));
    DG_TRY(render(run, m->sql, &sql, err));
    if (m->materialized == MODEL_INCREMENTAL) {
        DgValue refresh = dg_var(dg_eval(run), "full_refresh");
        if (!dg_truthy(dg_eval(run), refresh))
            DG_TRY(count_named(run, m, "table", &tables, err));
    }
    if (m->materialized != MODEL_INCREMENTAL && dg_partition_key(run).len)
        return dg_fail(err, DG_CONFIG, "`%.*s` is made whole, a partition would take the place of all others: it must be "
                       "`materialized: incremental`", FMT(m->asset));
    if (tables)
        DG_TRY(add_rows(run, m, table, sql, err));
    else
        DG_TRY(make_whole(run, m, table, sql, err));
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
