/* formats_write.c - rows as files: DuckDB's COPY pulls them, one statement a file.
 *
 * Rows keep their order; those of parallel parts have none, and are written by several threads into one
 * file. A file of limited size ends with the batch after which it was large enough;
 * one of limited rows has exactly so many. What a format cannot say exactly is said as text:
 * intervals in Parquet (it has milliseconds), NaN and the infinities in JSON (it has no such numbers),
 * decimals of more than 15 digits in JSON (readers make doubles of numbers), bytes in JSON as base64.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/data/batch.h"
#include "runtime/files/formats_internal.h"
#include "runtime/os/os.h"

enum { FILES_MAX = 1000000, GROUP_ROWS = 122880, WRITE_MEMORY_MIN = 128 << 20 };

typedef struct Writer {
    DgRows *from;
    const DgWriteFormat *how;
    DgFileFormat format;
    Arena *arena;
    Arena scratch;
    Str folder, name, compression; /* folder: absolute or with ./ */
    DgWarehouse *warehouse;
    DgSession *session;
    int32_t lanes;        /* threads that pull */
    pthread_mutex_t lock; /* whose turn it is; what follows is his */
    DgBatch ahead;        /* rows that were taken and belong to the next file */
    int32_t at;           /* the first of them */
    bool ended, failed;   /* no more come from `from` */
    int64_t file_rows;    /* of the file at hand */
    const char *path;     /* of the file at hand; NULL: not to be measured */
    int64_t bytes_a_row;  /* as batches have them */
} Writer;

/* ---- Batches, cut where a file ends ---- */

static int64_t batch_bytes(const DgBatch *b)
{
    int64_t bytes = 0;
    for (int32_t i = 0; i < b->columns_count; i++) {
        int32_t width = dg_type_width((DgTypeKind)b->columns[i].type.kind);
        bytes += width ? (int64_t)width * b->rows : ((const int32_t *)b->vectors[i].values)[b->rows];
    }
    return bytes;
}

static DgStatus copy_slice(DgBatch *to, const DgBatch *from, int32_t at, int32_t rows, DgError *err)
{
    dg_batch_reset(to);
    for (int32_t i = 0; i < from->columns_count; i++) {
        const DgVector *f = &from->vectors[i];
        DgVector *t = &to->vectors[i];
        size_t width = (size_t)dg_type_width((DgTypeKind)from->columns[i].type.kind);
        if (width)
            memcpy(t->values, (const char *)f->values + (size_t)at * width, (size_t)rows * width);
        for (int32_t row = 0; row < rows; row++) {
            bool valid = DG_VALID(f, at + row);
            Str text = !width && valid ? dg_text_get(f, at + row) : (Str){0};
            if (!width && !dg_text_set(t, row, text.ptr, (size_t)text.len))
                return os_no_memory(err, "for a batch of text");
            if (!valid)
                dg_set_null(t, row);
        }
    }
    to->rows = rows;
    return DG_OK;
}

/* Rows in `ahead`, or the end of all. */
static DgStatus look_ahead(Writer *w, DgError *err)
{
    while (!w->ended && w->at == w->ahead.rows) {
        dg_batch_reset(&w->ahead);
        w->at = 0;
        DgStatus status = w->from->next(w->from, &w->ahead, err);
        w->failed = status != DG_OK && status != DG_END;
        w->ended = status != DG_OK;
        if (w->failed)
            return status;
        if (w->ahead.rows)
            w->bytes_a_row = batch_bytes(&w->ahead) / w->ahead.rows + 1;
    }
    return DG_OK;
}

static bool large_enough(const Writer *w)
{
    struct stat info;
    return w->path && dg_os.stat(w->path, &info) == 0 && info.st_size >= w->how->file_max_bytes;
}

static DgStatus take_rows(Writer *w, DgBatch *out, DgError *err)
{
    const int64_t most = w->how->file_max_rows;
    if (w->failed || (most && w->file_rows >= most) || (w->file_rows && large_enough(w)))
        return DG_END;
    DG_TRY(look_ahead(w, err));
    int32_t rows = w->ahead.rows - w->at;
    if (!rows)
        return DG_END;
    if (most && rows > most - w->file_rows)
        rows = (int32_t)(most - w->file_rows);
    DgStatus status = DG_OK;
    if (w->at == 0 && rows == w->ahead.rows) { /* all of it: exchanged, not copied */
        DgVector *vectors = out->vectors;
        out->vectors = w->ahead.vectors;
        w->ahead.vectors = vectors;
        out->rows = rows;
        dg_batch_reset(&w->ahead);
        w->at = 0;
    } else {
        status = copy_slice(out, &w->ahead, w->at, rows, err);
        w->at += rows;
    }
    w->file_rows += rows;
    return status;
}

