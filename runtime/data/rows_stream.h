/* rows_stream.h - a stream of rows: what every source is, and what every target pulls from.
 *
 * One consumer at a time calls next(). Wrappers (limits, casts, added columns, a queue between two
 * threads) are streams over streams: closing one closes what it stands on.
 *
 * Values of a batch beyond what dgc.h says:
 *   DATE        INT32_MAX is infinity, -INT32_MAX is -infinity (as DuckDB has it)
 *   TIMESTAMP*  INT64_MAX and -INT64_MAX likewise
 *   FLOAT*      NaN and infinities are values like others
 *   DECIMAL     a value that precision and scale cannot hold is an error of the source (DG_DATA)
 *   TEXT        valid UTF-8 without NUL; a source that meets other bytes fails with DG_DATA
 */
#ifndef DGC_ROWS_STREAM_H
#define DGC_ROWS_STREAM_H

#include "runtime/base/base.h"
#include "runtime/data/batch.h"

typedef struct DgRows DgRows;
struct DgRows {
    const DgColumn *columns; /* fixed once open; live as long as the stream */
    int32_t columns_count;
    /* Fills `out`, which was initialised with these columns and is reset by the callee. DG_END when
     * there are no more; out->rows may then be > 0. After another status only close() may follow.
     * `out` has room for DG_BATCH_ROWS rows: streams over streams exchange vectors with it. */
    DgStatus (*next)(DgRows *rows, DgBatch *out, DgError *err);
    void (*close)(DgRows *rows); /* frees it; from any state, also in the middle */
    bool any_order;              /* rows come from parallel parts: the consumer need not keep their order */
};

static inline void rows_close(DgRows *rows)
{
    if (rows)
        rows->close(rows);
}

/* The streams below it are read by threads of their own, each at most `ahead` batches in advance
 * (>= 1), and come out in any order; all have the same columns. With one stream the order stays.
 * Takes the streams over, also when it fails. The consumer waits in next() at most until the lanes
 * deliver; `cancelled` (may be NULL) is asked every 100 ms. */
DgStatus rows_queue(DgRows *const *lanes, int32_t lanes_count, int32_t ahead,
                    bool (*cancelled)(void *context), void *context, DgRows **out, DgError *err);
/* At most `limit` rows, after leaving out `offset`. Takes `from` over. */
DgStatus rows_limit(DgRows *from, int64_t limit, int64_t offset, DgRows **out, DgError *err);

#endif
