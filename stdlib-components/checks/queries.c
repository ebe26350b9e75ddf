/* queries.c - the SQL of each kind of check: its rows are what is wrong. */
#include "stdlib-components/checks/checks.h"

#include "runtime/eval/value.h"

/* ---- Pieces ---- */

static void add(CheckQuery *q, const char *text)
{
    buf_add(&q->sql, str_from(text));
}

static void place(CheckQuery *q, size_t start, const void *field, bool verbatim)
{
    if (q->places_count < sizeof q->places / sizeof *q->places)
        q->places[q->places_count++] = (DgSqlPlace){start, q->sql.len - start, field, verbatim};
}

static void add_quoted(StrBuf *b, Str text, char quote)
{
    buf_char(b, quote);
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == quote)
            buf_char(b, quote);
        buf_char(b, text.ptr[i]);
    }
    buf_char(b, quote);
}

/* A column that the user named; the place of its errors. */
static void add_column(CheckQuery *q, const DgStr *column)
{
    size_t start = q->sql.len;
    add_quoted(&q->sql, *column, '"');
    place(q, start, column, false);
}

/* `this`, or the rows of it that `where` keeps. */
static void add_table(CheckQuery *q)
{
    if (!q->item->where.len) {
        add(q, "{{ this }}");
        return;
    }
    add(q, "(SELECT * FROM {{ this }} WHERE ");
    size_t start = q->sql.len;
    buf_add(&q->sql, q->item->where);
    place(q, start, &q->item->where, true);
    add(q, ")");
}

static void add_value(CheckQuery *q, DgValue v, bool quote)
{
    switch (v.kind) {
    case DG_V_BOOL: add(q, v.as.b ? "true" : "false"); break;
    case DG_V_INT: buf_format(&q->sql, "%lld", (long long)v.as.i); break;
    case DG_V_FLOAT: dg_float_repr(&q->sql, v.as.f); break;
    case DG_V_STR:
        if (quote)
            add_quoted(&q->sql, v.as.s, '\'');
        else
            buf_add(&q->sql, v.as.s);
        break;
    default: add(q, "NULL"); break;
    }
}

static void begin(CheckQuery *q, const char *kind, const void *field, Str column)
{
    q->kind = kind;
    q->field = field;
    if (column.len)
        buf_format(&q->name, "_%.*s", FMT(column));
}

static const void *list_field(const DgList *columns)
{
    return columns->count ? columns->items : (const void *)columns;
}

/* ---- Kinds ---- */

static void not_null(CheckQuery *q)
{
    const DgList *columns = &q->item->not_null;
    begin(q, "not_null", list_field(columns), (Str){0});
    add(q, "SELECT * FROM ");
    add_table(q);
    for (size_t i = 0; i < columns->count; i++) {
        const DgStr *column = &DG_ITEMS(DgStr, *columns)[i];
        buf_format(&q->name, "_%.*s", FMT(*column));
        add(q, i ? " OR " : " WHERE ");
        add_column(q, column);
        add(q, " IS NULL");
    }
}

static void column_list(CheckQuery *q, const DgList *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        add(q, i ? ", " : "");
        add_column(q, &DG_ITEMS(DgStr, *columns)[i]);
    }
}

static void unique(CheckQuery *q)
{
    const DgList *columns = &q->item->unique;
    begin(q, "unique", list_field(columns), (Str){0});
    add(q, "SELECT ");
    column_list(q, columns);
    add(q, ", count(*) AS rows FROM ");
    add_table(q);
    for (size_t i = 0; i < columns->count; i++) {
        const DgStr *column = &DG_ITEMS(DgStr, *columns)[i];
        buf_format(&q->name, "_%.*s", FMT(*column));
        add(q, i ? " AND " : " WHERE ");
        add_column(q, column);
        add(q, " IS NOT NULL");
    }
    add(q, " GROUP BY ");
    column_list(q, columns);
    add(q, " HAVING count(*) > 1");
}

static void accepted(CheckQuery *q)
{
    const Accepted *a = &q->item->accepted_values;
    begin(q, "accepted_values", &a->column, a->column);
    add(q, "SELECT * FROM ");
    add_table(q);
    add(q, " WHERE ");
    add_column(q, &a->column);
    add(q, " NOT IN (");
    for (size_t i = 0; i < a->values.count; i++) {
        add(q, i ? ", " : "");
        add_value(q, DG_ITEMS(DgValue, a->values)[i], a->quote);
    }
    add(q, a->values.count ? ")" : "NULL)");
}

