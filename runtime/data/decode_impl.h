/* decode_impl.h - what csv.c, json.c and decode.c share. */
#ifndef DGC_DECODE_IMPL_H
#define DGC_DECODE_IMPL_H

#include "runtime/data/decode_api.h"

/* "orders.csv:12: column `amount`: `x` is not a number", DG_DATA. column -1: about the record. */
DgStatus dg_decode_failed(const DgBlock *b, const DgBatch *out, const char *record, const char *what,
                          DgStr value, int32_t column, DgError *err);
void dg_json_value(DgJson *j, int32_t column); /* by the column's type */

#endif
