/* project.h - where a project is, what its settings say, and which component files it has.
 *
 * Three layouts: Dagster's (`dg.toml` or `[tool.dg]` in pyproject.toml), a workspace of such
 * projects, and our plain one (`defs/`, with an optional `dgc.yaml`). Component files are found by
 * Dagster's autoload rules: children in sorted order, dot entries and __pycache__ ignored,
 * defs.yaml before component.yaml, and a folder whose component is no DefsFolderComponent is not
 * searched further.
 */
#ifndef DGC_PROJECT_H
#define DGC_PROJECT_H

#include "compiler/compile.h"
#include "compiler/template.h"

/* A folder below defs/: what its DefsFolderComponent says holds for everything below it. */
typedef struct Folder {
    Str path;                       /* project-relative */
    struct Folder *parent;          /* NULL: the defs folder itself */
    Array(Instance *) components;   /* its DefsFolderComponents: post_processing */
    Scope *names;                   /* template vars declared here or above */
} Folder;

typedef struct Project {
    Str root;              /* absolute folder on disk */
    Str name;
    Str defs;              /* "defs", "src/shop/defs": project-relative */
    bool is_dg;            /* Dagster's layout */
    YamlNode *settings;    /* dgc.yaml; NULL: none */
    uint32_t settings_file;
    DgValue vars;          /* `vars` of dgc.yaml: a dict, for var() in SQL */
    Scope *names;          /* what every template may use; compile.c makes it before project_load */
    Folder *top;
    Array(Instance *) instances; /* in load order */
    StrArray python_files; /* below defs/: read by Dagster, not by dgc */
    StrArray files;        /* everything read: for --watch and the fingerprint */
    StrArray folders;      /* below defs/, as far as they were searched: for --watch */
    Map dotenv;            /* name -> Str*: .env of workspace and project */
} Project;

/* Finds the project that holds `start` (empty: the current folder): that folder or the nearest
 * above. Reports E0701/E0702. A workspace of several projects is an error that names them;
 * project_workspace() lists them. */
bool project_find(Compile *c, Str start);
StrArray project_workspace(Arena *arena, Str start); /* absolute folders; empty: no workspace */

/* Finds the project and compiles its own component types, nothing else: for commands that are about
 * types. Makes the arena and the Diag of `c`. */
bool project_types(Compile *c, Str start);

/* Reads every component file and makes the instances; needs the registry (registry.h). */
void project_load(Compile *c);

/* .env files, as python-dotenv reads them; the environment itself wins. dotenv.c */
void dotenv_read(Arena *arena, Str text, Map *into);
bool dotenv_name(Str s); /* a name that a variable may have */
void project_export_dotenv(const Project *p); /* setenv for names that are not set */

/* One level of TOML as far as project files need it: tables, arrays of tables, strings, booleans,
 * numbers, arrays of strings. Values by dotted key: "tool.dg.project.root_module". toml.c */
typedef struct TomlFile {
    Map values; /* dotted key -> StrArray* (one item unless an array) */
} TomlFile;
bool toml_read(Arena *arena, Str text, TomlFile *out);
Str toml_get(const TomlFile *t, Str key); /* empty when absent */
const StrArray *toml_list(const TomlFile *t, Str key);

#endif
