/* copy.h - one stream on its way: what the files of runtime/copy share.
 *
 *   stream.c      copy_stream: connections, wildcards, one table after the other
 *   variables.c   {stream_table}, {YYYY} and the rest
 *   query.c       the SELECT that reads a source: columns, conditions, placeholders
 *   watch.c       counts rows and remembers the largest update key as they pass
 *   shape.c       column types and constraints that the replication declares, added columns
 *   transform.c   `transforms`: values changed by expressions
 *   constrain.c   `columns: {age: 'integer | value >= 0'}`
 *   stamp.c       `_sling_loaded_at`: when rows were loaded
 *   select.c      `select` for files, column_casing for files
 *   chunks.c      a backfill's range in parts
 *   each_file.c   a wildcard of files, one stream for each
 *   each_table.c  a wildcard of tables; what becomes of the others when one fails
 *   since.c       rows of files beyond where the last run ended
 *   cells.c       values of batches as values of expressions, and back
 *   names.c       which types and variables there are: for the compiler too
 *   open_rows.c   the rows of a source: a connection for each part of a table, or files
 *   state.c       cursors shown and changed
 *   explain.c     what `plan` says
 *   typing.c      column_typing, max_decimals, table_keys
 *   setting.c     SLING_LOADED_AT_COLUMN and the like
 *   to_table.c    into a database, through runtime/load
 *   to_files.c    into files of a store
 *   metadata.c    include_metadata
 *   hooks.c       what runs before and after; hooks_sql.c, hooks_out.c, hooks_files.c
 */
#ifndef DGC_COPY_H
#define DGC_COPY_H

#include "runtime/copy/chunks.h"
#include "runtime/db/engine.h"
#include "runtime/files/formats.h"
#include "runtime/load/load.h"
#include "runtime/run/run.h"

/* One end of a copy: a database or a store of files. */
typedef struct CopyEnd {
    DgConn conn;
    const DgEngine *engine;  /* NULL: a store of files */
    DgDb *db;
    DgFs *fs;
} CopyEnd;

typedef struct CopyFacts { /* {row_count, columns} by name of a table */
    Array(const char *) names;
    Array(DgValue) values;
    size_t count;            /* with those past the limit */
} CopyFacts;

typedef struct Copy {
    DgStepRun *run;
    const DgStreamStep *step;
    const DgStreamSettings *s;
    Arena arena;             /* all of the stream */
    CopyEnd source, target;
    int64_t started_us;
    bool incremental;        /* the mode asks for it, and no full refresh was asked for */

    /* The table or file at hand. */
    Str name;                /* `public.orders`, or the files' pattern */
    const DgFsItem *file;    /* one of the pattern's, as a stream of its own; NULL: all of them */
    DgTableName from;
    DgTableInfo info;        /* of `from`; columns_count 0: custom SQL, or files */
    Str object;              /* of the target, variables expanded */
    DgTableName to;
    Str cursor;              /* value of the update key where the last run ended; empty: none */
    DgType cursor_type;
    const CopyChunk *chunk;  /* of a backfill: the part at hand; NULL: all of the range */
    size_t chunk_number, chunks_count; /* from 1 */
    Str failure;

    /* For include_metadata: the tables so far. */
    int64_t noted_rows;
    DgValue noted_columns;   /* of the last one */
    CopyFacts noted, noted_lists; /* of the tables; of those that their lists became */

    /* For hooks. */
    DgDb *merging;           /* the load's own transaction is open; else NULL */
    int64_t rows_total;      /* {run.total_rows} */
    Str status;              /* {run.status}: running, success, error */
    int depth;               /* of groups */
} Copy;

/* ---- variables.c ---- */

/* `{name}` and `{stream.table}` replaced; unknown ones DG_CONFIG with the nearest name. `${NAME}` is
 * the environment's. Values put into SQL must be safe there: `for_sql` refuses quotes in them. */
DgStatus copy_expand(Copy *c, Str text, Str *out, DgError *err);

/* One name; DG_END: there is none. */
DgStatus copy_variable(Copy *c, Str name, DgValue *out, DgError *err);

/* ---- stream.c ---- */

/* A connection by its name: source, target, one of the step's, or the environment's. */
DgStatus copy_connection(Copy *c, Str name, DgConn *out, DgError *err);
/* A store whose retries are told in the run's log, and which a run that is cancelled need not wait for. */
DgStatus copy_open_store(Copy *c, const DgConn *conn, DgFs **out, DgError *err);

/* ---- hooks.c ---- */

/* DG_END: a hook says that the stream is to be skipped. */
DgStatus hooks_run(Copy *c, const DgList *hooks, DgError *err);

/* ---- query.c ---- */

/* Columns of the stream's `select` (`a`, `a as b`, `-c`, globs), against the source's. */
DgStatus copy_query(Copy *c, Str condition, Str *sql, DgError *err);

/* ---- watch.c ---- */

typedef struct CopyWatch CopyWatch;
/* Takes `from` over. `key` is the update key's column, or empty. */
DgStatus copy_watch(Copy *c, DgRows *from, Str key, CopyWatch **watch, DgRows **out, DgError *err);
/* The largest value that passed, as text; empty: none. Good until the stream is closed. */
Str copy_watch_largest(const CopyWatch *w, DgType *type);
int64_t copy_watch_rows(const CopyWatch *w);

/* ---- shape.c ---- */

/* Casts, constraints, added columns. Takes `from` over. */
DgStatus copy_shape(Copy *c, DgRows *from, DgRows **out, DgError *err);
/* A text as a value of a type that is no text; false when it is none. */
bool copy_store(DgVector *to, DgType type, int32_t row, const char *p, const char *end);

