/* rows.c - row programs: expressions are parsed, typed against the input's columns, settled. */
#include "compiler/rows_expr.h"

#include "compiler/template.h"
#include "runtime/data/batch.h"

typedef struct Typer {
    Plan *plan;
    RowProgram *rows;
    TemplatePlace place;
    bool failed;
} Typer;

static RowExpr *type_expr(Typer *t, const TExpr *e);

static Span at_of(const Typer *t, const TExpr *e)
{
    return template_span(&t->place, e->start, e->end);
}

static RowExpr *make(Typer *t, RowKind kind, RowClass class, int parts)
{
    RowExpr *x = push(t->plan->arena, RowExpr, 1);
    x->kind = kind;
    x->class = class;
    x->parts_count = parts;
    return x;
}

static RowExpr *poison(Typer *t)
{
    t->failed = true;
    return NULL;
}

static RowExpr *misfit(Typer *t, const TExpr *e, const char *what)
{
    diag_report(t->plan->diag, E0603, at_of(t, e), "%s", what);
    return poison(t);
}

static RowClass class_of(DgType type)
{
    switch ((DgTypeKind)type.kind) {
    case DG_BOOL: return ROW_BOOL;
    case DG_INT8: case DG_INT16: case DG_INT32: case DG_INT64: case DG_UINT8: case DG_UINT16:
    case DG_UINT32: return ROW_INT;
    case DG_FLOAT32: case DG_FLOAT64: return ROW_DOUBLE;
    case DG_TEXT: case DG_JSON: return ROW_TEXT;
    case DG_DATE: return ROW_DATE;
    case DG_TIMESTAMP: case DG_TIMESTAMPTZ: return ROW_TIME;
    default: return ROW_NONE;
    }
}

static DgType type_of(RowClass c)
{
    static const uint8_t kinds[] = {DG_BOOL, DG_INT64, DG_FLOAT64, DG_TEXT, DG_DATE, DG_TIMESTAMP, DG_TEXT};
    return (DgType){.kind = kinds[c]};
}

static RowExpr *call(Typer *t, RowClass class, const char *c, RowExpr *a, RowExpr *b, RowExpr *d)
{
    RowExpr *x = make(t, ROW_CALL, class, d ? 3 : b ? 2 : 1);
    x->as.c = c;
    x->parts[0] = a;
    x->parts[1] = b;
    x->parts[2] = d;
    return x;
}

static RowExpr *constant(Typer *t, const TExpr *e, DgValue v)
{
    static const int classes[] = {[DG_V_BOOL] = ROW_BOOL, [DG_V_INT] = ROW_INT, [DG_V_FLOAT] = ROW_DOUBLE,
                                  [DG_V_STR] = ROW_TEXT};
    if (v.kind == DG_V_NONE || (v.kind >= DG_V_BOOL && v.kind <= DG_V_STR)) {
        RowExpr *x = make(t, ROW_CONST, v.kind == DG_V_NONE ? ROW_NONE : (RowClass)classes[v.kind], 0);
        x->as.value = v;
        return x;
    }
    return misfit(t, e, "a list or mapping cannot stand in a row expression");
}

static RowExpr *column(Typer *t, const TExpr *e, Str name)
{
    const Asset *from = t->rows->from;
    Str *names = push(t->plan->arena, Str, from->columns.count + 1);
    for (size_t i = 0; i < from->columns.count; i++) {
        const DgColumn *c = &from->columns.items[i].column;
        names[i] = c->name;
        if (!str_eq(c->name, name))
            continue;
        RowExpr *x = make(t, ROW_COLUMN, class_of(c->type), 0);
        x->as.column = (int32_t)i;
        if (x->class == ROW_NONE) {
            diag_help(diag_report(t->plan->diag, E0603, at_of(t, e), "`%.*s` is a %s, which row expressions do not compute with",
                                  FMT(name), dg_type_name((DgTypeKind)c->type.kind)),
                      "cast it in a SQL model");
            return poison(t);
        }
        return x;
    }
    DiagItem *it = diag_report(t->plan->diag, E0402, at_of(t, e), "`%.*s` has no column `%.*s`",
                               FMT(from->key), FMT(name));
    diag_suggest(it, at_of(t, e), "column", name, names, from->columns.count);
    return poison(t);
}

