/* cmd_scaffold.c - `dgc scaffold defs TYPE PATH` and `dgc scaffold component NAME`. */
#include <stdio.h>
#include <sys/stat.h>

#include "compiler/cmd.h"
#include "compiler/project.h"
#include "compiler/scaffold.h"
#include "compiler/schema.h"
#include "compiler/yaml.h"

typedef struct ScaffoldOptions {
    Str project, json_params;
    StrArray rest;
    ScaffoldParams params;
} ScaffoldOptions;

static int usage_error(void)
{
    command_usage(command_find("scaffold"), true);
    return 2;
}

static int failed(DgStatus status, const DgError *err)
{
    fprintf(stderr, "dgc scaffold: %s\n", err->message);
    return dg_status_exit_code(status);
}

/* `--path ../data.csv` gives an attribute; --project and --json-params are ours. Returns -1 to go on. */
static int read_options(ScaffoldOptions *o, int argc, char **argv, Arena *arena)
{
    for (int i = 0; i < argc; i++) {
        Str arg = str_from(argv[i]), name = arg, value = {0};
        if (str_eq(arg, S("--help")) || str_eq(arg, S("-h"))) {
            command_usage(command_find("scaffold"), false);
            return 0;
        }
        if (!str_starts(arg, S("--")) || arg.len == 2) {
            array_add(arena, &o->rest, arg);
            continue;
        }
        if (!str_cut(arg, '=', &name, &value)) {
            if (i + 1 >= argc) {
                fprintf(stderr, "dgc scaffold: `%.*s` needs a value\n", FMT(arg));
                return 2;
            }
            value = str_from(argv[++i]);
        }
        if (str_eq(name, S("--project"))) {
            o->project = value;
        } else if (str_eq(name, S("--json-params"))) {
            o->json_params = value;
        } else {
            ScaffoldParam p = {str_replace(arena, str_sub(name, 2, name.len), S("-"), S("_")),
                               value};
            array_add(arena, &o->params, p);
        }
    }
    return -1;
}

/* JSON is YAML: each value's text goes into the file as it is, on one line. */
static bool read_json_params(Compile *c, ScaffoldOptions *o)
{
    if (!o->json_params.len)
        return true;
    uint32_t file = sources_add(&c->sources, S("--json-params"), o->json_params);
    YamlFile yaml = yaml_parse(&c->arena, &c->diag, file);
    YamlNode *map = yaml.documents.count && !yaml.broken ? yaml.documents.items[0] : NULL;
    if (!map || map->kind != YAML_MAP) {
        fputs("dgc scaffold: --json-params must be a JSON object, such as '{\"path\": \"a.csv\"}'\n", stderr);
        return false;
    }
    for (size_t i = 0; i < map->as.map.count; i++) {
        const YamlEntry *e = &map->as.map.entries[i];
        Str text = str_sub(o->json_params, e->value->at.start, e->value->at.end);
        ScaffoldParam p = {e->key->text, str_replace(&c->arena, text, S("\n"), S(" "))};
        array_add(&c->arena, &o->params, p);
    }
    return true;
}

static bool params_known(const DgComponent *type, const ScaffoldParams *params)
{
    for (size_t i = 0; i < params->count; i++) {
        Str name = params->items[i].name;
        const char *near = NULL;
        int best = 3;
        bool known = false;
        for (const DgField *f = type->fields; f && f->name; f++) {
            known = known || (f->kind != DG_F_CODE && str_eq(name, str_from(f->name)));
            int d = str_distance(name, str_from(f->name), best - 1);
            if (d < best) {
                best = d;
                near = f->name;
            }
        }
        if (known)
            continue;
        fprintf(stderr, "dgc scaffold: %s has no attribute `%.*s`\n", type->name, FMT(name));
        if (near)
            fprintf(stderr, "  a similar attribute exists: %s\n", near);
        else
            fprintf(stderr, "  `dgc explain %s` shows them all\n", type->name);
        return false;
    }
    return true;
}

