/* documents_step.c - one run: list, read what changed, bring the tables up to date. */
#include <stdlib.h>

#include "runtime/files/fs_internal.h"
#include "runtime/os/os.h"
#include "stdlib-components/documents/documents.h"

/* Raise it when the same document would be read or cut otherwise: everything is read anew then. */
static const char reader_version[] = "1";

static const DgField step_fields[] = {
    DG_FIELD_ASSET_KEY(DocumentsStep, asset, .doc = "The asset."),
    DG_FIELD_ASSET_KEY(DocumentsStep, rejects, .doc = "Documents that could not be read."),
    DG_FIELD_STRINGS(DocumentsStep, paths, .doc = "Files, globs and URLs."),
    DG_FIELD_ASSET_KEY(DocumentsStep, from, .doc = "The asset that is read."),
    DG_FIELD_STRING(DocumentsStep, column, .doc = "Its column of texts."),
    DG_FIELD_STRING(DocumentsStep, key, .doc = "Its column of names."),
    DG_FIELD_ENUM(DocumentsStep, format, .choices = dg_doc_formats, .doc = "Format."),
    DG_FIELD_ENUM(DocumentsStep, by, .choices = dg_chunk_ways, .doc = "Where text is cut."),
    DG_FIELD_INT(DocumentsStep, tokens, .doc = "Tokens in a chunk."),
    DG_FIELD_INT(DocumentsStep, overlap, .doc = "Tokens repeated."),
    DG_FIELD_(DocumentsStep, max_size, DG_F_SIZE, int64_t, .doc = "Bytes of a document."),
    DG_FIELD_DURATION(DocumentsStep, max_time, .doc = "Time for a document."),
    DG_FIELD_BOOL(DocumentsStep, fail, .doc = "A bad document fails the step."),
    DG_FIELD_BOOL(DocumentsStep, allow_empty, .doc = "No document is no error."),
    {0},
};

static DgStatus open_scan(Documents *d, DgError *err)
{
    DgStepRun *run = d->run;
    Str key = dg_quote_name(run, d->step->key), column = dg_quote_name(run, d->step->column);
    return dg_step_scan(run, dg_format(run, "SELECT CAST(%.*s AS VARCHAR), CAST(%.*s AS VARCHAR) FROM %.*s", FMT(key), FMT(column), FMT(dg_table(run, d->step->from))), &d->scan, err);
}

static void report(Documents *d, const char *name, int64_t value)
{
    dg_report_metadata(d->run, d->step->asset, name, (DgValue){.kind = DG_V_INT, .as.i = value});
}

static void report_all(Documents *d)
{
    int64_t counts[DOCUMENT_GONE + 1] = {0}, chunks = 0, tokens = 0;
    for (size_t i = 0; i < d->outcomes.count; i++) {
        counts[d->outcomes.items[i].state]++;
        chunks += d->outcomes.items[i].chunks;
        tokens += d->outcomes.items[i].tokens;
    }
    report(d, "documents_new", counts[DOCUMENT_NEW]);
    report(d, "documents_changed", counts[DOCUMENT_CHANGED]);
    report(d, "documents_unchanged", d->unchanged + counts[DOCUMENT_SAME]);
    report(d, "documents_removed", counts[DOCUMENT_GONE]);
    report(d, "documents_rejected", counts[DOCUMENT_REJECTED]);
    report(d, "chunks_written", chunks);
    report(d, "tokens_written", tokens);
}

static DgStatus read_all(Documents *d, DgError *err)
{
    Str schema;
    if (!dg_full_refresh(d->run))
        DG_TRY(documents_known(d, err));
    DG_TRY(d->step->from.len ? open_scan(d, err) : documents_list(d, err));
    bool staged = d->known.entries.count > 0, anything = d->scan || d->found.count;
    if (anything && d->ranks)
        DG_TRY(tokens_open(d->ranks, &d->tokenizer, err));
    if (anything) {
        DgLoad load = {.mode = staged ? DG_REPLACE : DG_APPEND, .columns = documents_columns, .columns_count = DOCUMENTS_COLUMNS};
        Str table = documents_staging(d, staged, &schema);
        DgPull pull = documents_pull(d);
        DG_TRY(dg_step_load(d->run, schema, table, &load, &pull, NULL, err));
    }
    DG_TRY(documents_apply(d, staged, anything, err));
    report_all(d);
    return DG_OK;
}

static DgStatus run_step(DgStepRun *run, const void *config, const DgTokenRanks *ranks, DocumentsStore open_store, DgError *err)
{
    const DocumentsStep *step = config;
    const char *temp = getenv("TMPDIR");
    Documents d = {.run = run, .step = step, .open_store = open_store, .ranks = ranks, .root = dg_project_path(run, S("."))};
    d.temp_folder = dg_format(run, "%s", temp && *temp ? temp : "/tmp");
    d.settings = dg_format(run, "%s %s %lld %lld %s %s", reader_version, dg_chunk_ways[step->by], (long long)step->tokens, (long long)step->overlap,
                           ranks ? ranks->name : "bytes", dg_doc_formats[step->format]);
    arena_init(&d.arena, (size_t)4 << 30);
    d.arena.can_fail = true;
    pthread_mutex_init(&d.lock, NULL);
    DgStatus status = documents_tables(&d, err);
    if (status == DG_OK)
        status = read_all(&d, err);
    if (d.scan)
        dg_scan_close(d.scan);
    tokens_close(d.tokenizer);
    pthread_mutex_destroy(&d.lock);
    arena_free(&d.arena);
    return status;
}

/* The disk without the rest of fs.c: a pipeline that names no URL carries no network. */
static DgStatus open_disk(const DgConn *conn, Str root, DgFs **out, DgError *err)
{
    if (!str_eq(conn->type, S("file")))
        return dg_fail(err, DG_BUG, "this step was built without a network");
    return dg_fs_local.open(conn, root, out, err);
}

#define EXECUTE(name, ranks, store)                                                                     \
    static DgStatus name(DgStepRun *run, const void *config, void *state, DgError *err)                 \
    {                                                                                                   \
        (void)state;                                                                                    \
        return run_step(run, config, ranks, store, err);                                                \
    }
EXECUTE(o200k, &dg_ranks_o200k_base, open_disk)
EXECUTE(cl100k, &dg_ranks_cl100k_base, open_disk)
EXECUTE(bytes, NULL, open_disk)
EXECUTE(o200k_remote, &dg_ranks_o200k_base, fs_open)
EXECUTE(cl100k_remote, &dg_ranks_cl100k_base, fs_open)
EXECUTE(bytes_remote, NULL, fs_open)

#define STEP(symbol_, execute_)                                                                         \
    {.name = "dgc.Documents", .symbol = symbol_, .role = DG_ACTION, .fields = step_fields,              \
     .config_size = sizeof(DocumentsStep), .execute = execute_}

const DgStepOps dg_documents_o200k_ops = STEP("dg_documents_o200k_ops", o200k);
const DgStepOps dg_documents_cl100k_ops = STEP("dg_documents_cl100k_ops", cl100k);
const DgStepOps dg_documents_bytes_ops = STEP("dg_documents_bytes_ops", bytes);
const DgStepOps dg_documents_o200k_remote_ops = STEP("dg_documents_o200k_remote_ops", o200k_remote);
const DgStepOps dg_documents_cl100k_remote_ops = STEP("dg_documents_cl100k_remote_ops", cl100k_remote);
const DgStepOps dg_documents_bytes_remote_ops = STEP("dg_documents_bytes_remote_ops", bytes_remote);