/* ---- Conversions ---- */

static RowExpr *to_double(Typer *t, RowExpr *x)
{
    return x->class == ROW_INT ? call(t, ROW_DOUBLE, "(double)$1", x, NULL, NULL) : x;
}

static bool number(const RowExpr *x)
{
    return x->class == ROW_INT || x->class == ROW_DOUBLE || x->class == ROW_NONE;
}

static RowExpr *to_text(Typer *t, RowExpr *x)
{
    switch (x->class) {
    case ROW_INT: return call(t, ROW_TEXT, "dg_row_int_text($1)", x, NULL, NULL);
    case ROW_DOUBLE: return call(t, ROW_TEXT, "dg_row_double_text($1)", x, NULL, NULL);
    case ROW_BOOL: return call(t, ROW_TEXT, "($1 ? (DgStr){\"true\", 4} : (DgStr){\"false\", 5})", x, NULL, NULL);
    case ROW_DATE: return call(t, ROW_TEXT, "dg_row_date_text($1)", x, NULL, NULL);
    case ROW_TIME: return call(t, ROW_TEXT, "dg_row_time_text($1)", x, NULL, NULL);
    default: return x;
    }
}

static RowExpr *to_time(Typer *t, RowExpr *x)
{
    return x->class == ROW_DATE   ? call(t, ROW_TIME, "$1 * 86400000000L", x, NULL, NULL)
           : x->class == ROW_TEXT ? call(t, ROW_TIME, "dg_row_text_time(r, $i, $1)", x, NULL, NULL)
                                  : x;
}

static RowExpr *cast_to(Typer *t, const TExpr *e, RowExpr *x, RowClass to)
{
    if (x->class == to || x->class == ROW_NONE) {
        x->class = to;
        return x;
    }
    if (to == ROW_TEXT)
        return to_text(t, x);
    if (to == ROW_DOUBLE && x->class == ROW_INT)
        return to_double(t, x);
    if (to == ROW_DOUBLE && x->class == ROW_TEXT)
        return call(t, to, "dg_row_text_double(r, $i, $1)", x, NULL, NULL);
    if (to == ROW_INT && x->class == ROW_DOUBLE)
        return call(t, to, "dg_row_double_int(r, $i, $1)", x, NULL, NULL);
    if (to == ROW_INT && x->class == ROW_TEXT)
        return call(t, to, "dg_row_text_int(r, $i, $1)", x, NULL, NULL);
    if (to == ROW_INT && x->class == ROW_BOOL)
        return call(t, to, "(int64_t)$1", x, NULL, NULL);
    if (to == ROW_BOOL && x->class == ROW_TEXT)
        return call(t, to, "dg_row_text_bool(r, $i, $1)", x, NULL, NULL);
    if (to == ROW_BOOL && x->class == ROW_INT)
        return call(t, to, "($1 != 0)", x, NULL, NULL);
    if (to == ROW_TIME && (x->class == ROW_DATE || x->class == ROW_TEXT))
        return to_time(t, x);
    if (to == ROW_DATE && (x->class == ROW_TIME || x->class == ROW_TEXT))
        return call(t, to, "($1 < 0 ? -((-$1 + 86399999999L) / 86400000000L) : $1 / 86400000000L)", to_time(t, x), NULL, NULL);
    return misfit(t, e, "this value cannot be cast to that type");
}

