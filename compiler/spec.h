/* spec.h - Dagster's specs: asset keys, AssetSpec, OpSpec, partitions, as the plan holds them.
 *
 * The field tables (runtime/spec_fields.c) have checked names and kinds; here is what they cannot
 * say: keys, owners, tags, kinds, the five partitions forms, automation conditions. Dagster's own
 * rules; where dgc is kinder, docs/explanation/dagster-compatibility.md says so.
 */
#ifndef DGC_SPEC_H
#define DGC_SPEC_H

#include "compiler/config.h"
#include "compiler/plan.h"

/* Where a spec comes from: its values, and the places of each of them. */
typedef struct SpecContext {
    Plan *plan;
    const Config *config; /* that filled the spec */
    const Scope *scope;   /* for mappings inside it that are read only now (partitions_def) */
    Span at;              /* when a value has no place of its own */
} SpecContext;

/* The place of a value, or the context's. */
Span spec_at(const SpecContext *c, const void *field);
/* Whether the YAML sets it. */
bool spec_sets(const SpecContext *c, const void *field);

/* Parts of a key written `a/b\/c`: `\` takes the next character as it is. False: empty part. */
bool asset_key_parts(Arena *arena, Str key, StrArray *parts);
Str asset_key_join(Arena *arena, const Str *parts, size_t count); /* escapes `/` and `\` */
/* Reports E0205 and gives an empty Str when it is not well formed. */
Str asset_key_check(Plan *plan, Str key, Span at);

/* How a spec's values meet those that an asset has already. */
typedef enum SpecMerge {
    SPEC_ADD,     /* a component's own, then the user's: deps, kinds, owners are joined */
    SPEC_MERGE,   /* metadata and tags are merged, the rest replaced (translation, merge) */
    SPEC_REPLACE, /* everything that is set replaces (operation: replace) */
} SpecMerge;
/* Only what the YAML sets is applied; `key` is left to the caller. */
void spec_apply(const SpecContext *c, Asset *asset, const DgAssetSpec *spec, SpecMerge how);
void spec_apply_check(const SpecContext *c, Check *check, const DgCheckSpec *spec);
void spec_apply_op(const SpecContext *c, Step *step, const DgOpSpec *op);

/* A mapping (YAML node) or a record made by `dg.*`. NULL for none, and after an error. Equal
 * definitions give one Partitions. spec_partitions.c */
Partitions *spec_partitions(const SpecContext *c, const DgValue *value);

/* "eager", and the parts that `dg list defs` shows as expanded. automation.c */
typedef struct AutomationLabel {
    Str label;          /* empty: has none */
    StrArray expanded;
} AutomationLabel;
AutomationLabel automation_label(Arena *arena, DgValue condition);
DgValue automation_policy(Arena *arena); /* AutoMaterializePolicy.eager() */
/* Reports E0110 when it is no AutomationCondition. */
bool automation_check(Plan *plan, DgValue condition, Span at);

#endif
