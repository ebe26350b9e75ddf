/* emit_program_impl.h - what emit_program.c and emit_tables.c share; nobody else includes it. */
#ifndef DGC_EMIT_PROGRAM_IMPL_H
#define DGC_EMIT_PROGRAM_IMPL_H

#include "codegen/emit_config.h"
#include "codegen/emit_program.h"

typedef struct Program {
    Plan *plan;
    Emit *e;
    Arena *a;
    EmitConfig config;
    Map code;           /* bytes of a CodeUnit's or Residual's address -> Str* */
    Map ops;            /* names of DgStepOps declared */
    Map printed;        /* names of functions already there: a unit may have several users */
    Map rules;          /* source of an expression -> Str*, its loop */
    Map quoted;         /* places of the YAML documents already shown */
    Map site_index;     /* "file:line" -> index + 1, as a pointer */
    Array(Span) sites;
    bool failed;
} Program;

/* Index into the table of sites, made when new; -1: no place. */
int32_t program_site(Program *p, Span at);

/* Each prints one table into the section now, and nothing when there are no rows. */
void emit_partitions(Program *p);
void emit_assets(Program *p);
void emit_checks(Program *p);
void emit_steps(Program *p); /* with configs and bind functions */
void emit_jobs(Program *p);
void emit_schedules(Program *p);
void emit_small_tables(Program *p); /* resources, environment */

#endif
