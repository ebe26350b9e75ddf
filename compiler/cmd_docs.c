/* cmd_docs.c - `dgc docs`: the reference as Markdown, from the descriptors of types and the tables of commands. */
#include <stdio.h>

#include "codegen/pipeline_help.h"
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

static const struct {
    const char *code, *meaning;
} exit_codes[] = {
    {"0", "done"},
    {"1", "an asset or a check failed; `dgc check` found errors; a test failed"},
    {"2", "wrong use of the command line, or no project"},
    {"65", "data breaks its contract"},
    {"69", "a service or database cannot be reached, after retries"},
    {"70", "a mistake of dgc's own; please report it"},
    {"71", "out of memory"},
    {"73, 74", "cannot create a file; cannot write"},
    {"75", "try again later: another run holds the lease, a budget is used up"},
    {"77", "no permission"},
    {"78", "a secret or setting is missing or wrong"},
    {"129, 130, 143", "ended by SIGHUP, SIGINT, SIGTERM; what was committed stays"},
};

/* The commands of dgc and of a built pipeline: what their `--help` says, in one page. */
static void add_commands(StrBuf *out)
{
    buf_add(out, S("# Commands\n\nWhat `dgc COMMAND --help` says, and `--help` of a pipeline that was built. Made by `dgc docs commands`.\n"
                   "\n## dgc\n"));
    for (const Command *c = commands; c->name; c++)
        buf_format(out, "\n### `dgc %s`\n\n%c%s.\n\n```text\n%s```\n", c->name, c->summary[0] & ~0x20,
                   c->summary + 1, c->usage);
    buf_add(out, S("\n## A built pipeline\n"));
    pipeline_help("./shop.bin", out);
    buf_add(out, S("\n## Exit codes\n\nThe same everywhere; `dgc check` ends with 1 when there are errors.\n\n"
                   "| code | meaning |\n|---|---|\n"));
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        buf_format(out, "| %s | %s |\n", exit_codes[i].code, exit_codes[i].meaning);
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
    bool of_commands = rest.count && str_eq(rest.items[0], S("commands"));
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
    const DgComponent *type = rest.count && !all && !of_commands ? scaffold_find_type("docs", rest.items[0]) : NULL;
    if (rest.count && !all && !of_commands && !type)
        return 2;
    if (of_commands)
        add_commands(&out);
    else if (type)
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
