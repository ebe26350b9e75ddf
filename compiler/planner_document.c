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

/* `${NAME}` becomes `{{ env.NAME }}`, which is read when the executable starts. */
static Str with_templates(Arena *arena, Str text)
{
    StrBuf b = {.max = LIMIT_YAML_BYTES};
    bool changed = false;
    while (text.len) {
        ptrdiff_t open = str_find(text, S("${"));
        Str rest = open < 0 ? (Str){0} : str_sub(text, open + 2, text.len);
        ptrdiff_t close = str_find_char(rest, '}');
        if (open < 0 || close < 0)
            break;
        Str name = str_sub(rest, 0, close);
        buf_add(&b, str_sub(text, 0, open));
        if (is_env_name(name))
            buf_format(&b, "{{ env.%.*s }}", FMT(name));
        else
            buf_format(&b, "${%.*s}", FMT(name));
        changed = changed || is_env_name(name);
        text = str_sub(rest, close + 1, rest.len);
    }
    buf_add(&b, text);
    Str out = str_copy(arena, buf_str(&b));
    buf_free(&b);
    return changed ? out : text;
}

static void read_environment(Arena *arena, YamlNode *node, int depth)
{
    if (depth >= LIMIT_YAML_DEPTH)
        return;
    if (node->kind == YAML_STRING && str_find(node->text, S("${")) >= 0)
        node->text = with_templates(arena, node->text);
    for (size_t i = 0; node->kind == YAML_LIST && i < node->as.list.count; i++)
        read_environment(arena, node->as.list.items[i], depth + 1);
    for (size_t i = 0; node->kind == YAML_MAP && i < node->as.map.count; i++)
        read_environment(arena, node->as.map.entries[i].value, depth + 1);
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
    read_environment(plan->arena, root, 0);
    ConfigTarget target = {path, fields, size, 0};
    Config *config = push(plan->arena, Config, 1);
    *config = config_fill(plan->arena, plan->diag, m->instance->names, &target, root, root->at);
    builder_add_config(m->b, config);
    return config->ok ? config->data : NULL;
}

/* ---- A field as it stands in the YAML ---- */

static DgValue tree_value(DgEval *ev, const YamlNode *node, int depth)
{
    DgValue out = {.kind = DG_V_NONE};
    if (depth >= LIMIT_YAML_DEPTH)
        return out;
    switch (node->kind) {
    case YAML_BOOL: return dgv_bool(node->as.b);
    case YAML_INT: return dgv_int(node->as.i);
    case YAML_FLOAT: return dgv_float(node->as.f);
    case YAML_STRING:
    case YAML_DATE:
    case YAML_TIMESTAMP: return dgv_from_str(node->text);
    case YAML_LIST:
        out = dg_new_list(ev, node->as.list.count);
        for (size_t i = 0; i < node->as.list.count; i++)
            out.as.list->items[i] = tree_value(ev, node->as.list.items[i], depth + 1);
        return out;
    case YAML_MAP:
        out = dg_new_dict(ev);
        for (size_t i = 0; i < node->as.map.count; i++)
            dg_put(ev, out, dgv_from_str(node->as.map.entries[i].key->text), tree_value(ev, node->as.map.entries[i].value, depth + 1));
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
    DgValue out = tree_value(&ev, place->node, 0);
    dg_eval_free(&ev);
    return out;
}
