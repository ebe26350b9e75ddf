/* templated_sql.h - statements run on a DuckDB database. */
#ifndef DGC_TEMPLATED_SQL_H
#define DGC_TEMPLATED_SQL_H

#include "runtime/component.h"

typedef struct TemplatedSqlStep {
    DgCode sql;     /* a DgTemplateFn: the statements */
    DgStr database; /* file, from the project's folder; empty: the pipeline's own warehouse */
    DgList settings; /* of DgValuePair: `SET name = value` on its connection */
} TemplatedSqlStep;

extern const DgStepOps dg_templated_sql_ops;

#endif
