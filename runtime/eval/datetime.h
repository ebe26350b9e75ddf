/* datetime.h - dates, times and differences inside runtime/eval. */
#ifndef DG_EVAL_DATETIME_H
#define DG_EVAL_DATETIME_H

#include "runtime/eval/internal.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)

typedef struct Civil {
    int64_t year, month, day, hour, minute, second, us;
    bool has_zone;
    int64_t offset_s; /* east of UTC */
} Civil;

int64_t civil_days(int64_t year, int64_t month, int64_t day); /* since 1970-01-01 */
Civil civil_from_us(int64_t us);
int64_t civil_us(const Civil *c); /* local: without the offset */
bool civil_valid(const Civil *c);
int civil_weekday(const Civil *c);  /* Monday is 0 */
int civil_year_day(const Civil *c); /* from 1 */

void civil_format(StrBuf *b, const Civil *c, Str format);          /* strftime */
bool civil_parse(Str text, Str format, Civil *out);                /* strptime */
void civil_iso(StrBuf *b, const Civil *c, Str separator, Str timespec, bool date_only);
bool civil_parse_iso(Str text, Civil *out);

DgValue datetime_make(DgEval *ev, const Civil *c, bool date_only);
DgValue timedelta_make(DgEval *ev, int64_t us);
bool timedelta_of(DgValue v, int64_t *us);

#endif
