#!/usr/bin/env bash
# Row expressions: the emitted program of a dgc.Transform against the same loops written by hand, on
# the same batches, one core; then 10 million rows through a pipeline.
. "$(dirname "$0")/lib.sh"
mkdir -p "$WORK/p/defs/a/models" "$WORK/p/defs/b"
printf 'type: dgc.SqlModels\nattributes: {path: models, prefix: raw, materialized: table}\n' > "$WORK/p/defs/a/defs.yaml"
echo "select i as id, (i % 1000)::double / 7 as amount, (i % 97)::bigint as k from range(10000000) t(i)" > "$WORK/p/defs/a/models/rows.sql"
cat > "$WORK/p/defs/b/defs.yaml" <<'YAML'
type: dgc.Transform
attributes:
  from: raw/rows
  asset: out/rows
  derive: {a: "amount * 1.19", b: "k + id", c: "amount > 50", d: "amount / 3 + k"}
YAML
"$DGC" build "$WORK/p" --emit c > "$WORK/emitted.c"
grep -v '^#define DGC_NO_LIBC' "$WORK/emitted.c" > "$WORK/pipeline.h"
batch=$(grep -oE '[a-z_0-9]*_batch\(const DgBatch' "$WORK/emitted.c" | head -1 | cut -d'(' -f1)
plan=$(grep -oE 'static const DgRowPlan \*[a-z_0-9]*' "$WORK/emitted.c" | head -1 | sed 's/.*\*//')
cat > "$WORK/bench.c" <<C
#define main unused_main
#include "pipeline.h"
#undef main
#include <stdio.h>
#include <time.h>
#include "runtime/data/batch.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The same work, nulls and overflow included. */
static __attribute__((noinline)) void by_hand(const DgBatch *in, DgBatch *out, int *bad)
{
    const double *amount = in->vectors[1].values;
    const int64_t *id = in->vectors[0].values, *k = in->vectors[2].values;
    double *a = out->vectors[3].values, *d = out->vectors[6].values;
    int64_t *b = out->vectors[4].values;
    uint8_t *c = out->vectors[5].values;
    for (int32_t i = 0; i < 3; i++)
        memcpy(out->vectors[i].values, in->vectors[i].values, (size_t)in->rows * 8);
    for (int32_t i = 0; i < in->rows; i++) {
        if (DG_VALID(&in->vectors[1], i)) a[i] = amount[i] * 1.19; else dg_set_null(&out->vectors[3], i);
        if (DG_VALID(&in->vectors[2], i) && DG_VALID(&in->vectors[0], i)) *bad |= __builtin_add_overflow(k[i], id[i], &b[i]); else dg_set_null(&out->vectors[4], i);
        if (DG_VALID(&in->vectors[1], i)) c[i] = amount[i] > 50; else dg_set_null(&out->vectors[5], i);
        if (DG_VALID(&in->vectors[1], i) && DG_VALID(&in->vectors[2], i)) d[i] = amount[i] / 3 + (double)k[i]; else dg_set_null(&out->vectors[6], i);
    }
    out->rows = in->rows;
}

int main(void)
{
    const DgRowPlan *plan = $plan();
    DgBatch in, out;
    DgError err = {0};
    int bad = 0;
    if (dg_batch_init(&in, plan->in, plan->in_count, DG_BATCH_ROWS, &err) || dg_batch_init(&out, plan->out, plan->out_count, DG_BATCH_ROWS, &err))
        return 1;
    for (int32_t i = 0; i < DG_BATCH_ROWS; i++) {
        ((int64_t *)in.vectors[0].values)[i] = i;
        ((double *)in.vectors[1].values)[i] = i % 1000 / 7.0;
        ((int64_t *)in.vectors[2].values)[i] = i % 97;
    }
    in.rows = DG_BATCH_ROWS;
    double ours = 1e9, hand = 1e9;
    const int batches = 5000;
    for (int round = 0; round < 5; round++) {
        double start = now();
        for (int n = 0; n < batches; n++) {
            dg_batch_reset(&out);
            if ($batch(&in, &out, &err) != DG_OK)
                return puts(err.message), 1;
        }
        double middle = now();
        for (int n = 0; n < batches; n++) {
            dg_batch_reset(&out);
            by_hand(&in, &out, &bad);
        }
        double end = now();
        if (middle - start < ours) ours = middle - start;
        if (end - middle < hand) hand = end - middle;
    }
    double expressions = 4.0 * batches * DG_BATCH_ROWS;
    printf("%.2f %.3f %d\n", expressions / ours / 1e6, ours / hand, bad);
    return 0;
}
C
(cd "$ROOT" && gcc -std=gnu11 -D_GNU_SOURCE -O2 -w -I"$WORK" -I. -isystem "$TP/include" -o "$WORK/bench" "$WORK/bench.c" -L"$BUILD/lib" \
    -Wl,--start-group $(sed "s|^lib.*\.a$|$BUILD/lib/&|" "$BUILD/lib/LINK") -Wl,--end-group)
read -r rate times _ < <("$WORK/bench")
figure_min "dgc.Transform, simple expressions" "$rate" "M/s/core" 20
figure "against hand-written C, same batches" "$times" x 1.5
"$DGC" build "$WORK/p" -o "$WORK/p.bin" 2> /dev/null
"$WORK/p.bin" run --select raw/rows --home "$WORK/home" > /dev/null 2>&1
step() { "$WORK/p.bin" run --select out/rows --home "$WORK/home"; }
printf '%-44s %9.0f ms\n' "10 M rows, table to table" "$(median 3 step)"
