/* emit_template.c - a residual template as one C function: its statements. */
#include "codegen/emit_template_impl.h"

/* ---- Locals ---- */

static Str identifier(TEmit *x, Str name)
{
    Str s = str_format(x->arena, "v_%.*s", FMT(name));
    char *to = str_cstr(x->arena, s);
    for (ptrdiff_t i = 0; i < s.len; i++) {
        char c = to[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        to[i] = plain ? c : '_';
    }
    return (Str){to, s.len};
}

static bool is_taken(const TEmit *x, Str name)
{
    for (size_t i = 0; i < x->declared.count; i++)
        if (str_eq(x->declared.items[i], name))
            return true;
    return false;
}

Str temit_local(TEmit *x, const TLocal *local)
{
    Str *name = &x->locals[local->id];
    if (name->len)
        return *name;
    Str base = identifier(x, local->name);
    *name = base;
    for (unsigned n = 2; is_taken(x, *name); n++)
        *name = str_format(x->arena, "%.*s_%u", FMT(base), n);
    array_add(x->arena, &x->declared, *name);
    return *name;
}

static void name_target(TEmit *x, const TTarget *t)
{
    for (size_t i = 0; i < t->nested_count; i++)
        name_target(x, &t->nested[i]);
    if (t->local)
        temit_local(x, t->local);
}

static void name_stmts(TEmit *x, const TStmts *list);

/* Captures hold statements too. Locals are all declared at the top, since captures may stand in
 * blocks that end before their last use. */
static void name_all(TEmit *x)
{
    name_stmts(x, &x->t->body);
}

static void name_args(TEmit *x, const TArgs *args);

static void name_expr(TEmit *x, const TExpr *e)
{
    if (!e)
        return;
    switch (e->kind) {
    case TE_LOCAL: temit_local(x, e->as.local); break;
    case TE_CAPTURE: name_stmts(x, &e->as.body); break;
    case TE_ATTR: name_expr(x, e->as.part.object); break;
    case TE_ITEM:
        name_expr(x, e->as.item.object);
        name_expr(x, e->as.item.key);
        break;
    case TE_SLICE:
        name_expr(x, e->as.slice.object);
        name_expr(x, e->as.slice.start);
        name_expr(x, e->as.slice.stop);
        name_expr(x, e->as.slice.step);
        break;
    case TE_CALL:
        name_expr(x, e->as.call.callee);
        name_args(x, e->as.call.args);
        break;
    case TE_FILTER:
    case TE_TEST:
        name_expr(x, e->as.apply.operand);
        name_args(x, e->as.apply.args);
        break;
    case TE_UNARY: name_expr(x, e->as.unary.operand); break;
    case TE_BINARY:
    case TE_AND:
    case TE_OR:
        name_expr(x, e->as.binary.left);
        name_expr(x, e->as.binary.right);
        break;
    case TE_COMPARE:
        name_expr(x, e->as.compare.first);
        for (size_t i = 0; i < e->as.compare.count; i++)
            name_expr(x, e->as.compare.rest[i].value);
        break;
    case TE_COND:
        name_expr(x, e->as.cond.test);
        name_expr(x, e->as.cond.then);
        name_expr(x, e->as.cond.otherwise);
        break;
    case TE_LIST:
    case TE_TUPLE:
    case TE_CONCAT:
        for (size_t i = 0; i < e->as.seq.count; i++)
            name_expr(x, e->as.seq.items[i]);
        break;
    case TE_DICT:
        for (size_t i = 0; i < e->as.dict.count; i++) {
            name_expr(x, e->as.dict.keys[i]);
            name_expr(x, e->as.dict.values[i]);
        }
        break;
    case TE_ERROR:
    case TE_CONST:
    case TE_NAME: break;
    }
}

static void name_args(TEmit *x, const TArgs *args)
{
    if (!args)
        return;
    for (size_t i = 0; i < args->positional.count; i++)
        name_expr(x, args->positional.items[i]);
    for (size_t i = 0; i < args->named_count; i++)
        name_expr(x, args->named[i].value);
    name_expr(x, args->star);
    name_expr(x, args->star_star);
}

static void name_stmts(TEmit *x, const TStmts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const TStmt *s = list->items[i];
        switch (s->kind) {
        case TS_PRINT:
        case TS_DO: name_expr(x, s->as.expr); break;
        case TS_IF:
            name_expr(x, s->as.branch.test);
            name_stmts(x, &s->as.branch.then);
            name_stmts(x, &s->as.branch.otherwise);
            break;
        case TS_FOR:
            name_target(x, &s->as.loop->target);
            if (s->as.loop->loop)
                temit_local(x, s->as.loop->loop);
            name_expr(x, s->as.loop->over);
            name_expr(x, s->as.loop->filter);
            name_stmts(x, &s->as.loop->body);
            name_stmts(x, &s->as.loop->otherwise);
            break;
        case TS_SET:
            name_target(x, &s->as.set.target);
            name_expr(x, s->as.set.target.object);
            name_expr(x, s->as.set.value);
            break;
        default: break;
        }
    }
}

