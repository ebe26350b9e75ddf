/* export.c - dgc.Export: a table into files, whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/base/base.h"
#include "runtime/component.h"
#include "runtime/os/os.h"

static const char *const formats[] = {"auto", "parquet", "csv", "ndjson", "tsv", NULL};
static const char *const compressions[] = {"auto", "none", "gzip", "zstd", "snappy", NULL};

typedef struct ExportStep {
    DgStr from, asset, path, folder;
    int32_t format, compression;
    DgList partition_by; /* of DgStr */
    DgCode sql;
} ExportStep;

static const DgField step_fields[] = {
    DG_FIELD_ASSET_KEY(ExportStep, from, .doc = "The asset that is written."),
    DG_FIELD_ASSET_KEY(ExportStep, asset, .doc = "The asset that the files are."),
    DG_FIELD_STRING(ExportStep, path, .doc = "File, or folder when partitioned; project-relative."),
    DG_FIELD_STRING(ExportStep, folder, .doc = "What a path that is known late is relative to."),
    DG_FIELD_ENUM(ExportStep, format, .choices = formats, .doc = "Format."),
    DG_FIELD_ENUM(ExportStep, compression, .choices = compressions, .doc = "Compression."),
    DG_FIELD_STRINGS(ExportStep, partition_by, .doc = "Columns that become folders."),
    DG_FIELD_CODE(ExportStep, sql, .doc = "Renders the query of the rows that are written."),
    {0},
};

/* ---- Run time ---- */

static int32_t format_of(const ExportStep *e)
{
    static const char *const ends[] = {"", ".parquet", ".csv", ".ndjson", ".tsv"};
    Str path = e->path;
    if (e->format)
        return e->format;
    if (str_ends(path, S(".gz")))
        path.len -= 3;
    else if (str_ends(path, S(".zst")))
        path.len -= 4;
    if (str_ends(path, S(".jsonl")))
        return 3;
    for (int32_t i = 1; i < 5; i++)
        if (str_ends(path, str_from(ends[i])))
            return i;
    return 1;
}

