/* load_test.h - what tests of the load engine share: a database of each engine, loads from one line of
 * text, tables as one line of text. */
#ifndef DGC_LOAD_TEST_H
#define DGC_LOAD_TEST_H

#include "runtime/load/load.h"
#include "tests/support/engine_test.h"

typedef struct Bed {
    DgDb *db;
    DgLoadSpec spec;      /* of the next load: table `items`; bed_load numbers the packages */
    DgLoadCounts n;       /* of the last one */
    StrBuf drift;         /* what it told, a line each */
    Arena arena;
    char folder[64];
    int packages;
    int32_t fail_after;   /* > 0: the stream breaks after so many rows */
} Bed;

/* Setup and teardown. The database is DGC_TEST_LOAD (a URL, whose schema or database `t` is made anew),
 * else a new file of the engine that bed_engine names. */
extern const char *bed_engine;
int bed_fresh(void **state);
int bed_done(void **state);

/* Columns `id:bigint,name:varchar`; rows `1,a|2,~`: `~` is null, an empty text no rows. In JSON
 * `;` stands for a comma. */
DgStatus bed_load(Bed *b, DgDisposition how, const char *columns, const char *rows);
void bed_loads(Bed *b, DgDisposition how, const char *columns, const char *rows); /* fails the test */
DgRows *bed_rows(Bed *b, const char *columns, const char *rows);
/* Rows of the query as in bed_load. `items` in it needs no schema. */
void bed_is(Bed *b, const char *query, const char *expected);
void bed_keys(Bed *b, const char *keys); /* `id,kind` */
bool bed_is_on(const Bed *b, const char *engine);
/* `id:bigint,...` of the table, as it is read. */
void bed_columns(Bed *b, const char *expected);
DgDb *bed_connect(Bed *b); /* one more connection */

#endif
