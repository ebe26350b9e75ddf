/* load_plan.c - the columns of the rows against the columns of the table: what they are called, which
 * are new, which need a wider type, and what the contract says about it. */
#include "runtime/data/value_text.h"
#include "runtime/load/load_internal.h"
#include "runtime/os/os.h"

/* ---- Types ---- */

/* What a type is read as once the engine has stored it: utinyint comes back as smallint. */
static DgType as_stored(const DgDialect *d, DgType type)
{
    StrBuf b = {.max = 256};
    DgType out = {DG_TEXT, 0, 0};
    d->type(&b, type, 0);
    if (!d->type_from(buf_str(&b), &out))
        out = (DgType){DG_TEXT, 0, 0};
    buf_free(&b);
    return out;
}

static bool same_type(DgType a, DgType b)
{
    return a.kind == b.kind && (a.kind != DG_DECIMAL || (a.precision == b.precision && a.scale == b.scale));
}

static bool is_int(DgType t)
{
    return t.kind >= DG_INT8 && t.kind <= DG_UINT64;
}

static int digits_of(DgType t)
{
    static const int digits[] = {[DG_INT8] = 3, [DG_INT16] = 5, [DG_INT32] = 10, [DG_INT64] = 19,
                                 [DG_UINT8] = 3, [DG_UINT16] = 5, [DG_UINT32] = 10, [DG_UINT64] = 20};
    return is_int(t) ? digits[t.kind] : t.precision - t.scale;
}

static DgType wider_number(DgType a, DgType b)
{
    bool floats = a.kind == DG_FLOAT32 || a.kind == DG_FLOAT64 || b.kind == DG_FLOAT32 || b.kind == DG_FLOAT64;
    int digits = digits_of(a) > digits_of(b) ? digits_of(a) : digits_of(b);
    int scale = 0;
    if (floats) { /* a double holds integers of 15 digits, not more */
        bool fits = (a.kind <= DG_FLOAT64 && b.kind <= DG_FLOAT64 && (!is_int(a) || digits_of(a) <= 15) && (!is_int(b) || digits_of(b) <= 15));
        return fits ? (DgType){DG_FLOAT64, 0, 0} : (DgType){DG_TEXT, 0, 0};
    }
    if (is_int(a) && is_int(b)) { /* both of one sign's kind, or one with room for the other's */
        bool fits = digits <= 5 || (digits <= 10 && a.kind != DG_UINT32 && b.kind != DG_UINT32);
        bool big = a.kind == DG_UINT64 || b.kind == DG_UINT64;
        return fits ? (DgType){DG_INT32, 0, 0} : big ? (DgType){DG_DECIMAL, 20, 0} : (DgType){DG_INT64, 0, 0};
    }
    if (a.kind == DG_DECIMAL)
        scale = a.scale;
    if (b.kind == DG_DECIMAL && b.scale > scale)
        scale = b.scale;
    if (digits + scale > 38)
        return (DgType){DG_TEXT, 0, 0};
    return (DgType){DG_DECIMAL, (uint8_t)(digits + scale), (uint8_t)scale};
}

/* The narrowest type that holds all values of both; text holds everything. */
static DgType wider(DgType a, DgType b)
{
    if (same_type(a, b))
        return a;
    if (value_is_number(a) && value_is_number(b))
        return wider_number(a, b);
    if ((a.kind == DG_DATE && b.kind == DG_TIMESTAMP) || (a.kind == DG_TIMESTAMP && b.kind == DG_DATE))
        return (DgType){DG_TIMESTAMP, 0, 0};
    return (DgType){DG_TEXT, 0, 0};
}

/* Whether a column of type `have` takes every value of `come` as it is. */
static bool holds(DgType have, DgType come)
{
    if (same_type(have, come) || have.kind == DG_TEXT)
        return true;
    if (is_int(have) && is_int(come))
        return wider_number(have, come).kind == have.kind || (digits_of(come) < digits_of(have) && come.kind != DG_UINT64);
    if (have.kind == DG_DECIMAL && (is_int(come) || come.kind == DG_DECIMAL)) {
        DgType both = wider_number(have, come);
        return both.kind == DG_DECIMAL && both.precision <= have.precision && both.scale <= have.scale;
    }
    if (have.kind == DG_FLOAT64)
        return come.kind == DG_FLOAT32 || (is_int(come) && digits_of(come) <= 15);
    return have.kind == DG_TIMESTAMP && come.kind == DG_DATE;
}

