/* explain.c - finds pages in what scripts/embed_errors.sh made of docs/errors/. */
#include "compiler/explain.h"

#include "compiler/diag.h"
#include "error_pages.h" /* generated: ERROR_PAGES, ended by an entry without a name */

bool explain_find(Str code_or_slug, Str *markdown)
{
    DiagCode code;
    if (!diag_code_parse(code_or_slug, &code))
        return false;
    for (size_t i = 0; ERROR_PAGES[i].code; i++)
        if (str_eq(str_from(ERROR_PAGES[i].code), str_from(diag_code_name(code)))) {
            *markdown = (Str){(const char *)ERROR_PAGES[i].text, (ptrdiff_t)ERROR_PAGES[i].size};
            return true;
        }
    return false;
}
