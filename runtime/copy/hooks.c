/* hooks.c - hooks one after the other: whether each runs, and what its failure means. */
#include "runtime/copy/hooks.h"
#include "runtime/os/os.h"

/* ---- Members ---- */

const DgValue *hook_value(DgValue hook, const char *key)
{
    const DgValue *v = hook.kind == DG_V_DICT ? dgv_get_str(hook, str_from(key)) : NULL;
    return v && v->kind != DG_V_NONE && v->kind != DG_V_UNDEFINED ? v : NULL;
}

DgStatus hook_fill(Copy *c, DgValue v, Str *out, DgError *err)
{
    return copy_expand(c, expr_text(&c->arena, v), out, err);
}

DgStatus hook_text(Copy *c, DgValue hook, const char *key, Str *out, DgError *err)
{
    const DgValue *v = hook_value(hook, key);
    *out = (Str){0};
    return v ? hook_fill(c, *v, out, err) : DG_OK;
}

DgStatus hook_store(Copy *c, Str key, DgValue v, DgError *err)
{
    Run *run = c->run->run;
    pthread_mutex_lock(&run->lock);
    DgValue *kept = push(&run->arena, DgValue, 1);
    Str name = str_format(&run->arena, "%.*s/%.*s", FMT(c->step->replication), FMT(key));
    if (kept) {
        *kept = v;
        if (v.kind == DG_V_STR)
            kept->as.s = str_copy(&run->arena, v.as.s);
        if (!run->arena.failed)
            map_put(&run->arena, &run->store, name, kept);
    }
    bool failed = !kept || run->arena.failed;
    pthread_mutex_unlock(&run->lock);
    return failed ? os_no_memory(err, "storing a hook's value") : DG_OK;
}

/* ---- Expressions ---- */

/* Texts that are numbers count as numbers: what a variable holds was written as text somewhere. */
static DgStatus scope_name(void *context, Str name, DgValue *out, DgError *err)
{
    DgStatus status = copy_variable(context, name, out, err);
    double d;
    if (status != DG_OK || out->kind != DG_V_STR)
        return status;
    Str s = out->as.s;
    int64_t whole;
    if (s.len && s.len < 40 && str_to_int(s, &whole))
        *out = (DgValue){.kind = DG_V_INT, .as.i = whole};
    else if (s.len && s.len < 40 && (s.ptr[0] == '-' || (s.ptr[0] >= '0' && s.ptr[0] <= '9')) && str_to_double(s, &d))
        *out = (DgValue){.kind = DG_V_FLOAT, .as.f = d};
    else if (str_eq(s, S("true")) || str_eq(s, S("false")))
        *out = (DgValue){.kind = DG_V_BOOL, .as.b = str_eq(s, S("true"))};
    return DG_OK;
}

static DgStatus holds(Copy *c, DgValue v, bool *out, DgError *err)
{
    Expr *e;
    int is;
    StrBuf buffer = {0};
    ExprScope scope = {.name = scope_name, .context = c, .scratch = &c->arena, .buffer = &buffer, .now_us = c->started_us, .braces = true};
    DG_TRY(expr_compile(&c->arena, expr_text(&c->arena, v), &e, err));
    DgStatus status = expr_truth(e, &scope, &is, err);
    buf_free(&buffer);
    *out = status == DG_OK && is == 1;
    return status;
}

/* ---- Kinds that need nothing else ---- */

static DgStatus hook_check_run(Copy *c, DgValue hook, DgError *err)
{
    bool good;
    Str message;
    DG_TRY(holds(c, *hook_value(hook, "check"), &good, err));
    if (good)
        return DG_OK;
    DG_TRY(hook_text(c, hook, "failure_message", &message, err));
    Str check = expr_text(&c->arena, *hook_value(hook, "check"));
    return message.len ? dg_fail(err, DG_FAILED, "%.*s", (int)(message.len > 900 ? 900 : message.len), message.ptr)
                       : dg_fail(err, DG_FAILED, "the check `%.*s` does not hold", (int)(check.len > 300 ? 300 : check.len), check.ptr);
}

