/* Cron schedules, time zones, and the partitions made of them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "runtime/base/partitions.h"

static Arena arena;

static int64_t utc(const char *iso)
{
    CivilTime t;
    int32_t offset = 0;
    bool has_offset;
    assert_true(civil_parse_iso(str_from(iso), &t, &offset, &has_offset));
    return civil_to_seconds(&t) - offset;
}

static const char *shown(int64_t seconds)
{
    CivilTime t = civil_from_seconds(seconds);
    StrBuf b = {0};
    civil_format(&b, S("%Y-%m-%dT%H:%M:%SZ"), &t, 0);
    char *text = str_cstr(&arena, buf_str(&b));
    buf_free(&b);
    return text;
}

static const Zone *zone(const char *name)
{
    const Zone *z;
    DgError err = {0};
    if (zone_open(&arena, str_from(name), &z, &err) != DG_OK)
        fail_msg("%s", err.message);
    return z;
}

/* The firings of a schedule after `from`, as one text. */
static void fires(const char *expression, const char *tz, const char *from, const char *expected)
{
    Cron cron;
    CronError err;
    if (!cron_parse(&arena, str_from(expression), &cron, &err))
        fail_msg("`%s`: %.*s", expression, FMT(err.message));
    int64_t at = utc(from);
    StrBuf got = {0};
    size_t count = 1;
    for (const char *c = expected; *c; c++)
        count += *c == ' ';
    for (size_t i = 0; i < count; i++) {
        assert_true(cron_next(&cron, zone(tz), at, &at));
        buf_format(&got, "%s%s", i ? " " : "", shown(at));
    }
    buf_char(&got, 0);
    assert_string_equal(got.ptr, expected);
    buf_free(&got);
}

static void fails(const char *expression, ptrdiff_t offset, const char *at, const char *message,
                  const char *help)
{
    Cron cron;
    CronError err;
    assert_false(cron_parse(&arena, str_from(expression), &cron, &err));
    assert_string_equal(str_cstr(&arena, err.message), message);
    assert_string_equal(str_cstr(&arena, err.help), help);
    assert_int_equal(err.offset, offset);
    assert_int_equal(err.length, strlen(at));
}

static void calendar_arithmetic_round_trips(void **state)
{
    for (int64_t day = -800000; day < 800000; day += 37) {
        CivilTime t = civil_from_seconds(day * 86400 + 3661);
        assert_int_equal(civil_to_seconds(&t), day * 86400 + 3661);
        assert_int_equal(civil_days(t.year, t.month, t.day), day);
    }
    assert_string_equal(shown(951782400), "2000-02-29T00:00:00Z");
}

static void zones_know_their_clock_changes(void **state)
{
    const Zone *berlin = zone("Europe/Berlin"), *kolkata = zone("Asia/Kolkata");
    assert_int_equal(zone_offset(berlin, utc("2024-01-15T00:00:00")), 3600);
    assert_int_equal(zone_offset(berlin, utc("2024-07-15T00:00:00")), 7200);
    assert_int_equal(zone_offset(berlin, utc("2045-07-15T00:00:00")), 7200); /* by the rule */
    assert_int_equal(zone_offset(berlin, utc("2045-01-15T00:00:00")), 3600);
    assert_int_equal(zone_offset(kolkata, utc("2045-01-15T00:00:00")), 19800);
    assert_int_equal(zone_offset(zone("Australia/Sydney"), utc("2045-01-15T00:00:00")), 39600);
    int64_t at, first;
    assert_int_equal(zone_to_utc(berlin, utc("2024-03-31T02:30:00"), &at, &first), ZONE_GAP);
    assert_string_equal(shown(at), "2024-03-31T01:00:00Z");
    assert_int_equal(zone_to_utc(berlin, utc("2024-10-27T02:30:00"), &at, &first), ZONE_TWICE);
    assert_string_equal(shown(at), "2024-10-27T01:30:00Z");
    assert_string_equal(shown(first), "2024-10-27T00:30:00Z");
}

