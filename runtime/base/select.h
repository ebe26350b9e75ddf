/* select.h - the asset selection language, shared by the compiler and `run --select`.
 *
 *   orders  raw/orders        an asset by key; in raw* the `*` stands for any text
 *   key:K  tag:K  tag:K=V  group:G  kind:K  owner:O       by attribute; `*` works in values too,
 *                                                         "quoted", <null> for "has none"
 *   +e  2+e  e+  e+1  1+e+2   with what is upstream, downstream, so many levels of it
 *   sinks(e)  roots(e)        those of e that nothing else of e reads, that read nothing else of e
 *   not e   e and e   e or e   ( e )   *                  NOT, AND, OR too; in this order of binding
 *   e, e                      the union, as Dagster's older `--select a,b`
 *
 * This is Dagster's grammar; the differences are that a bare name is a key, that `tag:K` takes the
 * tag with any value, and that a key which names no asset is an error with a suggestion (unless
 * `missing_ok`). Attributes that need Dagster's own records (status:, column:, table_name:,
 * column_tag:, code_location:, changed_in_branch:) are errors that say what works.
 */
#ifndef DG_SELECT_H
#define DG_SELECT_H

#include "runtime/base/base.h"

typedef struct SelectNode {
    Str key, group;
    const Str *kinds;
    int32_t kinds_count;
    const Str *owners;
    int32_t owners_count;
    const struct SelectTag {
        Str key, value;
    } *tags;                /* laid out as DgPair */
    int32_t tags_count;
    const int32_t *deps;    /* upstream nodes, by index */
    int32_t deps_count;
} SelectNode;

typedef struct SelectGraph {
    const SelectNode *nodes;
    int32_t count;
    bool missing_ok;
} SelectGraph;

typedef struct SelectError {
    ptrdiff_t offset, length; /* inside the text */
    Str message;              /* in the arena given */
    Str help;                 /* empty: none */
} SelectError;

/* Sets chosen[i] for each of the graph's nodes. On failure fills *err and leaves chosen as it was.*/
bool select_assets(Arena *a, const SelectGraph *graph, Str text, bool *chosen, SelectError *err);
/* The syntax alone. */
bool select_check(Arena *a, Str text, SelectError *err);
/* Whether text fits the pattern, in which `*` stands for any run of characters. */
bool select_wildcard(Str pattern, Str text);

#endif
