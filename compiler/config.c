/* config.c - mappings and lists of a config; see config_scalar.c for what they hold. */
#include "compiler/config_fill.h"

#include <stdlib.h>

void fill_remember(Fill *f, const DgField *field, DgFieldKind kind, YamlNode *node,
                   const void *address, const Residual *pending)
{
    ConfigPlace place = {.address = address, .field = field, .kind = kind, .node = node,
                         .pending = pending};
    array_add(f->arena, &f->out->places, place);
}

static void fill_struct(Fill *f, const DgField *fields, uint32_t flags, YamlNode *node, Span at,
                        char *base, const char *what);
static void fill_field(Fill *f, const DgField *field, YamlNode *node, Span key_at, void *to);

static const DgField *find_field(const DgField *fields, Str name)
{
    for (; fields->name; fields++)
        if (fields->kind != DG_F_CODE && str_eq(str_from(fields->name), name))
            return fields;
    return NULL;
}

/* The attributes of a table; `given` leaves out those that the mapping has. */
static size_t field_names(const DgField *fields, const YamlNode *given, Str *names, size_t max)
{
    size_t n = 0;
    for (const DgField *x = fields; x->name && n < max; x++)
        if (x->kind != DG_F_CODE && !(given && yaml_get(given, str_from(x->name))))
            names[n++] = str_from(x->name);
    return n;
}

enum { NAMES_MAX = 128 };

/* The attribute that an unknown key was meant to be; NULL: none. */
static const DgField *field_meant(Fill *f, const DgField *fields, const YamlNode *node, Str wrong)
{
    Str names[NAMES_MAX];
    size_t n = field_names(fields, node, names, NAMES_MAX);
    Str near = diag_nearest(f->arena, wrong, names, n);
    return near.len ? find_field(fields, near) : NULL;
}

static void report_unknown(Fill *f, const DgField *fields, const YamlNode *node,
                           const YamlNode *key, const char *what)
{
    Str names[NAMES_MAX];
    size_t n = field_names(fields, node, names, NAMES_MAX);
    f->failed = true;
    DiagItem *it = diag_report(f->diag, E0107, key->at, "%s has no attribute `%.*s`", what,
                               FMT(key->text));
    if (diag_suggest(it, key->at, "attribute", key->text, names, n))
        return;
    n = field_names(fields, NULL, names, NAMES_MAX);
    StrBuf b = {0};
    for (size_t i = 0; i < n; i++)
        buf_format(&b, "%s%.*s", i ? ", " : "", FMT(names[i]));
    if (n)
        diag_note(it, "attributes here: %.*s", FMT(buf_str(&b)));
    else
        diag_note(it, "it takes no attributes");
    buf_free(&b);
}

/* Where a new first entry of a mapping would stand, and its text. False: nowhere safe. */
static bool entry_to_add(Fill *f, const YamlNode *node, Span at, Str entry, Span *where, Str *text)
{
    const Sources *s = f->diag->sources;
    const SourceFile *file = sources_file(s, at.file);
    if (!file)
        return false;
    if (!node) { /* a component without `attributes`: `at` is the value of `type` */
        *where = (Span){at.file, at.end, at.end};
        *text = str_format(f->arena, "\nattributes:\n  %.*s", FMT(entry));
        return f->depth == 1;
    }
    if (node->kind != YAML_MAP || node->alias_at.file || !node->as.map.count ||
        node->as.map.entries[0].merged)
        return false;
    Span first = node->as.map.entries[0].key->at;
    *where = (Span){first.file, first.start, first.start};
    if (node->at.start < (uint32_t)file->text.len && file->text.ptr[node->at.start] == '{')
        *text = str_format(f->arena, "%.*s, ", FMT(entry));
    else
        *text = str_format(f->arena, "%.*s\n%*s", FMT(entry),
                           (int)sources_place(s, first).column - 1, "");
    return true;
}

