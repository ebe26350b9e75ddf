/* emit_template_expr.c - expressions of residuals as C expressions.
 *
 * Operands that may have an effect are computed in the order of the template: all but the last go
 * into temporaries first. What has no effect (constants, variables, env) is written in place.
 */
#include "codegen/emit_template_impl.h"

/* ---- Constants ---- */

static bool object_value(Arena *arena, DgValue v, StrBuf *out)
{
    int64_t us, bounds[3];
    if (v.as.object->builtin) {
        buf_format(out, "dg_builtin(ev, \"%s\")", v.as.object->builtin);
    } else if (dgv_range(v, bounds)) {
        buf_format(out,
                   "dg_call(ev, dg_builtin(ev, \"range\"), DG_ARGS(3, dgv_int(%lldL), "
                   "dgv_int(%lldL), dgv_int(%lldL)))",
                   (long long)bounds[0], (long long)bounds[1], (long long)bounds[2]);
    } else if (dgv_timedelta_to_us(v, &us)) {
        buf_format(out,
                   "dg_call(ev, dg_builtin(ev, \"datetime.timedelta\"), DG_ARGS(3, dgv_int(0), "
                   "dgv_int(0), dgv_int(%lldL)))", (long long)us);
    } else if (dgv_datetime_to_us(v, &us) && !strcmp(v.as.object->type->name, "datetime")) {
        Str seconds = c_double(arena, (double)us / 1e6);
        buf_format(out,
                   "dg_call_method(ev, dg_builtin(ev, \"datetime.datetime\"), \"fromtimestamp\", "
                   "DG_ARGS(1, dgv_float(%.*s)))", FMT(seconds));
    } else {
        return false;
    }
    return true;
}

static bool items_value(Arena *arena, const DgValue *items, size_t count, StrBuf *out)
{
    bool ok = true;
    if (!count) {
        buf_add(out, S("NULL"));
        return true;
    }
    buf_format(out, "(DgValue[%zu]){", count);
    for (size_t i = 0; i < count && ok; i++) {
        buf_add(out, i ? S(", ") : S(""));
        ok = emit_value(arena, items[i], out);
    }
    buf_char(out, '}');
    return ok;
}

static bool container_value(Arena *arena, DgValue v, StrBuf *out)
{
    if (v.kind == DG_V_DICT) {
        size_t n = v.as.dict->count;
        buf_add(out, S("dg_dict(ev, "));
        bool ok = items_value(arena, v.as.dict->keys, n, out);
        buf_add(out, S(", "));
        ok = ok && items_value(arena, v.as.dict->values, n, out);
        buf_format(out, ", %zu)", n);
        return ok;
    }
    buf_add(out, v.kind == DG_V_LIST ? S("dg_list(ev, ") : S("dg_tuple(ev, "));
    bool ok = items_value(arena, v.as.list->items, v.as.list->count, out);
    buf_format(out, ", %zu)", v.as.list->count);
    return ok;
}

static void int_value(int64_t i, StrBuf *out)
{
    if (i == INT64_MIN)
        buf_add(out, S("dgv_int(-9223372036854775807L - 1)"));
    else
        buf_format(out, i > INT32_MAX || i < -INT32_MAX ? "dgv_int(%lldL)" : "dgv_int(%lld)",
                   (long long)i);
}

bool emit_value(Arena *arena, DgValue v, StrBuf *out)
{
    if (dgv_has_secret(v))
        return false;
    switch ((DgValueKind)v.kind) {
    case DG_V_UNDEFINED: buf_add(out, S("dgv_undefined()")); break;
    case DG_V_NONE: buf_add(out, S("dgv_none()")); break;
    case DG_V_BOOL: buf_add(out, v.as.b ? S("dgv_bool(true)") : S("dgv_bool(false)")); break;
    case DG_V_INT: int_value(v.as.i, out); break;
    case DG_V_FLOAT:
        buf_format(out, "dgv_float(%.*s)", FMT(c_double(arena, v.as.f)));
        break;
    case DG_V_STR:
    case DG_V_BYTES:
        buf_format(out, v.kind == DG_V_STR ? "dgv_str(%.*s, %td)" : "dgv_bytes(%.*s, %td)",
                   FMT(c_string(arena, v.as.s)), v.as.s.len);
        break;
    case DG_V_LIST:
    case DG_V_TUPLE:
    case DG_V_DICT: return container_value(arena, v, out);
    case DG_V_OBJECT:
    case DG_V_FUNC: return object_value(arena, v, out);
    }
    return true;
}

