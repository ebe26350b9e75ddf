/* citations.h - which passages an answer says it rests on. What it cites is looked up, never believed. */
#ifndef DGC_LLM_CITATIONS_H
#define DGC_LLM_CITATIONS_H

#include "runtime/base/base.h"

typedef struct Citations {
    Str text;                 /* without citations of passages that there are not */
    Array(int32_t) cited;     /* in the order of the text, each once, from 1 */
    Array(int32_t) invented;  /* numbers of no passage */
} Citations;
/* Reads [1], [2, 3] and [4-6] in a text, but not in `code`. False: out of memory. */
bool citations_read(Arena *a, DgStr text, int32_t passages, Citations *out);

#endif
