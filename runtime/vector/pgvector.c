/* pgvector.c - PostgreSQL with the extension `vector`: a table (id, _dgc_hash, text, metadata jsonb, embedding vector(N)).
 *
 * No index is made: search is exact until somebody makes one (`USING hnsw (embedding vector_cosine_ops)`). A rebuild is
 * one transaction: readers see the old rows until it commits; indexes, grants and views of the table stay. The metric
 * stands in the table's comment.
 */
#include "runtime/data/batch.h"
#include "runtime/db/engine.h"
#include "runtime/os/os.h"
#include "runtime/vector/store.h"

enum { PAGE = 10000 };
static const char COMMENT[] = "dgc.VectorIndex, metric ";

typedef struct PgVector {
    VectorStore store; /* first */
    VectorTarget target;
    Arena arena;       /* of the call at hand */
    Arena keep;
    DgConn conn;
    DgDb *db;
    DgTableName name;
    Str table;         /* quoted */
    Str last;          /* listing: the page before ended with this id */
    bool listed;       /* all pages */
} PgVector;

static const DgEngine *const engine = &dg_engine_postgres;

static DgStatus pgvector_open(const VectorTarget *target, VectorStore **out, DgError *err)
{
    PgVector *p = os_alloc(sizeof *p);
    StrBuf b = {0};
    if (!p)
        return os_no_memory(err, "for a vector store");
    p->store.type = &vector_pgvector;
    p->target = *target;
    arena_init(&p->arena, (size_t)256 << 20);
    p->arena.can_fail = true;
    arena_init(&p->keep, (size_t)16 << 20);
    p->keep.can_fail = true;
    *out = &p->store;
    DG_TRY(conn_from_url(&p->keep, (Str){0}, target->url, &p->conn, err));
    if (!str_eq(p->conn.type, str_from(engine->type)))
        return dg_fail(err, DG_CONFIG, "store pgvector wants a URL that begins with postgres://, not one of type %.*s", FMT(p->conn.type));
    if (!table_name_parse(&p->keep, target->collection, &p->name))
        return dg_fail(err, DG_CONFIG, "`%.*s` is no name of a table: write `table` or `schema.table`", FMT(target->collection));
    sql_table(&b, engine->dialect, p->name);
    p->table = str_copy(&p->keep, buf_str(&b));
    buf_free(&b);
    return engine->open(&p->conn, &p->db, err);
}

static void pgvector_close(VectorStore *s)
{
    PgVector *p = (PgVector *)s;
    if (!p)
        return;
    engine->close(p->db);
    arena_free(&p->arena);
    arena_free(&p->keep);
    os_free(p);
}

static DgStatus exec(PgVector *p, StrBuf *sql, DgError *err)
{
    DgStatus s = sql->failed ? os_no_memory(err, "for an SQL statement") : engine->exec(p->db, buf_str(sql), NULL, err);
    buf_free(sql);
    return s;
}

static void literal(StrBuf *b, Str text) { engine->dialect->text(b, text); }

/* 'text' that PostgreSQL can hold; false: it has a NUL. */
static bool add_text(StrBuf *b, Str text)
{
    if (str_find_char(text, '\0') >= 0)
        return false;
    literal(b, text);
    return true;
}

static int32_t metric_in(Str comment)
{
    for (int32_t i = 0; dg_vector_metrics[i]; i++)
        if (str_starts(comment, str_from(COMMENT)) && str_eq(str_sub(comment, sizeof COMMENT - 1, comment.len), str_from(dg_vector_metrics[i])))
            return i;
    return -1;
}

static DgStatus pgvector_find(VectorStore *s, VectorInfo *out, DgError *err)
{
    PgVector *p = (PgVector *)s;
    StrBuf where = {0};
    Str oid, comment;
    int64_t dimension;
    arena_reset(&p->arena);
    buf_add(&where, S("to_regclass("));
    literal(&where, p->table);
    buf_char(&where, ')');
    Str table = str_copy(&p->arena, buf_str(&where));
    buf_free(&where);
    DG_TRY(db_text(p->db, &p->keep, str_format(&p->arena, "SELECT %.*s::oid::text", FMT(table)), &oid, err));
    if (!oid.len)
        return DG_END;
    DG_TRY(db_int(p->db, str_format(&p->arena, "SELECT max(atttypmod) FROM pg_attribute WHERE attrelid = %.*s AND attname IN ('embedding', '" VECTOR_HASH_KEY "') HAVING count(*) = 2", FMT(table)),
                  &dimension, err));
    if (dimension <= 0)
        return dg_fail(err, DG_CONFIG, "table `%.*s` has no columns `embedding` and `" VECTOR_HASH_KEY "`: dgc did not make it", FMT(p->target.collection));
    DG_TRY(db_text(p->db, &p->arena, str_format(&p->arena, "SELECT obj_description(%.*s, 'pg_class')", FMT(table)), &comment, err));
    *out = (VectorInfo){dimension, metric_in(comment), oid};
    p->store.dimension = dimension;
    p->store.metric = out->metric >= 0 ? out->metric : p->target.metric;
    p->last = (Str){0};
    p->listed = false;
    return DG_OK;
}

