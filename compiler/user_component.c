/* user_component.c - a project's own component types: found, compiled, checked, guarded. */
#include "compiler/user_component.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

#include "compiler/project.h"
#include "compiler/registry.h"

enum { FIELDS_MAX = 1000 };

static UserComponentCompile *compile_file;

void user_component_compiler(UserComponentCompile *compile)
{
    compile_file = compile;
}

/* ---- A crash in a user's code comes back as a value ---- */

static sigjmp_buf crash_return;
static volatile sig_atomic_t crash_guarded;
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof *crash_signals };

static void on_crash(int number)
{
    if (crash_guarded)
        siglongjmp(crash_return, number);
    signal(number, SIG_DFL);
    raise(number);
}

/* Calls fn(ctx); the signal that ended it, or 0. Endless recursion is caught too: the handler has a
 * stack of its own. */
static int call_guarded(void (*fn)(void *ctx), void *ctx)
{
    static char stack[64 << 10];
    struct sigaction before[CRASH_SIGNALS];
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack}, old;
    sigaltstack(&own, &old);
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CRASH_SIGNALS; i++)
        sigaction(crash_signals[i], &action, &before[i]);
    crash_guarded = 1;
    int number = sigsetjmp(crash_return, 1);
    if (number == 0)
        fn(ctx);
    crash_guarded = 0;
    for (int i = 0; i < CRASH_SIGNALS; i++)
        sigaction(crash_signals[i], &before[i], NULL);
    sigaltstack(&old, NULL);
    return number;
}

/* ---- Reporting ---- */

/* The whole line, without the blanks before it. */
static Span span_of_line(const Sources *s, uint32_t file, int64_t line)
{
    const SourceFile *f = sources_file(s, file);
    if (!f || line < 1 || line > f->lines_count)
        return (Span){file, 0, 0};
    Str text = sources_line(s, file, (uint32_t)line), trimmed = str_trim(text);
    uint32_t start = f->lines[line - 1] + (uint32_t)(trimmed.len ? trimmed.ptr - text.ptr : 0);
    return (Span){file, start, start + (uint32_t)trimmed.len};
}

/* Where a name stands first, as a whole word. */
static Span span_of_name(const Sources *s, uint32_t file, Str name)
{
    Str text = sources_file(s, file)->text;
    for (ptrdiff_t at = 0, found; name.len && (found = str_find(str_sub(text, at, text.len), name)) >= 0;) {
        ptrdiff_t start = at + found, end = start + name.len;
        bool inside = (start > 0 && strchr("_abcdefghijklmnopqrstuvwxyz", text.ptr[start - 1])) ||
                      (end < text.len && strchr("_abcdefghijklmnopqrstuvwxyz", text.ptr[end]));
        if (!inside)
            return (Span){file, (uint32_t)start, (uint32_t)end};
        at = end;
    }
    return (Span){file, 0, 0};
}

/* What stands between the first pair of these quotes. */
static Str quoted_in(Str text, char quote)
{
    Str before, rest, name, after;
    return str_cut(text, quote, &before, &rest) && str_cut(rest, quote, &name, &after) ? name : (Str){0};
}

/* "components/x.c:12: error: ';' expected" */
static void report_complaint(Compile *c, uint32_t file, Str shown, Str complaint)
{
    Span at = {file, 0, 0};
    Str number, rest, message = complaint;
    int64_t line;
    if (str_starts(complaint, shown) && complaint.len > shown.len + 1 &&
        str_cut(str_sub(complaint, shown.len + 1, complaint.len), ':', &number, &rest) &&
        str_to_int(number, &line)) {
        at = span_of_line(&c->sources, file, line);
        message = str_trim(rest);
    }
    if (str_starts(message, S("tcc:")))
        message = str_trim(str_sub(message, 4, message.len));
    if (str_starts(message, S("error:")))
        message = str_trim(str_sub(message, 6, message.len));
    if (str_starts(message, S("undefined symbol")))
        at = span_of_name(&c->sources, file, quoted_in(message, '\''));
    else if (str_starts(message, S("the DgStepOps")))
        at = span_of_name(&c->sources, file, S("DgStepOps dg"));
    DiagItem *it = diag_report(&c->diag, E0801, at, "%.*s", FMT(message));
    if (str_find(message, S("include file")) >= 0 && str_find(message, S("not found")) >= 0)
        diag_help(it, "dgc has the headers \"runtime/component.h\" and \"runtime/dgc.h\"; those of libc "
                      "need the package libc6-dev");
    else if (str_find(message, S("undefined symbol")) >= 0)
        diag_help(it, "a component may call what \"runtime/component.h\" declares, and libc");
}

/* ---- Descriptors ---- */

typedef struct FieldCheck {
    const DgComponent *component;
    const char *wrong; /* what is; NULL: nothing */
    const char *name;
} FieldCheck;

/* Touches all that dgc will read later. */
static void check_fields(void *ctx)
{
    FieldCheck *check = ctx;
    const DgComponent *component = check->component;
    size_t n = 0, total = strlen(component->name);
    for (const DgField *f = component->fields; f->name; f++, n++) {
        check->name = f->name;
        total += strlen(f->name) + (f->doc ? strlen(f->doc) : 0);
        if (n == FIELDS_MAX)
            check->wrong = "has no end: its last row must be {0}";
        else if (f->kind > DG_F_CODE)
            check->wrong = "is of no kind that there is";
        else if (f->offset >= component->config_size)
            check->wrong = "lies outside of the config struct (.config_size)";
        if (check->wrong)
            return;
    }
    (void)total;
}

