/* judge.c - one DuckDB that judges SQL without data. */
#include "compiler/sql/bind_internal.h"
#include "runtime/db/warehouse.h"

static const char TABLE_FUNCTION[] = "dgc_table";

/* ---- Tables that DuckDB asks for ---- */

static void on_missing_table(duckdb_replacement_scan_info info, const char *name, void *data)
{
    Judge *j = data;
    const BindQuery *q = j->query;
    for (size_t i = 0; q && !q->exact && i < q->tables_count; i++) {
        if (!str_eq_nocase(q->tables[i]->table, str_from(name)))
            continue;
        duckdb_value number = j->api->create_int64((int64_t)i);
        j->api->replacement_scan_set_function_name(info, TABLE_FUNCTION);
        j->api->replacement_scan_add_parameter(info, number);
        j->api->destroy_value(&number);
        return;
    }
}

static void on_bind(duckdb_bind_info info, Judge *j)
{
    duckdb_value value = j->api->bind_get_parameter(info, 0);
    int64_t number = j->api->get_int64(value);
    j->api->destroy_value(&value);
    if (!j->query || number < 0 || (size_t)number >= j->query->tables_count) {
        j->api->bind_set_error(info, "no such table");
        return;
    }
    const BindTable *t = j->query->tables[number];
    for (size_t i = 0; i < t->count; i++) {
        duckdb_logical_type type = bind_type_of(j, t->columns[i].type);
        char name[256], *text = name;
        if (t->columns[i].name.len < (ptrdiff_t)sizeof name) {
            memcpy(name, t->columns[i].name.ptr, (size_t)t->columns[i].name.len);
            name[t->columns[i].name.len] = '\0';
        } else {
            text = str_cstr(&j->arena, t->columns[i].name);
        }
        if (type)
            j->api->bind_add_result_column(info, text, type);
    }
}

static void table_bind(duckdb_bind_info info)
{
    on_bind(info, duck_api(NULL)->bind_get_extra_info(info));
}

static void table_init(duckdb_init_info info) {}
static void table_read(duckdb_function_info info, duckdb_data_chunk out) {}

static bool register_table(Judge *j)
{
    duckdb_table_function f = j->api->create_table_function();
    duckdb_logical_type number = j->api->create_logical_type(DUCKDB_TYPE_BIGINT);
    j->api->table_function_set_name(f, TABLE_FUNCTION);
    j->api->table_function_add_parameter(f, number);
    j->api->table_function_set_extra_info(f, j, NULL);
    j->api->table_function_set_bind(f, table_bind);
    j->api->table_function_set_init(f, table_init);
    j->api->table_function_set_function(f, table_read);
    bool ok = j->api->register_table_function(j->connection, f) == DuckDBSuccess;
    j->api->destroy_logical_type(&number);
    j->api->destroy_table_function(&f);
    j->api->add_replacement_scan(j->database, on_missing_table, j, NULL);
    return ok;
}

/* ---- Opening ---- */

static bool run(Judge *j, const char *sql)
{
    duckdb_result result;
    bool ok = j->api->query(j->connection, sql, &result) == DuckDBSuccess;
    j->api->destroy_result(&result);
    return ok;
}

/* Settings as they are anyway. DuckDB looks them up for each query or expression, and finds one
 * that was set without parsing the default's text anew: a tenth of the time of judging. */
static const char AS_THEY_ARE[] =
    "SET preserve_identifier_case = true; SET integer_division = false;"
    "SET old_implicit_casting = false; SET debug_verify_vector = 'none';";

static bool open_database(Judge *j)
{
    static const char *const settings[][2] = {
        {"threads", "1"}, {"memory_limit", "512MB"}, {"errors_as_json", "true"},
        {"autoinstall_known_extensions", "false"}, {"autoload_known_extensions", "false"},
    };
    duckdb_config config = NULL;
    char *message = NULL;
    bool ok = j->api->create_config(&config) == DuckDBSuccess;
    for (size_t i = 0; ok && i < sizeof settings / sizeof *settings; i++)
        j->api->set_config(config, settings[i][0], settings[i][1]);
    ok = ok && j->api->open_ext(NULL, &j->database, config, &message) == DuckDBSuccess &&
         j->api->connect(j->database, &j->connection) == DuckDBSuccess &&
         j->api->connect(j->database, &j->reader) == DuckDBSuccess;
    j->api->free(message);
    j->api->destroy_config(&config);
    /* One transaction for all: beginning one for each statement costs a tenth of the time. */
    return ok && run(j, "SET errors_as_json = true") && run(j, AS_THEY_ARE) && run(j, "PRAGMA disable_optimizer") &&
           register_table(j) && run(j, "BEGIN");
}

DgStatus judge_open(Judge **out, DgError *err)
{
    const DuckApi *api = duck_api(err);
    *out = NULL;
    if (!api)
        return DG_CONFIG;
    Arena arena;
    arena_init(&arena, 0);
    Judge *j = push(&arena, Judge, 1);
    j->arena = arena;
    j->api = api;
    if (!open_database(j)) {
        judge_close(j);
        return dg_fail(err, DG_FAILED, "could not start DuckDB to check the SQL");
    }
    *out = j;
    return DG_OK;
}

