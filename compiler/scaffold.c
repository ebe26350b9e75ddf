/* scaffold.c - component files and component types to begin with. */
#include "compiler/scaffold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/registry.h"

/* ---- Component files ---- */

/* YAML text for a value that the descriptor has no example of. */
static const char *dummy(const DgField *f)
{
    switch (f->kind) {
    case DG_F_INT: case DG_F_FLOAT: return "1";
    case DG_F_BOOL: return "false";
    case DG_F_DURATION: return "5m";
    case DG_F_SIZE: return "64MB";
    case DG_F_TIMESTAMP: return "2024-01-01";
    case DG_F_ENUM: return f->choices[0];
    case DG_F_PATH: return "path/of/file";
    case DG_F_ASSET_KEY: return "group/name";
    case DG_F_SELECTION: return "\"*\"";
    case DG_F_CRON: return "\"0 2 * * *\"";
    case DG_F_COLUMN_TYPE: return "varchar";
    case DG_F_SECRET: return "\"{{ env('TOKEN') }}\"";
    case DG_F_LIST: return "[]";
    case DG_F_MAP: return "{}";
    default: return "...";
    }
}

static Str value_text(const DgField *f)
{
    if (f->example)
        return str_from(f->example);
    return str_from(f->fallback ? f->fallback : dummy(f));
}

/* `key: text`; an example of several lines becomes a block below the key. */
static void add_entry(StrBuf *out, int indent, bool comment, const char *key, Str text)
{
    const char *mark = comment ? "# " : "";
    text = str_trim(text);
    if (str_find_char(text, '\n') < 0) {
        buf_format(out, "%*s%s%s: %.*s\n", indent, "", mark, key, FMT(text));
        return;
    }
    buf_format(out, "%*s%s%s:\n", indent, "", mark, key);
    for (Str rest = text, line; rest.len;) {
        str_cut(rest, '\n', &line, &rest);
        buf_format(out, "%*s%s  %.*s\n", indent, "", mark, FMT(line));
    }
}

/* The first sentence of the documentation, and how the value is written. */
static void add_doc(StrBuf *out, int indent, const DgField *f)
{
    static const char *const kinds[] = {
#define X(name, text, ctype) [name] = text,
        DG_FIELD_KINDS(X)
#undef X
    };
    buf_format(out, "%*s# %s (%s", indent, "", f->doc ? f->doc : f->name, kinds[f->kind]);
    if (f->kind == DG_F_ENUM)
        for (size_t i = 0; f->choices[i]; i++)
            buf_format(out, "%s%s", i ? ", " : ": ", f->choices[i]);
    buf_format(out, "%s)\n", f->flags & DG_REQUIRED ? ", required" : "");
}

static void add_struct(StrBuf *out, const DgField *f, int indent)
{
    bool any = false;
    for (const DgField *x = f->of; x && x->name; x++) {
        if (!(x->flags & DG_REQUIRED))
            continue;
        if (!any)
            buf_format(out, "%*s%s:\n", indent, "", f->name);
        add_entry(out, indent + 2, false, x->name, value_text(x));
        any = true;
    }
    if (!any)
        buf_format(out, "%*s%s: {}\n", indent, "", f->name);
}

static const ScaffoldParam *param_of(const ScaffoldParams *params, const char *name)
{
    for (size_t i = 0; params && i < params->count; i++)
        if (str_eq(params->items[i].name, str_from(name)))
            return &params->items[i];
    return NULL;
}

/* What it makes is shown even where it could be left out: one of `assets` and `checks` must be. */
static bool wanted_field(const DgField *f)
{
    return (f->flags & (DG_REQUIRED | DG_SUGGESTED)) ||
           (f->example && (strcmp(f->name, "asset") == 0 || strcmp(f->name, "assets") == 0));
}

static void add_field(StrBuf *out, const DgField *f, const ScaffoldParams *params)
{
    const ScaffoldParam *given = param_of(params, f->name);
    bool wanted = given || wanted_field(f);
    if (f->kind == DG_F_CODE || (!wanted && (f->flags & (DG_ADVANCED | DG_DEPRECATED))))
        return;
    add_doc(out, 2, f);
    if (given)
        add_entry(out, 2, false, f->name, given->value);
    else if (wanted && f->kind == DG_F_STRUCT && !f->example)
        add_struct(out, f, 2);
    else
        add_entry(out, 2, !wanted, f->name, value_text(f));
}

