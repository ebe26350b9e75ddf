/* ask.c - one question against an index: passages rather than a table. */
#include <math.h>

#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "runtime/vector/search.h"

static DgStatus not_there(const VectorIndexStep *step, const char *where, DgError *err)
{
    dg_fail(err, DG_FAILED, "the index `%.*s` has not been built yet%s", FMT(step->asset), where);
    dg_hint(err, "`run` builds it: run --select '+%.*s'", FMT(step->asset));
    return DG_FAILED;
}

static DgStatus other_model(const VectorIndexStep *step, int64_t index, int32_t question, DgError *err)
{
    dg_fail(err, DG_DATA, "the question's vector has %d numbers, those of the index `%.*s` have %lld", question, FMT(step->asset), (long long)index);
    dg_hint(err, "the model has changed since the index was built: `run` builds it anew");
    return DG_DATA;
}

/* ---- DuckDB: every row is measured ---- */

static const char *const measures[] = {[VECTOR_COSINE] = "array_cosine_similarity(", [VECTOR_DOT] = "array_inner_product(", [VECTOR_EUCLIDEAN] = "-array_distance("};

/* The index's table; *there: whether it has been made. */
static DgStatus look(DgStepRun *run, const VectorIndexStep *step, VectorSource *out, bool *there, DgError *err)
{
    const VectorColumn *columns;
    size_t count;
    Str path = run_warehouse_path(run->run);
    *there = path.ptr && os_exists(path.ptr);
    if (!*there)
        return DG_OK;
    *out = (VectorSource){.run = run, .step = step, .table = dg_table(run, step->asset), .dimension = -1};
    DG_TRY(vector_table_there(run, out->table, there, err));
    if (!*there)
        return DG_OK;
    DG_TRY(vector_columns(run, out->table, &columns, &count, err));
    VectorColumn *metadata = dg_alloc(run, (count + 1) * sizeof *metadata);
    if (!metadata)
        return os_no_memory(err, "for the columns of an index");
    for (size_t i = 0; i < count; i++) {
        if (str_eq(columns[i].name, S("embedding")))
            out->dimension = vector_type_dimension(columns[i].type);
        else if (!str_eq(columns[i].name, S("id")) && !str_eq(columns[i].name, S("text")))
            metadata[out->metadata_count++] = columns[i];
    }
    out->metadata = metadata;
    *there = out->dimension >= 0;
    return DG_OK;
}

static DgStatus take_rows(DgStepRun *run, Str sql, DgPassage *to, size_t most, size_t *count, DgError *err)
{
    DgScan *scan;
    DgBatch b = {0};
    int32_t n;
    DG_TRY(dg_scan_open(run->session, sql, &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &n);
    DgStatus status = dg_batch_init(&b, columns, n, DG_BATCH_ROWS, err);
    while (status == DG_OK) {
        dg_batch_reset(&b);
        status = dg_scan_next(scan, &b, err);
        for (int32_t i = 0; (status == DG_OK || status == DG_END) && i < b.rows && *count < most; i++)
            to[(*count)++] = (DgPassage){.id = step_copy(run, dg_text_get(&b.vectors[0], i)),
                                         .text = DG_VALID(&b.vectors[1], i) ? step_copy(run, dg_text_get(&b.vectors[1], i)) : (Str){0},
                                         .metadata = step_copy(run, dg_text_get(&b.vectors[2], i)),
                                         .score = ((const double *)b.vectors[3].values)[i]};
    }
    dg_batch_release(&b);
    dg_scan_close(scan);
    return status == DG_END ? DG_OK : status;
}

DgStatus vector_ask_local(DgStepRun *run, const VectorIndexStep *step, const float *vector, int32_t dimensions, int32_t top, DgList *found, DgError *err)
{
    VectorSource index;
    bool there;
    *found = (DgList){0};
    DG_TRY(look(run, step, &index, &there, err));
    if (!there)
        return not_there(step, "", err);
    if (!vector)
        return DG_OK;
    if (index.dimension != dimensions) { /* an empty one has some dimension, too */
        int64_t rows;
        DG_TRY(vector_sql_int(run, &rows, err, "SELECT count(*) FROM %.*s", FMT(index.table)));
        return rows ? other_model(step, index.dimension, dimensions, err) : DG_OK;
    }
    DgPassage *passages = dg_alloc(run, (size_t)top * sizeof *passages);
    StrBuf b = {0};
    vector_write(&b, vector, dimensions);
    Str sql = dg_format(run,
                        "SELECT id::VARCHAR, \"text\"::VARCHAR, '{' || %.*s || '}', _dgc_score FROM (SELECT *, (%s embedding, %.*s::FLOAT[%d]))::DOUBLE AS _dgc_score "
                        "FROM %.*s) ORDER BY _dgc_score DESC, id LIMIT %d",
                        FMT(vector_sql_metadata(&index, NULL)), measures[step->target.metric], FMT(buf_str(&b)), dimensions, FMT(index.table), top);
    bool failed = b.failed || !sql.ptr || !passages;
    buf_free(&b);
    if (failed)
        return os_no_memory(err, "for passages");
    DG_TRY(take_rows(run, sql, passages, (size_t)top, &found->count, err));
    found->items = passages;
    return DG_OK;
}

/* ---- A service ---- */

static DgStatus ask_store(DgStepRun *run, const VectorIndexStep *step, VectorStore *store, const float *vector, int32_t dimensions, int32_t top, Arena *a,
                          VectorMatches *out, DgError *err)
{
    VectorInfo info;
    VectorFilter all = {0};
    const VectorStoreType *type = store->type;
    DgStatus status = type->find(store, &info, err);
    if (status == DG_END)
        return not_there(step, dg_format(run, ": there is no collection `%.*s` in %s", FMT(step->target.collection), type->title).ptr, err);
    if (status != DG_OK || !vector)
        return status;
    if (info.dimension && info.dimension != dimensions)
        return other_model(step, info.dimension, dimensions, err);
    store->dimension = dimensions;
    if (store->metric < 0)
        store->metric = step->target.metric;
    return type->query(store, &(VectorQuery){.values = vector}, 1, top, &all, a, out, err);
}

DgStatus vector_ask(DgStepRun *run, const VectorIndexStep *step, const VectorStoreType *type, const float *vector, int32_t dimensions, int32_t top, DgList *found,
                    DgError *err)
{
    VectorTarget target = step->target;
    VectorStore *store = NULL;
    VectorMatches matches = {0};
    Arena a;
    *found = (DgList){0};
    target.run = run;
    arena_init(&a, (size_t)1 << 30);
    a.can_fail = true;
    DgStatus status = type->open(&target, &store, err);
    if (status == DG_OK)
        status = ask_store(run, step, store, vector, dimensions, top, &a, &matches, err);
    DgPassage *passages = status == DG_OK ? dg_alloc(run, (matches.count + 1) * sizeof *passages) : NULL;
    for (size_t i = 0; passages && i < matches.count; i++) {
        VectorMatch m = matches.items[i];
        passages[i] = (DgPassage){step_copy(run, m.id), m.text.ptr ? step_copy(run, m.text) : (Str){0}, step_copy(run, m.metadata), m.score};
    }
    if (status == DG_OK && !passages)
        status = os_no_memory(err, "for passages");
    if (passages)
        *found = (DgList){passages, matches.count};
    type->close(store);
    arena_free(&a);
    return status;
}