static DgStatus make_extension(PgVector *p, DgError *err)
{
    int64_t there;
    DG_TRY(db_int(p->db, S("SELECT count(*) FROM pg_extension WHERE extname = 'vector'"), &there, err));
    if (there)
        return DG_OK;
    DgStatus s = engine->exec(p->db, S("CREATE EXTENSION IF NOT EXISTS vector"), NULL, err);
    if (s != DG_OK)
        dg_hint(err, "install pgvector on the server, and let somebody who may do it run CREATE EXTENSION vector");
    return s;
}

static void add_comment(PgVector *p, StrBuf *b, int32_t metric)
{
    buf_format(b, "COMMENT ON TABLE %.*s IS '%s%s'", FMT(p->table), COMMENT, dg_vector_metrics[metric]);
}

static DgStatus pgvector_create(VectorStore *s, int64_t dimension, int32_t metric, VectorInfo *out, DgError *err)
{
    PgVector *p = (PgVector *)s;
    StrBuf b = {0};
    DG_TRY(make_extension(p, err));
    if (p->name.schema.len) {
        buf_add(&b, S("CREATE SCHEMA IF NOT EXISTS "));
        sql_name(&b, engine->dialect, p->name.schema);
        buf_add(&b, S("; "));
    }
    buf_format(&b, "CREATE TABLE IF NOT EXISTS %.*s (id text PRIMARY KEY, " VECTOR_HASH_KEY " text, \"text\" text, metadata jsonb NOT NULL, embedding vector(%lld) NOT NULL); ",
               FMT(p->table), (long long)dimension);
    add_comment(p, &b, metric);
    DG_TRY(exec(p, &b, err));
    return pgvector_find(s, out, err);
}

static DgStatus add_record(PgVector *p, StrBuf *b, const VectorRecord *r)
{
    bool good = true;
    buf_char(b, '(');
    good &= add_text(b, r->id);
    buf_char(b, ',');
    literal(b, r->hash);
    buf_char(b, ',');
    if (r->text.ptr)
        good &= add_text(b, r->text);
    else
        buf_add(b, S("NULL"));
    buf_char(b, ',');
    literal(b, str_format(&p->arena, "{%.*s}", FMT(r->metadata)));
    buf_add(b, S(",'"));
    vector_write(b, r->values, p->store.dimension);
    buf_add(b, S("')"));
    return good ? DG_OK : DG_DATA;
}

static DgStatus pgvector_upsert(VectorStore *s, const VectorRecord *records, int32_t count, DgError *err)
{
    PgVector *p = (PgVector *)s;
    StrBuf b = {0};
    arena_reset(&p->arena);
    buf_format(&b, "INSERT INTO %.*s (id, " VECTOR_HASH_KEY ", \"text\", metadata, embedding) VALUES ", FMT(p->table));
    for (int32_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        if (add_record(p, &b, &records[i]) != DG_OK) {
            buf_free(&b);
            return dg_fail(err, DG_DATA, "row `%.*s` has a zero byte in its id or text, which PostgreSQL cannot keep", FMT(str_sub(records[i].id, 0, 200)));
        }
    }
    buf_add(&b, S(" ON CONFLICT (id) DO UPDATE SET " VECTOR_HASH_KEY " = excluded." VECTOR_HASH_KEY
                  ", \"text\" = excluded.\"text\", metadata = excluded.metadata, embedding = excluded.embedding"));
    return exec(p, &b, err);
}

static DgStatus pgvector_remove(VectorStore *s, const Str *ids, int32_t count, DgError *err)
{
    PgVector *p = (PgVector *)s;
    StrBuf b = {0};
    buf_format(&b, "DELETE FROM %.*s WHERE id IN (", FMT(p->table));
    for (int32_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        literal(&b, ids[i]);
    }
    buf_char(&b, ')');
    return exec(p, &b, err);
}

