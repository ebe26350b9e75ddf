/* csv_numbers.c - columns of CSV that DuckDB would read as doubles and whose numbers doubles do not hold: identifiers of
 * twenty digits, amounts with many decimals. They become decimals that hold all of them, or stay text.
 *
 * The sample that types are guessed from is looked at; only when such a number is in it, all rows are.
 */
#include "runtime/files/formats_internal.h"

#include "runtime/os/os.h"

enum { DIGITS_MAX = 38 };

static bool is_double(const FileRows *f, const DgTypeTree *column)
{
    return str_eq(column->type, S("DOUBLE")) && !format_given(f->how, column->name);
}

/* Sixteen digits and more, which the double nearest to them would not give back. Most are as a double is written: those cost little. */
static void add_lossy(StrBuf *b, Str name)
{
    buf_format(b, "length(%.*s) > 15 AND CAST(TRY_CAST(%.*s AS DOUBLE) AS VARCHAR) IS DISTINCT FROM %.*s AND regexp_matches(%.*s, '^[-+]?[0-9]*[.]?[0-9]*$') "
               "AND CASE WHEN contains(%.*s, '.') THEN rtrim(%.*s, '0') ELSE %.*s END IS DISTINCT FROM CAST(TRY_CAST(%.*s AS DOUBLE) AS VARCHAR)",
               FMT(name), FMT(name), FMT(name), FMT(name), FMT(name), FMT(name), FMT(name), FMT(name));
}

/* Digits before and after the point, and whether something is written otherwise. */
static void add_digits(StrBuf *b, Str name)
{
    buf_format(b, ", max(length(ltrim(split_part(%.*s, '.', 1), '+-0'))), max(length(rtrim(split_part(%.*s, '.', 2), '0'))), "
               "max(CAST(NOT regexp_matches(%.*s, '^[-+]?[0-9]*[.]?[0-9]*$') AS INTEGER))", FMT(name), FMT(name), FMT(name));
}

/* One text: of each such column what `add` asks for. */
static DgStatus ask(FileRows *f, const DgTypeTree *tree, const bool *which, Str reader, int64_t rows, Str *answer, DgError *err)
{
    StrBuf sql = {0};
    buf_add(&sql, S("SELECT concat_ws(' ', ''"));
    for (int32_t i = 0; i < tree->members_count; i++) {
        Str name = dg_duckdb_name(&f->arena, tree->members[i].name);
        if (!which[i])
            continue;
        if (rows) {
            buf_add(&sql, S(", CAST(coalesce(bool_or("));
            add_lossy(&sql, name);
            buf_add(&sql, S("), false) AS INTEGER)"));
        } else {
            add_digits(&sql, name);
        }
    }
    buf_format(&sql, ") FROM (SELECT * FROM %.*s", FMT(reader));
    if (rows)
        buf_format(&sql, " LIMIT %lld", (long long)rows);
    buf_char(&sql, ')');
    DgStatus status = sql.failed ? os_no_memory(err, "for an SQL statement") : dg_session_text(f->session, &f->arena, buf_str(&sql), answer, err);
    buf_free(&sql);
    return status;
}

static int64_t next_number(Str *answer)
{
    Str one;
    int64_t n = 0;
    *answer = str_trim(*answer);
    str_cut(*answer, ' ', &one, answer);
    str_to_int(one, &n);
    return n;
}

DgStatus csv_keep_numbers(FileRows *f, DgTypeTree *tree, Str reader, int64_t sample, DgError *err)
{
    Str answer;
    bool any = false, *which = push(&f->arena, bool, tree->members_count + 1);
    if (!which)
        return os_no_memory(err, "reading rows");
    for (int32_t i = 0; i < tree->members_count; i++)
        any |= which[i] = is_double(f, &tree->members[i]);
    if (!any)
        return DG_OK;
    DG_TRY(ask(f, tree, which, reader, sample, &answer, err));
    any = false;
    for (int32_t i = 0; i < tree->members_count; i++)
        any |= which[i] = which[i] && next_number(&answer) > 0;
    if (!any)
        return DG_OK;
    DG_TRY(ask(f, tree, which, reader, 0, &answer, err));
    for (int32_t i = 0; i < tree->members_count; i++) {
        if (!which[i])
            continue;
        int64_t whole = next_number(&answer), scale = next_number(&answer), other = next_number(&answer);
        bool fits = !other && whole + scale <= DIGITS_MAX;
        tree->members[i].type = fits ? str_format(&f->arena, "DECIMAL(%lld,%lld)", (long long)(whole + scale), (long long)scale) : S("VARCHAR");
        map_put(&f->arena, &f->exact, tree->members[i].name, tree);
    }
    return f->arena.failed ? os_no_memory(err, "reading rows") : DG_OK;
}
