/* rows_api.h - what emitted row programs (dgc.Transform) call. Needs dgc.h only, no libc.
 *
 * A row program computes in four classes: bool, int64_t (integers, dates as days, timestamps as
 * microseconds), double, and text. Nulls travel beside the values. What goes wrong in a row is
 * noted in DgRows.bad and told once per batch. Text made on the way lives until the next batch.
 */
#ifndef DG_ROWS_API_H
#define DG_ROWS_API_H

#include "runtime/dgc.h"

typedef struct DgRows { /* one batch on its way */
    const DgBatch *in;
    const int32_t *pick; /* rows that passed the filter; NULL: all */
    int32_t count;
    const char *bad;     /* what did not work, in words; NULL: nothing */
    int32_t bad_row;
} DgRows;

typedef struct DgRowPlan {
    DgStatus (*run)(const DgBatch *in, DgBatch *out, DgError *err); /* a DgRowFn */
    const DgColumn *in;
    int32_t in_count;
    const DgColumn *out;
    int32_t out_count;
} DgRowPlan;
typedef const DgRowPlan *(*DgRowPlanFn)(void); /* what a DgCode of CODE_ROWS points to */

void dg_rows_begin(void); /* text of the batch before is gone */
void dg_rows_note(DgRows *r, int32_t row, const char *what);
DgStatus dg_rows_end(const DgRows *r, const char *column, DgError *err);
/* A column as it is. */
void dg_rows_copy(DgRows *r, int32_t column, DgVector *out);
bool dg_text_set(DgVector *v, int32_t row, const char *ptr, size_t len);

#define DG_ROW_TEXT(v, i)                                                  \
    ((DgStr){(v)->bytes + ((const int32_t *)(v)->values)[i],               \
             ((const int32_t *)(v)->values)[(i) + 1] - ((const int32_t *)(v)->values)[i]})

/* Arithmetic that notices overflow. */
int64_t dg_row_add(DgRows *r, int32_t i, int64_t a, int64_t b);
int64_t dg_row_sub(DgRows *r, int32_t i, int64_t a, int64_t b);
int64_t dg_row_mul(DgRows *r, int32_t i, int64_t a, int64_t b);
int64_t dg_row_floordiv(DgRows *r, int32_t i, int64_t a, int64_t b, bool *null);
int64_t dg_row_mod(DgRows *r, int32_t i, int64_t a, int64_t b, bool *null);
double dg_row_fmod(double a, double b);
double dg_row_pow(double a, double b);

/* No row of the vector is null. */
bool dg_rows_valid(const DgVector *v, int32_t rows);
/* Arithmetic for loops without nulls: `over`, a local of the loop, becomes negative when a result
 * may not fit 64 bits. A product is only tried with factors of 32 bits. */
#define DG_QUICK_ADD(a, b) DgQuick_add((a), (b), &over)
#define DG_QUICK_SUB(a, b) DgQuick_sub((a), (b), &over)
#define DG_QUICK_MUL(a, b) DgQuick_mul((a), (b), &over)
static inline int64_t DgQuick_add(int64_t a, int64_t b, int64_t *over)
{
    uint64_t sum = (uint64_t)a + (uint64_t)b;
    *over |= (int64_t)(((uint64_t)a ^ sum) & ((uint64_t)b ^ sum));
    return (int64_t)sum;
}
static inline int64_t DgQuick_sub(int64_t a, int64_t b, int64_t *over)
{
    uint64_t rest = (uint64_t)a - (uint64_t)b;
    *over |= (int64_t)(((uint64_t)a ^ (uint64_t)b) & ((uint64_t)a ^ rest));
    return (int64_t)rest;
}
static inline int64_t DgQuick_mul(int64_t a, int64_t b, int64_t *over)
{
    *over |= a == (int32_t)a && b == (int32_t)b ? 0 : -1;
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Text */
DgStr dg_row_concat(DgStr a, DgStr b);
DgStr dg_row_upper(DgStr s); /* ASCII letters */
DgStr dg_row_lower(DgStr s);
DgStr dg_row_trim(DgStr s);
DgStr dg_row_substr(DgStr s, int64_t from, int64_t count); /* characters, from 1 */
DgStr dg_row_replace(DgStr s, DgStr from, DgStr to);
int64_t dg_row_length(DgStr s); /* characters */
int64_t dg_row_hash(DgStr s);   /* 64-bit FNV-1a, as a signed number */
bool dg_row_starts(DgStr s, DgStr with);
bool dg_row_ends(DgStr s, DgStr with);
bool dg_row_contains(DgStr s, DgStr what);
int dg_row_compare(DgStr a, DgStr b); /* bytewise: -1, 0, 1 */
bool dg_row_regex_match(DgRows *r, int32_t i, DgStr s, DgStr pattern);
DgStr dg_row_regex_extract(DgRows *r, int32_t i, DgStr s, DgStr pattern, bool *null);
DgStr dg_row_regex_replace(DgRows *r, int32_t i, DgStr s, DgStr pattern, DgStr to);
DgStr dg_row_json_get(DgStr json, DgStr path, bool *null); /* $.a.b[0]: text of a string, JSON else */

/* Numbers */
double dg_row_round(double d, int64_t digits);
double dg_row_floor(double d);
double dg_row_ceil(double d);

/* Dates: days; timestamps: microseconds */
int64_t dg_row_part(int64_t us, int part); /* 0 year 1 month 2 day 3 hour 4 minute 5 second 6 dow */
int64_t dg_row_trunc(DgRows *r, int32_t i, DgStr unit, int64_t us);

/* Casts; a text that is not one is noted. */
DgStr dg_row_int_text(int64_t v);
DgStr dg_row_double_text(double v);
DgStr dg_row_date_text(int64_t days);
DgStr dg_row_time_text(int64_t us);
int64_t dg_row_text_int(DgRows *r, int32_t i, DgStr s);
double dg_row_text_double(DgRows *r, int32_t i, DgStr s);
bool dg_row_text_bool(DgRows *r, int32_t i, DgStr s);
int64_t dg_row_text_time(DgRows *r, int32_t i, DgStr s);
int64_t dg_row_double_int(DgRows *r, int32_t i, double d);

#endif
