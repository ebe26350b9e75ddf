/* datetime.c - datetime.datetime, date and timedelta as templates see them. */
#include "runtime/eval/datetime.h"

typedef struct DateTime {
    DgObject head;
    CalTime c;
} DateTime;

typedef struct TimeDelta {
    DgObject head;
    int64_t us;
} TimeDelta;

static const CalTime *cal_of(const DgObject *o) { return &((const DateTime *)o)->c; }

static bool is_datetime(DgValue v)
{
    return v.kind == DG_V_OBJECT &&
           (v.as.object->type == &dg_datetime_type || v.as.object->type == &dg_date_type);
}

DgValue datetime_make(DgEval *ev, const CalTime *c, bool date_only)
{
    if (!cal_valid(c))
        return dg_error(ev, DG_DATA, "there is no such date or time");
    DateTime *d = dg_make(ev, DateTime, 1);
    if (!d)
        return dgv_undefined();
    *d = (DateTime){.head = {.type = date_only ? &dg_date_type : &dg_datetime_type}, .c = *c};
    if (date_only)
        d->c.hour = d->c.minute = d->c.second = d->c.us = 0;
    return dgv_object(&d->head);
}

DgValue timedelta_make(DgEval *ev, int64_t us)
{
    TimeDelta *d = dg_make(ev, TimeDelta, 1);
    if (!d)
        return dgv_undefined();
    *d = (TimeDelta){.head = {.type = &dg_timedelta_type}, .us = us};
    return dgv_object(&d->head);
}

bool dgv_timedelta_to_us(DgValue v, int64_t *us)
{
    if (v.kind != DG_V_OBJECT || v.as.object->type != &dg_timedelta_type)
        return false;
    *us = ((const TimeDelta *)v.as.object)->us;
    return true;
}

DgValue dg_datetime_from_us(DgEval *ev, int64_t us)
{
    CalTime c = cal_from_us(us);
    return datetime_make(ev, &c, false);
}

bool dgv_datetime_to_us(DgValue v, int64_t *us)
{
    if (!is_datetime(v))
        return false;
    *us = cal_us(cal_of(v.as.object)) - cal_of(v.as.object)->offset_s * US_PER_S;
    return true;
}

/* ---- datetime ---- */

static DgStatus datetime_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out,
                              DgError *err)
{
    const CalTime *c = cal_of(self);
    const struct {
        Str name;
        int64_t value;
    } parts[] = {{S("year"), c->year}, {S("month"), c->month}, {S("day"), c->day},
                 {S("hour"), c->hour}, {S("minute"), c->minute}, {S("second"), c->second},
                 {S("microsecond"), c->us}};
    for (size_t i = 0; i < (self->type == &dg_date_type ? 3 : 7); i++)
        if (str_eq(name, parts[i].name)) {
            *out = dgv_int(parts[i].value);
            return DG_OK;
        }
    return DG_END;
}

static DgValue text_value(DgEval *ev, StrBuf *b)
{
    return dg_take_value(ev, b, false);
}

static DgValue datetime_replace(DgEval *ev, const DgObject *self, const DgArgs *args)
{
    CalTime c = *cal_of(self);
    bool date = self->type == &dg_date_type;
    DgValue v[7] = {dgv_int(c.year), dgv_int(c.month), dgv_int(c.day), dgv_int(c.hour),
                    dgv_int(c.minute), dgv_int(c.second), dgv_int(c.us)};
    if (!dg_args_spread(ev, "replace()", args,
                        date ? "year month day" : "year month day hour minute second microsecond",
                        v, 0))
        return dgv_undefined();
    int64_t *parts[7] = {&c.year, &c.month, &c.day, &c.hour, &c.minute, &c.second, &c.us};
    for (int i = 0; i < 7; i++)
        *parts[i] = dg_want_int(ev, v[i], "a part of a date");
    return datetime_make(ev, &c, date);
}

static DgValue datetime_isoformat(DgEval *ev, const DgObject *self, const DgArgs *args)
{
    DgValue v[2] = {dgv_str("T", 1), dgv_str("auto", 4)};
    if (!dg_args_spread(ev, "isoformat()", args, "sep timespec", v, 0))
        return dgv_undefined();
    StrBuf b = dg_buf(ev);
    cal_iso(&b, cal_of(self), dg_want_str(ev, v[0], "sep"), dg_want_str(ev, v[1], "timespec"),
              self->type == &dg_date_type);
    return text_value(ev, &b);
}

