/* schema.c - field tables as JSON Schema, draft-07. */
#include "compiler/schema.h"

#include "compiler/registry.h"

enum { NESTING_MAX = 24 };

/* What a template, or a number written as text, looks like. */
#define TEMPLATE "{\"type\":\"string\",\"pattern\":\"\\\\{[{%]\"}"
#define TEMPLATE_OR_NUMBER "{\"type\":\"string\",\"pattern\":\"\\\\{[{%]|^[-+]?[0-9]\"}"
#define NULL_TYPE "{\"type\":\"null\"}"

static void add(StrBuf *out, const char *text)
{
    buf_add(out, str_from(text));
}

static void add_string(StrBuf *out, const char *name, const char *value)
{
    buf_format(out, "\"%s\":", name);
    buf_json(out, str_from(value));
}

static void fields_schema(const DgField *fields, uint32_t flags, const char *type, StrBuf *out,
                          int nesting);
static void field_schema(const DgField *f, DgFieldKind kind, StrBuf *out, int nesting);

/* No exponents: YAML 1.1 does not take `9e+18` for a number. */
static int places(double bound)
{
    return bound == (double)(long long)bound ? 0 : 6;
}

static void bounds(const DgField *f, StrBuf *out)
{
    if (f->min != 0 || f->max != 0)
        buf_format(out, ",\"minimum\":%.*f,\"maximum\":%.*f", places(f->min), f->min, places(f->max), f->max);
}

static void enum_schema(const DgField *f, StrBuf *out)
{
    add(out, "{\"enum\":[");
    for (size_t i = 0; f->choices && f->choices[i]; i++) {
        add(out, i ? "," : "");
        buf_json(out, str_from(f->choices[i]));
    }
    add(out, "]}");
}

/* A scalar without its template. */
static void scalar_schema(const DgField *f, DgFieldKind kind, StrBuf *out)
{
    switch (kind) {
    case DG_F_INT:
        add(out, "{\"type\":\"integer\"");
        bounds(f, out);
        add(out, "}");
        break;
    case DG_F_FLOAT:
        add(out, "{\"type\":\"number\"");
        bounds(f, out);
        add(out, "}");
        break;
    case DG_F_BOOL: add(out, "{\"type\":\"boolean\"}"); break;
    case DG_F_ENUM: enum_schema(f, out); break;
    case DG_F_EXPRESSION: add(out, "{\"type\":[\"string\",\"number\",\"boolean\"]}"); break;
    case DG_F_SECRET: add(out, "{\"type\":[\"string\",\"number\",\"boolean\"]}"); break;
    case DG_F_ANY: add(out, "{}"); break;
    case DG_F_DURATION: case DG_F_SIZE:
        add(out, "{\"anyOf\":[{\"type\":\"number\"}," TEMPLATE_OR_NUMBER "]}");
        break;
    default: add(out, "{\"type\":[\"string\",\"number\"]}"); break;
    }
}

static void element_schema(const DgField *f, StrBuf *out, int nesting)
{
    if (f->of_kind == DG_F_STRUCT)
        fields_schema(f->of, f->flags & DG_OPEN, NULL, out, nesting + 1);
    else
        field_schema(f, f->of_kind, out, nesting + 1);
}

static void list_schema(const DgField *f, StrBuf *out, int nesting)
{
    bool counted = (f->min != 0 || f->max != 0) && f->of_kind != DG_F_INT &&
                   f->of_kind != DG_F_FLOAT;
    add(out, "{\"anyOf\":[{\"type\":\"array\",\"items\":");
    element_schema(f, out, nesting);
    if (counted)
        buf_format(out, ",\"minItems\":%.0f,\"maxItems\":%.0f", f->min, f->max);
    add(out, "}");
    if (f->flags & DG_ONE_OR_MANY) {
        add(out, ",");
        element_schema(f, out, nesting);
    }
    add(out, "," TEMPLATE "]}");
}

static void one_of_schema(const DgField *f, StrBuf *out, int nesting)
{
    add(out, "{\"type\":\"object\",\"required\":[\"type\"],\"properties\":{\"type\":{\"enum\":[");
    for (const DgVariant *v = f->variants; v->name; v++) {
        add(out, v == f->variants ? "" : ",");
        buf_json(out, str_from(v->name));
    }
    add(out, "]}},\"allOf\":[");
    for (const DgVariant *v = f->variants; v->name; v++) {
        add(out, v == f->variants ? "{\"if\":{\"properties\":{\"type\":{\"const\":"
                                  : ",{\"if\":{\"properties\":{\"type\":{\"const\":");
        buf_json(out, str_from(v->name));
        add(out, "}},\"required\":[\"type\"]},\"then\":");
        fields_schema(v->fields, 0, v->name, out, nesting + 1);
        add(out, "}");
    }
    add(out, "]}");
}

