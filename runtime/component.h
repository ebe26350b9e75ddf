/* component.h - the contract of a component type: one file, one descriptor.
 *
 * A component type is one .c file that ends in one `const DgComponent dg_component_NAME`. It has
 * two halves that meet in plain structs:
 *
 *   plan   runs inside dgc, at compile time: from the config that the YAML filled it declares
 *          assets, checks, schedules, jobs, resources and steps. No network, no clock.
 *   steps  run inside the executable: a DgStepOps says how one kind of step works (source, map,
 *          action), a step config struct (its own field table) says with what.
 *
 * The emitted program names DgStepOps only, so descriptors and plan code stay out of it.
 *
 * Descriptors are the single source for validation, JSON Schema, reference docs, scaffolds,
 * completion and the emitted config literals. State arrives zeroed: no statics, any number of
 * instances. A user's own component is the same file in the project's components/ folder.
 */
#ifndef DGC_COMPONENT_H
#define DGC_COMPONENT_H

#include "runtime/dgc.h"

/* ---- Fields: what stands under `attributes`, and where it goes in the config struct ---- */

#define DG_FIELD_KINDS(X)                                                                    \
    X(DG_F_STRING, "string", DgStr)                                                          \
    X(DG_F_INT, "integer", int64_t)                                                          \
    X(DG_F_FLOAT, "number", double)                                                          \
    X(DG_F_BOOL, "boolean", bool)                                                            \
    X(DG_F_DURATION, "duration", int64_t)    /* nanoseconds; written 90s, 5m, 1h30m, 2d */   \
    X(DG_F_SIZE, "size", int64_t)            /* bytes; written 64MB, 1GiB */                 \
    X(DG_F_TIMESTAMP, "timestamp", int64_t)  /* microseconds since 1970, UTC */              \
    X(DG_F_ENUM, "choice", int32_t)          /* index into `choices` */                      \
    X(DG_F_PATH, "path", DgStr)              /* relative to the component file's folder */   \
    X(DG_F_ASSET_KEY, "asset key", DgStr)    /* a/b/c */                                     \
    X(DG_F_SELECTION, "selection", DgStr)                                                    \
    X(DG_F_CRON, "cron", DgStr)                                                              \
    X(DG_F_COLUMN_TYPE, "column type", DgStr)/* DuckDB's names and the usual aliases */      \
    X(DG_F_EXPRESSION, "expression", DgStr)  /* a row expression; see dgc.Transform */       \
    X(DG_F_SQL, "SQL template", DgStr)       /* text with Jinja; see DgPlanApi.sql */        \
    X(DG_F_SECRET, "secret", DgStr)          /* must be a template; resolved at run time */  \
    X(DG_F_ANY, "any value", DgValue)                                                        \
    X(DG_F_LIST, "list", DgList)             /* of `of_kind` (and `of` when STRUCT) */       \
    X(DG_F_MAP, "map", DgList)               /* elements begin with `DgStr key` */           \
    X(DG_F_STRUCT, "mapping", struct)        /* embedded in place; `of` has its fields */    \
    X(DG_F_ONE_OF, "one of", DgOneOf)        /* `variants`, chosen by the key `type` */      \
    X(DG_F_CODE, "code", DgCode)             /* never in YAML: emitted code, set by plan */

typedef enum DgFieldKind {
#define X(name, text, ctype) name,
    DG_FIELD_KINDS(X)
#undef X
} DgFieldKind;

typedef struct DgList { /* items are of_size bytes each */
    void *items;
    size_t count;
} DgList;
typedef struct DgPair { /* MAP of STRING and the like */
    DgStr key, value;
} DgPair;
typedef struct DgValuePair { /* MAP of ANY */
    DgStr key;
    DgValue value;
} DgValuePair;
typedef struct DgOneOf {
    int32_t variant; /* index into `variants`, -1 when the field is not given */
    void *config;    /* that variant's struct */
} DgOneOf;
typedef struct DgCode { /* a function of the emitted program; cast to the type its maker names */
    void (*call)(void);
} DgCode;

enum {
    DG_REQUIRED = 1,    /* must be given */
    DG_BUILD = 2,       /* must be known when building: no env, no partition in its template */
    DG_DEPRECATED = 4,  /* accepted with a warning; `doc` says what to write instead */
    DG_SHORTHAND = 8,   /* a scalar or list in place of the whole mapping means this field */
    DG_NO_TEMPLATE = 16,/* `{{` is not a template here (SQL files, patterns) */
    DG_OPEN = 32,       /* STRUCT or top level: unknown keys are let through */
    DG_ONE_OR_MANY = 64,/* LIST: a single element may stand for a list of one */
    DG_ADVANCED = 128,  /* left out of scaffolds and short docs */
    DG_SUGGESTED = 256, /* stands in scaffolds although it is not required: one of several ways must be taken */
};