static DgStatus datetime_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                                DgValue *out, DgError *err)
{
    const CalTime *c = cal_of(self);
    DgValue v;
    if (str_eq(name, S("strftime"))) {
        if (dg_args_spread(ev, "strftime()", args, "format", &v, 1)) {
            StrBuf b = dg_buf(ev);
            cal_format(&b, c, dg_want_str(ev, v, "the format"));
            *out = text_value(ev, &b);
        }
    } else if (str_eq(name, S("isoformat"))) {
        *out = datetime_isoformat(ev, self, args);
    } else if (str_eq(name, S("replace"))) {
        *out = datetime_replace(ev, self, args);
    } else if (str_eq(name, S("date"))) {
        *out = datetime_make(ev, c, true);
    } else if (str_eq(name, S("weekday")) || str_eq(name, S("isoweekday"))) {
        *out = dgv_int(cal_weekday(c) + (name.len == 10));
    } else if (str_eq(name, S("timestamp"))) {
        *out = dgv_float((double)(cal_us(c) - c->offset_s * US_PER_S) / (double)US_PER_S);
    } else {
        return DG_END;
    }
    return dg_eval_status(ev, err);
}

static void datetime_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    const CalTime *c = cal_of(self);
    bool date = self->type == &dg_date_type;
    if (!repr) {
        cal_iso(b, c, S(" "), S("auto"), date);
        return;
    }
    buf_format(b, "datetime.%s(%lld, %lld, %lld", date ? "date" : "datetime", (long long)c->year,
               (long long)c->month, (long long)c->day);
    if (!date)
        buf_format(b, ", %lld, %lld", (long long)c->hour, (long long)c->minute);
    if (!date && (c->second || c->us))
        buf_format(b, ", %lld", (long long)c->second);
    if (!date && c->us)
        buf_format(b, ", %lld", (long long)c->us);
    buf_char(b, ')');
}

static int datetime_compare(const DgObject *a, const DgObject *b)
{
    int64_t x = 0, y = 0;
    dgv_datetime_to_us(dgv_object(a), &x);
    dgv_datetime_to_us(dgv_object(b), &y);
    return (x > y) - (x < y);
}

static bool datetime_equal(const DgObject *a, const DgObject *b)
{
    return datetime_compare(a, b) == 0;
}

static DgValue scaled(DgEval *ev, char op, int64_t us, DgValue by)
{
    if (op == '*' && is_int(by)) {
        int64_t product;
        if (__builtin_mul_overflow(us, int_of(by), &product))
            return dg_error(ev, DG_DATA, "the time difference is too large");
        return timedelta_make(ev, product);
    }
    double factor = float_of(by);
    double f = op == '*' ? (double)us * factor : factor != 0 ? (double)us / factor : NAN;
    if (!(fabs(f) < 0x1p62))
        return dg_error(ev, DG_DATA, "the time difference is too large");
    return timedelta_make(ev, (int64_t)nearbyint(f));
}

static DgStatus moved(DgEval *ev, DgValue date, int64_t us, DgValue *out, DgError *err)
{
    const CalTime *from = cal_of(date.as.object);
    bool date_only = date.as.object->type == &dg_date_type;
    if (date_only)
        us -= ((us % US_PER_DAY) + US_PER_DAY) % US_PER_DAY;
    if (us > INT64_MAX / 4 || us < INT64_MIN / 4)
        return dg_fail(err, DG_DATA, "the date lies outside the years 1 to 9999");
    CalTime c = cal_from_us(cal_us(from) + us);
    c.has_zone = from->has_zone;
    c.offset_s = from->offset_s;
    *out = datetime_make(ev, &c, date_only);
    return dg_eval_status(ev, err);
}

static DgStatus time_arith(DgEval *ev, char op, DgValue a, DgValue b, DgValue *out, DgError *err)
{
    int64_t x, y;
    bool a_delta = dgv_timedelta_to_us(a, &x), b_delta = dgv_timedelta_to_us(b, &y);
    if (is_datetime(a) && b_delta && (op == '+' || op == '-'))
        return moved(ev, a, op == '+' ? y : -y, out, err);
    if (a_delta && is_datetime(b) && op == '+')
        return moved(ev, b, x, out, err);
    if (is_datetime(a) && is_datetime(b) && op == '-') {
        dgv_datetime_to_us(a, &x);
        dgv_datetime_to_us(b, &y);
        *out = timedelta_make(ev, x - y);
    } else if (a_delta && b_delta && (op == '+' || op == '-')) {
        if (op == '+' ? __builtin_add_overflow(x, y, &x) : __builtin_sub_overflow(x, y, &x))
            return dg_fail(err, DG_DATA, "the time difference is too large");
        *out = timedelta_make(ev, x);
    } else if (a_delta && b_delta && op == '/' && y) {
        *out = dgv_float((double)x / (double)y);
    } else if (a_delta && dgv_is_number(b) && (op == '*' || op == '/')) {
        *out = scaled(ev, op, x, b);
    } else if (dgv_is_number(a) && b_delta && op == '*') {
        *out = scaled(ev, op, y, a);
    } else {
        return DG_END;
    }
    return dg_eval_status(ev, err);
}

