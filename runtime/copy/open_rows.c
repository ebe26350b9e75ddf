/* open_rows.c - the rows of the stream at hand: from a database, perhaps in parallel parts, or files. */
#include "runtime/copy/copy.h"
#include "runtime/os/os.h"

enum { LANES_MAX = 8, SPLIT_ROWS = 200000 };

/* ---- Databases ---- */

/* A part of the table on a connection of its own; the connection closes with the rows. */
typedef struct Lane {
    DgRows rows; /* first */
    DgRows *from;
    const DgEngine *engine;
    DgDb *db;
} Lane;

static DgStatus lane_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Lane *l = (Lane *)rows;
    return l->from->next(l->from, out, err);
}

static void lane_close(DgRows *rows)
{
    Lane *l = (Lane *)rows;
    rows_close(l->from);
    l->engine->close(l->db);
    os_free(l);
}

static DgStatus open_lane(Copy *c, Str token, Str condition, DgRows **out, DgError *err)
{
    Str sql;
    DG_TRY(copy_query(c, condition, &sql, err));
    Lane *l = os_alloc(sizeof *l);
    if (!l)
        return os_no_memory(err, "reading rows");
    l->engine = c->source.engine;
    DgStatus status = l->engine->open(&c->source.conn, &l->db, err);
    if (status == DG_OK)
        status = token.len ? l->engine->snapshot_join(l->db, token, err) : l->engine->begin(l->db, DG_TX_READ, err);
    if (status == DG_OK)
        status = l->engine->query(l->db, sql, &l->from, err);
    if (status != DG_OK) {
        l->engine->close(l->db);
        os_free(l);
        return status;
    }
    l->rows = (DgRows){l->from->columns, l->from->columns_count, lane_next, lane_close, l->from->any_order};
    *out = &l->rows;
    return DG_OK;
}

/* Whole tables of some size are read in disjoint parts that see one snapshot. */
static bool may_split(const Copy *c)
{
    const DgSourceOptions *o = &c->s->source_options;
    return c->source.engine->split && c->source.engine->snapshot_export && !c->s->sql.len && !o->limit && !o->offset && !c->cursor.len &&
           c->info.columns_count && c->info.rows_estimate >= SPLIT_ROWS && c->run->run->options.threads > 1;
}

static DgStatus open_parts(Copy *c, DgRows **out, DgError *err)
{
    Str token;
    StrArray parts = {0};
    DgRows *lanes[LANES_MAX];
    int32_t threads = c->run->run->options.threads, wanted = threads < LANES_MAX ? threads : LANES_MAX;
    const DgEngine *e = c->source.engine;
    int32_t count = 0;
    DG_TRY(e->begin(c->source.db, DG_TX_READ, err)); /* holds the snapshot until the connection closes */
    DG_TRY(e->snapshot_export(c->source.db, &c->arena, &token, err));
    DG_TRY(e->split(c->source.db, &c->arena, c->from, wanted, &parts, err));
    DgStatus status = DG_OK;
    for (size_t i = 0; i < parts.count && i < LANES_MAX && status == DG_OK; i++) {
        status = open_lane(c, token, parts.items[i], &lanes[count], err);
        count += status == DG_OK;
    }
    if (status == DG_OK)
        return rows_queue(lanes, count, 4, copy_cancelled, c, out, err);
    while (count)
        rows_close(lanes[--count]);
    return status;
}

static DgStatus from_database(Copy *c, DgRows **out, DgError *err)
{
    DgRows *lane;
    if (may_split(c))
        return open_parts(c, out, err);
    DG_TRY(open_lane(c, (Str){0}, (Str){0}, &lane, err));
    return rows_queue(&lane, 1, 4, copy_cancelled, c, out, err);
}

/* ---- Files ---- */

/* Downloads are removed when the rows close. */
typedef struct Fetched {
    DgRows rows; /* first */
    DgRows *from;
    Arena arena;
    StrArray local;
    Str folder;  /* of the downloads; empty: none was begun */
} Fetched;

