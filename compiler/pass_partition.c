/* pass_partition.c - steps take over the partitions of what they make.
 *
 * Assets without partitions may be made along with partitioned ones, as in Dagster. */
#include "compiler/pass.h"

static void partition_step(const Plan *plan, Step *step)
{
    const Asset *first = NULL;
    for (size_t i = 0; i < step->assets.count; i++) {
        const Asset *asset = step->assets.items[i];
        if (!asset->partitions)
            continue;
        if (!first)
            first = asset;
        if (asset->partitions == first->partitions)
            continue;
        DiagItem *it = diag_report(plan->diag, E0304, asset->at,
                                   "one step makes assets with different partitions: `%.*s` "
                                   "is %.*s",
                                   FMT(asset->key), FMT(asset->partitions->shown));
        diag_label(it, first->at, "`%.*s` is %.*s", FMT(first->key),
                   FMT(first->partitions->shown));
        diag_help(it, "give the assets of one component the same `partitions_def`");
        return;
    }
    if (first)
        step->partitions = first->partitions;
}

void pass_partition(Plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        partition_step(plan, plan->steps.items[i]);
}
