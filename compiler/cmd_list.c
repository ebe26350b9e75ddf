/* cmd_list.c - `dgc list`: what a project defines, which component types there are. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "compiler/cmd.h"
#include "compiler/list_defs.h"
#include "compiler/pass.h"
#include "compiler/project.h"
#include "compiler/registry.h"
#include "runtime/base/cron.h"

typedef struct ListOptions {
    bool json;
    Str select;
    Str project;
} ListOptions;

static size_t terminal_width(void)
{
    struct winsize size;
    if (isatty(1) && ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return 140;
}

static int write_out(StrBuf *out, int code)
{
    fwrite(out->ptr, 1, out->len, stdout);
    buf_free(out);
    return flush_stdout(code);
}

/* ---- Tables of a project ---- */

static Str joined(Arena *arena, const StrArray *list)
{
    StrBuf text = {0};
    for (size_t i = 0; i < list->count; i++)
        buf_format(&text, "%s%.*s", i ? ", " : "", FMT(list->items[i]));
    Str copy = str_copy(arena, buf_str(&text));
    buf_free(&text);
    return copy;
}

static Table table(Arena *arena, const char *title, const char *const *heads)
{
    Table t = {.arena = arena, .title = title};
    for (; *heads; heads++)
        array_add(arena, &t.heads, str_from(*heads));
    return t;
}

static void add(Table *t, Str cell)
{
    array_add(t->arena, &t->cells, cell);
}

static void assets_table(const Plan *plan, DefsDoc *doc, StrBuf *out)
{
    static const char *const heads[] = {"Key", "Group", "Kinds", "Partitions", "Automation", "Deps",
                                        "Description", NULL};
    Table t = table(plan->arena, "Assets", heads);
    for (size_t i = 0; i < doc->assets.count; i++) {
        const DefsAsset *a = &doc->assets.items[i];
        const Asset *asset = plan_asset(plan, a->key);
        add(&t, a->key);
        add(&t, a->group);
        add(&t, a->is_executable ? joined(plan->arena, &a->kinds) : S("external"));
        add(&t, asset->partitions ? asset->partitions->shown : S(""));
        add(&t, a->automation_label.len ? a->automation_label
                                        : joined(plan->arena, &a->automation_expanded));
        add(&t, joined(plan->arena, &a->deps));
        add(&t, a->description);
    }
    table_print(&t, terminal_width(), color_wanted(1), out);
}

static void checks_table(const Plan *plan, DefsDoc *doc, StrBuf *out)
{
    static const char *const heads[] = {"Key", "Blocking", "Deps", "Description", NULL};
    Table t = table(plan->arena, "Asset checks", heads);
    for (size_t i = 0; i < doc->checks.count; i++) {
        const DefsCheck *c = &doc->checks.items[i];
        bool blocking = false;
        const Asset *asset = plan_asset(plan, c->asset);
        for (size_t k = 0; asset && k < asset->checks.count; k++)
            blocking |= asset->checks.items[k]->blocking &&
                        str_eq(asset->checks.items[k]->name, c->name);
        add(&t, str_format(plan->arena, "%.*s:%.*s", FMT(c->asset), FMT(c->name)));
        add(&t, blocking ? S("yes") : S(""));
        add(&t, joined(plan->arena, &c->deps));
        add(&t, c->description);
    }
    table_print(&t, terminal_width(), color_wanted(1), out);
}

static void jobs_table(const Plan *plan, StrBuf *out)
{
    static const char *const heads[] = {"Name", "Selection", "Assets", "Description", NULL};
    Table t = table(plan->arena, "Jobs", heads);
    for (size_t i = 0; i < plan->jobs.count; i++) {
        const Job *job = plan->jobs.items[i];
        add(&t, job->name);
        add(&t, job->selection);
        add(&t, str_format(plan->arena, "%zu", job->assets.count));
        add(&t, job->description);
    }
    table_print(&t, terminal_width(), color_wanted(1), out);
}

