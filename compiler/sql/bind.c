/* bind.c - DuckDB's parser and binder judge every unit against the columns that are known.
 *
 * One in-memory database; an upstream asset becomes an empty table when the first unit names it.
 * Units go in the run order of their steps, so that a model's columns are known to the next.
 */
#include "compiler/sql/sql_internal.h"

#include <stdlib.h>

#include "compiler/rows.h"
#include "runtime/db/duckdb_internal.h"

typedef struct Binder {
    Plan *plan;
    DgWarehouse *warehouse;
    DgSession *session;
    Map schemas, tables; /* made already */
} Binder;

static bool open_binder(Binder *b)
{
    DgError err = {0};
    DgWarehouseOptions o = {.threads = 1, .memory_max = 512 << 20};
    if (dg_warehouse_open(&o, &b->warehouse, &err) != DG_OK ||
        dg_session_open(b->warehouse, &b->session, &err) != DG_OK ||
        dg_session_exec(b->session, S("PRAGMA disable_optimizer"), &err) != DG_OK)
        return false;
    dg_session_begin(b->session, &err);
    return true;
}

static void make_schema(Binder *b, Str schema)
{
    DgError err = {0};
    if (map_has(&b->schemas, schema) || str_eq(schema, S("main")))
        return;
    map_put(b->plan->arena, &b->schemas, schema, b);
    dg_session_exec(b->session, str_format(b->plan->arena, "CREATE SCHEMA IF NOT EXISTS %.*s",
                                           FMT(dg_duckdb_name(b->plan->arena, schema))), &err);
}

/* An empty table with the asset's columns. False: they are not known. */
static bool make_table(Binder *b, const Asset *asset)
{
    Arena *a = b->plan->arena;
    if (!asset->columns_known || !asset->columns.count)
        return false;
    if (map_has(&b->tables, asset->key))
        return true;
    map_put(a, &b->tables, asset->key, b);
    make_schema(b, asset->schema);
    StrBuf sql = {0};
    buf_format(&sql, "CREATE TABLE %.*s (", FMT(dg_duckdb_table(a, asset->schema, asset->table)));
    for (size_t i = 0; i < asset->columns.count; i++) {
        const DgColumn *c = &asset->columns.items[i].column;
        buf_format(&sql, "%s%.*s %.*s", i ? ", " : "", FMT(dg_duckdb_name(a, c->name)),
                   FMT(dg_duckdb_type(a, c->type)));
    }
    buf_char(&sql, ')');
    DgError err = {0};
    bool ok = dg_session_exec(b->session, buf_str(&sql), &err) == DG_OK;
    buf_free(&sql);
    return ok;
}

/* ---- Messages of DuckDB, and the place they point to ---- */

static Str line_of(Str text, Str start)
{
    ptrdiff_t at = str_find(text, start);
    if (at < 0)
        return (Str){0};
    Str rest = str_sub(text, at + start.len, text.len);
    ptrdiff_t end = str_find_char(rest, '\n');
    return end >= 0 ? str_sub(rest, 0, end) : rest;
}

/* "LINE 3: select amuont" and the caret's line below: byte offset into sql, or -1. */
static ptrdiff_t message_position(Str message, Str sql)
{
    ptrdiff_t at = str_find(message, S("\nLINE "));
    if (at < 0)
        return -1;
    Str rest = str_sub(message, at + 6, message.len), number, shown, carets;
    int64_t line;
    if (!str_cut(rest, ':', &number, &rest) || !str_to_int(number, &line))
        return -1;
    ptrdiff_t prefix = number.len + 7; /* "LINE n: " */
    if (!str_cut(rest, '\n', &shown, &carets))
        return -1;
    ptrdiff_t caret = str_find_char(carets, '^');
    shown = str_sub(shown, 1, shown.len);
    ptrdiff_t column = caret - prefix, start = 0;
    for (int64_t n = 1; n < line && start < sql.len; n++) {
        ptrdiff_t end = str_find_char(str_sub(sql, start, sql.len), '\n');
        if (end < 0)
            return -1;
        start += end + 1;
    }
    /* Long lines are shown in part, between "...". */
    Str part = shown;
    ptrdiff_t cut = 0;
    if (str_starts(part, S("..."))) {
        part = str_sub(part, 3, part.len);
        column -= 3;
        Str tail = str_ends(part, S("...")) ? str_sub(part, 0, part.len - 3) : part;
        cut = str_find(str_sub(sql, start, sql.len), tail);
    }
    return caret < 0 || column < 0 || cut < 0 ? -1 : start + cut + column;
}

