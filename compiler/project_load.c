/* project_load.c - Dagster's autoload rules, and the documents of component files. */
#include "compiler/project.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compiler/config.h"
#include "compiler/registry.h"

enum { FOLDERS_DEPTH_MAX = 64, FOLDERS_MAX = 100000 };

typedef struct Load {
    Compile *c;
    Project *p;
    int depth;
    struct {
        dev_t device;
        ino_t number;
    } above[FOLDERS_DEPTH_MAX]; /* the folders on the way here: links may lead back to them */
} Load;

static Str join(Arena *a, Str folder, Str name)
{
    return folder.len ? str_format(a, "%.*s/%.*s", FMT(folder), FMT(name)) : name;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

typedef struct Listing {
    StrArray folders, files;
} Listing;

/* Links are followed only while they stay inside the project. */
static bool inside(Load *l, Str path)
{
    char *disk = str_cstr(&l->c->arena, join(&l->c->arena, l->p->root, path));
    char *got = realpath(disk, NULL);
    Str real = str_from(got), root = l->p->root;
    bool ok = got && str_starts(real, root) &&
              (root.len <= 1 || real.len == root.len || real.ptr[root.len] == '/');
    free(got);
    if (!ok)
        diag_help(diag_report(&l->c->diag, E0704, (Span){0}, "`%.*s` leads out of the project",
                              FMT(path)),
                  "put the files inside the project, or leave the link out of `defs`");
    return ok;
}

static Listing list_folder(Load *l, Str folder)
{
    Arena *a = &l->c->arena;
    Listing out = {0};
    DIR *d = opendir(str_cstr(a, join(a, l->p->root, folder)));
    int number = d ? 0 : errno;
    while (d) {
        errno = 0;
        struct dirent *e = readdir(d);
        number = errno;
        if (!e)
            break;
        Str name = str_from(e->d_name);
        if (name.ptr[0] == '.' || str_eq(name, S("__pycache__")))
            continue;
        name = str_copy(a, name);
        bool is_folder = e->d_type == DT_DIR;
        if (e->d_type == DT_LNK || e->d_type == DT_UNKNOWN) {
            struct stat st;
            Str path = join(a, folder, name);
            if (stat(str_cstr(a, join(a, l->p->root, path)), &st) != 0 ||
                (e->d_type == DT_LNK && !inside(l, path)))
                continue;
            is_folder = S_ISDIR(st.st_mode);
        }
        array_add(a, is_folder ? &out.folders : &out.files, name);
    }
    if (number)
        diag_report(&l->c->diag, E0703, (Span){0}, "could not read the folder `%.*s`: %s",
                    FMT(folder), strerror(number));
    if (d)
        closedir(d);
    if (out.folders.count)
        qsort(out.folders.items, out.folders.count, sizeof(Str), by_text);
    if (out.files.count)
        qsort(out.files.items, out.files.count, sizeof(Str), by_text);
    return out;
}

static bool has(const StrArray *names, Str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

/* Names of a `template_vars` mapping, each evaluated where the ones before are in scope. */
static void project_scope_vars(Compile *c, Scope *into, YamlNode *map)
{
    if (!map)
        return;
    if (map->kind != YAML_MAP) {
        if (map->kind != YAML_ERROR)
            diag_report(&c->diag, E0102, map->at, "`template_vars` must be a mapping, found %s",
                        yaml_kind_name(map->kind));
        return;
    }
    for (size_t i = 0; i < map->as.map.count; i++) {
        YamlEntry *e = &map->as.map.entries[i];
        scope_value(into, e->key->text, config_value(&c->arena, &c->diag, into, e->value));
    }
}

static const Str top_keys[] = {{"type", 4}, {"attributes", 10}, {"requirements", 12},
                               {"post_processing", 15}, {"template_vars", 13},
                               {"template_vars_module", 20}};
enum { TOP_KEYS = sizeof top_keys / sizeof *top_keys };

static void report_top_key(Load *l, const YamlNode *key)
{
    DiagItem *it = diag_report(&l->c->diag, E0108, key->at, "unknown key `%.*s`", FMT(key->text));
    diag_set_label(it, "not a key of component files");
    if (str_eq(key->text, S("params")))
        diag_fix(it, FIX_MACHINE, key->at, S("attributes"), "its name is `attributes` now");
    else if (str_eq(key->text, S("component_type")))
        diag_fix(it, FIX_MACHINE, key->at, S("type"), "its name is `type` now");
    else if (!diag_suggest(it, key->at, "key", key->text, top_keys, TOP_KEYS))
        diag_note(it, "keys here: type, attributes, requirements, post_processing, template_vars");
}

/* `requirements: {env: [NAME]}`, and nothing else. */
static void check_requirements(Load *l, const YamlNode *node)
{
    static const Str env = {"env", 3};
    Diag *d = &l->c->diag;
    for (size_t i = 0; node->kind == YAML_MAP && i < node->as.map.count; i++) {
        const YamlNode *key = node->as.map.entries[i].key, *value = node->as.map.entries[i].value;
        if (!str_eq(key->text, env)) {
            DiagItem *it = diag_report(d, E0108, key->at, "`requirements` has no key `%.*s`",
                                       FMT(key->text));
            if (!diag_suggest(it, key->at, "key", key->text, &env, 1))
                diag_note(it, "the only key here is `env`");
        } else if (value->kind != YAML_LIST) {
            if (value->kind != YAML_ERROR && value->kind != YAML_NULL)
                diag_help(diag_report(d, E0102, value->at, "`env` must be a list, found %s",
                                      yaml_kind_name(value->kind)),
                          "name the environment variables: `env: [TOKEN]`");
        } else {
            for (size_t k = 0; k < value->as.list.count; k++) {
                const YamlNode *name = value->as.list.items[k];
                if (name->kind != YAML_STRING && name->kind != YAML_ERROR)
                    diag_report(d, E0102, name->at, "an entry of `env` must be a name, found %s",
                                yaml_kind_name(name->kind));
            }
        }
    }
}

static void check_top_value(Load *l, const YamlNode *key, const YamlNode *value)
{
    if (str_eq(key->text, S("template_vars_module"))) {
        DiagItem *it = diag_report(&l->c->diag, E0115, key->at,
                                   "template vars written in Python cannot run in dgc");
        diag_help(it, "declare them in YAML: `template_vars:` in this file, with a value each");
    } else if (!str_eq(key->text, S("type")) && value->kind != YAML_MAP && value->kind != YAML_NULL &&
               value->kind != YAML_ERROR) {
        diag_report(&l->c->diag, E0102, value->at, "`%.*s` must be a mapping, found %s",
                    FMT(key->text), yaml_kind_name(value->kind));
    } else if (str_eq(key->text, S("requirements"))) {
        check_requirements(l, value);
    }
}

/* Once it is reported, a key is read as what it was meant to be: otherwise all that it holds would
 * be missing besides. */
static void rename_key(Load *l, YamlEntry *entry, Str name)
{
    YamlNode *meant = push(&l->c->arena, YamlNode, 1);
    *meant = *entry->key;
    meant->text = name;
    entry->key = meant;
}

static void check_top_keys(Load *l, YamlNode *doc)
{
    YamlEntry *unknown_map = NULL;
    size_t unknown = 0;
    for (size_t i = 0; i < doc->as.map.count; i++) {
        YamlEntry *entry = &doc->as.map.entries[i];
        const YamlNode *key = entry->key;
        if (has(&(StrArray){(Str *)(uintptr_t)top_keys, TOP_KEYS, TOP_KEYS}, key->text)) {
            check_top_value(l, key, entry->value);
            continue;
        }
        report_top_key(l, key);
        Str near = str_eq(key->text, S("component_type"))
                       ? top_keys[0]
                       : diag_nearest(&l->c->arena, key->text, top_keys, TOP_KEYS);
        if ((str_eq(near, top_keys[0]) || str_eq(near, top_keys[1])) && !yaml_get(doc, near)) {
            rename_key(l, entry, near);
        } else if (entry->value->kind == YAML_MAP) {
            unknown_map = entry;
            unknown++;
        }
    }
    if (unknown == 1 && !yaml_get(doc, top_keys[1])) /* `params:`, as it once was */
        rename_key(l, unknown_map, top_keys[1]);
}

static const DgComponent *component_of(Load *l, YamlNode *doc)
{
    YamlNode *type = yaml_get(doc, S("type"));
    if (!type) {
        DiagItem *it = diag_report(&l->c->diag, E0106, doc->at, "this component has no `type`");
        diag_help(it, "add `type: ...` as the first line; `dgc list components` shows the types");
        return NULL;
    }
    if (type->kind != YAML_STRING) {
        if (type->kind != YAML_ERROR)
            diag_report(&l->c->diag, E0102, type->at, "`type` must be a text, found %s",
                        yaml_kind_name(type->kind));
        return NULL;
    }
    bool alias = false;
    const DgComponent *found = registry_find(type->text, &alias);
    if (!found) {
        registry_report_unknown(&l->c->diag, type->at, type->text);
        return NULL;
    }
    if (found->needs_python) {
        DiagItem *it = diag_report(&l->c->diag, E0115, type->at,
                                   "`%.*s` runs only inside Python", FMT(type->text));
        diag_help(it, "%s", found->needs_python);
        return NULL;
    }
    return found;
}

static Instance *add_instance(Load *l, YamlNode *doc, Folder *folder, Str file, size_t number)
{
    Arena *a = &l->c->arena;
    if (doc->kind != YAML_MAP) {
        if (doc->kind != YAML_ERROR && doc->kind != YAML_NULL)
            diag_report(&l->c->diag, E0102, doc->at, "a component is a mapping, found %s",
                        yaml_kind_name(doc->kind));
        else if (doc->kind == YAML_NULL)
            diag_report(&l->c->diag, E0114, doc->at, "this document holds no component");
        return NULL;
    }
    check_top_keys(l, doc);
    const DgComponent *component = component_of(l, doc);
    if (!component)
        return NULL;
    Instance *in = push(a, Instance, 1);
    in->component = component;
    in->document = doc;
    in->attributes = yaml_get(doc, S("attributes"));
    if (in->attributes && in->attributes->kind != YAML_MAP && in->attributes->kind != YAML_NULL) {
        in->attributes = push(a, YamlNode, 1); /* reported: the rest stays silent */
        in->attributes->kind = YAML_ERROR;
    }
    in->folder = folder->path;
    in->file = file;
    in->id = str_format(a, "%.*s[%zu]", FMT(file), number);
    in->scope = folder;
    in->names = folder->names;
    YamlNode *vars = yaml_get(doc, S("template_vars"));
    if (vars) {
        Scope *names = scope_new(a, folder->names);
        project_scope_vars(l->c, names, vars);
        in->names = names;
        if (strstr(component->name, "DefsFolderComponent"))
            folder->names = names;
    }
    array_add(a, &l->p->instances, in);
    return in;
}

/* True when the folder is searched further: one of its components is a DefsFolderComponent. */
static bool load_file(Load *l, Folder *folder, Str name)
{
    Arena *a = &l->c->arena;
    DgError err = {0};
    Str path = join(a, folder->path, name);
    array_add(a, &l->p->files, path);
    uint32_t file = sources_load(&l->c->sources, path, join(a, l->p->root, path), &err);
    if (!file) {
        diag_report(&l->c->diag, E0703, (Span){0}, "%.*s: %s", FMT(path), err.message);
        return false;
    }
    YamlFile yaml = yaml_parse(a, &l->c->diag, file);
    if (!yaml.broken && (yaml.documents.count == 0 ||
                         (yaml.documents.count == 1 &&
                          yaml.documents.items[0]->kind == YAML_NULL))) {
        diag_help(diag_report(&l->c->diag, E0114, (Span){file, 0, 0},
                              "this file holds no component"),
                  "write `type: ...`, or delete the file");
        return false;
    }
    bool any_folder = false;
    for (size_t i = 0; i < yaml.documents.count; i++) {
        Instance *in = add_instance(l, yaml.documents.items[i], folder, path, i);
        bool is_folder = in && strstr(in->component->name, "DefsFolderComponent");
        if (is_folder)
            array_add(a, &folder->components, in);
        any_folder = any_folder || is_folder;
    }
    return any_folder;
}

/* False: a link has led back to a folder that is being searched. */
static bool enter(Load *l, Str path)
{
    struct stat st;
    if (stat(str_cstr(&l->c->arena, join(&l->c->arena, l->p->root, path)), &st) != 0) {
        diag_report(&l->c->diag, E0703, (Span){0}, "could not look at `%.*s`: %s", FMT(path),
                    strerror(errno));
        return false;
    }
    for (int i = 0; i < l->depth; i++)
        if (l->above[i].device == st.st_dev && l->above[i].number == st.st_ino)
            return false;
    l->above[l->depth].device = st.st_dev;
    l->above[l->depth].number = st.st_ino;
    return true;
}

static void load_folder(Load *l, Str path, Folder *parent)
{
    if (l->p->folders.count >= FOLDERS_MAX) {
        if (l->p->folders.count == FOLDERS_MAX)
            diag_report(&l->c->diag, E0104, (Span){0}, "there are more than %d folders below `%.*s`",
                        FOLDERS_MAX, FMT(l->p->defs));
        array_add(&l->c->arena, &l->p->folders, path);
        return;
    }
    if (l->depth >= FOLDERS_DEPTH_MAX) {
        diag_report(&l->c->diag, E0104, (Span){0}, "folders below `%.*s` are nested too deeply",
                    FMT(path));
        return;
    }
    Arena *a = &l->c->arena;
    if (!enter(l, path))
        return;
    Listing list = list_folder(l, path);
    array_add(a, &l->p->folders, path);
    Folder *folder = push(a, Folder, 1);
    folder->path = path;
    folder->parent = parent;
    folder->names = parent ? parent->names : l->p->names;
    if (!parent)
        l->p->top = folder;
    Str file = has(&list.files, S("defs.yaml"))        ? S("defs.yaml")
               : has(&list.files, S("defs.yml"))       ? S("defs.yml")
               : has(&list.files, S("component.yaml")) ? S("component.yaml")
                                                       : (Str){0};
    if (file.len) {
        if (!load_file(l, folder, file))
            return;
    } else if (has(&list.files, S("component.yml"))) {
        diag_help(diag_report(&l->c->diag, W0116, (Span){0}, "`%.*s/component.yml` is not read",
                              FMT(path)),
                  "rename it to `defs.yaml`");
    }
    for (size_t i = 0; i < list.files.count; i++)
        if (str_ends(list.files.items[i], S(".py")) &&
            !str_eq(list.files.items[i], S("__init__.py")))
            array_add(a, &l->p->python_files, join(a, path, list.files.items[i]));
    l->depth++;
    for (size_t i = 0; i < list.folders.count; i++)
        load_folder(l, join(a, path, list.folders.items[i]), folder);
    l->depth--;
}

/* Dagster would load them; one notice for the project. */
static void report_python(Load *l)
{
    const StrArray *files = &l->p->python_files;
    if (!files->count)
        return;
    StrBuf b = {0};
    for (size_t i = 0; i < files->count && i < 5; i++)
        buf_format(&b, "%s%.*s", i ? ", " : "", FMT(files->items[i]));
    if (files->count > 5)
        buf_format(&b, " and %zu more", files->count - 5);
    DiagItem *it = diag_report(&l->c->diag, W0117, (Span){0},
                               "Python definitions are not loaded: %.*s",
                               FMT(buf_str(&b)));
    diag_help(it,
              "run the code as a step: `dagster.PythonScriptComponent` or `dgc.Script`; assets that "
                  "only Dagster makes may be named in `deps` all the same");
    buf_free(&b);
}

void project_load(Compile *c)
{
    Project *p = c->project;
    assert(p && p->names);
    Load l = {.c = c, .p = p};
    if (p->settings) {
        YamlNode *vars = yaml_get(p->settings, S("vars"));
        project_scope_vars(c, p->names, yaml_get(p->settings, S("template_vars")));
        if (vars && vars->kind == YAML_MAP)
            c->plan.vars = p->vars = config_value(&c->arena, &c->diag, p->names, vars);
    }
    struct stat st;
    if (stat(str_cstr(&c->arena, join(&c->arena, p->root, p->defs)), &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            diag_report(&c->diag, E0703, (Span){0}, "could not look at `%.*s`: %s", FMT(p->defs),
                        strerror(errno));
            return;
        }
        diag_help(diag_report(&c->diag, E0701, (Span){0}, "the project has no folder `%.*s`",
                              FMT(p->defs)),
                  "component files are looked for there; make it, or `dgc scaffold defs TYPE PATH`");
        return;
    }
    load_folder(&l, p->defs, NULL);
    report_python(&l);
}
