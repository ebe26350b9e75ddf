/* source.c - the table that is indexed: its columns, what is sent of each row, and its hash. */
#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "runtime/vector/index.h"

/* ---- SQL made like printf does ---- */

static Str made(DgStepRun *run, const char *fmt, va_list args)
{
    pthread_mutex_lock(&run->lock);
    Str text = str_vformat(&run->arena, fmt, args);
    pthread_mutex_unlock(&run->lock);
    return text;
}

DgStatus vector_sql(DgStepRun *run, DgError *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str sql = made(run, fmt, args);
    va_end(args);
    return sql.ptr ? dg_sql(run, sql, err) : os_no_memory(err, "for an SQL statement");
}

DgStatus vector_sql_int(DgStepRun *run, int64_t *out, DgError *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str sql = made(run, fmt, args);
    va_end(args);
    return sql.ptr ? dg_sql_int(run, sql, out, err) : os_no_memory(err, "for an SQL statement");
}

DgStatus vector_sql_text(DgStepRun *run, Str *out, DgError *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str sql = made(run, fmt, args);
    va_end(args);
    return sql.ptr ? dg_sql_text(run, sql, out, err) : os_no_memory(err, "for an SQL statement");
}

/* ---- Columns ---- */

DgStatus vector_columns(DgStepRun *run, Str table, const VectorColumn **out, size_t *count, DgError *err)
{
    DgSession *session;
    DgScan *scan;
    DgBatch b;
    int32_t n;
    Array(VectorColumn) columns = {0};
    DG_TRY(step_session(run, &session, err));
    DG_TRY(dg_scan_open(session, dg_format(run, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM %.*s)", FMT(table)), &scan, err));
    const DgColumn *shape = dg_scan_columns(scan, &n);
    DgStatus status = dg_batch_init(&b, shape, n, DG_BATCH_ROWS, err);
    while (status == DG_OK && (status = dg_scan_next(scan, &b, err)) == DG_OK)
        for (int32_t i = 0; i < b.rows; i++) {
            VectorColumn c = {step_copy(run, dg_text_get(&b.vectors[0], i)), step_copy(run, dg_text_get(&b.vectors[1], i))};
            pthread_mutex_lock(&run->lock);
            array_add(&run->arena, &columns, c);
            pthread_mutex_unlock(&run->lock);
        }
    dg_batch_release(&b);
    dg_scan_close(scan);
    *out = columns.items;
    *count = columns.count;
    return status == DG_END ? DG_OK : status;
}

static bool is_number(Str type)
{
    static const char *const names[] = {"FLOAT", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(type, str_from(names[i])))
            return true;
    return str_starts(type, S("DECIMAL("));
}

int64_t vector_type_dimension(Str type)
{
    int64_t n = 0;
    ptrdiff_t open = type.len;
    if (!str_ends(type, S("]")))
        return -1;
    while (open > 0 && type.ptr[open - 1] != '[')
        open--;
    Str size = str_sub(type, open, type.len - 1);
    if (open == 0 || !is_number(str_sub(type, 0, open - 1)) || (size.len && !str_to_int(size, &n)))
        return -1;
    return n;
}

static const VectorColumn *column(const VectorColumn *columns, size_t count, Str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(columns[i].name, name))
            return &columns[i];
    return NULL;
}

static DgStatus missing(DgStepRun *run, Str asset, Str name, const char *attribute, const VectorColumn *columns, size_t count, DgError *err)
{
    StrBuf b = {.max = 300};
    for (size_t i = 0; i < count; i++)
        buf_format(&b, "%s`%.*s`", i ? ", " : "", FMT(columns[i].name));
    dg_fail(err, DG_CONFIG, "the table of `%.*s` has no column `%.*s`", FMT(asset), FMT(name));
    dg_hint(err, "name the column with `%s:`; there are %.*s", attribute, FMT(buf_str(&b)));
    buf_free(&b);
    return DG_CONFIG;
}

/* ---- SQL of a record ---- */

static Str q(const VectorSource *s, Str name) { return dg_quote_name(s->run, name); }

Str vector_sql_sparse(DgStepRun *run, Str name)
{
    Str n = name.len ? dg_quote_name(run, name) : (Str){0};
    return name.len ? dg_format(run, "CASE WHEN len(%.*s.\"indices\") > 0 THEN json_object('indices', %.*s.\"indices\", 'values', %.*s.\"values\")::VARCHAR END",
                                FMT(n), FMT(n), FMT(n))
                    : S("NULL::VARCHAR");
}

DgStatus vector_check_sparse(Str asset, const VectorColumn *column, DgError *err)
{
    if (str_starts(column->type, S("STRUCT(")) && str_find(column->type, S("indices")) >= 0 && str_find(column->type, S("values")) >= 0)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "column `%.*s` of `%.*s` is %.*s, not a struct of `indices` and `values`", FMT(column->name), FMT(asset), FMT(str_sub(column->type, 0, 200)));
    dg_hint(err, "SQL makes one: {'indices': [3, 17], 'values': [0.5, 1.25]}");
    return DG_CONFIG;
}