static size_t word_end(Str sql, size_t at)
{
    size_t end = at;
    if (end < (size_t)sql.len && sql.ptr[end] == '"') {
        for (end++; end < (size_t)sql.len && sql.ptr[end] != '"'; end++)
            ;
        return end + 1;
    }
    while (end < (size_t)sql.len &&
           ((sql.ptr[end] >= '0' && sql.ptr[end] <= '9') || (sql.ptr[end] >= 'a' && sql.ptr[end] <= 'z') ||
            (sql.ptr[end] >= 'A' && sql.ptr[end] <= 'Z') || sql.ptr[end] == '_'))
        end++;
    return end > at ? end : at + 1;
}

/* Names in quotes after "Candidate bindings:" or "Did you mean". */
static size_t candidates(Str message, Str *out, size_t max)
{
    size_t n = 0;
    Str line = line_of(message, S("Candidate bindings: "));
    if (!line.len)
        line = line_of(message, S("Did you mean "));
    while (n < max) {
        ptrdiff_t open = str_find_char(line, '"');
        if (open < 0)
            break;
        line = str_sub(line, open + 1, line.len);
        ptrdiff_t end = str_find_char(line, '"');
        if (end < 0)
            break;
        Str name = str_sub(line, 0, end);
        ptrdiff_t dot = str_find_char(name, '.');
        out[n++] = dot >= 0 ? str_sub(name, dot + 1, name.len) : name;
        line = str_sub(line, end + 1, line.len);
    }
    return n;
}

static Str first_quoted(Str s)
{
    ptrdiff_t open = str_find_char(s, '"');
    Str rest = open >= 0 ? str_sub(s, open + 1, s.len) : (Str){0};
    ptrdiff_t end = str_find_char(rest, '"');
    return end >= 0 ? str_sub(rest, 0, end) : (Str){0};
}

static void report(Binder *b, SqlUnit *unit, Str sql, Str message)
{
    Diag *d = b->plan->diag;
    ptrdiff_t at = message_position(message, sql);
    Str first = message, rest;
    str_cut(message, '\n', &first, &rest);
    size_t end = at >= 0 ? word_end(sql, (size_t)at) : 0;
    /* `t.column`: the caret stands at the table; the column is what is wrong. */
    Str wrong = at >= 0 ? str_sub(sql, at, (ptrdiff_t)end) : (Str){0};
    bool column = str_find(first, S("not found in FROM")) >= 0 || str_find(first, S("have a column named")) >= 0;
    bool table = str_starts(first, S("Catalog Error: Table"));
    if (column && at >= 0 && end < (size_t)sql.len && sql.ptr[end] == '.') {
        at = (ptrdiff_t)end + 1;
        end = word_end(sql, (size_t)at);
        wrong = str_sub(sql, at, (ptrdiff_t)end);
    }
    Span place = at >= 0 ? sql_span(b->plan, unit, sql, (size_t)at, end) : unit->at;
    unit->failed = true;
    if (wrong.len > 1 && wrong.ptr[0] == '"')
        wrong = str_sub(wrong, 1, wrong.len - 1);
    if (column && wrong.len) {
        DiagItem *it = diag_report(d, E0402, place, "column `%.*s` does not exist", FMT(wrong));
        Str names[64];
        size_t n = candidates(message, names, 64);
        /* A fix must not replace more than the name: `not_null: [a, b]` is named as a whole. */
        const SourceFile *file = sources_file(b->plan->sources, place.file);
        bool exact = file && str_eq(str_sub(file->text, place.start, place.end), wrong);
        if ((!exact || !diag_suggest(it, place, "column", wrong, names, n)) && n)
            diag_note(it, "near it: `%.*s`", FMT(names[0]));
    } else if (table) {
        Str name = wrong.len ? wrong : first_quoted(first);
        DiagItem *it = diag_report(d, E0403, place, "table `%.*s` does not exist", FMT(name));
        diag_help(it, "name an asset of the project with ref(...) or source(...)");
    } else {
        bool syntax = str_starts(first, S("Parser Error"));
        ptrdiff_t colon = str_find(first, S(": "));
        Str text = colon >= 0 ? str_sub(first, colon + 2, first.len) : first;
        diag_report(d, syntax ? E0401 : E0404, place, "%.*s", FMT(text));
    }
}

