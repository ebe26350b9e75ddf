/* translation.h - `translation:`: how a component's assets are renamed and described by its user.
 *
 * Evaluated once for each object a component finds (a stream, a model, a table), with the
 * component's variables and `spec`, the asset as it would be, in scope. A mapping of AssetSpec
 * fields, or a template that gives one: `metadata` and `tags` are merged, other fields that are set
 * replace, `key_prefix` goes before `key` or before the key there is.
 */
#ifndef DGC_TRANSLATION_H
#define DGC_TRANSLATION_H

#include "compiler/spec.h"

/* Changes `asset` in place. `vars` (of DgValuePair) are the component's. False when something was
 * reported; the asset then has its own key. */
bool translation_apply(Plan *plan, Asset *asset, YamlNode *translation, const Scope *names,
                       const DgList *vars);

/* The asset as templates see it: Dagster's AssetSpec. */
DgValue asset_record(DgEval *ev, const Asset *asset);

#endif