static void report_missing(Fill *f, const DgField *field, const YamlNode *node, Span at,
                           const char *what)
{
    f->failed = true;
    DiagItem *it = diag_report(f->diag, E0106, at, "%s needs the attribute `%s`", what,
                               field->name);
    const char *value = field->example ? field->example : field_kind_example(field->kind);
    Str entry = str_format(f->arena, "%s: %s", field->name, value), text;
    Span where;
    if (entry_to_add(f, node, at, entry, &where, &text))
        diag_fix(it, FIX_PLACEHOLDER, where, text, "add `%.*s`", FMT(entry));
    else
        diag_help(it, "add `%.*s`", FMT(entry));
    if (field->doc)
        diag_note(it, "%s: %s", field->name, field->doc);
}

/* Missing parts of a list's entry are reported at its first key. */
static Span first_key_at(const YamlNode *node)
{
    return node->kind == YAML_MAP && node->as.map.count ? node->as.map.entries[0].key->at : node->at;
}

static void fill_elements(Fill *f, const DgField *field, YamlNode **nodes, YamlNode **keys,
                          size_t count, DgList *to)
{
    char *items = arena_push(f->arena, field->of_size, _Alignof(max_align_t), count);
    size_t value_at = keys && field->of_kind != DG_F_STRUCT ? sizeof(Str) : 0;
    to->items = items;
    to->count = count;
    for (size_t i = 0; i < count; i++) {
        char *item = items + i * field->of_size;
        if (keys)
            *(Str *)(void *)item = keys[i]->text;
        if (keys && field->of_kind == DG_F_STRUCT)
            fill_remember(f, field, DG_F_STRUCT, nodes[i], item, NULL);
        if (field->of_kind == DG_F_STRUCT)
            fill_struct(f, field->of, field->flags & DG_OPEN, nodes[i],
                        keys ? keys[i]->at : first_key_at(nodes[i]), item,
                        str_cstr(f->arena, str_format(f->arena, "an entry of `%s`", field->name)));
        else
            fill_scalar(f, field, field->of_kind, nodes[i], item + value_at);
        if (keys && field->of_kind != DG_F_STRUCT)
            warn_named_secret(f, keys[i]->text, nodes[i]);
    }
    if ((field->min != 0 || field->max != 0) &&
        ((double)count < field->min || (double)count > field->max) && field->of_kind != DG_F_INT &&
        field->of_kind != DG_F_FLOAT) {
        f->failed = true;
        diag_report(f->diag, E0111, count ? nodes[0]->at : (Span){0},
                    "`%s` must have %g to %g entries, found %zu", field->name, field->min,
                    field->max, count);
    }
}

static DgValue poison(void)
{
    return (DgValue){.kind = DG_V_UNDEFINED};
}

/* *late: it waits for the environment or the run, and is no error here; NULL: it is one. */
static DgValue text_value(Arena *arena, Diag *diag, const Scope *scope, YamlNode *node, bool *late)
{
    TemplateCtx ctx = {.arena = arena, .diag = diag};
    Template *t = template_parse(&ctx, node->text, template_place_yaml(diag->sources, node),
                                 TEMPLATE_NATIVE);
    if (t->broken)
        return poison();
    TemplateResult r = template_eval(&ctx, t, scope);
    if (r.failed)
        return poison();
    if (r.constant)
        return r.value;
    if (late)
        *late = true;
    else
        help_build_time(diag_report(diag, E0605, node->at,
                                    "this value must be known when the project is built"),
                        &ctx, r.phase);
    return poison();
}

/* `{{ vars }}` that gives a list or mapping: put in as if it stood there. */
static bool fill_from_template(Fill *f, const DgField *field, YamlNode *node, DgList *to)
{
    if (node->kind != YAML_STRING || template_is_plain(node->text) || field->kind == DG_F_MAP)
        return false;
    bool late = false, one = field->flags & DG_ONE_OR_MANY;
    DgValue v = text_value(f->arena, f->diag, f->scope, node, one ? &late : NULL);
    if (late)
        return false; /* one element, that waits */
    if (v.kind == DG_V_UNDEFINED) {
        f->failed = true;
        return true;
    }
    if ((v.kind != DG_V_LIST && v.kind != DG_V_TUPLE) || field->of_kind == DG_F_STRUCT)
        return false;
    YamlNode **nodes = push(f->arena, YamlNode *, v.as.list->count);
    DgEval ev;
    dg_eval_init(&ev, f->arena);
    for (size_t i = 0; i < v.as.list->count; i++) {
        nodes[i] = push(f->arena, YamlNode, 1);
        *nodes[i] = (YamlNode){.kind = YAML_STRING, .style = YAML_DOUBLE, .at = node->at};
        nodes[i]->text = str_copy(f->arena, dg_to_str(&ev, v.as.list->items[i]));
    }
    dg_eval_free(&ev);
    fill_elements(f, field, nodes, NULL, v.as.list->count, to);
    return true;
}