static Str constant(TEmit *x, const TExpr *e)
{
    StrBuf b = {0};
    if (!emit_value(x->arena, e->as.value, &b)) {
        Span at = template_span(&x->t->place, e->start, e->end);
        diag_report(x->how->diag, E0605, at, "a %s cannot stand in an executable",
                    dgv_has_secret(e->as.value) ? "secret" : dgv_type_name(e->as.value));
        x->failed = true;
        buf_free(&b);
        return S("dgv_undefined()");
    }
    Str s = str_copy(x->arena, buf_str(&b));
    buf_free(&b);
    return s;
}

/* ---- Which expressions may stand in place ---- */

static bool is_env(const TExpr *e)
{
    return e->kind == TE_NAME && str_eq(e->as.name, S("env"));
}

/* No effect beyond an error: may be computed in any order. */
static bool is_pure(const TExpr *e)
{
    if (e->kind == TE_ATTR)
        return is_env(e->as.part.object);
    if (e->kind == TE_CALL && is_env(e->as.call.callee)) {
        const TExprs *args = &e->as.call.args->positional;
        return args->count < 2 || is_pure(args->items[1]);
    }
    return e->kind == TE_CONST || e->kind == TE_NAME || e->kind == TE_LOCAL;
}

static bool args_in_place(const TArgs *args)
{
    if (!args)
        return true;
    for (size_t i = 0; i < args->positional.count; i++)
        if (!is_pure(args->positional.items[i]))
            return false;
    return !args->named_count && !args->star && !args->star_star;
}

/* Needs no statement before the expression: may stand right of && and ||. */
static bool is_in_place(const TExpr *e)
{
    if (is_pure(e))
        return true;
    switch (e->kind) {
    case TE_ATTR: return is_in_place(e->as.part.object);
    case TE_ITEM: return is_in_place(e->as.item.object) && is_pure(e->as.item.key);
    case TE_FILTER:
    case TE_TEST: return is_in_place(e->as.apply.operand) && args_in_place(e->as.apply.args);
    case TE_UNARY: return is_in_place(e->as.unary.operand);
    case TE_BINARY: return is_pure(e->as.binary.left) && is_pure(e->as.binary.right);
    case TE_COMPARE:
        return e->as.compare.count == 1 && is_in_place(e->as.compare.first) &&
               is_pure(e->as.compare.rest[0].value);
    case TE_CALL: return is_pure(e->as.call.callee) && args_in_place(e->as.call.args);
    default: return false;
    }
}

/* ---- Operands ---- */

Str temit_temp(TEmit *x, const char *prefix)
{
    return str_format(x->arena, "%s%u", prefix, ++x->temps);
}

void temit_line(TEmit *x, Str line)
{
    emit_line(x->e, "%.*s", FMT(line));
}

static Str spill(TEmit *x, Str value)
{
    Str name = temit_temp(x, "t");
    emit_line(x->e, "DgValue %.*s = %.*s;", FMT(name), FMT(value));
    return name;
}

static void operands(TEmit *x, TExpr *const *e, size_t count, Str *out)
{
    size_t last = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_pure(e[i]))
            last = i;
    for (size_t i = 0; i < count; i++) {
        out[i] = temit_expr(x, e[i]);
        if (!is_pure(e[i]) && i < last)
            out[i] = spill(x, out[i]);
    }
}

static Str joined(TEmit *x, const Str *parts, size_t count)
{
    StrBuf b = {0};
    for (size_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(", ") : S(""));
        buf_add(&b, parts[i]);
    }
    Str s = str_copy(x->arena, buf_str(&b));
    buf_free(&b);
    return s;
}

/* Arguments as a `const DgArgs *`. `first` stands before them (the operand of a filter); its C
 * text, or that of the callee, comes back in *first_text, spilled when need be. */
