/* emit_config.c - walks a config by its field table and prints what it finds. */
#include "codegen/emit_config.h"

#include <stdlib.h>

typedef struct Walk {
    EmitConfig *c;
    const Step *step;
} Walk;

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

static int by_offset(const void *a, const void *b)
{
    const DgField *x = *(const DgField *const *)a, *y = *(const DgField *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

typedef Array(const DgField *) FieldArray;

/* One field per offset, in offset order: several names may mean one member. */
static FieldArray in_order(Arena *a, const DgField *fields)
{
    FieldArray out = {0};
    for (; fields && fields->name; fields++)
        array_add(a, &out, fields);
    if (out.count)
        qsort(out.items, out.count, sizeof *out.items, by_offset);
    size_t kept = 0;
    for (size_t i = 0; i < out.count; i++)
        if (!kept || out.items[kept - 1]->offset != out.items[i]->offset)
            out.items[kept++] = out.items[i];
    out.count = kept;
    return out;
}

static Str struct_type(EmitConfig *c, const DgField *fields, size_t size, Str hint);

static Str element_type(EmitConfig *c, const DgField *f)
{
    if (f->of_kind == DG_F_STRUCT)
        return struct_type(c, f->of, f->of_size, str_from(f->name));
    if (f->kind == DG_F_MAP)
        return f->of_kind == DG_F_ANY ? S("DgValuePair") : S("DgPair");
    return str_from(kind_type(f->of_kind));
}

static Str struct_type(EmitConfig *c, const DgField *fields, size_t size, Str hint)
{
    Str key = {(const char *)&fields, sizeof fields};
    Str *known = map_get(&c->types, key);
    if (known)
        return *known;
    known = push(c->arena, Str, 1);
    *known = emit_fresh(c->e, str_format(c->arena, "%.*s_config", FMT(hint)));
    map_put(c->arena, &c->types, str_copy(c->arena, key), known);

    FieldArray order = in_order(c->arena, fields);
    Str *types = push(c->arena, Str, order.count + 1);
    for (size_t i = 0; i < order.count; i++)
        types[i] = order.items[i]->kind == DG_F_STRUCT
                       ? struct_type(c, order.items[i]->of, order.items[i]->of_size,
                                     str_from(order.items[i]->name))
                       : str_from(kind_type(order.items[i]->kind));
    EmitSection before = emit_section(c->e, EMIT_TYPES);
    emit_open(c->e, "typedef struct %.*s", FMT(*known));
    size_t at = 0;
    int gaps = 0;
    for (size_t i = 0; i < order.count; i++) {
        const DgField *f = order.items[i];
        size_t align = f->kind == DG_F_BOOL ? 1 : f->kind == DG_F_ENUM ? 4 : 8;
        size_t natural = (at + align - 1) / align * align;
        if (natural < f->offset)
            emit_line(c->e, "char gap_%d[%zu];", gaps++, f->offset - at);
        emit_line(c->e, "%.*s %s;", FMT(types[i]), f->name);
        at = f->offset + kind_size(f);
    }
    if (at + 7 < size || (at % 8 == 0 && at < size))
        emit_line(c->e, "char gap_%d[%zu];", gaps, size - at);
    if (!order.count && !size)
        emit_line(c->e, "char nothing;");
    emit_close(c->e, str_cstr(c->arena, str_format(c->arena, " %.*s;", FMT(*known))));
    if (size)
        emit_line(c->e, "_Static_assert(sizeof(%.*s) == %zu, \"layout of %.*s\");\n", FMT(*known),
                  size, FMT(*known));
    emit_section(c->e, before);
    return *known;
}

/* ---- Values ---- */

Str emit_value_literal(Emit *e, Arena *a, DgValue v)
{
    switch (v.kind) {
    case DG_V_BOOL: return str_format(a, "{DG_V_BOOL, 0, {.b = %d}}", v.as.b);
    case DG_V_INT: return str_format(a, "{DG_V_INT, 0, {.i = %lldL}}", (long long)v.as.i);
    case DG_V_FLOAT: return str_format(a, "{DG_V_FLOAT, 0, {.f = %.*s}}", FMT(c_double(a, v.as.f)));
    case DG_V_STR: return str_format(a, "{DG_V_STR, 0, {.s = %.*s}}", FMT(emit_str(a, v.as.s)));
    case DG_V_LIST:
    case DG_V_TUPLE: {
        Str name = emit_fresh(e, S("items"));
        Str *items = push(a, Str, v.as.list->count + 1);
        for (size_t i = 0; i < v.as.list->count; i++)
            items[i] = emit_value_literal(e, a, v.as.list->items[i]);
        emit_open(e, "const DgValue %.*s_of[] =", FMT(name));
        for (size_t i = 0; i < v.as.list->count; i++)
            emit_line(e, "%.*s,", FMT(items[i]));
        emit_line(e, "{0, 0, {0}},");
        emit_close(e, ";");
        emit_line(e, "const DgValueList %.*s = {(DgValue *)%.*s_of, %zu};", FMT(name), FMT(name),
                  v.as.list->count);
        return str_format(a, "{%s, 0, {.list = (DgValueList *)&%.*s}}",
                          v.kind == DG_V_LIST ? "DG_V_LIST" : "DG_V_TUPLE", FMT(name));
    }
    case DG_V_DICT: {
        const DgValueDict *d = v.as.dict;
        Str name = emit_fresh(e, S("entries"));
        Str *keys = push(a, Str, d->count + 1), *values = push(a, Str, d->count + 1);
        for (size_t i = 0; i < d->count; i++) {
            keys[i] = emit_value_literal(e, a, d->keys[i]);
            values[i] = emit_value_literal(e, a, d->values[i]);
        }
        for (int side = 0; side < 2; side++) {
            emit_open(e, "const DgValue %.*s_%s[] =", FMT(name), side ? "values" : "keys");
            for (size_t i = 0; i < d->count; i++)
                emit_line(e, "%.*s,", FMT(side ? values[i] : keys[i]));
            emit_line(e, "{0, 0, {0}},");
            emit_close(e, ";");
        }
        emit_line(e, "const DgValueDict %.*s = {(DgValue *)%.*s_keys, (DgValue *)%.*s_values, %zu};",
                  FMT(name), FMT(name), FMT(name), d->count);
        return str_format(a, "{DG_V_DICT, 0, {.dict = (DgValueDict *)&%.*s}}", FMT(name));
    }
    default:
        return S("{DG_V_NONE, 0, {0}}");
    }
}

static Str literal(Walk *w, const DgField *fields, const char *base);

static Str scalar(Walk *w, DgFieldKind kind, const void *at)
{
    Arena *a = w->c->arena;
    switch (kind) {
    case DG_F_INT: case DG_F_DURATION: case DG_F_SIZE: case DG_F_TIMESTAMP:
        return str_format(a, "%lldL", (long long)*(const int64_t *)at);
    case DG_F_FLOAT: return c_double(a, *(const double *)at);
    case DG_F_BOOL: return *(const bool *)at ? S("true") : S("false");
    case DG_F_ENUM: return str_format(a, "%d", *(const int32_t *)at);
    case DG_F_ANY: return emit_value_literal(w->c->e, a, *(const DgValue *)at);
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
    Str type = element_type(w->c, f);
    Str *items = push(a, Str, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + i * f->of_size;
        if (f->of_kind == DG_F_STRUCT)
            items[i] = literal(w, f->of, item);
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
    Str type = struct_type(w->c, v->fields, v->size, str_from(v->name));
    Str text = literal(w, v->fields, one->config);
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
    case DG_F_STRUCT: return literal(w, f->of, at);
    default: return scalar(w, f->kind, at);
    }
}

static Str literal(Walk *w, const DgField *fields, const char *base)
{
    FieldArray order = in_order(w->c->arena, fields);
    StrBuf b = {0};
    buf_char(&b, '{');
    for (size_t i = 0; i < order.count; i++)
        buf_format(&b, "%s.%s = %.*s", i ? ", " : "", order.items[i]->name,
                   FMT(field_literal(w, order.items[i], base + order.items[i]->offset)));
    buf_char(&b, '}');
    Str out = str_copy(w->c->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str config_type(EmitConfig *c, const Step *step)
{
    const char *name = step->ops->name, *dot = strrchr(name, '.');
    return struct_type(c, step->ops->fields, step->ops->config_size, str_from(dot ? dot + 1 : name));
}

Str emit_config(EmitConfig *c, const Step *step)
{
    if (!step->ops->config_size || !step->ops->fields)
        return (Str){0};
    Walk w = {c, step};
    Str type = config_type(c, step);
    EmitSection before = emit_section(c->e, EMIT_TABLES);
    FieldArray order = in_order(c->arena, step->ops->fields);
    Str *values = push(c->arena, Str, order.count + 1);
    for (size_t i = 0; i < order.count; i++)
        values[i] = field_literal(&w, order.items[i],
                                  (const char *)step->config + order.items[i]->offset);
    Str name = emit_fresh(c->e, str_format(c->arena, "%.*s_settings", FMT(step->name)));
    emit_open(c->e, "static const %.*s %.*s =", FMT(type), FMT(name));
    for (size_t i = 0; i < order.count; i++)
        emit_line(c->e, ".%s = %.*s,", order.items[i]->name, FMT(values[i]));
    emit_close(c->e, ";");
    emit_section(c->e, before);
    return name;
}

/* ---- Bind functions ---- */

static const Binding *binding_at(const Step *step, const void *member)
{
    for (size_t i = 0; i < step->bindings.count; i++)
        if (step->bindings.items[i].member == member)
            return &step->bindings.items[i];
    return NULL;
}

static bool has_binding_within(const Step *step, const char *start, size_t size)
{
    for (size_t i = 0; i < step->bindings.count; i++) {
        const char *m = step->bindings.items[i].member;
        if (m >= start && m < start + size)
            return true;
    }
    return false;
}

static void bind_fields(Walk *w, const DgField *fields, const char *base, Str path);

static void bind_scalar(Walk *w, const DgField *f, DgFieldKind kind, const Binding *b, Str path)
{
    static const char *const calls[] = {
        [DG_F_INT] = "int", [DG_F_FLOAT] = "float", [DG_F_BOOL] = "bool",
        [DG_F_DURATION] = "duration", [DG_F_SIZE] = "size", [DG_F_TIMESTAMP] = "timestamp",
        [DG_F_ANY] = "value", [DG_F_CODE] = NULL};
    Emit *e = w->c->e;
    emit_at(e, b->at);
    emit_line(e, "DG_TRY(%.*s(ev, &v, err));", FMT(w->c->template_name(w->c->ctx, b)));
    if (kind == DG_F_ENUM) {
        Str names = emit_fresh(e, str_format(w->c->arena, "%s_choices", f->name));
        EmitSection before = emit_section(e, EMIT_TABLES);
        emit_open(e, "static const char *const %.*s[] =", FMT(names));
        for (const char *const *choice = f->choices; *choice; choice++)
            emit_line(e, "%.*s,", FMT(c_string(w->c->arena, str_from(*choice))));
        emit_line(e, "0,");
        emit_close(e, ";");
        emit_section(e, before);
        emit_line(e, "DG_TRY(dg_bind_choice(ev, v, &%.*s, %.*s, \"%s\", err));", FMT(path),
                  FMT(names), f->name);
        return;
    }
    const char *call = kind < DG_F_CODE && calls[kind] ? calls[kind] : "text";
    emit_line(e, "DG_TRY(dg_bind_%s(ev, v, &%.*s, \"%s\", err));", call, FMT(path), f->name);
}

static void bind_list(Walk *w, const DgField *f, const DgList *list, Str path)
{
    Arena *a = w->c->arena;
    if (!list->count || !has_binding_within(w->step, list->items, list->count * f->of_size))
        return;
    Str type = element_type(w->c, f);
    emit_line(w->c->e, "DG_TRY(dg_bind_own(ev, &%.*s, sizeof(%.*s), err));", FMT(path), FMT(type));
    for (size_t i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + i * f->of_size;
        Str at = str_format(a, "((%.*s *)%.*s.items)[%zu]", FMT(type), FMT(path), i);
        if (f->of_kind == DG_F_STRUCT) {
            bind_fields(w, f->of, item, at);
            continue;
        }
        bool is_map = f->kind == DG_F_MAP;
        const Binding *b = binding_at(w->step, is_map ? item + sizeof(Str) : item);
        if (b)
            bind_scalar(w, f, f->of_kind, b, is_map ? str_format(a, "%.*s.value", FMT(at)) : at);
    }
}

static void bind_fields(Walk *w, const DgField *fields, const char *base, Str path)
{
    Arena *a = w->c->arena;
    FieldArray order = in_order(a, fields);
    for (size_t i = 0; i < order.count; i++) {
        const DgField *f = order.items[i];
        const char *at = base + f->offset;
        Str here = str_format(a, "%.*s.%s", FMT(path), f->name);
        if (f->kind == DG_F_STRUCT) {
            bind_fields(w, f->of, at, here);
        } else if (f->kind == DG_F_LIST || f->kind == DG_F_MAP) {
            bind_list(w, f, (const DgList *)(const void *)at, here);
        } else if (f->kind == DG_F_ONE_OF) {
            const DgOneOf *one = (const DgOneOf *)(const void *)at;
            if (one->variant < 0)
                continue;
            const DgVariant *v = &f->variants[one->variant];
            if (!has_binding_within(w->step, one->config, v->size))
                continue;
            Str type = struct_type(w->c, v->fields, v->size, str_from(v->name));
            emit_line(w->c->e, "DG_TRY(dg_bind_own_one(ev, &%.*s.config, sizeof(%.*s), err));",
                      FMT(here), FMT(type));
            bind_fields(w, v->fields, one->config,
                        str_format(a, "(*(%.*s *)%.*s.config)", FMT(type), FMT(here)));
        } else {
            const Binding *b = binding_at(w->step, at);
            if (b)
                bind_scalar(w, f, f->kind, b, here);
        }
    }
}

Str emit_bind(EmitConfig *c, const Step *step)
{
    if (!step->bindings.count)
        return (Str){0};
    Walk w = {c, step};
    Str type = config_type(c, step);
    Str name = emit_fresh(c->e, str_format(c->arena, "%.*s_bind", FMT(step->name)));
    EmitSection before = emit_section(c->e, EMIT_FUNCS);
    emit_open(c->e, "static DgStatus %.*s(DgEval *ev, void *config, DgError *err)", FMT(name));
    emit_line(c->e, "%.*s *c = config;", FMT(type));
    emit_line(c->e, "DgValue v;");
    bind_fields(&w, step->ops->fields, step->config, S("(*c)"));
    emit_line(c->e, "return DG_OK;");
    emit_close(c->e, "\n");
    emit_section(c->e, before);
    return name;
}
