/* Cursors, packages, leases, what a load says it will do. On SQLite and DuckDB; on a server when
 * DGC_TEST_LOAD names one. */
#include "tests/support/load_test.h"

#include <pthread.h>
#include <stdlib.h>

#include "runtime/os/os.h"

static const char *const COLUMNS = "id:bigint name:varchar";
static const DgTableName ITEMS = {{NULL, 0}, DG_S("items")};

static void cursor_is(Bed *b, DgDb *db, const char *expected)
{
    Str found;
    ok(load_cursor(db, &b->arena, ITEMS, b->spec.pipeline, b->spec.stream, &found, &engine_err));
    if (!str_eq(found, str_from(expected)))
        fail_msg("cursor is `%.*s` instead of `%s`", FMT(found), expected);
}

static void cursors_are_committed_with_the_data(void **state)
{
    Bed *b = *state;
    cursor_is(b, b->db, "");
    b->spec.cursor = S("{\"value\":\"it's 1\"}");
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "1,a");
    cursor_is(b, b->db, "{\"value\":\"it's 1\"}");
    b->spec.cursor = S("2");
    b->fail_after = 1;
    fails(bed_load(b, DG_DISPOSE_APPEND, COLUMNS, "2,b"), DG_UNAVAILABLE);
    b->fail_after = 0;
    cursor_is(b, b->db, "{\"value\":\"it's 1\"}");
    b->spec.cursor = (Str){0};
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "2,b");
    cursor_is(b, b->db, "{\"value\":\"it's 1\"}"); /* none given: as it was */
    ok(load_cursor_set(b->db, ITEMS, b->spec.pipeline, b->spec.stream, S("by hand"), &engine_err));
    cursor_is(b, b->db, "by hand");
    ok(load_cursor_set(b->db, ITEMS, b->spec.pipeline, b->spec.stream, (Str){0}, &engine_err));
    cursor_is(b, b->db, "");
    b->spec.stream = S("another");
    cursor_is(b, b->db, "");
}

static DgStatus late(void *context, Arena *a, Str *cursor, DgError *err)
{
    *cursor = str_format(a, "after %d", *(int *)context);
    return DG_OK;
}

static DgStatus too_late(void *context, Arena *a, Str *cursor, DgError *err)
{
    return dg_fail(err, DG_DATA, "no cursor");
}

static void cursors_may_be_computed_late(void **state)
{
    Bed *b = *state;
    int number = 7;
    bool unknown;
    b->spec.package = S("0123456789abcdef0123456789abcdef");
    DgRows *rows = bed_rows(b, COLUMNS, "1,a|2,b");
    ok(load_run(b->db, rows, &b->spec, late, &number, &b->n, &unknown, &engine_err));
    rows_close(rows);
    cursor_is(b, b->db, "after 7");
    b->spec.package = S("1123456789abcdef0123456789abcdef");
    rows = bed_rows(b, COLUMNS, "3,c");
    fails(load_run(b->db, rows, &b->spec, too_late, NULL, &b->n, &unknown, &engine_err), DG_DATA);
    rows_close(rows);
    cursor_is(b, b->db, "after 7");
    bed_is(b, "SELECT count(*) FROM items", "2");
}

static void packages_are_listed_and_found(void **state)
{
    Bed *b = *state;
    DgPackages found;
    bool there = true;
    ok(load_packages(b->db, &b->arena, (Str){0}, S("shop"), &found, &engine_err));
    assert_int_equal(found.count, 0);
    b->spec.cursor = S("c1");
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "1,a|2,b");
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "");
    ok(load_packages(b->db, &b->arena, (Str){0}, S("shop"), &found, &engine_err));
    assert_int_equal(found.count, 2);
    const DgPackage *p = &found.items[0];
    assert_true(str_eq(p->status, S("committed")) && str_eq(p->stream, S("shop/items")) && str_eq(p->run, S("run-1")));
    assert_true(str_eq(p->table.table, S("items")) && str_eq(p->cursor, S("c1")) && p->rows == 2 && p->committed_us > 0);
    ok(load_probe(b->db, ITEMS, p->package, &there, &engine_err));
    assert_true(there);
    ok(load_probe(b->db, ITEMS, S("ffffffffffffffffffffffffffffffff"), &there, &engine_err));
    assert_false(there);
    fails(load_abort(b->db, (Str){0}, p->package, &engine_err), DG_END); /* what is committed stays */
    ok(load_packages(b->db, &b->arena, (Str){0}, S("other"), &found, &engine_err));
    assert_int_equal(found.count, 0);
}

