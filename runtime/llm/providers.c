/* providers.c - names of services, where they are, and which API they speak. */
#include "runtime/llm/provider.h"

static const LlmProvider providers[] = {
    {"openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY", &llm_openai},
    {"anthropic", "https://api.anthropic.com", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", &llm_anthropic},
    {"ollama", "http://localhost:11434/v1", "OLLAMA_BASE_URL", NULL, &llm_openai},
    {"vllm", "http://localhost:8000/v1", "VLLM_BASE_URL", NULL, &llm_openai},
    {"llamacpp", "http://localhost:8080/v1", "LLAMACPP_BASE_URL", NULL, &llm_openai},
    {"lmstudio", "http://localhost:1234/v1", "LMSTUDIO_BASE_URL", NULL, &llm_openai},
    {"litellm", "http://localhost:4000/v1", "LITELLM_BASE_URL", "LITELLM_API_KEY", &llm_openai},
    {"azure", NULL, "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", &llm_openai},
    {"openrouter", "https://openrouter.ai/api/v1", NULL, "OPENROUTER_API_KEY", &llm_openai},
    {"groq", "https://api.groq.com/openai/v1", NULL, "GROQ_API_KEY", &llm_openai},
    {"mistral", "https://api.mistral.ai/v1", NULL, "MISTRAL_API_KEY", &llm_openai},
    {"deepseek", "https://api.deepseek.com", NULL, "DEEPSEEK_API_KEY", &llm_openai},
    {"together", "https://api.together.xyz/v1", NULL, "TOGETHER_API_KEY", &llm_openai},
    {"compatible", NULL, NULL, NULL, &llm_openai},
};

const char *const llm_provider_names[] = {"openai", "anthropic", "ollama", "vllm", "llamacpp", "lmstudio", "litellm", "azure", "openrouter",
                                          "groq", "mistral", "deepseek", "together", "compatible", NULL};

const LlmProvider *llm_provider(Str name)
{
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
        if (str_eq(name, str_from(providers[i].name)))
            return &providers[i];
    return NULL;
}

DgStatus llm_model(Str written, LlmModel *out, DgError *err)
{
    Str provider, name;
    if (!str_cut(written, '/', &provider, &name) || !provider.len || !name.len) {
        dg_fail(err, DG_CONFIG, "model `%.*s` does not name its provider", FMT(written));
        dg_hint(err, "write provider/model, such as openai/%.*s", FMT(written.len ? written : S("gpt-5.4-mini")));
        return DG_CONFIG;
    }
    *out = (LlmModel){.provider = llm_provider(provider), .name = name};
    if (!out->provider) {
        dg_fail(err, DG_CONFIG, "there is no provider `%.*s`", FMT(provider));
        dg_hint(err, "a server that speaks OpenAI's API is compatible/%.*s with `base_url`", FMT(name));
        return DG_CONFIG;
    }
    out->chat = llm_uses_chat(out, 0);
    return DG_OK;
}

bool llm_is_id(Str id)
{
    for (ptrdiff_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return id.len > 0 && id.len <= 200;
}

bool llm_uses_chat(const LlmModel *m, int32_t api)
{
    return api ? api == 2 : strcmp(m->provider->name, "openai") != 0;
}

bool llm_has_batches(const LlmModel *m)
{
    static const char *const names[] = {"openai", "anthropic", "azure", "groq", "litellm", "compatible"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(m->provider->name, names[i]) == 0)
            return m->provider->api->batches != NULL;
    return false;
}
