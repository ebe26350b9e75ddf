/* json_numbers.c - see json_numbers.h. */
#include "runtime/files/json_numbers.h"

#include <fcntl.h>
#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/os/os.h"

enum { DIGITS_MAX = 15, DECIMAL_MAX = 38, PATHS_MAX = 100000, DEPTH_MAX = 1024, PATH_BYTES_MAX = 64 << 10, LOOK_BYTES = 1 << 20 };

typedef struct NumberPath {
    int whole, scale;   /* digits before and after the point, at most */
    bool real;          /* a fraction or an exponent: a double for DuckDB */
    bool exponent;
    bool beyond;        /* an integer outside of 64 bits */
    bool longer;        /* more digits than a double is sure to hold */
    bool other;         /* values that are no numbers, null aside */
    bool lossy;
} NumberPath;

struct JsonNumbers {
    Arena *arena;
    Map paths;
    bool lossy, failed;
    StrBuf path;        /* of the value at hand: \x1f before each part, * for a list */
    size_t bases[DEPTH_MAX];
    char closes[DEPTH_MAX];
};

JsonNumbers *json_numbers_new(Arena *a)
{
    JsonNumbers *n = push(a, JsonNumbers, 1);
    if (n) {
        n->arena = a;
        n->path.max = PATH_BYTES_MAX;
    }
    return n;
}

void json_numbers_done(JsonNumbers *n)
{
    buf_free(&n->path);
    n->path = (StrBuf){.max = PATH_BYTES_MAX};
}

/* ---- A number ---- */

/* Out of a double's range, or nearly so: infinite, or zero. */
static bool exponent_is_far(Str exponent)
{
    int64_t value;
    if (str_starts(exponent, S("+")))
        exponent = str_sub(exponent, 1, exponent.len);
    return !str_to_int(exponent, &value) || value > 290 || value < -290;
}

