/* cmd_init.c - `dgc init`: a new project that already runs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "compiler/cmd.h"
#include "compiler/scaffold.h"
#include "compiler/schema.h"

/* A folder that is not there, or has nothing in it but dot files. */
static bool folder_free(Arena *a, Str folder)
{
    DIR *d = opendir(str_cstr(a, folder));
    bool free_ = d || errno == ENOENT;
    for (struct dirent *e; d && (e = readdir(d));)
        free_ = free_ && e->d_name[0] == '.';
    if (d)
        closedir(d);
    return free_;
}

static Str base_name(Str path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, i, path.len);
}

static bool name_good(Str name)
{
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(i && ((c >= '0' && c <= '9') || c == '-' || c == '_')))
            return false;
    }
    return name.len > 0;
}

static DgStatus write_project(Arena *a, const ScaffoldTemplate *t, Str folder, Str name,
                              DgError *err)
{
    Str module = str_replace(a, str_lower(a, name), S("-"), S("_"));
    for (const ScaffoldFile *f = t->files; f->path; f++) {
        Str path = str_replace(a, str_from(f->path), S("{module}"), module);
        Str text = str_replace(a, str_from(f->text), S("{name}"), name);
        text = str_replace(a, text, S("{module}"), module);
        DG_TRY(scaffold_write(a, str_format(a, "%.*s/%.*s", FMT(folder), FMT(path)), text, false,
                              err));
    }
    StrBuf schema = {0};
    schema_all(&schema);
    DgStatus status = scaffold_write(a, str_format(a, "%.*s/.dgc/schema.json", FMT(folder)),
                                     buf_str(&schema), true, err);
    buf_free(&schema);
    return status;
}

static const ScaffoldTemplate *find_template(Str name)
{
    const ScaffoldTemplate *t = scaffold_templates;
    for (; t->name; t++)
        if (!name.len || str_eq(name, str_from(t->name)))
            return t;
    fprintf(stderr, "dgc init: there is no template `%.*s`; there are:\n", FMT(name));
    for (t = scaffold_templates; t->name; t++)
        fprintf(stderr, "  %-8s  %s\n", t->name, t->summary);
    return NULL;
}

int cmd_init(int argc, char **argv)
{
    Arena arena;
    Str template = {0};
    StrArray rest = {0};
    DgError err = {0};
    arena_init(&arena, 0);
    const Option options[] = {
        {.name = "--template", .letter = 't', .takes_value = true, .value = &template},
    };
    int code = options_read("init", argc, argv, options, 1, &rest, &arena);
    if (code >= 0)
        return code;
    if (rest.count != 1) {
        command_usage(command_find("init"), true);
        return 2;
    }
    const ScaffoldTemplate *t = find_template(template);
    Str folder = rest.items[0], name = base_name(folder);
    if (!t)
        return 2;
    if (!name_good(name)) {
        fprintf(stderr, "dgc init: `%.*s` cannot be a project's name\n"
                        "  use letters, digits, `-` and `_`, a letter first\n", FMT(name));
        return 2;
    }
    if (!folder_free(&arena, folder)) {
        fprintf(stderr, "dgc init: path `%.*s` already exists and is not an empty folder\n",
                FMT(folder));
        return dg_status_exit_code(DG_CANTCREATE);
    }
    DgStatus status = write_project(&arena, t, folder, name, &err);
    if (status != DG_OK) {
        fprintf(stderr, "dgc init: %s\n", err.message);
        return dg_status_exit_code(status);
    }
    printf("made the project `%.*s`; next:\n\n  cd %.*s\n  dgc check\n  dgc run\n", FMT(name),
           FMT(folder));
    return 0;
}
