/* xlsx.c - spreadsheets. */
#include "runtime/files/formats_internal.h"

DgStatus xlsx_read(const StrArray *paths, const DgReadFormat *how, int64_t memory_max, DgRows **out, DgError *err)
{
    return dg_fail(err, DG_CONFIG, "`%.*s`: XLSX files cannot be read yet", FMT(paths->items[0]));
}