void scaffold_defs(const DgComponent *c, const ScaffoldParams *params, Str schema, StrBuf *out)
{
    bool any = params && params->count;
    if (schema.len)
        buf_format(out, "# yaml-language-server: $schema=%.*s\n", FMT(schema));
    buf_format(out, "# %s\ntype: %s\n", c->summary, c->name);
    for (const DgField *f = c->fields; f && f->name; f++)
        any = any || wanted_field(f);
    if (c->fields && c->fields->name)
        buf_add(out, any ? S("attributes:\n") : S("attributes: {}\n"));
    for (const DgField *f = c->fields; f && f->name; f++)
        if (wanted_field(f) || param_of(params, f->name))
            add_field(out, f, params);
    for (const DgField *f = c->fields; f && f->name; f++)
        if (!wanted_field(f) && !param_of(params, f->name))
            add_field(out, f, params);
}

/* ---- Files ---- */

static DgStatus make_folders(Arena *a, Str path, DgError *err)
{
    for (ptrdiff_t i = 1; i < path.len; i++) {
        if (path.ptr[i] != '/')
            continue;
        const char *folder = str_cstr(a, str_sub(path, 0, i));
        if (mkdir(folder, 0777) != 0 && errno != EEXIST && errno != EISDIR)
            return dg_fail(err, DG_CANTCREATE, "could not make the folder `%s`: %s", folder,
                           strerror(errno));
    }
    return DG_OK;
}

DgStatus scaffold_write(Arena *a, Str path, Str text, bool replace, DgError *err)
{
    const char *name = str_cstr(a, path);
    DG_TRY(make_folders(a, path, err));
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_EXCL), 0666);
    if (fd < 0 && errno == EEXIST)
        return dg_fail(err, DG_CANTCREATE, "path `%s` already exists", name);
    if (fd < 0)
        return dg_fail(err, DG_CANTCREATE, "could not create `%s`: %s", name, strerror(errno));
    ptrdiff_t at = 0;
    while (at < text.len) {
        ssize_t n = write(fd, text.ptr + at, (size_t)(text.len - at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += n;
    }
    int number = errno;
    if (close(fd) != 0 || at < text.len)
        return dg_fail(err, DG_IO, "could not write `%s`: %s", name, strerror(number));
    return DG_OK;
}

/* ---- Types by part of their name ---- */

static bool contains_nocase(Str text, Str part)
{
    for (ptrdiff_t i = 0; i + part.len <= text.len; i++)
        if (str_eq_nocase(str_sub(text, i, i + part.len), part))
            return true;
    return false;
}

const DgComponent *scaffold_find_type(const char *command, Str name)
{
    const DgComponent *found = registry_find(name, NULL), *near = NULL;
    size_t count = 0;
    int best = 4;
    if (found)
        return found;
    for (size_t i = 0; name.len && i < registry_count(); i++) {
        const DgComponent *c = registry_at(i);
        int d = str_distance(name, str_from(c->name), best - 1);
        if (d < best) {
            best = d;
            near = c;
        }
        if (!c->needs_python && contains_nocase(str_from(c->name), name)) {
            found = c;
            count++;
        }
    }
    if (count == 1) {
        fprintf(stderr, "dgc %s: `%.*s` is read as %s\n", command, FMT(name), found->name);
        return found;
    }
    fprintf(stderr, "dgc %s: there is no component type `%.*s`\n", command, FMT(name));
    if (count > 1) {
        fputs("  these have it in their names:\n", stderr);
        for (size_t i = 0; i < registry_count(); i++)
            if (!registry_at(i)->needs_python &&
                contains_nocase(str_from(registry_at(i)->name), name))
                fprintf(stderr, "    %s\n", registry_at(i)->name);
    } else if (near) {
        fprintf(stderr, "  a similar type exists: %s\n", near->name);
    } else {
        fputs("  `dgc list components` shows them all\n", stderr);
    }
    return NULL;
}
