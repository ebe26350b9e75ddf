/* load_swap.c - replace by a new table that takes the old one's place.
 *
 * In PostgreSQL readers would wait for the whole load if the old table were dropped first; there the new
 * one is filled under another name and renamed at the end of the transaction. In MySQL renaming commits by
 * itself: the new table is filled and committed first, under a package that is listed as `loading`.
 */
#include "runtime/load/load_internal.h"
#include "runtime/os/os.h"

bool load_swaps(const Load *l)
{
    return l->d->swaps && l->spec->disposition == DG_DISPOSE_REPLACE && l->table.columns_count && !l->spec->table_ddl.len;
}

/* The rows go into `name` as if there were no such table yet. */
static DgStatus fill_other(Load *l, DgRows *rows, DgTableName name, DgError *err)
{
    const DgLoadSpec *spec = l->spec;
    DgTableInfo old = l->table;
    DgLoadSpec other = *spec;
    other.table = name;
    l->spec = &other;
    l->table = (DgTableInfo){0};
    DgStatus status = l->d->transactional_ddl ? DG_OK : load_evolve(l, err);
    if (status == DG_OK && !l->d->transactional_ddl && !l->explain)
        status = l->engine->begin(l->db, DG_TX_WRITE, err);
    if (status == DG_OK && !l->d->transactional_ddl) /* hooks find the old table in its place, and are undone with the rows */
        status = load_around(l, false, err);
    if (status == DG_OK)
        status = load_fill(l, rows, err);
    l->table = old;
    l->spec = spec;
    return status;
}

static DgStatus run_table(Load *l, const char *before, DgTableName table, Str after, DgError *err)
{
    buf_add(&l->sql, str_from(before));
    sql_table(&l->sql, l->d, table);
    buf_add(&l->sql, after);
    return load_exec(l, NULL, err);
}

/* Views stand on the old table: it stays, and gets the new rows, if it takes them. */
static DgStatus move_into_old(Load *l, DgTableName new, const DgError *why, DgError *err)
{
    load_add(l, "ROLLBACK TO SAVEPOINT dgc_swap");
    DG_TRY(load_exec(l, NULL, err));
    DG_TRY(load_clear_table(l, err));
    load_add(l, "INSERT INTO %T (");
    load_columns(l, NULL, false);
    load_add(l, ") SELECT ");
    load_columns(l, NULL, false);
    if (run_table(l, " FROM ", new, (Str){0}, err) != DG_OK) {
        dg_hint(err, "the table could not be replaced either: %s", why->message);
        return err->status;
    }
    return run_table(l, "DROP TABLE ", new, (Str){0}, err);
}

DgStatus load_swap(Load *l, DgRows *rows, DgError *err)
{
    DgError failed = {0};
    DgTableName new = {l->spec->table.schema, str_format(&l->arena, "_dgc_n_%.*s", 16, l->spec->package.ptr)};
    DG_TRY(fill_other(l, rows, new, err));
    load_add(l, "SAVEPOINT dgc_swap");
    DG_TRY(load_exec(l, NULL, err));
    load_add(l, "DROP TABLE %T");
    if (load_exec(l, NULL, &failed) != DG_OK)
        return move_into_old(l, new, &failed, err);
    buf_add(&l->sql, S("ALTER TABLE "));
    sql_table(&l->sql, l->d, new);
    load_add(l, " RENAME TO %A");
    return load_exec(l, NULL, err);
}

DgStatus load_rename(Load *l, DgRows *rows, DgError *err)
{
    DgError ignored = {0};
    bool unknown = false;
    DgTableName new = packages_table(&l->arena, l->spec->table, l->spec->package);
    DgTableName old = {new.schema, str_format(&l->arena, "%.*s_old", FMT(new.table))};
    if (l->spec->pre_sql.len) {
        buf_add(&l->sql, l->spec->pre_sql);
        DG_TRY(load_exec(l, NULL, err));
    }
    DG_TRY(packages_announce(l, err));
    DgStatus status = fill_other(l, rows, new, err);
    if (status == DG_OK)
        status = state_fence(l, err); /* that nobody else has taken over, as late as can be */
    os_crashpoint("load-merged");
    if (status == DG_OK && !l->explain)
        status = l->engine->commit(l->db, &unknown, err); /* unknown or not: the next load drops it */
    if (status != DG_OK) {
        if (l->explain || unknown)
            return status;
        l->engine->rollback(l->db, &ignored);
        load_abort(l->db, l->spec->table.schema, l->spec->package, &ignored);
        return status;
    }
    load_add(l, "RENAME TABLE %T TO ");
    sql_table(&l->sql, l->d, old);
    buf_add(&l->sql, S(", "));
    sql_table(&l->sql, l->d, new);
    load_add(l, " TO %T");
    DG_TRY(load_exec(l, NULL, err));
    return run_table(l, "DROP TABLE ", old, (Str){0}, err);
}
