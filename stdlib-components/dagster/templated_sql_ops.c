/* templated_sql_ops.c - the statements of dagster.TemplatedSqlComponent, at run time. */
#include <stdlib.h>

#include "runtime/db/warehouse.h"
#include "runtime/eval/value.h"
#include "runtime/run/run.h"
#include "stdlib-components/dagster/templated_sql.h"

static const DgField step_fields[] = {
    DG_FIELD_CODE(TemplatedSqlStep, sql, .doc = "The statements."),
    DG_FIELD_STRING(TemplatedSqlStep, database, .doc = "File; empty: the pipeline's own."),
    DG_FIELD_ANY_MAP(TemplatedSqlStep, settings, .doc = "Settings of the connection."),
    {0},
};

/* Two names of one file? DuckDB must not be opened twice on it. */
static bool same_file(Arena *arena, Str a, Str b)
{
    char *x = realpath(str_cstr(arena, a), NULL), *y = realpath(str_cstr(arena, b), NULL);
    bool same = x && y ? strcmp(x, y) == 0 : str_eq(a, b);
    free(x);
    free(y);
    return same;
}

static DgStatus apply_settings(DgStepRun *run, DgSession *s, const DgList *settings, DgError *err)
{
    for (size_t i = 0; i < settings->count; i++) {
        const DgValuePair *set = &DG_ITEMS(DgValuePair, *settings)[i];
        DgStr name = dg_quote_name(run, set->key);
        DgStr value = dg_quote_text(run, dg_to_str(dg_eval(run), set->value));
        DG_TRY(dg_session_exec(s, dg_format(run, "SET %.*s = %.*s", FMT(name), FMT(value)), err));
    }
    return DG_OK;
}

static DgStatus run_elsewhere(DgStepRun *run, const TemplatedSqlStep *config, DgStr path, DgStr sql,
                              DgError *err)
{
    DgWarehouse *w;
    DgSession *s;
    DG_TRY(dg_warehouse_open(&(DgWarehouseOptions){.path = path}, &w, err));
    DgStatus status = dg_session_open(w, &s, err);
    if (status == DG_OK) {
        status = apply_settings(run, s, &config->settings, err);
        if (status == DG_OK)
            status = dg_session_begin(s, err);
        if (status == DG_OK)
            status = dg_session_exec(s, sql, err);
        if (status == DG_OK)
            status = dg_session_commit(s, err);
        dg_session_close(s);
    }
    dg_warehouse_close(w);
    return status;
}

static DgStatus execute(DgStepRun *run, const void *data, void *state, DgError *err)
{
    const TemplatedSqlStep *config = data;
    DgValue sql;
    if (!config->sql.call)
        return dg_fail(err, DG_BUG, "the step has no statements");
    DG_TRY(((DgTemplateFn)config->sql.call)(dg_eval(run), &sql, err));
    if (sql.kind != DG_V_STR)
        return dg_fail(err, DG_BUG, "the statements are no text");
    if (!config->database.len)
        return dg_sql(run, sql.as.s, err);
    DgStr path = dg_project_path(run, config->database);
    if (str_eq(config->database, S(":memory:")))
        path = (DgStr){0};
    Arena scratch;
    arena_init(&scratch, 1 << 20);
    bool own = path.len && same_file(&scratch, path, run_warehouse_path(run->run));
    arena_free(&scratch);
    return own ? dg_sql(run, sql.as.s, err) : run_elsewhere(run, config, path, sql.as.s, err);
}

const DgStepOps dg_templated_sql_ops = {
    .name = "dagster.TemplatedSqlComponent",
    .role = DG_ACTION,
    .fields = step_fields,
    .config_size = sizeof(TemplatedSqlStep),
    .execute = execute,
};
