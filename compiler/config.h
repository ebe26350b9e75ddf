/* config.h - from `attributes` to a component's config struct, by its field table.
 *
 * Checks names, types, bounds, choices, required fields; evaluates templates as far as they can be
 * at build time. What waits for the environment or the run is left zero in the struct and recorded
 * as a pending residual. Every address filled is remembered, so that plan() can report at a field.
 */
#ifndef DGC_CONFIG_H
#define DGC_CONFIG_H

#include "compiler/plan.h"

typedef struct Scope Scope; /* compiler/template.h */

typedef struct ConfigPlace { /* one filled address */
    const void *address;
    const DgField *field;
    DgFieldKind kind;        /* element kind inside lists and maps */
    YamlNode *node;
    const Residual *pending; /* not NULL: value waits */
} ConfigPlace;

typedef struct Config {
    void *data;              /* the struct */
    Array(ConfigPlace) places; /* sorted by address once filled */
    bool ok;                 /* no errors */
} Config;

typedef struct ConfigTarget {
    Str type_name;           /* for messages: "dgc.Files" */
    const DgField *fields;
    size_t size;
    uint32_t flags;          /* DG_OPEN */
} ConfigTarget;

/* `node` may be NULL (no attributes given); `at` is then what missing fields are reported at. */
Config config_fill(Arena *arena, Diag *diag, const Scope *scope, const ConfigTarget *target,
                   YamlNode *node, Span at);
const ConfigPlace *config_place(const Config *c, const void *address); /* NULL: not from YAML */

/* A YAML tree as a value, templates evaluated (Dagster's native rules). Pending ones are reported
 * as E0605 unless `pending` is given, where they are collected. */
DgValue config_value(Arena *arena, Diag *diag, const Scope *scope, YamlNode *node);

/* What people put secrets into: API_TOKEN, DB_PASSWORD... env_use.c */
bool env_name_is_secret(Str name);
/* Begins as the keys of well-known services do. */
bool text_looks_secret(Str s);

#endif
