/* select_node.h - the tree of a selection: between the parser (select.c) and select_eval.c. */
#ifndef DG_SELECT_NODE_H
#define DG_SELECT_NODE_H

#include "runtime/base/select.h"

typedef enum NodeKind { NODE_ALL, NODE_ATTR, NODE_NOT, NODE_AND, NODE_OR, NODE_WALK, NODE_SINKS,
                        NODE_ROOTS } NodeKind;
typedef enum Attr { ATTR_KEY, ATTR_KEY_PART, ATTR_TAG, ATTR_GROUP, ATTR_KIND, ATTR_OWNER } Attr;

typedef struct SelectExpr Node;
struct SelectExpr {
    NodeKind kind;
    Node *a, *b;
    int64_t up, down;     /* WALK: levels; -1: all */
    Attr attr;
    Str name, value;      /* ATTR: value only of tag:name=value */
    bool has_value, null, quoted;
    ptrdiff_t offset, length; /* ATTR: of the name */
};

/* NULL, and *err filled, when the text is no selection. */
Node *select_parse(Arena *a, Str text, SelectError *err);

#endif
