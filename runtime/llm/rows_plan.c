/* rows_plan.c - see rows.h: what dgc is told of a table that answers make. */
#include "runtime/llm/rows.h"

static void add_doubled(StrBuf *b, Str text, char quote)
{
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == quote)
            buf_char(b, quote);
        buf_char(b, text.ptr[i]);
    }
}

static void add_name(StrBuf *b, Str name)
{
    buf_char(b, '"');
    add_doubled(b, name, '"');
    buf_char(b, '"');
}

static const char *sql_type(const OutputField *f)
{
    switch (output_column_type(f).kind) {
    case DG_INT64: return "BIGINT";
    case DG_FLOAT64: return "DOUBLE";
    case DG_BOOL: return "BOOLEAN";
    case DG_DATE: return "DATE";
    case DG_TIMESTAMP: return "TIMESTAMP";
    case DG_JSON: return "JSON";
    default: return "VARCHAR";
    }
}

/* A column that a field of the YAML names: mistakes in it belong there. */
static void add_place(StrBuf *b, DgList *places, const DgStr *field)
{
    size_t start = b->len;
    add_name(b, *field);
    DG_ITEMS(DgSqlPlace, *places)[places->count++] = (DgSqlPlace){.start = start, .len = b->len - start, .field = field};
}

void answer_sql(DgPlanner *p, DgStr asset, const DgStr *from, const DgList *keep, const DgList *also, const OutputField *fields, size_t fields_count)
{
    StrBuf b = {0};
    size_t also_count = also ? also->count : 0;
    DgList places = {p->api->alloc(p, (keep->count + also_count + 1) * sizeof(DgSqlPlace)), 0};
    buf_add(&b, S("SELECT "));
    for (size_t i = 0; i < keep->count; i++) {
        add_place(&b, &places, &DG_ITEMS(DgStr, *keep)[i]);
        buf_add(&b, S(", "));
    }
    if (!keep->count) /* of the same name: the answer's */
        buf_add(&b, S("COLUMNS(c -> lower(c) NOT IN ("));
    for (size_t i = 0; i < fields_count && !keep->count; i++) {
        buf_add(&b, i ? S(", lower('") : S("lower('"));
        add_doubled(&b, fields[i].key, '\'');
        buf_add(&b, S("')"));
    }
    buf_add(&b, keep->count ? S("") : S(")), "));
    for (size_t i = 0; i < fields_count; i++) {
        buf_format(&b, "%sCAST(NULL AS %s) AS ", i ? ", " : "", sql_type(&fields[i]));
        add_name(&b, fields[i].key);
    }
    buf_add(&b, S(" FROM {{ ref('"));
    DG_ITEMS(DgSqlPlace, places)[places.count++] = (DgSqlPlace){.start = b.len, .len = (size_t)from->len, .field = from};
    buf_format(&b, "%.*s') }}", FMT(*from));
    for (size_t i = 0; i < also_count; i++) {
        buf_add(&b, i ? S(" AND (true OR ") : S(" WHERE (true OR "));
        add_place(&b, &places, &DG_ITEMS(DgStr, *also)[i]);
        buf_add(&b, S(" IS NULL)"));
    }
    p->api->sql(p, NULL, &(DgSqlDecl){.asset = asset, .text = p->api->format(p, "%.*s", FMT(buf_str(&b))), .places = places});
    buf_free(&b);
}
