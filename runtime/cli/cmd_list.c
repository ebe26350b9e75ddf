/* list: what the pipeline holds. */
#include "runtime/cli/cli.h"

#include "runtime/os/os.h"

enum { DESCRIPTION_MAX = 60 };

static void joined(StrBuf *b, const DgStrs *items)
{
    for (int32_t i = 0; i < items->count; i++)
        buf_format(b, "%s%.*s", i ? ", " : "", FMT(items->items[i]));
}

static void description(StrBuf *b, Str text)
{
    Str line, rest;
    str_cut(text, '\n', &line, &rest);
    if (line.len > DESCRIPTION_MAX)
        buf_format(b, "%.*s...", DESCRIPTION_MAX, line.ptr);
    else
        buf_add(b, line);
}

static void pad(StrBuf *b, size_t start, ptrdiff_t width)
{
    do
        buf_char(b, ' ');
    while ((ptrdiff_t)(b->len - start) < width + 2);
}

static void list_assets(const DgPipeline *p, const bool *chosen, StrBuf *b)
{
    ptrdiff_t key_width = 3, group_width = 5, kinds_width = 5;
    for (int32_t i = 0; i < p->assets_count; i++) {
        StrBuf kinds = {0};
        joined(&kinds, &p->assets[i].kinds);
        if (chosen[i] && p->assets[i].key.len > key_width)
            key_width = p->assets[i].key.len;
        if (chosen[i] && p->assets[i].group.len > group_width)
            group_width = p->assets[i].group.len;
        if (chosen[i] && (ptrdiff_t)kinds.len > kinds_width)
            kinds_width = (ptrdiff_t)kinds.len;
        buf_free(&kinds);
    }
    buf_add(b, S("assets\n"));
    for (int32_t i = 0; i < p->assets_count; i++) {
        const DgAssetDef *d = &p->assets[i];
        if (!chosen[i])
            continue;
        size_t start = b->len;
        buf_format(b, "  %.*s", FMT(d->key));
        pad(b, start, key_width + 2);
        start = b->len;
        buf_add(b, d->group);
        pad(b, start, group_width);
        start = b->len;
        joined(b, &d->kinds);
        pad(b, start, kinds_width);
        if (d->step < 0)
            buf_add(b, S("(external) "));
        description(b, d->description);
        while (b->len && b->ptr[b->len - 1] == ' ')
            b->len--;
        buf_char(b, '\n');
    }
}

static void list_schedule(const DgPipeline *p, Arena *a, const DgScheduleDef *d, StrBuf *b)
{
    Cron cron;
    CronError bad;
    const Zone *zone;
    DgError err = {0};
    int64_t at = os_real_us() / 1000000;
    Str target = d->job >= 0 ? p->jobs[d->job].name : S("assets");
    buf_format(b, "  %.*s  %.*s  %.*s  %.*s", FMT(d->name), FMT(d->cron),
               FMT(d->timezone.len ? d->timezone : S("UTC")), FMT(target));
    if (d->stopped) {
        buf_add(b, S("  stopped\n"));
        return;
    }
    if (zone_open(a, d->timezone, &zone, &err) != DG_OK || !cron_parse(a, d->cron, &cron, &bad)) {
        buf_format(b, "  next times not known: %s\n", err.message);
        return;
    }
    buf_add(b, S("  next "));
    for (int i = 0; i < 3 && cron_next(&cron, zone, at, &at); i++) {
        int32_t offset = zone_offset(zone, at);
        CivilTime t = civil_from_seconds(at + offset);
        buf_add(b, i ? S(", ") : S(""));
        civil_format(b, S("%Y-%m-%d %H:%M"), &t, offset);
    }
    buf_char(b, '\n');
}

static void list_text(const DgPipeline *p, Arena *a, const bool *assets, const bool *checks,
                      bool all, StrBuf *b)
{
    list_assets(p, assets, b);
    bool any = false;
    for (int32_t i = 0; i < p->checks_count; i++) {
        const DgCheckDef *d = &p->checks[i];
        if (!checks[i])
            continue;
        buf_format(b, "%s  %.*s:%.*s%s%s  ", any ? "" : "\nchecks\n", FMT(p->assets[d->asset].key),
                   FMT(d->name), d->blocking ? "  blocking" : "", d->warn ? "  warning only" : "");
        any = true;
        description(b, d->description);
        buf_char(b, '\n');
    }
    for (int32_t i = 0; all && i < p->jobs_count; i++) {
        buf_format(b, "%s  %.*s  %d assets  ", i ? "" : "\njobs\n", FMT(p->jobs[i].name),
                   p->jobs[i].assets.count);
        description(b, p->jobs[i].description);
        buf_char(b, '\n');
    }
    for (int32_t i = 0; all && i < p->schedules_count; i++) {
        buf_add(b, i ? S("") : S("\nschedules\n"));
        list_schedule(p, a, &p->schedules[i], b);
    }
    for (int32_t i = 0; all && i < p->resources_count; i++)
        buf_format(b, "%s  %.*s  %.*s\n", i ? "" : "\nresources\n", FMT(p->resources[i].name),
                   FMT(p->resources[i].type));
}

int cli_list(Cli *cli)
{
    const DgPipeline *p = cli->pipeline;
    DgError err = {0};
    StrBuf b = {0};
    bool all = !cli->run.select.len;
    bool *assets = push(&cli->arena, bool, p->assets_count + 1);
    bool *checks = push(&cli->arena, bool, p->checks_count + 1);
    if (!assets || !checks) {
        os_no_memory(&err, "listing");
        return cli_error(cli, &err);
    }
    if (run_choose(p, &cli->arena, cli->run.select, (Str){0}, assets, checks, &err) != DG_OK)
        return cli_error(cli, &err);
    if (cli->json)
        list_json(p, assets, checks, all, &b);
    else
        list_text(p, &cli->arena, assets, checks, all, &b);
    int code = cli_write(&b, 0);
    buf_free(&b);
    return code;
}
