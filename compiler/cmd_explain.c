/* cmd_explain.c - `dgc explain`: a diagnostic's page, or what a component type takes. */
#include <stdio.h>

#include "compiler/cmd.h"
#include "compiler/explain.h"
#include "compiler/project.h"
#include "compiler/reference.h"
#include "compiler/registry.h"

/* A type, or TYPE.ATTRIBUTE. */
static bool explain_type(Str name, StrBuf *out)
{
    const DgComponent *c = registry_find(name, NULL);
    ptrdiff_t dot = name.len;
    if (c) {
        reference_component(c, out);
        return true;
    }
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    c = dot ? registry_find(str_sub(name, 0, dot - 1), NULL) : NULL;
    return c && reference_field(c, str_sub(name, dot, name.len), out);
}

int cmd_explain(int argc, char **argv)
{
    Arena arena;
    Str project = {0};
    StrArray rest = {0};
    arena_init(&arena, 0);
    const Option options[] = {{.name = "--project", .takes_value = true, .value = &project}};
    int code = options_read("explain", argc, argv, options, 1, &rest, &arena);
    if (code >= 0)
        return code;
    if (rest.count != 1) {
        command_usage(command_find("explain"), true);
        return 2;
    }
    Str name = rest.items[0], page;
    if (explain_find(name, &page)) {
        printf("%.*s\n", FMT(str_trim(page)));
        return 0;
    }
    StrBuf out = {0};
    Compile types = {0};
    if (!explain_type(name, &out)) {
        project_types(&types, project); /* perhaps one of the project's own */
        if (!explain_type(name, &out)) {
            fprintf(stderr, "dgc explain: there is no code, type or attribute `%.*s`\n"
                            "  codes look like E0107; `dgc list components` shows the types\n",
                    FMT(name));
            return 2;
        }
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
    return 0;
}
