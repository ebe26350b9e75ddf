/* `list --json`: what `dg list defs --json` prints for the same project, through its one printer. */
#include <cJSON.h>

#include "runtime/base/defs_json.h"
#include "runtime/cli/cli.h"

static Str source(const DgPipeline *p, Arena *a, int32_t site)
{
    const DgSite *s = run_site(p, site);
    return s ? str_format(a, "%.*s:%d", FMT(s->file), s->line) : (Str){0};
}

static void add_strs(Arena *a, StrArray *to, const DgStrs *from)
{
    for (int32_t i = 0; i < from->count; i++)
        array_add(a, to, from->items[i]);
}

/* The compiler leaves {"label": ..., "expanded": [...]}; a bare text is a label. */
static void add_automation(Arena *a, Str json, DefsAsset *out)
{
    out->has_automation = json.len > 0;
    if (json.len == 0)
        return;
    cJSON *object = cJSON_ParseWithLength(json.ptr, (size_t)json.len);
    const cJSON *label = cJSON_GetObjectItemCaseSensitive(object, "label"), *line;
    out->automation_label = cJSON_IsString(label) ? str_copy(a, str_from(label->valuestring))
                            : object              ? (Str){0}
                                                  : json;
    cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(object, "expanded"))
        if (cJSON_IsString(line))
            array_add(a, &out->automation_expanded, str_copy(a, str_from(line->valuestring)));
    cJSON_Delete(object);
}

static void add_asset(const DgPipeline *p, Arena *a, const DgAssetDef *d, DefsDoc *doc)
{
    DefsAsset out = {.key = d->key,
                     .group = d->group.len ? d->group : S("default"),
                     .description = d->description,
                     .source = source(p, a, d->site),
                     .is_executable = d->step >= 0};
    add_strs(a, &out.kinds, &d->kinds);
    add_strs(a, &out.owners, &d->owners);
    for (int32_t i = 0; i < d->deps.count; i++)
        array_add(a, &out.deps, p->assets[d->deps.items[i]].key);
    for (int32_t i = 0; i < d->tags_count; i++)
        if (!str_starts(d->tags[i].key, S("dagster/kind")))
            array_add(a, &out.tags, ((DefsTag){d->tags[i].key, d->tags[i].value}));
    add_automation(a, d->automation_json, &out);
    array_add(a, &doc->assets, out);
}

static void add_check(const DgPipeline *p, Arena *a, const DgCheckDef *d, DefsDoc *doc)
{
    DefsCheck out = {.asset = p->assets[d->asset].key,
                     .name = d->name,
                     .description = d->description,
                     .source = source(p, a, d->site)};
    array_add(a, &out.deps, out.asset);
    for (int32_t i = 0; i < d->deps.count; i++)
        if (d->deps.items[i] != d->asset)
            array_add(a, &out.deps, p->assets[d->deps.items[i]].key);
    array_add(a, &doc->checks, out);
}

static bool has_automation(const DgPipeline *p)
{
    bool any = false;
    for (int32_t i = 0; i < p->assets_count; i++)
        any |= p->assets[i].automation_json.len > 0;
    for (int32_t i = 0; i < p->checks_count; i++)
        any |= p->checks[i].automated;
    return any;
}

void list_json(const DgPipeline *p, const bool *assets, const bool *checks, bool all, StrBuf *out)
{
    Arena a;
    DefsDoc doc = {0};
    arena_init(&a, 1ull << 30);
    for (int32_t i = 0; i < p->assets_count; i++)
        if (assets[i] && !p->assets[i].unlisted)
            add_asset(p, &a, &p->assets[i], &doc);
    for (int32_t i = 0; i < p->checks_count; i++)
        if (checks[i])
            add_check(p, &a, &p->checks[i], &doc);
    for (int32_t i = 0; all && i < p->jobs_count; i++)
        array_add(&a, &doc.jobs, ((DefsItem){p->jobs[i].name, p->jobs[i].description,
                                             source(p, &a, p->jobs[i].site)}));
    for (int32_t i = 0; all && i < p->resources_count; i++)
        array_add(&a, &doc.resources,
                  ((DefsItem){.name = p->resources[i].name, .detail = p->resources[i].type}));
    for (int32_t i = 0; all && i < p->schedules_count; i++)
        array_add(&a, &doc.schedules, ((DefsItem){p->schedules[i].name, p->schedules[i].cron,
                                                  source(p, &a, p->schedules[i].site)}));
    if (all && has_automation(p)) /* Dagster adds it wherever an automation condition is */
        array_add(&a, &doc.sensors, ((DefsItem){.name = S("default_automation_condition_sensor")}));
    defs_json(&doc, out);
    arena_free(&a);
}
