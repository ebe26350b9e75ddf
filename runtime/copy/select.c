/* select.c - `select` for rows that no SELECT chose, and names as files are to have them. */
#include <fnmatch.h>

#include "runtime/copy/copy.h"
#include "runtime/os/os.h"

/* ---- Items: `a`, `a as b`, `*`, `addr_*`, `-c` ---- */

bool select_matches(Arena *a, Str pattern, Str name)
{
    char *p = str_cstr(a, str_lower(a, pattern)), *n = str_cstr(a, str_lower(a, name));
    return fnmatch(p, n, 0) == 0;
}

Str select_unquoted(Str s)
{
    bool quoted = s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '`') && s.ptr[s.len - 1] == s.ptr[0];
    return quoted ? str_sub(s, 1, s.len - 1) : s;
}

bool select_alias(Str item, Str *name, Str *alias)
{
    for (ptrdiff_t i = item.len - 4; i > 0; i--)
        if (str_eq_nocase(str_sub(item, i, i + 4), S(" as "))) {
            *name = str_trim(str_sub(item, 0, i));
            *alias = select_unquoted(str_trim(str_sub(item, i + 4, item.len)));
            return true;
        }
    *name = item;
    return false;
}

bool select_excludes(Copy *c, Str name)
{
    for (size_t i = 0; i < c->s->select.count; i++) {
        Str item = str_trim(DG_ITEMS(DgStr, c->s->select)[i]);
        if (str_starts(item, S("-")) && select_matches(&c->arena, select_unquoted(str_sub(item, 1, item.len)), name))
            return true;
    }
    return false;
}

/* ---- A stream of chosen columns ---- */

typedef struct Select {
    DgRows rows; /* first */
    DgRows *from;
    DgColumn *columns;
    int32_t *which; /* per column: that of `from` */
    bool *taken;    /* per column of `from` */
    int32_t count;
    DgBatch in;
} Select;

static DgStatus select_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Select *w = (Select *)rows;
    dg_batch_reset(out);
    DgStatus status = w->from->next(w->from, &w->in, err);
    for (int32_t i = 0; i < w->count; i++) { /* the vectors change places */
        DgVector v = out->vectors[i];
        out->vectors[i] = w->in.vectors[w->which[i]];
        w->in.vectors[w->which[i]] = v;
    }
    out->rows = w->in.rows;
    return status;
}

static void select_close(DgRows *rows)
{
    Select *w = (Select *)rows;
    rows_close(w->from);
    dg_batch_release(&w->in);
    os_free(w->columns);
    os_free(w->which);
    os_free(w->taken);
    os_free(w);
}

static DgStatus take(Copy *c, Select *w, int32_t column, Str name, DgError *err)
{
    if (w->taken[column])
        return dg_fail(err, DG_CONFIG, "`select` has column `%.*s` of `%.*s` twice", FMT(w->from->columns[column].name), FMT(c->name));
    w->taken[column] = true;
    w->columns[w->count] = w->from->columns[column];
    w->columns[w->count].name = name;
    w->which[w->count++] = column;
    return DG_OK;
}

static int32_t column_named(const DgRows *rows, Str name)
{
    for (int pass = 0; pass < 2; pass++) /* as written first, then in any case */
        for (int32_t i = 0; i < rows->columns_count; i++)
            if (pass ? str_eq_nocase(rows->columns[i].name, name) : str_eq(rows->columns[i].name, name))
                return i;
    return -1;
}

