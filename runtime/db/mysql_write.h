/* mysql_write.h - between mysql_write.c (what goes where) and mysql_load.c (LOAD DATA LOCAL). */
#ifndef DGC_MYSQL_WRITE_H
#define DGC_MYSQL_WRITE_H

#include "runtime/db/mysql_internal.h"

typedef enum MysqlHow {
    MYSQL_NUMBER,   /* as it is */
    MYSQL_WORDS,    /* dates, uuids: quoted in a statement */
    MYSQL_TEXT,     /* escaped */
    MYSQL_BYTES,    /* hexadecimal */
} MysqlHow;

typedef struct MysqlTarget {
    DgColumn column;      /* its name, what it is read as */
    DgType from;
    MysqlHow how;
    bool converted;       /* by way of text, checked as what the column is */
    bool is_bit, is_geometry;
    int64_t unit_us;      /* the finest time that it keeps */
    DgBatch scratch;
} MysqlTarget;

typedef struct MysqlInsert {
    MysqlDb *db;
    Arena arena;
    DgTableName to;
    MysqlTarget *targets;
    int32_t count;
    DgRows *from;
    DgBatch batch;
    int32_t row;          /* of the batch: the next one */
    bool ended;           /* `from` has no more */
    int64_t rows;         /* written so far */
    StrBuf text;          /* of one value */
} MysqlInsert;

/* DG_END: there are no more rows. Else one is at in->row of in->batch. */
DgStatus my_next_row(MysqlInsert *in, DgError *err);
/* The value's text into in->text, after all checks; false through *null. */
DgStatus my_value_text(MysqlInsert *in, const MysqlTarget *t, const DgVector *v, int32_t row, bool *null, DgError *err);
/* What the server only warns of is an error here. */
DgStatus my_check_warnings(MysqlInsert *in, DgError *err);
/* Rows by LOAD DATA LOCAL. DG_END: the server refuses it, nothing was sent. */
DgStatus my_load(MysqlInsert *in, DgError *err);

#endif
