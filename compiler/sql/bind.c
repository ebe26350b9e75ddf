/* bind.c - every SQL unit is judged once its tables' columns are known, and gives its own.
 *
 * Steps are taken level by level: a level needs only columns of those before it. Within one, units
 * are judged by two threads, each with a DuckDB of its own; what they find enters the plan in the
 * order of the steps, so that the same project gives the same messages. Judgements of earlier
 * runs, and of models of the same shape (shape.c), are taken from the cache (cache.c); DuckDB is
 * loaded when there is something new.
 */
#include <pthread.h>

#include "compiler/rows.h"
#include "compiler/sql/bind.h"
#include "compiler/sql/cache.h"
#include "compiler/sql/sql_internal.h"
#include "runtime/base/sha256.h"
#include "runtime/db/warehouse.h"

enum { JUDGES = 2, SHARE_MIN = 4 }; /* fewer units than this are not worth a thread */

typedef struct BindJob {
    SqlUnit *unit;
    BindQuery query;
    BindResult result;
    CacheKey key;
    Str text;     /* what `query` was made of */
    bool again;   /* the text that later runs of an incremental model see */
    bool cached, judged; /* where the result is from */
} BindJob;

typedef struct Binder {
    Plan *plan;
    SqlCache *cache;
    Judge *judges[JUDGES];
    BindTable **tables;  /* by asset index; made on first use */
    Array(BindJob) jobs;     /* of the level at hand */
    Array(BindJob *) open;   /* those among them that the judges are asked */
    Map asked;               /* keys that they have been asked */
    bool broken;         /* there is no DuckDB: reported */
} Binder;

/* ---- What is known of a table ---- */

static void add_text(Sha256 *sum, Str s)
{
    sha256_add(sum, s);
    sha256_add(sum, (Str){"\0", 1});
}

static void sign(BindTable *t)
{
    Sha256 sum;
    uint8_t digest[32];
    sha256_init(&sum);
    for (size_t i = 0; i < t->count; i++) {
        add_text(&sum, t->columns[i].name);
        add_text(&sum, t->columns[i].type);
    }
    sha256_end(&sum, digest);
    memcpy(t->signature, digest, sizeof t->signature);
}

static BindTable *table_new(Binder *b, const Asset *asset, const BindColumn *columns, size_t count)
{
    BindTable *t = push(b->plan->arena, BindTable, 1);
    *t = (BindTable){asset->schema, asset->table, columns, count, {0}};
    sign(t);
    return t;
}

/* NULL: its columns are not known. */
static const BindTable *table_of(Binder *b, const Asset *asset)
{
    if (b->tables[asset->index])
        return b->tables[asset->index];
    if (!asset->columns_known || !asset->columns.count)
        return NULL;
    Arena *a = b->plan->arena;
    BindColumn *columns = push(a, BindColumn, asset->columns.count);
    for (size_t i = 0; i < asset->columns.count; i++) {
        const DgColumn *c = &asset->columns.items[i].column;
        columns[i] = (BindColumn){c->name, dg_duckdb_type(a, c->type)};
    }
    return b->tables[asset->index] = table_new(b, asset, columns, asset->columns.count);
}

/* ---- Jobs ---- */

/* Of the shape of the query, if it has one, so that models of one shape have one key. */
static void job_key(Arena *a, BindJob *job)
{
    Sha256 sum;
    uint8_t digest[32];
    const BindQuery *q = &job->query;
    const SqlUnit *unit = job->unit;
    size_t mark = arena_mark(a);
    Str shape = {0};
    if (!q->parse_only && !q->exact)
        shape = sql_shape(a, q, job->again ? &unit->tables_again : &unit->tables);
    char kind[] = {q->parse_only ? 'p' : shape.len ? 's' : q->exact ? 'x' : 'q'};
    uint64_t count = q->tables_count;
    sha256_init(&sum);
    sha256_add(&sum, (Str){kind, sizeof kind});
    sha256_add(&sum, (Str){(const char *)&count, sizeof count});
    for (size_t i = 0; i < q->tables_count; i++) {
        const BindTable *t = q->tables[i];
        sha256_add(&sum, (Str){(const char *)t->signature, sizeof t->signature});
        if (!shape.len) {
            add_text(&sum, t->schema);
            add_text(&sum, t->table);
        }
    }
    sha256_add(&sum, shape.len ? shape : job->text);
    sha256_end(&sum, digest);
    memcpy(job->key.bytes, digest, sizeof job->key.bytes);
    arena_pop(a, mark);
}