typedef struct DgField DgField;
typedef struct DgVariant {
    const char *name; /* value of `type` */
    const char *doc;
    const DgField *fields;
    size_t size;
} DgVariant;

struct DgField {
    const char *name; /* NULL ends a table */
    DgFieldKind kind;
    uint32_t flags;
    size_t offset;
    const char *doc;             /* one sentence; Markdown */
    const char *fallback;        /* default, as YAML text; NULL: zero */
    const char *const *choices;  /* ENUM: NULL-terminated */
    DgFieldKind of_kind;         /* LIST, MAP: kind of an element */
    const DgField *of;           /* STRUCT, or elements that are STRUCT */
    size_t of_size;              /* size of an element or of the embedded struct */
    const DgVariant *variants;   /* ONE_OF: ended by a NULL name */
    double min, max;             /* INT, FLOAT, DURATION, SIZE; list counts; both 0: no bounds */
    const char *example;         /* YAML text used by scaffolds; NULL: fallback or a dummy */
};

/* offsetof(), and a compile error when member `f` of T is not a C `CT`. */
#define DG_OFFSET(T, f, CT) (offsetof(T, f) + 0 * sizeof(&((T *)0)->f == (CT *)0))

#define DG_FIELD_(T, f, k, CT, ...) {.name = #f, .kind = k, .offset = DG_OFFSET(T, f, CT), __VA_ARGS__}
#define DG_FIELD_STRING(T, f, ...) DG_FIELD_(T, f, DG_F_STRING, DgStr, __VA_ARGS__)
#define DG_FIELD_INT(T, f, ...) DG_FIELD_(T, f, DG_F_INT, int64_t, __VA_ARGS__)
#define DG_FIELD_FLOAT(T, f, ...) DG_FIELD_(T, f, DG_F_FLOAT, double, __VA_ARGS__)
#define DG_FIELD_BOOL(T, f, ...) DG_FIELD_(T, f, DG_F_BOOL, bool, __VA_ARGS__)
#define DG_FIELD_DURATION(T, f, ...) DG_FIELD_(T, f, DG_F_DURATION, int64_t, __VA_ARGS__)
#define DG_FIELD_SIZE(T, f, ...) DG_FIELD_(T, f, DG_F_SIZE, int64_t, __VA_ARGS__)
#define DG_FIELD_TIMESTAMP(T, f, ...) DG_FIELD_(T, f, DG_F_TIMESTAMP, int64_t, __VA_ARGS__)
#define DG_FIELD_ENUM(T, f, ...) DG_FIELD_(T, f, DG_F_ENUM, int32_t, __VA_ARGS__)
#define DG_FIELD_PATH(T, f, ...) DG_FIELD_(T, f, DG_F_PATH, DgStr, __VA_ARGS__)
#define DG_FIELD_ASSET_KEY(T, f, ...) DG_FIELD_(T, f, DG_F_ASSET_KEY, DgStr, __VA_ARGS__)
#define DG_FIELD_SELECTION(T, f, ...) DG_FIELD_(T, f, DG_F_SELECTION, DgStr, __VA_ARGS__)
#define DG_FIELD_CRON(T, f, ...) DG_FIELD_(T, f, DG_F_CRON, DgStr, __VA_ARGS__)
#define DG_FIELD_COLUMN_TYPE(T, f, ...) DG_FIELD_(T, f, DG_F_COLUMN_TYPE, DgStr, __VA_ARGS__)
#define DG_FIELD_EXPRESSION(T, f, ...) DG_FIELD_(T, f, DG_F_EXPRESSION, DgStr, __VA_ARGS__)
#define DG_FIELD_SQL(T, f, ...) DG_FIELD_(T, f, DG_F_SQL, DgStr, __VA_ARGS__)
#define DG_FIELD_SECRET(T, f, ...) DG_FIELD_(T, f, DG_F_SECRET, DgStr, __VA_ARGS__)
#define DG_FIELD_ANY(T, f, ...) DG_FIELD_(T, f, DG_F_ANY, DgValue, __VA_ARGS__)
#define DG_FIELD_CODE(T, f, ...) DG_FIELD_(T, f, DG_F_CODE, DgCode, __VA_ARGS__)
#define DG_FIELD_STRINGS(T, f, ...)                                                      \
    DG_FIELD_(T, f, DG_F_LIST, DgList, .of_kind = DG_F_STRING, .of_size = sizeof(DgStr), \
              __VA_ARGS__)
