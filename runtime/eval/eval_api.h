/* eval_api.h - what emitted C calls to compute a template.
 *
 * Needs dgc.h only (no libc), so that tcc compiles it at once. Every function takes the evaluation
 * first and works on values passed by value. Errors are sticky: the first one is kept in the
 * DgEval, later calls do nothing and return Undefined, loops end, and dg_end() hands it out. So
 * emitted code reads as straight calls:
 *
 *     static DgStatus orders_sql(DgEval *ev, DgValue *out, DgError *err)
 *     {
 *         dg_begin(ev, DG_RENDER_TEXT);
 *         dg_text(ev, "select * from orders where day = '", 34);
 *         dg_print(ev, dg_var(ev, "partition_key"));
 *         dg_text(ev, "'", 1);
 *         return dg_end(ev, out, err);
 *     }
 *
 * Everything that is made lives in the arena of the DgEval. A value computed from a secret is a
 * secret itself (DgValue.secret). Semantics are those of Jinja2 3.1 on Python's values.
 */
#ifndef DG_EVAL_API_H
#define DG_EVAL_API_H

#include "runtime/dgc.h"

/* How printed pieces become one value. */
typedef enum DgRenderMode {
    DG_RENDER_TEXT,   /* joined as text: SQL */
    DG_RENDER_NATIVE, /* Jinja's native types: one piece is itself, text is literal_eval'd */
    DG_RENDER_VALUE,  /* an expression alone: the last value printed, as it is */
} DgRenderMode;

/* ---- One rendering ---- */
void dg_begin(DgEval *ev, DgRenderMode mode); /* may nest: what was being printed is kept */
DgStatus dg_end(DgEval *ev, DgValue *out, DgError *err); /* err may be NULL */
void dg_text(DgEval *ev, const char *text, ptrdiff_t len);
void dg_print(DgEval *ev, DgValue v);
/* What is printed between the two becomes the value of dg_captured(), in the current mode. */
void dg_capture(DgEval *ev);
DgValue dg_captured(DgEval *ev);
/* The place in the YAML of what comes next: DgError.site of an error. */
void dg_site(DgEval *ev, int32_t site);

/* ---- Making values ---- */
DgValue dgv_undefined(void);
DgValue dgv_none(void);
DgValue dgv_bool(bool b);
DgValue dgv_int(int64_t i);
DgValue dgv_float(double f);
DgValue dgv_str(const char *ptr, ptrdiff_t len);   /* not copied */
DgValue dgv_bytes(const char *ptr, ptrdiff_t len); /* not copied */
DgValue dg_list(DgEval *ev, const DgValue *items, size_t count);  /* items are copied */
DgValue dg_tuple(DgEval *ev, const DgValue *items, size_t count);
DgValue dg_dict(DgEval *ev, const DgValue *keys, const DgValue *values, size_t count);

/* ---- Names ---- */
DgValue dg_var(DgEval *ev, const char *name);          /* asks DgEval.get_var; absent: Undefined */
DgValue dg_env_get(DgEval *ev, const char *name);      /* env.NAME: None when not set */
DgValue dg_env_need(DgEval *ev, const char *name);     /* env('NAME'): an error when not set */
DgValue dg_env_or(DgEval *ev, const char *name, DgValue fallback); /* env('NAME', fallback) */
DgValue dg_builtin(DgEval *ev, const char *name);      /* range, dict, namespace, datetime... */

/* ---- Parts and calls ---- */
typedef struct DgArgs {
    const DgValue *items; /* by position */
    size_t count;
    const DgStr *names;   /* named[i] is called names[i] */
    const DgValue *named;
    size_t named_count;
} DgArgs;
/* The count is written out: tcc 0.9.27 cannot work out the size of such an array itself. */
#define DG_ARGS(n, ...) (&(DgArgs){(DgValue[n]){__VA_ARGS__}, n, NULL, NULL, 0})
#define DG_NO_ARGS (&(DgArgs){NULL, 0, NULL, NULL, 0})
void dg_arg(DgEval *ev, DgArgs *to, DgValue v);
void dg_arg_named(DgEval *ev, DgArgs *to, const char *name, DgValue v);
void dg_arg_star(DgEval *ev, DgArgs *to, DgValue list);   /* *list */
void dg_arg_star_star(DgEval *ev, DgArgs *to, DgValue dict); /* **dict */

DgValue dg_attr(DgEval *ev, DgValue v, const char *name); /* v.name */
DgValue dg_item(DgEval *ev, DgValue v, DgValue key);      /* v[key] */
DgValue dg_slice(DgEval *ev, DgValue v, DgValue start, DgValue stop, DgValue step); /* None: open */
DgValue dg_call(DgEval *ev, DgValue callee, const DgArgs *args);
DgValue dg_call_method(DgEval *ev, DgValue v, const char *name, const DgArgs *args);
void dg_set_attr(DgEval *ev, DgValue v, const char *name, DgValue to); /* namespaces only */

