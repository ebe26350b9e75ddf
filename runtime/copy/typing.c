/* typing.c - the types and keys that a replication asks for: max_decimals, column_typing, table_keys. */
#include "runtime/copy/copy.h"
#include "runtime/data/value_text.h"
#include "runtime/db/value_parse.h"

enum { DIGITS_MAX = 38 };

static const DgValue *part(const DgValue *dict, const char *key)
{
    return dict && dict->kind == DG_V_DICT ? dgv_get_str(*dict, str_from(key)) : NULL;
}

/* -1: not given. */
static int64_t number(const DgValue *dict, const char *key)
{
    const DgValue *v = part(dict, key);
    return v && v->kind == DG_V_INT ? v->as.i : -1;
}

static bool is_true(const DgValue *dict, const char *key)
{
    const DgValue *v = part(dict, key);
    return v && v->kind == DG_V_BOOL && v->as.b;
}

static Str text(const DgValue *dict, const char *key)
{
    const DgValue *v = part(dict, key);
    return v && v->kind == DG_V_STR ? v->as.s : (Str){0};
}

/* ---- Types ---- */

/* Digits after the point at most; -1: any. */
static int64_t max_decimals(const Copy *c)
{
    const DgValue *from = &c->s->source_options.max_decimals, *to = &c->s->target_options.max_decimals;
    int64_t a = from->kind == DG_V_INT ? from->as.i : -1, b = to->kind == DG_V_INT ? to->as.i : -1;
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int64_t at_least(int64_t v, int64_t least)
{
    return least >= 0 && v < least ? least : v;
}

static int64_t at_most(int64_t v, int64_t most)
{
    return most >= 0 && v > most ? most : v;
}

/* Digits before the point stay unless max_precision takes them. */
static void decimal_type(const Copy *c, DgType *type)
{
    const DgValue *rule = part(&c->s->target_options.column_typing, "decimal");
    Str as = text(rule, "cast_as");
    if (str_eq(as, S("float")) || str_eq(as, S("string"))) {
        *type = (DgType){str_eq(as, S("float")) ? DG_FLOAT64 : DG_TEXT, 0, 0};
        return;
    }
    int64_t before = type->precision - type->scale, scale = at_most(type->scale, max_decimals(c));
    scale = at_most(at_least(scale, number(rule, "min_scale")), number(rule, "max_scale"));
    int64_t precision = at_most(at_least(before + scale, number(rule, "min_precision")), number(rule, "max_precision"));
    precision = at_most(at_least(precision, 1), DIGITS_MAX);
    type->scale = (uint8_t)at_most(scale, precision);
    type->precision = (uint8_t)precision;
}

void copy_type(const Copy *c, DgType *type)
{
    const DgValue *typing = &c->s->target_options.column_typing;
    Str as;
    switch ((DgTypeKind)type->kind) {
    case DG_DECIMAL: decimal_type(c, type); break;
    case DG_JSON:
        if (is_true(part(typing, "json"), "as_text"))
            type->kind = DG_TEXT;
        break;
    case DG_BOOL:
        as = text(part(typing, "boolean"), "cast_as");
        if (as.len)
            type->kind = str_eq(as, S("integer")) ? DG_INT32 : DG_TEXT;
        break;
    default: break;
    }
}

int copy_decimals(const Copy *c, DgType from, DgType to)
{
    int64_t most = max_decimals(c);
    if (to.kind == DG_DECIMAL && from.kind == DG_DECIMAL && from.scale > to.scale)
        return to.scale;
    return (to.kind == DG_FLOAT64 || to.kind == DG_FLOAT32) && most >= 0 && most <= 15 ? (int)most : -1;
}

/* Half away from zero, on the digits as they are written: `-0.125` to two is `-0.13`. */
void copy_round(StrBuf *b, int decimals)
{
    char *dot = memchr(b->ptr, '.', b->len);
    if (!dot || b->len - (size_t)(dot - b->ptr) - 1 <= (size_t)decimals)
        return;
    bool up = dot[1 + decimals] >= '5';
    b->len = (size_t)(dot - b->ptr) + (decimals ? 1 + (size_t)decimals : 0);
    size_t first = b->ptr[0] == '-', i = b->len;
    for (; up && i > first; i--) {
        if (b->ptr[i - 1] == '.')
            continue;
        up = b->ptr[i - 1] == '9';
        b->ptr[i - 1] = up ? '0' : (char)(b->ptr[i - 1] + 1);
    }
    if (!up)
        return;
    buf_char(b, '0'); /* 9.99 becomes 10.0: one digit more in front */
    if (b->failed)
        return;
    memmove(b->ptr + first + 1, b->ptr + first, b->len - first - 1);
    b->ptr[first] = '1';
}

/* ---- Lengths of text ---- */

/* As the source's column has it; 0: none, or nobody knows. */
static int64_t source_length(const Copy *c, Str column)
{
    for (int32_t i = 0; i < c->info.columns_count; i++) {
        char words[64];
        int64_t numbers[2];
        if (!str_eq_nocase(c->info.columns[i].column.name, column))
            continue;
        bool sized = native_parts(c->info.columns[i].native, words, sizeof words, numbers) == 1 && strstr(words, "char");
        return sized ? numbers[0] : 0;
    }
    return 0;
}

/* `string(20)`. */
static int64_t declared_length(const Copy *c, Str column)
{
    const DgValue *v = copy_declared(c, column);
    char words[64];
    int64_t numbers[2];
    DgType type;
    Str rule, rest;
    if (!v || v->kind != DG_V_STR)
        return 0;
    rule = v->as.s;
    str_cut(v->as.s, '|', &rule, &rest);
    bool sized = native_parts(rule, words, sizeof words, numbers) == 1 && dg_column_type(rule, &type) && type.kind == DG_TEXT;
    return sized ? numbers[0] : 0;
}

static int64_t text_size(void *context, Str column)
{
    const Copy *c = context;
    const DgValue *rule = part(&c->s->target_options.column_typing, "string");
    int64_t declared = declared_length(c, column), length = source_length(c, column), factor = number(rule, "length_factor"), most = number(rule, "max_length");
    if (declared || !rule)
        return declared;
    if (is_true(rule, "use_max") || !length)
        return most > 0 ? most : 0;
    if (factor > 0)
        length = length > INT64_MAX / factor ? 0 : length * factor;
    return at_most(at_least(length, number(rule, "min_length")), most > 0 ? most : -1);
}

/* ---- Keys of the table ---- */

static DgStatus no_key(Copy *c, Str kind, const char *why, DgError *err)
{
    dg_fail(err, DG_CONFIG, "`table_keys.%.*s`: %s %s", FMT(kind), c->target.engine->title, why);
    dg_hint(err, "leave it out, or make the table with `table_ddl`");
    return DG_CONFIG;
}

static void add_names(Copy *c, StrBuf *b, DgValue names)
{
    if (names.kind == DG_V_STR)
        buf_format(b, "%s%.*s", b->len ? "," : "", FMT(names.as.s));
    for (size_t i = 0; names.kind == DG_V_LIST && i < names.as.list->count; i++)
        add_names(c, b, names.as.list->items[i]);
}

static Str joined(Copy *c, DgValue names)
{
    StrBuf b = {.max = 64 << 10};
    add_names(c, &b, names);
    Str out = str_copy(&c->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

/* `[a, b]` is one index of both, `[[a], [b]]` are two. */
static void add_index(Copy *c, StrArray *to, DgValue names)
{
    bool several = names.kind == DG_V_LIST && names.as.list->count && names.as.list->items[0].kind == DG_V_LIST;
    if (!several)
        array_add(&c->arena, to, joined(c, names));
    for (size_t i = 0; several && i < names.as.list->count; i++)
        array_add(&c->arena, to, joined(c, names.as.list->items[i]));
}

DgStatus copy_keys(Copy *c, DgLoadSpec *spec, DgError *err)
{
    DgValue keys = c->s->target_options.table_keys;
    bool duckdb = str_eq(str_from(c->target.engine->type), S("duckdb"));
    for (size_t i = 0; keys.kind == DG_V_DICT && i < keys.as.dict->count; i++) {
        Str kind = keys.as.dict->keys[i].kind == DG_V_STR ? keys.as.dict->keys[i].as.s : (Str){0};
        DgValue names = keys.as.dict->values[i];
        bool primary = str_eq(kind, S("primary")), unique = str_eq(kind, S("unique"));
        if (!joined(c, names).len)
            continue;
        if ((primary || unique) && duckdb)
            return no_key(c, kind, "checks such keys before old rows are gone, so rows cannot be replaced", err);
        if (primary)
            spec->primary_key = joined(c, names);
        else if (unique)
            add_index(c, &spec->unique_columns, names);
        else if (str_eq(kind, S("index")))
            add_index(c, &spec->index_columns, names);
        else
            return no_key(c, kind, "has no such keys", err);
    }
    spec->text_size = text_size;
    return DG_OK;
}
