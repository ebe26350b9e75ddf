/* formats_read.c - CSV, JSON, Parquet and raw bytes as rows, through a DuckDB in memory.
 *
 * DuckDB guesses gladly: a CSV file whose lines differ is read without the lines that do not fit.
 * So delimiter, quote, escape, comment and the lines to skip are always said, never guessed by it;
 * only types and whether there is a header are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/data/batch.h"
#include "runtime/files/formats_internal.h"
#include "runtime/os/os.h"

enum { SAMPLE_ROWS = 100000, MEMORY_MIN = 128 << 20, UNION_FILES_MAX = 500 };

/* ---- What the readers share ---- */

const DgColumn *format_given(const DgReadFormat *how, Str name)
{
    for (int32_t i = 0; i < how->columns_count; i++)
        if (str_eq_nocase(how->columns[i].name, name))
            return &how->columns[i];
    return NULL;
}

void format_paths(FileRows *f, StrBuf *sql)
{
    buf_char(sql, '[');
    for (size_t i = 0; i < f->paths.count; i++) {
        size_t mark = arena_mark(&f->arena);
        buf_add(sql, i ? S(", ") : S(""));
        buf_add(sql, dg_duckdb_text(&f->arena, f->paths.items[i]));
        arena_pop(&f->arena, mark);
    }
    buf_char(sql, ']');
}