#define DG_FIELD_STRING_MAP(T, f, ...)                                                   \
    DG_FIELD_(T, f, DG_F_MAP, DgList, .of_kind = DG_F_STRING, .of_size = sizeof(DgPair), \
              __VA_ARGS__)
#define DG_FIELD_ANY_MAP(T, f, ...)                                                        \
    DG_FIELD_(T, f, DG_F_MAP, DgList, .of_kind = DG_F_ANY, .of_size = sizeof(DgValuePair), \
              __VA_ARGS__)
#define DG_FIELD_STRUCTS(T, f, E, table, ...)                                                    \
    DG_FIELD_(T, f, DG_F_LIST, DgList, .of_kind = DG_F_STRUCT, .of = table, .of_size = sizeof(E),\
              __VA_ARGS__)
#define DG_FIELD_STRUCT_MAP(T, f, E, table, ...)                                                \
    DG_FIELD_(T, f, DG_F_MAP, DgList, .of_kind = DG_F_STRUCT, .of = table, .of_size = sizeof(E),\
              __VA_ARGS__)
#define DG_FIELD_STRUCT(T, f, E, table, ...) \
    DG_FIELD_(T, f, DG_F_STRUCT, E, .of = table, .of_size = sizeof(E), __VA_ARGS__)
#define DG_FIELD_ONE_OF(T, f, table, ...) \
    DG_FIELD_(T, f, DG_F_ONE_OF, DgOneOf, .variants = table, __VA_ARGS__)

#define DG_ITEMS(T, list) ((T *)(list).items) /* DG_ITEMS(DgStr, config->args)[i] */

/* ---- Run time: how one kind of step works ---- */

typedef struct DgStepRun DgStepRun; /* one attempt at one step; see the calls below */

typedef enum DgStepRole {
    DG_SOURCE, /* open, read until DG_END, close; rows go to the asset's table */
    DG_MAP,    /* reads the table of its first `reads`; map per batch; rows go to the asset's table */
    DG_ACTION, /* execute: does its own work, once, idempotently */
} DgStepRole;

/* What a question finds in an index, and what a model makes of it: the command `ask`. */
typedef struct DgPassage {
    DgStr id, text;     /* text.ptr NULL: the index keeps none */
    DgStr metadata;     /* a JSON object */
    double score;       /* greater is nearer */
} DgPassage;
typedef struct DgAnswer {
    DgStr text;         /* empty: none was given; passages are cited by number: [1], [2, 3] */
    DgStr refusal;      /* the model's words where it would not answer */
    DgStr model;
    bool cut, cached;   /* cut: longer than it may be */
    int64_t tokens_in, tokens_out;
    double usd;         /* negative: not known */
} DgAnswer;

typedef struct DgStepPackage { /* one load of a stream */
    DgStr stream, table, package, run;
    DgStr status;              /* `committed`; `loading`: it was not finished, and the next run of the stream cleans it up */
    int64_t rows, at_us;
} DgStepPackage;

