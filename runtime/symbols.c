/* symbols.c - looks a name up for the code that is loaded in memory. */
#include "runtime/symbols.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* tcc_helpers.c */
#define HELPERS(X)                                                                           \
    X(__va_arg) X(__floatundidf) X(__floatundisf) X(__floatundixf) X(__fixdfdi) X(__fixsfdi) \
    X(__fixxfdi) X(__fixunsdfdi) X(__fixunssfdi) X(__fixunsxfdi)

#define X(name) extern const char name[];
HELPERS(X)
#undef X

static const DgSymbol helpers[] = {
#define X(name) {#name, name},
    HELPERS(X)
#undef X
};

static size_t table_count(void)
{
    size_t n = 0;
    while (dg_symbols[n].name)
        n++;
    return n;
}

static int by_name(const void *name, const void *symbol)
{
    return strcmp(name, ((const DgSymbol *)symbol)->name);
}

const void *dg_symbol_find(const char *name)
{
    const DgSymbol *found = bsearch(name, dg_symbols, table_count(), sizeof *dg_symbols, by_name);
    if (found)
        return found->address;
    for (size_t i = 0; i < sizeof helpers / sizeof *helpers; i++)
        if (strcmp(helpers[i].name, name) == 0)
            return helpers[i].address;
    return dlsym(RTLD_DEFAULT, name);
}
