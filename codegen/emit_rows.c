/* emit_rows.c - prints one loop per output column, and one for the filter. */
#include "codegen/emit_rows.h"

#include "codegen/emit_config.h"
#include "compiler/rows_expr.h"

typedef struct Loop {
    Emit *e;
    Arena *a;
    const RowProgram *rows;
    int next; /* number of the next value in this loop */
} Loop;

static const char *class_type(RowClass c)
{
    return c == ROW_BOOL ? "bool" : c == ROW_DOUBLE ? "double" : c == ROW_TEXT || c == ROW_NONE ? "DgStr" : "int64_t";
}

static const char *const c_types[] = {
    [DG_BOOL] = "uint8_t", [DG_INT8] = "int8_t", [DG_INT16] = "int16_t", [DG_INT32] = "int32_t",
    [DG_INT64] = "int64_t", [DG_UINT8] = "uint8_t", [DG_UINT16] = "uint16_t", [DG_UINT32] = "uint32_t",
    [DG_FLOAT32] = "float", [DG_FLOAT64] = "double", [DG_DATE] = "int32_t", [DG_TIME] = "int64_t",
    [DG_TIMESTAMP] = "int64_t", [DG_TIMESTAMPTZ] = "int64_t", [DG_JSON] = NULL,
};

static int value_of(Loop *l, const RowExpr *x);

static int column_value(Loop *l, const RowExpr *x)
{
    int n = l->next++;
    const DgColumn *c = &l->rows->from->columns.items[x->as.column].column;
    emit_line(l->e, "const DgVector *c%d = &in->vectors[%d]; /* %.*s */", n, x->as.column, FMT(c->name));
    emit_line(l->e, "bool n%d = !DG_VALID(c%d, i);", n, n);
    if (x->class == ROW_TEXT)
        emit_line(l->e, "DgStr v%d = DG_ROW_TEXT(c%d, i);", n, n);
    else
        emit_line(l->e, "%s v%d = ((const %s *)c%d->values)[i]%s;", class_type(x->class), n,
                  c_types[c->type.kind], n, x->class == ROW_BOOL ? " != 0" : "");
    return n;
}

static int const_value(Loop *l, const RowExpr *x)
{
    int n = l->next++;
    const DgValue *v = &x->as.value;
    bool null = v->kind == DG_V_NONE;
    emit_line(l->e, "bool n%d = %s;", n, null ? "true" : "false");
    if (x->class == ROW_TEXT || x->class == ROW_NONE) {
        Str s = null ? (Str){0} : v->as.s;
        emit_line(l->e, "DgStr v%d = {%.*s, %td};", n, FMT(c_string(l->a, s)), s.len);
    } else if (null) {
        emit_line(l->e, "%s v%d = 0;", class_type(x->class), n);
    } else if (v->kind == DG_V_FLOAT) {
        emit_line(l->e, "double v%d = %.*s;", n, FMT(c_double(l->a, v->as.f)));
    } else {
        emit_line(l->e, "%s v%d = %lld%s;", class_type(x->class), n,
                  v->kind == DG_V_BOOL ? (long long)v->as.b : (long long)v->as.i,
                  x->class == ROW_BOOL ? "" : "L");
    }
    return n;
}

/* $1, $2, $3, $n and $i of a function's C text. */
static void add_pattern(StrBuf *b, const char *c, const int *parts, int self)
{
    for (; *c; c++) {
        if (*c != '$')
            buf_char(b, *c);
        else if (*++c == 'i')
            buf_char(b, 'i');
        else if (*c == 'n')
            buf_format(b, "n%d", self);
        else
            buf_format(b, "v%d", parts[*c - '1']);
    }
}