static Str arguments(TEmit *x, TExpr *first, bool first_is_argument, const TArgs *args,
                     Str *first_text)
{
    size_t n = args ? args->positional.count : 0, head = first != NULL;
    bool builder = args && (args->named_count || args->star || args->star_star);
    TExpr **all = push(x->arena, TExpr *, n + 1);
    Str *text = push(x->arena, Str, n + 1);
    if (first)
        all[0] = first;
    for (size_t i = 0; i < n; i++)
        all[head + i] = args->positional.items[i];
    operands(x, all, n + head, text);
    if (first)
        *first_text = text[0];
    size_t skip = head && !first_is_argument;
    if (!builder) {
        if (n + head == skip)
            return S("DG_NO_ARGS");
        return str_format(x->arena, "DG_ARGS(%zu, %.*s)", n + head - skip,
                          FMT(joined(x, text + skip, n + head - skip)));
    }
    if (skip && !is_pure(first))
        *first_text = spill(x, text[0]);
    Str name = temit_temp(x, "a");
    emit_line(x->e, "DgArgs %.*s = {0};", FMT(name));
    for (size_t i = skip; i < n + head; i++)
        emit_line(x->e, "dg_arg(ev, &%.*s, %.*s);", FMT(name), FMT(text[i]));
    if (args->star) {
        Str value = temit_expr(x, args->star);
        emit_line(x->e, "dg_arg_star(ev, &%.*s, %.*s);", FMT(name), FMT(value));
    }
    for (size_t i = 0; i < args->named_count; i++) {
        Str value = temit_expr(x, args->named[i].value);
        emit_line(x->e, "dg_arg_named(ev, &%.*s, %.*s, %.*s);", FMT(name),
                  FMT(c_string(x->arena, args->named[i].name)), FMT(value));
    }
    if (args->star_star) {
        Str value = temit_expr(x, args->star_star);
        emit_line(x->e, "dg_arg_star_star(ev, &%.*s, %.*s);", FMT(name), FMT(value));
    }
    return str_format(x->arena, "&%.*s", FMT(name));
}

/* ---- Calls ---- */

static Str env_call(TEmit *x, const TExpr *e)
{
    const TExprs *args = &e->as.call.args->positional;
    Str name = c_string(x->arena, args->items[0]->as.value.as.s);
    if (args->count < 2)
        return str_format(x->arena, "dg_env_need(ev, %.*s)", FMT(name));
    Str fallback = temit_expr(x, args->items[1]);
    return str_format(x->arena, "dg_env_or(ev, %.*s, %.*s)", FMT(name), FMT(fallback));
}

static Str call(TEmit *x, const TExpr *e)
{
    TExpr *callee = e->as.call.callee;
    Str object, args;
    if (is_env(callee))
        return env_call(x, e);
    if (callee->kind == TE_ATTR && !is_env(callee->as.part.object)) {
        args = arguments(x, callee->as.part.object, false, e->as.call.args, &object);
        return str_format(x->arena, "dg_call_method(ev, %.*s, %.*s, %.*s)", FMT(object),
                          FMT(c_string(x->arena, callee->as.part.name)), FMT(args));
    }
    args = arguments(x, callee, false, e->as.call.args, &object);
    return str_format(x->arena, "dg_call(ev, %.*s, %.*s)", FMT(object), FMT(args));
}

static Str apply(TEmit *x, const TExpr *e)
{
    Str operand;
    Str args = arguments(x, e->as.apply.operand, true, e->as.apply.args, &operand);
    return str_format(x->arena, "dg_%s_%s(ev, %.*s)", e->kind == TE_FILTER ? "filter" : "test",
                      e->as.apply.c_name, FMT(args));
}

/* ---- Operators ---- */

static Str two(TEmit *x, const char *fn, TExpr *a, TExpr *b)
{
    Str text[2];
    operands(x, (TExpr *[]){a, b}, 2, text);
    return str_format(x->arena, "%s(ev, %.*s, %.*s)", fn, FMT(text[0]), FMT(text[1]));
}

static Str compared(TEmit *x, TCompare op, Str a, Str b)
{
    static const char *const fns[] = {"dg_eq", "!dg_eq", "dg_lt", "dg_le",
                                      "dg_gt", "dg_ge", "dg_in", "!dg_in"};
    return str_format(x->arena, "%s(ev, %.*s, %.*s)", fns[op], FMT(a), FMT(b));
}

