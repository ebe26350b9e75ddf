/* compile.c - from a project folder to a checked plan: the passes, in order.
 *
 *   find, load       project.c, project_load.c   files become instances of components
 *   components       user_component.c            the project's own component types
 *   resolve          pass_resolve.c              attributes become config structs
 *   plan             planner.c                   components declare assets, steps, jobs
 *   post_process     post_process.c              post_processing of files and folders
 *   sql              sql/                        refs in SQL become dependencies
 *   connect          pass_connect.c              keys become assets
 *   partition, order pass_partition.c, pass_order.c
 *   type             sql/, rows.c                columns flow through SQL and row programs
 *   check            pass_check.c                jobs, schedules; env_check.c
 *   prune            pass_prune.c                what is not reachable vanishes
 */
#include "compiler/compile.h"

#include "compiler/pass.h"
#include "compiler/project.h"
#include "compiler/rows.h"
#include "compiler/sql/sql.h"
#include "compiler/text_unit.h"
#include "compiler/user_component.h"
#include "runtime/base/sha256.h"

/* ---- context.load_component(...) ---- */

static const Instance *instance_at(const Builder *b, Str path)
{
    Str folder, number;
    if (!path.len || path.ptr[path.len - 1] != ']' || !str_cut(path, '[', &folder, &number)) {
        folder = path;
        number = S("0]");
    }
    static const char *const names[] = {"defs.yaml", "defs.yml", "component.yaml"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Str id = str_format(b->plan->arena, "%.*s/%s[%.*s", FMT(folder), names[i], FMT(number));
        const Instance *found = map_get(&b->instances, id);
        if (found)
            return found;
    }
    return NULL;
}

/* Paths are relative to the defs folder; the older form also to the component's own folder. */
static DgStatus load_component(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out,
                               DgError *err)
{
    const Builder *b = ctx;
    if (args->count < 1 || args->items[0].kind != DG_V_STR)
        return dg_fail(err, DG_DATA, "load_component() takes the path of a component's folder");
    Str path = args->items[0].as.s, resolved;
    const Instance *found = NULL;
    if (path_resolve(ev->arena, b->root, b->defs, path, &resolved))
        found = instance_at(b, resolved);
    if (!found && b->current && path_resolve(ev->arena, b->root, b->current->folder, path, &resolved))
        found = instance_at(b, resolved);
    if (!found) {
        dg_fail(err, DG_DATA, "there is no component at `%.*s`", FMT(path));
        dg_hint(err, "the path is that of a folder with a defs.yaml, from `%.*s`", FMT(b->defs));
        return DG_DATA;
    }
    DgValue fields = dg_new_dict(ev);
    dg_put_str(ev, fields, "component_id", dgv_from_str(found->id));
    *out = dg_record(ev->arena, found->component->name, fields, NULL);
    return DG_OK;
}

/* ---- Names that are known when a step runs; runtime/run/scope.c answers ---- */

