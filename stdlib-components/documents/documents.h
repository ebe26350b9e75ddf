/* documents.h - dgc.Documents: what a step is told, and what its parts share.
 *
 * documents.c        descriptor and plan
 * documents_step.c   one run: what changed, chunks of it, all in one commit
 * documents_list.c   the documents that there are now
 * documents_read.c   from a document to rows of chunks, in lanes
 * documents_state.c  what is known of documents from earlier runs, and how tables follow
 */
#ifndef DGC_DOCUMENTS_H
#define DGC_DOCUMENTS_H

#include <pthread.h>

#include "runtime/component.h"
#include "runtime/files/fs.h"
#include "runtime/run/step_tables.h"
#include "runtime/text/chunk.h"

typedef struct DocumentsStep {
    DgStr asset, rejects;
    DgList paths;            /* of DgStr: project-relative, or URLs */
    DgStr from, column, key; /* or a table's column */
    int32_t format, by;
    int64_t tokens, overlap, max_size, max_time;
    bool fail, allow_empty;
} DocumentsStep;

/* By the vocabulary that they carry, and by whether they reach beyond the disk. */
extern const DgStepOps dg_documents_o200k_ops, dg_documents_cl100k_ops, dg_documents_bytes_ops;
extern const DgStepOps dg_documents_o200k_remote_ops, dg_documents_cl100k_remote_ops, dg_documents_bytes_remote_ops;

/* Opens the store of a connection: the disk alone, or any. */
typedef DgStatus (*DocumentsStore)(const DgConn *conn, Str root, DgFs **out, DgError *err);

/* ---- What is known, and what comes of a document ---- */

typedef struct Known {
    Str version, hash, settings;
    bool rejected, seen;
} Known;

typedef enum DocumentState { DOCUMENT_SAME, DOCUMENT_NEW, DOCUMENT_CHANGED, DOCUMENT_REJECTED, DOCUMENT_GONE } DocumentState;

typedef struct Outcome {
    Str document, version, title, reason;
    char hash[65];
    DocumentState state;
    int32_t format;
    int64_t size, chunks, tokens;
} Outcome;

typedef struct Source { /* one written path: a store, and what is found there */
    DgConn conn;
    Str prefix; /* of document names: "s3://bucket/"; empty on the disk */
} Source;
typedef struct Found {
    DgFsItem item;
    int32_t source;
    Str document;
} Found;

typedef struct Documents { /* one attempt at a step */
    DgStepRun *run;
    const DocumentsStep *step;
    DocumentsStore open_store;
    const DgTokenRanks *ranks; /* NULL: bytes */
    DgTokenizer *tokenizer;    /* opened when there is something to count */
    Str root, settings, temp_folder;
    Arena arena;
    Map known;                 /* document to Known */
    Array(Source) sources;
    Array(Found) found;        /* to be looked into: new, or of another version */
    int64_t unchanged;         /* not looked into */
    DgScan *scan;              /* of a table's column */
    pthread_mutex_t lock;      /* guards what follows, `arena` and `known` while lanes run */
    size_t next;               /* of `found` */
    Array(Outcome) outcomes;
    Map looked_at;             /* documents that have an outcome: keys are told apart */
} Documents;

/* documents_list.c: fills sources and found; marks what is known as seen. */
DgStatus documents_list(Documents *d, DgError *err);

/* documents_read.c: rows of chunks of what is new or changed, and the outcome of each document. */
extern const DgColumn documents_columns[];
enum { DOCUMENTS_COLUMNS = 12 };
DgPull documents_pull(Documents *d);
/* Locks. DG_DATA: the document is there twice. */
DgStatus documents_outcome(Documents *d, const Outcome *o, DgError *err);

/* documents_state.c */
DgStatus documents_tables(Documents *d, DgError *err);  /* made where they are not there */
DgStatus documents_known(Documents *d, DgError *err);
/* The tables follow the outcomes. `staged`: chunks lie beside the asset's table, if any were `loaded`. */
DgStatus documents_apply(Documents *d, bool staged, bool loaded, DgError *err);
/* Where chunks are loaded to: the asset's table when it is empty, else one beside it. */
Str documents_staging(Documents *d, bool staged, Str *schema);

#endif
