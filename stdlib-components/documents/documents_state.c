/* documents_state.c - the tables beside the chunks.
 *
 * T            chunks
 * T_rejects    documents that could not be read (named by `rejects`)
 * T__documents what is known of each document: version, hash, how it was cut
 *
 * A run loads its chunks into T__new (into T itself when nothing is known yet) and its outcomes into
 * T__outcomes; a few statements bring the three tables up to date with them, and both are dropped: in the
 * same transaction, so that nobody ever sees them.
 */
#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "stdlib-components/documents/documents.h"

static Str beside(Documents *d, const char *end)
{
    return dg_table(d->run, dg_format(d->run, "%.*s__%s", FMT(d->step->asset), end));
}

DgStatus documents_tables(Documents *d, DgError *err)
{
    DgStepRun *run = d->run;
    const char *make = dg_full_refresh(run) ? "CREATE OR REPLACE TABLE" : "CREATE TABLE IF NOT EXISTS";
    DG_TRY(dg_sql(run, dg_format(run, "%s %.*s(id VARCHAR NOT NULL, document VARCHAR NOT NULL, ordinal INTEGER NOT NULL, title VARCHAR, headings VARCHAR, page INTEGER, "
                                 "byte_start BIGINT NOT NULL, byte_end BIGINT NOT NULL, text VARCHAR NOT NULL, tokens INTEGER NOT NULL, hash VARCHAR NOT NULL, "
                                 "document_hash VARCHAR NOT NULL)", make, FMT(dg_table(run, d->step->asset))), err));
    DG_TRY(dg_sql(run, dg_format(run, "%s %.*s(document VARCHAR NOT NULL, reason VARCHAR NOT NULL, format VARCHAR, size BIGINT, rejected_at TIMESTAMP NOT NULL)",
                                 make, FMT(dg_table(run, d->step->rejects))), err));
    return dg_sql(run, dg_format(run, "%s %.*s(document VARCHAR NOT NULL, version VARCHAR, hash VARCHAR, settings VARCHAR NOT NULL, format VARCHAR, size BIGINT, "
                                 "title VARCHAR, chunks BIGINT NOT NULL, tokens BIGINT NOT NULL, rejected BOOLEAN NOT NULL, read_at TIMESTAMP NOT NULL)",
                                 make, FMT(beside(d, "documents"))), err);
}

static Str kept(Documents *d, const DgBatch *b, int32_t column, int32_t row)
{
    const DgVector *v = &b->vectors[column];
    return DG_VALID(v, row) ? str_copy(&d->arena, dg_text_get(v, row)) : (Str){0};
}

