/* Any text is a selection or an error whose place lies inside the text. */
#include "runtime/base/select.h"

static const int32_t up0[] = {0}, up1[] = {0, 1};
static const Str kinds[] = {DG_S("sql")};
static const SelectNode nodes[] = {
    {.key = DG_S("raw/a"), .group = DG_S("raw")},
    {.key = DG_S("b"), .group = DG_S("stg"), .deps = up0, .deps_count = 1},
    {.key = DG_S("c"), .kinds = kinds, .kinds_count = 1, .deps = up1, .deps_count = 2},
};

static void fuzz_one(const char *bytes, size_t n)
{
    Arena a;
    SelectError err;
    bool chosen[3] = {0};
    SelectGraph graph = {nodes, 3, n & 1};
    arena_init(&a, 64 << 20);
    if (!select_assets(&a, &graph, (Str){bytes, (ptrdiff_t)n}, chosen, &err)) {
        assert(err.message.len > 0);
        assert(err.offset >= 0 && err.length >= 0 && err.offset + err.length <= (ptrdiff_t)n);
    }
    arena_free(&a);
}

#include "tests/fuzz/fuzz.h"