static DgStatus pull_next(void *context, void *lane, DgBatch *out, DgError *err)
{
    Writer *w = context;
    pthread_mutex_lock(&w->lock);
    DgStatus status = take_rows(w, out, err);
    pthread_mutex_unlock(&w->lock);
    return status;
}

/* ---- The statement ---- */

static bool is_json(const Writer *w)
{
    return w->format == DG_FILE_JSON || w->format == DG_FILE_NDJSON;
}

static void add_columns(Writer *w, StrBuf *b)
{
    for (int32_t i = 0; i < w->from->columns_count; i++) {
        const DgColumn *c = &w->from->columns[i];
        Str name = dg_duckdb_name(&w->scratch, c->name);
        buf_add(b, i ? S(", ") : S(""));
        if (is_json(w) && (c->type.kind == DG_FLOAT32 || c->type.kind == DG_FLOAT64))
            buf_format(b, "CASE WHEN isfinite(%.*s) THEN to_json(%.*s) ELSE to_json(CAST(%.*s AS VARCHAR)) END", FMT(name),
                       FMT(name), FMT(name));
        else if (is_json(w) && c->type.kind == DG_BINARY)
            buf_format(b, "base64(%.*s)", FMT(name));
        else if (is_json(w) ? c->type.kind == DG_DECIMAL && c->type.precision > 15
                            : w->format == DG_FILE_PARQUET && c->type.kind == DG_INTERVAL)
            buf_format(b, "CAST(%.*s AS VARCHAR)", FMT(name));
        else
            buf_add(b, name);
        buf_format(b, " AS %.*s", FMT(name));
    }
}

static void add_text(Writer *w, StrBuf *b, const char *name, Str value)
{
    Str quoted = dg_duckdb_text(&w->scratch, value);
    buf_format(b, ", %s %.*s", name, FMT(quoted));
}

static void add_datetime(Writer *w, StrBuf *b)
{
    bool date, time;
    Str form = format_datetime(&w->scratch, w->how->datetime_format, &date, &time);
    if (date && !time)
        add_text(w, b, "DATEFORMAT", form);
    else
        add_text(w, b, "TIMESTAMPFORMAT", form);
}

/* A row group is what each lane keeps in memory: fewer rows where rows are wide or files are small. */
static int64_t group_rows(const Writer *w, int64_t memory_max)
{
    int64_t bytes = memory_max > 0 ? memory_max / (w->lanes > 2 ? 4 * w->lanes : 8) : 64 << 20;
    if (w->how->file_max_bytes && w->how->file_max_bytes < bytes)
        bytes = w->how->file_max_bytes;
    int64_t rows = bytes / (w->bytes_a_row ? w->bytes_a_row : 1) / 2048 * 2048;
    return rows < 2048 ? 2048 : rows > GROUP_ROWS ? GROUP_ROWS : rows;
}

static void add_options(Writer *w, StrBuf *b, int64_t memory_max, int32_t number)
{
    const DgWriteFormat *how = w->how;
    if (w->format == DG_FILE_PARQUET) {
        buf_format(b, "FORMAT parquet, ROW_GROUP_SIZE %lld", (long long)group_rows(w, memory_max));
    } else if (is_json(w)) {
        buf_format(b, "FORMAT json, ARRAY %s", w->format == DG_FILE_JSON ? "true" : "false");
    } else {
        Str delimiter = str_eq(how->delimiter, S("\\t")) ? S("\t") : how->delimiter;
        buf_format(b, "FORMAT csv, HEADER %s, QUOTE '\"', ESCAPE '\"'", how->header == 0 ? "false" : "true");
        add_text(w, b, "DELIMITER", delimiter.len ? delimiter : w->format == DG_FILE_TSV ? S("\t") : S(","));
        add_text(w, b, "NULLSTR", how->null_text);
    }
    add_text(w, b, "COMPRESSION", str_eq(w->compression, S("none")) && w->format == DG_FILE_PARQUET ? S("uncompressed") : w->compression);
    if (how->datetime_format.len && w->format != DG_FILE_PARQUET)
        add_datetime(w, b);
    if (!how->partition_by.count)
        return;
    buf_add(b, S(", OVERWRITE_OR_IGNORE true, PARTITION_BY ("));
    for (size_t i = 0; i < how->partition_by.count; i++)
        buf_format(b, "%s%.*s", i ? ", " : "", FMT(dg_duckdb_name(&w->scratch, how->partition_by.items[i])));
    buf_char(b, ')');
    add_text(w, b, "FILENAME_PATTERN", str_format(&w->scratch, "%.*s%s%04d-{i}", FMT(w->name), str_ends(w->name, S("-")) ? "" : "-", number));
}

