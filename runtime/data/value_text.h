/* value_text.h - values of batches as text, and comparing two of a column: for cursors, messages. */
#ifndef DGC_VALUE_TEXT_H
#define DGC_VALUE_TEXT_H

#include "runtime/base/base.h"

/* ISO 8601 dates and times (six digits of a second when there are any, `+00` after TIMESTAMPTZ),
 * decimals with all their digits, floats that read back, blobs as hex. Nothing for a null. */
void value_write_text(StrBuf *out, const DgVector *v, DgType type, int32_t row);
/* <0, 0, >0; both rows not null. Text bytewise. NaN is larger than all. */
int value_compare(const DgVector *a, int32_t row_a, const DgVector *b, int32_t row_b, DgType type);
/* Whether `<` and `>` mean something for it in SQL: not for json, blob, interval. */
bool value_has_order(DgType type);
bool value_is_number(DgType type);

#endif
