/* postgres_rows.c - the rows of a query: COPY (...) TO STDOUT (FORMAT binary), decoded by column.
 *
 * The format is PostgreSQL's documentation of COPY: a header of 19 bytes, then for each row the
 * number of fields and for each field its length (-1: null) and its bytes, as the type's send function
 * makes them; a field count of -1 ends it. libpq hands over one row at a time.
 */
#include <stdio.h>

#include "runtime/data/value_text.h"
#include "runtime/db/postgres_internal.h"
#include "runtime/os/os.h"

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UWide;

typedef struct PgColumn {
    Oid oid;
    DgType type;
} PgColumn;

typedef struct PgRows {
    DgRows rows; /* first */
    Pg *pg;
    Arena arena;
    DgColumn *columns;
    PgColumn *kinds;
    bool ended, header_read;
} PgRows;

/* ---- Fields ---- */

static DgStatus misfit(const PgRows *r, int32_t column, const char *what, DgError *err)
{
    dg_fail(err, DG_DATA, "column `%.*s` has a value that %s", FMT(r->columns[column].name), what);
    dg_hint(err, "declare the column in `columns:`, as string or as decimal(p,s)");
    return DG_DATA;
}

static const uint64_t tens[] = {1, 10, 100, 1000, 10000};

/* `numeric` as it is sent: digits of base 10 000, the weight of the first, a sign. Exact or false. */
static bool decimal_field(const char *p, uint32_t len, DgType type, Wide *out)
{
    if (len < 8)
        return false;
    int count = pg_get16(p), weight = (int16_t)pg_get16(p + 2), sign = pg_get16(p + 4);
    UWide limit = 1, value = 0, ten38 = (UWide)10000000000000000000u * (UWide)10000000000000000000u;
    for (int i = 0; i < type.precision; i++)
        limit *= 10;
    if ((sign != 0 && sign != 0x4000) || len < 8 + (uint32_t)count * 2)
        return false; /* NaN, infinities */
    int exponent = (weight + 1) * 4; /* digits before the point that have been read so far count down */
    for (int i = 0; i < count; i++) {
        uint64_t digit = pg_get16(p + 8 + i * 2);
        exponent -= 4;
        int below = -exponent - type.scale; /* decimal places past ours that this digit reaches */
        if (below < 4 && value >= ten38 / (below <= 0 ? 10000 : tens[4 - below]))
            return false;
        if (below <= 0) {
            value = value * 10000 + digit;
        } else if (below < 4) {
            if (digit % tens[below])
                return false;
            value = value * tens[4 - below] + digit / tens[below];
        } else if (digit) {
            return false;
        }
    }
    for (int shift = exponent + type.scale; shift > 0 && value; shift--) {
        if (value >= limit / 10)
            return false;
        value *= 10;
    }
    if (value >= limit)
        return false;
    *out = sign ? -(Wide)value : (Wide)value;
    return true;
}

static bool timestamp_field(int64_t sent, int64_t *us)
{
    if (sent == INT64_MAX || sent == INT64_MIN)
        *us = sent == INT64_MAX ? INT64_MAX : -INT64_MAX;
    else
        return !__builtin_add_overflow(sent, PG_EPOCH_US, us) && *us != INT64_MAX;
    return true;
}

static DgStatus text_field(const PgRows *r, DgVector *v, int32_t column, int32_t row, const char *p, uint32_t len, DgError *err)
{
    ptrdiff_t bad;
    if (r->pg->check_utf8 && (!str_utf8_valid((Str){p, (ptrdiff_t)len}, &bad) || memchr(p, 0, len)))
        return misfit(r, column, "is not valid UTF-8", err);
    return dg_text_set(v, row, p, len) ? DG_OK : os_no_memory(err, "reading text");
}

