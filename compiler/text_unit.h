/* text_unit.h - texts with Jinja that a step renders for each row, such as prompts. */
#ifndef DGC_TEXT_UNIT_H
#define DGC_TEXT_UNIT_H

#include "compiler/plan.h"
#include "compiler/template.h"

typedef struct TextColumn { /* where the text names a column of the row: bytes of its template */
    Str name;
    uint32_t start, end;
} TextColumn;

struct TextUnit {
    Template *parsed;
    bool generated; /* written by the component, for the field at: */
    Span at;
    Str from; /* asset; empty: there is no row */
    Array(TextColumn) columns;
};

/* When columns of assets are known: those that a text names must be there. */
void texts_check(Plan *plan);

#endif
