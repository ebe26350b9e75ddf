/* json.c - fields of NDJSON records. */
#include "runtime/base/base.h"
#include "runtime/data/batch.h"
#include "runtime/data/decode_impl.h"
#include "runtime/data/scalars.h"

void dg_json_begin(DgJson *j, DgBlock *block, DgBatch *out, int32_t *seen)
{
    *j = (DgJson){.at = block->at, .end = block->end, .block = block, .out = out, .row = out->rows,
                  .seen = seen};
    memset(seen, 0, sizeof *seen * (size_t)out->columns_count);
}

static void wrong(DgJson *j, const char *what, const char *p, const char *end, int32_t column)
{
    if (j->wrong)
        return;
    j->wrong = what;
    j->value = (DgStr){p, end - p};
    j->column = column;
    j->at = j->end;
}

static void blanks(DgJson *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
}

bool dg_json_next(DgJson *j)
{
    if (j->wrong || j->row >= j->out->rows_max)
        return false;
    blanks(j);
    while (j->at < j->end && *j->at == ',') { /* between the elements of an array */
        j->at++;
        blanks(j);
    }
    if (j->at >= j->end)
        return false;
    j->record = j->at;
    if (*j->at != '{') {
        wrong(j, "a record must be an object", j->at, j->at + 1, -1);
        return false;
    }
    j->at++;
    return true;
}

bool dg_json_key(DgJson *j, const char *quoted, int32_t len)
{
    const char *p = j->at;
    if (p < j->end && *p == ',')
        p++;
    while (p < j->end && *p == ' ')
        p++;
    if (j->end - p < len || memcmp(p, quoted, (size_t)len) != 0)
        return false;
    j->at = p + len;
    return true;
}

/* Behind a string that begins at p (its opening quote); NULL when it does not end. */
static const char *string_end(const char *p, const char *end, bool *escaped)
{
    for (p++; p < end; p++) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (!quote)
            return NULL;
        const char *back = memchr(p, '\\', (size_t)(quote - p));
        if (!back)
            return quote + 1;
        *escaped = true;
        p = back + 1;
    }
    return NULL;
}

/* Behind any value. Depth is bounded; NULL when it is not well formed. */
static const char *value_end(const char *p, const char *end)
{
    int depth = 0;
    bool escaped = false;
    for (; p && p < end; p++) {
        char c = *p;
        if (c == '"') {
            p = string_end(p, end, &escaped);
            if (!p)
                return NULL;
            if (!depth)
                return p;
            p--;
        } else if (c == '{' || c == '[') {
            if (++depth > LIMIT_JSON_DEPTH)
                return NULL;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return p;
            if (--depth == 0)
                return p + 1;
        } else if (depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            return p;
        }
    }
    return depth ? NULL : p;
}

/* The value that stands here. False: null (noted), or wrong. */
static bool take(DgJson *j, int32_t column, const char **p, const char **end)
{
    blanks(j);
    *p = j->at;
    *end = value_end(j->at, j->end);
    j->seen[column] = j->row + 1;
    if (!*end || *end == *p) {
        wrong(j, "the record is not well-formed JSON", j->record, j->at, -1);
        return false;
    }
    j->at = *end;
    if (*end - *p == 4 && memcmp(*p, "null", 4) == 0) {
        dg_set_null(&j->out->vectors[column], j->row);
        return false;
    }
    return true;
}

/* Numbers and dates may stand in quotes. */
static bool take_plain(DgJson *j, int32_t column, const char **p, const char **end)
{
    if (!take(j, column, p, end))
        return false;
    if (**p == '"' && *end - *p >= 2) {
        ++*p;
        --*end;
    }
    return true;
}

static void *slot(const DgJson *j, int32_t column, size_t width)
{
    return (char *)j->out->vectors[column].values + (size_t)j->row * width;
}

void dg_json_bool(DgJson *j, int32_t column)
{
    const char *p, *end;
    if (take_plain(j, column, &p, &end) && !scalar_bool(p, end, slot(j, column, 1)))
        wrong(j, "is not true or false", p, end, column);
}

