/* session.h - what one step has with a model: key and address, the cache, and what may still be spent.
 *
 * Budgets are hard: a call begins only when what it is expected to cost at most is left, or nothing else is under
 * way; so what is spent exceeds the budget by one call at the most. The same holds for the run's budget (run/spending.h),
 * which all steps have together. What was answered before costs nothing.
 */
#ifndef DGC_LLM_SESSION_H
#define DGC_LLM_SESSION_H

#include "runtime/llm/answers.h"
#include "runtime/net/step_services.h"

typedef struct LlmBudget { /* 0: no limit */
    double usd;
    int64_t tokens, calls, time; /* time: nanoseconds */
} LlmBudget;
extern const DgField llm_budget_fields[];

typedef struct LlmPrices { /* of the YAML: dollars for a million tokens; negative: the known ones */
    double input, cached, output;
} LlmPrices;
extern const DgField llm_price_fields[];

typedef struct LlmSettings {
    DgStr model, base_url, api_key;
    int64_t concurrency, retries;
    int32_t chat;             /* 0: as is usual; 1: /responses; 2: /chat/completions */
    bool cache;
    bool stream;              /* answers come as events */
    LlmBudget budget;
    LlmPrices prices;
} LlmSettings;
extern const DgField llm_settings_fields[]; /* embed with DG_FIELD_STRUCT */

typedef struct LlmEstimate {
    int64_t in, out; /* tokens at most */
} LlmEstimate;

typedef struct LlmSession {
    DgStepRun *sr;
    const LlmSettings *s;
    LlmModel model;
    Str whom;                 /* provider and address, for the cache's keys */
    DgServices *services;
    Answers *answers;         /* NULL: no cache */
    LlmPrice price;
    bool priced;
    LlmBudget budget;         /* with what holds when none is given */
    int64_t started_ms;
    /* spent, and reserved by calls under way */
    double usd, usd_reserved;
    int64_t tokens, tokens_reserved;
    int64_t calls, in_flight, cached, repairs;
    LlmUsage usage;
    bool has_taken;           /* of the run's budget, for a call that is to begin: */
    LlmEstimate taken;
} LlmSession;

/* DG_CONFIG: no such provider, no key, no address. Memory is the step's. `planning`: nothing will be sent. */
DgStatus llm_session_open(DgStepRun *sr, const LlmSettings *s, bool planning, LlmSession **out, DgError *err);
void llm_session_close(LlmSession *l);

/* False: the step's budget, or that of the whole run, does not allow it. `why` then says which. Waits while nothing but
 * calls of other steps, under way, holds what is left of the run's. */
bool llm_may_start(LlmSession *l, LlmEstimate e, char why[120]);
void llm_started(LlmSession *l, LlmEstimate e);
void llm_ended(LlmSession *l, LlmEstimate e, const LlmUsage *u); /* u NULL: it failed, and cost nothing */
int64_t llm_tokens_about(Str text); /* a guess for budgets: 4 bytes of ASCII, or a character */

/* The text as a service may see it: what the project keeps secret is replaced, even where a document holds it. A NULL
 * pointer: out of memory. */
Str llm_safe(const LlmSession *l, Arena *a, Str text);

/* Starts the call of a request; `user` comes back with it. */
DgStatus llm_call(LlmSession *l, const LlmRequest *r, LlmEstimate e, void *user, DgError *err);
DgCall *llm_next(LlmSession *l, int64_t wait_ms); /* done; tells progress why it waits otherwise */
/* The reply of a call that went well; what an answer cost that broke off before is in its usage. DG_DATA: not an answer. */
DgStatus llm_read(LlmSession *l, DgEval *ev, const DgCallAnswer *a, LlmReply *out, DgError *err);
/* What a failed call means for the step: DG_DATA: this row alone; else all of it fails with *err. */
DgStatus llm_failure(LlmSession *l, DgEval *ev, DgCall *call, DgError *err);
void llm_report(LlmSession *l, Str asset); /* usage and cost as metadata, one line in the log */

#endif
