/* filters_seq.c - filters over sequences. */
#include "runtime/eval/internal.h"

#define SPREAD(name, names, required)                                        \
    if (!dg_args_spread(ev, "the filter `" name "`", args, names, v, required)) \
    return dgv_undefined()

typedef Array(DgValue) Values;

static void add(DgEval *ev, Values *list, DgValue v)
{
    if (dg_step(ev, 1))
        array_add(ev->arena, list, v);
}

static DgValue finish(DgEval *ev, const Values *list, bool secret)
{
    return dgv_taint(dg_list(ev, list->items, list->count), secret);
}

/* Sorting and comparing ignore case unless asked not to. */
static DgValue folded(DgEval *ev, DgValue v, bool case_sensitive)
{
    return is_str(v) && !case_sensitive ? dg_lower(ev, v) : v;
}

/* attribute='a.b.0': names and indexes, separated by dots; an integer is an index. */
DgValue dg_attr_path(DgEval *ev, DgValue v, DgValue path)
{
    if (is_none(path))
        return v;
    if (is_int(path))
        return dg_item(ev, v, path);
    Str rest = dg_want_str(ev, path, "the attribute"), part;
    for (bool more = !dg_failed(ev); more;) {
        more = str_cut(rest, '.', &part, &rest);
        bool digits = part.len > 0;
        for (ptrdiff_t i = 0; i < part.len; i++)
            digits = digits && part.ptr[i] >= '0' && part.ptr[i] <= '9';
        int64_t index;
        digits = digits && str_to_int(part, &index);
        v = dg_item(ev, v, digits ? dgv_int(index) : dgv_from_str(part));
    }
    return v;
}

/* ---- Sorting: a stable merge sort of keys, with values along ---- */

static void merge(DgEval *ev, DgValue *keys, DgValue *values, DgValue *room, size_t n, bool reverse)
{
    if (n < 2 || !dg_step(ev, n))
        return;
    size_t half = n / 2, i = 0, j = half, k = 0;
    merge(ev, keys, values, room, half, reverse);
    merge(ev, keys + half, values ? values + half : NULL, room, n - half, reverse);
    while (i < half && j < n && !dg_failed(ev)) {
        bool right = !dgv_equal(keys[i], keys[j]) &&
                     (reverse ? dg_lt(ev, keys[i], keys[j]) : dg_lt(ev, keys[j], keys[i]));
        size_t from = right ? j++ : i++;
        room[k] = keys[from];
        if (values)
            room[n + k] = values[from];
        k++;
    }
    if (dg_failed(ev))
        return;
    for (; i < half; i++, k++) {
        room[k] = keys[i];
        if (values)
            room[n + k] = values[i];
    }
    memcpy(keys, room, k * sizeof *keys);
    if (values)
        memcpy(values, room + n, k * sizeof *values);
}

void dg_sort_values(DgEval *ev, DgValue *keys, DgValue *values, size_t count, bool reverse)
{
    DgValue *room = count > 1 ? dg_make(ev, DgValue, count * 2) : NULL;
    if (room)
        merge(ev, keys, values, room, count, reverse);
}

/* The key of an item: one attribute, or a list of several ('a,b'). */
static DgValue sort_key(DgEval *ev, DgValue item, DgValue attribute, bool case_sensitive)
{
    if (!is_str(attribute) || str_find_char(attribute.as.s, ',') < 0)
        return folded(ev, dg_attr_path(ev, item, attribute), case_sensitive);
    DgValue list = dg_new_list(ev, 0);
    Str rest = attribute.as.s, part;
    for (bool more = true; more && !dg_failed(ev);) {
        more = str_cut(rest, ',', &part, &rest);
        dg_append(ev, list, folded(ev, dg_attr_path(ev, item, dgv_from_str(part)), case_sensitive));
    }
    return list;
}

static DgValue sorted(DgEval *ev, DgValue items, DgValue attribute, bool case_sensitive,
                      bool reverse)
{
    DgValue keys = dg_new_list(ev, dg_failed(ev) ? 0 : items.as.list->count);
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count; i++)
        keys.as.list->items[i] = sort_key(ev, items.as.list->items[i], attribute, case_sensitive);
    if (!dg_failed(ev))
        dg_sort_values(ev, keys.as.list->items, items.as.list->items, items.as.list->count,
                       reverse);
    return dg_failed(ev) ? dgv_undefined() : items;
}

DgValue dg_filter_sort(DgEval *ev, const DgArgs *args)
{
    DgValue v[4] = {[1] = dgv_bool(false), dgv_bool(false), dgv_none()};
    SPREAD("sort", "value reverse case_sensitive attribute", 1);
    return sorted(ev, dg_iterate(ev, v[0]), v[3], dg_truthy(ev, v[2]), dg_truthy(ev, v[1]));
}

