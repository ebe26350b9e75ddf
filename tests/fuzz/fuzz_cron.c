/* Any text is a schedule whose next firing comes later, or an error inside the text. The same text
 * is also tried as a time zone's rules, a partition format and a time. */
#include "runtime/base/partitions.h"

static void try_cron(Arena *a, Str text)
{
    Cron cron;
    CronError err;
    int64_t at = 1700000000;
    if (!cron_parse(a, text, &cron, &err)) {
        assert(err.message.len > 0);
        assert(err.offset >= 0 && err.offset + err.length <= text.len);
        return;
    }
    for (int i = 0; i < 3; i++) {
        int64_t before = at;
        if (!cron_next(&cron, zone_utc(), at, &at))
            break;
        assert(at > before && at % 60 == 0);
    }
}

static void try_zone(Arena *a, Str text)
{
    const Zone *z = zone_parse(a, text);
    int64_t utc, first;
    for (int64_t t = -4000000000; z && t < 8000000000; t += 999999937) {
        zone_to_utc(z, t, &utc, &first);
        assert(utc > t - 200000 && utc < t + 200000);
    }
}

static void fuzz_one(const char *bytes, size_t n)
{
    Arena a;
    Str text = {bytes, (ptrdiff_t)n};
    CivilTime t = civil_from_seconds(951825600);
    int32_t offset = 0;
    bool has_offset;
    StrBuf b = {.max = 1 << 16};
    arena_init(&a, 64 << 20);
    try_cron(&a, text);
    try_zone(&a, text);
    civil_format(&b, text, &t, 3600);
    civil_parse(S("2024-02-29"), text, &t, &offset, &has_offset);
    civil_parse_iso(text, &t, &offset, &has_offset);
    buf_free(&b);
    arena_free(&a);
}

#include "tests/fuzz/fuzz.h"
