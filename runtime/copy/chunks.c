/* chunks.c - where a backfill's range is cut. The ends stay as they were written; cuts are whole numbers or whole seconds. */
#include "runtime/copy/chunks.h"

#include "runtime/base/zone.h"

enum { CHUNKS_MAX = 10000, DAY = 86400 };

/* One end of a range. */
typedef struct Point {
    Str text;
    bool time, date_only;
    int64_t value;           /* the number, or seconds on the clock that the text shows */
    char between;            /* date and time: `T` or a blank */
    Str zone;                /* `Z`, `+02:00`, or nothing */
} Point;

/* How far it is from cut to cut: seconds or numbers, or months. */
typedef struct Step {
    int64_t size;
    bool time, months;
} Step;

/* ---- What is written ---- */

static bool parse_time(Str s, Point *p)
{
    CivilTime t = {.month = 1, .day = 1};
    int32_t offset;
    bool zoned;
    if (s.len < 10 || !civil_parse_iso(s, &t, &offset, &zoned))
        return false;
    p->time = true;
    p->date_only = s.len == 10;
    p->between = p->date_only ? ' ' : s.ptr[10];
    p->value = civil_to_seconds(&t);
    ptrdiff_t clock_end = s.len;
    for (ptrdiff_t i = 11; i < s.len && clock_end == s.len; i++) /* past digits, colons, the point */
        if (!(s.ptr[i] >= '0' && s.ptr[i] <= '9') && s.ptr[i] != ':' && s.ptr[i] != '.')
            clock_end = i;
    p->zone = str_sub(s, clock_end, s.len);
    return true;
}

static DgStatus parse_point(Str s, Point *p, DgError *err)
{
    *p = (Point){.text = s};
    if (str_to_int(s, &p->value) || parse_time(s, p))
        return DG_OK;
    dg_fail(err, DG_CONFIG, "a range in chunks has whole numbers or times at its ends, not `%.*s`", FMT(s));
    dg_hint(err, "write it like range: '2024-01-01,2024-02-01', or range: '1,500000'");
    return DG_CONFIG;
}

static bool parse_size(DgValue v, Step *out)
{
    static const struct { char unit; int64_t size; bool months; } units[] = {
        {'h', 3600, false}, {'d', DAY, false}, {'w', 7 * DAY, false}, {'m', 1, true}, {'y', 12, true}};
    *out = (Step){0};
    if (v.kind == DG_V_INT)
        return (out->size = v.as.i) > 0;
    Str s = v.kind == DG_V_STR ? v.as.s : (Str){0};
    if (str_to_int(s, &out->size))
        return out->size > 0;
    for (size_t i = 0; s.len > 1 && i < sizeof units / sizeof *units; i++) {
        int64_t n;
        if (s.ptr[s.len - 1] != units[i].unit)
            continue;
        *out = (Step){.time = true, .months = units[i].months};
        return str_to_int(str_sub(s, 0, s.len - 1), &n) && n > 0 && !__builtin_mul_overflow(n, units[i].size, &out->size);
    }
    return false;
}

bool chunks_size_known(DgValue size)
{
    Step step;
    return parse_size(size, &step);
}

/* ---- Cuts ---- */

/* `n` steps after `from`; false: beyond what a calendar or a number has. A month later is its last day at most. */
static bool after(const Point *from, const Step *step, int64_t n, int64_t *out)
{
    int64_t far;
    if (__builtin_mul_overflow(step->size, n, &far))
        return false;
    if (!step->months)
        return !__builtin_add_overflow(from->value, far, out);
    CivilTime t = civil_from_seconds(from->value);
    if (far > 12 * 10000)
        return false;
    int64_t month = t.month - 1 + far;
    t.year += month / 12;
    t.month = (int)(month % 12) + 1;
    if (t.day > civil_month_days(t.year, t.month))
        t.day = civil_month_days(t.year, t.month);
    *out = civil_to_seconds(&t);
    return true;
}

