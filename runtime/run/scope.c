/* The names that templates see while a step runs, and values as JSON. */
#include "runtime/os/os.h"
#include "runtime/run/run.h"

static DgValue iso_time(DgEval *ev, int64_t seconds)
{
    return dg_datetime_from_us(ev, seconds * 1000000);
}

static DgValue window_value(DgEval *ev, const Unit *u)
{
    DgValue d = dg_new_dict(ev);
    dg_put_str(ev, d, "start", iso_time(ev, u->start));
    dg_put_str(ev, d, "end", iso_time(ev, u->end));
    return dg_record(ev->arena, "TimeWindow", d, NULL);
}

static DgValue range_value(DgEval *ev, const Unit *u)
{
    DgValue d = dg_new_dict(ev);
    dg_put_str(ev, d, "start", dgv_from_str(u->first));
    dg_put_str(ev, d, "end", dgv_from_str(u->last));
    return dg_record(ev->arena, "PartitionKeyRange", d, NULL);
}

/* is_incremental(): the table is there, and nobody asked for a full refresh. */
static DgStatus is_incremental(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out,
                               DgError *err)
{
    DgStepRun *sr = ctx;
    *out = dgv_bool(false);
    if (dg_full_refresh(sr) || sr->def->assets.count == 0)
        return DG_OK;
    const DgAssetDef *asset = &sr->run->pipeline->assets[sr->def->assets.items[0]];
    DgSession *session;
    int64_t count = 0;
    DG_TRY(step_session(sr, &session, err));
    Str sql = str_format(ev->arena,
                         "SELECT count(*) FROM information_schema.tables WHERE table_catalog ="
                         " current_database() AND table_type = 'BASE TABLE' AND table_schema = %.*s"
                         " AND table_name = %.*s",
                         FMT(dg_duckdb_text(ev->arena, asset->schema)),
                         FMT(dg_duckdb_text(ev->arena, asset->table)));
    DG_TRY(dg_session_int(session, sql, &count, err));
    *out = dgv_bool(count > 0);
    return DG_OK;
}

static DgStatus partition_var(DgStepRun *sr, DgEval *ev, Str name, DgValue *out, DgError *err)
{
    const Unit *u = sr->unit;
    bool key = str_eq(name, S("partition_key"));
    bool range = str_eq(name, S("partition_key_range"));
    bool window = str_eq(name, S("partition_time_window"));
    bool first = str_eq(name, S("partition_range_start"));
    bool last = str_eq(name, S("partition_range_end"));
    if (!key && !range && !window && !first && !last)
        return DG_END;
    if (u->partition.len == 0)
        return dg_fail(err, DG_CONFIG, "`%.*s` is used, but the step has no partition", FMT(name));
    if (key && !str_eq(u->first, u->last)) {
        dg_fail(err, DG_CONFIG, "`partition_key` is used, but this run covers %.*s",
                FMT(u->partition));
        dg_hint(err, "use partition_key_range.start and .end, or `backfill_policy: {type: "
                     "multi_run}`");
        return DG_CONFIG;
    }
    if (window && u->end == 0)
        return dg_fail(err, DG_CONFIG, "`partition_time_window` is used, but the partitions are "
                                       "not windows of time");
    *out = window  ? window_value(ev, u)
           : range ? range_value(ev, u)
           : last  ? dgv_from_str(u->last)
                   : dgv_from_str(u->first);
    return DG_OK;
}

static DgStatus get_var(void *ctx, DgEval *ev, Str name, DgValue *out, DgError *err)
{
    DgStepRun *sr = ctx;
    Run *run = sr->run;
    const DgValue *extra = sr->extra ? dgv_get_str(*sr->extra, name) : NULL;
    if (extra) {
        *out = *extra;
        return DG_OK;
    }
    if (str_starts(name, S("partition_")))
        return partition_var(sr, ev, name, out, err);
    if (str_eq(name, S("run_id")) || str_eq(name, S("invocation_id")))
        *out = dgv_from_str(str_from(run->id));
    else if (str_eq(name, S("full_refresh")))
        *out = dgv_bool(dg_full_refresh(sr));
    else if (str_eq(name, S("is_incremental")))
        *out = dg_native(ev->arena, "is_incremental", is_incremental, sr);
    else if (str_eq(name, S("run_started_at")))
        *out = dg_datetime_from_us(ev, run->started_us);
    else if (str_eq(name, S("job_name")))
        *out = run->options.job.len ? dgv_from_str(run->options.job) : dgv_none();
    else if (str_eq(name, S("step_name")))
        *out = dgv_from_str(sr->def->name);
    else if (str_eq(name, S("retry_number")))
        *out = dgv_int(sr->unit->attempt - 1);
    else
        return DG_END;
    return DG_OK;
}

static DgStatus get_env(void *ctx, Str name, Str *out, bool *secret, DgError *err)
{
    return secrets_get(((DgStepRun *)ctx)->run->secrets, name, out, secret, err);
}

static int64_t now_us(void *ctx)
{
    return os_real_us();
}

void step_scope(DgStepRun *sr)
{
    if (sr->has_eval)
        return;
    arena_init(&sr->eval_arena, 256 << 20);
    sr->eval_arena.can_fail = true;
    step_eval(sr, &sr->eval_arena, &sr->eval);
    sr->has_eval = true;
}

void step_eval(DgStepRun *sr, Arena *a, DgEval *ev)
{
    dg_eval_init(ev, a);
    ev->ctx = sr;
    ev->get_var = get_var;
    ev->get_env = get_env;
    ev->now_us = now_us;
}

void value_json(DgStepRun *sr, DgValue v, StrBuf *out)
{
    Arena a;
    DgEval ev;
    arena_init(&a, 64 << 20);
    a.can_fail = true;
    dg_eval_init(&ev, &a);
    size_t start = out->len;
    dg_write_json(&ev, out, v, 0, false);
    if (ev.error.status != DG_OK) {
        out->len = start;
        buf_json(out, dg_to_str(&ev, v));
    }
    dg_eval_free(&ev);
    arena_free(&a);
}