/* ---- Operators ---- */
DgValue dg_add(DgEval *ev, DgValue a, DgValue b);
DgValue dg_sub(DgEval *ev, DgValue a, DgValue b);
DgValue dg_mul(DgEval *ev, DgValue a, DgValue b);
DgValue dg_div(DgEval *ev, DgValue a, DgValue b);
DgValue dg_floordiv(DgEval *ev, DgValue a, DgValue b);
DgValue dg_mod(DgEval *ev, DgValue a, DgValue b); /* text % args formats */
DgValue dg_pow(DgEval *ev, DgValue a, DgValue b);
DgValue dg_neg(DgEval *ev, DgValue a);
DgValue dg_pos(DgEval *ev, DgValue a);
DgValue dg_concat(DgEval *ev, const DgArgs *parts); /* a ~ b ~ c */
bool dg_truthy(DgEval *ev, DgValue v);
DgValue dg_not(DgEval *ev, DgValue v);
bool dg_eq(DgEval *ev, DgValue a, DgValue b);
bool dg_lt(DgEval *ev, DgValue a, DgValue b); /* an error when the kinds have no order */
bool dg_le(DgEval *ev, DgValue a, DgValue b);
bool dg_gt(DgEval *ev, DgValue a, DgValue b);
bool dg_ge(DgEval *ev, DgValue a, DgValue b);
bool dg_in(DgEval *ev, DgValue needle, DgValue hay);

/* ---- Loops ---- */
typedef struct DgLoop {
    DgValue items;  /* a list: what is iterated over, made before the first step */
    size_t at;      /* number of steps taken; the current item is at - 1 */
    DgValue loop;   /* the object `loop` of Jinja */
} DgLoop;
void dg_loop(DgEval *ev, DgLoop *loop, DgValue over);
bool dg_next(DgEval *ev, DgLoop *loop, DgValue *item); /* false at the end, or after an error */
void dg_append(DgEval *ev, DgValue list, DgValue item); /* `for x in xs if ...` collects first */
/* `for a, b in` and `set a, b =`: an error unless v holds exactly `count` values. */
void dg_unpack(DgEval *ev, DgValue v, DgValue *to, size_t count);

/* ---- Filters and tests: item 0 of the arguments is what stands left of `|` or `is` ---- */

/* name in templates, name in C */
#define DG_FILTERS(X)                                                                         \
    X(abs, abs) X(attr, attr) X(batch, batch) X(capitalize, capitalize) X(center, center)     \
    X(count, length) X(d, default) X(default, default) X(dictsort, dictsort) X(e, escape)     \
    X(escape, escape) X(filesizeformat, filesizeformat) X(first, first) X(float, float)       \
    X(forceescape, escape) X(format, format) X(groupby, groupby) X(indent, indent)            \
    X(int, int) X(items, items) X(join, join) X(last, last) X(length, length) X(list, list)   \
    X(lower, lower) X(map, map) X(max, max) X(min, min) X(pprint, pprint) X(reject, reject)   \
    X(rejectattr, rejectattr) X(replace, replace) X(reverse, reverse) X(round, round)         \
    X(safe, string) X(select, select) X(selectattr, selectattr) X(slice, slice) X(sort, sort) \
    X(string, string) X(striptags, striptags) X(sum, sum) X(title, title) X(tojson, tojson)   \
    X(trim, trim) X(truncate, truncate) X(unique, unique) X(upper, upper)                     \
    X(urlencode, urlencode) X(wordcount, wordcount) X(wordwrap, wordwrap) X(xmlattr, xmlattr)

#define DG_TESTS(X)                                                                           \
    X(boolean, boolean) X(callable, callable) X(defined, defined)                             \
    X(divisibleby, divisibleby) X(eq, eq) X(equalto, eq) X(escaped, escaped) X(even, even)    \
    X(false, false) X(filter, filter) X(float, float) X(ge, ge) X(greaterthan, gt) X(gt, gt)  \
    X(in, in) X(integer, integer) X(iterable, iterable) X(le, le) X(lessthan, lt)             \
    X(lower, lower) X(lt, lt) X(mapping, mapping) X(ne, ne) X(none, none)                     \
    X(number, number) X(odd, odd) X(sameas, sameas) X(sequence, sequence) X(string, string)   \
    X(test, test) X(true, true) X(undefined, undefined) X(upper, upper)

#define X(name, c) DgValue dg_filter_##c(DgEval *ev, const DgArgs *args);
DG_FILTERS(X)
#undef X
#define X(name, c) bool dg_test_##c(DgEval *ev, const DgArgs *args);
DG_TESTS(X)
#undef X

/* Every other function above, for tcc_add_symbol() and the linker's list. */
#define DG_EVAL_SYMBOLS(X)                                                                    \
    X(dg_begin) X(dg_end) X(dg_text) X(dg_print) X(dg_capture) X(dg_captured) X(dg_site)      \
    X(dgv_undefined) X(dgv_none) X(dgv_bool) X(dgv_int) X(dgv_float) X(dgv_str) X(dgv_bytes)  \
    X(dg_list) X(dg_tuple) X(dg_dict) X(dg_var) X(dg_env_get) X(dg_env_need) X(dg_env_or)     \
    X(dg_builtin) X(dg_arg) X(dg_arg_named) X(dg_arg_star) X(dg_arg_star_star) X(dg_attr)     \
    X(dg_item) X(dg_slice) X(dg_call) X(dg_call_method) X(dg_set_attr) X(dg_add) X(dg_sub)    \
    X(dg_mul) X(dg_div) X(dg_floordiv) X(dg_mod) X(dg_pow) X(dg_neg) X(dg_pos) X(dg_concat)   \
    X(dg_truthy) X(dg_not) X(dg_eq) X(dg_lt) X(dg_le) X(dg_gt) X(dg_ge) X(dg_in) X(dg_loop)   \
    X(dg_next) X(dg_append) X(dg_unpack)

#endif
