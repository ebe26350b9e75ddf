/* load_merge.c - from the staging table into the table.
 *
 * Tables are named by their own bare names, never by aliases: that is the one form that DELETE,
 * UPDATE and subqueries take in all engines. MySQL may name a temporary table once in a statement, so
 * no statement here names staging twice.
 */
#include "runtime/load/load_internal.h"
#include "runtime/os/os.h"

static bool kept(const LoadColumn *c)
{
    return c->action == LOAD_KEEP;
}

/* ---- Staging made fit ---- */

/* Rows and values that the contract refuses, counted as they go. */
static DgStatus discard(Load *l, DgError *err)
{
    for (int32_t i = 0; i < l->columns_count; i++) {
        int64_t gone = 0;
        if (l->columns[i].action != LOAD_DISCARD_ROW)
            continue;
        load_add(l, "DELETE FROM %S WHERE %n IS NOT NULL", l->columns[i].name);
        DG_TRY(load_exec(l, &gone, err));
        l->counts->rows_discarded += gone;
    }
    return DG_OK;
}

static DgStatus check_keys(Load *l, DgError *err)
{
    int64_t nulls = 0;
    load_add(l, "SELECT count(*) FROM %S WHERE ");
    bool first = true;
    for (int32_t i = 0; i < l->columns_count; i++)
        if (l->columns[i].is_key) {
            load_add(l, first ? "%n IS NULL" : " OR %n IS NULL", l->columns[i].name);
            first = false;
        }
    DG_TRY(load_count(l, &nulls, err));
    if (!nulls)
        return DG_OK;
    dg_fail(err, DG_DATA, "%lld rows for `%.*s` have no value in their primary key", (long long)nulls, FMT(l->spec->table.table));
    dg_hint(err, "leave them out with `where: %.*s is not null`", FMT(l->spec->keys.items[0]));
    return DG_DATA;
}

static void add_key_names(Load *l)
{
    bool first = true;
    for (int32_t i = 0; i < l->columns_count; i++)
        if (l->columns[i].is_key) {
            load_add(l, first ? "%n" : ", %n", l->columns[i].name);
            first = false;
        }
}

/* Of rows with the same key the newest stays: by update key, else the last delivered. */
static DgStatus drop_duplicates(Load *l, DgError *err)
{
    int64_t duplicates = 0;
    Str number = load_row_number(l);
    DgTableName older = {l->staging.schema, str_format(&l->arena, "%.*s_d", FMT(l->staging.table))};
    load_add(l, "SELECT count(*) FROM (SELECT 1 AS x FROM %S GROUP BY ");
    add_key_names(l);
    buf_add(&l->sql, S(" HAVING count(*) > 1) AS d"));
    DG_TRY(load_count(l, &duplicates, err));
    if (!duplicates)
        return DG_OK;
    load_add(l, "%s", str_from(l->d->staging));
    sql_table(&l->sql, l->d, older);
    load_add(l, " AS SELECT _dgc_older FROM (SELECT %s AS _dgc_older, row_number() OVER (PARTITION BY ", number);
    add_key_names(l);
    buf_add(&l->sql, S(" ORDER BY "));
    if (l->update_key.len)
        load_add(l, "CASE WHEN %n IS NULL THEN 1 ELSE 0 END, %n DESC, ", l->update_key, l->update_key);
    load_add(l, "%s DESC) AS _dgc_place FROM %S) AS _dgc_d WHERE _dgc_place > 1", number);
    DG_TRY(load_exec(l, NULL, err));
    load_add(l, "DELETE FROM %S WHERE %s IN (SELECT _dgc_older FROM ", number);
    sql_table(&l->sql, l->d, older);
    buf_char(&l->sql, ')');
    DG_TRY(load_exec(l, NULL, err));
    load_drop_staging(l, older);
    return load_exec(l, NULL, err);
}

/* ---- Statements ---- */

static void add_moment(Load *l)
{
    l->d->timestamp_now(&l->sql, l->now_us);
}

