/* expect.c - how good a search is, against what should have been found. */
#include <math.h>

#include "runtime/os/os.h"
#include "runtime/vector/search.h"

enum { SHOWN_MAX = 5 };

/* _dgc_hits(query, rank): a row for each pair that should be found; rank null where it was not. */
static DgStatus make_hits(DgStepRun *run, const VectorSearchStep *step, DgError *err)
{
    const VectorExpect *x = &step->expect;
    Str queries = dg_table(run, step->queries), column = dg_quote_name(run, x->relevant), type = {0}, one, key;
    const VectorColumn *columns;
    size_t count;
    DG_TRY(vector_columns(run, queries, &columns, &count, err));
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(columns[i].name, x->relevant))
            type = columns[i].type;
    if (!type.len) {
        dg_fail(err, DG_CONFIG, "the table of `%.*s` has no column `%.*s`", FMT(step->queries), FMT(x->relevant));
        dg_hint(err, "`expect.relevant` names the column with the ids that should be found");
        return DG_CONFIG;
    }
    one = str_ends(type, S("]")) ? dg_format(run, "unnest(%.*s)", FMT(column)) : column;
    key = str_eq(x->by, S("id")) ? S("m.id") : dg_format(run, "(m.metadata ->> %.*s)", FMT(dg_quote_text(run, x->by)));
    return vector_sql(run, err,
                      "CREATE OR REPLACE TEMP TABLE _dgc_hits AS WITH wanted AS (SELECT DISTINCT q, w::VARCHAR AS w FROM (SELECT %.*s::VARCHAR AS q, %.*s AS w FROM %.*s) "
                      "WHERE w IS NOT NULL AND q IS NOT NULL) SELECT wanted.q AS query, min(m.rank) AS rank FROM wanted LEFT JOIN %.*s m "
                      "ON m.query_id = wanted.q AND %.*s = wanted.w AND m.rank <= %lld GROUP BY wanted.q, wanted.w",
                      FMT(dg_quote_name(run, step->id)), FMT(one), FMT(queries), FMT(dg_table(run, step->asset)), FMT(key), (long long)x->k);
}

static DgStatus number(DgStepRun *run, const char *sql, double *out, DgError *err)
{
    Str text;
    DG_TRY(vector_sql_text(run, &text, err, "SELECT %s FROM (SELECT query, count(rank) / count(*) AS recall, coalesce(1.0::DOUBLE / min(rank), 0) AS rr FROM _dgc_hits GROUP BY query)", sql));
    if (!str_to_double(text, out))
        *out = NAN;
    return DG_OK;
}

static DgStatus judge(DgStepRun *run, const VectorSearchStep *step, DgStr check, const char *what, double value, double least, int64_t questions, Str missed, DgError *err)
{
    Str detail = {0};
    bool passed = questions > 0 && value >= least - 1e-9;
    if (!check.len)
        return DG_OK;
    if (questions == 0)
        detail = dg_format(run, "no query of `%.*s` says in `%.*s` what should be found", FMT(step->queries), FMT(step->expect.relevant));
    else
        detail = dg_format(run, "%s is %.4f%s %.4g, for %lld questions%s%.*s", what, value, passed ? ", at least" : ", less than", least, (long long)questions,
                           missed.len ? "; not all was found for " : "", FMT(missed));
    dg_report_check(run, step->asset, check, passed, detail);
    return DG_OK;
}

DgStatus vector_expect(DgStepRun *run, const VectorSearchStep *step, DgError *err)
{
    const VectorExpect *x = &step->expect;
    double recall, mrr;
    int64_t questions;
    Str missed;
    if (!x->relevant.len)
        return DG_OK;
    DG_TRY(make_hits(run, step, err));
    DG_TRY(vector_sql_int(run, &questions, err, "SELECT count(DISTINCT query) FROM _dgc_hits"));
    DG_TRY(number(run, "avg(recall)", &recall, err));
    DG_TRY(number(run, "avg(rr)", &mrr, err));
    DG_TRY(vector_sql_text(run, &missed, err, "SELECT string_agg('`' || query || '`', ', ' ORDER BY query) FROM (SELECT DISTINCT query FROM _dgc_hits WHERE rank IS NULL ORDER BY query LIMIT %d)", SHOWN_MAX));
    if (questions) {
        dg_report_metadata(run, step->asset, "recall", dgv_float(recall));
        dg_report_metadata(run, step->asset, "mrr", dgv_float(mrr));
    }
    dg_report_metadata(run, step->asset, "questions", dgv_int(questions));
    const char *what = dg_format(run, "recall@%lld", (long long)x->k).ptr;
    DG_TRY(judge(run, step, x->recall_check, what ? what : "recall", recall, x->recall, questions, missed, err));
    return judge(run, step, x->mrr_check, "MRR", mrr, x->mrr, questions, (Str){0}, err);
}
