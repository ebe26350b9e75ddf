/* Answers of models as events: any bytes, in pieces of any size, to each of the APIs. */
#include <stdlib.h>

#include "runtime/llm/stream.h"
#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1 << 16)
        return 0;
    const LlmModel m = {.provider = llm_provider(data[0] & 1 ? S("anthropic") : S("openai")), .chat = data[0] & 2};
    size_t piece = (size_t)data[1] + 1;
    LlmStream *s = llm_stream_new(&m, NULL);
    if (!s)
        return 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        StrBuf body = {0};
        DgError err = {0};
        bool go_on = true;
        llm_stream_reader.begin(s);
        for (size_t i = 2; i < size && go_on; i += piece) {
            size_t n = size - i < piece ? size - i : piece;
            char *copy = malloc(n);
            memcpy(copy, data + i, n);
            go_on = llm_stream_reader.take(s, (Str){copy, (ptrdiff_t)n});
            free(copy);
        }
        llm_stream_reader.end(s, attempt == 0, &body, &err);
        buf_free(&body);
    }
    llm_stream_reader.close(s);
    return 0;
}