static Scope *run_names(Arena *arena)
{
    static const char *const names[] = {
        "partition_key", "partition_key_range", "partition_time_window", "partition_range_start",
        "partition_range_end", "run_id", "run_started_at", "full_refresh", "job_name", "step_name",
        "retry_number",
    };
    Scope *scope = scope_new(arena, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        scope_later(scope, str_from(names[i]), PHASE_RUN);
    return scope;
}

/* ---- Fingerprint: the same files give the same ---- */

static Str fingerprint(const Compile *c)
{
    Sha256 sum;
    sha256_init(&sum);
#ifdef DGC_VERSION
    sha256_add(&sum, S("dgc " DGC_VERSION "\n"));
#endif
    for (size_t i = 1; i < c->sources.files.count; i++) {
        const SourceFile *file = &c->sources.files.items[i];
        sha256_add(&sum, file->path);
        sha256_add(&sum, (Str){"\0", 1});
        sha256_add(&sum, file->text);
        sha256_add(&sum, (Str){"\0", 1});
    }
    for (size_t i = 0; i < c->plan.build_env.count; i++) {
        const BuildEnv *var = &c->plan.build_env.items[i];
        sha256_add(&sum, var->name);
        sha256_add(&sum, (Str){"=", 1});
        sha256_add(&sum, var->value);
        sha256_add(&sum, (Str){"\0", 1});
    }
    char hex[65];
    sha256_hex(&sum, hex);
    return str_copy(c->plan.arena, str_from(hex));
}

/* ---- Only some files ---- */

static bool wanted(const Compile *c, const StrArray *paths, Span at)
{
    const SourceFile *file = at.file ? sources_file(&c->sources, at.file) : NULL;
    if (!file)
        return true; /* about the project as a whole */
    for (size_t i = 0; i < paths->count; i++) {
        Str path = paths->items[i];
        while (str_starts(path, S("./")))
            path = str_sub(path, 2, path.len);
        while (path.len && path.ptr[path.len - 1] == '/')
            path.len--;
        if (!path.len || str_eq(path, S(".")) || str_eq(file->path, path) ||
            str_eq(file->disk_path, path))
            return true;
        if ((str_starts(file->path, path) && file->path.ptr[path.len] == '/') ||
            (str_starts(file->disk_path, path) && file->disk_path.ptr[path.len] == '/'))
            return true;
    }
    return false;
}

static void keep_paths(Compile *c, const StrArray *paths)
{
    size_t kept = 0;
    c->diag.errors_count = c->diag.warnings_count = 0;
    for (size_t i = 0; i < c->diag.items.count; i++) {
        DiagItem *it = c->diag.items.items[i];
        if (!wanted(c, paths, it->at))
            continue;
        c->diag.items.items[kept++] = it;
        c->diag.errors_count += it->level == DIAG_ERROR;
        c->diag.warnings_count += it->level == DIAG_WARNING;
    }
    c->diag.items.count = kept;
}

/* ---- The passes ---- */

static void settle_needs(Plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        plan->needs_duckdb |= plan->steps.items[i]->ops && !plan->steps.items[i]->ops->no_warehouse;
}

static void plan_instance(Builder *b, const Instance *instance)
{
    if (user_component_is(b->plan, instance->component))
        user_component_plan(b, instance);
    else
        builder_plan(b, instance);
}

/* While parts of the project could not be planned, a name that is not found may be theirs: what
 * has been said since `from` about unknown names is taken back. */
static void forgive_unknown_names(Plan *plan, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < plan->diag->items.count; i++) {
        DiagItem *it = plan->diag->items.items[i];
        bool unknown_table = it->code == E0403 && str_starts(it->message, S("table "));
        if (it->code == E0202 || unknown_table || (it->code == E0603 && str_starts(it->message, S("there is no "))))
            plan->diag->errors_count--;
        else
            plan->diag->items.items[kept++] = it;
    }
    plan->diag->items.count = kept;
}

static void run_passes(Compile *c, Builder *b, const CompileOptions *o)
{
    Plan *plan = &c->plan;
    Instance *const *instances = c->project->instances.items;
    size_t count = c->project->instances.count;
    pass_resolve(b, instances, count);
    for (size_t i = 0; i < count; i++)
        if (instances[i]->config)
            plan_instance(b, instances[i]);
    pass_post_process(plan, instances, count);
    size_t said = plan->diag->items.count;
    bool incomplete = diag_failed(plan->diag);
    sql_units_resolve(plan);
    pass_connect(plan);
    pass_reads(plan);
    if (incomplete)
        forgive_unknown_names(plan, said);
    pass_partition(plan);
    if (pass_order(plan)) { /* the rest relies on there being an order */
        said = plan->diag->items.count;
        incomplete = diag_failed(plan->diag);
        sql_units_check(plan, o->check_sql);
        texts_check(plan);
        if (incomplete)
            forgive_unknown_names(plan, said);
    }
    pass_check(plan);
    if (o->check_env)
        pass_env(plan, c->project);
    if (o->lineage && !diag_failed(plan->diag))
        sql_units_lineage(plan);
    if (!diag_failed(plan->diag))
        pass_prune(plan, o->select, o->job);
    settle_needs(plan);
    user_components_needed(plan);
    plan->fingerprint = fingerprint(c);
}

bool compile_project(Compile *c, const CompileOptions *o)
{
    arena_init(&c->arena, 0);
    sources_init(&c->sources, &c->arena);
    diag_init(&c->diag, &c->arena, &c->sources);
    Plan *plan = &c->plan;
    *plan = (Plan){.arena = &c->arena, .diag = &c->diag, .sources = &c->sources};
    Builder *b = push(&c->arena, Builder, 1);
    if (project_find(c, o->project)) {
        Project *p = c->project;
        plan->name = p->name;
        plan->root = p->root;
        builder_init(b, plan, p->root);
        b->defs = p->defs;
        DagsterScope dagster = {.project_root = p->root, .load_component = load_component,
                                .ctx = b};
        p->names = scope_dagster(&c->arena, run_names(&c->arena), &dagster);
        bool env_good = build_env_read(c);
        build_env_scope(plan, p->names);
        user_components_load(c);
        project_load(c);
        user_components_settle(c);
        if (env_good) /* else every message would be about names that nobody wrote */
            run_passes(c, b, o);
    }
    if (o->paths.count)
        keep_paths(c, &o->paths);
    return !diag_failed(&c->diag);
}

void compile_release(Compile *c)
{
    arena_free(&c->arena);
    *c = (Compile){0};
}
