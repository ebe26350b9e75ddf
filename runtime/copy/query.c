/* query.c - the SELECT that reads one table or query of the source. */
#include <fnmatch.h>

#include "runtime/copy/copy.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

/* ---- Columns: `a`, `a as b`, `*`, `addr_*`, `-c`; see select.c ---- */

static const DgDbColumn *column_named(const Copy *c, Str name)
{
    for (int pass = 0; pass < 2; pass++) /* as written first, then in any case */
        for (int32_t i = 0; i < c->info.columns_count; i++) {
            Str have = c->info.columns[i].column.name;
            if (pass ? str_eq_nocase(have, name) : str_eq(have, name))
                return &c->info.columns[i];
        }
    return NULL;
}

static void add_column(Copy *c, StrBuf *b, Str name, Str alias)
{
    if (b->len)
        buf_add(b, S(", "));
    sql_name(b, c->source.engine->dialect, name);
    if (alias.len) {
        buf_add(b, S(" AS "));
        sql_name(b, c->source.engine->dialect, alias);
    }
}

static DgStatus add_selected(Copy *c, StrBuf *b, Str item, DgError *err)
{
    Str name, alias = {0};
    bool aliased = select_alias(item, &name, &alias), found = false;
    name = select_unquoted(name);
    if (str_find_char(name, '*') >= 0 && !aliased) {
        for (int32_t i = 0; i < c->info.columns_count; i++) {
            Str column = c->info.columns[i].column.name;
            if (select_matches(&c->arena, name, column) && !select_excludes(c, column))
                add_column(c, b, column, (Str){0}), found = true;
        }
        return found ? DG_OK : dg_fail(err, DG_CONFIG, "`select: %.*s` matches no column of `%.*s`", FMT(item), FMT(c->name));
    }
    const DgDbColumn *column = column_named(c, name);
    if (column) {
        add_column(c, b, column->column.name, alias);
    } else if (aliased) { /* an expression, as the source's SQL has it */
        buf_format(b, "%s%.*s AS ", b->len ? ", " : "", FMT(name));
        sql_name(b, c->source.engine->dialect, alias);
    } else {
        dg_fail(err, DG_CONFIG, "`%.*s` has no column `%.*s`", FMT(c->name), FMT(name));
        dg_hint(err, "an expression needs a name: `expression as name`");
        return DG_CONFIG;
    }
    return DG_OK;
}

static DgStatus selected_columns(Copy *c, StrBuf *b, DgError *err)
{
    bool some = false;
    for (size_t i = 0; i < c->s->select.count; i++) {
        Str item = str_trim(DG_ITEMS(DgStr, c->s->select)[i]);
        if (str_starts(item, S("-")) || !item.len)
            continue;
        some = true;
        DG_TRY(add_selected(c, b, item, err));
    }
    if (c->s->select.count && !some)
        DG_TRY(add_selected(c, b, S("*"), err));
    else if (!some)
        buf_char(b, '*');
    return DG_OK;
}

/* ---- Conditions ---- */

static void add_value(Copy *c, StrBuf *b, Str value, bool number)
{
    if (number)
        buf_add(b, value);
    else
        c->source.engine->dialect->text(b, value);
}

static bool plain_number(Str s)
{
    double d;
    return str_to_double(s, &d);
}

static bool key_is_number(const Copy *c, Str value)
{
    const DgDbColumn *column = column_named(c, c->s->update_key);
    return plain_number(value) && (column ? value_is_number(column->column.type) : value_is_number(c->cursor_type));
}

static Str update_key(const Copy *c)
{
    const DgDbColumn *column = column_named(c, c->s->update_key);
    return column ? column->column.name : c->s->update_key;
}

static DgStatus range_condition(Copy *c, StrBuf *b, Str range, DgError *err)
{
    CopyChunk part = {0};
    const DgDialect *d = c->source.engine->dialect;
    if (c->chunk)
        part = *c->chunk;
    if (!c->s->update_key.len || (!c->chunk && !str_cut(range, ',', &part.first, &part.last))) {
        dg_fail(err, DG_CONFIG, "`source_options.range` needs an `update_key` and two values");
        dg_hint(err, "write it like range: '2024-01-01,2024-02-01'");
        return DG_CONFIG;
    }
    part.first = str_trim(part.first);
    part.last = str_trim(part.last);
    sql_name(b, d, update_key(c));
    buf_add(b, S(" >= "));
    add_value(c, b, part.first, key_is_number(c, part.first));
    buf_add(b, S(" AND "));
    sql_name(b, d, update_key(c));
    buf_add(b, part.open ? S(" < ") : S(" <= "));
    add_value(c, b, part.last, key_is_number(c, part.last));
    return DG_OK;
}