/* Both sides of one class; NULL after a report. */
static bool meet(Typer *t, const TExpr *e, RowExpr **a, RowExpr **b)
{
    if ((*a)->class == ROW_NONE)
        (*a)->class = (*b)->class;
    if ((*b)->class == ROW_NONE)
        (*b)->class = (*a)->class;
    if ((*a)->class == (*b)->class)
        return true;
    if (number(*a) && number(*b)) {
        *a = to_double(t, *a);
        *b = to_double(t, *b);
        return true;
    }
    bool times = (*a)->class >= ROW_DATE || (*b)->class >= ROW_DATE;
    if (times && (*a)->class >= ROW_TEXT && (*b)->class >= ROW_TEXT) {
        *a = to_time(t, *a);
        *b = to_time(t, *b);
        return true;
    }
    misfit(t, e, "these two values have no type in common; use cast(...)");
    return false;
}

/* ---- Operators ---- */

static RowExpr *binary(Typer *t, const TExpr *e)
{
    static const char *const ints[] = {"dg_row_add(r, $i, $1, $2)", "dg_row_sub(r, $i, $1, $2)",
                                       "dg_row_mul(r, $i, $1, $2)", NULL,
                                       "dg_row_floordiv(r, $i, $1, $2, &$n)", "dg_row_mod(r, $i, $1, $2, &$n)", NULL};
    static const char *const doubles[] = {"$1 + $2", "$1 - $2", "$1 * $2", "($n |= $2 == 0, $1 / $2)",
                                          "($n |= $2 == 0, dg_row_floor($1 / $2))",
                                          "($n |= $2 == 0, dg_row_fmod($1, $2))", "dg_row_pow($1, $2)"};
    RowExpr *a = type_expr(t, e->as.binary.left), *b = type_expr(t, e->as.binary.right);
    if (!a || !b)
        return NULL;
    TBinary op = e->as.binary.op;
    if (op == TB_ADD && a->class == ROW_TEXT && b->class == ROW_TEXT)
        return call(t, ROW_TEXT, "dg_row_concat($1, $2)", a, b, NULL);
    if (op == TB_SUB && a->class == ROW_DATE && b->class == ROW_DATE)
        return call(t, ROW_INT, "$1 - $2", a, b, NULL);
    if ((op == TB_ADD || op == TB_SUB) && a->class == ROW_DATE && b->class == ROW_INT)
        return call(t, ROW_DATE, op == TB_ADD ? "$1 + $2" : "$1 - $2", a, b, NULL);
    if (!number(a) || !number(b))
        return misfit(t, e, "arithmetic needs numbers; use cast(...)");
    if (a->class == ROW_INT && b->class == ROW_INT && ints[op])
        return call(t, ROW_INT, ints[op], a, b, NULL);
    return call(t, ROW_DOUBLE, doubles[op], to_double(t, a), to_double(t, b), NULL);
}

static RowExpr *compare_two(Typer *t, const TExpr *e, TCompare op, RowExpr *a, RowExpr *b)
{
    static const char *const plain[] = {"$1 == $2", "$1 != $2", "$1 < $2", "$1 <= $2", "$1 > $2", "$1 >= $2"};
    static const char *const text[] = {"dg_row_compare($1, $2) == 0", "dg_row_compare($1, $2) != 0",
                                       "dg_row_compare($1, $2) < 0", "dg_row_compare($1, $2) <= 0",
                                       "dg_row_compare($1, $2) > 0", "dg_row_compare($1, $2) >= 0"};
    if (!a || !b || !meet(t, e, &a, &b))
        return NULL;
    return call(t, ROW_BOOL, a->class == ROW_TEXT ? text[op] : plain[op], a, b, NULL);
}

static RowExpr *both(Typer *t, RowKind kind, RowExpr *a, RowExpr *b)
{
    if (!a || !b)
        return NULL;
    RowExpr *x = make(t, kind, ROW_BOOL, 2);
    x->parts[0] = a;
    x->parts[1] = b;
    return x;
}

