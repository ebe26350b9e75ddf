/* template.h - Jinja2 templates: parsed, evaluated as far as is known, the rest kept as a tree.
 *
 * One engine for Dagster attributes (native types), SQL models (text) and row expressions.
 *
 *     TemplateCtx ctx = {.arena = perm, .diag = diag};
 *     Template *t = template_parse(&ctx, node->text, template_place_yaml(sources, node),
 *                                  TEMPLATE_NATIVE);
 *     TemplateResult r = template_eval(&ctx, t, scope);
 *     if (r.failed) ...                   // reported; poison
 *     else if (r.constant) use(r.value);  // known at build time
 *     else emit_template(e, name, &r.residual, ...); // codegen/emit_template.h; needs r.phase
 *
 * Problems go to the Diag with the place of the smallest piece of the template that is wrong; after
 * one error a template is poison and stays silent. Nothing here reads files, clock or environment.
 * All memory is the arena's. A parsed template can be evaluated any number of times.
 */
#ifndef DGC_TEMPLATE_H
#define DGC_TEMPLATE_H

#include "compiler/diag.h"
#include "compiler/yaml.h"
#include "runtime/eval/value.h"

/* ---- Places: bytes of the template text to bytes of the file ---- */

typedef struct TemplatePlace {
    const Sources *sources;
    const YamlNode *node; /* the scalar that holds the text; NULL: a plain file */
    Span base;            /* with node NULL: text byte 0 is at base.start of base.file */
} TemplatePlace;
TemplatePlace template_place_yaml(const Sources *sources, const YamlNode *node);
TemplatePlace template_place_file(const Sources *sources, Span at); /* .sql files: {file, 0, len} */
Span template_span(const TemplatePlace *p, uint32_t start, uint32_t end);

/* ---- Phases: when a value becomes known. Ordered. ---- */

typedef enum Phase {
    PHASE_BUILD,   /* now, in the compiler */
    PHASE_START,   /* when the executable starts: env.*, secrets */
    PHASE_RUN,     /* when a run or step starts: partition_key, run_id */
    PHASE_REQUEST, /* per request: response, stream_slice */
    PHASE_ROW,     /* per record */
} Phase;
const char *phase_name(Phase p); /* "build", "start", "run", "request", "row" */

/* ---- Expressions ---- */

typedef enum TExprKind {
    TE_ERROR,   /* poison: reported already */
    TE_CONST,   /* as.value */
    TE_NAME,    /* as.name; a variable of the scope, or local before folding */
    TE_LOCAL,   /* as.local; residuals only: a variable of the residual */
    TE_ATTR,    /* as.part: object.name */
    TE_ITEM,    /* as.item: object[key] */
    TE_SLICE,   /* as.slice: object[start:stop:step]; a NULL part is open */
    TE_CALL,    /* as.call */
    TE_FILTER,  /* as.apply: operand | name(args) */
    TE_TEST,    /* as.apply: operand is name(args); `is not` is a TU_NOT round it */
    TE_UNARY,   /* as.unary */
    TE_BINARY,  /* as.binary */
    TE_COMPARE, /* as.compare: a < b <= c, also == != in, not in */
    TE_AND,     /* as.binary.left/right; the value of the operand that decides, as in Python */
    TE_OR,
    TE_COND,    /* as.cond: then if test else otherwise (NULL: Undefined) */
    TE_LIST,    /* as.seq */
    TE_TUPLE,   /* as.seq */
    TE_DICT,    /* as.dict */
    TE_CONCAT,  /* as.seq: a ~ b ~ c */
    TE_CAPTURE, /* as.body; residuals only: what these statements print */
} TExprKind;

typedef enum TUnary { TU_NEG, TU_POS, TU_NOT } TUnary;
typedef enum TBinary { TB_ADD, TB_SUB, TB_MUL, TB_DIV, TB_FLOORDIV, TB_MOD, TB_POW } TBinary;
typedef enum TCompare { TC_EQ, TC_NE, TC_LT, TC_LE, TC_GT, TC_GE, TC_IN, TC_NOT_IN } TCompare;

typedef struct TExpr TExpr;
typedef struct TStmt TStmt;

typedef struct TExprs {
    TExpr **items;
    size_t count;
} TExprs;
typedef struct TNamed { /* name=value in a call */
    Str name;
    TExpr *value;
} TNamed;
typedef struct TArgs {
    TExprs positional;
    TNamed *named;
    size_t named_count;
    TExpr *star;      /* *list; NULL: none */
    TExpr *star_star; /* **dict; NULL: none */
} TArgs;
typedef struct TStmts {
    TStmt **items;
    size_t count;
} TStmts;
typedef struct TOperand {
    TCompare op;
    TExpr *value;
} TOperand;

