/* prices.c - list prices of models in US dollars for a million tokens, and the days on which their vendors take them away.
 *
 * As of llm_prices_date, from the tables that LiteLLM 1.109.1 carries; the last days of Anthropic's models as its own SDK (2.12.0) has
 * them. Prices are those of the standard tier; where a vendor asks more for very long prompts (200 000 tokens and up), that is not in them.
 * A name that is longer than one here is that model's with a date or a suffix; rows with a date of their own come first. */
#include "runtime/llm/provider.h"

const char llm_prices_date[] = "2026-11";

typedef struct Model {
    const char *provider, *name;
    LlmPrice price;   /* in, cached, written, out */
    const char *ends; /* 2026-11-30; NULL: not known */
} Model;

static const Model models[] = {
    {"openai", "gpt-6-astra", {10, 1, 12.5, 50}, NULL},
    {"openai", "gpt-6-sol", {2, 0.2, 2.5, 10}, NULL},
    {"openai", "gpt-6.1-sol", {2, 0.1, 2.5, 10}, NULL},
    {"openai", "gpt-6.1-terra", {1, 0.05, 1.25, 5}, NULL},
    {"openai", "gpt-6-luna", {0.1, 0.01, 0.125, 0.5}, NULL},
    {"openai", "gpt-5.6", {4, 0.4, 5, 20}, NULL},
    {"openai", "gpt-5.6-sol", {4, 0.4, 5, 20}, NULL},
    {"openai", "gpt-5.6-terra", {2, 0.2, 2.5, 12}, NULL},
    {"openai", "gpt-5.6-luna", {0.2, 0.02, 0.25, 1.2}, NULL},
    {"openai", "gpt-5.5", {5, 0.5, 5, 30}, NULL},
    {"openai", "gpt-5.5-pro", {30, 30, 30, 180}, NULL},
    {"openai", "gpt-5.4", {2.5, 0.25, 2.5, 15}, NULL},
    {"openai", "gpt-5.4-pro", {30, 30, 30, 180}, NULL},
    {"openai", "gpt-5.4-mini", {0.75, 0.075, 0.75, 4.5}, NULL},
    {"openai", "gpt-5.4-nano", {0.2, 0.02, 0.2, 1.25}, "2027-04-01"},
    {"openai", "gpt-5.2", {1.75, 0.175, 1.75, 14}, NULL},
    {"openai", "gpt-5.2-pro", {21, 21, 21, 168}, NULL},
    {"openai", "gpt-5.1", {1.25, 0.125, 1.25, 10}, "2027-04-01"},
    {"openai", "gpt-5", {1.25, 0.125, 1.25, 10}, "2026-12-11"},
    {"openai", "gpt-5-pro", {15, 15, 15, 120}, "2026-12-11"},
    {"openai", "gpt-5-mini", {0.25, 0.025, 0.25, 2}, "2026-12-11"},
    {"openai", "gpt-5-nano", {0.05, 0.005, 0.05, 0.4}, "2026-12-11"},
    {"openai", "gpt-4.1-2025-04-14", {2, 0.5, 2, 8}, "2027-01-14"},
    {"openai", "gpt-4.1", {2, 0.5, 2, 8}, NULL},
    {"openai", "gpt-4.1-mini-2025-04-14", {0.4, 0.1, 0.4, 1.6}, "2027-01-14"},
    {"openai", "gpt-4.1-mini", {0.4, 0.1, 0.4, 1.6}, NULL},
    {"openai", "gpt-4.1-nano", {0.1, 0.025, 0.1, 0.4}, "2026-10-23"},
    {"openai", "gpt-4o-2024-05-13", {5, 5, 5, 15}, "2026-10-23"},
    {"openai", "gpt-4o-2024-08-06", {2.5, 1.25, 2.5, 10}, "2027-01-14"},
    {"openai", "gpt-4o-2024-11-20", {2.5, 1.25, 2.5, 10}, "2027-01-14"},
    {"openai", "gpt-4o", {2.5, 1.25, 2.5, 10}, NULL},
    {"openai", "gpt-4o-mini-2024-07-18", {0.15, 0.075, 0.15, 0.6}, "2027-01-14"},
    {"openai", "gpt-4o-mini", {0.15, 0.075, 0.15, 0.6}, NULL},
    {"openai", "o1", {15, 7.5, 15, 60}, "2026-10-23"},
    {"openai", "o3", {2, 0.5, 2, 8}, "2026-12-11"},
    {"openai", "o3-mini", {1.1, 0.55, 1.1, 4.4}, "2026-10-23"},
    {"openai", "o3-pro", {20, 20, 20, 80}, "2026-12-11"},
    {"openai", "o4-mini", {1.1, 0.275, 1.1, 4.4}, "2026-10-23"},
    {"openai", "text-embedding-3-small", {0.02, 0.02, 0.02, 0}, NULL},
    {"openai", "text-embedding-3-large", {0.13, 0.13, 0.13, 0}, NULL},
    {"openai", "text-embedding-ada-002", {0.1, 0.1, 0.1, 0}, NULL},
    {"anthropic", "claude-fable-5-1", {10, 0.25, 12.5, 50}, NULL},
    {"anthropic", "claude-fable-5", {10, 1, 12.5, 50}, NULL},
    {"anthropic", "claude-opus-5-5", {4, 0.2, 5, 20}, NULL},
    {"anthropic", "claude-opus-5", {5, 0.5, 6.25, 25}, NULL},
    {"anthropic", "claude-opus-4-8", {5, 0.5, 6.25, 25}, NULL},
    {"anthropic", "claude-opus-4-7", {5, 0.5, 6.25, 25}, NULL},
    {"anthropic", "claude-opus-4-6", {5, 0.5, 6.25, 25}, NULL},
    {"anthropic", "claude-opus-4-5", {5, 0.5, 6.25, 25}, NULL},
    {"anthropic", "claude-sonnet-5-5", {2, 0.1, 2.5, 10}, NULL},
    {"anthropic", "claude-sonnet-5", {2, 0.2, 2.5, 10}, NULL},
    {"anthropic", "claude-sonnet-4-6", {3, 0.3, 3.75, 15}, NULL},
    {"anthropic", "claude-sonnet-4-5", {3, 0.3, 3.75, 15}, "2026-11-30"},
    {"anthropic", "claude-haiku-5-5", {0.1, 0.01, 0.125, 0.5}, NULL},
    {"anthropic", "claude-haiku-4-5", {1, 0.1, 1.25, 5}, NULL},
    {"anthropic", "claude-opus-4-1", {15, 1.5, 18.75, 75}, NULL},
    {"anthropic", "claude-opus-4-0", {15, 1.5, 18.75, 75}, "2026-06-15"},
    {"anthropic", "claude-opus-4", {15, 1.5, 18.75, 75}, "2026-06-15"},
    {"anthropic", "claude-sonnet-4-0", {3, 0.3, 3.75, 15}, "2026-06-15"},
    {"anthropic", "claude-sonnet-4", {3, 0.3, 3.75, 15}, "2026-06-15"},
    {"anthropic", "claude-3-7-sonnet", {3, 0.3, 3.75, 15}, "2026-02-19"},
    {"anthropic", "claude-3-5-haiku", {0.8, 0.08, 1, 4}, "2026-02-19"},
    {"anthropic", "claude-3-haiku", {0.25, 0.03, 0.3, 1.25}, NULL},
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

static const Model *find(Str provider, Str model)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        Str name = str_from(models[i].name);
        if (str_eq(provider, str_from(models[i].provider)) && str_starts(model, name) && is_date(str_sub(model, name.len, model.len)))
            return &models[i];
    }
    return NULL;
}

bool llm_price(Str provider, Str model, LlmPrice *out)
{
    static const char *const at_home[] = {"ollama", "vllm", "llamacpp", "lmstudio"};
    for (size_t i = 0; i < sizeof at_home / sizeof *at_home; i++)
        if (str_eq(provider, str_from(at_home[i]))) {
            *out = (LlmPrice){0};
            return true;
        }
    const Model *m = find(provider, model);
    if (m)
        *out = m->price;
    return m != NULL;
}

Str llm_model_ends(Str provider, Str model)
{
    const Model *m = find(provider, model);
    return m && m->ends ? str_from(m->ends) : (Str){0};
}

double llm_cost(const LlmPrice *p, const LlmUsage *u)
{
    int64_t fresh = u->in - u->cached - u->written;
    return ((double)(fresh > 0 ? fresh : 0) * p->in + (double)u->cached * p->cached + (double)u->written * p->written + (double)u->out * p->out) / 1e6;
}
