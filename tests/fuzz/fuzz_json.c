/* NDJSON: any bytes, through a decoder with every type. */
#include <stdlib.h>

#include "runtime/data/batch.h"
#include "runtime/data/decode_api.h"
#include "tests/fuzz/replay.h"

static const DgColumn columns[] = {
    {.name = DG_S("a"), .type = {.kind = DG_INT32}}, {.name = DG_S("b"), .type = {.kind = DG_TEXT}},
    {.name = DG_S("c"), .type = {.kind = DG_FLOAT64}}, {.name = DG_S("d"), .type = {.kind = DG_TIMESTAMP}},
    {.name = DG_S("e"), .type = {.kind = DG_DECIMAL, .precision = 12, .scale = 3}},
    {.name = DG_S("f"), .type = {.kind = DG_BOOL}}, {.name = DG_S("g"), .type = {.kind = DG_DATE}},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DgBatch b;
    DgError err = {0};
    if (size < 1 || size > 1 << 16 || dg_batch_init(&b, columns, 7, DG_BATCH_ROWS, &err) != DG_OK)
        return 0;
    char *copy = malloc(size);
    memcpy(copy, data + 1, size - 1);
    DgBlock block = {.at = copy, .end = copy + size - 1, .begin = copy, .first_line = 1};

    while (block.at < block.end) {
        dg_batch_reset(&b);
        if (dg_decode_generic(&block, &b, DG_NDJSON, 0, 0, 0, &err) != DG_OK || !b.rows)
            break;
    }
    free(copy);
    dg_batch_release(&b);
    return 0;
}
