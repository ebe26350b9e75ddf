/* defs_json.c - the document that `dg list defs --json` prints. */
#include "runtime/base/defs_json.h"

#include <stdlib.h>

/* A writer that knows where commas and line breaks go: four blanks a level. */
typedef struct Json {
    StrBuf *out;
    int depth;
    bool first; /* nothing stands yet in the innermost list or object */
} Json;

static void next(Json *j)
{
    buf_add(j->out, j->first ? S("\n") : S(",\n"));
    buf_format(j->out, "%*s", j->depth * 4, "");
    j->first = false;
}

static void open(Json *j, char c)
{
    buf_char(j->out, c);
    j->depth++;
    j->first = true;
}

static void close(Json *j, char c)
{
    j->depth--;
    if (!j->first) {
        buf_char(j->out, '\n');
        buf_format(j->out, "%*s", j->depth * 4, "");
    }
    buf_char(j->out, c);
    j->first = false;
}

static void name(Json *j, const char *key)
{
    next(j);
    buf_format(j->out, "\"%s\": ", key);
}

static void text(Json *j, const char *key, Str value)
{
    name(j, key);
    buf_json(j->out, value);
}

static void text_unless_empty(Json *j, const char *key, Str value)
{
    if (value.len)
        text(j, key, value);
}

static void texts(Json *j, const char *key, const StrArray *list)
{
    name(j, key);
    open(j, '[');
    for (size_t i = 0; i < list->count; i++) {
        next(j);
        buf_json(j->out, list->items[i]);
    }
    close(j, ']');
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const DefsTag *)a)->key, ((const DefsTag *)b)->key);
}

static void sort(StrArray *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(Str), by_text);
}

/* As Dagster does it here: at every slash, whatever is escaped. */
static void key_parts(Json *j, Str key)
{
    name(j, "asset_key_parts");
    open(j, '[');
    for (Str part, rest = key;;) {
        bool more = str_cut(rest, '/', &part, &rest);
        next(j);
        buf_json(j->out, part);
        if (!more)
            break;
    }
    close(j, ']');
}

static void owners(Json *j, const StrArray *list)
{
    name(j, "owners");
    open(j, '[');
    for (size_t i = 0; i < list->count; i++) {
        Str owner = list->items[i];
        bool team = str_starts(owner, S("team:"));
        next(j);
        open(j, '{');
        text(j, team ? "team" : "email", team ? str_sub(owner, 5, owner.len) : owner);
        close(j, '}');
    }
    close(j, ']');
}

static void tags(Json *j, const DefsTag *items, size_t count)
{
    name(j, "tags");
    open(j, '[');
    for (size_t i = 0; i < count; i++) {
        next(j);
        open(j, '{');
        text(j, "key", items[i].key);
        text(j, "value", items[i].value);
        close(j, '}');
    }
    close(j, ']');
}

static void asset(Json *j, DefsAsset *a)
{
    sort(&a->kinds);
    sort(&a->deps);
    if (a->tags.count > 1)
        qsort(a->tags.items, a->tags.count, sizeof(DefsTag), by_key);
    next(j);
    open(j, '{');
    text(j, "asset_key", a->key);
    key_parts(j, a->key);
    text_unless_empty(j, "description", a->description);
    text(j, "group_name", a->group);
    texts(j, "kinds", &a->kinds);
    texts(j, "dependency_keys", &a->deps);
    owners(j, &a->owners);
    if (a->tags.count)
        tags(j, a->tags.items, a->tags.count);
    if (a->has_automation) {
        name(j, "automation_condition");
        open(j, '{');
        text_unless_empty(j, "label", a->automation_label);
        texts(j, "expanded_label", &a->automation_expanded);
        close(j, '}');
    }
    name(j, "is_executable");
    buf_add(j->out, a->is_executable ? S("true") : S("false"));
    text_unless_empty(j, "source", a->source);
    close(j, '}');
}

static void check(Json *j, DefsCheck *c)
{
    sort(&c->deps);
    next(j);
    open(j, '{');
    name(j, "key");
    StrBuf id = {0};
    buf_format(&id, "%.*s:%.*s", FMT(c->asset), FMT(c->name));
    buf_json(j->out, buf_str(&id));
    buf_free(&id);
    text(j, "asset_key", c->asset);
    text(j, "name", c->name);
    texts(j, "additional_deps", &c->deps);
    text_unless_empty(j, "description", c->description);
    text_unless_empty(j, "source", c->source);
    close(j, '}');
}

static void items(Json *j, const char *section, const char *detail, const DefsItems *list)
{
    name(j, section);
    open(j, '[');
    for (size_t i = 0; i < list->count; i++) {
        next(j);
        open(j, '{');
        text(j, "name", list->items[i].name);
        if (detail)
            text_unless_empty(j, detail, list->items[i].detail);
        text_unless_empty(j, "source", list->items[i].source);
        close(j, '}');
    }
    close(j, ']');
}

void defs_json(DefsDoc *doc, StrBuf *out)
{
    Json j = {.out = out};
    open(&j, '{');
    name(&j, "assets");
    open(&j, '[');
    for (size_t i = 0; i < doc->assets.count; i++)
        asset(&j, &doc->assets.items[i]);
    close(&j, ']');
    name(&j, "asset_checks");
    open(&j, '[');
    for (size_t i = 0; i < doc->checks.count; i++)
        check(&j, &doc->checks.items[i]);
    close(&j, ']');
    items(&j, "jobs", "description", &doc->jobs);
    items(&j, "resources", "type", &doc->resources);
    items(&j, "schedules", "cron_schedule", &doc->schedules);
    items(&j, "sensors", NULL, &doc->sensors);
    close(&j, '}');
    buf_char(out, '\n');
}
