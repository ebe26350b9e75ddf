/* methods_seq.c - the methods of list, tuple and dict. */
#include "runtime/eval/internal.h"

static bool no_args(DgEval *ev, const DgArgs *args)
{
    return dg_args_spread(ev, "the method", args, "", NULL, 0);
}

static ptrdiff_t position(DgValue list, DgValue item)
{
    for (size_t i = 0; i < list.as.list->count; i++)
        if (dgv_equal(list.as.list->items[i], item))
            return (ptrdiff_t)i;
    return -1;
}

static void remove_at(DgValueList *l, size_t at)
{
    memmove(l->items + at, l->items + at + 1, (l->count - at - 1) * sizeof *l->items);
    l->count--;
}

static DgValue list_pop(DgEval *ev, DgValue self, const DgArgs *args)
{
    DgValue at = dgv_int(-1);
    if (!dg_args_spread(ev, "pop()", args, "index", &at, 0))
        return dgv_undefined();
    int64_t count = (int64_t)self.as.list->count, i = dg_want_int(ev, at, "the index of pop()");
    i = i < 0 ? i + count : i;
    if (i < 0 || i >= count)
        return dg_error(ev, DG_DATA, "pop() from a list of %lld", (long long)count);
    DgValue v = self.as.list->items[i];
    remove_at(self.as.list, (size_t)i);
    return v;
}

static DgValue list_insert(DgEval *ev, DgValue self, const DgArgs *args)
{
    DgValue v[2];
    if (!dg_args_spread(ev, "insert()", args, "index object", v, 2))
        return dgv_undefined();
    int64_t count = (int64_t)self.as.list->count, i = dg_want_int(ev, v[0], "the index");
    i = i < 0 ? (i + count < 0 ? 0 : i + count) : i > count ? count : i;
    dg_append(ev, self, v[1]);
    if (dg_failed(ev))
        return dgv_undefined();
    DgValue *items = self.as.list->items;
    memmove(items + i + 1, items + i, (size_t)(count - i) * sizeof *items);
    items[i] = v[1];
    return dgv_none();
}

static DgValue list_extend(DgEval *ev, DgValue self, const DgArgs *args)
{
    DgValue more;
    if (!dg_args_spread(ev, "extend()", args, "iterable", &more, 1))
        return dgv_undefined();
    DgValue both = self;
    both = dg_add(ev, both, dg_iterate(ev, more));
    if (!dg_failed(ev))
        *self.as.list = *both.as.list;
    return dgv_none();
}

static DgValue list_sort(DgEval *ev, DgValue self, const DgArgs *args)
{
    DgValue reverse = dgv_bool(false);
    if (args->count || !dg_args_spread(ev, "sort()", args, "reverse", &reverse, 0))
        return dg_type_error(ev, "sort() takes only reverse=");
    dg_sort_values(ev, self.as.list->items, NULL, self.as.list->count, dg_truthy(ev, reverse));
    return dgv_none();
}

static DgValue list_index(DgEval *ev, DgValue self, const DgArgs *args, bool count)
{
    DgValue item;
    if (!dg_args_spread(ev, count ? "count()" : "index()", args, "value", &item, 1))
        return dgv_undefined();
    if (count) {
        int64_t n = 0;
        for (size_t i = 0; i < self.as.list->count; i++)
            n += dgv_equal(self.as.list->items[i], item);
        return dgv_int(n);
    }
    ptrdiff_t at = position(self, item);
    return at < 0 ? dg_error(ev, DG_DATA, "the value is not in the list") : dgv_int(at);
}

static DgValue list_change(DgEval *ev, DgValue self, Str name, const DgArgs *args, bool *found)
{
    DgValue v;
    DgValueList *l = self.as.list;
    if (str_eq(name, S("append"))) {
        if (dg_args_spread(ev, "append()", args, "object", &v, 1))
            dg_append(ev, self, v);
    } else if (str_eq(name, S("remove"))) {
        if (dg_args_spread(ev, "remove()", args, "value", &v, 1)) {
            ptrdiff_t at = position(self, v);
            if (at < 0)
                return dg_error(ev, DG_DATA, "the value is not in the list");
            remove_at(l, (size_t)at);
        }
    } else if (str_eq(name, S("clear"))) {
        if (no_args(ev, args))
            l->count = 0;
    } else if (str_eq(name, S("reverse"))) {
        for (size_t i = 0; no_args(ev, args) && i < l->count / 2; i++) {
            v = l->items[i];
            l->items[i] = l->items[l->count - 1 - i];
            l->items[l->count - 1 - i] = v;
        }
    } else {
        *found = false;
    }
    return dgv_none();
}

