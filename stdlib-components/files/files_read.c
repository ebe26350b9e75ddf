/* files_read.c - loads files through DuckDB's own readers: Parquet, JSON documents, odd CSV. */
#include "runtime/data/infer.h"
#include "stdlib-components/files/files_decode.h"

const DgField dg_files_read_fields[] = {
    FILES_TARGET_FIELDS(FilesRead),
    DG_FIELD_STRING(FilesRead, format, .doc = "Format."),
    DG_FIELD_STRING(FilesRead, options, .doc = "Arguments of the reader."),
    DG_FIELD_STRING_MAP(FilesRead, columns, .doc = "Columns and types."),
    DG_FIELD_STRING(FilesRead, filename_column, .doc = "Column for the file's name."),
    {0},
};

/* SELECT with the columns that were declared, cast; or all. */
static DgStr select_of(DgStepRun *run, const FilesRead *f, DgStr reader)
{
    StrBuf b = {0};
    for (size_t i = 0; i < f->columns.count; i++) {
        const DgPair *c = &DG_ITEMS(DgPair, f->columns)[i];
        DgStr name = dg_quote_name(run, c->key);
        buf_format(&b, "%sCAST(%.*s AS %.*s) AS %.*s", i ? ", " : "", FMT(name), FMT(c->value), FMT(name));
    }
    if (!b.len)
        buf_char(&b, '*');
    DgStr out = dg_format(run, "SELECT %.*s%s%.*s FROM %.*s", FMT(buf_str(&b)),
                          f->filename_column.len && f->columns.count ? ", filename AS " : "",
                          FMT(f->filename_column.len && f->columns.count ? dg_quote_name(run, f->filename_column) : (DgStr){0}),
                          FMT(reader));
    buf_free(&b);
    return out;
}

static DgStatus stage(DgStepRun *run, DgStr table, DgStr select, DgError *err)
{
    DG_TRY(dg_sql(run, dg_format(run, "CREATE OR REPLACE TEMP TABLE dgc_new_rows AS %.*s", FMT(select)), err));
    return dg_sql(run, dg_format(run, "CREATE TABLE IF NOT EXISTS %.*s AS SELECT * FROM dgc_new_rows LIMIT 0", FMT(table)), err);
}

static DgStatus add_staged(DgStepRun *run, DgStr table, DgError *err)
{
    int64_t rows = 0;
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM dgc_new_rows"), &rows, err));
    DG_TRY(dg_sql(run, dg_format(run, "INSERT INTO %.*s BY NAME SELECT * FROM dgc_new_rows", FMT(table)), err));
    dg_progress(run, rows, 0);
    return dg_sql(run, dg_format(run, "DROP TABLE dgc_new_rows"), err);
}

static DgStatus merge(DgStepRun *run, const FilesRead *f, DgStr table, DgStr select, DgError *err)
{
    StrBuf on = {0};
    for (size_t i = 0; i < f->target.unique_key.count; i++) {
        DgStr key = dg_quote_name(run, DG_ITEMS(DgStr, f->target.unique_key)[i]);
        buf_format(&on, "%sold.%.*s IS NOT DISTINCT FROM new.%.*s", i ? " AND " : "", FMT(key), FMT(key));
    }
    DgStr condition = dg_format(run, "%.*s", FMT(buf_str(&on)));
    buf_free(&on);
    DG_TRY(stage(run, table, select, err));
    DG_TRY(dg_sql(run, dg_format(run, "DELETE FROM %.*s AS old USING dgc_new_rows AS new WHERE %.*s", FMT(table), FMT(condition)), err));
    return add_staged(run, table, err);
}

/* The rows of the step's partition make place for the new ones, which must all be of it. */
static DgStatus replace_part(DgStepRun *run, const FilesRead *f, DgStr table, DgStr select, DgError *err)
{
    DgStr column = f->target.partition_column, condition;
    int64_t instants = 0, all = 0, inside = 0;
    DG_TRY(stage(run, table, select, err));
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'dgc_new_rows' AND "
                                     "lower(column_name) = lower(%.*s) AND data_type = 'TIMESTAMP WITH TIME ZONE'",
                                     FMT(dg_quote_text(run, column))), &instants, err));
    DG_TRY(dg_partition_condition(run, column, instants > 0, &condition, err));
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM dgc_new_rows"), &all, err));
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM dgc_new_rows WHERE %.*s", FMT(condition)), &inside, err));
    if (inside < all) {
        dg_fail(err, DG_DATA, "%lld of %lld rows for %.*s are not of this partition", (long long)(all - inside),
                (long long)all, FMT(table));
        dg_hint(err, "rows of this partition are those with %.*s", FMT(condition));
        return DG_DATA;
    }
    DG_TRY(dg_sql(run, dg_format(run, "DELETE FROM %.*s WHERE %.*s", FMT(table), FMT(condition)), err));
    return add_staged(run, table, err);
}

