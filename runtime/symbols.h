/* symbols.h - what a program that is compiled or loaded in memory may refer to, by name.
 *
 * The table is generated (scripts/symbols.sh): every function that the headers of emitted C declare,
 * and the DgStepOps of every component. Only dgc and the prebuilt runner link it; an executable of
 * the usual kind names what it uses, and the linker drops the rest.
 */
#ifndef DG_SYMBOLS_H
#define DG_SYMBOLS_H

#include <stddef.h>

typedef struct DgSymbol {
    const char *name;
    const void *address;
} DgSymbol;

extern const DgSymbol dg_symbols[]; /* sorted by name, ended by a NULL name */

/* symbols.c: in that table, or among the few functions of libc that compilers call by themselves.
 * NULL: not there. */
const void *dg_symbol_find(const char *name);

#endif
