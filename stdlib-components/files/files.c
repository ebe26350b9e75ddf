/* files.c - dgc.Files: CSV, TSV, JSON, NDJSON and Parquet files into a table. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/base.h"
#include "runtime/component.h"
#include "runtime/data/batch.h"
#include "runtime/data/infer.h"

typedef struct FilesStep {
    DgStr asset;
    DgList paths;   /* of DgStr: project-relative, globs allowed */
    DgStr format;   /* empty: by the name */
    DgStr options;  /* `, header = true`: further arguments of the reader */
    DgList columns; /* of DgPair: names and DuckDB types; empty: as the reader finds them */
    int32_t mode;
    DgList unique_key;
    bool allow_empty;
    DgStr filename_column;
} FilesStep;

enum { MODE_REPLACE, MODE_APPEND, MODE_MERGE };
static const char *const modes[] = {"replace", "append", "merge", NULL};
static const char *const formats[] = {"auto", "csv", "tsv", "json", "ndjson", "parquet", NULL};

static const DgField step_fields[] = {
    DG_FIELD_ASSET_KEY(FilesStep, asset, .doc = "The asset."),
    DG_FIELD_STRINGS(FilesStep, paths, .doc = "Files and globs."),
    DG_FIELD_STRING(FilesStep, format, .doc = "Format."),
    DG_FIELD_STRING(FilesStep, options, .doc = "Arguments of the reader."),
    DG_FIELD_STRING_MAP(FilesStep, columns, .doc = "Columns and types."),
    DG_FIELD_ENUM(FilesStep, mode, .choices = modes, .doc = "How rows enter the table."),
    DG_FIELD_STRINGS(FilesStep, unique_key, .doc = "Merge: what tells rows apart."),
    DG_FIELD_BOOL(FilesStep, allow_empty, .doc = "No file is no error."),
    DG_FIELD_STRING(FilesStep, filename_column, .doc = "Column for the file's name."),
    {0},
};

/* ---- Run time ---- */

typedef Array(DgStr) Paths;

static DgStatus expand(DgStepRun *run, const FilesStep *f, Arena *a, Paths *out, DgError *err)
{
    for (size_t i = 0; i < f->paths.count; i++) {
        DgStr path = dg_project_path(run, DG_ITEMS(DgStr, f->paths)[i]);
        glob_t found;
        int status = glob(str_cstr(a, path), GLOB_BRACE, NULL, &found);
        for (size_t k = 0; status == 0 && k < found.gl_pathc; k++)
            array_add(a, out, str_copy(a, str_from(found.gl_pathv[k])));
        if (status == 0)
            globfree(&found);
        if (status == 0 || f->allow_empty)
            continue;
        dg_fail(err, DG_CONFIG, "no file matches %.*s", FMT(DG_ITEMS(DgStr, f->paths)[i]));
        dg_hint(err, "looked for %.*s; `allow_empty: true` makes that no error", FMT(path));
        return DG_CONFIG;
    }
    return DG_OK;
}

/* SELECT with the columns that were declared, cast; or all. */
static DgStr select_of(DgStepRun *run, const FilesStep *f, DgStr reader)
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

static DgStatus merge(DgStepRun *run, const FilesStep *f, DgStr table, DgStr select, DgError *err)
{
    StrBuf on = {0};
    for (size_t i = 0; i < f->unique_key.count; i++) {
        DgStr key = dg_quote_name(run, DG_ITEMS(DgStr, f->unique_key)[i]);
        buf_format(&on, "%sold.%.*s IS NOT DISTINCT FROM new.%.*s", i ? " AND " : "", FMT(key), FMT(key));
    }
    DgStr condition = dg_format(run, "%.*s", FMT(buf_str(&on)));
    buf_free(&on);
    DG_TRY(dg_sql(run, dg_format(run, "CREATE OR REPLACE TEMP TABLE dgc_new_rows AS %.*s", FMT(select)), err));
    DG_TRY(dg_sql(run, dg_format(run, "CREATE TABLE IF NOT EXISTS %.*s AS SELECT * FROM dgc_new_rows LIMIT 0", FMT(table)), err));
    DG_TRY(dg_sql(run, dg_format(run, "DELETE FROM %.*s AS old USING dgc_new_rows AS new WHERE %.*s", FMT(table), FMT(condition)), err));
    DG_TRY(dg_sql(run, dg_format(run, "INSERT INTO %.*s BY NAME SELECT * FROM dgc_new_rows", FMT(table)), err));
    return dg_sql(run, dg_format(run, "DROP TABLE dgc_new_rows"), err);
}