Str file_hive_folders(Arena *a, Str path)
{
    StrBuf b = {.max = 64 << 10};
    Str part, rest = path, key, value;
    while (str_cut(rest, '/', &part, &rest))
        if (str_cut(part, '=', &key, &value) && key.len)
            buf_format(&b, b.len ? "/%.*s" : "%.*s", FMT(part));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

/* `values`: the whole folders are to be alike, not the names alone. */
static bool same_folders(Str a, Str b, bool values)
{
    Str x, y, key, other, value;
    if (values)
        return str_eq(a, b);
    while (a.len && b.len) {
        str_cut(a, '/', &x, &a);
        str_cut(b, '/', &y, &b);
        str_cut(x, '=', &key, &value);
        str_cut(y, '=', &other, &value);
        if (!str_eq(key, other))
            return false;
    }
    return !a.len && !b.len;
}

static bool all_in(FileRows *f, bool values)
{
    Str first = file_hive_folders(&f->arena, f->paths.items[0]);
    bool same = first.len > 0;
    for (size_t i = 1; i < f->paths.count && same; i++) {
        size_t mark = arena_mark(&f->arena);
        same = same_folders(first, file_hive_folders(&f->arena, f->paths.items[i]), values);
        arena_pop(&f->arena, mark);
    }
    return same;
}

static bool is_hive(FileRows *f)
{
    return f->how->hive && all_in(f, false);
}

DgStatus format_one_partition(FileRows *f, const char *what, DgError *err)
{
    if (!is_hive(f) || all_in(f, true))
        return DG_OK;
    dg_fail(err, DG_DATA, "`%.*s` and others lie in key=value folders, whose columns cannot be kept together with %s", FMT(f->paths.items[0]), what);
    dg_hint(err, "read the files of one folder at a time");
    return DG_DATA;
}

void format_common(FileRows *f, StrBuf *sql)
{
    bool hive = is_hive(f);
    buf_format(sql, ", hive_partitioning = %s", hive ? "true" : "false");
    if (hive && f->how->all_text)
        buf_add(sql, S(", hive_types_autocast = false"));
    if (f->how->file_column.len)
        buf_format(sql, ", filename = %.*s", FMT(dg_duckdb_text(&f->arena, f->how->file_column)));
}

DgStatus format_temporary(FileRows *f, Str like, const char *ending, Str *path, int *fd, DgError *err)
{
    uint64_t salt[2];
    os_random(salt, sizeof salt);
    Str folder = format_folder_temporary(&f->arena), within = file_hive_folders(&f->arena, like);
    if (!f->temporary.len)
        f->temporary = str_format(&f->arena, "%.*s/dgc-%016llx", FMT(folder), (unsigned long long)salt[1]);
    *path = str_format(&f->arena, "%.*s/%.*s", FMT(f->temporary), FMT(within));
    if (!path->ptr)
        return os_no_memory(err, "for a path");
    DG_TRY(os_make_folders(path->ptr, err));
    *path = str_format(&f->arena, "%.*s/%016llx%s", FMT(*path), (unsigned long long)salt[0], ending);
    if (!path->ptr)
        return os_no_memory(err, "for a path");
    return os_open(path->ptr, O_WRONLY | O_CREAT | O_EXCL, 0600, fd, err);
}

/* ---- CSV ---- */

static void add_text_option(FileRows *f, StrBuf *b, const char *name, Str value)
{
    Str quoted = dg_duckdb_text(&f->arena, value);
    buf_format(b, ", %s = %.*s", name, FMT(quoted));
}

static DgStatus add_csv_dialect(FileRows *f, StrBuf *b, DgError *err)
{
    const DgReadFormat *how = f->how;
    Str quote = how->quote.len ? how->quote : S("\""), delimiter = how->delimiter;
    char found;
    if (str_eq(delimiter, S("\\t")))
        delimiter = S("\t");
    if (!delimiter.len && f->format == DG_FILE_TSV)
        delimiter = S("\t");
    if (!delimiter.len) {
        DG_TRY(text_delimiter(&f->arena, f->paths.items[0], how->skip_lines, &found, err));
        delimiter = str_copy(&f->arena, (Str){&found, 1});
    }
    add_text_option(f, b, "delim", delimiter);
    add_text_option(f, b, "quote", quote);
    add_text_option(f, b, "escape", how->escape.len ? how->escape : quote);
    buf_add(b, S(", comment = ''"));
    if (how->fields_per_record >= 0 || how->skip_lines > 0) /* even a zero makes padding fail */
        buf_format(b, ", skip = %lld", (long long)how->skip_lines);
    if (how->header >= 0)
        buf_format(b, ", header = %s", how->header ? "true" : "false");
    if (how->fields_per_record < 0)
        buf_add(b, S(", null_padding = true, strict_mode = false, parallel = false"));
    return DG_OK;
}

/* An empty text is a value here, but a word stands for null. DuckDB has one list for both and all
 * columns: then all are read as text, and what is no text is converted after. */
static bool as_text(const FileRows *f)
{
    return !f->how->empty_as_null && f->how->null_if.len && !f->how->all_text;
}

static void add_csv_nulls(FileRows *f, StrBuf *b, const DgTypeTree *tree)
{
    Str word = dg_duckdb_text(&f->arena, f->how->null_if);
    if (tree && !f->how->empty_as_null && f->how->null_if.len) {
        buf_format(b, ", nullstr = [%.*s]", FMT(word));
        return;
    }
    buf_add(b, S(", nullstr = [''"));
    if (f->how->null_if.len)
        buf_format(b, ", %.*s", FMT(word));
    buf_char(b, ']');
    if (f->how->empty_as_null || !tree)
        return;
    bool first = true;
    for (int32_t i = 0; i < tree->members_count; i++) {
        const DgColumn *given = format_given(f->how, tree->members[i].name);
        if (given ? given->type.kind != DG_TEXT : !str_eq(tree->members[i].type, S("VARCHAR")))
            continue;
        buf_add(b, first ? S(", force_not_null = [") : S(", "));
        buf_add(b, dg_duckdb_text(&f->arena, tree->members[i].name));
        first = false;
    }
    buf_add(b, first ? S("") : S("]"));
}

/* DuckDB's reader has no parser of its own for these and then forgets what stands for null: they are
 * read as text and converted after. */
static bool converted(const DgColumn *given)
{
    return given && (given->type.kind == DG_INTERVAL || given->type.kind == DG_UUID || given->type.kind == DG_JSON ||
                     given->type.kind == DG_BINARY);
}

static void add_csv_types(FileRows *f, StrBuf *b, const DgTypeTree *tree)
{
    bool first = true;
    for (int32_t i = 0; tree && !as_text(f) && i < tree->members_count; i++) {
        const DgColumn *given = format_given(f->how, tree->members[i].name);
        if (!given && !map_has(&f->exact, tree->members[i].name))
            continue;
        Str name = dg_duckdb_text(&f->arena, tree->members[i].name);
        Str type = dg_duckdb_text(&f->arena, !given ? tree->members[i].type : converted(given) ? S("VARCHAR") : dg_duckdb_type(&f->arena, given->type));
        buf_format(b, "%s%.*s: %.*s", first ? ", types = {" : ", ", FMT(name), FMT(type));
        first = false;
    }
    buf_add(b, first ? S("") : S("}"));
}

static DgStatus add_csv_reader(FileRows *f, StrBuf *b, Str encoding, const DgTypeTree *tree, DgError *err)
{
    buf_add(b, S("read_csv("));
    format_paths(f, b);
    DG_TRY(add_csv_dialect(f, b, err));
    add_csv_nulls(f, b, tree);
    add_csv_types(f, b, tree);
    buf_format(b, ", sample_size = %d, union_by_name = %s, all_varchar = %s, encoding = '%.*s'", SAMPLE_ROWS,
               f->paths.count > 1 ? "true" : "false", f->how->all_text || (tree && as_text(f)) ? "true" : "false", FMT(encoding));
    if (f->how->compression.len)
        add_text_option(f, b, "compression", f->how->compression);
    if (f->how->datetime_format.len) {
        bool date, time;
        Str form = format_datetime(&f->arena, f->how->datetime_format, &date, &time);
        add_text_option(f, b, time ? "timestampformat" : "dateformat", form);
    }
    if (tree) /* the second look: with what is no field of the lines */
        format_common(f, b);
    buf_char(b, ')');
    return DG_OK;
}

/* DuckDB's guess at the dialect fails without a place when lines differ in length: say more. */
static DgStatus csv_failed(FileRows *f, DgStatus status, DgError *err)
{
    if (!err || str_find(str_from(err->message), S("Error when sniffing file")) < 0)
        return status;
    dg_fail(err, DG_DATA, "could not read `%.*s`%s as %s: its lines have different numbers of fields, or a quote is not closed",
            FMT(f->paths.items[0]), f->paths.count > 1 ? " or another of the files" : "", f->format == DG_FILE_TSV ? "TSV" : "CSV");
    dg_hint(err, "lines with more or fewer fields are allowed with fields_per_rec: -1; delimiter, quote, escape and skip_lines can be said");
    return DG_DATA;
}

static void add_csv_columns(FileRows *f, StrBuf *sql, const DgTypeTree *tree)
{
    bool first = true, date, time;
    Str word = dg_duckdb_text(&f->arena, f->how->null_if), form = {0};
    if (f->how->datetime_format.len)
        form = dg_duckdb_text(&f->arena, format_datetime(&f->arena, f->how->datetime_format, &date, &time));
    buf_add(sql, S("SELECT *"));
    for (int32_t i = 0; i < tree->members_count; i++) {
        const DgColumn *given = format_given(f->how, tree->members[i].name);
        Str type = given ? dg_duckdb_type(&f->arena, given->type) : tree->members[i].type;
        if (str_eq(type, S("VARCHAR")) || (!as_text(f) && !converted(given)))
            continue;
        Str name = dg_duckdb_name(&f->arena, tree->members[i].name);
        Str value = str_format(&f->arena, "nullif(nullif(%.*s, %.*s), '')", FMT(name), FMT(word));
        if (form.len && (str_eq(type, S("DATE")) || str_starts(type, S("TIMESTAMP"))))
            value = str_format(&f->arena, "strptime(%.*s, %.*s)", FMT(value), FMT(form));
        buf_format(sql, "%sCAST(%.*s AS %.*s) AS %.*s", first ? " REPLACE (" : ", ", FMT(value), FMT(type), FMT(name));
        first = false;
    }
    buf_add(sql, first ? S(" FROM ") : S(") FROM "));
}

/* Of the fields of the lines: a folder's key=value is there on a blank line, too. */
static void add_csv_condition(FileRows *f, StrBuf *sql, const DgTypeTree *tree)
{
    for (int32_t i = 0; f->how->skip_blank_lines && i < tree->members_count; i++) {
        Str name = dg_duckdb_name(&f->arena, tree->members[i].name);
        buf_format(sql, "%s(%.*s IS NOT NULL AND CAST(%.*s AS VARCHAR) <> '')", i ? " OR " : " WHERE ", FMT(name), FMT(name));
    }
}

/* Looked at as texts. */
static DgStatus keep_numbers(FileRows *f, DgTypeTree *tree, Str encoding, DgError *err)
{
    const DgReadFormat *own = f->how;
    DgReadFormat text = *own;
    StrBuf reader = {0};
    if (own->all_text)
        return DG_OK;
    text.all_text = true;
    f->how = &text;
    DgStatus status = add_csv_reader(f, &reader, encoding, NULL, err);
    f->how = own;
    f->exact = (Map){0};
    if (status == DG_OK)
        status = csv_keep_numbers(f, tree, buf_str(&reader), SAMPLE_ROWS, err);
    buf_free(&reader);
    return status;
}

static DgStatus csv_select_of(FileRows *f, StrBuf *sql, Str encoding, DgError *err)
{
    DgTypeTree tree;
    StrBuf look = {0};
    buf_add(&look, S("SELECT * FROM "));
    DgStatus status = add_csv_reader(f, &look, encoding, NULL, err);
    if (status == DG_OK)
        status = dg_session_types(f->session, &f->arena, buf_str(&look), &tree, err);
    buf_free(&look);
    if (status != DG_OK)
        return csv_failed(f, status, err);
    if (f->how->fields_per_record > 0 && tree.members_count != f->how->fields_per_record)
        return dg_fail(err, DG_DATA, "the lines have %d fields, not %lld (fields_per_rec)", (int)tree.members_count,
                       (long long)f->how->fields_per_record);
    DG_TRY(keep_numbers(f, &tree, encoding, err));
    add_csv_columns(f, sql, &tree);
    DG_TRY(add_csv_reader(f, sql, encoding, &tree, err));
    add_csv_condition(f, sql, &tree);
    return DG_OK;
}

/* DuckDB's union of files forgets force_not_null: then they are joined here, one by one. */
static DgStatus csv_select(FileRows *f, StrBuf *sql, DgError *err)
{
    Str encoding;
    StrArray all = f->paths;
    DG_TRY(text_decode(f, f->how->encoding, &encoding, err));
    if (f->how->empty_as_null || all.count == 1)
        return csv_select_of(f, sql, encoding, err);
    if (all.count > UNION_FILES_MAX)
        return dg_fail(err, DG_CONFIG, "empty_as_null: false works with at most %d files at once, not %zu", UNION_FILES_MAX, all.count);
    DgStatus status = DG_OK;
    for (size_t i = 0; i < all.count && status == DG_OK; i++) {
        f->paths = (StrArray){&all.items[i], 1, 1};
        buf_add(sql, i ? S(" UNION ALL BY NAME ") : S(""));
        status = csv_select_of(f, sql, encoding, err);
    }
    f->paths = all;
    return status;
}

/* ---- Parquet, raw ---- */

static DgStatus parquet_select(FileRows *f, StrBuf *sql, DgError *err)
{
    DgTypeTree tree;
    StrBuf part = {0};
    buf_add(&part, S("SELECT * FROM read_parquet("));
    format_paths(f, &part);
    buf_add(&part, S(", union_by_name = true"));
    format_common(f, &part);
    buf_char(&part, ')');
    DgStatus status = part.failed ? os_no_memory(err, "for an SQL statement") : DG_OK;
    if (status == DG_OK && (f->how->flatten || f->how->columns_count || f->how->all_text)) {
        status = dg_session_types(f->session, &f->arena, buf_str(&part), &tree, err);
        buf_add(sql, S("SELECT "));
        if (status == DG_OK)
            status = format_select_list(f, &tree, sql, err);
        buf_format(sql, " FROM (%.*s) AS q", FMT(buf_str(&part)));
    } else {
        buf_add(sql, buf_str(&part));
    }
    buf_free(&part);
    return status;
}

static DgStatus raw_select(FileRows *f, StrBuf *sql, DgError *err)
{
    buf_add(sql, S("SELECT filename AS name, content FROM read_blob("));
    format_paths(f, sql);
    buf_char(sql, ')');
    return DG_OK;
}

/* ---- Rows ---- */

static DgStatus file_next(DgRows *rows, DgBatch *out, DgError *err)
{
    FileRows *f = (FileRows *)rows;
    DG_TRY(dg_scan_next(f->scan, out, err));
    for (int32_t i = 0; i < out->columns_count; i++) { /* JSON's \u0000 and the like: no target takes it */
        const DgVector *v = &out->vectors[i];
        if (out->columns[i].type.kind == DG_TEXT && v->bytes_count && memchr(v->bytes, 0, v->bytes_count))
            return dg_fail(err, DG_DATA, "column `%.*s` has text with a NUL character", FMT(out->columns[i].name));
    }
    return DG_OK;
}

static void file_close(DgRows *rows)
{
    FileRows *f = (FileRows *)rows;
    dg_scan_close(f->scan);
    dg_session_close(f->session);
    dg_warehouse_close(f->warehouse);
    if (f->temporary.len)
        os_remove_tree(f->temporary.ptr, NULL);
    arena_free(&f->arena);
    os_free(f);
}

/* Empty files have no columns, and DuckDB would give them one. */
static DgStatus add_paths(FileRows *f, const StrArray *local, DgError *err)
{
    for (size_t i = 0; i < local->count; i++) {
        struct stat info;
        Str path = local->items[i];
        char *disk = str_cstr(&f->arena, str_starts(path, S("/")) ? path : str_format(&f->arena, "./%.*s", FMT(path)));
        if (!disk)
            return os_no_memory(err, "for a path");
        if (dg_os.stat(disk, &info) != 0)
            return dg_fail(err, DG_CONFIG, "there is no file `%s`", disk);
        if (info.st_size > 0 || f->format == DG_FILE_RAW)
            array_add(&f->arena, &f->paths, str_from(disk));
    }
    if (f->paths.count || f->how->columns_count)
        return DG_OK;
    return dg_fail(err, DG_DATA, "`%.*s` is empty: there are no columns", FMT(local->items[0]));
}

static void select_nothing(FileRows *f, StrBuf *sql)
{
    for (int32_t i = 0; i < f->how->columns_count; i++) {
        Str name = dg_duckdb_name(&f->arena, f->how->columns[i].name), type = dg_duckdb_type(&f->arena, f->how->columns[i].type);
        buf_format(sql, "%sCAST(NULL AS %.*s) AS %.*s", i ? ", " : "SELECT ", FMT(type), FMT(name));
    }
    buf_add(sql, S(" LIMIT 0"));
}

static DgStatus open_files(FileRows *f, const StrArray *local, int64_t memory_max, DgError *err)
{
    DgWarehouseOptions o = {.memory_max = memory_max > 0 && memory_max < MEMORY_MIN ? MEMORY_MIN : memory_max};
    StrBuf sql = {0};
    f->memory_max = o.memory_max > 0 ? o.memory_max : (int64_t)1 << 30;
    DG_TRY(add_paths(f, local, err));
    DG_TRY(dg_warehouse_open(&o, &f->warehouse, err));
    DG_TRY(dg_session_open(f->warehouse, &f->session, err));
    DgStatus status = DG_OK;
    if (!f->paths.count)
        select_nothing(f, &sql);
    else if (f->format == DG_FILE_CSV || f->format == DG_FILE_TSV)
        status = csv_select(f, &sql, err);
    else if (f->format == DG_FILE_PARQUET)
        status = parquet_select(f, &sql, err);
    else if (f->format == DG_FILE_RAW)
        status = raw_select(f, &sql, err);
    else
        status = json_select(f, &sql, err);
    if (status == DG_OK)
        status = sql.failed || f->arena.failed ? os_no_memory(err, "for an SQL statement")
                                               : dg_scan_open(f->session, buf_str(&sql), &f->scan, err);
    buf_free(&sql);
    return status;
}

static DgStatus find_format(const StrArray *local, const DgReadFormat *how, DgFileFormat *out, DgError *err)
{
    *out = how->format != DG_FILE_AUTO ? how->format : file_format_of(local->items[0]);
    if (*out != DG_FILE_AUTO)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "the ending of `%.*s` does not say its format", FMT(local->items[0]));
    dg_hint(err, "set `format` to csv, tsv, json, jsonlines, parquet, xlsx or raw");
    return DG_CONFIG;
}

DgStatus files_read(const StrArray *local, const DgReadFormat *how, int64_t memory_max, DgRows **out, DgError *err)
{
    DgFileFormat format;
    *out = NULL;
    if (!local->count)
        return dg_fail(err, DG_CONFIG, "there are no files to read");
    DG_TRY(find_format(local, how, &format, err));
    if (format == DG_FILE_XLSX)
        return xlsx_read(local, how, memory_max, out, err);
    FileRows *f = os_alloc(sizeof *f);
    if (!f)
        return os_no_memory(err, "for reading files");
    arena_init(&f->arena, (size_t)1 << 30);
    f->arena.can_fail = true;
    f->how = how;
    f->format = format;
    DgStatus status = open_files(f, local, memory_max, err);
    f->how = NULL;
    if (status != DG_OK) {
        file_close(&f->rows);
        return status;
    }
    int32_t count;
    const DgColumn *columns = dg_scan_columns(f->scan, &count);
    f->rows = (DgRows){columns, count, file_next, file_close, false};
    *out = &f->rows;
    return DG_OK;
}
