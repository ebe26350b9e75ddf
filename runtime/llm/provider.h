/* provider.h - what differs between the services that run language models: one file per API.
 *
 * An API turns a question into a request and an answer's body into a reply. It does not send anything: that
 * is net/service.h, the same for all.
 *
 *   openai.c     /responses, /chat/completions and /embeddings (platform.openai.com/docs/api-reference), and what
 *                other servers make of the latter two
 *   anthropic.c  /v1/messages (docs.anthropic.com/en/api/messages, version 2026-10-21)
 *   *_batches.c  their batches
 *
 * A model is written `provider/name`: openai/gpt-5.4-mini, anthropic/claude-sonnet-5, ollama/qwen3.
 */
#ifndef DGC_LLM_PROVIDER_H
#define DGC_LLM_PROVIDER_H

#include "runtime/eval/value.h"

typedef struct LlmApi LlmApi;

typedef struct LlmProvider {
    const char *name;
    const char *base_url;     /* NULL: it must be given */
    const char *base_env;     /* a variable that replaces base_url; may be NULL */
    const char *key_env;      /* NULL: no key is needed */
    const LlmApi *api;
} LlmProvider;

const LlmProvider *llm_provider(Str name);            /* NULL: none of that name */
extern const char *const llm_provider_names[];        /* for messages; NULL-terminated */

typedef struct LlmModel {
    const LlmProvider *provider;
    Str name;                 /* as the service calls it */
    Str base_url;             /* without a slash at the end */
    Str key;                  /* empty: none is sent */
    bool chat;                /* openai: /chat/completions rather than /responses */
    int64_t embed_dimensions; /* 0: the model's own */
} LlmModel;
/* "openai/gpt-5.4-mini" taken apart; names may hold slashes. DG_CONFIG: unknown provider, or no name. */
DgStatus llm_model(Str written, LlmModel *out, DgError *err);
bool llm_has_batches(const LlmModel *m); /* as far as is known of such services */
/* Of OpenAI's interfaces: /chat/completions rather than /responses. `api`: 0 as is usual, 1 responses, 2 chat. */
bool llm_uses_chat(const LlmModel *m, int32_t api);

typedef enum LlmRole { LLM_USER, LLM_ASSISTANT } LlmRole;
typedef struct LlmTurn {
    LlmRole role;
    Str text;
    Str image;                /* http(s) or data: URL; empty: none */
} LlmTurn;

typedef struct LlmQuestion {
    Str system;               /* empty: none */
    Array(LlmTurn) turns;
    Str schema;               /* JSON Schema the answer must fit; empty: free text */
    int64_t tokens_max;       /* of the answer; 0: the service's default (Anthropic has none: 4096) */
    double temperature;       /* negative: the service's default */
    Str effort;               /* low, medium, high; empty: default */
    int64_t seed;             /* -1: none */
} LlmQuestion;

typedef struct LlmRequest {
    Str url, body;
    StrArray headers;         /* the key is among them */
} LlmRequest;

typedef struct LlmUsage {
    int64_t in, cached, written, out; /* tokens; cached: of `in`, read from the service's prompt cache; written: to it */
} LlmUsage;

typedef enum LlmEnd { LLM_DONE, LLM_CUT, LLM_REFUSED } LlmEnd;
typedef struct LlmReply {
    LlmEnd end;
    Str text;                 /* of a refusal: its words, if there are any */
    LlmUsage usage;
} LlmReply;

/* Batches: many requests at once, answered within a day at half the price. */
typedef struct LlmBatchState {
    Str id;
    bool ended;               /* nothing more will come; what came is at `results` */
    Str failed;               /* it could not be run at all, and why; empty: it could */
    int64_t done, total;
    StrArray results;         /* paths under base_url */
} LlmBatchState;

