/* partitions.h - partition keys and the windows of time they stand for.
 *
 * Time partitions: windows between the ticks of a cron schedule, from the first tick at or after
 * `start`; a window exists once its end has passed, and none reaches past `end`. Keys are the
 * window's start, formatted. Static partitions: the keys as listed.
 */
#ifndef DG_PARTITIONS_H
#define DG_PARTITIONS_H

#include "runtime/base/cron.h"

typedef struct PartitionSpec { /* as written */
    const Str *keys;           /* STATIC when keys_count > 0 */
    int32_t keys_count;
    Str start, end;            /* in `format`, or ISO 8601; end may be empty */
    Str timezone, format, cron;
} PartitionSpec;

typedef struct PartitionSet {
    bool is_time;
    const Str *keys;
    int32_t keys_count;
    const Zone *zone;
    Cron cron;
    Str format;
    int64_t start, end;        /* UTC seconds; end INT64_MAX when open */
} PartitionSet;

typedef struct PartitionWindow {
    Str key;
    int64_t start, end;        /* UTC seconds; both 0 for static partitions */
} PartitionWindow;
typedef Array(PartitionWindow) PartitionWindows;

enum { PARTITIONS_MAX = 1000000 }; /* in one listing or range */

DgStatus partitions_open(Arena *a, const PartitionSpec *spec, PartitionSet *out, DgError *err);
/* Each takes `now` (UTC seconds). Errors are DG_USAGE and name keys that exist. */
DgStatus partitions_find(Arena *a, const PartitionSet *set, Str key, int64_t now,
                         PartitionWindow *out, DgError *err);
/* first to last, both included, in order. */
DgStatus partitions_range(Arena *a, const PartitionSet *set, Str first, Str last, int64_t now,
                          PartitionWindows *out, DgError *err);
/* `A...B`, or one key. */
DgStatus partitions_parse(Arena *a, const PartitionSet *set, Str text, int64_t now,
                          PartitionWindows *out, DgError *err);
DgStatus partitions_all(Arena *a, const PartitionSet *set, int64_t now, PartitionWindows *out,
                        DgError *err);
/* The newest. False: there is none yet. */
bool partitions_last(Arena *a, const PartitionSet *set, int64_t now, PartitionWindow *out);
/* "2024-01-01, 2024-01-02, ... 2024-03-01 (61 keys)", for messages. */
Str partitions_summary(Arena *a, const PartitionSet *set, int64_t now);

#endif
