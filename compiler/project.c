/* project.c - finds the project that a folder belongs to, and reads its settings. */
#include "compiler/project.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/user_component.h"

/* Of one that the disk fails to show, too: reading it then says why. */
static bool is_file(Arena *a, Str folder, const char *name)
{
    struct stat st;
    char *path = str_cstr(a, str_format(a, "%.*s/%s", FMT(folder), name));
    if (stat(path, &st) == 0)
        return S_ISREG(st.st_mode);
    return errno != ENOENT && errno != ENOTDIR && errno != EACCES;
}

static bool is_folder(Arena *a, Str folder, Str name)
{
    struct stat st;
    char *path = str_cstr(a, str_format(a, "%.*s/%.*s", FMT(folder), FMT(name)));
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static Str read_small(Arena *a, Str folder, const char *name)
{
    Sources s;
    DgError err = {0};
    sources_init(&s, a);
    Str path = str_format(a, "%.*s/%s", FMT(folder), name);
    uint32_t file = sources_load(&s, path, path, &err);
    return file ? sources_file(&s, file)->text : (Str){0};
}

/* Dagster's settings of a folder: dg.toml, else pyproject.toml. `prefix` is "" or "tool.dg.". */
static bool dg_settings(Arena *a, Str folder, TomlFile *toml, Str *prefix)
{
    if (is_file(a, folder, "dg.toml")) {
        *prefix = S("");
        return toml_read(a, read_small(a, folder, "dg.toml"), toml);
    }
    *prefix = S("tool.dg.");
    return is_file(a, folder, "pyproject.toml") &&
           toml_read(a, read_small(a, folder, "pyproject.toml"), toml) &&
           map_has(&toml->values, S("tool.dg.directory_type"));
}

static Str setting(Arena *a, const TomlFile *t, Str prefix, const char *key)
{
    return toml_get(t, str_format(a, "%.*s%s", FMT(prefix), key));
}

/* Where a Python module's folder is: below the project, or below its src/. */
static Str module_folder(Arena *a, Str root, Str module)
{
    Str path = str_replace(a, module, S("."), S("/"));
    Str in_src = str_format(a, "src/%.*s", FMT(path));
    return is_folder(a, root, in_src) ? in_src : path;
}

typedef enum Layout { LAYOUT_NONE, LAYOUT_PLAIN, LAYOUT_DG, LAYOUT_WORKSPACE } Layout;

static Layout layout_of(Arena *a, Str folder, Project *p)
{
    TomlFile toml;
    Str prefix;
    if (is_file(a, folder, "dgc.yaml")) {
        p->defs = S("defs");
        return LAYOUT_PLAIN;
    }
    if (dg_settings(a, folder, &toml, &prefix)) {
        if (str_eq(setting(a, &toml, prefix, "directory_type"), S("workspace")))
            return LAYOUT_WORKSPACE;
        Str root_module = setting(a, &toml, prefix, "project.root_module");
        Str defs_module = setting(a, &toml, prefix, "project.defs_module");
        if (!defs_module.len && root_module.len)
            defs_module = str_format(a, "%.*s.defs", FMT(root_module));
        p->is_dg = true;
        p->name = setting(a, &toml, prefix, "project.code_location_name");
        if (!p->name.len)
            p->name = toml_get(&toml, S("project.name"));
        p->defs = defs_module.len ? module_folder(a, folder, defs_module) : S("defs");
        return LAYOUT_DG;
    }
    if (is_folder(a, folder, S("defs"))) {
        p->defs = S("defs");
        return LAYOUT_PLAIN;
    }
    return LAYOUT_NONE;
}

static Str parent_of(Str path)
{
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, 0, i > 1 ? i - 1 : i);
}

static Str base_of(Str path)
{
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, i, path.len);
}

StrArray project_workspace(Arena *arena, Str start)
{
    StrArray out = {0};
    TomlFile toml;
    Str prefix;
    if (!dg_settings(arena, start, &toml, &prefix) ||
        !str_eq(setting(arena, &toml, prefix, "directory_type"), S("workspace")))
        return out;
    const StrArray *paths =
        toml_list(&toml, str_format(arena, "%.*sworkspace.projects.path", FMT(prefix)));
    for (size_t i = 0; paths && i < paths->count; i++)
        array_add(arena, &out, str_format(arena, "%.*s/%.*s", FMT(start), FMT(paths->items[i])));
    return out;
}

static Str setting_text(Compile *c, const Project *p, const char *key)
{
    const YamlNode *node = yaml_get(p->settings, str_from(key));
    if (!node || node->kind == YAML_NULL || node->kind == YAML_ERROR)
        return (Str){0};
    if (node->kind == YAML_STRING)
        return node->text;
    diag_report(&c->diag, E0102, node->at, "`%s` must be a text, found %s", key,
                yaml_kind_name(node->kind));
    return (Str){0};
}

