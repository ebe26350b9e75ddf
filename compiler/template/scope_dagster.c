/* scope_dagster.c - the names that Dagster gives to attributes: env, dg, datetime, context... */
#include "compiler/template/template_impl.h"

static const char *const DG_NAMES[] = {
    "AutomationCondition", "FreshnessPolicy", "DailyPartitionsDefinition",
    "WeeklyPartitionsDefinition", "MonthlyPartitionsDefinition", "HourlyPartitionsDefinition",
    "StaticPartitionsDefinition", "TimeWindowPartitionsDefinition"};

/* Methods by class, as in Dagster 1.13; of AutomationCondition also those of a condition itself. */
static const char *const CONDITIONS[] = {
    "all_checks_match", "all_deps_blocking_checks_passed", "all_deps_match",
    "all_deps_updated_since_cron", "all_job_root_assets_match", "all_new_updates_have_run_tags",
    "any_checks_match", "any_deps_in_progress", "any_deps_match", "any_deps_missing",
    "any_deps_updated", "any_downstream_conditions", "any_job_root_assets_match",
    "any_new_update_has_run_tags", "asset_matches", "backfill_in_progress", "check_failed",
    "check_passed", "code_version_changed", "cron_tick_passed", "data_version_changed", "eager",
    "executed_with_root_target", "executed_with_tags", "execution_failed", "freshness_failed",
    "freshness_passed", "freshness_warned", "in_latest_time_window", "in_progress",
    "initial_evaluation", "missing", "newly_missing", "newly_requested", "newly_updated", "on_cron",
    "on_missing", "run_in_progress", "will_be_requested", NULL};
static const char *const CHAINED[] = {"allow", "ignore", "newly_true", "replace", "since",
                                      "since_last_handled", "with_label", "without", NULL};
static const char *const FRESHNESS[] = {"cron", "time_window", NULL};

/* ---- Records that remember how they were made ---- */

static DgValue arguments_dict(DgEval *ev, const DgArgs *args)
{
    DgValue kwargs = dg_new_dict(ev);
    for (size_t i = 0; i < args->named_count; i++)
        dg_put(ev, kwargs, dgv_from_str(args->names[i]), args->named[i]);
    return kwargs;
}

static DgStatus chained(DgEval *ev, DgValue self, Str name, const DgArgs *args, DgValue *out,
                        DgError *err);

/* `method` is empty for a plain call of the class; `on` is the condition a method was called on. */
static DgStatus made(DgEval *ev, const char *class_name, Str method, const DgValue *on,
                     const DgArgs *args, DgValue *out, DgError *err)
{
    DgValue fields = dg_new_dict(ev);
    if (method.len)
        dg_put_str(ev, fields, "method", dgv_from_str(str_copy(ev->arena, method)));
    if (on)
        dg_put_str(ev, fields, "on", *on);
    dg_put_str(ev, fields, "args", dg_tuple(ev, args->items, args->count));
    dg_put_str(ev, fields, "kwargs", arguments_dict(ev, args));
    DG_TRY(dg_eval_status(ev, err));
    bool chains = str_eq(str_from(class_name), S("AutomationCondition"));
    *out = dg_record(ev->arena, class_name, fields, chains ? chained : NULL);
    return DG_OK;
}

static DgStatus check_method(DgEval *ev, const char *noun, const char *const *methods, Str name,
                             DgError *err)
{
    Str names[64];
    size_t count = 0;
    for (; methods && methods[count]; count++) {
        names[count] = str_from(methods[count]);
        if (str_eq(names[count], name))
            return DG_OK;
    }
    dg_fail(err, DG_DATA, "%s has no method `%.*s`", noun, FMT(name));
    Str near = diag_nearest(ev->arena, name, names, count);
    if (near.len)
        dg_hint(err, "a similar method exists: `%.*s`", FMT(near));
    return DG_DATA;
}

static DgStatus chained(DgEval *ev, DgValue self, Str name, const DgArgs *args, DgValue *out,
                        DgError *err)
{
    DG_TRY(check_method(ev, "an automation condition", CHAINED, name, err));
    return made(ev, dgv_record_class(self).ptr, name, &self, args, out, err);
}

typedef struct ClassObject { /* dg.DailyPartitionsDefinition, not called yet */
    DgObject head;
    const char *name;
} ClassObject;

static DgStatus class_call(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                           DgError *err)
{
    return made(ev, ((const ClassObject *)self)->name, (Str){0}, NULL, args, out, err);
}

static DgStatus class_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                             DgValue *out, DgError *err)
{
    const char *class_name = ((const ClassObject *)self)->name;
    const char *const *methods = str_eq(str_from(class_name), S("AutomationCondition")) ? CONDITIONS
                                 : str_eq(str_from(class_name), S("FreshnessPolicy")) ? FRESHNESS
                                                                                      : NULL;
    DG_TRY(check_method(ev, class_name, methods, name, err));
    return made(ev, class_name, name, NULL, args, out, err);
}

