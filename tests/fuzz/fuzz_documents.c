/* Documents of any bytes: read in the format and cut in the way that the first byte says. */
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/chunk.h"
#include "tests/fuzz/replay.h"

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static DgTokenizer *tokenizer;
    DgError err = {0};
    if (size < 1 || size > 1 << 16)
        return 0;
    if (!tokenizer)
        must(tokens_open(&dg_ranks_cl100k_base, &tokenizer, &err) == DG_OK);
    DgDoc doc = {.text_max = 1 << 20, .deadline_ms = os_monotonic_ms() + 5000};
    DgChunker chunker = {0};
    DgChunk chunk;
    DgDocFormat format = (DgDocFormat)(DG_DOC_MARKDOWN + data[0] % 5);
    DgChunkOptions options = {(DgChunkBy)(data[0] / 5 % 3), 8 + data[0] / 15, data[0] / 60, data[0] & 1 ? tokenizer : NULL};
    if (doc_read(&doc, format, (Str){(const char *)data + 1, (ptrdiff_t)size - 1}, &err) == DG_OK) {
        int64_t last = 0;
        for (size_t i = 0; i < doc.count; i++) {
            const DgBlock *b = &doc.blocks[i];
            must(b->start >= last && b->end >= b->start && b->end <= doc.text.len && b->label_start <= b->label_end && b->label_end <= b->end);
            last = b->end;
        }
        chunker_start(&chunker, &doc, &options);
        for (int n = 0; chunker_next(&chunker, &chunk); n++) {
            must(n < 1 << 20 && chunk.text.len > 0 && chunk.text.ptr >= doc.text.ptr && chunk.text.ptr + chunk.text.len <= doc.text.ptr + doc.text.len);
            must(str_utf8_valid(chunk.text, NULL) && str_utf8_valid(chunk.headings, NULL) && chunk.source_start <= chunk.source_end);
        }
    }
    chunker_free(&chunker);
    doc_free(&doc);
    return 0;
}
