/* reference.c - a descriptor, read out as Markdown. */
#include "compiler/reference.h"

#include "compiler/registry.h"

enum { NESTING_MAX = 6 };

static const char *kind_text(DgFieldKind k)
{
    switch (k) {
#define X(name, text, ctype) case name: return text;
        DG_FIELD_KINDS(X)
#undef X
    }
    return "";
}

static void add_kind(const DgField *f, StrBuf *out)
{
    if (f->kind == DG_F_ENUM) {
        for (size_t i = 0; f->choices[i]; i++)
            buf_format(out, "%s`%s`", i ? ", " : "", f->choices[i]);
    } else if (f->kind == DG_F_LIST || f->kind == DG_F_MAP) {
        buf_format(out, "%s of %s", kind_text(f->kind), kind_text(f->of_kind));
    } else {
        buf_add(out, str_from(kind_text(f->kind)));
    }
}

static void add_field(const DgField *f, StrBuf *out, int nesting)
{
    if (f->kind == DG_F_CODE)
        return;
    buf_format(out, "%*s- `%s` (", nesting * 2, "", f->name);
    add_kind(f, out);
    if (f->flags & DG_REQUIRED)
        buf_add(out, S(", required"));
    if (f->flags & DG_BUILD)
        buf_add(out, S(", known when building"));
    if (f->flags & DG_DEPRECATED)
        buf_add(out, S(", old name"));
    if (f->fallback)
        buf_format(out, ", default `%s`", f->fallback);
    if (f->min != 0 || f->max != 0)
        buf_format(out, ", %g to %g", f->min, f->max);
    buf_format(out, ")%s%s\n", f->doc ? ": " : "", f->doc ? f->doc : "");
    if (f->of && nesting < NESTING_MAX)
        for (const DgField *x = f->of; x->name; x++)
            add_field(x, out, nesting + 1);
    for (const DgVariant *v = f->variants; v && v->name && nesting < NESTING_MAX; v++) {
        buf_format(out, "%*s- `type: %s`%s%s\n", (nesting + 1) * 2, "", v->name, v->doc ? ": " : "",
                   v->doc ? v->doc : "");
        for (const DgField *x = v->fields; x && x->name; x++)
            add_field(x, out, nesting + 2);
    }
}

void reference_component(const DgComponent *c, StrBuf *out)
{
    buf_format(out, "# %s\n\n%s\n", c->name, c->summary);
    if (c->needs_python)
        buf_format(out, "\nThis type runs only inside Python: %s\n", c->needs_python);
    if (c->doc)
        buf_format(out, "\n%s\n", c->doc);
    if (c->aliases && c->aliases[0]) {
        buf_add(out, S("\nOther names: "));
        for (size_t i = 0; c->aliases[i]; i++)
            buf_format(out, "%s`%s`", i ? ", " : "", c->aliases[i]);
        buf_char(out, '\n');
    }
    if (c->fields && c->fields->name) {
        buf_add(out, S("\n## Attributes\n\n"));
        for (const DgField *f = c->fields; f->name; f++)
            add_field(f, out, 0);
    }
    if (c->example)
        buf_format(out, "\n## Example\n\n```yaml\n%s```\n", c->example);
}

bool reference_field(const DgComponent *c, Str field, StrBuf *out)
{
    for (const DgField *f = c->fields; f && f->name; f++) {
        if (str_eq(str_from(f->name), field)) {
            add_field(f, out, 0);
            return true;
        }
    }
    return false;
}

void reference_index(StrBuf *out)
{
    buf_add(out, S("# Component types\n\n"));
    for (size_t i = 0; i < registry_count(); i++)
        buf_format(out, "- [`%s`](%s.md): %s\n", registry_at(i)->name, registry_at(i)->name,
                   registry_at(i)->summary);
}
