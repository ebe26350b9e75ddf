/* planner_impl.h - what planner.c and planner_query.c share; nobody else includes it. */
#ifndef DGC_PLANNER_IMPL_H
#define DGC_PLANNER_IMPL_H

#include "compiler/planner.h"
#include "compiler/spec.h"
#include "compiler/template.h"

typedef struct PlannerImpl { /* DgPlanner.impl: one instance being planned */
    Builder *b;
    const Instance *instance;
    Span at;                 /* the instance's `type:` */
} PlannerImpl;

typedef struct Named { /* the first to have a name */
    Span at;
    void *value;
} Named;

const ConfigPlace *builder_place(const Builder *b, const void *address);
Span planner_at(const DgPlanner *p, const void *field); /* the instance's, when it has none */

void put_address(Arena *arena, Map *map, const void *address, void *value);

void code_sql(DgPlanner *p, DgCode *slot, const DgSqlDecl *decl);
DgValue code_sql_config(DgPlanner *p, const DgSqlDecl *decl);
void code_rows(DgPlanner *p, DgCode *slot, const DgRowProgramDecl *decl);
void code_rules(DgPlanner *p, DgCode *slot, const DgRulesDecl *decl);
void code_text(DgPlanner *p, DgCode *slot, const DgTextDecl *decl);
void code_decoder(DgPlanner *p, DgCode *slot, const DgDecoderDecl *decl);

DgStr query_refers_to(DgPlanner *p, const void *field);
const void *query_attribute(DgPlanner *p, const void *field, const char *name);
bool query_is_set(DgPlanner *p, const void *field);
bool query_is_scalar(DgPlanner *p, const void *field);
bool query_is_known(DgPlanner *p, const void *field);
void query_report(DgPlanner *p, const char *code, const void *field, const char *help,
                  const char *fmt, ...) DG_PRINTF(5, 6);
void query_report_name(DgPlanner *p, const void *field, const char *noun, DgStr wrong,
                       const char *const *names, const char *fmt, ...) DG_PRINTF(6, 7);
void *query_alloc(DgPlanner *p, size_t bytes);
DgStr query_format(DgPlanner *p, const char *fmt, ...) DG_PRINTF(2, 3);
DgStr query_resolve(DgPlanner *p, const void *field, DgStr path);
DgList query_glob(DgPlanner *p, DgStr pattern);
bool query_file_read(DgPlanner *p, DgStr path, size_t bytes_max, DgStr *text);
bool query_sniff(DgPlanner *p, DgStr path, DgCsvDialect *dialect);
bool query_infer(DgPlanner *p, DgStr path, DgStr format, const DgColumn **columns, int32_t *count);
const void *query_document(DgPlanner *p, const void *field, DgStr path, const DgField *fields, size_t size);
DgValue query_tree(DgPlanner *p, const void *field);
DgStr query_folder(DgPlanner *p);
DgStr query_instance(DgPlanner *p);

#endif