/* The columns that a new row gets; then their values. */
static void add_insert_columns(Load *l)
{
    load_columns(l, NULL, false);
    if (l->spec->loaded_at.len)
        load_add(l, ", %n", l->spec->loaded_at);
    if (l->spec->synced_at.len)
        load_add(l, ", %n", l->spec->synced_at);
    if (l->valid_from.len)
        load_add(l, ", %n, %n", l->valid_from, l->valid_to);
}

static void add_insert_values(Load *l)
{
    load_columns(l, "%B", false);
    for (int i = 0; i < (l->spec->loaded_at.len > 0) + (l->spec->synced_at.len > 0); i++) {
        buf_add(&l->sql, S(", "));
        add_moment(l);
    }
    if (l->valid_from.len) {
        buf_add(&l->sql, S(", "));
        add_moment(l);
        buf_add(&l->sql, S(", NULL"));
    }
}

static void add_insert(Load *l)
{
    load_add(l, "INSERT INTO %T (");
    add_insert_columns(l);
    buf_add(&l->sql, S(") SELECT "));
    add_insert_values(l);
    load_add(l, " FROM %S");
}

static DgStatus insert_all(Load *l, DgError *err)
{
    add_insert(l);
    return load_exec(l, &l->counts->rows_inserted, err);
}

static DgStatus insert_unknown(Load *l, DgError *err)
{
    add_insert(l);
    load_add(l, " WHERE NOT EXISTS (SELECT 1 FROM %T WHERE ");
    load_keys_equal(l, "%A", "%B");
    if (l->valid_to.len)
        load_add(l, " AND %A.%n IS NULL", l->valid_to);
    buf_char(&l->sql, ')');
    return load_exec(l, &l->counts->rows_inserted, err);
}

static void add_set(Load *l, bool *first, Str name)
{
    buf_add(&l->sql, *first ? S("") : S(", "));
    load_add(l, l->d->update_join ? "%A.%n = " : "%n = ", name);
    *first = false;
}

/* There is more to a row than its key. */
static bool has_values(const Load *l)
{
    bool any = l->spec->synced_at.len > 0;
    for (int32_t i = 0; i < l->columns_count; i++)
        any = any || (kept(&l->columns[i]) && !l->columns[i].is_key);
    return any;
}

/* SET columns of staging, and what else a changed row gets. */
static void add_assignments(Load *l)
{
    bool first = true;
    buf_add(&l->sql, S("SET "));
    for (int32_t i = 0; i < l->columns_count; i++) {
        const LoadColumn *c = &l->columns[i];
        if (!kept(c) || c->is_key)
            continue;
        add_set(l, &first, c->name);
        load_add(l, "%B.%n", c->name);
    }
    if (l->spec->synced_at.len) {
        add_set(l, &first, l->spec->synced_at);
        add_moment(l);
    }
}

static void add_update(Load *l)
{
    load_add(l, "UPDATE %T ");
    if (l->d->update_join) {
        load_add(l, "JOIN %S ON ");
        load_keys_equal(l, "%A", "%B");
        buf_char(&l->sql, ' ');
    }
    add_assignments(l);
    if (!l->d->update_join) {
        load_add(l, " FROM %S WHERE ");
        load_keys_equal(l, "%A", "%B");
    }
}

static DgStatus update_known(Load *l, DgError *err)
{
    if (!has_values(l))
        return DG_OK;
    add_update(l);
    return load_exec(l, &l->counts->rows_updated, err);
}

/* Both in one statement, which looks each key up once. */
static DgStatus update_and_insert(Load *l, DgError *err)
{
    int64_t staged = 0;
    load_add(l, "SELECT count(*) FROM %S");
    DG_TRY(load_count(l, &staged, err));
    buf_add(&l->sql, S("WITH updated AS ("));
    add_update(l);
    load_add(l, " RETURNING %B.%s AS n) ", load_row_number(l));
    add_insert(l);
    load_add(l, " WHERE NOT EXISTS (SELECT 1 FROM updated WHERE updated.n = %B.%s)", load_row_number(l));
    DG_TRY(load_exec(l, &l->counts->rows_inserted, err));
    l->counts->rows_updated = staged - l->counts->rows_inserted;
    return DG_OK;
}

