/* access.c - parts of values, calls, arguments and loops. */
#include "runtime/eval/internal.h"

/* ---- Names ---- */

DgValue dg_var(DgEval *ev, const char *name)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    DgError err = {0};
    DgValue v = dgv_undefined();
    DgStatus s = ev->get_var ? ev->get_var(ev->ctx, ev, str_from(name), &v, &err) : DG_END;
    if (s == DG_END)
        return dg_undefined_named(str_from(name));
    return dg_settle(ev, s, &err, v);
}

/* DG_END when the variable is not set. */
static DgStatus env_lookup(DgEval *ev, Str name, DgValue *out)
{
    if (!dg_step(ev, 1))
        return ev->error.status;
    DgError err = {0};
    Str text = {0};
    bool secret = false;
    DgStatus s = ev->get_env ? ev->get_env(ev->ctx, name, &text, &secret, &err) : DG_END;
    if (s == DG_OK)
        *out = dgv_taint(dgv_from_str(text), secret);
    else if (s != DG_END)
        dg_settle(ev, s, &err, dgv_undefined());
    return s;
}

DgValue dg_env_get(DgEval *ev, const char *name)
{
    DgValue v = dgv_none();
    DgStatus s = env_lookup(ev, str_from(name), &v);
    return s == DG_OK || s == DG_END ? v : dgv_undefined();
}

DgValue dg_env_need(DgEval *ev, const char *name)
{
    DgValue v = dgv_undefined();
    if (env_lookup(ev, str_from(name), &v) == DG_END) {
        dg_error(ev, DG_CONFIG,
                 "Environment variable %s is not set and no default value was provided. To "
                 "provide a default value, use e.g. `env('%s', 'default_value')`.",
                 name, name);
        dg_hint(&ev->error, "set %s in the environment, or put it into a .env file", name);
    }
    return v;
}

DgValue dg_env_or(DgEval *ev, const char *name, DgValue fallback)
{
    DgValue v = fallback;
    DgStatus s = env_lookup(ev, str_from(name), &v);
    return s == DG_OK || s == DG_END ? v : dgv_undefined();
}

/* ---- Arguments ---- */

void dg_arg(DgEval *ev, DgArgs *to, DgValue v)
{
    DgValue *items = dg_failed(ev) ? NULL : dg_make(ev, DgValue, to->count + 1);
    if (!items)
        return;
    if (to->count)
        memcpy(items, to->items, to->count * sizeof *items);
    items[to->count] = v;
    to->items = items;
    to->count++;
}

static void add_named(DgEval *ev, DgArgs *to, Str name, DgValue v)
{
    size_t n = to->named_count;
    DgValue *values = dg_failed(ev) ? NULL : dg_make(ev, DgValue, n + 1);
    DgStr *names = values ? dg_make(ev, DgStr, n + 1) : NULL;
    if (!names)
        return;
    for (size_t i = 0; i < n; i++) {
        if (str_eq(to->names[i], name)) {
            dg_type_error(ev, "the argument `%.*s` is given twice", FMT(name));
            return;
        }
        names[i] = to->names[i];
        values[i] = to->named[i];
    }
    names[n] = name;
    values[n] = v;
    to->names = names;
    to->named = values;
    to->named_count = n + 1;
}

void dg_arg_named(DgEval *ev, DgArgs *to, const char *name, DgValue v)
{
    add_named(ev, to, str_from(name), v);
}

void dg_arg_star(DgEval *ev, DgArgs *to, DgValue list)
{
    DgValue items = dg_iterate(ev, list);
    if (is_undefined(list))
        dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(list.as.s));
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count && dg_step(ev, 1); i++)
        dg_arg(ev, to, items.as.list->items[i]);
}

void dg_arg_star_star(DgEval *ev, DgArgs *to, DgValue dict)
{
    if (!is_dict(dict)) {
        dg_type_error(ev, "`**` needs a dict, not %s", dgv_type_name(dict));
        return;
    }
    for (size_t i = 0; !dg_failed(ev) && i < dict.as.dict->count && dg_step(ev, 1); i++) {
        if (!is_str(dict.as.dict->keys[i]))
            dg_type_error(ev, "the names of arguments are text");
        else
            add_named(ev, to, dict.as.dict->keys[i].as.s, dict.as.dict->values[i]);
    }
}

const DgValue *dg_args_named(const DgArgs *args, Str name)
{
    for (size_t i = 0; i < args->named_count; i++)
        if (str_eq(args->names[i], name))
            return &args->named[i];
    return NULL;
}

