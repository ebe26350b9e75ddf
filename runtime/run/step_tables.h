/* step_tables.h - for steps that keep more than one table, or read one while they write: what
 * component.h does for the table of the asset, for any table. */
#ifndef DGC_STEP_TABLES_H
#define DGC_STEP_TABLES_H

#include "runtime/db/warehouse.h"

/* Rows into a table, in the step's transaction. *rows (may be NULL) counts. */
DgStatus dg_step_load(DgStepRun *run, DgStr schema, DgStr table, const DgLoad *load, const DgPull *pull,
                      int64_t *rows, DgError *err);
/* Rows of a query on what was committed before, beside the step's own transaction; one at a time, until
 * the step ends. Close it with dg_scan_close(). */
DgStatus dg_step_scan(DgStepRun *run, DgStr sql, DgScan **out, DgError *err);
/* Rows of a query in the step's transaction: to be closed before anything else is done there. */
DgStatus dg_step_scan_own(DgStepRun *run, DgStr sql, DgScan **out, DgError *err);
/* Schema and table of an asset, as they are named; the pipeline need not know the asset. */
void dg_step_table(DgStepRun *run, DgStr asset_key, DgStr *schema, DgStr *table);
int32_t dg_step_threads(DgStepRun *run);

#endif
