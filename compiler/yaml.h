/* yaml.h - YAML files as trees in which every node knows its place.
 *
 * Reads with libyaml, then does what libyaml leaves open: plain scalars become the types PyYAML's
 * SafeLoader gives them (YAML 1.1), anchors, aliases and merge keys are resolved with bounded
 * expansion, duplicate keys are errors, known tags are applied. Problems go to the Diag; a tree is
 * returned all the same wherever one can be made (YAML_ERROR nodes are poison: stay silent on them).
 */
#ifndef DGC_YAML_H
#define DGC_YAML_H

#include "compiler/diag.h"

typedef enum YamlKind {
    YAML_NULL,
    YAML_BOOL,
    YAML_INT,
    YAML_FLOAT,
    YAML_STRING,
    YAML_DATE,      /* text holds it as written, e.g. 2024-01-31 */
    YAML_TIMESTAMP, /* likewise */
    YAML_LIST,
    YAML_MAP,
    YAML_ERROR,
} YamlKind;

typedef enum YamlStyle { YAML_PLAIN, YAML_SINGLE, YAML_DOUBLE, YAML_LITERAL, YAML_FOLDED } YamlStyle;

typedef struct YamlNode YamlNode;
typedef struct YamlEntry {
    YamlNode *key;   /* any scalar; YAML_STRING in nearly all files */
    YamlNode *value;
    bool merged;     /* came in by a merge key */
} YamlEntry;

struct YamlNode {
    YamlKind kind;
    YamlStyle style;  /* scalars */
    Span at;          /* the value as written: quotes and block indicator included */
    Str text;         /* scalars: the decoded text, whatever the kind */
    union {
        bool b;
        int64_t i;    /* integers past 64 bits become YAML_FLOAT, with W0113's note */
        double f;
        struct { YamlNode **items; size_t count; } list;
        struct { YamlEntry *entries; size_t count; } map;
    } as;
    Span alias_at;    /* where the alias stands, when this came by one; else {0} */
};

/* All documents of a file, in order. A document that is empty gives a YAML_NULL node. */
typedef struct YamlFile {
    uint32_t file;
    Array(YamlNode *) documents;
    bool broken; /* syntax error: the documents before it are there */
} YamlFile;
YamlFile yaml_parse(Arena *arena, Diag *diag, uint32_t file);

YamlNode *yaml_get(const YamlNode *map, Str key);       /* NULL when absent or not a map */
YamlEntry *yaml_entry(const YamlNode *map, Str key);
const char *yaml_kind_name(YamlKind k);                  /* "a list", "an integer"... */

/* The place of bytes [start, end) of node->text. Exact for plain, quoted (escapes and folds
 * included) and block scalars: found by scanning the scalar as written again. */
Span yaml_text_span(const Sources *s, const YamlNode *node, size_t start, size_t end);

/* The tree as text, one node a line with place and type: for tests and --emit. */
void yaml_print(const Sources *s, const YamlNode *node, StrBuf *out);

#endif
