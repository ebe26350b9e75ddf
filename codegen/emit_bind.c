/* emit_bind.c - the function that sets the members of a step config which wait for the start.
 *
 * Nested lists become the attempt's own copy before their items are set: the tables of the program
 * are constant.
 */
#include "codegen/emit_config_impl.h"

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

static bool list_has_binding(const Step *step, const DgField *f, const DgList *list);

/* In the struct itself, or in what its lists and variants point to. */
static bool fields_have_binding(const Step *step, const DgField *fields, const char *base, size_t size)
{
    if (has_binding_within(step, base, size))
        return true;
    for (const DgField *f = fields; f && f->name; f++) {
        const void *at = base + f->offset;
        const DgOneOf *one = at;
        if ((f->kind == DG_F_LIST || f->kind == DG_F_MAP) && list_has_binding(step, f, at))
            return true;
        if (f->kind == DG_F_STRUCT && fields_have_binding(step, f->of, at, f->of_size))
            return true;
        if (f->kind == DG_F_ONE_OF && one->variant >= 0 &&
            fields_have_binding(step, f->variants[one->variant].fields, one->config,
                                f->variants[one->variant].size))
            return true;
    }
    return false;
}

static bool list_has_binding(const Step *step, const DgField *f, const DgList *list)
{
    if (has_binding_within(step, list->items, list->count * f->of_size))
        return true;
    for (size_t i = 0; f->of_kind == DG_F_STRUCT && i < list->count; i++)
        if (fields_have_binding(step, f->of, (const char *)list->items + i * f->of_size, f->of_size))
            return true;
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
        EmitSection before = emit_section(e, EMIT_DATA);
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
    if (!list->count || !list_has_binding(w->step, f, list))
        return;
    Str type = config_element(w->c, f);
    emit_line(w->c->e, "DG_TRY(dg_bind_own(ev, &%.*s, sizeof(%.*s), err));", FMT(path), FMT(type));
    for (size_t i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + i * f->of_size;
        Str at = str_format(a, "((%.*s *)%.*s.items)[%zu]", FMT(type), FMT(path), i);
        if (f->of_kind == DG_F_STRUCT) {
            if (fields_have_binding(w->step, f->of, item, f->of_size))
                bind_fields(w, f->of, item, str_format(a, "%.*s.", FMT(at)));
            continue;
        }
        bool is_map = f->kind == DG_F_MAP;
        const Binding *b = binding_at(w->step, is_map ? item + sizeof(Str) : item);
        if (b)
            bind_scalar(w, f, f->of_kind, b, is_map ? str_format(a, "%.*s.value", FMT(at)) : at);
    }
}

static void bind_one_of(Walk *w, const DgField *f, const DgOneOf *one, Str path)
{
    if (one->variant < 0)
        return;
    const DgVariant *v = &f->variants[one->variant];
    if (!fields_have_binding(w->step, v->fields, one->config, v->size))
        return;
    Str type = config_struct(w->c, v->fields, v->size, str_from(v->name), false);
    emit_line(w->c->e, "DG_TRY(dg_bind_own_one(ev, &%.*s.config, sizeof(%.*s), err));", FMT(path),
              FMT(type));
    bind_fields(w, v->fields, one->config,
                str_format(w->c->arena, "((%.*s *)%.*s.config)->", FMT(type), FMT(path)));
}

/* `path` is what stands before a member's name: "c->", "c->columns.items[0]." */
static void bind_fields(Walk *w, const DgField *fields, const char *base, Str path)
{
    Arena *a = w->c->arena;
    FieldArray order = config_members(a, fields);
    for (size_t i = 0; i < order.count; i++) {
        const DgField *f = order.items[i];
        const char *at = base + f->offset;
        Str here = str_format(a, "%.*s%s", FMT(path), config_member(a, f));
        if (f->kind == DG_F_STRUCT) {
            bind_fields(w, f->of, at, str_format(a, "%.*s.", FMT(here)));
        } else if (f->kind == DG_F_LIST || f->kind == DG_F_MAP) {
            bind_list(w, f, (const DgList *)(const void *)at, here);
        } else if (f->kind == DG_F_ONE_OF) {
            bind_one_of(w, f, (const DgOneOf *)(const void *)at, here);
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
    bind_fields(&w, step->ops->fields, step->config, S("c->"));
    emit_line(c->e, "return DG_OK;");
    emit_close(c->e, "");
    emit_line(c->e, "%s", "");
    emit_section(c->e, before);
    return name;
}
