/* rows_absent.c - stands in while there is no rows.c. Delete it then; the archive's order already
 * prefers rows.c. */
#include "compiler/config.h"
#include "compiler/rows.h"

RowProgram *row_program_add(Plan *plan, const DgRowProgramDecl *decl, const struct Config *config,
                            Span at)
{
    return NULL;
}

void row_program_type(Plan *plan, RowProgram *rows)
{
}
