/* merge_main URL ours|theirs TIMES ROWS: a hundredth of ROWS, half of them known, merged into a table of ROWS, by
 * the load engine or by the statement a person would write. Prints the median in milliseconds. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/load/load.h"
#include "runtime/os/os.h"
#include "tests/support/engine_test.h"

enum { TIMES_MAX = 32 };
static const DgTableName items = {{NULL, 0}, DG_S("items")};

/* The table and its rows, %lld of them; with a key where theirs needs one. */
static const char *make_of(const char *engine)
{
    if (!strcmp(engine, "duckdb"))
        return "CREATE TABLE items AS SELECT i AS id, 'name ' || i %% 1000 AS name, i * 0.25::double AS amount,"
               " make_timestamp(1700000000000000 + i * 1000001) AS \"at\", i %% 3 = 0 AS flag FROM range(%lld) r(i)";
    if (!strcmp(engine, "postgres"))
        return "CREATE TABLE items (id bigint PRIMARY KEY, name text, amount double precision, at timestamp, flag boolean);"
               " INSERT INTO items SELECT i, 'name ' || i %% 1000, i * 0.25, timestamp '2023-11-14' + i * interval '1 second', i %% 3 = 0"
               " FROM generate_series(0, %lld - 1) AS s(i); ANALYZE items";
    if (!strcmp(engine, "mysql"))
        return "CREATE TABLE items (id bigint PRIMARY KEY, name varchar(50), amount double, at datetime(6), flag tinyint(1));"
               " INSERT INTO items SELECT seq, concat('name ', seq %% 1000), seq * 0.25, date_add('2023-11-14', INTERVAL seq SECOND),"
               " seq %% 3 = 0 FROM seq_0_to_99999999 LIMIT %lld; ANALYZE TABLE items";
    return "CREATE TABLE items (id bigint PRIMARY KEY, name text, amount double, at timestamp, flag boolean);"
           " WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < %lld - 1) INSERT INTO items"
           " SELECT i, 'name ' || i %% 1000, i * 0.25, datetime(1700000000 + i, 'unixepoch'), i %% 3 = 0 FROM s; ANALYZE";
}

static const char *merge_of(const char *engine)
{
    if (!strcmp(engine, "sqlite"))
        return "INSERT INTO items SELECT * FROM staged WHERE true ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
               " amount = excluded.amount, at = excluded.at, flag = excluded.flag";
    if (!strcmp(engine, "mysql"))
        return "INSERT INTO items SELECT * FROM staged ON DUPLICATE KEY UPDATE name = VALUES(name), amount = VALUES(amount),"
               " at = VALUES(at), flag = VALUES(flag)";
    return "MERGE INTO items AS t USING staged AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name, amount = s.amount,"
           " \"at\" = s.\"at\", flag = s.flag WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name, s.amount, s.\"at\", s.flag)";
}

static DgStatus theirs(DgDb *db, DgRows *rows, DgError *err)
{
    const DgEngine *e = db->engine;
    bool unknown, mysql = !strcmp(e->type, "mysql");
    DG_TRY(e->begin(db, DG_TX_WRITE, err));
    DG_TRY(e->exec(db, S("CREATE TEMPORARY TABLE staged AS SELECT * FROM items WHERE 1 = 0"), NULL, err));
    DG_TRY(e->insert(db, (DgTableName){{NULL, 0}, S("staged")}, rows, &(int64_t){0}, err));
    DG_TRY(e->exec(db, str_from(merge_of(e->type)), NULL, err));
    DG_TRY(e->exec(db, mysql ? S("DROP TEMPORARY TABLE staged") : S("DROP TABLE staged"), NULL, err));
    return e->commit(db, &unknown, err);
}

static DgStatus ours(DgDb *db, DgRows *rows, int i, DgError *err)
{
    char package[33];
    Str key = S("id");
    bool unknown;
    DgLoadCounts n;
    snprintf(package, sizeof package, "%016d%016d", i, i);
    DgLoadSpec spec = {.stream = S("s"), .pipeline = S("p"), .run = S("r"), .package = str_from(package), .table = items,
                       .disposition = DG_DISPOSE_UPSERT, .keys = {&key, 1, 1}, .cursor = S("1")};
    DG_TRY(load_lease(db, items, spec.pipeline, spec.stream, NULL, &spec.epoch, err));
    return load_run(db, rows, &spec, NULL, NULL, &n, &unknown, err);
}

static int by_size(const void *a, const void *b)
{
    return *(const int64_t *)a < *(const int64_t *)b ? -1 : *(const int64_t *)a > *(const int64_t *)b;
}

int main(int argc, char **argv)
{
    DgError err = {0};
    DgConn conn;
    DgDb *db = NULL;
    Arena a;
    int64_t took[TIMES_MAX];
    arena_init(&a, 64 << 20);
    char make[1024];
    int times = argc == 5 ? atoi(argv[3]) : 0;
    int64_t rows = argc == 5 ? atoll(argv[4]) : 0, merged = rows / 100;
    if (times < 1 || times > TIMES_MAX || merged < 2)
        return 2;
    DgStatus status = conn_from_url(&a, S("TARGET"), str_from(argv[1]), &conn, &err);
    if (status == DG_OK)
        status = engine_find(conn.type)->open(&conn, &db, &err);
    if (status == DG_OK)
        status = db->engine->exec(db, S("DROP TABLE IF EXISTS items"), NULL, &err);
    if (status == DG_OK)
        status = db->engine->exec(db, S("DROP TABLE IF EXISTS _dgc_loads"), NULL, &err);
    if (status == DG_OK)
        status = db->engine->exec(db, S("DROP TABLE IF EXISTS _dgc_lease"), NULL, &err);
    if (status == DG_OK)
        snprintf(make, sizeof make, make_of(db->engine->type), (long long)rows);
    if (status == DG_OK)
        status = db->engine->exec(db, str_from(make), NULL, &err);
    for (int i = 0; i < times && status == DG_OK; i++) { /* half of the rows are before the end, half behind it */
        DgRows *from = rows_counted(rows - merged / 2 + i * (merged / 2), merged, -1, NULL, NULL);
        int64_t begin = os_real_us();
        status = !strcmp(argv[2], "ours") ? ours(db, from, i, &err) : theirs(db, from, &err);
        took[i] = os_real_us() - begin;
        rows_close(from);
    }
    if (status != DG_OK) {
        fprintf(stderr, "merge_main: %s\n", err.message);
        return 1;
    }
    qsort(took, (size_t)times, sizeof *took, by_size);
    printf("%.1f\n", (double)took[times / 2] / 1000);
    db->engine->close(db);
    arena_free(&a);
    return 0;
}
