/* Any text is an expression with a value, or an error; evaluating it never runs wild. */
#include "runtime/copy/expression.h"

static DgStatus any_name(void *context, Str name, DgValue *out, DgError *err)
{
    (void)context;
    (void)err;
    if (name.len % 5 == 4)
        return DG_END;
    *out = name.len % 5 == 0   ? (DgValue){.kind = DG_V_NONE}
           : name.len % 5 == 1 ? (DgValue){.kind = DG_V_INT, .as.i = INT64_MIN}
           : name.len % 5 == 2 ? (DgValue){.kind = DG_V_FLOAT, .as.f = 1e300}
                               : expr_str(name);
    return DG_OK;
}

static void fuzz_one(const char *bytes, size_t n)
{
    Arena a, scratch;
    Expr *e;
    DgError err = {0};
    DgValue v;
    DgType type;
    StrArray names = {0};
    arena_init(&a, 64 << 20);
    arena_init(&scratch, 256 << 20);
    scratch.can_fail = true;
    if (expr_compile(&a, (Str){bytes, (ptrdiff_t)n}, &e, &err) == DG_OK) {
        StrBuf buffer = {0};
        ExprScope scope = {.name = any_name, .scratch = &scratch, .buffer = &buffer, .braces = n % 2 == 0};
        expr_names(e, &a, &names);
        expr_type(e, &type);
        if (expr_eval(e, &scope, &v, &err) == DG_OK)
            assert(expr_text(&scratch, v).len <= EXPR_TEXT_MAX || scratch.failed);
        buf_free(&buffer);
    } else {
        assert(err.message[0]);
    }
    arena_free(&a);
    arena_free(&scratch);
}

#include "tests/fuzz/fuzz.h"