static DgStatus fixed_field(const PgRows *r, DgVector *v, int32_t column, int32_t row, const char *p, uint32_t len, DgError *err)
{
    const PgColumn *k = &r->kinds[column];
    static const uint8_t widths[] = {[DG_BOOL] = 1, [DG_INT16] = 2, [DG_INT32] = 4, [DG_INT64] = 8, [DG_UINT32] = 4, [DG_FLOAT32] = 4,
                                     [DG_FLOAT64] = 8, [DG_DATE] = 4, [DG_TIME] = 8, [DG_TIMESTAMP] = 8, [DG_TIMESTAMPTZ] = 8,
                                     [DG_INTERVAL] = 16, [DG_UUID] = 16};
    if (k->type.kind != DG_DECIMAL && len != widths[k->type.kind])
        return dg_fail(err, DG_BUG, "column `%.*s` came with %u bytes", FMT(r->columns[column].name), len);
    switch ((DgTypeKind)k->type.kind) {
    case DG_BOOL: ((uint8_t *)v->values)[row] = *p != 0; break;
    case DG_INT16: ((int16_t *)v->values)[row] = (int16_t)pg_get16(p); break;
    case DG_INT32:
    case DG_UINT32:
    case DG_FLOAT32: ((uint32_t *)v->values)[row] = pg_get32(p); break;
    case DG_INT64:
    case DG_FLOAT64:
    case DG_TIME: ((uint64_t *)v->values)[row] = pg_get64(p); break;
    case DG_DATE: {
        int32_t days = (int32_t)pg_get32(p);
        bool endless = days == INT32_MAX || days == INT32_MIN;
        ((int32_t *)v->values)[row] = endless ? (days > 0 ? INT32_MAX : -INT32_MAX) : days + PG_EPOCH_DAYS;
        break;
    }
    case DG_TIMESTAMP:
    case DG_TIMESTAMPTZ:
        if (!timestamp_field((int64_t)pg_get64(p), &((int64_t *)v->values)[row]))
            return misfit(r, column, "is past the year 294247", err);
        break;
    case DG_INTERVAL: {
        char *to = (char *)v->values + (size_t)row * 16;
        int64_t us = (int64_t)pg_get64(p);
        int32_t days = (int32_t)pg_get32(p + 8), months = (int32_t)pg_get32(p + 12);
        memcpy(to, &months, 4);
        memcpy(to + 4, &days, 4);
        memcpy(to + 8, &us, 8);
        break;
    }
    case DG_UUID: memcpy((char *)v->values + (size_t)row * 16, p, 16); break;
    case DG_DECIMAL: {
        Wide value;
        if (!decimal_field(p, len, k->type, &value)) {
            char what[64];
            snprintf(what, sizeof what, "does not fit decimal(%d,%d)", k->type.precision, k->type.scale);
            return misfit(r, column, what, err);
        }
        memcpy((char *)v->values + (size_t)row * 16, &value, 16);
        break;
    }
    default: return dg_fail(err, DG_BUG, "column `%.*s` has no decoder", FMT(r->columns[column].name));
    }
    return DG_OK;
}

static DgStatus cut_short(DgError *err)
{
    return dg_fail(err, DG_UNAVAILABLE, "PostgreSQL: a row came cut short");
}

static DgStatus read_row(PgRows *r, DgBatch *out, int32_t row, const char *p, const char *end, DgError *err)
{
    for (int32_t i = 0; i < out->columns_count; i++) {
        DgVector *v = &out->vectors[i];
        if (end - p < 4)
            return cut_short(err);
        uint32_t len = pg_get32(p);
        p += 4;
        bool text = dg_type_width(r->kinds[i].type.kind) == 0;
        if (len == UINT32_MAX) {
            dg_set_null(v, row);
            if (text && !dg_text_set(v, row, "", 0))
                return os_no_memory(err, "reading text");
            continue;
        }
        if ((size_t)(end - p) < len)
            return cut_short(err);
        if (!text)
            DG_TRY(fixed_field(r, v, i, row, p, len, err));
        else if (r->kinds[i].oid == PG_JSONB && len > 0) /* a version byte comes first */
            DG_TRY(text_field(r, v, i, row, p + 1, len - 1, err));
        else if (r->kinds[i].type.kind == DG_BINARY)
            DG_TRY(dg_text_set(v, row, p, len) ? DG_OK : os_no_memory(err, "reading bytes"));
        else
            DG_TRY(text_field(r, v, i, row, p, len, err));
        p += len;
    }
    return DG_OK;
}

/* ---- The stream ---- */

