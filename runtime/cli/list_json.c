/* `list --json`: the document that `dg list defs --json` prints for the same project. Key order,
 * indentation by four and escaping are those of Python's json.dumps. */
#include <stdlib.h>

#include "runtime/cli/cli.h"

static void text(StrBuf *b, Str s)
{
    /* json.dumps escapes what is not ASCII. */
    buf_char(b, '"');
    for (ptrdiff_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x80) {
            StrBuf one = {0};
            buf_json(&one, str_sub(s, i, i + 1));
            buf_add(b, str_sub(buf_str(&one), 1, (ptrdiff_t)one.len - 1));
            buf_free(&one);
            i++;
            continue;
        }
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        uint32_t code = c & (0x3fu >> more);
        for (int k = 1; k <= more && i + k < s.len; k++)
            code = code << 6 | ((unsigned char)s.ptr[i + k] & 0x3f);
        if (code >= 0x10000)
            buf_format(b, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                       0xdc00 + ((code - 0x10000) & 0x3ff));
        else
            buf_format(b, "\\u%04x", code);
        i += more + 1;
    }
    buf_char(b, '"');
}

static void text_or_null(StrBuf *b, Str s)
{
    s.len ? text(b, s) : buf_add(b, S("null"));
}

static void indent(StrBuf *b, int depth)
{
    buf_char(b, '\n');
    for (int i = 0; i < depth * 4; i++)
        buf_char(b, ' ');
}

static void key(StrBuf *b, const char *name, bool first)
{
    buf_add(b, first ? S("") : S(","));
    indent(b, 3);
    buf_format(b, "\"%s\": ", name);
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const Str *)x, *(const Str *)y);
}

/* Sorts in place. */
static void texts(StrBuf *b, Str *items, int32_t count)
{
    if (count == 0) {
        buf_add(b, S("[]"));
        return;
    }
    qsort(items, (size_t)count, sizeof *items, by_text);
    buf_char(b, '[');
    for (int32_t i = 0; i < count; i++) {
        buf_add(b, i ? S(",") : S(""));
        indent(b, 4);
        text(b, items[i]);
    }
    indent(b, 3);
    buf_char(b, ']');
}

static void source(StrBuf *b, const DgPipeline *p, Arena *a, int32_t site)
{
    const DgSite *s = run_site(p, site);
    text_or_null(b, s ? str_format(a, "%.*s:%d", FMT(s->file), s->line) : (Str){0});
}

static Str *copy_of(Arena *a, const DgStrs *list)
{
    Str *items = push(a, Str, list->count + 1);
    if (list->count)
        memcpy(items, list->items, (size_t)list->count * sizeof *items);
    return items;
}

static Str *keys_of(Arena *a, const DgPipeline *p, const DgIndices *list)
{
    Str *items = push(a, Str, list->count + 1);
    for (int32_t i = 0; i < list->count; i++)
        items[i] = p->assets[list->items[i]].key;
    return items;
}

static void asset(StrBuf *b, Arena *a, const DgPipeline *p, const DgAssetDef *d)
{
    Str *tags = push(a, Str, d->tags_count + 1);
    int32_t tags_count = 0;
    for (int32_t i = 0; i < d->tags_count; i++)
        if (!str_starts(d->tags[i].key, S("dagster/kind")))
            tags[tags_count++] = str_format(a, "\"%.*s\"=\"%.*s\"", FMT(d->tags[i].key),
                                            FMT(d->tags[i].value));
    Str group = d->group.len ? d->group : S("default");
    key(b, "key", true), text(b, d->key);
    key(b, "deps", false), texts(b, keys_of(a, p, &d->deps), d->deps.count);
    key(b, "kinds", false), texts(b, copy_of(a, &d->kinds), d->kinds.count);
    key(b, "group", false), text(b, group);
    key(b, "description", false), text_or_null(b, d->description);
    key(b, "automation_condition", false), text_or_null(b, d->automation_json);
    key(b, "tags", false), texts(b, tags, tags_count);
    key(b, "is_executable", false), buf_add(b, d->step >= 0 ? S("true") : S("false"));
    key(b, "source", false), source(b, p, a, d->site);
    key(b, "owners", false), texts(b, copy_of(a, &d->owners), d->owners.count);
}

