/* value.h - values and evaluations: what runtime and compiler code needs beyond eval_api.h.
 *
 * A DgEval is one evaluation and holds all of its state; there are no globals. The caller fills in
 * `arena` and, if the template uses names, `get_var` and `get_env`, then calls a DgTemplateFn (or
 * the operators of eval_api.h). Values point into the arena, or into memory of the caller that
 * lives as long. Lists and dicts have reference semantics, as in Python.
 *
 * Errors are sticky (see eval_api.h): test ev->error.status, or take it with dg_eval_status().
 * A DgEval whose arena `can_fail` reports DG_NOMEM; budgets that run out are DG_DATA errors that
 * name the limit.
 */
#ifndef DG_VALUE_H
#define DG_VALUE_H

#include "runtime/base/base.h"
#include "runtime/eval/eval_api.h"

typedef struct DgObject DgObject;

/* A variable by name. DG_END: there is none. The value may be marked secret. */
typedef DgStatus (*DgGetVar)(void *ctx, DgEval *ev, Str name, DgValue *out, DgError *err);
/* An environment variable or secret. DG_END: it is not set. */
typedef DgStatus (*DgGetEnv)(void *ctx, Str name, Str *out, bool *secret, DgError *err);

typedef struct DgPieces { /* what one rendering or capture has printed so far */
    struct DgPieces *outer;
    DgRenderMode mode;
    size_t text_start;  /* into DgEval.text */
    DgValue first;      /* NATIVE and VALUE: the only piece, while there is one */
    size_t count;       /* pieces so far */
    bool secret;
} DgPieces;

struct DgEval {
    Arena *arena;      /* never NULL */
    void *ctx;         /* handed to the callbacks */
    DgGetVar get_var;  /* NULL: no variables */
    DgGetEnv get_env;  /* NULL: nothing is set */
    bool folding;      /* the compiler evaluates: what needs a clock or an environment answers
                          DG_TEMPFAIL, which means "not yet" and is no error there */
    int64_t (*now_us)(void *ctx); /* microseconds since 1970, UTC; NULL: no clock */

    /* Budgets; dg_eval_init() sets the limits of base.h. They only go down. */
    int64_t steps_left;
    int64_t bytes_left; /* text made: printed, concatenated, padded, repeated */
    int depth_left;

    DgError error;     /* the first error; status DG_OK while there is none */
    int32_t site;
    StrBuf text;       /* what is being printed; freed by dg_eval_free() */
    DgPieces *pieces;
};

void dg_eval_init(DgEval *ev, Arena *arena);
void dg_eval_free(DgEval *ev); /* the text buffer; the arena is the caller's */
DgStatus dg_eval_status(const DgEval *ev, DgError *err); /* err may be NULL */
DgValue dg_error(DgEval *ev, DgStatus s, const char *fmt, ...) DG_PRINTF(3, 4); /* Undefined */
bool dg_step(DgEval *ev, size_t cost); /* false, and an error, when the budget is used up */
bool dg_charge(DgEval *ev, size_t bytes); /* text about to be made */
bool dg_enter(DgEval *ev);                /* recursion; pair with ev->depth_left++ when true */
#define dg_failed(ev) ((ev)->error.status != DG_OK)

/* ---- Looking at values ---- */
static inline Str dgv_as_str(DgValue v) { return v.as.s; }
bool dgv_is_number(DgValue v);                     /* bool, int, float */
const char *dgv_type_name(DgValue v);              /* as Python says: "int", "str", "NoneType" */
DgValue dgv_from_str(Str s);
DgValue dgv_taint(DgValue v, bool secret);         /* secret stays secret */
/* Any value within v is secret. */
bool dgv_has_secret(DgValue v);

/* Python's str() and repr(), into the arena. */
Str dg_to_str(DgEval *ev, DgValue v);
Str dg_to_repr(DgEval *ev, DgValue v);
void dg_write_str(DgEval *ev, StrBuf *b, DgValue v);
void dg_write_repr(DgEval *ev, StrBuf *b, DgValue v);
void dg_float_repr(StrBuf *b, double f);           /* shortest text that reads back */
/* JSON as json.dumps(separators=(', ', ': '), ensure_ascii=True) prints it. */
void dg_write_json(DgEval *ev, StrBuf *b, DgValue v, int indent, bool sort_keys);

/* JSON as values, strictly; integers beyond 64 bits as their text. DG_DATA with the place. */
DgStatus dg_read_json(DgEval *ev, Str text, DgValue *out, DgError *err);
/* What stands at "choices.0.message" in it; NULL: nothing. As text or integer: "" and 0 when it is none. */
const DgValue *dgv_at(const DgValue *v, const char *path);
Str dgv_text_at(DgValue v, const char *path);
int64_t dgv_int_at(DgValue v, const char *path);

/* ast.literal_eval as Jinja's native types use it. False: not a literal, keep the text. */
bool dg_literal_eval(DgEval *ev, Str text, DgValue *out);

/* ---- Lists and dicts ---- */
DgValue dg_new_list(DgEval *ev, size_t count); /* items are None, to be filled in */
DgValue dg_new_dict(DgEval *ev);
void dg_put(DgEval *ev, DgValue dict, DgValue key, DgValue value); /* keys must be hashable */
void dg_put_str(DgEval *ev, DgValue dict, const char *key, DgValue value); /* key not copied */
/* NULL when absent. The pointer is good until the dict changes. */
const DgValue *dgv_get(DgValue dict, DgValue key);
const DgValue *dgv_get_str(DgValue dict, Str key);
/* A list of what iterating over v yields: characters, keys, items. Undefined yields none. */
DgValue dg_iterate(DgEval *ev, DgValue v);

