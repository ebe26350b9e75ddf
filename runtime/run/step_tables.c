/* step_tables.c - further tables of a step. */
#include "runtime/run/step_tables.h"
#include "runtime/run/run.h"

DgStatus dg_step_load(DgStepRun *sr, DgStr schema, DgStr table, const DgLoad *load, const DgPull *pull,
                      int64_t *rows, DgError *err)
{
    DgSession *session;
    DgLoadResult result = {0};
    DG_TRY(step_session(sr, &session, err));
    DG_TRY(dg_session_load(session, schema, table, load, pull, &result, err));
    if (rows)
        *rows = result.rows_read;
    return DG_OK;
}

DgStatus dg_step_scan(DgStepRun *sr, DgStr sql, DgScan **out, DgError *err)
{
    DgWarehouse *w;
    DG_TRY(warehouse_get(sr->run, &w, err));
    if (!sr->reader)
        DG_TRY(dg_session_open(w, &sr->reader, err));
    return dg_scan_open(sr->reader, sql, out, err);
}

DgStatus dg_step_scan_own(DgStepRun *sr, DgStr sql, DgScan **out, DgError *err)
{
    DgSession *session;
    DG_TRY(step_session(sr, &session, err));
    return dg_scan_open(session, sql, out, err);
}

void dg_step_table(DgStepRun *sr, DgStr asset_key, DgStr *schema, DgStr *table)
{
    const DgPipeline *p = sr->run->pipeline;
    *schema = *table = (DgStr){0};
    for (int32_t i = 0; i < p->assets_count; i++)
        if (str_eq(p->assets[i].key, asset_key)) {
            *schema = p->assets[i].schema;
            *table = p->assets[i].table;
        }
    if (table->len)
        return;
    pthread_mutex_lock(&sr->lock);
    dg_asset_table(&sr->arena, asset_key, schema, table);
    pthread_mutex_unlock(&sr->lock);
}

int32_t dg_step_threads(DgStepRun *sr)
{
    return sr->run->options.threads > 0 ? sr->run->options.threads : 1;
}