static DgStatus fetched_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Fetched *f = (Fetched *)rows;
    return f->from->next(f->from, out, err);
}

static void fetched_close(DgRows *rows)
{
    Fetched *f = (Fetched *)rows;
    rows_close(f->from);
    if (f->folder.len)
        os_remove_tree(f->folder.ptr, NULL);
    arena_free(&f->arena);
    os_free(f);
}

Str copy_path_in_store(Copy *c, Str stream)
{
    Str connection, path;
    return fs_split_url(&c->arena, stream, &connection, &path) ? path : stream;
}

DgStatus copy_list_files(Copy *c, DgFsItems *items, DgError *err)
{
    Str where;
    if (c->file) {
        array_add(&c->arena, items, *c->file);
        return DG_OK;
    }
    if (!c->s->files.count) {
        DG_TRY(copy_expand(c, copy_path_in_store(c, c->name), &where, err));
        DG_TRY(fs_list(c->source.fs, &c->arena, where, items, err));
    }
    for (size_t i = 0; i < c->s->files.count; i++) {
        DG_TRY(copy_expand(c, copy_path_in_store(c, DG_ITEMS(DgStr, c->s->files)[i]), &where, err));
        DG_TRY(fs_list(c->source.fs, &c->arena, where, items, err));
    }
    if (items->count || copy_setting_true(c, "SLING_ALLOW_EMPTY"))
        return DG_OK;
    dg_fail(err, DG_CONFIG, "`%.*s` matches no file", FMT(c->name));
    dg_hint(err, "set SLING_ALLOW_EMPTY to true where that is fine");
    return DG_CONFIG;
}

/* `columns: {photo: binary}`: bytes of a text file are written as `\xNN`, which its reader takes apart. */
static void add_binary(Copy *c, DgReadFormat *f)
{
    DgValue columns = c->s->columns;
    Array(DgColumn) given = {0};
    bool list = columns.kind == DG_V_LIST;
    for (size_t i = 0; i < (list ? columns.as.list->count : columns.kind == DG_V_DICT ? columns.as.dict->count : 0); i++) {
        const DgValue *name = list ? dgv_get_str(columns.as.list->items[i], S("name")) : &columns.as.dict->keys[i];
        const DgValue *type = list ? dgv_get_str(columns.as.list->items[i], S("type")) : &columns.as.dict->values[i];
        DgColumn column = {0};
        if (name && type && name->kind == DG_V_STR && type->kind == DG_V_STR && dg_column_type(type->as.s, &column.type) && column.type.kind == DG_BINARY) {
            column.name = name->as.s;
            array_add(&c->arena, &given, column);
        }
    }
    f->columns = given.items;
    f->columns_count = (int32_t)given.count;
}

static DgReadFormat format_of(Copy *c, Str path)
{
    const DgSourceOptions *o = &c->s->source_options;
    bool everything = c->s->columns.kind == DG_V_DICT && dgv_get_str(c->s->columns, S("*"));
    DgReadFormat f = {
        .format = o->format.len ? file_format_find(o->format) : file_format_of(path),
        .header = o->header == 1 ? 1 : o->header == 2 ? 0 : -1, .delimiter = o->delimiter, .quote = o->quote, .escape = o->escape,
        .null_if = o->null_if, .datetime_format = str_eq_nocase(o->datetime_format, S("auto")) ? (Str){0} : o->datetime_format,
        .encoding = o->encoding, .compression = str_eq_nocase(o->compression, S("auto")) ? (Str){0} : o->compression,
        .empty_as_null = o->empty_as_null != 2, .skip_blank_lines = o->skip_blank_lines == 1,
        .flatten = (o->flatten.kind == DG_V_BOOL && o->flatten.as.b) || (o->flatten.kind == DG_V_INT && o->flatten.as.i >= 0),
        .flatten_depth = o->flatten.kind == DG_V_INT ? (int32_t)o->flatten.as.i : 0, .all_text = everything, .skip_lines = o->skip_lines, .fields_per_record = o->fields_per_rec, .sheet = o->sheet,
        .range = o->range, .jmespath = o->jmespath,
    };
    if (f.format == DG_FILE_CSV || f.format == DG_FILE_TSV)
        add_binary(c, &f);
    return f;
}

