/* Partition keys and windows. See partitions.h. */
#include "runtime/base/partitions.h"

/* `text` in the set's format or ISO 8601, as UTC seconds. */
static bool read_time(const PartitionSet *set, Str text, bool iso_too, int64_t *out)
{
    CivilTime t = {.year = 1970, .month = 1, .day = 1};
    int32_t offset = 0;
    bool has_offset = false;
    if (!civil_parse(text, set->format, &t, &offset, &has_offset) &&
        !(iso_too && civil_parse_iso(text, &t, &offset, &has_offset)))
        return false;
    int64_t local = civil_to_seconds(&t), first;
    if (has_offset)
        *out = local - offset;
    else
        zone_to_utc(set->zone, local, out, &first);
    return true;
}

static Str key_of(Arena *a, const PartitionSet *set, int64_t start)
{
    int32_t offset = zone_offset(set->zone, start);
    CivilTime t = civil_from_seconds(start + offset);
    StrBuf b = {.max = 256};
    civil_format(&b, set->format, &t, offset);
    Str key = str_copy(a, buf_str(&b));
    buf_free(&b);
    return key;
}

DgStatus partitions_open(Arena *a, const PartitionSpec *spec, PartitionSet *out, DgError *err)
{
    *out = (PartitionSet){.keys = spec->keys, .keys_count = spec->keys_count, .end = INT64_MAX};
    if (spec->keys_count > 0)
        return DG_OK;
    out->is_time = true;
    out->format = spec->format.len ? spec->format : S("%Y-%m-%d");
    DG_TRY(zone_open(a, spec->timezone, &out->zone, err));
    CronError cron;
    if (!cron_parse(a, spec->cron, &out->cron, &cron)) {
        dg_fail(err, DG_USAGE, "partitions: %.*s", FMT(cron.message));
        dg_hint(err, "%.*s", FMT(cron.help));
        return DG_USAGE;
    }
    CivilTime sample = civil_from_seconds(0);
    StrBuf b = {.max = 256};
    bool format_ok = civil_format(&b, out->format, &sample, 0) && b.len > 0;
    buf_free(&b);
    if (!format_ok)
        return dg_fail(err, DG_USAGE, "partitions: `%.*s` is not a date format", FMT(out->format));
    if (!read_time(out, spec->start, true, &out->start))
        return dg_fail(err, DG_USAGE, "partitions: start `%.*s` does not fit the format `%.*s`",
                       FMT(spec->start), FMT(out->format));
    if (spec->end.len && !read_time(out, spec->end, true, &out->end))
        return dg_fail(err, DG_USAGE, "partitions: end `%.*s` does not fit the format `%.*s`",
                       FMT(spec->end), FMT(out->format));
    return DG_OK;
}

/* The window that begins at `start`; false when it is not over yet, or past the end. */
static bool window_at(const PartitionSet *set, int64_t start, int64_t now, PartitionWindow *out)
{
    int64_t end;
    if (!cron_next(&set->cron, set->zone, start, &end) || end > now || end > set->end)
        return false;
    *out = (PartitionWindow){.start = start, .end = end};
    return true;
}

static bool first_window(const PartitionSet *set, int64_t now, PartitionWindow *out)
{
    int64_t start;
    return cron_next(&set->cron, set->zone, set->start - 1, &start) &&
           window_at(set, start, now, out);
}

bool partitions_last(Arena *a, const PartitionSet *set, int64_t now, PartitionWindow *out)
{
    if (!set->is_time) {
        *out = (PartitionWindow){.key = set->keys_count ? set->keys[set->keys_count - 1] : (Str){0}};
        return set->keys_count > 0;
    }
    if (!first_window(set, now, out))
        return false;
    /* Look back from now in growing steps, to not walk over years of hourly windows. */
    int64_t limit = now < set->end ? now : set->end;
    PartitionWindow w = *out;
    for (int64_t back = 7200; limit - back > out->start; back *= 2) {
        int64_t start;
        if (cron_next(&set->cron, set->zone, limit - back, &start) && start >= out->start &&
            window_at(set, start, now, &w)) {
            *out = w;
            break;
        }
    }
    while (window_at(set, out->end, now, &w))
        *out = w;
    out->key = key_of(a, set, out->start);
    return true;
}

static DgStatus no_such_key(Arena *a, const PartitionSet *set, Str key, int64_t now, DgError *err)
{
    dg_fail(err, DG_USAGE, "there is no partition `%.*s`", FMT(key));
    dg_hint(err, "partitions: %.*s", FMT(partitions_summary(a, set, now)));
    return DG_USAGE;
}