void dg_json_int(DgJson *j, int32_t column)
{
    const char *p, *end;
    DgTypeKind kind = (DgTypeKind)j->out->columns[column].type.kind;
    if (take_plain(j, column, &p, &end) && !scalar_int(p, end, kind, slot(j, column, (size_t)dg_type_width(kind))))
        wrong(j, "is not an integer of its type", p, end, column);
}

void dg_json_double(DgJson *j, int32_t column)
{
    const char *p, *end;
    double v;
    if (!take_plain(j, column, &p, &end))
        return;
    if (!scalar_double(p, end, &v))
        wrong(j, "is not a number", p, end, column);
    else if (j->out->columns[column].type.kind == DG_FLOAT32)
        *(float *)slot(j, column, 4) = (float)v;
    else
        *(double *)slot(j, column, 8) = v;
}

void dg_json_decimal(DgJson *j, int32_t column)
{
    const char *p, *end;
    if (take_plain(j, column, &p, &end) && !scalar_decimal(p, end, j->out->columns[column].type, slot(j, column, 16)))
        wrong(j, "is not a decimal of its precision and scale", p, end, column);
}

void dg_json_date(DgJson *j, int32_t column)
{
    const char *p, *end;
    if (take_plain(j, column, &p, &end) && !scalar_date(p, end, slot(j, column, 4)))
        wrong(j, "is not a date (YYYY-MM-DD)", p, end, column);
}

void dg_json_timestamp(DgJson *j, int32_t column)
{
    const char *p, *end;
    if (take_plain(j, column, &p, &end) && !scalar_timestamp(p, end, slot(j, column, 8)))
        wrong(j, "is not a timestamp (YYYY-MM-DD HH:MM:SS)", p, end, column);
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static int32_t unit(const char *p, const char *end)
{
    int32_t u = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        if (hex(p[i]) < 0)
            return -1;
        u = u * 16 + hex(p[i]);
    }
    return u;
}

static size_t put_utf8(char *to, int32_t u)
{
    if (u < 0x80) {
        to[0] = (char)u;
        return 1;
    }
    size_t n = u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
    static const int first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--, u >>= 6)
        to[i] = (char)(0x80 | (u & 63));
    to[0] = (char)(first[n] | u);
    return n;
}

/* The text between the quotes, escapes resolved; never longer than as written. -1: bad escape. */
static ptrdiff_t unescape(const char *p, const char *end, char *to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    ptrdiff_t n = 0;
    while (p < end) {
        if (*p != '\\') {
            to[n++] = *p++;
            continue;
        }
        if (++p >= end)
            return -1;
        const char *known = *p ? strchr(from, *p) : NULL;
        if (known) {
            to[n++] = into[known - from];
            p++;
            continue;
        }
        int32_t u = *p == 'u' ? unit(p + 1, end) : -1;
        if (u < 0)
            return -1;
        p += 5;
        if (u >= 0xD800 && u < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
            int32_t low = unit(p + 2, end);
            if (low >= 0xDC00 && low < 0xE000) {
                u = 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00);
                p += 6;
            }
        }
        if (u >= 0xD800 && u < 0xE000)
            u = 0xFFFD; /* half a pair */
        n += (ptrdiff_t)put_utf8(to + n, u);
    }
    return n;
}

/* A key that comes twice: the text before is taken back. */
static void rewind_text(DgJson *j, int32_t column)
{
    DgVector *v = &j->out->vectors[column];
    v->bytes_count = (size_t)((const int32_t *)v->values)[j->row];
}

static void null_text(DgJson *j, int32_t column)
{
    dg_set_null(&j->out->vectors[column], j->row);
    dg_text_set(&j->out->vectors[column], j->row, "", 0);
}