static void class_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    buf_format(b, "<class '%s'>", ((const ClassObject *)self)->name);
}

static const DgObjectType class_type = {
    .name = "class", .call = class_call, .method = class_method, .write = class_write};

/* ---- dg, datetime, automation_condition, context: objects with a few names ---- */

typedef struct NamesObject {
    DgObject head;
    const char *name;
    DgValue members; /* a dict */
} NamesObject;

static DgStatus names_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err)
{
    const NamesObject *n = (const NamesObject *)self;
    const DgValue *found = dgv_get_str(n->members, name);
    if (found) {
        *out = *found;
        return DG_OK;
    }
    StrBuf b = {0};
    for (size_t i = 0; i < n->members.as.dict->count; i++) {
        buf_add(&b, i ? S(", ") : S(""));
        buf_add(&b, n->members.as.dict->keys[i].as.s);
    }
    dg_fail(err, DG_DATA, "Attribute '%.*s' is not accessible. Available attributes: %.*s",
            FMT(name), FMT(buf_str(&b)));
    buf_free(&b);
    return DG_DATA;
}

static void names_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    buf_format(b, "<%s>", ((const NamesObject *)self)->name);
}

static const DgObjectType names_type = {.name = "scope", .attr = names_attr, .write = names_write};

static DgValue names_new(DgEval *ev, const char *name, DgValue members)
{
    NamesObject *n = push(ev->arena, NamesObject, 1);
    *n = (NamesObject){.head = {.type = &names_type}, .name = name, .members = members};
    return dgv_object(&n->head);
}

static DgValue class_new(Arena *arena, const char *name)
{
    ClassObject *c = push(arena, ClassObject, 1);
    *c = (ClassObject){.head = {.type = &class_type}, .name = name};
    return dgv_object(&c->head);
}

static DgValue dg_names(DgEval *ev)
{
    DgValue members = dg_new_dict(ev);
    for (size_t i = 0; i < sizeof DG_NAMES / sizeof *DG_NAMES; i++)
        dg_put_str(ev, members, DG_NAMES[i], class_new(ev->arena, DG_NAMES[i]));
    return names_new(ev, "dg", members);
}

static DgValue datetime_names(DgEval *ev)
{
    DgValue members = dg_new_dict(ev);
    dg_put_str(ev, members, "datetime", dg_datetime_class());
    dg_put_str(ev, members, "timedelta", dg_timedelta_class());
    return names_new(ev, "datetime", members);
}

/* automation_condition.eager() and .on_cron('...'): the old spelling */
static DgStatus old_condition(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    return made(ev, "AutomationCondition", str_from(ctx), NULL, args, out, err);
}

static DgValue old_conditions(DgEval *ev)
{
    static char eager[] = "eager", on_cron[] = "on_cron";
    DgValue members = dg_new_dict(ev);
    dg_put_str(ev, members, eager, dg_native(ev->arena, eager, old_condition, eager));
    dg_put_str(ev, members, on_cron, dg_native(ev->arena, on_cron, old_condition, on_cron));
    return names_new(ev, "automation_condition", members);
}

static DgStatus not_here(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    return dg_fail(err, DG_DATA, "`%s` cannot be used here", (const char *)ctx);
}

static DgValue loader(Arena *arena, const char *name, DgNativeFn fn, void *ctx)
{
    if (fn)
        return dg_native(arena, name, fn, ctx);
    return dg_native(arena, name, not_here, str_cstr(arena, str_from(name)));
}

Scope *scope_dagster(Arena *arena, const Scope *parent, const DagsterScope *settings)
{
    DgEval ev;
    dg_eval_init(&ev, arena);
    Scope *s = scope_new(arena, parent);
    DgValue root = dgv_from_str(settings->project_root);
    DgValue load = loader(arena, "load_component", settings->load_component, settings->ctx);
    DgValue build = loader(arena, "build_defs", settings->build_defs, settings->ctx);
    DgValue members = dg_new_dict(&ev);
    dg_put_str(&ev, members, "project_root", root);
    dg_put_str(&ev, members, "load_component", load);
    dg_put_str(&ev, members, "build_defs", build);
    scope_env(s);
    scope_value(s, S("dg"), dg_names(&ev));
    scope_value(s, S("datetime"), datetime_names(&ev));
    scope_value(s, S("context"), names_new(&ev, "context", members));
    scope_value(s, S("project_root"), root);
    scope_value(s, S("load_component_at_path"), load);
    scope_value(s, S("build_defs_at_path"), build);
    scope_value(s, S("automation_condition"), old_conditions(&ev));
    dg_eval_free(&ev);
    return s;
}
