/* index.c - brings a collection to what the table says, in a store that is a service.
 *
 * The store is the truth. What it holds is known from the ledger, or, when a run was broken off, from a listing of
 * the store itself; either way the difference is sent. So a run that dies anywhere is made good by the next one.
 */
#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "runtime/vector/index.h"

#define FIELD(f, ...) DG_FIELD_STRING(VectorTarget, f, __VA_ARGS__)
const DgField dg_vector_target_fields[] = {
    FIELD(url, .doc = "Address of the service."),
    DG_FIELD_SECRET(VectorTarget, api_key, .doc = "Key of the service."),
    FIELD(collection, .doc = "The collection, index or table."),
    FIELD(tenant, .doc = "Chroma's tenant."),
    FIELD(database, .doc = "Chroma's database."),
    FIELD(space, .doc = "Pinecone's namespace."),
    FIELD(cloud, .doc = "Pinecone: cloud of a new index."),
    FIELD(region, .doc = "Pinecone: region of a new index."),
    DG_FIELD_ENUM(VectorTarget, metric, .choices = dg_vector_metrics, .doc = "How near is measured."),
    {0},
};
const DgField dg_vector_index_fields[] = {
    DG_FIELD_ASSET_KEY(VectorIndexStep, from, .doc = "The asset that is indexed."),
    DG_FIELD_ASSET_KEY(VectorIndexStep, asset, .doc = "The index as an asset."),
    DG_FIELD_STRING(VectorIndexStep, id, .doc = "Column of the ids."),
    DG_FIELD_STRING(VectorIndexStep, text, .doc = "Column of the texts; empty: none."),
    DG_FIELD_STRING(VectorIndexStep, embedding, .doc = "Column of the numbers."),
    DG_FIELD_STRING(VectorIndexStep, sparse, .doc = "Column of sparse values; empty: none."),
    DG_FIELD_STRINGS(VectorIndexStep, metadata, .doc = "Columns that go along."),
    DG_FIELD_BOOL(VectorIndexStep, all_metadata, .doc = "All other columns go along."),
    DG_FIELD_BOOL(VectorIndexStep, rebuild, .doc = "Built anew each time."),
    DG_FIELD_DURATION(VectorIndexStep, wait, .doc = "How long the counts have to become right."),
    DG_FIELD_STRUCT(VectorIndexStep, target, VectorTarget, dg_vector_target_fields, .doc = "Where."),
    DG_FIELD_STRUCT(VectorIndexStep, answer, GroundedSettings, grounded_settings_fields, .doc = "Who answers questions."),
    {0},
};

enum { POLL_MS = 1000 };

typedef struct Index {
    DgStepRun *run;
    const VectorIndexStep *step;
    const VectorStoreType *type;
    VectorTarget target;
    VectorStore *store;
    VectorSource source;
    VectorLedger ledger;
    VectorInfo info;
    bool exists, known;        /* the collection; that the ledger says what it holds */
    int64_t sent, removed;
} Index;

static DgSession *session(Index *x) { return x->run->session; }

static DgStatus stop_when_cancelled(Index *x, DgError *err)
{
    return dg_cancelled(x->run) ? dg_fail(err, DG_CANCELLED, "cancelled") : DG_OK;
}

/* ---- What the store holds ---- */

typedef struct Listing { /* pages of the store as batches */
    Index *x;
    Arena arena;
    VectorEntries page;
    size_t at;
    bool ended;
} Listing;

static DgStatus listing_page(Listing *l, DgError *err)
{
    arena_reset(&l->arena);
    l->page = (VectorEntries){0};
    l->at = 0;
    DG_TRY(stop_when_cancelled(l->x, err));
    DgStatus s = l->x->type->list(l->x->store, &l->arena, &l->page, err);
    l->ended = s == DG_END;
    return s == DG_END ? DG_OK : s;
}