static void look_at(NumberPath *p, Str number)
{
    int whole = 0, scale = 0, digits = 0, zeros = 0;
    bool point = false;
    int64_t value;
    Str plain = number;
    for (ptrdiff_t i = 0; i < number.len; i++) {
        char c = number.ptr[i];
        if (c == 'e' || c == 'E') {
            p->exponent = p->real = true;
            p->longer |= exponent_is_far(str_sub(number, i + 1, number.len));
            break;
        }
        if (c == '.')
            point = p->real = true;
        if (c < '0' || c > '9')
            continue;
        whole += !point && (whole || c != '0');
        scale += point;
        /* Zeros at the end say nothing that a double loses. */
        if (c == '0' && digits) {
            zeros++;
        } else if (c != '0') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    p->whole = whole > p->whole ? whole : p->whole;
    p->scale = scale > p->scale ? scale : p->scale;
    p->longer |= digits > DIGITS_MAX;
    p->beyond |= !p->real && !str_to_int(plain, &value);
}

static NumberPath *path_of(JsonNumbers *n)
{
    NumberPath *p = map_get(&n->paths, buf_str(&n->path));
    if (p || n->failed)
        return p;
    n->failed = n->paths.entries.count >= PATHS_MAX || n->path.failed || !(p = push(n->arena, NumberPath, 1));
    if (!n->failed)
        map_put(n->arena, &n->paths, str_copy(n->arena, buf_str(&n->path)), p);
    n->failed |= n->arena->failed;
    return n->failed ? NULL : p;
}

/* ---- A record ---- */

static ptrdiff_t string_end(Str s, ptrdiff_t i)
{
    for (i++; i < s.len && s.ptr[i] != '"'; i++)
        i += s.ptr[i] == '\\';
    return i < s.len ? i + 1 : s.len;
}

static bool in_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static void copy(StrBuf *out, Str text)
{
    if (out)
        buf_add(out, text);
}

static void take_number(JsonNumbers *n, Str number, StrBuf *out)
{
    if (!out) {
        NumberPath *p = path_of(n);
        if (p)
            look_at(p, number);
        return;
    }
    const NumberPath *p = map_get(&n->paths, buf_str(&n->path));
    bool quoted = p && p->lossy;
    buf_add(out, quoted ? S("\"") : S(""));
    buf_add(out, number);
    buf_add(out, quoted ? S("\"") : S(""));
}

static void take_other(JsonNumbers *n, StrBuf *out)
{
    NumberPath *p = out ? NULL : path_of(n);
    if (p)
        p->other = true;
}

static bool walk(JsonNumbers *n, Str s, StrBuf *out)
{
    int depth = 0;
    bool key = false;
    n->path.len = 0;
    for (ptrdiff_t i = 0; i < s.len && !n->failed;) {
        char c = s.ptr[i];
        ptrdiff_t end = i + 1;
        if (c == '"') {
            end = string_end(s, i);
            copy(out, str_sub(s, i, end));
            if (key) {
                n->path.len = n->bases[depth - 1];
                buf_char(&n->path, '\x1f');
                buf_add(&n->path, str_sub(s, i + 1, end - 1));
                key = false;
            } else {
                take_other(n, out);
            }
        } else if ((c >= '0' && c <= '9') || c == '-') {
            while (end < s.len && in_number(s.ptr[end]))
                end++;
            take_number(n, str_sub(s, i, end), out);
        } else if (c == '{' || c == '[') {
            if (depth == DEPTH_MAX)
                return false;
            copy(out, str_sub(s, i, end));
            n->bases[depth] = n->path.len;
            n->closes[depth++] = c == '{' ? '}' : ']';
            key = c == '{';
            if (c == '[')
                buf_add(&n->path, S("\x1f*"));
        } else if (c == '}' || c == ']') {
            copy(out, str_sub(s, i, end));
            if (depth > 0)
                n->path.len = n->bases[--depth];
            key = false;
        } else if (c == ',') {
            copy(out, str_sub(s, i, end));
            key = depth > 0 && n->closes[depth - 1] == '}';
        } else if (c == '\n' || c == '\r') {
            copy(out, S(" "));
        } else {
            if (c == 't' || c == 'f')
                take_other(n, out);
            while (end < s.len && s.ptr[end] >= 'a' && s.ptr[end] <= 'z')
                end++;
            copy(out, str_sub(s, i, end));
        }
        i = end;
    }
    return !n->failed && !n->path.failed && !(out && out->failed);
}

bool json_numbers_look(JsonNumbers *n, Str record)
{
    return walk(n, record, NULL);
}

bool json_numbers_quote(JsonNumbers *n, Str record, StrBuf *out)
{
    return walk(n, record, out);
}

void json_numbers_settle(JsonNumbers *n)
{
    for (size_t i = 0; i < n->paths.entries.count; i++) {
        NumberPath *p = n->paths.entries.items[i].value;
        p->lossy = p->longer && (p->real || p->beyond);
        n->lossy |= p->lossy;
    }
}

/* ---- Files ---- */

/* The records as they are written. Compression is by the ending, unless it is given. */
static void add_records(FileRows *f, StrBuf *sql)
{
    buf_add(sql, S("read_json_objects("));
    format_paths(f, sql);
    buf_format(sql, ", format = '%s', maximum_object_size = %lld", f->format == DG_FILE_NDJSON ? "newline_delimited" : "auto", (long long)f->object_bytes);
    if (f->how->compression.len)
        buf_format(sql, ", compression = %.*s", FMT(dg_duckdb_text(&f->arena, f->how->compression)));
    buf_char(sql, ')');
}

/* A run of digits that a number may be: 16 of them, or an exponent of three. Texts may have one, too; then the records
 * are looked at for nothing. */
typedef struct Look {
    char before;        /* the byte before the run; 0: the file begins */
    char last;
    int run, exponent;  /* exponent: its digits; -1: not in one */
} Look;

static bool look_for_run(Look *l, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        bool digit = c >= '0' && c <= '9';
        if (l->exponent >= 0 && (digit || ((c == '+' || c == '-') && l->exponent == 0))) {
            l->exponent += digit;
            if (l->exponent >= 3)
                return true;
        } else if (digit || (c == '.' && l->run)) {
            l->before = l->run ? l->before : l->last;
            l->run++;
            l->exponent = -1;
            if (l->run > DIGITS_MAX && (l->before == 0 || strchr(" \t\r\n:,[-", l->before)))
                return true;
        } else {
            l->exponent = (c == 'e' || c == 'E') && l->run ? 0 : -1;
            l->run = 0;
        }
        l->last = c;
    }
    return false;
}

static DgStatus look_into(const char *path, char *buffer, size_t room, bool *found, DgError *err)
{
    Look look = {.exponent = -1};
    int fd;
    size_t got = 1;
    DG_TRY(os_open(path, O_RDONLY, 0, &fd, err));
    DgStatus status = DG_OK;
    while (status == DG_OK && got && !*found) {
        status = os_read_some(fd, buffer, room, &got, path, err);
        *found = status == DG_OK && look_for_run(&look, buffer, got);
    }
    os_close(fd);
    return status;
}