/* The same where there is MERGE. It tells how many rows it touched, not which way. */
static DgStatus merge_into(Load *l, DgError *err)
{
    int64_t before = 0, after = 0, touched = 0;
    load_add(l, "SELECT count(*) FROM %T");
    DG_TRY(load_count(l, &before, err));
    load_add(l, "MERGE INTO %T USING %S ON ");
    load_keys_equal(l, "%A", "%B");
    buf_add(&l->sql, S(" WHEN MATCHED THEN UPDATE "));
    add_assignments(l);
    buf_add(&l->sql, S(" WHEN NOT MATCHED THEN INSERT ("));
    add_insert_columns(l);
    buf_add(&l->sql, S(") VALUES ("));
    add_insert_values(l);
    buf_char(&l->sql, ')');
    DG_TRY(load_exec(l, &touched, err));
    load_add(l, "SELECT count(*) FROM %T");
    DG_TRY(load_count(l, &after, err));
    l->counts->rows_inserted = after - before;
    l->counts->rows_updated = touched - l->counts->rows_inserted;
    return DG_OK;
}

/* `k IN (SELECT k FROM staging)`: the form for which SQLite finds the rows by index. */
static void add_present(Load *l)
{
    const char *open = l->spec->keys.count > 1 ? "(" : "", *close = l->spec->keys.count > 1 ? ")" : "";
    buf_add(&l->sql, str_from(open));
    add_key_names(l);
    load_add(l, "%s IN (SELECT ", str_from(close));
    add_key_names(l);
    load_add(l, " FROM %S)");
}

static DgStatus delete_known(Load *l, DgError *err)
{
    if (l->d->update_join) {
        load_add(l, "DELETE %T FROM %T JOIN %S ON ");
        load_keys_equal(l, "%A", "%B");
    } else {
        load_add(l, "DELETE FROM %T WHERE ");
        add_present(l);
    }
    return load_exec(l, &l->counts->rows_deleted, err);
}

static void add_absent(Load *l)
{
    load_add(l, "NOT EXISTS (SELECT 1 FROM %S WHERE ");
    load_keys_equal(l, "%B", "%A");
    buf_char(&l->sql, ')');
}

/* ---- History ---- */

static void add_changed(Load *l)
{
    bool first = true;
    buf_char(&l->sql, '(');
    for (int32_t i = 0; i < l->columns_count; i++) {
        const LoadColumn *c = &l->columns[i];
        if (!kept(c) || c->is_key)
            continue;
        buf_add(&l->sql, first ? S("") : S(" OR "));
        load_add(l, l->d->update_join ? "NOT (%A.%n <=> %B.%n)" : "%A.%n IS DISTINCT FROM %B.%n", c->name, c->name);
        first = false;
    }
    buf_add(&l->sql, first ? S("1=0)") : S(")"));
}

static DgStatus close_changed(Load *l, DgError *err)
{
    bool first = true;
    load_add(l, "UPDATE %T ");
    if (l->d->update_join) {
        load_add(l, "JOIN %S ON ");
        load_keys_equal(l, "%A", "%B");
        buf_char(&l->sql, ' ');
    }
    buf_add(&l->sql, S("SET "));
    add_set(l, &first, l->valid_to);
    add_moment(l);
    if (l->d->update_join) {
        buf_add(&l->sql, S(" WHERE "));
    } else {
        load_add(l, " FROM %S WHERE ");
        load_keys_equal(l, "%A", "%B");
        buf_add(&l->sql, S(" AND "));
    }
    load_add(l, "%A.%n IS NULL AND ", l->valid_to);
    add_changed(l);
    return load_exec(l, &l->counts->rows_updated, err);
}

static DgStatus retire_absent(Load *l, DgError *err)
{
    int64_t retired = 0;
    bool first = true;
    load_add(l, "UPDATE %T SET ");
    add_set(l, &first, l->valid_to);
    add_moment(l);
    load_add(l, " WHERE %A.%n IS NULL AND ", l->valid_to);
    add_absent(l);
    DG_TRY(load_exec(l, &retired, err));
    l->counts->rows_deleted += retired;
    return DG_OK;
}