static int call_value(Loop *l, const RowExpr *x)
{
    int parts[4] = {0}, n;
    StrBuf b = {0};
    for (int i = 0; i < x->parts_count; i++)
        parts[i] = value_of(l, x->parts[i]);
    n = l->next++;
    buf_format(&b, "bool n%d = ", n);
    for (int i = 0; i < x->parts_count; i++)
        buf_format(&b, "%sn%d", i ? " | " : "", parts[i]);
    emit_line(l->e, "%.*s;", FMT(buf_str(&b)));
    b.len = 0;
    add_pattern(&b, x->as.c, parts, n);
    /* What may note an error or is dear is left out where an operand is null. */
    bool guarded = strstr(x->as.c, "dg_row_") || x->class == ROW_TEXT;
    const char *type = class_type(x->class);
    if (guarded) {
        emit_line(l->e, "%s v%d%s;", type, n, x->class == ROW_TEXT ? " = {\"\", 0}" : " = 0");
        emit_line(l->e, "if (!n%d)", n);
        emit_line(l->e, "    v%d = %.*s;", n, FMT(buf_str(&b)));
    } else {
        emit_line(l->e, "%s v%d = %.*s;", type, n, FMT(buf_str(&b)));
    }
    buf_free(&b);
    return n;
}

/* Three values: null unless the other side decides. */
static int logic_value(Loop *l, const RowExpr *x)
{
    int a = value_of(l, x->parts[0]), b = value_of(l, x->parts[1]), n = l->next++;
    if (x->kind == ROW_AND)
        emit_line(l->e, "bool f%d = (!n%d && !v%d) || (!n%d && !v%d);", n, a, a, b, b);
    else
        emit_line(l->e, "bool f%d = (!n%d && v%d) || (!n%d && v%d);", n, a, a, b, b);
    emit_line(l->e, "bool n%d = !f%d && (n%d | n%d);", n, n, a, b);
    emit_line(l->e, "bool v%d = %sf%d;", n, x->kind == ROW_AND ? "!" : "", n);
    return n;
}

/* Only the branch that is taken is computed: the other may not work for this row. */
static int if_value(Loop *l, const RowExpr *x)
{
    int test = value_of(l, x->parts[1]), n = l->next++;
    emit_line(l->e, "bool n%d;", n);
    emit_line(l->e, "%s v%d;", class_type(x->class), n);
    emit_open(l->e, "if (!n%d && v%d)", test, test);
    int then = value_of(l, x->parts[0]);
    emit_line(l->e, "n%d = n%d;", n, then);
    emit_line(l->e, "v%d = v%d;", n, then);
    emit_close(l->e, "");
    emit_open(l->e, "else");
    int otherwise = value_of(l, x->parts[2]);
    emit_line(l->e, "n%d = n%d;", n, otherwise);
    emit_line(l->e, "v%d = v%d;", n, otherwise);
    emit_close(l->e, "");
    return n;
}

static int coalesce_value(Loop *l, const RowExpr *x)
{
    int a = value_of(l, x->parts[0]), b = value_of(l, x->parts[1]), n = l->next++;
    const char *type = class_type(x->class);
    if (x->kind == ROW_COALESCE) {
        emit_line(l->e, "bool n%d = n%d & n%d;", n, a, b);
        emit_line(l->e, "%s v%d = n%d ? v%d : v%d;", type, n, a, b, a);
    } else {
        Str equal = x->class == ROW_TEXT ? str_format(l->a, "dg_row_compare(v%d, v%d) == 0", a, b)
                                         : str_format(l->a, "v%d == v%d", a, b);
        emit_line(l->e, "bool n%d = n%d || (!n%d && %.*s);", n, a, b, FMT(equal));
        emit_line(l->e, "%s v%d = v%d;", type, n, a);
    }
    return n;
}

static int value_of(Loop *l, const RowExpr *x)
{
    int a, n;
    switch (x->kind) {
    case ROW_COLUMN: return column_value(l, x);
    case ROW_CONST: return const_value(l, x);
    case ROW_AND:
    case ROW_OR: return logic_value(l, x);
    case ROW_IF: return if_value(l, x);
    case ROW_COALESCE:
    case ROW_NULLIF: return coalesce_value(l, x);
    case ROW_NOT:
        a = value_of(l, x->parts[0]);
        n = l->next++;
        emit_line(l->e, "bool n%d = n%d;", n, a);
        emit_line(l->e, "bool v%d = !v%d;", n, a);
        return n;
    case ROW_IS_NULL:
        a = value_of(l, x->parts[0]);
        n = l->next++;
        emit_line(l->e, "bool n%d = false;", n);
        emit_line(l->e, "bool v%d = n%d;", n, a);
        return n;
    default: return call_value(l, x);
    }
}

