/* fixture_tables.c - the rows of a test: put into the warehouse, and compared with it.
 *
 * Both sides of a comparison are rendered by DuckDB itself: what the fixture says is cast to the
 * type that the column has, so `10` fits a double and `2024-05-01` a timestamp.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "codegen/fixture_impl.h"
#include "runtime/db/warehouse.h"

enum { ROWS_SHOWN = 20 };

/* ---- Names ---- */

static void report_wrong(FixtureRun *r, Span at, Str message)
{
    diag_report(r->diag, E0901, at, "%.*s", FMT(message));
    r->failed = true;
}

static bool asset_exists(FixtureRun *r, Str key, Span at)
{
    const Plan *plan = &r->c->plan;
    if (plan_asset(plan, key))
        return true;
    Str *names = push(r->arena, Str, plan->assets.count + 1);
    for (size_t i = 0; i < plan->assets.count; i++)
        names[i] = plan->assets.items[i]->key;
    DiagItem *it = diag_report(r->diag, E0901, at, "the project has no asset `%.*s`", FMT(key));
    Str near = diag_nearest(r->arena, key, names, plan->assets.count);
    if (near.len)
        diag_help(it, "a similar asset exists: `%.*s`", FMT(near));
    r->failed = true;
    return false;
}

static const DgColumn *known_column(const Asset *asset, Str name)
{
    for (size_t i = 0; i < asset->columns.count; i++)
        if (str_eq_nocase(asset->columns.items[i].column.name, name))
            return &asset->columns.items[i].column;
    return NULL;
}

static void check_table_names(FixtureRun *r, const FixtureTable *t)
{
    if (!asset_exists(r, t->asset, t->at))
        return;
    const Asset *asset = plan_asset(&r->c->plan, t->asset);
    for (size_t i = 0; asset->columns_known && i < t->columns.count; i++)
        if (!known_column(asset, t->columns.items[i]))
            report_wrong(r, t->at, str_format(r->arena, "`%.*s` has no column `%.*s`", FMT(t->asset),
                                              FMT(t->columns.items[i])));
}

bool fixture_names_exist(FixtureRun *r)
{
    for (size_t i = 0; i < r->f->given.count; i++)
        check_table_names(r, &r->f->given.items[i]);
    for (size_t i = 0; i < r->f->rows.count; i++)
        check_table_names(r, &r->f->rows.items[i]);
    for (size_t i = 0; i < r->f->counts.count; i++)
        asset_exists(r, r->f->counts.items[i].asset, r->f->counts.items[i].at);
    for (size_t i = 0; i < r->f->checks.count; i++)
        asset_exists(r, r->f->checks.items[i].asset, r->f->checks.items[i].at);
    return !r->failed;
}

/* ---- The warehouse ---- */

typedef struct Tables {
    FixtureRun *r;
    DgWarehouse *warehouse;
    DgSession *session;
    DgError err;
} Tables;

static bool open_tables(Tables *t, bool read_only)
{
    Arena *a = t->r->arena;
    DgWarehouseOptions options = {
        .path = str_format(a, "%.*s/.dgc/%.*s.duckdb", FMT(t->r->folder), FMT(t->r->c->plan.name)),
        .threads = 1, .memory_max = 256 << 20, .read_only = read_only};
    return dg_warehouse_open(&options, &t->warehouse, &t->err) == DG_OK &&
           dg_session_open(t->warehouse, &t->session, &t->err) == DG_OK;
}

static void close_tables(Tables *t)
{
    if (t->session)
        dg_session_close(t->session);
    dg_warehouse_close(t->warehouse);
}

static Str table_of(const FixtureRun *r, Str asset)
{
    Str schema, table;
    const Asset *known = plan_asset(&r->c->plan, asset);
    if (known && known->table.len)
        return dg_duckdb_table(r->arena, known->schema, known->table);
    dg_asset_table(r->arena, asset, &schema, &table);
    return dg_duckdb_table(r->arena, schema, table);
}

static Str rows_of_file(const FixtureRun *r, const FixtureTable *t)
{
    return str_format(r->arena, "SELECT * FROM %.*s",
                      FMT(dg_duckdb_text(r->arena, str_format(r->arena, "%.*s/%.*s", FMT(r->folder),
                                                              FMT(t->file)))));
}

/* ---- Given ---- */

