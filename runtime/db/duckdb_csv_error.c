/* DuckDB tells about a bad line of a CSV file in some twenty lines; three facts of them are wanted. */
#include "runtime/db/duckdb_internal.h"

/* What follows `label` up to the end of its line. */
static Str after(Str message, Str label)
{
    ptrdiff_t at = str_find(message, label);
    if (at < 0)
        return (Str){0};
    Str rest = str_sub(message, at + label.len, message.len), line;
    return str_trim(str_cut(rest, '\n', &line, &rest) ? line : rest);
}

static bool blank_or_known(Str line)
{
    return !line.len || str_starts(line, S("Original Line:")) || str_find(line, S("CSV Error on Line")) >= 0;
}

/* The first line that says what is wrong: the original line may itself have several. */
static Str reason_in(Str message)
{
    static const char *const beginnings[] = {"Error when converting", "Expected Number of Columns", "Value with unterminated",
                                             "Invalid unicode", "Maximum line size"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        ptrdiff_t at = str_find(message, str_from(beginnings[i]));
        if (at > 0 && message.ptr[at - 1] == '\n')
            return after(str_sub(message, at, message.len), S(""));
    }
    Str line;
    while (message.len) {
        str_cut(message, '\n', &line, &message);
        if (!blank_or_known(str_trim(line)))
            return str_trim(line);
    }
    return (Str){0};
}

void duck_csv_error(Str message, DgError *err)
{
    Str line = after(message, S("CSV Error on Line:")), reason = reason_in(message), file = after(message, S("\n  file = "));
    int64_t number;
    if (!str_to_int(line, &number) || !reason.len || !file.len)
        return;
    Str column, what;
    Str given = S("Error when converting column \"");
    if (str_starts(reason, given) && str_cut(str_sub(reason, given.len, reason.len), '"', &column, &what)) {
        what = str_trim(str_starts(what, S(".")) ? str_sub(what, 1, what.len) : what);
        while (str_ends(what, S(".")))
            what.len--;
        dg_fail(err, DG_DATA, "`%.*s`, line %lld, column `%.*s`: c%.*s", FMT(file), (long long)number, FMT(column),
                FMT(str_sub(what, str_starts(what, S("C")) ? 1 : 0, what.len)));
        dg_hint(err, "give the column's type (columns: {%.*s: string}), or what stands for no value (null_if)", FMT(column));
        return;
    }
    dg_fail(err, DG_DATA, "`%.*s`, line %lld: %.*s", FMT(file), (long long)number, FMT(reason));
    if (str_find(reason, S("Number of Columns")) >= 0)
        dg_hint(err, "lines with more or fewer fields are allowed with fields_per_rec: -1");
    if (str_find(reason, S("unicode")) >= 0)
        dg_hint(err, "say how the text is encoded, such as encoding: latin-1");
}
