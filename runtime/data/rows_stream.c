/* rows_stream.c - streams over streams: a bounded queue with a thread for each stream behind it, and
 * a limit.
 *
 * The queue owns `slots` batches. A lane takes a free one, fills it, and puts it on the ready list;
 * the consumer takes it from there, lets its vectors change places with the caller's, and frees it.
 * So nothing is copied, and what is in flight is bounded by the slots.
 */
#include "runtime/data/rows_stream.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "runtime/os/os.h"

enum { QUEUE_LANES_MAX = 64, QUEUE_SLOTS_MAX = 256 };

typedef struct Queue Queue;
typedef struct QueueLane {
    Queue *queue;
    DgRows *from;
    pthread_t thread;
    bool started;
} QueueLane;

struct Queue {
    DgRows rows; /* first */
    DgBatch *slots;
    int32_t *free, *ready; /* indices of slots; ready is a ring */
    int32_t slots_count, free_count, ready_first, ready_count;
    QueueLane lanes[QUEUE_LANES_MAX];
    int32_t lanes_count, lanes_open;
    bool stopping;
    DgError error;
    DgStatus status;       /* the first that is no success */
    bool (*cancelled)(void *context);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* ---- Lanes ---- */

static int32_t take_free(Queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (!q->free_count && !q->stopping)
        pthread_cond_wait(&q->changed, &q->lock);
    int32_t slot = q->stopping ? -1 : q->free[--q->free_count];
    pthread_mutex_unlock(&q->lock);
    return slot;
}

/* What a lane read: rows, the end, or an error, which stops the others too. */
static void deliver(Queue *q, int32_t slot, DgStatus status, const DgError *err)
{
    pthread_mutex_lock(&q->lock);
    if (q->slots[slot].rows && (status == DG_OK || status == DG_END)) {
        q->ready[(q->ready_first + q->ready_count++) % q->slots_count] = slot;
    } else {
        q->free[q->free_count++] = slot;
    }
    if (status != DG_OK && status != DG_END && q->status == DG_OK) {
        q->status = status;
        q->error = *err;
        q->stopping = true;
    }
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static void *lane_main(void *argument)
{
    QueueLane *lane = argument;
    Queue *q = lane->queue;
    DgStatus status = DG_OK;
    while (status == DG_OK) {
        DgError err = {0};
        int32_t slot = take_free(q);
        if (slot < 0)
            break;
        status = lane->from->next(lane->from, &q->slots[slot], &err);
        deliver(q, slot, status, &err);
    }
    pthread_mutex_lock(&q->lock);
    q->lanes_open--;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- The consumer ---- */

static void wait_a_little(Queue *q)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&q->changed, &q->lock, &until);
}

static DgStatus take_ready(Queue *q, DgBatch *out, DgError *err)
{
    while (!q->ready_count && q->status == DG_OK && q->lanes_open) {
        if (q->cancelled && q->cancelled(q->context)) {
            q->stopping = true;
            return dg_fail(err, DG_CANCELLED, "cancelled");
        }
        wait_a_little(q);
    }
    if (q->status != DG_OK) {
        *err = q->error;
        return q->status;
    }
    if (!q->ready_count)
        return DG_END;
    int32_t slot = q->ready[q->ready_first];
    q->ready_first = (q->ready_first + 1) % q->slots_count;
    q->ready_count--;
    DgBatch *b = &q->slots[slot];
    DgVector *vectors = b->vectors;
    int32_t rows_max = b->rows_max;
    b->vectors = out->vectors;
    b->rows_max = out->rows_max; /* the caller's may be smaller */
    out->vectors = vectors;
    out->rows_max = rows_max;
    out->rows = b->rows;
    q->free[q->free_count++] = slot;
    pthread_cond_broadcast(&q->changed);
    return DG_OK;
}

static DgStatus queue_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Queue *q = (Queue *)rows;
    dg_batch_reset(out);
    pthread_mutex_lock(&q->lock);
    DgStatus status = take_ready(q, out, err);
    pthread_mutex_unlock(&q->lock);
    return status;
}

static void queue_close(DgRows *rows)
{
    Queue *q = (Queue *)rows;
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    for (int32_t i = 0; i < q->lanes_count; i++) {
        if (q->lanes[i].started)
            pthread_join(q->lanes[i].thread, NULL);
        rows_close(q->lanes[i].from);
    }
    for (int32_t i = 0; i < q->slots_count && q->slots; i++)
        dg_batch_release(&q->slots[i]);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->changed);
    os_free(q->slots);
    os_free(q->free);
    os_free(q->ready);
    os_free(q);
}

