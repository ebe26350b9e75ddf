/* formats_json.c - which columns JSON (and Parquet's structs) become, and where the records are.
 *
 * DuckDB finds the types over all of the files; then they are read again with types of our choice:
 * what is nested stays the JSON it was (DuckDB's own structs would add the keys that only other
 * rows have), unless objects are to be taken apart.
 */
#include <fcntl.h>
#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/files/formats_internal.h"
#include "runtime/files/json_numbers.h"
#include "runtime/os/os.h"

enum { OBJECT_BYTES = 16 << 20 };

static int32_t levels(const FileRows *f)
{
    return !f->how->flatten ? 0 : f->how->flatten_depth > 0 ? f->how->flatten_depth : INT32_MAX;
}

static bool is_json(const FileRows *f)
{
    return f->format == DG_FILE_JSON || f->format == DG_FILE_NDJSON;
}

static bool needs_list(const FileRows *f)
{
    for (int32_t i = 0; i < f->how->columns_count; i++)
        if (f->how->columns[i].type.kind == DG_BINARY)
            return true;
    return f->how->flatten;
}

/* ---- Columns ---- */

static Str joined(FileRows *f, Str above, Str name)
{
    return above.len ? str_format(&f->arena, "%.*s__%.*s", FMT(above), FMT(name)) : name;
}

static void add_type(FileRows *f, StrBuf *b, const DgTypeTree *t, Str above, int32_t left)
{
    Str name = joined(f, above, t->name);
    const DgColumn *given = format_given(f->how, name);
    if (given && given->type.kind == DG_BINARY) {
        buf_add(b, S("VARCHAR")); /* base64 */
    } else if (given) {
        buf_add(b, dg_duckdb_type(&f->arena, given->type));
    } else if (t->nested && t->members_count && left > 0) {
        buf_add(b, S("STRUCT("));
        for (int32_t i = 0; i < t->members_count; i++) {
            buf_format(b, "%s%.*s ", i ? ", " : "", FMT(dg_duckdb_name(&f->arena, t->members[i].name)));
            add_type(f, b, &t->members[i], name, left - 1);
        }
        buf_char(b, ')');
    } else {
        buf_add(b, t->nested ? S("JSON") : f->how->all_text ? S("VARCHAR") : t->type);
    }
}

typedef struct Names {
    Map taken;
    bool first;
} Names;

/* `a__b` may also be the name of a column; DuckDB's names do not tell A from a. */
static Str unique_name(FileRows *f, Names *n, Str name)
{
    Str tried = name;
    for (int i = 2; map_has(&n->taken, str_lower(&f->arena, tried)) && i < LIMIT_COLUMNS; i++)
        tried = str_format(&f->arena, "%.*s_%d", FMT(name), i);
    map_put(&f->arena, &n->taken, str_lower(&f->arena, tried), f);
    return tried;
}

static void add_column(FileRows *f, StrBuf *b, Names *names, const DgTypeTree *t, Str above, Str expression, int32_t left)
{
    Str name = joined(f, above, t->name);
    const DgColumn *given = format_given(f->how, name);
    if (!given && t->nested && t->members_count && left > 0) {
        for (int32_t i = 0; i < t->members_count; i++) {
            Str key = dg_duckdb_text(&f->arena, t->members[i].name);
            Str inner = str_format(&f->arena, "struct_extract(%.*s, %.*s)", FMT(expression), FMT(key));
            add_column(f, b, names, &t->members[i], name, inner, left - 1);
        }
        return;
    }
    buf_add(b, names->first ? S("") : S(", "));
    names->first = false;
    if (given && given->type.kind == DG_JSON && t->nested)
        buf_format(b, "to_json(%.*s)", FMT(expression));
    else if (given && given->type.kind == DG_BINARY && is_json(f))
        buf_format(b, "from_base64(%.*s)", FMT(expression));
    else if (given)
        buf_format(b, "CAST(%.*s AS %.*s)", FMT(expression), FMT(dg_duckdb_type(&f->arena, given->type)));
    else if (f->how->all_text && !t->nested)
        buf_format(b, "CAST(%.*s AS VARCHAR)", FMT(expression));
    else
        buf_add(b, expression);
    Str shown = dg_duckdb_name(&f->arena, unique_name(f, names, name));
    buf_format(b, " AS %.*s", FMT(shown));
}