static DgStatus hook_log(Copy *c, DgValue hook, DgError *err)
{
    Str message, level;
    DG_TRY(hook_text(c, hook, "message", &message, err));
    DG_TRY(hook_text(c, hook, "level", &level, err));
    DgLogLevel l = str_eq_nocase(level, S("debug"))  ? DG_LOG_DEBUG
                   : str_starts(str_lower(&c->arena, level), S("warn")) ? DG_LOG_WARNING
                   : str_eq_nocase(level, S("error")) ? DG_LOG_ERROR
                                                      : DG_LOG_INFO;
    dg_log(c->run, l, "%.*s", FMT(message));
    return DG_OK;
}

static DgStatus hook_store_run(Copy *c, DgValue hook, DgError *err)
{
    Str key, text;
    DgValue v = *hook_value(hook, "value");
    DG_TRY(hook_text(c, hook, "key", &key, err));
    if (v.kind == DG_V_STR) {
        DG_TRY(copy_expand(c, v.as.s, &text, err));
        v = expr_str(text);
    }
    return hook_store(c, key, v, err);
}

static DgStatus hook_group(Copy *c, DgValue hook, DgError *err)
{
    const DgValue *steps = hook_value(hook, "steps");
    DgList list = {steps->as.list->items, steps->as.list->count};
    if (c->depth >= HOOK_DEPTH_MAX)
        return dg_fail(err, DG_CONFIG, "groups of hooks are more than %d deep", HOOK_DEPTH_MAX);
    c->depth++;
    DgStatus status = hooks_run(c, &list, err);
    c->depth--;
    return status;
}

const HookKind dg_hook_kinds[] = {
    {"query", " connection query into ", " query ", true, hook_query},
    {"http", " url method headers payload into ", " url ", false, hook_http},
    {"command", " command env working_dir print into ", " command ", false, hook_command},
    {"check", " check failure_message ", " check ", true, hook_check_run},
    {"copy", " from to ", " from to ", false, hook_copy},
    {"delete", " connection location ", " location ", false, hook_delete},
    {"write", " to content ", " to content ", false, hook_write},
    {"log", " message level ", " message ", true, hook_log},
    {"group", " steps ", " steps ", true, hook_group},
    {"store", " key value ", " key value ", true, hook_store_run},
    {0},
};

/* ---- One after the other ---- */

static DgStatus run_one(Copy *c, DgValue hook, DgError *err)
{
    const DgValue *condition = hook_value(hook, "if"), *type = hook_value(hook, "type");
    bool wanted = true;
    if (condition)
        DG_TRY(holds(c, *condition, &wanted, err));
    if (!wanted)
        return DG_OK;
    for (const HookKind *k = dg_hook_kinds; k->type; k++)
        if (str_eq(type->as.s, str_from(k->type)))
            return k->run(c, hook, err);
    return dg_fail(err, DG_BUG, "a hook of type `%.*s` passed the build", FMT(type->as.s));
}

static DgStatus failed(Copy *c, DgValue hook, DgStatus status, DgError *err)
{
    const DgValue *how = hook_value(hook, "on_failure"), *type = hook_value(hook, "type");
    Str then = how && how->kind == DG_V_STR ? how->as.s : S("abort");
    if (status == DG_CANCELLED || status == DG_END)
        return status;
    DgError why = *err;
    if (str_eq(then, S("quiet")))
        return DG_OK;
    if (str_eq(then, S("warn")) || str_eq(then, S("skip"))) {
        dg_log(c->run, DG_LOG_WARNING, "hook `%.*s`: %s", FMT(type->as.s), why.message);
        return str_eq(then, S("skip")) ? DG_END : DG_OK;
    }
    dg_fail(err, status, "hook `%.*s`: %s", FMT(type->as.s), why.message);
    if (why.hint[0])
        dg_hint(err, "%s", why.hint);
    return status;
}

DgStatus hooks_run(Copy *c, const DgList *hooks, DgError *err)
{
    for (size_t i = 0; i < hooks->count; i++) {
        DgValue hook = DG_ITEMS(DgValue, *hooks)[i];
        if (dg_cancelled(c->run))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        DG_TRY(hook_check(&c->arena, hook, c->merging != NULL, c->depth, err)); /* parts may be known only now */
        DgStatus status = run_one(c, hook, err);
        if (status != DG_OK)
            DG_TRY(failed(c, hook, status, err));
    }
    return DG_OK;
}