static size_t words_count(Str names)
{
    size_t n = 0;
    for (Str word; names.len; n++)
        str_cut(names, ' ', &word, &names);
    return n;
}

bool dg_args_spread(DgEval *ev, const char *what, const DgArgs *args, const char *names,
                    DgValue *values, size_t required)
{
    if (dg_failed(ev))
        return false;
    Str all = str_from(names);
    size_t count = words_count(all);
    if (args->count > count) {
        dg_type_error(ev, "%s takes at most %zu argument%s, not %zu", what, count,
                      count == 1 ? "" : "s", args->count);
        return false;
    }
    uint64_t given = 0;
    for (size_t i = 0; i < args->count; i++) {
        values[i] = args->items[i];
        given |= (uint64_t)1 << i;
    }
    for (size_t k = 0; k < args->named_count; k++) {
        Str rest = all, word = {0};
        size_t i = 0;
        for (; i < count; i++) {
            Str after = {0};
            word = str_cut(rest, ' ', &word, &after) ? word : rest;
            if (str_eq(word, args->names[k]))
                break;
            rest = after;
        }
        if (i == count || (given >> i & 1)) {
            dg_type_error(ev, i == count ? "%s has no argument `%.*s`"
                                         : "%s gets the argument `%.*s` twice",
                          what, FMT(args->names[k]));
            return false;
        }
        values[i] = args->named[k];
        given |= (uint64_t)1 << i;
    }
    for (size_t i = 0; i < required; i++)
        if (!(given >> i & 1)) {
            dg_type_error(ev, "%s needs %zu argument%s, got %zu", what, required,
                          required == 1 ? "" : "s", args->count + args->named_count);
            return false;
        }
    return true;
}

int64_t dg_want_int(DgEval *ev, DgValue v, const char *what)
{
    if (is_int(v))
        return int_of(v);
    dg_type_error(ev, "%s must be an integer, not %s", what, dgv_type_name(v));
    return 0;
}

Str dg_want_str(DgEval *ev, DgValue v, const char *what)
{
    if (is_str(v))
        return v.as.s;
    dg_type_error(ev, "%s must be a text, not %s", what, dgv_type_name(v));
    return (Str){"", 0};
}

/* ---- Parts ---- */

typedef struct Bound { /* a method of a value, not called yet */
    DgObject head;
    DgValue self;
    Str name;
} Bound;

static DgStatus bound_call(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                           DgError *err)
{
    const Bound *b = (const Bound *)self;
    *out = dg_call_method(ev, b->self, b->name.ptr, args);
    return dg_eval_status(ev, err);
}

static void bound_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    const Bound *m = (const Bound *)self;
    buf_format(b, "<built-in method %.*s of %s object>", FMT(m->name), dgv_type_name(m->self));
}

const DgObjectType dg_bound_type = {.name = "method", .call = bound_call, .write = bound_write};

static DgValue bind(DgEval *ev, DgValue self, Str name)
{
    Bound *b = dg_make(ev, Bound, 1);
    if (!b)
        return dgv_undefined();
    *b = (Bound){.head = {.type = &dg_bound_type}, .self = self, .name = str_copy(ev->arena, name)};
    return (DgValue){.kind = DG_V_FUNC, .as.object = &b->head};
}

/* DG_END: the object has no such attribute. */
static DgStatus object_attr(DgEval *ev, DgValue v, Str name, DgValue *out)
{
    const DgObjectType *type = v.as.object->type;
    if (!type->attr)
        return DG_END;
    DgError err = {0};
    DgStatus s = type->attr(ev, v.as.object, name, out, &err);
    if (s != DG_OK && s != DG_END)
        dg_settle(ev, s, &err, dgv_undefined());
    return s;
}

static DgStatus object_item(DgEval *ev, DgValue v, DgValue key, DgValue *out)
{
    const DgObjectType *type = v.as.object->type;
    if (!type->item)
        return DG_END;
    DgError err = {0};
    DgStatus s = type->item(ev, v.as.object, key, out, &err);
    if (s != DG_OK && s != DG_END)
        dg_settle(ev, s, &err, dgv_undefined());
    return s;
}

static DgValue part_of_undefined(DgEval *ev, DgValue v)
{
    return dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(v.as.s));
}

