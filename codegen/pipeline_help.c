/* pipeline_help.c - the help of a built pipeline's commands, as Markdown. */
#include "codegen/pipeline_help.h"

#include "runtime/cli/cli.h"

void pipeline_help(const char *program, StrBuf *out)
{
    const Cli cli = {.program = program};
    for (int i = 0; i < CLI_COUNT; i++) {
        StrBuf help = {0};
        cli_command_help(&cli, (CliCommand)i, &help);
        buf_format(out, "\n### `%s %s`\n\n```text\n%.*s```\n", program, cli_command_name((CliCommand)i),
                   FMT(buf_str(&help)));
        buf_free(&help);
    }
}
