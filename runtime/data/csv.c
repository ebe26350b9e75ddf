/* csv.c - fields of CSV records, one call each. */
#include <stdio.h>

#include "runtime/base/base.h"
#include "runtime/data/batch.h"
#include "runtime/data/decode_impl.h"
#include "runtime/data/reader.h"
#include "runtime/data/scalars.h"

void dg_csv_begin(DgCsv *c, DgBlock *block, DgBatch *out, char delimiter, char quote, char escape)
{
    *c = (DgCsv){.at = block->at, .end = block->end, .block = block, .out = out, .row = out->rows,
                 .delimiter = delimiter, .quote = quote, .escape = escape};
}

bool dg_csv_next(DgCsv *c)
{
    /* Empty lines are no records, unless a record has one column. */
    while (c->at < c->end && (*c->at == '\n' || *c->at == '\r') && c->out->columns_count > 1)
        c->at++;
    if (c->wrong || c->at >= c->end || c->row >= c->out->rows_max)
        return false;
    c->record = c->at;
    c->ended = false;
    return true;
}

static void wrong(DgCsv *c, const char *what, const char *p, const char *end, int32_t column)
{
    if (c->wrong)
        return;
    c->wrong = what;
    c->value = (DgStr){p, end - p};
    c->column = column;
}

typedef struct Field {
    const char *p, *end;
    bool quoted, escaped; /* escaped: doubled quotes inside are still there */
} Field;

static bool field_end(const DgCsv *c, const char *p)
{
    return p >= c->end || *p == c->delimiter || *p == '\n' || *p == '\r';
}

static void quoted_field(DgCsv *c, Field *f)
{
    const char *p = c->at + 1;
    f->p = p;
    f->quoted = true;
    for (;; p++) {
        if (c->escape != c->quote && p < c->end && *p == c->escape) {
            f->escaped = true;
            p++;
            continue;
        }
        const char *found = c->escape == c->quote && p < c->end ? memchr(p, c->quote, (size_t)(c->end - p)) : p;
        if (!found || found >= c->end) {
            wrong(c, "a quoted field does not end", c->at, c->end, -1);
            f->end = c->at = c->end;
            return;
        }
        p = found;
        if (*p != c->quote)
            continue;
        if (p + 1 < c->end && p[1] == c->quote && c->escape == c->quote) {
            f->escaped = true;
            p++;
            continue;
        }
        break;
    }
    f->end = p;
    c->at = p + 1;
    if (!field_end(c, c->at))
        wrong(c, "text follows a closing quote", f->p - 1, c->at + 1, -1);
}

/* The next field; *missing when the record has no more. Leaves `at` behind its delimiter. */
static bool next_field(DgCsv *c, Field *f)
{
    *f = (Field){0};
    if (c->wrong)
        return false;
    if (c->ended) {
        wrong(c, "the record has fewer fields than the header has columns", c->record, c->at, -1);
        return false;
    }
    if (c->at < c->end && *c->at == c->quote && c->quote) {
        quoted_field(c, f);
        if (c->wrong)
            return false;
    } else {
        const char *p = c->at;
        while (!field_end(c, p))
            p++;
        f->p = c->at;
        f->end = p;
        c->at = p;
    }
    if (c->at < c->end && *c->at == c->delimiter)
        c->at++;
    else
        c->ended = true;
    return true;
}

void dg_csv_skip(DgCsv *c)
{
    Field f;
    next_field(c, &f);
}

static bool is_null(const DgCsv *c, const Field *f)
{
    if (f->quoted)
        return false;
    if (f->p == f->end)
        return true;
    for (int32_t i = 0; i < c->block->nulls_count; i++) {
        const DgStr *n = &c->block->nulls[i];
        if (n->len == f->end - f->p && memcmp(n->ptr, f->p, (size_t)n->len) == 0)
            return true;
    }
    return false;
}

/* Takes a field for a value of fixed width; false when it is null or nothing is to be done. */
static bool value_field(DgCsv *c, int32_t column, Field *f)
{
    if (!next_field(c, f))
        return false;
    while (f->p < f->end && *f->p == ' ')
        f->p++;
    while (f->end > f->p && f->end[-1] == ' ')
        f->end--;
    if (!is_null(c, f) && !(f->quoted && f->p == f->end))
        return true;
    dg_set_null(&c->out->vectors[column], c->row);
    return false;
}

static void *slot(const DgCsv *c, int32_t column, size_t width)
{
    return (char *)c->out->vectors[column].values + (size_t)c->row * width;
}

