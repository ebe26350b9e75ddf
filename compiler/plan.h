/* plan.h - what the program will do: every name resolved, every step with its place.
 *
 * The heart of dgc, and all that codegen reads. Made by the passes in compile.c, one verb each:
 *   load, resolve, type, connect, order, partition, prune, check.
 * plan_print() shows it as text (`dgc build --emit plan`); golden tests compare that text.
 */
#ifndef DGC_PLAN_H
#define DGC_PLAN_H

#include "compiler/diag.h"
#include "compiler/yaml.h"
#include "runtime/component.h"

typedef struct Asset Asset;
typedef struct Check Check;
typedef struct Step Step;
typedef struct Template Template; /* compiler/template.h */
typedef struct Template Residual; /* a template after partial evaluation */

/* ---- Emitted code that a step config points to through a DG_F_CODE member ---- */

typedef enum CodeKind { CODE_TEMPLATE, CODE_DECODER, CODE_ROWS, CODE_TEXT, CODE_RULES } CodeKind;

typedef struct RowProgram RowProgram; /* compiler/rows.h: typed row expressions */
typedef struct SqlUnit SqlUnit;       /* compiler/sql/sql.h */
typedef struct TextUnit TextUnit;     /* compiler/text_unit.h */

typedef struct CodeUnit {
    CodeKind kind;
    Str name;                 /* what the C function is named after: "raw/flights decode" */
    Span at;
    const Asset *asset;       /* may be NULL */
    union {
        const SqlUnit *sql;          /* TEMPLATE: its `rendered` residual is printed */
        const DgDecoderDecl *decoder;
        const RowProgram *rows;
        const DgRulesDecl *rules;
        const Residual *text;        /* TEXT: a template that is no SQL, such as a prompt */
    } as;
} CodeUnit;

/* One member of a step config that is known only at start or run: `path` leads to it. */
typedef struct Binding {
    const void *member;       /* address inside the config struct (or a nested array of it) */
    const DgField *field;     /* its kind decides the conversion */
    DgFieldKind kind;         /* the element's kind when the field is a list or map */
    const Residual *value;
    Span at;
} Binding;
typedef struct CodeSlot {     /* a DG_F_CODE member and what it points to */
    const DgCode *member;
    CodeUnit *unit;
} CodeSlot;

/* ---- Nouns ---- */

typedef struct Partitions {
    DgPartitionsKind kind;
    StrArray keys;            /* STATIC */
    Str start, end, timezone, format, cron; /* TIME; all filled in */
    Str shown;                /* "daily from 2024-01-01" */
    Span at;
    int index;                /* slot in the emitted table */
} Partitions;

typedef struct ColumnInfo {
    DgColumn column;
    Span at;                  /* where it is declared or selected; {0} when inferred */
} ColumnInfo;
typedef struct LineageEdge {
    int32_t column;           /* of the asset that holds it */
    const Asset *from;
    int32_t from_column;
} LineageEdge;

struct Asset {
    Str key;                  /* user string: parts joined by '/' */
    Str description, group;   /* group: "default" when none is given */
    Str code_version;
    Array(Asset *) deps;      /* resolved, sorted by key, no doubles */
    StrArray dep_keys;        /* as declared; sql_units_resolve() adds what the SQL names */
    StrArray kinds, owners;
    Array(DgPair) tags;
    Array(DgValuePair) metadata;
    DgValue automation;       /* an AutomationCondition object, or none */
    DgValue freshness;
    bool skippable;
    Partitions *partitions;   /* NULL: none */
    Array(ColumnInfo) columns;
    bool columns_known;
    Str sample, sample_format; /* the file that the columns were inferred from; empty: none */
    bool is_view;
    Array(LineageEdge) lineage;
    Str schema, table;        /* warehouse; see dg_asset_table */
    Step *step;               /* NULL: external */
    Array(Check *) checks;
    Str component;            /* type that declared it */
    const struct Instance *instance; /* compile.h; NULL: stub */
    Span at;                  /* the YAML or SQL it comes from, never {0} for declared ones */
    bool stub;                /* only named as a dependency: nothing declares it */
    Str source;               /* file that `list defs` shows; empty: the component's document */
    bool unlisted;            /* stub that only checks and reads of steps name: Dagster has none */
    bool external;            /* declared without a step of ours */
    int index;                /* position in the sorted list; slot in the emitted table */
};