/* No file, and that is allowed: the table is there all the same, if its columns are known. */
static DgStatus make_empty(DgStepRun *run, const FilesRead *f, bool part, DgStr table, DgError *err)
{
    StrBuf b = {0};
    for (size_t i = 0; i < f->columns.count; i++) {
        const DgPair *c = &DG_ITEMS(DgPair, f->columns)[i];
        buf_format(&b, "%s%.*s %.*s", i ? ", " : "", FMT(dg_quote_name(run, c->key)), FMT(c->value));
    }
    DgStr columns = dg_format(run, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    if (!columns.len)
        return DG_OK;
    bool replace = f->target.mode == FILES_REPLACE && !part;
    return dg_sql(run, dg_format(run, "CREATE %s %.*s (%.*s)", replace ? "OR REPLACE TABLE" : "TABLE IF NOT EXISTS",
                                 FMT(table), FMT(columns)), err);
}

static DgStatus load(DgStepRun *run, const FilesRead *f, const FilesPaths *paths, Arena *a, DgError *err)
{
    int64_t before = 0, rows = 0;
    int32_t mode = dg_full_refresh(run) ? FILES_REPLACE : f->target.mode;
    bool part = mode == FILES_REPLACE && dg_partition_key(run).len && !dg_full_refresh(run);
    DgStr table = dg_table(run, f->target.asset);
    if (part && !f->target.partition_column.len) {
        dg_fail(err, DG_CONFIG, "a partition of `%.*s` would take the place of the whole table", FMT(f->target.asset));
        dg_hint(err, "name the `partition_column`, or load with `mode: merge`");
        return DG_CONFIG;
    }
    if (!paths->local.count) {
        DG_TRY(make_empty(run, f, part, table, err));
        return !part || !f->columns.count
                   ? DG_OK
                   : replace_part(run, f, table, dg_format(run, "SELECT * FROM %.*s LIMIT 0", FMT(table)), err);
    }
    DgStr format = f->format.len ? f->format : dg_format_of(paths->local.items[0]);
    DgStr options = f->filename_column.len ? dg_format(run, "%.*s, filename = true", FMT(f->options)) : f->options;
    DgStr reader = dg_reader_sql(a, paths->local.items, paths->local.count, format, options);
    if (!reader.len) {
        dg_fail(err, DG_CONFIG, "the format of %.*s is not known", FMT(paths->local.items[0]));
        dg_hint(err, "set `format:` to csv, tsv, json, ndjson or parquet");
        return DG_CONFIG;
    }
    DgStr select = select_of(run, f, reader);
    if (part)
        return replace_part(run, f, table, select, err);
    if (mode == FILES_MERGE)
        return merge(run, f, table, select, err);
    if (mode == FILES_APPEND) {
        DG_TRY(dg_sql(run, dg_format(run, "CREATE TABLE IF NOT EXISTS %.*s AS %.*s LIMIT 0", FMT(table), FMT(select)), err));
        DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s", FMT(table)), &before, err));
        DG_TRY(dg_sql(run, dg_format(run, "INSERT INTO %.*s BY NAME %.*s", FMT(table), FMT(select)), err));
    } else {
        DG_TRY(dg_sql(run, dg_format(run, "CREATE OR REPLACE TABLE %.*s AS %.*s", FMT(table), FMT(select)), err));
    }
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s", FMT(table)), &rows, err));
    dg_progress(run, rows - before, 0);
    return DG_OK;
}

DgStatus files_read_with(DgStepRun *run, const FilesRead *f, FilesDownload download, DgError *err)
{
    Arena a;
    FilesPaths paths = {0};
    arena_init(&a, 64 << 20);
    DgStatus status = files_paths_expand(run, &f->target, download, &a, &paths, err);
    if (status == DG_OK)
        status = load(run, f, &paths, &a, err);
    files_paths_release(&paths, &a);
    arena_free(&a);
    return status;
}

static DgStatus files_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    (void)state;
    return files_read_with(run, config, NULL, err);
}

const DgStepOps dg_files_ops = {
    .name = "dgc.Files",
    .symbol = "dg_files_ops",
    .role = DG_ACTION,
    .fields = dg_files_read_fields,
    .config_size = sizeof(FilesRead),
    .execute = files_execute,
};
