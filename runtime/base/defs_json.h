/* defs_json.h - the document that `dg list defs --json` prints (Dagster 1.13), key for key.
 *
 * One printer for `dgc list defs` and for a built pipeline's `list`: both fill in a DefsDoc. Lists
 * are printed in the order given, except those that Dagster sorts (dependencies, kinds, tags), which
 * are sorted in place. What Dagster leaves out (null, no tags) is left out.
 */
#ifndef DG_DEFS_JSON_H
#define DG_DEFS_JSON_H

#include "runtime/base/base.h"

typedef struct DefsTag {
    Str key, value;
} DefsTag;
typedef struct DefsAsset {
    Str key, group, description, source; /* source: "defs/a/defs.yaml:1" */
    StrArray kinds, deps, owners;        /* owners: "a@b.co", "team:data" */
    Array(DefsTag) tags;
    bool has_automation;
    Str automation_label;                /* may be empty all the same */
    StrArray automation_expanded;
    bool is_executable;
} DefsAsset;
typedef struct DefsCheck {
    Str asset, name, description, source;
    StrArray deps;                       /* the asset itself among them */
} DefsCheck;
typedef struct DefsItem {                /* job: name, description; schedule: cron; resource: type */
    Str name, detail, source;
} DefsItem;
typedef Array(DefsItem) DefsItems;

typedef struct DefsDoc {
    Array(DefsAsset) assets;
    Array(DefsCheck) checks;
    DefsItems jobs, resources, schedules, sensors;
} DefsDoc;

void defs_json(DefsDoc *doc, StrBuf *out); /* ends with a newline */

#endif
