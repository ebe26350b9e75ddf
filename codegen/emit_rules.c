/* emit_rules.c - prints one loop per expression: names are arrays, operators stand in the loop,
 * functions are called by name. */
#include "codegen/emit_rules.h"

#include "codegen/emit_config.h"
#include "runtime/copy/expression_internal.h"

typedef struct Loop {
    Emit *e;
    Arena *a;
    int next; /* number of the next value in this loop */
} Loop;

static Str value_of(Loop *l, const Expr *x);

/* ---- Leaves ---- */

static Str constant(Loop *l, const Expr *x)
{
    const DgValue *v = &x->value;
    Str name = emit_fresh(l->e, S("constant")), member = {0};
    if (v->kind == DG_V_STR)
        member = str_format(l->a, "{.s = {%.*s, %td}}", FMT(c_string(l->a, v->as.s)), v->as.s.len);
    else if (v->kind == DG_V_INT)
        member = str_format(l->a, "{.i = %lldL}", (long long)v->as.i);
    else if (v->kind == DG_V_FLOAT)
        member = str_format(l->a, "{.f = %.*s}", FMT(c_double(l->a, v->as.f)));
    else
        member = str_format(l->a, "{.b = %d}", v->kind == DG_V_BOOL && v->as.b);
    const char *kind = v->kind == DG_V_STR ? "DG_V_STR" : v->kind == DG_V_INT ? "DG_V_INT" : v->kind == DG_V_FLOAT ? "DG_V_FLOAT"
                       : v->kind == DG_V_BOOL ? "DG_V_BOOL" : "DG_V_NONE";
    EmitSection before = emit_section(l->e, EMIT_DATA);
    emit_line(l->e, "static const DgValue %.*s = {%s, 0, %.*s};", FMT(name), kind, FMT(member));
    emit_section(l->e, before);
    return name;
}

static bool may_be_null(const Expr *x)
{
    return x->op != EXPR_CONSTANT || x->value.kind == DG_V_NONE;
}

static bool is_number(const Expr *x)
{
    return x->op == EXPR_CONSTANT && (x->value.kind == DG_V_INT || x->value.kind == DG_V_FLOAT);
}

static const Expr *negated(Loop *l, const Expr *x) /* none is the least of its kind: those have no sign */
{
    Expr *minus = push(l->a, Expr, 1);
    *minus = *x;
    if (x->value.kind == DG_V_INT)
        minus->value.as.i = -x->value.as.i;
    else
        minus->value.as.f = -x->value.as.f;
    return minus;
}

/* ---- Operators ---- */

static Str fresh(Loop *l)
{
    return str_format(l->a, "v%d", l->next++);
}

/* Prints `int tN`: 1, 0, -1 for null. */
static int truth_of(Loop *l, const Expr *x)
{
    Str v = value_of(l, x);
    int n = l->next++;
    emit_line(l->e, "int t%d;", n);
    emit_line(l->e, "DG_EXPR_TRUTH(%.*s, t%d);", FMT(v), n);
    return n;
}

static Str truth_value(Loop *l, int t, const char *sign)
{
    Str v = fresh(l);
    emit_line(l->e, "DgValue %.*s = {t%d < 0 ? DG_V_NONE : DG_V_BOOL, 0, {.b = t%d == 1}};", FMT(v), t, t);
    if (*sign)
        emit_line(l->e, "%.*s.as.b = !%.*s.as.b;", FMT(v), FMT(v));
    return v;
}

/* Three values; the right side is asked only when it matters. */
static Str logic(Loop *l, const Expr *x)
{
    int decides = x->op == EXPR_OR, a = truth_of(l, x->args[0]);
    emit_open(l->e, "if (t%d != %d)", a, decides);
    int b = truth_of(l, x->args[1]);
    emit_line(l->e, "t%d = t%d == %d ? %d : t%d < 0 || t%d < 0 ? -1 : %d;", a, b, decides, decides, a, b, !decides);
    emit_close(l->e, "");
    return truth_value(l, a, "");
}

static Str choose(Loop *l, const Expr *x)
{
    int t = truth_of(l, x->args[0]);
    Str v = fresh(l);
    emit_line(l->e, "DgValue %.*s;", FMT(v));
    emit_open(l->e, "if (t%d == 1)", t);
    Str yes = value_of(l, x->args[1]);
    emit_line(l->e, "%.*s = %.*s;", FMT(v), FMT(yes));
    emit_close(l->e, "");
    emit_open(l->e, "else");
    Str no = value_of(l, x->args[2]);
    emit_line(l->e, "%.*s = %.*s;", FMT(v), FMT(no));
    emit_close(l->e, "");
    return v;
}

static Str operator_of(Loop *l, const Expr *x)
{
    static const struct { const char *op, *sign; } names[] = {
        [EXPR_EQ] = {"EXPR_EQ", "=="}, [EXPR_NE] = {"EXPR_NE", "!="}, [EXPR_LT] = {"EXPR_LT", "<"}, [EXPR_LE] = {"EXPR_LE", "<="},
        [EXPR_GT] = {"EXPR_GT", ">"}, [EXPR_GE] = {"EXPR_GE", ">="}, [EXPR_ADD] = {"EXPR_ADD", "+"}, [EXPR_SUB] = {"EXPR_SUB", "-"},
        [EXPR_MUL] = {"EXPR_MUL", "*"}, [EXPR_DIV] = {"EXPR_DIV", "/"}, [EXPR_REM] = {"EXPR_REM", "%"}};
    Str a = value_of(l, x->args[0]), b = value_of(l, x->args[1]), v = fresh(l);
    emit_line(l->e, "DgValue %.*s;", FMT(v));
    if (x->op <= EXPR_MUL) /* division asks for zero first */
        emit_line(l->e, "%s(%s, %s, %.*s, %.*s, %.*s);", x->op <= EXPR_GE ? "DG_EXPR_COMPARE" : "DG_EXPR_ARITHMETIC", names[x->op].op,
                  names[x->op].sign, FMT(a), FMT(b), FMT(v));
    else
        emit_line(l->e, "DG_TRY(dg_expr_arithmetic(%s, s, &%.*s, &%.*s, &%.*s, err));", names[x->op].op, FMT(a), FMT(b), FMT(v));
    return v;
}

