/* files_decode.c - loads CSV and NDJSON through decoders that were emitted for their columns. */
#include "runtime/data/batch.h"
#include "runtime/data/decode.h"
#include "runtime/os/os.h"
#include "stdlib-components/files/files_decode.h"

enum { SHOWN_MAX = 10 };

static const char *const formats[] = {"csv", "ndjson", "json", NULL};

const DgField dg_files_decode_fields[] = {
    FILES_TARGET_FIELDS(FilesDecode),
    DG_FIELD_ENUM(FilesDecode, format, .choices = formats, .doc = "Format."),
    DG_FIELD_STRING(FilesDecode, delimiter, .doc = "Between fields."),
    DG_FIELD_STRING(FilesDecode, quote, .doc = "Round fields."),
    DG_FIELD_STRING(FilesDecode, escape, .doc = "Before a quote inside a field."),
    DG_FIELD_BOOL(FilesDecode, header, .doc = "The first record holds names."),
    DG_FIELD_BOOL(FilesDecode, skip_bad, .doc = "Records that do not fit are left out."),
    DG_FIELD_INT(FilesDecode, skip_rows, .doc = "Lines passed over at the top."),
    DG_FIELD_STRING_MAP(FilesDecode, columns, .doc = "Columns and types."),
    DG_FIELD_STRINGS(FilesDecode, nulls, .doc = "Texts that mean null."),
    DG_FIELD_CODE(FilesDecode, decode, .doc = "The emitted decoder."),
    {0},
};

static char character(DgStr s)
{
    return s.len == 1 ? s.ptr[0] : 0;
}

static DgStatus make_columns(const FilesDecode *f, FilesDecodeState *s, DgError *err)
{
    s->columns_count = (int32_t)f->columns.count;
    s->columns = push(&s->arena, DgColumn, f->columns.count + 1);
    for (size_t i = 0; i < f->columns.count; i++) {
        const DgPair *c = &DG_ITEMS(DgPair, f->columns)[i];
        s->columns[i].name = c->key;
        if (!dg_type_parse(c->value, &s->columns[i].type))
            return dg_fail(err, DG_BUG, "`%.*s` is no column type", FMT(c->value));
    }
    return DG_OK;
}

DgStatus files_decode_open(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const FilesDecode *f = config;
    FilesDecodeState *s = state;
    DgLoad load = {.mode = (DgLoadMode)f->target.mode};
    arena_init(&s->arena, 256 << 20);
    pthread_mutex_init(&s->lock, NULL);
    s->has_lock = true;
    DG_TRY(files_paths_expand(run, &f->target, s->download, &s->arena, &s->paths, err));
    DG_TRY(make_columns(f, s, err));
    s->files = push(&s->arena, OpenFile, s->paths.local.count + 1);
    load.columns = s->columns;
    load.columns_count = s->columns_count;
    for (size_t i = 0; i < f->target.unique_key.count && i < 8; i++)
        load.unique_key[load.unique_key_count++] = DG_ITEMS(DgStr, f->target.unique_key)[i];
    for (int32_t i = 0; i < s->columns_count && load.mode == DG_REPLACE; i++)
        if (str_eq_nocase(s->columns[i].name, f->target.partition_column))
            DG_TRY(dg_partition_condition(run, s->columns[i].name, s->columns[i].type.kind == DG_TIMESTAMPTZ,
                                          &load.replaces, err));
    return dg_load(run, &load, err);
}

/* Which column of ours each column of the file is. */
static DgStatus map_header(FilesDecodeState *s, OpenFile *file, Str shown, DgError *err)
{
    int32_t count;
    const DgStr *names = dg_reader_header(file->reader, &count);
    int32_t *map = push(&s->arena, int32_t, count + 1);
    bool in_order = count == s->columns_count;
    for (int32_t i = 0; i < count; i++) {
        map[i] = -1;
        for (int32_t k = 0; k < s->columns_count; k++)
            if (str_eq_nocase(str_trim(names[i]), s->columns[k].name))
                map[i] = k;
        in_order = in_order && map[i] == i;
    }
    for (int32_t k = 0, i; count && k < s->columns_count; k++) {
        for (i = 0; i < count && map[i] != k; i++)
            ;
        if (i < count)
            continue;
        dg_fail(err, DG_DATA, "%.*s has no column `%.*s`", FMT(shown), FMT(s->columns[k].name));
        dg_hint(err, "its header has %d names, the first is `%.*s`", count, FMT(names[0]));
        return DG_DATA;
    }
    file->map = in_order ? NULL : map;
    file->map_count = count;
    return DG_OK;
}

static DgReaderOptions reader_options(const FilesDecode *f)
{
    return (DgReaderOptions){.format = (DgFormat)f->format, .delimiter = character(f->delimiter), .quote = character(f->quote),
                             .escape = character(f->escape), .header = f->header, .skip_lines = f->skip_rows};
}

