/* env_use.c - which environment variables a residual reads: walks its tree. */
#include "compiler/config.h"
#include "compiler/pass.h"
#include "compiler/template.h"

typedef struct EnvWalk {
    Plan *plan;
    const TemplatePlace *place;
    bool secret;
} EnvWalk;

static void walk_expr(const EnvWalk *w, const TExpr *e);
static void walk_stmts(const EnvWalk *w, const TStmts *list);

/* What people put secrets into: one of these words between the name's underscores. */
bool env_name_is_secret(Str name)
{
    static const char *const words[] = {"TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASS", "PWD", "KEY",
                                        "APIKEY", "CREDENTIAL", "CREDENTIALS", "AUTH", "DSN", "PAT"};
    for (Str rest = name, word; rest.len;) {
        str_cut(rest, '_', &word, &rest);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (str_eq_nocase(word, str_from(words[i])))
                return true;
        if (str_ends(word, S("PASSWORD")) || str_ends(word, S("TOKEN")))
            return true;
    }
    return false;
}

static void found(const EnvWalk *w, Str name, bool required, const TExpr *e)
{
    EnvVar *var = map_get(&w->plan->env_by_name, name);
    if (!var) {
        var = push(w->plan->arena, EnvVar, 1);
        *var = (EnvVar){.name = name, .at = template_span(w->place, e->start, e->end)};
        map_put(w->plan->arena, &w->plan->env_by_name, name, var);
    }
    var->required |= required;
    var->secret |= w->secret || env_name_is_secret(name);
}

static bool is_env(const TExpr *e)
{
    return e && e->kind == TE_NAME && str_eq(e->as.name, S("env"));
}

static void walk_exprs(const EnvWalk *w, const TExprs *list)
{
    for (size_t i = 0; i < list->count; i++)
        walk_expr(w, list->items[i]);
}

static void walk_args(const EnvWalk *w, const TArgs *args)
{
    if (!args)
        return;
    walk_exprs(w, &args->positional);
    for (size_t i = 0; i < args->named_count; i++)
        walk_expr(w, args->named[i].value);
    walk_expr(w, args->star);
    walk_expr(w, args->star_star);
}

/* env('X') needs X, env('X', 'd') does not. */
static void env_call(const EnvWalk *w, const TExpr *e)
{
    const TArgs *args = e->as.call.args;
    if (!is_env(e->as.call.callee) || !args || !args->positional.count)
        return;
    const TExpr *name = args->positional.items[0];
    if (name->kind == TE_CONST && name->as.value.kind == DG_V_STR)
        found(w, name->as.value.as.s, args->positional.count + args->named_count < 2, e);
}

static void walk_expr(const EnvWalk *w, const TExpr *e)
{
    if (!e)
        return;
    switch (e->kind) {
    case TE_ERROR: case TE_CONST: case TE_NAME: case TE_LOCAL:
        break;
    case TE_ATTR:
        if (is_env(e->as.part.object))
            found(w, e->as.part.name, false, e);
        walk_expr(w, e->as.part.object);
        break;
    case TE_ITEM:
        walk_expr(w, e->as.item.object);
        walk_expr(w, e->as.item.key);
        break;
    case TE_SLICE:
        walk_expr(w, e->as.slice.object);
        walk_expr(w, e->as.slice.start);
        walk_expr(w, e->as.slice.stop);
        walk_expr(w, e->as.slice.step);
        break;
    case TE_CALL:
        env_call(w, e);
        walk_expr(w, e->as.call.callee);
        walk_args(w, e->as.call.args);
        break;
    case TE_FILTER: case TE_TEST:
        walk_expr(w, e->as.apply.operand);
        walk_args(w, e->as.apply.args);
        break;
    case TE_UNARY:
        walk_expr(w, e->as.unary.operand);
        break;
    case TE_BINARY: case TE_AND: case TE_OR:
        walk_expr(w, e->as.binary.left);
        walk_expr(w, e->as.binary.right);
        break;
    case TE_COMPARE:
        walk_expr(w, e->as.compare.first);
        for (size_t i = 0; i < e->as.compare.count; i++)
            walk_expr(w, e->as.compare.rest[i].value);
        break;
    case TE_COND:
        walk_expr(w, e->as.cond.test);
        walk_expr(w, e->as.cond.then);
        walk_expr(w, e->as.cond.otherwise);
        break;
    case TE_LIST: case TE_TUPLE: case TE_CONCAT:
        walk_exprs(w, &e->as.seq);
        break;
    case TE_DICT:
        for (size_t i = 0; i < e->as.dict.count; i++) {
            walk_expr(w, e->as.dict.keys[i]);
            walk_expr(w, e->as.dict.values[i]);
        }
        break;
    case TE_CAPTURE:
        walk_stmts(w, &e->as.body);
        break;
    }
}

static void walk_stmt(const EnvWalk *w, const TStmt *s)
{
    switch (s->kind) {
    case TS_TEXT:
        break;
    case TS_PRINT: case TS_DO:
        walk_expr(w, s->as.expr);
        break;
    case TS_IF:
        walk_expr(w, s->as.branch.test);
        walk_stmts(w, &s->as.branch.then);
        walk_stmts(w, &s->as.branch.otherwise);
        break;
    case TS_FOR:
        walk_expr(w, s->as.loop->over);
        walk_expr(w, s->as.loop->filter);
        walk_stmts(w, &s->as.loop->body);
        walk_stmts(w, &s->as.loop->otherwise);
        break;
    case TS_SET: case TS_SET_BLOCK:
        walk_expr(w, s->as.set.value);
        walk_expr(w, s->as.set.filter);
        walk_stmts(w, &s->as.set.body);
        break;
    case TS_WITH:
        for (size_t i = 0; i < s->as.with.count; i++)
            walk_expr(w, s->as.with.values[i]);
        walk_stmts(w, &s->as.with.body);
        break;
    case TS_MACRO: case TS_CALL: case TS_FILTER: /* residuals have none of these */
        break;
    }
}

static void walk_stmts(const EnvWalk *w, const TStmts *list)
{
    for (size_t i = 0; i < list->count; i++)
        walk_stmt(w, list->items[i]);
}

void env_gather(Plan *plan, const Residual *residual, bool secret)
{
    EnvWalk w = {plan, &residual->place, secret};
    walk_stmts(&w, &residual->body);
}