static DgStr options_of(DgStepRun *run, const ExportStep *e)
{
    static const char *const names[] = {"", "FORMAT parquet", "FORMAT csv, HEADER true", "FORMAT json",
                                        "FORMAT csv, HEADER true, DELIMITER '\t'"};
    StrBuf b = {0};
    const char *compression = e->compression > 1                  ? compressions[e->compression]
                              : e->compression == 1               ? "uncompressed"
                              : str_ends(e->path, S(".gz"))       ? "gzip"
                              : str_ends(e->path, S(".zst"))      ? "zstd"
                                                                  : NULL;
    buf_format(&b, "%s", names[format_of(e)]);
    if (compression)
        buf_format(&b, ", COMPRESSION %s", compression);
    for (size_t i = 0; i < e->partition_by.count; i++)
        buf_format(&b, "%s%.*s", i ? ", " : ", PARTITION_BY (", FMT(dg_quote_name(run, DG_ITEMS(DgStr, e->partition_by)[i])));
    if (e->partition_by.count)
        buf_char(&b, ')');
    DgStr out = dg_format(run, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

static DgStatus select_of(DgStepRun *run, const ExportStep *e, Str *out, DgError *err)
{
    DgValue v;
    if (!e->sql.call)
        return dg_fail(err, DG_BUG, "the export has no SQL");
    DG_TRY(((DgTemplateFn)e->sql.call)(dg_eval(run), &v, err));
    *out = v.kind == DG_V_STR ? v.as.s : (Str){0};
    return out->len ? DG_OK : dg_fail(err, DG_BUG, "the export's SQL is empty");
}

enum { FOLDERS_DEPTH_MAX = 32 };

/* Brings a file, or a folder and all in it, to disk. */
static DgStatus sync_tree(Arena *a, const char *path, int depth, DgError *err)
{
    struct stat st;
    StrArray names = {0};
    int fd;
    if (dg_os.stat(path, &st) != 0)
        return os_fail(err, errno, "look at", path);
    if (S_ISDIR(st.st_mode) && depth < FOLDERS_DEPTH_MAX) {
        DG_TRY(os_list(a, path, &names, err));
        for (size_t i = 0; i < names.count; i++)
            DG_TRY(sync_tree(a, str_cstr(a, str_format(a, "%s/%.*s", path, FMT(names.items[i]))), depth + 1, err));
    }
    DG_TRY(os_open(path, O_RDONLY, 0, &fd, err));
    os_sync(fd, path);
    os_close(fd);
    return DG_OK;
}

static char *folder_of(Arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? str_cstr(a, (Str){path, slash - path}) : str_cstr(a, slash ? S("/") : S("."));
}

/* For file systems that cannot exchange two names: the old folder stays as `.old` in between. */
static DgStatus swap_in_two(const char *temp, const char *to, const char *old, DgError *err)
{
    if (dg_os.rename(to, old) != 0 && errno != ENOENT)
        return os_fail(err, errno, "move aside", to);
    if (dg_os.rename(temp, to) != 0) {
        int number = errno;
        dg_os.rename(old, to); /* what was there stays */
        return os_fail(err, number, "put in place", to);
    }
    return DG_OK;
}

/* The new files lie beside the old ones until they are whole and on disk; then one rename puts them
 * in place. A folder changes places with the old one, which is removed afterwards: whoever looks sees
 * the one or the other. */
static DgStatus put_in_place(Arena *a, const char *temp, const char *to, bool folder, DgError *err)
{
    char *old = str_cstr(a, str_format(a, "%s.old", to));
    DG_TRY(sync_tree(a, temp, 0, err));
    if (folder)
        DG_TRY(os_remove_tree(old, err));
    bool exchanged = folder && dg_os.exchange(temp, to) == 0;
    if (!exchanged && folder && errno != ENOENT)
        DG_TRY(swap_in_two(temp, to, old, err));
    else if (!exchanged && dg_os.rename(temp, to) != 0)
        return os_fail(err, errno, "put in place", to);
    DG_TRY(sync_tree(a, folder_of(a, to), FOLDERS_DEPTH_MAX, err));
    return folder ? os_remove_tree(exchanged ? temp : old, err) : DG_OK;
}

static DgStatus write_files(DgStepRun *run, const ExportStep *e, Arena *a, DgError *err)
{
    DgStr path = e->path;
    if (e->folder.len)
        DG_TRY(dg_component_path(run, e->folder, path, &path, err));
    char *to = str_cstr(a, dg_project_path(run, path));
    char *temp = str_cstr(a, str_format(a, "%s.writing", to));
    int64_t rows = 0;
    DG_TRY(os_make_folders(folder_of(a, to), err));
    DG_TRY(os_remove_tree(temp, err));
    DgStr select = {0};
    DG_TRY(select_of(run, e, &select, err));
    DgStatus status = dg_sql(run, dg_format(run, "COPY (%.*s) TO %.*s (%.*s)", FMT(select), FMT(dg_quote_text(run, str_from(temp))),
                                            FMT(options_of(run, e))), err);
    if (status == DG_OK)
        status = put_in_place(a, temp, to, e->partition_by.count > 0, err);
    if (status == DG_OK)
        status = dg_sql_int(run, dg_format(run, "SELECT count(*) FROM (%.*s)", FMT(select)), &rows, err);
    if (status != DG_OK) {
        DgError ignored = {0};
        os_remove_tree(temp, &ignored);
        return status;
    }
    dg_progress(run, rows, 0);
    return DG_OK;
}

static DgStatus export_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    Arena a;
    (void)state;
    arena_init(&a, 64 << 20);
    DgStatus status = write_files(run, config, &a, err);
    arena_free(&a);
    return status;
}

const DgStepOps dg_export_ops = {
    .name = "dgc.Export",
    .symbol = "dg_export_ops",
    .role = DG_ACTION,
    .fields = step_fields,
    .config_size = sizeof(ExportStep),
    .execute = export_execute,
};

/* ---- The component ---- */

typedef struct Config {
    DgStr from, asset, path, where, description, group;
    int32_t format, compression;
    DgList columns, partition_by, tags, kinds, owners, metadata;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, from, .flags = DG_REQUIRED | DG_BUILD, .example = "marts/revenue", .doc = "The asset whose table is written."),
    DG_FIELD_PATH(Config, path, .flags = DG_REQUIRED, .example = "\"../../out/revenue.parquet\"", .doc = "The file, from the component's folder; a folder with `partition_by`."),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_BUILD, .doc = "Key of the files as an asset; `export/NAME` when not given."),
    DG_FIELD_ENUM(Config, format, .choices = formats, .fallback = "auto", .flags = DG_BUILD, .doc = "`auto` goes by the path, else Parquet."),
    DG_FIELD_ENUM(Config, compression, .choices = compressions, .fallback = "auto", .flags = DG_BUILD, .doc = "`auto` goes by the path."),
    DG_FIELD_STRINGS(Config, columns, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "Columns to write; all when not given."),
    DG_FIELD_SQL(Config, where, .doc = "SQL condition: only these rows."),
    DG_FIELD_STRINGS(Config, partition_by, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "Columns that become folders, `day=2024-01-01/`."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the files are."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Group of the asset."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Its metadata."),
    {0},
};