static bool descriptor_good(Compile *c, const DgComponent *component, Span at)
{
    FieldCheck check = {.component = component};
    if (call_guarded(check_fields, &check) != 0)
        check.wrong = "cannot be read";
    if (!check.wrong)
        return true;
    diag_report(&c->diag, E0801, at, "the field table of `%s` is not well formed: `%s` %s",
                component->name, check.name ? check.name : "?", check.wrong);
    return false;
}

/* ---- Loading ---- */

static Str address_key(Arena *a, const void *address)
{
    return str_format(a, "%p", address);
}

static void remember(Compile *c, const DgComponent *component, Str shown)
{
    Str *path = push(&c->arena, Str, 1);
    *path = shown;
    map_put(&c->arena, &c->plan.user_code, address_key(&c->arena, component), path);
    for (const DgStepOps *const *ops = component->steps; ops && *ops; ops++)
        map_put(&c->arena, &c->plan.user_code, address_key(&c->arena, *ops), path);
}

static void load_one(Compile *c, Str shown)
{
    DgError err = {0};
    UserSource source = {str_format(&c->arena, "%.*s/%.*s", FMT(c->project->root), FMT(shown)), shown};
    UserModule module = {0};
    array_add(&c->arena, &c->project->files, shown);
    uint32_t file = sources_load(&c->sources, shown, source.path, &err);
    if (!file) {
        diag_report(&c->diag, E0703, (Span){0}, "%.*s: %s", FMT(shown), err.message);
        return;
    }
    compile_file(&c->arena, &source, &module);
    if (module.complaints.count)
        array_add(&c->arena, &c->plan.broken_code, sources_file(&c->sources, file)->text);
    for (size_t i = 0; i < module.complaints.count; i++)
        report_complaint(c, file, shown, module.complaints.items[i]);
    for (size_t i = 0; !module.complaints.count && i < module.components.count; i++) {
        const DgComponent *component = module.components.items[i];
        Span at = {file, 0, 0};
        if (!descriptor_good(c, component, at))
            continue;
        if (registry_add(component))
            remember(c, component, shown);
        else
            diag_help(diag_report(&c->diag, E0801, at, "there is a component type `%s` already",
                                  component->name),
                      "give yours a prefix of its own: \"%s.NAME\"", "acme");
    }
}

void user_components_settle(Compile *c)
{
    Diag *d = &c->diag;
    size_t kept = 0;
    for (size_t i = 0; i < d->items.count; i++) {
        DiagItem *it = d->items.items[i];
        bool follows = false;
        for (size_t k = 0; it->code == E0109 && k < c->plan.broken_code.count; k++)
            follows |= str_find(c->plan.broken_code.items[k],
                                str_format(&c->arena, "\"%.*s\"", FMT(quoted_in(it->message, '`')))) >= 0;
        if (follows)
            d->errors_count--;
        else
            d->items.items[kept++] = it;
    }
    d->items.count = kept;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

void user_components_load(Compile *c)
{
    Arena *a = &c->arena;
    StrArray files = {0};
    registry_forget_added(); /* of the project read before, or of this one, before a change */
    DIR *d = compile_file ? opendir(str_cstr(a, str_format(a, "%.*s/components", FMT(c->project->root))))
                          : NULL;
    int number = compile_file && !d && errno != ENOENT && errno != ENOTDIR ? errno : 0;
    errno = 0;
    for (struct dirent *e; d && (e = readdir(d)); errno = 0)
        if (e->d_name[0] != '.' && str_ends(str_from(e->d_name), S(".c")))
            array_add(a, &files, str_format(a, "components/%s", e->d_name));
    if (d)
        number = errno;
    if (number)
        diag_report(&c->diag, E0703, (Span){0}, "could not read the folder `components`: %s",
                    strerror(number));
    if (d)
        closedir(d);
    if (files.count)
        qsort(files.items, files.count, sizeof *files.items, by_text);
    for (size_t i = 0; i < files.count; i++)
        load_one(c, files.items[i]);
}

/* ---- Use ---- */

static const Str *source_of(const Plan *plan, const void *address)
{
    return map_get(&plan->user_code, address_key(plan->arena, address));
}

bool user_component_is(const Plan *plan, const DgComponent *component)
{
    return source_of(plan, component) != NULL;
}

typedef struct PlanCall {
    Builder *b;
    const Instance *instance;
} PlanCall;

static void call_plan(void *ctx)
{
    PlanCall *call = ctx;
    builder_plan(call->b, call->instance);
}

void user_component_plan(Builder *b, const Instance *instance)
{
    PlanCall call = {b, instance};
    int number = call_guarded(call_plan, &call);
    if (number == 0)
        return;
    const YamlNode *type = yaml_get(instance->document, S("type"));
    const Str *source = source_of(b->plan, instance->component);
    DiagItem *it = diag_report(b->plan->diag, E0801, type ? type->at : (Span){0},
                               "plan() of `%s` crashed: %s", instance->component->name,
                               strsignal(number));
    diag_set_label(it, "planned from here");
    diag_help(it, "look for a NULL pointer or an array without its end in `%.*s`", FMT(*source));
}

void user_components_needed(Plan *plan)
{
    Map seen = {0};
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Str *source = source_of(plan, plan->steps.items[i]->ops);
        if (!source || map_has(&seen, *source))
            continue;
        map_put(plan->arena, &seen, *source, plan);
        array_add(plan->arena, &plan->user_sources, *source);
    }
    if (plan->user_sources.count)
        qsort(plan->user_sources.items, plan->user_sources.count, sizeof(Str), by_text);
}
