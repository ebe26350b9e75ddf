/* declare.h - what components that call a model have in common when they are planned: the fields of the service, and the
 * check of a model's name. Their Config holds `LlmSettings llm`; their step takes it over with one api->copy(). */
#ifndef DGC_LLM_DECLARE_H
#define DGC_LLM_DECLARE_H

#include "runtime/llm/session.h"

/* A row of a field table for member `m` of Config's `llm`, written as `text` in the YAML. */
#define LLM_FIELD(T, m, text, k, CT, ...) {.name = text, .kind = k, .offset = DG_OFFSET(T, llm.m, CT), __VA_ARGS__}
#define LLM_MODEL_FIELD(T, ...) LLM_FIELD(T, model, "model", DG_F_STRING, DgStr, __VA_ARGS__)
#define LLM_SERVICE_FIELDS(T)                                                                                                                    \
    LLM_FIELD(T, budget, "budget", DG_F_STRUCT, LlmBudget, .of = llm_budget_fields, .of_size = sizeof(LlmBudget),                                \
              .doc = "What the step may spend in one run: usd, tokens, calls, time. It stops there, one call over at the most. Default: 1 US dollar."), \
    LLM_FIELD(T, prices, "prices", DG_F_STRUCT, LlmPrices, .of = llm_price_fields, .of_size = sizeof(LlmPrices), .flags = DG_ADVANCED,           \
              .doc = "US dollars for a million tokens, for models whose price is not known or another one."),                                    \
    LLM_FIELD(T, concurrency, "concurrency", DG_F_INT, int64_t, .fallback = "16", .min = 1, .max = 512,                                          \
              .doc = "Calls at once; less when the service says so."),                                                                           \
    LLM_FIELD(T, retries, "retries", DG_F_INT, int64_t, .fallback = "5", .min = 0, .max = 20, .flags = DG_ADVANCED,                              \
              .doc = "Of a call that failed and may be tried again."),                                                                           \
    LLM_FIELD(T, cache, "cache", DG_F_BOOL, bool, .fallback = "true",                                                                            \
              .doc = "Keep answers in `answers.db` beside the run history: the same question is not paid twice."),                               \
    LLM_FIELD(T, base_url, "base_url", DG_F_STRING, DgStr,                                                                                       \
              .doc = "Address of the service, where it is not the vendor's or in its usual variable (OPENAI_BASE_URL ...)."),                    \
    LLM_FIELD(T, api_key, "api_key", DG_F_SECRET, DgStr, .doc = "Key; default: the vendor's usual variable (OPENAI_API_KEY, ANTHROPIC_API_KEY ...).")

/* Reports a model that cannot be. False: it is wrong, or only known when it runs; *out is then zero. */
bool llm_check_model(DgPlanner *p, const DgStr *model, LlmModel *out);
/* Warns of a model that its vendor takes away within 30 days, or has. `base_url`: another service's models are its own. */
void llm_check_end(DgPlanner *p, const DgStr *model, const DgStr *base_url, const LlmModel *m);
bool llm_ends_soon(Str last_day, int64_t now_s); /* "2026-11-30", seconds since 1970: passed, or within 30 days */
DgStr llm_sql_name(DgPlanner *p, DgStr name); /* in quotes */

#endif
