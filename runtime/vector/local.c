/* local.c - the index in DuckDB: the asset's own table, (id, text, metadata..., embedding FLOAT[N]). Rows that are the
 * same stay; all is one transaction with the step's commit. */
#include "runtime/os/os.h"
#include "runtime/vector/index.h"

static Str column_list(const VectorSource *s, bool of_source)
{
    const VectorIndexStep *step = s->step;
    StrBuf b = {0};
    Str text = step->text.len ? dg_format(s->run, "%.*s::VARCHAR", FMT(dg_quote_name(s->run, step->text))) : S("NULL::VARCHAR");
    if (of_source)
        buf_format(&b, "%.*s::VARCHAR AS id, %.*s AS \"text\"", FMT(dg_quote_name(s->run, step->id)), FMT(text));
    else
        buf_add(&b, S("id, \"text\""));
    for (size_t i = 0; i < s->metadata_count; i++)
        buf_format(&b, ", %.*s", FMT(dg_quote_name(s->run, s->metadata[i].name)));
    if (of_source)
        buf_format(&b, ", %.*s AS embedding", FMT(vector_sql_embedding(s)));
    else
        buf_add(&b, S(", embedding"));
    Str out = dg_format(s->run, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

DgStatus vector_table_there(DgStepRun *run, Str table, bool *there, DgError *err)
{
    int64_t count;
    DG_TRY(vector_sql_int(run, &count, err, "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND "
                          "'\"' || replace(schema_name, '\"', '\"\"') || '\".\"' || replace(table_name, '\"', '\"\"') || '\"' = %.*s", FMT(dg_quote_text(run, table))));
    *there = count > 0;
    return DG_OK;
}

/* Whether the table has the columns, with their types, that `select` gives. */
static DgStatus same_columns(DgStepRun *run, Str table, Str select, bool *same, DgError *err)
{
    bool there;
    Str has, wanted;
    static const char shape[] = "SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE %.*s)";
    *same = false;
    DG_TRY(vector_table_there(run, table, &there, err));
    if (!there)
        return DG_OK;
    DG_TRY(vector_sql_text(run, &has, err, shape, FMT(dg_format(run, "SELECT * FROM %.*s", FMT(table)))));
    DG_TRY(vector_sql_text(run, &wanted, err, shape, FMT(select)));
    *same = str_eq(has, wanted);
    return DG_OK;
}

static DgStatus anew(const VectorSource *s, Str table, Str rows, int64_t *sent, int64_t *removed, DgError *err)
{
    DG_TRY(vector_sql(s->run, err, "CREATE OR REPLACE TABLE %.*s AS %.*s", FMT(table), FMT(rows)));
    *sent = s->rows;
    *removed = 0;
    return DG_OK;
}

/* `n` and `h` differ in a column beside the id. */
static Str differs(const VectorSource *s)
{
    StrBuf b = {0};
    buf_add(&b, S("n.\"text\" IS DISTINCT FROM h.\"text\" OR n.embedding IS DISTINCT FROM h.embedding"));
    for (size_t i = 0; i < s->metadata_count; i++) {
        Str name = dg_quote_name(s->run, s->metadata[i].name);
        buf_format(&b, " OR n.%.*s IS DISTINCT FROM h.%.*s", FMT(name), FMT(name));
    }
    Str out = dg_format(s->run, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

static DgStatus changes(const VectorSource *s, Str table, Str rows, int64_t *sent, int64_t *removed, DgError *err)
{
    DgStepRun *run = s->run;
    DG_TRY(vector_sql(run, err, "CREATE OR REPLACE TEMP TABLE _dgc_send AS SELECT n.id FROM (%.*s) n LEFT JOIN %.*s h USING (id) WHERE h.id IS NULL OR %.*s", FMT(rows),
                      FMT(table), FMT(differs(s))));
    DG_TRY(vector_sql_int(run, removed, err, "SELECT count(*) FROM %.*s ANTI JOIN _dgc_wanted USING (id)", FMT(table)));
    DG_TRY(vector_sql_int(run, sent, err, "SELECT count(*) FROM _dgc_send"));
    if (*removed || *sent)
        DG_TRY(vector_sql(run, err, "DELETE FROM %.*s WHERE id NOT IN (SELECT id FROM _dgc_wanted) OR id IN (SELECT id FROM _dgc_send)", FMT(table)));
    if (*sent)
        DG_TRY(vector_sql(run, err, "INSERT INTO %.*s %.*s AND %.*s::VARCHAR IN (SELECT id FROM _dgc_send)", FMT(table), FMT(rows), FMT(dg_quote_name(run, s->step->id))));
    return DG_OK;
}

DgStatus vector_index_local(DgStepRun *run, const VectorIndexStep *step, DgError *err)
{
    VectorSource s;
    int64_t sent, removed, count;
    bool same = false;
    DG_TRY(vector_source(run, step, NULL, &s, err));
    Str table = dg_table(run, step->asset);
    if (s.dimension == 0)
        s.dimension = 1; /* an empty table has some type, too */
    Str rows = dg_format(run, "SELECT %.*s FROM %.*s WHERE %.*s::VARCHAR IN (SELECT id FROM _dgc_wanted)", FMT(column_list(&s, true)), FMT(s.table),
                         FMT(dg_quote_name(run, step->id)));
    if (!step->rebuild && !run->run->options.full_refresh)
        DG_TRY(same_columns(run, table, rows, &same, err));
    DG_TRY(same ? changes(&s, table, rows, &sent, &removed, err) : anew(&s, table, rows, &sent, &removed, err));
    DG_TRY(vector_sql_int(run, &count, err, "SELECT count(*) FROM %.*s", FMT(table)));
    if (count != s.rows)
        return dg_fail(err, DG_BUG, "the index has %lld rows, not %lld", (long long)count, (long long)s.rows);
    dg_progress(run, sent, 0);
    dg_report_metadata(run, step->asset, "dagster/row_count", dgv_int(s.rows));
    dg_report_metadata(run, step->asset, "sent", dgv_int(sent));
    dg_report_metadata(run, step->asset, "removed", dgv_int(removed));
    dg_report_metadata(run, step->asset, "skipped", dgv_int(s.skipped));
    dg_report_metadata(run, step->asset, "dimension", dgv_int(s.dimension));
    return DG_OK;
}
