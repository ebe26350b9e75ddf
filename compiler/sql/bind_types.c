/* bind_types.c - DuckDB's types as text, as its SQL writes them. */
#include "compiler/sql/bind_internal.h"

static const struct {
    duckdb_type id;
    const char *name;
} SIMPLE[] = {
    {DUCKDB_TYPE_BIGINT, "BIGINT"},         {DUCKDB_TYPE_VARCHAR, "VARCHAR"},
    {DUCKDB_TYPE_DOUBLE, "DOUBLE"},         {DUCKDB_TYPE_INTEGER, "INTEGER"},
    {DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP"},   {DUCKDB_TYPE_DATE, "DATE"},
    {DUCKDB_TYPE_BOOLEAN, "BOOLEAN"},       {DUCKDB_TYPE_HUGEINT, "HUGEINT"},
    {DUCKDB_TYPE_TINYINT, "TINYINT"},       {DUCKDB_TYPE_SMALLINT, "SMALLINT"},
    {DUCKDB_TYPE_UTINYINT, "UTINYINT"},     {DUCKDB_TYPE_USMALLINT, "USMALLINT"},
    {DUCKDB_TYPE_UINTEGER, "UINTEGER"},     {DUCKDB_TYPE_UBIGINT, "UBIGINT"},
    {DUCKDB_TYPE_UHUGEINT, "UHUGEINT"},     {DUCKDB_TYPE_FLOAT, "FLOAT"},
    {DUCKDB_TYPE_TIME, "TIME"},             {DUCKDB_TYPE_INTERVAL, "INTERVAL"},
    {DUCKDB_TYPE_BLOB, "BLOB"},             {DUCKDB_TYPE_UUID, "UUID"},
    {DUCKDB_TYPE_BIT, "BIT"},               {DUCKDB_TYPE_TIME_TZ, "TIMETZ"},
    {DUCKDB_TYPE_TIMESTAMP_S, "TIMESTAMP_S"},   {DUCKDB_TYPE_TIMESTAMP_MS, "TIMESTAMP_MS"},
    {DUCKDB_TYPE_TIMESTAMP_NS, "TIMESTAMP_NS"}, {DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMPTZ"},
    {DUCKDB_TYPE_STRING_LITERAL, "VARCHAR"},    {DUCKDB_TYPE_INTEGER_LITERAL, "INTEGER"},
    {DUCKDB_TYPE_SQLNULL, "INTEGER"}, /* what a table gets for a column of plain NULLs */
};
enum { SIMPLE_COUNT = sizeof SIMPLE / sizeof *SIMPLE, DEPTH_MAX = 32 };

static bool write_type(const DuckApi *api, duckdb_logical_type type, StrBuf *b, int depth);

static void write_name(StrBuf *b, const char *name)
{
    buf_char(b, '"');
    for (; name && *name; name++) {
        if (*name == '"')
            buf_char(b, '"');
        buf_char(b, *name);
    }
    buf_char(b, '"');
}

/* Writes a part's type and gives it back. */
static bool write_part(const DuckApi *api, duckdb_logical_type part, StrBuf *b, int depth)
{
    bool ok = write_type(api, part, b, depth + 1);
    api->destroy_logical_type(&part);
    return ok;
}

static bool write_members(const DuckApi *api, duckdb_logical_type type, StrBuf *b, int depth)
{
    bool is_union = api->get_type_id(type) == DUCKDB_TYPE_UNION;
    idx_t n = is_union ? api->union_type_member_count(type) : api->struct_type_child_count(type);
    bool ok = n > 0;
    buf_add(b, is_union ? S("UNION(") : S("STRUCT("));
    for (idx_t i = 0; ok && i < n; i++) {
        char *name = is_union ? api->union_type_member_name(type, i)
                              : api->struct_type_child_name(type, i);
        ok = name && (is_union || name[0]);
        buf_add(b, i ? S(", ") : S(""));
        write_name(b, name);
        buf_char(b, ' ');
        api->free(name);
        ok = ok && write_part(api, is_union ? api->union_type_member_type(type, i)
                                            : api->struct_type_child_type(type, i), b, depth);
    }
    buf_char(b, ')');
    return ok;
}

static bool write_enum(const DuckApi *api, duckdb_logical_type type, StrBuf *b)
{
    uint32_t n = api->enum_dictionary_size(type);
    buf_add(b, S("ENUM("));
    for (uint32_t i = 0; i < n && !b->failed; i++) {
        char *value = api->enum_dictionary_value(type, i);
        buf_add(b, i ? S(", '") : S("'"));
        for (const char *c = value; c && *c; c++) {
            if (*c == '\'')
                buf_char(b, '\'');
            buf_char(b, *c);
        }
        buf_char(b, '\'');
        api->free(value);
    }
    buf_char(b, ')');
    return n > 0 && !b->failed;
}

static bool write_nested(const DuckApi *api, duckdb_logical_type type, StrBuf *b, int depth)
{
    bool ok = true;
    switch (api->get_type_id(type)) {
    case DUCKDB_TYPE_LIST:
        ok = write_part(api, api->list_type_child_type(type), b, depth);
        buf_add(b, S("[]"));
        return ok;
    case DUCKDB_TYPE_ARRAY:
        ok = write_part(api, api->array_type_child_type(type), b, depth);
        buf_format(b, "[%llu]", (unsigned long long)api->array_type_array_size(type));
        return ok;
    case DUCKDB_TYPE_MAP:
        buf_add(b, S("MAP("));
        ok = write_part(api, api->map_type_key_type(type), b, depth);
        buf_add(b, S(", "));
        ok = write_part(api, api->map_type_value_type(type), b, depth) && ok;
        buf_char(b, ')');
        return ok;
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_UNION: return write_members(api, type, b, depth);
    case DUCKDB_TYPE_ENUM: return write_enum(api, type, b);
    default: return false;
    }
}

static bool write_type(const DuckApi *api, duckdb_logical_type type, StrBuf *b, int depth)
{
    duckdb_type id = api->get_type_id(type);
    if (id == DUCKDB_TYPE_DECIMAL) {
        buf_format(b, "DECIMAL(%d,%d)", api->decimal_width(type), api->decimal_scale(type));
        return true;
    }
    if (id == DUCKDB_TYPE_VARCHAR) { /* JSON is a VARCHAR of another name */
        char *alias = api->logical_type_get_alias(type);
        bool json = alias && str_eq(str_from(alias), S("JSON"));
        api->free(alias);
        buf_add(b, json ? S("JSON") : S("VARCHAR"));
        return true;
    }
    for (size_t i = 0; i < SIMPLE_COUNT; i++)
        if (SIMPLE[i].id == id) {
            buf_add(b, str_from(SIMPLE[i].name));
            return true;
        }
    return depth < DEPTH_MAX && write_nested(api, type, b, depth);
}

bool bind_type_text(Judge *j, duckdb_logical_type type, Str *out)
{
    duckdb_type id = j->api->get_type_id(type);
    for (size_t i = 0; i < SIMPLE_COUNT; i++)
        if (SIMPLE[i].id == id && id != DUCKDB_TYPE_VARCHAR) {
            *out = str_from(SIMPLE[i].name);
            return true;
        }
    StrBuf b = {.max = 1 << 20};
    bool ok = write_type(j->api, type, &b, 0) && !b.failed;
    *out = ok ? str_copy(&j->arena, buf_str(&b)) : (Str){0};
    buf_free(&b);
    return ok;
}

/* Anything else: DuckDB reads the text itself. */
static duckdb_logical_type parse_type(Judge *j, Str text)
{
    duckdb_prepared_statement s = NULL;
    duckdb_logical_type type = NULL;
    Str sql = str_format(&j->arena, "SELECT NULL::%.*s", FMT(text));
    if (j->api->prepare(j->reader, sql.ptr, &s) == DuckDBSuccess)
        type = j->api->prepared_statement_column_logical_type(s, 0);
    j->api->destroy_prepare(&s);
    return type;
}

duckdb_logical_type bind_type_of(Judge *j, Str text)
{
    duckdb_logical_type type = map_get(&j->types, text);
    if (type)
        return type;
    for (size_t i = 0; i < SIMPLE_COUNT && !type; i++)
        if (str_eq(str_from(SIMPLE[i].name), text))
            type = j->api->create_logical_type(SIMPLE[i].id);
    if (!type)
        type = parse_type(j, text);
    if (type)
        map_put(&j->arena, &j->types, str_copy(&j->arena, text), type);
    return type;
}

DgType bind_column_type(Str text)
{
    static const struct {
        const char *name;
        DgTypeKind kind;
    } ours[] = {
#define X(kind, name, width) {name, kind},
        DG_TYPES(X)
#undef X
    };
    Str head = str_sub(text, 0, 8), precision, scale;
    int64_t p = 38, s = 0;
    if (str_eq(head, S("DECIMAL(")) && str_ends(text, S(")")) &&
        str_cut(str_sub(text, 8, text.len - 1), ',', &precision, &scale) &&
        str_to_int(precision, &p) && str_to_int(scale, &s) && p > 0 && p <= 38 && s >= 0 && s <= p)
        return (DgType){DG_DECIMAL, (uint8_t)p, (uint8_t)s};
    if (str_eq(text, S("HUGEINT")) || str_eq(text, S("UHUGEINT")))
        return (DgType){DG_DECIMAL, 38, 0};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (ours[i].kind != DG_DECIMAL && str_eq_nocase(str_from(ours[i].name), text))
            return (DgType){.kind = (uint8_t)ours[i].kind};
    return (DgType){.kind = DG_TEXT};
}
