/* checks.c - dgc.Checks: what must hold of an asset's table. */
#include "runtime/base/base.h"
#include "stdlib-components/checks/check_step.h"

typedef struct Accepted { DgStr column; DgList values; } Accepted;
typedef struct Relation { DgStr column, to, field; } Relation;
typedef struct RowCount { int64_t min, max, equals; } RowCount;
typedef struct Freshness { DgStr column; int64_t max_age; } Freshness;
typedef struct Range { DgStr column; double min, max; bool exclusive; } Range;

typedef struct Item {
    DgList not_null, unique;
    Accepted accepted_values;
    Relation relationships;
    RowCount row_count;
    Freshness freshness;
    Range range;
    DgStr sql, name, description, where;
    int32_t severity;
    bool blocking;
} Item;

typedef struct Config {
    DgStr asset;
    DgList checks;
} Config;

static const char *const severities[] = {"error", "warn", NULL};

#define COLUMN(T) DG_FIELD_STRING(T, column, .flags = DG_BUILD, .doc = "The column.")
static const DgField accepted_fields[] = {
    COLUMN(Accepted),
    DG_FIELD_STRINGS(Accepted, values, .flags = DG_BUILD, .doc = "The values it may have, besides null."),
    {0},
};
static const DgField relation_fields[] = {
    COLUMN(Relation),
    DG_FIELD_ASSET_KEY(Relation, to, .flags = DG_BUILD, .doc = "The asset that has every value."),
    DG_FIELD_STRING(Relation, field, .flags = DG_BUILD, .doc = "Its column."),
    {0},
};
static const DgField row_count_fields[] = {
    DG_FIELD_INT(RowCount, min, .flags = DG_BUILD, .fallback = "-1", .doc = "At least so many rows."),
    DG_FIELD_INT(RowCount, max, .flags = DG_BUILD, .fallback = "-1", .doc = "At most so many rows."),
    DG_FIELD_INT(RowCount, equals, .flags = DG_BUILD, .fallback = "-1", .doc = "Exactly so many rows."),
    {0},
};
static const DgField freshness_fields[] = {
    COLUMN(Freshness),
    DG_FIELD_DURATION(Freshness, max_age, .flags = DG_BUILD, .doc = "The newest value is no older than this."),
    {0},
};
static const DgField range_fields[] = {
    COLUMN(Range),
    DG_FIELD_FLOAT(Range, min, .flags = DG_BUILD, .doc = "Smallest value allowed."),
    DG_FIELD_FLOAT(Range, max, .flags = DG_BUILD, .doc = "Largest value allowed."),
    DG_FIELD_BOOL(Range, exclusive, .flags = DG_BUILD, .doc = "The bounds themselves are not allowed."),
    {0},
};
static const DgField item_fields[] = {
    DG_FIELD_STRINGS(Item, not_null, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "Columns without nulls."),
    DG_FIELD_STRINGS(Item, unique, .flags = DG_BUILD | DG_ONE_OR_MANY,
                     .doc = "Columns that together tell every row apart."),
    DG_FIELD_STRUCT(Item, accepted_values, Accepted, accepted_fields, .flags = DG_BUILD,
                    .doc = "The values that a column may have."),
    DG_FIELD_STRUCT(Item, relationships, Relation, relation_fields, .flags = DG_BUILD,
                    .doc = "Every value of a column is there in another asset."),
    DG_FIELD_STRUCT(Item, row_count, RowCount, row_count_fields, .flags = DG_BUILD, .doc = "How many rows."),
    DG_FIELD_STRUCT(Item, freshness, Freshness, freshness_fields, .flags = DG_BUILD,
                    .doc = "How old the newest row may be."),
    DG_FIELD_STRUCT(Item, range, Range, range_fields, .flags = DG_BUILD, .doc = "Bounds of a column."),
    DG_FIELD_SQL(Item, sql, .doc = "A query whose rows are failures; `{{ this }}` is the asset's table."),
    DG_FIELD_STRING(Item, name, .flags = DG_BUILD, .doc = "Name of the check; made from kind and columns otherwise."),
    DG_FIELD_STRING(Item, description, .flags = DG_BUILD, .doc = "What it is for."),
    DG_FIELD_STRING(Item, where, .flags = DG_BUILD, .doc = "SQL condition: only these rows are looked at."),
    DG_FIELD_ENUM(Item, severity, .choices = severities, .fallback = "error", .flags = DG_BUILD,
                  .doc = "`warn`: a failure is shown and the run goes on."),
    DG_FIELD_BOOL(Item, blocking, .flags = DG_BUILD, .doc = "Assets downstream wait for it, and are not made when it fails."),
    {0},
};
static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset that is judged.",
                       .example = "marts/orders"),
    DG_FIELD_STRUCTS(Config, checks, Item, item_fields, .flags = DG_REQUIRED,
                     .doc = "The checks, one mapping each.", .example = "[{not_null: id}]"),
    {0},
};

/* ---- One check's query ---- */

typedef struct Query {
    DgPlanner *p;
    const Item *item;
    StrBuf sql, name;
    const void *field; /* what an error in the query is about */
    const char *kind;
    DgList reads;      /* of DgStr */
} Query;

