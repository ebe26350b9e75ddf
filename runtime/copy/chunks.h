/* chunks.h - a backfill's range cut into parts that are loaded one after the other. For the compiler too. */
#ifndef DGC_COPY_CHUNKS_H
#define DGC_COPY_CHUNKS_H

#include "runtime/base/base.h"
#include "runtime/copy/settings.h"

/* From `first` up to `last`; `open`: without it. As they are written into the query. */
typedef struct CopyChunk {
    Str first, last;
    bool open;
} CopyChunk;
typedef Array(CopyChunk) CopyChunks;

/* `chunk_size` (a number; hours, days, weeks, months, years as `6h 7d 1w 1m 1y`) or `chunk_count` over `range`: each value of
 * it falls into one part. Neither is set: the whole is one. DG_CONFIG: no such range or size, or more parts than 10 000. */
DgStatus chunks_of(Arena *a, const DgSourceOptions *o, CopyChunks *out, DgError *err);
/* `6h`, `7d`, 100000. */
bool chunks_size_known(DgValue size);

#endif