/* From the values, where the project does not know the column's type. */
static Str guessed_type(const FixtureTable *t, size_t column)
{
    bool seen[YAML_ERROR + 1] = {false};
    int kinds = 0;
    YamlKind last = YAML_STRING;
    for (size_t i = 0; i < t->rows_count; i++) {
        YamlKind kind = t->cells[i * t->columns.count + column].kind;
        if (kind == YAML_NULL || seen[kind])
            continue;
        seen[kind] = true;
        last = kind;
        kinds++;
    }
    if (kinds == 2 && seen[YAML_INT] && seen[YAML_FLOAT])
        return S("DOUBLE");
    if (kinds != 1)
        return S("VARCHAR");
    return last == YAML_BOOL ? S("BOOLEAN") : last == YAML_INT ? S("BIGINT") : last == YAML_FLOAT ? S("DOUBLE")
         : last == YAML_DATE ? S("DATE") : last == YAML_TIMESTAMP ? S("TIMESTAMP") : S("VARCHAR");
}

static void add_cell(const FixtureRun *r, StrBuf *sql, const FixtureCell *cell, Str type)
{
    if (cell->kind == YAML_NULL)
        buf_format(sql, "CAST(NULL AS %.*s)", FMT(type));
    else
        buf_format(sql, "CAST(%.*s AS %.*s)", FMT(dg_duckdb_text(r->arena, cell->text)), FMT(type));
}

static ptrdiff_t column_at(const FixtureTable *t, Str name)
{
    for (size_t i = 0; i < t->columns.count; i++)
        if (str_eq_nocase(t->columns.items[i], name))
            return (ptrdiff_t)i;
    return -1;
}

typedef struct Column {
    Str name, type;
    ptrdiff_t at; /* in the fixture's rows; -1: they leave it out */
} Column;
typedef Array(Column) Columns;

static Columns given_columns(const FixtureRun *r, const FixtureTable *t)
{
    const Asset *asset = plan_asset(&r->c->plan, t->asset);
    Columns out = {0};
    for (size_t i = 0; asset->columns_known && i < asset->columns.count; i++) {
        const DgColumn *c = &asset->columns.items[i].column;
        Column column = {c->name, dg_duckdb_type(r->arena, c->type), column_at(t, c->name)};
        array_add(r->arena, &out, column);
    }
    for (size_t i = 0; !asset->columns_known && i < t->columns.count; i++) {
        Column column = {t->columns.items[i], guessed_type(t, i), (ptrdiff_t)i};
        array_add(r->arena, &out, column);
    }
    return out;
}

/* SELECT CAST(...) AS "a", ... UNION ALL ...: the fixture's rows with these columns. */
static void add_rows(const FixtureRun *r, StrBuf *sql, const FixtureTable *t, const Columns *columns)
{
    static const FixtureCell missing = {.kind = YAML_NULL};
    for (size_t i = 0; i < t->rows_count + (t->rows_count == 0); i++) {
        buf_add(sql, i ? S(" UNION ALL SELECT ") : S("SELECT "));
        for (size_t k = 0; k < columns->count; k++) {
            const Column *c = &columns->items[k];
            bool there = c->at >= 0 && t->rows_count;
            buf_add(sql, k ? S(", ") : S(""));
            add_cell(r, sql, there ? &t->cells[i * t->columns.count + (size_t)c->at] : &missing, c->type);
            buf_format(sql, " AS %.*s", FMT(dg_duckdb_name(r->arena, c->name)));
        }
    }
    if (!t->rows_count)
        buf_add(sql, S(" WHERE false"));
}

static bool put_table(Tables *x, const FixtureTable *t)
{
    FixtureRun *r = x->r;
    const Asset *asset = plan_asset(&r->c->plan, t->asset);
    Columns columns = given_columns(r, t);
    StrBuf sql = {0};
    if (!t->file.len && !columns.count) {
        report_wrong(r, t->at, S("no rows, and no columns known: add `columns: [...]`"));
        return false;
    }
    buf_format(&sql, "CREATE SCHEMA IF NOT EXISTS %.*s; CREATE TABLE %.*s AS ",
               FMT(dg_duckdb_name(r->arena, asset->schema.len ? asset->schema : S("main"))),
               FMT(table_of(r, t->asset)));
    if (t->file.len)
        buf_add(&sql, rows_of_file(r, t));
    else
        add_rows(r, &sql, t, &columns);
    bool ok = dg_session_exec(x->session, buf_str(&sql), &x->err) == DG_OK;
    buf_free(&sql);
    if (!ok)
        report_wrong(r, t->at, str_format(r->arena, "the rows of `%.*s` do not fit: %s", FMT(t->asset),
                                          x->err.message));
    return ok;
}

