/* checks.c - dgc.Checks: what must hold of an asset's table. */
#include "stdlib-components/checks/checks.h"

typedef struct Config {
    DgStr asset;
    DgList checks;
} Config;

/* ---- Fields ---- */

static const char *const severities[] = {"error", "warn", NULL};
enum { SEVERITY_WARN = 1 };

#define COLUMN(T)                                                         \
    DG_FIELD_STRING(T, column, .flags = DG_REQUIRED | DG_BUILD, .doc = "The column.", \
                    .example = "id")
static const DgField accepted_fields[] = {
    COLUMN(Accepted),
    DG_FIELD_(Accepted, values, DG_F_LIST, DgList, .of_kind = DG_F_ANY, .of_size = sizeof(DgValue),
              .flags = DG_REQUIRED | DG_BUILD, .example = "[new, done]",
              .doc = "The values it may have; nulls are let through."),
    DG_FIELD_BOOL(Accepted, quote, .flags = DG_BUILD, .fallback = "true",
                  .doc = "`false`: texts among the values are SQL, not text."),
    {0},
};
static const DgField relation_fields[] = {
    COLUMN(Relation),
    DG_FIELD_ASSET_KEY(Relation, to, .flags = DG_REQUIRED | DG_BUILD, .example = "raw/customers",
                       .doc = "The asset that has every value."),
    DG_FIELD_STRING(Relation, field, .flags = DG_BUILD,
                    .doc = "Its column; the same name when not given."),
    {0},
};
static const DgField row_count_fields[] = {
    DG_FIELD_INT(RowCount, equals, .flags = DG_BUILD | DG_SHORTHAND,
                 .doc = "Exactly so many rows."),
    DG_FIELD_INT(RowCount, min, .flags = DG_BUILD, .doc = "At least so many rows."),
    DG_FIELD_INT(RowCount, max, .flags = DG_BUILD, .doc = "At most so many rows."),
    {0},
};
static const DgField freshness_fields[] = {
    COLUMN(Freshness),
    DG_FIELD_DURATION(Freshness, max_age, .flags = DG_REQUIRED | DG_BUILD, .example = "24h",
                      .doc = "The newest value is no older than this when the check runs."),
    {0},
};
static const DgField range_fields[] = {
    COLUMN(Range),
    DG_FIELD_ANY(Range, min, .flags = DG_BUILD, .doc = "Smallest value allowed."),
    DG_FIELD_ANY(Range, max, .flags = DG_BUILD, .doc = "Largest value allowed."),
    DG_FIELD_BOOL(Range, exclusive, .flags = DG_BUILD,
                  .doc = "The bounds themselves are not allowed."),
    {0},
};
static const DgField item_fields[] = {
    DG_FIELD_STRINGS(CheckItem, not_null, .flags = DG_BUILD | DG_ONE_OR_MANY,
                     .doc = "Columns without nulls."),
    DG_FIELD_STRINGS(CheckItem, unique, .flags = DG_BUILD | DG_ONE_OR_MANY,
                     .doc = "Columns that together tell every row apart."),
    DG_FIELD_STRUCT(CheckItem, accepted_values, Accepted, accepted_fields, .flags = DG_BUILD,
                    .doc = "The values that a column may have."),
    DG_FIELD_STRUCT(CheckItem, relationships, Relation, relation_fields, .flags = DG_BUILD,
                    .doc = "Every value of a column is there in another asset."),
    DG_FIELD_STRUCT(CheckItem, row_count, RowCount, row_count_fields, .flags = DG_BUILD,
                    .doc = "How many rows there are."),
    DG_FIELD_STRUCT(CheckItem, freshness, Freshness, freshness_fields, .flags = DG_BUILD,
                    .doc = "How old the newest row may be."),
    DG_FIELD_STRUCT(CheckItem, range, Range, range_fields, .flags = DG_BUILD,
                    .doc = "Bounds of a column."),
    DG_FIELD_SQL(CheckItem, sql,
                 .doc = "A query whose rows are failures; `{{ this }}` is the asset's table."),
    DG_FIELD_STRING(CheckItem, name, .flags = DG_BUILD,
                    .doc = "Name of the check; else made of kind, table and columns."),
    DG_FIELD_STRING(CheckItem, description, .flags = DG_BUILD, .doc = "What it is for."),
    DG_FIELD_SQL(CheckItem, where, .doc = "An SQL condition: only these rows are looked at."),
    DG_FIELD_ENUM(CheckItem, severity, .choices = severities, .fallback = "error",
                  .flags = DG_BUILD, .doc = "`warn`: a failure is shown and the run goes on."),
    DG_FIELD_BOOL(CheckItem, blocking, .flags = DG_BUILD,
                  .doc = "Assets downstream wait for it, and are not made when it fails."),
    {0},
};
static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD,
                       .doc = "The asset that is judged.", .example = "marts/orders"),
    DG_FIELD_STRUCTS(Config, checks, CheckItem, item_fields, .flags = DG_REQUIRED,
                     .doc = "The checks, one mapping each: one kind, and what goes with all.",
                     .example = "[{not_null: id}]"),
    {0},
};

/* ---- Planning ---- */

static Str table_of(Str key)
{
    ptrdiff_t i = key.len;
    while (i > 0 && key.ptr[i - 1] != '/')
        i--;
    return str_sub(key, i, key.len);
}