/* ---- Statements ---- */

/* One literal per line of the text, so that SQL reads as SQL. */
static void emit_text(TEmit *x, Str text)
{
    ptrdiff_t at = 0;
    do {
        ptrdiff_t end = str_find_char(str_sub(text, at, text.len), '\n');
        end = end < 0 ? text.len : at + end + 1;
        Str line = c_string(x->arena, str_sub(text, at, end));
        const char *start = at ? "            " : "dg_text(ev, ";
        if (end == text.len)
            emit_line(x->e, "%s%.*s, %td);", start, FMT(line), text.len);
        else
            emit_line(x->e, "%s%.*s", start, FMT(line));
        at = end;
    } while (at < text.len);
}

static void assign_targets(TEmit *x, const TTarget *t, Str value)
{
    if (!t->nested_count) {
        emit_line(x->e, "%.*s = %.*s;", FMT(temit_local(x, t->local)), FMT(value));
        return;
    }
    Str parts = temit_temp(x, "p");
    emit_line(x->e, "DgValue %.*s[%zu];", FMT(parts), t->nested_count);
    emit_line(x->e, "dg_unpack(ev, %.*s, %.*s, %zu);", FMT(value), FMT(parts), t->nested_count);
    for (size_t i = 0; i < t->nested_count; i++)
        assign_targets(x, &t->nested[i], str_format(x->arena, "%.*s[%zu]", FMT(parts), i));
}

/* Opens `while (dg_next(...)) {`, with the targets set. Returns the C name of the item. */
static Str open_steps(TEmit *x, Str state, const TTarget *t, bool keep_item)
{
    if (!t->nested_count && !keep_item) {
        emit_open(x->e, "while (dg_next(ev, &%.*s, &%.*s))", FMT(state),
                  FMT(temit_local(x, t->local)));
        return temit_local(x, t->local);
    }
    Str item = temit_temp(x, "i");
    emit_line(x->e, "DgValue %.*s;", FMT(item));
    emit_open(x->e, "while (dg_next(ev, &%.*s, &%.*s))", FMT(state), FMT(item));
    assign_targets(x, t, item);
    return item;
}

static void emit_for(TEmit *x, const TLoop *loop)
{
    Str over = temit_expr(x, loop->over), state = temit_temp(x, "l");
    emit_line(x->e, "DgLoop %.*s;", FMT(state));
    emit_line(x->e, "dg_loop(ev, &%.*s, %.*s);", FMT(state), FMT(over));
    if (loop->filter) {
        Str kept = temit_temp(x, "t");
        emit_line(x->e, "DgValue %.*s = dg_list(ev, NULL, 0);", FMT(kept));
        Str item = open_steps(x, state, &loop->target, true);
        Str test = temit_condition(x, loop->filter);
        emit_line(x->e, "if (%.*s)", FMT(test));
        emit_line(x->e, "    dg_append(ev, %.*s, %.*s);", FMT(kept), FMT(item));
        emit_close(x->e, "");
        emit_line(x->e, "dg_loop(ev, &%.*s, %.*s);", FMT(state), FMT(kept));
    }
    if (loop->loop)
        emit_line(x->e, "%.*s = %.*s.loop;", FMT(temit_local(x, loop->loop)), FMT(state));
    open_steps(x, state, &loop->target, false);
    temit_stmts(x, &loop->body);
    emit_close(x->e, "");
    if (loop->otherwise.count) {
        emit_open(x->e, "if (%.*s.at == 0)", FMT(state));
        temit_stmts(x, &loop->otherwise);
        emit_close(x->e, "");
    }
}

