/* scope.c - the names that a template may use, and where its text stands. */
#include "compiler/template/template_impl.h"

TemplatePlace template_place_yaml(const Sources *sources, const YamlNode *node)
{
    return (TemplatePlace){.sources = sources, .node = node};
}

TemplatePlace template_place_file(const Sources *sources, Span at)
{
    return (TemplatePlace){.sources = sources, .base = at};
}

Span template_span(const TemplatePlace *p, uint32_t start, uint32_t end)
{
    if (p->node)
        return yaml_text_span(p->sources, p->node, start, end);
    if (!p->base.file)
        return (Span){0};
    return (Span){p->base.file, p->base.start + start, p->base.start + end};
}

const char *phase_name(Phase p)
{
    static const char *const names[] = {"build", "start", "run", "request", "row"};
    return names[p];
}

Scope *scope_new(Arena *arena, const Scope *parent)
{
    Scope *s = push(arena, Scope, 1);
    s->arena = arena;
    s->parent = parent;
    return s;
}

static void add(Scope *s, ScopeEntry entry)
{
    for (size_t i = 0; i < s->entries.count; i++)
        if (str_eq(s->entries.items[i].name, entry.name)) {
            s->entries.items[i] = entry;
            return;
        }
    array_add(s->arena, &s->entries, entry);
}

void scope_value(Scope *s, Str name, DgValue value)
{
    add(s, (ScopeEntry){.name = name, .kind = SCOPE_VALUE, .value = value});
}

void scope_function(Scope *s, Str name, DgNativeFn fn, void *ctx)
{
    scope_value(s, name, dg_native(s->arena, str_cstr(s->arena, name), fn, ctx));
}

void scope_later(Scope *s, Str name, Phase phase)
{
    add(s, (ScopeEntry){.name = name, .kind = SCOPE_LATER, .phase = phase});
}

void scope_env(Scope *s)
{
    add(s, (ScopeEntry){.name = S("env"), .kind = SCOPE_ENV, .phase = PHASE_START});
}

const ScopeEntry *scope_find(const Scope *s, Str name)
{
    for (; s; s = s->parent)
        for (size_t i = 0; i < s->entries.count; i++)
            if (str_eq(s->entries.items[i].name, name))
                return &s->entries.items[i];
    return NULL;
}

static bool contains(const StrArray *names, Str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

static void collect(Arena *arena, const Scope *s, StrArray *out)
{
    if (!s)
        return;
    collect(arena, s->parent, out);
    for (size_t i = 0; i < s->entries.count; i++)
        if (!s->entries.items[i].is_global && !contains(out, s->entries.items[i].name))
            array_add(arena, out, s->entries.items[i].name);
}

StrArray scope_names(Arena *arena, const Scope *s)
{
    StrArray names = {0};
    collect(arena, s, &names);
    return names;
}