static void unknown_zones_get_a_suggestion(void **state)
{
    const Zone *z;
    DgError err = {0};
    assert_int_equal(zone_open(&arena, S("Berlin"), &z, &err), DG_CONFIG);
    assert_string_equal(err.message, "there is no time zone `Berlin`");
    assert_string_equal(err.hint, "a similar time zone exists: `Europe/Berlin`");
    assert_int_equal(zone_open(&arena, S("../../etc/passwd"), &z, &err), DG_CONFIG);
    assert_int_equal(zone_open(&arena, S("Europe/Berlim"), &z, &err), DG_CONFIG);
    assert_string_equal(err.hint, "a similar time zone exists: `Europe/Berlin`");
}

static void schedules_fire_when_their_fields_fit(void **state)
{
    fires("0 6 * * *", "UTC", "2024-02-28T06:00:00", "2024-02-29T06:00:00Z 2024-03-01T06:00:00Z");
    fires("*/20 * * * *", "UTC", "2024-01-01T00:05:30",
          "2024-01-01T00:20:00Z 2024-01-01T00:40:00Z 2024-01-01T01:00:00Z");
    fires("5-20/7 3 * * *", "UTC", "2024-01-01T00:00:00",
          "2024-01-01T03:05:00Z 2024-01-01T03:12:00Z 2024-01-01T03:19:00Z");
    fires("0 0 * * mon,Fri", "UTC", "2024-01-01T00:00:00",
          "2024-01-05T00:00:00Z 2024-01-08T00:00:00Z");
    fires("0 0 * * 7", "UTC", "2024-01-01T00:00:00", "2024-01-07T00:00:00Z");
    fires("0 0 13 * 5", "UTC", "2024-09-06T00:00:00", /* the 13th, or a Friday */
          "2024-09-13T00:00:00Z 2024-09-20T00:00:00Z 2024-09-27T00:00:00Z 2024-10-04T00:00:00Z "
          "2024-10-11T00:00:00Z 2024-10-13T00:00:00Z");
    fires("0 0 L * *", "UTC", "2024-01-31T12:00:00", "2024-02-29T00:00:00Z 2024-03-31T00:00:00Z");
    fires("0 0 * * fri#2", "UTC", "2024-01-01T00:00:00", "2024-01-12T00:00:00Z");
    fires("0 0 * * L5", "UTC", "2024-01-01T00:00:00", "2024-01-26T00:00:00Z");
    fires("0 0 29 2 *", "UTC", "2024-02-29T00:00:00", "2028-02-29T00:00:00Z");
    fires("0 22-2/2 * * *", "UTC", "2024-01-01T12:00:00",
          "2024-01-01T22:00:00Z 2024-01-02T00:00:00Z 2024-01-02T02:00:00Z");
    fires("@weekly", "UTC", "2024-01-01T00:00:00", "2024-01-07T00:00:00Z");
    fires("@hourly", "UTC", "2024-01-01T00:00:00", "2024-01-01T01:00:00Z");
    fires("0 0 1 jan-mar *", "UTC", "2024-03-01T00:00:00", "2025-01-01T00:00:00Z");
    fires("0 9 * * 1-5", "America/New_York", "2024-01-05T15:00:00", "2024-01-08T14:00:00Z");
}

static void clock_changes_neither_skip_nor_double_a_nominal_time(void **state)
{
    fires("30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00",
          "2024-03-31T01:00:00Z 2024-04-01T00:30:00Z");
    fires("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00",
          "2024-10-27T01:30:00Z 2024-10-28T01:30:00Z");
    fires("*/30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00", /* both at the end of the gap */
          "2024-03-31T01:00:00Z 2024-04-01T00:00:00Z");
    fires("0 * * * *", "Europe/Berlin", "2024-10-26T23:30:00", /* each real hour */
          "2024-10-27T00:00:00Z 2024-10-27T01:00:00Z 2024-10-27T02:00:00Z");
    fires("30 * * * *", "Europe/Berlin", "2024-03-31T00:00:00",
          "2024-03-31T00:30:00Z 2024-03-31T01:30:00Z");
    fires("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00", /* midnight does not exist */
          "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z");
}