struct Check {
    Asset *asset;
    Str asset_key, name, description;
    StrArray dep_keys;        /* additional */
    Array(Asset *) deps;
    bool blocking, warn;
    Array(DgValuePair) metadata;
    DgValue automation;
    Step *step;
    const struct Instance *instance;
    Span at;
    int index;
};

struct Step {
    Str name;                 /* unique */
    const DgStepOps *ops;
    const void *config;       /* filled; ops->fields describes it */
    Array(Binding) bindings;  /* into config */
    Array(CodeSlot) code;     /* into config */
    Array(Asset *) assets;
    Array(Check *) checks;
    StrArray read_keys, before_keys, after_keys;
    Array(DgPair) awaits;     /* asset key and check, by steps that come before it */
    Span awaits_at;
    Array(Asset *) around;    /* resolved: before and after */
    Array(Asset *) reads;     /* resolved: deps of its assets, additional deps of its checks, reads */
    Array(Step *) after;      /* resolved from reads, no doubles */
    DgRetry retry;
    Str pool, description;
    Array(DgPair) tags;
    Partitions *partitions;
    int32_t backfill_partitions_max; /* 0: all in one run */
    Str source;               /* the YAML of the component, quoted above the emitted step */
    const struct Instance *instance;
    Span at;
    int index;                /* run order */
};

typedef struct Job {
    Str name, description, selection;
    const struct Instance *instance;
    Array(Asset *) assets;    /* resolved */
    Array(Check *) checks;
    Array(DgPair) tags;
    Span at;
    int index;
} Job;
typedef struct Schedule {
    Str name, description, cron, timezone, target;
    Job *job;                 /* or the resolved selection: */
    Array(Asset *) assets;
    Array(Check *) checks;
    Array(DgPair) tags;
    bool stopped;
    const struct Instance *instance;
    Span at;
    int index;
} Schedule;
typedef struct Resource {
    Str name, type;
    Span at;
} Resource;
typedef struct EnvVar { /* a name read from the environment when the executable starts */
    Str name;
    bool required;            /* env('X') without default, or a secret field */
    bool secret;
    Span at;
} EnvVar;

typedef struct BuildEnv { /* `build_env` of dgc.yaml: read with the project, then a constant */
    Str name, value;
    Span at;
} BuildEnv;

typedef struct Plan {
    Arena *arena;
    Diag *diag;
    Sources *sources;
    Str name;                 /* of the project */
    Str root;                 /* project folder on disk */
    DgValue vars;             /* `vars` of dgc.yaml: a dict or none; var() in SQL */
    Array(Asset *) assets;    /* sorted by key; stubs included */
    Map asset_by_key;
    struct SqlState *sql_state; /* compiler/sql: what is kept from unit to unit */
    Array(Check *) checks;    /* sorted by asset key, then name */
    Array(Step *) steps;      /* in run order after the pass `order` */
    Array(Job *) jobs;
    Array(Schedule *) schedules;
    Array(Resource *) resources;
    Array(Partitions *) partitions; /* different ones only */
    Map partitions_by_text;
    Array(EnvVar) env;        /* sorted by name; after `prune` */
    Map env_by_name;          /* EnvVar */
    Array(BuildEnv) build_env; /* sorted by name */
    Array(CodeUnit *) code;   /* in order of use; only what is reachable after `prune` */
    Array(SqlUnit *) sql;
    Array(TextUnit *) texts;
    const struct SelectNode *select_nodes; /* assets as selections see them, once asked for */
    StrArray user_sources;    /* components/X.c that steps need: project-relative */
    StrArray broken_code;     /* texts of the project's components that do not compile */
    Map user_code;            /* address of a user's DgComponent or DgStepOps -> Str*: its file */
    bool needs_duckdb;
    Str fingerprint;          /* hex sha256 over all that was read, dgc's version included */
} Plan;

Asset *plan_asset(const Plan *p, Str key); /* NULL when there is none */
/* The check {asset key, name}; NULL when there is none. */
Check *plan_check(const Plan *p, const DgPair *name);
/* The same as plan_asset; where nothing declares the asset, it is an external one from now on. */
Asset *plan_asset_or_stub(Plan *p, Str key, Span at);
/* The document of a definition: what `list` shows as its source. {0} for stubs. */
Span plan_source(const struct Instance *instance);
void plan_set_table(Plan *p, Asset *asset); /* schema and table, from the key */
/* Adds a dependency key to an asset unless it is there. */
void plan_add_dep(Plan *p, Asset *asset, Str key);
void plan_print(const Plan *p, StrBuf *out);

#endif
