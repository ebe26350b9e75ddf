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

static DgStatus count_rows(Copy *c, DgError *err)
{
    StrBuf b = {.max = 4096};
    Str text = {0};
    int64_t rows = 0;
    buf_add(&b, S("SELECT count(*) FROM "));
    sql_table(&b, c->target.engine->dialect, c->to);
    DgStatus status = db_text(c->target.db, &c->arena, buf_str(&b), &text, err);
    buf_free(&b);
    if (status == DG_OK && str_to_int(text, &rows))
        c->noted_rows += rows;
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

static DgStatus note_columns(Copy *c, DgError *err)
{
    static const char *const column_keys[] = {"name", "type"}, *const schema_keys[] = {"columns"};
    DgTableInfo table = {0};
    DG_TRY(c->target.engine->describe(c->target.db, &c->arena, c->to, &table, err));
    DgValueList *list = push(&c->arena, DgValueList, 1);
    *list = (DgValueList){push(&c->arena, DgValue, table.columns_count), (size_t)table.columns_count};
    for (int32_t i = 0; i < table.columns_count; i++) {
        const DgColumn *column = &table.columns[i].column;
        DgValue values[] = {dgv_from_str(str_lower(&c->arena, column->name)), type_value(c, column->type)};
        list->items[i] = dict(c, 2, column_keys, values);
    }
    DgValue columns = {.kind = DG_V_LIST, .as.list = list};
    c->noted_columns = dict(c, 1, schema_keys, &columns);
    return DG_OK;
}

/* The rows are committed: what cannot be found out now is told, and fails nothing. */
void copy_note_table(Copy *c)
{
    DgError err = {0};
    DgStatus status = DG_OK;
    if (!c->target.engine || !c->step->include_metadata.count)
        return;
    c->noted++;
    if (asked(c, "row_count"))
        status = count_rows(c, &err);
    if (status == DG_OK && asked(c, "column_metadata"))
        status = note_columns(c, &err);
    if (status != DG_OK)
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
}