DgValue dg_filter_dictsort(DgEval *ev, const DgArgs *args)
{
    DgValue v[4] = {[1] = dgv_bool(false), dgv_str("key", 3), dgv_bool(false)};
    SPREAD("dictsort", "value case_sensitive by reverse", 1);
    Str by = dg_want_str(ev, v[2], "`by`");
    bool keys = str_eq(by, S("key"));
    if (!keys && !str_eq(by, S("value")))
        return dg_error(ev, DG_DATA, "dictsort sorts by 'key' or by 'value'");
    DgValue items = dg_call_method(ev, v[0], "items", DG_NO_ARGS);
    return sorted(ev, items, dgv_int(keys ? 0 : 1), dg_truthy(ev, v[1]), dg_truthy(ev, v[3]));
}

/* ---- One out of many ---- */

DgValue dg_filter_first(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("first", "seq", 1);
    DgValue items = dg_iterate(ev, v[0]);
    if (dg_failed(ev) || !items.as.list->count)
        return dg_undefined_named(S("first"));
    return dgv_taint(items.as.list->items[0], v[0].secret);
}

DgValue dg_filter_last(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("last", "seq", 1);
    DgValue items = dg_iterate(ev, v[0]);
    if (dg_failed(ev) || !items.as.list->count)
        return dg_undefined_named(S("last"));
    return dgv_taint(items.as.list->items[items.as.list->count - 1], v[0].secret);
}

static DgValue extreme(DgEval *ev, const DgArgs *args, bool largest)
{
    DgValue v[3] = {[1] = dgv_bool(false), dgv_none()};
    SPREAD("min` or `max", "value case_sensitive attribute", 1);
    DgValue items = dg_iterate(ev, v[0]), best = dg_undefined_named(S("min")), best_key = best;
    bool case_sensitive = dg_truthy(ev, v[1]);
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count; i++) {
        DgValue item = items.as.list->items[i];
        DgValue key = folded(ev, dg_attr_path(ev, item, v[2]), case_sensitive);
        if (i == 0 || (largest ? dg_gt(ev, key, best_key) : dg_lt(ev, key, best_key))) {
            best = item;
            best_key = key;
        }
    }
    return dgv_taint(best, v[0].secret);
}

DgValue dg_filter_min(DgEval *ev, const DgArgs *args) { return extreme(ev, args, false); }
DgValue dg_filter_max(DgEval *ev, const DgArgs *args) { return extreme(ev, args, true); }

DgValue dg_filter_length(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("length", "obj", 1);
    int64_t n;
    if (is_str(v[0]))
        n = utf8_count(v[0].as.s);
    else if (v[0].kind == DG_V_BYTES)
        n = v[0].as.s.len;
    else if (is_dict(v[0]))
        n = (int64_t)v[0].as.dict->count;
    else if (is_undefined(v[0]))
        n = 0;
    else {
        DgValue items = is_seq(v[0]) ? v[0] : dg_iterate(ev, v[0]);
        if (dg_failed(ev))
            return dgv_undefined();
        n = (int64_t)items.as.list->count;
    }
    return dgv_taint(dgv_int(n), v[0].secret);
}

DgValue dg_filter_sum(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[1] = dgv_none(), dgv_int(0)};
    SPREAD("sum", "iterable attribute start", 1);
    DgValue items = dg_iterate(ev, v[0]), total = v[2];
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count; i++) {
        DgValue item = dg_attr_path(ev, items.as.list->items[i], v[1]);
        if (is_str(item))
            return dg_type_error(ev, "sum does not add text");
        total = dg_add(ev, total, item);
    }
    return dgv_taint(total, v[0].secret);
}

/* ---- Whole sequences ---- */

DgValue dg_filter_list(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("list", "value", 1);
    return dg_iterate(ev, v[0]);
}

DgValue dg_filter_items(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("items", "value", 1);
    if (is_undefined(v[0]))
        return dg_new_list(ev, 0);
    if (!is_dict(v[0]))
        return dg_type_error(ev, "items needs a dict, not %s", dgv_type_name(v[0]));
    return dg_call_method(ev, v[0], "items", DG_NO_ARGS);
}

DgValue dg_filter_reverse(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("reverse", "value", 1);
    if (is_str(v[0]))
        return dg_slice(ev, v[0], dgv_none(), dgv_none(), dgv_int(-1));
    return dg_slice(ev, dg_iterate(ev, v[0]), dgv_none(), dgv_none(), dgv_int(-1));
}