static void text(DgJson *j, int32_t column, bool raw)
{
    const char *p, *end;
    DgVector *v = &j->out->vectors[column];
    if (j->seen[column] == j->row + 1)
        rewind_text(j, column);
    if (!take(j, column, &p, &end)) {
        if (!j->wrong)
            null_text(j, column);
        return;
    }
    bool fits;
    if (raw || *p != '"') {
        fits = dg_text_set(v, j->row, p, (size_t)(end - p));
    } else if (!memchr(p + 1, '\\', (size_t)(end - p - 2))) {
        fits = dg_text_set(v, j->row, p + 1, (size_t)(end - p - 2));
    } else {
        char *to = dg_text_reserve(v, (size_t)(end - p));
        ptrdiff_t n = to ? unescape(p + 1, end - 1, to) : 0;
        if (n < 0) {
            wrong(j, "holds an escape that JSON does not have", p, end, column);
            return;
        }
        fits = to && dg_text_commit(v, j->row, (size_t)n);
    }
    if (!fits)
        wrong(j, "is too much text for one batch", p, end, column);
}

void dg_json_text(DgJson *j, int32_t column)
{
    text(j, column, false);
}

void dg_json_raw(DgJson *j, int32_t column)
{
    text(j, column, true);
}

void dg_json_value(DgJson *j, int32_t column)
{
    switch ((DgTypeKind)j->out->columns[column].type.kind) {
    case DG_BOOL: dg_json_bool(j, column); break;
    case DG_FLOAT32: case DG_FLOAT64: dg_json_double(j, column); break;
    case DG_DECIMAL: dg_json_decimal(j, column); break;
    case DG_TEXT: dg_json_text(j, column); break;
    case DG_JSON: dg_json_raw(j, column); break;
    case DG_DATE: dg_json_date(j, column); break;
    case DG_TIMESTAMP: case DG_TIMESTAMPTZ: dg_json_timestamp(j, column); break;
    default: dg_json_int(j, column); break;
    }
}

static int32_t column_named(const DgJson *j, const char *p, size_t len)
{
    for (int32_t i = 0; i < j->out->columns_count; i++) {
        DgStr name = j->out->columns[i].path.len ? j->out->columns[i].path : j->out->columns[i].name;
        if ((size_t)name.len == len && memcmp(name.ptr, p, len) == 0)
            return i;
    }
    return -1;
}

void dg_json_rest(DgJson *j)
{
    while (!j->wrong) {
        blanks(j);
        if (j->at < j->end && *j->at == ',') {
            j->at++;
            continue;
        }
        if (j->at >= j->end || *j->at == '}')
            return;
        const char *key = j->at;
        bool escaped = false;
        const char *end = *key == '"' ? string_end(key, j->end, &escaped) : NULL;
        if (!end) {
            wrong(j, "the record is not well-formed JSON", j->record, j->at, -1);
            return;
        }
        j->at = end;
        blanks(j);
        if (j->at >= j->end || *j->at != ':') {
            wrong(j, "the record is not well-formed JSON", j->record, j->at, -1);
            return;
        }
        j->at++;
        int32_t column = column_named(j, key + 1, (size_t)(end - key - 2));
        if (column >= 0) {
            dg_json_value(j, column);
            continue;
        }
        blanks(j);
        const char *behind = value_end(j->at, j->end);
        if (!behind || behind == j->at)
            wrong(j, "the record is not well-formed JSON", j->record, j->at, -1);
        else
            j->at = behind;
    }
}

void dg_json_end(DgJson *j)
{
    if (j->wrong)
        return;
    blanks(j);
    if (j->at >= j->end || *j->at != '}') {
        wrong(j, "the record does not end", j->record, j->at, -1);
        return;
    }
    j->at++;
    for (int32_t i = 0; i < j->out->columns_count; i++) {
        if (j->seen[i] == j->row + 1)
            continue;
        if (dg_type_width((DgTypeKind)j->out->columns[i].type.kind))
            dg_set_null(&j->out->vectors[i], j->row);
        else
            null_text(j, i);
    }
    j->row++;
    j->block->at = j->at;
    j->out->rows = j->row;
}

DgStatus dg_json_done(DgJson *j, DgError *err)
{
    if (j->wrong)
        j->block->at = j->record;
    if (j->wrong)
        return dg_decode_failed(j->block, j->out, j->record, j->wrong, j->value, j->column, err);
    if (j->at >= j->end)
        j->block->at = j->end;
    return DG_OK;
}