/* A variable of a residual: becomes a local of the emitted function. */
typedef struct TLocal {
    Str name; /* as in the template; not unique */
    uint32_t id; /* unique within the residual, dense from 0 */
} TLocal;

struct TExpr {
    TExprKind kind;
    uint32_t start, end; /* bytes of the template text */
    union {
        DgValue value;
        Str name;
        const TLocal *local;
        struct { TExpr *object; Str name; } part;
        struct { TExpr *object, *key; } item;
        struct { TExpr *object, *start, *stop, *step; } slice;
        struct { TExpr *callee; TArgs *args; } call;
        struct { TExpr *operand; Str name; TArgs *args; const char *c_name; } apply;
        struct { TUnary op; TExpr *operand; } unary;
        struct { TBinary op; TExpr *left, *right; } binary;
        struct { TExpr *first; TOperand *rest; size_t count; } compare;
        struct { TExpr *test, *then, *otherwise; } cond;
        TExprs seq;
        struct { TExpr **keys, **values; size_t count; } dict;
        TStmts body;
    } as;
};

/* ---- Statements ---- */

typedef enum TStmtKind {
    TS_TEXT,      /* as.text */
    TS_PRINT,     /* as.expr: {{ expr }} */
    TS_IF,        /* as.branch: one test; elif is a TS_IF alone in `otherwise` */
    TS_FOR,       /* as.loop */
    TS_SET,       /* as.set: one target or several (unpacking) */
    TS_SET_BLOCK, /* as.set with body */
    TS_WITH,      /* as.with */
    TS_MACRO,     /* as.macro; never in residuals: calls are expanded */
    TS_CALL,      /* as.call_block; likewise */
    TS_FILTER,    /* as.filter_block; likewise a TE_FILTER of a TE_CAPTURE */
    TS_DO,        /* as.expr, for its effect */
} TStmtKind;

typedef struct TTarget { /* what `set` and `for` assign to */
    Str name;
    Str attr;            /* set ns.attr = ...; empty: the name itself */
    TExpr *object;       /* residuals, with attr: the namespace */
    const TLocal *local; /* residuals */
    struct TTarget *nested; /* for (a, (b, c)) in ...: nested_count > 0, name empty */
    size_t nested_count;
    uint32_t start, end;
} TTarget;

typedef struct TMacro {
    Str name;
    Str *params;
    TExpr **defaults; /* NULL entries: none */
    size_t params_count;
    TStmts body;
    bool uses_varargs, uses_kwargs, uses_caller;
    const struct Template *home; /* the file that it was written in; NULL: this template */
} TMacro;

typedef struct TLoop {
    TTarget target;
    TExpr *over;
    TExpr *filter; /* for x in xs if filter; NULL: none */
    TStmts body, otherwise;
    const TLocal *loop;   /* residuals: the variable `loop`; NULL: not used */
} TLoop;

struct TStmt {
    TStmtKind kind;
    uint32_t start, end; /* the opening tag, or the text */
    union {
        Str text;
        TExpr *expr;
        struct { TExpr *test; TStmts then, otherwise; } branch;
        TLoop *loop;
        struct { TTarget target; TExpr *value; TStmts body; TExpr *filter; } set;
        struct { TTarget *targets; TExpr **values; size_t count; TStmts body; } with;
        TMacro *macro;
        struct { TMacro *caller; TExpr *call; } call_block;
        struct { TExpr *filter; TStmts body; } filter_block;
    } as;
};

/* The operand of the filter of a block (`{% filter upper %}`) is a TE_CAPTURE that is filled in
 * when it is evaluated. */

typedef enum TemplateMode {
    TEMPLATE_NATIVE, /* Dagster attributes: Jinja's native types, one trailing newline dropped */
    TEMPLATE_TEXT,   /* SQL: text; the trailing newline is kept */
    TEMPLATE_EXPR,   /* one expression, no braces: row expressions */
} TemplateMode;

typedef struct Template {
    TemplateMode mode;
    Str text;
    TemplatePlace place;
    TStmts body;       /* TEMPLATE_EXPR: one TS_PRINT */
    bool broken;       /* an error was reported: poison */
    bool is_plain;     /* text only: no `{{`, `{%`, `{#` */
    bool mutates;      /* calls something like append(), or sets an attribute of a namespace */
    Phase phase;       /* residuals: the latest phase that it needs */
    uint32_t locals_count; /* residuals */
} Template;

/* ---- Context ---- */