static void ten_years_of_ticks_come_once_each_and_in_order(void **state)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
                                        "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"};
    Cron cron;
    CronError err;
    assert_true(cron_parse(&arena, S("15 2 * * *"), &cron, &err));
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        const Zone *z = zone(zones[i]);
        int64_t at = utc("2020-01-01T23:59:00");
        assert_true(cron_next(&cron, z, at, &at));
        for (int day = 0; day < 3653; day++) {
            int64_t before = at;
            assert_true(cron_next(&cron, z, at, &at));
            assert_true(at - before > 20 * 3600 && at - before < 28 * 3600);
        }
    }
}

static void mistakes_say_what_is_allowed(void **state)
{
    fails("0 25 * * *", 2, "25", "`25` is not an hour", "an hour is 0 to 23; `*` is any");
    fails("0 0 * foo *", 6, "foo", "`foo` is not a month",
          "a month is 1 to 12, or jan to dec; `*` is any");
    fails("* * * *", 0, "* * * *", "a cron schedule has five fields, this has 4",
          "minute hour day month weekday: `0 6 * * *` is every day at 06:00");
    fails("0 0 0 * * *", 10, "*", "a cron schedule has five fields, this is a sixth",
          "minute hour day month weekday: `0 6 * * *` is every day at 06:00");
    fails("*/0 * * * *", 2, "0", "`0` is not a step for a minute", "a step is 1 to 59");
    fails("1,,2 * * * *", 0, "1,,2", "`1,,2` has an empty entry", "write lists as 1,15,30");
    fails("30-10 * * * *", 0, "30-10", "`30-10` runs backwards", "write the smaller one first");
    fails("@dayly", 0, "@dayly", "there is no schedule `@dayly`",
          "these exist: @hourly @daily @weekly @monthly @yearly");
    fails("0 0 30 2 *", 4, "30", "no chosen month has this day", "");
}

/* ---- Partitions ---- */

static PartitionSet daily(const char *start, const char *end, const char *tz)
{
    PartitionSet set;
    DgError err = {0};
    PartitionSpec spec = {.start = str_from(start), .end = str_from(end), .timezone = str_from(tz),
                          .format = S("%Y-%m-%d"), .cron = S("0 0 * * *")};
    if (partitions_open(&arena, &spec, &set, &err) != DG_OK)
        fail_msg("%s", err.message);
    return set;
}

static void daily_partitions_exist_once_their_day_is_over(void **state)
{
    PartitionSet set = daily("2024-01-01", "", "");
    PartitionWindows all;
    PartitionWindow w;
    DgError err = {0};
    int64_t now = utc("2024-01-03T12:00:00");
    assert_int_equal(partitions_all(&arena, &set, now, &all, &err), DG_OK);
    assert_int_equal(all.count, 2);
    assert_string_equal(str_cstr(&arena, all.items[1].key), "2024-01-02");
    assert_true(partitions_last(&arena, &set, now, &w));
    assert_string_equal(str_cstr(&arena, w.key), "2024-01-02");
    assert_int_equal(partitions_find(&arena, &set, S("2024-01-03"), now, &w, &err), DG_USAGE);
    assert_string_equal(err.message, "there is no partition `2024-01-03`");
    assert_string_equal(err.hint, "partitions: 2024-01-01 to 2024-01-02");
    assert_int_equal(partitions_find(&arena, &set, S("yesterday"), now, &w, &err), DG_USAGE);
    assert_false(partitions_last(&arena, &set, utc("2024-01-01T23:59:59"), &w));
}