/* A value of this kind, with what may stand in its place. */
static void field_schema(const DgField *f, DgFieldKind kind, StrBuf *out, int nesting)
{
    if (nesting > NESTING_MAX) {
        add(out, "{}");
        return;
    }
    switch (kind) {
    case DG_F_LIST: list_schema(f, out, nesting); return;
    case DG_F_MAP:
        add(out, "{\"type\":\"object\",\"additionalProperties\":");
        element_schema(f, out, nesting);
        add(out, "}");
        return;
    case DG_F_STRUCT: fields_schema(f->of, f->flags & DG_OPEN, NULL, out, nesting + 1); return;
    case DG_F_ONE_OF: one_of_schema(f, out, nesting); return;
    case DG_F_INT: case DG_F_FLOAT: case DG_F_BOOL: case DG_F_ENUM:
        add(out, "{\"anyOf\":[");
        scalar_schema(f, kind, out);
        if (kind == DG_F_INT || kind == DG_F_FLOAT)
            add(out, "," TEMPLATE_OR_NUMBER "]}");
        else
            add(out, "," TEMPLATE "]}");
        return;
    default: scalar_schema(f, kind, out);
    }
}

/* Defaults are YAML text: numbers and truth values stay such, the rest becomes a string. */
static void add_default(const DgField *f, StrBuf *out)
{
    double number;
    bool literal = (f->kind == DG_F_INT || f->kind == DG_F_FLOAT) &&
                   str_to_double(str_from(f->fallback), &number);
    literal = literal || f->kind == DG_F_BOOL;
    Str text = str_from(f->fallback);
    if (f->kind == DG_F_LIST || f->kind == DG_F_MAP || f->kind == DG_F_STRUCT)
        return;
    if (text.len >= 2 && text.ptr[0] == '"')
        text = str_sub(text, 1, text.len - 1);
    add(out, ",\"default\":");
    if (literal)
        buf_add(out, text);
    else
        buf_json(out, text);
}

/* One property: its value beside what editors show. `{"allOf": [..]}` keeps the two apart. */
static void property(const DgField *f, StrBuf *out, int nesting)
{
    buf_json(out, str_from(f->name));
    add(out, ":{\"anyOf\":[");
    field_schema(f, f->kind, out, nesting);
    if (!(f->flags & DG_REQUIRED))
        add(out, "," NULL_TYPE);
    add(out, "]");
    if (f->doc) {
        add(out, ",");
        add_string(out, "description", f->doc);
    }
    if (f->fallback)
        add_default(f, out);
    if (f->flags & DG_DEPRECATED)
        add(out, ",\"deprecated\":true");
    add(out, "}");
}

static const DgField *shorthand(const DgField *fields)
{
    for (; fields && fields->name; fields++)
        if (fields->flags & DG_SHORTHAND)
            return fields;
    return NULL;
}

/* A mapping with these fields; `type` is the variant's name where one is chosen by it. */
static void fields_schema(const DgField *fields, uint32_t flags, const char *type, StrBuf *out,
                          int nesting)
{
    const DgField *alone = shorthand(fields);
    bool first = true;
    if (nesting > NESTING_MAX) {
        add(out, "{}");
        return;
    }
    if (alone) {
        add(out, "{\"anyOf\":[");
        field_schema(alone, alone->kind, out, nesting + 1);
        add(out, ",");
    }
    add(out, "{\"type\":\"object\",\"properties\":{");
    if (type) {
        add(out, "\"type\":{\"const\":");
        buf_json(out, str_from(type));
        add(out, "}");
        first = false;
    }
    for (const DgField *f = fields; f && f->name; f++) {
        if (f->kind == DG_F_CODE)
            continue;
        add(out, first ? "" : ",");
        property(f, out, nesting + 1);
        first = false;
    }
    buf_format(out, "},\"additionalProperties\":%s", flags & DG_OPEN ? "true" : "false");
    first = true;
    for (const DgField *f = fields; f && f->name; f++) {
        if (!(f->flags & DG_REQUIRED) || f->kind == DG_F_CODE)
            continue;
        add(out, first ? ",\"required\":[" : ",");
        buf_json(out, str_from(f->name));
        first = false;
    }
    add(out, first ? "}" : "]}");
    if (alone)
        add(out, "]}");
}

static bool needs_attributes(const DgComponent *c)
{
    for (const DgField *f = c->fields; f && f->name; f++)
        if (f->flags & DG_REQUIRED)
            return true;
    return false;
}

