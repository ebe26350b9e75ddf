/* Column types: names, widths, what people write for them. */
#include "runtime/data/batch.h"

static const struct {
    const char *name;
    int32_t width;
} TYPES[] = {
#define X(kind, text, width) [kind] = {text, width},
    DG_TYPES(X)
#undef X
};

int32_t dg_type_width(DgTypeKind k)
{
    return TYPES[k].width;
}

const char *dg_type_name(DgTypeKind k)
{
    return TYPES[k].name;
}

/* DuckDB's own aliases, and those of the databases people come from. */
static const struct {
    const char *name;
    DgTypeKind kind;
} ALIASES[] = {
    {"bool", DG_BOOL},           {"logical", DG_BOOL},
    {"int1", DG_INT8},           {"int2", DG_INT16},
    {"short", DG_INT16},         {"int16", DG_INT16},
    {"int", DG_INT32},           {"int4", DG_INT32},
    {"int32", DG_INT32},         {"signed", DG_INT32},
    {"int8", DG_INT64},          {"int64", DG_INT64},
    {"long", DG_INT64},          {"hugeint", DG_DECIMAL},
    {"uint8", DG_UINT8},         {"uint16", DG_UINT16},
    {"uint32", DG_UINT32},       {"uint64", DG_UINT64},
    {"real", DG_FLOAT32},        {"float4", DG_FLOAT32},
    {"float32", DG_FLOAT32},     {"float8", DG_FLOAT64},
    {"float64", DG_FLOAT64},     {"double precision", DG_FLOAT64},
    {"number", DG_DECIMAL},      {"numeric", DG_DECIMAL},
    {"dec", DG_DECIMAL},         {"text", DG_TEXT},
    {"string", DG_TEXT},         {"char", DG_TEXT},
    {"bpchar", DG_TEXT},         {"nvarchar", DG_TEXT},
    {"character varying", DG_TEXT}, {"character", DG_TEXT},
    {"bytea", DG_BINARY},        {"binary", DG_BINARY},
    {"varbinary", DG_BINARY},    {"bytes", DG_BINARY},
    {"datetime", DG_TIMESTAMP},  {"timestamp without time zone", DG_TIMESTAMP},
    {"timestamp with time zone", DG_TIMESTAMPTZ},
    {"timestamp_tz", DG_TIMESTAMPTZ}, {"time without time zone", DG_TIME},
    {"jsonb", DG_JSON},          {"variant", DG_JSON},
    {"object", DG_JSON},         {"array", DG_JSON},
};

static bool type_by_name(Str name, DgType *out)
{
    *out = (DgType){0};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (str_eq_nocase(name, str_from(TYPES[i].name))) {
            out->kind = (uint8_t)i;
            return true;
        }
    for (size_t i = 0; i < sizeof ALIASES / sizeof *ALIASES; i++)
        if (str_eq_nocase(name, str_from(ALIASES[i].name))) {
            out->kind = (uint8_t)ALIASES[i].kind;
            return true;
        }
    return false;
}

static bool parse_precision(Str args, DgType *out)
{
    Str first = args, second = S("0");
    str_cut(args, ',', &first, &second);
    int64_t precision, scale;
    if (!str_to_int(str_trim(first), &precision) || !str_to_int(str_trim(second), &scale))
        return false;
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
        return false;
    out->precision = (uint8_t)precision;
    out->scale = (uint8_t)scale;
    return true;
}

bool dg_type_parse(DgStr text, DgType *out)
{
    Str name = str_trim(text);
    ptrdiff_t paren = str_find_char(name, '(');
    if (paren < 0) {
        if (!type_by_name(name, out))
            return false;
        if (out->kind == DG_DECIMAL) {
            bool whole = str_eq_nocase(name, S("hugeint"));
            out->precision = whole ? 38 : 18;
            out->scale = whole ? 0 : 3;
        }
        return true;
    }
    ptrdiff_t close = str_find_char(name, ')');
    if (close < paren || !type_by_name(str_trim(str_sub(name, 0, paren)), out))
        return false;
    Str args = str_sub(name, paren + 1, close);
    Str after = str_trim(str_sub(name, close + 1, name.len));
    if (out->kind == DG_DECIMAL)
        return after.len == 0 && parse_precision(args, out);
    /* varchar(20), timestamp(6) with time zone: DuckDB takes the number and ignores it. */
    int64_t ignored;
    if (!str_to_int(str_trim(args), &ignored))
        return false;
    if (out->kind == DG_TIMESTAMP && str_eq_nocase(after, S("with time zone")))
        out->kind = DG_TIMESTAMPTZ;
    else if (after.len && !str_eq_nocase(after, S("without time zone")))
        return false;
    return out->kind == DG_TEXT || out->kind == DG_BINARY || out->kind == DG_TIMESTAMP ||
           out->kind == DG_TIMESTAMPTZ || out->kind == DG_TIME;
}
