/* sbom.c - the software bill of materials, from the list of what is linked. */
#include "codegen/sbom.h"

#include "compiler/cmd.h"

/* Sorted by name, so that the same build says the same. */
static const struct {
    const char *name, *version, *licence, *purl;
    bool only_duckdb;
} parts[] = {
#include "parts.h"
};

static void add_part(StrBuf *b, size_t i)
{
    buf_format(b, "{\"type\": \"library\", \"name\": \"%s\", \"version\": \"%s\", \"purl\": \"%s\", "
                  "\"licenses\": [{\"expression\": \"%s\"}]}",
               parts[i].name, parts[i].version, parts[i].purl, parts[i].licence);
}

/* The project's own components are compiled in too. */
static void add_user_source(StrBuf *b, Str path)
{
    buf_add(b, S("{\"type\": \"file\", \"name\": "));
    buf_json(b, path);
    buf_char(b, '}');
}

/* What the environment of the build has decided. */
static void add_build_env(StrBuf *b, const Plan *plan)
{
    for (size_t i = 0; i < plan->build_env.count; i++) {
        buf_add(b, i ? S(", {\"name\": ") : S(", \"properties\": [{\"name\": "));
        buf_json(b, str_format(plan->arena, "dgc:build_env:%.*s", FMT(plan->build_env.items[i].name)));
        buf_add(b, S(", \"value\": "));
        buf_json(b, plan->build_env.items[i].value);
        buf_char(b, '}');
    }
    if (plan->build_env.count)
        buf_char(b, ']');
}

Str sbom_json(Arena *a, const Plan *plan)
{
    StrBuf b = {0};
    size_t count = 0;
    buf_add(&b, S("{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"version\": 1, "
                  "\"metadata\": {\"component\": {\"type\": \"application\", \"name\": "));
    buf_json(&b, plan->name);
    buf_format(&b, ", \"hashes\": [{\"alg\": \"SHA-256\", \"content\": \"%.*s\"}]",
               FMT(plan->fingerprint));
    add_build_env(&b, plan);
    buf_add(&b, S("}, \"tools\": [{\"name\": \"dgc\", \"version\": \"" DGC_VERSION "\"}]}, "
                  "\"components\": ["));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].only_duckdb && !plan->needs_duckdb)
            continue;
        buf_add(&b, count++ ? S(", ") : S(""));
        add_part(&b, i);
    }
    for (size_t i = 0; i < plan->user_sources.count; i++) {
        buf_add(&b, count++ ? S(", ") : S(""));
        add_user_source(&b, plan->user_sources.items[i]);
    }
    buf_add(&b, S("]}"));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}