static void add_name(StrBuf *b, Str name)
{
    buf_char(b, '"');
    for (ptrdiff_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_char(b, '"');
        buf_char(b, name.ptr[i]);
    }
    buf_char(b, '"');
}

static void add_text(StrBuf *b, Str text)
{
    buf_char(b, '\'');
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_char(b, '\'');
        buf_char(b, text.ptr[i]);
    }
    buf_char(b, '\'');
}

/* `this`, or the rows of it that `where` keeps. */
static void add_table(Query *q)
{
    if (q->item->where.len)
        buf_format(&q->sql, "(SELECT * FROM {{ this }} WHERE %.*s) AS t", FMT(q->item->where));
    else
        buf_add(&q->sql, S("{{ this }} AS t"));
}

static void begin(Query *q, const char *kind, const void *field, Str column)
{
    q->kind = kind;
    q->field = field;
    buf_add(&q->name, str_from(kind));
    if (column.len)
        buf_format(&q->name, "_%.*s", FMT(column));
}

static void not_null_query(Query *q)
{
    const DgList *columns = &q->item->not_null;
    begin(q, "not_null", columns->count == 1 ? columns->items : (const void *)columns, (Str){0});
    buf_add(&q->sql, S("SELECT * FROM "));
    add_table(q);
    for (size_t i = 0; i < columns->count; i++) {
        buf_format(&q->name, "_%.*s", FMT(DG_ITEMS(DgStr, *columns)[i]));
        buf_add(&q->sql, i ? S(" OR ") : S(" WHERE "));
        add_name(&q->sql, DG_ITEMS(DgStr, *columns)[i]);
        buf_add(&q->sql, S(" IS NULL"));
    }
}

static void unique_query(Query *q)
{
    const DgList *columns = &q->item->unique;
    StrBuf list = {0};
    begin(q, "unique", columns->count == 1 ? columns->items : (const void *)columns, (Str){0});
    for (size_t i = 0; i < columns->count; i++) {
        buf_format(&q->name, "_%.*s", FMT(DG_ITEMS(DgStr, *columns)[i]));
        if (i)
            buf_add(&list, S(", "));
        add_name(&list, DG_ITEMS(DgStr, *columns)[i]);
    }
    buf_format(&q->sql, "SELECT %.*s FROM ", FMT(buf_str(&list)));
    add_table(q);
    for (size_t i = 0; i < columns->count; i++) {
        buf_add(&q->sql, i ? S(" AND ") : S(" WHERE "));
        add_name(&q->sql, DG_ITEMS(DgStr, *columns)[i]);
        buf_add(&q->sql, S(" IS NOT NULL"));
    }
    buf_format(&q->sql, " GROUP BY %.*s HAVING count(*) > 1", FMT(buf_str(&list)));
    buf_free(&list);
}

static void accepted_query(Query *q)
{
    const Accepted *a = &q->item->accepted_values;
    begin(q, "accepted_values", &a->column, a->column);
    buf_add(&q->sql, S("SELECT * FROM "));
    add_table(q);
    buf_add(&q->sql, S(" WHERE CAST("));
    add_name(&q->sql, a->column);
    buf_add(&q->sql, S(" AS VARCHAR) NOT IN ("));
    for (size_t i = 0; i < a->values.count; i++) {
        if (i)
            buf_add(&q->sql, S(", "));
        add_text(&q->sql, DG_ITEMS(DgStr, a->values)[i]);
    }
    buf_char(&q->sql, ')');
}

static void relation_query(Query *q)
{
    const Relation *r = &q->item->relationships;
    begin(q, "relationships", &r->column, r->column);
    Str field = r->field.len ? r->field : r->column;
    buf_add(&q->sql, S("SELECT * FROM "));
    add_table(q);
    buf_add(&q->sql, S(" WHERE t."));
    add_name(&q->sql, r->column);
    buf_add(&q->sql, S(" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {{ ref("));
    add_text(&q->sql, r->to);
    buf_add(&q->sql, S(") }} AS other WHERE other."));
    add_name(&q->sql, field);
    buf_add(&q->sql, S(" = t."));
    add_name(&q->sql, r->column);
    buf_char(&q->sql, ')');
    DgStr *to = q->p->api->alloc(q->p, sizeof *to);
    *to = r->to;
    q->reads = (DgList){to, 1};
}

static void row_count_query(Query *q, const RowCount *c)
{
    int64_t min = c->equals >= 0 ? c->equals : c->min, max = c->equals >= 0 ? c->equals : c->max;
    begin(q, "row_count", &c->min, (Str){0});
    buf_add(&q->sql, S("SELECT n FROM (SELECT count(*) AS n FROM "));
    add_table(q);
    buf_add(&q->sql, S(") WHERE false"));
    if (min >= 0)
        buf_format(&q->sql, " OR n < %lld", (long long)min);
    if (max >= 0)
        buf_format(&q->sql, " OR n > %lld", (long long)max);
}

