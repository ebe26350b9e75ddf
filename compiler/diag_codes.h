/* diag_codes.h - every diagnostic there is: code, slug, title. One page each in docs/errors/.
 *
 * Numbers: 01 YAML and schema, 02 names and graph, 03 values (cron, selection, partitions),
 * 04 SQL, 05 secrets and environment, 06 templates, 07 project, 08 build, 09 tests.
 * Keep sorted; never reuse a number.
 */
#ifndef DGC_DIAG_CODES_H
#define DGC_DIAG_CODES_H

#define DIAG_CODES(X)                                                              \
    X(E0101, "yaml-syntax", "the file is not valid YAML")                          \
    X(E0102, "type-mismatch", "a value has the wrong type")                        \
    X(E0103, "duplicate-key", "a key stands twice in one mapping")                 \
    X(E0104, "yaml-limit", "the file is larger or deeper than dgc reads")          \
    X(E0105, "yaml-alias", "an alias names no anchor, or contains itself")         \
    X(E0106, "missing-attribute", "a required attribute is missing")               \
    X(E0107, "unknown-attribute", "an attribute is not in the schema")             \
    X(E0108, "unknown-key", "a top-level key that component files do not have")    \
    X(E0109, "unknown-type", "no component type has this name")                    \
    X(E0110, "value-not-allowed", "a value is not one of those allowed")           \
    X(E0111, "out-of-range", "a number or length is out of its bounds")            \
    X(E0112, "yaml-tag", "a YAML tag that dgc does not read")                      \
    X(W0113, "yaml-1-2-differs", "YAML 1.2 reads this scalar differently")         \
    X(E0114, "empty-file", "a component file holds no component")                  \
    X(E0115, "needs-python", "a component type that only runs inside Python")      \
    X(W0116, "old-name", "an old name that still works")                           \
    X(W0117, "python-files", "Python files that dgc does not load")                \
    X(E0201, "duplicate-asset", "two assets have one key")                         \
    X(E0202, "unknown-asset", "no asset has this key")                             \
    X(E0203, "cycle", "assets depend on each other in a circle")                   \
    X(E0204, "duplicate-name", "two definitions of one kind have one name")        \
    X(E0205, "bad-asset-key", "an asset key is not well formed")                   \
    X(E0301, "bad-selection", "an asset selection is not well formed")             \
    X(E0302, "bad-cron", "a cron expression is not well formed")                   \
    X(E0303, "bad-timezone", "no time zone has this name")                         \
    X(E0304, "bad-partitions", "a partitions definition is not well formed")       \
    X(W0305, "selects-nothing", "a selection matches no asset")                    \
    X(E0401, "sql-syntax", "the SQL is not well formed")                           \
    X(E0402, "unknown-column", "a column does not exist")                          \
    X(E0403, "unknown-table", "a table does not exist")                            \
    X(E0404, "sql-type", "the SQL does not fit the types of its columns")          \
    X(E0501, "missing-secret", "a secret or environment variable is not set")      \
    X(W0502, "literal-secret", "a secret is written into the file")                \
    X(E0504, "secret-at-build", "a secret would be read when building")             \
    X(E0503, "undeclared-env", "an environment variable is used but not declared") \
    X(E0601, "template-syntax", "a template is not well formed")                   \
    X(E0602, "undefined-name", "a template uses a name that is not in scope")      \
    X(E0603, "template-type", "a template computes with values that do not fit")   \
    X(E0604, "template-limit", "a template takes too many steps or makes too much")\
    X(E0605, "template-phase", "a value is needed earlier than it is known")       \
    X(E0701, "no-project", "no project was found here")                            \
    X(E0702, "bad-project-file", "a project file cannot be used")                  \
    X(E0703, "missing-file", "a file that is referred to does not exist")          \
    X(E0704, "path-escapes", "a path leads out of the project")                    \
    X(W0705, "no-file-yet", "a path matches no file")                              \
    X(W0706, "model-ends", "a language model is answered for no longer, or not much longer") \
    X(E0801, "user-component", "a component of the project does not compile")      \
    X(E0901, "bad-fixture", "a test fixture is not well formed")

typedef enum DiagCode {
#define X(code, slug, title) code,
    DIAG_CODES(X)
#undef X
} DiagCode;

#endif
