/* documents_read.c - from documents to rows of chunks. Each lane takes the next document that nobody
 * has, reads it whole, and gives its chunks. */
#include <stdlib.h>

#include "runtime/base/sha256.h"
#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "stdlib-components/documents/documents.h"

enum { BATCH_BYTES = 4 << 20 };

const DgColumn documents_columns[] = {
    {.name = DG_S("id"), .type = {DG_TEXT, 0, 0}, .not_null = true},
    {.name = DG_S("document"), .type = {DG_TEXT, 0, 0}, .not_null = true},
    {.name = DG_S("ordinal"), .type = {DG_INT32, 0, 0}, .not_null = true},
    {.name = DG_S("title"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("headings"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("page"), .type = {DG_INT32, 0, 0}},
    {.name = DG_S("byte_start"), .type = {DG_INT64, 0, 0}, .not_null = true},
    {.name = DG_S("byte_end"), .type = {DG_INT64, 0, 0}, .not_null = true},
    {.name = DG_S("text"), .type = {DG_TEXT, 0, 0}, .not_null = true},
    {.name = DG_S("tokens"), .type = {DG_INT32, 0, 0}, .not_null = true},
    {.name = DG_S("hash"), .type = {DG_TEXT, 0, 0}, .not_null = true},
    {.name = DG_S("document_hash"), .type = {DG_TEXT, 0, 0}, .not_null = true},
};

/* How often a text was there before in one document: texts are told apart by 64 bits of their hash. */
typedef struct Repeats {
    struct { uint64_t key; int32_t times; } *slots;
    size_t count, capacity;
} Repeats;

typedef struct Lane {
    Documents *d;
    Arena arena;           /* of the document that is open */
    DgFs **stores;         /* by source, opened when needed */
    DgBatch in;            /* rows of a table */
    bool has_in, rows_end;
    int32_t row;
    DgDoc doc;
    DgChunker chunker;
    Outcome outcome;
    DgTokenizer *tokenizer; /* NULL: bytes */
    bool open;
    Repeats repeats;
} Lane;

/* ---- Identity ---- */

static void hash_text(Str text, char out[65])
{
    Sha256 s;
    sha256_init(&s);
    sha256_add(&s, text);
    sha256_hex(&s, out);
}

static int32_t *repeat_slot(const Repeats *r, uint64_t key)
{
    size_t i = key & (r->capacity - 1);
    while (r->slots[i].times && r->slots[i].key != key)
        i = (i + 1) & (r->capacity - 1);
    r->slots[i].key = key;
    return &r->slots[i].times;
}

static bool repeats_grow(Repeats *r)
{
    Repeats old = *r;
    size_t capacity = old.capacity ? old.capacity * 2 : 256;
    void *slots = calloc(capacity, sizeof *r->slots);
    if (!slots)
        return false;
    *r = (Repeats){slots, old.count, capacity};
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].times)
            *repeat_slot(r, old.slots[i].key) = old.slots[i].times;
    free(old.slots);
    return true;
}

/* 0 the first time; -1: out of memory. */
static int32_t repeats_count(Repeats *r, const char *hash)
{
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    if (r->count * 2 >= r->capacity && !repeats_grow(r))
        return -1;
    int32_t *times = repeat_slot(r, key);
    r->count += *times == 0;
    return (*times)++;
}

static void repeats_reset(Repeats *r)
{
    if (r->count)
        memset(r->slots, 0, r->capacity * sizeof *r->slots);
    r->count = 0;
}

/* An id says which text it is in which document, and not where: a chunk that moves keeps it. */
static void id_of(const Outcome *o, const char *hash, int32_t times, char out[65])
{
    Sha256 s;
    char number[16];
    size_t n = 0;
    sha256_init(&s);
    sha256_add(&s, o->document);
    sha256_add(&s, (Str){"", 1});
    sha256_add(&s, (Str){hash, 64});
    for (uint32_t rest = (uint32_t)times; rest; rest >>= 4)
        number[n++] = "0123456789abcdef"[rest & 15];
    sha256_add(&s, (Str){number, (ptrdiff_t)n});
    sha256_hex(&s, out);
}

/* ---- Documents ---- */

static bool is_cancelled(void *context)
{
    return dg_cancelled(((Lane *)context)->d->run);
}

/* What is wrong with a document alone; else the step fails with `status`. */
static DgStatus reject(Lane *lane, DgStatus status, DgError *err)
{
    Outcome *o = &lane->outcome;
    Documents *d = lane->d;
    if (status != DG_DATA || d->step->fail) {
        DgError inner = *err;
        if (status == DG_DATA)
            dg_fail(err, status, "%.*s cannot be read: %s", FMT(o->document), inner.message);
        return status;
    }
    o->state = DOCUMENT_REJECTED;
    o->reason = str_from(err->message);
    dg_log(d->run, DG_LOG_WARNING, "%.*s was left out: %s", FMT(o->document), err->message);
    return documents_outcome(d, o, err);
}