static DgStatus listing_next(void *context, void *lane, DgBatch *out, DgError *err)
{
    Listing *l = context;
    while (out->rows < out->rows_max) {
        if (l->at == l->page.count && l->ended)
            return DG_END;
        if (l->at == l->page.count) {
            DG_TRY(listing_page(l, err));
            continue;
        }
        VectorEntry e = l->page.items[l->at++];
        if (!e.hash.len) {
            dg_fail(err, DG_DATA, "collection `%.*s` has records that this pipeline did not write, like `%.*s`", FMT(l->x->target.collection), FMT(str_sub(e.id, 0, 200)));
            dg_hint(err, "give the index a collection of its own; nothing was changed");
            return DG_DATA;
        }
        if (!dg_text_set(&out->vectors[0], out->rows, e.id.ptr, (size_t)e.id.len) || !dg_text_set(&out->vectors[1], out->rows, e.hash.ptr, (size_t)e.hash.len))
            return os_no_memory(err, "for a list of records");
        out->rows++;
    }
    return DG_OK;
}

static DgStatus list_store(Index *x, DgError *err)
{
    static const DgColumn columns[] = {{.name = DG_S("id"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("hash"), .type = {DG_TEXT, 0, 0}}};
    Listing l = {.x = x};
    int64_t rows;
    arena_init(&l.arena, (size_t)256 << 20);
    l.arena.can_fail = true;
    DgPull pull = {.context = &l, .next = listing_next, .lanes_max = 1};
    DgStatus s = dg_session_stream(session(x), columns, 2, &pull, S("CREATE OR REPLACE TEMP TABLE _dgc_have AS SELECT id, any_value(hash) AS hash FROM "),
                                   S(" GROUP BY id"), &rows, err);
    arena_free(&l.arena);
    return s;
}

/* Makes _dgc_have. */
static DgStatus find_have(Index *x, DgError *err)
{
    int64_t count = -1;
    x->known = x->exists && x->ledger.good && str_eq(x->ledger.identity, x->info.identity);
    if (x->known) {
        DG_TRY(x->type->count(x->store, &count, err));
        x->known = count == x->ledger.rows;
    }
    if (x->known)
        return vector_ledger_have(x->run, err);
    if (x->exists)
        return list_store(x, err);
    return vector_sql(x->run, err, "CREATE OR REPLACE TEMP TABLE _dgc_have(id VARCHAR, hash VARCHAR)");
}

/* ---- Sending ---- */

typedef struct Outbox {
    Index *x;
    VectorRecord *records;
    int32_t count;
    size_t bytes;
} Outbox;

static DgStatus flush(Outbox *o, DgError *err)
{
    Index *x = o->x;
    if (o->count == 0)
        return DG_OK;
    DG_TRY(stop_when_cancelled(x, err));
    DG_TRY(x->type->upsert(x->store, o->records, o->count, err));
    os_crashpoint("vector.sent");
    x->sent += o->count;
    dg_progress(x->run, o->count, (int64_t)o->bytes);
    o->count = 0;
    o->bytes = 0;
    return DG_OK;
}

enum { ID, HASH, TEXT, METADATA, VALUES, SPARSE };

/* Records point into the batch: all are sent before the next one. */
static DgStatus send_batch(Outbox *o, const DgBatch *b, DgError *err)
{
    Index *x = o->x;
    for (int32_t i = 0; i < b->rows; i++) {
        Str values = dg_text_get(&b->vectors[VALUES], i);
        bool has_text = DG_VALID(&b->vectors[TEXT], i);
        VectorRecord r = {.id = dg_text_get(&b->vectors[ID], i), .hash = dg_text_get(&b->vectors[HASH], i), .metadata = dg_text_get(&b->vectors[METADATA], i),
                          .values = (const float *)(const void *)values.ptr};
        if (DG_VALID(&b->vectors[SPARSE], i))
            r.sparse = dg_text_get(&b->vectors[SPARSE], i);
        if (has_text)
            r.text = dg_text_get(&b->vectors[TEXT], i);
        if (has_text && !r.text.ptr)
            r.text = S("");
        size_t bytes = (size_t)(r.id.len + r.text.len + r.metadata.len + r.sparse.len) + (size_t)x->source.dimension * 13 + 100;
        if (o->count == x->type->upsert_max || (o->count && o->bytes + bytes > x->type->bytes_max))
            DG_TRY(flush(o, err));
        o->records[o->count++] = r;
        o->bytes += bytes;
    }
    return flush(o, err);
}

static Str records_sql(Index *x)
{
    const VectorSource *s = &x->source;
    DgStepRun *run = x->run;
    Str text = x->step->text.len ? dg_format(run, "%.*s::VARCHAR", FMT(dg_quote_name(run, x->step->text))) : S("NULL::VARCHAR");
    Str sparse = vector_sql_sparse(run, x->step->sparse);
    return dg_format(run, "SELECT w.id, w.hash, r.t, r.m, r.e, r.s FROM (SELECT %.*s::VARCHAR AS i, %.*s AS t, %.*s AS m, %.*s AS e, %.*s AS s FROM %.*s) r "
                     "JOIN _dgc_send w ON w.id = r.i", FMT(dg_quote_name(run, x->step->id)), FMT(text), FMT(vector_sql_metadata(s, x->type)),
                     FMT(vector_sql_embedding(s)), FMT(sparse), FMT(s->table));
}

static DgStatus send_all(Index *x, DgError *err)
{
    Outbox o = {.x = x, .records = dg_alloc(x->run, sizeof(VectorRecord) * (size_t)x->type->upsert_max)};
    DgScan *scan;
    DgBatch b = {0};
    int32_t n;
    if (!o.records)
        return os_no_memory(err, "for records");
    DG_TRY(dg_scan_open_arrays(session(x), records_sql(x), &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &n);
    DgStatus s = dg_batch_init(&b, columns, n, DG_BATCH_ROWS, err);
    while (s == DG_OK && (s = dg_scan_next(scan, &b, err)) == DG_OK)
        s = send_batch(&o, &b, err);
    dg_batch_release(&b);
    dg_scan_close(scan);
    return s == DG_END ? DG_OK : s;
}

static DgStatus remove_all(Index *x, DgError *err)
{
    Str *ids = dg_alloc(x->run, sizeof *ids * (size_t)x->type->remove_max);
    DgScan *scan;
    DgBatch b = {0};
    int32_t n;
    if (!ids)
        return os_no_memory(err, "for ids");
    DG_TRY(dg_scan_open(session(x), S("SELECT id FROM _dgc_gone"), &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &n);
    DgStatus s = dg_batch_init(&b, columns, n, DG_BATCH_ROWS, err);
    while (s == DG_OK && (s = dg_scan_next(scan, &b, err)) == DG_OK)
        for (int32_t i = 0; i < b.rows && s == DG_OK;) {
            int32_t count = 0;
            while (i < b.rows && count < x->type->remove_max)
                ids[count++] = dg_text_get(&b.vectors[0], i++);
            s = stop_when_cancelled(x, err);
            if (s == DG_OK)
                s = x->type->remove(x->store, ids, count, err);
            os_crashpoint("vector.removed");
            x->removed += count;
        }
    dg_batch_release(&b);
    dg_scan_close(scan);
    return s == DG_END ? DG_OK : s;
}

/* ---- Afterwards ---- */

static DgStatus verify(Index *x, DgError *err)
{
    int64_t count = 0, until = os_monotonic_ms() + (x->type->eventual ? x->step->wait / 1000000 : 0);
    for (;;) {
        DG_TRY(x->type->count(x->store, &count, err));
        if (count == x->source.rows)
            break;
        if (os_monotonic_ms() >= until) {
            dg_fail(err, DG_TEMPFAIL, "collection `%.*s` has %lld records after the index was brought up to date, not %lld", FMT(x->target.collection),
                    (long long)count, (long long)x->source.rows);
            dg_hint(err, "does something else write to it? The next run lists the collection and puts it right");
            return DG_TEMPFAIL;
        }
        DG_TRY(stop_when_cancelled(x, err));
        dg_waiting(x->run, "for the store to count what was written", 0);
        os_sleep_ms(POLL_MS);
        dg_waiting(x->run, NULL, 0);
    }
    return DG_OK;
}

static void report(Index *x)
{
    DgStr asset = x->step->asset;
    dg_report_metadata(x->run, asset, "dagster/row_count", dgv_int(x->source.rows));
    dg_report_metadata(x->run, asset, "sent", dgv_int(x->sent));
    dg_report_metadata(x->run, asset, "removed", dgv_int(x->removed));
    dg_report_metadata(x->run, asset, "skipped", dgv_int(x->source.skipped));
    dg_report_metadata(x->run, asset, "dimension", dgv_int(x->source.dimension));
}

/* ---- The whole ---- */

static DgStatus wrong_shape(Index *x, const char *what, Str has, Str wanted, DgError *err)
{
    dg_fail(err, DG_CONFIG, "collection `%.*s` has %s %.*s, the index needs %.*s", FMT(x->target.collection), what, FMT(has), FMT(wanted));
    if (x->type->beside)
        dg_hint(err, "run once with --full-refresh to build it anew, or name another collection");
    else
        dg_hint(err, "name another collection, or delete this one in %s", x->type->title);
    return DG_CONFIG;
}

static DgStatus check_shape(Index *x, DgError *err)
{
    int64_t has = x->info.dimension, wanted = x->source.dimension;
    int32_t metric = x->info.metric;
    if (has && wanted && has != wanted)
        return wrong_shape(x, "dimension", dg_format(x->run, "%lld", (long long)has), dg_format(x->run, "%lld", (long long)wanted), err);
    if (metric >= 0 && metric != x->target.metric)
        return wrong_shape(x, "metric", str_from(dg_vector_metrics[metric]), str_from(dg_vector_metrics[x->target.metric]), err);
    return DG_OK;
}

static DgStatus compare(Index *x, DgError *err)
{
    DG_TRY(vector_sql(x->run, err, "CREATE OR REPLACE TEMP TABLE _dgc_send AS SELECT w.id, w.hash FROM _dgc_wanted w LEFT JOIN _dgc_have h USING (id) "
                                   "WHERE h.hash IS DISTINCT FROM w.hash"));
    return vector_sql(x->run, err, "CREATE OR REPLACE TEMP TABLE _dgc_gone AS SELECT id FROM _dgc_have ANTI JOIN _dgc_wanted USING (id)");
}

static DgStatus bring_up_to_date(Index *x, DgError *err)
{
    bool rebuild = (x->step->rebuild || x->run->run->options.full_refresh) && x->exists, beside = rebuild && x->type->beside && x->source.dimension;
    DG_TRY(find_have(x, err));
    if (!beside && x->exists)
        DG_TRY(check_shape(x, err));
    if (rebuild) {
        x->known = false;
        DG_TRY(vector_sql(x->run, err, beside ? "DELETE FROM _dgc_have" : "UPDATE _dgc_have SET hash = ''"));
    }
    DG_TRY(compare(x, err));
    if (beside)
        DG_TRY(x->type->beside(x->store, x->source.dimension, x->target.metric, err));
    else if (!x->exists && x->source.rows)
        DG_TRY(x->type->create(x->store, x->source.dimension, x->target.metric, &x->info, err));
    x->exists |= x->source.rows > 0;
    x->store->dimension = x->source.dimension; /* a collection without records may not know it */
    os_crashpoint("vector.begun");
    if (x->source.rows)
        DG_TRY(send_all(x, err));
    DG_TRY(remove_all(x, err));
    if (x->exists)
        DG_TRY(verify(x, err));
    if (beside) {
        os_crashpoint("vector.built");
        DG_TRY(x->type->switch_over(x->store, err));
        DG_TRY(x->type->find(x->store, &x->info, err));
    }
    return vector_ledger_keep(x->run, &x->ledger, x->info.identity, x->source.rows, x->known, err);
}

static DgStatus work(Index *x, DgError *err)
{
    const VectorTarget *t = &x->target;
    DG_TRY(vector_ledger_open(x->run, dg_format(x->run, "%s|%.*s|%.*s|%.*s|%.*s|%.*s", x->type->name, FMT(t->url), FMT(t->tenant), FMT(t->database), FMT(t->collection), FMT(t->space)),
                              &x->ledger, err));
    DG_TRY(vector_source(x->run, x->step, x->type, &x->source, err));
    DG_TRY(x->type->open(&x->target, &x->store, err));
    if (!x->ledger.good && x->type->tidy)
        DG_TRY(x->type->tidy(x->store, err));
    DgStatus s = x->type->find(x->store, &x->info, err);
    x->exists = s == DG_OK;
    if (s != DG_OK && s != DG_END)
        return s;
    DG_TRY(bring_up_to_date(x, err));
    os_crashpoint("vector.done");
    report(x);
    return DG_OK;
}

DgStatus vector_index(DgStepRun *run, const VectorIndexStep *step, const VectorStoreType *type, DgError *err)
{
    Index x = {.run = run, .step = step, .type = type, .target = step->target};
    x.target.run = run;
    DgStatus s = work(&x, err);
    if (x.store)
        type->close(x.store);
    return s == DG_END ? dg_fail(err, DG_FAILED, "collection `%.*s` is gone", FMT(x.target.collection)) : s;
}
