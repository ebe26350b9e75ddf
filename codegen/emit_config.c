/* emit_config.c - walks a config by its field table and prints what it finds. */
#include "codegen/emit_config_impl.h"

#include <stdlib.h>


Str emit_str(Arena *a, Str s)
{
    if (!s.len)
        return S("{0, 0}");
    return str_format(a, "{%.*s, %td}", FMT(c_string(a, s)), s.len);
}

/* ---- Types ---- */

static size_t kind_size(const DgField *f)
{
    switch (f->kind) {
#define X(name, text, ctype) case name: return SIZE_OF_##ctype;
#define SIZE_OF_DgStr sizeof(DgStr)
#define SIZE_OF_int64_t sizeof(int64_t)
#define SIZE_OF_double sizeof(double)
#define SIZE_OF_bool sizeof(bool)
#define SIZE_OF_int32_t sizeof(int32_t)
#define SIZE_OF_DgValue sizeof(DgValue)
#define SIZE_OF_DgList sizeof(DgList)
#define SIZE_OF_struct f->of_size
#define SIZE_OF_DgOneOf sizeof(DgOneOf)
#define SIZE_OF_DgCode sizeof(DgCode)
        DG_FIELD_KINDS(X)
#undef X
    }
    return 0;
}

static const char *kind_type(DgFieldKind k)
{
    switch (k) {
#define X(name, text, ctype) case name: return #ctype;
        DG_FIELD_KINDS(X)
#undef X
    }
    return "?";
}

/* By offset; where several names mean one member, the widest first. */
static int by_offset(const void *a, const void *b)
{
    const DgField *x = *(const DgField *const *)a, *y = *(const DgField *const *)b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    size_t size_x = kind_size(x), size_y = kind_size(y);
    return size_x > size_y ? -1 : size_x < size_y;
}

/* One field for each member, in the order of the struct. */
FieldArray config_members(Arena *a, const DgField *fields)
{
    FieldArray out = {0};
    for (; fields && fields->name; fields++)
        array_add(a, &out, fields);
    if (out.count)
        qsort(out.items, out.count, sizeof *out.items, by_offset);
    size_t kept = 0, end = 0;
    for (size_t i = 0; i < out.count; i++) {
        if (kept && out.items[i]->offset < end)
            continue;
        end = out.items[i]->offset + kind_size(out.items[i]);
        out.items[kept++] = out.items[i];
    }
    out.count = kept;
    return out;
}

/* Elements of a map begin with their key, which no field names. */
static const char map_key[] = "map_key";

/* A map of numbers and the like: key and value. */
static Str entry_type(EmitConfig *c, const DgField *f)
{
    Str key = str_format(c->arena, "entry of %d, %zu", (int)f->of_kind, f->of_size);
    Str *known = map_get(&c->types, key);
    if (known)
        return *known;
    known = push(c->arena, Str, 1);
    *known = emit_fresh(c->e, str_format(c->arena, "%s_entry", kind_type(f->of_kind)));
    map_put(c->arena, &c->types, key, known);
    EmitSection before = emit_section(c->e, EMIT_TYPES);
    emit_line(c->e, "typedef struct %.*s { DgStr key; %s value; } %.*s;", FMT(*known),
              kind_type(f->of_kind), FMT(*known));
    emit_line(c->e, "_Static_assert(sizeof(%.*s) == %zu, \"layout of %.*s\");\n", FMT(*known),
              f->of_size, FMT(*known));
    emit_section(c->e, before);
    return *known;
}

Str config_element(EmitConfig *c, const DgField *f)
{
    if (f->of_kind == DG_F_STRUCT)
        return config_struct(c, f->of, f->of_size, str_from(f->name), f->kind == DG_F_MAP);
    Str type = str_from(kind_type(f->of_kind));
    if (f->kind != DG_F_MAP)
        return type;
    return f->of_kind == DG_F_ANY ? S("DgValuePair") : str_eq(type, S("DgStr")) ? S("DgPair")
                                                                                : entry_type(c, f);
}