/* ---- The quick way: no row is left out and nothing is null, as in most batches ---- */

/* The same patterns without notes and null flags. Overflow sets `over`, and the careful loop then
 * finds out what it was. NULL: there is no quick way. */
static const char *quick_pattern(const RowExpr *x)
{
    static const struct { const char *careful, *quick; } pairs[] = {
        {"dg_row_add(r, $i, $1, $2)", "DG_QUICK_ADD($1, $2)"},
        {"dg_row_sub(r, $i, $1, $2)", "DG_QUICK_SUB($1, $2)"},
        {"dg_row_mul(r, $i, $1, $2)", "DG_QUICK_MUL($1, $2)"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(x->as.c, pairs[i].careful) == 0)
            return pairs[i].quick;
    if (strcmp(x->as.c, "($n |= $2 == 0, $1 / $2)") == 0 && x->parts[1]->kind == ROW_CALL &&
        x->parts[1]->parts_count == 1 && x->parts[1]->parts[0]->kind == ROW_CONST &&
        x->parts[1]->parts[0]->class == ROW_INT && x->parts[1]->parts[0]->as.value.as.i != 0)
        return "($1 / $2)"; /* by a whole number that is not zero */
    if (strcmp(x->as.c, "($n |= $2 == 0, $1 / $2)") == 0 && x->parts[1]->kind == ROW_CONST &&
        x->parts[1]->class == ROW_DOUBLE && x->parts[1]->as.value.as.f != 0)
        return "($1 / $2)";
    return strstr(x->as.c, "dg_row_") || strstr(x->as.c, "$n") || strstr(x->as.c, "$i") ? NULL : x->as.c;
}

typedef struct Quick {
    Loop *l;
    bool *used;      /* by input column */
    bool overflows;
} Quick;

static bool quick_expr(Quick *q, const RowExpr *x, StrBuf *out);

static bool quick_call(Quick *q, const RowExpr *x, StrBuf *out)
{
    const char *c = quick_pattern(x);
    Str parts[4];
    for (int i = 0; c && i < x->parts_count; i++) {
        StrBuf part = {0};
        bool ok = quick_expr(q, x->parts[i], &part);
        parts[i] = str_copy(q->l->a, buf_str(&part));
        buf_free(&part);
        if (!ok)
            return false;
    }
    if (!c)
        return false;
    q->overflows |= strncmp(c, "DG_QUICK", 8) == 0;
    buf_char(out, '(');
    for (; *c; c++) {
        if (*c == '$')
            buf_add(out, parts[*++c - '1']);
        else
            buf_char(out, *c);
    }
    buf_char(out, ')');
    return true;
}

static bool quick_expr(Quick *q, const RowExpr *x, StrBuf *out)
{
    if (x->class == ROW_TEXT || x->class == ROW_NONE)
        return false;
    switch (x->kind) {
    case ROW_COLUMN:
        q->used[x->as.column] = true;
        buf_format(out, x->class == ROW_BOOL ? "(c%d[i] != 0)" : x->class == ROW_DOUBLE ? "(double)c%d[i]"
                                                                                         : "(int64_t)c%d[i]", x->as.column);
        return true;
    case ROW_CONST:
        if (x->as.value.kind == DG_V_NONE)
            return false;
        if (x->as.value.kind == DG_V_FLOAT)
            buf_add(out, c_double(q->l->a, x->as.value.as.f));
        else
            buf_format(out, "%lldL", x->as.value.kind == DG_V_BOOL ? (long long)x->as.value.as.b : (long long)x->as.value.as.i);
        return x->as.value.kind != DG_V_INT || x->as.value.as.i != INT64_MIN;
    case ROW_CALL: return quick_call(q, x, out);
    case ROW_AND:
    case ROW_OR:
    case ROW_NOT:
        buf_add(out, x->kind == ROW_NOT ? S("(!") : S("("));
        if (!quick_expr(q, x->parts[0], out))
            return false;
        if (x->kind != ROW_NOT) {
            buf_add(out, x->kind == ROW_AND ? S(" & ") : S(" | "));
            if (!quick_expr(q, x->parts[1], out))
                return false;
        }
        buf_char(out, ')');
        return true;
    default: return false;
    }
}

/* `if (nothing is null) { one loop; return; }`; prints nothing when there is no quick way. */
static void emit_quick(Loop *l, const RowOutput *out)
{
    size_t columns = l->rows->from->columns.count;
    Quick q = {.l = l, .used = push(l->a, bool, columns + 1)};
    StrBuf expr = {0}, test = {0};
    if (!c_types[out->column.type.kind] || !quick_expr(&q, out->value, &expr)) {
        buf_free(&expr);
        return;
    }
    buf_add(&test, S("!r->pick"));
    for (size_t i = 0; i < columns; i++)
        if (q.used[i])
            buf_format(&test, " && dg_rows_valid(&in->vectors[%zu], in->rows)", i);
    emit_open(l->e, "if (%.*s)", FMT(buf_str(&test)));
    const char *type = c_types[out->column.type.kind];
    for (size_t i = 0; i < columns; i++)
        if (q.used[i])
            emit_line(l->e, "const %s *c%zu = in->vectors[%zu].values; /* %.*s */",
                      c_types[l->rows->from->columns.items[i].column.type.kind], i, i,
                      FMT(l->rows->from->columns.items[i].column.name));
    emit_line(l->e, "%s *to = out->values;", type);
    if (q.overflows)
        emit_line(l->e, "int64_t over = 0;");
    emit_line(l->e, "for (int32_t i = 0; i < r->count; i++)");
    emit_line(l->e, "    to[i] = (%s)%.*s;", type, FMT(buf_str(&expr)));
    if (q.overflows)
        emit_line(l->e, "if (over >= 0)");
    emit_line(l->e, "%sreturn;", q.overflows ? "    " : "");
    emit_close(l->e, "");
    buf_free(&expr);
    buf_free(&test);
}

static Str emit_column(Emit *e, Arena *a, Str name, const RowProgram *rows, const RowOutput *out)
{
    Loop l = {e, a, rows, 0};
    Str fn = emit_fresh(e, str_format(a, "%.*s_%.*s", FMT(name), FMT(out->column.name)));
    emit_at(e, out->at);
    emit_open(e, "static void %.*s(DgRows *r, DgVector *out)", FMT(fn));
    emit_line(e, "const DgBatch *in = r->in;");
    emit_quick(&l, out);
    emit_open(e, "for (int32_t k = 0; k < r->count; k++)");
    emit_line(e, "int32_t i = r->pick ? r->pick[k] : k;");
    int n = value_of(&l, out->value);
    emit_line(e, "if (n%d)", n);
    emit_line(e, "    dg_set_null(out, k);");
    if (out->column.type.kind == DG_TEXT || out->column.type.kind == DG_JSON) {
        emit_line(e, "if (!dg_text_set(out, k, v%d.ptr, n%d ? 0 : (size_t)v%d.len))", n, n, n);
        emit_line(e, "    dg_rows_note(r, i, \"too much text for one batch\");");
    } else {
        const char *type = c_types[out->column.type.kind];
        emit_line(e, "((%s *)out->values)[k] = (%s)v%d;", type, type, n);
    }
    emit_close(e, "");
    emit_close(e, "\n");
    return fn;
}

static void emit_filter(Emit *e, Arena *a, Str fn, const RowProgram *rows)
{
    Loop l = {e, a, rows, 0};
    emit_open(e, "static int32_t %.*s(DgRows *r, int32_t *pick)", FMT(fn));
    emit_line(e, "const DgBatch *in = r->in;");
    emit_line(e, "int32_t kept = 0;");
    emit_open(e, "for (int32_t i = 0; i < in->rows; i++)");
    int n = value_of(&l, rows->filter);
    emit_line(e, "pick[kept] = i;");
    emit_line(e, "kept += !n%d && v%d;", n, n);
    emit_close(e, "");
    emit_line(e, "return kept;");
    emit_close(e, "\n");
}

static const char *const type_names[] = {
#define X(name, text, width) #name,
    DG_TYPES(X)
#undef X
};

static void emit_columns(Emit *e, Arena *a, const DgColumn *column)
{
    emit_line(e, "{%.*s, {%s, %d, %d}, 0, {0, 0}},", FMT(emit_str(a, column->name)),
              type_names[column->type.kind], column->type.precision, column->type.scale);
}

static void emit_plan(Emit *e, Arena *a, Str name, Str run, const RowProgram *rows)
{
    Str in = emit_fresh(e, str_format(a, "%.*s_in", FMT(name)));
    Str out = emit_fresh(e, str_format(a, "%.*s_out", FMT(name)));
    emit_open(e, "static const DgColumn %.*s[] =", FMT(in));
    for (size_t i = 0; i < rows->from->columns.count; i++)
        emit_columns(e, a, &rows->from->columns.items[i].column);
    emit_close(e, ";");
    emit_open(e, "static const DgColumn %.*s[] =", FMT(out));
    for (size_t i = 0; i < rows->outputs.count; i++)
        emit_columns(e, a, &rows->outputs.items[i].column);
    emit_close(e, ";");
    emit_open(e, "static const DgRowPlan *%.*s(void)", FMT(name));
    emit_line(e, "static const DgRowPlan plan = {%.*s, %.*s, %zu, %.*s, %zu};", FMT(run), FMT(in),
              rows->from->columns.count, FMT(out), rows->outputs.count);
    emit_line(e, "return &plan;");
    emit_close(e, "\n");
}

void emit_rows(Emit *e, Str name, const RowProgram *rows)
{
    Arena *a = emit_arena(e);
    size_t n = rows->outputs.count;
    Str *columns = push(a, Str, n + 1), filter = {0};
    assert(!rows->failed && rows->from && n);
    emit_section(e, EMIT_FUNCS);
    if (rows->filter) {
        filter = emit_fresh(e, str_format(a, "%.*s_filter", FMT(name)));
        emit_filter(e, a, filter, rows);
    }
    for (size_t i = 0; i < n; i++)
        if (rows->outputs.items[i].value)
            columns[i] = emit_column(e, a, name, rows, &rows->outputs.items[i]);
    Str run = emit_fresh(e, str_format(a, "%.*s_batch", FMT(name)));
    emit_open(e, "static DgStatus %.*s(const DgBatch *in, DgBatch *out, DgError *err)", FMT(run));
    emit_line(e, "DgRows r = {in, 0, in->rows, 0, 0};");
    if (rows->filter) {
        emit_line(e, "int32_t pick[DG_BATCH_ROWS];");
        emit_line(e, "dg_rows_begin();");
        emit_line(e, "r.count = %.*s(&r, pick);", FMT(filter));
        emit_line(e, "if (r.count < in->rows)");
        emit_line(e, "    r.pick = pick;");
        emit_line(e, "DG_TRY(dg_rows_end(&r, \"filter\", err));");
    } else {
        emit_line(e, "dg_rows_begin();");
    }
    for (size_t i = 0; i < n; i++) {
        const RowOutput *o = &rows->outputs.items[i];
        if (!o->value) {
            emit_line(e, "dg_rows_copy(&r, %d, &out->vectors[%zu]);", o->input, i);
            continue;
        }
        emit_line(e, "%.*s(&r, &out->vectors[%zu]);", FMT(columns[i]), i);
        emit_line(e, "DG_TRY(dg_rows_end(&r, %.*s, err));", FMT(c_string(a, o->column.name)));
    }
    emit_line(e, "out->rows = r.count;");
    emit_line(e, "return DG_OK;");
    emit_close(e, "\n");
    emit_plan(e, a, name, run, rows);
}