typedef struct DgStepOps {
    const char *name;   /* "dgc.Files" */
    const char *symbol; /* the C name of this variable: what emitted code refers to */
    DgStepRole role;
    const DgField *fields; /* of the step config */
    size_t config_size, state_size, lane_size;
    DgStatus (*open)(DgStepRun *run, const void *config, void *state, DgError *err);
    /* Fills `out`, DG_END when there is no more (out->rows may then be > 0). Called by several
     * lanes (threads) at once: `lane` is this one's own zeroed memory, `state` is shared. */
    DgStatus (*read)(DgStepRun *run, const void *config, void *state, void *lane, DgBatch *out,
                     DgError *err);
    DgStatus (*map)(DgStepRun *run, const void *config, void *state, void *lane, const DgBatch *in,
                    DgBatch *out, DgError *err);
    DgStatus (*execute)(DgStepRun *run, const void *config, void *state, DgError *err);
    void (*close_lane)(DgStepRun *run, const void *config, void *state, void *lane);
    void (*close)(DgStepRun *run, const void *config, void *state); /* always, also after errors */
    /* Steps that keep their cursors themselves, in their target: what `state` asks. `value` NULL: *cursors
     * gets DgPairs {stream, JSON}; else all the step's cursors become it, or with "" are forgotten. */
    DgStatus (*cursor)(DgStepRun *run, const void *config, const DgStr *value, DgList *cursors, DgError *err);
    /* The loads of such a step: what `state packages` asks. `abort` not NULL: what this unfinished package left is dropped
     * first; DG_END: there is none. *packages gets DgStepPackages, oldest first. */
    DgStatus (*packages)(DgStepRun *run, const void *config, const DgStr *abort, DgList *packages, DgError *err);
    /* What `plan` says about the step beyond its name: a few lines, from a look at where it would read and
     * write; nothing is changed. NULL: nothing. */
    DgStatus (*explain)(DgStepRun *run, const void *config, DgStr *text, DgError *err);
    bool no_warehouse; /* touches no table: for it the executable needs no DuckDB */

    /* Of these `ask` is made; NULL: not this step's. Nothing is written but caches; memory is dg_alloc's. */
    /* The vector of a question, as the step makes them of its texts. */
    DgStatus (*embed)(DgStepRun *run, const void *config, DgStr question, const float **vector, int32_t *dimensions, DgError *err);
    /* The `top` passages nearest to a vector, nearest first: *found gets DgPassages. `vector` NULL: only whether the
     * index has been built. */
    DgStatus (*search)(DgStepRun *run, const void *config, const float *vector, int32_t dimensions, int32_t top, DgList *found,
                       DgError *err);
    /* An answer out of DgPassages, which the model knows by their numbers from 1. */
    DgStatus (*answer)(DgStepRun *run, const void *config, DgStr question, const DgList *passages, DgAnswer *out, DgError *err);
} DgStepOps;

typedef enum DgLoadMode { DG_REPLACE, DG_APPEND, DG_MERGE } DgLoadMode;
typedef struct DgLoad {
    DgLoadMode mode;
    const DgColumn *columns; /* what read() or map() delivers, and the table's columns */
    int32_t columns_count;
    DgStr unique_key[8];     /* MERGE */
    int32_t unique_key_count;
    DgStr replaces;          /* REPLACE: SQL condition of the rows that go, and that every new row must
                              * meet; empty: all. dg_partition_condition() makes it. */
    /* How many lanes may call read() or map() at once; 0: as many as there are threads. With 1 rows
     * keep their order, and a state that is only touched there needs no lock. */
    int32_t lanes_max;
} DgLoad;
/* SOURCE and MAP call it in open(): what the batches look like and how they enter the table. */
DgStatus dg_load(DgStepRun *run, const DgLoad *load, DgError *err);

/* Memory that lives as long as the step attempt. NULL when out of memory. */
void *dg_alloc(DgStepRun *run, size_t bytes);
DgStr dg_format(DgStepRun *run, const char *fmt, ...);
bool dg_cancelled(DgStepRun *run);  /* drain: stop soon, return DG_CANCELLED */
void dg_progress(DgStepRun *run, int64_t rows, int64_t bytes); /* adds; cheap; any thread */
void dg_waiting(DgStepRun *run, const char *why, int64_t until_ms); /* NULL: going on */
typedef enum DgLogLevel { DG_LOG_DEBUG, DG_LOG_INFO, DG_LOG_WARNING, DG_LOG_ERROR } DgLogLevel;
void dg_log(DgStepRun *run, DgLogLevel level, const char *fmt, ...); /* redacted */

/* SQL in the step's transaction on the embedded warehouse; commits with the step or not at all. */
DgStatus dg_sql(DgStepRun *run, DgStr sql, DgError *err);
DgStatus dg_sql_int(DgStepRun *run, DgStr sql, int64_t *first_value, DgError *err); /* NULL is 0 */
DgStatus dg_sql_text(DgStepRun *run, DgStr sql, DgStr *first_value, DgError *err); /* NULL is "" */
DgStr dg_table(DgStepRun *run, DgStr asset_key); /* quoted: "raw"."flights" */
DgStr dg_quote_name(DgStepRun *run, DgStr name);
DgStr dg_quote_text(DgStepRun *run, DgStr text);
DgEval *dg_eval(DgStepRun *run); /* for calling a DgTemplateFn */

/* Results. Assets that succeed without a report get one with the rows counted. */
void dg_report_metadata(DgStepRun *run, DgStr asset_key, const char *name, DgValue value);
void dg_report_check(DgStepRun *run, DgStr asset_key, DgStr check, bool passed, DgStr detail);