const char *config_member(Arena *a, const DgField *f)
{
    return c_keyword(str_from(f->name)) ? str_format(a, "%s_", f->name).ptr : f->name;
}

/* Every gap is written out, so that the layout is that of the component's struct by itself; the
 * assertion says so again. */
static void struct_members(EmitConfig *c, const FieldArray *order, const Str *types, size_t size,
                           bool keyed)
{
    size_t at = 0;
    int gaps = 0;
    if (keyed) {
        emit_line(c->e, "DgStr %s;", map_key);
        at = sizeof(DgStr);
    }
    for (size_t i = 0; i < order->count; i++) {
        const DgField *f = order->items[i];
        if (keyed && f->offset < sizeof(DgStr))
            continue;
        if (at < f->offset)
            emit_line(c->e, "char gap_%d[%zu];", gaps++, f->offset - at);
        emit_line(c->e, "%.*s %s;", FMT(types[i]), config_member(c->arena, f));
        at = f->offset + kind_size(f);
    }
    if (at < size)
        emit_line(c->e, "char gap_%d[%zu];", gaps, size - at);
}

Str config_struct(EmitConfig *c, const DgField *fields, size_t size, Str hint, bool keyed)
{
    Str key = str_format(c->arena, "%p %zu %d", (const void *)fields, size, keyed);
    Str *known = map_get(&c->types, key);
    if (known)
        return *known;
    known = push(c->arena, Str, 1);
    *known = emit_fresh(c->e, str_format(c->arena, "%.*s_config", FMT(hint)));
    map_put(c->arena, &c->types, key, known);

    FieldArray order = config_members(c->arena, fields);
    Str *types = push(c->arena, Str, order.count + 1);
    for (size_t i = 0; i < order.count; i++)
        types[i] = order.items[i]->kind == DG_F_STRUCT
                       ? config_struct(c, order.items[i]->of, order.items[i]->of_size,
                                     str_from(order.items[i]->name), false)
                       : str_from(kind_type(order.items[i]->kind));
    EmitSection before = emit_section(c->e, EMIT_TYPES);
    emit_open(c->e, "typedef struct %.*s", FMT(*known));
    struct_members(c, &order, types, size, keyed);
    if (!size)
        emit_line(c->e, "char nothing;");
    emit_close(c->e, str_cstr(c->arena, str_format(c->arena, " %.*s;", FMT(*known))));
    emit_line(c->e, "_Static_assert(sizeof(%.*s) == %zu, \"layout of %.*s\");\n", FMT(*known),
              size ? size : 1, FMT(*known));
    emit_section(c->e, before);
    return *known;
}

/* ---- Values ---- */

Str emit_int(Arena *a, int64_t n)
{
    if (n == INT64_MIN) /* its digits alone are no long */
        return S("(-9223372036854775807L - 1)");
    return str_format(a, "%lldL", (long long)n);
}

static void value_array(Emit *e, Arena *a, Str name, const char *part, const DgValue *values,
                        size_t count)
{
    Str *items = push(a, Str, count + 1);
    for (size_t i = 0; i < count; i++)
        items[i] = emit_value_literal(e, a, values[i]);
    emit_open(e, "static const DgValue %.*s_%s[] =", FMT(name), part);
    for (size_t i = 0; i < count; i++)
        emit_line(e, "%.*s,", FMT(items[i]));
    if (!count)
        emit_line(e, "{0, 0, {0}},");
    emit_close(e, ";");
}