static DgStatus pgvector_count(VectorStore *s, int64_t *out, DgError *err)
{
    PgVector *p = (PgVector *)s;
    arena_reset(&p->arena);
    return db_int(p->db, str_format(&p->arena, "SELECT count(*) FROM %.*s", FMT(p->table)), out, err);
}

/* Every row of a query whose columns are all text or numbers. */
static DgStatus each_row(PgVector *p, Str sql, DgStatus (*row)(PgVector *p, const DgBatch *b, int32_t i, void *context), void *context, DgError *err)
{
    DgRows *rows;
    DgBatch b = {0};
    DG_TRY(engine->query(p->db, sql, &rows, err));
    DgStatus s = dg_batch_init(&b, rows->columns, rows->columns_count, DG_BATCH_ROWS, err);
    bool end = false;
    while (s == DG_OK && !end) {
        s = rows->next(rows, &b, err);
        end = s == DG_END;
        if (s == DG_OK || end)
            s = DG_OK;
        for (int32_t i = 0; i < b.rows && s == DG_OK; i++)
            s = row(p, &b, i, context);
    }
    dg_batch_release(&b);
    rows_close(rows);
    return s == DG_NOMEM ? os_no_memory(err, "for rows") : s;
}

typedef struct Page {
    Arena *arena;
    VectorEntries *out;
    int32_t rows;
} Page;

static DgStatus take_entry(PgVector *p, const DgBatch *b, int32_t i, void *context)
{
    Page *page = context;
    Str id = dg_text_get(&b->vectors[0], i);
    array_add(page->arena, page->out, ((VectorEntry){str_copy(page->arena, id), str_copy(page->arena, dg_text_get(&b->vectors[1], i))}));
    if (++page->rows == PAGE)
        p->last = str_copy(&p->keep, id);
    return page->arena->failed ? DG_NOMEM : DG_OK;
}

static DgStatus pgvector_list(VectorStore *s, Arena *a, VectorEntries *out, DgError *err)
{
    PgVector *p = (PgVector *)s;
    StrBuf b = {0};
    Page page = {a, out, 0};
    if (p->listed)
        return DG_END;
    arena_reset(&p->arena);
    buf_format(&b, "SELECT id, coalesce(" VECTOR_HASH_KEY ", '') AS hash FROM %.*s", FMT(p->table));
    if (p->last.ptr) {
        buf_add(&b, S(" WHERE id COLLATE \"C\" > "));
        literal(&b, p->last);
    }
    buf_format(&b, " ORDER BY id COLLATE \"C\" LIMIT %d", PAGE);
    DgStatus status = each_row(p, str_copy(&p->arena, buf_str(&b)), take_entry, &page, err);
    buf_free(&b);
    p->listed = page.rows < PAGE;
    return status;
}

/* ---- Searching ---- */

static void add_json(StrBuf *b, DgEval *ev, DgValue v)
{
    StrBuf json = {0};
    if (v.kind == DG_V_STR)
        buf_json(&json, v.as.s);
    else
        dg_write_json(ev, &json, v, 0, false);
    literal(b, buf_str(&json));
    buf_add(b, S("::jsonb"));
    buf_free(&json);
}

static void add_condition(StrBuf *b, DgEval *ev, const VectorCondition *c)
{
    static const char *const order[] = {[VECTOR_GT] = ">", [VECTOR_GTE] = ">=", [VECTOR_LT] = "<", [VECTOR_LTE] = "<="};
    StrBuf field = {0};
    buf_add(&field, S("metadata->"));
    literal(&field, c->field);
    Str f = buf_str(&field);
    switch (c->operator) {
    case VECTOR_EQ:
        buf_format(b, "%.*s = ", FMT(f));
        add_json(b, ev, c->value);
        break;
    case VECTOR_NE:
        buf_format(b, "%.*s IS DISTINCT FROM ", FMT(f));
        add_json(b, ev, c->value);
        break;
    case VECTOR_IN:
    case VECTOR_NIN:
        buf_format(b, "coalesce(%.*s IN (", FMT(f));
        for (size_t i = 0; i < c->value.as.list->count; i++) {
            buf_add(b, i ? S(",") : S(""));
            add_json(b, ev, c->value.as.list->items[i]);
        }
        buf_add(b, c->operator == VECTOR_IN ? S("), false)") : S("), false) = false"));
        break;
    default:
        buf_format(b, "CASE WHEN jsonb_typeof(%.*s) = 'number' THEN (%.*s)::numeric %s (", FMT(f), FMT(f), order[c->operator]);
        add_json(b, ev, c->value);
        buf_add(b, S(")::numeric ELSE false END"));
    }
    buf_free(&field);
}