/* The keys that every component file may have, but for `type` and `attributes`. */
static void add_common(StrBuf *out)
{
    add(out,
        "\"requirements\":{\"type\":[\"object\",\"null\"],\"properties\":{\"env\":{\"type\":\"array\","
             "\"items\":{\"type\":\"string\"},\"description\":\"Environment variables that the "
             "component uses.\"}},\"additionalProperties\":false},"
             "\"template_vars\":{\"type\":[\"object\",\"null\"],\"description\":\"Names for templates: of "
             "this document, or of everything below when its type is dagster.DefsFolderComponent.\"},"
             "\"template_vars_module\":{\"type\":\"string\",\"description\":\"Python; dgc does not read "
             "it. Use template_vars.\"},"
             "\"post_processing\":{\"type\":[\"object\",\"null\"],\"properties\":{\"assets\":{\"type\":\"array\","
             "\"items\":{\"type\":\"object\",\"properties\":{\"target\":{\"type\":\"string\",\"default\":\"*\","
             "\"description\":\"A selection among the assets of this file.\"},\"operation\":{\"enum\":"
             "[\"merge\",\"replace\"],\"default\":\"merge\"},\"attributes\":{\"anyOf\":[");
    fields_schema(dg_asset_post_fields, 0, NULL, out, 0);
    add(out, "," TEMPLATE "]}},\"required\":[\"attributes\"],\"additionalProperties\":false}}},"
             "\"additionalProperties\":false}");
}

static void add_attributes(const DgComponent *c, StrBuf *out)
{
    static const DgField none[] = {{0}};
    bool needed = needs_attributes(c);
    add(out, needed ? "" : "{\"anyOf\":[" NULL_TYPE ",");
    fields_schema(c->fields ? c->fields : none, c->flags, NULL, out, 0);
    add(out, needed ? "" : "]}");
}

static void add_head(const char *title, StrBuf *out)
{
    add(out, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",");
    add_string(out, "title", title);
    add(out, ",\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,"
             "\"properties\":{");
}

void schema_component(const DgComponent *c, StrBuf *out)
{
    add_head(c->name, out);
    add(out, "\"type\":{\"enum\":[");
    buf_json(out, str_from(c->name));
    for (const char *const *a = c->aliases; a && *a; a++) {
        add(out, ",");
        buf_json(out, str_from(*a));
    }
    add(out, "],");
    add_string(out, "description", c->summary);
    add(out, "},\"attributes\":");
    add_attributes(c, out);
    add(out, ",");
    add_common(out);
    add(out, needs_attributes(c) ? "},\"allOf\":[{\"required\":[\"attributes\"]}]}\n" : "}}\n");
}

static void add_condition(const DgComponent *c, StrBuf *out)
{
    add(out, "{\"if\":{\"properties\":{\"type\":{\"enum\":[");
    buf_json(out, str_from(c->name));
    for (const char *const *a = c->aliases; a && *a; a++) {
        add(out, ",");
        buf_json(out, str_from(*a));
    }
    add(out, "]}},\"required\":[\"type\"]},\"then\":{\"properties\":{\"attributes\":{\"$ref\":");
    StrBuf ref = {0};
    buf_format(&ref, "#/definitions/%s", c->name);
    buf_json(out, buf_str(&ref));
    buf_free(&ref);
    add(out, needs_attributes(c) ? "}},\"required\":[\"attributes\"]}}" : "}}}}");
}

void schema_all(StrBuf *out)
{
    add_head("A component file of dgc", out);
    add(out,
        "\"type\":{\"type\":\"string\",\"description\":\"What this component is.\",\"anyOf\":[");
    for (size_t i = 0, n = 0; i < registry_count(); i++) {
        const DgComponent *c = registry_at(i);
        if (c->needs_python)
            continue;
        add(out, n++ ? ",{\"const\":" : "{\"const\":");
        buf_json(out, str_from(c->name));
        add(out, ",");
        add_string(out, "description", c->summary);
        add(out, "}");
        for (const char *const *a = c->aliases; a && *a; a++) {
            add(out, ",{\"const\":");
            buf_json(out, str_from(*a));
            add(out, "}");
        }
    }
    add(out, "]},\"attributes\":{},");
    add_common(out);
    add(out, "},\"allOf\":[");
    for (size_t i = 0, n = 0; i < registry_count(); i++) {
        if (registry_at(i)->needs_python)
            continue;
        add(out, n++ ? "," : "");
        add_condition(registry_at(i), out);
    }
    add(out, "],\"definitions\":{");
    for (size_t i = 0, n = 0; i < registry_count(); i++) {
        if (registry_at(i)->needs_python)
            continue;
        add(out, n++ ? "," : "");
        buf_json(out, str_from(registry_at(i)->name));
        add(out, ":");
        add_attributes(registry_at(i), out);
    }
    add(out, "}}\n");
}