DgStatus format_select_list(FileRows *f, const DgTypeTree *tree, StrBuf *sql, DgError *err)
{
    Names names = {.first = true};
    for (int32_t i = 0; i < tree->members_count; i++) {
        /* `q.` tells the column from a table of that name. */
        Str column = str_format(&f->arena, "q.%.*s", FMT(dg_duckdb_name(&f->arena, tree->members[i].name)));
        add_column(f, sql, &names, &tree->members[i], (Str){0}, column, levels(f));
    }
    if (names.taken.entries.count > LIMIT_COLUMNS)
        return dg_fail(err, DG_DATA, "the files have more than %d columns", LIMIT_COLUMNS);
    return f->arena.failed || sql->failed ? os_no_memory(err, "for the columns of files") : DG_OK;
}

/* ---- Where the records are ---- */

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The part of JMESPath that says where records are: a."b c"[*].d[]; as DuckDB's JSON path. */
static bool path_of(Str jmespath, StrBuf *out, bool *many)
{
    ptrdiff_t i = 0;
    bool starred = false;
    *many = false;
    buf_char(out, '$');
    while (i < jmespath.len) {
        Str rest = str_sub(jmespath, i, jmespath.len);
        if (str_starts(rest, S("[*]")) || str_starts(rest, S("[]"))) {
            bool star = rest.ptr[1] == '*';
            if (star && starred) /* lists of lists: no records */
                return false;
            starred |= star;
            *many = true;
            buf_add(out, S("[*]"));
            i += star ? 3 : 2;
            continue;
        }
        if (i > 0) {
            if (jmespath.ptr[i] != '.')
                return false;
            i++;
        }
        bool quoted = i < jmespath.len && jmespath.ptr[i] == '"';
        ptrdiff_t start = i += quoted;
        while (i < jmespath.len && (quoted ? jmespath.ptr[i] != '"' && jmespath.ptr[i] != '\\' : is_name(jmespath.ptr[i])))
            i++;
        if (i == start || (quoted && (i == jmespath.len || jmespath.ptr[i] != '"')))
            return false;
        buf_format(out, ".\"%.*s\"", FMT(str_sub(jmespath, start, i)));
        i += quoted;
    }
    return jmespath.len > 0;
}

static DgStatus copy_records(FileRows *f, Str sql, int fd, const char *path, DgError *err)
{
    DgScan *scan;
    DgBatch batch = {0};
    int32_t count;
    DG_TRY(dg_scan_open(f->session, sql, &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &count);
    DgStatus status = dg_batch_init(&batch, columns, count, DG_BATCH_ROWS, err);
    StrBuf lines = {0};
    while (status == DG_OK) {
        status = dg_scan_next(scan, &batch, err);
        lines.len = 0;
        for (int32_t row = 0; row < batch.rows && status == DG_OK; row++) {
            if (!DG_VALID(&batch.vectors[0], row))
                continue;
            buf_add(&lines, dg_text_get(&batch.vectors[0], row));
            buf_char(&lines, '\n');
        }
        if (status == DG_OK)
            status = lines.failed ? os_no_memory(err, "for records") : os_write_all(fd, lines.ptr, lines.len, path, err);
    }
    buf_free(&lines);
    dg_batch_release(&batch);
    dg_scan_close(scan);
    return status == DG_END ? DG_OK : status;
}

static int64_t largest_file(const FileRows *f)
{
    int64_t most = 0;
    Arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < f->paths.count; i++) {
        struct stat info;
        size_t mark = arena_mark(&a);
        if (dg_os.stat(str_cstr(&a, f->paths.items[i]), &info) == 0 && info.st_size > most)
            most = info.st_size;
        arena_pop(&a, mark);
    }
    arena_free(&a);
    return most;
}

