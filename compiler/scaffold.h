/* scaffold.h - new files for a project: component files, component types in C, whole projects. */
#ifndef DGC_SCAFFOLD_H
#define DGC_SCAFFOLD_H

#include "compiler/compile.h"

typedef struct ScaffoldParam { /* an attribute that the user gives: its YAML text */
    Str name, value;
} ScaffoldParam;
typedef Array(ScaffoldParam) ScaffoldParams;

/* A defs.yaml: required attributes with an example each, the others as comments. `schema` is the
 * path of the JSON Schema from the file's folder. */
void scaffold_defs(const DgComponent *c, const ScaffoldParams *params, Str schema, StrBuf *out);

/* A component type in C that compiles and runs as it is; `name` is "acme.Rates". */
Str scaffold_component(Arena *a, Str name);
Str scaffold_fixture(Arena *a, Str name); /* a test of it, for tests/ */

/* A file of a template of `dgc init`: `{name}` stands for the project's name. */
typedef struct ScaffoldFile {
    const char *path, *text;
} ScaffoldFile;
typedef struct ScaffoldTemplate {
    const char *name, *summary;
    const ScaffoldFile *files; /* ended by a NULL path */
} ScaffoldTemplate;
extern const ScaffoldTemplate scaffold_templates[]; /* ended by a NULL name; the first is usual */

/* Writes a file with the folders above it. Without `replace`, a file that is there is an error. */
DgStatus scaffold_write(Arena *a, Str path, Str text, bool replace, DgError *err);

/* The type that `name` means: its name or alias, or the only one with this text in its name. Says
 * on stderr which candidates there are when it is none. */
const DgComponent *scaffold_find_type(const char *command, Str name);

#endif
