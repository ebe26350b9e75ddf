/* infer.c - asks DuckDB's readers for the columns of a file. */
#include "runtime/data/infer.h"

#include <pthread.h>

#include "runtime/data/batch.h"
#include "runtime/db/warehouse.h"

Str dg_format_of(Str path)
{
    static const struct { const char *end, *format; } ends[] = {
        {".csv", "csv"}, {".tsv", "tsv"}, {".tab", "tsv"}, {".ndjson", "ndjson"}, {".jsonl", "ndjson"},
        {".json", "json"}, {".parquet", "parquet"}, {".pq", "parquet"}};
    if (str_ends(path, S(".gz")))
        path = str_sub(path, 0, path.len - 3);
    else if (str_ends(path, S(".zst")))
        path = str_sub(path, 0, path.len - 4);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(path, str_from(ends[i].end)))
            return str_from(ends[i].format);
    return (Str){0};
}

Str dg_reader_sql(Arena *a, const Str *paths, size_t count, Str format, Str options)
{
    static const struct { const char *format, *call, *extra; } readers[] = {
        {"csv", "read_csv", ""}, {"tsv", "read_csv", ", delim = '\t'"},
        {"json", "read_json", ""},
        {"ndjson", "read_json", ", format = 'newline_delimited'"},
        {"parquet", "read_parquet", ""}};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!str_eq(format, str_from(readers[i].format)))
            continue;
        StrBuf b = {0};
        buf_format(&b, "%s([", readers[i].call);
        for (size_t k = 0; k < count; k++)
            buf_format(&b, "%s%.*s", k ? ", " : "", FMT(dg_duckdb_text(a, paths[k])));
        buf_format(&b, "]%s%.*s)", readers[i].extra, FMT(options));
        Str out = str_copy(a, buf_str(&b));
        buf_free(&b);
        return out;
    }
    return (Str){0};
}

/* One database for all questions of a build: opening one takes longer than asking. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static DgWarehouse *warehouse;
static DgSession *session;

static DgStatus open_session(DgError *err)
{
    DgWarehouseOptions o = {.memory_max = 256 << 20, .threads = 1};
    if (session)
        return DG_OK;
    DG_TRY(dg_warehouse_open(&o, &warehouse, err));
    return dg_session_open(warehouse, &session, err);
}

static DgStatus describe(Arena *a, Str sql, const DgColumn **columns, int32_t *count, DgError *err)
{
    DgScan *scan;
    DG_TRY(dg_scan_open(session, sql, &scan, err));
    int32_t n;
    const DgColumn *found = dg_scan_columns(scan, &n);
    DgColumn *copy = push(a, DgColumn, n + 1);
    for (int32_t i = 0; i < n; i++) {
        copy[i] = found[i];
        copy[i].name = str_copy(a, found[i].name);
        copy[i].path = (Str){0};
    }
    *columns = copy;
    *count = n;
    dg_scan_close(scan);
    return DG_OK;
}

DgStatus dg_infer_columns(Arena *a, Str disk_path, Str format, const DgColumn **columns, int32_t *count,
                          DgError *err)
{
    Str kind = format.len && !str_eq(format, S("auto")) ? format : dg_format_of(disk_path);
    Str reader = dg_reader_sql(a, &disk_path, 1, kind, (Str){0});
    if (!reader.len)
        return dg_fail(err, DG_DATA, "the format of %.*s is not known", FMT(disk_path));
    pthread_mutex_lock(&lock);
    DgStatus status = open_session(err);
    if (status == DG_OK)
        status = describe(a, str_format(a, "SELECT * FROM %.*s LIMIT 0", FMT(reader)), columns, count, err);
    pthread_mutex_unlock(&lock);
    return status;
}

bool dg_infer_odd_cells(Arena *a, Str disk_path, Str format, Str column, DgOddCells *out)
{
    Str kind = format.len && !str_eq(format, S("auto")) ? format : dg_format_of(disk_path), text = {0}, part[3] = {0};
    DgError ignored = {0};
    *out = (DgOddCells){0};
    if (!str_eq(kind, S("csv")) && !str_eq(kind, S("tsv")))
        return false;
    Str reader = dg_reader_sql(a, &disk_path, 1, kind, S(", all_varchar = true")), name = dg_duckdb_name(a, column);
    Str sql = str_format(a, "SELECT concat_ws(chr(10), min(n) FILTER (odd), count(*) FILTER (odd), count(*), arg_min(v, n) FILTER (odd)) FROM "
                         "(SELECT n, v, TRY_CAST(v AS DOUBLE) IS NULL AS odd FROM (SELECT row_number() OVER () AS n, %.*s AS v FROM %.*s LIMIT 100000) WHERE v <> '')",
                         FMT(name), FMT(reader));
    pthread_mutex_lock(&lock);
    bool known = open_session(&ignored) == DG_OK && dg_session_text(session, a, sql, &text, &ignored) == DG_OK;
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 3 && known; i++)
        known = str_cut(text, '\n', &part[i], &text);
    out->cell = text;
    return known && str_to_int(part[0], &out->record) && str_to_int(part[1], &out->odd) && str_to_int(part[2], &out->all) && out->odd * 10 <= out->all;
}

/* "," or "(empty)"; tabs come as they are. */
static char one_character(Str s)
{
    return s.len == 1 ? s.ptr[0] : 0;
}

static DgStatus read_dialect(Arena *a, Str sql, DgCsvDialect *out, DgError *err)
{
    Str text;
    DG_TRY(dg_session_text(session, a, sql, &text, err));
    /* delimiter, quote, escape, header, ISO dates, rows to skip: one a line. */
    Str parts[6] = {0}, rest = text;
    for (int i = 0; i < 6; i++)
        str_cut(rest, '\n', &parts[i], &rest);
    *out = (DgCsvDialect){.delimiter = one_character(parts[0]), .quote = one_character(parts[1]),
                          .escape = one_character(parts[2]), .header = str_eq(parts[3], S("true")),
                          .iso_dates = str_eq(parts[4], S("true"))};
    if (!str_to_int(parts[5], &out->skip_rows) || !out->delimiter)
        return dg_fail(err, DG_DATA, "how the file is written is not clear");
    return DG_OK;
}

DgStatus dg_sniff_csv(Arena *a, Str disk_path, DgCsvDialect *out, DgError *err)
{
    Str sql = str_format(
        a,
        "SELECT concat_ws(chr(10), Delimiter, Quote, Escape, HasHeader::VARCHAR, "
        "(coalesce(DateFormat, '%%Y-%%m-%%d') = '%%Y-%%m-%%d' AND "
        "coalesce(TimestampFormat, '%%Y-%%m-%%d %%H:%%M:%%S') IN ('%%Y-%%m-%%d %%H:%%M:%%S', "
        "'%%Y-%%m-%%d %%H:%%M:%%S.%%f', '%%Y-%%m-%%dT%%H:%%M:%%S', '%%Y-%%m-%%dT%%H:%%M:%%S.%%f'))::VARCHAR, "
        "SkipRows::VARCHAR) FROM sniff_csv(%.*s)",
        FMT(dg_duckdb_text(a, disk_path)));
    pthread_mutex_lock(&lock);
    DgStatus status = open_session(err);
    if (status == DG_OK)
        status = read_dialect(a, sql, out, err);
    pthread_mutex_unlock(&lock);
    return status;
}
