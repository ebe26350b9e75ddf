/* hooks.h - the kinds of hooks, one function each.
 *
 * A hook is a mapping. Texts in it have their `{names}` filled in when it runs; those in SQL only with
 * values that cannot end a quoted text. */
#ifndef DGC_COPY_HOOKS_H
#define DGC_COPY_HOOKS_H

#include "runtime/copy/copy.h"
#include "runtime/copy/expression.h"

enum { HOOKS_MAX = 1000, HOOK_DEPTH_MAX = 8, HOOK_OUTPUT_MAX = 1 << 20, HOOK_ROWS_MAX = 1000, HOOK_CELLS_MAX = 10000 };

typedef struct HookKind {
    const char *type;
    const char *keys;        /* " query connection into ": all it may have beyond those of every hook */
    const char *needs;       /* likewise: what must be there */
    bool merging;            /* may run inside the load's transaction */
    DgStatus (*run)(Copy *c, DgValue hook, DgError *err);
} HookKind;
extern const HookKind dg_hook_kinds[]; /* ended by a NULL type */

/* DG_CONFIG: what is wrong with one; for building. `merging`: of pre_merge and post_merge. */
DgStatus hook_check(Arena *a, DgValue hook, bool merging, int depth, DgError *err);

/* Members: as written, or with `{names}` filled in. */
const DgValue *hook_value(DgValue hook, const char *key);  /* NULL: not given */
DgStatus hook_text(Copy *c, DgValue hook, const char *key, Str *out, DgError *err); /* empty: not given */
DgStatus hook_fill(Copy *c, DgValue v, Str *out, DgError *err);
/* `a/b` or `a/b[0].c` for the steps after it. Texts are copied. */
DgStatus hook_store(Copy *c, Str key, DgValue v, DgError *err);

DgStatus hook_query(Copy *c, DgValue hook, DgError *err);    /* hooks_sql.c */
DgStatus hook_http(Copy *c, DgValue hook, DgError *err);     /* hooks_out.c */
DgStatus hook_command(Copy *c, DgValue hook, DgError *err);
DgStatus hook_copy(Copy *c, DgValue hook, DgError *err);     /* hooks_files.c */
DgStatus hook_delete(Copy *c, DgValue hook, DgError *err);
DgStatus hook_write(Copy *c, DgValue hook, DgError *err);

#endif