static DgStatus incremental_condition(Copy *c, StrBuf *b, DgError *err)
{
    Str range = c->s->source_options.range;
    if (range.len && c->source.engine)
        return range_condition(c, b, range, err);
    if (!c->cursor.len || !c->s->update_key.len) {
        buf_add(b, S("1=1"));
        return DG_OK;
    }
    sql_name(b, c->source.engine->dialect, update_key(c));
    buf_add(b, S(" > "));
    add_value(c, b, c->cursor, key_is_number(c, c->cursor));
    return DG_OK;
}

static Str value_of(Copy *c)
{
    StrBuf b = {0};
    if (c->cursor.len)
        add_value(c, &b, c->cursor, key_is_number(c, c->cursor));
    else
        buf_add(&b, S("null"));
    Str out = str_copy(&c->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str fill_placeholders(Copy *c, Str sql, Str condition, Str fields)
{
    sql = str_replace(&c->arena, sql, S("{incremental_where_cond}"), condition);
    sql = str_replace(&c->arena, sql, S("{incremental_value}"), value_of(c));
    return str_replace(&c->arena, sql, S("{fields}"), fields);
}

/* ---- The whole ---- */

static DgStatus custom_sql(Copy *c, Str *sql, DgError *err)
{
    *sql = str_trim(c->s->sql);
    if (str_starts(*sql, S("file://")) || (str_ends(*sql, S(".sql")) && str_find_char(*sql, ' ') < 0)) {
        Str path = str_starts(*sql, S("file://")) ? str_sub(*sql, 7, sql->len) : *sql;
        DG_TRY(os_read_file(&c->arena, str_cstr(&c->arena, dg_project_path(c->run, path)), LIMIT_SQL_BYTES, sql, err));
        *sql = str_trim(*sql);
    }
    while (str_ends(*sql, S(";")))
        *sql = str_trim(str_sub(*sql, 0, sql->len - 1));
    return copy_expand(c, *sql, sql, err);
}

static DgStatus build(Copy *c, Str condition, StrBuf *b, Str incremental, Str fields, DgError *err)
{
    const DgSourceOptions *o = &c->s->source_options;
    Str where = {0}, sql = {0};
    DG_TRY(copy_expand(c, c->s->where, &where, err));
    where = fill_placeholders(c, where, incremental, fields);
    if (c->s->sql.len) {
        DG_TRY(custom_sql(c, &sql, err));
        bool asks = str_find(sql, S("{incremental_where_cond}")) >= 0 || str_find(sql, S("{incremental_value}")) >= 0;
        if (!asks && c->s->update_key.len && (c->incremental || o->range.len)) {
            dg_fail(err, DG_CONFIG, "the `sql` of stream `%.*s` does not say where to continue", FMT(c->name));
            dg_hint(err, "put {incremental_where_cond} or {incremental_value} into its WHERE");
            return DG_CONFIG;
        }
        sql = fill_placeholders(c, sql, incremental, fields);
        if (!where.len && !o->limit && !o->offset) {
            buf_add(b, sql);
            return DG_OK;
        }
        buf_format(b, "SELECT * FROM (%.*s) AS t WHERE 1=1", FMT(sql));
    } else {
        buf_format(b, "SELECT %.*s FROM ", FMT(fields));
        sql_table(b, c->source.engine->dialect, c->from);
        buf_format(b, " WHERE %.*s", FMT(incremental));
    }
    if (where.len)
        buf_format(b, " AND (%.*s)", FMT(where));
    if (condition.len)
        buf_format(b, " AND (%.*s)", FMT(condition));
    if (c->s->mode == DG_COPY_DEFINITION_ONLY)
        buf_add(b, S(" AND 1=0"));
    if (o->limit)
        buf_format(b, " LIMIT %lld", (long long)o->limit);
    else if (o->offset) /* MySQL and SQLite want a limit before an offset */
        buf_format(b, " LIMIT 9223372036854775807");
    if (o->offset)
        buf_format(b, " OFFSET %lld", (long long)o->offset);
    return DG_OK;
}

DgStatus copy_query(Copy *c, Str condition, Str *sql, DgError *err)
{
    StrBuf fields = {.max = LIMIT_SQL_BYTES}, incremental = {.max = 64 << 10}, b = {.max = LIMIT_SQL_BYTES};
    DgStatus status = selected_columns(c, &fields, err);
    if (status == DG_OK)
        status = incremental_condition(c, &incremental, err);
    if (status == DG_OK)
        status = build(c, condition, &b, buf_str(&incremental), buf_str(&fields), err);
    if (status == DG_OK && (b.failed || fields.failed || incremental.failed))
        status = dg_fail(err, DG_CONFIG, "the query of stream `%.*s` is too long", FMT(c->name));
    *sql = str_copy(&c->arena, buf_str(&b));
    buf_free(&fields);
    buf_free(&incremental);
    buf_free(&b);
    return status;
}
