/* metadata.c - `include_metadata`: what Dagster is told of the table after the load, as dagster_sling tells it. */
#include "runtime/copy/copy.h"
#include "runtime/data/value_text.h"

enum { NOTED_MAX = 1000 }; /* tables that metadata names */

static bool asked(const Copy *c, const char *name)
{
    for (size_t i = 0; i < c->step->include_metadata.count; i++)
        if (str_eq(DG_ITEMS(DgStr, c->step->include_metadata)[i], str_from(name)))
            return true;
    return false;
}

static DgStatus count_rows(Copy *c, DgTableName table, int64_t *rows, DgError *err)
{
    StrBuf b = {.max = 4096};
    Str text = {0};
    *rows = 0;
    buf_add(&b, S("SELECT count(*) FROM "));
    sql_table(&b, c->target.engine->dialect, table);
    DgStatus status = db_text(c->target.db, &c->arena, buf_str(&b), &text, err);
    buf_free(&b);
    if (status == DG_OK)
        str_to_int(text, rows);
    return status;
}

static DgValue type_value(Copy *c, DgType type)
{
    const char *name = dg_type_name((DgTypeKind)type.kind);
    return dgv_from_str(type.kind == DG_DECIMAL ? str_format(&c->arena, "%s(%d,%d)", name, type.precision, type.scale) : str_from(name));
}

static DgValue dict(Copy *c, size_t count, const char *const *names, const DgValue *values)
{
    DgValueDict *d = push(&c->arena, DgValueDict, 1);
    *d = (DgValueDict){push(&c->arena, DgValue, count), push(&c->arena, DgValue, count), count};
    for (size_t i = 0; i < count; i++) {
        d->keys[i] = dgv_from_str(str_from(names[i]));
        d->values[i] = values[i];
    }
    return (DgValue){.kind = DG_V_DICT, .as.dict = d};
}

static DgValue columns_of(Copy *c, const DgTableInfo *table)
{
    static const char *const keys[] = {"name", "type"};
    DgValueList *list = push(&c->arena, DgValueList, 1);
    *list = (DgValueList){push(&c->arena, DgValue, table->columns_count), (size_t)table->columns_count};
    for (int32_t i = 0; i < table->columns_count; i++) {
        const DgColumn *column = &table->columns[i].column;
        DgValue values[] = {dgv_from_str(str_lower(&c->arena, column->name)), type_value(c, column->type)};
        list->items[i] = dict(c, 2, keys, values);
    }
    return (DgValue){.kind = DG_V_LIST, .as.list = list};
}

static bool is_list(const DgTableInfo *table)
{
    for (int32_t i = 0; i < table->columns_count; i++)
        if (str_eq_nocase(table->columns[i].column.name, S("_dlt_parent_id")))
            return true;
    return false;
}

/* {row_count, columns} of one table, as far as they were asked for. */
static DgStatus facts_of(Copy *c, DgTableName name, const DgTableInfo *table, DgValue *out, int64_t *rows, DgError *err)
{
    const char *keys[2];
    DgValue facts[2];
    size_t n = 0;
    *rows = 0;
    if (asked(c, "row_count")) {
        DG_TRY(count_rows(c, name, rows, err));
        keys[n] = "row_count", facts[n++] = dgv_int(*rows);
    }
    if (asked(c, "column_metadata"))
        keys[n] = "columns", facts[n++] = columns_of(c, table);
    *out = dict(c, n, keys, facts);
    return DG_OK;
}

static void keep(Copy *c, CopyFacts *to, DgTableName table, DgValue facts)
{
    const char *name = str_cstr(&c->arena, table.table);
    to->count++;
    if (to->names.count >= NOTED_MAX)
        return;
    array_add(&c->arena, &to->names, name);
    array_add(&c->arena, &to->values, facts);
}

/* Tables that lists of a nested load became. */
static DgStatus note_lists(Copy *c, DgError *err)
{
    DgTableInfos tables = {0};
    DG_TRY(c->target.engine->tables(c->target.db, &c->arena, c->to.schema, str_format(&c->arena, "%.*s__*", FMT(c->to.table)), &tables, err));
    for (size_t i = 0; i < tables.count; i++) {
        DgTableInfo table = {0};
        DgValue facts;
        int64_t rows;
        DG_TRY(c->target.engine->describe(c->target.db, &c->arena, tables.items[i].name, &table, err));
        if (!is_list(&table))
            continue;
        DG_TRY(facts_of(c, tables.items[i].name, &table, &facts, &rows, err));
        keep(c, &c->noted_lists, tables.items[i].name, facts);
    }
    return DG_OK;
}

static DgStatus note(Copy *c, DgError *err)
{
    DgTableInfo table = {0};
    DgValue facts;
    int64_t rows;
    if (asked(c, "column_metadata"))
        DG_TRY(c->target.engine->describe(c->target.db, &c->arena, c->to, &table, err));
    DG_TRY(facts_of(c, c->to, &table, &facts, &rows, err));
    c->noted_rows += rows;
    c->noted_columns = asked(c, "column_metadata") ? columns_of(c, &table) : (DgValue){.kind = DG_V_NONE};
    keep(c, &c->noted, c->to, facts);
    return c->s->max_table_nesting > 0 ? note_lists(c, err) : DG_OK;
}

/* The rows are committed: what cannot be found out now is told, and fails nothing. */
void copy_note_table(Copy *c)
{
    DgError err = {0};
    if (!c->target.engine || !c->step->include_metadata.count)
        return;
    if (note(c, &err) != DG_OK)
        dg_log(c->run, DG_LOG_WARNING, "no metadata of `%.*s`: %s", FMT(c->object), err.message);
}

static void report_many(Copy *c, const char *key, const CopyFacts *facts)
{
    dg_report_metadata(c->run, c->step->asset, key, dict(c, facts->names.count, facts->names.items, facts->values.items));
    if (facts->count > facts->names.count)
        dg_log(c->run, DG_LOG_WARNING, "metadata names %zu of %zu tables", facts->names.count, facts->count);
}

/* One asset stands for all tables of a wildcard: Dagster's own keys where there is one table, else `tables`. */
void copy_report_noted(Copy *c)
{
    static const char *const schema_keys[] = {"columns"};
    if (!c->noted.count)
        return;
    if (asked(c, "row_count"))
        dg_report_metadata(c->run, c->step->asset, "dagster/row_count", dgv_int(c->noted_rows));
    if (c->noted.count == 1 && c->noted_columns.kind == DG_V_LIST)
        dg_report_metadata(c->run, c->step->asset, "dagster/column_schema", dict(c, 1, schema_keys, &c->noted_columns));
    if (c->noted.count > 1)
        report_many(c, "tables", &c->noted);
    if (c->noted_lists.count)
        report_many(c, "lists", &c->noted_lists);
}