const DgObjectType dg_datetime_type = {
    .name = "datetime", .attr = datetime_attr, .method = datetime_method, .arith = time_arith,
    .write = datetime_write, .equal = datetime_equal, .compare = datetime_compare};
const DgObjectType dg_date_type = {
    .name = "date", .attr = datetime_attr, .method = datetime_method, .arith = time_arith,
    .write = datetime_write, .equal = datetime_equal, .compare = datetime_compare};

/* ---- timedelta ---- */

static void split_delta(int64_t us, int64_t *days, int64_t *seconds, int64_t *rest)
{
    *days = us / US_PER_DAY;
    us %= US_PER_DAY;
    if (us < 0) {
        us += US_PER_DAY;
        --*days;
    }
    *seconds = us / US_PER_S;
    *rest = us % US_PER_S;
}

static DgStatus timedelta_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out,
                               DgError *err)
{
    int64_t days, seconds, us;
    split_delta(((const TimeDelta *)self)->us, &days, &seconds, &us);
    if (str_eq(name, S("days")))
        *out = dgv_int(days);
    else if (str_eq(name, S("seconds")))
        *out = dgv_int(seconds);
    else if (str_eq(name, S("microseconds")))
        *out = dgv_int(us);
    else
        return DG_END;
    return DG_OK;
}

static DgStatus timedelta_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                                 DgValue *out, DgError *err)
{
    if (!str_eq(name, S("total_seconds")))
        return DG_END;
    *out = dgv_float((double)((const TimeDelta *)self)->us / (double)US_PER_S);
    return DG_OK;
}

static void timedelta_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    int64_t days, seconds, us;
    split_delta(((const TimeDelta *)self)->us, &days, &seconds, &us);
    if (repr) {
        const char *separator = "";
        buf_add(b, S("datetime.timedelta("));
        if (days) {
            buf_format(b, "days=%lld", (long long)days);
            separator = ", ";
        }
        if (seconds) {
            buf_format(b, "%sseconds=%lld", separator, (long long)seconds);
            separator = ", ";
        }
        if (us)
            buf_format(b, "%smicroseconds=%lld", separator, (long long)us);
        if (!days && !seconds && !us)
            buf_char(b, '0');
        buf_char(b, ')');
        return;
    }
    if (days)
        buf_format(b, "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    buf_format(b, "%lld:%02lld:%02lld", (long long)(seconds / 3600), (long long)(seconds / 60 % 60),
               (long long)(seconds % 60));
    if (us)
        buf_format(b, ".%06lld", (long long)us);
}

static int timedelta_compare(const DgObject *a, const DgObject *b)
{
    int64_t x = ((const TimeDelta *)a)->us, y = ((const TimeDelta *)b)->us;
    return (x > y) - (x < y);
}

static bool timedelta_equal(const DgObject *a, const DgObject *b)
{
    return timedelta_compare(a, b) == 0;
}

static bool timedelta_truthy(const DgObject *o)
{
    return ((const TimeDelta *)o)->us != 0;
}

const DgObjectType dg_timedelta_type = {
    .name = "timedelta", .attr = timedelta_attr, .method = timedelta_method, .arith = time_arith,
    .write = timedelta_write, .equal = timedelta_equal, .compare = timedelta_compare,
    .truthy = timedelta_truthy};

/* ---- The classes ---- */

static DgStatus datetime_new(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                             DgError *err)
{
    DgValue v[7] = {[3] = dgv_int(0), dgv_int(0), dgv_int(0), dgv_int(0)};
    if (!dg_args_spread(ev, "datetime()", args, "year month day hour minute second microsecond", v,
                        3))
        return dg_eval_status(ev, err);
    CalTime c = {0};
    int64_t *parts[7] = {&c.year, &c.month, &c.day, &c.hour, &c.minute, &c.second, &c.us};
    for (int i = 0; i < 7; i++)
        *parts[i] = dg_want_int(ev, v[i], "a part of a date");
    *out = datetime_make(ev, &c, false);
    return dg_eval_status(ev, err);
}