static RowExpr *negated(Typer *t, RowExpr *x)
{
    if (!x)
        return NULL;
    RowExpr *out = make(t, ROW_NOT, ROW_BOOL, 1);
    out->parts[0] = x;
    return out;
}

/* `x in [1, 2]` is x == 1 or x == 2. */
static RowExpr *membership(Typer *t, const TExpr *e, const TExpr *left, const TExpr *list, bool not_in)
{
    RowExpr *out = NULL;
    if (list->kind == TE_CONST && (list->as.value.kind == DG_V_LIST || list->as.value.kind == DG_V_TUPLE)) {
        for (size_t i = 0; i < list->as.value.as.list->count; i++) {
            RowExpr *one = compare_two(t, e, TC_EQ, type_expr(t, left), constant(t, list, list->as.value.as.list->items[i]));
            out = out ? both(t, ROW_OR, out, one) : one;
        }
    } else if (list->kind == TE_LIST || list->kind == TE_TUPLE) {
        for (size_t i = 0; i < list->as.seq.count; i++) {
            RowExpr *one = compare_two(t, e, TC_EQ, type_expr(t, left), type_expr(t, list->as.seq.items[i]));
            out = out ? both(t, ROW_OR, out, one) : one;
        }
    } else {
        RowExpr *a = type_expr(t, left), *b = type_expr(t, list);
        if (a && b && a->class == ROW_TEXT && b->class == ROW_TEXT)
            out = call(t, ROW_BOOL, "dg_row_contains($2, $1)", a, b, NULL);
    }
    if (!out)
        return t->failed ? NULL : misfit(t, e, "`in` needs a list of values on its right, as in x in ['a', 'b']");
    return not_in ? negated(t, out) : out;
}

static RowExpr *comparison(Typer *t, const TExpr *e)
{
    const TExpr *left = e->as.compare.first;
    RowExpr *out = NULL;
    for (size_t i = 0; i < e->as.compare.count; i++) {
        const TOperand *o = &e->as.compare.rest[i];
        RowExpr *one = o->op == TC_IN || o->op == TC_NOT_IN
                           ? membership(t, e, left, o->value, o->op == TC_NOT_IN)
                           : compare_two(t, e, o->op, type_expr(t, left), type_expr(t, o->value));
        out = i ? both(t, ROW_AND, out, one) : one;
        left = o->value;
    }
    return out;
}

/* ---- Functions ---- */

/* Arguments: i integer, d number, s text, t date or timestamp. Result class. */
typedef struct Function {
    const char *name, *args;
    RowClass class;
    const char *c;
} Function;
static const Function functions[] = {
    {"upper", "s", ROW_TEXT, "dg_row_upper($1)"}, {"lower", "s", ROW_TEXT, "dg_row_lower($1)"},
    {"trim", "s", ROW_TEXT, "dg_row_trim($1)"}, {"length", "s", ROW_INT, "dg_row_length($1)"},
    {"substr", "sii", ROW_TEXT, "dg_row_substr($1, $2, $3)"},
    {"replace", "sss", ROW_TEXT, "dg_row_replace($1, $2, $3)"},
    {"concat", "ss", ROW_TEXT, "dg_row_concat($1, $2)"},
    {"starts_with", "ss", ROW_BOOL, "dg_row_starts($1, $2)"}, {"ends_with", "ss", ROW_BOOL, "dg_row_ends($1, $2)"},
    {"contains", "ss", ROW_BOOL, "dg_row_contains($1, $2)"}, {"hash", "s", ROW_INT, "dg_row_hash($1)"},
    {"round", "d", ROW_DOUBLE, "dg_row_round($1, 0)"}, {"round", "di", ROW_DOUBLE, "dg_row_round($1, $2)"},
    {"floor", "d", ROW_DOUBLE, "dg_row_floor($1)"}, {"ceil", "d", ROW_DOUBLE, "dg_row_ceil($1)"},
    {"year", "t", ROW_INT, "dg_row_part($1, 0)"}, {"month", "t", ROW_INT, "dg_row_part($1, 1)"},
    {"day", "t", ROW_INT, "dg_row_part($1, 2)"}, {"hour", "t", ROW_INT, "dg_row_part($1, 3)"},
    {"minute", "t", ROW_INT, "dg_row_part($1, 4)"}, {"second", "t", ROW_INT, "dg_row_part($1, 5)"},
    {"weekday", "t", ROW_INT, "dg_row_part($1, 6)"}, {"epoch", "t", ROW_INT, "$1 / 1000000"},
    {"date_trunc", "st", ROW_TIME, "dg_row_trunc(r, $i, $1, $2)"},
    {"regex_match", "ss", ROW_BOOL, "dg_row_regex_match(r, $i, $1, $2)"},
    {"regex_extract", "ss", ROW_TEXT, "dg_row_regex_extract(r, $i, $1, $2, &$n)"},
    {"regex_replace", "sss", ROW_TEXT, "dg_row_regex_replace(r, $i, $1, $2, $3)"},
    {"json_get", "ss", ROW_TEXT, "dg_row_json_get($1, $2, &$n)"},
};