DgValue dg_attr(DgEval *ev, DgValue v, const char *name)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    Str wanted = str_from(name);
    if (is_undefined(v))
        return part_of_undefined(ev, v);
    if (is_object(v)) {
        DgValue out = dgv_undefined();
        DgStatus s = object_attr(ev, v, wanted, &out);
        if (s == DG_END)
            s = object_item(ev, v, dgv_from_str(wanted), &out);
        if (s == DG_OK)
            return dgv_taint(out, v.secret);
        return dg_undefined_named(wanted);
    }
    if (dg_is_method(v, wanted))
        return bind(ev, v, wanted);
    const DgValue *found = is_dict(v) ? dgv_get_str(v, wanted) : NULL;
    return found ? dgv_taint(*found, v.secret) : dg_undefined_named(wanted);
}

static DgValue character_at(DgValue s, int64_t index)
{
    ptrdiff_t count = utf8_count(s.as.s);
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return dg_undefined_named(S("index"));
    ptrdiff_t start = utf8_offset(s.as.s, index), at = start;
    utf8_next(s.as.s, &at);
    return dgv_taint(dgv_str(s.as.s.ptr + start, at - start), s.secret);
}

static DgValue indexed(DgValue v, int64_t index)
{
    if (is_str(v))
        return character_at(v, index);
    int64_t count = is_seq(v) ? (int64_t)v.as.list->count : (int64_t)v.as.s.len;
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return dg_undefined_named(S("index"));
    return is_seq(v) ? dgv_taint(v.as.list->items[index], v.secret)
                     : dgv_int((unsigned char)v.as.s.ptr[index]);
}

DgValue dg_item(DgEval *ev, DgValue v, DgValue key)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    if (is_undefined(v))
        return part_of_undefined(ev, v);
    if (is_dict(v) && dgv_hashable(key, 32)) {
        const DgValue *found = dgv_get(v, key);
        if (found)
            return dgv_taint(*found, v.secret);
    } else if ((is_seq(v) || is_str(v) || v.kind == DG_V_BYTES) && is_int(key)) {
        return indexed(v, int_of(key));
    } else if (is_object(v)) {
        DgValue out = dgv_undefined();
        if (object_item(ev, v, key, &out) == DG_OK)
            return dgv_taint(out, v.secret);
        if (dg_failed(ev))
            return dgv_undefined();
        if (is_str(key) && object_attr(ev, v, key.as.s, &out) == DG_OK)
            return dgv_taint(out, v.secret);
    }
    if (is_str(key) && dg_is_method(v, key.as.s))
        return bind(ev, v, key.as.s);
    return dg_undefined_named(is_str(key) ? key.as.s : S("item"));
}

/* Python's slice.indices(). False after an error. */
static bool slice_bounds(DgEval *ev, DgValue parts[3], int64_t count, int64_t *start, int64_t *stop,
                         int64_t *step)
{
    *step = is_none(parts[2]) ? 1 : dg_want_int(ev, parts[2], "a slice's step");
    if (!dg_failed(ev) && *step == 0)
        dg_error(ev, DG_DATA, "a slice's step cannot be zero");
    int64_t low = *step < 0 ? -1 : 0, high = *step < 0 ? count - 1 : count;
    int64_t *bounds[2] = {start, stop};
    for (int i = 0; i < 2; i++) {
        if (is_none(parts[i])) {
            *bounds[i] = (i == 0) == (*step > 0) ? low : high;
            continue;
        }
        int64_t at = dg_want_int(ev, parts[i], "a slice's bound");
        if (at < 0)
            at = at + count < low ? low : at + count;
        *bounds[i] = at > high ? high : at;
    }
    return !dg_failed(ev);
}

DgValue dg_slice(DgEval *ev, DgValue v, DgValue from, DgValue to, DgValue by)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    if (is_undefined(v))
        return part_of_undefined(ev, v);
    if (!is_seq(v) && !is_str(v) && v.kind != DG_V_BYTES)
        return dg_undefined_named(S("slice"));
    DgValue items = is_str(v) && !str_is_ascii(v.as.s) ? dg_iterate(ev, v) : v;
    if (dg_failed(ev))
        return dgv_undefined();
    bool flat = !is_seq(items);
    int64_t count = flat ? items.as.s.len : (int64_t)items.as.list->count, start, stop, step;
    if (!slice_bounds(ev, (DgValue[]){from, to, by}, count, &start, &stop, &step))
        return dgv_undefined();
    size_t n = 0;
    if (step > 0 && start < stop)
        n = (size_t)((stop - start - 1) / step + 1);
    else if (step < 0 && start > stop)
        n = (size_t)((start - stop - 1) / (step == INT64_MIN ? INT64_MAX : -step) + 1);
    if (flat || is_str(v)) {
        StrBuf b = dg_buf(ev);
        for (size_t i = 0; i < n; i++) {
            int64_t at = start + (int64_t)i * step;
            buf_add(&b, flat ? (Str){items.as.s.ptr + at, 1} : items.as.list->items[at].as.s);
        }
        DgValue s = dg_take_value(ev, &b, v.secret);
        s.kind = dg_failed(ev) ? s.kind : v.kind;
        return s;
    }
    DgValue list = dg_new_list(ev, n);
    for (size_t i = 0; i < n && !dg_failed(ev); i++)
        list.as.list->items[i] = items.as.list->items[start + (int64_t)i * step];
    list.kind = dg_failed(ev) ? list.kind : v.kind;
    return dgv_taint(list, v.secret);
}

