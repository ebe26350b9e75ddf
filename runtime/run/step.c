/* One attempt at one unit: bind the config, open, load or execute, close, commit. */
#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "runtime/run/run.h"
#include "runtime/run/step.h"

typedef struct Lane {
    DgBatch in; /* MAP: what was scanned */
    bool has_in;
    bool done;
    void *own;  /* ops->lane_size bytes */
} Lane;

typedef struct Flow { /* what the lanes of one load share */
    DgStepRun *sr;
    DgScan *scan; /* MAP */
    const DgColumn *columns;
    int32_t columns_count;
} Flow;

static DgStatus lane_open(void *context, void **out, DgError *err)
{
    Flow *f = context;
    Lane *lane = os_alloc(sizeof *lane);
    size_t own = f->sr->def->ops->lane_size;
    if (!lane || !(lane->own = os_alloc(own))) {
        os_free(lane);
        return os_no_memory(err, "starting a lane");
    }
    if (f->scan) {
        DgStatus s = dg_batch_init(&lane->in, f->columns, f->columns_count, DG_BATCH_ROWS, err);
        if (s != DG_OK) {
            os_free(lane->own);
            os_free(lane);
            return s;
        }
        lane->has_in = true;
    }
    *out = lane;
    return DG_OK;
}

static DgStatus lane_next(void *context, void *at, DgBatch *out, DgError *err)
{
    Flow *f = context;
    Lane *lane = at;
    DgStepRun *sr = f->sr;
    const DgStepOps *ops = sr->def->ops;
    if (dg_cancelled(sr))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    if (!f->scan)
        return ops->read(sr, sr->config, sr->state, lane->own, out, err);
    while (!lane->done) {
        dg_batch_reset(&lane->in);
        DgStatus s = dg_scan_next(f->scan, &lane->in, err);
        lane->done = s == DG_END;
        if (s != DG_OK && s != DG_END)
            return s;
        if (lane->in.rows == 0)
            continue;
        DG_TRY(ops->map(sr, sr->config, sr->state, lane->own, &lane->in, out, err));
        dg_progress(sr, lane->in.rows, 0);
        if (out->rows > 0)
            return lane->done ? DG_END : DG_OK;
    }
    return DG_END;
}

static void lane_close(void *context, void *at)
{
    Flow *f = context;
    Lane *lane = at;
    DgStepRun *sr = f->sr;
    if (sr->def->ops->close_lane)
        sr->def->ops->close_lane(sr, sr->config, sr->state, lane->own);
    if (lane->has_in)
        dg_batch_release(&lane->in);
    os_free(lane->own);
    os_free(lane);
}

/* As many lanes as there are threads, fewer when their batches would not fit the byte budget. */
static int32_t lanes_for(const Run *run, const DgLoad *load)
{
    int64_t row = 0;
    for (int32_t i = 0; i < load->columns_count; i++) {
        int32_t width = dg_type_width(load->columns[i].type.kind);
        row += width ? width : 64;
    }
    int64_t budget = run->options.memory_max / 4 / (run->options.threads ? run->options.threads : 1);
    int64_t lanes = budget / (row * DG_BATCH_ROWS * 2 + 1);
    int32_t most = run->options.threads;
    if (load->lanes_max > 0 && load->lanes_max < most)
        most = load->lanes_max;
    return lanes < 1 ? 1 : lanes > most ? most : (int32_t)lanes;
}

static const DgAssetDef *first_asset(DgStepRun *sr)
{
    return &sr->run->pipeline->assets[sr->def->assets.items[0]];
}

static DgStatus open_scan(DgStepRun *sr, Flow *f, DgError *err)
{
    DgWarehouse *w;
    if (sr->def->reads.count == 0)
        return dg_fail(err, DG_BUG, "step `%.*s` reads no asset", FMT(sr->def->name));
    const DgAssetDef *input = &sr->run->pipeline->assets[sr->def->reads.items[0]];
    DG_TRY(warehouse_get(sr->run, &w, err));
    DG_TRY(dg_session_open(w, &sr->reader, err));
    StrBuf sql = {0};
    buf_add(&sql, S("SELECT "));
    pthread_mutex_lock(&sr->lock);
    for (int32_t i = 0; i < input->columns_count; i++) {
        buf_add(&sql, i ? S(", ") : S(""));
        buf_add(&sql, dg_duckdb_name(&sr->arena, input->columns[i].name));
    }
    buf_add(&sql, input->columns_count ? S(" FROM ") : S("* FROM "));
    buf_add(&sql, dg_duckdb_table(&sr->arena, input->schema, input->table));
    pthread_mutex_unlock(&sr->lock);
    DgStatus s = sql.failed ? os_no_memory(err, "reading the input")
                            : dg_scan_open(sr->reader, buf_str(&sql), &f->scan, err);
    buf_free(&sql);
    if (s == DG_OK)
        f->columns = dg_scan_columns(f->scan, &f->columns_count);
    return s;
}