static RowExpr *argument(Typer *t, const TExpr *e, RowExpr *x, char want)
{
    if (!x)
        return NULL;
    if (want == 's' && x->class == ROW_TEXT)
        return x;
    if (want == 'i' && (x->class == ROW_INT || x->class == ROW_NONE))
        return x;
    if (want == 'd' && number(x))
        return to_double(t, x);
    if (want == 't' && (x->class == ROW_DATE || x->class == ROW_TIME))
        return to_time(t, x);
    return misfit(t, e, want == 's'   ? "a text is needed here; use cast(..., 'varchar')"
                        : want == 'i' ? "an integer is needed here"
                        : want == 'd' ? "a number is needed here"
                                      : "a date or timestamp is needed here; use cast(..., 'timestamp')");
}

static RowExpr *special(Typer *t, const TExpr *e, Str name, const TExpr **args, size_t n, bool *known)
{
    *known = true;
    if (str_eq(name, S("cast")) && n == 2) {
        DgType type;
        if (args[1]->kind != TE_CONST || args[1]->as.value.kind != DG_V_STR || !dg_type_parse(args[1]->as.value.as.s, &type))
            return misfit(t, args[1], "cast() takes a column type as text, as in cast(x, 'bigint')");
        RowExpr *x = type_expr(t, args[0]);
        RowClass to = class_of(type);
        return !x ? NULL : to == ROW_NONE ? misfit(t, args[1], "row expressions do not cast to this type") : cast_to(t, e, x, to);
    }
    bool coalesce = str_eq(name, S("coalesce")), nullif = str_eq(name, S("nullif"));
    bool least = str_eq(name, S("least")), greatest = str_eq(name, S("greatest"));
    if ((coalesce || nullif || least || greatest) && n == 2) {
        RowExpr *a = type_expr(t, args[0]), *b = type_expr(t, args[1]);
        if (!a || !b || !meet(t, e, &a, &b))
            return NULL;
        if (least || greatest)
            return call(t, a->class, a->class == ROW_TEXT ? (least ? "(dg_row_compare($1, $2) < 0 ? $1 : $2)" : "(dg_row_compare($1, $2) > 0 ? $1 : $2)")
                                                          : (least ? "($1 < $2 ? $1 : $2)" : "($1 > $2 ? $1 : $2)"), a, b, NULL);
        RowExpr *x = both(t, coalesce ? ROW_COALESCE : ROW_NULLIF, a, b);
        x->class = a->class;
        return x;
    }
    if (str_eq(name, S("is_null")) && n == 1) {
        RowExpr *x = make(t, ROW_IS_NULL, ROW_BOOL, 1);
        x->parts[0] = type_expr(t, args[0]);
        return x->parts[0] ? x : NULL;
    }
    if (str_eq(name, S("abs")) && n == 1) {
        RowExpr *x = type_expr(t, args[0]);
        if (x && !number(x))
            return misfit(t, e, "abs() takes a number");
        return x ? call(t, x->class, x->class == ROW_INT ? "($1 < 0 ? dg_row_sub(r, $i, 0, $1) : $1)" : "($1 < 0 ? -$1 : $1)", x, NULL, NULL) : NULL;
    }
    *known = false;
    return NULL;
}

