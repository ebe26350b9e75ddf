/* engine_test.h - what tests of database engines share: rows from text, round trips, expectations. */
#ifndef DGC_ENGINE_TEST_H
#define DGC_ENGINE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "runtime/db/engine.h"

extern DgError engine_err;

#define ok(expr)                                                             \
    do {                                                                     \
        DgStatus status_ = (expr);                                           \
        if (status_ != DG_OK)                                                \
            fail_msg("%s: %s", dg_status_name(status_), engine_err.message); \
    } while (0)
#define fails(expr, expected)                                                                        \
    do {                                                                                             \
        DgStatus status_ = (expr);                                                                   \
        if (status_ != (expected))                                                                   \
            fail_msg("%s instead of %s: %s", dg_status_name(status_), dg_status_name(expected),      \
                     status_ ? engine_err.message : "");                                             \
    } while (0)

/* Rows of text cells, column after column in a row; "NULL" is null. They must parse as their types. */
DgRows *rows_of_text(const DgColumn *columns, int32_t columns_count, const char *const *cells, int32_t rows);
/* `rows` rows of id bigint, name varchar, amount double, at timestamp, flag boolean; from row `first`
 * on. After `fail_after` rows (if > 0) calls back. */
typedef void (*RowsHook)(void *context, int64_t row);
DgRows *rows_counted(int64_t first, int64_t rows, int64_t hook_at, RowsHook hook, void *context);

void run_sql(DgDb *db, const char *sql);
void insert_all(DgDb *db, const char *table, DgRows *rows); /* in a transaction; closes the rows */
void assert_text_of(DgDb *db, const char *sql, const char *expected);
void assert_int_of(DgDb *db, const char *sql, int64_t expected);
/* One column of the type made, filled with the values, read back: the same values, and of type `as`
 * (NULL: the same type). Also NULL, and all in one batch. */
void round_trip(DgDb *db, const char *type, const char *as, const char *const *values);
/* Lists of difficult values by type, NULL-terminated; see engine_test.c. */
const char *const *difficult(const char *type);

#endif