DgStatus partitions_find(Arena *a, const PartitionSet *set, Str key, int64_t now,
                         PartitionWindow *out, DgError *err)
{
    *out = (PartitionWindow){.key = key};
    if (!set->is_time) {
        for (int32_t i = 0; i < set->keys_count; i++)
            if (str_eq(set->keys[i], key))
                return DG_OK;
        return no_such_key(a, set, key, now, err);
    }
    int64_t start, tick;
    if (!read_time(set, key, false, &start) || start < set->start ||
        !cron_next(&set->cron, set->zone, start - 1, &tick) || tick != start ||
        !window_at(set, start, now, out))
        return no_such_key(a, set, key, now, err);
    out->key = key_of(a, set, start);
    return DG_OK;
}

DgStatus partitions_range(Arena *a, const PartitionSet *set, Str first, Str last, int64_t now,
                          PartitionWindows *out, DgError *err)
{
    PartitionWindow from, to;
    *out = (PartitionWindows){0};
    DG_TRY(partitions_find(a, set, first, now, &from, err));
    DG_TRY(partitions_find(a, set, last, now, &to, err));
    if (!set->is_time) {
        bool inside = false;
        for (int32_t i = 0; i < set->keys_count; i++) {
            inside |= str_eq(set->keys[i], first);
            if (inside)
                array_add(a, out, ((PartitionWindow){.key = set->keys[i]}));
            if (inside && str_eq(set->keys[i], last))
                return DG_OK;
        }
    }
    while (set->is_time && from.start <= to.start) {
        if (out->count == PARTITIONS_MAX)
            return dg_fail(err, DG_USAGE, "more than %d partitions in one range", PARTITIONS_MAX);
        from.key = key_of(a, set, from.start);
        array_add(a, out, from);
        if (!window_at(set, from.end, now, &from))
            break;
    }
    if (set->is_time && out->count)
        return DG_OK;
    return dg_fail(err, DG_USAGE, "the range `%.*s...%.*s` runs backwards", FMT(first), FMT(last));
}

DgStatus partitions_parse(Arena *a, const PartitionSet *set, Str text, int64_t now,
                          PartitionWindows *out, DgError *err)
{
    ptrdiff_t dots = str_find(text, S("..."));
    PartitionWindow one;
    *out = (PartitionWindows){0};
    if (dots >= 0)
        return partitions_range(a, set, str_trim(str_sub(text, 0, dots)),
                                str_trim(str_sub(text, dots + 3, text.len)), now, out, err);
    DG_TRY(partitions_find(a, set, text, now, &one, err));
    array_add(a, out, one);
    return DG_OK;
}

DgStatus partitions_all(Arena *a, const PartitionSet *set, int64_t now, PartitionWindows *out,
                        DgError *err)
{
    PartitionWindow w;
    *out = (PartitionWindows){0};
    for (int32_t i = 0; i < set->keys_count && !set->is_time; i++)
        array_add(a, out, ((PartitionWindow){.key = set->keys[i]}));
    for (bool more = set->is_time && first_window(set, now, &w); more;
         more = window_at(set, w.end, now, &w)) {
        if (out->count == PARTITIONS_MAX)
            return dg_fail(err, DG_USAGE, "more than %d partitions", PARTITIONS_MAX);
        w.key = key_of(a, set, w.start);
        array_add(a, out, w);
    }
    return DG_OK;
}

Str partitions_summary(Arena *a, const PartitionSet *set, int64_t now)
{
    PartitionWindow first, last;
    if (set->is_time) {
        if (!first_window(set, now, &first) || !partitions_last(a, set, now, &last))
            return S("none yet");
        if (first.start == last.start)
            return last.key;
        return str_format(a, "%.*s to %.*s", FMT(key_of(a, set, first.start)), FMT(last.key));
    }
    StrBuf b = {.max = 400};
    for (int32_t i = 0; i < set->keys_count && i < 10; i++)
        buf_format(&b, "%s%.*s", i ? ", " : "", FMT(set->keys[i]));
    if (set->keys_count > 10)
        buf_format(&b, ", ... %.*s (%d keys)", FMT(set->keys[set->keys_count - 1]),
                   set->keys_count);
    Str text = str_copy(a, buf_str(&b));
    buf_free(&b);
    return text;
}