DgValue dg_join(DgEval *ev, Str separator, DgValue list, bool strict)
{
    DgValue items = dg_iterate(ev, list);
    StrBuf b = dg_buf(ev);
    bool secret = list.secret;
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count && dg_step(ev, 1); i++) {
        DgValue item = items.as.list->items[i];
        if (strict && !is_str(item))
            dg_type_error(ev, "join() needs text, not %s", dgv_type_name(item));
        if (i)
            buf_add(&b, separator);
        dg_write_str(ev, &b, item);
        secret = secret || dgv_has_secret(item);
    }
    return dg_take_value(ev, &b, secret);
}

DgValue dg_filter_join(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[1] = dgv_str("", 0), dgv_none()};
    SPREAD("join", "value d attribute", 1);
    DgValue items = dg_iterate(ev, v[0]);
    for (size_t i = 0; !is_none(v[2]) && !dg_failed(ev) && i < items.as.list->count; i++)
        items.as.list->items[i] = dg_attr_path(ev, items.as.list->items[i], v[2]);
    return dg_failed(ev) ? items : dg_join(ev, dg_to_str(ev, v[1]), items, false);
}

DgValue dg_filter_unique(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[1] = dgv_bool(false), dgv_none()};
    SPREAD("unique", "value case_sensitive attribute", 1);
    DgValue items = dg_iterate(ev, v[0]), seen = dg_new_dict(ev);
    bool case_sensitive = dg_truthy(ev, v[1]);
    Values out = {0};
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count; i++) {
        DgValue item = items.as.list->items[i];
        DgValue key = folded(ev, dg_attr_path(ev, item, v[2]), case_sensitive);
        if (!dg_failed(ev) && dgv_get(seen, key))
            continue;
        dg_put(ev, seen, key, dgv_none());
        add(ev, &out, item);
    }
    return finish(ev, &out, v[0].secret);
}

DgValue dg_filter_batch(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[2] = dgv_none()};
    SPREAD("batch", "value linecount fill_with", 2);
    int64_t size = dg_want_int(ev, v[1], "the size of a batch");
    DgValue items = dg_iterate(ev, v[0]);
    Values out = {0}, row = {0};
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count; i++) {
        if ((int64_t)row.count == size) {
            add(ev, &out, dg_list(ev, row.items, row.count));
            row.count = 0;
        }
        add(ev, &row, items.as.list->items[i]);
    }
    if (row.count) {
        while (!is_none(v[2]) && (int64_t)row.count < size && !dg_failed(ev))
            add(ev, &row, v[2]);
        add(ev, &out, dg_list(ev, row.items, row.count));
    }
    return finish(ev, &out, v[0].secret);
}

DgValue dg_filter_slice(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[2] = dgv_none()};
    SPREAD("slice", "value slices fill_with", 2);
    int64_t slices = dg_want_int(ev, v[1], "the number of slices"), at = 0;
    DgValue items = dg_iterate(ev, v[0]);
    Values out = {0};
    if (!dg_failed(ev) && slices == 0)
        return dg_error(ev, DG_DATA, "division by zero");
    for (int64_t i = 0; i < slices && !dg_failed(ev); i++) {
        int64_t count = (int64_t)items.as.list->count, each = count / slices, more = count % slices;
        int64_t take = each + (i < more);
        DgValue row = dg_list(ev, take ? items.as.list->items + at : NULL, (size_t)take);
        if (!is_none(v[2]) && more && i >= more)
            dg_append(ev, row, v[2]);
        add(ev, &out, row);
        at += take;
    }
    return finish(ev, &out, v[0].secret);
}

/* Pairs (grouper, list), sorted; a pair is a tuple whose parts also have names. */
DgValue dg_filter_groupby(DgEval *ev, const DgArgs *args)
{
    DgValue v[4] = {[2] = dgv_none(), dgv_bool(false)};
    SPREAD("groupby", "value attribute default case_sensitive", 2);
    bool case_sensitive = dg_truthy(ev, v[3]);
    DgValue items = dg_iterate(ev, v[0]);
    size_t n = dg_failed(ev) ? 0 : items.as.list->count;
    DgValue keys = dg_new_list(ev, n);
    for (size_t i = 0; i < n && !dg_failed(ev); i++) {
        DgValue key = dg_attr_path(ev, items.as.list->items[i], v[1]);
        keys.as.list->items[i] = folded(ev, is_undefined(key) && !is_none(v[2]) ? v[2] : key,
                                        case_sensitive);
    }
    if (!dg_failed(ev))
        dg_sort_values(ev, keys.as.list->items, items.as.list->items, n, false);
    Values out = {0};
    for (size_t i = 0; i < n && !dg_failed(ev);) {
        size_t j = i;
        while (j < n && dgv_equal(keys.as.list->items[i], keys.as.list->items[j]))
            j++;
        DgValue name = dg_attr_path(ev, items.as.list->items[i], v[1]);
        name = is_undefined(name) && !is_none(v[2]) ? v[2] : name;
        add(ev, &out, dg_group(ev, name, dg_list(ev, items.as.list->items + i, j - i)));
        i = j;
    }
    return finish(ev, &out, v[0].secret);
}

