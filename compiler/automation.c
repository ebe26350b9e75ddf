/* automation.c - automation conditions, as `dg list defs` shows them.
 *
 * A condition is a record that a template made: a method of AutomationCondition, with arguments
 * and, for chained calls, what it was called `on`. dgc keeps conditions as data; here they are unfolded
 * into Dagster's tree of operators, of which the upper levels are shown. */
#include "compiler/spec.h"

#include "compiler/template.h"

enum { CHILDREN_MAX = 8, DEPTH_MAX = 32 };

typedef struct Cond {
    Str label, name; /* an operator shows its name between its children */
    const struct Cond *children[CHILDREN_MAX];
    size_t count;
} Cond;

typedef struct Unfold {
    Arena *arena;
    int depth;
} Unfold;

static Cond *leaf(Unfold *u, Str name)
{
    Cond *c = push(u->arena, Cond, 1);
    c->name = name;
    return c;
}

static Cond *node(Unfold *u, const char *label, const char *name, const Cond *a, const Cond *b)
{
    Cond *c = leaf(u, str_from(name));
    c->label = str_from(label);
    c->children[c->count++] = a;
    if (b)
        c->children[c->count++] = b;
    return c;
}

static Cond *add(Cond *to, const Cond *child)
{
    if (to->count < CHILDREN_MAX)
        to->children[to->count++] = child;
    return to;
}

static Cond *labelled(Unfold *u, const char *label)
{
    Cond *c = leaf(u, str_from(label));
    c->label = c->name;
    return c;
}

static Cond *since_handled(Unfold *u, const Cond *what)
{
    return node(u, "", "SINCE", what, labelled(u, "handled"));
}

static const Cond *eager(Unfold *u)
{
    Cond *news = node(u, "", "OR", labelled(u, "newly_missing"), labelled(u, "any_deps_updated"));
    Cond *c = node(u, "eager", "AND", leaf(u, S("in_latest_time_window")), since_handled(u, news));
    static const char *const nots[] = {"any_deps_missing", "any_deps_in_progress", "in_progress"};
    for (size_t i = 0; i < 3; i++)
        add(c, node(u, "", "NOT", labelled(u, nots[i]), NULL));
    return c;
}

/* AutoMaterializePolicy.eager(), which is older than conditions: three rules ask for a run, four put it
 * off, and one bounds how many there are. */
static const Cond *policy(Unfold *u)
{
    Cond *asks = leaf(u, S("OR")), *waits = leaf(u, S("OR"));
    for (int i = 0; i < 3; i++)
        add(asks, leaf(u, S("RuleCondition")));
    for (int i = 0; i < 4; i++)
        add(waits, leaf(u, S("RuleCondition")));
    Cond *c = node(u, "", "AND", asks, node(u, "", "NOT", waits, NULL));
    return add(c, node(u, "", "NOT", leaf(u, S("RuleCondition")), NULL));
}

static const Cond *on_missing(Unfold *u)
{
    Cond *c = node(u, "on_missing", "AND", leaf(u, S("in_latest_time_window")),
                   labelled(u, "missing_since_last_handled"));
    return add(c, node(u, "", "NOT", labelled(u, "any_deps_missing"), NULL));
}

static const Cond *cron_tick(Unfold *u, Str cron, Str zone)
{
    return leaf(u, str_format(u->arena, "cron_tick_passed(cron_schedule=%.*s, cron_timezone=%.*s)",
                              FMT(cron), FMT(zone)));
}

static const Cond *all_deps_updated(Unfold *u, Str cron, Str zone)
{
    Cond *since = node(u, "", "SINCE", leaf(u, S("newly_updated")), cron_tick(u, cron, zone));
    Cond *c = node(u, "", "ALL_DEPS_MATCH",
                   node(u, "", "OR", since, leaf(u, S("will_be_requested"))), NULL);
    c->label = str_format(u->arena, "all_deps_updated_since_cron(%.*s, %.*s)", FMT(cron),
                          FMT(zone));
    return c;
}

static const Cond *on_cron(Unfold *u, Str cron, Str zone)
{
    Cond *c = node(u, "", "AND", leaf(u, S("in_latest_time_window")),
                   since_handled(u, cron_tick(u, cron, zone)));
    c->label = str_format(u->arena, "on_cron(%.*s, %.*s)", FMT(cron), FMT(zone));
    return add(c, all_deps_updated(u, cron, zone));
}

