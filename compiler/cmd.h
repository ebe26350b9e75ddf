/* cmd.h - dgc's subcommands: one file cmd_NAME.c each, one row in main.c's table.
 *
 * A command gets what stands after its name, returns the process's exit code, prints data to stdout
 * and everything else to stderr.
 */
#ifndef DGC_CMD_H
#define DGC_CMD_H

#include "compiler/compile.h"
#include "compiler/diag.h"

int cmd_ask(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_completions(int argc, char **argv);
int cmd_conns(int argc, char **argv);
int cmd_copy(int argc, char **argv);
int cmd_docs(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_mock(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_scaffold(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_state(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_test(int argc, char **argv);

int cmd_complete(int argc, char **argv); /* hidden: `dgc __complete`, see cmd_completions.c */

typedef struct Command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
    const char *usage; /* lines; the first is the form, the rest options and examples */
} Command;
extern const Command commands[]; /* sorted by name, ended by a NULL name */
const Command *command_find(const char *name);
void command_usage(const Command *c, bool to_stderr);

/* ---- Options ---- */

typedef struct Option {
    const char *name;   /* "--select" */
    char letter;        /* 's', or 0 */
    bool takes_value;
    Str *value;         /* one of these two */
    bool *flag;
    StrArray *many;     /* values of an option that may be repeated */
} Option;

/* Reads options and plain arguments in any order. Unknown ones are reported with the nearest name;
 * `-h` and `--help` print the usage. Returns -1 to go on, else the exit code.
 * `rest` NULL: no plain arguments are taken. */
int options_read(const char *command, int argc, char **argv, const Option *options, size_t count,
                 StrArray *rest, Arena *arena);

/* ---- What several commands share ---- */

bool color_wanted(int fd);
/* Prints a finished Diag as text to stderr. */
void diag_print(Diag *d, int fd);
int flush_stdout(int code); /* 74 when standard output cannot be written */

#ifndef DGC_VERSION
#define DGC_VERSION "0.1.0"
#endif

#endif