static const char *ending(const Writer *w)
{
    bool gzip = str_eq(w->compression, S("gzip")), zstd = str_eq(w->compression, S("zstd"));
    switch (w->format) {
    case DG_FILE_PARQUET: return ".parquet";
    case DG_FILE_TSV: return gzip ? ".tsv.gz" : zstd ? ".tsv.zst" : ".tsv";
    case DG_FILE_JSON: return gzip ? ".json.gz" : zstd ? ".json.zst" : ".json";
    case DG_FILE_NDJSON: return gzip ? ".ndjson.gz" : zstd ? ".ndjson.zst" : ".ndjson";
    default: return gzip ? ".csv.gz" : zstd ? ".csv.zst" : ".csv";
    }
}

static bool rotates(const Writer *w)
{
    return w->how->file_max_rows || w->how->file_max_bytes || str_ends(w->name, S("-"));
}

static Str file_name(Writer *w, int32_t number)
{
    const char *end = ending(w);
    if (file_format_of(w->name) == w->format) /* it says its ending itself */
        return str_copy(w->arena, w->name);
    if (!rotates(w))
        return str_format(w->arena, "%.*s%s", FMT(w->name), end);
    return str_format(w->arena, "%.*s%s%04d%s", FMT(w->name), str_ends(w->name, S("-")) ? "" : "-", number, end);
}

static DgStatus write_one(Writer *w, int32_t number, int64_t memory_max, DgError *err)
{
    DgPull pull = {.context = w, .next = pull_next, .lanes_max = w->lanes};
    StrBuf before = {0}, after = {0};
    int64_t rows;
    arena_reset(&w->scratch);
    bool folders = w->how->partition_by.count > 0;
    Str name = folders ? (Str){0} : file_name(w, number);
    Str path = str_format(&w->scratch, "%.*s%s%.*s", FMT(w->folder), folders ? "" : "/", FMT(name));
    w->path = w->how->file_max_bytes && !folders ? path.ptr : NULL;
    w->file_rows = 0;
    buf_add(&before, S("COPY (SELECT "));
    add_columns(w, &before);
    buf_add(&before, S(" FROM "));
    buf_format(&after, ") TO %.*s (", FMT(dg_duckdb_text(&w->scratch, path)));
    add_options(w, &after, memory_max, number);
    buf_char(&after, ')');
    DgStatus status = before.failed || after.failed || w->scratch.failed || w->arena->failed
                          ? os_no_memory(err, "for an SQL statement")
                          : dg_session_stream(w->session, w->from->columns, w->from->columns_count, &pull, buf_str(&before),
                                              buf_str(&after), &rows, err);
    buf_free(&before);
    buf_free(&after);
    return status;
}

/* ---- What came out ---- */

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

static DgStatus sync_path(Str path, int flags, DgError *err)
{
    int fd;
    DG_TRY(os_open(path.ptr, O_RDONLY | flags, 0, &fd, err));
    os_sync(fd, path.ptr);
    os_close(fd);
    return DG_OK;
}

