/* load_state.c - cursors, packages and leases, in tables beside the data.
 *
 *   _dgc_state   pipeline, stream -> cursor, written with the data
 *   _dgc_loads   one row a committed package: how anyone can tell whether it happened
 *   _dgc_lease   pipeline, stream -> epoch; who counts it up owns the stream
 */
#include "runtime/load/load_internal.h"
#include "runtime/os/os.h"

void state_table(StrBuf *out, const DgDialect *d, DgTableName table, const char *which)
{
    sql_table(out, d, (DgTableName){table.schema, str_from(which)});
}

static DgStatus run_one(DgDb *db, StrBuf *sql, DgError *err)
{
    DgStatus status = sql->failed ? os_no_memory(err, "making SQL") : db->engine->exec(db, buf_str(sql), NULL, err);
    sql->len = 0;
    return status;
}

static void add_type(StrBuf *b, const DgDialect *d, DgTypeKind kind, int64_t size)
{
    d->type(b, (DgType){(uint8_t)kind, 0, 0}, size);
}

/* `size` characters, so that MySQL can put it in a key. */
static void add_text_column(StrBuf *b, const DgDialect *d, const char *name, int64_t size)
{
    sql_name(b, d, str_from(name));
    buf_char(b, ' ');
    add_type(b, d, DG_TEXT, size);
}

static void add_column(StrBuf *b, const DgDialect *d, const char *name, DgTypeKind kind)
{
    buf_add(b, S(", "));
    sql_name(b, d, str_from(name));
    buf_char(b, ' ');
    add_type(b, d, kind, 0);
}

static void begin_table(StrBuf *b, const DgDialect *d, DgTableName table, const char *which)
{
    buf_add(b, S("CREATE TABLE IF NOT EXISTS "));
    state_table(b, d, table, which);
    buf_add(b, S(" ("));
}

