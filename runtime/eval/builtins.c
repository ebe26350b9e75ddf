/* builtins.c - functions of C, and Jinja's own: range, dict, namespace, cycler, joiner, loop. */
#include "runtime/eval/internal.h"

/* ---- Functions of C ---- */

typedef struct Native {
    DgObject head;
    const char *name;
    DgNativeFn fn;
    void *ctx;
} Native;

static DgStatus native_call(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                            DgError *err)
{
    const Native *n = (const Native *)self;
    return n->fn(n->ctx, ev, args, out, err);
}

static void native_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    buf_format(b, "<function %s>", ((const Native *)self)->name);
}

const DgObjectType dg_native_type = {
    .name = "function", .call = native_call, .write = native_write};

DgValue dg_native(Arena *arena, const char *name, DgNativeFn fn, void *ctx)
{
    Native *n = push(arena, Native, 1);
    if (!n)
        return dgv_undefined();
    *n = (Native){.head = {.type = &dg_native_type}, .name = name, .fn = fn, .ctx = ctx};
    return (DgValue){.kind = DG_V_FUNC, .as.object = &n->head};
}

/* A DgStatus for a callback from the sticky error. */
static DgStatus status_of(DgEval *ev, DgError *err)
{
    return dg_eval_status(ev, err);
}

/* ---- range ---- */

typedef struct Range {
    DgObject head;
    int64_t start, stop, step;
} Range;

static int64_t range_count(const Range *r)
{
    uint64_t span = r->step > 0 ? (uint64_t)r->stop - (uint64_t)r->start
                                : (uint64_t)r->start - (uint64_t)r->stop;
    bool empty = r->step > 0 ? r->start >= r->stop : r->start <= r->stop;
    uint64_t step = r->step > 0 ? (uint64_t)r->step : 0 - (uint64_t)r->step;
    uint64_t n = empty ? 0 : (span - 1) / step + 1;
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static DgStatus range_iterate(DgEval *ev, const DgObject *self, DgValue *list, DgError *err)
{
    const Range *r = (const Range *)self;
    int64_t n = range_count(r);
    if (!dg_step(ev, (size_t)n))
        return status_of(ev, err);
    *list = dg_new_list(ev, (size_t)n);
    for (int64_t i = 0; i < n && !dg_failed(ev); i++)
        list->as.list->items[i] = dgv_int(r->start + i * r->step);
    return status_of(ev, err);
}

static DgStatus range_item(DgEval *ev, const DgObject *self, DgValue key, DgValue *out,
                           DgError *err)
{
    const Range *r = (const Range *)self;
    if (!is_int(key))
        return DG_END;
    int64_t n = range_count(r), i = int_of(key);
    i = i < 0 ? i + n : i;
    if (i < 0 || i >= n)
        return DG_END;
    *out = dgv_int(r->start + i * r->step);
    return DG_OK;
}

static void range_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    const Range *r = (const Range *)self;
    buf_format(b, "range(%lld, %lld", (long long)r->start, (long long)r->stop);
    if (r->step != 1)
        buf_format(b, ", %lld", (long long)r->step);
    buf_char(b, ')');
}

static bool range_equal(const DgObject *a, const DgObject *b)
{
    const Range *x = (const Range *)a, *y = (const Range *)b;
    int64_t n = range_count(x);
    return n == range_count(y) &&
           (n == 0 || (x->start == y->start && (n == 1 || x->step == y->step)));
}

static bool range_truthy(const DgObject *self)
{
    return range_count((const Range *)self) > 0;
}

static const DgObjectType range_type = {.name = "range", .iterate = range_iterate,
                                        .item = range_item, .write = range_write,
                                        .equal = range_equal, .truthy = range_truthy};

static DgStatus range_fn(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    int64_t n[3] = {0};
    if (args->named_count || !args->count || args->count > 3)
        return dg_fail(err, DG_DATA, "range() takes 1 to 3 integers");
    for (size_t i = 0; i < args->count; i++)
        n[i] = dg_want_int(ev, args->items[i], "an argument of range()");
    Range *r = dg_make(ev, Range, 1);
    if (!r || dg_failed(ev))
        return status_of(ev, err);
    *r = (Range){.head = {.type = &range_type}, .stop = n[0], .step = 1};
    if (args->count > 1) {
        r->start = n[0];
        r->stop = n[1];
    }
    if (args->count > 2)
        r->step = n[2];
    if (r->step == 0)
        return dg_fail(err, DG_DATA, "the step of range() must not be zero");
    *out = dgv_object(&r->head);
    return DG_OK;
}

bool dgv_range(DgValue v, int64_t bounds[3])
{
    if (v.kind != DG_V_OBJECT || v.as.object->type != &range_type)
        return false;
    const Range *r = (const Range *)v.as.object;
    bounds[0] = r->start;
    bounds[1] = r->stop;
    bounds[2] = r->step;
    return true;
}

/* ---- dict and namespace ---- */

