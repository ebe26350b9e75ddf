/* packages.c - the loads of a stream, in its target: listed, and dropped when they were not finished. */
#include "runtime/base/glob.h"
#include "runtime/copy/copy.h"
#include "runtime/os/os.h"

/* `replication/public.orders to orders` is one of stream `public.*`. */
static bool is_ours(Copy *c, Str stream)
{
    Str before = str_format(&c->arena, "%.*s/", FMT(c->step->replication)), to = S(" to ");
    ptrdiff_t end = stream.len - to.len;
    while (end > before.len && !str_starts(str_sub(stream, end, stream.len), to))
        end--;
    if (end <= before.len || !str_starts(stream, before))
        return false;
    Str name = str_sub(stream, before.len, end);
    return str_eq(name, c->name) || glob_match(c->name, name);
}

static DgStatus in_tables(Copy *c, const DgStr *abort, DgList *out, DgError *err)
{
    DgPackages all = {0};
    Array(DgStepPackage) found = {0};
    bool aborted = false;
    DG_TRY(copy_open_end(c, &c->target, err));
    DG_TRY(load_packages(c->target.db, &c->run->arena, c->to.schema, c->run->run->pipeline->name, &all, err));
    for (size_t i = 0; i < all.count; i++) {
        const DgPackage *p = &all.items[i];
        bool this = abort && str_eq(p->package, *abort) && str_eq(p->status, S("loading"));
        if (!is_ours(c, p->stream))
            continue;
        if (this)
            DG_TRY(load_abort(c->target.db, c->to.schema, p->package, err));
        aborted = aborted || this;
        DgStepPackage one = {p->stream, p->table.table, p->package, p->run, p->status, p->rows, p->committed_us};
        if (!this)
            array_add(&c->run->arena, &found, one);
    }
    *out = (DgList){found.items, found.count};
    return abort && !aborted ? DG_END : DG_OK;
}

/* A folder has the load that its manifest names; what others left is removed by the next run. */
static DgStatus in_files(Copy *c, const DgStr *abort, DgList *out, DgError *err)
{
    DgStepPackage *one = push(&c->run->arena, DgStepPackage, 1);
    bool there = false;
    if (abort)
        return DG_END;
    DG_TRY(copy_open_end(c, &c->target, err));
    DG_TRY(copy_files_package(c, one, &there, err));
    *out = (DgList){one, there ? 1 : 0};
    return DG_OK;
}

static DgStatus act(Copy *c, const DgStr *abort, DgList *out, DgError *err)
{
    DG_TRY(copy_resolve_end(c, &c->step->source, &c->source, err));
    DG_TRY(copy_resolve_end(c, &c->step->target, &c->target, err));
    if (conn_must_exist(&c->target.conn, err) != DG_OK) /* no load yet */
        return abort ? DG_END : DG_OK;
    DG_TRY(copy_name_stream(c, err));
    DG_TRY(copy_name_object(c, err));
    return c->target.engine ? in_tables(c, abort, out, err) : in_files(c, abort, out, err);
}

DgStatus copy_stream_packages(DgStepRun *run, const DgStreamStep *step, const DgStr *abort, DgList *packages, DgError *err)
{
    Copy c = {.run = run, .step = step, .s = &step->settings, .started_us = os_real_us()};
    arena_init(&c.arena, 64 << 20);
    *packages = (DgList){0};
    DgStatus status = act(&c, abort, packages, err);
    copy_close_end(&c.target);
    arena_free(&c.arena);
    return status;
}