/* Its bytes are there: is it another one, and what is in it? */
static DgStatus open_document(Lane *lane, Str bytes, DgError *err)
{
    Documents *d = lane->d;
    const DocumentsStep *step = d->step;
    Outcome *o = &lane->outcome;
    hash_text(bytes, o->hash);
    o->size = bytes.len;
    pthread_mutex_lock(&d->lock);
    Known *known = map_get(&d->known, o->document);
    pthread_mutex_unlock(&d->lock);
    if (known && str_eq(known->hash, (Str){o->hash, 64}) && str_eq(known->settings, d->settings)) {
        o->state = DOCUMENT_SAME;
        return documents_outcome(d, o, err);
    }
    o->state = known ? DOCUMENT_CHANGED : DOCUMENT_NEW;
    o->format = step->format ? step->format : step->from.len ? DG_DOC_MARKDOWN : (int32_t)doc_format_of(o->document, bytes);
    if (o->format == DG_DOC_AUTO)
        return reject(lane, dg_fail(err, DG_DATA, "its format is not known by its name; set `format`"), err);
    lane->doc.text_max = step->max_size;
    lane->doc.deadline_ms = os_monotonic_ms() + step->max_time / 1000000;
    lane->doc.cancelled = is_cancelled;
    lane->doc.context = lane;
    DgStatus status = doc_read(&lane->doc, (DgDocFormat)o->format, bytes, err);
    if (status != DG_OK)
        return reject(lane, status, err);
    DgChunkOptions options = {(DgChunkBy)step->by, step->tokens, step->overlap, lane->tokenizer};
    chunker_start(&lane->chunker, &lane->doc, &options);
    repeats_reset(&lane->repeats);
    o->title = lane->doc.title;
    lane->open = true;
    return DG_OK;
}

static DgStatus read_found(Lane *lane, const Found *f, Str *bytes, DgError *err)
{
    Documents *d = lane->d;
    DgFs **fs = &lane->stores[f->source];
    Str local;
    bool downloaded;
    if (!*fs)
        DG_TRY(d->open_store(&d->sources.items[f->source].conn, d->root, fs, err));
    if (f->item.size > d->step->max_size)
        return dg_fail(err, DG_DATA, "it is larger than %lld MB", (long long)(d->step->max_size >> 20));
    DG_TRY(fs_fetch(*fs, &lane->arena, &f->item, d->temp_folder, &local, &downloaded, err));
    char *disk = str_cstr(&lane->arena, local);
    DgStatus status = os_read_file(&lane->arena, disk, (size_t)d->step->max_size, bytes, err);
    if (downloaded)
        dg_os.unlink(disk);
    return status;
}

static DgStatus next_found(Lane *lane, DgError *err)
{
    Documents *d = lane->d;
    pthread_mutex_lock(&d->lock);
    const Found *f = d->next < d->found.count ? &d->found.items[d->next++] : NULL;
    pthread_mutex_unlock(&d->lock);
    if (!f)
        return DG_END;
    Str bytes = {0};
    arena_reset(&lane->arena);
    lane->outcome = (Outcome){.document = f->document, .version = f->item.etag, .size = f->item.size};
    DgStatus status = read_found(lane, f, &bytes, err);
    return status == DG_OK ? open_document(lane, bytes, err) : reject(lane, status, err);
}

static DgStatus next_row(Lane *lane, DgError *err)
{
    Documents *d = lane->d;
    while (!lane->has_in || lane->row >= lane->in.rows) {
        if (lane->rows_end)
            return DG_END;
        lane->has_in = true;
        lane->row = 0;
        dg_batch_reset(&lane->in);
        DgStatus status = dg_scan_next(d->scan, &lane->in, err);
        if (status != DG_OK && status != DG_END)
            return status;
        lane->rows_end = status == DG_END;
    }
    int32_t row = lane->row++;
    if (!DG_VALID(&lane->in.vectors[0], row))
        return dg_fail(err, DG_DATA, "a row of %.*s has no `%.*s`", FMT(d->step->from), FMT(d->step->key));
    Str document = dg_text_get(&lane->in.vectors[0], row);
    bool has_text = DG_VALID(&lane->in.vectors[1], row);
    lane->outcome = (Outcome){.document = document};
    pthread_mutex_lock(&d->lock);
    Known *known = map_get(&d->known, document);
    if (known)
        known->seen = true;
    pthread_mutex_unlock(&d->lock);
    Str text = has_text ? dg_text_get(&lane->in.vectors[1], row) : (Str){0};
    if (text.len > d->step->max_size)
        return reject(lane, dg_fail(err, DG_DATA, "it is larger than %lld MB", (long long)(d->step->max_size >> 20)), err);
    return open_document(lane, text, err);
}

/* ---- Rows ---- */

static bool put_text(DgBatch *out, int32_t column, Str text)
{
    return dg_text_set(&out->vectors[column], out->rows, text.ptr, (size_t)text.len);
}

