/* each_table.c - the tables of a wildcard, one after the other; and what becomes of the others, of tables and of files, when one fails: as
 * with Sling they are loaded, and the stream fails at its end with the list. A run that tries again, or resumes, takes only those
 * that are not there yet. */
#include <fnmatch.h>

#include "runtime/copy/copy.h"
#include "runtime/os/os.h"
#include "runtime/run/history.h"

enum { ANCESTORS_MAX = 100 };

/* ---- One of many ---- */

/* Nothing that another table could fare better with. */
static bool ends_all(DgStatus status)
{
    return status == DG_CANCELLED || status == DG_NOMEM || status == DG_BUG;
}

/* A connection that failed in the middle of a table is not asked for the next one. */
static DgStatus reopen(Copy *c, DgError *err)
{
    copy_close_end(&c->source);
    copy_close_end(&c->target);
    DG_TRY(copy_resolve_end(c, &c->step->source, &c->source, err));
    DG_TRY(copy_resolve_end(c, &c->step->target, &c->target, err));
    DG_TRY(copy_open_end(c, &c->source, err));
    return copy_open_end(c, &c->target, err);
}

static void note_failure(Copy *c, CopyMany *m, const DgError *err)
{
    m->failed++;
    array_add(&c->arena, &m->names, str_copy(&c->arena, c->name));
    dg_log(c->run, DG_LOG_ERROR, "`%.*s` failed: %s%s%s", FMT(c->name), err->message, err->hint[0] ? "; " : "", err->hint);
    if (m->failed == 1 || (dg_is_transient(err->status) && !dg_is_transient(m->why.status))) /* one that may pass is tried again */
        m->why = *err;
}

DgStatus copy_one_of_many(Copy *c, CopyMany *m, DgStatus (*one)(Copy *c, DgError *err), DgError *err)
{
    bool there = false;
    m->count++;
    DgStatus status = copy_loaded_before(c, m, &there, err);
    if (status == DG_OK && there) {
        dg_log(c->run, DG_LOG_INFO, "`%.*s` was loaded before the failure", FMT(c->name));
        copy_note_table(c);
    } else if (status == DG_OK) {
        status = one(c, err);
    }
    if (status == DG_OK || ends_all(status))
        return status;
    note_failure(c, m, err);
    return reopen(c, err);
}

/* Of the failures the names, and of one the reason. */
DgStatus copy_many_end(const CopyMany *m, const char *noun, DgError *err)
{
    StrBuf b = {.max = 4096};
    enum { NAMES = 8 };
    if (!m->failed)
        return DG_OK;
    for (size_t i = 0; i < m->names.count && i < NAMES; i++)
        buf_format(&b, "%s`%.*s`", i ? ", " : "", FMT(m->names.items[i]));
    if (m->names.count > NAMES)
        buf_format(&b, " and %zu more", m->names.count - NAMES);
    *err = m->why;
    dg_fail(err, m->why.status, "%lld of %lld %s failed (%.*s); %s", (long long)m->failed, (long long)m->count, noun, FMT(buf_str(&b)), m->why.message);
    buf_free(&b);
    err->retry_after_ms = m->why.retry_after_ms;
    dg_hint(err, "%s%sthe others are loaded; `run --resume` takes only what failed", m->why.hint, m->why.hint[0] ? "; " : "");
    return m->why.status;
}

/* ---- What an earlier attempt, or the run that is resumed, has loaded ---- */

static DgStatus add_runs(Copy *c, StrArray *runs, DgError *err)
{
    Run *run = c->run->run;
    Str id = run->options.resuming ? run->options.resume : (Str){0};
    array_add(&c->arena, runs, str_from(run->id));
    while (id.len && runs->count < ANCESTORS_MAX) {
        RunRow row;
        DgStatus status = history_find_run(run->history, &c->arena, id, &row, err);
        if (status == DG_END)
            return DG_OK;
        DG_TRY(status);
        array_add(&c->arena, runs, row.id);
        id = row.resumed_from;
    }
    return DG_OK;
}