static void relation(CheckQuery *q)
{
    const Relation *r = &q->item->relationships;
    const DgStr *field = r->field.len ? &r->field : &r->column;
    begin(q, "relationships", &r->to, r->column);
    add(q, "SELECT here.* FROM ");
    add_table(q);
    add(q, " AS here ANTI JOIN {{ ref(");
    size_t start = q->sql.len;
    add_quoted(&q->sql, r->to, '\'');
    place(q, start, &r->to, false);
    add(q, ") }} AS there ON there.");
    add_column(q, field);
    add(q, " = here.");
    add_column(q, &r->column);
    add(q, " WHERE here.");
    add_column(q, &r->column);
    add(q, " IS NOT NULL");
    q->other = r->to;
}

static void row_count(CheckQuery *q)
{
    const RowCount *c = &q->item->row_count;
    const DgPlanApi *api = q->p->api;
    bool equals = api->is_set(q->p, &c->equals), or = false;
    begin(q, "row_count", equals ? (const void *)&c->equals : api->is_set(q->p, &c->min) ? &c->min : &c->max, (Str){0});
    q->explains = true;
    add(q, "SELECT 'there are ' || n || ' rows, expected: ");
    if (equals)
        buf_format(&q->sql, "%lld", (long long)c->equals);
    else if (api->is_set(q->p, &c->min))
        buf_format(&q->sql, "%lld or more", (long long)c->min);
    if (!equals && api->is_set(q->p, &c->max))
        buf_format(&q->sql, "%s%lld or fewer", api->is_set(q->p, &c->min) ? ", " : "",
                   (long long)c->max);
    add(q, "' AS message FROM (SELECT count(*) AS n FROM ");
    add_table(q);
    add(q, ") WHERE ");
    if (equals)
        buf_format(&q->sql, "n <> %lld", (long long)c->equals);
    if (!equals && api->is_set(q->p, &c->min)) {
        buf_format(&q->sql, "n < %lld", (long long)c->min);
        or = true;
    }
    if (!equals && api->is_set(q->p, &c->max))
        buf_format(&q->sql, "%sn > %lld", or ? " OR " : "", (long long)c->max);
}

static void freshness(CheckQuery *q)
{
    const Freshness *f = &q->item->freshness;
    long long seconds = (long long)(f->max_age / 1000000000);
    begin(q, "freshness", &f->column, f->column);
    q->explains = true;
    add(q, "SELECT coalesce('the newest row is of ' || newest || ', older than allowed', "
           "'there is no row with a time') AS message FROM (SELECT max(");
    add_column(q, &f->column);
    add(q, ")::TIMESTAMPTZ AS newest FROM ");
    add_table(q);
    buf_format(&q->sql, ") WHERE newest IS NULL OR newest < now() - to_seconds(%lld)", seconds);
}

static void range(CheckQuery *q)
{
    const Range *r = &q->item->range;
    bool min = q->p->api->is_set(q->p, &r->min), max = q->p->api->is_set(q->p, &r->max);
    begin(q, "range", &r->column, r->column);
    add(q, "SELECT * FROM ");
    add_table(q);
    add(q, " WHERE ");
    if (min) {
        add_column(q, &r->column);
        add(q, r->exclusive ? " <= " : " < ");
        add_value(q, r->min, true);
    }
    add(q, min && max ? " OR " : "");
    if (max) {
        add_column(q, &r->column);
        add(q, r->exclusive ? " >= " : " > ");
        add_value(q, r->max, true);
    }
    if (!min && !max)
        add(q, "false");
}

static void own_sql(CheckQuery *q)
{
    begin(q, "sql", &q->item->sql, (Str){0});
}

/* Where only one of its members is written, the others are not set: not even the first, whose address is its own. */
static bool has_row_count(const CheckQuery *q)
{
    const DgPlanApi *api = q->p->api;
    const RowCount *n = &q->item->row_count;
    return api->is_set(q->p, &n->equals) || api->is_set(q->p, &n->min) || api->is_set(q->p, &n->max);
}

int check_query(CheckQuery *q)
{
    const CheckItem *i = q->item;
    const struct {
        const void *field;
        void (*make)(CheckQuery *q);
    } kinds[] = {
        {&i->not_null, not_null}, {&i->unique, unique}, {&i->accepted_values, accepted},
        {&i->relationships, relation}, {&i->row_count, row_count}, {&i->freshness, freshness},
        {&i->range, range}, {&i->sql, own_sql},
    };
    int found = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bool first = k == 0; /* the item itself has the address of its first member */
        bool given = first ? i->not_null.count > 0 : kinds[k].make == row_count ? has_row_count(q) : q->p->api->is_set(q->p, kinds[k].field);
        if (given && !found++)
            kinds[k].make(q);
    }
    return found;
}

void check_query_free(CheckQuery *q)
{
    buf_free(&q->sql);
    buf_free(&q->name);
}
