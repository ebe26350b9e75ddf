/* scalars.h - values from the text of data files. Exact, or false. */
#ifndef DGC_SCALARS_H
#define DGC_SCALARS_H

#include "runtime/dgc.h"

/* An integer that fits the type; leading + and zeros are fine. */
bool scalar_int(const char *p, const char *end, DgTypeKind kind, void *to);
bool scalar_double(const char *p, const char *end, double *to); /* correctly rounded */
bool scalar_decimal(const char *p, const char *end, DgType type, void *to); /* never rounds */
bool scalar_bool(const char *p, const char *end, uint8_t *to);
bool scalar_date(const char *p, const char *end, int32_t *days);
/* Microseconds; a zone moves it to UTC. More than six digits of a second are cut. */
bool scalar_timestamp(const char *p, const char *end, int64_t *us);
void scalar_store_int(DgTypeKind kind, void *values, int32_t row, int64_t v);

#endif