static void fill_list(Fill *f, const DgField *field, YamlNode *node, DgList *to)
{
    fill_remember(f, field, field->kind, node, to, NULL);
    if (node->kind == YAML_NULL)
        return;
    if (node->kind == YAML_LIST) {
        fill_elements(f, field, node->as.list.items, NULL, node->as.list.count, to);
    } else if (!(field->flags & DG_NO_TEMPLATE) && fill_from_template(f, field, node, to)) {
        return;
    } else if ((field->flags & DG_ONE_OR_MANY) &&
               (node->kind != YAML_MAP || field->of_kind == DG_F_STRUCT ||
                field->of_kind == DG_F_ANY)) {
        fill_elements(f, field, &node, NULL, 1, to);
    } else {
        fill_mismatch(f, field, DG_F_LIST, node);
    }
}

static void fill_map(Fill *f, const DgField *field, YamlNode *node, DgList *to)
{
    fill_remember(f, field, field->kind, node, to, NULL);
    if (node->kind == YAML_NULL)
        return;
    if (node->kind != YAML_MAP) {
        fill_mismatch(f, field, DG_F_MAP, node);
        return;
    }
    size_t n = node->as.map.count;
    YamlNode **keys = push(f->arena, YamlNode *, n + 1);
    YamlNode **values = push(f->arena, YamlNode *, n + 1);
    for (size_t i = 0; i < n; i++) {
        keys[i] = node->as.map.entries[i].key;
        values[i] = node->as.map.entries[i].value;
    }
    fill_elements(f, field, values, keys, n, to);
}

static void fill_one_of(Fill *f, const DgField *field, YamlNode *node, Span key_at, DgOneOf *to)
{
    fill_remember(f, field, field->kind, node, to, NULL);
    YamlNode *type = yaml_get(node, S("type"));
    if (node->kind != YAML_MAP || !type) {
        if (node->kind == YAML_MAP)
            diag_help(diag_report(f->diag, E0106, key_at, "`%s` needs `type`", field->name),
                      "for example `type: %s`", field->variants[0].name);
        else
            fill_mismatch(f, field, DG_F_ONE_OF, node);
        f->failed = true;
        return;
    }
    Str names[64];
    size_t n = 0;
    for (; field->variants[n].name && n < 64; n++)
        names[n] = str_from(field->variants[n].name);
    for (size_t i = 0; i < n; i++) {
        const DgVariant *v = &field->variants[i];
        if (!str_eq(names[i], type->text))
            continue;
        YamlNode *rest = push(f->arena, YamlNode, 1);
        *rest = *node;
        rest->as.map.entries = push(f->arena, YamlEntry, node->as.map.count);
        rest->as.map.count = 0;
        for (size_t e = 0; e < node->as.map.count; e++)
            if (node->as.map.entries[e].value != type)
                rest->as.map.entries[rest->as.map.count++] = node->as.map.entries[e];
        to->variant = (int32_t)i;
        to->config = arena_push(f->arena, v->size, _Alignof(max_align_t), 1);
        fill_struct(f, v->fields, 0, rest, key_at, to->config,
                    str_cstr(f->arena, str_format(f->arena, "`%s` of type `%s`", field->name,
                                                  v->name)));
        return;
    }
    f->failed = true;
    DiagItem *it = diag_report(f->diag, E0110, type->at, "`%s` cannot have the type `%.*s`",
                               field->name, FMT(type->text));
    diag_suggest(it, type->at, "type", type->text, names, n);
}

