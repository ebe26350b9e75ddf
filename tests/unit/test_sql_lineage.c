/* Which columns feed a column: DuckDB's syntax trees, followed through every shape of query. */
#include "tests/test.h"

#include "compiler/sql/sql_internal.h"
#include "runtime/db/warehouse.h"

typedef struct World {
    Arena arena;
    Sources sources;
    Diag diag;
    Plan plan;
    DgWarehouse *warehouse;
    DgSession *session;
} World;

static void add_asset(World *w, const char *key, const char *columns)
{
    Asset *asset = push(&w->arena, Asset, 1);
    Str rest = str_from(columns), name;
    asset->key = str_from(key);
    dg_asset_table(&w->arena, asset->key, &asset->schema, &asset->table);
    while (rest.len) {
        str_cut(rest, ' ', &name, &rest);
        ColumnInfo info = {.column.name = name};
        array_add(&w->arena, &asset->columns, info);
    }
    asset->columns_known = true;
    array_add(&w->arena, &w->plan.assets, asset);
    map_put(&w->arena, &w->plan.asset_by_key, asset->key, asset);
}

static int world_open(void **state)
{
    World *w = test_malloc(sizeof *w);
    *w = (World){0};
    arena_init(&w->arena, 0);
    sources_init(&w->sources, &w->arena);
    diag_init(&w->diag, &w->arena, &w->sources);
    w->plan = (Plan){.arena = &w->arena, .diag = &w->diag, .sources = &w->sources};
    add_asset(w, "raw/t", "a b c");
    add_asset(w, "raw/u", "a x y");
    add_asset(w, "solo", "s");
    DgWarehouseOptions options = {.threads = 1};
    assert_int_equal(dg_warehouse_open(&options, &w->warehouse, NULL), DG_OK);
    assert_int_equal(dg_session_open(w->warehouse, &w->session, NULL), DG_OK);
    *state = w;
    return 0;
}

static int world_close(void **state)
{
    World *w = *state;
    dg_session_close(w->session);
    dg_warehouse_close(w->warehouse);
    arena_free(&w->arena);
    test_free(w);
    return 0;
}

