/* config_fill.h - what config.c and config_scalar.c share; nobody else includes it. */
#ifndef DGC_CONFIG_FILL_H
#define DGC_CONFIG_FILL_H

#include "compiler/config.h"
#include "compiler/template.h"

typedef struct Fill {
    Arena *arena;
    Diag *diag;
    const Scope *scope;
    Str type_name;  /* for messages */
    Config *out;
    bool failed;
    int depth;
} Fill;

/* Reports that `node` is not what the field wants. Silent on poison. */
void fill_mismatch(Fill *f, const DgField *field, DgFieldKind kind, const YamlNode *node);
/* A scalar (not LIST, MAP, STRUCT, ONE_OF, CODE) from YAML into `to`. */
void fill_scalar(Fill *f, const DgField *field, DgFieldKind kind, YamlNode *node, void *to);
/* The field's default. */
void fill_fallback(Fill *f, const DgField *field, void *to);
void fill_remember(Fill *f, const DgField *field, DgFieldKind kind, YamlNode *node,
                   const void *address, const Residual *pending);
/* "an integer", "a list"... */
const char *field_kind_name(DgFieldKind k);
/* YAML text of a value, for fields without an example of their own. */
const char *field_kind_example(DgFieldKind k);
/* W0502 when a plain text stands under a name such as `password`. */
void warn_named_secret(Fill *f, Str name, const YamlNode *node);

/* Says how a value that waits for `phase` can be known when the project is built. */
void help_build_time(DiagItem *it, const TemplateCtx *ctx, Phase phase);

#endif
