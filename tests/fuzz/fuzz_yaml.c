/* fuzz_yaml.c - any bytes as a YAML file: read, print, point into, complain about.
 *
 *   clang -g -DLIBFUZZER -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_yaml.c ... -lyaml
 *   ./fuzz_yaml -dict=tests/fuzz/yaml.dict tests/fuzz/corpus/fuzz_yaml
 */
#include "tests/fuzz/replay.h"

#include <stdlib.h>

#include "compiler/yaml.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_span(const Sources *s, Span at)
{
    check(at.start <= at.end && at.end <= (uint32_t)sources_file(s, at.file)->text.len);
}

/* Recursion ends: trees are not deeper than LIMIT_YAML_DEPTH. */
static void visit(const Sources *s, const YamlNode *n, int depth, size_t *budget)
{
    check(depth <= LIMIT_YAML_DEPTH);
    if (*budget == 0)
        return;
    --*budget;
    check_span(s, n->at);
    if (n->kind == YAML_LIST)
        for (size_t i = 0; i < n->as.list.count; i++)
            visit(s, n->as.list.items[i], depth + 1, budget);
    if (n->kind == YAML_MAP)
        for (size_t i = 0; i < n->as.map.count; i++) {
            visit(s, n->as.map.entries[i].key, depth + 1, budget);
            visit(s, n->as.map.entries[i].value, depth + 1, budget);
        }
    size_t len = (size_t)n->text.len;
    if (n->kind == YAML_STRING) {
        check_span(s, yaml_text_span(s, n, 0, len));
        check_span(s, yaml_text_span(s, n, len / 3, len / 2));
        check_span(s, yaml_text_span(s, n, len, len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Arena arena;
    arena_init(&arena, (size_t)1 << 30);
    Sources sources;
    sources_init(&sources, &arena);
    Diag diag;
    diag_init(&diag, &arena, &sources);
    Str text = {(const char *)bytes, (ptrdiff_t)size};
    uint32_t file = sources_add(&sources, S("defs.yaml"), text);
    YamlFile yaml = yaml_parse(&arena, &diag, file);
    size_t budget = 100000;
    for (size_t i = 0; i < yaml.documents.count; i++)
        visit(&sources, yaml.documents.items[i], 0, &budget);
    check(!yaml.broken || diag_failed(&diag));
    diag_finish(&diag);
    for (size_t i = 0; i < diag.items.count; i++)
        check_span(&sources, diag.items.items[i]->at);
    StrBuf out = {0};
    diag_render(&diag, (DiagRender){.format = DIAG_TEXT, .items_max = 20}, &out);
    diag_render(&diag, (DiagRender){.format = DIAG_JSON}, &out);
    diag_render(&diag, (DiagRender){.format = DIAG_SARIF}, &out);
    check(str_utf8_valid(buf_str(&out), NULL));
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
