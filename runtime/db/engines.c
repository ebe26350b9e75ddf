/* engines.c - the list of engines, and helpers that need nothing but the contract. */
#include "runtime/db/engine.h"

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/db/value_parse.h"

static const DgEngine *const engines[] = {&dg_engine_postgres, &dg_engine_mysql, &dg_engine_sqlite, &dg_engine_duckdb, NULL};

const DgEngine *const *engine_all(void)
{
    return engines;
}

const DgEngine *engine_find(Str type)
{
    for (const DgEngine *const *e = engines; *e; e++) {
        if (str_eq_nocase(type, str_from((*e)->type)))
            return *e;
        for (const char *const *alias = (*e)->aliases; alias && *alias; alias++)
            if (str_eq_nocase(type, str_from(*alias)))
                return *e;
    }
    return NULL;
}

/* ---- Names ---- */

void sql_name(StrBuf *out, const DgDialect *d, Str name)
{
    buf_char(out, d->quote);
    for (ptrdiff_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == d->quote)
            buf_char(out, d->quote);
        buf_char(out, name.ptr[i]);
    }
    buf_char(out, d->quote);
}

void sql_table(StrBuf *out, const DgDialect *d, DgTableName name)
{
    if (d->has_schemas && name.schema.len) {
        sql_name(out, d, name.schema);
        buf_char(out, '.');
    }
    sql_name(out, d, name.table);
}

/* One part, quoted or bare, from the front of *text. False: there is none. */
static bool take_part(Arena *a, Str *text, Str *part)
{
    char quote = text->len ? text->ptr[0] : '\0';
    ptrdiff_t i = 0, n = 0;
    if (quote != '"' && quote != '`') {
        while (i < text->len && text->ptr[i] != '.' && text->ptr[i] != '"' && text->ptr[i] != '`')
            i++;
        *part = str_trim(str_sub(*text, 0, i));
        *text = str_sub(*text, i, text->len);
        return part->len > 0 && str_find_char(*part, '\0') < 0;
    }
    char *out = push(a, char, text->len);
    if (!out)
        return false;
    for (i = 1; i < text->len; i++) {
        if (text->ptr[i] == quote && !(i + 1 < text->len && text->ptr[i + 1] == quote))
            break;
        i += text->ptr[i] == quote;
        out[n++] = text->ptr[i];
    }
    if (i == text->len || n == 0 || memchr(out, '\0', (size_t)n))
        return false;
    *part = (Str){out, n};
    *text = str_sub(*text, i + 1, text->len);
    return true;
}

bool table_name_parse(Arena *a, Str text, DgTableName *out)
{
    Str first, second = {0};
    text = str_trim(text);
    if (!take_part(a, &text, &first))
        return false;
    if (str_starts(text, S("."))) {
        text = str_sub(text, 1, text.len);
        if (!take_part(a, &text, &second))
            return false;
    }
    if (text.len)
        return false;
    *out = second.len ? (DgTableName){str_copy(a, first), str_copy(a, second)} : (DgTableName){{0}, str_copy(a, first)};
    return true;
}

/* `*` and `?`, as in a shell but without sets; ASCII letters in any case. Linear: it goes back to the
 * last star only. */
bool wild_match(Str pattern, Str text)
{
    ptrdiff_t p = 0, t = 0, star = -1, from = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.len && (pattern.ptr[p] == '?' ||
                                       str_eq_nocase(str_sub(pattern, p, p + 1), str_sub(text, t, t + 1)))) {
            p++, t++;
        } else if (star >= 0) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* ---- One value ---- */

/* The first value of the first row as text; nothing when it is NULL or there is no row. The result is
 * read to its end: an error may come late. */
static DgStatus first_value(DgDb *db, Str sql, StrBuf *out, DgError *err)
{
    DgRows *rows = NULL;
    DgBatch batch = {0};
    bool first = true;
    DG_TRY(db->engine->query(db, sql, &rows, err));
    DgStatus status = dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, err);
    while (status == DG_OK) {
        status = rows->next(rows, &batch, err);
        if ((status == DG_OK || status == DG_END) && first && batch.rows && rows->columns_count) {
            value_write_text(out, &batch.vectors[0], rows->columns[0].type, 0);
            first = false;
        }
    }
    dg_batch_release(&batch);
    rows_close(rows);
    if (status == DG_END)
        status = out->failed ? dg_fail(err, DG_NOMEM, "a value is too long") : DG_OK;
    return status;
}

DgStatus db_int(DgDb *db, Str sql, int64_t *out, DgError *err)
{
    StrBuf text = {.max = 1 << 16};
    *out = 0;
    DgStatus status = first_value(db, sql, &text, err);
    Str value = buf_str(&text), whole, fraction;
    /* Sums are decimals in some engines: `12.000` is a whole number too. */
    if (status == DG_OK && str_cut(value, '.', &whole, &fraction)) {
        while (str_ends(fraction, S("0")))
            fraction.len--;
        if (!fraction.len)
            value = whole;
    }
    if (status == DG_OK && value.len && !str_to_int(value, out)) {
        if (str_eq(value, S("true")) || str_eq(value, S("false")))
            *out = value.ptr[0] == 't';
        else
            status = dg_fail(err, DG_DATA, "expected a whole number from the query, got `%.*s`",
                             (int)(value.len > 60 ? 60 : value.len), value.ptr);
    }
    buf_free(&text);
    return status;
}

DgStatus db_text(DgDb *db, Arena *a, Str sql, Str *out, DgError *err)
{
    StrBuf text = {0};
    *out = (Str){0};
    DgStatus status = first_value(db, sql, &text, err);
    if (status == DG_OK && text.len) {
        *out = str_copy(a, buf_str(&text));
        if (!out->ptr)
            status = dg_fail(err, DG_NOMEM, "out of memory for a value of a query");
    }
    buf_free(&text);
    return status;
}