Str emit_value_literal(Emit *e, Arena *a, DgValue v)
{
    switch (v.kind) {
    case DG_V_BOOL: return str_format(a, "{DG_V_BOOL, 0, {.b = %d}}", v.as.b);
    case DG_V_INT: return str_format(a, "{DG_V_INT, 0, {.i = %.*s}}", FMT(emit_int(a, v.as.i)));
    case DG_V_FLOAT: return str_format(a, "{DG_V_FLOAT, 0, {.f = %.*s}}", FMT(c_double(a, v.as.f)));
    case DG_V_STR: return str_format(a, "{DG_V_STR, 0, {.s = %.*s}}", FMT(emit_str(a, v.as.s)));
    case DG_V_BYTES: return str_format(a, "{DG_V_BYTES, 0, {.s = %.*s}}", FMT(emit_str(a, v.as.s)));
    case DG_V_LIST:
    case DG_V_TUPLE: {
        Str name = emit_fresh(e, S("items"));
        value_array(e, a, name, "of", v.as.list->items, v.as.list->count);
        emit_line(e, "static const DgValueList %.*s = {(DgValue *)%.*s_of, %zu};", FMT(name),
                  FMT(name), v.as.list->count);
        return str_format(a, "{%s, 0, {.list = (DgValueList *)&%.*s}}",
                          v.kind == DG_V_LIST ? "DG_V_LIST" : "DG_V_TUPLE", FMT(name));
    }
    case DG_V_DICT: {
        const DgValueDict *d = v.as.dict;
        Str name = emit_fresh(e, S("entries"));
        value_array(e, a, name, "keys", d->keys, d->count);
        value_array(e, a, name, "values", d->values, d->count);
        emit_line(e, "static const DgValueDict %.*s = {(DgValue *)%.*s_keys, (DgValue *)%.*s_values, "
                  "%zu};", FMT(name), FMT(name), FMT(name), d->count);
        return str_format(a, "{DG_V_DICT, 0, {.dict = (DgValueDict *)&%.*s}}", FMT(name));
    }
    case DG_V_NONE: return S("{DG_V_NONE, 0, {0}}");
    default: return S("{0, 0, {0}}");
    }
}

/* An object of the compiler (a date, an AssetKey) or a function has no form in C. */
static bool has_literal(DgValue v)
{
    if (v.kind == DG_V_OBJECT || v.kind == DG_V_FUNC)
        return false;
    bool ok = true;
    if (v.kind == DG_V_LIST || v.kind == DG_V_TUPLE)
        for (size_t i = 0; i < v.as.list->count; i++)
            ok = ok && has_literal(v.as.list->items[i]);
    if (v.kind == DG_V_DICT)
        for (size_t i = 0; i < v.as.dict->count; i++)
            ok = ok && has_literal(v.as.dict->keys[i]) && has_literal(v.as.dict->values[i]);
    return ok;
}

static Str any_literal(Walk *w, DgValue v)
{
    if (!has_literal(v)) {
        diag_report(w->c->diag, E0605, w->step->at,
                    "a setting of step `%.*s` holds an object that cannot stand in an executable",
                    FMT(w->step->name));
        return S("{0, 0, {0}}");
    }
    return emit_value_literal(w->c->e, w->c->arena, v);
}

static Str literal(Walk *w, const DgField *fields, const char *base, bool keyed);

static Str scalar(Walk *w, DgFieldKind kind, const void *at)
{
    Arena *a = w->c->arena;
    switch (kind) {
    case DG_F_INT: case DG_F_DURATION: case DG_F_SIZE: case DG_F_TIMESTAMP:
        return emit_int(a, *(const int64_t *)at);
    case DG_F_FLOAT: return c_double(a, *(const double *)at);
    case DG_F_BOOL: return *(const bool *)at ? S("true") : S("false");
    case DG_F_ENUM: return str_format(a, "%d", *(const int32_t *)at);
    case DG_F_ANY: return any_literal(w, *(const DgValue *)at);
    case DG_F_CODE:
        for (size_t i = 0; i < w->step->code.count; i++)
            if ((const void *)w->step->code.items[i].member == at)
                return str_format(a, "{(void (*)(void))%.*s}",
                                  FMT(w->c->code_name(w->c->ctx, w->step->code.items[i].unit)));
        return S("{0}");
    default: return emit_str(a, *(const Str *)at);
    }
}