DgStatus documents_known(Documents *d, DgError *err)
{
    DgScan *scan;
    DgBatch batch = {0};
    int32_t count;
    DG_TRY(dg_step_scan_own(d->run, dg_format(d->run, "SELECT document, version, hash, settings, rejected FROM %.*s", FMT(beside(d, "documents"))), &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &count);
    DgStatus status = dg_batch_init(&batch, columns, count, DG_BATCH_ROWS, err);
    for (DgStatus more = status; more == DG_OK;) {
        dg_batch_reset(&batch);
        more = dg_scan_next(scan, &batch, err);
        for (int32_t i = 0; (more == DG_OK || more == DG_END) && i < batch.rows; i++) {
            Known *known = push(&d->arena, Known, 1);
            if (!known)
                break;
            *known = (Known){.version = kept(d, &batch, 1, i), .hash = kept(d, &batch, 2, i), .settings = kept(d, &batch, 3, i),
                             .rejected = ((const uint8_t *)batch.vectors[4].values)[i]};
            map_put(&d->arena, &d->known, kept(d, &batch, 0, i), known);
        }
        status = more == DG_END ? DG_OK : more;
    }
    dg_batch_release(&batch);
    dg_scan_close(scan);
    return status == DG_OK && d->arena.failed ? os_no_memory(err, "for what is known of documents") : status;
}

Str documents_staging(Documents *d, bool staged, Str *schema)
{
    Str table;
    dg_step_table(d->run, d->step->asset, schema, &table);
    return staged ? dg_format(d->run, "%.*s__new", FMT(table)) : table;
}

/* ---- Outcomes as rows ---- */

static const DgColumn outcome_columns[] = {
    {.name = DG_S("document"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("version"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("hash"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("format"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("size"), .type = {DG_INT64, 0, 0}}, {.name = DG_S("title"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("chunks"), .type = {DG_INT64, 0, 0}}, {.name = DG_S("tokens"), .type = {DG_INT64, 0, 0}}, {.name = DG_S("state"), .type = {DG_INT32, 0, 0}},
    {.name = DG_S("reason"), .type = {DG_TEXT, 0, 0}},
};

typedef struct Feed {
    Documents *d;
    size_t next;
} Feed;

static DgStatus feed_open(void *context, void **lane, DgError *err)
{
    (void)err;
    *lane = context;
    return DG_OK;
}

static void feed_close(void *context, void *lane)
{
    (void)context, (void)lane;
}

static bool put(DgBatch *out, int32_t column, Str text)
{
    if (!text.len)
        dg_set_null(&out->vectors[column], out->rows);
    return dg_text_set(&out->vectors[column], out->rows, text.ptr, (size_t)text.len);
}

static DgStatus feed_next(void *context, void *lane, DgBatch *out, DgError *err)
{
    Feed *f = context;
    bool good = true;
    (void)lane;
    for (; good && out->rows < out->rows_max && f->next < f->d->outcomes.count; out->rows++) {
        const Outcome *o = &f->d->outcomes.items[f->next++];
        good = put(out, 0, o->document) && put(out, 1, o->version) && put(out, 2, str_from(o->hash)) &&
               put(out, 3, o->format ? str_from(dg_doc_formats[o->format]) : (Str){0}) && put(out, 5, o->title) && put(out, 9, o->reason);
        ((int64_t *)out->vectors[4].values)[out->rows] = o->size;
        ((int64_t *)out->vectors[6].values)[out->rows] = o->chunks;
        ((int64_t *)out->vectors[7].values)[out->rows] = o->tokens;
        ((int32_t *)out->vectors[8].values)[out->rows] = (int32_t)o->state;
    }
    if (!good)
        return os_no_memory(err, "for a list of documents");
    return f->next < f->d->outcomes.count ? DG_OK : DG_END;
}

static DgStatus load_outcomes(Documents *d, DgError *err)
{
    Str schema, table;
    Feed feed = {d, 0};
    DgPull pull = {.context = &feed, .lane_open = feed_open, .next = feed_next, .lane_close = feed_close, .lanes_max = 1};
    DgLoad load = {.mode = DG_REPLACE, .columns = outcome_columns, .columns_count = sizeof outcome_columns / sizeof *outcome_columns, .lanes_max = 1};
    dg_step_table(d->run, d->step->asset, &schema, &table);
    return dg_step_load(d->run, schema, dg_format(d->run, "%.*s__outcomes", FMT(table)), &load, &pull, NULL, err);
}

/* ---- Following ---- */

static DgStatus add_gone(Documents *d, DgError *err)
{
    for (size_t i = 0; i < d->known.entries.count; i++) {
        const Known *known = d->known.entries.items[i].value;
        if (known->seen)
            continue;
        Outcome gone = {.document = d->known.entries.items[i].key, .state = DOCUMENT_GONE};
        DG_TRY(documents_outcome(d, &gone, err));
    }
    return DG_OK;
}

DgStatus documents_apply(Documents *d, bool staged, bool loaded, DgError *err)
{
    DgStepRun *run = d->run;
    DG_TRY(add_gone(d, err));
    Str chunks = dg_table(run, d->step->asset), fresh = beside(d, "new");
    if (!d->outcomes.count)
        return loaded ? dg_sql(run, dg_format(run, "DROP TABLE IF EXISTS %.*s", FMT(fresh)), err) : DG_OK;
    DG_TRY(load_outcomes(d, err));
    Str outcomes = beside(d, "outcomes"), documents = beside(d, "documents");
    Str rejects = dg_table(run, d->step->rejects);
    const char *now = "make_timestamp(epoch_us(now()))";
    if (staged)
        DG_TRY(dg_sql(run, dg_format(run, "DELETE FROM %.*s WHERE document IN (SELECT document FROM %.*s WHERE state <> %d)", FMT(chunks), FMT(outcomes), DOCUMENT_SAME), err));
    if (staged && loaded) {
        DG_TRY(dg_sql(run, dg_format(run, "INSERT INTO %.*s BY NAME SELECT * FROM %.*s", FMT(chunks), FMT(fresh)), err));
        DG_TRY(dg_sql(run, dg_format(run, "DROP TABLE %.*s", FMT(fresh)), err));
    }
    /* What stays the same keeps all but its version. */
    DG_TRY(dg_sql(run, dg_format(run, "UPDATE %.*s AS d SET version = o.version FROM %.*s AS o WHERE o.document = d.document AND o.state = %d",
                                 FMT(documents), FMT(outcomes), DOCUMENT_SAME), err));
    DG_TRY(dg_sql(run, dg_format(run, "DELETE FROM %.*s WHERE document IN (SELECT document FROM %.*s WHERE state <> %d)", FMT(documents), FMT(outcomes), DOCUMENT_SAME), err));
    DG_TRY(dg_sql(run, dg_format(run, "INSERT INTO %.*s SELECT document, version, hash, %.*s, format, size, title, chunks, tokens, state = %d, %s FROM %.*s WHERE state NOT IN (%d, %d)",
                                 FMT(documents), FMT(dg_quote_text(run, d->settings)), DOCUMENT_REJECTED, now, FMT(outcomes), DOCUMENT_SAME, DOCUMENT_GONE), err));
    DG_TRY(dg_sql(run, dg_format(run, "DELETE FROM %.*s WHERE document IN (SELECT document FROM %.*s WHERE state <> %d)", FMT(rejects), FMT(outcomes), DOCUMENT_SAME), err));
    DG_TRY(dg_sql(run, dg_format(run, "INSERT INTO %.*s SELECT document, reason, format, size, %s FROM %.*s WHERE state = %d", FMT(rejects), now, FMT(outcomes), DOCUMENT_REJECTED), err));
    return dg_sql(run, dg_format(run, "DROP TABLE %.*s", FMT(outcomes)), err);
}
