/* cache.h - what DuckDB has found of SQL before, in the project's .dgc/cache/sql.bin.
 *
 * A key is a digest of the SQL and of the columns of all that it may read; only good judgements
 * are kept. A file that is damaged, of another version or too large is as good as none, and so is
 * one that cannot be written.
 */
#ifndef DGC_SQL_CACHE_H
#define DGC_SQL_CACHE_H

#include "compiler/sql/bind.h"

typedef struct CacheKey {
    uint8_t bytes[16];
} CacheKey;
typedef struct SqlCache SqlCache;

SqlCache *cache_open(Arena *arena, Str project); /* never NULL */
/* The columns lie in the arena. */
bool cache_get(SqlCache *c, const CacheKey *key, BindResult *out);
void cache_put(SqlCache *c, const CacheKey *key, const BindResult *r);
void cache_save(SqlCache *c); /* when something is new */

#endif
