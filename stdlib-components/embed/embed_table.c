/* embed_table.c - rows and their vectors: made anew, or only where they differ. */
#include "stdlib-components/embed/embed_table.h"

#include "runtime/run/step_tables.h"

typedef struct Names { /* quoted */
    DgStr from, made, into, column;
} Names;

static Names names_of(const EmbedTable *t)
{
    return (Names){dg_table(t->run, t->step->from), dg_table(t->run, t->step->asset), dg_quote_name(t->run, t->step->into),
                   dg_quote_name(t->run, t->step->column)};
}

/* A SELECT of the source's columns, without one that is called like the vector's. */
static DgStr source_rows(const EmbedTable *t)
{
    Names n = names_of(t);
    return dg_format(t->run, "SELECT COLUMNS(s.* EXCLUDE (%.*s)) FROM (SELECT *, NULL AS %.*s FROM %.*s) s", FMT(n.into), FMT(n.into), FMT(n.from));
}

static DgStr own_rows(const EmbedTable *t)
{
    Names n = names_of(t);
    return dg_format(t->run, "SELECT * EXCLUDE (%.*s) FROM %.*s", FMT(n.into), FMT(n.made));
}

/* Names and types of a query's columns, as one text. */
static DgStatus shape_of(const EmbedTable *t, DgStr query, DgStr *out, DgError *err)
{
    return dg_sql_text(t->run, dg_format(t->run, "SELECT string_agg(column_name || ' ' || column_type, chr(10)) FROM (DESCRIBE %.*s)", FMT(query)), out, err);
}

static DgStatus find_dimensions(EmbedTable *t, DgError *err)
{
    Names n = names_of(t);
    DgStr mine, theirs, type;
    DG_TRY(shape_of(t, own_rows(t), &mine, err));
    DG_TRY(shape_of(t, source_rows(t), &theirs, err));
    DG_TRY(shape_of(t, dg_format(t->run, "SELECT %.*s AS v FROM %.*s", FMT(n.into), FMT(n.made)), &type, err));
    DgStr head = DG_S("v FLOAT["), digits = type;
    if (!str_eq(mine, theirs) || !str_starts(type, head) || type.ptr[type.len - 1] != ']')
        return DG_OK;
    digits.ptr += head.len, digits.len -= head.len + 1;
    t->holds = str_to_int(digits, &t->dimensions) && (!t->step->dimensions || t->dimensions == t->step->dimensions);
    return DG_OK;
}

DgStatus embed_table_open(DgStepRun *run, const EmbedStep *step, DgStr whom, EmbedTable *out, DgError *err)
{
    DgStr schema, table, comment;
    *out = (EmbedTable){.run = run, .step = step};
    out->maker = dg_format(run, "dgc.Embed: `%.*s` is made of `%.*s` by %.*s, %.*s", FMT(step->into), FMT(step->column), FMT(step->llm.model), FMT(whom));
    dg_step_table(run, step->asset, &schema, &table);
    if (dg_full_refresh(run))
        return DG_OK;
    DG_TRY(dg_sql_text(run, dg_format(run, "SELECT comment FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = %.*s AND table_name = %.*s",
                                      FMT(dg_quote_text(run, schema)), FMT(dg_quote_text(run, table))), &comment, err));
    return str_eq(comment, out->maker) ? find_dimensions(out, err) : DG_OK;
}

DgStr embed_table_texts(const EmbedTable *t)
{
    Names n = names_of(t);
    /* A pattern that finds its first letter at once: trim() goes through all of a text. */
    DgStr all = dg_format(t->run, "SELECT DISTINCT CAST(%.*s AS VARCHAR) AS text FROM %.*s WHERE regexp_matches(CAST(%.*s AS VARCHAR), '\\S')", FMT(n.column), FMT(n.from),
                          FMT(n.column));
    return t->holds ? dg_format(t->run, "SELECT text FROM (%.*s) ANTI JOIN (SELECT CAST(%.*s AS VARCHAR) AS text FROM %.*s WHERE %.*s IS NOT NULL) USING (text)",
                                FMT(all), FMT(n.column), FMT(n.made), FMT(n.into))
                    : all;
}

static DgStatus make_anew(const EmbedTable *t, int64_t dimensions, DgError *err)
{
    Names n = names_of(t);
    DG_TRY(dg_sql(t->run, dg_format(t->run, "CREATE OR REPLACE TABLE %.*s AS SELECT f.*, CAST(v.vector AS FLOAT[%lld]) AS %.*s FROM (%.*s) f "
                                    "LEFT JOIN dgc_vectors v ON v.text = CAST(f.%.*s AS VARCHAR)",
                                    FMT(n.made), (long long)dimensions, FMT(n.into), FMT(source_rows(t)), FMT(n.column)), err));
    /* Without a vector nothing is known of their length. */
    DgStr maker = dg_format(t->run, "COMMENT ON TABLE %.*s IS %.*s", FMT(n.made), FMT(dg_quote_text(t->run, t->maker)));
    int64_t vectors;
    DG_TRY(dg_sql_int(t->run, str_from("SELECT count(*) FROM dgc_vectors"), &vectors, err));
    return vectors ? dg_sql(t->run, maker, err) : DG_OK;
}

