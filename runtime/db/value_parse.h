/* value_parse.h - values of batches from text, and small helpers that engines share. Private to
 * runtime/db. */
#ifndef DGC_VALUE_PARSE_H
#define DGC_VALUE_PARSE_H

#include "runtime/base/base.h"
#include "runtime/data/batch.h"

/* Writes row `row` (text columns: the next one). Exact or DG_DATA: nothing is rounded but the last
 * bit of floats. Takes what value_write_text writes, and other ISO forms: `T`, zones,. */
DgStatus value_parse(DgVector *v, int32_t row, const DgColumn *column, Str text, DgError *err);
/* Text that came from outside as TEXT or JSON: UTF-8 without NUL, else DG_DATA. */
DgStatus value_parse_text(DgVector *v, int32_t row, const DgColumn *column, Str text, DgError *err);
/* A value that the column's type is not: DG_DATA "column `x` is a date, but has `abc`". */
DgStatus value_refused(const DgColumn *column, Str text, DgError *err);
DgStatus value_store_int(DgVector *v, int32_t row, const DgColumn *column, int64_t value, DgError *err);
/* An integer or boolean of a fixed type, widened; UINT64 past INT64_MAX is false. */
bool value_fetch_int(const DgVector *v, DgType type, int32_t row, int64_t *out);
/* A timestamp of the years 1 to 9999 as value_write_text has it, faster; at most 32 bytes. Returns the
 * length, 0: another year. */
int value_quick_timestamp(char *to, int64_t us, bool utc);
bool value_is_integer(DgType type); /* of any width; not bool */
bool value_is_bytes(DgType type);   /* text, json, blob */

/* `decimal(10,2)`: the words before the parenthesis, trimmed, in lower case and with single blanks,
 * go to `words` (room bytes); up to two numbers inside it. Returns how many there were. */
int native_parts(Str native, char *words, size_t room, int64_t numbers[2]);

/* `*` and `?`; ASCII letters in any case. */
bool wild_match(Str pattern, Str text);

#endif
