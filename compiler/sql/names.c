/* names.c - which asset ref('orders'), source('raw', 'orders') and raw.orders mean. */
#include "compiler/sql/sql_internal.h"

static Str last_part(Str key)
{
    ptrdiff_t i = key.len;
    while (i > 0 && key.ptr[i - 1] != '/')
        i--;
    return str_sub(key, i, key.len);
}

/* ---- Indices, made when first asked for: every asset is declared by then ---- */

typedef struct NameIndex {
    Map by_name;  /* last part -> Array of assets */
    Map by_table; /* schema.table in lower case -> asset */
} NameIndex;
typedef Array(Asset *) Assets;

static Str table_id(Arena *a, Str schema, Str table)
{
    return str_lower(a, str_format(a, "%.*s.%.*s", FMT(schema.len ? schema : S("main")),
                                   FMT(table)));
}

static NameIndex *index_of(Plan *plan)
{
    Arena *a = plan->arena;
    SqlState *state = sql_state(plan);
    if (state->names)
        return state->names;
    NameIndex *x = state->names = push(a, NameIndex, 1);
    for (size_t i = 0; i < plan->assets.count; i++) {
        Asset *asset = plan->assets.items[i];
        if (asset->stub)
            continue;
        Str name = last_part(asset->key);
        Assets *list = map_get(&x->by_name, name);
        if (!list) {
            list = push(a, Assets, 1);
            map_put(a, &x->by_name, name, list);
        }
        array_add(a, list, asset);
        map_put(a, &x->by_table, table_id(a, asset->schema, asset->table), asset);
    }
    return x;
}

Asset *sql_find_table(Plan *plan, Str schema, Str table)
{
    NameIndex *x = index_of(plan);
    size_t mark = arena_mark(plan->arena);
    Asset *found = map_get(&x->by_table, table_id(plan->arena, schema, table));
    arena_pop(plan->arena, mark);
    return found;
}

/* ---- ref() ---- */

static void several(NameError *why, const Assets *found, Str name, DgError *err)
{
    StrBuf list = {0};
    for (size_t i = 0; i < found->count && i < 4; i++)
        buf_format(&list, "%sref('%.*s')", i ? ", " : "", FMT(found->items[i]->key));
    dg_fail(err, DG_DATA, "several assets are called `%.*s`", FMT(name));
    dg_hint(err, "write the whole key: %.*s", FMT(buf_str(&list)));
    buf_free(&list);
    *why = (NameError){.code = E0202};
}

static Asset *none(Plan *plan, NameError *why, const char *noun, Str name, bool whole, DgError *err)
{
    dg_fail(err, DG_DATA, "there is no %s `%.*s`", noun, FMT(name));
    *why = (NameError){.code = E0202, .wrong = name};
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *asset = plan->assets.items[i];
        if (!asset->stub)
            array_add(plan->arena, &why->near, whole ? asset->key : last_part(asset->key));
    }
    return NULL;
}

/* Of several with one name: the one beside the model that asks, else the only other model. */
static Asset *nearest(const Assets *found, Str from)
{
    Asset *model = NULL;
    size_t models = 0;
    Str folder = str_sub(from, 0, from.len - last_part(from).len);
    for (size_t i = 0; i < found->count; i++) {
        Asset *x = found->items[i];
        if (str_eq(str_sub(x->key, 0, x->key.len - last_part(x->key).len), folder))
            return x;
        if (str_eq(x->component, S("dgc.SqlModels"))) {
            model = x;
            models++;
        }
    }
    return models == 1 ? model : NULL;
}

Asset *sql_find_ref(Plan *plan, Str from, Str name, NameError *why, DgError *err)
{
    Asset *asset = plan_asset(plan, name);
    bool whole = str_find_char(name, '/') >= 0;
    if (asset && !asset->stub)
        return asset;
    const Assets *found = map_get(&index_of(plan)->by_name, name);
    if (found) {
        asset = found->count == 1 ? found->items[0] : nearest(found, from);
        if (!asset)
            several(why, found, name, err);
        return asset;
    }
    return none(plan, why, "model or asset", name, whole, err);
}

/* ---- source() ---- */

Asset *sql_find_source(Plan *plan, Str schema, Str name, NameError *why, DgError *err)
{
    Arena *a = plan->arena;
    Str key = str_format(a, "%.*s/%.*s", FMT(schema), FMT(name));
    Asset *asset = plan_asset(plan, key);
    if (asset && !asset->stub)
        return asset;
    dg_fail(err, DG_DATA, "there is no source `%.*s`", FMT(key));
    *why = (NameError){.code = E0202, .wrong = name};
    Str head = str_format(a, "%.*s/", FMT(schema));
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *x = plan->assets.items[i];
        if (!x->stub && str_starts(x->key, head))
            array_add(a, &why->near, str_sub(x->key, head.len, x->key.len));
    }
    if (why->near.count)
        return NULL;
    why->wrong = schema; /* no asset begins with it */
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *x = plan->assets.items[i];
        ptrdiff_t cut = x->key.len - last_part(x->key).len - 1;
        if (!x->stub && cut > 0)
            array_add(a, &why->near, str_sub(x->key, 0, cut));
    }
    return NULL;
}