/* A value as JSON that every store takes: numbers and booleans as they are, the rest as text. */
static Str json_of(const VectorSource *s, const VectorStoreType *type, const VectorColumn *c)
{
    Str name = q(s, c->name), t = c->type;
    if (str_eq(t, S("BOOLEAN")) || str_eq(t, S("TINYINT")) || str_eq(t, S("SMALLINT")) || str_eq(t, S("INTEGER")) ||
        str_eq(t, S("UTINYINT")) || str_eq(t, S("USMALLINT")) || str_eq(t, S("UINTEGER")))
        return dg_format(s->run, "to_json(%.*s)", FMT(name));
    if (str_eq(t, S("BIGINT")) && (!type || type->exact_integers))
        return dg_format(s->run, "to_json(%.*s)", FMT(name));
    if (str_eq(t, S("BIGINT"))) {
        Str words = dg_quote_text(s->run, dg_format(s->run, "column `%.*s` has a number that %s cannot keep exactly: make it text", FMT(c->name), type->title));
        return dg_format(s->run, "to_json(CASE WHEN %.*s BETWEEN -9007199254740992 AND 9007199254740992 THEN %.*s ELSE error(%.*s) END)",
                         FMT(name), FMT(name), FMT(words));
    }
    if (str_eq(t, S("FLOAT")) || str_eq(t, S("DOUBLE")) || str_starts(t, S("DECIMAL(")))
        return dg_format(s->run, "CASE WHEN isfinite(%.*s::DOUBLE) THEN to_json(%.*s::DOUBLE) ELSE to_json(%.*s::VARCHAR) END", FMT(name), FMT(name), FMT(name));
    return dg_format(s->run, "to_json(%.*s::VARCHAR)", FMT(name));
}