/* "name<t.a,u.x name<..." for the columns that `names` lists. */
static const char *lineage(World *w, const char *sql, const char *names)
{
    Asset *asset = push(&w->arena, Asset, 1);
    Str rest = str_from(names), name, tree;
    StrBuf b = {0};
    DgError err = {0};
    asset->key = S("made");
    while (rest.len) {
        str_cut(rest, ' ', &name, &rest);
        ColumnInfo info = {.column.name = name};
        array_add(&w->arena, &asset->columns, info);
    }
    Str text = str_format(&w->arena,
                          "SELECT json_serialize_sql(%.*s, skip_null := true, skip_empty := true)",
                          FMT(dg_duckdb_text(&w->arena, str_from(sql))));
    assert_int_equal(dg_session_text(w->session, &w->arena, text, &tree, &err), DG_OK);
    sql_lineage_of(&w->plan, asset, tree);
    for (size_t i = 0; i < asset->columns.count; i++) {
        buf_format(&b, "%s%.*s", i ? " " : "", FMT(asset->columns.items[i].column.name));
        bool first = true;
        for (size_t k = 0; k < asset->lineage.count; k++) {
            const LineageEdge *e = &asset->lineage.items[k];
            if (e->column != (int32_t)i)
                continue;
            buf_format(&b, "%s%.*s.%.*s", first ? "<" : ",", FMT(e->from->table),
                       FMT(e->from->columns.items[e->from_column].column.name));
            first = false;
        }
    }
    const char *out = str_cstr(&w->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static void columns_are_followed(void **state)
{
    static const char *const cases[][3] = {
        {"select a, b as z from raw.t", "a z", "a<t.a z<t.b"},
        {"select t.a, raw.t.b from raw.t", "a b", "a<t.a b<t.b"},
        {"select a + b * 2 as n, 1 as one from raw.t", "n one", "n<t.a,t.b one"},
        {"select * from raw.t", "a b c", "a<t.a b<t.b c<t.c"},
        {"select * exclude (b) from raw.t", "a c", "a<t.a c<t.c"},
        {"select * replace (a + b as c) from raw.t", "a b c", "a<t.a b<t.b c<t.a,t.b"},
        {"select * rename (a as z) from raw.t", "z b c", "z<t.a b<t.b c<t.c"},
        {"select p.a, q.x from raw.t p join raw.u q on p.a = q.a", "a x", "a<t.a x<u.x"},
        {"select q.*, b from raw.t p, raw.u q", "a x y b", "a<u.a x<u.x y<u.y b<t.b"},
        {"select * from raw.t join raw.u using (a)", "a b c x y",
         "a<t.a,u.a b<t.b c<t.c x<u.x y<u.y"},
        {"select * from raw.t natural join raw.u", "a b c x y",
         "a<t.a,u.a b<t.b c<t.c x<u.x y<u.y"},
        {"select * from raw.t semi join raw.u using (a)", "a b c", "a<t.a b<t.b c<t.c"},
        {"with m as (select a as k, sum(b) as n from raw.t group by a) select k, n from m", "k n",
         "k<t.a n<t.b"},
        {"with m(p, q) as (select a, b from raw.t) select q, p from m", "q p", "q<t.b p<t.a"},
        {"with m as (from raw.t), n as (select c from m) select * from n", "c", "c<t.c"},
        {"select z from (select a + b as z from raw.t) q", "z", "z<t.a,t.b"},
        {"select v from (select a, b from raw.t) q(u, v)", "v", "v<t.b"},
        {"select a from raw.t union all select x from raw.u", "a", "a<t.a,u.x"},
        {"select a, b from raw.t union by name select x as b from raw.u", "a b", "a<t.a b<t.b,u.x"},
        {"select a from raw.t except select x from raw.u", "a", "a<t.a"},
        {"select (select max(x) from raw.u where u.a = t.a) as m from raw.t", "m", "m<u.x"},
        {"select exists (select 1 from raw.u) as e, a in (select x from raw.u) as i from raw.t",
         "e i", "e i<u.x,t.a"},
        {"select row_number() over (partition by a order by b) as r from raw.t", "r", "r<t.a,t.b"},
        {"select count(*) filter (where b > 1) as n from raw.t", "n", "n<t.b"},
        {"select a as k, k + 1 as l from raw.t", "k l", "k<t.a l<t.a"},
        {"select case when a then b else c end as d from raw.t", "d", "d<t.a,t.b,t.c"},
        {"select b::date as d, {'k': c} as s from raw.t", "d s", "d<t.b s<t.c"},
        {"select s from solo", "s", "s<solo.s"},
        {"from raw.t select b", "b", "b<t.b"},
        {"with recursive r(n) as (select a from raw.t union all select n + 1 from r) select n "
         "from r", "n", "n<t.a"},
        {"select c1 from (values (1, 2)) v(c1, c2)", "c1", "c1"},
        {"select e from raw.t, unnest(b) as z(e)", "e", "e<t.b"},
        {"select l.m from raw.t, lateral (select b + 1 as m) l", "m", "m<t.b"},
        {"select list_transform(a, x -> x + b) as m from raw.t", "m", "m<t.a,t.b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(lineage(*state, cases[i][0], cases[i][1]), cases[i][2]);
}

static void nothing_is_better_than_wrong(void **state)
{
    World *w = *state;
    assert_string_equal(lineage(w, "select * from raw.t, range(3)", "a b c range"),
                        "a b c range");
    assert_string_equal(lineage(w, "select * from elsewhere", "a"), "a");
    assert_string_equal(lineage(w, "select columns('a|b') from raw.t", "a b"), "a b");
    assert_string_equal(lineage(w, "pivot raw.t on a using sum(b)", "c d"), "c d");
    assert_string_equal(lineage(w, "select nope from raw.t", "nope"), "nope");
    assert_string_equal(lineage(w, "select from", "a"), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_followed),
        cmocka_unit_test(nothing_is_better_than_wrong),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