/* A use of the environment, in order of appearance. For `.env` checks and E0503. */
typedef struct EnvUse {
    Str name;
    Span at;
    bool required;    /* env('X') without a default */
} EnvUse;

typedef struct TemplateCtx {
    Arena *arena;
    Diag *diag;
    /* A name that is not in scope is an error where it is printed or computed with. Jinja's way
     * (false here) is: printing it prints nothing. `is defined` and default() work either way. */
    bool lenient;
    size_t unroll_max;  /* statements that unrolling a loop may add to a residual; 0: 256 */
    Array(EnvUse) env_uses;
} TemplateCtx;

/* Never NULL. On an error: reported, and `broken`. */
Template *template_parse(TemplateCtx *ctx, Str text, TemplatePlace place, TemplateMode mode);
/* One expression, the whole of `text`. TE_ERROR after an error. */
TExpr *template_parse_expression(TemplateCtx *ctx, Str text, TemplatePlace place);
bool template_is_plain(Str text); /* has no `{{`, `{%` or `{#` */

/* The tree as text, for tests and --emit: (add (name delay) (const 1)). */
void template_print(const Template *t, StrBuf *out);
void template_print_expr(const TExpr *e, StrBuf *out);

/* ---- Scopes: the names a template may use ---- */

typedef enum ScopeKind {
    SCOPE_VALUE, /* known at build time; functions are DG_V_FUNC or DG_V_OBJECT values */
    SCOPE_LATER, /* known from `phase` on; in the executable DgEval.get_var answers */
    SCOPE_ENV,   /* the name `env` */
} ScopeKind;

typedef struct ScopeEntry {
    Str name;
    ScopeKind kind;
    Phase phase;
    DgValue value;
    bool is_global; /* a built-in such as range: not listed in "in scope are" */
    bool unless_set; /* a default that a local variable may hide without a word */
} ScopeEntry;

typedef struct Scope {
    Arena *arena;
    const struct Scope *parent; /* looked in after this one; NULL: none */
    Array(ScopeEntry) entries;
    DgGetEnv get_env;           /* SCOPE_ENV: answers at build time; NULL, or DG_TEMPFAIL from it:
                                 * start phase */
    void *get_env_ctx;
    Str env_stand_in;           /* not empty: for a variable that is known only later, unless the
                                 * template gives a default, which then stands for it */
} Scope;

Scope *scope_new(Arena *arena, const Scope *parent);
void scope_value(Scope *s, Str name, DgValue value);
void scope_function(Scope *s, Str name, DgNativeFn fn, void *ctx); /* called at build time */
void scope_later(Scope *s, Str name, Phase phase); /* a variable, or a function called then */
void scope_env(Scope *s); /* env.X, env('X'), env('X', 'd'); start phase unless get_env is set */
const ScopeEntry *scope_find(const Scope *s, Str name); /* innermost; NULL when absent */
/* Names a user may write, outermost first; for "in scope are" and suggestions. */
StrArray scope_names(Arena *arena, const Scope *s);

/* The names that Dagster gives to attributes: env, dg, datetime, context, and the old names
 * project_root, load_component_at_path, build_defs_at_path, automation_condition.
 * dg.* and automation_condition.* make records (value.h): class "AutomationCondition" with fields
 * `method`, `args` (tuple), `kwargs` (dict) and, for chained calls, `on`; other classes
 * ("DailyPartitionsDefinition", "FreshnessPolicy"...) have `args`, `kwargs`, and `method` when
 * made by a class method. load_component gives what the callback returns. */
typedef struct DagsterScope {
    Str project_root;
    DgNativeFn load_component; /* NULL: an error that says so */
    DgNativeFn build_defs;
    void *ctx;                 /* for both */
} DagsterScope;
Scope *scope_dagster(Arena *arena, const Scope *parent, const DagsterScope *settings);

/* ---- Evaluation ---- */

typedef struct TemplateResult {
    bool failed;       /* reported; the rest is empty */
    bool constant;
    DgValue value;     /* constant: the result, as the mode has it */
    Template residual; /* not constant: constant parts folded, calls of macros expanded */
    Phase phase;       /* the latest phase that the result needs; BUILD when constant */
} TemplateResult;

TemplateResult template_eval(TemplateCtx *ctx, const Template *t, const Scope *scope);
/* The same for one expression; a constant gives a TE_CONST, an error a TE_ERROR. *phase may be
 * NULL. Statements never come of it unless a macro of the scope prints them. */
TExpr *template_fold(TemplateCtx *ctx, TExpr *e, TemplatePlace place, const Scope *scope,
                     Phase *phase);
/* Names of the scope that a template or expression mentions, each once. */
StrArray template_names(Arena *arena, const Template *t);

#endif