/* "2026-01-31 03:00, 2026-02-01 03:00" in the schedule's own zone. */
static Str next_times(Arena *arena, const Schedule *s, int count)
{
    Cron cron;
    CronError cron_err;
    DgError err;
    const Zone *zone;
    StrBuf text = {0};
    int64_t at = (int64_t)time(NULL);
    if (!cron_parse(arena, s->cron, &cron, &cron_err) ||
        zone_open(arena, s->timezone, &zone, &err) != DG_OK)
        return (Str){0};
    for (int i = 0; i < count && cron_next(&cron, zone, at, &at); i++) {
        int32_t offset = zone_offset(zone, at);
        CivilTime t = civil_from_seconds(at + offset);
        buf_add(&text, i ? S(", ") : S(""));
        civil_format(&text, S("%Y-%m-%d %H:%M"), &t, offset);
    }
    Str copy = str_copy(arena, buf_str(&text));
    buf_free(&text);
    return copy;
}

static void schedules_table(const Plan *plan, StrBuf *out)
{
    static const char *const heads[] = {"Name", "Cron", "Zone", "Target", "Next", "Description",
                                        NULL};
    Table t = table(plan->arena, "Schedules", heads);
    for (size_t i = 0; i < plan->schedules.count; i++) {
        const Schedule *s = plan->schedules.items[i];
        add(&t, s->name);
        add(&t, s->cron);
        add(&t, s->timezone);
        add(&t, s->target);
        add(&t, s->stopped ? S("stopped") : next_times(plan->arena, s, 3));
        add(&t, s->description);
    }
    table_print(&t, terminal_width(), color_wanted(1), out);
}

static void resources_table(const Plan *plan, StrBuf *out)
{
    static const char *const heads[] = {"Name", "Type", NULL};
    Table t = table(plan->arena, "Resources", heads);
    for (size_t i = 0; i < plan->resources.count; i++) {
        add(&t, plan->resources.items[i]->name);
        add(&t, plan->resources.items[i]->type);
    }
    table_print(&t, terminal_width(), color_wanted(1), out);
}

/* ---- Subjects ---- */

static int list_defs(Compile *c, const ListOptions *o, StrBuf *out)
{
    Plan *plan = &c->plan;
    bool *chosen = NULL;
    if (o->select.len) {
        chosen = push(plan->arena, bool, plan->assets.count + 1);
        if (!plan_select(plan, o->select, (Span){0}, NULL, chosen)) {
            diag_print(&c->diag, 2);
            return dg_status_exit_code(DG_USAGE);
        }
    }
    DefsDoc doc = defs_doc(plan, chosen);
    if (o->json) {
        defs_json(&doc, out);
        return 0;
    }
    assets_table(plan, &doc, out);
    checks_table(plan, &doc, out);
    if (!chosen) {
        jobs_table(plan, out);
        schedules_table(plan, out);
        resources_table(plan, out);
    }
    if (!out->len)
        buf_add(out, S("No definitions are defined for this project.\n"));
    return 0;
}

static int list_jobs(Compile *c, const ListOptions *o, StrBuf *out)
{
    if (!o->json) {
        jobs_table(&c->plan, out);
        return 0;
    }
    DefsDoc all = defs_doc(&c->plan, NULL), jobs = {.jobs = all.jobs};
    defs_json(&jobs, out);
    return 0;
}

static int list_schedules(Compile *c, const ListOptions *o, StrBuf *out)
{
    if (!o->json) {
        schedules_table(&c->plan, out);
        return 0;
    }
    DefsDoc all = defs_doc(&c->plan, NULL), schedules = {.schedules = all.schedules};
    defs_json(&schedules, out);
    return 0;
}

