/* zone.h - calendar arithmetic and IANA time zones, without the C library's global TZ.
 *
 * Zones are read from the machine's tz database (/usr/share/zoneinfo, or $TZDIR); "UTC" and
 * "Etc/UTC" need no file. Times are seconds since 1970-01-01 UTC; "local" is the same count as the
 * clock on the wall shows it. Gaps and overlaps follow Dagster: a wall time that a clock change
 * skips means the end of the gap, one that happens twice means the second.
 */
#ifndef DG_ZONE_H
#define DG_ZONE_H

#include "runtime/base/base.h"

typedef struct CivilTime {
    int64_t year;
    int month, day;           /* from 1 */
    int hour, minute, second;
    int weekday;              /* 0: Sunday */
    int year_day;             /* from 1 */
} CivilTime;

int64_t civil_days(int64_t year, int month, int day); /* days since 1970-01-01 */
CivilTime civil_from_seconds(int64_t local);
int64_t civil_to_seconds(const CivilTime *t); /* year to second count */
int civil_month_days(int64_t year, int month);

typedef struct Zone Zone;

/* Fails with DG_CONFIG: no such zone (with a suggestion where a name is near), or no tz database. */
DgStatus zone_open(Arena *a, Str name, const Zone **out, DgError *err);
/* From the bytes of a TZif file; NULL when they are not one. */
const Zone *zone_parse(Arena *a, Str bytes);
const Zone *zone_utc(void);
int32_t zone_offset(const Zone *z, int64_t utc); /* seconds east of UTC */
Str zone_name(const Zone *z);

typedef enum ZoneFit { ZONE_ONCE, ZONE_GAP, ZONE_TWICE } ZoneFit;
/* Wall time to UTC. *first gets the earlier of two when TWICE, else the same as *utc. */
ZoneFit zone_to_utc(const Zone *z, int64_t local, int64_t *utc, int64_t *first);

/* strftime and strptime with % Y m d H M S y j b B a A p I f z Z %; English names. Parsing sets
 * what the text names and leaves the rest of *out as it is. */
bool civil_format(StrBuf *out, Str format, const CivilTime *t, int32_t offset);
bool civil_parse(Str text, Str format, CivilTime *out, int32_t *offset, bool *has_offset);
/* ISO 8601: a date, or date and time with `T` or a blank, perhaps fractions and an offset or Z. */
bool civil_parse_iso(Str text, CivilTime *out, int32_t *offset, bool *has_offset);

#endif
