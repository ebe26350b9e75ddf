/* Results: streamed chunk by chunk into batches, single values. */
#include "runtime/data/batch.h"
#include "runtime/db/duckdb_internal.h"
#include "runtime/os/os.h"

struct DgScan {
    DgSession *session;
    const DuckApi *api;
    Arena arena; /* columns and their names */
    DgColumn *columns;
    int32_t columns_count;
    bool with_arrays;
    int32_t *floats; /* of a column that is FLOAT[N] and read as bytes: N; else 0 */
    pthread_mutex_t lock;
    duckdb_prepared_statement prepared;
    duckdb_pending_result pending;
    duckdb_result result;
    bool has_result, ended;
};

static DgStatus prepare(DgScan *scan, Str sql, DgError *err)
{
    char *text = str_cstr(&scan->arena, sql);
    if (!text)
        return os_no_memory(err, "for an SQL statement");
    if (scan->api->prepare(scan->session->connection, text, &scan->prepared) == DuckDBSuccess)
        return DG_OK;
    DgStatus status = duck_fail(scan->session, err, scan->api->prepare_error(scan->prepared));
    scan->api->destroy_prepare(&scan->prepared);
    return status;
}

/* The end of what stands from `i` on as one piece: a quoted thing, a comment, or one character. */
static ptrdiff_t piece_end(Str sql, ptrdiff_t i)
{
    char c = sql.ptr[i], next = i + 1 < sql.len ? sql.ptr[i + 1] : 0;
    ptrdiff_t n = -1, skip = 1;
    if (c == '\'' || c == '"') {
        n = str_find_char(str_sub(sql, i + 1, sql.len), c);
    } else if (c == '-' && next == '-') {
        n = str_find_char(str_sub(sql, i, sql.len), '\n');
        skip = 0;
    } else if (c == '/' && next == '*') {
        n = str_find(str_sub(sql, i + 2, sql.len), S("*/"));
        skip = 3;
    } else {
        return i + 1;
    }
    return n < 0 ? sql.len : i + n + skip + 1;
}

/* Without the semicolons, comments and white space that come after the statement. */
static Str statement_only(Str sql)
{
    ptrdiff_t end = 0;
    for (ptrdiff_t i = 0, next; i < sql.len; i = next) {
        next = piece_end(sql, i);
        bool comment = next > i + 1 && (sql.ptr[i] == '-' || sql.ptr[i] == '/');
        if (!comment && sql.ptr[i] != ';' && (unsigned char)sql.ptr[i] > ' ')
            end = next;
    }
    return str_sub(sql, 0, end);
}

/* What a column that DgType lacks is read as: HUGEINT as a decimal (or an error), times as
 * microseconds (or an error), nested values as JSON, everything else as text. */
static const char *replacement(duckdb_type id)
{
    switch (id) {
    case DUCKDB_TYPE_HUGEINT:
        return "CAST(c%d AS DECIMAL(38,0))";
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
        return "CAST(c%d AS TIMESTAMP)";
    case DUCKDB_TYPE_TIMESTAMP_NS:
        return "CASE WHEN isfinite(c%d) AND epoch_ns(c%d) % 1000 <> 0 THEN CAST(error('"
               "a timestamp has nanoseconds, which would be lost: ' || CAST(c%d AS VARCHAR)) AS TIMESTAMP) "
               "ELSE CAST(c%d AS TIMESTAMP) END";
    case DUCKDB_TYPE_TIME_NS:
        return "CASE WHEN CAST(CAST(c%d AS TIME) AS TIME_NS) <> c%d THEN CAST(error('"
               "a time has nanoseconds, which would be lost: ' || CAST(c%d AS VARCHAR)) AS TIME) "
               "ELSE CAST(c%d AS TIME) END";
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_UNION:
        return "to_json(c%d)";
    default:
        return "CAST(c%d AS VARCHAR)";
    }
}

/* FLOAT[N], which may be read as the bytes of its N numbers: N; otherwise 0. */
static int32_t floats_in(const DgScan *scan, duckdb_logical_type type)
{
    const DuckApi *api = scan->api;
    if (!scan->with_arrays || api->get_type_id(type) != DUCKDB_TYPE_ARRAY)
        return 0;
    duckdb_logical_type child = api->array_type_child_type(type);
    bool floats = api->get_type_id(child) == DUCKDB_TYPE_FLOAT;
    api->destroy_logical_type(&child);
    return floats ? (int32_t)api->array_type_array_size(type) : 0;
}