/* ---- Ordering and equality without an error path ---- */
bool dgv_equal(DgValue a, DgValue b);
/* -1, 0, 1; error when Python would raise TypeError. */
int dg_compare(DgEval *ev, DgValue a, DgValue b);

/* ---- Filters, tests and built-in functions by name ---- */
typedef DgValue (*DgFilterFn)(DgEval *ev, const DgArgs *args);
typedef bool (*DgTestFn)(DgEval *ev, const DgArgs *args);
DgFilterFn dg_filter_find(Str name, const char **c_name); /* NULL: none. c_name may be NULL */
DgTestFn dg_test_find(Str name, const char **c_name);
size_t dg_filter_names(const Str **names); /* for suggestions */
size_t dg_test_names(const Str **names);
bool dg_builtin_has(Str name);
bool dgv_range(DgValue v, int64_t bounds[3]); /* start, stop, step; false: v is no range() */

/* ---- Arguments ---- */

/* Spreads arguments over parameters, as Python does: by position, then by name. `names` are the
 * parameters, separated by blanks: "width fillchar"; the first `required` must be given; values[]
 * holds the defaults before and the arguments after. False, and an error that names `what`, when
 * they do not fit. */
bool dg_args_spread(DgEval *ev, const char *what, const DgArgs *args, const char *names,
                    DgValue *values, size_t required);
const DgValue *dg_args_named(const DgArgs *args, Str name); /* NULL when not given */

/* ---- Objects: things with attributes and methods of their own ---- */

typedef struct DgObjectType {
    const char *name; /* what an error calls it: "AssetKey" */
    /* Answer DG_END for "there is none". Any function may be NULL: there are none. */
    DgStatus (*attr)(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err);
    DgStatus (*item)(DgEval *ev, const DgObject *self, DgValue key, DgValue *out, DgError *err);
    DgStatus (*method)(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                       DgValue *out, DgError *err);
    DgStatus (*call)(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                     DgError *err);
    DgStatus (*set_attr)(DgEval *ev, const DgObject *self, Str name, DgValue to, DgError *err);
    DgStatus (*iterate)(DgEval *ev, const DgObject *self, DgValue *list, DgError *err);
    /* op is '+', '-', '*' or '/'; one side is self. */
    DgStatus (*arith)(DgEval *ev, char op, DgValue a, DgValue b, DgValue *out, DgError *err);
    void (*write)(DgEval *ev, const DgObject *self, StrBuf *b, bool repr);
    void (*write_json)(DgEval *ev, const DgObject *self, StrBuf *b); /* NULL: not serializable */
    bool (*equal)(const DgObject *a, const DgObject *b); /* same type; NULL: same object */
    int (*compare)(const DgObject *a, const DgObject *b); /* same type; NULL: no order */
    bool (*truthy)(const DgObject *self);                /* NULL: true */
    uint64_t (*hash)(const DgObject *self);              /* NULL and equal set: unhashable */
    bool changes; /* mutable: the compiler never treats it as a constant once it is in a variable */
} DgObjectType;

/* The head of every object; types put their own fields after it. */
struct DgObject {
    const DgObjectType *type;
    const char *builtin; /* dg_builtin(builtin) makes it anew in emitted code; NULL: it cannot */
};
DgValue dgv_object(const DgObject *o);

/* A function of C. ctx is the caller's. In the compiler: ref(), source(), config()... */
typedef DgStatus (*DgNativeFn)(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out,
                               DgError *err);
DgValue dg_native(Arena *arena, const char *name, DgNativeFn fn, void *ctx);

/* A record: class name and named fields, compared by value, attributes read the fields.
 * AssetSpec, FreshnessPolicy, DailyPartitionsDefinition(start_date='2024-01-01')...
 * `methods` (may be NULL) answers calls on it: DG_END when it has no such method. */
typedef DgStatus (*DgRecordMethod)(DgEval *ev, DgValue self, Str name, const DgArgs *args,
                                   DgValue *out, DgError *err);
DgValue dg_record(Arena *arena, const char *class_name, DgValue fields, DgRecordMethod methods);
bool dgv_is_record(DgValue v);
Str dgv_record_class(DgValue v);                     /* empty when v is no record */
DgValue dgv_record_fields(DgValue v);                /* the dict */
const DgValue *dgv_record_get(DgValue v, Str field); /* NULL when absent, or v is no record */

/* AssetKey: a record with field `path` (a list of text) and methods to_user_string(),
 * to_python_identifier(), to_string(), with_prefix(p), has_prefix(p). */
DgValue dg_asset_key(DgEval *ev, const Str *parts, size_t count);

/* namespace(...), cycler(...), joiner(...), datetime...: runtime/eval/builtins.c and datetime.c */
DgValue dg_datetime_class(void);
DgValue dg_timedelta_class(void);
DgValue dg_datetime_from_us(DgEval *ev, int64_t us);                 /* no zone */
bool dgv_datetime_to_us(DgValue v, int64_t *us);                     /* false: v is none */
bool dgv_timedelta_to_us(DgValue v, int64_t *us);                    /* likewise */

#endif