bool fixture_put_tables(FixtureRun *r)
{
    if (!r->f->given.count)
        return true;
    Tables x = {.r = r};
    char *home = str_cstr(r->arena, str_format(r->arena, "%.*s/.dgc", FMT(r->folder)));
    bool ok = (mkdir(home, 0755) == 0 || errno == EEXIST) && open_tables(&x, false);
    if (!ok)
        fixture_differs(r, "could not make the given tables: %s", x.err.message);
    for (size_t i = 0; ok && i < r->f->given.count; i++)
        ok = put_table(&x, &r->f->given.items[i]);
    close_tables(&x);
    return ok;
}

/* ---- Comparing ---- */

static Columns wanted_columns(Tables *x, const FixtureTable *t)
{
    FixtureRun *r = x->r;
    Columns out = {0};
    Str schema, table, type;
    const Asset *asset = plan_asset(&r->c->plan, t->asset);
    schema = asset->schema;
    table = asset->table;
    for (size_t i = 0; i < t->columns.count; i++) {
        Str sql = str_format(r->arena, "SELECT max(data_type) FROM duckdb_columns() WHERE schema_name = "
                             "%.*s AND table_name = %.*s AND lower(column_name) = lower(%.*s)",
                             FMT(dg_duckdb_text(r->arena, schema)), FMT(dg_duckdb_text(r->arena, table)),
                             FMT(dg_duckdb_text(r->arena, t->columns.items[i])));
        if (dg_session_text(x->session, r->arena, sql, &type, &x->err) != DG_OK || !type.len) {
            fixture_differs(r, "%.*s: there is no table with a column `%.*s` after the run", FMT(t->asset),
                    FMT(t->columns.items[i]));
            return (Columns){0};
        }
        Column column = {t->columns.items[i], type, (ptrdiff_t)i};
        array_add(r->arena, &out, column);
    }
    return out;
}

/* One text with a line for each row: {a: 1, b: x}. Floats are shown to 12 digits. */
static bool rows_as_lines(Tables *x, const Columns *columns, Str from, Str *out)
{
    FixtureRun *r = x->r;
    StrBuf sql = {0};
    buf_add(&sql, S("SELECT coalesce(string_agg(line, chr(10)), '') FROM (SELECT replace('{'"));
    for (size_t i = 0; i < columns->count; i++) {
        const Column *c = &columns->items[i];
        Str name = dg_duckdb_name(r->arena, c->name);
        bool is_float = str_eq(c->type, S("DOUBLE")) || str_eq(c->type, S("FLOAT"));
        buf_format(&sql, " || %.*s || coalesce(",
                   FMT(dg_duckdb_text(r->arena, str_format(r->arena, "%s%.*s: ", i ? ", " : "",
                                                           FMT(c->name)))));
        if (is_float)
            buf_format(&sql, "printf('%%.12g', CAST(%.*s AS DOUBLE))", FMT(name));
        else
            buf_format(&sql, "CAST(%.*s AS VARCHAR)", FMT(name));
        buf_add(&sql, S(", 'null')"));
    }
    buf_format(&sql, " || '}', chr(10), '\\n') AS line FROM (%.*s))", FMT(from));
    bool ok = dg_session_text(x->session, r->arena, buf_str(&sql), out, &x->err) == DG_OK;
    buf_free(&sql);
    return ok;
}