/* Downloads lie in key=value folders as in the store, so that these become columns. */
static DgStatus download_folder(Copy *c, Fetched *f, Str path, Str *out, DgError *err)
{
    uint64_t salt;
    Str query;
    os_random(&salt, sizeof salt);
    if (str_eq(c->source.conn.type, S("http")))
        str_cut(path, '?', &path, &query);
    if (!f->folder.len)
        f->folder = str_format(&f->arena, "%.*s/tmp/%016llx", FMT(c->run->run->options.home), (unsigned long long)salt);
    *out = str_format(&f->arena, "%.*s/%.*s", FMT(f->folder), FMT(file_hive_folders(&f->arena, path)));
    return os_make_folders(out->ptr, err);
}

static DgStatus fetch_all(Copy *c, Fetched *f, const DgFsItems *items, DgError *err)
{
    bool here = str_eq(c->source.conn.type, S("file"));
    for (size_t i = 0; i < items->count; i++) {
        Str local, folder = {0};
        bool downloaded = false;
        if (dg_cancelled(c->run))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        if (!here)
            DG_TRY(download_folder(c, f, items->items[i].path, &folder, err));
        DG_TRY(fs_fetch(c->source.fs, &f->arena, &items->items[i], folder, &local, &downloaded, err));
        local = str_copy(&f->arena, local);
        array_add(&f->arena, &f->local, local);
    }
    return DG_OK;
}

static DgStatus from_files(Copy *c, DgRows **out, DgError *err)
{
    DgFsItems items = {0};
    if (c->s->where.len || c->s->sql.len)
        return dg_fail(err, DG_CONFIG, "`%s` of stream `%.*s` needs a database to read from, and `%.*s` has files", c->s->sql.len ? "sql" : "where",
                       FMT(c->name), FMT(c->source.conn.name));
    DG_TRY(copy_list_files(c, &items, err));
    *out = NULL;
    if (!items.count)
        return DG_OK;
    Fetched *f = os_alloc(sizeof *f);
    if (!f)
        return os_no_memory(err, "reading files");
    arena_init(&f->arena, 256 << 20);
    DgReadFormat how = format_of(c, items.items[0].path);
    how.hive = file_hive_folders(&f->arena, items.items[0].path).len > 0; /* not by folders around the project */
    DgStatus status = fetch_all(c, f, &items, err);
    if (status == DG_OK)
        status = files_read(&f->local, &how, c->run->run->options.memory_max / 4, &f->from, err);
    if (status != DG_OK) {
        fetched_close(&f->rows);
        return status;
    }
    f->rows = (DgRows){f->from->columns, f->from->columns_count, fetched_next, fetched_close, f->from->any_order};
    DgRows *rows = &f->rows;
    const DgSourceOptions *o = &c->s->source_options;
    if (o->limit || o->offset)
        DG_TRY(rows_limit(rows, o->limit ? o->limit : INT64_MAX, o->offset, &rows, err));
    return rows_queue(&rows, 1, 4, copy_cancelled, c, out, err); /* read while the target writes */
}

DgStatus copy_open_rows(Copy *c, CopyWatch **watch, DgRows **out, DgError *err)
{
    DgRows *rows;
    DG_TRY(c->source.engine ? from_database(c, &rows, err) : from_files(c, &rows, err));
    *out = rows;
    if (!rows) /* no files, and that is allowed */
        return DG_OK;
    DG_TRY(copy_select(c, rows, &rows, err));
    DG_TRY(copy_transform(c, rows, &rows, err));
    DG_TRY(copy_shape(c, rows, &rows, err));
    DG_TRY(copy_constrain(c, rows, &rows, err));
    DG_TRY(copy_stamp(c, rows, &rows, err));
    DG_TRY(copy_since(c, rows, &rows, err));
    DG_TRY(copy_watch(c, rows, c->s->update_key, watch, out, err));
    return copy_rename(c, *out, out, err);
}
