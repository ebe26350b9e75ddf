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
    if (is_int(a) && is_int(b))
        return digits <= 5 ? (DgType){DG_INT32, 0, 0} : digits <= 19 && a.kind != DG_UINT64 && b.kind != DG_UINT64 ? (DgType){DG_INT64, 0, 0} : (DgType){DG_DECIMAL, 20, 0};
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

static const DgDbColumn *table_column(const Load *l, Str name)
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
    if (!l->exists)
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

static DgStatus other_type(Load *l, LoadColumn *c, const DgDbColumn *have, DgError *err)
{
    DgType both = wider(have->column.type, c->type);
    bool text = both.kind == DG_TEXT && have->column.type.kind != DG_TEXT;
    switch (l->spec->types) {
    case DG_EVOLVE:
        l->counts->columns_changed++;
        if (!text) {
            c->stored = as_stored(l->d, both);
            c->widened = true;
            tell(l, str_format(&l->arena, "column `%.*s` of `%.*s` becomes %.*s (it was %.*s)", FMT(c->name), FMT(l->spec->table.table),
                               FMT(type_text(l, both)), FMT(have->native)));
            return DG_OK;
        }
        c->name = str_format(&l->arena, "%.*s__v_%s", FMT(c->name), dg_type_name(c->type.kind)); /* dlt's variant columns */
        c->added = !table_column(l, c->name);
        c->stored = as_stored(l->d, c->type);
        tell(l, str_format(&l->arena, "values of `%.*s` that are no %.*s go to column `%.*s`", FMT(c->from), FMT(have->native), FMT(c->name)));
        return DG_OK;
    case DG_DISCARD_VALUE:
    case DG_DISCARD_ROW:
        c->action = l->spec->types == DG_DISCARD_ROW ? LOAD_DISCARD_ROW : LOAD_DISCARD_VALUE;
        tell(l, str_format(&l->arena, "values of `%.*s` are no %.*s and are left out of `%.*s`", FMT(c->from), FMT(have->native), FMT(l->spec->table.table)));
        return DG_OK;
    case DG_FREEZE: break;
    }
    dg_fail(err, DG_DATA, "column `%.*s` of table `%.*s` is %.*s, the rows have %s, and its contract is frozen", FMT(c->name),
            FMT(l->spec->table.table), FMT(have->native), dg_type_name(c->type.kind));
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

static DgStatus plan_column(Load *l, LoadColumn *c, DgError *err)
{
    const DgDbColumn *have = l->exists ? table_column(l, c->name) : NULL;
    c->is_key = is_key(l, c->from, c->name);
    if (!have)
        return new_column(l, c, err);
    c->name = str_copy(&l->arena, have->column.name);
    c->stored = have->column.type;
    return holds(have->column.type, as_stored(l->d, c->type)) ? DG_OK : other_type(l, c, have, err);
}

static DgStatus check_names(Load *l, DgError *err)
{
    int32_t keys = 0;
    for (int32_t i = 0; i < l->columns_count; i++) {
        keys += l->columns[i].is_key;
        for (int32_t k = 0; k < i; k++)
            if (str_eq_nocase(l->columns[i].name, l->columns[k].name) && l->columns[i].action == LOAD_KEEP && l->columns[k].action == LOAD_KEEP) {
                dg_fail(err, DG_DATA, "columns `%.*s` and `%.*s` are both called `%.*s` in table `%.*s`", FMT(l->columns[k].from),
                        FMT(l->columns[i].from), FMT(l->columns[i].name), FMT(l->spec->table.table));
                dg_hint(err, "leave one out or rename it with `select: [a, b as other]`, or set target_options.column_casing: source");
                return DG_DATA;
            }
    }
    for (size_t i = 0; (size_t)keys < l->spec->keys.count && i < l->spec->keys.count; i++) {
        bool found = false;
        for (int32_t k = 0; k < l->columns_count; k++)
            found = found || str_eq_nocase(l->columns[k].from, l->spec->keys.items[i]) || str_eq_nocase(l->columns[k].name, l->spec->keys.items[i]);
        if (!found)
            return dg_fail(err, DG_CONFIG, "the rows have no column `%.*s`, which `primary_key` names", FMT(l->spec->keys.items[i]));
    }
    return DG_OK;
}

DgStatus load_plan(Load *l, const DgColumn *columns, int32_t count, DgError *err)
{
    DgStatus status = l->engine->describe(l->db, &l->arena, l->spec->table, &l->table, err);
    if (status != DG_OK && status != DG_END)
        return status;
    l->exists = status == DG_OK && l->spec->disposition != DG_DISPOSE_REPLACE;
    if (status == DG_OK && l->table.is_view)
        return dg_fail(err, DG_CONFIG, "`%.*s` is a view: rows cannot be loaded into it", FMT(l->spec->table.table));
    if (status == DG_END && l->spec->new_tables == DG_FREEZE)
        return dg_fail(err, DG_DATA, "table `%.*s` is not there, and its contract is frozen", FMT(l->spec->table.table));
    l->columns = push(&l->arena, LoadColumn, count + 1);
    l->columns_count = count;
    for (int32_t i = 0; i < count; i++) {
        LoadColumn *c = &l->columns[i];
        *c = (LoadColumn){.from = columns[i].name, .name = naming_apply(&l->arena, l->spec->casing, l->d, columns[i].name), .type = columns[i].type};
        DG_TRY(plan_column(l, c, err));
        if (l->spec->update_key.len && (str_eq_nocase(c->from, l->spec->update_key) || str_eq_nocase(c->name, l->spec->update_key)))
            l->update_key = c->name;
    }
    return check_names(l, err);
}

/* ---- DDL ---- */

static void add_column_type(Load *l, DgType type, int32_t index)
{
    l->d->type(&l->sql, type, l->spec->text_sizes && index >= 0 ? l->spec->text_sizes[index] : l->columns[index].is_key && l->d->update_join ? 500 : 0);
}

static void add_extra(Load *l, Str name, DgTypeKind kind)
{
    if (!name.len)
        return;
    load_add(l, ", %n ", name);
    l->d->type(&l->sql, (DgType){(uint8_t)kind, 0, 0}, 0);
}

void load_add_create(Load *l, DgTableName name, const char *verb, bool for_staging)
{
    buf_add(&l->sql, str_from(verb));
    sql_table(&l->sql, l->d, name);
    buf_add(&l->sql, S(" ("));
    bool first = true;
    for (int32_t i = 0; i < l->columns_count; i++) {
        const LoadColumn *c = &l->columns[i];
        if (for_staging ? c->action == LOAD_DISCARD_VALUE : c->action != LOAD_KEEP)
            continue;
        load_add(l, first ? "%n " : ", %n ", c->name);
        add_column_type(l, c->widened ? c->stored : c->type, i);
        first = false;
    }
    if (for_staging && l->d->row_number)
        load_add(l, ", %s", str_from(l->d->row_number));
    if (!for_staging) {
        add_extra(l, l->spec->loaded_at, DG_TIMESTAMP);
        add_extra(l, l->spec->synced_at, DG_TIMESTAMP);
        add_extra(l, l->valid_from, DG_TIMESTAMP);
        add_extra(l, l->valid_to, DG_TIMESTAMP);
        add_extra(l, l->deleted_at, DG_TIMESTAMP);
    }
    buf_char(&l->sql, ')');
}

static void user_ddl(Load *l)
{
    StrBuf types = {.max = LIMIT_SQL_BYTES};
    StrBuf kept = l->sql;
    l->sql = types;
    for (int32_t i = 0; i < l->columns_count; i++) {
        if (l->columns[i].action != LOAD_KEEP)
            continue;
        load_add(l, l->sql.len ? ", %n " : "%n ", l->columns[i].name);
        add_column_type(l, l->columns[i].type, i);
    }
    types = l->sql;
    l->sql = kept;
    Str ddl = str_replace(&l->arena, l->spec->table_ddl, S("{col_types}"), buf_str(&types));
    buf_add(&l->sql, ddl);
    buf_free(&types);
}

static DgStatus add_missing(Load *l, Str name, DgType type, int32_t index, DgError *err)
{
    if (!name.len || table_column(l, name))
        return DG_OK;
    load_add(l, "ALTER TABLE %T ADD COLUMN %n ", name);
    if (index >= 0)
        add_column_type(l, type, index);
    else
        l->d->type(&l->sql, type, 0);
    return load_exec(l, NULL, err);
}

/* An engine that cannot alter a type gets the table anew, with all its rows. */
static DgStatus rebuild(Load *l, DgError *err)
{
    DgTableName old = {l->spec->table.schema, str_format(&l->arena, "%.*s__dgc_old", FMT(l->spec->table.table))};
    load_add(l, "ALTER TABLE %T RENAME TO %n", old.table);
    DG_TRY(load_exec(l, NULL, err));
    load_add(l, "CREATE TABLE %T (");
    for (int32_t i = 0; i < l->table.columns_count; i++) {
        const DgDbColumn *have = &l->table.columns[i];
        load_add(l, i ? ", %n " : "%n ", have->column.name);
        const LoadColumn *wide = NULL;
        for (int32_t k = 0; k < l->columns_count; k++)
            if (l->columns[k].widened && str_eq(l->columns[k].name, have->column.name))
                wide = &l->columns[k];
        if (wide)
            l->d->type(&l->sql, wide->stored, 0);
        else
            buf_add(&l->sql, have->native);
        if (have->column.not_null)
            buf_add(&l->sql, S(" NOT NULL"));
    }
    for (int32_t i = 0; i < l->table.primary_key_count; i++)
        load_add(l, i ? ", %n" : ", PRIMARY KEY (%n", l->table.primary_key[i]);
    buf_add(&l->sql, l->table.primary_key_count ? S("))") : S(")"));
    DG_TRY(load_exec(l, NULL, err));
    load_add(l, "INSERT INTO %T SELECT * FROM ");
    sql_table(&l->sql, l->d, old);
    DG_TRY(load_exec(l, NULL, err));
    buf_add(&l->sql, S("DROP TABLE "));
    sql_table(&l->sql, l->d, old);
    return load_exec(l, NULL, err);
}

static DgStatus widen(Load *l, const LoadColumn *c, DgError *err)
{
    StrBuf type = {.max = 256};
    l->d->type(&type, c->stored, 0);
    load_add(l, "ALTER TABLE %T ");
    for (const char *p = l->d->alter_type; *p; p++) {
        if (p[0] == '%' && p[1] == 'c')
            sql_name(&l->sql, l->d, c->name), p++;
        else if (p[0] == '%' && p[1] == 't')
            buf_add(&l->sql, buf_str(&type)), p++;
        else
            buf_char(&l->sql, *p);
    }
    buf_free(&type);
    return load_exec(l, NULL, err);
}

DgStatus load_evolve(Load *l, DgError *err)
{
    bool rebuilt = false;
    DgType moment = {DG_TIMESTAMP, 0, 0};
    if (!l->exists) {
        if (l->spec->table_ddl.len)
            user_ddl(l);
        else
            load_add_create(l, l->spec->table, "CREATE TABLE ", false);
        return load_exec(l, NULL, err);
    }
    for (int32_t i = 0; i < l->columns_count; i++) {
        const LoadColumn *c = &l->columns[i];
        if (!c->widened)
            continue;
        if (l->d->alter_type)
            DG_TRY(widen(l, c, err));
        else if (!rebuilt)
            DG_TRY(rebuild(l, err));
        rebuilt = true;
    }
    for (int32_t i = 0; i < l->columns_count; i++)
        if (l->columns[i].added && l->columns[i].action == LOAD_KEEP)
            DG_TRY(add_missing(l, l->columns[i].name, l->columns[i].type, i, err));
    DG_TRY(add_missing(l, l->spec->loaded_at, moment, -1, err));
    DG_TRY(add_missing(l, l->spec->synced_at, moment, -1, err));
    DG_TRY(add_missing(l, l->valid_from, moment, -1, err));
    DG_TRY(add_missing(l, l->valid_to, moment, -1, err));
    return add_missing(l, l->deleted_at, moment, -1, err);
}