/* A stream whose hooks came after the load, and one in chunks, are done again: merging does no harm. */
static bool repeats(const Copy *c)
{
    return c->s->hooks.post.count || (c->s->mode == DG_COPY_BACKFILL && c->s->source_options.range.len);
}

static DgStatus committed_by(Copy *c, const StrArray *runs, bool *there, DgError *err)
{
    const DgDialect *d = c->target.engine->dialect;
    DgTableInfo table;
    StrBuf b = {.max = 64 << 10};
    Str count;
    int64_t n = 0;
    DgStatus status = c->target.engine->describe(c->target.db, &c->arena, (DgTableName){c->to.schema, S("_dgc_loads")}, &table, err);
    if (status == DG_OK)
        status = c->target.engine->describe(c->target.db, &c->arena, c->to, &table, err);
    if (status != DG_OK)
        return status == DG_END ? DG_OK : status;
    buf_add(&b, S("SELECT count(*) FROM "));
    sql_table(&b, d, (DgTableName){c->to.schema, S("_dgc_loads")});
    buf_add(&b, S(" WHERE status = 'committed' AND stream = "));
    d->text(&b, copy_state_key(c));
    for (size_t i = 0; i < runs->count; i++) {
        buf_add(&b, i ? S(", ") : S(" AND run IN ("));
        d->text(&b, runs->items[i]);
    }
    buf_char(&b, ')');
    status = db_text(c->target.db, &c->arena, buf_str(&b), &count, err);
    buf_free(&b);
    *there = status == DG_OK && str_to_int(count, &n) && n > 0;
    return status;
}

DgStatus copy_loaded_before(Copy *c, CopyMany *m, bool *there, DgError *err)
{
    bool again = c->run->run->options.resuming || c->run->unit->attempt > 1;
    if (!again || repeats(c))
        return DG_OK;
    if (!m->runs.count)
        DG_TRY(add_runs(c, &m->runs, err));
    DG_TRY(copy_name_object(c, err));
    return c->target.engine ? committed_by(c, &m->runs, there, err) : copy_files_committed_by(c, &m->runs, there, err);
}

/* ---- Tables ---- */

static bool is_pattern(Str s)
{
    return str_find_char(s, '*') >= 0 || str_find_char(s, '?') >= 0;
}

static bool left_out(const Copy *c, DgTableName name)
{
    for (size_t i = 0; i < c->step->excluded.count; i++) {
        Arena scratch;
        DgTableName other;
        arena_init(&scratch, 1 << 16);
        bool same = table_name_parse(&scratch, DG_ITEMS(DgStr, c->step->excluded)[i], &other) &&
                    (is_pattern(other.table) ? fnmatch(str_cstr(&scratch, other.table), str_cstr(&scratch, name.table), FNM_CASEFOLD) == 0
                                             : str_eq_nocase(other.table, name.table)) &&
                    (!other.schema.len || str_eq_nocase(other.schema, name.schema));
        arena_free(&scratch);
        if (same)
            return true;
    }
    return false;
}

DgStatus copy_each_table(Copy *c, DgStatus (*one)(Copy *c, DgError *err), DgError *err)
{
    DgTableInfos tables = {0};
    DgTableName pattern = c->from;
    CopyMany many = {0};
    DG_TRY(c->source.engine->tables(c->source.db, &c->arena, pattern.schema, pattern.table, &tables, err));
    for (size_t i = 0; i < tables.count; i++) {
        c->from = tables.items[i].name;
        if (left_out(c, c->from))
            continue;
        c->name = c->from.schema.len ? str_format(&c->arena, "%.*s.%.*s", FMT(c->from.schema), FMT(c->from.table)) : c->from.table;
        DG_TRY(copy_one_of_many(c, &many, one, err));
    }
    if (!many.count)
        dg_log(c->run, DG_LOG_WARNING, "`%.*s` matches no table", FMT(c->step->stream));
    return copy_many_end(&many, "tables", err);
}
