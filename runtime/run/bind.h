/* bind.h - what emitted bind functions call: values of templates into members of a step config.
 *
 * Libc-free, so that emitted C can include it. Each converts by the field's kind and says in `err`
 * which attribute did not fit. `name` is the attribute's name.
 */
#ifndef DG_BIND_H
#define DG_BIND_H

#include "runtime/component.h"

DgStatus dg_bind_text(DgEval *ev, DgValue v, DgStr *to, const char *name, DgError *err);
DgStatus dg_bind_int(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err);
DgStatus dg_bind_float(DgEval *ev, DgValue v, double *to, const char *name, DgError *err);
DgStatus dg_bind_bool(DgEval *ev, DgValue v, bool *to, const char *name, DgError *err);
DgStatus dg_bind_duration(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err);
DgStatus dg_bind_size(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err);
DgStatus dg_bind_timestamp(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err);
DgStatus dg_bind_choice(DgEval *ev, DgValue v, int32_t *to, const char *const *choices,
                        const char *name, DgError *err);
DgStatus dg_bind_value(DgEval *ev, DgValue v, DgValue *to, const char *name, DgError *err);
/* A list of the config becomes the attempt's own copy, so that its items may be set. */
DgStatus dg_bind_own(DgEval *ev, DgList *list, size_t item_size, DgError *err);
DgStatus dg_bind_own_one(DgEval *ev, void **config, size_t size, DgError *err);

#endif