void judge_close(Judge *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->types.entries.count; i++) {
        duckdb_logical_type type = j->types.entries.items[i].value;
        j->api->destroy_logical_type(&type);
    }
    j->api->disconnect(&j->reader);
    j->api->disconnect(&j->connection);
    j->api->close(&j->database);
    Arena arena = j->arena; /* the judge lies in it */
    arena_free(&arena);
}

/* ---- Real tables ---- */

static void make_table(Judge *j, const BindTable *t)
{
    Str name = dg_duckdb_table(&j->arena, t->schema, t->table);
    Str schema = str_format(&j->arena, "CREATE SCHEMA IF NOT EXISTS %.*s",
                            FMT(dg_duckdb_name(&j->arena, t->schema)));
    if (map_has(&j->made, name))
        return;
    map_put(&j->arena, &j->made, name, j);
    if (!map_has(&j->made, schema))
        run(j, schema.ptr);
    map_put(&j->arena, &j->made, schema, j);
    StrBuf sql = {0};
    buf_format(&sql, "CREATE TABLE %.*s (", FMT(name));
    for (size_t i = 0; i < t->count; i++)
        buf_format(&sql, "%s%.*s %.*s", i ? ", " : "",
                   FMT(dg_duckdb_name(&j->arena, t->columns[i].name)), FMT(t->columns[i].type));
    buf_add(&sql, S(")\0"));
    if (sql.failed || !run(j, sql.ptr)) { /* that has ended the transaction */
        run(j, "ROLLBACK");
        run(j, "BEGIN");
        j->made = (Map){0};
    }
    buf_free(&sql);
}

/* Two tables of one name in two schemas: the scan is told the name alone. */
static bool names_clash(const BindQuery *q)
{
    for (size_t i = 0; i < q->tables_count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq_nocase(q->tables[i]->table, q->tables[k]->table))
                return true;
    return false;
}

/* ---- Judging ---- */

static bool take_columns(Judge *j, duckdb_prepared_statement s, BindResult *r)
{
    idx_t n = j->api->prepared_statement_column_count(s);
    BindColumn *columns = push(&j->arena, BindColumn, n + 1);
    for (idx_t i = 0; i < n; i++) {
        const char *name = j->api->prepared_statement_column_name(s, i);
        if (!name)
            dg_end_no_memory("for the columns of a query");
        duckdb_logical_type type = j->api->prepared_statement_column_logical_type(s, i);
        columns[i].name = str_copy(&j->arena, str_from(name));
        bool known = type && bind_type_text(j, type, &columns[i].type);
        j->api->destroy_logical_type(&type);
        j->api->free((void *)(uintptr_t)name);
        if (!known)
            return false;
    }
    r->columns = columns;
    r->count = n;
    return true;
}

/* Parsers' errors have their kind in front of the JSON. */
static Str error_json(Judge *j, const char *message)
{
    Str text = str_from(message);
    ptrdiff_t brace = str_find_char(text, '{');
    return str_copy(&j->arena, str_sub(text, brace < 0 ? 0 : brace, text.len));
}

static BindResult parse(Judge *j, const BindQuery *q)
{
    BindResult r = {0};
    duckdb_extracted_statements statements = NULL;
    char *sql = str_cstr(&j->arena, q->sql);
    r.ok = j->api->extract_statements(j->connection, sql, &statements) > 0;
    if (!r.ok) {
        const char *why = j->api->extract_statements_error(statements);
        r.ok = !why; /* comments only */
        if (why)
            r.error = error_json(j, why);
    }
    j->api->destroy_extracted(&statements);
    return r;
}

static BindResult prepare(Judge *j, const char *sql)
{
    BindResult r = {0};
    duckdb_prepared_statement s = NULL;
    if (j->api->prepare(j->connection, sql, &s) != DuckDBSuccess)
        r.error = error_json(j, j->api->prepare_error(s));
    else if (j->api->prepared_statement_type(s) != DUCKDB_STATEMENT_TYPE_SELECT)
        r.error = S("{\"exception_type\":\"Model\",\"exception_message\":\"this is not a query: "
                    "a SELECT is needed\",\"position\":\"0\"}");
    else if (!take_columns(j, s, &r))
        r.error = S("{\"exception_type\":\"Unknown\"}"); /* a type that DuckDB cannot write */
    else
        r.ok = true;
    j->api->destroy_prepare(&s);
    return r;
}

BindResult judge_query(Judge *j, const BindQuery *q)
{
    if (q->parse_only)
        return parse(j, q);
    BindQuery exact = *q;
    exact.exact = true;
    bool real = q->exact || names_clash(q);
    char *sql = str_cstr(&j->arena, q->sql);
    BindResult r = {0};
    for (int round = real ? 1 : 0; round < 2 && !r.ok; round++) {
        j->query = round ? &exact : q;
        for (size_t i = 0; round && i < q->tables_count; i++)
            make_table(j, q->tables[i]);
        r = prepare(j, sql);
    }
    j->query = NULL;
    return r;
}
