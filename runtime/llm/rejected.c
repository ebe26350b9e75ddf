/* rejected.c - see rejected.h. */
#include "runtime/llm/rejected.h"

#include "runtime/data/batch.h"
#include "runtime/llm/rows.h"
#include "runtime/os/os.h"

enum { ALL_BYTES_MAX = 64 << 20, ROW_BYTES_MAX = 64 << 10, REPLY_BYTES_MAX = 4096 };

void rejected_open(Rejected *r)
{
    arena_init(&r->arena, 256 << 20);
    r->arena.can_fail = true;
}

void rejected_close(Rejected *r)
{
    arena_free(&r->arena);
}

DgStatus rejected_add(Rejected *r, DgEval *ev, const DgBatch *in, int32_t row, const char *kind, Str reason, Str reply, DgError *err)
{
    StrBuf json = {.max = ROW_BYTES_MAX};
    Arena *a = &r->arena;
    dg_write_json(ev, &json, row_value(ev, in, row), 0, false);
    reply = str_sub(reply, 0, reply.len < REPLY_BYTES_MAX ? reply.len : REPLY_BYTES_MAX);
    RejectedRow x = {.kind = kind, .reason = output_clean(a, reason), .reply = output_clean(a, reply),
                     .row = json.failed ? S("{}") : str_copy(a, buf_str(&json))};
    buf_free(&json);
    array_add(a, &r->rows, x);
    r->bytes += (size_t)(x.row.len + x.reason.len + x.reply.len);
    if (r->bytes > ALL_BYTES_MAX)
        return dg_fail(err, DG_DATA, "more than %d MB of rows could not be answered", ALL_BYTES_MAX >> 20);
    return a->failed ? os_no_memory(err, "for rejected rows") : DG_OK;
}

static const DgColumn columns[] = {
    {.name = DG_S("row"), .type = {.kind = DG_JSON}},
    {.name = DG_S("kind"), .type = {.kind = DG_TEXT}},
    {.name = DG_S("reason"), .type = {.kind = DG_TEXT}},
    {.name = DG_S("reply"), .type = {.kind = DG_TEXT}},
};

static DgStatus next_batch(void *context, void *lane, DgBatch *out, DgError *err)
{
    Rejected *r = context;
    (void)lane;
    for (; r->next < r->rows.count && out->rows < out->rows_max; out->rows++, r->next++) {
        const RejectedRow *x = &r->rows.items[r->next];
        const Str texts[] = {x->row, str_from(x->kind), x->reason, x->reply};
        for (int i = 0; i < 4; i++)
            if (!dg_text_set(&out->vectors[i], out->rows, texts[i].ptr ? texts[i].ptr : "", (size_t)texts[i].len))
                return os_no_memory(err, "for rejected rows");
    }
    return r->next < r->rows.count ? DG_OK : DG_END;
}

DgStatus rejected_load(Rejected *r, DgStepRun *sr, DgStr asset, const char *name, DgError *err)
{
    DgSession *session;
    Str schema, table;
    DgLoadResult result;
    DgLoad load = {.mode = DG_REPLACE, .columns = columns, .columns_count = 4, .lanes_max = 1};
    DgPull pull = {.context = r, .next = next_batch, .lanes_max = 1};
    DG_TRY(step_session(sr, &session, err));
    pthread_mutex_lock(&sr->lock);
    dg_asset_table(&sr->arena, asset, &schema, &table);
    table = str_format(&sr->arena, "%.*s_rejected", FMT(table));
    pthread_mutex_unlock(&sr->lock);
    DG_TRY(dg_session_load(session, schema, table, &load, &pull, &result, err));
    dg_report_metadata(sr, asset, name, dgv_int((int64_t)r->rows.count));
    if (r->rows.count)
        dg_log(sr, DG_LOG_WARNING, "%zu row%s could not be answered, the first: %.*s; see %.*s.%.*s", r->rows.count, r->rows.count == 1 ? "" : "s",
               FMT(r->rows.items[0].reason), FMT(schema), FMT(table));
    return DG_OK;
}