static StrArray split(Arena *a, Str text)
{
    StrArray out = {0};
    for (Str line; text.len;) {
        str_cut(text, '\n', &line, &text);
        array_add(a, &out, line);
    }
    return out;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

/* Lines of one that the other has not: `-` expected, `+` found. */
static size_t show_differences(const StrArray *want, const StrArray *got, StrBuf *out)
{
    size_t i = 0, k = 0, shown = 0;
    while (i < want->count || k < got->count) {
        int order = i == want->count ? 1 : k == got->count ? -1 : str_cmp(want->items[i], got->items[k]);
        if (order == 0) {
            i++;
            k++;
            continue;
        }
        Str line = order < 0 ? want->items[i++] : got->items[k++];
        if (shown++ < ROWS_SHOWN)
            buf_format(out, "  %c %.*s\n", order < 0 ? '-' : '+', FMT(line));
    }
    if (shown > ROWS_SHOWN)
        buf_format(out, "  ... and %zu more\n", shown - ROWS_SHOWN);
    return shown;
}

static void compare_lines(FixtureRun *r, const FixtureTable *t, Str want_text, Str got_text)
{
    StrArray want = split(r->arena, want_text), got = split(r->arena, got_text);
    bool same = str_eq(want_text, got_text);
    if (same)
        return;
    if (want.count)
        qsort(want.items, want.count, sizeof(Str), by_text);
    if (got.count)
        qsort(got.items, got.count, sizeof(Str), by_text);
    StrBuf shown = {0};
    size_t count = show_differences(&want, &got, &shown);
    if (count)
        fixture_differs(r, "%.*s: %zu rows expected (-), %zu found (+)\n%.*s", FMT(t->asset), want.count, got.count,
                (int)shown.len - 1, shown.ptr);
    else if (t->ordered)
        fixture_differs(r, "%.*s: the rows are there, but in another order", FMT(t->asset));
    buf_free(&shown);
}

/* The columns of a data file that has the expected rows. */
static StrArray columns_of_file(Tables *x, const FixtureTable *t)
{
    Str names = {0};
    Str sql = str_format(x->r->arena, "SELECT string_agg(column_name, chr(10)) FROM (DESCRIBE %.*s)",
                         FMT(rows_of_file(x->r, t)));
    if (dg_session_text(x->session, x->r->arena, sql, &names, &x->err) != DG_OK)
        fixture_differs(x->r, "%.*s: %s", FMT(t->file), x->err.message);
    return split(x->r->arena, names);
}

static void add_file_rows(const FixtureRun *r, StrBuf *sql, const FixtureTable *t, const Columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        Str name = dg_duckdb_name(r->arena, columns->items[i].name);
        buf_format(sql, "%s CAST(%.*s AS %.*s) AS %.*s", i ? "," : "SELECT", FMT(name),
                   FMT(columns->items[i].type), FMT(name));
    }
    buf_format(sql, " FROM (%.*s)", FMT(rows_of_file(r, t)));
}

static void compare_table(Tables *x, const FixtureTable *t)
{
    FixtureRun *r = x->r;
    Str want, got, table = str_format(r->arena, "SELECT * FROM %.*s", FMT(table_of(r, t->asset)));
    StrBuf sql = {0};
    FixtureTable copy = *t;
    if (t->file.len)
        copy.columns = columns_of_file(x, t);
    else if (!t->columns.count) { /* no rows at all */
        int64_t count = 0;
        if (dg_session_int(x->session, str_format(r->arena, "SELECT count(*) FROM (%.*s)", FMT(table)),
                           &count, &x->err) != DG_OK)
            fixture_differs(r, "%.*s: %s", FMT(t->asset), x->err.message);
        else if (count)
            fixture_differs(r, "%.*s: no rows expected, %lld found", FMT(t->asset), (long long)count);
        return;
    }
    Columns columns = wanted_columns(x, &copy);
    if (!columns.count)
        return;
    if (t->file.len)
        add_file_rows(r, &sql, t, &columns);
    else
        add_rows(r, &sql, t, &columns);
    if (rows_as_lines(x, &columns, buf_str(&sql), &want) && rows_as_lines(x, &columns, table, &got))
        compare_lines(r, t, want, got);
    else
        fixture_differs(r, "%.*s: %s", FMT(t->asset), x->err.message);
    buf_free(&sql);
}

void fixture_compare_tables(FixtureRun *r)
{
    Tables x = {.r = r};
    if (!r->f->rows.count && !r->f->counts.count)
        return;
    if (!open_tables(&x, true)) {
        fixture_differs(r, "could not read the tables: %s", x.err.message);
        close_tables(&x);
        return;
    }
    for (size_t i = 0; i < r->f->rows.count; i++)
        compare_table(&x, &r->f->rows.items[i]);
    for (size_t i = 0; i < r->f->counts.count; i++) {
        const FixtureCount *want = &r->f->counts.items[i];
        int64_t count = 0;
        Str sql = str_format(r->arena, "SELECT count(*) FROM %.*s", FMT(table_of(r, want->asset)));
        if (dg_session_int(x.session, sql, &count, &x.err) != DG_OK)
            fixture_differs(r, "%.*s: %s", FMT(want->asset), x.err.message);
        else if (count != want->rows)
            fixture_differs(r, "%.*s: %lld rows expected, %lld found", FMT(want->asset), (long long)want->rows,
                    (long long)count);
    }
    close_tables(&x);
}
