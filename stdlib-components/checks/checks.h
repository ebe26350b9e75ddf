/* checks.h - what the YAML says of checks, and the queries that are made of it. */
#ifndef DGC_CHECKS_H
#define DGC_CHECKS_H

#include "runtime/base/base.h"
#include "stdlib-components/checks/check_step.h"

typedef struct Accepted {
    DgStr column;
    DgList values; /* of DgValue */
    bool quote;
} Accepted;
typedef struct Relation {
    DgStr column, to, field;
} Relation;
typedef struct RowCount {
    int64_t min, max, equals;
} RowCount;
typedef struct Freshness {
    DgStr column;
    int64_t max_age;
} Freshness;
typedef struct Range {
    DgStr column;
    DgValue min, max;
    bool exclusive;
} Range;

typedef struct CheckItem {
    DgList not_null, unique; /* of DgStr */
    Accepted accepted_values;
    Relation relationships;
    RowCount row_count;
    Freshness freshness;
    Range range;
    DgStr sql, name, description, where;
    int32_t severity;
    bool blocking;
} CheckItem;

/* One check's query as a template in which {{ this }} is the table; its parts know the field of the
 * YAML they come from. */
typedef struct CheckQuery {
    DgPlanner *p;
    const CheckItem *item;
    const char *kind;
    const void *field; /* what the check is about: where errors stand that belong to no part */
    StrBuf sql, name;  /* name: kind and columns, without the table */
    DgSqlPlace places[64];
    size_t places_count;
    DgStr other;       /* an asset that is read besides; may be empty */
    bool explains;
} CheckQuery;

/* How many kinds of check the item names; the query is that of the first. */
int check_query(CheckQuery *q);
void check_query_free(CheckQuery *q);

#endif