static void fill_field(Fill *f, const DgField *field, YamlNode *node, Span key_at, void *to)
{
    if (field->flags & DG_DEPRECATED)
        diag_help(diag_report(f->diag, W0116, node->at, "`%s` is an old name", field->name), "%s",
                  field->doc ? field->doc : "leave it out");
    switch (field->kind) {
    case DG_F_LIST: fill_list(f, field, node, to); break;
    case DG_F_MAP: fill_map(f, field, node, to); break;
    case DG_F_ONE_OF: fill_one_of(f, field, node, key_at, to); break;
    case DG_F_STRUCT:
        fill_struct(f, field->of, field->flags & DG_OPEN, node, key_at, to,
                    str_cstr(f->arena, str_format(f->arena, "`%s`", field->name)));
        break;
    case DG_F_CODE: break;
    default:
        fill_scalar(f, field, field->kind, node, to);
        if (field->kind != DG_F_SECRET)
            warn_named_secret(f, str_from(field->name), node);
    }
}

static const DgField *shorthand_of(const DgField *fields, const YamlNode *node)
{
    for (; fields->name; fields++) {
        bool list = fields->kind == DG_F_LIST;
        if ((fields->flags & DG_SHORTHAND) &&
            (node->kind != YAML_LIST || list) && node->kind != YAML_MAP && node->kind != YAML_NULL)
            return fields;
    }
    return NULL;
}

static void set_absent(Fill *f, const DgField *field, char *base)
{
    void *to = base + field->offset;
    if (field->kind == DG_F_ONE_OF)
        ((DgOneOf *)to)->variant = -1;
    else if (field->kind == DG_F_STRUCT)
        for (const DgField *x = field->of; x->name; x++)
            set_absent(f, x, to);
    else if (field->kind == DG_F_ANY)
        *(DgValue *)to = (DgValue){.kind = DG_V_NONE};
    else
        fill_fallback(f, field, to);
}

/* Keys that no attribute has. One that is near to an attribute is read as if it were that: its
 * value is checked, and the attribute is not missing besides. */
typedef struct Misspelt {
    YamlEntry *entry;
    const DgField *meant; /* NULL: none */
    struct Misspelt *next;
} Misspelt;

static YamlEntry *meant_for(const Misspelt *m, const DgField *field)
{
    for (; m; m = m->next)
        if (m->meant == field)
            return m->entry;
    return NULL;
}

static Misspelt *find_misspelt(Fill *f, const DgField *fields, const YamlNode *node)
{
    Misspelt *first = NULL, **last = &first;
    for (size_t i = 0; node && i < node->as.map.count; i++) {
        YamlEntry *entry = &node->as.map.entries[i];
        if (find_field(fields, entry->key->text))
            continue;
        Misspelt *m = push(f->arena, Misspelt, 1);
        m->entry = entry;
        const DgField *meant = field_meant(f, fields, node, entry->key->text);
        m->meant = meant && !meant_for(first, meant) ? meant : NULL;
        *last = m;
        last = &m->next;
    }
    return first;
}

static void report_no_mapping(Fill *f, const DgField *fields, const YamlNode *node,
                              const char *what)
{
    DiagItem *it = diag_report(f->diag, E0102, node->at, "%s must be a mapping, found %s", what,
                               yaml_kind_name(node->kind));
    const DgField *first = fields;
    for (const DgField *x = fields; x->name; x++)
        if ((x->flags & DG_REQUIRED) && !(first->flags & DG_REQUIRED))
            first = x;
    if (first->name)
        diag_help(it, "for example: `{%s: %s}`", first->name,
                  first->example ? first->example : field_kind_example(first->kind));
}

/* No key of a mapping is known: it is of another kind altogether, and what is missing says little. */
static bool all_strange(const YamlNode *node, const Misspelt *m)
{
    size_t strange = 0;
    for (; m; m = m->next)
        strange += !m->meant;
    return node && node->as.map.count && strange == node->as.map.count;
}

