/* sql.h - SQL units: templated SQL of models, checks and statements, known to the plan.
 *
 * A unit is parsed when its component plans (so that config(...) is known), rendered and connected
 * when every asset is known, and bound by DuckDB when columns are known:
 *
 *   sql_unit_add       planner.c, for DgPlanApi.sql: parse, collect config(), ref(), source()
 *   sql_units_resolve  pass `connect`: refs become assets, tables named in plain SQL too
 *   sql_units_check    pass `check`, in topological order: DuckDB's parser and binder judge the
 *                      text against known columns; columns and types enter the plan; errors are
 *                      reported at the column's place in the file
 *   sql_units_lineage  on demand: which input columns feed each column of a model
 */
#ifndef DGC_SQL_H
#define DGC_SQL_H

#include "compiler/plan.h"

typedef struct SqlPlace {     /* a part of generated SQL that a field of the component holds */
    size_t start, len;        /* in the template's text */
    Span at;
    YamlNode *node;
    bool verbatim;            /* the part is the field's text, byte for byte */
} SqlPlace;

typedef struct SqlSpan {
    size_t start, end;
} SqlSpan;
typedef struct SqlPlaces { /* of tables' names in a text, in order */
    SqlSpan *items;
    size_t count;
} SqlPlaces;

struct SqlUnit {
    DgSqlDecl decl;
    Str asset_key;
    Asset *asset;             /* NULL for checks without one */
    Step *step;
    Span at;                  /* the SQL: file or YAML scalar */
    YamlNode *node;           /* the scalar that holds it; NULL: a file of its own */
    uint32_t file;            /* when it is a file */
    bool is_generated;        /* written by a component: `places` lead to its fields */
    Array(SqlPlace) places;
    Template *parsed;
    const Residual *rendered; /* what is emitted: text for the engine */
    const struct Scope *scope;/* of the component: template vars and Dagster's names */
    Str text;                 /* as a first run would see it; empty: cannot be told when building */
    SqlPlaces tables, tables_again; /* where the two texts name tables */
    Str text_again;           /* as later runs of an incremental model see it; empty: the same */
    DgValue config;           /* what config(...) gave */
    Array(Asset *) refs;      /* resolved, in order of first use */
    bool exact;               /* a name in it could be taken for another table's: see bind.h */
    bool judged;              /* by the binder, all that it reads being known */
    bool failed;              /* reported already: stay silent */
};

/* NULL when the text cannot be read; the reason is reported. */
SqlUnit *sql_unit_add(Plan *plan, const DgSqlDecl *decl, Span at, YamlNode *node,
                      const struct Scope *scope);
/* What config(...) gave, a dict; `description` is the leading comment when it gave none. */
DgValue sql_unit_config(Plan *plan, SqlUnit *unit);
/* A part of decl->text came from a field: errors in it are reported there. */
void sql_unit_place(Plan *plan, SqlUnit *unit, SqlPlace place);
void sql_units_resolve(Plan *plan);
/* Where the SQL of `asset` names `read`; {0} when it does not. */
Span sql_ref_span(const Plan *plan, const Asset *asset, const Asset *read);
/* `bind`: with DuckDB; otherwise only what the templates and tokens tell. */
void sql_units_check(Plan *plan, bool bind);
/* After the check. Fills Asset.lineage of every model whose inputs are known. */
void sql_units_lineage(Plan *plan);

#endif