static DgStatus load_rows(DgStepRun *sr, DgError *err)
{
    if (!sr->has_load)
        return dg_fail(err, DG_BUG, "step `%.*s` did not say what it loads", FMT(sr->def->name));
    if (sr->def->assets.count == 0)
        return dg_fail(err, DG_BUG, "step `%.*s` has no asset to load", FMT(sr->def->name));
    Flow flow = {.sr = sr};
    DgSession *session;
    DG_TRY(step_session(sr, &session, err));
    if (sr->def->ops->role == DG_MAP)
        DG_TRY(open_scan(sr, &flow, err));
    DgPull pull = {.context = &flow,
                   .lane_open = lane_open,
                   .next = lane_next,
                   .lane_close = lane_close,
                   .lanes_max = lanes_for(sr->run, &sr->load)};
    const DgAssetDef *asset = first_asset(sr);
    DgLoadResult result = {0};
    DgStatus s = dg_session_load(session, asset->schema, asset->table, &sr->load, &pull, &result,
                                 err);
    if (flow.scan)
        dg_scan_close(flow.scan);
    if (s == DG_OK)
        sr->unit->rows = result.rows_read;
    return s;
}

static DgStatus bind_config(DgStepRun *sr, DgError *err)
{
    const DgStepOps *ops = sr->def->ops;
    sr->config = dg_alloc(sr, ops->config_size + 1);
    sr->state = dg_alloc(sr, ops->state_size + 1);
    if (!sr->config || !sr->state)
        return os_no_memory(err, "starting a step");
    if (ops->config_size && sr->def->config)
        memcpy(sr->config, sr->def->config, ops->config_size);
    return sr->def->bind ? sr->def->bind(dg_eval(sr), sr->config, err) : DG_OK;
}

static DgStatus work(DgStepRun *sr, DgError *err)
{
    const DgStepOps *ops = sr->def->ops;
    DG_TRY(bind_config(sr, err));
    DgStatus s = ops->open ? ops->open(sr, sr->config, sr->state, err) : DG_OK;
    if (s == DG_OK)
        s = ops->role == DG_ACTION ? ops->execute(sr, sr->config, sr->state, err)
                                   : load_rows(sr, err);
    if (ops->close)
        ops->close(sr, sr->config, sr->state);
    if (s == DG_OK && sr->unit->error.status != DG_OK) { /* dg_cursor() had no way to say so */
        *err = sr->unit->error;
        s = err->status;
    }
    return s;
}

/* ---- Results ---- */

static bool was_reported(const DgStepRun *sr, Str asset, Str name)
{
    for (size_t i = 0; i < sr->checks.count; i++)
        if (str_eq(sr->checks.items[i].asset, asset) && str_eq(sr->checks.items[i].name, name))
            return true;
    return false;
}

/* Checks the step promised and said nothing about did not pass. */
static void add_missing_checks(DgStepRun *sr)
{
    const DgPipeline *p = sr->run->pipeline;
    for (int32_t i = 0; i < sr->def->checks.count; i++) {
        int32_t index = sr->def->checks.items[i];
        const DgCheckDef *check = &p->checks[index];
        if (sr->run->check_chosen[index] &&
            !was_reported(sr, p->assets[check->asset].key, check->name))
            dg_report_check(sr, p->assets[check->asset].key, check->name, false,
                            S("the step did not report it"));
    }
}