/* a < b < c: each next operand is computed only when all before held. */
static Str chain(TEmit *x, const TExpr *e)
{
    Str result = temit_temp(x, "c"), left = spill(x, temit_expr(x, e->as.compare.first));
    for (size_t i = 0; i < e->as.compare.count; i++) {
        Str right = spill(x, temit_expr(x, e->as.compare.rest[i].value));
        Str text = compared(x, e->as.compare.rest[i].op, left, right);
        if (i == 0)
            emit_line(x->e, "bool %.*s = %.*s;", FMT(result), FMT(text));
        else
            emit_line(x->e, "%.*s = %.*s;", FMT(result), FMT(text));
        if (i + 1 < e->as.compare.count)
            emit_open(x->e, "if (%.*s)", FMT(result));
        left = right;
    }
    for (size_t i = 1; i < e->as.compare.count; i++)
        emit_close(x->e, "");
    return result;
}

static Str comparison(TEmit *x, const TExpr *e)
{
    if (e->as.compare.count > 1)
        return chain(x, e);
    Str text[2];
    operands(x, (TExpr *[]){e->as.compare.first, e->as.compare.rest[0].value}, 2, text);
    return compared(x, e->as.compare.rest[0].op, text[0], text[1]);
}

/* The value of `and` and `or` is that of an operand. */
static Str logic(TEmit *x, const TExpr *e)
{
    Str t = spill(x, temit_expr(x, e->as.binary.left));
    emit_open(x->e, "if (%sdg_truthy(ev, %.*s))", e->kind == TE_AND ? "" : "!", FMT(t));
    Str right = temit_expr(x, e->as.binary.right);
    emit_line(x->e, "%.*s = %.*s;", FMT(t), FMT(right));
    emit_close(x->e, "");
    return t;
}

static Str conditional(TEmit *x, const TExpr *e)
{
    Str test = temit_condition(x, e->as.cond.test), t = spill(x, S("dgv_undefined()"));
    emit_open(x->e, "if (%.*s)", FMT(test));
    Str value = temit_expr(x, e->as.cond.then);
    emit_line(x->e, "%.*s = %.*s;", FMT(t), FMT(value));
    emit_close(x->e, "");
    if (e->as.cond.otherwise) {
        emit_open(x->e, "else");
        value = temit_expr(x, e->as.cond.otherwise);
        emit_line(x->e, "%.*s = %.*s;", FMT(t), FMT(value));
        emit_close(x->e, "");
    }
    return t;
}

Str temit_condition(TEmit *x, const TExpr *e)
{
    if (e->kind == TE_COMPARE)
        return comparison(x, e);
    if (e->kind == TE_TEST)
        return apply(x, e);
    if (e->kind == TE_UNARY && e->as.unary.op == TU_NOT) {
        Str operand = temit_condition(x, e->as.unary.operand);
        return str_format(x->arena, operand.ptr[0] == '!' ? "!(%.*s)" : "!%.*s", FMT(operand));
    }
    if ((e->kind == TE_AND || e->kind == TE_OR) && is_in_place(e->as.binary.right) &&
        (e->as.binary.left->kind == e->kind || is_in_place(e->as.binary.left))) {
        Str left = temit_condition(x, e->as.binary.left);
        Str right = temit_condition(x, e->as.binary.right);
        return str_format(x->arena, "(%.*s %s %.*s)", FMT(left), e->kind == TE_AND ? "&&" : "||",
                          FMT(right));
    }
    Str value = temit_expr(x, e);
    return str_format(x->arena, "dg_truthy(ev, %.*s)", FMT(value));
}

static Str unary(TEmit *x, const TExpr *e)
{
    if (e->as.unary.op == TU_NOT) {
        Str condition = temit_condition(x, e);
        return str_format(x->arena, "dgv_bool(%.*s)", FMT(condition));
    }
    Str operand = temit_expr(x, e->as.unary.operand);
    return str_format(x->arena, "%s(ev, %.*s)", e->as.unary.op == TU_NEG ? "dg_neg" : "dg_pos",
                      FMT(operand));
}

/* ---- Sequences and parts ---- */