static void add_job(Binder *b, SqlUnit *unit, bool again)
{
    Arena *a = b->plan->arena;
    Str text = again ? unit->text_again : unit->text;
    BindJob job = {.unit = unit, .text = text, .again = again};
    if (unit->failed || !text.len || text.len > LIMIT_SQL_BYTES)
        return;
    const BindTable **tables = push(a, const BindTable *, unit->refs.count + 2);
    size_t count = 0;
    bool known = true, self = again || unit->decl.is_check;
    for (size_t i = 0; i < unit->refs.count; i++) {
        const Asset *ref = unit->refs.items[i];
        if (ref == unit->asset && !self)
            continue; /* its own table, in a part that a first run leaves out */
        const BindTable *t = table_of(b, ref);
        known &= t != NULL;
        self &= ref != unit->asset;
        if (t)
            tables[count++] = t;
    }
    /* A query about an asset need not look into its table, if it has one at all. */
    if (self && unit->asset && str_find(text, unit->asset->table) >= 0) {
        const BindTable *t = table_of(b, unit->asset);
        known &= t != NULL;
        if (t)
            tables[count++] = t;
    }
    unit->judged = known && !unit->decl.statements;
    job.query = (BindQuery){.sql = text, .tables = tables, .tables_count = count,
                            .exact = unit->exact, .parse_only = !unit->judged};
    job_key(a, &job);
    array_add(a, &b->jobs, job);
}

/* ---- Threads ---- */

typedef struct Share {
    Binder *binder;
    size_t worker, workers;
    bool ok;
} Share;

static void *judge_share(void *context)
{
    Share *s = context;
    Binder *b = s->binder;
    DgError err = {0};
    Judge **judge = &b->judges[s->worker];
    s->ok = *judge || judge_open(judge, &err) == DG_OK;
    for (size_t i = s->worker; s->ok && i < b->open.count; i += s->workers)
        b->open.items[i]->result = judge_query(*judge, &b->open.items[i]->query);
    return NULL;
}

static bool judge_open_jobs(Binder *b)
{
    pthread_t thread;
    size_t workers = b->open.count >= SHARE_MIN ? JUDGES : 1;
    Share first = {b, 0, workers, false}, second = {b, 1, workers, true};
    bool threaded = workers > 1 && pthread_create(&thread, NULL, judge_share, &second) == 0;
    if (workers > 1 && !threaded)
        first.workers = 1;
    judge_share(&first);
    if (threaded)
        pthread_join(thread, NULL);
    return first.ok && second.ok;
}

/* What the cache does not know is asked; of several with one key the first alone, unless `all`. */
static void open_jobs(Binder *b, bool all)
{
    Arena *a = b->plan->arena;
    b->open.count = 0;
    for (size_t i = 0; i < b->jobs.count; i++) {
        BindJob *job = &b->jobs.items[i];
        Str key = {(const char *)job->key.bytes, sizeof job->key.bytes};
        if (job->judged || (job->cached = cache_get(b->cache, &job->key, &job->result)))
            continue;
        if (!all && map_has(&b->asked, key))
            continue;
        if (!all)
            map_put(a, &b->asked, str_copy(a, key), b);
        array_add(a, &b->open, job);
    }
}

/* Errors name tables and places: each job gets its own, so those are asked in a second round. */
static void judge_jobs(Binder *b)
{
    for (int round = 0; round < 2; round++) {
        open_jobs(b, round == 1);
        if (b->open.count && !b->broken && !judge_open_jobs(b))
            b->broken = true;
        for (size_t i = 0; i < b->open.count && !b->broken; i++) {
            BindJob *job = b->open.items[i];
            job->judged = true;
            if (job->result.ok)
                cache_put(b->cache, &job->key, &job->result);
        }
    }
}

/* ---- What was found enters the plan ---- */

/* Names that stand twice are told apart as DuckDB does it: id, id_1. */
static Str unique_name(Arena *a, const BindColumn *columns, size_t i)
{
    Str name = columns[i].name;
    for (int n = 1;; n++) {
        bool taken = false;
        for (size_t k = 0; k < i && !taken; k++)
            taken = str_eq_nocase(columns[k].name, name);
        if (!taken)
            return name;
        name = str_format(a, "%.*s_%d", FMT(columns[i].name), n);
    }
}