static DgStatus finish(PgRows *r, DgError *err)
{
    PGresult *result = PQgetResult(r->pg->conn);
    r->ended = true;
    if (!result || PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_fail(r->pg, result, err);
    PQclear(result);
    while ((result = PQgetResult(r->pg->conn)))
        PQclear(result);
    return DG_END;
}

static DgStatus pg_rows_next(DgRows *rows, DgBatch *out, DgError *err)
{
    PgRows *r = (PgRows *)rows;
    dg_batch_reset(out);
    while (out->rows < out->rows_max) {
        char *bytes = NULL;
        if (r->ended)
            return DG_END;
        int n = PQgetCopyData(r->pg->conn, &bytes, 0);
        if (n == -1)
            return finish(r, err);
        if (n < 0)
            return pg_fail(r->pg, NULL, err);
        const char *p = bytes, *end = bytes + n;
        if (!r->header_read) {
            p = n >= 19 ? p + 19 : end;
            r->header_read = true;
        }
        DgStatus status = DG_OK;
        if (end - p >= 2 && pg_get16(p) != UINT16_MAX) {
            status = (int)pg_get16(p) == out->columns_count ? read_row(r, out, out->rows, p + 2, end, err) : cut_short(err);
            out->rows++;
        }
        PQfreemem(bytes);
        if (status != DG_OK)
            return status;
    }
    return DG_OK;
}

static void pg_rows_close(DgRows *rows)
{
    PgRows *r = (PgRows *)rows;
    char ignored[256], *bytes;
    if (!r->ended && PQstatus(r->pg->conn) == CONNECTION_OK) { /* in the middle: the rest is not wanted */
        PGresult *result;
        if (r->pg->cancel)
            PQcancel(r->pg->cancel, ignored, sizeof ignored);
        while (PQgetCopyData(r->pg->conn, &bytes, 0) > 0)
            PQfreemem(bytes);
        while ((result = PQgetResult(r->pg->conn)))
            PQclear(result);
    }
    arena_free(&r->arena);
    os_free(r);
}

/* ---- Opening ---- */

/* Types that have no decoder are sent as JSON (arrays, composites) or as text. */
static DgStatus categories(PgRows *r, int32_t count, StrBuf *oids, char *category, DgError *err)
{
    PGresult *result;
    if (!oids->len)
        return DG_OK;
    char *sql = str_cstr(&r->arena, str_format(&r->arena, "SELECT oid, typcategory FROM pg_catalog.pg_type WHERE oid IN (%.*s)", FMT(buf_str(oids))));
    DG_TRY(pg_select(r->pg, sql, &result, err));
    for (int i = 0; i < PQntuples(result); i++) {
        int64_t oid = 0;
        str_to_int(str_from(PQgetvalue(result, i, 0)), &oid);
        for (int32_t k = 0; k < count; k++)
            if (r->kinds[k].oid == (Oid)oid)
                category[k] = *PQgetvalue(result, i, 1);
    }
    PQclear(result);
    return DG_OK;
}

static DgStatus describe(PgRows *r, Str sql, Str *copy, DgError *err)
{
    Pg *pg = r->pg;
    PGresult *result = PQprepare(pg->conn, "", str_cstr(&r->arena, sql), 0, NULL);
    if (!result || PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_fail(pg, result, err);
    PQclear(result);
    result = PQdescribePrepared(pg->conn, "");
    if (!result || PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_fail(pg, result, err);
    int32_t n = PQnfields(result);
    r->columns = push(&r->arena, DgColumn, n + 1);
    r->kinds = push(&r->arena, PgColumn, n + 1);
    char *category = push(&r->arena, char, n + 1);
    StrBuf oids = {.max = 1 << 20};
    bool wrap = false;
    for (int32_t i = 0; i < n; i++) {
        r->columns[i].name = str_copy(&r->arena, str_from(PQfname(result, i)));
        r->kinds[i].oid = PQftype(result, i);
        if (!pg_native_type(r->kinds[i].oid, PQfmod(result, i), &r->kinds[i].type)) {
            buf_format(&oids, "%s%u", oids.len ? "," : "", r->kinds[i].oid);
            category[i] = 'X';
            wrap = true;
        }
    }
    PQclear(result);
    DgStatus status = n ? categories(r, n, &oids, category, err) : dg_fail(err, DG_CONFIG, "the query gives no columns");
    buf_free(&oids);
    DG_TRY(status);
    StrBuf b = {.max = LIMIT_SQL_BYTES};
    buf_add(&b, S("COPY ("));
    if (wrap) {
        buf_add(&b, S("SELECT "));
        for (int32_t i = 0; i < n; i++) {
            bool json = category[i] == 'A' || category[i] == 'C';
            buf_format(&b, !category[i] ? "%sc%d" : json ? "%spg_catalog.to_jsonb(c%d)" : "%sc%d::pg_catalog.text", i ? ", " : "", i);
            if (category[i])
                r->kinds[i] = json ? (PgColumn){PG_JSONB, {DG_JSON, 0, 0}} : (PgColumn){PG_TEXT, {DG_TEXT, 0, 0}};
        }
        buf_format(&b, " FROM (%.*s) AS q(", FMT(sql));
        for (int32_t i = 0; i < n; i++)
            buf_format(&b, "%sc%d", i ? ", " : "", i);
        buf_char(&b, ')');
    } else {
        buf_add(&b, sql);
    }
    buf_add(&b, S(") TO STDOUT (FORMAT binary)"));
    *copy = str_copy(&r->arena, buf_str(&b));
    bool failed = b.failed;
    buf_free(&b);
    for (int32_t i = 0; i < n; i++)
        r->columns[i].type = r->kinds[i].type;
    r->rows = (DgRows){r->columns, n, pg_rows_next, pg_rows_close, false};
    return failed ? dg_fail(err, DG_CONFIG, "the query is too long") : DG_OK;
}

DgStatus pg_query(DgDb *db, Str sql, DgRows **out, DgError *err)
{
    Pg *pg = (Pg *)db;
    Str copy;
    sql = str_trim(sql);
    while (str_ends(sql, S(";")))
        sql = str_trim(str_sub(sql, 0, sql.len - 1));
    PgRows *r = os_alloc(sizeof *r);
    if (!r)
        return os_no_memory(err, "reading rows");
    r->pg = pg;
    arena_init(&r->arena, 64 << 20);
    DgStatus status = describe(r, sql, &copy, err);
    if (status == DG_OK) {
        PGresult *result = PQexec(pg->conn, str_cstr(&r->arena, copy));
        if (!result || PQresultStatus(result) != PGRES_COPY_OUT)
            status = pg_fail(pg, result, err);
        else
            PQclear(result);
    }
    if (status != DG_OK) {
        r->ended = true;
        pg_rows_close(&r->rows);
        return status;
    }
    *out = &r->rows;
    return DG_OK;
}
