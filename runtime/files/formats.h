/* formats.h - files as rows and rows as files: CSV, TSV, JSON, NDJSON, Parquet, XLSX (read only),
 * gzip and zstd, Hive partitions. DuckDB in memory does the formats; XLSX is ours.
 */
#ifndef DGC_FORMATS_H
#define DGC_FORMATS_H

#include "runtime/data/rows_stream.h"
#include "runtime/files/fs.h"

typedef enum DgFileFormat {
    DG_FILE_AUTO, /* by the name's endings */
    DG_FILE_CSV,
    DG_FILE_TSV,
    DG_FILE_JSON,
    DG_FILE_NDJSON,
    DG_FILE_PARQUET,
    DG_FILE_XLSX,
    DG_FILE_RAW,  /* one row: file name and content */
} DgFileFormat;
DgFileFormat file_format_find(Str name); /* "jsonlines" is NDJSON ...; AUTO when unknown */
DgFileFormat file_format_of(Str path);

typedef struct DgReadFormat {
    DgFileFormat format;
    int32_t header;             /* 1 yes, 0 no, -1 find out */
    Str delimiter, quote, escape, null_if, datetime_format, encoding, compression;
    bool empty_as_null;
    bool skip_blank_lines;      /* CSV, TSV: lines whose fields are all empty or null are no rows */
    bool flatten;               /* nested objects become columns a__b; else they are JSON */
    bool hive;                  /* key=value folders are columns */
    bool all_text;
    int32_t flatten_depth;      /* how many levels; 0: all */
    int64_t skip_lines;
    int64_t fields_per_record;  /* each line must have so many; 0: as many as the first; -1: any */
    Str sheet, range;           /* XLSX: `Sheet1`, `Sheet1!A2:D` */
    Str jmespath;               /* JSON: where the records are, a.b[*].c */
    const DgColumn *columns;    /* given types; NULL: inferred over the whole of each file's sample */
    int32_t columns_count;
    Str file_column;            /* name of a column with each row's file path; empty: none */
} DgReadFormat;

/* The key=value folders of a path, `year=2024/month=1`; empty: none. */
Str file_hive_folders(Arena *a, Str path);

/* Rows of several local files as one table: columns matched by name, missing ones null, types
 * unified. Parquet and CSV stream with bounded memory. */
DgStatus files_read(const StrArray *local, const DgReadFormat *how, int64_t memory_max, DgRows **out,
                    DgError *err);

typedef struct DgWriteFormat {
    DgFileFormat format;
    Str delimiter, compression, datetime_format, null_text;
    int32_t header;             /* 1 yes (default), 0 no */
    int64_t file_max_rows, file_max_bytes; /* 0: one file */
    StrArray partition_by;      /* Hive folders */
} DgWriteFormat;
/* All rows into local files below `folder`, whose paths relative to it come out sorted. One file is
 * called `name` with the format's ending; several are numbered. Every file is on disk (fsync). */
DgStatus files_write(DgRows *from, const DgWriteFormat *how, Str folder, Str name, int64_t memory_max,
                     Arena *a, StrArray *out, int64_t *rows, DgError *err);

#endif