/* dgc_changes: each row that differs, and by how many copies. */
static DgStatus find_changes(const EmbedTable *t, int64_t *changes, DgError *err)
{
    DG_TRY(dg_sql(t->run, dg_format(t->run, "CREATE OR REPLACE TEMP TABLE dgc_changes AS SELECT * EXCLUDE (dgc_copies), sum(dgc_copies)::BIGINT AS dgc_copies FROM "
                                    "(SELECT *, 1 AS dgc_copies FROM (%.*s) UNION ALL SELECT *, -1 FROM (%.*s)) GROUP BY ALL HAVING sum(dgc_copies) <> 0",
                                    FMT(source_rows(t)), FMT(own_rows(t))), err));
    return dg_sql_int(t->run, str_from("SELECT count(*) FROM dgc_changes"), changes, err);
}

static DgStatus write_changes(const EmbedTable *t, DgError *err)
{
    Names n = names_of(t);
    DgStr same;
    DG_TRY(dg_sql_text(t->run, dg_format(t->run, "SELECT string_agg(format('t.{0} IS NOT DISTINCT FROM c.{0}', '\"' || replace(column_name, '\"', '\"\"') || '\"'), ' AND ') "
                                         "FROM (DESCRIBE %.*s)", FMT(own_rows(t))), &same, err));
    /* New rows whose text stood in the table take its vector from there: so before anything goes. */
    DG_TRY(dg_sql(t->run, dg_format(t->run, "INSERT INTO dgc_vectors SELECT text, any_value(vector) FROM (SELECT CAST(%.*s AS VARCHAR) AS text, CAST(%.*s AS FLOAT[]) AS vector "
                                    "FROM %.*s WHERE %.*s IS NOT NULL) WHERE text IN (SELECT CAST(%.*s AS VARCHAR) FROM dgc_changes WHERE dgc_copies > 0) GROUP BY text",
                                    FMT(n.column), FMT(n.into), FMT(n.made), FMT(n.into), FMT(n.column)), err));
    DG_TRY(dg_sql(t->run, dg_format(t->run, "CREATE OR REPLACE TEMP TABLE dgc_fresh AS SELECT c.* EXCLUDE (dgc_copies, dgc_copy), CAST(v.vector AS FLOAT[%lld]) AS %.*s "
                                    "FROM (SELECT *, unnest(range(dgc_copies)) AS dgc_copy FROM dgc_changes WHERE dgc_copies > 0) c "
                                    "LEFT JOIN dgc_vectors v ON v.text = CAST(c.%.*s AS VARCHAR)",
                                    (long long)t->dimensions, FMT(n.into), FMT(n.column)), err));
    DG_TRY(dg_sql(t->run, dg_format(t->run, "DELETE FROM %.*s WHERE rowid IN (SELECT id FROM (SELECT t.rowid AS id, row_number() OVER (PARTITION BY c.rowid) AS copy, -c.dgc_copies AS copies "
                                    "FROM %.*s t JOIN dgc_changes c ON %.*s WHERE c.dgc_copies < 0) WHERE copy <= copies)",
                                    FMT(n.made), FMT(n.made), FMT(same)), err));
    DG_TRY(dg_sql(t->run, dg_format(t->run, "INSERT INTO %.*s SELECT * FROM dgc_fresh", FMT(n.made)), err));
    return dg_sql(t->run, str_from("DROP TABLE dgc_fresh"), err);
}

DgStatus embed_table_write(const EmbedTable *t, int64_t dimensions, int64_t *rows, DgError *err)
{
    int64_t changes = 0;
    if (t->holds) {
        DG_TRY(find_changes(t, &changes, err));
        if (changes)
            DG_TRY(write_changes(t, err));
        DG_TRY(dg_sql(t->run, str_from("DROP TABLE dgc_changes"), err));
    } else {
        DG_TRY(make_anew(t, dimensions, err));
    }
    DG_TRY(dg_sql(t->run, str_from("DROP TABLE dgc_vectors"), err));
    return dg_sql_int(t->run, dg_format(t->run, "SELECT count(*) FROM %.*s", FMT(dg_table(t->run, t->step->asset))), rows, err);
}