static Str write_cut(Arena *a, const Point *like, int64_t value)
{
    if (!like->time)
        return str_format(a, "%lld", (long long)value);
    CivilTime t = civil_from_seconds(value);
    if (like->date_only && value % DAY == 0)
        return str_format(a, "%04lld-%02d-%02d", (long long)t.year, t.month, t.day);
    return str_format(a, "%04lld-%02d-%02d%c%02d:%02d:%02d%.*s", (long long)t.year, t.month, t.day, like->between, t.hour, t.minute, t.second,
                      FMT(like->zone));
}

static DgStatus check_ends(const Point *first, const Point *last, const Step *step, DgError *err)
{
    if (first->time != last->time || !str_eq(first->zone, last->zone))
        return dg_fail(err, DG_CONFIG, "the ends `%.*s` and `%.*s` of the range are not of one kind", FMT(first->text), FMT(last->text));
    if (first->value > last->value)
        return dg_fail(err, DG_CONFIG, "the range begins at `%.*s`, after its end `%.*s`", FMT(first->text), FMT(last->text));
    if (step->time == first->time)
        return DG_OK;
    dg_fail(err, DG_CONFIG, first->time ? "`chunk_size` is a number, and the range has times" : "`chunk_size` is a time, and the range has numbers");
    dg_hint(err, first->time ? "write `chunk_size: 7d`, or 6h, 1w, 1m for a month, 1y" : "write `chunk_size: 100000`");
    return DG_CONFIG;
}

/* Parts of one size: whole days where the ends are dates. */
static Step step_of_count(const Point *first, const Point *last, int64_t count)
{
    int64_t unit = first->date_only && last->date_only ? DAY : 1;
    uint64_t far = ((uint64_t)last->value - (uint64_t)first->value) / (uint64_t)unit; /* the last value counts, too: one more, and up */
    uint64_t size = far / (uint64_t)count + 1;
    return (Step){.size = size > (uint64_t)(INT64_MAX / unit) ? INT64_MAX : (int64_t)size * unit, .time = first->time};
}

static DgStatus cut(Arena *a, const Point *first, const Point *last, const Step *step, CopyChunks *out, DgError *err)
{
    Str from = first->text;
    int64_t at;
    for (int64_t n = 1; after(first, step, n, &at) && at <= last->value; n++) {
        if (n >= CHUNKS_MAX) {
            dg_fail(err, DG_CONFIG, "the range has more than %d chunks", CHUNKS_MAX);
            dg_hint(err, "make `chunk_size` larger, or `chunk_count` smaller");
            return DG_CONFIG;
        }
        CopyChunk chunk = {from, write_cut(a, first, at), true};
        array_add(a, out, chunk);
        from = chunk.last;
    }
    CopyChunk rest = {from, last->text, false};
    array_add(a, out, rest);
    return DG_OK;
}

DgStatus chunks_of(Arena *a, const DgSourceOptions *o, CopyChunks *out, DgError *err)
{
    Str start, end;
    Point first = {0}, last = {0};
    Step step = {0};
    bool sized = o->chunk_size.kind != DG_V_NONE;
    if (!str_cut(o->range, ',', &start, &end)) {
        dg_fail(err, DG_CONFIG, "`source_options.range` is two values with a comma between");
        dg_hint(err, "write it like range: '2024-01-01,2024-02-01'");
        return DG_CONFIG;
    }
    start = str_trim(start);
    end = str_trim(end);
    if (!sized && !o->chunk_count) {
        CopyChunk whole = {start, end, false};
        array_add(a, out, whole);
        return DG_OK;
    }
    DG_TRY(parse_point(start, &first, err));
    DG_TRY(parse_point(end, &last, err));
    if (sized && !parse_size(o->chunk_size, &step)) {
        dg_fail(err, DG_CONFIG, "`chunk_size` is no size");
        dg_hint(err, "write a number, or a time like 6h, 7d, 1w, 1m for a month, 1y");
        return DG_CONFIG;
    }
    if (!sized)
        step = step_of_count(&first, &last, o->chunk_count);
    DG_TRY(check_ends(&first, &last, &step, err));
    return cut(a, &first, &last, &step, out, err);
}