static void ranges_take_both_ends(void **state)
{
    PartitionSet set = daily("2024-01-01", "2024-02-01", "");
    PartitionWindows got;
    DgError err = {0};
    int64_t now = utc("2030-01-01T00:00:00");
    DgStatus s = partitions_parse(&arena, &set, S("2024-01-30...2024-01-31"), now, &got, &err);
    assert_int_equal(s, DG_OK);
    assert_int_equal(got.count, 2);
    assert_string_equal(shown(got.items[1].end), "2024-02-01T00:00:00Z");
    assert_int_equal(partitions_all(&arena, &set, now, &got, &err), DG_OK);
    assert_int_equal(got.count, 31);
    s = partitions_parse(&arena, &set, S("2024-01-03...2024-01-01"), now, &got, &err);
    assert_int_equal(s, DG_USAGE);
    assert_string_equal(err.message, "the range `2024-01-03...2024-01-01` runs backwards");
    s = partitions_parse(&arena, &set, S("2024-02-01"), now, &got, &err);
    assert_int_equal(s, DG_USAGE);
}

static void windows_follow_the_zone(void **state)
{
    PartitionSet set = daily("2024-03-30", "", "Europe/Berlin");
    PartitionWindow w;
    DgError err = {0};
    assert_int_equal(partitions_find(&arena, &set, S("2024-03-31"), utc("2024-05-01"), &w, &err),
                     DG_OK);
    assert_string_equal(shown(w.start), "2024-03-30T23:00:00Z");
    assert_string_equal(shown(w.end), "2024-03-31T22:00:00Z");
}

static void static_partitions_are_their_keys(void **state)
{
    static const Str keys[] = {DG_S("eu"), DG_S("us"), DG_S("apac")};
    PartitionSpec spec = {.keys = keys, .keys_count = 3};
    PartitionSet set;
    PartitionWindows got;
    DgError err = {0};
    assert_int_equal(partitions_open(&arena, &spec, &set, &err), DG_OK);
    assert_int_equal(partitions_parse(&arena, &set, S("us...apac"), 0, &got, &err), DG_OK);
    assert_int_equal(got.count, 2);
    assert_int_equal(partitions_parse(&arena, &set, S("uk"), 0, &got, &err), DG_USAGE);
    assert_string_equal(err.hint, "partitions: eu, us, apac");
}

static void the_newest_of_many_hourly_partitions_is_found_at_once(void **state)
{
    PartitionSpec spec = {.start = S("2000-01-01-00:00"), .format = S("%Y-%m-%d-%H:%M"),
                          .cron = S("0 * * * *"), .timezone = S("America/New_York")};
    PartitionSet set;
    PartitionWindow w;
    DgError err = {0};
    assert_int_equal(partitions_open(&arena, &spec, &set, &err), DG_OK);
    for (int i = 0; i < 1000; i++) {
        assert_true(partitions_last(&arena, &set, utc("2026-07-01T12:30:00"), &w));
        assert_string_equal(str_cstr(&arena, w.key), "2026-07-01-07:00");
    }
}

int main(void)
{
    arena_init(&arena, 256 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_arithmetic_round_trips),
        cmocka_unit_test(zones_know_their_clock_changes),
        cmocka_unit_test(unknown_zones_get_a_suggestion),
        cmocka_unit_test(schedules_fire_when_their_fields_fit),
        cmocka_unit_test(clock_changes_neither_skip_nor_double_a_nominal_time),
        cmocka_unit_test(ten_years_of_ticks_come_once_each_and_in_order),
        cmocka_unit_test(mistakes_say_what_is_allowed),
        cmocka_unit_test(daily_partitions_exist_once_their_day_is_over),
        cmocka_unit_test(ranges_take_both_ends),
        cmocka_unit_test(windows_follow_the_zone),
        cmocka_unit_test(static_partitions_are_their_keys),
        cmocka_unit_test(the_newest_of_many_hourly_partitions_is_found_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