static DgStatus load(DgStepRun *run, const FilesStep *f, Arena *a, DgError *err)
{
    Paths paths = {0};
    int64_t before = 0, rows = 0;
    DgStr table = dg_table(run, f->asset);
    DG_TRY(expand(run, f, a, &paths, err));
    if (!paths.count)
        return DG_OK;
    DgStr format = f->format.len ? f->format : dg_format_of(paths.items[0]);
    DgStr options = f->filename_column.len ? dg_format(run, "%.*s, filename = true", FMT(f->options)) : f->options;
    DgStr reader = dg_reader_sql(a, paths.items, paths.count, format, options);
    if (!reader.len) {
        dg_fail(err, DG_CONFIG, "the format of %.*s is not known", FMT(paths.items[0]));
        dg_hint(err, "set `format:` to csv, tsv, json, ndjson or parquet");
        return DG_CONFIG;
    }
    DgStr select = select_of(run, f, reader);
    if (f->mode == MODE_MERGE) {
        DG_TRY(merge(run, f, table, select, err));
    } else if (f->mode == MODE_APPEND) {
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

static DgStatus files_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    Arena a;
    (void)state;
    arena_init(&a, 64 << 20);
    DgStatus status = load(run, config, &a, err);
    arena_free(&a);
    return status;
}

const DgStepOps dg_files_ops = {
    .name = "dgc.Files",
    .symbol = "dg_files_ops",
    .role = DG_ACTION,
    .fields = step_fields,
    .config_size = sizeof(FilesStep),
    .execute = files_execute,
};

/* ---- The component ---- */

typedef struct Config {
    DgList path, unique_key, columns, null_values, tags, kinds, owners, metadata, deps;
    DgStr asset, delimiter, quote, escape, filename_column, description, group;
    int32_t format, mode;
    bool header, allow_empty;
    int64_t skip_rows;
    DgAssetSpec spec;
} Config;

static const DgField fields[] = {
    DG_FIELD_(Config, path, DG_F_LIST, DgList, .of_kind = DG_F_PATH, .of_size = sizeof(DgStr),
              .flags = DG_REQUIRED | DG_ONE_OR_MANY, .example = "\"data/orders-*.csv\"",
              .doc = "Files or globs, from the component's folder. gzip and zstd are read as they are."),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .example = "raw/orders", .doc = "The asset; its table is named after it."),
    DG_FIELD_ENUM(Config, format, .choices = formats, .fallback = "auto", .flags = DG_BUILD, .doc = "`auto` goes by the file's name."),
    DG_FIELD_(Config, columns, DG_F_MAP, DgList, .of_kind = DG_F_COLUMN_TYPE, .of_size = sizeof(DgPair), .flags = DG_BUILD,
              .doc = "Names and types, where they are not to be inferred.", .example = "{id: bigint}"),
    DG_FIELD_ENUM(Config, mode, .choices = modes, .fallback = "replace", .flags = DG_BUILD, .doc = "How rows enter the table."),
    DG_FIELD_STRINGS(Config, unique_key, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "For `merge`: rows with these values are replaced."),
    DG_FIELD_BOOL(Config, header, .flags = DG_BUILD, .doc = "CSV: the first line holds names; found out when not given."),
    DG_FIELD_STRING(Config, delimiter, .flags = DG_BUILD, .doc = "CSV: between fields; found out when not given."),
    DG_FIELD_STRING(Config, quote, .flags = DG_BUILD, .doc = "CSV: round fields."),
    DG_FIELD_STRING(Config, escape, .flags = DG_BUILD, .doc = "CSV: before a quote inside a field."),
    DG_FIELD_STRINGS(Config, null_values, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "CSV: texts that mean null."),
    DG_FIELD_INT(Config, skip_rows, .flags = DG_BUILD, .doc = "CSV: lines to pass over at the top.", .min = 0, .max = 1e9),
    DG_FIELD_STRING(Config, filename_column, .flags = DG_BUILD, .doc = "A column that holds each row's file."),
    DG_FIELD_BOOL(Config, allow_empty, .flags = DG_BUILD, .doc = "A glob that matches nothing is no error."),
    DG_FIELD_(Config, deps, DG_F_LIST, DgList, .of_kind = DG_F_ASSET_KEY, .of_size = sizeof(DgStr), .flags = DG_BUILD, .doc = "Assets that come first."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the asset is."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Its group."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Its metadata."),
    DG_FIELD_STRUCT(Config, spec, DgAssetSpec, dg_asset_post_fields, .flags = DG_BUILD | DG_ADVANCED, .doc = "Further parts of the asset spec."),
    {0},
};

static void add_option(StrBuf *b, const char *name, DgStr value)
{
    if (!value.len)
        return;
    buf_format(b, ", %s = '", name);
    for (ptrdiff_t i = 0; i < value.len; i++)
        buf_format(b, value.ptr[i] == '\'' ? "''" : "%c", value.ptr[i]);
    buf_char(b, '\'');
}

static DgStr options_of(DgPlanner *p, const Config *c)
{
    StrBuf b = {0};
    if (p->api->is_set(p, &c->header))
        buf_format(&b, ", header = %s", c->header ? "true" : "false");
    add_option(&b, "delim", c->delimiter);
    add_option(&b, "quote", c->quote);
    add_option(&b, "escape", c->escape);
    if (c->skip_rows)
        buf_format(&b, ", skip = %lld", (long long)c->skip_rows);
    for (size_t i = 0; i < c->null_values.count; i++) {
        buf_add(&b, i ? S(", ") : S(", nullstr = ["));
        StrBuf one = {0};
        add_option(&one, "x", DG_ITEMS(DgStr, c->null_values)[i]);
        buf_add(&b, one.len ? str_sub(buf_str(&one), 6, (ptrdiff_t)one.len) : S("''"));
        buf_free(&one);
    }
    if (c->null_values.count)
        buf_char(&b, ']');
    DgStr out = p->api->format(p, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

/* The columns as declared, or as a look into the first file finds them. */
static void columns_of(DgPlanner *p, const Config *c, const FilesStep *step, DgAssetDecl *asset)
{
    if (c->columns.count) {
        DgColumn *columns = p->api->alloc(p, sizeof *columns * c->columns.count);
        for (size_t i = 0; i < c->columns.count; i++) {
            const DgPair *pair = &DG_ITEMS(DgPair, c->columns)[i];
            columns[i].name = pair->key;
            if (!dg_type_parse(pair->value, &columns[i].type))
                return;
        }
        asset->columns = columns;
        asset->columns_count = (int32_t)c->columns.count;
        return;
    }
    if (c->filename_column.len || step->options.len)
        return;
    for (size_t i = 0; i < step->paths.count; i++) {
        DgStr path = DG_ITEMS(DgStr, step->paths)[i];
        if (!path.len || !p->api->is_known(p, &DG_ITEMS(DgStr, c->path)[i]))
            continue;
        DgList files = p->api->glob(p, path);
        if (files.count && p->api->infer(p, DG_ITEMS(DgStr, files)[0], step->format, &asset->columns, &asset->columns_count))
            return;
    }
}

static void files_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    FilesStep *step = p->api->alloc(p, sizeof *step);
    step->asset = c->asset;
    step->format = c->format ? str_from(formats[c->format]) : (DgStr){0};
    step->options = options_of(p, c);
    step->columns = c->columns;
    step->mode = c->mode;
    step->unique_key = c->unique_key;
    step->allow_empty = c->allow_empty;
    step->filename_column = c->filename_column;
    if (c->mode == MODE_MERGE && !c->unique_key.count)
        p->api->report(p, "E0106", &c->mode, "add `unique_key: [id]`", "`mode: merge` needs `unique_key`");
    p->api->copy(p, &step->paths, &c->path, sizeof step->paths);
    DgStr *paths = step->paths.items;
    for (size_t i = 0; i < step->paths.count; i++)
        if (p->api->is_known(p, &DG_ITEMS(DgStr, c->path)[i]))
            paths[i] = p->api->resolve(p, &DG_ITEMS(DgStr, c->path)[i], DG_ITEMS(DgStr, c->path)[i]);
    DgAssetDecl asset = {.key = c->asset, .description = c->description, .group = c->group, .kinds = c->kinds,
                         .owners = c->owners, .tags = c->tags, .metadata = c->metadata, .deps = c->deps,
                         .filled = &c->spec, .at = &c->asset};
    columns_of(p, c, step, &asset);
    p->api->asset(p, &asset);
    DgStr *made = p->api->alloc(p, sizeof *made);
    *made = c->asset;
    p->api->step(p, &(DgStepDecl){.ops = &dg_files_ops, .config = step, .assets = {made, 1}, .at = &c->asset});
}

static const DgStepOps *const steps[] = {&dg_files_ops, NULL};

const DgComponent dg_component_files = {
    .name = "dgc.Files",
    .summary = "CSV, TSV, JSON, NDJSON and Parquet files into a table.",
    .example = "type: dgc.Files\nattributes:\n  path: \"data/orders-*.csv\"\n  asset: raw/orders\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = files_plan,
    .steps = steps,
};
