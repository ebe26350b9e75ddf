/* load_evolve.c - the table made, or altered to what load_plan.c found: columns added, types widened,
 * indexes. */
#include "runtime/load/load_internal.h"
#include "runtime/load/nested.h"
#include "runtime/os/os.h"

/* MySQL has keys of 3072 bytes at most, four a character. */
enum { KEY_CHARACTERS = 768, KEY_TEXT = 500 };

/* `a,b` names the column. */
static bool names(Str list, const LoadColumn *c)
{
    Str name;
    while (list.len) {
        str_cut(list, ',', &name, &list);
        if (str_eq_nocase(str_trim(name), c->name) || str_eq_nocase(str_trim(name), c->from))
            return true;
    }
    return false;
}

static void add_column_type(Load *l, DgType type, int32_t index)
{
    const LoadColumn *c = &l->columns[index];
    int64_t size = c->is_id ? NESTED_ID_BYTES : l->spec->text_size && type.kind == DG_TEXT ? l->spec->text_size(l->spec->context, c->from) : 0;
    bool key = c->is_key || names(l->spec->primary_key, c);
    for (size_t i = 0; i < l->spec->unique_columns.count; i++)
        key = key || names(l->spec->unique_columns.items[i], c);
    if (!size && key && l->d->update_join)
        size = KEY_TEXT;
    l->d->type(&l->sql, type, size);
}

/* What the rows are staged as: the table's own type, so that keys compare and values are checked as they
 * come. */
static void add_staging_type(Load *l, int32_t index)
{
    const LoadColumn *c = &l->columns[index];
    if (c->native.len && c->action == LOAD_KEEP)
        buf_add(&l->sql, c->native);
    else
        add_column_type(l, c->widened ? c->stored : c->type, index);
}

static void add_index_column(Load *l, const LoadColumn *c, int32_t of)
{
    bool bytes = c->stored.kind == DG_TEXT || c->stored.kind == DG_BINARY || c->stored.kind == DG_JSON;
    load_add(l, "%n", c->name);
    if (l->d->update_join && bytes && !c->is_id)
        buf_format(&l->sql, "(%d)", KEY_CHARACTERS / of < 191 ? KEY_CHARACTERS / of : 191);
}

void load_add_key_list(Load *l)
{
    bool first = true;
    for (int32_t i = 0; i < l->columns_count; i++) {
        if (!l->columns[i].is_key)
            continue;
        buf_add(&l->sql, first ? S("") : S(", "));
        add_index_column(l, &l->columns[i], (int32_t)l->spec->keys.count);
        first = false;
    }
}

static void add_extra(Load *l, Str name, DgTypeKind kind)
{
    if (!name.len)
        return;
    load_add(l, ", %n ", name);
    l->d->type(&l->sql, (DgType){(uint8_t)kind, 0, 0}, 0);
}

/* Of a unique key all of each text counts, not its beginning. */
static void add_listed(Load *l, Str columns, bool whole)
{
    int32_t of = 1;
    Str name;
    for (ptrdiff_t i = 0; i < columns.len; i++)
        of += columns.ptr[i] == ',';
    for (bool first = true; columns.len; first = false) {
        str_cut(columns, ',', &name, &columns);
        const LoadColumn *c = load_column(l, str_trim(name)); /* load_plan has looked */
        buf_add(&l->sql, first ? S("") : S(", "));
        if (c && whole)
            load_add(l, "%n", c->name);
        else if (c)
            add_index_column(l, c, of);
    }
}