static DgStatus open_file(const FilesDecode *f, FilesDecodeState *s, size_t i, DgError *err)
{
    DgReaderOptions o = reader_options(f);
    DG_TRY(dg_reader_open(str_cstr(&s->arena, s->paths.local.items[i]), s->paths.shown.items[i], &o,
                          &s->files[i].reader, err));
    s->opened = i + 1;
    return f->header && f->format == DG_CSV ? map_header(s, &s->files[i], s->paths.shown.items[i], err) : DG_OK;
}

/* The next block of the current file, or of the one after it. */
static DgStatus next_block(const FilesDecode *f, FilesDecodeState *s, FilesDecodeLane *lane, DgError *err)
{
    for (;;) {
        pthread_mutex_lock(&s->lock);
        size_t i = s->current;
        DgStatus status = i >= s->paths.local.count ? DG_END : DG_OK;
        if (status == DG_OK && i == s->opened)
            status = open_file(f, s, i, err);
        pthread_mutex_unlock(&s->lock);
        DG_TRY(status);
        status = dg_reader_next(s->files[i].reader, &lane->buffer, err);
        if (status != DG_END) {
            lane->buffer.block.map = s->files[i].map;
            lane->buffer.block.map_count = s->files[i].map_count;
            lane->buffer.block.nulls = f->nulls.items;
            lane->buffer.block.nulls_count = (int32_t)f->nulls.count;
            return status;
        }
        pthread_mutex_lock(&s->lock);
        if (s->current == i)
            s->current++;
        pthread_mutex_unlock(&s->lock);
    }
}

/* Then it may be the batch that is full, not the record that is wrong. */
static bool crowded(const DgBatch *b)
{
    for (int32_t i = 0; i < b->columns_count; i++)
        if (b->vectors[i].bytes_count > INT32_MAX / 2)
            return b->rows > 0;
    return false;
}

static void skip_record(DgStepRun *run, const FilesDecode *f, FilesDecodeState *s, DgBlock *block, const DgError *why)
{
    DgReaderOptions o = reader_options(f);
    pthread_mutex_lock(&s->lock);
    int64_t n = ++s->skipped;
    pthread_mutex_unlock(&s->lock);
    if (n <= SHOWN_MAX)
        dg_log(run, DG_LOG_WARNING, "left out: %s", why->message);
    dg_block_skip_record(block, &o);
}

DgStatus files_decode_read(DgStepRun *run, const void *config, void *state, void *lane_memory,
                            DgBatch *out, DgError *err)
{
    const FilesDecode *f = config;
    FilesDecodeLane *lane = lane_memory;
    DgDecodeFn decode = (DgDecodeFn)f->decode.call;
    while (out->rows < out->rows_max) {
        DgBlock *block = &lane->buffer.block;
        if (!lane->has_block || block->at >= block->end) {
            DgStatus status = dg_cancelled(run) ? DG_CANCELLED : next_block(f, state, lane, err);
            lane->has_block = status == DG_OK;
            if (status != DG_OK)
                return status;
            dg_progress(run, 0, block->end - block->at);
        }
        DgStatus status = decode(block, out, err);
        if (status == DG_DATA && f->skip_bad) {
            dg_batch_drop_row(out);
            if (crowded(out))
                return DG_OK;
            skip_record(run, f, state, block, err);
        } else if (status != DG_OK) {
            return status;
        }
    }
    return DG_OK;
}

void files_decode_close_lane(DgStepRun *run, const void *config, void *state, void *lane_memory)
{
    FilesDecodeLane *lane = lane_memory;
    (void)run, (void)config, (void)state;
    dg_block_release(&lane->buffer);
}

void files_decode_close(DgStepRun *run, const void *config, void *state)
{
    FilesDecodeState *s = state;
    const FilesDecode *f = config;
    if (s->skipped) {
        dg_log(run, DG_LOG_WARNING, "%lld records were left out, as `on_error: skip` says", (long long)s->skipped);
        dg_report_metadata(run, f->target.asset, "skipped", (DgValue){.kind = DG_V_INT, .as.i = s->skipped});
    }
    for (size_t i = 0; i < s->opened; i++)
        dg_reader_close(s->files[i].reader);
    if (!s->has_lock)
        return;
    files_paths_release(&s->paths, &s->arena);
    pthread_mutex_destroy(&s->lock);
    arena_free(&s->arena);
}

const DgStepOps dg_files_decode_ops = {
    .name = "dgc.Files",
    .symbol = "dg_files_decode_ops",
    .role = DG_SOURCE,
    .fields = dg_files_decode_fields,
    .config_size = sizeof(FilesDecode),
    .state_size = sizeof(FilesDecodeState),
    .lane_size = sizeof(FilesDecodeLane),
    .open = files_decode_open,
    .read = files_decode_read,
    .close_lane = files_decode_close_lane,
    .close = files_decode_close,
};