static RowExpr *function(Typer *t, const TExpr *e, Str name, const TExpr **args, size_t n)
{
    static const char *const specials[] = {"cast", "coalesce", "nullif", "least", "greatest", "is_null", "abs"};
    bool known, has_name = false;
    RowExpr *x = special(t, e, name, args, n, &known);
    if (known)
        return x;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const Function *f = &functions[i];
        if (!str_eq(name, str_from(f->name)))
            continue;
        has_name = true;
        if (strlen(f->args) != n)
            continue;
        RowExpr *a[3] = {0};
        for (size_t k = 0; k < n; k++) {
            a[k] = argument(t, args[k], type_expr(t, args[k]), f->args[k]);
            if (!a[k])
                return poison(t);
        }
        return call(t, f->class, f->c, a[0], a[1], a[2]);
    }
    Str names[64];
    size_t count = 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        names[count++] = str_from(functions[i].name);
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        names[count++] = str_from(specials[i]);
        has_name |= str_eq(name, names[count - 1]);
    }
    DiagItem *it = has_name ? diag_report(t->plan->diag, E0603, at_of(t, e), "`%.*s` does not take %zu values", FMT(name), n)
                            : diag_report(t->plan->diag, E0603, at_of(t, e), "there is no function `%.*s`", FMT(name));
    Span at = at_of(t, e);
    at.end = at.start + (uint32_t)name.len;
    if (!has_name)
        diag_suggest(it, at, "function", name, names, count);
    return poison(t);
}

static RowExpr *calls(Typer *t, const TExpr *e)
{
    const TExpr *args[9];
    size_t n = 0;
    if (e->kind == TE_FILTER)
        args[n++] = e->as.apply.operand;
    const TArgs *given = e->kind == TE_FILTER ? e->as.apply.args : e->as.call.args;
    Str name = e->kind == TE_FILTER ? e->as.apply.name
               : e->as.call.callee->kind == TE_NAME ? e->as.call.callee->as.name : (Str){0};
    for (size_t i = 0; given && i < given->positional.count && n < 9; i++)
        args[n++] = given->positional.items[i];
    if (!name.len || (given && given->named_count))
        return misfit(t, e, "only plain functions can be called here, as in upper(name)");
    return function(t, e, name, args, n);
}

static RowExpr *conditional(Typer *t, const TExpr *e)
{
    RowExpr *then = type_expr(t, e->as.cond.then), *test = type_expr(t, e->as.cond.test), *otherwise;
    if (e->as.cond.otherwise)
        otherwise = type_expr(t, e->as.cond.otherwise);
    else
        otherwise = constant(t, e, (DgValue){.kind = DG_V_NONE});
    if (!then || !test || !otherwise || !meet(t, e, &then, &otherwise))
        return NULL;
    if (test->class != ROW_BOOL)
        return misfit(t, e->as.cond.test, "the condition must be true or false");
    RowExpr *x = make(t, ROW_IF, then->class, 3);
    x->parts[0] = then;
    x->parts[1] = test;
    x->parts[2] = otherwise;
    return x;
}

static RowExpr *unary(Typer *t, const TExpr *e)
{
    RowExpr *x = type_expr(t, e->as.unary.operand);
    if (!x)
        return NULL;
    if (e->as.unary.op == TU_NOT)
        return x->class == ROW_BOOL ? negated(t, x) : misfit(t, e, "`not` needs true or false");
    if (!number(x))
        return misfit(t, e, "a sign needs a number");
    if (e->as.unary.op == TU_POS)
        return x;
    return call(t, x->class, x->class == ROW_INT ? "dg_row_sub(r, $i, 0, $1)" : "-$1", x, NULL, NULL);
}