static void freshness_query(Query *q)
{
    const Freshness *f = &q->item->freshness;
    begin(q, "freshness", &f->column, f->column);
    buf_add(&q->sql, S("SELECT newest FROM (SELECT max("));
    add_name(&q->sql, f->column);
    buf_add(&q->sql, S(")::TIMESTAMPTZ AS newest FROM "));
    add_table(q);
    buf_format(&q->sql, ") WHERE newest IS NULL OR newest < now() - INTERVAL %lld SECOND",
               (long long)(f->max_age / 1000000000));
}

static void range_query(Query *q)
{
    const Range *r = &q->item->range;
    const char *equal = r->exclusive ? "=" : "";
    begin(q, "range", &r->column, r->column);
    buf_add(&q->sql, S("SELECT * FROM "));
    add_table(q);
    buf_add(&q->sql, S(" WHERE false"));
    if (q->p->api->is_set(q->p, &r->min)) {
        buf_add(&q->sql, S(" OR "));
        add_name(&q->sql, r->column);
        buf_format(&q->sql, " <%s %.17g", equal, r->min);
    }
    if (q->p->api->is_set(q->p, &r->max)) {
        buf_add(&q->sql, S(" OR "));
        add_name(&q->sql, r->column);
        buf_format(&q->sql, " >%s %.17g", equal, r->max);
    }
}

/* Fills the query for the one kind that is given. The number of kinds found. */
static int make_query(Query *q)
{
    const Item *i = q->item;
    const DgPlanApi *api = q->p->api;
    int kinds = 0;
    bool count_given = api->is_set(q->p, &i->row_count.min) || api->is_set(q->p, &i->row_count.max) ||
                       api->is_set(q->p, &i->row_count.equals);
    if (i->not_null.count && !kinds++)
        not_null_query(q);
    if (i->unique.count && !kinds++)
        unique_query(q);
    if (i->accepted_values.column.len && !kinds++)
        accepted_query(q);
    if (i->relationships.column.len && !kinds++)
        relation_query(q);
    if (count_given && !kinds++)
        row_count_query(q, &i->row_count);
    if (i->freshness.column.len && !kinds++)
        freshness_query(q);
    if (i->range.column.len && !kinds++)
        range_query(q);
    if (i->sql.len && !kinds++)
        begin(q, "sql", &i->sql, (Str){0});
    return kinds;
}

static void plan_item(DgPlanner *p, const Config *c, const Item *item, size_t number)
{
    Query q = {.p = p, .item = item};
    int kinds = make_query(&q);
    if (kinds != 1) {
        p->api->report(p, kinds ? "E0110" : "E0106", &c->checks,
                       "write one of not_null, unique, accepted_values, relationships, row_count, "
                       "freshness, range, sql in each entry",
                       "check %zu has %s kind", number + 1, kinds ? "more than one" : "no");
        buf_free(&q.sql);
        buf_free(&q.name);
        return;
    }
    DgStr name = item->name.len       ? item->name
                 : item->sql.len      ? p->api->format(p, "sql_%zu", number + 1)
                                      : p->api->format(p, "%.*s", FMT(buf_str(&q.name)));
    CheckStep *step = p->api->alloc(p, sizeof *step);
    step->asset = c->asset;
    step->check = name;
    p->api->check(p, &(DgCheckDecl){.asset = c->asset, .name = name, .description = item->description,
                                    .additional_deps = q.reads, .blocking = item->blocking,
                                    .warn = item->severity == 1, .at = q.field});
    DgSqlDecl sql = {.asset = c->asset, .field = q.field, .is_check = true};
    if (!item->sql.len)
        sql.text = p->api->format(p, "%.*s", FMT(buf_str(&q.sql)));
    p->api->sql(p, &step->sql, &sql);
    DgPair *judged = p->api->alloc(p, sizeof *judged);
    *judged = (DgPair){c->asset, name};
    DgStr *read = p->api->alloc(p, sizeof *read);
    *read = c->asset;
    p->api->step(p, &(DgStepDecl){.name = p->api->format(p, "%.*s__%.*s", FMT(c->asset), FMT(name)),
                                  .ops = &dg_sql_check_ops, .config = step, .checks = {judged, 1},
                                  .reads = {read, 1}, .at = &c->asset});
    buf_free(&q.sql);
    buf_free(&q.name);
}

static void checks_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    for (size_t i = 0; i < c->checks.count; i++)
        plan_item(p, c, &DG_ITEMS(Item, c->checks)[i], i);
}

static const DgStepOps *const steps[] = {&dg_sql_check_ops, NULL};

const DgComponent dg_component_checks = {
    .name = "dgc.Checks",
    .summary = "What must hold of an asset's table.",
    .doc = "Every entry is one asset check: a query that looks for rows that break it. `severity: "
           "warn` only tells; `blocking: true` holds back the assets downstream.",
    .example = "type: dgc.Checks\nattributes:\n  asset: marts/orders\n  checks:\n    - not_null: id\n"
               "    - unique: id\n    - {sql: \"select * from {{ this }} where amount < 0\", severity: warn}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = checks_plan,
    .steps = steps,
};
