/* run: the pipeline, or a part of it. */
#include "runtime/cli/cli.h"

#include "runtime/os/os.h"
#include "runtime/run/pipes.h"

/* Dagster says which assets and which partition; what is given by option wins. */
static DgStatus take_context(Cli *cli, const PipesContext *context, DgError *err)
{
    if (!cli->run.select.len && !cli->run.job.len && context->asset_keys.count) {
        StrBuf b = {0};
        for (size_t i = 0; i < context->asset_keys.count; i++)
            buf_format(&b, "%skey:\"%.*s\"", i ? " or " : "", FMT(context->asset_keys.items[i]));
        cli->run.select = str_copy(&cli->arena, buf_str(&b));
        bool failed = b.failed || !cli->run.select.ptr;
        buf_free(&b);
        if (failed)
            return os_no_memory(err, "reading the Pipes context");
    }
    if (!cli->run.partition.len && context->partition_key.len)
        cli->run.partition = context->partition_key;
    else if (!cli->run.partition.len && context->range_start.len)
        cli->run.partition = str_format(&cli->arena, "%.*s...%.*s", FMT(context->range_start),
                                        FMT(context->range_end));
    return DG_OK;
}

static int execute(Cli *cli, Console *console, PipesClient *pipes, DgError *err)
{
    Run *run;
    if (run_open(cli->pipeline, &cli->run, console, cli->redactor, &run, err) != DG_OK) {
        return cli_error(cli, err);
    }
    run->pipes = pipes;
    int code = run_execute(run, err);
    console_live(console, (Str){0});
    if (err->status != DG_OK)
        cli_error(cli, err);
    else if (code != 0) /* what Dagster is told: the first failure */
        for (int32_t i = run->units_count - 1; i >= 0; i--)
            if (run->units[i].state == UNIT_FAILED || run->units[i].state == UNIT_UNKNOWN)
                *err = run->units[i].error;
    if (cli->json) {
        StrBuf b = {0};
        run_result_json(run, code, err, &b);
        code = cli_write(&b, code);
        buf_free(&b);
    }
    run_close(run);
    if (code != 0 && err->status == DG_OK)
        dg_fail(err, DG_FAILED, "the run ended with exit code %d", code);
    return code;
}

int cli_run(Cli *cli)
{
    DgError err = {0};
    PipesClient *pipes = NULL;
    PipesContext context = {0};
    if (cli->dry_run)
        return cli_plan(cli);
    if (pipes_is_client()) {
        DgStatus s = pipes_client_open(&cli->arena, cli->redactor, &pipes, &context, &err);
        if (s == DG_OK)
            s = take_context(cli, &context, &err);
        if (s != DG_OK) {
            pipes_client_close(pipes, &err);
            return cli_error(cli, &err);
        }
    }
    int code;
    Console *console = console_open(cli->progress, cli->redactor);
    if (!console) {
        os_no_memory(&err, "starting the run");
        code = cli_error(cli, &err);
    } else {
        code = execute(cli, console, pipes, &err);
    }
    pipes_client_close(pipes, code == 0 ? NULL : &err);
    console_close(console);
    return code;
}
