/* schedule.c - dgc.Schedule: runs a job or a selection at the times of a cron expression. */
#include "runtime/component.h"

typedef struct Config {
    DgStr name, cron, timezone, target, description;
    DgList tags;
    bool stopped;
} Config;

static const DgField fields[] = {
    DG_FIELD_STRING(Config, name, .flags = DG_REQUIRED | DG_BUILD,
                    .doc = "Unique name; letters, digits, `_`.", .example = "every_night"),
    DG_FIELD_CRON(Config, cron, .flags = DG_REQUIRED | DG_BUILD,
                  .doc = "Five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`.",
                  .example = "\"0 3 * * *\""),
    DG_FIELD_STRING(Config, timezone, .flags = DG_BUILD, .fallback = "UTC",
                    .doc = "IANA name of the zone that `cron` is read in."),
    DG_FIELD_STRING(Config, target, .flags = DG_BUILD, .fallback = "\"*\"",
                    .doc = "Name of a job, or a selection of assets.", .example = "\"group:raw\""),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What it is for."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Tags of its runs."),
    DG_FIELD_BOOL(Config, stopped, .flags = DG_BUILD, .fallback = "false",
                  .doc = "Starts switched off; `serve` can switch it on."),
    {0},
};

static void schedule_plan(DgPlanner *p, const void *data)
{
    const Config *config = data;
    p->api->schedule(p, &(DgScheduleDecl){.name = config->name, .cron = config->cron,
                                          .timezone = config->timezone, .target = config->target,
                                          .description = config->description,
                                          .tags = config->tags, .stopped = config->stopped,
                                          .at = &config->name});
}

const DgComponent dg_component_schedule = {
    .name = "dgc.Schedule",
    .summary = "Runs a job or a selection of assets at the times of a cron expression.",
    .doc = "The executable's `serve` fires it. Clock changes: a time that is skipped fires at the "
           "end of the gap, one that happens twice fires once.",
    .example = "type: dgc.Schedule\n"
               "attributes:\n"
               "  name: every_night\n"
               "  cron: \"0 3 * * *\"\n"
               "  timezone: Europe/Berlin\n"
               "  target: \"*\"\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = schedule_plan,
};