/* The conditions with a name of their own; NULL: `method` is a plain one. */
static const Cond *composed(Unfold *u, Str method, Str cron, Str zone)
{
    if (str_eq(method, S("eager")))
        return eager(u);
    if (str_eq(method, S("auto_materialize_policy")))
        return policy(u);
    if (str_eq(method, S("on_missing")))
        return on_missing(u);
    if (str_eq(method, S("on_cron")))
        return on_cron(u, cron, zone);
    if (str_eq(method, S("cron_tick_passed")))
        return cron_tick(u, cron, zone);
    if (str_eq(method, S("all_deps_updated_since_cron")))
        return all_deps_updated(u, cron, zone);
    if (str_eq(method, S("in_progress")))
        return node(u, "in_progress", "OR", leaf(u, S("run_in_progress")),
                    leaf(u, S("backfill_in_progress")));
    if (str_eq(method, S("newly_missing")))
        return node(u, "newly_missing", "NEWLY_TRUE", leaf(u, S("missing")), NULL);
    if (str_eq(method, S("any_deps_in_progress")))
        return node(u, "any_deps_in_progress", "ANY_DEPS_MATCH", labelled(u, "in_progress"), NULL);
    if (str_eq(method, S("all_deps_blocking_checks_passed")))
        return node(u, "all_deps_blocking_checks_passed", "ALL_DEPS_MATCH",
                    labelled(u, "all_blocking_checks_passed"), NULL);
    if (str_eq(method, S("any_deps_missing"))) {
        Cond *unasked = node(u, "", "NOT", leaf(u, S("will_be_requested")), NULL);
        return node(u, "any_deps_missing", "ANY_DEPS_MATCH",
                    node(u, "", "AND", leaf(u, S("missing")), unasked), NULL);
    }
    if (str_eq(method, S("any_deps_updated"))) {
        Cond *news = node(u, "", "OR", labelled(u, "newly_updated_without_root"),
                          leaf(u, S("will_be_requested")));
        return node(u, "any_deps_updated", "ANY_DEPS_MATCH", news, NULL);
    }
    return NULL;
}

/* ---- From the record ---- */

static DgValue part(DgValue record, const char *name, size_t position)
{
    const DgValue *kwargs = dgv_record_get(record, S("kwargs"));
    const DgValue *args = dgv_record_get(record, S("args"));
    const DgValue *named = kwargs ? dgv_get_str(*kwargs, str_from(name)) : NULL;
    DgValue none = {.kind = DG_V_NONE};
    if (named)
        return *named;
    bool sequence = args && (args->kind == DG_V_TUPLE || args->kind == DG_V_LIST);
    return sequence && position < args->as.list->count ? args->as.list->items[position] : none;
}

static Str text_part(DgValue record, const char *name, size_t position, Str fallback)
{
    DgValue v = part(record, name, position);
    return v.kind == DG_V_STR ? v.as.s : fallback;
}

static bool is_condition(DgValue v)
{
    return str_eq(dgv_record_class(v), S("AutomationCondition"));
}

static const Cond *unfold(Unfold *u, DgValue record);

/* As it stands inside another: its label, or what it is made of. */
static void show(StrBuf *out, const Cond *c)
{
    if (c->label.len) {
        buf_add(out, c->label);
        return;
    }
    if (c->count < 2)
        buf_add(out, c->name);
    for (size_t i = 0; i < c->count; i++) {
        if (i)
            buf_format(out, " %.*s ", FMT(c->name));
        else if (c->count == 1)
            buf_char(out, ' ');
        buf_char(out, '(');
        show(out, c->children[i]);
        buf_char(out, ')');
    }
}

static Str shown(const Unfold *u, const Cond *c)
{
    StrBuf text = {0};
    show(&text, c);
    Str copy = str_copy(u->arena, buf_str(&text));
    buf_free(&text);
    return copy;
}

/* `c` with every condition that is shown as `old` exchanged. */
static const Cond *replaced(Unfold *u, const Cond *c, Str old, const Cond *to)
{
    if (str_eq(shown(u, c), old))
        return to;
    Cond *copy = leaf(u, c->name);
    *copy = *c;
    for (size_t i = 0; i < c->count; i++)
        copy->children[i] = replaced(u, c->children[i], old, to);
    return copy;
}

