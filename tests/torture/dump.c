/* dump WAREHOUSE: what is in it, as text that is the same for the same rows in any order: a line
 * for each table with its number of rows and the sum of their hashes, and the cursors. */
#include <stdio.h>

#include "runtime/db/warehouse.h"

static int failed(const DgError *err)
{
    fprintf(stderr, "dump: %s\n", err->message);
    return 1;
}

int main(int argc, char **argv)
{
    DgError err = {0};
    DgWarehouse *w;
    DgSession *s;
    Arena a;
    Str tables, state;
    if (argc != 2)
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
        Str sql = str_format(&a, "SELECT count(*) || ' rows ' || coalesce(sum(hash(t)::HUGEINT), 0)"
                                 " FROM %.*s t", FMT(name)), line;
        if (dg_session_text(s, &a, sql, &line, &err) != DG_OK)
            return failed(&err);
        printf("%.*s %.*s\n", FMT(name), FMT(line));
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