/* Column names and types; `*wrap` when some type needs a replacement. */
static DgStatus describe(DgScan *scan, bool *wrap, DgError *err)
{
    const DuckApi *api = scan->api;
    scan->columns_count = (int32_t)api->prepared_statement_column_count(scan->prepared);
    scan->columns = push(&scan->arena, DgColumn, scan->columns_count + 1);
    scan->floats = push(&scan->arena, int32_t, scan->columns_count + 1);
    if (!scan->columns || !scan->floats)
        return os_no_memory(err, "for the columns of a result");
    *wrap = false;
    for (int32_t i = 0; i < scan->columns_count; i++) {
        const char *name = api->prepared_statement_column_name(scan->prepared, (idx_t)i);
        if (!name)
            return os_no_memory(err, "for the columns of a result");
        scan->columns[i].name = str_copy(&scan->arena, str_from(name));
        api->free((void *)(uintptr_t)name);
        duckdb_logical_type type =
            api->prepared_statement_column_logical_type(scan->prepared, (idx_t)i);
        scan->floats[i] = floats_in(scan, type);
        if (scan->floats[i])
            scan->columns[i].type = (DgType){.kind = DG_BINARY};
        else if (!duck_type_from(api, type, &scan->columns[i].type))
            *wrap = true;
        api->destroy_logical_type(&type);
    }
    return DG_OK;
}

/* SELECT c0 AS "name", to_json(c1) AS "tags" FROM (sql) AS q(c0, c1) */
static DgStatus prepare_wrapped(DgScan *scan, Str sql, DgError *err)
{
    const DuckApi *api = scan->api;
    StrBuf b = {0};
    buf_add(&b, S("SELECT "));
    for (int32_t i = 0; i < scan->columns_count; i++) {
        duckdb_logical_type type =
            api->prepared_statement_column_logical_type(scan->prepared, (idx_t)i);
        DgType ours;
        Str name = dg_duckdb_name(&scan->arena, scan->columns[i].name);
        bool known = floats_in(scan, type) || duck_type_from(api, type, &ours);
        const char *form = known ? "c%d" : replacement(api->get_type_id(type));
        Str how = str_replace(&scan->arena, str_from(form), S("%d"),
                              str_format(&scan->arena, "%d", (int)i));
        buf_format(&b, "%s%.*s AS %.*s", i ? ", " : "", FMT(how), FMT(name));
        api->destroy_logical_type(&type);
    }
    sql = statement_only(sql);
    buf_format(&b, " FROM (%.*s) AS q(", FMT(sql));
    for (int32_t i = 0; i < scan->columns_count; i++)
        buf_format(&b, "%sc%d", i ? ", " : "", (int)i);
    buf_char(&b, ')');
    api->destroy_prepare(&scan->prepared);
    DgStatus status = b.failed ? os_no_memory(err, "for an SQL statement")
                               : prepare(scan, buf_str(&b), err);
    buf_free(&b);
    bool again = false;
    if (status == DG_OK)
        status = describe(scan, &again, err);
    if (status == DG_OK && again)
        status = dg_fail(err, DG_BUG, "a result has a column of a type that cannot be read");
    return status;
}

static DgStatus start(DgScan *scan, DgError *err)
{
    const DuckApi *api = scan->api;
    if (api->pending_prepared_streaming(scan->prepared, &scan->pending) != DuckDBSuccess)
        return duck_fail(scan->session, err, api->pending_error(scan->pending));
    scan->has_result = true;
    if (api->execute_pending(scan->pending, &scan->result) != DuckDBSuccess)
        return duck_fail(scan->session, err, api->result_error(&scan->result));
    return DG_OK;
}

static DgStatus scan_open(DgSession *s, Str sql, bool with_arrays, DgScan **out, DgError *err)
{
    *out = NULL;
    if (__atomic_load_n(&s->interrupted, __ATOMIC_RELAXED))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    DgScan *scan = os_alloc(sizeof *scan);
    if (!scan)
        return os_no_memory(err, "for a query");
    scan->session = s;
    scan->api = s->api;
    scan->with_arrays = with_arrays;
    arena_init(&scan->arena, (size_t)64 << 20);
    scan->arena.can_fail = true;
    pthread_mutex_init(&scan->lock, NULL);
    bool wrap = false;
    DgStatus status = prepare(scan, sql, err);
    if (status == DG_OK)
        status = describe(scan, &wrap, err);
    if (status == DG_OK && wrap)
        status = prepare_wrapped(scan, sql, err);
    if (status == DG_OK)
        status = start(scan, err);
    if (status == DG_OK)
        *out = scan;
    else
        dg_scan_close(scan);
    return status;
}

DgStatus dg_scan_open(DgSession *s, Str sql, DgScan **out, DgError *err)
{
    return scan_open(s, sql, false, out, err);
}