static void take_columns(Binder *b, const BindJob *job)
{
    Arena *a = b->plan->arena;
    Asset *asset = job->unit->asset;
    const BindResult *r = &job->result;
    if (!asset || job->again || job->unit->decl.is_check || job->query.parse_only ||
        asset->columns.count)
        return;
    BindColumn *columns = push(a, BindColumn, r->count + 1);
    for (size_t i = 0; i < r->count; i++) {
        columns[i] = r->columns[i];
        if (!job->cached) /* the judge's memory goes with it */
            columns[i] = (BindColumn){str_copy(a, columns[i].name), str_copy(a, columns[i].type)};
        columns[i].name = unique_name(a, columns, i);
        ColumnInfo info = {.column.name = columns[i].name};
        info.column.type = bind_column_type(columns[i].type);
        array_add(a, &asset->columns, info);
    }
    asset->columns_known = r->count > 0;
    b->tables[asset->index] = table_new(b, asset, columns, r->count);
}

static void settle_jobs(Binder *b)
{
    for (size_t i = 0; i < b->jobs.count; i++) {
        BindJob *job = &b->jobs.items[i];
        if (b->broken && !job->cached)
            continue;
        if (!job->result.ok) {
            sql_report(b->plan, job->unit, job->text, job->again, job->result.error);
            continue;
        }
        take_columns(b, job);
    }
    b->jobs.count = 0;
}

static void finish_level(Binder *b)
{
    judge_jobs(b);
    settle_jobs(b);
}

/* ---- Levels ---- */

/* Steps by level, stable in run order. */
static size_t *order_by_level(const Plan *plan, size_t *levels)
{
    size_t n = plan->steps.count, deepest = 0;
    size_t *level = push(plan->arena, size_t, n + 1), *order = push(plan->arena, size_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        const Step *step = plan->steps.items[i];
        for (size_t k = 0; k < step->after.count; k++) {
            size_t before = (size_t)step->after.items[k]->index;
            if (before < i && level[before] + 1 > level[i])
                level[i] = level[before] + 1;
        }
        deepest = level[i] > deepest ? level[i] : deepest;
    }
    size_t *start = push(plan->arena, size_t, deepest + 2);
    for (size_t i = 0; i < n; i++)
        start[level[i] + 1]++;
    for (size_t i = 1; i <= deepest + 1; i++)
        start[i] += start[i - 1];
    for (size_t i = 0; i < n; i++)
        order[start[level[i]]++] = i;
    memcpy(levels, level, n * sizeof *levels);
    return order;
}

static void type_rows(Plan *plan, const Step *step)
{
    for (size_t j = 0; j < step->code.count; j++)
        if (step->code.items[j].unit->kind == CODE_ROWS)
            row_program_type(plan, (RowProgram *)(uintptr_t)step->code.items[j].unit->as.rows);
}

/* Units that give a step's asset its columns, by the index of the step. */
static SqlUnit **makers_of(const Plan *plan)
{
    SqlUnit **makers = push(plan->arena, SqlUnit *, plan->steps.count + 1);
    for (size_t i = 0; i < plan->sql.count; i++) {
        SqlUnit *unit = plan->sql.items[i];
        if (unit->asset && unit->asset->step && !unit->decl.is_check && !unit->decl.statements)
            makers[unit->asset->step->index] = unit;
    }
    return makers;
}

static void judge_models(Binder *b, bool bind)
{
    Plan *plan = b->plan;
    size_t n = plan->steps.count;
    size_t *levels = push(plan->arena, size_t, n + 1);
    const size_t *order = order_by_level(plan, levels);
    SqlUnit **makers = makers_of(plan);
    for (size_t i = 0; i < n; i++) {
        const Step *step = plan->steps.items[order[i]];
        type_rows(plan, step);
        if (bind && makers[order[i]])
            add_job(b, makers[order[i]], false);
        if (i + 1 == n || levels[order[i]] != levels[order[i + 1]])
            finish_level(b);
    }
}

/* What no other unit waits for. */
static void judge_others(Binder *b)
{
    for (size_t i = 0; i < b->plan->sql.count; i++) {
        SqlUnit *unit = b->plan->sql.items[i];
        bool made = unit->asset && unit->asset->step && !unit->decl.is_check &&
                    !unit->decl.statements;
        if (!made)
            add_job(b, unit, false);
        else if (unit->text_again.len && unit->asset->columns_known)
            add_job(b, unit, true);
    }
    finish_level(b);
}

void sql_units_check(Plan *plan, bool bind)
{
    Binder b = {.plan = plan};
    b.tables = push(plan->arena, BindTable *, plan->assets.count + 1);
    bind = bind && plan->sql.count;
    if (bind)
        b.cache = cache_open(plan->arena, plan->root);
    judge_models(&b, bind);
    if (bind) {
        judge_others(&b);
        cache_save(b.cache);
    }
    for (size_t i = 0; i < JUDGES; i++)
        judge_close(b.judges[i]);
}