/* The query of the rows, with the places of what the user wrote in it. */
typedef struct Query {
    StrBuf sql;
    DgSqlPlace *places;
    size_t count;
} Query;

static void add_place(Query *q, size_t start, const void *field, bool verbatim)
{
    q->places[q->count++] = (DgSqlPlace){start, q->sql.len - start, field, verbatim};
}

/* `"` doubled, and no template within. */
static void add_name(Query *q, const DgStr *name)
{
    size_t start = q->sql.len;
    buf_char(&q->sql, '"');
    for (ptrdiff_t i = 0; i < name->len; i++) {
        if (name->ptr[i] == '"')
            buf_char(&q->sql, '"');
        buf_char(&q->sql, name->ptr[i]);
    }
    buf_char(&q->sql, '"');
    add_place(q, start, name, false);
}

static bool has_column(const DgList *columns, DgStr name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (str_eq_nocase(DG_ITEMS(DgStr, *columns)[i], name))
            return true;
    return columns->count == 0;
}

/* `columns` and `partition_by` are looked at by the binder; the latter where it changes no row. */
static void plan_query(DgPlanner *p, const Config *c, ExportStep *step)
{
    Query q = {.places = p->api->alloc(p, (c->columns.count + c->partition_by.count + 1) * sizeof *q.places)};
    bool where = p->api->is_set(p, &c->where);
    buf_add(&q.sql, S("SELECT "));
    for (size_t i = 0; i < c->columns.count; i++) {
        buf_add(&q.sql, i ? S(", ") : S(""));
        add_name(&q, &DG_ITEMS(DgStr, c->columns)[i]);
    }
    buf_add(&q.sql, c->columns.count ? S(" FROM {{ this }}") : S("* FROM {{ this }}"));
    if (where) {
        buf_add(&q.sql, S(" WHERE (\n"));
        size_t start = q.sql.len;
        buf_add(&q.sql, c->where);
        add_place(&q, start, &c->where, true);
        buf_add(&q.sql, S("\n)"));
    }
    for (size_t i = 0; i < c->partition_by.count; i++) {
        const DgStr *name = &DG_ITEMS(DgStr, c->partition_by)[i];
        if (!has_column(&c->columns, *name)) {
            p->api->report(p, "E0110", name, "add it to `columns`; its values become the names of folders",
                           "`%.*s` is not among the `columns` that are written", (int)name->len, name->ptr);
            continue;
        }
        buf_add(&q.sql, where || i ? S(" AND (true OR ") : S(" WHERE (true OR "));
        add_name(&q, name);
        buf_add(&q.sql, S(" IS NULL)"));
    }
    p->api->sql(p, &step->sql, &(DgSqlDecl){.asset = c->from, .field = &c->from, .is_check = true,
                                           .text = p->api->format(p, "%.*s", FMT(buf_str(&q.sql))),
                                           .places = {q.places, q.count}});
    buf_free(&q.sql);
}

static void export_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    ExportStep *step = p->api->alloc(p, sizeof *step);
    ptrdiff_t slash = c->from.len;
    while (slash > 0 && c->from.ptr[slash - 1] != '/')
        slash--;
    step->from = c->from;
    step->asset = c->asset.len ? c->asset : p->api->format(p, "export/%.*s", (int)(c->from.len - slash), c->from.ptr + slash);
    step->format = c->format;
    step->compression = c->compression;
    step->partition_by = c->partition_by;
    plan_query(p, c, step);
    p->api->copy(p, &step->path, &c->path, sizeof step->path);
    if (p->api->is_known(p, &c->path))
        step->path = p->api->resolve(p, &c->path, c->path);
    else
        step->folder = p->api->folder(p);
    DgStr *from = p->api->alloc(p, sizeof *from), *made = p->api->alloc(p, sizeof *made);
    *from = c->from;
    *made = step->asset;
    p->api->asset(p, &(DgAssetDecl){.key = step->asset, .description = c->description, .group = c->group,
                                    .deps = {from, 1}, .kinds = c->kinds, .owners = c->owners, .tags = c->tags,
                                    .metadata = c->metadata, .at = &c->from});
    p->api->step(p, &(DgStepDecl){.ops = &dg_export_ops, .config = step, .assets = {made, 1}, .reads = {from, 1}, .at = &c->from});
}

static const DgStepOps *const steps[] = {&dg_export_ops, NULL};

const DgComponent dg_component_export = {
    .name = "dgc.Export",
    .summary = "A table into Parquet, CSV or NDJSON files, whole or not at all.",
    .doc = "The files are written beside their place, brought to disk, and put there by renaming.",
    .example = "type: dgc.Export\nattributes:\n  from: marts/revenue\n  path: \"../../out/revenue.parquet\"\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = export_plan,
    .steps = steps,
};