void dg_csv_bool(DgCsv *c, int32_t column)
{
    Field f;
    if (value_field(c, column, &f) && !scalar_bool(f.p, f.end, slot(c, column, 1)))
        wrong(c, "is not true or false", f.p, f.end, column);
}

void dg_csv_int(DgCsv *c, int32_t column)
{
    Field f;
    DgTypeKind kind = (DgTypeKind)c->out->columns[column].type.kind;
    if (value_field(c, column, &f) &&
        !scalar_int(f.p, f.end, kind, slot(c, column, (size_t)dg_type_width(kind))))
        wrong(c, "is not an integer of its type", f.p, f.end, column);
}

void dg_csv_double(DgCsv *c, int32_t column)
{
    Field f;
    double v;
    if (!value_field(c, column, &f))
        return;
    if (!scalar_double(f.p, f.end, &v))
        wrong(c, "is not a number", f.p, f.end, column);
    else if (c->out->columns[column].type.kind == DG_FLOAT32)
        *(float *)slot(c, column, 4) = (float)v;
    else
        *(double *)slot(c, column, 8) = v;
}

void dg_csv_decimal(DgCsv *c, int32_t column)
{
    Field f;
    if (value_field(c, column, &f) &&
        !scalar_decimal(f.p, f.end, c->out->columns[column].type, slot(c, column, 16)))
        wrong(c, "is not a decimal of its precision and scale", f.p, f.end, column);
}

void dg_csv_date(DgCsv *c, int32_t column)
{
    Field f;
    if (value_field(c, column, &f) && !scalar_date(f.p, f.end, slot(c, column, 4)))
        wrong(c, "is not a date (YYYY-MM-DD)", f.p, f.end, column);
}

void dg_csv_timestamp(DgCsv *c, int32_t column)
{
    Field f;
    if (value_field(c, column, &f) && !scalar_timestamp(f.p, f.end, slot(c, column, 8)))
        wrong(c, "is not a timestamp (YYYY-MM-DD HH:MM:SS)", f.p, f.end, column);
}

/* Doubled or escaped quotes become one. */
static bool unescape_into(DgVector *v, int32_t row, const Field *f, const DgCsv *c)
{
    char *to = dg_text_reserve(v, (size_t)(f->end - f->p));
    size_t n = 0;
    if (!to)
        return false;
    for (const char *p = f->p; p < f->end; p++) {
        if (*p == c->escape && p + 1 < f->end && (c->escape != c->quote || p[1] == c->quote))
            p++;
        to[n++] = *p;
    }
    return dg_text_commit(v, row, n);
}

void dg_csv_text(DgCsv *c, int32_t column)
{
    Field f;
    DgVector *v = &c->out->vectors[column];
    if (!next_field(c, &f))
        return;
    bool fits;
    if (is_null(c, &f)) {
        dg_set_null(v, c->row);
        fits = dg_text_set(v, c->row, "", 0);
    } else if (f.escaped) {
        fits = unescape_into(v, c->row, &f, c);
    } else {
        fits = dg_text_set(v, c->row, f.p, (size_t)(f.end - f.p));
    }
    if (!fits)
        wrong(c, "is too much text for one batch", f.p, f.end, column);
}

void dg_csv_end(DgCsv *c)
{
    if (c->wrong)
        return;
    if (!c->ended) {
        wrong(c, "the record has more fields than the header has columns", c->record, c->at, -1);
        return;
    }
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end && *c->at == '\n')
        c->at++;
    c->row++;
    c->block->at = c->at;
    c->out->rows = c->row;
}

DgStatus dg_decode_failed(const DgBlock *b, const DgBatch *out, const char *record, const char *what,
                          DgStr value, int32_t column, DgError *err)
{
    int shown = (int)(value.len > 80 ? 80 : value.len);
    if (column < 0)
        dg_fail(err, DG_DATA, "%.*s:%lld: %s", FMT(b->file), (long long)dg_block_line(b, record), what);
    else
        dg_fail(err, DG_DATA, "%.*s:%lld: column `%.*s`: `%.*s` %s", FMT(b->file),
                (long long)dg_block_line(b, value.ptr), FMT(out->columns[column].name), shown, value.ptr, what);
    if (column >= 0)
        dg_hint(err, "give the column another type: `columns: {%.*s: varchar}`", FMT(out->columns[column].name));
    return DG_DATA;
}

DgStatus dg_csv_done(DgCsv *c, DgError *err)
{
    if (c->wrong)
        c->block->at = c->record; /* past blank lines, for dg_block_skip_record */
    if (c->wrong)
        return dg_decode_failed(c->block, c->out, c->record, c->wrong, c->value, c->column, err);
    if (c->at >= c->end)
        c->block->at = c->end;
    return DG_OK;
}