/* Records of at most so many bytes. DuckDB has buffers of twice as much, up to two for each thread: memory says how many
 * threads there can be. When a record is larger, a single thread gets as much as there is. */
static DgStatus expect_objects(FileRows *f, int64_t bytes, DgError *err)
{
    int64_t most = f->memory_max / 8 * 3, threads = f->memory_max / (6 * bytes);
    f->object_bytes = bytes < most ? bytes : most;
    if (threads >= dg_warehouse_threads(f->warehouse))
        return DG_OK;
    Str sql = str_format(&f->arena, "SET threads = %d", threads > 1 ? (int)threads : 1);
    return sql.ptr ? dg_session_exec(f->session, sql, err) : os_no_memory(err, "for an SQL statement");
}

static bool too_large(DgStatus status, const DgError *err)
{
    return status != DG_OK && str_find(str_from(err->message), S("maximum_object_size")) >= 0;
}

static DgStatus object_failed(FileRows *f, DgError *err)
{
    dg_fail(err, DG_DATA, "`%.*s`%s has a record of more than %lld MB", FMT(f->paths.items[0]), f->paths.count > 1 ? " or another of the files" : "",
            (long long)(f->object_bytes >> 20));
    dg_hint(err, "a record is held in memory whole: give the run more with --memory");
    return DG_DATA;
}

/* The records become the lines of a temporary file. */
static DgStatus extract(FileRows *f, DgError *err)
{
    StrBuf path = {.max = 64 << 10}, sql = {0};
    bool many;
    Str made;
    int fd;
    if (!path_of(f->how->jmespath, &path, &many)) {
        buf_free(&path);
        dg_fail(err, DG_CONFIG, "jmespath `%.*s` is more than dgc reads", FMT(f->how->jmespath));
        dg_hint(err, "a path of names, with [*] or [] where a list is: data.items, pages[].rows[*].value");
        return DG_CONFIG;
    }
    Str quoted = dg_duckdb_text(&f->arena, buf_str(&path));
    buf_free(&path);
    DG_TRY(format_one_partition(f, "jmespath", err));
    int64_t whole = f->format == DG_FILE_NDJSON ? 0 : largest_file(f) + 1; /* often the file is one record */
    DG_TRY(expect_objects(f, whole > OBJECT_BYTES ? whole : OBJECT_BYTES, err));
    buf_add(&sql, many ? S("SELECT unnest(v) FROM (SELECT json_extract(json, ")
                       : S("SELECT unnest(CASE json_type(v) WHEN 'ARRAY' THEN json_extract(v, '$[*]') ELSE [v] END) FROM "
                           "(SELECT json_extract(json, "));
    buf_add(&sql, quoted);
    buf_add(&sql, S(") AS v FROM read_json_objects("));
    format_paths(f, &sql);
    buf_format(&sql, ", format = '%s', maximum_object_size = %lld)) WHERE v IS NOT NULL%s",
               f->format == DG_FILE_NDJSON ? "newline_delimited" : "unstructured", (long long)f->object_bytes,
               many ? "" : " AND json_type(v) <> 'NULL'");
    DgStatus status = sql.failed ? os_no_memory(err, "for an SQL statement") : format_temporary(f, f->paths.items[0], ".ndjson", &made, &fd, err);
    if (status == DG_OK) {
        status = copy_records(f, buf_str(&sql), fd, made.ptr, err);
        os_close(fd);
        if (too_large(status, err))
            status = object_failed(f, err);
        f->paths = (StrArray){0};
        array_add(&f->arena, &f->paths, made);
        f->format = DG_FILE_NDJSON;
    }
    buf_free(&sql);
    if (status == DG_OK && largest_file(f) == 0)
        return dg_fail(err, DG_DATA, "there are no records at `%.*s`", FMT(f->how->jmespath));
    return status;
}

/* ---- The SELECT ---- */

