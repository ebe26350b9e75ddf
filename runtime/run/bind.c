/* bind.c - values of templates, converted into members of a step config. */
#include "runtime/run/bind.h"

#include "runtime/base/units.h"
#include "runtime/eval/value.h"

static DgStatus misfit(DgEval *ev, DgValue v, const char *name, const char *want, DgError *err)
{
    if (v.kind == DG_V_NONE || v.kind == DG_V_UNDEFINED) {
        dg_fail(err, DG_CONFIG, "`%s` has no value when the pipeline starts", name);
        dg_hint(err, "set the environment variable that its template reads");
    } else if (v.secret) {
        dg_fail(err, DG_CONFIG, "`%s` must be %s", name, want);
    } else {
        Str shown = dg_to_repr(ev, v);
        dg_fail(err, DG_CONFIG, "`%s` must be %s, not %.*s", name, want, FMT(str_sub(shown, 0, 80)));
    }
    return err->status;
}

static bool number_text(DgEval *ev, DgValue v, Str *out)
{
    if (v.kind != DG_V_STR && v.kind != DG_V_INT && v.kind != DG_V_FLOAT)
        return false;
    *out = v.kind == DG_V_STR ? str_trim(v.as.s) : dg_to_str(ev, v);
    return true;
}

DgStatus dg_bind_text(DgEval *ev, DgValue v, DgStr *to, const char *name, DgError *err)
{
    if (v.kind == DG_V_NONE || v.kind == DG_V_UNDEFINED)
        return misfit(ev, v, name, "a text", err);
    *to = v.kind == DG_V_STR ? v.as.s : dg_to_str(ev, v);
    return dg_eval_status(ev, err);
}

DgStatus dg_bind_int(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err)
{
    Str text;
    if (!number_text(ev, v, &text) || !str_to_int(text, to))
        return misfit(ev, v, name, "an integer", err);
    return DG_OK;
}

DgStatus dg_bind_float(DgEval *ev, DgValue v, double *to, const char *name, DgError *err)
{
    Str text;
    if (!number_text(ev, v, &text) || !str_to_double(text, to))
        return misfit(ev, v, name, "a number", err);
    return DG_OK;
}

DgStatus dg_bind_bool(DgEval *ev, DgValue v, bool *to, const char *name, DgError *err)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
    if (v.kind == DG_V_BOOL) {
        *to = v.as.b;
        return DG_OK;
    }
    Str text;
    if (number_text(ev, v, &text)) {
        for (int i = 0; i < 4; i++) {
            *to = str_eq_nocase(text, str_from(yes[i]));
            if (*to || str_eq_nocase(text, str_from(no[i])))
                return DG_OK;
        }
    }
    return misfit(ev, v, name, "true or false", err);
}

DgStatus dg_bind_duration(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err)
{
    Str text;
    int64_t seconds;
    if (number_text(ev, v, &text)) {
        if (duration_parse(text, to))
            return DG_OK;
        if (str_to_int(text, &seconds) && seconds >= 0 && seconds < INT64_MAX / 1000000000) {
            *to = seconds * 1000000000;
            return DG_OK;
        }
    }
    return misfit(ev, v, name, "a duration such as 90s or 1h30m", err);
}

DgStatus dg_bind_size(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err)
{
    Str text;
    if (!number_text(ev, v, &text) || !size_parse(text, to))
        return misfit(ev, v, name, "a size such as 64MB", err);
    return DG_OK;
}

DgStatus dg_bind_timestamp(DgEval *ev, DgValue v, int64_t *to, const char *name, DgError *err)
{
    Str text;
    if (v.kind == DG_V_STR || v.kind == DG_V_OBJECT) {
        text = dg_to_str(ev, v);
        if (timestamp_parse(text, to))
            return DG_OK;
    }
    return misfit(ev, v, name, "a date or timestamp", err);
}

DgStatus dg_bind_choice(DgEval *ev, DgValue v, int32_t *to, const char *const *choices,
                        const char *name, DgError *err)
{
    for (int32_t i = 0; v.kind == DG_V_STR && choices[i]; i++) {
        if (str_eq(v.as.s, str_from(choices[i]))) {
            *to = i;
            return DG_OK;
        }
    }
    return misfit(ev, v, name, "one of its choices", err);
}

DgStatus dg_bind_value(DgEval *ev, DgValue v, DgValue *to, const char *name, DgError *err)
{
    (void)name;
    *to = v;
    return dg_eval_status(ev, err);
}

static DgStatus own(DgEval *ev, void **ptr, size_t bytes, DgError *err)
{
    void *copy = arena_push(ev->arena, bytes ? bytes : 1, _Alignof(max_align_t), 1);
    if (!copy)
        return dg_fail(err, DG_NOMEM, "out of memory");
    if (bytes)
        memcpy(copy, *ptr, bytes);
    *ptr = copy;
    return DG_OK;
}

DgStatus dg_bind_own(DgEval *ev, DgList *list, size_t item_size, DgError *err)
{
    return own(ev, &list->items, list->count * item_size, err);
}

DgStatus dg_bind_own_one(DgEval *ev, void **config, size_t size, DgError *err)
{
    return own(ev, config, size, err);
}