typedef struct Found {
    Arena *arena;
    VectorMatches *out;
} Found;

static DgStatus take_match(PgVector *p, const DgBatch *b, int32_t i, void *context)
{
    Found *f = context;
    (void)p;
    VectorMatch m = {.id = str_copy(f->arena, dg_text_get(&b->vectors[0], i)), .metadata = str_copy(f->arena, dg_text_get(&b->vectors[2], i)),
                     .score = ((const double *)b->vectors[3].values)[i]};
    if (DG_VALID(&b->vectors[1], i))
        m.text = str_copy(f->arena, dg_text_get(&b->vectors[1], i));
    array_add(f->arena, f->out, m);
    return f->arena->failed ? DG_NOMEM : DG_OK;
}

static DgStatus search_one(PgVector *p, const float *query, int32_t top_k, const VectorFilter *filter, Found *found, DgError *err)
{
    static const char *const scores[] = {"1 - (embedding <=> q)", "-(embedding <#> q)", "-(embedding <-> q)"};
    static const char *const orders[] = {"<=>", "<#>", "<->"};
    StrBuf b = {0}, numbers = {0};
    DgEval ev;
    arena_reset(&p->arena);
    dg_eval_init(&ev, &p->arena);
    vector_write(&numbers, query, p->store.dimension);
    buf_format(&b, "SELECT id, \"text\", metadata::text AS metadata, (%s)::float8 AS score FROM %.*s, (SELECT '%.*s'::vector AS q) AS query", scores[p->store.metric],
               FMT(p->table), FMT(buf_str(&numbers)));
    for (size_t i = 0; i < filter->count; i++) {
        buf_add(&b, i ? S(" AND ") : S(" WHERE "));
        add_condition(&b, &ev, &filter->conditions[i]);
    }
    /* The literal, not the column of a subquery: else an index on the embeddings would not be used. */
    buf_format(&b, " ORDER BY embedding %s '%.*s'::vector LIMIT %d", orders[p->store.metric], FMT(buf_str(&numbers)), top_k);
    DgStatus s = each_row(p, str_copy(&p->arena, buf_str(&b)), take_match, found, err);
    buf_free(&b);
    buf_free(&numbers);
    dg_eval_free(&ev);
    return s;
}

static DgStatus pgvector_query(VectorStore *s, const VectorQuery *queries, int32_t count, int32_t top_k, const VectorFilter *filter, Arena *a,
                               VectorMatches *matches, DgError *err)
{
    for (int32_t i = 0; i < count; i++)
        DG_TRY(search_one((PgVector *)s, queries[i].values, top_k, filter, &(Found){a, &matches[i]}, err));
    return DG_OK;
}

/* ---- Rebuilding ---- */

static DgStatus pgvector_beside(VectorStore *s, int64_t dimension, int32_t metric, DgError *err)
{
    PgVector *p = (PgVector *)s;
    StrBuf b = {0};
    DG_TRY(engine->begin(p->db, DG_TX_WRITE, err));
    buf_format(&b, "DELETE FROM %.*s; ", FMT(p->table));
    if (dimension != p->store.dimension)
        buf_format(&b, "ALTER TABLE %.*s ALTER COLUMN embedding TYPE vector(%lld); ", FMT(p->table), (long long)dimension);
    add_comment(p, &b, metric);
    DG_TRY(exec(p, &b, err));
    p->store.dimension = dimension;
    p->store.metric = metric;
    return DG_OK;
}

static DgStatus pgvector_switch(VectorStore *s, DgError *err)
{
    PgVector *p = (PgVector *)s;
    bool unknown = false;
    DG_TRY(engine->commit(p->db, &unknown, err)); /* unknown or not: the next run lists the table */
    os_crashpoint("vector.switch");
    return DG_OK;
}

const VectorStoreType vector_pgvector = {
    .name = "pgvector",
    .title = "pgvector",
    .upsert_max = 500,
    .remove_max = 1000,
    .query_max = 100,
    .bytes_max = 16u << 20,
    .dimension_max = 16000,
    .exact_integers = true,
    .open = pgvector_open,
    .close = pgvector_close,
    .find = pgvector_find,
    .create = pgvector_create,
    .upsert = pgvector_upsert,
    .remove = pgvector_remove,
    .count = pgvector_count,
    .list = pgvector_list,
    .query = pgvector_query,
    .beside = pgvector_beside,
    .switch_over = pgvector_switch,
};