static DgStatus class_now(DgEval *ev, DgValue *out, DgError *err)
{
    if (ev->folding)
        return dg_fail(err, DG_TEMPFAIL, "the time is known when the pipeline runs");
    if (!ev->now_us)
        return dg_fail(err, DG_DATA, "there is no clock here");
    *out = dg_datetime_from_us(ev, ev->now_us(ev->ctx));
    return dg_eval_status(ev, err);
}

static DgStatus class_timestamp(DgEval *ev, DgValue v, DgValue *out, DgError *err)
{
    if (!dgv_is_number(v) || !(fabs(float_of(v)) < 1e12))
        return dg_fail(err, DG_DATA, "fromtimestamp() needs seconds since 1970");
    *out = dg_datetime_from_us(ev, (int64_t)nearbyint(float_of(v) * (double)US_PER_S));
    return dg_eval_status(ev, err);
}

static DgStatus datetime_class_method(DgEval *ev, const DgObject *self, Str name,
                                      const DgArgs *args, DgValue *out, DgError *err)
{
    DgValue v[2] = {[1] = dgv_none()};
    CalTime c;
    if (str_eq(name, S("now")) || str_eq(name, S("today")) || str_eq(name, S("utcnow")))
        return class_now(ev, out, err);
    bool parse = str_eq(name, S("strptime")), iso = str_eq(name, S("fromisoformat"));
    bool stamp = str_eq(name, S("fromtimestamp")) || str_eq(name, S("utcfromtimestamp"));
    if (!parse && !iso && !stamp)
        return DG_END;
    if (!dg_args_spread(ev, "the method", args, parse ? "date_string format" : "value", v,
                        parse ? 2 : 1))
        return dg_eval_status(ev, err);
    if (stamp)
        return class_timestamp(ev, v[0], out, err);
    Str text = dg_want_str(ev, v[0], "the date");
    Str format = parse ? dg_want_str(ev, v[1], "the format") : (Str){0};
    if (dg_failed(ev))
        return dg_eval_status(ev, err);
    if (parse ? !cal_parse(text, format, &c) : !cal_parse_iso(text, &c))
        return dg_fail(err, DG_DATA, "`%.*s` is no date of that form", FMT(text));
    *out = datetime_make(ev, &c, false);
    return dg_eval_status(ev, err);
}

static DgStatus timedelta_new(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                              DgError *err)
{
    static const int64_t units[7] = {US_PER_DAY, US_PER_S, 1, 1000, 60 * US_PER_S,
                                     3600 * US_PER_S, 7 * US_PER_DAY};
    DgValue v[7];
    for (int i = 0; i < 7; i++)
        v[i] = dgv_int(0);
    if (!dg_args_spread(ev, "timedelta()", args,
                        "days seconds microseconds milliseconds minutes hours weeks", v, 0))
        return dg_eval_status(ev, err);
    int64_t total = 0;
    for (int i = 0; i < 7; i++) {
        if (!dgv_is_number(v[i]))
            return dg_fail(err, DG_DATA, "timedelta() needs numbers");
        int64_t part;
        double f = float_of(v[i]) * (double)units[i];
        if (v[i].kind == DG_V_FLOAT) {
            if (!(fabs(f) < 0x1p62))
                return dg_fail(err, DG_DATA, "the time difference is too large");
            part = (int64_t)nearbyint(f);
        } else if (__builtin_mul_overflow(int_of(v[i]), units[i], &part)) {
            return dg_fail(err, DG_DATA, "the time difference is too large");
        }
        if (__builtin_add_overflow(total, part, &total))
            return dg_fail(err, DG_DATA, "the time difference is too large");
    }
    *out = timedelta_make(ev, total);
    return dg_eval_status(ev, err);
}

static void class_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    buf_format(b, "<class '%s'>", self->builtin);
}

static const DgObjectType datetime_class_type = {
    .name = "type", .call = datetime_new, .method = datetime_class_method, .write = class_write};
static const DgObjectType timedelta_class_type = {
    .name = "type", .call = timedelta_new, .write = class_write};
static const DgObject datetime_class = {&datetime_class_type, "datetime.datetime"};
static const DgObject timedelta_class = {&timedelta_class_type, "datetime.timedelta"};

DgValue dg_datetime_class(void) { return dgv_object(&datetime_class); }
DgValue dg_timedelta_class(void) { return dgv_object(&timedelta_class); }
