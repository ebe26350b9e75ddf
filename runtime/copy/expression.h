/* expression.h - the small language of `check`, `if`, constraints and transforms:
 *
 *     value >= 0 && record.country != "CH"
 *     upper(trim_space(value))
 *     run.total_rows > 0 ? "some" : "none"
 *
 * A text is compiled once to a tree in an arena and evaluated per value. Values are DgValues of the
 * kinds NONE, BOOL, INT, FLOAT and STR. As in SQL, what is compared or added to null is null, but
 * `== null` and `!= null` answer. `{name}` is the same as `name`: its text never becomes code.
 */
#ifndef DGC_COPY_EXPRESSION_H
#define DGC_COPY_EXPRESSION_H

#include "runtime/base/base.h"
#include "runtime/copy/loop_api.h"

enum { EXPR_BYTES_MAX = 8192, EXPR_DEPTH_MAX = 64, EXPR_NODES_MAX = 1000, EXPR_TEXT_MAX = 16 << 20 };

typedef struct Expr Expr;

/* What names mean: by a function (DG_END: there is no such name), or, for an expression that runs over
 * the rows of a batch, by arrays of values, one for each of expr_names(). */
typedef struct ExprScope {
    DgStatus (*name)(void *context, Str name, DgValue *out, DgError *err);
    void *context;
    DgValue *const *in;      /* not NULL: takes the place of `name` */
    int32_t row;             /* of `in` */
    Arena *scratch;          /* texts that are made; emptied by the caller between values */
    StrBuf *buffer;          /* in which functions build their texts; the caller frees it */
    int64_t now_us;          /* what now() says */
    bool braces;             /* `{name}` inside quoted texts is filled in, too */
} ExprScope;

/* DG_CONFIG with what is wrong and where. The text need not live on. */
DgStatus expr_compile(Arena *a, Str text, Expr **out, DgError *err);
DgStatus expr_eval(const Expr *e, const ExprScope *scope, DgValue *out, DgError *err);
/* Whether it holds: 1 yes, 0 no, -1 null. Anything but a truth value is DG_DATA. */
DgStatus expr_truth(const Expr *e, const ExprScope *scope, int *out, DgError *err);

/* Names that it uses, each once, in the order of its first place. */
void expr_names(const Expr *e, Arena *a, StrArray *out);
/* The type of what it gives, when that can be told without values: functions and operators say. */
bool expr_type(const Expr *e, DgType *out);

/* A value as text, as `+` and concat() write it; nothing for null. */
Str expr_text(Arena *a, DgValue v);
/* The same for one that is no text; in `room`, of 64 bytes. */
Str expr_number_text(char *room, size_t size, DgValue v);
DgValue expr_str(Str s);

/* ---- Functions (functions.c) ---- */

typedef struct ExprFunction {
    const char *name;
    int min, max;            /* arguments */
    uint8_t gives;           /* DgTypeKind; 255: as its arguments */
    bool nulls;              /* sees nulls; otherwise null in, null out */
    DgStatus (*call)(const ExprScope *s, const DgValue *args, int count, DgValue *out, DgError *err);
    const char *symbol;      /* of `call`, for emitted C */
} ExprFunction;

const ExprFunction *expr_function(Str name);
/* The one whose name is most like it; NULL: none is near. */
const char *expr_function_near(Str name);
/* DG_CONFIG, with the nearest name as the hint. */
DgStatus expr_no_function(Str name, DgError *err);
/* Compares; *null when either is. DG_DATA: kinds that have no order between them. */
DgStatus expr_compare(DgValue a, DgValue b, int *out, bool *null, DgError *err);

#endif
