/* ledger.c - what a store had when the last run ended well. */
#include "runtime/os/os.h"
#include "runtime/vector/index.h"

static const char TABLES[] =
    "CREATE TABLE IF NOT EXISTS _dgc.vector_indexes(step VARCHAR NOT NULL, target VARCHAR NOT NULL, identity VARCHAR NOT NULL,"
    " \"rows\" BIGINT NOT NULL, good BOOLEAN NOT NULL);"
    "CREATE TABLE IF NOT EXISTS _dgc.vector_rows(step VARCHAR NOT NULL, id VARCHAR NOT NULL, hash VARCHAR NOT NULL);";

static DgStatus look(DgStepRun *run, DgSession *s, Str target, VectorLedger *out, DgError *err)
{
    Str step = dg_quote_text(run, run->def->name), found, where;
    where = dg_format(run, "FROM _dgc.vector_indexes WHERE step = %.*s AND target = %.*s AND good", FMT(step), FMT(dg_quote_text(run, target)));
    DG_TRY(dg_session_exec(s, str_from(TABLES), err));
    DG_TRY(dg_session_text(s, &run->arena, dg_format(run, "SELECT any_value('x') %.*s", FMT(where)), &found, err));
    DG_TRY(dg_session_text(s, &run->arena, dg_format(run, "SELECT any_value(identity) %.*s", FMT(where)), &out->identity, err));
    DG_TRY(dg_session_int(s, dg_format(run, "SELECT any_value(\"rows\") %.*s", FMT(where)), &out->rows, err));
    out->good = found.len > 0;
    return dg_session_exec(s, dg_format(run, "UPDATE _dgc.vector_indexes SET good = false WHERE step = %.*s", FMT(step)), err);
}

DgStatus vector_ledger_open(DgStepRun *run, Str target, VectorLedger *out, DgError *err)
{
    DgWarehouse *w;
    DgSession *s;
    *out = (VectorLedger){.target = target};
    DG_TRY(warehouse_get(run->run, &w, err));
    DG_TRY(dg_session_open(w, &s, err));
    pthread_mutex_lock(&run->run->warehouse_lock); /* two indexes that make the tables at once would be a conflict */
    DgStatus status = dg_session_begin(s, err);
    if (status == DG_OK)
        status = look(run, s, target, out, err);
    if (status == DG_OK)
        status = dg_session_commit(s, err);
    pthread_mutex_unlock(&run->run->warehouse_lock);
    dg_session_close(s);
    return status;
}

DgStatus vector_ledger_have(DgStepRun *run, DgError *err)
{
    return vector_sql(run, err, "CREATE OR REPLACE TEMP TABLE _dgc_have AS SELECT id, hash FROM _dgc.vector_rows WHERE step = %.*s",
                      FMT(dg_quote_text(run, run->def->name)));
}

DgStatus vector_ledger_keep(DgStepRun *run, const VectorLedger *l, Str identity, int64_t rows, bool changed, DgError *err)
{
    Str step = dg_quote_text(run, run->def->name);
    if (changed) {
        DG_TRY(vector_sql(run, err, "DELETE FROM _dgc.vector_rows WHERE step = %.*s AND (id IN (SELECT id FROM _dgc_gone) OR id IN (SELECT id FROM _dgc_send))", FMT(step)));
        DG_TRY(vector_sql(run, err, "INSERT INTO _dgc.vector_rows SELECT %.*s, id, hash FROM _dgc_send", FMT(step)));
    } else {
        DG_TRY(vector_sql(run, err, "DELETE FROM _dgc.vector_rows WHERE step = %.*s", FMT(step)));
        DG_TRY(vector_sql(run, err, "INSERT INTO _dgc.vector_rows SELECT %.*s, id, hash FROM _dgc_wanted", FMT(step)));
    }
    DG_TRY(vector_sql(run, err, "DELETE FROM _dgc.vector_indexes WHERE step = %.*s", FMT(step)));
    return vector_sql(run, err, "INSERT INTO _dgc.vector_indexes VALUES (%.*s, %.*s, %.*s, %lld, true)", FMT(step), FMT(dg_quote_text(run, l->target)),
                      FMT(dg_quote_text(run, identity)), (long long)rows);
}