static DgStatus take_item(Copy *c, Select *w, Str item, DgError *err)
{
    Str name, alias = {0};
    bool aliased = select_alias(item, &name, &alias), found = false;
    name = select_unquoted(name);
    if (str_find_char(name, '*') >= 0 && !aliased) {
        for (int32_t i = 0; i < w->from->columns_count; i++) {
            Str column = w->from->columns[i].name;
            if (w->taken[i] || !select_matches(&c->arena, name, column) || select_excludes(c, column))
                continue;
            found = true;
            DG_TRY(take(c, w, i, column, err));
        }
        return found ? DG_OK : dg_fail(err, DG_CONFIG, "`select: %.*s` matches no column of `%.*s`", FMT(item), FMT(c->name));
    }
    int32_t column = column_named(w->from, name);
    if (column >= 0)
        return take(c, w, column, aliased ? alias : w->from->columns[column].name, err);
    dg_fail(err, DG_CONFIG, "`%.*s` has no column `%.*s`", FMT(c->name), FMT(name));
    dg_hint(err, "in files `select` takes columns; `transforms` computes others");
    return DG_CONFIG;
}

static DgStatus take_all(Copy *c, Select *w, DgError *err)
{
    bool some = false;
    for (size_t i = 0; i < c->s->select.count; i++) {
        Str item = str_trim(DG_ITEMS(DgStr, c->s->select)[i]);
        if (str_starts(item, S("-")) || !item.len)
            continue;
        some = true;
        DG_TRY(take_item(c, w, item, err));
    }
    return some ? DG_OK : take_item(c, w, S("*"), err);
}

/* No file's dialect has a limit of its own. */
static void cased(Copy *c, Select *w)
{
    static const DgDialect file = {0};
    for (int32_t i = 0; i < w->count; i++)
        w->columns[i].name = naming_apply(&c->arena, copy_casing(c), &file, w->columns[i].name);
}

static DgStatus distinct(const Copy *c, const Select *w, DgError *err)
{
    for (int32_t i = 0; i < w->count; i++)
        for (int32_t k = 0; k < i; k++)
            if (str_eq(w->columns[i].name, w->columns[k].name)) {
                dg_fail(err, DG_DATA, "columns `%.*s` and `%.*s` of `%.*s` are both called `%.*s`", FMT(w->from->columns[w->which[k]].name),
                        FMT(w->from->columns[w->which[i]].name), FMT(c->name), FMT(w->columns[i].name));
                dg_hint(err, "leave one out or rename it with `select: [a, b as other]`, or set target_options.column_casing: source");
                return DG_DATA;
            }
    return DG_OK;
}

static DgStatus open_select(Copy *c, DgRows *from, bool items, bool casing, DgRows **out, DgError *err)
{
    size_t n = (size_t)from->columns_count + 1;
    Select *w = os_alloc(sizeof *w);
    if (!w) {
        rows_close(from);
        return os_no_memory(err, "reading rows");
    }
    w->from = from;
    w->columns = os_alloc(n * sizeof *w->columns);
    w->which = os_alloc(n * sizeof *w->which);
    w->taken = os_alloc(n * sizeof *w->taken);
    DgStatus status = w->columns && w->which && w->taken ? DG_OK : os_no_memory(err, "reading rows");
    if (status == DG_OK && items)
        status = take_all(c, w, err);
    for (int32_t i = 0; i < from->columns_count && status == DG_OK && !items; i++)
        status = take(c, w, i, from->columns[i].name, err);
    if (status == DG_OK && casing)
        cased(c, w);
    if (status == DG_OK)
        status = distinct(c, w, err);
    if (status == DG_OK)
        status = dg_batch_init(&w->in, from->columns, from->columns_count, DG_BATCH_ROWS, err);
    if (status != DG_OK) {
        select_close(&w->rows);
        return status;
    }
    w->rows = (DgRows){w->columns, w->count, select_next, select_close, from->any_order};
    *out = &w->rows;
    return DG_OK;
}

DgStatus copy_select(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    *out = from;
    return c->source.engine || !c->s->select.count ? DG_OK : open_select(c, from, true, false, out, err);
}

DgStatus copy_rename(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    bool any = false;
    *out = from;
    for (int32_t i = 0; i < from->columns_count && !c->target.engine && !any; i++) {
        static const DgDialect file = {0};
        any = !str_eq(naming_apply(&c->arena, copy_casing(c), &file, from->columns[i].name), from->columns[i].name);
    }
    return any ? open_select(c, from, false, true, out, err) : DG_OK;
}