/* "../" for each folder of a project-relative path. */
static Str way_up(Arena *a, Str path)
{
    StrBuf b = {0};
    buf_add(&b, S("../"));
    for (ptrdiff_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '/')
            buf_add(&b, S("../"));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static bool path_inside(Str path)
{
    bool up = str_eq(path, S("..")) || str_starts(path, S("../")) || str_ends(path, S("/..")) ||
              str_find(path, S("/../")) >= 0;
    return path.len && path.ptr[0] != '/' && !up;
}

static int scaffold_defs_file(Compile *c, ScaffoldOptions *o)
{
    Arena *a = &c->arena;
    DgError err = {0};
    const DgComponent *type = scaffold_find_type("scaffold", o->rest.items[1]);
    Str path = o->rest.items[2];
    if (!type || !read_json_params(c, o) || !params_known(type, &o->params))
        return 2;
    if (type->needs_python) {
        fprintf(stderr, "dgc scaffold: %s runs only inside Python\n  %s\n", type->name,
                type->needs_python);
        return 2;
    }
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (!path_inside(path)) {
        fprintf(stderr, "dgc scaffold: `%.*s` leads out of `%.*s`; the path is relative to it\n",
                FMT(path), FMT(c->project->defs));
        return 2;
    }
    Str folder = str_format(a, "%.*s/%.*s", FMT(c->project->defs), FMT(path));
    Str file = str_format(a, "%.*s/defs.yaml", FMT(folder));
    StrBuf text = {0}, schema = {0};
    scaffold_defs(type, &o->params, str_format(a, "%.*s.dgc/schema.json", FMT(way_up(a, folder))),
                  &text);
    Str path_on_disk = str_format(a, "%.*s/%.*s", FMT(c->project->root), FMT(file));
    DgStatus status = scaffold_write(a, path_on_disk,
                                     buf_str(&text), false, &err);
    buf_free(&text);
    if (status != DG_OK)
        return failed(status, &err);
    schema_all(&schema);
    status = scaffold_write(a, str_format(a, "%.*s/.dgc/schema.json", FMT(c->project->root)),
                            buf_str(&schema), true, &err);
    buf_free(&schema);
    if (status != DG_OK)
        return failed(status, &err);
    printf("%.*s\n", FMT(file));
    fputs("next: fill it in, then `dgc check`\n", stderr);
    return 0;
}

static bool type_name_good(Str name)
{
    bool dot = false;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
        bool inner = i && name.ptr[i - 1] != '.';
        if (!letter && !(inner && ((ch >= '0' && ch <= '9') || ch == '.')))
            return false;
        dot = dot || ch == '.';
    }
    return dot && name.ptr[name.len - 1] != '.';
}

/* components/rates.c of type acme.Rates. */
static int scaffold_component_file(Compile *c, ScaffoldOptions *o)
{
    Arena *a = &c->arena;
    DgError err = {0};
    Str type = o->rest.items[1];
    if (type.len && str_find_char(type, '.') < 0)
        type = str_format(a, "%.*s.%.*s", FMT(c->project->name), FMT(type));
    type = str_replace(a, type, S("-"), S("_"));
    if (!type.len || !type_name_good(type)) {
        fprintf(stderr,
                "dgc scaffold: `%.*s` cannot be a type's name; write it as PREFIX.Name, such as "
                        "acme.Rates\n", FMT(o->rest.items[1]));
        return 2;
    }
    ptrdiff_t dot = type.len;
    while (type.ptr[dot - 1] != '.')
        dot--;
    Str short_name = str_lower(a, str_sub(type, dot, type.len));
    Str file = str_format(a, "components/%.*s.c", FMT(short_name));
    Str path_on_disk = str_format(a, "%.*s/%.*s", FMT(c->project->root), FMT(file));
    DgStatus status = scaffold_write(a, path_on_disk,
                                     scaffold_component(a, type), false, &err);
    Str test = str_format(a, "tests/%.*s.yaml", FMT(short_name));
    if (status == DG_OK)
        status = scaffold_write(a, str_format(a, "%.*s/%.*s", FMT(c->project->root), FMT(test)),
                                scaffold_fixture(a, type), false, &err);
    if (status != DG_OK)
        return failed(status, &err);
    printf("%.*s\n%.*s\n", FMT(file), FMT(test));
    fprintf(stderr, "next: dgc test && dgc scaffold defs %.*s %.*s\n", FMT(type), FMT(short_name));
    return 0;
}

int cmd_scaffold(int argc, char **argv)
{
    Arena arena;
    ScaffoldOptions o = {0};
    arena_init(&arena, 0);
    int code = read_options(&o, argc, argv, &arena);
    if (code >= 0)
        return code;
    bool defs = o.rest.count == 3 && str_eq(o.rest.items[0], S("defs"));
    bool component = o.rest.count == 2 && str_eq(o.rest.items[0], S("component")) &&
                     !o.params.count;
    if (!defs && !component)
        return usage_error();
    Compile c = {0};
    if (!project_types(&c, o.project)) {
        diag_print(&c.diag, 2);
        return 2;
    }
    return defs ? scaffold_defs_file(&c, &o) : scaffold_component_file(&c, &o);
}
