/* prices.c - list prices of models in US dollars for a million tokens, as their vendors published them. A name that
 * is longer than one here is that model's with a date or a suffix: the longest that fits counts. */
#include "runtime/llm/provider.h"

const char llm_prices_date[] = "2025-11";

static const struct {
    const char *provider, *model;
    LlmPrice price; /* in, cached, written, out */
} prices[] = {
    {"openai", "gpt-5", {1.25, 0.125, 1.25, 10}},
    {"openai", "gpt-5-mini", {0.25, 0.025, 0.25, 2}},
    {"openai", "gpt-5-nano", {0.05, 0.005, 0.05, 0.4}},
    {"openai", "gpt-4.1", {2, 0.5, 2, 8}},
    {"openai", "gpt-4.1-mini", {0.4, 0.1, 0.4, 1.6}},
    {"openai", "gpt-4.1-nano", {0.1, 0.025, 0.1, 0.4}},
    {"openai", "gpt-4o", {2.5, 1.25, 2.5, 10}},
    {"openai", "gpt-4o-mini", {0.15, 0.075, 0.15, 0.6}},
    {"openai", "o3", {2, 0.5, 2, 8}},
    {"openai", "o4-mini", {1.1, 0.275, 1.1, 4.4}},
    {"openai", "text-embedding-3-small", {0.02, 0.02, 0.02, 0}},
    {"openai", "text-embedding-3-large", {0.13, 0.13, 0.13, 0}},
    {"openai", "text-embedding-ada-002", {0.1, 0.1, 0.1, 0}},
    {"anthropic", "claude-opus-4-5", {5, 0.5, 6.25, 25}},
    {"anthropic", "claude-opus-4-1", {15, 1.5, 18.75, 75}},
    {"anthropic", "claude-opus-4", {15, 1.5, 18.75, 75}},
    {"anthropic", "claude-sonnet-4-5", {3, 0.3, 3.75, 15}},
    {"anthropic", "claude-sonnet-4", {3, 0.3, 3.75, 15}},
    {"anthropic", "claude-haiku-4-5", {1, 0.1, 1.25, 5}},
    {"anthropic", "claude-3-5-haiku", {0.8, 0.08, 1, 4}},
    {"anthropic", "claude-3-haiku", {0.25, 0.03, 0.3, 1.25}},
};

/* `rest` is what a dated name has beyond the model's: -2025-08-07, -20250929, -latest. */
static bool is_date(Str rest)
{
    if (!rest.len || str_eq(rest, S("-latest")))
        return true;
    for (ptrdiff_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] != '-' && (rest.ptr[i] < '0' || rest.ptr[i] > '9'))
            return false;
    return rest.ptr[0] == '-' && rest.len >= 9;
}

bool llm_price(Str provider, Str model, LlmPrice *out)
{
    static const char *const at_home[] = {"ollama", "vllm", "llamacpp", "lmstudio"};
    for (size_t i = 0; i < sizeof at_home / sizeof *at_home; i++)
        if (str_eq(provider, str_from(at_home[i]))) {
            *out = (LlmPrice){0};
            return true;
        }
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        Str name = str_from(prices[i].model);
        if (str_eq(provider, str_from(prices[i].provider)) && str_starts(model, name) && is_date(str_sub(model, name.len, model.len))) {
            *out = prices[i].price;
            return true;
        }
    }
    return false;
}

double llm_cost(const LlmPrice *p, const LlmUsage *u)
{
    int64_t fresh = u->in - u->cached - u->written;
    return ((double)(fresh > 0 ? fresh : 0) * p->in + (double)u->cached * p->cached + (double)u->written * p->written + (double)u->out * p->out) / 1e6;
}