/* What the newest materialization of an asset said about itself under this name, as JSON. DG_END:
 * it said nothing. */
DgStatus dg_last_metadata(DgStepRun *run, DgStr asset_key, DgStr name, DgStr *json, DgError *err);

/* The step's cursor: JSON text, read at open, written in the data's own transaction. */
DgStr dg_cursor(DgStepRun *run);
DgStatus dg_set_cursor(DgStepRun *run, DgStr json, DgError *err);

DgStr dg_partition_key(DgStepRun *run); /* empty when not partitioned */
/* An SQL condition: rows whose `column` says that they are of the step's partition or range of
 * partitions. A column of times is compared as the partitions' clock shows it, one of type
 * timestamptz (`instants`) by the moment. Empty when the step is not partitioned. */
DgStatus dg_partition_condition(DgStepRun *run, DgStr column, bool instants, DgStr *out, DgError *err);
/* --full-refresh; of several partitions in one run only for the first, which makes the table anew. */
bool dg_full_refresh(DgStepRun *run);
DgStr dg_project_path(DgStepRun *run, DgStr path); /* absolute; from the project's folder */
/* Project-relative, of a path that a component file in `folder` gave and that was known only now.
 * An absolute one stays as it is; one that leads out of the project is an error. */
DgStatus dg_component_path(DgStepRun *run, DgStr folder, DgStr path, DgStr *out, DgError *err);

/* ---- Dagster's shared shapes. Embed them: DG_FIELD_STRUCTS(T, assets, DgAssetSpec,
 * dg_asset_spec_fields), then hand the struct to asset(), check() or step(). ---- */

typedef struct DgAssetSpec {
    DgStr key;
    DgList deps;               /* of DgStr, asset keys */
    DgStr description, group_name, code_version;
    DgList metadata;           /* of DgValuePair */
    DgList owners, kinds;      /* of DgStr */
    DgList tags;               /* of DgValuePair; what is no text becomes text */
    bool skippable;
    DgValue automation_condition, partitions_def, freshness_policy;
    DgValue key_prefix;        /* `translation` only */
} DgAssetSpec;
extern const DgField dg_asset_spec_fields[];   /* `assets:`, key required */
extern const DgField dg_asset_update_fields[]; /* `translation:`, key and key_prefix optional */
extern const DgField dg_asset_post_fields[];   /* `post_processing:`, no key */

typedef struct DgCheckSpec {
    DgStr name, asset, description;
    DgList additional_deps;    /* of DgStr */
    bool blocking;
    DgList metadata;           /* of DgValuePair */
    DgValue automation_condition;
} DgCheckSpec;
extern const DgField dg_check_spec_fields[];

typedef struct DgRetryPolicy {
    int64_t max_retries;
    double delay;              /* seconds */
    int32_t backoff, jitter;   /* 0: not given */
} DgRetryPolicy;
extern const DgField dg_retry_policy_fields[];
extern const char *const dg_backoff_names[], *const dg_jitter_names[];
typedef struct DgOpSpec {
    DgStr name, description, pool;
    DgList tags;               /* of DgValuePair */
    DgValue backfill_policy;
    DgRetryPolicy retry_policy;
} DgOpSpec;
extern const DgField dg_op_spec_fields[];

