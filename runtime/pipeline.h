/* pipeline.h - the tables an emitted program is made of, and its entry.
 *
 * Everything is constant, resolved to indices and in a stable order: assets sorted by key, steps in
 * topological order (ties by name). The compiler's plan prints these; the runtime only reads them.
 */
#ifndef DGC_PIPELINE_H
#define DGC_PIPELINE_H

#include "runtime/component.h"

typedef struct DgSite { /* a place in the project's YAML or SQL, for errors at run time */
    DgStr file;
    int32_t line;
} DgSite;

typedef struct DgPartitionsDef {
    DgPartitionsKind kind;
    const DgStr *keys;       /* STATIC */
    int32_t keys_count;
    DgStr start, end;        /* TIME: as written; end may be empty */
    DgStr timezone;          /* empty: UTC */
    DgStr format;            /* strftime of a partition key */
    DgStr cron;              /* windows begin at its ticks */
} DgPartitionsDef;

typedef struct DgIndices {
    const int32_t *items;
    int32_t count;
} DgIndices;
typedef struct DgStrs {
    const DgStr *items;
    int32_t count;
} DgStrs;

typedef struct DgAssetDef {
    DgStr key;
    DgStr schema, table;     /* in the warehouse; empty when it has none (external) */
    DgStr description, group;
    DgIndices deps;          /* into assets */
    DgStrs kinds, owners;
    const DgPair *tags;
    int32_t tags_count;
    DgStr metadata_json;     /* an object */
    DgStr code_version;
    DgStr automation_json;   /* automation condition as JSON, or empty */
    const DgColumn *columns;
    int32_t columns_count;   /* 0: not known */
    int32_t step;            /* -1: external */
    int32_t partitions;      /* -1: none */
    bool unlisted;           /* only checks name it: `list` leaves it out, as Dagster does */
    int32_t site;            /* its component's document, as Dagster shows it; -1: undeclared */
} DgAssetDef;

typedef struct DgCheckDef {
    int32_t asset;
    DgStr name, description;
    DgIndices deps;          /* additional assets it reads */
    bool blocking, warn;
    bool automated;          /* has an automation condition */
    int32_t step;
    int32_t site;
} DgCheckDef;

typedef struct DgStepDef {
    DgStr name;
    const DgStepOps *ops;
    const void *config;      /* ops->config_size bytes */
    /* Sets the templated members of a fresh copy of config. NULL: nothing is templated. */
    DgStatus (*bind)(DgEval *ev, void *config, DgError *err);
    DgIndices assets, checks;
    DgIndices reads;         /* assets whose tables it reads, its assets' deps included */
    DgIndices after;         /* steps that come before it when they run too */
    DgIndices around;        /* assets: it runs when one of them is made; then it has none of its own */
    bool always;             /* also when steps before it failed */
    DgRetry retry;
    DgStr pool;
    int32_t partitions;      /* -1: none */
    int32_t backfill_partitions_max; /* partitions one run of the step takes; 0: all at once */
    int32_t site;
} DgStepDef;

typedef struct DgJobDef {
    DgStr name, description;
    DgIndices assets, checks;
    int32_t site;
} DgJobDef;
typedef struct DgScheduleDef {
    DgStr name, description, cron, timezone;
    int32_t job;             /* -1: `assets` and `checks` */
    DgIndices assets, checks;
    bool stopped;
    int32_t site;
} DgScheduleDef;
typedef struct DgResourceDef {
    DgStr name, type;
} DgResourceDef;
typedef struct DgSecretDef { /* every env name the pipeline may read */
    DgStr name;
    bool required, secret;
    int32_t site;
} DgSecretDef;
typedef struct DgLineage { /* one column comes from another */
    int32_t asset, column, from_asset, from_column;
} DgLineage;

typedef struct DgPipeline {
    DgStr name;
    DgStr version;           /* of dgc */
    DgStr fingerprint;       /* hex sha256 of what was compiled */
    DgStr sbom_json;
    DgStr source_root;       /* "." : paths in sites are relative to the project */
    const DgSite *sites;             int32_t sites_count;
    const DgAssetDef *assets;        int32_t assets_count;
    const DgCheckDef *checks;        int32_t checks_count;
    const DgStepDef *steps;          int32_t steps_count;
    const DgPartitionsDef *partitions; int32_t partitions_count;
    const DgJobDef *jobs;            int32_t jobs_count;
    const DgScheduleDef *schedules;  int32_t schedules_count;
    const DgResourceDef *resources;  int32_t resources_count;
    const DgSecretDef *secrets;      int32_t secrets_count;
    const DgLineage *lineage;        int32_t lineage_count;
    bool needs_duckdb;
    int64_t memory_max;      /* bytes for batches and DuckDB together; 0: default */
} DgPipeline;

/* A built pipeline's main(). Returns the process's exit code. */
int dg_main(const DgPipeline *pipeline, int argc, char **argv);
/* Whether this word is an option of `run` or `ask` whose value is the next word. */
bool dg_takes_next(const char *word);

#endif
