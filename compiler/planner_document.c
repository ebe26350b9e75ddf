/* planner_document.c - DgPlanApi: other YAML files that a component is configured by (Sling's
 * replication.yaml), read with places as component files are. */
#include <ctype.h>

#include "compiler/planner_impl.h"

/* ---- ${NAME} ---- */

static bool is_env_name(Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.ptr[i]) && s.ptr[i] != '_')
            return false;
    return s.len > 0 && !isdigit((unsigned char)s.ptr[0]);
}

/* What Jinja would take for its own. */
static bool opens_template(Str s)
{
    return s.len > 1 && s.ptr[0] == '{' && (s.ptr[1] == '{' || s.ptr[1] == '%' || s.ptr[1] == '#');
}

/* The name in `${NAME}` at the start of `s`; empty: there is none. */
static Str env_name(Str s)
{
    if (!str_starts(s, S("${")))
        return (Str){0};
    ptrdiff_t close = str_find_char(s, '}');
    Str name = close < 0 ? (Str){0} : str_sub(s, 2, close);
    return is_env_name(name) ? name : (Str){0};
}

/* `${NAME}` becomes `{{ env.NAME }}`, which is read when the executable starts. These files have no
 * templates: what looks like one stays as it is. */
static Str with_templates(Arena *arena, Str text)
{
    StrBuf b = {.max = LIMIT_YAML_BYTES};
    bool changed = false;
    for (ptrdiff_t i = 0; i < text.len;) {
        Str rest = str_sub(text, i, text.len), name = env_name(rest);
        if (name.len)
            buf_format(&b, "{{ env.%.*s }}", FMT(name));
        else if (opens_template(rest))
            buf_format(&b, "{{ '%.*s' }}", FMT(str_sub(rest, 0, 2)));
        else
            buf_char(&b, text.ptr[i]);
        changed = changed || name.len || opens_template(rest);
        i += name.len ? name.len + 3 : opens_template(rest) ? 2 : 1;
    }
    Str out = changed ? str_copy(arena, buf_str(&b)) : text;
    buf_free(&b);
    return out;
}

/* How it was written; NULL: as `text` says. */
static const Str *builder_written(const Builder *b, const YamlNode *node)
{
    return map_get(&b->written, (Str){(const char *)&node, sizeof node});
}

static void read_environment(Builder *b, YamlNode *node, int depth)
{
    if (depth >= LIMIT_YAML_DEPTH)
        return;
    if (node->kind == YAML_STRING && !builder_written(b, node) && (str_find_char(node->text, '$') >= 0 || str_find_char(node->text, '{') >= 0)) {
        Str *written = push(b->plan->arena, Str, 1);
        *written = node->text;
        node->text = with_templates(b->plan->arena, node->text);
        if (node->text.ptr != written->ptr)
            put_address(b->plan->arena, &b->written, node, written);
    }
    for (size_t i = 0; node->kind == YAML_LIST && i < node->as.list.count; i++)
        read_environment(b, node->as.list.items[i], depth + 1);
    for (size_t i = 0; node->kind == YAML_MAP && i < node->as.map.count; i++)
        read_environment(b, node->as.map.entries[i].value, depth + 1);
}

/* ---- Reading ---- */

const void *query_document(DgPlanner *p, const void *field, DgStr path, const DgField *fields, size_t size)
{
    const PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    DgError err = {0};
    Str disk = path.len && path.ptr[0] == '/' ? path : str_format(plan->arena, "%.*s/%.*s", FMT(m->b->root), FMT(path));
    uint32_t file = sources_load(plan->sources, path, disk, &err);
    if (!file) {
        diag_help(diag_report(plan->diag, E0703, planner_at(p, field), "%s", err.message), "paths are relative to `%.*s`",
                  FMT(m->instance->folder.len ? m->instance->folder : S(".")));
        return NULL;
    }
    YamlFile yaml = yaml_parse(plan->arena, plan->diag, file);
    if (yaml.broken || !yaml.documents.count)
        return NULL;
    YamlNode *root = yaml.documents.items[0];
    read_environment(m->b, root, 0);
    ConfigTarget target = {path, fields, size, 0};
    Config *config = push(plan->arena, Config, 1);
    *config = config_fill(plan->arena, plan->diag, m->instance->names, &target, root, root->at);
    builder_add_config(m->b, config);
    return config->ok ? config->data : NULL;
}

/* ---- A field as it stands in the YAML ---- */

static DgValue tree_value(const Builder *b, DgEval *ev, const YamlNode *node, int depth)
{
    DgValue out = {.kind = DG_V_NONE};
    if (depth >= LIMIT_YAML_DEPTH)
        return out;
    switch (node->kind) {
    case YAML_BOOL: return dgv_bool(node->as.b);
    case YAML_INT: return dgv_int(node->as.i);
    case YAML_FLOAT: return dgv_float(node->as.f);
    case YAML_STRING: {
        const Str *written = builder_written(b, node);
        return dgv_from_str(written ? *written : node->text);
    }
    case YAML_DATE:
    case YAML_TIMESTAMP: return dgv_from_str(node->text);
    case YAML_LIST:
        out = dg_new_list(ev, node->as.list.count);
        for (size_t i = 0; i < node->as.list.count; i++)
            out.as.list->items[i] = tree_value(b, ev, node->as.list.items[i], depth + 1);
        return out;
    case YAML_MAP:
        out = dg_new_dict(ev);
        for (size_t i = 0; i < node->as.map.count; i++)
            dg_put(ev, out, dgv_from_str(node->as.map.entries[i].key->text), tree_value(b, ev, node->as.map.entries[i].value, depth + 1));
        return out;
    case YAML_NULL:
    case YAML_ERROR: break;
    }
    return out;
}

DgValue query_tree(DgPlanner *p, const void *field)
{
    const PlannerImpl *m = p->impl;
    const ConfigPlace *place = builder_place(m->b, field);
    DgEval ev;
    if (!place || !place->node)
        return (DgValue){.kind = DG_V_NONE};
    dg_eval_init(&ev, m->b->plan->arena);
    DgValue out = tree_value(m->b, &ev, place->node, 0);
    dg_eval_free(&ev);
    return out;
}
