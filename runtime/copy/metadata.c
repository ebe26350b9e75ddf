/* metadata.c - `include_metadata`: what Dagster is told of the table after the load, as dagster_sling tells it. */
#include "runtime/copy/copy.h"
#include "runtime/data/value_text.h"

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

/* {table: {row_count, columns}} of the tables that lists of a nested load became. */
static DgStatus note_lists(Copy *c, DgError *err)
{
    DgTableInfos tables = {0};
    Array(const char *) names = {0};
    Array(DgValue) values = {0};
    DG_TRY(c->target.engine->tables(c->target.db, &c->arena, c->to.schema, str_format(&c->arena, "%.*s__*", FMT(c->to.table)), &tables, err));
    for (size_t i = 0; i < tables.count; i++) {
        DgTableInfo table = {0};
        const char *keys[2];
        DgValue facts[2];
        size_t n = 0;
        int64_t rows;
        DG_TRY(c->target.engine->describe(c->target.db, &c->arena, tables.items[i].name, &table, err));
        if (!is_list(&table))
            continue;
        if (asked(c, "row_count")) {
            DG_TRY(count_rows(c, tables.items[i].name, &rows, err));
            keys[n] = "row_count", facts[n++] = dgv_int(rows);
        }
        if (asked(c, "column_metadata"))
            keys[n] = "columns", facts[n++] = columns_of(c, &table);
        const char *name = str_cstr(&c->arena, tables.items[i].name.table);
        DgValue value = dict(c, n, keys, facts);
        array_add(&c->arena, &names, name);
        array_add(&c->arena, &values, value);
    }
    if (names.count)
        c->noted_lists = dict(c, names.count, names.items, values.items);
    return DG_OK;
}

static DgStatus note(Copy *c, DgError *err)
{
    static const char *const schema_keys[] = {"columns"};
    DgTableInfo table = {0};
    int64_t rows = 0;
    if (asked(c, "row_count"))
        DG_TRY(count_rows(c, c->to, &rows, err));
    c->noted_rows += rows;
    if (asked(c, "column_metadata")) {
        DG_TRY(c->target.engine->describe(c->target.db, &c->arena, c->to, &table, err));
        DgValue columns = columns_of(c, &table);
        c->noted_columns = dict(c, 1, schema_keys, &columns);
    }
    return c->s->max_table_nesting > 0 ? note_lists(c, err) : DG_OK;
}

/* The rows are committed: what cannot be found out now is told, and fails nothing. */
void copy_note_table(Copy *c)
{
    DgError err = {0};
    if (!c->target.engine || !c->step->include_metadata.count)
        return;
    c->noted++;
    if (note(c, &err) != DG_OK)
        dg_log(c->run, DG_LOG_WARNING, "no metadata of `%.*s`: %s", FMT(c->object), err.message);
}

void copy_report_noted(Copy *c)
{
    if (!c->noted)
        return;
    if (asked(c, "row_count"))
        dg_report_metadata(c->run, c->step->asset, "dagster/row_count", dgv_int(c->noted_rows));
    if (c->noted == 1 && c->noted_columns.kind == DG_V_DICT)
        dg_report_metadata(c->run, c->step->asset, "dagster/column_schema", c->noted_columns);
    if (c->noted == 1 && c->noted_lists.kind == DG_V_DICT)
        dg_report_metadata(c->run, c->step->asset, "lists", c->noted_lists);
}
