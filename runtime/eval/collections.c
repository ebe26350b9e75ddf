/* collections.c - lists and dicts, and iterating over anything. */
#include "runtime/eval/internal.h"

static DgValue new_seq(DgEval *ev, uint8_t kind, const DgValue *items, size_t count)
{
    if (!dg_step(ev, 1 + count / 8))
        return dgv_undefined();
    DgValueList *list = dg_make(ev, DgValueList, 1);
    DgValue *copy = count ? dg_make(ev, DgValue, count) : NULL;
    if (!list || (count && !copy))
        return dgv_undefined();
    *list = (DgValueList){copy, count};
    for (size_t i = 0; i < count; i++)
        copy[i] = items ? items[i] : dgv_none();
    return (DgValue){.kind = kind, .as.list = list};
}

DgValue dg_list(DgEval *ev, const DgValue *items, size_t count)
{
    return new_seq(ev, DG_V_LIST, items, count);
}

DgValue dg_tuple(DgEval *ev, const DgValue *items, size_t count)
{
    return new_seq(ev, DG_V_TUPLE, items, count);
}

DgValue dg_new_list(DgEval *ev, size_t count)
{
    return new_seq(ev, DG_V_LIST, NULL, count);
}

/* Lists and dicts have no spare room, since components build them by hand too: adding copies. The
 * price in steps keeps that bounded; what builds long lists here fills them in directly. */
void dg_append(DgEval *ev, DgValue list, DgValue item)
{
    if (dg_failed(ev) || !is_seq(list) || !dg_step(ev, 1 + list.as.list->count / 8))
        return;
    DgValueList *l = list.as.list;
    DgValue *items = dg_make(ev, DgValue, l->count + 1);
    if (!items)
        return;
    if (l->count)
        memcpy(items, l->items, l->count * sizeof *items);
    items[l->count] = item;
    l->items = items;
    l->count++;
}

DgValue dg_new_dict(DgEval *ev)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    DgValueDict *dict = dg_make(ev, DgValueDict, 1);
    if (!dict)
        return dgv_undefined();
    *dict = (DgValueDict){0};
    return (DgValue){.kind = DG_V_DICT, .as.dict = dict};
}

static ptrdiff_t dict_find(const DgValueDict *d, DgValue key)
{
    if (key.kind == DG_V_STR) {
        for (size_t i = 0; i < d->count; i++)
            if (d->keys[i].kind == DG_V_STR && str_eq(d->keys[i].as.s, key.as.s))
                return (ptrdiff_t)i;
        return -1;
    }
    for (size_t i = 0; i < d->count; i++)
        if (dgv_equal(d->keys[i], key))
            return (ptrdiff_t)i;
    return -1;
}

const DgValue *dgv_get(DgValue dict, DgValue key)
{
    if (!is_dict(dict))
        return NULL;
    ptrdiff_t i = dict_find(dict.as.dict, key);
    return i < 0 ? NULL : &dict.as.dict->values[i];
}

const DgValue *dgv_get_str(DgValue dict, Str key)
{
    return dgv_get(dict, dgv_from_str(key));
}

static void dict_add(DgEval *ev, DgValueDict *d, DgValue key, DgValue value)
{
    size_t n = d->count;
    DgValue *block = dg_make(ev, DgValue, (n + 1) * 2);
    if (!block)
        return;
    if (n) {
        memcpy(block, d->keys, n * sizeof *block);
        memcpy(block + n + 1, d->values, n * sizeof *block);
    }
    d->keys = block;
    d->values = block + n + 1;
    d->keys[n] = key;
    d->values[n] = value;
    d->count++;
}

void dg_put(DgEval *ev, DgValue dict, DgValue key, DgValue value)
{
    if (dg_failed(ev) || !is_dict(dict) || !dg_step(ev, 1 + dict.as.dict->count / 8))
        return;
    if (!dgv_hashable(key, 32)) {
        dg_type_error(ev, "a %s cannot be a key of a dict", dgv_type_name(key));
        return;
    }
    ptrdiff_t i = dict_find(dict.as.dict, key);
    if (i >= 0)
        dict.as.dict->values[i] = value;
    else
        dict_add(ev, dict.as.dict, key, value);
}

void dg_put_str(DgEval *ev, DgValue dict, const char *key, DgValue value)
{
    dg_put(ev, dict, dgv_from_str(str_from(key)), value);
}

DgValue dg_dict(DgEval *ev, const DgValue *keys, const DgValue *values, size_t count)
{
    DgValue v = dg_new_dict(ev);
    DgValue *block = count ? dg_make(ev, DgValue, count * 2) : NULL;
    if (!block)
        return v;
    DgValueDict *d = v.as.dict;
    d->keys = block;
    d->values = block + count;
    for (size_t i = 0; i < count && dg_step(ev, 1 + i / 16); i++) {
        if (!dgv_hashable(keys[i], 32))
            return dg_type_error(ev, "a %s cannot be a key of a dict", dgv_type_name(keys[i]));
        ptrdiff_t at = dict_find(d, keys[i]);
        if (at < 0) {
            at = (ptrdiff_t)d->count++;
            d->keys[at] = keys[i];
        }
        d->values[at] = values[i];
    }
    return v;
}

static DgValue characters(DgEval *ev, DgValue s)
{
    DgValue list = dg_new_list(ev, (size_t)utf8_count(s.as.s));
    if (dg_failed(ev))
        return list;
    ptrdiff_t at = 0;
    for (size_t i = 0; i < list.as.list->count; i++) {
        ptrdiff_t start = at;
        utf8_next(s.as.s, &at);
        list.as.list->items[i] = dgv_taint(dgv_str(s.as.s.ptr + start, at - start), s.secret);
    }
    return list;
}

DgValue dg_iterate(DgEval *ev, DgValue v)
{
    if (dg_failed(ev))
        return dgv_undefined();
    switch ((DgValueKind)v.kind) {
    case DG_V_LIST:
    case DG_V_TUPLE: return dgv_taint(dg_list(ev, v.as.list->items, v.as.list->count), v.secret);
    case DG_V_STR: return characters(ev, v);
    case DG_V_DICT: return dgv_taint(dg_list(ev, v.as.dict->keys, v.as.dict->count), v.secret);
    case DG_V_UNDEFINED: return dg_new_list(ev, 0);
    case DG_V_BYTES: {
        DgValue list = dg_new_list(ev, (size_t)v.as.s.len);
        for (ptrdiff_t i = 0; i < v.as.s.len && !dg_failed(ev); i++)
            list.as.list->items[i] = dgv_int((unsigned char)v.as.s.ptr[i]);
        return list;
    }
    case DG_V_OBJECT:
        if (v.as.object->type->iterate) {
            DgError err = {0};
            DgValue list = dgv_undefined();
            DgStatus s = v.as.object->type->iterate(ev, v.as.object, &list, &err);
            return dg_settle(ev, s, &err, list);
        }
        break;
    default: break;
    }
    return dg_type_error(ev, "%s cannot be iterated over", dgv_type_name(v));
}
