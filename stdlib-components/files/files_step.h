/* files_step.h - the two ways of loading files: our decoders, and DuckDB's readers. */
#ifndef DGC_FILES_STEP_H
#define DGC_FILES_STEP_H

#include "runtime/base/base.h"
#include "runtime/component.h"

enum { FILES_REPLACE, FILES_APPEND, FILES_MERGE };
extern const char *const dg_files_modes[];

/* Common to both. */
typedef struct FilesTarget {
    DgStr asset;
    DgList paths;      /* of DgStr: project-relative or URLs, globs allowed */
    DgList folders;    /* of DgStr, one a path: what it is relative to, when that is not the project;
                        * empty when all paths were known at build time */
    int32_t mode;
    DgList unique_key; /* of DgStr */
    DgStr partition_column; /* REPLACE of a partition: rows with its values go */
    bool allow_empty;
} FilesTarget;

/* CSV, TSV and NDJSON of known columns, decoded by emitted code. */
typedef struct FilesDecode {
    FilesTarget target;
    int32_t format;              /* DgFormat */
    DgStr delimiter, quote, escape; /* one character each, or none */
    bool header;
    bool skip_bad;               /* records that do not fit are left out, and counted */
    int64_t skip_rows;
    DgList columns;              /* of DgPair: names and types, in the decoder's order */
    DgList nulls;                /* of DgStr */
    DgCode decode;               /* a DgDecodeFn */
} FilesDecode;
extern const DgStepOps dg_files_decode_ops, dg_files_decode_http_ops;

/* Everything else, through the engine. */
typedef struct FilesRead {
    FilesTarget target;
    DgStr format;                /* empty: by the name */
    DgStr options;               /* `, header = true`: further arguments of the reader */
    DgList columns;              /* of DgPair; empty: as the reader finds them */
    DgStr filename_column;
} FilesRead;
extern const DgStepOps dg_files_ops, dg_files_http_ops;

/* files_paths.c: what the paths name now: globs expanded, URLs downloaded into temporary files that
 * files_paths_release() deletes. `shown` are the names for messages. */
typedef struct FilesPaths {
    Array(DgStr) local, shown, temporary;
} FilesPaths;
/* How a URL becomes a file; only the `_http` ops have one, so that an executable that names no URL
 * carries no network code. */
typedef DgStatus (*FilesDownload)(Str url, const char *to, int64_t bytes_max, DgError *err);
DgStatus files_paths_expand(DgStepRun *run, const FilesTarget *t, FilesDownload download, Arena *a,
                            FilesPaths *out, DgError *err);
bool files_is_url(Str path);
void files_paths_release(FilesPaths *p, Arena *a);

#define FILES_TARGET_FIELDS(T)                                                                          \
    {.name = "asset", .kind = DG_F_ASSET_KEY, .offset = offsetof(T, target.asset), .doc = "The asset."}, \
    {.name = "paths", .kind = DG_F_LIST, .offset = offsetof(T, target.paths), .of_kind = DG_F_STRING,    \
     .of_size = sizeof(DgStr), .doc = "Files, globs and URLs."},                                         \
    {.name = "folders", .kind = DG_F_LIST, .offset = offsetof(T, target.folders), .of_kind = DG_F_STRING, \
     .of_size = sizeof(DgStr), .doc = "Where paths that are known late begin."},                         \
    {.name = "mode", .kind = DG_F_ENUM, .offset = offsetof(T, target.mode), .choices = dg_files_modes,   \
     .doc = "How rows enter the table."},                                                                \
    {.name = "unique_key", .kind = DG_F_LIST, .offset = offsetof(T, target.unique_key),                  \
     .of_kind = DG_F_STRING, .of_size = sizeof(DgStr), .doc = "Merge: what tells rows apart."},          \
    {.name = "partition_column", .kind = DG_F_STRING, .offset = offsetof(T, target.partition_column),    \
     .doc = "Replace: the column that says which partition a row is of."},                               \
    {.name = "allow_empty", .kind = DG_F_BOOL, .offset = offsetof(T, target.allow_empty),                \
     .doc = "No file is no error."}

#endif
