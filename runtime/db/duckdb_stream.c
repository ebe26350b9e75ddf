/* dg_session_stream: a statement that reads batches; dg_session_types: what a query's columns are. */
#include "runtime/db/duckdb_pull.h"
#include "runtime/os/os.h"

DgStatus dg_session_stream(DgSession *s, const DgColumn *columns, int32_t columns_count, const DgPull *pull,
                           Str before, Str after, int64_t *rows, DgError *err)
{
    DgWarehouse *w = s->warehouse;
    int32_t lanes = pull->lanes_max > 0 && pull->lanes_max < w->threads ? pull->lanes_max : w->threads;
    PullJob job = {.warehouse = w, .pull = pull, .columns = columns, .columns_count = columns_count,
                   .lanes_max = lanes};
    StrBuf sql = {0};
    duck_pull_begin(&job);
    buf_add(&sql, before);
    buf_format(&sql, "dgc_pull(%lld)", (long long)job.id);
    buf_add(&sql, after);
    DgStatus status = sql.failed ? os_no_memory(err, "for an SQL statement")
                                 : duck_run(s, buf_str(&sql), NULL, err);
    buf_free(&sql);
    duck_pull_end(&job);
    *rows = job.rows;
    if (job.failed && status != DG_CANCELLED) {
        status = job.error.status;
        if (err)
            *err = job.error;
    }
    return status;
}

/* ---- Types ---- */

enum { TREE_DEPTH_MAX = 32, TREE_NODES_MAX = 100000 };

typedef struct Reader {
    const DuckApi *api;
    Arena *arena;
    int32_t nodes;
} Reader;

/* Of the types that DgType lacks, as they are written in SQL. */
static Str leaf_name(Reader *r, duckdb_logical_type type)
{
    DgType ours;
    if (duck_type_from(r->api, type, &ours))
        return dg_duckdb_type(r->arena, ours);
    switch (r->api->get_type_id(type)) {
    case DUCKDB_TYPE_HUGEINT: return S("HUGEINT");
    case DUCKDB_TYPE_UHUGEINT: return S("UHUGEINT");
    case DUCKDB_TYPE_TIMESTAMP_S: return S("TIMESTAMP_S");
    case DUCKDB_TYPE_TIMESTAMP_MS: return S("TIMESTAMP_MS");
    case DUCKDB_TYPE_TIMESTAMP_NS: return S("TIMESTAMP_NS");
    case DUCKDB_TYPE_TIME_TZ: return S("TIME WITH TIME ZONE");
    case DUCKDB_TYPE_BIT: return S("BIT");
    case DUCKDB_TYPE_SQLNULL: return S("JSON");
    default: return S("VARCHAR");
    }
}

static bool read_tree(Reader *r, duckdb_logical_type type, DgTypeTree *out, int depth)
{
    const DuckApi *api = r->api;
    duckdb_type id = api->get_type_id(type);
    if (++r->nodes > TREE_NODES_MAX || depth > TREE_DEPTH_MAX)
        return false;
    out->nested = id == DUCKDB_TYPE_STRUCT || id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_MAP ||
                  id == DUCKDB_TYPE_ARRAY || id == DUCKDB_TYPE_UNION;
    if (!out->nested) {
        out->type = leaf_name(r, type);
        return true;
    }
    if (id != DUCKDB_TYPE_STRUCT)
        return true;
    out->members_count = (int32_t)api->struct_type_child_count(type);
    out->members = push(r->arena, DgTypeTree, out->members_count + 1);
    bool good = out->members != NULL;
    for (int32_t i = 0; i < out->members_count && good; i++) {
        char *name = api->struct_type_child_name(type, (idx_t)i);
        duckdb_logical_type child = api->struct_type_child_type(type, (idx_t)i);
        out->members[i].name = str_copy(r->arena, str_from(name));
        good = read_tree(r, child, &out->members[i], depth + 1);
        api->destroy_logical_type(&child);
        api->free(name);
    }
    return good;
}

DgStatus dg_session_types(DgSession *s, Arena *a, Str sql, DgTypeTree *out, DgError *err)
{
    const DuckApi *api = s->api;
    Reader r = {.api = api, .arena = a};
    char *text = str_cstr(a, sql);
    duckdb_prepared_statement prepared = NULL;
    *out = (DgTypeTree){.nested = true};
    if (!text)
        return os_no_memory(err, "for an SQL statement");
    bool good = true;
    DgStatus status = DG_OK;
    if (api->prepare(s->connection, text, &prepared) != DuckDBSuccess)
        status = duck_fail(s, err, api->prepare_error(prepared));
    if (status == DG_OK) {
        out->members_count = (int32_t)api->prepared_statement_column_count(prepared);
        out->members = push(a, DgTypeTree, out->members_count + 1);
        good = out->members != NULL;
    }
    for (int32_t i = 0; i < out->members_count && good; i++) {
        const char *name = api->prepared_statement_column_name(prepared, (idx_t)i);
        duckdb_logical_type type = api->prepared_statement_column_logical_type(prepared, (idx_t)i);
        out->members[i].name = str_copy(a, str_from(name));
        good = read_tree(&r, type, &out->members[i], 0);
        api->destroy_logical_type(&type);
        api->free((void *)(uintptr_t)name);
    }
    api->destroy_prepare(&prepared);
    if (!good || a->failed)
        return dg_fail(err, DG_DATA, "the columns nest deeper than %d, or are too many", TREE_DEPTH_MAX);
    return status;
}