static bool put_text_or_null(DgBatch *out, int32_t column, Str text)
{
    if (!text.len)
        dg_set_null(&out->vectors[column], out->rows);
    return put_text(out, column, text);
}

#define PUT(T, column, value) (((T *)out->vectors[column].values)[out->rows] = (T)(value))

static DgStatus put_chunk(Lane *lane, const DgChunk *c, DgBatch *out, DgError *err)
{
    Outcome *o = &lane->outcome;
    char hash[65], id[65];
    hash_text(c->text, hash);
    int32_t times = repeats_count(&lane->repeats, hash);
    if (times < 0)
        return os_no_memory(err, "for the chunks of a document");
    id_of(o, hash, times, id);
    bool good = put_text(out, 0, (Str){id, 32}) && put_text(out, 1, o->document) && put_text_or_null(out, 3, o->title) &&
                put_text_or_null(out, 4, c->headings) && put_text(out, 8, c->text) && put_text(out, 10, (Str){hash, 64}) &&
                put_text(out, 11, (Str){o->hash, 64});
    PUT(int32_t, 2, o->chunks);
    PUT(int32_t, 5, c->page);
    if (!c->page)
        dg_set_null(&out->vectors[5], out->rows);
    PUT(int64_t, 6, c->source_start);
    PUT(int64_t, 7, c->source_end);
    PUT(int32_t, 9, c->tokens);
    out->rows++;
    o->chunks++;
    o->tokens += c->tokens;
    return good ? DG_OK : os_no_memory(err, "for the chunks of a document");
}

static DgStatus lane_next(void *context, void *at, DgBatch *out, DgError *err)
{
    Lane *lane = at;
    Documents *d = context;
    int64_t bytes = 0;
    while (out->rows < out->rows_max && bytes < BATCH_BYTES) {
        DgChunk chunk;
        if (dg_cancelled(d->run))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        if (!lane->open) {
            DG_TRY(d->scan ? next_row(lane, err) : next_found(lane, err));
        } else if (chunker_next(&lane->chunker, &chunk)) {
            DG_TRY(put_chunk(lane, &chunk, out, err));
            bytes += chunk.text.len;
        } else {
            lane->open = false;
            dg_progress(d->run, lane->outcome.chunks, lane->outcome.size);
            DG_TRY(documents_outcome(d, &lane->outcome, err));
        }
    }
    return DG_OK;
}

/* ---- Lanes ---- */

static void lane_close(void *context, void *at)
{
    Lane *lane = at;
    Documents *d = context;
    for (size_t i = 0; lane->stores && i < d->sources.count; i++)
        fs_close(lane->stores[i]);
    free(lane->stores);
    if (d->scan)
        dg_batch_release(&lane->in);
    doc_free(&lane->doc);
    chunker_free(&lane->chunker);
    tokens_close(lane->tokenizer);
    free(lane->repeats.slots);
    arena_free(&lane->arena);
    free(lane);
}

static DgStatus lane_open(void *context, void **out, DgError *err)
{
    Documents *d = context;
    Lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return os_no_memory(err, "starting a lane");
    lane->d = d;
    arena_init(&lane->arena, (size_t)d->step->max_size * 4 + (64 << 20));
    lane->arena.can_fail = true;
    lane->stores = calloc(d->sources.count + 1, sizeof *lane->stores);
    lane->tokenizer = d->tokenizer ? tokens_clone(d->tokenizer) : NULL;
    DgStatus status = lane->stores && (lane->tokenizer || !d->tokenizer) ? DG_OK : os_no_memory(err, "starting a lane");
    if (status == DG_OK && d->scan) {
        int32_t count;
        const DgColumn *columns = dg_scan_columns(d->scan, &count);
        status = dg_batch_init(&lane->in, columns, count, DG_BATCH_ROWS, err);
    }
    if (status != DG_OK) {
        lane_close(context, lane);
        return status;
    }
    *out = lane;
    return DG_OK;
}

DgPull documents_pull(Documents *d)
{
    return (DgPull){.context = d, .lane_open = lane_open, .next = lane_next, .lane_close = lane_close, .lanes_max = dg_step_threads(d->run)};
}

DgStatus documents_outcome(Documents *d, const Outcome *from, DgError *err)
{
    Arena *a = &d->arena;
    pthread_mutex_lock(&d->lock);
    Outcome o = *from;
    bool twice = map_has(&d->looked_at, o.document);
    o.document = str_copy(a, o.document);
    o.version = str_copy(a, o.version);
    o.title = str_copy(a, o.title);
    o.reason = str_copy(a, o.reason);
    map_put(a, &d->looked_at, o.document, d);
    array_add(a, &d->outcomes, o);
    bool full = a->failed;
    pthread_mutex_unlock(&d->lock);
    if (twice && d->scan)
        return dg_fail(err, DG_DATA, "%.*s has the `%.*s` %.*s twice: keys of documents must be unique", FMT(d->step->from), FMT(d->step->key), FMT(from->document));
    return full ? os_no_memory(err, "for a list of documents") : DG_OK;
}
