/* decode_api.h - what emitted decoders call, one call a field. Needs dgc.h only, no libc.
 *
 * CSV:    for each record, one call per column of the file, in the file's order.
 * NDJSON: for each record, the keys in the order in which they are expected; dg_json_rest() takes
 *         what came in another order, dg_json_end() makes null what did not come at all.
 *
 * The first thing that does not fit ends the loop; dg_csv_done()/dg_json_done() says what and where.
 */
#ifndef DG_DECODE_API_H
#define DG_DECODE_API_H

#include "runtime/data/decode.h"

/* ---- CSV ---- */

typedef struct DgCsv {
    const char *at, *end;
    DgBlock *block;
    DgBatch *out;
    int32_t row;
    char delimiter, quote, escape;
    bool ended;            /* the record's last field has been read */
    const char *record;    /* where this record begins */
    const char *wrong;     /* what does not fit; NULL: nothing */
    DgStr value;           /* the value that does not */
    int32_t column;        /* its column, -1: the record */
} DgCsv;

void dg_csv_begin(DgCsv *c, DgBlock *block, DgBatch *out, char delimiter, char quote, char escape);
bool dg_csv_next(DgCsv *c); /* a further record, and room for it */
void dg_csv_skip(DgCsv *c); /* a column that is not wanted */
void dg_csv_bool(DgCsv *c, int32_t column);
void dg_csv_int(DgCsv *c, int32_t column);       /* every integer width, by the column's type */
void dg_csv_double(DgCsv *c, int32_t column);    /* float and double */
void dg_csv_decimal(DgCsv *c, int32_t column);
void dg_csv_text(DgCsv *c, int32_t column);      /* varchar, json */
void dg_csv_date(DgCsv *c, int32_t column);      /* YYYY-MM-DD */
void dg_csv_timestamp(DgCsv *c, int32_t column); /* YYYY-MM-DD[ T]HH:MM[:SS[.ffffff]][zone] */
void dg_csv_end(DgCsv *c);  /* the record must end here */
DgStatus dg_csv_done(DgCsv *c, DgError *err);

/* ---- NDJSON ---- */

typedef struct DgJson {
    const char *at, *end;
    DgBlock *block;
    DgBatch *out;
    int32_t row;
    int32_t *seen;         /* per column: row + 1 in which it was last seen */
    const char *record;
    const char *wrong;
    DgStr value;
    int32_t column;
} DgJson;

void dg_json_begin(DgJson *j, DgBlock *block, DgBatch *out, int32_t *seen);
bool dg_json_next(DgJson *j);
/* The next key is this one: `"name":` with quotes and colon, `len` bytes. Takes it if so. */
bool dg_json_key(DgJson *j, const char *quoted, int32_t len);
void dg_json_bool(DgJson *j, int32_t column);
void dg_json_int(DgJson *j, int32_t column);
void dg_json_double(DgJson *j, int32_t column);
void dg_json_decimal(DgJson *j, int32_t column);
void dg_json_text(DgJson *j, int32_t column); /* a string; other values as they are written */
void dg_json_raw(DgJson *j, int32_t column);  /* json: the value as it is written */
void dg_json_date(DgJson *j, int32_t column);
void dg_json_timestamp(DgJson *j, int32_t column);
void dg_json_rest(DgJson *j); /* keys in any order, unknown ones too, up to the closing brace */
void dg_json_end(DgJson *j);
DgStatus dg_json_done(DgJson *j, DgError *err);

/* The same for columns first known at run time, or in another order: one switch per field. */
DgStatus dg_decode_generic(DgBlock *block, DgBatch *out, DgFormat format, char delimiter, char quote,
                           char escape, DgError *err);

#endif