static DgStatus has_long_numbers(FileRows *f, bool *found, DgError *err)
{
    char *buffer = os_alloc(LOOK_BYTES);
    DgStatus status = buffer ? DG_OK : os_no_memory(err, "for reading files");
    *found = false;
    for (size_t i = 0; status == DG_OK && i < f->paths.count && !*found; i++) {
        char *path = str_cstr(&f->arena, f->paths.items[i]);
        Str packed = f->how->compression.len ? f->how->compression : format_compression_of(f->paths.items[i]);
        if (!path)
            status = os_no_memory(err, "for a path");
        else if (!str_eq(packed, S("none")))
            *found = true; /* its records are looked at as they are unpacked */
        else
            status = look_into(path, buffer, LOOK_BYTES, found, err);
    }
    os_free(buffer);
    return status;
}

/* fd < 0: a look; else each record becomes a line there. */
static DgStatus each_record(FileRows *f, JsonNumbers *n, int fd, const char *path, DgError *err)
{
    DgScan *scan;
    DgBatch batch = {0};
    int32_t count;
    StrBuf sql = {0}, lines = {0};
    buf_add(&sql, S("SELECT json::VARCHAR FROM "));
    add_records(f, &sql);
    DgStatus status = sql.failed ? os_no_memory(err, "for an SQL statement") : dg_scan_open(f->session, buf_str(&sql), &scan, err);
    buf_free(&sql);
    DG_TRY(status);
    status = dg_batch_init(&batch, dg_scan_columns(scan, &count), 1, DG_BATCH_ROWS, err);
    while (status == DG_OK) {
        dg_batch_reset(&batch);
        status = dg_scan_next(scan, &batch, err);
        bool good = true, ended = status == DG_END;
        lines.len = 0;
        for (int32_t row = 0; row < batch.rows && good && (status == DG_OK || ended); row++) {
            if (!DG_VALID(&batch.vectors[0], row))
                continue;
            good = fd < 0 ? json_numbers_look(n, dg_text_get(&batch.vectors[0], row)) : json_numbers_quote(n, dg_text_get(&batch.vectors[0], row), &lines);
            if (fd >= 0)
                buf_char(&lines, '\n');
        }
        if (!good)
            status = dg_fail(err, DG_DATA, "`%.*s` has too many or too deep objects with long numbers", FMT(f->paths.items[0]));
        else if ((status == DG_OK || ended) && fd >= 0)
            status = lines.failed ? os_no_memory(err, "for records") : os_write_all(fd, lines.ptr, lines.len, path, err);
        if (status == DG_OK && ended)
            status = DG_END;
    }
    buf_free(&lines);
    dg_batch_release(&batch);
    dg_scan_close(scan);
    return status == DG_END ? DG_OK : status;
}

static DgStatus rewrite(FileRows *f, JsonNumbers *n, DgError *err)
{
    Str made;
    int fd;
    DgReadFormat *how = push(&f->arena, DgReadFormat, 1);
    if (!how)
        return os_no_memory(err, "for reading files");
    if (f->how->file_column.len) {
        dg_fail(err, DG_DATA, "`%.*s` has numbers of more than %d digits, which cannot be kept together with a column of file names", FMT(f->paths.items[0]), DIGITS_MAX);
        dg_hint(err, "leave out the column of file names");
        return DG_DATA;
    }
    DG_TRY(format_one_partition(f, "numbers of so many digits", err));
    DG_TRY(format_temporary(f, f->paths.items[0], ".ndjson", &made, &fd, err));
    DgStatus status = each_record(f, n, fd, made.ptr, err);
    os_close(fd);
    *how = *f->how;
    how->compression = (Str){0};
    f->how = how;
    f->paths = (StrArray){0};
    array_add(&f->arena, &f->paths, made);
    f->format = DG_FILE_NDJSON;
    return status == DG_OK && f->arena.failed ? os_no_memory(err, "for reading files") : status;
}

DgStatus json_keep_numbers(FileRows *f, JsonNumbers **out, DgError *err)
{
    bool any;
    *out = NULL;
    DG_TRY(has_long_numbers(f, &any, err));
    if (!any)
        return DG_OK;
    JsonNumbers *n = json_numbers_new(&f->arena);
    if (!n)
        return os_no_memory(err, "for reading files");
    DgStatus status = each_record(f, n, -1, NULL, err);
    json_numbers_settle(n);
    if (status == DG_OK && n->lossy) {
        status = rewrite(f, n, err);
        *out = n;
    }
    json_numbers_done(n);
    return status;
}

Str json_number_type(FileRows *f, const JsonNumbers *n, Str column)
{
    Str key = str_format(&f->arena, "\x1f%.*s", FMT(column));
    const NumberPath *p = n ? map_get(&n->paths, key) : NULL;
    if (!p || !p->lossy)
        return (Str){0};
    int digits = (p->whole ? p->whole : 1) + p->scale;
    if (p->other || p->exponent || digits > DECIMAL_MAX)
        return S("VARCHAR");
    return str_format(&f->arena, "DECIMAL(%d,%d)", digits, p->scale);
}
