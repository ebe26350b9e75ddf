/* query DATABASE [STATEMENT...] QUERY: runs the statements, and prints the first value that DuckDB answers the query with. */
#include <stdio.h>

#include "runtime/db/warehouse.h"

static int failed(const DgError *err)
{
    fprintf(stderr, "query: %s\n", err->message);
    return 1;
}

int main(int argc, char **argv)
{
    DgError err = {0};
    DgWarehouse *w;
    DgSession *s;
    Arena a;
    Str value;
    if (argc < 3)
        return 2;
    arena_init(&a, 64 << 20);
    DgWarehouseOptions o = {.path = str_from(argv[1])};
    if (dg_warehouse_open(&o, &w, &err) != DG_OK || dg_session_open(w, &s, &err) != DG_OK)
        return failed(&err);
    for (int i = 2; i < argc - 1; i++)
        if (dg_session_exec(s, str_from(argv[i]), &err) != DG_OK)
            return failed(&err);
    if (dg_session_text(s, &a, str_from(argv[argc - 1]), &value, &err) != DG_OK)
        return failed(&err);
    printf("%.*s\n", FMT(value));
    dg_session_close(s);
    dg_warehouse_close(w);
    return 0;
}