static Str list_literal(Walk *w, const DgField *f, const DgList *list)
{
    Arena *a = w->c->arena;
    if (!list->count)
        return S("{0, 0}");
    Str type = config_element(w->c, f);
    Str *items = push(a, Str, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + i * f->of_size;
        if (f->of_kind == DG_F_STRUCT)
            items[i] = literal(w, f->of, item, f->kind == DG_F_MAP);
        else if (f->kind == DG_F_MAP)
            items[i] = str_format(a, "{%.*s, %.*s}", FMT(emit_str(a, *(const Str *)(const void *)item)),
                                  FMT(scalar(w, f->of_kind, item + sizeof(Str))));
        else
            items[i] = scalar(w, f->of_kind, item);
    }
    Str name = emit_fresh(w->c->e, str_format(a, "%.*s_%s", FMT(w->step->name), f->name));
    emit_open(w->c->e, "static const %.*s %.*s[] =", FMT(type), FMT(name));
    for (size_t i = 0; i < list->count; i++)
        emit_line(w->c->e, "%.*s,", FMT(items[i]));
    emit_close(w->c->e, ";");
    return str_format(a, "{(void *)%.*s, %zu}", FMT(name), list->count);
}

static Str one_of_literal(Walk *w, const DgField *f, const DgOneOf *one)
{
    Arena *a = w->c->arena;
    if (one->variant < 0)
        return S("{-1, 0}");
    const DgVariant *v = &f->variants[one->variant];
    Str type = config_struct(w->c, v->fields, v->size, str_from(v->name), false);
    Str text = literal(w, v->fields, one->config, false);
    Str name = emit_fresh(w->c->e, str_format(a, "%.*s_%s", FMT(w->step->name), f->name));
    emit_line(w->c->e, "static const %.*s %.*s = %.*s;", FMT(type), FMT(name), FMT(text));
    return str_format(a, "{%d, (void *)&%.*s}", one->variant, FMT(name));
}

static Str field_literal(Walk *w, const DgField *f, const void *at)
{
    switch (f->kind) {
    case DG_F_LIST:
    case DG_F_MAP: return list_literal(w, f, at);
    case DG_F_ONE_OF: return one_of_literal(w, f, at);
    case DG_F_STRUCT: return literal(w, f->of, at, false);
    default: return scalar(w, f->kind, at);
    }
}

static Str literal(Walk *w, const DgField *fields, const char *base, bool keyed)
{
    FieldArray order = config_members(w->c->arena, fields);
    StrBuf b = {0};
    buf_char(&b, '{');
    if (keyed)
        buf_format(&b, ".%s = %.*s", map_key,
                   FMT(emit_str(w->c->arena, *(const Str *)(const void *)base)));
    for (size_t i = 0; i < order.count; i++) {
        if (keyed && order.items[i]->offset < sizeof(Str))
            continue;
        buf_format(&b, "%s.%s = %.*s", b.len > 1 ? ", " : "", config_member(w->c->arena, order.items[i]),
                   FMT(field_literal(w, order.items[i], base + order.items[i]->offset)));
    }
    if (b.len == 1)
        buf_char(&b, '0');
    buf_char(&b, '}');
    Str out = str_copy(w->c->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

Str config_type(EmitConfig *c, const Step *step)
{
    const char *name = step->ops->name, *dot = strrchr(name, '.');
    return config_struct(c, step->ops->fields, step->ops->config_size, str_from(dot ? dot + 1 : name),
                       false);
}

Str emit_config(EmitConfig *c, const Step *step)
{
    if (!step->ops->config_size || !step->ops->fields)
        return (Str){0};
    Walk w = {c, step};
    Str type = config_type(c, step);
    EmitSection before = emit_section(c->e, EMIT_TABLES);
    FieldArray order = config_members(c->arena, step->ops->fields);
    Str *values = push(c->arena, Str, order.count + 1);
    for (size_t i = 0; i < order.count; i++)
        values[i] = field_literal(&w, order.items[i],
                                  (const char *)step->config + order.items[i]->offset);
    Str name = emit_fresh(c->e, str_format(c->arena, "%.*s_settings", FMT(step->name)));
    emit_open(c->e, "static const %.*s %.*s =", FMT(type), FMT(name));
    for (size_t i = 0; i < order.count; i++)
        emit_line(c->e, ".%s = %.*s,", config_member(c->arena, order.items[i]), FMT(values[i]));
    emit_close(c->e, ";");
    emit_section(c->e, before);
    return name;
}