static int list_envs(Compile *c, const ListOptions *o, StrBuf *out)
{
    static const char *const heads[] = {"Name", "Needed", "Secret", "Set", NULL};
    Plan *plan = &c->plan;
    Table t = table(plan->arena, "Environment variables", heads);
    for (size_t i = 0; i < plan->env.count; i++) {
        const EnvVar *var = &plan->env.items[i];
        bool set = getenv(str_cstr(plan->arena, var->name)) ||
                   map_has(&c->project->dotenv, var->name);
        if (o->json) {
            buf_add(out, i ? S(", {\"name\": ") : S("[{\"name\": "));
            buf_json(out, var->name);
            buf_format(out, ", \"required\": %s, \"secret\": %s, \"set\": %s}",
                       var->required ? "true" : "false", var->secret ? "true" : "false",
                       set ? "true" : "false");
        }
        add(&t, var->name);
        add(&t, var->required ? S("yes") : S("no"));
        add(&t, var->secret ? S("yes") : S(""));
        add(&t, set ? S("yes") : S("no"));
    }
    if (o->json)
        buf_add(out, plan->env.count ? S("]\n") : S("[]\n"));
    else
        table_print(&t, terminal_width(), color_wanted(1), out);
    return 0;
}

static int list_components(const ListOptions *o)
{
    StrBuf text = {0}, *out = &text;
    static const char *const heads[] = {"Type", "Summary", NULL};
    Arena arena;
    Compile types = {0};
    arena_init(&arena, 0);
    project_types(&types, o->project); /* the project's own types, when there is a project */
    Table t = table(&arena, "Component types", heads);
    buf_add(out, o->json ? S("{\"items\": [") : S(""));
    for (size_t i = 0, shown = 0; i < registry_count(); i++) {
        const DgComponent *c = registry_at(i);
        if (c->needs_python) /* known, so that messages are clear, but not to be had */
            continue;
        add(&t, str_from(c->name));
        add(&t, str_from(c->summary));
        if (!o->json)
            continue;
        buf_add(out, shown++ ? S(", {\"key\": ") : S("{\"key\": "));
        buf_json(out, str_from(c->name));
        buf_add(out, S(", \"summary\": "));
        buf_json(out, str_from(c->summary));
        buf_char(out, '}');
    }
    if (o->json)
        buf_add(out, S("]}\n"));
    else
        table_print(&t, terminal_width(), color_wanted(1), out);
    compile_release(&types);
    arena_free(&arena);
    return write_out(out, 0);
}

static const struct {
    const char *name;
    int (*run)(Compile *c, const ListOptions *o, StrBuf *out);
} subjects[] = {{"defs", list_defs}, {"jobs", list_jobs}, {"schedules", list_schedules},
                {"envs", list_envs}};

static int list_subject(Str subject, const ListOptions *o)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        if (!str_eq(subject, str_from(subjects[i].name)))
            continue;
        Compile c = {0};
        StrBuf out = {0};
        CompileOptions options = {.project = o->project};
        int code = 1;
        if (compile_project(&c, &options))
            code = subjects[i].run(&c, o, &out);
        else
            diag_print(&c.diag, 2);
        compile_release(&c);
        return write_out(&out, code);
    }
    fprintf(stderr, "dgc list: there is nothing called `%.*s`; there are defs, components, jobs, "
                    "schedules, envs\n", FMT(subject));
    return dg_status_exit_code(DG_USAGE);
}

int cmd_list(int argc, char **argv)
{
    Arena arena;
    arena_init(&arena, 0);
    ListOptions o = {0};
    StrArray rest = {0};
    const Option options[] = {
        {.name = "--json", .flag = &o.json},
        {.name = "--assets", .letter = 'a', .takes_value = true, .value = &o.select},
        {.name = "--select", .letter = 's', .takes_value = true, .value = &o.select},
    };
    int code = options_read("list", argc, argv, options, sizeof options / sizeof *options, &rest,
                            &arena);
    if (code < 0) {
        Str subject = rest.count ? rest.items[0] : S("defs");
        o.project = rest.count > 1 ? rest.items[1] : (Str){0};
        code = str_eq(subject, S("components")) ? list_components(&o) : list_subject(subject, &o);
    }
    arena_free(&arena);
    return code;
}
