/* duck_run: statements run to their end.
 *
 * duckdb_query() spins for as long as the last task is another thread's: while a load's one lane works,
 * it takes a processor from whoever delivers the rows. This one sleeps instead.
 */
#include "runtime/db/duckdb_internal.h"
#include "runtime/os/os.h"

enum { NAP_NS_MIN = 20000, NAP_NS_MAX = 1000000 };

/* Work on it where there is any; false: it failed. */
static bool work(const DuckApi *api, duckdb_pending_result pending)
{
    int64_t nap_ns = NAP_NS_MIN;
    for (;;) {
        duckdb_pending_state state = api->pending_execute_task(pending);
        if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) {
            dg_os.sleep_ns(nap_ns);
            nap_ns = nap_ns < NAP_NS_MAX / 2 ? nap_ns * 2 : NAP_NS_MAX;
        } else if (state == DUCKDB_PENDING_RESULT_NOT_READY) {
            nap_ns = NAP_NS_MIN;
        } else {
            return state != DUCKDB_PENDING_ERROR;
        }
    }
}

static DgStatus run_one(DgSession *s, duckdb_prepared_statement prepared, int64_t *changed, DgError *err)
{
    const DuckApi *api = s->api;
    duckdb_pending_result pending = NULL;
    duckdb_result result = {0};
    DgStatus status = DG_OK;
    bool ok = api->pending_prepared(prepared, &pending) == DuckDBSuccess && work(api, pending);
    if (!ok)
        status = duck_fail(s, err, api->pending_error(pending));
    else if (api->execute_pending(pending, &result) != DuckDBSuccess)
        status = duck_fail(s, err, api->result_error(&result));
    else if (changed)
        *changed = (int64_t)api->rows_changed(&result);
    if (ok)
        api->destroy_result(&result);
    api->destroy_pending(&pending);
    return status;
}

static DgStatus run_all(DgSession *s, duckdb_extracted_statements statements, idx_t count, int64_t *changed, DgError *err)
{
    const DuckApi *api = s->api;
    DgStatus status = DG_OK;
    for (idx_t i = 0; i < count && status == DG_OK; i++) { /* each is prepared when those before it are done */
        duckdb_prepared_statement prepared = NULL;
        status = api->prepare_extracted_statement(s->connection, statements, i, &prepared) == DuckDBSuccess
                     ? run_one(s, prepared, changed, err)
                     : duck_fail(s, err, api->prepare_error(prepared));
        api->destroy_prepare(&prepared);
    }
    return status;
}

DgStatus duck_run(DgSession *s, Str sql, int64_t *changed, DgError *err)
{
    if (__atomic_load_n(&s->interrupted, __ATOMIC_RELAXED))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    char *text = os_alloc((size_t)sql.len + 1);
    if (!text || !sql.ptr) {
        os_free(text);
        return os_no_memory(err, "for an SQL statement");
    }
    memcpy(text, sql.ptr, (size_t)sql.len);
    duckdb_extracted_statements statements = NULL;
    idx_t count = s->api->extract_statements(s->connection, text, &statements);
    const char *why = count ? NULL : s->api->extract_statements_error(statements);
    DgStatus status = why ? duck_fail(s, err, why) : run_all(s, statements, count, changed, err);
    s->api->destroy_extracted(&statements);
    os_free(text);
    return status;
}