/* The fields of an OpSpec that stands at byte `base` of a larger mapping's struct. */
#define DG_OP_FIELD_(base, f, k, CT, ...) \
    {.name = #f, .kind = k, .offset = (base) + DG_OFFSET(DgOpSpec, f, CT), __VA_ARGS__}
#define DG_OP_SPEC_FIELDS(base)                                                                  \
    DG_OP_FIELD_(base, name, DG_F_STRING, DgStr, .flags = DG_BUILD,                              \
                 .doc = "Name of the step; unique in the project."),                             \
    DG_OP_FIELD_(base, tags, DG_F_MAP, DgList, .of_kind = DG_F_ANY,                              \
                 .of_size = sizeof(DgValuePair), .flags = DG_BUILD, .doc = "Tags of the step."), \
    DG_OP_FIELD_(base, description, DG_F_STRING, DgStr, .flags = DG_BUILD,                       \
                 .doc = "What the step does."),                                                  \
    DG_OP_FIELD_(base, pool, DG_F_STRING, DgStr, .flags = DG_BUILD,                              \
                 .doc = "Steps of one pool take turns."),                                        \
    DG_OP_FIELD_(base, backfill_policy, DG_F_ANY, DgValue, .flags = DG_BUILD,                    \
                 .doc = "`{type: single_run}` or `{type: multi_run, max_partitions_per_run: N}`."),\
    DG_OP_FIELD_(base, retry_policy, DG_F_STRUCT, DgRetryPolicy, .of = dg_retry_policy_fields,   \
                 .of_size = sizeof(DgRetryPolicy), .flags = DG_BUILD,                            \
                 .doc = "How often and when the step is tried again.")

/* ---- Compile time: what a component declares. Structs are copied; fields may be zero. ---- */

typedef struct DgPlanner DgPlanner;

typedef enum DgPartitionsKind { DG_PARTITIONS_STATIC, DG_PARTITIONS_TIME } DgPartitionsKind;

typedef struct DgAssetDecl {
    DgStr key;
    DgStr description, group, code_version;
    DgList deps;               /* of DgStr, asset keys */
    DgList kinds, owners;      /* of DgStr */
    DgList tags;               /* of DgPair */
    DgList metadata;           /* of DgValuePair */
    const DgColumn *columns;   /* NULL: not known yet; SQL units are worked out by dgc */
    int32_t columns_count;
    const void *spec;          /* a DG_F_ANY field holding an AssetSpec mapping: adds to the above */
    const DgAssetSpec *filled; /* or one that dg_asset_spec_fields filled */
    const void *translation;   /* a DG_F_ANY field with DG_NO_TEMPLATE: `translation`, or NULL */
    DgList translation_vars;   /* of DgValuePair: names it may use beside `spec` */
    const void *at;            /* address of the config field it comes from; NULL: the component */
    DgStr source;              /* file that `list defs` shows for it; empty: the component's */
    DgStr sample, sample_format; /* the file that `columns` were inferred from; empty: none */
    bool auto_materialize;     /* Dagster's AutoMaterializePolicy.eager(); translation may say otherwise */
    bool external;             /* no step of ours makes it */
    bool is_view;
} DgAssetDecl;

typedef struct DgCheckDecl {
    DgStr asset, name, description;
    DgList additional_deps; /* of DgStr */
    bool blocking, warn;
    const DgCheckSpec *filled; /* adds to the above */
    const void *at;
} DgCheckDecl;

typedef struct DgRetry {
    int32_t retries_max;
    int64_t delay_ms;
    bool exponential;
    int8_t jitter; /* 0 none, 1 full, 2 plus or minus */
} DgRetry;

typedef struct DgStepDecl {
    DgStr name;            /* unique op name; empty: from the first asset or check */
    const DgStepOps *ops;
    const void *config;    /* ops->config_size bytes; may be the component's own config */
    DgList assets;         /* of DgStr: what it makes */
    DgList checks;         /* of DgPair {asset, check name}: what it judges */
    DgList reads;          /* of DgStr: assets whose tables it needs beyond its assets' deps */
    /* A step around others, without assets or checks of its own: it runs when one of these assets is
     * made, anew when a run is resumed. */
    DgList before;         /* of DgStr: their steps wait for it */
    DgList after;          /* of DgStr: it waits for their steps, and runs however they ended */
    DgList awaits;         /* of DgPair {asset, check}: their verdicts are asked for, so their steps come first */
    const void *awaits_at; /* the field that names them */
    DgRetry retry;
    DgStr pool;
    const void *op;        /* a DG_F_ANY field holding an OpSpec mapping, or NULL */
    const DgOpSpec *op_filled; /* or one that dg_op_spec_fields filled */
    bool name_stays;       /* whatever `op` calls it */
    const void *at;
} DgStepDecl;

typedef struct DgSqlPlace { /* a part of generated SQL text that came from a field */
    size_t start, len;     /* bytes of DgSqlDecl.text */
    const void *field;
    bool verbatim;         /* the field's text as it is; false: quoted, or made from it */
} DgSqlPlace;
typedef struct DgSqlDecl {
    DgStr asset;           /* the asset this SQL makes or judges: `this` */
    DgStr file;            /* path to read the text from (project-relative), or */
    const void *field;     /* the DG_F_SQL field that holds the text */
    DgStr text;            /* or the text itself */
    bool is_check;         /* rows it returns are failures: no columns for an asset */
    bool statements;       /* any statements (TemplatedSql), not one SELECT */
    DgList vars;           /* of DgValuePair: names in scope beside dgc's own */
    bool incremental;      /* is_incremental() may be true when it runs */
    DgList places;         /* of DgSqlPlace: where errors in generated SQL belong */
    DgStr macros;          /* folder of .sql files whose macros it may call; empty: none */
} DgSqlDecl;

typedef struct DgJobDecl {
    DgStr name, description, selection;
    DgList tags;
    const void *at;
} DgJobDecl;
typedef struct DgScheduleDecl {
    DgStr name, cron, timezone, description;
    DgStr target;    /* a selection, or a job's name */
    DgList tags;
    bool stopped;
    const void *at;
} DgScheduleDecl;
typedef struct DgResourceDecl {
    DgStr name, type; /* as `dg list defs` shows them */
    const void *at;
} DgResourceDecl;

typedef struct DgRowColumn { /* one output column of a row program */
    DgStr name;
    const void *field; /* DG_F_EXPRESSION; NULL: the input column `name` as it is */
    DgStr type;        /* cast to; empty: the expression's own */
} DgRowColumn;
typedef struct DgRowProgramDecl {
    DgStr from;              /* asset whose columns are in scope */
    DgStr asset;             /* asset whose columns these are */
    const DgRowColumn *columns;
    int32_t columns_count;
    bool keep_others;        /* input columns not named in `columns` or `drop` pass through */
    DgList drop;             /* of DgStr */
    DgList rename;           /* of DgPair, old to new */
    const void *filter;      /* DG_F_EXPRESSION or NULL; rows where it is not true are dropped */
} DgRowProgramDecl;

typedef struct DgTextDecl { /* text with Jinja that is no SQL, rendered for each row: a prompt */
    const void *field;       /* DG_F_STRING with DG_NO_TEMPLATE */
    DgStr text;              /* or this text; `field` is then where mistakes in it are reported */
    DgStr asset;             /* that it helps to make; names the function */
    DgStr from;              /* asset whose columns are `row.NAME`; empty: there is no row */
    const char *const *names;/* further names that its caller puts in scope; NULL-terminated; NULL: none */
} DgTextDecl;

typedef struct DgRulesDecl { /* expressions over rows whose columns only the run knows (runtime/copy/expression.h) */
    const void *field;       /* where they are written */
    DgStr asset;             /* names the functions */
    DgList sources;          /* of DgStr; they were compiled once, so they are right */
} DgRulesDecl;

typedef enum DgFormat { DG_CSV, DG_NDJSON, DG_JSON_DOC } DgFormat;
typedef struct DgCsvDialect { /* what a look into a CSV file finds */
    char delimiter, quote, escape;
    bool header, iso_dates; /* iso_dates: dates and timestamps are ISO 8601, or there are none */
    int64_t skip_rows;
} DgCsvDialect;

typedef struct DgDecoderDecl {
    DgFormat format;
    const DgColumn *columns;
    int32_t columns_count;
    char delimiter, quote, escape;
    DgList nulls;            /* of DgStr: texts that mean null */
    DgStr date_format, timestamp_format; /* strftime; empty: ISO 8601 */
} DgDecoderDecl;

typedef enum DgSeverity { DG_SEVERITY_ERROR, DG_SEVERITY_WARNING } DgSeverity;

typedef struct DgPlanApi {
    void (*asset)(DgPlanner *p, const DgAssetDecl *decl);
    /* The key that asset() gives it once translated: for deps between a component's own assets.
     * Steps may name an asset by either key. */
    DgStr (*translated)(DgPlanner *p, const DgAssetDecl *decl);
    void (*check)(DgPlanner *p, const DgCheckDecl *decl);
    void (*step)(DgPlanner *p, const DgStepDecl *decl);
    void (*job)(DgPlanner *p, const DgJobDecl *decl);
    void (*schedule)(DgPlanner *p, const DgScheduleDecl *decl);
    void (*resource)(DgPlanner *p, const DgResourceDecl *decl);

    /* Emitted code: fills the DG_F_CODE member `slot` of a config that a step() will name. */
    /* A DgTemplateFn that renders the SQL; its refs become dependencies, its columns the asset's.*/
    void (*sql)(DgPlanner *p, DgCode *slot, const DgSqlDecl *decl);
    /* A DgRowFn (runtime/data/decode.h) that maps one batch. */
    void (*row_program)(DgPlanner *p, DgCode *slot, const DgRowProgramDecl *decl);
    /* A DgRuleSetFn (runtime/copy/loop_api.h): one loop for each expression. */
    void (*rules)(DgPlanner *p, DgCode *slot, const DgRulesDecl *decl);
    /* A DgTemplateFn that renders text; the step puts `row` and `names` in scope (run.h: extra). Columns of
     * `from` that are not there are reported where the text names them. */
    void (*text)(DgPlanner *p, DgCode *slot, const DgTextDecl *decl);
    /* A DgDecodeFn (runtime/data/decode.h) specialised to these columns. */
    void (*decoder)(DgPlanner *p, DgCode *slot, const DgDecoderDecl *decl);
    /* What config(...) calls in the SQL give, as a dict; {} when there are none. */
    DgValue (*sql_config)(DgPlanner *p, const DgSqlDecl *decl);

    /* Copies `bytes` at `field` into a step config, together with what in it waits for env or the
     * run. Plain assignment loses that. */
    void (*copy)(DgPlanner *p, void *to, const void *field, size_t bytes);
    /* A field that refers to another component: `{{ context.load_component('warehouse') }}`. Its
     * type name (empty when it refers to none), and the address of one of its attributes (NULL). */
    DgStr (*refers_to)(DgPlanner *p, const void *field);
    const void *(*attribute)(DgPlanner *p, const void *field, const char *name);

    /* About fields of the config given to plan(), by address. */
    bool (*is_set)(DgPlanner *p, const void *field);   /* written in the YAML */
    bool (*is_known)(DgPlanner *p, const void *field); /* false: waits for env or the run */
    /* A DG_ONE_OR_MANY list written as one scalar: may mean something else than a list of one. */
    bool (*is_scalar)(DgPlanner *p, const void *field);
    /* One error at the field's place. `code` is "E0110"...; help may be NULL. */
    void (*report)(DgPlanner *p, const char *code, const void *field, const char *help,
                   const char *fmt, ...);
    /* The same, E0110, for a name that is none of `names` (ended by NULL): the nearest is offered as a
     * fix where `wrong` stands in the field's text; else all of them are told. `noun`: "column type". */
    void (*report_name)(DgPlanner *p, const void *field, const char *noun, DgStr wrong,
                        const char *const *names, const char *fmt, ...);

    /* The project. */
    void *(*alloc)(DgPlanner *p, size_t bytes);
    DgStr (*format)(DgPlanner *p, const char *fmt, ...);
    /* Project-relative path of `path` as written in this component's file; reports when it leads
     * out of the project. */
    DgStr (*resolve)(DgPlanner *p, const void *field, DgStr path);
    /* Files matching a glob (**, *, ?, [..], {a,b}), sorted, project-relative. */
    DgList (*glob)(DgPlanner *p, DgStr pattern);
    bool (*file_read)(DgPlanner *p, DgStr path, size_t bytes_max, DgStr *text);
    /* Columns of data files at build time, from a sample. False: not there, or not readable. */
    bool (*infer)(DgPlanner *p, DgStr path, DgStr format, const DgColumn **columns, int32_t *count);
    bool (*sniff)(DgPlanner *p, DgStr path, DgCsvDialect *dialect); /* likewise, of a CSV file */
    /* Another YAML file of the project that configures the component, filled by a field table like
     * `attributes`; what is wrong is reported there. `${NAME}` in it is the environment's, read when
     * the executable starts. NULL: not usable, which has been reported. `field` names the file. */
    const void *(*document)(DgPlanner *p, const void *field, DgStr path, const DgField *fields, size_t size);
    /* A field, or an element of a map, as it stands in the YAML: nothing evaluated. NONE: not given. */
    DgValue (*tree)(DgPlanner *p, const void *field);
    DgStr (*folder)(DgPlanner *p);    /* of the component file, project-relative */
    DgStr (*instance)(DgPlanner *p);  /* "ingest[0]": stable name of this component */
} DgPlanApi;

struct DgPlanner {
    const DgPlanApi *api;
    void *impl;
};

typedef struct DgComponent {
    const char *name;           /* "dgc.Files" */
    const char *const *aliases; /* NULL-terminated; old names too */
    const char *summary;        /* one sentence */
    const char *doc;            /* Markdown; may be NULL */
    const char *example;        /* a whole YAML document that checks clean with files beside it */
    const DgField *fields;
    uint32_t flags;             /* DG_OPEN */
    size_t config_size;
    void (*plan)(DgPlanner *p, const void *config);
    const DgStepOps *const *steps; /* every ops it may name; NULL-terminated; NULL: none */
    const char *needs_python;   /* not NULL: cannot be compiled; says what to do instead */
} DgComponent;

#endif