/* A process that died between its rows and the renaming. */
static void left_by_the_dead(Bed *b)
{
    run_sql(b->db, "CREATE TABLE items__dgc_00000000deadbeef (id bigint)");
    run_sql(b->db, "INSERT INTO _dgc_loads (package, pipeline, stream, table_name, status) VALUES"
                   " ('00000000deadbeef0000000000000000', 'shop', 'shop/items', 'items', 'loading')");
}

static void dead_packages_are_dropped(void **state)
{
    Bed *b = *state;
    DgTableInfo info;
    DgTableName dead = {{0}, S("items__dgc_00000000deadbeef")};
    bool there;
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "1,a");
    left_by_the_dead(b);
    ok(load_probe(b->db, ITEMS, S("00000000deadbeef0000000000000000"), &there, &engine_err));
    assert_false(there);
    ok(load_abort(b->db, (Str){0}, S("00000000deadbeef0000000000000000"), &engine_err));
    fails(b->db->engine->describe(b->db, &b->arena, dead, &info, &engine_err), DG_END);
    fails(load_abort(b->db, (Str){0}, S("00000000deadbeef0000000000000000"), &engine_err), DG_END);
    if (b->db->engine->dialect->transactional_ddl)
        return; /* no load of theirs leaves any */
    left_by_the_dead(b);
    ok(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, NULL, &b->spec.epoch, &engine_err));
    bed_loads(b, DG_DISPOSE_REPLACE, "id:bigint other:bigint", "1,2");
    fails(b->db->engine->describe(b->db, &b->arena, dead, &info, &engine_err), DG_END);
    bed_is(b, "SELECT count(*) FROM _dgc_loads WHERE status = 'loading'", "0");
}

/* ---- Leases ---- */

static void who_lost_the_lease_commits_nothing(void **state)
{
    static const DgDisposition all[] = {DG_DISPOSE_APPEND, DG_DISPOSE_REPLACE, DG_DISPOSE_TRUNCATE, DG_DISPOSE_UPSERT, DG_DISPOSE_SCD2};
    Bed *b = *state;
    int64_t first = 0, second = 0;
    bed_keys(b, "id");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        run_sql(b->db, "DROP TABLE IF EXISTS items");
        ok(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, NULL, &first, &engine_err));
        b->spec.epoch = first;
        bed_loads(b, all[i], COLUMNS, "1,a");
        bed_loads(b, all[i], COLUMNS, "1,a"); /* one lease may serve for more than one load */
        ok(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, NULL, &second, &engine_err));
        assert_true(second > first);
        fails(bed_load(b, all[i], "id:bigint name:varchar", "2,b"), DG_TEMPFAIL);
        assert_non_null(strstr(engine_err.message, "another run has taken over"));
        bed_is(b, "SELECT count(*) FROM items WHERE id = 2", "0");
        b->spec.epoch = second;
        bed_loads(b, all[i], COLUMNS, "2,b");
        bed_is(b, "SELECT count(*) FROM items WHERE id = 2", "1");
    }
}

typedef struct Thief {
    Bed *bed;
    DgDb *other;
} Thief;

static DgStatus steals(void *context, Arena *a, Str *cursor, DgError *err)
{
    Thief *t = context;
    int64_t epoch;
    return load_lease(t->other, ITEMS, t->bed->spec.pipeline, t->bed->spec.stream, NULL, &epoch, err);
}

/* The other run comes while ours is in the midst of its transaction. */
static void a_lease_may_be_lost_in_the_midst(void **state)
{
    Bed *b = *state;
    bool unknown;
    if (bed_is_on(b, "sqlite"))
        return; /* one writer at a time: the other one waits for us */
    Thief t = {b, bed_connect(b)};
    if (bed_is_on(b, "mysql"))
        run_sql(t.other, "USE shop");
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a");
    ok(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, NULL, &b->spec.epoch, &engine_err));
    b->spec.package = S("0123456789abcdef0123456789abcdef");
    b->spec.disposition = DG_DISPOSE_UPSERT;
    DgRows *rows = bed_rows(b, COLUMNS, "1,b|2,c");
    fails(load_run(b->db, rows, &b->spec, steals, &t, &b->n, &unknown, &engine_err), DG_TEMPFAIL);
    rows_close(rows);
    bed_is(b, "SELECT * FROM items", "1,a");
    t.other->engine->close(t.other);
}