static void keep_results(DgStepRun *sr)
{
    Run *run = sr->run;
    Unit *u = sr->unit;
    pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i < sr->checks.count; i++) {
        CheckResult c = sr->checks.items[i];
        c.asset = str_copy(&run->arena, c.asset);
        c.name = str_copy(&run->arena, c.name);
        c.detail = str_copy(&run->arena, c.detail);
        array_add(&run->arena, &u->checks, c);
        run->failed_checks |= !c.passed && !c.warn;
    }
    for (size_t i = 0; i < sr->metadata.count; i++) {
        MetadataItem m = sr->metadata.items[i];
        m.asset = str_copy(&run->arena, m.asset);
        m.name = str_copy(&run->arena, m.name);
        m.json = str_copy(&run->arena, m.json);
        array_add(&run->arena, &u->metadata, m);
    }
    pthread_mutex_unlock(&run->lock);
}

/* ---- Retrying ---- */

enum { TRANSIENT_RETRIES = 2, TRANSIENT_DELAY_MS = 1000, DELAY_MAX_MS = 600000 };

int64_t step_retry_delay_ms(const DgRetry *r, int attempt, const DgError *err)
{
    DgRetry policy = *r;
    if (policy.retries_max <= 0)
        policy = (DgRetry){TRANSIENT_RETRIES, TRANSIENT_DELAY_MS, true, 1};
    double base = (double)policy.delay_ms, delay = base;
    if (policy.exponential)
        delay = base * (double)((1ll << (attempt < 20 ? attempt : 20)) - 1);
    double random = (double)os_random_below(1000001) / 1e6;
    if (policy.jitter == 1)
        delay *= random;
    else if (policy.jitter == 2)
        delay += (2 * random - 1) * base;
    if (delay < (double)err->retry_after_ms)
        delay = (double)err->retry_after_ms;
    return delay < 0 ? 0 : delay > DELAY_MAX_MS ? DELAY_MAX_MS : (int64_t)delay;
}

/* With a policy of its own a step is tried again after any failure, as in Dagster; without, after
 * failures that may go away by themselves. */
bool step_may_retry(const DgRetry *r, int attempt, DgStatus status)
{
    if (status == DG_CANCELLED || status == DG_BUG || status == DG_NOMEM)
        return false;
    if (r->retries_max > 0)
        return attempt <= r->retries_max;
    return dg_is_transient(status) && attempt <= TRANSIENT_RETRIES;
}

static UnitState outcome_of(DgStepRun *sr, DgStatus status, bool unknown, DgError *err)
{
    Run *run = sr->run;
    Unit *u = sr->unit;
    if (status == DG_OK)
        return UNIT_SUCCEEDED;
    if (err->site == 0 && sr->def->site >= 0)
        err->site = sr->def->site + 1;
    err->status = status;
    if (!err->message[0])
        dg_fail(err, status, "step `%.*s` failed without saying why", FMT(sr->def->name));
    redact_cstring(run->redactor, err->message, sizeof err->message);
    redact_cstring(run->redactor, err->hint, sizeof err->hint);
    u->error = *err;
    if (unknown)
        return UNIT_UNKNOWN;
    if (atomic_load(&run->cancel))
        return UNIT_CANCELLED;
    pthread_mutex_lock(&run->lock);
    bool fatal = run->fatal.status != DG_OK;
    pthread_mutex_unlock(&run->lock);
    if (fatal || err->retry_after_ms < 0 || !step_may_retry(&sr->def->retry, u->attempt, status))
        return UNIT_FAILED;
    u->retry_at_ms = os_monotonic_ms() + step_retry_delay_ms(&sr->def->retry, u->attempt, err);
    return UNIT_WAITING;
}

static void attempt_close(DgStepRun *sr)
{
    pthread_mutex_lock(&sr->run->lock);
    DgSession *session = sr->session, *reader = sr->reader;
    sr->session = sr->reader = NULL;
    sr->unit->active = NULL;
    sr->unit->committing = false;
    sr->unit->waiting[0] = 0;
    pthread_mutex_unlock(&sr->run->lock);
    if (reader)
        dg_session_close(reader);
    if (session)
        dg_session_close(session); /* rolls back what was not committed */
    if (sr->has_eval) {
        dg_eval_free(&sr->eval);
        arena_free(&sr->eval_arena);
    }
    arena_free(&sr->arena);
    pthread_mutex_destroy(&sr->lock);
    os_free(sr);
}

static void new_package_id(Unit *u)
{
    unsigned char bytes[16];
    os_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(u->package + 2 * i, 3, "%02x", bytes[i]);
}

