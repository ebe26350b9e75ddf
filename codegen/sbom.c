/* sbom.c - the software bill of materials, from the list of what is linked. */
#include "codegen/sbom.h"

#include "compiler/cmd.h"

static const struct { const char *name, *version, *licence; bool only_duckdb; } parts[] = {
    {"cjson", "1.7.15", "MIT", false},      {"curl", "7.88.1", "curl", false},
    {"nghttp2", "1.52.0", "MIT", false},    {"openssl", "3.0", "Apache-2.0", false},
    {"pcre2", "10.42", "BSD-3-Clause", false}, {"sqlite", "3.40.1", "blessing", false},
    {"zlib", "1.2.13", "Zlib", false},      {"zstd", "1.5.4", "BSD-3-Clause", false},
    {"duckdb", "1.4.4", "MIT", true},
    {"libstdc++", "12.2.0", "GPL-3.0-or-later WITH GCC-exception-3.1", true},
};

Str sbom_json(Arena *a, const Plan *plan)
{
    StrBuf b = {0};
    bool first = true;
    buf_add(&b, S("{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"version\": 1, "
                  "\"metadata\": {\"component\": {\"type\": \"application\", \"name\": "));
    buf_json(&b, plan->name);
    buf_format(&b, ", \"hashes\": [{\"alg\": \"SHA-256\", \"content\": \"%.*s\"}]}, "
                   "\"tools\": [{\"name\": \"dgc\", \"version\": \"" DGC_VERSION "\"}]}, \"components\": [",
               FMT(plan->fingerprint));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].only_duckdb && !plan->needs_duckdb)
            continue;
        buf_format(&b, "%s{\"type\": \"library\", \"name\": \"%s\", \"version\": \"%s\", "
                       "\"licenses\": [{\"expression\": \"%s\"}]}",
                   first ? "" : ", ", parts[i].name, parts[i].version, parts[i].licence);
        first = false;
    }
    buf_add(&b, S("]}"));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}