static DgValue dict_from(DgEval *ev, const DgArgs *args)
{
    DgValue d = dg_new_dict(ev);
    bool found;
    return dg_failed(ev) || is_undefined(dg_dict_method(ev, d, S("update"), args, &found))
               ? dgv_undefined() : d;
}

static DgStatus dict_fn(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    *out = dict_from(ev, args);
    return status_of(ev, err);
}

typedef struct Namespace {
    DgObject head;
    DgValue fields;
} Namespace;

static DgStatus namespace_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out,
                               DgError *err)
{
    const DgValue *v = dgv_get_str(((const Namespace *)self)->fields, name);
    if (!v)
        return DG_END;
    *out = *v;
    return DG_OK;
}

static DgStatus namespace_set(DgEval *ev, const DgObject *self, Str name, DgValue to, DgError *err)
{
    dg_put(ev, ((const Namespace *)self)->fields, dgv_from_str(str_copy(ev->arena, name)), to);
    return status_of(ev, err);
}

static void namespace_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    buf_add(b, S("<Namespace "));
    dg_write_repr(ev, b, ((const Namespace *)self)->fields);
    buf_char(b, '>');
}

const DgObjectType dg_namespace_type = {.name = "Namespace", .attr = namespace_attr,
                                        .set_attr = namespace_set, .write = namespace_write,
                                        .changes = true};

static DgStatus namespace_fn(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Namespace *n = dg_make(ev, Namespace, 1);
    if (!n)
        return status_of(ev, err);
    *n = (Namespace){.head = {.type = &dg_namespace_type}, .fields = dict_from(ev, args)};
    *out = dgv_object(&n->head);
    return status_of(ev, err);
}

/* ---- cycler and joiner ---- */

typedef struct Cycler {
    DgObject head;
    DgValue items;
    size_t at;
} Cycler;

static DgStatus cycler_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                              DgValue *out, DgError *err)
{
    Cycler *c = (Cycler *)(uintptr_t)self; /* made in the arena, never const */
    if (str_eq(name, S("reset"))) {
        c->at = 0;
        *out = dgv_none();
    } else if (str_eq(name, S("next"))) {
        *out = c->items.as.list->items[c->at];
        c->at = (c->at + 1) % c->items.as.list->count;
    } else {
        return DG_END;
    }
    return DG_OK;
}

static DgStatus cycler_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err)
{
    const Cycler *c = (const Cycler *)self;
    if (!str_eq(name, S("current")))
        return DG_END;
    *out = c->items.as.list->items[c->at];
    return DG_OK;
}

const DgObjectType dg_cycler_type = {
    .name = "Cycler", .method = cycler_method, .attr = cycler_attr, .changes = true};

static DgStatus cycler_fn(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    if (!args->count || args->named_count)
        return dg_fail(err, DG_DATA, "cycler() needs at least one value");
    Cycler *c = dg_make(ev, Cycler, 1);
    if (!c)
        return status_of(ev, err);
    *c = (Cycler){.head = {.type = &dg_cycler_type},
                  .items = dg_list(ev, args->items, args->count)};
    *out = dgv_object(&c->head);
    return status_of(ev, err);
}

typedef struct Joiner {
    DgObject head;
    DgValue separator;
    bool used;
} Joiner;

static DgStatus joiner_call(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                            DgError *err)
{
    Joiner *j = (Joiner *)(uintptr_t)self; /* made in the arena, never const */
    *out = j->used ? j->separator : dgv_str("", 0);
    j->used = true;
    return DG_OK;
}

const DgObjectType dg_joiner_type = {.name = "Joiner", .call = joiner_call, .changes = true};

static DgStatus joiner_fn(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    Joiner *j = dg_make(ev, Joiner, 1);
    if (!j)
        return status_of(ev, err);
    *j = (Joiner){.head = {.type = &dg_joiner_type}, .separator = dgv_str(", ", 2)};
    if (!dg_args_spread(ev, "joiner()", args, "sep", &j->separator, 0))
        return status_of(ev, err);
    *out = dgv_object(&j->head);
    return DG_OK;
}

/* ---- groupby's pairs ---- */

typedef struct Group {
    DgObject head;
    DgValue pair; /* a tuple */
} Group;

static DgStatus group_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err)
{
    bool list = str_eq(name, S("list"));
    if (!list && !str_eq(name, S("grouper")))
        return DG_END;
    *out = ((const Group *)self)->pair.as.list->items[list];
    return DG_OK;
}

static DgStatus group_item(DgEval *ev, const DgObject *self, DgValue key, DgValue *out,
                           DgError *err)
{
    *out = is_int(key) ? dg_item(ev, ((const Group *)self)->pair, key) : dgv_undefined();
    return is_undefined(*out) ? DG_END : DG_OK;
}

static DgStatus group_iterate(DgEval *ev, const DgObject *self, DgValue *list, DgError *err)
{
    *list = dg_iterate(ev, ((const Group *)self)->pair);
    return status_of(ev, err);
}