/* ---- select.c ---- */

/* Items of `select`: a pattern that fits, quotes off, `name as alias` cut in two, one of the `-name`. */
bool select_matches(Arena *a, Str pattern, Str name);
Str select_unquoted(Str s);
bool select_alias(Str item, Str *name, Str *alias);
bool select_excludes(Copy *c, Str name);
/* Like copy_shape: the columns chosen, of files; names by `column_casing`, for files. */
DgStatus copy_select(Copy *c, DgRows *from, DgRows **out, DgError *err);
DgStatus copy_rename(Copy *c, DgRows *from, DgRows **out, DgError *err);

/* What `columns` says of a column; NULL: nothing. */
const DgValue *copy_declared(const Copy *c, Str column);

/* ---- typing.c ---- */
void copy_type(const Copy *c, DgType *type);                    /* of a column that `columns` does not name */
int copy_decimals(const Copy *c, DgType from, DgType to);       /* what to round to, -1: not at all */
void copy_round(StrBuf *digits, int decimals);
DgStatus copy_keys(Copy *c, DgLoadSpec *spec, DgError *err);    /* keys, and lengths of text */

/* ---- transform.c, constrain.c, stamp.c, since.c: like copy_shape, before and after it ---- */

DgStatus copy_transform(Copy *c, DgRows *from, DgRows **out, DgError *err);
DgStatus copy_constrain(Copy *c, DgRows *from, DgRows **out, DgError *err);
DgStatus copy_stamp(Copy *c, DgRows *from, DgRows **out, DgError *err);
DgStatus copy_since(Copy *c, DgRows *from, DgRows **out, DgError *err);

/* ---- to_table.c, to_files.c ---- */

DgStatus copy_to_table(Copy *c, DgError *err);
DgStatus copy_to_files(Copy *c, DgError *err);
/* The rows of the stream at hand, shaped and watched. *out NULL: there are no files, which is allowed. */
DgStatus copy_open_rows(Copy *c, CopyWatch **watch, DgRows **out, DgError *err);

/* How many of a backfill's chunks are committed by a run that did not come to its end. */
DgStatus copy_chunks_done(Copy *c, const CopyChunks *chunks, size_t *done, DgError *err);
/* What `state reset` leaves. */
#define COPY_CURSOR_RESET "{\"reset\":true}"
DgCasing copy_casing(const Copy *c);
DgStatus copy_make_spec(Copy *c, DgLoadSpec *spec, DgError *err);
DgStatus copy_find_cursor(Copy *c, DgError *err);
Str copy_state_key(Copy *c); /* of the stream and table at hand */

/* ---- metadata.c: of the table at hand, after its rows; of all, as the asset's ---- */
void copy_note_table(Copy *c);
void copy_report_noted(Copy *c);

/* ---- stream.c ---- */
DgStatus copy_resolve_end(Copy *c, const DgConnConfig *config, CopyEnd *end, DgError *err); /* not opened */
DgStatus copy_open_end(Copy *c, CopyEnd *end, DgError *err);
void copy_close_end(CopyEnd *end);
DgStatus copy_name_stream(Copy *c, DgError *err); /* name, from: by the stream's own words */
DgStatus copy_describe_source(Copy *c, DgError *err);
DgStatus copy_name_object(Copy *c, DgError *err); /* object, to */

Str copy_object_of(const Copy *c); /* as written, or what stands for it */

/* ---- each_file.c ---- */
bool copy_files_apart(const Copy *c);
/* `one` for each file that the stream's pattern matches, with `file` and `name` set. */
DgStatus copy_each_file(Copy *c, DgStatus (*one)(Copy *c, DgError *err), DgError *err);

/* ---- each_table.c ---- */

/* Tables or files of a wildcard: one that fails does not hold up the others. */
typedef struct CopyMany {
    int64_t count, failed;
    StrArray names;          /* of those that failed */
    DgError why;             /* of the first, or of the first that may pass when tried again */
    StrArray runs;           /* ids of this run and of those that it resumes */
} CopyMany;
DgStatus copy_each_table(Copy *c, DgStatus (*one)(Copy *c, DgError *err), DgError *err);
/* `one` for the table or file at hand, unless it was loaded before a failure. Not DG_OK: the others have no chance either. */
DgStatus copy_one_of_many(Copy *c, CopyMany *m, DgStatus (*one)(Copy *c, DgError *err), DgError *err);
DgStatus copy_loaded_before(Copy *c, CopyMany *m, bool *there, DgError *err);
DgStatus copy_many_end(const CopyMany *m, const char *noun, DgError *err);
/* to_files.c: what the manifest of the object's folder says. */
DgStatus copy_files_package(Copy *c, DgStepPackage *out, bool *there, DgError *err);
DgStatus copy_files_cursor(Copy *c, DgPair *out, bool *there, DgError *err);
/* to_files.c: whether one of these runs committed the folder of the object at hand. */
DgStatus copy_files_committed_by(Copy *c, const StrArray *runs, bool *there, DgError *err);

/* ---- open_rows.c ---- */
Str copy_path_in_store(Copy *c, Str stream); /* without scheme and host or bucket */
/* The files of the stream. None is DG_CONFIG unless SLING_ALLOW_EMPTY says it is fine. */
DgStatus copy_list_files(Copy *c, DgFsItems *items, DgError *err);

/* ---- setting.c ---- */
Str copy_env_text(Copy *c, const DgValue *value);
Str copy_setting(Copy *c, const char *name); /* empty: not set */
bool copy_setting_true(Copy *c, const char *name);

bool copy_cancelled(void *copy); /* for DgLoadSpec.cancelled and rows_queue */

#endif
