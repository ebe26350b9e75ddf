/* SQL units: table names in plain SQL, places in rendered text, the cache, types, lineage. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

#include "compiler/sql/bind.h"
#include "compiler/sql/cache.h"
#include "compiler/sql/sql_internal.h"
#include "runtime/db/duckdb_api.h"
#include "runtime/db/warehouse.h"

/* ---- Tables ---- */

static const char *tables_in(Arena *a, const char *sql)
{
    StrBuf b = {0};
    SqlNames names = sql_tables(a, str_from(sql));
    for (size_t i = 0; i < names.count; i++) {
        const SqlName *n = &names.items[i];
        buf_add(&b, i ? S(" ") : S(""));
        for (int k = 0; k < n->count; k++)
            buf_format(&b, "%s%.*s", k ? "." : "", FMT(n->parts[k]));
    }
    const char *out = str_cstr(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static void tables_are_found_where_tables_stand(void **state)
{
    static const char *const cases[][2] = {
        {"select * from a", "a"},
        {"select * from a.b", "a.b"},
        {"select * from db.a.b x", "db.a.b"},
        {"select * from \"a\".\"b c\"", "a.b c"},
        {"select * from \"a\"\"b\"", "a\"b"},
        {"select * from a, b.c as d, e", "a b.c e"},
        {"select * from a join b on a.x = b.x, c", "a b c"},
        {"select * from a join b using (x, y), c", "a b c"},
        {"select * from (a join b on true)", "a b"},
        {"select * from (select * from a), lateral (select x, y from b)", "a b"},
        {"select f(x, y), z from a where b in (select c, d from e)", "a e"},
        {"from a select b, c", "a"},
        {"with x as (select * from a) select * from x", "a"},
        {"with x(n, m) as materialized (select 1), y as (from x) select * from y, b", "b"},
        {"with recursive x as (select 1 union all select n from x) from x", ""},
        {"select extract(year from d), trim(both ' ' from e) from a", "a"},
        {"select a is distinct from b, a is not distinct from c from d", "d"},
        {"select 'from x', \"from\" /* from y /* from */ from z */ -- from w\nfrom a", "a"},
        {"select E'\\' from x' from a where $$ from y $$ <> $t$ from z $t$", "a"},
        {"select * from read_csv('x.csv'), range(3) r, a", "a"},
        {"select * from 'x.parquet'", ""},
        {"select * from a union all select * from b order by c, d", "a b"},
        {"select count(*) filter (where x) from a group by b, c having d", "a"},
        {"pivot a on b using sum(c)", "a"},
        {"select (select max(x) from b) from a", "b a"},
        {"", ""}, {"from", ""}, {"select from from", ""}, {"select * from a.", "a"},
        {"((((", ""}, {"'", ""}, {"/*", ""}, {"$x$", ""}, {"\"", ""},
    };
    Arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(tables_in(&a, cases[i][0]), cases[i][1]);
    arena_free(&a);
}

static void words_and_names_have_ends(void **state)
{
    assert_int_equal(sql_word_end(S("abc.d"), 0), 3);
    assert_int_equal(sql_name_end(S("abc.d + e"), 0), 5);
    assert_int_equal(sql_name_end(S("\"a b\".\"c\"\"d\" x"), 0), 12);
    assert_int_equal(sql_word_end(S("a"), 7), 7);
    assert_int_equal(sql_second_statement(S("select 1; -- x\n select 2")), 16);
    assert_int_equal(sql_second_statement(S("select ';';;")), 0);
    assert_int_equal(sql_find_word(S("select x, \"Y\" from t"), S("y")), 10);
    assert_int_equal(sql_find_word(S("select 'y'"), S("y")), -1);
    assert_true(sql_has_table(S("select a.x from t a"), S("a")));
    assert_false(sql_has_table(S("select a.x from t.a"), S("a")));
}

/* ---- Places ---- */

typedef struct Model {
    Arena arena;
    Sources sources;
    Diag diag;
    Plan plan;
} Model;

static void model_init(Model *m)
{
    arena_init(&m->arena, 0);
    sources_init(&m->sources, &m->arena);
    diag_init(&m->diag, &m->arena, &m->sources);
    m->plan = (Plan){.arena = &m->arena, .diag = &m->diag, .sources = &m->sources,
                     .name = S("test")};
}

static SqlUnit *model_unit(Model *m, const char *text)
{
    uint32_t file = sources_add(&m->sources, S("a.sql"), str_from(text));
    SqlUnit *unit = push(&m->arena, SqlUnit, 1);
    TemplateCtx ctx = {.arena = &m->arena, .diag = &m->diag};
    unit->at = (Span){file, 0, (uint32_t)str_from(text).len};
    unit->file = file;
    unit->parsed = template_parse(&ctx, str_from(text),
                                  template_place_file(&m->sources, unit->at), TEMPLATE_TEXT);
    return unit;
}

/* What stands in the source where `word` came out. */
static Str source_of(Model *m, const char *text, const char *word, bool *exact)
{
    SqlUnit *unit = model_unit(m, text);
    TemplateResult r;
    assert_true(sql_render(&m->plan, unit, RENDER_BIND, &r));
    Str rendered = r.value.as.s;
    ptrdiff_t at = str_find(rendered, str_from(word));
    assert_true(at >= 0);
    Span span = sql_span(&m->plan, unit, rendered, false, (size_t)at,
                         (size_t)at + strlen(word), exact);
    return str_sub(sources_file(&m->sources, span.file)->text, span.start, span.end);
}

static void bytes_lead_back_to_what_was_written(void **state)
{
    static const struct {
        const char *text, *word, *source;
        bool exact;
    } cases[] = {
        {"select x", "x", "x", true},
        {"select {{ 'a' }}, x", "x", "x", true},
        {"select {{ 'abc' }}, x", "abc", "{{ 'abc' }}", false},
        {"{% if true %}\nselect y\n{% endif %}", "y", "y", true},
        {"{%- if false %}select y{% else -%}\n  select z {%- endif %}", "z", "z", true},
        {"{% for i in [1, 2] %}a{{ i }}, {% endfor %}x", "x", "x", true},
        {"{% for i in [1, 2] %}a{{ i }}, {% endfor %}x", "2", "{{ i }}", false},
        {"{% macro m(c) %}sum({{ c }}){% endmacro %}select {{ m('x') }}, t", "sum",
         "{{ m('x') }}", false},
        {"{% macro m(c) %}sum({{ c }}){% endmacro %}select {{ m('x') }}, t", "t", "t", true},
        {"{# comment #}{% set s %}q{% endset %}select {{ s }}, r", "r", "r", true},
        {"Größe {{ 'ü' }} x", "x", "x", true},
        {"{% filter upper %}abc{% endfilter %} x", "ABC", "{% filter upper %}", false},
    };
    Model m;
    model_init(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool exact;
        Str source = source_of(&m, cases[i].text, cases[i].word, &exact);
        assert_string_equal(str_cstr(&m.arena, source), cases[i].source);
        assert_int_equal(exact, cases[i].exact);
    }
    assert_int_equal(m.diag.items.count, 0);
    arena_free(&m.arena);
}

/* ---- Judging ---- */

static const BindColumn day_columns[] = {{DG_S("day"), DG_S("DATE")}, {DG_S("n"), DG_S("BIGINT")}};

static BindResult judge(Judge *j, const char *sql, const BindTable *const *tables, size_t count)
{
    BindQuery q = {.sql = str_from(sql), .tables = tables, .tables_count = count};
    return judge_query(j, &q);
}

static void columns_and_types_come_from_the_binder(void **state)
{
    static const char *const types[] = {
        "BIGINT", "HUGEINT", "DECIMAL(18,3)", "VARCHAR", "JSON", "TIMESTAMPTZ", "INTEGER[]",
        "INTEGER[3]", "STRUCT(\"a\" INTEGER, \"b c\" VARCHAR[])", "MAP(VARCHAR, DOUBLE)",
        "ENUM('x', 'y''z')", "UNION(\"i\" INTEGER, \"t\" VARCHAR)", "UUID", "BLOB", "INTERVAL",
    };
    enum { COUNT = sizeof types / sizeof *types };
    BindColumn columns[COUNT];
    static char names[COUNT][8];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "c%zu", i);
        columns[i] = (BindColumn){str_from(names[i]), str_from(types[i])};
    }
    BindTable table = {.schema = S("raw"), .table = S("all"), .columns = columns, .count = COUNT};
    const BindTable *tables[] = {&table};
    Judge *j;
    assert_int_equal(judge_open(&j, NULL), DG_OK);
    for (int exact = 0; exact < 2; exact++) {
        BindQuery q = {.sql = S("select * from \"raw\".\"all\""), .tables = tables,
                       .tables_count = 1, .exact = exact};
        BindResult r = judge_query(j, &q);
        assert_true(r.ok);
        assert_int_equal(r.count, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_true(str_eq(r.columns[i].type, columns[i].type));
    }
    judge_close(j);
}

static void a_fault_leaves_the_judge_as_it_was(void **state)
{
    BindTable one = {.schema = S("a"), .table = S("t"), .columns = day_columns, .count = 2};
    BindTable two = {.schema = S("b"), .table = S("t"), .columns = day_columns, .count = 1};
    const BindTable *tables[] = {&one, &two};
    Judge *j;
    assert_int_equal(judge_open(&j, NULL), DG_OK);
    for (int round = 0; round < 3; round++) {
        assert_false(judge(j, "select nope from a.t", tables, 1).ok);
        assert_false(judge(j, "select from where", tables, 1).ok);
        assert_false(judge(j, "select * from missing", tables, 1).ok);
        assert_true(judge(j, "select n from a.t", tables, 1).ok);
        assert_true(judge(j, "select a.t.n, b.t.day from a.t, b.t", tables, 2).ok);
        assert_false(judge(j, "select b.t.n from a.t, b.t", tables, 2).ok);
        assert_false(judge(j, "create table x as select 1", tables, 1).ok);
        BindQuery statements = {.sql = S("select 1; -- two\nselect 2;"), .parse_only = true};
        assert_true(judge_query(j, &statements).ok);
    }
    judge_close(j);
}

static void the_cache_names_the_release_of_duckdb(void **state)
{
    const DuckApi *api = duck_api(NULL);
    assert_non_null(api);
    assert_string_equal(api->library_version(), BIND_DUCKDB_VERSION);
}

/* ---- Shapes ---- */

static Str shape_of(Arena *a, const char *sql, const char *first, const char *second)
{
    BindTable one = {.schema = S("raw"), .table = str_from(first)};
    BindTable two = {.schema = S("raw"), .table = str_from(second)};
    const BindTable *tables[] = {&one, &two};
    BindQuery q = {.sql = str_from(sql), .tables = tables, .tables_count = 2};
    SqlNames names = sql_tables(a, q.sql);
    SqlPlaces places = {push(a, SqlSpan, names.count + 1), names.count};
    for (size_t i = 0; i < names.count; i++)
        places.items[i] = (SqlSpan){names.items[i].start, names.items[i].end};
    return sql_shape(a, &q, &places);
}

/* The second text reads `c1` and `c2` where the first reads `orders` and `items`. */
static void names_of_tables_comments_and_gaps_are_no_part_of_a_shape(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"select a from \"raw\".\"orders\"", "select a from \"raw\".\"c1\"", true},
        {"select a from \"raw\".\"orders\" x, \"raw\".\"items\"",
         "-- all\nselect a\n  from \"raw\".\"c1\" x, /* two */ \"raw\".\"c2\"", true},
        {"select a from \"raw\".\"orders\"", "select a from \"raw\".\"c2\"", false},
        {"select a from \"raw\".\"orders\", \"raw\".\"items\"",
         "select a from \"raw\".\"c1\", \"raw\".\"c1\"", false},
        {"select a from \"raw\".\"orders\"", "select A from \"raw\".\"c1\"", false},
        {"select 1 from \"raw\".\"orders\"", "select 2 from \"raw\".\"c1\"", false},
        {"select '--' from \"raw\".\"orders\"", "select '--x' from \"raw\".\"c1\"", false},
        {"select 'a' 'b' from \"raw\".\"orders\"", "select 'a'\n'b' from \"raw\".\"c1\"", false},
        {"select a b from \"raw\".\"orders\"", "select ab from \"raw\".\"c1\"", false},
    };
    static const char *const none[] = {
        "select orders.a from \"raw\".\"orders\"",     /* a name for its columns */
        "select orders from \"raw\".\"orders\"",       /* its rows, or a column */
        "select \"raw\".\"orders\" from \"raw\".\"orders\"",
        "select a as ORDERS from \"raw\".\"orders\"",
        "from query_table('orders')",
        "select a from raw.orders",                      /* not as ref() prints it */
        "select a from \"raw\".\"orders\" /* no end",
        "select $$a$$ from \"raw\".\"orders\"",
    };
    Arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str one = shape_of(&a, cases[i].one, "orders", "items");
        Str other = shape_of(&a, cases[i].other, "c1", "c2");
        assert_true(one.len && other.len);
        assert_int_equal(str_eq(one, other), cases[i].same);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(shape_of(&a, none[i], "orders", "items").len, 0);
    assert_int_equal(shape_of(&a, "from \"raw\".\"pg_x\"", "pg_x", "b").len, 0);
    assert_int_equal(shape_of(&a, "from \"raw\".\"a.csv\"", "a.csv", "b").len, 0);
    assert_int_equal(shape_of(&a, "from \"raw\".\"t1\"", "t1", "T1").len, 0);
    arena_free(&a);
}

