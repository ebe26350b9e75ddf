/* cron.h - five-field cron schedules, read as Dagster reads them.
 *
 *   minute 0-59, hour 0-23, day 1-31, month 1-12 or jan-dec, weekday 0-7 or sun-sat (0 and 7: Sunday)
 *   each: `*` (or ?), lists a,b, ranges a-b, steps with /n; day L: the last; weekday 1#2: the second
 *   Monday, L5: the last Friday; @hourly @daily @midnight @weekly @monthly @yearly @annually
 *
 * A day fits when day and weekday both fit; when both are restricted, one of them is enough.
 * Clock changes: a schedule with every hour in it fires every real hour; any other fires once per
 * nominal time, at the end of a gap and at the second of two equal times.
 */
#ifndef DG_CRON_H
#define DG_CRON_H

#include "runtime/base/zone.h"

typedef struct Cron {
    uint64_t minutes;
    uint32_t hours, days, months; /* bit n: n fits */
    uint8_t weekdays;             /* bit 0: Sunday */
    uint8_t nth[7];               /* bit n: the nth such weekday of the month; bit 0: the last */
    bool last_day;
    bool any_hour, any_day, any_weekday; /* not restricted */
} Cron;

typedef struct CronError {
    ptrdiff_t offset, length; /* inside the text */
    Str message, help;        /* help may be empty */
} CronError;

bool cron_parse(Arena *a, Str text, Cron *out, CronError *err);
/* The first time after `after` (UTC seconds). False: none within 50 years. */
bool cron_next(const Cron *c, const Zone *z, int64_t after, int64_t *out);

#endif