/* ---- Judging ---- */

static void take_columns(Binder *b, SqlUnit *unit, duckdb_prepared_statement statement)
{
    const DuckApi *api = b->session->api;
    Asset *asset = unit->asset;
    if (!asset || unit->decl.is_check || unit->decl.statements || asset->columns.count)
        return;
    idx_t n = api->prepared_statement_column_count(statement);
    for (idx_t i = 0; i < n && i < LIMIT_COLUMNS; i++) {
        ColumnInfo info = {0};
        const char *name = api->prepared_statement_column_name(statement, i);
        duckdb_logical_type type = api->prepared_statement_column_logical_type(statement, i);
        info.column.name = str_copy(b->plan->arena, str_from(name));
        if (!duck_type_from(api, type, &info.column.type))
            info.column.type.kind = DG_JSON;
        api->destroy_logical_type(&type);
        api->free((void *)(uintptr_t)name);
        array_add(b->plan->arena, &asset->columns, info);
    }
    asset->columns_known = asset->columns.count > 0;
}

static void bind_unit(Binder *b, SqlUnit *unit)
{
    const DuckApi *api = b->session->api;
    Str sql = unit->text;
    if (unit->failed || !sql.len || unit->decl.statements)
        return;
    if (sql.len > LIMIT_SQL_BYTES) {
        diag_report(b->plan->diag, E0401, unit->at, "the SQL is longer than %d MB", LIMIT_SQL_BYTES >> 20);
        return;
    }
    bool known = true;
    for (size_t i = 0; i < unit->refs.count; i++)
        known &= make_table(b, unit->refs.items[i]);
    if (unit->decl.is_check && unit->asset)
        known &= make_table(b, unit->asset);
    if (!known)
        return;
    duckdb_prepared_statement statement = NULL;
    char *text = str_cstr(b->plan->arena, sql);
    if (api->prepare(b->session->connection, text, &statement) == DuckDBError) {
        DgError err = {0};
        report(b, unit, sql, str_copy(b->plan->arena, str_from(api->prepare_error(statement))));
        api->destroy_prepare(&statement);
        dg_session_rollback(b->session, &err); /* a failed statement may end the transaction */
        dg_session_begin(b->session, &err);
        b->tables = (Map){0};
        b->schemas = (Map){0};
        return;
    }
    take_columns(b, unit, statement);
    api->destroy_prepare(&statement);
}

static int by_order(const void *x, const void *y)
{
    const SqlUnit *a = *(SqlUnit *const *)x, *b = *(SqlUnit *const *)y;
    int i = a->asset && a->asset->step && !a->decl.is_check ? a->asset->step->index : INT32_MAX;
    int k = b->asset && b->asset->step && !b->decl.is_check ? b->asset->step->index : INT32_MAX;
    return i != k ? (i < k ? -1 : 1) : a->at.file != b->at.file ? (a->at.file < b->at.file ? -1 : 1)
                                                               : a->at.start < b->at.start ? -1 : 1;
}

/* Row programs and models in the order in which they run: each gives columns to those after it. */
void sql_units_check(Plan *plan, bool bind)
{
    Binder b = {.plan = plan};
    size_t n = plan->sql.count;
    SqlUnit **units = push(plan->arena, SqlUnit *, n + 1);
    if (n)
        memcpy(units, plan->sql.items, n * sizeof *units);
    qsort(units, n, sizeof *units, by_order);
    bool open = bind && n && open_binder(&b);
    size_t next = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.items[i];
        for (size_t j = 0; j < step->code.count; j++)
            if (step->code.items[j].unit->kind == CODE_ROWS)
                row_program_type(plan, (RowProgram *)(uintptr_t)step->code.items[j].unit->as.rows);
        while (open && next < n && units[next]->asset && units[next]->asset->step == step &&
               !units[next]->decl.is_check)
            bind_unit(&b, units[next++]);
    }
    for (; open && next < n; next++)
        bind_unit(&b, units[next]);
    if (b.session)
        dg_session_close(b.session);
    dg_warehouse_close(b.warehouse);
}