DgStatus dg_scan_open_arrays(DgSession *s, Str sql, DgScan **out, DgError *err)
{
    return scan_open(s, sql, true, out, err);
}

const DgColumn *dg_scan_columns(const DgScan *scan, int32_t *count)
{
    *count = scan->columns_count;
    return scan->columns;
}

/* The next chunk; NULL with DG_END or an error. */
static DgStatus fetch(DgScan *scan, duckdb_data_chunk *chunk, DgError *err)
{
    DgStatus status = DG_OK;
    *chunk = NULL;
    pthread_mutex_lock(&scan->lock);
    if (scan->ended)
        status = DG_END;
    else
        *chunk = scan->api->fetch_chunk(scan->result);
    if (status == DG_OK && !*chunk) {
        const char *message = scan->api->result_error(&scan->result);
        status = message && *message ? duck_fail(scan->session, err, message) : DG_END;
        scan->ended = true;
    }
    pthread_mutex_unlock(&scan->lock);
    return status;
}

DgStatus dg_scan_next(DgScan *scan, DgBatch *out, DgError *err)
{
    const DuckApi *api = scan->api;
    assert(out->columns_count == scan->columns_count && out->rows_max >= DG_BATCH_ROWS);
    dg_batch_reset(out);
    duckdb_data_chunk chunk = NULL;
    int32_t rows = 0;
    while (rows == 0) {
        if (chunk)
            api->destroy_data_chunk(&chunk);
        DG_TRY(fetch(scan, &chunk, err));
        rows = (int32_t)api->data_chunk_get_size(chunk);
    }
    DgStatus status = DG_OK;
    for (int32_t i = 0; i < scan->columns_count && status == DG_OK; i++) {
        duckdb_vector from = api->data_chunk_get_vector(chunk, (idx_t)i);
        if (scan->floats[i])
            status = duck_floats_read(api, from, &out->vectors[i], scan->floats[i], rows, err);
        else if (!duck_vector_read(api, from, &out->vectors[i], scan->columns[i].type, rows))
            status = os_no_memory(err, "for a batch of text");
    }
    if (status == DG_OK)
        out->rows = rows;
    api->destroy_data_chunk(&chunk);
    return status;
}

void dg_scan_close(DgScan *scan)
{
    if (!scan)
        return;
    if (scan->has_result)
        scan->api->destroy_result(&scan->result);
    if (scan->pending)
        scan->api->destroy_pending(&scan->pending);
    if (scan->prepared)
        scan->api->destroy_prepare(&scan->prepared);
    pthread_mutex_destroy(&scan->lock);
    arena_free(&scan->arena);
    os_free(scan);
}

/* ---- Single values ---- */

static DgStatus first_text(DgSession *s, Arena *a, Str sql, Str *out, bool *null, DgError *err)
{
    DgScan *scan;
    DgBatch batch;
    *out = (Str){0};
    *null = true;
    sql = statement_only(sql);
    Str wrapped = str_format(a, "SELECT CAST(c0 AS VARCHAR) FROM (%.*s) AS q(c0) LIMIT 1",
                             FMT(sql));
    DG_TRY(dg_scan_open(s, wrapped, &scan, err));
    DgStatus status = dg_batch_init(&batch, scan->columns, scan->columns_count, DG_BATCH_ROWS, err);
    if (status == DG_OK)
        status = dg_scan_next(scan, &batch, err);
    if (status == DG_OK && batch.rows > 0) {
        *null = !DG_VALID(&batch.vectors[0], 0);
        *out = str_copy(a, dg_text_get(&batch.vectors[0], 0));
    }
    dg_batch_release(&batch);
    dg_scan_close(scan);
    return status == DG_END ? DG_OK : status;
}

DgStatus dg_session_text(DgSession *s, Arena *a, Str sql, Str *out, DgError *err)
{
    bool null;
    return first_text(s, a, sql, out, &null, err);
}

DgStatus dg_session_int(DgSession *s, Str sql, int64_t *out, DgError *err)
{
    Arena a;
    Str text;
    bool null;
    arena_init(&a, (size_t)64 << 20);
    a.can_fail = true;
    *out = 0;
    DgStatus status = first_text(s, &a, sql, &text, &null, err);
    double wide;
    if (status == DG_OK && !null && !str_to_int(text, out)) {
        if (str_eq(text, S("true")) || str_eq(text, S("false")))
            *out = text.len == 4;
        else if (str_to_double(text, &wide) && wide > -9e18 && wide < 9e18)
            *out = (int64_t)wide;
        else
            status = dg_fail(err, DG_DATA, "expected a whole number, found `%.*s`", FMT(text));
    }
    arena_free(&a);
    return status;
}