static DgStatus make_tables(DgDb *db, DgTableName table, DgError *err)
{
    const DgDialect *d = db->engine->dialect;
    StrBuf b = {.max = 64 << 10};
    DgStatus status = DG_OK;
    if (d->has_schemas && table.schema.len && d->default_schema && !str_eq(table.schema, str_from(d->default_schema))) {
        buf_add(&b, S("CREATE SCHEMA IF NOT EXISTS "));
        sql_name(&b, d, table.schema);
        status = run_one(db, &b, err);
    }
    begin_table(&b, d, table, "_dgc_state");
    add_text_column(&b, d, "pipeline", 200);
    buf_add(&b, S(" NOT NULL, "));
    add_text_column(&b, d, "stream", 500);
    buf_add(&b, S(" NOT NULL"));
    add_column(&b, d, "state_cursor", DG_TEXT);
    add_column(&b, d, "package", DG_TEXT);
    add_column(&b, d, "epoch", DG_INT64);
    add_column(&b, d, "updated_at", DG_TIMESTAMP);
    buf_add(&b, S(", PRIMARY KEY (pipeline, stream))"));
    if (status == DG_OK)
        status = run_one(db, &b, err);
    begin_table(&b, d, table, "_dgc_loads");
    add_text_column(&b, d, "package", 32);
    buf_add(&b, S(" NOT NULL"));
    static const char *const texts[] = {"pipeline", "run", "stream", "table_name", "status", "state_cursor"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add_column(&b, d, texts[i], DG_TEXT);
    static const char *const numbers[] = {"rows_read", "rows_inserted", "rows_updated", "rows_deleted"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        add_column(&b, d, numbers[i], DG_INT64);
    add_column(&b, d, "committed_at", DG_TIMESTAMP);
    buf_add(&b, S(", PRIMARY KEY (package))"));
    if (status == DG_OK)
        status = run_one(db, &b, err);
    begin_table(&b, d, table, "_dgc_lease");
    add_text_column(&b, d, "pipeline", 200);
    buf_add(&b, S(" NOT NULL, "));
    add_text_column(&b, d, "stream", 500);
    buf_add(&b, S(" NOT NULL"));
    add_column(&b, d, "epoch", DG_INT64);
    buf_add(&b, S(", PRIMARY KEY (pipeline, stream))"));
    if (status == DG_OK)
        status = run_one(db, &b, err);
    buf_free(&b);
    return status;
}

/* The last one made is there: all are. */
static bool have_tables(DgDb *db, Arena *a, DgTableName table, DgStatus *status, DgError *err)
{
    DgTableInfo info;
    *status = db->engine->describe(db, a, (DgTableName){table.schema, S("_dgc_lease")}, &info, err);
    bool there = *status == DG_OK;
    if (*status == DG_END)
        *status = DG_OK;
    return there;
}

enum { MAKE_TRIES = 8 };

DgStatus state_prepare(DgDb *db, DgTableName table, DgError *err)
{
    Arena a;
    DgStatus status;
    arena_init(&a, 1 << 22);
    bool there = have_tables(db, &a, table, &status, err);
    if (status == DG_OK && !there) {
        DgError lost = {0};
        status = make_tables(db, table, err);
        /* Streams that begin at the same time make them at the same time; one of them is told off, for the schema or
         * for one of the tables, and may be for the next. */
        for (int again = 0; again < MAKE_TRIES && status != DG_OK; again++)
            status = make_tables(db, table, &lost);
    }
    arena_free(&a);
    return status;
}

static void where_stream(StrBuf *b, const DgDialect *d, Str pipeline, Str stream)
{
    buf_add(b, S(" WHERE pipeline = "));
    d->text(b, pipeline);
    buf_add(b, S(" AND stream = "));
    d->text(b, stream);
}

/* ---- In the load's transaction ---- */

DgStatus state_write(Load *l, Str cursor, DgError *err)
{
    const DgLoadSpec *s = l->spec;
    const DgLoadCounts *n = l->counts;
    if (cursor.len) {
        buf_add(&l->sql, S("DELETE FROM "));
        state_table(&l->sql, l->d, s->table, "_dgc_state");
        where_stream(&l->sql, l->d, s->pipeline, s->stream);
        DG_TRY(load_exec(l, NULL, err));
        buf_add(&l->sql, S("INSERT INTO "));
        state_table(&l->sql, l->d, s->table, "_dgc_state");
        load_add(l, " (pipeline, stream, state_cursor, package, epoch, updated_at) VALUES (%t, %t, %t, %t, ", s->pipeline, s->stream, cursor, s->package);
        buf_format(&l->sql, "%lld, ", (long long)s->epoch);
        l->d->timestamp_now(&l->sql, os_real_us());
        buf_char(&l->sql, ')');
        DG_TRY(load_exec(l, NULL, err));
    }
    if (l->renames) { /* packages_announce */
        buf_add(&l->sql, S("DELETE FROM "));
        state_table(&l->sql, l->d, s->table, "_dgc_loads");
        load_add(l, " WHERE package = %t", s->package);
        DG_TRY(load_exec(l, NULL, err));
    }
    buf_add(&l->sql, S("INSERT INTO "));
    state_table(&l->sql, l->d, s->table, "_dgc_loads");
    load_add(l, " (package, pipeline, run, stream, table_name, status, state_cursor, rows_read, rows_inserted, rows_updated, rows_deleted,"
                " committed_at) VALUES (%t, %t, %t, %t, %t, 'committed', %t, ",
             s->package, s->pipeline, s->run, s->stream, s->table.table, cursor);
    buf_format(&l->sql, "%lld, %lld, %lld, %lld, ", (long long)n->rows_read, (long long)n->rows_inserted, (long long)n->rows_updated,
               (long long)n->rows_deleted);
    l->d->timestamp_now(&l->sql, os_real_us());
    buf_char(&l->sql, ')');
    return load_exec(l, NULL, err);
}

static DgStatus turn_epoch(Load *l, int64_t from, int64_t to, int64_t *turned, DgError *err)
{
    buf_add(&l->sql, S("UPDATE "));
    state_table(&l->sql, l->d, l->spec->table, "_dgc_lease");
    buf_format(&l->sql, " SET epoch = %lld", (long long)to);
    where_stream(&l->sql, l->d, l->spec->pipeline, l->spec->stream);
    buf_format(&l->sql, " AND epoch = %lld", (long long)from);
    return load_exec(l, turned, err);
}

enum { WAIT_MS = 60000, WAIT_STEP_MS = 2000, TELL_MS = 1000, TELL_AGAIN_MS = 10000, PAUSE_MS = 50, FIRST_TRIES = 3 };

/* How long the session waits for a lock; 0: as it did. */
static DgStatus set_lock_wait(DgDb *db, int64_t ms, DgError *err)
{
    StrBuf b = {.max = 256};
    if (!db->engine->dialect->lock_wait)
        return DG_OK;
    db->engine->dialect->lock_wait(&b, ms);
    DgStatus status = run_one(db, &b, err);
    buf_free(&b);
    return status;
}

/* The row is changed and changed back: that locks it, and unlike a SELECT it meets the row as it is now,
 * not as it was when the transaction began. Two that fence the same stream cannot both commit. */
DgStatus state_fence(Load *l, DgError *err)
{
    const DgLoadSpec *s = l->spec;
    int64_t same = 0;
    if (!s->epoch)
        return DG_OK;
    if (!l->explain)
        DG_TRY(set_lock_wait(l->db, s->lock_wait_ms ? s->lock_wait_ms : WAIT_MS, err));
    DG_TRY(turn_epoch(l, s->epoch, -s->epoch, &same, err));
    if (same || l->explain)
        DG_TRY(turn_epoch(l, -s->epoch, s->epoch, NULL, err));
    if (l->explain)
        return DG_OK;
    DG_TRY(set_lock_wait(l->db, 0, err));
    if (same)
        return DG_OK;
    dg_fail(err, DG_TEMPFAIL, "another run has taken over stream `%.*s`; nothing was committed", FMT(s->stream));
    dg_hint(err, "this process was held up for so long that its lease was given away");
    return DG_TEMPFAIL;
}

/* ---- From outside ---- */

DgStatus load_cursor(DgDb *db, Arena *a, DgTableName table, Str pipeline, Str stream, Str *cursor, DgError *err)
{
    StrBuf b = {.max = 64 << 10};
    DgStatus status;
    *cursor = (Str){0};
    if (!have_tables(db, a, table, &status, err))
        return status;
    buf_add(&b, S("SELECT max(state_cursor) FROM "));
    state_table(&b, db->engine->dialect, table, "_dgc_state");
    where_stream(&b, db->engine->dialect, pipeline, stream);
    status = db_text(db, a, buf_str(&b), cursor, err);
    buf_free(&b);
    return status;
}

DgStatus load_cursor_set(DgDb *db, DgTableName table, Str pipeline, Str stream, Str cursor, DgError *err)
{
    const DgDialect *d = db->engine->dialect;
    StrBuf b = {.max = 1 << 20};
    bool unknown;
    DG_TRY(state_prepare(db, table, err));
    DG_TRY(db->engine->begin(db, DG_TX_WRITE, err));
    buf_add(&b, S("DELETE FROM "));
    state_table(&b, d, table, "_dgc_state");
    where_stream(&b, d, pipeline, stream);
    DgStatus status = run_one(db, &b, err);
    if (status == DG_OK && cursor.len) {
        buf_add(&b, S("INSERT INTO "));
        state_table(&b, d, table, "_dgc_state");
        buf_add(&b, S(" (pipeline, stream, state_cursor, package, epoch, updated_at) VALUES ("));
        d->text(&b, pipeline);
        buf_add(&b, S(", "));
        d->text(&b, stream);
        buf_add(&b, S(", "));
        d->text(&b, cursor);
        buf_add(&b, S(", 'set by hand', 0, "));
        d->timestamp_now(&b, os_real_us());
        buf_char(&b, ')');
        status = run_one(db, &b, err);
    }
    buf_free(&b);
    DgError ignored = {0};
    if (status != DG_OK)
        db->engine->rollback(db, &ignored);
    return status == DG_OK ? db->engine->commit(db, &unknown, err) : status;
}

static DgStatus take_lease(DgDb *db, DgTableName table, Str pipeline, Str stream, int64_t *epoch, DgError *err)
{
    const DgDialect *d = db->engine->dialect;
    StrBuf b = {.max = 64 << 10};
    int64_t there = 0;
    buf_add(&b, S("SELECT count(*) FROM "));
    state_table(&b, d, table, "_dgc_lease");
    where_stream(&b, d, pipeline, stream);
    DgStatus status = db_int(db, buf_str(&b), &there, err);
    b.len = 0;
    if (status == DG_OK && there) {
        buf_add(&b, S("UPDATE "));
        state_table(&b, d, table, "_dgc_lease");
        buf_add(&b, S(" SET epoch = epoch + 1"));
        where_stream(&b, d, pipeline, stream);
        status = run_one(db, &b, err);
    } else if (status == DG_OK) {
        buf_add(&b, S("INSERT INTO "));
        state_table(&b, d, table, "_dgc_lease");
        buf_add(&b, S(" (pipeline, stream, epoch) VALUES ("));
        d->text(&b, pipeline);
        buf_add(&b, S(", "));
        d->text(&b, stream);
        buf_add(&b, S(", 1)"));
        status = run_one(db, &b, err);
    }
    if (status == DG_OK) {
        buf_add(&b, S("SELECT epoch FROM "));
        state_table(&b, d, table, "_dgc_lease");
        where_stream(&b, d, pipeline, stream);
        status = db_int(db, buf_str(&b), epoch, err);
    }
    buf_free(&b);
    return status;
}

static DgStatus lease_once(DgDb *db, DgTableName table, Str pipeline, Str stream, int64_t wait_ms, int64_t *epoch, DgError *err)
{
    bool unknown = false;
    DgError ignored = {0};
    DG_TRY(set_lock_wait(db, wait_ms, err));
    DG_TRY(db->engine->begin(db, DG_TX_WRITE, err));
    DgStatus status = take_lease(db, table, pipeline, stream, epoch, err);
    if (status == DG_OK)
        status = db->engine->commit(db, &unknown, err);
    else
        db->engine->rollback(db, &ignored);
    return status == DG_OK ? set_lock_wait(db, 0, err) : status;
}

/* Waits in steps, so that it can tell, and be cancelled. */
DgStatus load_lease(DgDb *db, DgTableName table, Str pipeline, Str stream, const DgLeaseWait *how, int64_t *epoch, DgError *err)
{
    static const DgLeaseWait plainly = {0};
    const DgLeaseWait *w = how ? how : &plainly;
    int64_t max = w->max_ms > 0 ? w->max_ms : WAIT_MS, began = os_monotonic_ms(), tell_at = TELL_MS, waited = 0;
    DG_TRY(state_prepare(db, table, err));
    for (int tries = 1;; tries++) {
        int64_t step = max - waited < WAIT_STEP_MS ? max - waited : WAIT_STEP_MS;
        DgStatus status = lease_once(db, table, pipeline, stream, step > 0 ? step : 1, epoch, err);
        waited = os_monotonic_ms() - began;
        /* Two runs that are the stream's first both insert its row, and one is refused: now it is there. */
        if (status != DG_TEMPFAIL && !(status == DG_DATA && tries < FIRST_TRIES))
            return status;
        if (w->cancelled && w->cancelled(w->context))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        if (waited >= max)
            break;
        if (w->waiting && waited >= tell_at) {
            w->waiting(w->context, stream, waited);
            tell_at = waited + TELL_AGAIN_MS;
        }
        os_sleep_ms(PAUSE_MS);
    }
    DgError why = *err;
    dg_fail(err, DG_TEMPFAIL, "could not take stream `%.*s` within %lld s: another run of it has it in hand (%s)", FMT(stream),
            (long long)(max + 999) / 1000, why.message);
    dg_hint(err, "look for a run that was stopped or hangs; `lock_timeout` of the connection is how long to wait, in milliseconds");
    return DG_TEMPFAIL;
}

DgStatus load_probe(DgDb *db, DgTableName table, Str package, bool *there, DgError *err)
{
    StrBuf b = {.max = 64 << 10};
    int64_t count = 0;
    buf_add(&b, S("SELECT count(*) FROM "));
    state_table(&b, db->engine->dialect, table, "_dgc_loads");
    buf_add(&b, S(" WHERE package = "));
    db->engine->dialect->text(&b, package);
    buf_add(&b, S(" AND status = 'committed'"));
    DgStatus status = db_int(db, buf_str(&b), &count, err);
    buf_free(&b);
    *there = count > 0;
    return status;
}