static void check(StrBuf *b, Arena *a, const DgPipeline *p, const DgCheckDef *d)
{
    Str asset_key = p->assets[d->asset].key;
    const DgStepDef *step = d->step >= 0 ? &p->steps[d->step] : NULL;
    Str *deps = push(a, Str, (step ? step->reads.count : 0) + 1);
    int32_t count = 0;
    for (int32_t i = 0; step && step->assets.count == 0 && i < step->reads.count; i++)
        if (step->reads.items[i] != d->asset)
            deps[count++] = p->assets[step->reads.items[i]].key;
    key(b, "key", true), text(b, str_format(a, "%.*s:%.*s", FMT(asset_key), FMT(d->name)));
    key(b, "asset_key", false), text(b, asset_key);
    key(b, "name", false), text(b, d->name);
    key(b, "additional_deps", false), texts(b, deps, count);
    key(b, "description", false), text_or_null(b, d->description);
    key(b, "source", false), source(b, p, a, d->site);
}

static void section(StrBuf *b, const char *name, bool first, int32_t count)
{
    buf_add(b, first ? S("") : S(","));
    indent(b, 1);
    buf_format(b, "\"%s\": %s", name, count ? "[" : "[]");
}

static void open_item(StrBuf *b, int32_t i)
{
    buf_add(b, i ? S(",") : S(""));
    indent(b, 2);
    buf_char(b, '{');
}

static void close_item(StrBuf *b, bool last)
{
    indent(b, 2);
    buf_char(b, '}');
    if (last) {
        indent(b, 1);
        buf_char(b, ']');
    }
}

void list_json(const DgPipeline *p, StrBuf *b)
{
    Arena a;
    arena_init(&a, 1ull << 30);
    buf_char(b, '{');
    section(b, "assets", true, p->assets_count);
    for (int32_t i = 0; i < p->assets_count; i++) {
        open_item(b, i);
        asset(b, &a, p, &p->assets[i]);
        close_item(b, i + 1 == p->assets_count);
    }
    section(b, "asset_checks", false, p->checks_count);
    for (int32_t i = 0; i < p->checks_count; i++) {
        open_item(b, i);
        check(b, &a, p, &p->checks[i]);
        close_item(b, i + 1 == p->checks_count);
    }
    section(b, "jobs", false, p->jobs_count);
    for (int32_t i = 0; i < p->jobs_count; i++) {
        open_item(b, i);
        key(b, "name", true), text(b, p->jobs[i].name);
        key(b, "description", false), text_or_null(b, p->jobs[i].description);
        key(b, "source", false), source(b, p, &a, p->jobs[i].site);
        close_item(b, i + 1 == p->jobs_count);
    }
    section(b, "resources", false, p->resources_count);
    for (int32_t i = 0; i < p->resources_count; i++) {
        open_item(b, i);
        key(b, "name", true), text(b, p->resources[i].name);
        key(b, "type", false), text(b, p->resources[i].type);
        close_item(b, i + 1 == p->resources_count);
    }
    section(b, "schedules", false, p->schedules_count);
    for (int32_t i = 0; i < p->schedules_count; i++) {
        open_item(b, i);
        key(b, "name", true), text(b, p->schedules[i].name);
        key(b, "cron_schedule", false), text(b, p->schedules[i].cron);
        key(b, "source", false), source(b, p, &a, p->schedules[i].site);
        close_item(b, i + 1 == p->schedules_count);
    }
    section(b, "sensors", false, 0);
    buf_add(b, S("\n}\n"));
    arena_free(&a);
}
