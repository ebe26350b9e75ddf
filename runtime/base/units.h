/* units.h - durations, sizes and timestamps as people write them in YAML and on command lines. */
#ifndef DG_UNITS_H
#define DG_UNITS_H

#include "runtime/base/base.h"

/* 90s, 5m, 1h30m, 1.5h, 2d, 1w, 250ms. False: not a duration, or too long. */
bool duration_parse(Str text, int64_t *ns);
/* 4096, 64MB, 1GiB. False: not a size. */
bool size_parse(Str text, int64_t *bytes);
/* 2024-01-31, 2024-01-31 10:20[:30] with `T` or a blank, Z or +hh:mm; no zone means UTC.
 * Microseconds since 1970. */
bool timestamp_parse(Str text, int64_t *us);

#endif
