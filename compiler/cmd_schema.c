/* cmd_schema.c - `dgc schema`: JSON Schema for editors and other checkers. */
#include <stdio.h>
#include <sys/stat.h>

#include "compiler/cmd.h"
#include "compiler/project.h"
#include "compiler/registry.h"
#include "compiler/scaffold.h"
#include "compiler/schema.h"

/* The project's own types belong to the schema too; without a project dgc's own will do. */
static bool read_types(Compile *c, Str project)
{
    if (project_types(c, project) || !project.len)
        return true;
    diag_print(&c->diag, 2);
    return false;
}

static int write_schema(const Compile *c, Str to, const StrBuf *text)
{
    DgError err = {0};
    Arena arena;
    if (str_eq(to, S("-"))) {
        fwrite(text->ptr, 1, text->len, stdout);
        return 0;
    }
    arena_init(&arena, 1 << 20);
    bool in_project = c->project && c->project->defs.len;
    Str path = to;
    if (!to.len)
        path = str_format(&arena, "%.*s%s.dgc/schema.json",
                          FMT(in_project ? c->project->root : S("")), in_project ? "/" : "");
    DgStatus status = scaffold_write(&arena, path, buf_str(text), true, &err);
    if (status != DG_OK)
        fprintf(stderr, "dgc schema: %s\n", err.message);
    else
        printf("%.*s\n", FMT(path));
    arena_free(&arena);
    return dg_status_exit_code(status);
}

int cmd_schema(int argc, char **argv)
{
    Arena arena;
    Str to = {0}, project = {0};
    StrArray rest = {0};
    arena_init(&arena, 0);
    const Option options[] = {
        {.name = "--output", .letter = 'o', .takes_value = true, .value = &to},
        {.name = "--project", .takes_value = true, .value = &project},
    };
    int code = options_read("schema", argc, argv, options, sizeof options / sizeof *options, &rest,
                            &arena);
    if (code >= 0)
        return code;
    if (rest.count > 1) {
        command_usage(command_find("schema"), true);
        return 2;
    }
    Compile c = {0};
    StrBuf out = {0};
    if (!read_types(&c, project))
        return 2;
    if (rest.count) {
        const DgComponent *found = scaffold_find_type("schema", rest.items[0]);
        if (!found)
            return 2;
        schema_component(found, &out);
        if (!to.len)
            to = S("-");
    } else {
        schema_all(&out);
    }
    code = write_schema(&c, to, &out);
    buf_free(&out);
    return code;
}
