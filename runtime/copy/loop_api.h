/* loop_api.h - what the emitted C of `transforms` and of constraints is made of: one function for each
 * expression, which runs it over a block of rows. Needs dgc.h only, no libc.
 *
 * The types of the columns are known only when a stream is opened (a wildcard has many tables), so
 * values carry their kinds: NONE, BOOL, INT, FLOAT and STR. Names were looked up before the loop begins,
 * texts live in memory that is given back block by block. What an expression means is said in expression.h; the
 * interpreter (expression_eval.c) stands on the same functions.
 */
#ifndef DGC_COPY_LOOP_API_H
#define DGC_COPY_LOOP_API_H

#include "runtime/dgc.h"

struct ExprScope; /* expression.h */

enum { DG_LOOP_ROWS = 256 }; /* of a block, at most */

typedef struct DgRuleRows {
    int32_t rows;
    DgValue *const *in;   /* arrays of `rows` values, one for each name of the expression, in order */
    DgValue *out;         /* may be one of `in`: a row is written once all of it was read */
    struct ExprScope *scope;
} DgRuleRows;
typedef DgStatus (*DgRuleFn)(const DgRuleRows *x, DgError *err);

/* The loops of one list of rules, in its order. */
typedef struct DgRuleSet {
    const DgRuleFn *items;
    size_t count;
} DgRuleSet;
typedef const DgRuleSet *(*DgRuleSetFn)(void); /* what a DgCode of CODE_LOOPS points to */

typedef enum ExprOp {
    EXPR_CONSTANT, EXPR_NAME, EXPR_CALL, EXPR_CHOOSE, /* a ? b : c */
    EXPR_OR, EXPR_AND, EXPR_NOT, EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE,
    EXPR_ADD, EXPR_SUB, EXPR_MUL, EXPR_DIV, EXPR_REM, EXPR_NEG,
} ExprOp;

DgStatus dg_expr_compare(ExprOp op, const DgValue *a, const DgValue *b, DgValue *out, DgError *err);
DgStatus dg_expr_arithmetic(ExprOp op, const struct ExprScope *s, const DgValue *a, const DgValue *b, DgValue *out, DgError *err);
DgStatus dg_expr_negative(const DgValue *v, DgValue *out, DgError *err);
/* 1, 0, -1: null. Anything but a truth value is DG_DATA. */
DgStatus dg_expr_truth(const DgValue *v, int *out, DgError *err);

#define DG_EXPR_TRUTH(v, t)        \
    if ((v).kind == DG_V_BOOL)      \
        t = (v).as.b;               \
    else                            \
        DG_TRY(dg_expr_truth(&(v), &t, err))

/* The common cases stand in the loop: whole numbers that cannot overflow, doubles, one with the other. */
#define DG_EXPR_SMALL(n) ((n).kind == DG_V_INT && (n).as.i >= -2147483647 && (n).as.i <= 2147483647)
#define DG_EXPR_REAL(n) ((n).kind == DG_V_FLOAT && (n).as.f == (n).as.f) /* no NaN */
#define DG_EXPR_DOUBLE(n) ((n).kind == DG_V_INT ? (double)(n).as.i : (n).as.f)
#define DG_EXPR_MIXED(x, y) ((DG_EXPR_REAL(x) || DG_EXPR_SMALL(x)) && (DG_EXPR_REAL(y) || DG_EXPR_SMALL(y)))
#define DG_EXPR_COMPARE(op, sign, x, y, to)                                     \
    if ((x).kind == DG_V_INT && (y).kind == DG_V_INT) {                         \
        (to).kind = DG_V_BOOL;                                                  \
        (to).as.b = (x).as.i sign (y).as.i;                                     \
    } else if (DG_EXPR_MIXED(x, y)) {                                           \
        (to).kind = DG_V_BOOL;                                                  \
        (to).as.b = DG_EXPR_DOUBLE(x) sign DG_EXPR_DOUBLE(y);                   \
    } else                                                                      \
        DG_TRY(dg_expr_compare(op, &(x), &(y), &(to), err))
#define DG_EXPR_ARITHMETIC(op, sign, x, y, to)                                  \
    if (DG_EXPR_SMALL(x) && DG_EXPR_SMALL(y)) {                                 \
        (to).kind = DG_V_INT;                                                   \
        (to).as.i = (x).as.i sign (y).as.i;                                     \
    } else if (DG_EXPR_MIXED(x, y)) {                                           \
        (to).kind = DG_V_FLOAT;                                                 \
        (to).as.f = DG_EXPR_DOUBLE(x) sign DG_EXPR_DOUBLE(y);                   \
    } else                                                                      \
        DG_TRY(dg_expr_arithmetic(op, s, &(x), &(y), &(to), err))

#define DG_EXPR_FUNCTIONS(X)                                                                                            \
    X(accents) X(cast) X(coalesce) X(concat) X(contains) X(date_format) X(date_parse) X(empty_as_null) X(ends_with)     \
    X(greatest) X(hash) X(if) X(is_empty) X(is_null) X(least) X(length) X(lower) X(md5) X(now) X(printable) X(replace)  \
    X(sha1) X(sha256) X(sha512) X(split_part) X(starts_with) X(substring) X(trim) X(upper) X(uuid)
#define X(name) DgStatus dg_fn_##name(const struct ExprScope *s, const DgValue *args, int count, DgValue *out, DgError *err);
DG_EXPR_FUNCTIONS(X)
#undef X

#endif