static RowExpr *logic(Typer *t, const TExpr *e)
{
    RowExpr *a = type_expr(t, e->as.binary.left), *b = type_expr(t, e->as.binary.right);
    if (!a || !b)
        return NULL;
    if ((a->class != ROW_BOOL && a->class != ROW_NONE) || (b->class != ROW_BOOL && b->class != ROW_NONE))
        return misfit(t, e, "`and` and `or` need true or false on both sides");
    return both(t, e->kind == TE_AND ? ROW_AND : ROW_OR, a, b);
}

static RowExpr *concat(Typer *t, const TExpr *e)
{
    RowExpr *out = NULL;
    for (size_t i = 0; i < e->as.seq.count; i++) {
        RowExpr *x = type_expr(t, e->as.seq.items[i]);
        if (!x)
            return NULL;
        x = to_text(t, x);
        out = out ? call(t, ROW_TEXT, "dg_row_concat($1, $2)", out, x, NULL) : x;
    }
    return out;
}

static RowExpr *type_expr(Typer *t, const TExpr *e)
{
    switch (e->kind) {
    case TE_ERROR: return poison(t);
    case TE_CONST: return constant(t, e, e->as.value);
    case TE_NAME: return column(t, e, e->as.name);
    case TE_CALL:
    case TE_FILTER: return calls(t, e);
    case TE_UNARY: return unary(t, e);
    case TE_BINARY: return binary(t, e);
    case TE_COMPARE: return comparison(t, e);
    case TE_AND:
    case TE_OR: return logic(t, e);
    case TE_COND: return conditional(t, e);
    case TE_CONCAT: return concat(t, e);
    default: return misfit(t, e, "this cannot stand in a row expression");
    }
}

/* ---- Programs ---- */

RowProgram *row_program_add(Plan *plan, const DgRowProgramDecl *decl, const Config *config, Span at)
{
    RowProgram *rows = push(plan->arena, RowProgram, 1);
    rows->decl = *decl;
    rows->from_key = decl->from;
    rows->asset_key = decl->asset;
    rows->config = config;
    rows->at = at;
    return rows;
}

static RowExpr *expression(Plan *plan, RowProgram *rows, const void *field, Span *at)
{
    const ConfigPlace *place = rows->config ? config_place(rows->config, field) : NULL;
    if (!place)
        return NULL;
    Typer t = {.plan = plan, .rows = rows, .place = template_place_yaml(plan->sources, place->node)};
    TemplateCtx ctx = {.arena = plan->arena, .diag = plan->diag};
    const TExpr *parsed = template_parse_expression(&ctx, place->node->text, t.place);
    RowExpr *x = type_expr(&t, parsed);
    *at = place->node->at;
    rows->failed |= t.failed || !x;
    return t.failed ? NULL : x;
}

static bool listed(const DgList *names, Str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(DG_ITEMS(DgStr, *names)[i], name))
            return true;
    return false;
}

static Str renamed(const DgList *pairs, Str name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (str_eq(DG_ITEMS(DgPair, *pairs)[i].key, name))
            return DG_ITEMS(DgPair, *pairs)[i].value;
    return name;
}

static void add_output(Plan *plan, RowProgram *rows, RowOutput out)
{
    for (size_t i = 0; i < rows->outputs.count; i++) {
        if (str_eq(rows->outputs.items[i].column.name, out.column.name)) {
            rows->outputs.items[i] = out;
            return;
        }
    }
    array_add(plan->arena, &rows->outputs, out);
}

