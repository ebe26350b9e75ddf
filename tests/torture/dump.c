/* dump WAREHOUSE [FILE...]: what is in it, as text that is the same for the same rows in any order: a
 * line for each table with its number of rows and the sum of their hashes, and the cursors. The same
 * for files, CSV and Parquet; of others the name. */
#include <stdio.h>

#include "runtime/db/warehouse.h"

static int failed(const DgError *err)
{
    fprintf(stderr, "dump: %s\n", err->message);
    return 1;
}

/* The line of a table or file, as `from` reads it. */
static bool print_rows(DgSession *s, Arena *a, Str name, Str from, DgError *err)
{
    Str line, sql = str_format(a, "SELECT count(*) || ' rows ' || coalesce(sum(hash(t)::HUGEINT), 0)"
                                  " FROM %.*s t", FMT(from));
    if (dg_session_text(s, a, sql, &line, err) != DG_OK)
        return false;
    printf("%.*s %.*s\n", FMT(name), FMT(line));
    return true;
}

int main(int argc, char **argv)
{
    DgError err = {0};
    DgWarehouse *w;
    DgSession *s;
    Arena a;
    Str tables, state;
    if (argc < 2)
        return 2;
    arena_init(&a, 64 << 20);
    DgWarehouseOptions o = {.path = str_from(argv[1]), .read_only = true};
    if (dg_warehouse_open(&o, &w, &err) != DG_OK || dg_session_open(w, &s, &err) != DG_OK)
        return failed(&err);
    if (dg_session_text(s, &a,
                        S("SELECT string_agg(table_schema || '.' || table_name, ' ' ORDER BY 1) FROM"
                          " information_schema.tables WHERE table_schema <> '_dgc'"
                          " AND table_type = 'BASE TABLE'"),
                        &tables, &err) != DG_OK)
        return failed(&err);
    Str name, rest = tables;
    for (bool more = rest.len > 0; more;) {
        more = str_cut(rest, ' ', &name, &rest);
        if (!print_rows(s, &a, name, name, &err))
            return failed(&err);
    }
    for (int i = 2; i < argc; i++) {
        Str file = str_from(argv[i]);
        bool parquet = str_ends(file, S(".parquet"));
        if (!parquet && !str_ends(file, S(".csv")) && !str_ends(file, S(".csv.gz")))
            printf("%.*s\n", FMT(file));
        else if (!print_rows(s, &a, file, str_format(&a, "%s('%.*s')", parquet ? "read_parquet" : "read_csv",
                                                     FMT(file)), &err))
            return failed(&err);
    }
    if (dg_session_text(s, &a,
                        S("SELECT coalesce(string_agg(step || ' [' || \"partition\" || '] ' ||"
                          " \"cursor\", chr(10) ORDER BY step, \"partition\"), 'no cursors')"
                          " FROM _dgc.state"),
                        &state, &err) != DG_OK)
        return failed(&err);
    printf("%.*s\n", FMT(state));
    dg_session_close(s);
    dg_warehouse_close(w);
    return 0;
}