static Str sequence(TEmit *x, const TExpr *e)
{
    size_t n = e->as.seq.count;
    Str *text = push(x->arena, Str, n);
    operands(x, e->as.seq.items, n, text);
    Str all = joined(x, text, n);
    if (e->kind == TE_CONCAT)
        return str_format(x->arena, "dg_concat(ev, DG_ARGS(%zu, %.*s))", n, FMT(all));
    return str_format(x->arena, "%s(ev, (DgValue[%zu]){%.*s}, %zu)",
                      e->kind == TE_LIST ? "dg_list" : "dg_tuple", n, FMT(all), n);
}

static Str dict(TEmit *x, const TExpr *e)
{
    size_t n = e->as.dict.count;
    TExpr **all = push(x->arena, TExpr *, n * 2);
    Str *text = push(x->arena, Str, n * 2);
    for (size_t i = 0; i < n; i++) {
        all[i] = e->as.dict.keys[i];
        all[n + i] = e->as.dict.values[i];
    }
    operands(x, all, n * 2, text);
    return str_format(x->arena, "dg_dict(ev, (DgValue[%zu]){%.*s}, (DgValue[%zu]){%.*s}, %zu)", n,
                      FMT(joined(x, text, n)), n, FMT(joined(x, text + n, n)), n);
}

static Str slice(TEmit *x, const TExpr *e)
{
    static TExpr open = {.kind = TE_CONST, .as.value = {.kind = DG_V_NONE}};
    TExpr *parts[4] = {e->as.slice.object, e->as.slice.start, e->as.slice.stop, e->as.slice.step};
    Str text[4];
    for (int i = 0; i < 4; i++)
        parts[i] = parts[i] ? parts[i] : &open;
    operands(x, parts, 4, text);
    return str_format(x->arena, "dg_slice(ev, %.*s)", FMT(joined(x, text, 4)));
}

static Str attribute(TEmit *x, const TExpr *e)
{
    Str name = c_string(x->arena, e->as.part.name);
    if (is_env(e->as.part.object))
        return str_format(x->arena, "dg_env_get(ev, %.*s)", FMT(name));
    Str object = temit_expr(x, e->as.part.object);
    return str_format(x->arena, "dg_attr(ev, %.*s, %.*s)", FMT(object), FMT(name));
}

static Str capture(TEmit *x, const TExpr *e)
{
    temit_line(x, S("dg_capture(ev);"));
    temit_stmts(x, &e->as.body);
    return spill(x, S("dg_captured(ev)"));
}

Str temit_expr(TEmit *x, const TExpr *e)
{
    static const char *const binary[] = {"dg_add", "dg_sub", "dg_mul", "dg_div",
                                         "dg_floordiv", "dg_mod", "dg_pow"};
    switch (e->kind) {
    case TE_ERROR: x->failed = true; return S("dgv_undefined()");
    case TE_CONST: return constant(x, e);
    case TE_NAME:
        return str_format(x->arena, "dg_var(ev, %.*s)", FMT(c_string(x->arena, e->as.name)));
    case TE_LOCAL: return temit_local(x, e->as.local);
    case TE_ATTR: return attribute(x, e);
    case TE_ITEM: return two(x, "dg_item", e->as.item.object, e->as.item.key);
    case TE_SLICE: return slice(x, e);
    case TE_CALL: return call(x, e);
    case TE_FILTER: return apply(x, e);
    case TE_TEST:
    case TE_COMPARE: {
        Str condition = temit_condition(x, e);
        return str_format(x->arena, "dgv_bool(%.*s)", FMT(condition));
    }
    case TE_UNARY: return unary(x, e);
    case TE_BINARY: return two(x, binary[e->as.binary.op], e->as.binary.left, e->as.binary.right);
    case TE_AND:
    case TE_OR: return logic(x, e);
    case TE_COND: return conditional(x, e);
    case TE_LIST:
    case TE_TUPLE:
    case TE_CONCAT: return sequence(x, e);
    case TE_DICT: return dict(x, e);
    case TE_CAPTURE: return capture(x, e);
    }
    return S("dgv_undefined()");
}

void temit_effect(TEmit *x, const TExpr *e)
{
    Str text = temit_expr(x, e);
    if (!is_pure(e) && str_find_char(text, '(') >= 0)
        emit_line(x->e, "%.*s;", FMT(text));
}