/* Settings of dgc.yaml: name, defs, vars, template_vars, build_env. */
static void read_settings(Compile *c, Project *p)
{
    Arena *a = &c->arena;
    DgError err = {0};
    if (!is_file(a, p->root, "dgc.yaml"))
        return;
    p->settings_file = sources_load(&c->sources, S("dgc.yaml"),
                                    str_format(a, "%.*s/dgc.yaml", FMT(p->root)), &err);
    if (!p->settings_file) {
        diag_report(&c->diag, E0702, (Span){0}, "dgc.yaml: %s", err.message);
        return;
    }
    array_add(a, &p->files, S("dgc.yaml"));
    YamlFile f = yaml_parse(a, &c->diag, p->settings_file);
    p->settings = f.documents.count ? f.documents.items[0] : NULL;
    if (!p->settings || p->settings->kind == YAML_NULL || p->settings->kind == YAML_ERROR) {
        p->settings = NULL;
        return;
    }
    static const Str keys[] = {{"name", 4}, {"defs", 4}, {"vars", 4}, {"template_vars", 13}, {"build_env", 9}};
    if (p->settings->kind != YAML_MAP) {
        diag_report(&c->diag, E0702, p->settings->at, "dgc.yaml must be a mapping");
        p->settings = NULL;
        return;
    }
    for (size_t i = 0; i < p->settings->as.map.count; i++) {
        YamlNode *key = p->settings->as.map.entries[i].key;
        bool known = false;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            known = known || str_eq(key->text, keys[k]);
        if (!known)
            diag_suggest(diag_report(&c->diag, E0108, key->at, "dgc.yaml has no key `%.*s`",
                                     FMT(key->text)),
                         key->at, "key", key->text, keys, sizeof keys / sizeof *keys);
    }
    const Str name = setting_text(c, p, "name"), defs = setting_text(c, p, "defs");
    if (name.len)
        p->name = name;
    if (defs.len)
        p->defs = defs;
    YamlNode *vars = yaml_get(p->settings, S("vars"));
    if (vars && vars->kind != YAML_MAP && vars->kind != YAML_NULL && vars->kind != YAML_ERROR)
        diag_help(diag_report(&c->diag, E0102, vars->at, "`vars` must be a mapping, found %s",
                              yaml_kind_name(vars->kind)),
                  "give each variable a name: `vars: {currency: EUR}`");
}

static void read_env_file(Compile *c, Str folder, Map *into)
{
    Sources s;
    DgError err = {0};
    Str path = str_format(&c->arena, "%.*s/.env", FMT(folder));
    sources_init(&s, &c->arena);
    uint32_t file = sources_load(&s, path, path, &err);
    if (file)
        dotenv_read(&c->arena, sources_file(&s, file)->text, into);
    else
        diag_report(&c->diag, E0702, (Span){0}, "%s", err.message);
}

static void read_dotenv(Compile *c, Project *p)
{
    Arena *a = &c->arena;
    Str above = parent_of(p->root);
    TomlFile toml;
    Str prefix;
    if (above.len > 1 && dg_settings(a, above, &toml, &prefix) && is_file(a, above, ".env"))
        read_env_file(c, above, &p->dotenv);
    if (is_file(a, p->root, ".env"))
        read_env_file(c, p->root, &p->dotenv);
}

static bool report_workspace(Compile *c, Str folder, const StrArray *members)
{
    if (!members->count) {
        diag_report(&c->diag, E0702, (Span){0}, "the workspace `%.*s` lists no projects",
                    FMT(folder));
        return false;
    }
    StrBuf b = {0};
    for (size_t i = 0; i < members->count; i++)
        buf_format(&b, "%s`%.*s`", i ? ", " : "", FMT(str_sub(members->items[i], folder.len + 1,
                                                              members->items[i].len)));
    DiagItem *it = diag_report(&c->diag, E0701, (Span){0}, "`%.*s` is a workspace of %zu projects",
                               FMT(folder), members->count);
    diag_help(it, "name one of them: %.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return false;
}

bool project_find(Compile *c, Str start)
{
    Arena *a = &c->arena;
    char real[PATH_MAX];
    Str asked = start.len ? start : S(".");
    if (!realpath(str_cstr(a, asked), real)) {
        if (errno == ENOENT || errno == ENOTDIR)
            diag_report(&c->diag, E0701, (Span){0}, "there is no folder `%.*s`", FMT(asked));
        else
            diag_report(&c->diag, E0701, (Span){0}, "could not look at the folder `%.*s`: %s",
                        FMT(asked), strerror(errno));
        return false;
    }
    Project *p = push(a, Project, 1);
    c->project = p;
    Str folder = str_copy(a, str_from(real));
    Layout layout = LAYOUT_NONE;
    for (Str at = folder; at.len; at = parent_of(at)) {
        layout = layout_of(a, at, p);
        if (layout == LAYOUT_WORKSPACE) {
            StrArray members = project_workspace(a, at);
            if (members.count != 1)
                return report_workspace(c, at, &members);
            at = members.items[0];
            layout = layout_of(a, at, p);
        }
        p->root = at;
        if (layout == LAYOUT_PLAIN || layout == LAYOUT_DG || at.len == 1)
            break;
    }
    if (layout != LAYOUT_PLAIN && layout != LAYOUT_DG) {
        DiagItem *it = diag_report(&c->diag, E0701, (Span){0},
                                   "no project in `%.*s` or any folder above it", FMT(folder));
        diag_help(it, "a project has a folder `defs/`, a `dgc.yaml`, or Dagster's `dg.toml` or "
                      "`pyproject.toml`; `dgc init NAME` makes one");
        return false;
    }
    if (!p->name.len)
        p->name = base_of(p->root);
    read_settings(c, p);
    read_dotenv(c, p);
    return true;
}

bool project_types(Compile *c, Str start)
{
    arena_init(&c->arena, 0);
    sources_init(&c->sources, &c->arena);
    diag_init(&c->diag, &c->arena, &c->sources);
    c->plan = (Plan){.arena = &c->arena, .diag = &c->diag, .sources = &c->sources};
    if (!project_find(c, start))
        return false;
    user_components_load(c);
    return true;
}
