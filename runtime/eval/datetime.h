/* datetime.h - dates, times and differences inside runtime/eval. */
#ifndef DG_EVAL_DATETIME_H
#define DG_EVAL_DATETIME_H

#include "runtime/eval/internal.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)

typedef struct CalTime {
    int64_t year, month, day, hour, minute, second, us;
    bool has_zone;
    int64_t offset_s; /* east of UTC */
} CalTime;

int64_t cal_days(int64_t year, int64_t month, int64_t day); /* since 1970-01-01 */
CalTime cal_from_us(int64_t us);
int64_t cal_us(const CalTime *c); /* local: without the offset */
bool cal_valid(const CalTime *c);
int cal_weekday(const CalTime *c);  /* Monday is 0 */
int cal_year_day(const CalTime *c); /* from 1 */

void cal_format(StrBuf *b, const CalTime *c, Str format);          /* strftime */
bool cal_parse(Str text, Str format, CalTime *out);                /* strptime */
void cal_iso(StrBuf *b, const CalTime *c, Str separator, Str timespec, bool date_only);
bool cal_parse_iso(Str text, CalTime *out);

DgValue datetime_make(DgEval *ev, const CalTime *c, bool date_only);
DgValue timedelta_make(DgEval *ev, int64_t us);

#endif