static void fill_struct(Fill *f, const DgField *fields, uint32_t flags, YamlNode *node, Span at,
                        char *base, const char *what)
{
    if (node && node->kind == YAML_ERROR) {
        f->failed = true;
        return;
    }
    if (node && node->kind == YAML_NULL)
        node = NULL;
    const DgField *shorthand = node && node->kind != YAML_MAP ? shorthand_of(fields, node) : NULL;
    if (node && node->kind != YAML_MAP && !shorthand) {
        f->failed = true;
        report_no_mapping(f, fields, node, what);
        return;
    }
    if (f->depth++ >= LIMIT_YAML_DEPTH) {
        f->failed = true;
        return;
    }
    Misspelt *wrong = shorthand || (flags & DG_OPEN) ? NULL : find_misspelt(f, fields, node);
    bool strange = all_strange(node, wrong);
    for (const DgField *x = fields; x->name; x++) {
        YamlEntry *entry = shorthand ? NULL : yaml_entry(node, str_from(x->name));
        if (!entry)
            entry = meant_for(wrong, x);
        YamlNode *value = x == shorthand ? node : entry ? entry->value : NULL;
        if (x->kind == DG_F_CODE)
            continue;
        if (!value)
            set_absent(f, x, base);
        if (value)
            fill_field(f, x, value, entry ? entry->key->at : at, base + x->offset);
        else if ((x->flags & DG_REQUIRED) && !strange)
            report_missing(f, x, node, at, what);
    }
    for (Misspelt *m = wrong; m; m = m->next)
        report_unknown(f, fields, node, m->entry->key, what);
    f->depth--;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const ConfigPlace *)a)->address;
    uintptr_t y = (uintptr_t)((const ConfigPlace *)b)->address;
    return x < y ? -1 : x > y;
}

Config config_fill(Arena *arena, Diag *diag, const Scope *scope, const ConfigTarget *target,
                   YamlNode *node, Span at)
{
    Config out = {0};
    static const DgField none[] = {{0}};
    Fill f = {.arena = arena, .diag = diag, .scope = scope, .type_name = target->type_name,
              .out = &out};
    out.data = arena_push(arena, target->size ? target->size : 1, _Alignof(max_align_t), 1);
    fill_struct(&f, target->fields ? target->fields : none, target->flags, node, at, out.data,
                str_cstr(arena, str_format(arena, "`%.*s`", FMT(target->type_name))));
    if (out.places.count)
        qsort(out.places.items, out.places.count, sizeof *out.places.items, by_address);
    out.ok = !f.failed;
    return out;
}

const ConfigPlace *config_place(const Config *c, const void *address)
{
    ConfigPlace key = {.address = address};
    if (!c->places.count)
        return NULL;
    return bsearch(&key, c->places.items, c->places.count, sizeof key, by_address);
}

DgValue config_value(Arena *arena, Diag *diag, const Scope *scope, YamlNode *node)
{
    DgEval ev;
    DgValue out = {.kind = DG_V_NONE};
    dg_eval_init(&ev, arena);
    switch (node->kind) {
    case YAML_NULL: break;
    case YAML_BOOL: out = dgv_bool(node->as.b); break;
    case YAML_INT: out = dgv_int(node->as.i); break;
    case YAML_FLOAT: out = dgv_float(node->as.f); break;
    case YAML_STRING:
        out = node->text.len ? text_value(arena, diag, scope, node, NULL) : dgv_from_str(node->text);
        break;
    case YAML_DATE:
    case YAML_TIMESTAMP: out = dgv_from_str(node->text); break;
    case YAML_LIST:
        out = dg_new_list(&ev, node->as.list.count);
        for (size_t i = 0; i < node->as.list.count; i++)
            out.as.list->items[i] = config_value(arena, diag, scope, node->as.list.items[i]);
        break;
    case YAML_MAP:
        out = dg_new_dict(&ev);
        for (size_t i = 0; i < node->as.map.count; i++)
            dg_put(&ev, out, dgv_from_str(node->as.map.entries[i].key->text),
                   config_value(arena, diag, scope, node->as.map.entries[i].value));
        break;
    case YAML_ERROR: out = poison(); break;
    }
    dg_eval_free(&ev);
    return out;
}
