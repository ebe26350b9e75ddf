/* bind.h - DuckDB as a judge: what would it say of this SQL, these tables being there?
 *
 * A Judge is one in-memory database with one connection; one thread uses it. Tables are not made:
 * DuckDB asks for a table that it lacks (a replacement scan), and gets a table function with the
 * columns that are known, which is some ten times cheaper. Only what that way cannot express (two
 * tables of one name, `schema.table.column`) gets real, empty tables; and no error is believed
 * before it was confirmed with real ones.
 */
#ifndef DGC_SQL_BIND_H
#define DGC_SQL_BIND_H

#include "runtime/base/base.h"

typedef struct BindColumn {
    Str name;
    Str type; /* as DuckDB writes it: DECIMAL(18,3), STRUCT(a INTEGER)[] */
} BindColumn;
typedef struct BindTable {
    Str schema, table;
    const BindColumn *columns;
    size_t count;
    uint8_t signature[16]; /* of the columns */
} BindTable;

typedef struct BindQuery {
    Str sql;
    const BindTable *const *tables; /* all that it may read */
    size_t tables_count;
    bool exact;      /* make real tables at once */
    bool parse_only; /* any statements, looked at by the parser alone */
} BindQuery;
typedef struct BindResult {
    bool ok;
    const BindColumn *columns; /* of the result */
    size_t count;
    Str error;                 /* DuckDB's, as JSON */
} BindResult;

typedef struct Judge Judge;
DgStatus judge_open(Judge **out, DgError *err);
void judge_close(Judge *j); /* NULL is fine */
/* The result lives as long as the judge. */
BindResult judge_query(Judge *j, const BindQuery *q);

/* Our type that is nearest to DuckDB's: text for what we have none for. */
DgType bind_column_type(Str text);

/* The release of DuckDB whose judgements are kept; a test compares it with the library. */
#define BIND_DUCKDB_VERSION "v1.4.4"

#endif