/* ---- map, select, reject ---- */

static DgArgs rest_of(const DgArgs *args, size_t skip, DgValue *room, DgValue item)
{
    DgArgs out = *args;
    size_t n = args->count > skip ? args->count - skip : 0;
    room[0] = item;
    for (size_t i = 0; i < n; i++)
        room[i + 1] = args->items[skip + i];
    out.items = room;
    out.count = n + 1;
    return out;
}

static DgValue map_attribute(DgEval *ev, const DgArgs *args, DgValue items)
{
    const DgValue *attribute = dg_args_named(args, S("attribute"));
    const DgValue *fallback = dg_args_named(args, S("default"));
    if (!attribute || args->named_count > 1 + (fallback != NULL))
        return dg_type_error(ev, "map needs the name of a filter or `attribute=`");
    Values out = {0};
    for (size_t i = 0; !dg_failed(ev) && i < items.as.list->count; i++) {
        DgValue v = dg_attr_path(ev, items.as.list->items[i], *attribute);
        add(ev, &out, is_undefined(v) && fallback ? *fallback : v);
    }
    return finish(ev, &out, false);
}

DgValue dg_filter_map(DgEval *ev, const DgArgs *args)
{
    if (!args->count)
        return dg_type_error(ev, "map needs a sequence");
    DgValue items = dg_iterate(ev, args->items[0]);
    if (dg_failed(ev))
        return dgv_undefined();
    bool secret = args->items[0].secret;
    if (args->count < 2)
        return dgv_taint(map_attribute(ev, args, items), secret);
    Str name = dg_want_str(ev, args->items[1], "the name of the filter");
    DgFilterFn filter = dg_filter_find(name, NULL);
    if (!dg_failed(ev) && !filter)
        return dg_error(ev, DG_DATA, "there is no filter `%.*s`", FMT(name));
    DgValue *room = dg_make(ev, DgValue, args->count);
    Values out = {0};
    for (size_t i = 0; room && !dg_failed(ev) && i < items.as.list->count; i++) {
        DgArgs call = rest_of(args, 2, room, items.as.list->items[i]);
        if (dg_enter(ev)) {
            add(ev, &out, filter(ev, &call));
            ev->depth_left++;
        }
    }
    return finish(ev, &out, secret);
}

static DgValue choose(DgEval *ev, const DgArgs *args, bool keep, bool by_attribute)
{
    size_t skip = by_attribute ? 2 : 1;
    if (args->count < skip)
        return dg_type_error(ev, "the filter needs a sequence%s",
                             by_attribute ? " and an attribute" : "");
    DgValue items = dg_iterate(ev, args->items[0]);
    DgTestFn test = NULL;
    if (args->count > skip) {
        Str name = dg_want_str(ev, args->items[skip], "the name of the test");
        test = dg_test_find(name, NULL);
        if (!dg_failed(ev) && !test)
            return dg_error(ev, DG_DATA, "there is no test `%.*s`", FMT(name));
    }
    DgValue *room = dg_make(ev, DgValue, args->count + 1);
    Values out = {0};
    for (size_t i = 0; room && !dg_failed(ev) && i < items.as.list->count; i++) {
        DgValue item = items.as.list->items[i];
        DgValue tested = by_attribute ? dg_attr_path(ev, item, args->items[1]) : item;
        DgArgs call = rest_of(args, skip + 1, room, tested);
        if ((test ? test(ev, &call) : dg_truthy(ev, tested)) == keep)
            add(ev, &out, item);
    }
    return finish(ev, &out, args->items[0].secret);
}

DgValue dg_filter_select(DgEval *ev, const DgArgs *args)
{
    return choose(ev, args, true, false);
}

DgValue dg_filter_reject(DgEval *ev, const DgArgs *args)
{
    return choose(ev, args, false, false);
}

DgValue dg_filter_selectattr(DgEval *ev, const DgArgs *args)
{
    return choose(ev, args, true, true);
}

DgValue dg_filter_rejectattr(DgEval *ev, const DgArgs *args)
{
    return choose(ev, args, false, true);
}