static void emit_if(TEmit *x, const TStmt *s)
{
    Str test = temit_condition(x, s->as.branch.test);
    emit_open(x->e, "if (%.*s)", FMT(test));
    temit_stmts(x, &s->as.branch.then);
    emit_close(x->e, "");
    if (s->as.branch.otherwise.count) {
        emit_open(x->e, "else");
        temit_stmts(x, &s->as.branch.otherwise);
        emit_close(x->e, "");
    }
}

static void emit_set(TEmit *x, const TStmt *s)
{
    const TTarget *t = &s->as.set.target;
    if (!t->object) {
        assign_targets(x, t, temit_expr(x, s->as.set.value));
        return;
    }
    Str value = temit_expr(x, s->as.set.value), object = temit_expr(x, t->object);
    emit_line(x->e, "dg_set_attr(ev, %.*s, %.*s, %.*s);", FMT(object),
              FMT(c_string(x->arena, t->attr)), FMT(value));
}

static void emit_place(TEmit *x, const TStmt *s)
{
    Span at = template_span(&x->t->place, s->start, s->end);
    emit_at(x->e, at);
    int32_t site = x->how->site && s->kind != TS_TEXT ? x->how->site(x->how->ctx, at) : x->site;
    if (site != x->site)
        emit_line(x->e, "dg_site(ev, %d);", site);
    x->site = site;
}

void temit_stmts(TEmit *x, const TStmts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const TStmt *s = list->items[i];
        emit_place(x, s);
        switch (s->kind) {
        case TS_TEXT: emit_text(x, s->as.text); break;
        case TS_PRINT: {
            Str value = temit_expr(x, s->as.expr);
            emit_line(x->e, "dg_print(ev, %.*s);", FMT(value));
            break;
        }
        case TS_DO: temit_effect(x, s->as.expr); break;
        case TS_IF: emit_if(x, s); break;
        case TS_FOR: emit_for(x, s->as.loop); break;
        case TS_SET: emit_set(x, s); break;
        default: assert(0 && "a statement that residuals do not have"); break;
        }
    }
}

bool emit_template(Emit *e, Str name, const Template *residual, const EmitTemplate *how)
{
    static const char *const modes[] = {"DG_RENDER_NATIVE", "DG_RENDER_TEXT", "DG_RENDER_VALUE"};
    Arena arena;
    arena_init(&arena, 0);
    TEmit x = {.e = e, .arena = &arena, .t = residual, .how = how, .site = -1};
    x.locals = push(&arena, Str, residual->locals_count + 1);
    name_all(&x);
    EmitSection before = emit_section(e, EMIT_FUNCS);
    emit_at(e, template_span(&residual->place, 0, (uint32_t)residual->text.len));
    emit_open(e, "static DgStatus %.*s(DgEval *ev, DgValue *out, DgError *err)", FMT(name));
    for (size_t i = 0; i < x.declared.count; i++)
        emit_line(e, "DgValue %.*s = dgv_undefined();", FMT(x.declared.items[i]));
    emit_line(e, "dg_begin(ev, %s);", modes[residual->mode]);
    temit_stmts(&x, &residual->body);
    emit_line(e, "return dg_end(ev, out, err);");
    emit_close(e, "");
    emit_section(e, before);
    arena_free(&arena);
    return !x.failed;
}
