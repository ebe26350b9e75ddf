/* lineage.h - which columns feed a column, read off DuckDB's syntax trees. Private to compiler/sql.
 *
 * A query is a list of columns, each with a name and the columns of assets that its value is made
 * from. Names are looked up as SQL does it: in the tables of FROM, in aliases of the same SELECT,
 * then in the queries around. What cannot be followed (PIVOT, table functions under `*`) makes the
 * whole query `lost`: no lineage is better than a wrong one.
 */
#ifndef DGC_SQL_LINEAGE_H
#define DGC_SQL_LINEAGE_H

#include <cJSON.h>

#include "compiler/sql/sql_internal.h"

typedef struct Source {
    const Asset *asset;
    int32_t column;
} Source;
typedef struct OutColumn {
    Str name;
    Array(Source) from;
} OutColumn;
typedef struct OutColumns {
    Array(OutColumn) items;
} OutColumns;

typedef struct FromTable { /* a table in FROM, or a CTE */
    Str schema, name;      /* what columns are qualified with: the alias, if there is one */
    OutColumns columns;
    bool open;             /* there may be more columns than we know */
} FromTable;
typedef Array(FromTable) FromTables;

typedef struct Query { /* the names that an expression may use */
    struct Query *outer;
    FromTables ctes, from;
    StrArray merged;     /* USING columns: `*` gives them once */
    OutColumns *aliases; /* columns of the SELECT so far */
} Query;

typedef struct Lineage {
    Plan *plan;
    Arena *arena;
    int depth;
    bool lost;
} Lineage;

OutColumns lineage_query(Lineage *l, Query *outer, const cJSON *node);
/* What an expression's value is made from, added to `out`. */
void lineage_expression(Lineage *l, Query *q, const cJSON *e, OutColumn *out);
void lineage_from(Lineage *l, Query *q, const cJSON *table);

void lineage_add(Lineage *l, OutColumn *to, Source s);
void lineage_merge(Lineage *l, OutColumn *to, const OutColumn *from);
void lineage_column(Lineage *l, OutColumns *to, OutColumn column);
Str lineage_text(Lineage *l, const cJSON *object, const char *name);
bool lineage_is(const cJSON *object, const char *name, const char *value);

#endif
