/* provider.h - what differs between the services that run language models: one file per API.
 *
 * An API turns a question into a request and an answer's body into a reply. It does not send anything: that
 * is net/service.h, the same for all.
 *
 *   openai.c     /responses, /chat/completions and /embeddings (platform.openai.com/docs/api-reference), and what
 *                other servers make of the latter two
 *   anthropic.c  /v1/messages (docs.anthropic.com/en/api/messages, version 2026-10-21)
 *
 * A model is written `provider/name`: openai/gpt-5-mini, anthropic/claude-sonnet-4-5, ollama/qwen3.
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
/* "openai/gpt-5-mini" taken apart; names may hold slashes. DG_CONFIG: unknown provider, or no name. */
DgStatus llm_model(Str written, LlmModel *out, DgError *err);
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

struct LlmApi {
    /* DG_NOMEM only. All text is in the arena. */
    DgStatus (*ask)(const LlmModel *m, const LlmQuestion *q, Arena *a, LlmRequest *out, DgError *err);
    /* DG_DATA: not an answer of this API. */
    DgStatus (*read)(const LlmModel *m, DgEval *ev, Str body, LlmReply *out, DgError *err);
    /* NULL: it has no embeddings. `inputs` not empty, none of them empty. */
    DgStatus (*embed)(const LlmModel *m, const Str *inputs, size_t count, Arena *a, LlmRequest *out, DgError *err);
    /* vectors[i]: float32 of inputs[i], *dimensions of them each. */
    DgStatus (*read_embeddings)(const LlmModel *m, DgEval *ev, Str body, size_t count, const float **vectors, int32_t *dimensions,
                                LlmUsage *usage, DgError *err);
    /* What a failure says, in the service's words; empty: nothing. */
    Str (*problem)(DgEval *ev, Str body);
    /* A failure that no retry mends though its status looks so: money is used up. */
    bool (*is_final)(int status, Str body);
    size_t embed_inputs_max;  /* of one request */
};
extern const LlmApi llm_openai, llm_anthropic;

/* US dollars for a million tokens. `batch` halves them. Known as of llm_prices_date. */
typedef struct LlmPrice {
    double in, cached, written, out;
} LlmPrice;
extern const char llm_prices_date[];
bool llm_price(Str provider, Str model, LlmPrice *out);  /* false: not known */
double llm_cost(const LlmPrice *p, const LlmUsage *u);

#endif