static DgStatus make_slots(Queue *q, int32_t count, DgError *err)
{
    q->slots = os_alloc((size_t)count * sizeof *q->slots);
    q->free = os_alloc((size_t)count * sizeof *q->free);
    q->ready = os_alloc((size_t)count * sizeof *q->ready);
    if (!q->slots || !q->free || !q->ready)
        return os_no_memory(err, "reading ahead");
    for (int32_t i = 0; i < count; i++) {
        DG_TRY(dg_batch_init(&q->slots[i], q->rows.columns, q->rows.columns_count, DG_BATCH_ROWS, err));
        q->slots_count++;
        q->free[q->free_count++] = i;
    }
    return DG_OK;
}

DgStatus rows_queue(DgRows *const *lanes, int32_t lanes_count, int32_t ahead, bool (*cancelled)(void *context), void *context, DgRows **out,
                    DgError *err)
{
    Queue *q = lanes_count > 0 && lanes_count <= QUEUE_LANES_MAX ? os_alloc(sizeof *q) : NULL;
    if (!q) {
        for (int32_t i = 0; i < lanes_count; i++)
            rows_close(lanes[i]);
        return os_no_memory(err, "reading ahead");
    }
    int32_t slots = lanes_count * (ahead > 0 ? ahead : 1);
    q->rows = (DgRows){lanes[0]->columns, lanes[0]->columns_count, queue_next, queue_close, lanes_count > 1};
    q->cancelled = cancelled;
    q->context = context;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    for (int32_t i = 0; i < lanes_count; i++)
        q->lanes[q->lanes_count++] = (QueueLane){.queue = q, .from = lanes[i]};
    DgStatus status = make_slots(q, slots < QUEUE_SLOTS_MAX ? slots : QUEUE_SLOTS_MAX, err);
    for (int32_t i = 0; i < lanes_count && status == DG_OK; i++) {
        pthread_mutex_lock(&q->lock);
        q->lanes_open++;
        pthread_mutex_unlock(&q->lock);
        q->lanes[i].started = pthread_create(&q->lanes[i].thread, NULL, lane_main, &q->lanes[i]) == 0;
        if (!q->lanes[i].started)
            status = dg_fail(err, DG_TEMPFAIL, "could not start a thread");
    }
    if (status != DG_OK)
        queue_close(&q->rows);
    else
        *out = &q->rows;
    return status;
}

/* ---- Limit ---- */

typedef struct Limit {
    DgRows rows; /* first */
    DgRows *from;
    int64_t left, skip;
    DgBatch in;
} Limit;

/* Rows [first, first + count) of `from`. */
static DgStatus copy_rows(const DgBatch *from, DgBatch *to, int32_t first, int32_t count, DgError *err)
{
    for (int32_t i = 0; i < from->columns_count; i++) {
        const DgVector *v = &from->vectors[i];
        int width = dg_type_width(from->columns[i].type.kind);
        for (int32_t row = 0; row < count; row++) {
            Str s = {0};
            if (!DG_VALID(v, first + row))
                dg_set_null(&to->vectors[i], row);
            else if (!width)
                s = dg_text_get(v, first + row);
            if (!width && !dg_text_set(&to->vectors[i], row, s.ptr ? s.ptr : "", (size_t)s.len))
                return os_no_memory(err, "reading rows");
        }
        if (width)
            memcpy(to->vectors[i].values, (const char *)v->values + (size_t)first * (size_t)width, (size_t)count * (size_t)width);
    }
    to->rows = count;
    return DG_OK;
}

static DgStatus limit_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Limit *l = (Limit *)rows;
    dg_batch_reset(out);
    if (!l->left)
        return DG_END;
    for (;;) {
        DgStatus status = l->from->next(l->from, &l->in, err);
        if (status != DG_OK && status != DG_END)
            return status;
        int32_t first = l->skip < l->in.rows ? (int32_t)l->skip : l->in.rows;
        int64_t count = l->in.rows - first < l->left ? l->in.rows - first : l->left;
        l->skip -= first;
        l->left -= count;
        assert(count <= out->rows_max);
        if (count)
            DG_TRY(copy_rows(&l->in, out, first, (int32_t)count, err));
        if (count || status == DG_END)
            return l->left ? status : DG_END;
    }
}

static void limit_close(DgRows *rows)
{
    Limit *l = (Limit *)rows;
    rows_close(l->from);
    dg_batch_release(&l->in);
    os_free(l);
}

DgStatus rows_limit(DgRows *from, int64_t limit, int64_t offset, DgRows **out, DgError *err)
{
    Limit *l = os_alloc(sizeof *l);
    if (!l) {
        rows_close(from);
        return os_no_memory(err, "reading rows");
    }
    *l = (Limit){.rows = {from->columns, from->columns_count, limit_next, limit_close, from->any_order}, .from = from, .left = limit, .skip = offset};
    DgStatus status = dg_batch_init(&l->in, from->columns, from->columns_count, DG_BATCH_ROWS, err);
    if (status != DG_OK)
        limit_close(&l->rows);
    else
        *out = &l->rows;
    return status;
}
