/* fixture.h - test fixtures: tests/NAME.yaml of a project, one test for each document.
 *
 *     name: only paid orders count
 *     given:
 *       tables: {raw/orders: [{id: 1, paid: true}]}   # instead of running their steps
 *       files: {data/x.csv: "id\n1\n"}                # written over the project's
 *       env: {CURRENCY: EUR}
 *       tape: tests/tapes/letters                     # services answer from it; nobody is called
 *     when: {select: marts/revenue, partition: 2024-05-01, job: nightly, args: [--full-refresh]}
 *     then:
 *       exit: 0
 *       rows: {marts/revenue: [{month: 5, revenue: 10}]}
 *       counts: {marts/orders: 3}
 *       checks: {"marts/revenue:not_null": passed}
 *       output: [text that is printed]
 *       diagnostics: [{code: E0107, file: defs/x/defs.yaml, line: 4}]
 *
 * docs/reference/fixtures.md says it for users. What is wrong in a fixture is E0901 at its place.
 */
#ifndef DGC_FIXTURE_H
#define DGC_FIXTURE_H

#include "compiler/yaml.h"
#include "runtime/component.h"

typedef struct FixtureCell {
    YamlKind kind;             /* a scalar's */
    Str text;                  /* booleans: "true" or "false" */
} FixtureCell;

typedef struct FixtureTable {
    Str asset;
    Span at;                   /* the asset's key in the fixture */
    Str file;                  /* rows come from this data file; project-relative, or */
    StrArray columns;          /* in order of first use */
    FixtureCell *cells;        /* rows_count times columns.count; YAML_NULL where a row has none */
    size_t rows_count;
    bool ordered;              /* `then`: the order of the rows counts too */
} FixtureTable;

typedef struct FixtureCount {
    Str asset;
    Span at;
    int64_t rows;
} FixtureCount;
typedef struct FixtureCheck {
    Str asset, name;
    Span at;
    Str outcome;               /* "passed", "failed" */
} FixtureCheck;
typedef struct FixtureDiagnostic {
    Str code, file, message;   /* empty: any; message: a part of it */
    int64_t line;              /* 0: any */
    Span at;
} FixtureDiagnostic;

typedef struct Fixture {
    Str name;                  /* unique by file: "revenue: only paid orders count" */
    Span at;
    Array(FixtureTable) given, rows;
    Array(DgPair) files, env;
    Str tape;                  /* folder in the project; empty: services are called */
    Span tape_at;
    Str select, partition, job;
    StrArray args;
    int64_t exit_code;
    Array(FixtureCount) counts;
    Array(FixtureCheck) checks;
    StrArray output;
    Array(FixtureDiagnostic) diagnostics;
    bool fails_to_compile;     /* `diagnostics` has an error: nothing is run */
} Fixture;
typedef Array(Fixture *) Fixtures;

/* Adds the tests of one file. False: there were errors, reported to `diag`. */
bool fixture_read(Arena *a, Diag *diag, uint32_t file, Fixtures *out);

#endif
