/* formats_internal.h - what the files that read and write formats share. Private to runtime/files.
 *
 *   formats.c         names, endings, words for dates; which reader
 *   formats_read.c    CSV, JSON, Parquet, raw bytes as rows, through DuckDB
 *   formats_json.c    JSON's columns: nested objects, where the records are
 *   formats_text.c    encodings, delimiters
 *   formats_write.c   rows as files, through DuckDB
 *   xlsx*.c, zip.c    spreadsheets
 */
#ifndef DGC_FORMATS_INTERNAL_H
#define DGC_FORMATS_INTERNAL_H

#include "runtime/db/warehouse.h"
#include "runtime/files/formats.h"

/* One reading of files: the rows, and what goes with them when they close. */
typedef struct FileRows {
    DgRows rows; /* first */
    Arena arena;
    const DgReadFormat *how; /* while it is opened */
    DgFileFormat format;
    StrArray paths;          /* not empty, absolute or with ./ in front: DuckDB must see no URL */
    Str temporary;           /* folder to delete; empty: none was made */
    DgWarehouse *warehouse;
    DgSession *session;
    DgScan *scan;
    int64_t memory_max;      /* what DuckDB has */
    Map exact;               /* CSV: names of columns whose type in the tree is to be told to the reader */
    int64_t object_bytes;    /* of JSON: the largest record; each thread has buffers of twice as much */
} FileRows;

/* csv_numbers.c: DOUBLE in the tree becomes what holds the numbers. `reader`: all columns as text; `sample`: rows to look at first. */
DgStatus csv_keep_numbers(FileRows *f, DgTypeTree *tree, Str reader, int64_t sample, DgError *err);

/* ---- formats.c ---- */

/* `YYYY-MM-DD HH:mm:ss`, `2006-01-02 15:04:05` (Go's) or `%Y-%m-%d` as DuckDB has it. *time, *date:
 * which parts it has. */
Str format_datetime(Arena *a, Str given, bool *date, bool *time);
/* How it is compressed, by the ending: "gzip", "zstd", "none". */
Str format_compression_of(Str path);
Str format_folder_temporary(Arena *a); /* TMPDIR or /tmp */

/* ---- formats_json.c ---- */

/* The SELECT that reads JSON; first picks the records out when there is a jmespath. */
DgStatus json_select(FileRows *f, StrBuf *sql, DgError *err);
/* Adds columns: nested objects taken apart when that is asked for. `tree` is of the files. */
DgStatus format_select_list(FileRows *f, const DgTypeTree *tree, StrBuf *sql, DgError *err);
const DgColumn *format_given(const DgReadFormat *how, Str name); /* its type was given */
void format_paths(FileRows *f, StrBuf *sql);                     /* ['a', 'b'] */
/* union_by_name, hive_partitioning, filename: what all of DuckDB's readers take. */
void format_common(FileRows *f, StrBuf *sql);
/* A temporary file, deleted when the rows close; it stands for `like`, and in key=value folders of the same names. */
DgStatus format_temporary(FileRows *f, Str like, const char *ending, Str *path, int *fd, DgError *err);
/* DG_DATA when the files, which become one, lie in key=value folders that differ: `what` cannot keep their columns. */
DgStatus format_one_partition(FileRows *f, const char *what, DgError *err);

/* ---- formats_text.c ---- */

/* The delimiter that the first line has most of: , ; tab |. Comma when there is none. */
DgStatus text_delimiter(Arena *a, Str path, int64_t skip_lines, char *out, DgError *err);
/* Files in another encoding become temporary ones in UTF-8; *name: what DuckDB reads by itself. */
DgStatus text_decode(FileRows *f, Str encoding, Str *name, DgError *err);

/* ---- xlsx.c ---- */

DgStatus xlsx_read(const StrArray *paths, const DgReadFormat *how, int64_t memory_max, DgRows **out, DgError *err);

#endif
