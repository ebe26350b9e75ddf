/* dgc_pull(id): batches from any number of lanes into a DuckDB statement. */
#include "runtime/db/duckdb_pull.h"

#include "runtime/data/batch.h"
#include "runtime/os/os.h"

typedef struct Lane {
    PullJob *job;
    void *user;
    DgBatch batch;
    bool opened, ended;
} Lane;

void duck_pull_begin(PullJob *job)
{
    DgWarehouse *w = job->warehouse;
    pthread_mutex_init(&job->lock, NULL);
    pthread_mutex_lock(&w->lock);
    job->id = ++w->next_id;
    job->next = w->pulls;
    w->pulls = job;
    pthread_mutex_unlock(&w->lock);
}

void duck_pull_end(PullJob *job)
{
    DgWarehouse *w = job->warehouse;
    pthread_mutex_lock(&w->lock);
    for (PullJob **at = &w->pulls; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            break;
        }
    pthread_mutex_unlock(&w->lock);
    assert(job->lanes_open == 0);
    pthread_mutex_destroy(&job->lock);
}

/* One lane delivers in order and its order is kept; several have none to keep, and only without one
 * will DuckDB let them insert side by side. */
DgStatus duck_pull_insert(DgSession *s, PullJob *job, Str sql, int64_t *inserted, DgError *err)
{
    bool unordered = job->lanes_max > 1;
    DgError ignored;
    DgStatus status = unordered ? duck_run(s, S("SET SESSION preserve_insertion_order = false"), NULL, err) : DG_OK;
    if (status == DG_OK)
        status = duck_run(s, sql, inserted, err);
    if (unordered)
        duck_run(s, S("RESET SESSION preserve_insertion_order"), NULL, &ignored);
    duck_pull_end(job);
    if (job->failed && status != DG_CANCELLED) {
        status = job->error.status;
        if (err)
            *err = job->error;
    }
    return status;
}