/* ---- The cache ---- */

static void write_byte(const char *path, long at, int byte)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    fputc(byte, f);
    fclose(f);
}

static bool cache_has(Str folder, const CacheKey *key, size_t columns)
{
    Arena a;
    BindResult r = {0};
    arena_init(&a, 0);
    bool found = cache_get(cache_open(&a, folder), key, &r);
    assert_true(!found || r.count == columns);
    arena_free(&a);
    return found;
}

static void judgements_are_kept_and_damage_is_noticed(void **state)
{
    char folder[] = "/tmp/dgc-test-XXXXXX", path[128];
    Arena a;
    CacheKey keys[3] = {{{1}}, {{2}}, {{1, 1}}};
    assert_non_null(mkdtemp(folder));
    arena_init(&a, 0);
    SqlCache *c = cache_open(&a, str_from(folder));
    cache_put(c, &keys[0], &(BindResult){.ok = true, .columns = day_columns, .count = 2});
    cache_put(c, &keys[1], &(BindResult){.ok = true});
    cache_save(c);
    assert_true(cache_has(str_from(folder), &keys[0], 2));
    assert_true(cache_has(str_from(folder), &keys[1], 0));
    assert_false(cache_has(str_from(folder), &keys[2], 0));
    snprintf(path, sizeof path, "%s/.dgc/cache/sql.bin", folder);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    write_byte(path, st.st_size - 3, 'x');
    assert_false(cache_has(str_from(folder), &keys[0], 2));
    assert_int_equal(truncate(path, 10), 0);
    assert_false(cache_has(str_from(folder), &keys[0], 2));
    assert_int_equal(truncate(path, 0), 0);
    assert_false(cache_has(str_from(folder), &keys[0], 2));
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_found_where_tables_stand),
        cmocka_unit_test(words_and_names_have_ends),
        cmocka_unit_test(bytes_lead_back_to_what_was_written),
        cmocka_unit_test(columns_and_types_come_from_the_binder),
        cmocka_unit_test(a_fault_leaves_the_judge_as_it_was),
        cmocka_unit_test(the_cache_names_the_release_of_duckdb),
        cmocka_unit_test(names_of_tables_comments_and_gaps_are_no_part_of_a_shape),
        cmocka_unit_test(judgements_are_kept_and_damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