/* Nulls are left out: no store keeps them. */
Str vector_sql_metadata(const VectorSource *s, const VectorStoreType *type)
{
    StrBuf b = {0};
    buf_add(&b, S("concat_ws(',', ''")); /* '' is taken off below */
    for (size_t i = 0; i < s->metadata_count; i++) {
        StrBuf key = {0};
        buf_json(&key, s->metadata[i].name);
        buf_char(&key, ':');
        Str name = q(s, s->metadata[i].name);
        buf_format(&b, ", CASE WHEN %.*s IS NOT NULL THEN %.*s || %.*s END", FMT(name), FMT(dg_quote_text(s->run, buf_str(&key))),
                   FMT(json_of(s, type, &s->metadata[i])));
        buf_free(&key);
    }
    buf_char(&b, ')');
    Str out = dg_format(s->run, "substr(%.*s, 2)", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

Str vector_sql_embedding(const VectorSource *s)
{
    return dg_format(s->run, "%.*s::FLOAT[%lld]", FMT(q(s, s->step->embedding)), (long long)s->dimension);
}

Str vector_sql_hash(const VectorSource *s, const VectorStoreType *type, Str text, Str embedding)
{
    Str sparse = s->step->sparse.len ? vector_sql_sparse(s->run, s->step->sparse) : S("''");
    return dg_format(s->run, "md5(concat_ws(chr(31), coalesce(%.*s, chr(30)), %.*s, hash(%.*s), coalesce(%.*s, '')))", FMT(text),
                     FMT(vector_sql_metadata(s, type)), FMT(embedding), FMT(sparse));
}

/* ---- The source ---- */

static bool has_role(const VectorIndexStep *step, Str name)
{
    return str_eq_nocase(name, step->id) || str_eq_nocase(name, step->text) || str_eq_nocase(name, step->embedding) || str_eq_nocase(name, step->sparse);
}

static DgStatus take_metadata(VectorSource *s, const VectorColumn *columns, size_t count, DgError *err)
{
    const VectorIndexStep *step = s->step;
    VectorColumn *out = dg_alloc(s->run, (count + step->metadata.count + 1) * sizeof *out);
    if (!out)
        return os_no_memory(err, "for the columns of an index");
    for (size_t i = 0; step->all_metadata && i < count; i++)
        if (!has_role(step, columns[i].name))
            out[s->metadata_count++] = columns[i];
    for (size_t i = 0; !step->all_metadata && i < step->metadata.count; i++) {
        Str name = DG_ITEMS(DgStr, step->metadata)[i];
        const VectorColumn *c = column(columns, count, name);
        if (!c)
            return missing(s->run, step->from, name, "columns", columns, count, err);
        out[s->metadata_count++] = *c;
    }
    s->metadata = out;
    for (size_t i = 0; i < s->metadata_count; i++) {
        static const char *const taken[] = {"id", "text", "embedding", VECTOR_HASH_KEY, VECTOR_ID_KEY};
        for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
            if (str_eq_nocase(out[i].name, str_from(taken[k]))) {
                dg_fail(err, DG_CONFIG, "column `%.*s` of `%.*s` cannot be metadata: the index has a column of that name", FMT(out[i].name), FMT(step->from));
                dg_hint(err, "leave it out with `columns: [...]`, or call it something else in the table");
                return DG_CONFIG;
            }
    }
    return DG_OK;
}

static DgStatus find_dimension(VectorSource *s, const VectorColumn *e, const VectorStoreType *type, DgError *err)
{
    int64_t least = 0, n = vector_type_dimension(e->type);
    Str name = q(s, e->name);
    if (n < 0) {
        dg_fail(err, DG_CONFIG, "column `%.*s` of `%.*s` is %.*s, not an array of numbers", FMT(e->name), FMT(s->step->from), FMT(e->type));
        dg_hint(err, "make it FLOAT[N], as `dgc.Embed` does; `embedding:` names the column");
        return DG_CONFIG;
    }
    if (n == 0) {
        DG_TRY(vector_sql_int(s->run, &n, err, "SELECT max(len(%.*s)) FROM %.*s", FMT(name), FMT(s->table)));
        DG_TRY(vector_sql_int(s->run, &least, err, "SELECT min(len(%.*s)) FROM %.*s", FMT(name), FMT(s->table)));
        if (least != n)
            return dg_fail(err, DG_DATA, "the lists in column `%.*s` of `%.*s` have from %lld to %lld numbers; all must have the same", FMT(e->name),
                           FMT(s->step->from), (long long)least, (long long)n);
    }
    if (n > (type ? type->dimension_max : VECTOR_DIMENSION_MAX))
        return dg_fail(err, DG_DATA, "the embeddings of `%.*s` have %lld numbers; %s takes %lld", FMT(s->step->from), (long long)n, type ? type->title : "DuckDB",
                       (long long)(type ? type->dimension_max : VECTOR_DIMENSION_MAX));
    s->dimension = n;
    return DG_OK;
}

/* One row that breaks a rule is enough to say no. */
static DgStatus refuse(VectorSource *s, const char *condition, const char *what, DgError *err)
{
    Str id;
    DG_TRY(vector_sql_text(s->run, &id, err, "SELECT any_value(CASE WHEN id IS NULL OR id = '' THEN chr(31) ELSE id END) FROM _dgc_wanted WHERE %s", condition));
    if (!id.len)
        return DG_OK;
    return str_eq(id, S("\x1f")) ? dg_fail(err, DG_DATA, "`%.*s` has a row %s", FMT(s->step->from), what)
                                 : dg_fail(err, DG_DATA, "row `%.*s` of `%.*s` %s", FMT(str_sub(id, 0, 200)), FMT(s->step->from), what);
}

static DgStatus make_wanted(VectorSource *s, const VectorStoreType *type, DgError *err)
{
    Str id = q(s, s->step->id), twice, e = vector_sql_embedding(s);
    Str text = s->step->text.len ? dg_format(s->run, "%.*s::VARCHAR", FMT(q(s, s->step->text))) : S("NULL::VARCHAR");
    if (s->dimension == 0)
        return vector_sql(s->run, err, "CREATE OR REPLACE TEMP TABLE _dgc_wanted(id VARCHAR, hash VARCHAR)");
    Str hash = type ? vector_sql_hash(s, type, text, S("e")) : S("NULL::VARCHAR"); /* DuckDB's own rows are compared as they are */
    DgStatus status = vector_sql(s->run, err,
                                 "CREATE OR REPLACE TEMP TABLE _dgc_wanted AS SELECT %.*s::VARCHAR AS id, %.*s AS hash, array_inner_product(e, e) AS norm "
                                 "FROM (SELECT *, %.*s AS e FROM %.*s)",
                                 FMT(id), FMT(hash), FMT(e), FMT(s->table));
    if (status == DG_FAILED || status == DG_DATA) {
        DgError why = *err;
        return dg_fail(err, DG_DATA, "the rows of `%.*s` cannot be indexed: %s", FMT(s->step->from), why.message);
    }
    DG_TRY(status);
    int64_t bad;
    DG_TRY(vector_sql_int(s->run, &bad, err, "SELECT count(*) FILTER (WHERE id IS NULL OR id = '' OR NOT isfinite(norm)) + count(id) - count(DISTINCT id) FROM _dgc_wanted"));
    if (bad) {
        DG_TRY(refuse(s, "id IS NULL OR id = ''", "without an id", err));
        DG_TRY(refuse(s, "NOT isfinite(norm)", "has an embedding with infinite, huge or missing numbers", err));
        DG_TRY(vector_sql_text(s->run, &twice, err, "SELECT id FROM _dgc_wanted GROUP BY id HAVING count(*) > 1 LIMIT 1"));
        dg_fail(err, DG_DATA, "the id `%.*s` is in more than one row of `%.*s`", FMT(str_sub(twice, 0, 200)), FMT(s->step->from));
        dg_hint(err, "`id:` names a column whose values tell all rows apart");
        return DG_DATA;
    }
    DG_TRY(vector_sql_int(s->run, &s->skipped, err, "SELECT count(*) FROM _dgc_wanted WHERE norm IS NULL OR norm = 0"));
    if (s->skipped) {
        dg_log(s->run, DG_LOG_WARNING, "%lld rows of `%.*s` have no embedding, or one of zeros only: they are not in the index", (long long)s->skipped, FMT(s->step->from));
        DG_TRY(vector_sql(s->run, err, "DELETE FROM _dgc_wanted WHERE norm IS NULL OR norm = 0"));
    }
    return vector_sql_int(s->run, &s->rows, err, "SELECT count(*) FROM _dgc_wanted");
}

DgStatus vector_source(DgStepRun *run, const VectorIndexStep *step, const VectorStoreType *type, VectorSource *out, DgError *err)
{
    const VectorColumn *columns, *e;
    size_t count;
    *out = (VectorSource){.run = run, .step = step, .table = dg_table(run, step->from)};
    DG_TRY(vector_columns(run, out->table, &columns, &count, err));
    if (!column(columns, count, step->id))
        return missing(run, step->from, step->id, "id", columns, count, err);
    if (step->text.len && !column(columns, count, step->text))
        return missing(run, step->from, step->text, "text", columns, count, err);
    if (step->sparse.len && !column(columns, count, step->sparse))
        return missing(run, step->from, step->sparse, "sparse", columns, count, err);
    if (step->sparse.len)
        DG_TRY(vector_check_sparse(step->from, column(columns, count, step->sparse), err));
    if (!(e = column(columns, count, step->embedding)))
        return missing(run, step->from, step->embedding, "embedding", columns, count, err);
    DG_TRY(take_metadata(out, columns, count, err));
    DG_TRY(find_dimension(out, e, type, err));
    return make_wanted(out, type, err);
}