static DgStr name_of(const CheckQuery *q, const Config *c, size_t number)
{
    DgPlanner *p = q->p;
    Str table = table_of(c->asset);
    if (q->item->name.len)
        return q->item->name;
    if (q->field == &q->item->sql)
        return p->api->format(p, "sql_%.*s_%zu", FMT(table), number + 1);
    return p->api->format(p, "%s_%.*s%.*s", q->kind, FMT(table), FMT(buf_str(&q->name)));
}

static void declare(CheckQuery *q, const Config *c, DgStr name)
{
    DgPlanner *p = q->p;
    const CheckItem *item = q->item;
    CheckStep *step = p->api->alloc(p, sizeof *step);
    DgStr *keys = p->api->alloc(p, 2 * sizeof *keys);
    DgPair *judged = p->api->alloc(p, sizeof *judged);
    *step = (CheckStep){.asset = c->asset, .check = name, .explains = q->explains};
    *judged = (DgPair){c->asset, name};
    keys[0] = c->asset;
    keys[1] = q->other;
    p->api->check(p, &(DgCheckDecl){
        .asset = c->asset, .name = name, .description = item->description,
        .additional_deps = {keys + 1, q->other.len ? 1 : 0}, .blocking = item->blocking,
        .warn = item->severity == SEVERITY_WARN, .at = q->field});
    DgSqlDecl sql = {.asset = c->asset, .field = q->field, .is_check = true};
    if (q->field != &item->sql) {
        sql.text = p->api->format(p, "%.*s", FMT(buf_str(&q->sql)));
        sql.places = (DgList){q->places, q->places_count};
    }
    p->api->sql(p, &step->sql, &sql);
    p->api->step(p, &(DgStepDecl){.ops = &dg_sql_check_ops, .config = step, .checks = {judged, 1},
                                  .reads = {keys, 1}, .at = &c->asset});
}

/* Something in the item that the user wrote. */
static const void *written(DgPlanner *p, const CheckItem *item)
{
    for (const DgField *f = item_fields; f->name; f++) {
        const char *member = (const char *)item + f->offset;
        if (p->api->is_set(p, member))
            return member;
    }
    return item;
}

/* A check without bounds says nothing; one whose bounds contradict each other says it always. */
static bool bounds_sound(DgPlanner *p, const CheckItem *item)
{
    const DgPlanApi *api = p->api;
    const RowCount *n = &item->row_count;
    const Range *r = &item->range;
    bool lower = api->is_set(p, &r->min), upper = api->is_set(p, &r->max);
    if (api->is_set(p, &n->min) && api->is_set(p, &n->max) && n->min > n->max)
        api->report(p, "E0110", &n->max, "exchange `min` and `max`",
                    "no number of rows is at least %lld and at most %lld", (long long)n->min, (long long)n->max);
    else if (api->is_set(p, r) && !lower && !upper)
        api->report(p, "E0106", r, "for example `range: {column: amount, min: 0}`",
                    "`range` needs `min` or `max`");
    else if (lower && upper && r->min.kind == DG_V_INT && r->max.kind == DG_V_INT && r->min.as.i > r->max.as.i)
        api->report(p, "E0110", &r->max, "exchange `min` and `max`", "no value is at least %lld and at most %lld",
                    (long long)r->min.as.i, (long long)r->max.as.i);
    else if (api->is_set(p, &item->accepted_values) && !item->accepted_values.values.count)
        api->report(p, "E0106", &item->accepted_values.values, "list them: `values: [open, closed]`",
                    "`accepted_values` needs a value at least");
    else
        return true;
    return false;
}

static void plan_item(DgPlanner *p, const Config *c, const CheckItem *item, size_t number)
{
    CheckQuery q = {.p = p, .item = item};
    int kinds = check_query(&q);
    if (kinds == 1 && !bounds_sound(p, item)) {
        check_query_free(&q);
        return;
    }
    if (kinds == 1)
        declare(&q, c, name_of(&q, c, number));
    else
        p->api->report(p, kinds ? "E0110" : "E0106", written(p, item),
                       "each entry has one of `not_null`, `unique`, `accepted_values`, "
                       "`relationships`, `row_count`, `freshness`, `range`, `sql`",
                       kinds ? "this check has %d kinds" : "this check has no kind", kinds);
    check_query_free(&q);
}

static void checks_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    for (size_t i = 0; i < c->checks.count; i++)
        plan_item(p, c, &DG_ITEMS(CheckItem, c->checks)[i], i);
}

static const DgStepOps *const steps[] = {&dg_sql_check_ops, NULL};

const DgComponent dg_component_checks = {
    .name = "dgc.Checks",
    .summary = "What must hold of an asset's table.",
    .doc = "Every entry is one asset check: a query that looks for rows that break it. `severity: "
           "warn` only tells; `blocking: true` holds back the assets downstream.",
    .example = "type: dgc.Checks\n"
               "attributes:\n"
               "  asset: marts/orders\n"
               "  checks:\n"
               "    - not_null: id\n"
               "    - unique: id\n"
               "    - {sql: \"select * from {{ this }} where amount < 0\", severity: warn}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = checks_plan,
    .steps = steps,
};