/* ---- Calls ---- */

DgValue dg_call(DgEval *ev, DgValue callee, const DgArgs *args)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    if (is_undefined(callee))
        return part_of_undefined(ev, callee);
    if (!is_object(callee) || !callee.as.object->type->call)
        return dg_type_error(ev, "a value of type %s cannot be called", dgv_type_name(callee));
    if (!dg_enter(ev))
        return dgv_undefined();
    DgError err = {0};
    DgValue out = dgv_undefined();
    DgStatus s = callee.as.object->type->call(ev, callee.as.object, args, &out, &err);
    ev->depth_left++;
    return dg_settle(ev, s, &err, dgv_taint(out, callee.secret));
}

static bool args_secret(const DgArgs *args)
{
    for (size_t i = 0; i < args->count; i++)
        if (dgv_has_secret(args->items[i]))
            return true;
    for (size_t i = 0; i < args->named_count; i++)
        if (dgv_has_secret(args->named[i]))
            return true;
    return false;
}

static DgValue object_method(DgEval *ev, DgValue v, Str name, const DgArgs *args)
{
    const DgObjectType *type = v.as.object->type;
    DgError err = {0};
    DgValue out = dgv_undefined();
    if (type->method) {
        DgStatus s = type->method(ev, v.as.object, name, args, &out, &err);
        if (s != DG_END)
            return dg_settle(ev, s, &err, dgv_taint(out, v.secret));
    }
    if (object_attr(ev, v, name, &out) == DG_OK)
        return dg_call(ev, out, args);
    return dg_type_error(ev, "a value of type %s has no method `%.*s`", dgv_type_name(v),
                         FMT(name));
}

DgValue dg_call_method(DgEval *ev, DgValue v, const char *name, const DgArgs *args)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    if (is_undefined(v))
        return part_of_undefined(ev, v);
    Str wanted = str_from(name);
    if (is_object(v))
        return object_method(ev, v, wanted, args);
    bool found = false;
    DgValue out = dgv_undefined();
    if (is_str(v))
        out = dg_str_method(ev, v, wanted, args, &found);
    else if (is_seq(v))
        out = dg_list_method(ev, v, wanted, args, &found);
    else if (is_dict(v))
        out = dg_dict_method(ev, v, wanted, args, &found);
    if (found)
        return dgv_taint(out, v.secret || args_secret(args));
    const DgValue *member = is_dict(v) ? dgv_get_str(v, wanted) : NULL;
    if (member)
        return dg_call(ev, *member, args);
    return dg_type_error(ev, "a value of type %s has no method `%.*s`", dgv_type_name(v),
                         FMT(wanted));
}

void dg_set_attr(DgEval *ev, DgValue v, const char *name, DgValue to)
{
    if (!dg_step(ev, 1))
        return;
    if (!is_object(v) || !v.as.object->type->set_attr) {
        dg_type_error(ev, "only the attributes of a namespace() can be set, not those of %s",
                      dgv_type_name(v));
        return;
    }
    DgError err = {0};
    DgStatus s = v.as.object->type->set_attr(ev, v.as.object, str_from(name), to, &err);
    dg_settle(ev, s, &err, to);
}

/* ---- Loops ---- */

void dg_loop(DgEval *ev, DgLoop *loop, DgValue over)
{
    *loop = (DgLoop){0};
    loop->items = dg_iterate(ev, over);
    if (!dg_failed(ev))
        loop->loop = dg_loop_object(ev, loop);
}

void dg_unpack(DgEval *ev, DgValue v, DgValue *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = dgv_undefined();
    DgValue items = is_seq(v) ? v : dg_iterate(ev, v);
    if (dg_failed(ev))
        return;
    if (items.as.list->count != count) {
        dg_type_error(ev, "%zu values cannot be unpacked into %zu names", items.as.list->count,
                      count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        to[i] = dgv_taint(items.as.list->items[i], v.secret);
}
