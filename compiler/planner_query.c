/* planner_query.c - DgPlanApi: what a component may ask about its fields, files and the project. */
#include <stdio.h>

#include "compiler/planner_impl.h"

#include "runtime/data/infer.h" /* the one part of runtime/data that the compiler stands on */

/* The component that the value of a field refers to: what load_component() gave. */
static const Instance *referred(DgPlanner *p, const void *field)
{
    const PlannerImpl *m = p->impl;
    const DgValue *value = field;
    const DgValue *id = value ? dgv_record_get(*value, S("component_id")) : NULL;
    return id && id->kind == DG_V_STR ? map_get(&m->b->instances, id->as.s) : NULL;
}

DgStr query_refers_to(DgPlanner *p, const void *field)
{
    const Instance *instance = referred(p, field);
    return instance ? str_from(instance->component->name) : (DgStr){0};
}

const void *query_attribute(DgPlanner *p, const void *field, const char *name)
{
    const Instance *instance = referred(p, field);
    if (!instance || !instance->config)
        return NULL;
    for (const DgField *f = instance->component->fields; f && f->name; f++)
        if (str_eq(str_from(f->name), str_from(name)))
            return (const char *)instance->config + f->offset;
    return NULL;
}

bool query_is_set(DgPlanner *p, const void *field)
{
    const PlannerImpl *m = p->impl;
    return builder_place(m->b, field) != NULL;
}

bool query_is_known(DgPlanner *p, const void *field)
{
    const PlannerImpl *m = p->impl;
    const ConfigPlace *place = builder_place(m->b, field);
    return !place || !place->pending;
}

bool query_is_scalar(DgPlanner *p, const void *field)
{
    const PlannerImpl *m = p->impl;
    const ConfigPlace *place = builder_place(m->b, field);
    return place && place->node && place->node->kind != YAML_LIST && place->node->kind != YAML_MAP;
}

void query_report(DgPlanner *p, const char *code, const void *field, const char *help,
                  const char *fmt, ...)
{
    const PlannerImpl *m = p->impl;
    DiagCode c = E0110;
    bool known = diag_code_parse(str_from(code), &c);
    assert(known && "a component reports a code that does not exist");
    (void)known;
    va_list args;
    va_start(args, fmt);
    Str text = str_vformat(m->b->plan->arena, fmt, args);
    va_end(args);
    DiagItem *it = diag_report(m->b->plan->diag, c, planner_at(p, field), "%.*s", FMT(text));
    if (help)
        diag_help(it, "%s", help);
}

/* Where `wrong` stands in what is written at `at`; {0}: not there, or more than once. */
static Span span_within(const Plan *plan, Span at, Str wrong)
{
    const SourceFile *file = sources_file(plan->sources, at.file);
    if (!file || at.end > (size_t)file->text.len || !wrong.len)
        return (Span){0};
    Str text = str_sub(file->text, at.start, at.end);
    ptrdiff_t i = str_find(text, wrong);
    if (i < 0 || str_find(str_sub(text, i + 1, text.len), wrong) >= 0)
        return (Span){0};
    return (Span){at.file, at.start + (uint32_t)i, at.start + (uint32_t)(i + wrong.len)};
}

void query_report_name(DgPlanner *p, const void *field, const char *noun, DgStr wrong,
                       const char *const *names, const char *fmt, ...)
{
    enum { NAMES_SHOWN = 20 };
    const PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    StrArray all = {0};
    StrBuf list = {.max = 4096};
    Span at = planner_at(p, field), part = span_within(plan, at, wrong);
    va_list args;
    va_start(args, fmt);
    Str text = str_vformat(plan->arena, fmt, args);
    va_end(args);
    for (size_t i = 0; names[i]; i++) {
        array_add(plan->arena, &all, str_from(names[i]));
        if (i < NAMES_SHOWN)
            buf_format(&list, "%s%s", i ? ", " : "", names[i]);
    }
    if (all.count > NAMES_SHOWN)
        buf_format(&list, " and %zu more", all.count - NAMES_SHOWN);
    DiagItem *it = diag_report(plan->diag, E0110, part.file ? part : at, "%.*s", FMT(text));
    Str near = diag_nearest(plan->arena, wrong, all.items, all.count);
    if (part.file)
        diag_suggest(it, part, noun, wrong, all.items, all.count);
    else if (near.len)
        diag_help(it, "a similar %s exists: `%.*s`", noun, FMT(near));
    diag_note(it, "%ss: %.*s", noun, FMT(buf_str(&list)));
    buf_free(&list);
}

