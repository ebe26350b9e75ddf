/* metadata_checks_ops.c - the checks of metadata_checks.c, at run time.
 *
 * Columns seen last are the step's cursor, written in the transaction of the check. */
#include "runtime/base/base.h"
#include "stdlib-components/dagster/metadata_checks.h"

static const DgField step_fields[] = {
    DG_FIELD_STRING(MetadataCheckStep, asset, .doc = "The asset judged."),
    DG_FIELD_STRING(MetadataCheckStep, check, .doc = "Name of the check."),
    DG_FIELD_STRING(MetadataCheckStep, metadata_key, .doc = "Empty: columns."),
    DG_FIELD_ANY(MetadataCheckStep, min_value, .doc = "Least."),
    DG_FIELD_ANY(MetadataCheckStep, max_value, .doc = "Most."),
    DG_FIELD_BOOL(MetadataCheckStep, exclusive_min, .doc = "Least itself is bad."),
    DG_FIELD_BOOL(MetadataCheckStep, exclusive_max, .doc = "Most itself is bad."),
    {0},
};

/* A condition on information_schema that the asset's table fulfils. */
static DgStr same_table(DgStepRun *run, DgStr asset)
{
    DgStr table = dg_quote_text(run, dg_table(run, asset));
    return dg_format(run, "'\"' || table_schema || '\".\"' || table_name || '\"' = %.*s AND "
                          "table_catalog = current_database()", FMT(table));
}

static DgStatus check_columns(DgStepRun *run, const MetadataCheckStep *c, DgError *err)
{
    DgStr where = same_table(run, c->asset), now;
    /* A JSON array of "name type", in the table's order; NULL when there is no such table. */
    DgStr sql = dg_format(run, "SELECT CAST(to_json(list(column_name || ' ' || data_type "
                               "ORDER BY ordinal_position)) AS VARCHAR) FROM "
                               "information_schema.columns WHERE %.*s", FMT(where));
    DG_TRY(dg_sql_text(run, sql, &now, err));
    DgStr before = dg_cursor(run);
    if (!now.len || str_eq(now, S("null"))) {
        dg_report_check(run, c->asset, c->check, false, S("the asset has no table"));
        return DG_OK;
    }
    if (!before.len) {
        dg_report_check(run, c->asset, c->check, true, S("the columns are seen for the first time"));
        return dg_set_cursor(run, now, err);
    }
    bool same = str_eq(before, now);
    DgStr detail = same ? S("the columns are as before")
                        : dg_format(run, "the columns have changed: before %.*s, now %.*s",
                                    FMT(before), FMT(now));
    dg_report_check(run, c->asset, c->check, same, detail);
    return dg_set_cursor(run, now, err);
}

static double number(DgValue v)
{
    return v.kind == DG_V_INT ? (double)v.as.i : v.as.f;
}

/* The number of rows, where nothing was reported under Dagster's name for it. */
static DgStatus count_rows(DgStepRun *run, DgStr asset, DgStr *json, DgError *err)
{
    int64_t tables, rows;
    DgStr where = same_table(run, asset), table = dg_table(run, asset);
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM information_schema.tables WHERE %.*s",
                                     FMT(where)), &tables, err));
    if (!tables)
        return DG_END;
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s", FMT(table)), &rows, err));
    *json = dg_format(run, "%lld", (long long)rows);
    return DG_OK;
}

static DgStatus check_bounds(DgStepRun *run, const MetadataCheckStep *c, DgError *err)
{
    DgStr json;
    double value;
    DgStatus status = dg_last_metadata(run, c->asset, c->metadata_key, &json, err);
    if (status == DG_END && str_eq(c->metadata_key, S("dagster/row_count")))
        status = count_rows(run, c->asset, &json, err);
    if (status != DG_OK && status != DG_END)
        return status;
    if (status == DG_END || !str_to_double(json, &value)) {
        DgStr why = status == DG_END
                        ? dg_format(run, "Metadata key `%.*s` not found", FMT(c->metadata_key))
                        : dg_format(run, "Value `%.*s` is not a number", FMT(json));
        dg_report_check(run, c->asset, c->check, false, why);
        return DG_OK;
    }
    bool has_min = c->min_value.kind != DG_V_NONE, has_max = c->max_value.kind != DG_V_NONE;
    double min = has_min ? number(c->min_value) : 0, max = has_max ? number(c->max_value) : 0;
    bool low = has_min && (c->exclusive_min ? value <= min : value < min);
    bool high = has_max && (c->exclusive_max ? value >= max : value > max);
    DgStr detail = low    ? dg_format(run, "Value `%.*s` is less than %s%g", FMT(json),
                                      c->exclusive_min ? "or equal to " : "", min)
                   : high ? dg_format(run, "Value `%.*s` is greater than %s%g", FMT(json),
                                      c->exclusive_max ? "or equal to " : "", max)
                          : dg_format(run, "Value `%.*s` is within range", FMT(json));
    dg_report_check(run, c->asset, c->check, !low && !high, detail);
    return DG_OK;
}

static DgStatus execute(DgStepRun *run, const void *data, void *state, DgError *err)
{
    const MetadataCheckStep *c = data;
    return c->metadata_key.len ? check_bounds(run, c, err) : check_columns(run, c, err);
}

const DgStepOps dg_metadata_check_ops = {
    .name = "dagster.MetadataChecksComponent",
    .role = DG_ACTION,
    .fields = step_fields,
    .config_size = sizeof(MetadataCheckStep),
    .execute = execute,
};
