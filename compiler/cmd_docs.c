/* cmd_docs.c - `dgc docs`: the reference of component types as Markdown, from the descriptors. */
#include <stdio.h>

#include "compiler/cmd.h"
#include "compiler/project.h"
#include "compiler/reference.h"
#include "compiler/registry.h"
#include "compiler/scaffold.h"

/* One page a type and an index, so that a website or an editor can take them. */
static int write_pages(Arena *a, Str folder)
{
    DgError err = {0};
    StrBuf index = {0};
    reference_index(&index);
    DgStatus status = scaffold_write(a, str_format(a, "%.*s/README.md", FMT(folder)),
                                     buf_str(&index), true, &err);
    for (size_t i = 0; i < registry_count() && status == DG_OK; i++) {
        StrBuf page = {0};
        reference_component(registry_at(i), &page);
        status = scaffold_write(a, str_format(a, "%.*s/%s.md", FMT(folder), registry_at(i)->name),
                                buf_str(&page), true, &err);
        buf_free(&page);
    }
    buf_free(&index);
    if (status != DG_OK)
        fprintf(stderr, "dgc docs: %s\n", err.message);
    return dg_status_exit_code(status);
}

int cmd_docs(int argc, char **argv)
{
    Arena arena;
    Str to = {0}, project = {0};
    StrArray rest = {0};
    arena_init(&arena, 0);
    const Option options[] = {
        {.name = "--output", .letter = 'o', .takes_value = true, .value = &to},
        {.name = "--project", .takes_value = true, .value = &project},
    };
    int code = options_read("docs", argc, argv, options, sizeof options / sizeof *options, &rest,
                            &arena);
    if (code >= 0)
        return code;
    bool all = rest.count && str_eq(rest.items[0], S("reference"));
    if (rest.count > 1) {
        command_usage(command_find("docs"), true);
        return 2;
    }
    Compile c = {0};
    if (project.len && !project_types(&c, project)) {
        diag_print(&c.diag, 2);
        return 2;
    }
    if (to.len)
        return write_pages(&arena, to);
    StrBuf out = {0};
    const DgComponent *type = rest.count && !all ? scaffold_find_type("docs", rest.items[0]) : NULL;
    if (rest.count && !all && !type)
        return 2;
    if (type)
        reference_component(type, &out);
    else
        reference_index(&out);
    for (size_t i = 0; all && i < registry_count(); i++) {
        buf_char(&out, '\n');
        reference_component(registry_at(i), &out);
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
    return 0;
}
