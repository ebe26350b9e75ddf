/* cli.h - what a built pipeline answers to: options, commands, output.
 *
 * Every command collects its output and writes it once, so that a reader that goes away (`| head`)
 * is no error and a full disk is one. Nothing is opened (SQLite, DuckDB, TLS) before it is needed.
 */
#ifndef DG_CLI_H
#define DG_CLI_H

#include "runtime/run/run.h"

typedef enum CliCommand { CLI_RUN, CLI_LIST, CLI_PLAN, CLI_STATUS, CLI_STATE, CLI_ASK, CLI_COUNT } CliCommand;

typedef struct Cli {
    const DgPipeline *pipeline;
    CliCommand command;
    RunOptions run;
    ProgressMode progress;
    bool json, dry_run, help;
    Str index;          /* ask: key of an asset; empty: the only one */
    int32_t top;        /* ask: passages; 0: the usual number */
    bool no_answer;     /* ask: passages alone */
    StrArray words;     /* arguments that are no options */
    const char *program;
    Arena arena;
    Redactor *redactor;
} Cli;

/* Fills *cli from argv (after the command). */
DgStatus cli_parse(Cli *cli, int argc, char **argv, DgError *err);
void cli_help(const Cli *cli, StrBuf *out);                 /* the program's */
void cli_command_help(const Cli *cli, CliCommand c, StrBuf *out);
bool cli_find_command(Str name, CliCommand *out, Str *near);
const char *cli_command_name(CliCommand c);

/* Standard output, all at once. Returns `code`, or 74 when it could not be written. */
int cli_write(const StrBuf *out, int code);
/* "error: message", place and help on standard error; returns the exit code. */
int cli_error(const Cli *cli, const DgError *err);
/* Size as 64MB, 1GiB, 500k. */
bool cli_size(Str text, int64_t *out);

int cli_run(Cli *cli);
int cli_list(Cli *cli);
int cli_plan(Cli *cli);
int cli_status(Cli *cli);
int cli_state(Cli *cli);
int cli_ask(Cli *cli);

/* cmd_packages.c: `state packages [STEP]` and `state abort PACKAGE`. */
DgStatus cli_packages(Cli *cli, Run *run, Str step, StrBuf *b, DgError *err);
DgStatus cli_abort(Cli *cli, Run *run, Str package, StrBuf *b, DgError *err);

/* list_json.c: the document of `dg list defs --json`. */
void list_json(const DgPipeline *p, const bool *assets, const bool *checks, bool all, StrBuf *out);

/* The history for reading; *out NULL when there is none yet. */
DgStatus cli_history(Cli *cli, History **out, DgError *err);
void cli_time(StrBuf *b, int64_t us); /* "2024-05-01 12:30:00 UTC" */

#endif
