/* infer.h - the columns of a data file, from a look at its beginning; used when building. */
#ifndef DGC_INFER_H
#define DGC_INFER_H

#include "runtime/base/base.h"
#include "runtime/component.h"

/* `format`: csv, tsv, json, ndjson, parquet, or empty for "by the name". DuckDB's own sniffer
 * decides, as it will when the file is loaded. Names and columns live in the arena. */
DgStatus dg_infer_columns(Arena *a, Str disk_path, Str format, const DgColumn **columns, int32_t *count,
                          DgError *err);

/* How a CSV file is written, by DuckDB's sniffer. */
DgStatus dg_sniff_csv(Arena *a, Str disk_path, DgCsvDialect *out, DgError *err);

/* Why a column of a CSV file is text: cells that are no numbers among many that are. */
typedef struct DgOddCells {
    int64_t record, odd, all; /* the first of them, from 1; how many; cells that are not empty */
    Str cell;
} DgOddCells;
/* False: it is not so, or not known. Looks at the first 100000 records. */
bool dg_infer_odd_cells(Arena *a, Str disk_path, Str format, Str column, DgOddCells *out);

/* The table function that reads such files: `read_csv('a.csv', delim = '\t')`. `paths` are already
 * expanded. Empty when the format is none of those. */
Str dg_reader_sql(Arena *a, const Str *paths, size_t count, Str format, Str options);
Str dg_format_of(Str path); /* "csv"... by its name, `.gz` and `.zst` ignored; empty: unknown */

#endif
