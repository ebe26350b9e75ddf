/* fixture_impl.h - what fixture_run.c and fixture_tables.c share; nobody else includes it. */
#ifndef DGC_FIXTURE_IMPL_H
#define DGC_FIXTURE_IMPL_H

#include "codegen/fixture_run.h"
#include "compiler/compile.h"

typedef struct FixtureRun {
    Arena *arena;
    Diag *diag;           /* of the fixtures */
    const Fixture *f;
    Str folder;           /* the sandbox */
    Str tape;             /* absolute; empty: none */
    bool recording;
    Compile *c;           /* the project as it stands there */
    StrBuf *report;
    bool failed;
} FixtureRun;

/* One thing that is not as expected: a line of the report. */
void fixture_differs(FixtureRun *r, const char *fmt, ...) DG_PRINTF(2, 3);
/* Every asset and column that the fixture names exists; else E0901, and false. */
bool fixture_names_exist(FixtureRun *r);
/* Makes the given tables before the run. */
bool fixture_put_tables(FixtureRun *r);
/* Compares rows and counts after it. */
void fixture_compare_tables(FixtureRun *r);

#endif