static void add_primary_key(Load *l)
{
    if (!l->spec->primary_key.len)
        return;
    buf_add(&l->sql, S(", PRIMARY KEY ("));
    add_listed(l, l->spec->primary_key, true);
    buf_char(&l->sql, ')');
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
        if (for_staging)
            add_staging_type(l, i);
        else
            add_column_type(l, c->type, i);
        first = false;
    }
    if (for_staging && l->d->row_number)
        load_add(l, ", %s", str_from(l->d->row_number));
    if (for_staging && l->d->index_staging && l->d->update_join && l->spec->keys.count) { /* later it would commit */
        buf_add(&l->sql, S(", KEY ("));
        load_add_key_list(l);
        buf_char(&l->sql, ')');
    }
    if (!for_staging) {
        add_extra(l, l->spec->loaded_at, DG_TIMESTAMP);
        add_extra(l, l->spec->synced_at, DG_TIMESTAMP);
        add_extra(l, l->valid_from, DG_TIMESTAMP);
        add_extra(l, l->valid_to, DG_TIMESTAMP);
        add_extra(l, l->deleted_at, DG_TIMESTAMP);
        add_primary_key(l);
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
    if (!name.len || load_table_column(l, name))
        return DG_OK;
    load_add(l, "ALTER TABLE %T ADD COLUMN %n ", name);
    if (index >= 0)
        add_column_type(l, type, index);
    else
        l->d->type(&l->sql, type, 0);
    return load_exec(l, NULL, err);
}

/* ---- SQLite: no type can be altered ---- */

/* Indexes and triggers go with the table; what made them is kept to make them again. */
static DgStatus kept_objects(Load *l, Str *sql, DgError *err)
{
    StrBuf b = {.max = LIMIT_SQL_BYTES};
    buf_add(&b, S("SELECT group_concat(sql, ';') FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ('index', 'trigger') AND tbl_name = "));
    l->d->text(&b, l->spec->table.table);
    DgStatus status = db_text(l->db, &l->arena, buf_str(&b), sql, err);
    buf_free(&b);
    return status;
}

static void add_old_definition(Load *l, const DgDbColumn *have)
{
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

/* The table anew, with all its rows. legacy_alter_table: views go on to name the table by its name. */
static DgStatus rebuild(Load *l, DgError *err)
{
    DgTableName old = {l->spec->table.schema, str_format(&l->arena, "%.*s__dgc_old", FMT(l->spec->table.table))};
    Str objects = {0};
    DG_TRY(kept_objects(l, &objects, err));
    load_add(l, "PRAGMA legacy_alter_table = 1; ALTER TABLE %T RENAME TO %n; PRAGMA legacy_alter_table = 0", old.table);
    DG_TRY(load_exec(l, NULL, err));
    load_add(l, "CREATE TABLE %T (");
    for (int32_t i = 0; i < l->table.columns_count; i++) {
        load_add(l, i ? ", %n " : "%n ", l->table.columns[i].column.name);
        add_old_definition(l, &l->table.columns[i]);
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
    DG_TRY(load_exec(l, NULL, err));
    buf_add(&l->sql, objects);
    return objects.len ? load_exec(l, NULL, err) : DG_OK;
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

/* ---- Indexes ---- */

static DgStatus make_index(Load *l, bool unique, Str columns, int number, DgError *err)
{
    load_add(l, unique ? "CREATE UNIQUE INDEX %n ON %T (" : "CREATE INDEX %n ON %T (", str_format(&l->arena, "dgc_%.*s_%d", 16, l->spec->package.ptr, number));
    add_listed(l, columns, unique);
    buf_char(&l->sql, ')');
    return load_exec(l, NULL, err);
}

DgStatus load_make_indexes(Load *l, DgError *err)
{
    int number = 0;
    for (size_t i = 0; i < l->spec->index_columns.count; i++)
        DG_TRY(make_index(l, false, l->spec->index_columns.items[i], ++number, err));
    for (size_t i = 0; i < l->spec->unique_columns.count; i++)
        DG_TRY(make_index(l, true, l->spec->unique_columns.items[i], ++number, err));
    if (!l->d->index_keys || !load_needs_keys(l->spec) || l->spec->table_ddl.len)
        return DG_OK;
    load_add(l, "CREATE INDEX %n ON %T (", str_format(&l->arena, "dgc_%.*s_%d", 16, l->spec->package.ptr, ++number));
    load_add_key_list(l);
    buf_char(&l->sql, ')');
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
        DG_TRY(load_exec(l, NULL, err));
        return l->d->transactional_ddl ? DG_OK : load_make_indexes(l, err); /* else once it is filled: that is faster */
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