/* Every file below the folder, synced; folders after what is in them. */
static DgStatus collect(Writer *w, Str below, int depth, StrArray *out, DgError *err)
{
    StrArray names;
    Str here = str_format(w->arena, "%.*s%s%.*s", FMT(w->folder), below.len ? "/" : "", FMT(below));
    if (!here.ptr || depth > 64)
        return os_no_memory(err, "for the paths of files");
    DG_TRY(os_list(w->arena, here.ptr, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        struct stat info;
        Str path = str_format(w->arena, "%.*s%s%.*s", FMT(below), below.len ? "/" : "", FMT(names.items[i]));
        Str disk = str_format(w->arena, "%.*s/%.*s", FMT(w->folder), FMT(path));
        if (!disk.ptr || dg_os.stat(disk.ptr, &info) != 0)
            return dg_fail(err, DG_IO, "could not look at a file that was just written");
        if (S_ISDIR(info.st_mode)) {
            DG_TRY(collect(w, path, depth + 1, out, err));
            continue;
        }
        DG_TRY(sync_path(disk, 0, err));
        array_add(w->arena, out, path);
    }
    return sync_path(here, O_DIRECTORY, err);
}

static DgStatus write_all(Writer *w, int64_t memory_max, int64_t *rows, DgError *err)
{
    DgWarehouseOptions o = {.memory_max = memory_max > 0 && memory_max < WRITE_MEMORY_MIN ? WRITE_MEMORY_MIN : memory_max};
    DG_TRY(dg_warehouse_open(&o, &w->warehouse, err));
    DG_TRY(dg_session_open(w->warehouse, &w->session, err));
    if (w->from->any_order && !w->how->partition_by.count)
        w->lanes = dg_warehouse_threads(w->warehouse);
    if (w->lanes > 1) /* only so will DuckDB let them write side by side */
        DG_TRY(dg_session_exec(w->session, S("SET preserve_insertion_order = false"), err));
    DG_TRY(dg_batch_init(&w->ahead, w->from->columns, w->from->columns_count, DG_BATCH_ROWS, err));
    int32_t number = 0;
    do { /* also without rows: a file that says the columns */
        if (++number > FILES_MAX)
            return dg_fail(err, DG_DATA, "there would be more than %d files: let them be larger", FILES_MAX);
        DG_TRY(look_ahead(w, err));
        DG_TRY(write_one(w, number, memory_max, err));
        *rows += w->file_rows;
        DG_TRY(look_ahead(w, err));
    } while (w->at < w->ahead.rows);
    return DG_OK;
}

static DgStatus check(Writer *w, DgError *err)
{
    Str asked = w->how->compression;
    w->format = w->how->format != DG_FILE_AUTO ? w->how->format : file_format_of(w->name);
    if (w->format == DG_FILE_AUTO || w->format == DG_FILE_XLSX || w->format == DG_FILE_RAW) {
        dg_fail(err, DG_CONFIG, "files of this format can be read, but not written");
        dg_hint(err, "formats to write are csv, tsv, json, jsonlines, parquet");
        return DG_CONFIG;
    }
    bool parquet = w->format == DG_FILE_PARQUET;
    if (!asked.len || str_eq_nocase(asked, S("auto")))
        asked = parquet ? S("snappy") : format_compression_of(w->name);
    else if (str_eq_nocase(asked, S("uncompressed")))
        asked = S("none");
    else if (str_eq_nocase(asked, S("gz")))
        asked = S("gzip");
    w->compression = str_lower(w->arena, asked);
    bool known = str_eq(w->compression, S("none")) || str_eq(w->compression, S("gzip")) || str_eq(w->compression, S("zstd")) ||
                 (parquet && str_eq(w->compression, S("snappy")));
    if (!known) {
        dg_fail(err, DG_CONFIG, "%s files cannot be compressed with `%.*s`", parquet ? "Parquet" : "text", FMT(asked));
        dg_hint(err, "compression is none, gzip or zstd; Parquet has snappy too");
        return DG_CONFIG;
    }
    if (!w->from->columns_count)
        return dg_fail(err, DG_DATA, "rows without columns cannot be written");
    if (rotates(w) && file_format_of(w->name) == w->format)
        return dg_fail(err, DG_BUG, "several files cannot all be called `%.*s`", FMT(w->name));
    for (size_t i = 0; i < w->how->partition_by.count; i++) {
        bool found = false;
        for (int32_t k = 0; k < w->from->columns_count; k++)
            found |= str_eq_nocase(w->from->columns[k].name, w->how->partition_by.items[i]);
        if (!found)
            return dg_fail(err, DG_CONFIG, "there is no column `%.*s` to partition by", FMT(w->how->partition_by.items[i]));
    }
    if (w->how->partition_by.count >= (size_t)w->from->columns_count)
        return dg_fail(err, DG_CONFIG, "a column must be left beside those that partition");
    return DG_OK;
}

DgStatus files_write(DgRows *from, const DgWriteFormat *how, Str folder, Str name, int64_t memory_max, Arena *a,
                     StrArray *out, int64_t *rows, DgError *err)
{
    Writer w = {.from = from, .how = how, .arena = a, .name = name, .lanes = 1};
    *out = (StrArray){0};
    *rows = 0;
    w.folder = str_starts(folder, S("/")) ? folder : str_format(a, "./%.*s", FMT(folder));
    while (str_ends(w.folder, S("/")))
        w.folder.len--;
    arena_init(&w.scratch, 64 << 20);
    pthread_mutex_init(&w.lock, NULL);
    w.scratch.can_fail = true;
    DgStatus status = check(&w, err);
    if (status == DG_OK)
        status = write_all(&w, memory_max, rows, err);
    dg_batch_release(&w.ahead);
    dg_session_close(w.session);
    dg_warehouse_close(w.warehouse);
    arena_free(&w.scratch);
    pthread_mutex_destroy(&w.lock);
    DG_TRY(status);
    DG_TRY(collect(&w, (Str){0}, 0, out, err));
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_text);
    return DG_OK;
}