/* `on.method(...)`: a call on a condition. */
static const Cond *chained(Unfold *u, DgValue record, Str method, const Cond *on)
{
    if (str_eq(method, S("since_last_handled")))
        return since_handled(u, on);
    if (str_eq(method, S("newly_true")))
        return node(u, "", "NEWLY_TRUE", on, NULL);
    if (str_eq(method, S("since")))
        return node(u, "", "SINCE", on, unfold(u, part(record, "reset_condition", 0)));
    if (str_eq(method, S("replace"))) {
        DgValue old = part(record, "old", 0);
        Str name = old.kind == DG_V_STR ? old.as.s : shown(u, unfold(u, old));
        return replaced(u, on, name, unfold(u, part(record, "new", 1)));
    }
    Cond *copy = leaf(u, on->name);
    *copy = *on;
    if (str_eq(method, S("with_label"))) {
        copy->label = text_part(record, "label", 0, (Str){0});
    } else if (str_eq(method, S("without"))) {
        Str gone = shown(u, unfold(u, part(record, "condition", 0)));
        copy->count = 0;
        for (size_t i = 0; i < on->count; i++)
            if (!str_eq(shown(u, on->children[i]), gone))
                add(copy, on->children[i]);
    }
    return copy;
}

static const Cond *unfold(Unfold *u, DgValue record)
{
    const DgValue *method = dgv_record_get(record, S("method"));
    if (!is_condition(record) || !method || method->kind != DG_V_STR || u->depth > DEPTH_MAX)
        return leaf(u, S("?"));
    Str name = method->as.s;
    const DgValue *on = dgv_record_get(record, S("on"));
    u->depth++;
    const Cond *out;
    if (on && is_condition(*on)) {
        out = chained(u, record, name, unfold(u, *on));
    } else {
        out = composed(u, name, text_part(record, "cron_schedule", 0, S("?")),
                       text_part(record, "cron_timezone", 1, S("UTC")));
        DgValue inner = part(record, "condition", 0);
        if (!out && is_condition(inner)) { /* any_deps_match(...) and the like */
            char upper[64];
            size_t n = 0;
            for (; n < sizeof upper - 1 && n < (size_t)name.len; n++)
                upper[n] = (char)(name.ptr[n] >= 'a' && name.ptr[n] <= 'z' ? name.ptr[n] - 32
                                                                          : name.ptr[n]);
            upper[n] = 0;
            Str operator = str_copy(u->arena, (Str){upper, (ptrdiff_t)n});
            out = node(u, "", operator.ptr, unfold(u, inner), NULL);
        }
        if (!out && str_starts(name, S("freshness_"))) {
            const char *state = str_eq(name, S("freshness_passed"))   ? "PASS"
                                : str_eq(name, S("freshness_warned")) ? "WARN" : "FAIL";
            Cond *fresh = labelled(u, str_cstr(u->arena, name));
            fresh->name = str_format(u->arena, "freshness_result(state=FreshnessState.%s)", state);
            out = fresh;
        }
        if (!out)
            out = leaf(u, name);
    }
    u->depth--;
    return out;
}

AutomationLabel automation_label(Arena *arena, DgValue condition)
{
    AutomationLabel out = {0};
    if (!is_condition(condition))
        return out;
    Unfold u = {.arena = arena};
    const Cond *c = unfold(&u, condition);
    out.label = c->label;
    if (c->count < 2)
        array_add(arena, &out.expanded, c->name);
    for (size_t i = 0; i < c->count; i++) {
        if (i)
            array_add(arena, &out.expanded, c->name);
        array_add(arena, &out.expanded,
                  str_format(arena, "(%.*s)", FMT(shown(&u, c->children[i]))));
    }
    return out;
}

DgValue automation_policy(Arena *arena)
{
    DgEval ev;
    dg_eval_init(&ev, arena);
    DgValue fields = dg_new_dict(&ev);
    dg_put_str(&ev, fields, "method", dgv_from_str(S("auto_materialize_policy")));
    dg_eval_free(&ev);
    return dg_record(arena, "AutomationCondition", fields, NULL);
}

bool automation_check(Plan *plan, DgValue condition, Span at)
{
    if (condition.kind == DG_V_NONE || is_condition(condition))
        return true;
    diag_help(diag_report(plan->diag, E0110, at,
                          "`automation_condition` must be an AutomationCondition, found %s",
                          dgv_type_name(condition)),
              "for example `{{ dg.AutomationCondition.eager() }}`");
    return false;
}