DgValue dg_list_method(DgEval *ev, DgValue self, Str name, const DgArgs *args, bool *found)
{
    *found = true;
    if (str_eq(name, S("index")) || str_eq(name, S("count")))
        return list_index(ev, self, args, name.ptr[0] == 'c');
    if (self.kind == DG_V_TUPLE) {
        *found = false;
        return dgv_undefined();
    }
    if (str_eq(name, S("pop")))
        return list_pop(ev, self, args);
    if (str_eq(name, S("insert")))
        return list_insert(ev, self, args);
    if (str_eq(name, S("extend")))
        return list_extend(ev, self, args);
    if (str_eq(name, S("sort")))
        return list_sort(ev, self, args);
    if (str_eq(name, S("copy")))
        return dg_list(ev, self.as.list->items, self.as.list->count);
    return list_change(ev, self, name, args, found);
}

/* ---- dict ---- */

/* keys(), values() and items() are views in Python; here they are lists that print as views. */
static DgValue dict_pairs(DgEval *ev, const DgValueDict *d)
{
    DgValue list = dg_new_list(ev, d->count);
    for (size_t i = 0; i < d->count && !dg_failed(ev); i++)
        list.as.list->items[i] = dg_tuple(ev, (DgValue[]){d->keys[i], d->values[i]}, 2);
    return list;
}

static void dict_remove(DgValueDict *d, size_t at)
{
    memmove(d->keys + at, d->keys + at + 1, (d->count - at - 1) * sizeof *d->keys);
    memmove(d->values + at, d->values + at + 1, (d->count - at - 1) * sizeof *d->values);
    d->count--;
}

static DgValue dict_pop(DgEval *ev, DgValue self, const DgArgs *args)
{
    DgValue v[2] = {[1] = dgv_undefined()};
    if (!dg_args_spread(ev, "pop()", args, "key default", v, 1))
        return dgv_undefined();
    const DgValue *found = dgv_get(self, v[0]);
    if (!found) {
        if (args->count + args->named_count < 2)
            return dg_error(ev, DG_DATA, "the key is not in the dict");
        return v[1];
    }
    DgValue out = *found;
    dict_remove(self.as.dict, (size_t)(found - self.as.dict->values));
    return out;
}

/* update(other), update(pairs), update(a=1) */
static DgValue dict_update(DgEval *ev, DgValue self, const DgArgs *args)
{
    if (args->count > 1)
        return dg_type_error(ev, "update() takes at most 1 argument");
    if (args->count && is_dict(args->items[0])) {
        const DgValueDict *d = args->items[0].as.dict;
        for (size_t i = 0; i < d->count; i++)
            dg_put(ev, self, d->keys[i], d->values[i]);
    } else if (args->count) {
        DgValue pairs = dg_iterate(ev, args->items[0]);
        for (size_t i = 0; !dg_failed(ev) && i < pairs.as.list->count; i++) {
            DgValue kv[2];
            dg_unpack(ev, pairs.as.list->items[i], kv, 2);
            dg_put(ev, self, kv[0], kv[1]);
        }
    }
    for (size_t i = 0; i < args->named_count; i++)
        dg_put(ev, self, dgv_from_str(args->names[i]), args->named[i]);
    return dgv_none();
}

static DgValue dict_get(DgEval *ev, DgValue self, Str name, const DgArgs *args)
{
    DgValue v[2] = {[1] = dgv_none()};
    if (!dg_args_spread(ev, name.ptr[0] == 'g' ? "get()" : "setdefault()", args, "key default", v,
                        1))
        return dgv_undefined();
    if (!dgv_hashable(v[0], 32))
        return dg_type_error(ev, "a %s cannot be a key of a dict", dgv_type_name(v[0]));
    const DgValue *found = dgv_get(self, v[0]);
    if (found)
        return *found;
    if (name.ptr[0] == 's')
        dg_put(ev, self, v[0], v[1]);
    return v[1];
}

DgValue dg_dict_method(DgEval *ev, DgValue self, Str name, const DgArgs *args, bool *found)
{
    DgValueDict *d = self.as.dict;
    *found = true;
    if (str_eq(name, S("get")) || str_eq(name, S("setdefault")))
        return dict_get(ev, self, name, args);
    if (str_eq(name, S("pop")))
        return dict_pop(ev, self, args);
    if (str_eq(name, S("update")))
        return dict_update(ev, self, args);
    *found = dg_is_method(self, name);
    if (!*found || !no_args(ev, args))
        return dgv_undefined();
    if (str_eq(name, S("items")))
        return dict_pairs(ev, d);
    if (str_eq(name, S("keys")))
        return dg_list(ev, d->keys, d->count);
    if (str_eq(name, S("values")))
        return dg_list(ev, d->values, d->count);
    if (str_eq(name, S("copy")))
        return dg_dict(ev, d->keys, d->values, d->count);
    if (str_eq(name, S("clear"))) {
        d->count = 0;
        return dgv_none();
    }
    if (!d->count) /* popitem() */
        return dg_error(ev, DG_DATA, "popitem() from an empty dict");
    d->count--;
    return dg_tuple(ev, (DgValue[]){d->keys[d->count], d->values[d->count]}, 2);
}
