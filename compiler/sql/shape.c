/* shape.c - what a judgement rests on, and no more, so that it serves other models too.
 *
 * Two queries have one shape when they differ in nothing but comments, the width of gaps, and the
 * names of tables with equal columns. What DuckDB gives for the one, it gives for the other:
 *
 *   select id from "raw"."orders" -- all      select id from <0>
 *
 * That holds while a table's name means the table alone. So there is no shape when the name stands
 * anywhere but after FROM and the like, or is one that DuckDB has a table of its own for; nor when
 * it is not certain that our tokens are DuckDB's.
 */
#include "compiler/sql/sql_internal.h"

#include "runtime/db/warehouse.h"

enum { MARK = 1, TABLES_MAX = 100 }; /* a mark and two digits are shorter than any "a"."b" */

static bool find_nocase(Str s, Str name)
{
    for (ptrdiff_t i = 0; i + name.len <= s.len; i++)
        if (((s.ptr[i] ^ name.ptr[0]) & ~0x20) == 0 &&
            str_eq_nocase(str_sub(s, i, i + name.len), name))
            return true;
    return false;
}

static bool is_ours(Str table)
{
    static const char *const theirs[] = {"duckdb_", "sqlite_", "pragma_", "pg_", "information_"};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
        Str head = str_from(theirs[i]);
        if (str_eq_nocase(str_sub(table, 0, head.len < table.len ? head.len : table.len), head))
            return false;
    }
    for (ptrdiff_t i = 0; i < table.len; i++)
        if (!sql_name_char(table.ptr[i]))
            return false; /* data.csv: a file */
    return table.len > 0;
}

/* `"schema"."table"`, byte for byte; the number of tables when it is none of them. */
static size_t table_number(const BindQuery *q, Str name)
{
    for (size_t i = 0; i < q->tables_count; i++) {
        Str schema = q->tables[i]->schema, table = q->tables[i]->table;
        ptrdiff_t n = schema.len;
        if (name.len == n + table.len + 5 && name.ptr[0] == '"' &&
            str_eq(str_sub(name, 1, n + 1), schema) &&
            str_eq(str_sub(name, n + 1, n + 4), S("\".\"")) &&
            str_eq(str_sub(name, n + 4, name.len - 1), table) && name.ptr[name.len - 1] == '"')
            return i;
    }
    return q->tables_count;
}

typedef struct Shape {
    char *to;
    size_t n;
} Shape;

static void add(Shape *s, Str part)
{
    memcpy(s->to + s->n, part.ptr, (size_t)part.len);
    s->n += (size_t)part.len;
}

/* Whether 'a' and 'b' side by side are one text depends on what is between: that is kept. */
static void add_gap(Shape *s, Str gap, char next)
{
    bool texts = s->n && s->to[s->n - 1] == '\'' && next == '\'';
    if (gap.len && s->n)
        add(s, texts ? gap : S(" "));
}

static bool add_table(Shape *s, const BindQuery *q, Str name)
{
    size_t number = table_number(q, name);
    if (number == q->tables_count)
        return false;
    char mark[] = {MARK, (char)('0' + number / 10), (char)('0' + number % 10)};
    add(s, (Str){mark, sizeof mark});
    return true;
}

static bool write_shape(Shape *s, const BindQuery *q, const SqlPlaces *tables)
{
    Str sql = q->sql;
    size_t at = 0, table = 0;
    for (;;) {
        size_t start = sql_skip(sql, at);
        Str gap = str_sub(sql, (ptrdiff_t)at, (ptrdiff_t)start);
        if (start >= (size_t)sql.len)
            return str_find(gap, S("/*")) < 0; /* it may never end, which is an error */
        add_gap(s, gap, sql.ptr[start]);
        if (table < tables->count && tables->items[table].start == start) {
            at = tables->items[table++].end;
            if (!add_table(s, q, str_sub(sql, (ptrdiff_t)start, (ptrdiff_t)at)))
                return false;
        } else {
            at = sql_word_end(sql, start);
            add(s, str_sub(sql, (ptrdiff_t)start, (ptrdiff_t)at));
        }
    }
}

Str sql_shape(Arena *arena, const BindQuery *q, const SqlPlaces *tables)
{
    Shape s = {.to = push(arena, char, q->sql.len + 1)};
    bool odd = str_find_char(q->sql, MARK) >= 0 || str_find_char(q->sql, '$') >= 0;
    if (odd || q->tables_count >= TABLES_MAX || !write_shape(&s, q, tables))
        return (Str){0};
    Str out = {s.to, (ptrdiff_t)s.n};
    for (size_t i = 0; i < q->tables_count; i++) {
        Str name = q->tables[i]->table;
        if (!is_ours(name) || find_nocase(out, name))
            return (Str){0};
        for (size_t k = 0; k < i; k++)
            if (str_eq_nocase(q->tables[k]->table, name))
                return (Str){0};
    }
    return out;
}
