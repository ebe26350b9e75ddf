/* files.c - dgc.Files: CSV, TSV, JSON, NDJSON and Parquet files into a table. */
#include "runtime/data/batch.h"
#include "runtime/data/infer.h"
#include "stdlib-components/files/files_step.h"

static const char *const formats[] = {"auto", "csv", "tsv", "json", "ndjson", "parquet", NULL};
static const char *const on_errors[] = {"fail", "skip", NULL};

typedef struct Config {
    DgList path, unique_key, columns, null_values, tags, kinds, owners, metadata, deps;
    DgStr asset, partition_column, delimiter, quote, escape, filename_column, description, group;
    int32_t format, mode, on_error;
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
    DG_FIELD_ENUM(Config, mode, .choices = dg_files_modes, .fallback = "replace", .flags = DG_BUILD, .doc = "How rows enter the table."),
    DG_FIELD_STRINGS(Config, unique_key, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "For `merge`: rows with these values are replaced."),
    DG_FIELD_STRING(Config, partition_column, .flags = DG_BUILD,
                    .doc = "For `replace` in an asset with partitions: the column that says which partition a row is of; its rows are replaced."),
    DG_FIELD_BOOL(Config, header, .flags = DG_BUILD, .doc = "CSV: the first line holds names; found out when not given."),
    DG_FIELD_STRING(Config, delimiter, .flags = DG_BUILD, .doc = "CSV: between fields; found out when not given."),
    DG_FIELD_STRING(Config, quote, .flags = DG_BUILD, .doc = "CSV: round fields."),
    DG_FIELD_STRING(Config, escape, .flags = DG_BUILD, .doc = "CSV: before a quote inside a field."),
    DG_FIELD_STRINGS(Config, null_values, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "CSV: texts that mean null."),
    DG_FIELD_INT(Config, skip_rows, .flags = DG_BUILD, .doc = "CSV: lines to pass over at the top.", .min = 0, .max = 1e9),
    DG_FIELD_STRING(Config, filename_column, .flags = DG_BUILD, .doc = "A column that holds each row's file."),
    DG_FIELD_BOOL(Config, allow_empty, .flags = DG_BUILD, .doc = "A glob that matches nothing is no error."),
    DG_FIELD_ENUM(Config, on_error, .choices = on_errors, .fallback = "fail", .flags = DG_BUILD,
                  .doc = "CSV, TSV and NDJSON: what happens when a record does not fit the declared columns. `skip` leaves it out; the run tells the first "
                         "ten and how many there were. Fields are then parted by commas unless `delimiter` says otherwise."),
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

/* The first file that the paths name when building; empty: none is there. */
static DgStr first_file(DgPlanner *p, const Config *c, const FilesTarget *t)
{
    for (size_t i = 0; i < t->paths.count; i++) {
        DgStr path = DG_ITEMS(DgStr, t->paths)[i];
        if (!path.len || files_is_url(path) || !p->api->is_known(p, &DG_ITEMS(DgStr, c->path)[i]))
            continue;
        DgList files = p->api->glob(p, path);
        if (files.count)
            return DG_ITEMS(DgStr, files)[0];
    }
    return (DgStr){0};
}

/* The columns as declared, or as a look into the first file finds them. */
static void columns_of(DgPlanner *p, const Config *c, DgStr file, DgStr format, DgAssetDecl *asset)
{
    if (!c->columns.count) {
        bool plain = !c->filename_column.len && !c->delimiter.len && !c->quote.len && !c->escape.len &&
                     !c->skip_rows && !c->null_values.count && !p->api->is_set(p, &c->header);
        if (file.len && plain && p->api->infer(p, file, format, &asset->columns, &asset->columns_count)) {
            asset->sample = file;
            asset->sample_format = format;
        }
        return;
    }
    DgColumn *columns = p->api->alloc(p, sizeof *columns * c->columns.count);
    for (size_t i = 0; i < c->columns.count; i++) {
        const DgPair *pair = &DG_ITEMS(DgPair, c->columns)[i];
        columns[i].name = pair->key;
        if (!dg_type_parse(pair->value, &columns[i].type))
            return;
    }
    asset->columns = columns;
    asset->columns_count = (int32_t)c->columns.count;
}

static bool decodable(const DgAssetDecl *asset)
{
    for (int32_t i = 0; i < asset->columns_count; i++) {
        switch ((DgTypeKind)asset->columns[i].type.kind) {
        case DG_BINARY: case DG_TIME: case DG_INTERVAL: case DG_UUID: case DG_UINT64: return false;
        default: break;
        }
    }
    return asset->columns_count > 0;
}

/* How a CSV file is written: as declared, else as the sniffer finds it. False: not known.
 * Where bad records are expected the sniffer would be led astray by them: then commas and a header, unless declared. */
static bool dialect_of(DgPlanner *p, const Config *c, DgStr file, bool tabs, DgCsvDialect *d)
{
    bool declared = c->delimiter.len || tabs;
    *d = (DgCsvDialect){.delimiter = tabs ? '\t' : ',', .quote = '"', .escape = '"', .header = true, .iso_dates = true};
    bool skips = c->on_error == 1;
    if (file.len && !skips && !p->api->sniff(p, file, d))
        return false;
    if (!file.len && !skips && !declared && !p->api->is_set(p, &c->header))
        return false;
    if (c->delimiter.len)
        d->delimiter = c->delimiter.ptr[0];
    if (c->quote.len)
        d->quote = c->quote.ptr[0];
    if (!d->quote)
        d->quote = '"'; /* the sample had none; a later field may */
    if (!d->escape)
        d->escape = d->quote;
    if (c->escape.len)
        d->escape = c->escape.ptr[0];
    if (p->api->is_set(p, &c->header))
        d->header = c->header;
    if (c->skip_rows)
        d->skip_rows = c->skip_rows;
    return d->iso_dates && c->delimiter.len <= 1 && c->quote.len <= 1 && c->escape.len <= 1;
}

/* A path is a URL, or one that only the environment will tell. */
static bool may_download(DgPlanner *p, const Config *c)
{
    for (size_t i = 0; i < c->path.count; i++) {
        const DgStr *path = &DG_ITEMS(DgStr, c->path)[i];
        if (!p->api->is_known(p, path) || files_is_url(*path))
            return true;
    }
    return false;
}

static DgStr one(DgPlanner *p, char c)
{
    return c ? p->api->format(p, "%c", c) : (DgStr){0};
}

/* A step that decodes by emitted code; false when the files ask for DuckDB's reader. */
static bool plan_decode(DgPlanner *p, const Config *c, const FilesTarget *target, DgStr file, DgStr format,
                        const DgAssetDecl *asset, DgStepDecl *out)
{
    bool csv = str_eq(format, S("csv")), tsv = str_eq(format, S("tsv")), ndjson = str_eq(format, S("ndjson"));
    DgCsvDialect d = {0};
    if (!(csv || tsv || ndjson) || !decodable(asset) || c->filename_column.len ||
        (!ndjson && !dialect_of(p, c, file, tsv, &d)))
        return false;
    FilesDecode *step = p->api->alloc(p, sizeof *step);
    DgPair *columns = p->api->alloc(p, sizeof *columns * (size_t)asset->columns_count);
    for (int32_t i = 0; i < asset->columns_count; i++) {
        const DgColumn *column = &asset->columns[i];
        columns[i].key = column->name;
        columns[i].value = column->type.kind == DG_DECIMAL
                               ? p->api->format(p, "decimal(%d,%d)", column->type.precision, column->type.scale)
                               : str_from(dg_type_name((DgTypeKind)column->type.kind));
    }
    p->api->copy(p, &step->target, target, sizeof *target);
    step->format = ndjson ? DG_NDJSON : DG_CSV;
    step->delimiter = one(p, d.delimiter);
    step->quote = one(p, d.quote);
    step->escape = one(p, d.escape);
    step->header = d.header;
    step->skip_bad = c->on_error == 1;
    step->skip_rows = d.skip_rows;
    step->columns = (DgList){columns, (size_t)asset->columns_count};
    step->nulls = c->null_values;
    p->api->decoder(p, &step->decode, &(DgDecoderDecl){
        .format = (DgFormat)step->format, .columns = asset->columns, .columns_count = asset->columns_count,
        .delimiter = d.delimiter, .quote = d.quote, .escape = d.escape, .nulls = c->null_values});
    out->ops = may_download(p, c) ? &dg_files_decode_http_ops : &dg_files_decode_ops;
    out->config = step;
    return true;
}

static void plan_read(DgPlanner *p, const Config *c, const FilesTarget *target, DgStepDecl *out)
{
    FilesRead *step = p->api->alloc(p, sizeof *step);
    p->api->copy(p, &step->target, target, sizeof *target);
    step->format = c->format ? str_from(formats[c->format]) : (DgStr){0};
    step->options = options_of(p, c);
    step->columns = c->columns;
    step->filename_column = c->filename_column;
    out->ops = may_download(p, c) ? &dg_files_http_ops : &dg_files_ops;
    out->config = step;
}

static void plan_target(DgPlanner *p, const Config *c, FilesTarget *t)
{
    t->asset = c->asset;
    t->mode = c->mode;
    t->unique_key = c->unique_key;
    t->allow_empty = c->allow_empty;
    if (c->mode == FILES_MERGE && !c->unique_key.count)
        p->api->report(p, "E0106", &c->mode, "add `unique_key: [id]`", "`mode: merge` needs `unique_key`");
    t->partition_column = c->partition_column;
    if (c->mode == FILES_REPLACE && !c->partition_column.len && p->api->is_set(p, &c->spec.partitions_def))
        p->api->report(p, "E0106", &c->spec.partitions_def, "add `partition_column: day`, or load with `mode: merge`",
                       "`mode: replace` of a partition needs `partition_column`");
    p->api->copy(p, &t->paths, &c->path, sizeof t->paths);
    DgStr *paths = t->paths.items;
    DgStr *folders = p->api->alloc(p, (t->paths.count + 1) * sizeof *folders);
    for (size_t i = 0; i < t->paths.count; i++) {
        if (!p->api->is_known(p, &DG_ITEMS(DgStr, c->path)[i])) {
            folders[i] = p->api->folder(p);
            t->folders = (DgList){folders, t->paths.count};
        } else if (!files_is_url(paths[i])) {
            paths[i] = p->api->resolve(p, &DG_ITEMS(DgStr, c->path)[i], DG_ITEMS(DgStr, c->path)[i]);
        }
    }
}

static void check_partition_column(DgPlanner *p, const Config *c, const DgAssetDecl *asset)
{
    bool found = !c->partition_column.len || !asset->columns_count || str_eq(c->partition_column, c->filename_column);
    for (int32_t i = 0; i < asset->columns_count; i++)
        found |= str_eq_nocase(asset->columns[i].name, c->partition_column);
    if (!found)
        p->api->report(p, "E0402", &c->partition_column, "it is one of the columns that are loaded",
                       "`%.*s` is not a column of the files", FMT(c->partition_column));
}

/* Nothing is there yet: perhaps another machine has it, perhaps it is a slip of the pen. */
static void check_found(DgPlanner *p, const Config *c, const FilesTarget *t)
{
    for (size_t i = 0; !c->allow_empty && !c->deps.count && i < t->paths.count; i++) {
        DgStr path = DG_ITEMS(DgStr, t->paths)[i];
        if (path.len && !str_starts(path, S("..")) && p->api->is_known(p, &DG_ITEMS(DgStr, c->path)[i]) && !files_is_url(path) && !p->api->glob(p, path).count)
            p->api->report(p, "W0705", &DG_ITEMS(DgStr, c->path)[i],
                           "where a step makes it, name that under `deps`; where none is fine, say `allow_empty: true`",
                           "no file matches `%.*s` now", FMT(path));
    }
}

static void files_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    FilesTarget *target = p->api->alloc(p, sizeof *target);
    plan_target(p, c, target);
    DgStr file = first_file(p, c, target);
    DgStr named = target->paths.count ? DG_ITEMS(DgStr, target->paths)[0] : (DgStr){0};
    DgStr format = c->format ? str_from(formats[c->format]) : dg_format_of(file.len ? file : named);
    DgAssetDecl asset = {.key = c->asset, .description = c->description, .group = c->group, .kinds = c->kinds,
                         .owners = c->owners, .tags = c->tags, .metadata = c->metadata, .deps = c->deps,
                         .filled = &c->spec, .at = &c->asset};
    columns_of(p, c, file, format, &asset);
    check_partition_column(p, c, &asset);
    p->api->asset(p, &asset);
    DgStr *made = p->api->alloc(p, sizeof *made);
    *made = c->asset;
    DgStepDecl step = {.assets = {made, 1}, .at = &c->asset};
    bool decoded = plan_decode(p, c, target, file, format, &asset, &step);
    if (c->on_error == 1 && (!decoded || !c->columns.count))
        p->api->report(p, "E0110", &c->on_error, "declare `columns`, leave `filename_column` out; other formats are read whole or not at all",
                       "`on_error: skip` needs CSV, TSV or NDJSON whose columns are declared");
    if (!decoded)
        plan_read(p, c, target, &step);
    check_found(p, c, target);
    p->api->step(p, &step);
}

static const DgStepOps *const steps[] = {&dg_files_decode_ops, &dg_files_decode_http_ops, &dg_files_ops,
                                         &dg_files_http_ops, NULL};

const DgComponent dg_component_files = {
    .name = "dgc.Files",
    .summary = "CSV, TSV, JSON, NDJSON and Parquet files into a table.",
    .example = "type: dgc.Files\nattributes:\n  path: \"data/orders-*.csv\"\n  asset: raw/orders\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = files_plan,
    .steps = steps,
};
