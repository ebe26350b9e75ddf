/* yaml_internal.h - what the files of the YAML reader share. Others include yaml.h.
 *
 * yaml_events.c asks libyaml for events and repairs what can be repaired; yaml_error.c words its
 * syntax errors; yaml.c builds the tree; yaml_scalar.c gives plain scalars their types;
 * yaml_span.c finds places inside scalars.
 */
#ifndef DGC_YAML_INTERNAL_H
#define DGC_YAML_INTERNAL_H

#include "compiler/yaml.h"

/* ---- Scalars ---- */

typedef struct ScalarValue {
    YamlKind kind;
    bool b;
    int64_t i;
    double f;
    bool too_large;    /* an integer that became a float */
    bool impossible;   /* looks like a date, but there is no such day */
    const char *other; /* how YAML 1.2 reads it, when that differs: "text", "the number 10" */
} ScalarValue;
/* Exactly as PyYAML's SafeLoader resolves and constructs a plain scalar. */
ScalarValue yaml_resolve(Str text);
/* As with a tag (`!!int 010`): false when the text does not fit. `kind` is never a string. */
bool yaml_construct(Str text, YamlKind kind, ScalarValue *out);

/* ---- Events ---- */

typedef enum EventKind {
    EVENT_DOCUMENT,
    EVENT_SCALAR,
    EVENT_ALIAS,
    EVENT_LIST,
    EVENT_MAP,
    EVENT_END, /* of a list, map or document */
} EventKind;

typedef struct Event {
    uint8_t kind, style; /* style: YamlStyle of a scalar */
    bool flow;           /* list and map */
    bool broken;         /* a scalar that stands in for faulty text: already reported */
    uint32_t start, end; /* bytes of the file, without anchor and tag */
    Str text;            /* scalar: decoded; alias: the name */
    Str anchor, tag;     /* tag: in full, e.g. tag:yaml.org,2002:int */
} Event;

typedef struct Events {
    Array(Event) list; /* whole documents only */
    bool broken;
} Events;

Events yaml_read_events(Arena *arena, Diag *diag, uint32_t file);

/* ---- Syntax errors ---- */

typedef struct Fault { /* libyaml's words and places, in bytes of the file */
    Str problem, context;
    uint32_t at, context_at;
    bool in_flow;
    Str seen; /* the text as libyaml read it: what was repaired before is `x` */
} Fault;

/* Reports the fault. True when bytes [repair->start, repair->end) held all of it, so that reading
 * can go on behind them. */
bool yaml_report_fault(Diag *diag, uint32_t file, const Fault *fault, Span *repair);
/* Reports `{{ ... }}` without quotes, at `start`, as a fault of its own. */
Span yaml_report_template(Diag *diag, uint32_t file, uint32_t start, bool in_flow);

#endif