typedef struct LlmBatchResult { /* of one request */
    Str id;                   /* that it was added with */
    Str body;                 /* as ask()'s request would have been answered; empty: it was not answered */
    Str problem;              /* then: why */
} LlmBatchResult;

typedef struct LlmBatchApi {
    /* One more request at the end of a document. `id` is of letters and digits, at most 64. */
    void (*add)(const LlmModel *m, Str id, const LlmRequest *r, StrBuf *document);
    /* NULL: the document goes to create() as it is; else it is uploaded first, and create() gets the file's id. */
    DgStatus (*upload)(const LlmModel *m, Str document, Arena *a, LlmRequest *out, DgError *err);
    DgStatus (*create)(const LlmModel *m, Str document, Arena *a, LlmRequest *out, DgError *err);
    Str (*path)(const LlmModel *m, Arena *a, Str id); /* where its state is, under base_url */
    /* DG_DATA: not an answer of this API; ids that could not stand in an address are none. */
    DgStatus (*read_state)(const LlmModel *m, DgEval *ev, Str body, LlmBatchState *out, DgError *err);
    DgStatus (*read_result)(DgEval *ev, Str line, LlmBatchResult *out, DgError *err);
} LlmBatchApi;
bool llm_is_id(Str id);                      /* letters, digits, - and _: safe in an address */

/* An answer that comes as events, put together: see stream.h. */
typedef struct LlmStream LlmStream;

struct LlmApi {
    /* DG_NOMEM only. All text is in the arena. */
    DgStatus (*ask)(const LlmModel *m, const LlmQuestion *q, Arena *a, LlmRequest *out, DgError *err);
    /* How many tokens the question has: asked for free, answered by {"input_tokens": N}. NULL: it does not tell. */
    DgStatus (*count)(const LlmModel *m, const LlmQuestion *q, Arena *a, LlmRequest *out, DgError *err);
    /* DG_DATA: not an answer of this API. */
    DgStatus (*read)(const LlmModel *m, DgEval *ev, Str body, LlmReply *out, DgError *err);
    /* One event of a streamed answer; what it says goes into the stream. */
    void (*read_event)(LlmStream *s, DgEval *ev, Str data);
    /* The answer's body as it would have come at once, as far as read() looks at it. */
    void (*stream_body)(const LlmStream *s, StrBuf *body);
    /* NULL: it has no embeddings. `inputs` not empty, none of them empty. */
    DgStatus (*embed)(const LlmModel *m, const Str *inputs, size_t count, Arena *a, LlmRequest *out, DgError *err);
    /* vectors[i]: float32 of inputs[i], *dimensions of them each. */
    DgStatus (*read_embeddings)(const LlmModel *m, DgEval *ev, Str body, size_t count, const float **vectors, int32_t *dimensions,
                                LlmUsage *usage, DgError *err);
    /* What a failure says, in the service's words; empty: nothing. */
    Str (*problem)(DgEval *ev, Str body);
    /* A failure that no retry mends though its status looks so: money is used up. */
    bool (*is_final)(int status, Str body);
    /* Headers of every request, the key among them. `type`: of the body; empty: there is none. */
    void (*add_headers)(const LlmModel *m, Str type, Arena *a, StrArray *headers);
    const LlmBatchApi *batches; /* NULL: none */
    size_t embed_inputs_max;  /* of one request */
};
extern const LlmApi llm_openai, llm_anthropic;
extern const LlmBatchApi llm_openai_batches, llm_anthropic_batches;

/* US dollars for a million tokens. `batch` halves them. Known as of llm_prices_date. */
typedef struct LlmPrice {
    double in, cached, written, out;
} LlmPrice;
extern const char llm_prices_date[];
bool llm_price(Str provider, Str model, LlmPrice *out);  /* false: not known */
Str llm_model_ends(Str provider, Str model);             /* the last day the vendor answers for it: 2026-11-30; empty: not known */
double llm_cost(const LlmPrice *p, const LlmUsage *u);

#endif