UnitState step_attempt(Run *run, Unit *u)
{
    DgError err = {0};
    bool unknown = false;
    DgStepRun *sr = os_alloc(sizeof *sr);
    u->error = (DgError){0};
    u->rows = 0;
    u->bytes = 0;
    new_package_id(u);
    if (!sr) {
        os_no_memory(&u->error, "starting a step");
        return UNIT_FAILED;
    }
    *sr = (DgStepRun){.run = run, .unit = u, .def = u->def};
    arena_init(&sr->arena, 1ull << 32);
    sr->arena.can_fail = true;
    pthread_mutex_init(&sr->lock, NULL);
    pthread_mutex_lock(&run->lock);
    u->active = sr;
    pthread_mutex_unlock(&run->lock);

    DgStatus status = work(sr, &err);
    if (status == DG_OK)
        status = commit_step(sr, &unknown, &err);
    if (status == DG_OK)
        add_missing_checks(sr);
    UnitState outcome = outcome_of(sr, status, unknown, &err);
    /* Checks count even when the step failed: a script may judge first and break then. */
    if (outcome != UNIT_WAITING)
        keep_results(sr);
    attempt_close(sr);
    return outcome;
}

/* ---- Asking a step without running it ---- */

DgStatus step_question_open(Run *run, int32_t step, DgStepRun **out, DgError *err)
{
    Unit *unit = push(&run->arena, Unit, 1);
    DgStepRun *sr = unit ? os_alloc(sizeof *sr) : NULL;
    *out = NULL;
    if (!sr)
        return os_no_memory(err, "for a question to a step");
    unit->def = &run->pipeline->steps[step];
    unit->step = step;
    *sr = (DgStepRun){.run = run, .unit = unit, .def = unit->def};
    arena_init(&sr->arena, 64 << 20);
    sr->arena.can_fail = true;
    pthread_mutex_init(&sr->lock, NULL);
    DgStatus status = bind_config(sr, err);
    if (status == DG_OK)
        *out = sr;
    else
        attempt_close(sr);
    return status;
}

void step_question_close(DgStepRun *sr)
{
    if (sr)
        attempt_close(sr);
}

DgStatus step_explain(Run *run, int32_t step, Str *text, DgError *err)
{
    DgStepRun *sr;
    DG_TRY(step_question_open(run, step, &sr, err));
    DgStatus status = sr->def->ops->explain(sr, sr->config, text, err);
    *text = str_copy(&run->arena, *text);
    step_question_close(sr);
    return status;
}

DgStatus step_cursors(Run *run, int32_t step, const Str *value, DgList *cursors, DgError *err)
{
    DgStepRun *sr;
    DgList found = {0};
    DG_TRY(step_question_open(run, step, &sr, err));
    DgStatus status = sr->def->ops->cursor(sr, sr->config, value, &found, err);
    DgPair *pairs = push(&run->arena, DgPair, found.count + 1);
    for (size_t i = 0; i < found.count && pairs; i++)
        pairs[i] = (DgPair){str_copy(&run->arena, DG_ITEMS(DgPair, found)[i].key), str_copy(&run->arena, DG_ITEMS(DgPair, found)[i].value)};
    if (cursors)
        *cursors = (DgList){pairs, pairs ? found.count : 0};
    step_question_close(sr);
    return status;
}

DgStatus step_packages(Run *run, int32_t step, const Str *abort, DgList *packages, DgError *err)
{
    DgStepRun *sr;
    DgList found = {0};
    *packages = (DgList){0};
    DG_TRY(step_question_open(run, step, &sr, err));
    DgStatus status = sr->def->ops->packages(sr, sr->config, abort, &found, err);
    DgStepPackage *kept = push(&run->arena, DgStepPackage, found.count + 1);
    for (size_t i = 0; i < found.count && kept; i++) {
        kept[i] = DG_ITEMS(DgStepPackage, found)[i];
        DgStr *texts[] = {&kept[i].stream, &kept[i].table, &kept[i].package, &kept[i].run, &kept[i].status};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            *texts[k] = str_copy(&run->arena, *texts[k]);
    }
    *packages = (DgList){kept, kept ? found.count : 0};
    step_question_close(sr);
    return status;
}