typedef struct Patience {
    int told;
    int64_t last_ms;
    bool enough;
} Patience;

static void told(void *context, Str stream, int64_t ms)
{
    Patience *p = context;
    assert_true(stream.len && ms >= p->last_ms);
    p->told++;
    p->last_ms = ms;
}

static bool enough(void *context)
{
    return ((Patience *)context)->enough;
}

/* A runner was stopped with the lease's row in hand. */
static void a_lease_in_hand_is_waited_for(void **state)
{
    Bed *b = *state;
    Patience p = {0};
    int64_t epoch = 0, began;
    DgError ignored = {0};
    DgLeaseWait wait = {.max_ms = 2500, .waiting = told, .cancelled = enough, .context = &p};
    if (bed_is_on(b, "sqlite"))
        return; /* there the whole database is in hand, and ten seconds are waited for it */
    ok(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, &wait, &epoch, &engine_err));
    DgDb *other = bed_connect(b);
    if (bed_is_on(b, "mysql"))
        run_sql(other, "USE shop");
    ok(other->engine->begin(other, DG_TX_WRITE, &engine_err));
    run_sql(other, "UPDATE _dgc_lease SET epoch = epoch + 1");
    began = os_monotonic_ms();
    fails(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, &wait, &epoch, &engine_err), DG_TEMPFAIL);
    assert_in_range(os_monotonic_ms() - began, 2400, 20000);
    assert_true(p.told >= 1);
    assert_non_null(strstr(engine_err.message, "another run"));
    p.enough = true;
    fails(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, &wait, &epoch, &engine_err), DG_CANCELLED);
    p.enough = false;
    ok(other->engine->rollback(other, &ignored));
    int64_t now = 0;
    ok(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, &wait, &now, &engine_err));
    assert_int_equal(now, epoch + 1);
    other->engine->close(other);
}

/* Hooks before the rows find the table as it was, those after it the new one. */
static int64_t rows_before, rows_after;

static DgStatus looks(void *context, DgDb *db, bool after, DgError *err)
{
    (void)context;
    if (!after)
        DG_TRY(db->engine->exec(db, S("INSERT INTO marks VALUES (1)"), NULL, err));
    return db_int(db, S("SELECT count(*) FROM items"), after ? &rows_after : &rows_before, err);
}

static void hooks_stand_around_a_replace(void **state)
{
    Bed *b = *state;
    run_sql(b->db, "CREATE TABLE marks(n int)");
    ok(load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, NULL, &b->spec.epoch, &engine_err));
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "1,a|2,b|3,c");
    b->spec.around = looks;
    bed_loads(b, DG_DISPOSE_REPLACE, "id:bigint other:bigint", "1,2"); /* another shape: in MySQL a table is renamed */
    assert_int_equal(rows_before, 3);
    assert_int_equal(rows_after, 1);
    bed_is(b, "SELECT count(*) FROM marks", "1");
}

enum { TURNS = 8 };

typedef struct Runner {
    Bed bed;
    DgStatus failed;
    int done;
} Runner;

static void *runs(void *argument)
{
    Runner *r = argument;
    Bed *b = &r->bed;
    for (int i = 0; i < TURNS; i++) {
        DgError err = {0};
        bool unknown;
        DgStatus status = load_lease(b->db, ITEMS, b->spec.pipeline, b->spec.stream, NULL, &b->spec.epoch, &err);
        b->spec.package = str_format(&b->arena, "%016d%016d", b->packages, i);
        DgRows *rows = rows_counted(i, 1, -1, NULL, NULL);
        if (status == DG_OK)
            status = load_run(b->db, rows, &b->spec, NULL, NULL, &b->n, &unknown, &err);
        rows_close(rows);
        if (status == DG_OK)
            r->done++;
        else if (status != DG_TEMPFAIL)
            r->failed = status;
    }
    return NULL;
}

