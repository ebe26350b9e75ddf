/* fixture.h - a project in a temporary folder, compiled, for tests of the passes. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "compiler/compile.h"

typedef struct Fixture {
    char folder[64];
    Compile c;
    bool ok;     /* compile_project()'s answer */
    StrBuf text; /* of the last fixture_plan() or fixture_errors() */
} Fixture;

/* Files as in tests/conformance/dagster: each after a line `-- PATH --`. A dgc.yaml is added. */
void fixture_write(Fixture *f, const char *files);
void fixture_compile(Fixture *f, const CompileOptions *options); /* NULL: none */
/* fixture_write and fixture_compile. */
void fixture_open(Fixture *f, const char *files);
void fixture_close(Fixture *f); /* removes the folder */

Str fixture_plan(Fixture *f);   /* plan_print() */
/* One line a finding: "E0203 defs/a/defs.yaml:4:18 message", labels as "  at ... text". */
Str fixture_errors(Fixture *f);

#endif
