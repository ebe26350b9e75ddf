/* job.c - dgc.Job: a named part of the project that is run together. */
#include "runtime/component.h"

typedef struct Config {
    DgStr name, selection, description;
    DgList tags;
} Config;

static const DgField fields[] = {
    DG_FIELD_STRING(Config, name, .flags = DG_REQUIRED | DG_BUILD,
                    .doc = "Unique name; letters, digits, `_`.", .example = "nightly"),
    DG_FIELD_SELECTION(Config, selection, .flags = DG_BUILD, .fallback = "\"*\"",
                       .doc = "The assets it makes, with their checks.", .example = "\"group:raw\""),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What it is for."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Tags of its runs."),
    {0},
};

static void job_plan(DgPlanner *p, const void *data)
{
    const Config *config = data;
    p->api->job(p, &(DgJobDecl){.name = config->name, .selection = config->selection,
                                .description = config->description, .tags = config->tags,
                                .at = &config->name});
}

const DgComponent dg_component_job = {
    .name = "dgc.Job",
    .summary = "A named selection of assets that is run together.",
    .doc = "`run --job NAME` runs it; a dgc.Schedule may name it as its `target`. With `dgc build "
           "--job NAME` the executable holds this job alone.",
    .example = "type: dgc.Job\n"
               "attributes:\n"
               "  name: everything\n"
               "  selection: \"*\"\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = job_plan,
};