static PullJob *find_job(DgWarehouse *w, int64_t id)
{
    pthread_mutex_lock(&w->lock);
    PullJob *job = w->pulls;
    while (job && job->id != id)
        job = job->next;
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void keep_error(PullJob *job, const DgError *err)
{
    pthread_mutex_lock(&job->lock);
    if (!job->failed)
        job->error = *err;
    job->failed = true;
    pthread_mutex_unlock(&job->lock);
}

static bool has_failed(PullJob *job)
{
    pthread_mutex_lock(&job->lock);
    bool failed = job->failed;
    pthread_mutex_unlock(&job->lock);
    return failed;
}

/* ---- What DuckDB calls ---- */

static const DuckApi *the_api(void)
{
    return duck_api(NULL); /* loaded long ago: a look at the table */
}

static bool is_floats(const PullJob *job, int32_t column)
{
    return job->pull->floats && job->columns[column].type.kind == DG_BINARY;
}

static void pull_bind(duckdb_bind_info info)
{
    const DuckApi *api = the_api();
    DgWarehouse *w = api->bind_get_extra_info(info);
    duckdb_value value = api->bind_get_parameter(info, 0);
    PullJob *job = find_job(w, api->get_int64(value));
    api->destroy_value(&value);
    if (!job) {
        api->bind_set_error(info, "dgc_pull is for dgc's own loads");
        return;
    }
    Arena a;
    arena_init(&a, 1 << 20);
    for (int32_t i = 0; i < job->columns_count; i++) {
        duckdb_logical_type type = is_floats(job, i) ? duck_floats_type(api) : duck_type(api, job->columns[i].type);
        size_t mark = arena_mark(&a);
        api->bind_add_result_column(info, str_cstr(&a, job->columns[i].name), type);
        arena_pop(&a, mark);
        api->destroy_logical_type(&type);
    }
    arena_free(&a);
    api->bind_set_bind_data(info, job, NULL);
}

static void pull_init(duckdb_init_info info)
{
    const DuckApi *api = the_api();
    PullJob *job = api->init_get_bind_data(info);
    api->init_set_max_threads(info, (idx_t)job->lanes_max);
}

static void lane_free(void *memory)
{
    Lane *lane = memory;
    PullJob *job = lane->job;
    if (lane->opened && job->pull->lane_close)
        job->pull->lane_close(job->pull->context, lane->user);
    dg_batch_release(&lane->batch);
    pthread_mutex_lock(&job->lock);
    job->lanes_open--;
    pthread_mutex_unlock(&job->lock);
    os_free(lane);
}

static void pull_local_init(duckdb_init_info info)
{
    const DuckApi *api = the_api();
    PullJob *job = api->init_get_bind_data(info);
    DgError err = {0};
    Lane *lane = os_alloc(sizeof *lane);
    DgStatus status = lane ? DG_OK : os_no_memory(&err, "for a lane of a load");
    if (lane) {
        lane->job = job;
        pthread_mutex_lock(&job->lock);
        job->lanes_open++;
        pthread_mutex_unlock(&job->lock);
        api->init_set_init_data(info, lane, lane_free);
        status = dg_batch_init(&lane->batch, job->columns, job->columns_count, DG_BATCH_ROWS, &err);
    }
    if (status == DG_OK && job->pull->lane_open)
        status = job->pull->lane_open(job->pull->context, &lane->user, &err);
    if (status == DG_OK) {
        lane->opened = true;
        return;
    }
    keep_error(job, &err);
    api->init_set_error(info, "a load failed");
}

/* The next batch with rows in it; false at the end or after an error. */
static bool lane_next(Lane *lane)
{
    PullJob *job = lane->job;
    while (!lane->ended && !has_failed(job)) {
        DgError err = {0};
        dg_batch_reset(&lane->batch);
        DgStatus status = job->pull->next(job->pull->context, lane->user, &lane->batch, &err);
        if (status != DG_OK && status != DG_END) {
            err.status = status; /* also when the callee forgot to fill it */
            keep_error(job, &err);
            return false;
        }
        lane->ended = status == DG_END;
        assert(lane->batch.rows >= 0 && lane->batch.rows <= lane->batch.rows_max);
        if (lane->batch.rows > 0)
            return true;
    }
    return false;
}

static void pull_run(duckdb_function_info info, duckdb_data_chunk output)
{
    const DuckApi *api = the_api();
    Lane *lane = api->function_get_local_init_data(info);
    PullJob *job = lane->job;
    if (!lane_next(lane)) {
        if (has_failed(job))
            api->function_set_error(info, "a load failed");
        api->data_chunk_set_size(output, 0);
        return;
    }
    const DgBatch *b = &lane->batch;
    for (int32_t i = 0; i < b->columns_count; i++) {
        duckdb_vector to = api->data_chunk_get_vector(output, (idx_t)i);
        if (!is_floats(job, i)) {
            duck_vector_write(api, to, &b->vectors[i], b->columns[i].type, b->rows);
        } else if (!duck_floats_write(api, to, &b->vectors[i], b->rows)) {
            DgError err = {0};
            os_no_memory(&err, "for a batch of arrays");
            keep_error(job, &err);
            api->function_set_error(info, "a load failed");
            return;
        }
    }
    api->data_chunk_set_size(output, (idx_t)b->rows);
    pthread_mutex_lock(&job->lock);
    job->rows += b->rows;
    pthread_mutex_unlock(&job->lock);
}

DgStatus duck_pull_register(DgSession *s, DgError *err)
{
    const DuckApi *api = s->api;
    duckdb_table_function f = api->create_table_function();
    duckdb_logical_type id = api->create_logical_type(DUCKDB_TYPE_BIGINT);
    api->table_function_set_name(f, "dgc_pull");
    api->table_function_add_parameter(f, id);
    api->table_function_set_extra_info(f, s->warehouse, NULL);
    api->table_function_set_bind(f, pull_bind);
    api->table_function_set_init(f, pull_init);
    api->table_function_set_local_init(f, pull_local_init);
    api->table_function_set_function(f, pull_run);
    duckdb_state state = api->register_table_function(s->connection, f);
    api->destroy_logical_type(&id);
    api->destroy_table_function(&f);
    if (state != DuckDBSuccess)
        return dg_fail(err, DG_BUG, "could not register the load function with DuckDB");
    return DG_OK;
}
