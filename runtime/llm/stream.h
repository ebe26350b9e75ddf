/* stream.h - answers that come as events (SSE), put together to what would have come at once.
 *
 * A cut answer is never taken for a whole one: the API's last event must have come. A server that knows no streams and
 * sends one JSON document is understood as well; so are tapes, which keep the answer put together.
 */
#ifndef DGC_LLM_STREAM_H
#define DGC_LLM_STREAM_H

#include "runtime/llm/provider.h"
#include "runtime/net/service.h"
#include "runtime/net/sse.h"

struct LlmStream {
    const LlmApi *api;
    bool chat;               /* OpenAI: /chat/completions */
    void (*on_text)(Str);    /* words as they come, in the engine's thread; an attempt may begin anew. NULL: nobody listens */
    Sse sse;
    Arena arena;             /* of one event */
    StrBuf plain;            /* not events, but a document */
    StrBuf text, refusal;
    StrBuf whole;            /* the last event's data, where it has the answer in it */
    char stop[40];           /* why it ended, in the service's words; empty: not said yet */
    LlmUsage usage;
    bool begun, is_plain;
    bool ended;              /* the last event came */
    bool again;              /* the service failed in a way that another attempt may mend */
    char problem[300];       /* the service failed; empty: it did not */
};

/* The request's body, asking for a stream. */
Str llm_stream_ask(const LlmModel *m, Str body, Arena *a);
/* A reader and its state, which the call closes. NULL: out of memory. */
extern const DgCallReader llm_stream_reader;
LlmStream *llm_stream_new(const LlmModel *m, void (*on_text)(Str));
void llm_stream_free(LlmStream *s); /* of one that no call has got */

/* For the APIs. */
void llm_stream_text(LlmStream *s, Str words);
void llm_stream_stop(LlmStream *s, Str why);
void llm_stream_failed(LlmStream *s, Str kind, Str message);

#endif