/* ---- Functions: null in, null out, unless they say otherwise ---- */

static Str call(Loop *l, const Expr *x)
{
    Str args[EXPR_ARGS_MAX];
    StrBuf test = {0};
    for (int i = 0; i < x->count; i++) {
        args[i] = value_of(l, x->args[i]);
        if (!x->function->nulls && may_be_null(x->args[i]))
            buf_format(&test, "%s%.*s.kind != DG_V_NONE", test.len ? " && " : "", FMT(args[i]));
    }
    Str at = x->count == 1 ? str_format(l->a, "&%.*s", FMT(args[0])) : S("NULL");
    if (x->count > 1) {
        at = str_format(l->a, "a%d", l->next++);
        emit_line(l->e, "DgValue %.*s[%d];", FMT(at), x->count); /* tcc takes no structs as initialisers of an array */
        for (int i = 0; i < x->count; i++)
            emit_line(l->e, "%.*s[%d] = %.*s;", FMT(at), i, FMT(args[i]));
    }
    Str v = fresh(l);
    emit_line(l->e, "DgValue %.*s = {DG_V_NONE, 0, {0}};", FMT(v));
    if (test.len)
        emit_line(l->e, "if (%.*s)", FMT(buf_str(&test)));
    emit_line(l->e, "%sDG_TRY(%s(s, %.*s, %d, &%.*s, err));", test.len ? "    " : "", x->function->symbol, FMT(at), x->count, FMT(v));
    buf_free(&test);
    return v;
}

static Str value_of(Loop *l, const Expr *x)
{
    Str v, a;
    switch (x->op) {
    case EXPR_CONSTANT: return constant(l, x);
    case EXPR_NAME: return str_format(l->a, "in%d[i]", x->slot);
    case EXPR_CALL: return call(l, x);
    case EXPR_CHOOSE: return choose(l, x);
    case EXPR_OR:
    case EXPR_AND: return logic(l, x);
    case EXPR_NOT: return truth_value(l, truth_of(l, x->args[0]), "!");
    case EXPR_NEG:
        if (is_number(x->args[0]))
            return constant(l, negated(l, x->args[0]));
        a = value_of(l, x->args[0]);
        v = fresh(l);
        emit_line(l->e, "DgValue %.*s;", FMT(v));
        emit_line(l->e, "DG_TRY(dg_expr_negative(&%.*s, &%.*s, err));", FMT(a), FMT(v));
        return v;
    default: return operator_of(l, x);
    }
}

/* ---- One expression ---- */

static Str comment(Arena *a, Str text)
{
    static const char *const pairs[][2] = {{"*/", "* /"}, {"/*", "/ *"}, {"\n", " "}, {"\r", " "}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        text = str_replace(a, text, str_from(pairs[i][0]), str_from(pairs[i][1]));
    return text;
}

static Str emit_loop(Emit *e, Str name, Str source)
{
    Loop l = {e, emit_arena(e), 0};
    Expr *x;
    StrArray names = {0};
    DgError err = {0};
    DgStatus status = expr_compile(l.a, source, &x, &err);
    assert(status == DG_OK); /* as the component found when it made the rule */
    (void)status;
    expr_names(x, l.a, &names);
    Str fn = emit_fresh(e, str_format(l.a, "%.*s_rule", FMT(name)));
    emit_line(e, "/* %.*s */", FMT(comment(l.a, source)));
    emit_open(e, "static DgStatus %.*s(const DgRuleRows *x, DgError *err)", FMT(fn));
    emit_line(e, "struct ExprScope *s = x->scope;");
    for (size_t i = 0; i < names.count; i++)
        emit_line(e, "const DgValue *in%zu = x->in[%zu]; /* %.*s */", i, i, FMT(comment(l.a, names.items[i])));
    emit_open(e, "for (int32_t i = 0; i < x->rows; i++)");
    Str v = value_of(&l, x);
    emit_line(e, "x->out[i] = %.*s;", FMT(v));
    emit_close(e, "");
    emit_line(e, "(void)s, (void)err;");
    emit_line(e, "return DG_OK;");
    emit_close(e, "\n");
    return fn;
}

void emit_rules(Emit *e, Str name, const DgRulesDecl *rules, Map *printed)
{
    Arena *a = emit_arena(e);
    const DgStr *sources = rules->sources.items;
    emit_section(e, EMIT_FUNCS);
    for (size_t i = 0; i < rules->sources.count; i++)
        if (!map_has(printed, sources[i])) {
            Str *fn = push(a, Str, 1);
            *fn = emit_loop(e, name, sources[i]);
            map_put(a, printed, sources[i], fn);
        }
    Str table = emit_fresh(e, str_format(a, "%.*s_loops", FMT(name)));
    emit_open(e, "static const DgRuleFn %.*s[] =", FMT(table));
    for (size_t i = 0; i < rules->sources.count; i++)
        emit_line(e, "%.*s,", FMT(*(const Str *)map_get(printed, sources[i])));
    emit_close(e, ";");
    emit_open(e, "static const DgRuleSet *%.*s(void)", FMT(name));
    emit_line(e, "static const DgRuleSet set = {%.*s, %zu};", FMT(table), rules->sources.count);
    emit_line(e, "return &set;");
    emit_close(e, "\n");
}