/* ---- Columns ---- */

const DgDbColumn *load_table_column(const Load *l, Str name)
{
    for (int pass = 0; pass < 2; pass++)
        for (int32_t i = 0; i < l->table.columns_count; i++) {
            Str have = l->table.columns[i].column.name;
            if (pass ? str_eq_nocase(have, name) : str_eq(have, name))
                return &l->table.columns[i];
        }
    return NULL;
}

static void tell(Load *l, Str what)
{
    if (l->spec->drift)
        l->spec->drift(l->spec->context, what);
}

static Str type_text(Load *l, DgType type)
{
    StrBuf b = {.max = 256};
    l->d->type(&b, type, 0);
    Str out = str_copy(&l->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static DgStatus new_column(Load *l, LoadColumn *c, DgError *err)
{
    c->stored = as_stored(l->d, c->type);
    c->added = true;
    if (!l->exists || c->is_id)
        return DG_OK;
    switch (l->spec->keep_columns ? DG_DISCARD_VALUE : l->spec->new_columns) {
    case DG_EVOLVE:
        l->counts->columns_added++;
        tell(l, str_format(&l->arena, "column `%.*s` is new in `%.*s`: added as %.*s", FMT(c->name), FMT(l->spec->table.table), FMT(type_text(l, c->type))));
        return DG_OK;
    case DG_DISCARD_VALUE:
    case DG_DISCARD_ROW:
        c->added = false;
        c->action = l->spec->new_columns == DG_DISCARD_ROW && !l->spec->keep_columns ? LOAD_DISCARD_ROW : LOAD_DISCARD_VALUE;
        tell(l, str_format(&l->arena, "column `%.*s` is new and is left out of `%.*s`", FMT(c->name), FMT(l->spec->table.table)));
        return DG_OK;
    case DG_FREEZE: break;
    }
    dg_fail(err, DG_DATA, "the rows have a column `%.*s` that table `%.*s` does not have, and its contract is frozen", FMT(c->name),
            FMT(l->spec->table.table));
    dg_hint(err, "add the column to the table, leave it out with `select`, or set `contract: evolve`");
    return DG_DATA;
}

/* dlt's variant columns: `n__v_varchar` beside `n`. One that is there already may have to be widened; one of
 * text takes everything. */
static DgStatus variant_column(Load *l, LoadColumn *c, const DgDbColumn *have, DgError *err)
{
    const char *kind = dg_type_name((DgTypeKind)c->type.kind);
    Str name = naming_apply(&l->arena, DG_CASING_SOURCE, l->d, str_format(&l->arena, "%.*s__v_%s", FMT(c->name), kind));
    const DgDbColumn *there = load_table_column(l, name);
    DgType both = there ? wider(there->column.type, as_stored(l->d, c->type)) : c->type;
    if (there && both.kind == DG_TEXT && there->column.type.kind != DG_TEXT)
        return dg_fail(err, DG_DATA, "values of column `%.*s` of `%.*s` fit neither `%.*s` nor `%.*s`", FMT(c->from), FMT(l->spec->table.table),
                       FMT(have->column.name), FMT(name));
    c->name = there ? str_copy(&l->arena, there->column.name) : name;
    c->added = !there;
    c->stored = as_stored(l->d, both);
    c->widened = there && !holds(there->column.type, as_stored(l->d, c->type));
    c->native = there && !c->widened ? str_copy(&l->arena, there->native) : (Str){0};
    tell(l, str_format(&l->arena, "values of `%.*s` that are no %.*s go to column `%.*s`", FMT(c->from), FMT(have->native), FMT(c->name)));
    return DG_OK;
}

static DgStatus other_type(Load *l, LoadColumn *c, const DgDbColumn *have, DgError *err)
{
    if (l->spec->keep_types && !c->is_key)
        return DG_OK;
    DgType both = wider(have->column.type, c->type);
    bool text = both.kind == DG_TEXT && have->column.type.kind != DG_TEXT;
    if (c->is_key && (text || l->spec->types != DG_EVOLVE) && l->spec->types != DG_FREEZE) {
        dg_fail(err, DG_DATA, "column `%.*s` of table `%.*s` is %.*s, the rows have %s: a key cannot be matched", FMT(c->name),
                FMT(l->spec->table.table), FMT(have->native), dg_type_name((DgTypeKind)c->type.kind));
        dg_hint(err, "declare the column under `columns:`, or load all rows anew with `mode: full-refresh`");
        return DG_DATA;
    }
    switch (l->spec->types) {
    case DG_EVOLVE:
        l->counts->columns_changed++;
        if (!text) {
            c->stored = as_stored(l->d, both);
            c->native = (Str){0};
            c->widened = true;
            tell(l, str_format(&l->arena, "column `%.*s` of `%.*s` becomes %.*s (it was %.*s)", FMT(c->name), FMT(l->spec->table.table),
                               FMT(type_text(l, both)), FMT(have->native)));
            return DG_OK;
        }
        return variant_column(l, c, have, err);
    case DG_DISCARD_VALUE:
    case DG_DISCARD_ROW:
        c->action = l->spec->types == DG_DISCARD_ROW ? LOAD_DISCARD_ROW : LOAD_DISCARD_VALUE;
        tell(l, str_format(&l->arena, "values of `%.*s` are no %.*s and are left out of `%.*s`", FMT(c->from), FMT(have->native), FMT(l->spec->table.table)));
        return DG_OK;
    case DG_FREEZE: break;
    }
    dg_fail(err, DG_DATA, "column `%.*s` of table `%.*s` is %.*s, the rows have %s, and its contract is frozen", FMT(c->name),
            FMT(l->spec->table.table), FMT(have->native), dg_type_name((DgTypeKind)c->type.kind));
    dg_hint(err, "declare the column under `columns:`, or set `contract: evolve`");
    return DG_DATA;
}

static bool is_key(const Load *l, Str from, Str name)
{
    for (size_t i = 0; i < l->spec->keys.count; i++)
        if (str_eq_nocase(l->spec->keys.items[i], from) || str_eq_nocase(l->spec->keys.items[i], name))
            return true;
    return false;
}

/* What nested.h adds to the rows. */
static bool is_made(const Load *l, LoadColumn *c)
{
    static const char *const ids[] = {"_dlt_id", "_dlt_parent_id", "_dlt_root_id", "_dlt_list_idx"};
    for (size_t i = 0; i < 4 && l->nested; i++)
        c->is_id = c->is_id || str_eq(c->from, str_from(ids[i]));
    if (!l->nested || !str_eq(c->from, S("_dgc_row")))
        return false;
    c->action = LOAD_STAGE;
    c->name = c->from;
    return true;
}

static DgStatus plan_column(Load *l, LoadColumn *c, DgError *err)
{
    if (is_made(l, c))
        return DG_OK;
    const DgDbColumn *have = l->exists ? load_table_column(l, c->name) : NULL;
    c->is_key = is_key(l, c->from, c->name);
    if (!have)
        return new_column(l, c, err);
    c->name = str_copy(&l->arena, have->column.name);
    c->stored = have->column.type;
    c->native = str_copy(&l->arena, have->native);
    return holds(have->column.type, as_stored(l->d, c->type)) ? DG_OK : other_type(l, c, have, err);
}

const LoadColumn *load_column(const Load *l, Str name)
{
    for (int32_t i = 0; i < l->columns_count; i++)
        if (str_eq_nocase(l->columns[i].from, name) || str_eq_nocase(l->columns[i].name, name))
            return &l->columns[i];
    return NULL;
}

bool load_same_shape(const Load *l)
{
    int32_t found = 0;
    for (int32_t i = 0; i < l->columns_count; i++) {
        if (!l->columns[i].native.len || l->columns[i].action != LOAD_KEEP)
            return false;
        found++;
    }
    Str added[] = {l->spec->loaded_at, l->spec->synced_at, l->deleted_at};
    for (size_t i = 0; i < sizeof added / sizeof *added; i++)
        found += added[i].len && load_table_column(l, added[i]);
    return found == l->table.columns_count;
}

static DgStatus both_called(const Load *l, Str one, Str other, Str name, DgError *err)
{
    dg_fail(err, DG_DATA, "columns `%.*s` and `%.*s` are both called `%.*s` in table `%.*s`", FMT(one), FMT(other), FMT(name),
            FMT(l->spec->table.table));
    dg_hint(err, "leave one out or rename it with `select: [a, b as other]`, or set target_options.column_casing: source");
    return DG_DATA;
}

static DgStatus check_index(const Load *l, Str columns, DgError *err)
{
    Str name;
    while (columns.len) {
        str_cut(columns, ',', &name, &columns);
        if (!load_column(l, str_trim(name)))
            return dg_fail(err, DG_CONFIG, "the rows have no column `%.*s`, of which an index is asked for", FMT(str_trim(name)));
    }
    return DG_OK;
}

static DgStatus check_names(Load *l, DgError *err)
{
    Str added[] = {l->spec->loaded_at, l->spec->synced_at, l->valid_from, l->valid_to, l->deleted_at};
    for (int32_t i = 0; i < l->columns_count; i++) {
        const LoadColumn *c = &l->columns[i];
        for (int32_t k = 0; k < i; k++)
            if (str_eq_nocase(c->name, l->columns[k].name) && c->action == LOAD_KEEP && l->columns[k].action == LOAD_KEEP)
                return both_called(l, l->columns[k].from, c->from, c->name, err);
        for (size_t k = 0; k < sizeof added / sizeof *added; k++)
            if (added[k].len && str_eq_nocase(c->name, added[k])) {
                dg_fail(err, DG_DATA, "the rows have a column `%.*s`, which the load itself adds to `%.*s`", FMT(c->from), FMT(l->spec->table.table));
                dg_hint(err, "leave it out with `select: [-%.*s]`", FMT(c->from));
                return DG_DATA;
            }
    }
    for (size_t i = 0; i < l->spec->keys.count; i++)
        if (!load_column(l, l->spec->keys.items[i]))
            return dg_fail(err, DG_CONFIG, "the rows have no column `%.*s`, which `primary_key` names", FMT(l->spec->keys.items[i]));
    for (int32_t i = 0; i < l->columns_count; i++)
        if (l->columns[i].is_key && l->columns[i].action != LOAD_KEEP)
            return dg_fail(err, DG_DATA, "table `%.*s` has no column `%.*s`, which `primary_key` names", FMT(l->spec->table.table),
                           FMT(l->columns[i].name));
    for (size_t i = 0; i < l->spec->index_columns.count; i++)
        DG_TRY(check_index(l, l->spec->index_columns.items[i], err));
    for (size_t i = 0; i < l->spec->unique_columns.count; i++)
        DG_TRY(check_index(l, l->spec->unique_columns.items[i], err));
    return check_index(l, l->spec->primary_key, err);
}

DgStatus load_plan(Load *l, const DgColumn *columns, int32_t count, DgError *err)
{
    DgStatus status = l->engine->describe(l->db, &l->arena, l->spec->table, &l->table, err);
    if (status != DG_OK && status != DG_END)
        return status;
    l->exists = status == DG_OK && l->spec->disposition != DG_DISPOSE_REPLACE;
    if (status == DG_OK && l->table.is_view)
        return dg_fail(err, DG_CONFIG, "`%.*s` is a view: rows cannot be loaded into it", FMT(l->spec->table.table));
    if (status == DG_END)
        l->table = (DgTableInfo){0};
    if (status == DG_END && l->spec->new_tables == DG_FREEZE)
        return dg_fail(err, DG_DATA, "table `%.*s` is not there, and its contract is frozen", FMT(l->spec->table.table));
    l->columns = push(&l->arena, LoadColumn, count + 1);
    l->columns_count = count;
    for (int32_t i = 0; i < count; i++) {
        LoadColumn *c = &l->columns[i];
        bool ours = l->nested && (str_starts(columns[i].name, S("_dlt_")) || str_eq(columns[i].name, S("_dgc_row"))); /* camelCase would lose them */
        *c = (LoadColumn){.from = columns[i].name, .name = naming_apply(&l->arena, ours ? DG_CASING_SOURCE : l->spec->casing, l->d, columns[i].name), .type = columns[i].type};
        DG_TRY(plan_column(l, c, err));
        if (l->spec->update_key.len && (str_eq_nocase(c->from, l->spec->update_key) || str_eq_nocase(c->name, l->spec->update_key)))
            l->update_key = c->action == LOAD_DISCARD_VALUE ? (Str){0} : c->name;
    }
    return check_names(l, err);
}