/* ---- Rows that the source no longer has ---- */

static DgStatus soft_deletes(Load *l, DgError *err)
{
    bool first = true;
    load_add(l, "UPDATE %T SET ");
    add_set(l, &first, l->deleted_at);
    load_add(l, "NULL WHERE %n IS NOT NULL AND ", l->deleted_at);
    add_present(l);
    DG_TRY(load_exec(l, NULL, err));
    first = true;
    load_add(l, "UPDATE %T SET ");
    add_set(l, &first, l->deleted_at);
    add_moment(l);
    load_add(l, " WHERE %A.%n IS NULL AND ", l->deleted_at);
    add_absent(l);
    return load_exec(l, &l->counts->rows_deleted, err);
}

static DgStatus hard_deletes(Load *l, DgError *err)
{
    int64_t gone = 0;
    load_add(l, "DELETE FROM %T WHERE ");
    add_absent(l);
    DG_TRY(load_exec(l, &gone, err));
    l->counts->rows_deleted += gone;
    return DG_OK;
}

/* ---- The whole ---- */

static DgStatus by_disposition(Load *l, DgError *err)
{
    switch (l->spec->disposition) {
    case DG_DISPOSE_UPSERT:
        if (l->d->update_in_with && has_values(l))
            return update_and_insert(l, err);
        if (l->d->merge_into && has_values(l))
            return merge_into(l, err);
        DG_TRY(update_known(l, err));
        return insert_unknown(l, err);
    case DG_DISPOSE_DELETE_INSERT:
        DG_TRY(delete_known(l, err));
        return insert_all(l, err);
    case DG_DISPOSE_INSERT_ONLY: return insert_unknown(l, err);
    case DG_DISPOSE_UPDATE_ONLY: return update_known(l, err);
    case DG_DISPOSE_SCD2:
        DG_TRY(close_changed(l, err));
        if (l->spec->deletes != DG_DELETES_NONE)
            DG_TRY(retire_absent(l, err));
        return insert_unknown(l, err);
    default: return insert_all(l, err);
    }
}

/* Without them the planner takes staging for empty, or for large. */
static DgStatus prepare_staging(Load *l, DgError *err)
{
    if (!l->spec->keys.count)
        return DG_OK;
    if (l->d->index_staging && !l->d->update_join) {
        load_add(l, "CREATE INDEX %n ON %S (", str_format(&l->arena, "%.*s_k", FMT(l->staging.table)));
        load_add_key_list(l);
        buf_char(&l->sql, ')');
        DG_TRY(load_exec(l, NULL, err));
    }
    if (l->d->before_merge) {
        buf_add(&l->sql, str_from(l->d->before_merge));
        DG_TRY(load_exec(l, NULL, err));
    }
    if (!l->d->analyze)
        return DG_OK;
    load_add(l, "%s%S", str_from(l->d->analyze));
    return load_exec(l, NULL, err);
}

DgStatus load_merge(Load *l, DgError *err)
{
    bool scd2 = l->spec->disposition == DG_DISPOSE_SCD2;
    DG_TRY(prepare_staging(l, err));
    DG_TRY(discard(l, err));
    if (l->spec->keys.count) {
        DG_TRY(check_keys(l, err));
        DG_TRY(drop_duplicates(l, err));
    }
    if (l->nested && load_needs_keys(l->spec))
        DG_TRY(load_nested_merge(l, err));
    DG_TRY(by_disposition(l, err));
    if (l->spec->deletes == DG_DELETES_SOFT && !scd2)
        DG_TRY(soft_deletes(l, err));
    if (l->spec->deletes == DG_DELETES_HARD && !scd2)
        DG_TRY(hard_deletes(l, err));
    if (l->nested && l->spec->deletes == DG_DELETES_HARD)
        DG_TRY(load_nested_orphans(l, err));
    load_drop_staging(l, l->staging);
    return load_exec(l, NULL, err);
}