/* drop, rename and cast must name columns that are there. */
static void check_names(Plan *plan, RowProgram *rows)
{
    Str *names = push(plan->arena, Str, rows->from->columns.count + 1);
    size_t n = rows->from->columns.count;
    for (size_t i = 0; i < n; i++)
        names[i] = rows->from->columns.items[i].column.name;
    StrArray asked = {0};
    for (size_t i = 0; i < rows->decl.drop.count; i++)
        array_add(plan->arena, &asked, DG_ITEMS(DgStr, rows->decl.drop)[i]);
    for (size_t i = 0; i < rows->decl.rename.count; i++)
        array_add(plan->arena, &asked, DG_ITEMS(DgPair, rows->decl.rename)[i].key);
    for (size_t i = 0; i < asked.count; i++) {
        bool found = false;
        for (size_t k = 0; k < n; k++)
            found |= str_eq(names[k], asked.items[i]);
        if (found)
            continue;
        const void *field = i < rows->decl.drop.count ? (const void *)&DG_ITEMS(DgStr, rows->decl.drop)[i] : NULL;
        const ConfigPlace *place = field && rows->config ? config_place(rows->config, field) : NULL;
        Span at = place ? place->node->at : rows->at;
        DiagItem *it = diag_report(plan->diag, E0402, at, "`%.*s` has no column `%.*s`", FMT(rows->from_key),
                                   FMT(asked.items[i]));
        if (place)
            diag_suggest(it, at, "column", asked.items[i], names, n);
        rows->failed = true;
    }
}

static void settle(Plan *plan, RowProgram *rows)
{
    Asset *asset = rows->asset;
    for (size_t i = 0; i < rows->outputs.count; i++) {
        ColumnInfo info = {.column = rows->outputs.items[i].column, .at = rows->outputs.items[i].at};
        array_add(plan->arena, &asset->columns, info);
        if (rows->outputs.items[i].value)
            continue;
        LineageEdge edge = {(int32_t)i, rows->from, rows->outputs.items[i].input};
        array_add(plan->arena, &asset->lineage, edge);
    }
    asset->columns_known = true;
}

void row_program_type(Plan *plan, RowProgram *rows)
{
    if (rows->from || rows->failed)
        return; /* typed already */
    rows->from = plan_asset(plan, rows->from_key);
    rows->asset = plan_asset(plan, rows->asset_key);
    if (!rows->from || !rows->asset || rows->from->stub || !rows->from->columns_known) {
        rows->failed = true;
        if (rows->from && !rows->from->stub && !diag_failed(plan->diag))
            diag_help(diag_report(plan->diag, E0402, rows->at, "the columns of `%.*s` are not known", FMT(rows->from_key)),
                      "declare them with `columns:` where the asset is made");
        return;
    }
    check_names(plan, rows);
    for (size_t i = 0; rows->decl.keep_others && i < rows->from->columns.count; i++) {
        RowOutput out = {.column = rows->from->columns.items[i].column, .input = (int32_t)i, .at = rows->at};
        if (listed(&rows->decl.drop, out.column.name))
            continue;
        out.column.name = renamed(&rows->decl.rename, out.column.name);
        out.column.path = (Str){0};
        add_output(plan, rows, out);
    }
    for (int32_t i = 0; i < rows->decl.columns_count; i++) {
        const DgRowColumn *c = &rows->decl.columns[i];
        RowOutput out = {.input = -1};
        out.column.name = c->name;
        out.value = expression(plan, rows, c->field, &out.at);
        if (!out.value)
            continue;
        out.column.type = type_of(out.value->class);
        add_output(plan, rows, out);
    }
    if (rows->decl.filter) {
        Span at = rows->at;
        rows->filter = expression(plan, rows, rows->decl.filter, &at);
        if (rows->filter && rows->filter->class != ROW_BOOL) {
            diag_report(plan->diag, E0603, at, "the filter must be true or false for each row");
            rows->failed = true;
        }
    }
    if (!rows->failed)
        settle(plan, rows);
}