void *query_alloc(DgPlanner *p, size_t bytes)
{
    const PlannerImpl *m = p->impl;
    return arena_push(m->b->plan->arena, 1, _Alignof(max_align_t), bytes ? bytes : 1);
}

DgStr query_format(DgPlanner *p, const char *fmt, ...)
{
    const PlannerImpl *m = p->impl;
    va_list args;
    va_start(args, fmt);
    Str text = str_vformat(m->b->plan->arena, fmt, args);
    va_end(args);
    return text;
}

DgStr query_resolve(DgPlanner *p, const void *field, DgStr path)
{
    const PlannerImpl *m = p->impl;
    Str out;
    if (path_resolve(m->b->plan->arena, m->b->root, m->instance->folder, path, &out))
        return out;
    diag_help(diag_report(m->b->plan->diag, E0704, planner_at(p, field),
                          "`%.*s` leads out of the project", FMT(path)),
              "paths are relative to `%.*s`; an absolute path may be anywhere",
              FMT(m->instance->folder.len ? m->instance->folder : S(".")));
    return path;
}

DgList query_glob(DgPlanner *p, DgStr pattern)
{
    const PlannerImpl *m = p->impl;
    DgError err = {0};
    StrArray found = glob_files(m->b->plan->arena, m->b->root, pattern, &err);
    if (err.status != DG_OK)
        diag_report(m->b->plan->diag, E0703, m->at, "%s", err.message);
    return (DgList){found.items, found.count};
}

static Str disk_path(const PlannerImpl *m, Str path)
{
    if (path.len && path.ptr[0] == '/')
        return str_copy(m->b->plan->arena, path);
    return str_format(m->b->plan->arena, "%.*s/%.*s", FMT(m->b->root), FMT(path));
}

bool query_file_read(DgPlanner *p, DgStr path, size_t bytes_max, DgStr *text)
{
    const PlannerImpl *m = p->impl;
    FILE *file = fopen(str_cstr(m->b->plan->arena, disk_path(m, path)), "rb");
    if (!file)
        return false;
    size_t capacity = 4096, count = 0;
    char *bytes = push(m->b->plan->arena, char, capacity);
    for (;;) {
        count += fread(bytes + count, 1, capacity - count, file);
        if (count < capacity || count >= bytes_max)
            break;
        char *larger = push(m->b->plan->arena, char, capacity * 2);
        memcpy(larger, bytes, count);
        bytes = larger;
        capacity *= 2;
    }
    bool ok = !ferror(file);
    fclose(file);
    *text = (Str){bytes, (ptrdiff_t)(count < bytes_max ? count : bytes_max)};
    return ok;
}

/* What a file says of itself. When it cannot be told from the file, the run will see; that this
 * machine has not let us look is said. */
static bool known(const PlannerImpl *m, Str path, DgStatus status, const DgError *err)
{
    if (status == DG_NOMEM || status == DG_IO || status == DG_TEMPFAIL || status == DG_CONFIG)
        diag_report(m->b->plan->diag, E0703, m->at, "could not look into `%.*s`: %s", FMT(path),
                    err->message);
    return status == DG_OK;
}

bool query_sniff(DgPlanner *p, DgStr path, DgCsvDialect *dialect)
{
    const PlannerImpl *m = p->impl;
    DgError err = {0};
    return known(m, path, dg_sniff_csv(m->b->plan->arena, disk_path(m, path), dialect, &err), &err);
}

bool query_infer(DgPlanner *p, DgStr path, DgStr format, const DgColumn **columns, int32_t *count)
{
    const PlannerImpl *m = p->impl;
    DgError err = {0};
    return known(m, path, dg_infer_columns(m->b->plan->arena, disk_path(m, path), format, columns,
                                           count, &err), &err);
}

DgStr query_folder(DgPlanner *p)
{
    return ((const PlannerImpl *)p->impl)->instance->folder;
}

DgStr query_instance(DgPlanner *p)
{
    return ((const PlannerImpl *)p->impl)->instance->id;
}