static void group_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    dg_write_repr(ev, b, ((const Group *)self)->pair);
}

static const DgObjectType group_type = {.name = "tuple", .attr = group_attr, .item = group_item,
                                        .iterate = group_iterate, .write = group_write};

DgValue dg_group(DgEval *ev, DgValue grouper, DgValue list)
{
    Group *g = dg_make(ev, Group, 1);
    if (!g)
        return dgv_undefined();
    *g = (Group){.head = {.type = &group_type},
                 .pair = dg_tuple(ev, (DgValue[]){grouper, list}, 2)};
    return dgv_object(&g->head);
}

/* ---- loop ---- */

typedef struct LoopObject {
    DgObject head;
    DgValue items;
    size_t at; /* steps taken */
    DgValue seen; /* loop.changed() */
} LoopObject;

static DgStatus loop_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err)
{
    const LoopObject *l = (const LoopObject *)self;
    int64_t count = (int64_t)l->items.as.list->count, at = (int64_t)l->at;
    if (str_eq(name, S("index")))
        *out = dgv_int(at);
    else if (str_eq(name, S("index0")))
        *out = dgv_int(at - 1);
    else if (str_eq(name, S("first")))
        *out = dgv_bool(at == 1);
    else if (str_eq(name, S("last")))
        *out = dgv_bool(at == count);
    else if (str_eq(name, S("length")))
        *out = dgv_int(count);
    else if (str_eq(name, S("revindex")))
        *out = dgv_int(count - at + 1);
    else if (str_eq(name, S("revindex0")))
        *out = dgv_int(count - at);
    else if (str_eq(name, S("depth")) || str_eq(name, S("depth0")))
        *out = dgv_int(name.len == 5);
    else if (str_eq(name, S("previtem")))
        *out = at > 1 ? l->items.as.list->items[at - 2] : dg_undefined_named(S("loop.previtem"));
    else if (str_eq(name, S("nextitem")))
        *out = at < count ? l->items.as.list->items[at] : dg_undefined_named(S("loop.nextitem"));
    else
        return DG_END;
    return DG_OK;
}

static DgStatus loop_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                            DgValue *out, DgError *err)
{
    LoopObject *l = (LoopObject *)(uintptr_t)self; /* made in the arena, never const */
    if (str_eq(name, S("cycle"))) {
        if (!args->count)
            return dg_fail(err, DG_DATA, "loop.cycle() needs at least one value");
        *out = args->items[(l->at - 1) % args->count];
    } else if (str_eq(name, S("changed"))) {
        DgValue now = dg_tuple(ev, args->items, args->count);
        *out = dgv_bool(!dgv_equal(l->seen, now));
        l->seen = now;
    } else {
        return DG_END;
    }
    return status_of(ev, err);
}

static void loop_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    const LoopObject *l = (const LoopObject *)self;
    buf_format(b, "<LoopContext %zu/%zu>", l->at, l->items.as.list->count);
}

const DgObjectType dg_loop_type = {.name = "LoopContext", .attr = loop_attr, .method = loop_method,
                                   .write = loop_write, .changes = true};

DgValue dg_loop_object(DgEval *ev, DgLoop *loop)
{
    LoopObject *l = dg_make(ev, LoopObject, 1);
    if (!l)
        return dgv_undefined();
    *l = (LoopObject){.head = {.type = &dg_loop_type}, .items = loop->items};
    return dgv_object(&l->head);
}

bool dg_next(DgEval *ev, DgLoop *loop, DgValue *item)
{
    *item = dgv_undefined();
    if (!dg_step(ev, 1) || loop->at >= loop->items.as.list->count)
        return false;
    *item = dgv_taint(loop->items.as.list->items[loop->at++], loop->items.secret);
    LoopObject *l = (LoopObject *)(uintptr_t)loop->loop.as.object;
    l->at = loop->at;
    return true;
}

/* ---- By name ---- */

#define NATIVE(id, c_fn) {{&dg_native_type, id}, id, c_fn, NULL}
static const Native natives[] = {
    NATIVE("range", range_fn), NATIVE("dict", dict_fn), NATIVE("namespace", namespace_fn),
    NATIVE("cycler", cycler_fn), NATIVE("joiner", joiner_fn),
};

static const Native *native_find(Str name)
{
    for (size_t i = 0; i < sizeof natives / sizeof *natives; i++)
        if (str_eq(name, str_from(natives[i].name)))
            return &natives[i];
    return NULL;
}

bool dg_builtin_has(Str name)
{
    return native_find(name) != NULL;
}

DgValue dg_builtin(DgEval *ev, const char *name)
{
    Str wanted = str_from(name);
    const Native *n = native_find(wanted);
    if (n)
        return (DgValue){.kind = DG_V_FUNC, .as.object = &n->head};
    if (str_eq(wanted, S("datetime.datetime")))
        return dg_datetime_class();
    if (str_eq(wanted, S("datetime.timedelta")))
        return dg_timedelta_class();
    return dg_undefined_named(wanted);
}