static void add_reader(FileRows *f, StrBuf *sql, const DgTypeTree *columns)
{
    buf_add(sql, S("read_json("));
    format_paths(f, sql);
    buf_format(sql, ", union_by_name = true, format = '%s', maximum_object_size = %lld",
               f->format == DG_FILE_NDJSON ? "newline_delimited" : "auto", (long long)f->object_bytes);
    if (f->how->compression.len) {
        Str method = dg_duckdb_text(&f->arena, f->how->compression);
        buf_format(sql, ", compression = %.*s", FMT(method));
    }
    if (f->how->datetime_format.len) {
        bool date, time;
        Str form = dg_duckdb_text(&f->arena, format_datetime(&f->arena, f->how->datetime_format, &date, &time));
        buf_format(sql, ", %s = %.*s", time ? "timestampformat" : "dateformat", FMT(form));
    }
    if (!columns) { /* keys that few records have are columns too: neither rule may make maps of objects */
        buf_add(sql, S(", sample_size = -1, maximum_sample_files = 1000000, map_inference_threshold = -1, field_appearance_threshold = 0)"));
        return;
    }
    buf_add(sql, S(", columns = {"));
    for (int32_t i = 0; i < columns->members_count; i++) {
        StrBuf type = {0};
        add_type(f, &type, &columns->members[i], (Str){0}, levels(f));
        Str quoted = dg_duckdb_text(&f->arena, buf_str(&type)), name = dg_duckdb_text(&f->arena, columns->members[i].name);
        buf_format(sql, "%s%.*s: %.*s", i ? ", " : "", FMT(name), FMT(quoted));
        sql->failed |= type.failed;
        buf_free(&type);
    }
    buf_char(sql, '}');
    format_common(f, sql);
    buf_char(sql, ')');
}

static DgStatus find_types(FileRows *f, StrBuf *sql, DgTypeTree *out, DgError *err)
{
    sql->len = 0;
    buf_add(sql, S("SELECT * FROM "));
    add_reader(f, sql, NULL);
    return dg_session_types(f->session, &f->arena, buf_str(sql), out, err);
}

DgStatus json_select(FileRows *f, StrBuf *sql, DgError *err)
{
    DgTypeTree found, tree;
    StrBuf part = {0};
    JsonNumbers *numbers;
    bool extracts = f->how->jmespath.len > 0;
    DG_TRY(expect_objects(f, OBJECT_BYTES, err));
    DgStatus status = json_keep_numbers(f, &numbers, err);
    if (too_large(status, err)) {
        DG_TRY(expect_objects(f, f->memory_max, err));
        status = json_keep_numbers(f, &numbers, err);
    }
    if (too_large(status, err))
        status = object_failed(f, err);
    DG_TRY(status);
    if (extracts)
        DG_TRY(extract(f, err));
    DG_TRY(expect_objects(f, OBJECT_BYTES, err));
    status = find_types(f, &part, &found, err);
    if (too_large(status, err)) {
        DG_TRY(expect_objects(f, f->memory_max, err));
        status = find_types(f, &part, &found, err);
    }
    if (too_large(status, err))
        status = object_failed(f, err);
    for (int32_t i = 0; status == DG_OK && !extracts && i < found.members_count; i++) {
        Str type = json_number_type(f, numbers, found.members[i].name);
        if (type.len && !found.members[i].nested)
            found.members[i].type = type;
    }
    bool records = status == DG_OK && !(found.members_count == 1 && str_eq(found.members[0].name, S("json")));
    if (status == DG_OK && records) {
        part.len = 0;
        buf_add(&part, S("SELECT * FROM "));
        add_reader(f, &part, &found);
        if (needs_list(f))
            status = dg_session_types(f->session, &f->arena, buf_str(&part), &tree, err);
    }
    if (status == DG_OK && records && needs_list(f)) {
        buf_add(sql, S("SELECT "));
        status = format_select_list(f, &tree, sql, err);
        buf_format(sql, " FROM (%.*s) AS q", FMT(buf_str(&part)));
    } else if (status == DG_OK) {
        buf_add(sql, buf_str(&part));
    }
    if (part.failed)
        status = os_no_memory(err, "for an SQL statement");
    buf_free(&part);
    return status;
}