/* Each success has added its row, no failure has: whatever the order. */
static void two_runners_race(void **state)
{
    Bed *b = *state;
    Runner r[2] = {{.failed = DG_OK}, {.failed = DG_OK}};
    pthread_t threads[2];
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint name:varchar amount:double at:timestamp flag:boolean", "");
    for (int i = 0; i < 2; i++) {
        r[i].bed = (Bed){.spec = b->spec, .packages = 100 + i};
        r[i].bed.spec.drift = NULL;
        arena_init(&r[i].bed.arena, 16 << 20);
        r[i].bed.db = bed_connect(b);
        if (bed_is_on(b, "mysql"))
            run_sql(r[i].bed.db, "USE shop");
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, runs, &r[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        r[i].bed.db->engine->close(r[i].bed.db);
        arena_free(&r[i].bed.arena);
        if (r[i].failed != DG_OK)
            fail_msg("a runner failed with %s", dg_status_name(r[i].failed));
    }
    assert_int_of(b->db, "SELECT count(*) FROM items", r[0].done + r[1].done);
    assert_int_of(b->db, "SELECT count(*) FROM _dgc_loads", r[0].done + r[1].done + 1);
    assert_true(r[0].done + r[1].done > 0);
}

/* ---- What would be done ---- */

static void a_load_is_explained_and_nothing_done(void **state)
{
    static const DgColumn columns[] = {{DG_S("id"), {DG_INT64, 0, 0}, false, {0}}, {DG_S("more"), {DG_TEXT, 0, 0}, false, {0}}};
    static const DgDisposition all[] = {DG_DISPOSE_APPEND, DG_DISPOSE_REPLACE, DG_DISPOSE_TRUNCATE, DG_DISPOSE_UPSERT, DG_DISPOSE_DELETE_INSERT,
                                        DG_DISPOSE_INSERT_ONLY, DG_DISPOSE_UPDATE_ONLY, DG_DISPOSE_SCD2, DG_DISPOSE_DEFINITION};
    Bed *b = *state;
    DgTableInfo info;
    b->spec.package = S("0123456789abcdef0123456789abcdef");
    bed_keys(b, "id");
    for (int there = 0; there < 2; there++) {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            StrBuf out = {0};
            b->spec.disposition = all[i];
            ok(load_explain(b->db, columns, 2, &b->spec, &out, &engine_err));
            buf_char(&out, '\0');
            assert_non_null(strstr(out.ptr, "items"));
            if (!there)
                assert_non_null(strstr(out.ptr, "CREATE TABLE "));
            else if (all[i] == DG_DISPOSE_UPSERT)
                assert_true(strstr(out.ptr, " ADD COLUMN ") && strstr(out.ptr, "UPDATE ") && strstr(out.ptr, "-- rows into "));
            buf_free(&out);
        }
        if (!there) {
            fails(b->db->engine->describe(b->db, &b->arena, ITEMS, &info, &engine_err), DG_END);
            bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "1,a");
        }
    }
    bed_columns(b, "id:bigint name:varchar");
    bed_is(b, "SELECT * FROM items", "1,a");
}

#define CASE(f) {#f, f, bed_fresh, bed_done, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cursors_are_committed_with_the_data), CASE(cursors_may_be_computed_late), CASE(packages_are_listed_and_found),
        CASE(dead_packages_are_dropped), CASE(who_lost_the_lease_commits_nothing), CASE(a_lease_may_be_lost_in_the_midst),
        CASE(a_lease_in_hand_is_waited_for), CASE(hooks_stand_around_a_replace), CASE(two_runners_race), CASE(a_load_is_explained_and_nothing_done),
    };
    if (getenv("DGC_TEST_LOAD"))
        return cmocka_run_group_tests_name("a server", tests, NULL, NULL);
    int failed = cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);
    const char *engines = getenv("DGC_TEST_ENGINES"); /* valgrind takes DuckDB for minutes */
    if (engines && strcmp(engines, "sqlite") == 0)
        return failed;
    bed_engine = "duckdb";
    return failed + cmocka_run_group_tests_name("DuckDB", tests, NULL, NULL);
}
