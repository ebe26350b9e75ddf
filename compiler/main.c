/* main.c - dgc's command line: the table of commands. */
#include <cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/driver.h"
#include "compiler/cmd.h"

extern const char dgc_notices[];
extern const uint64_t dgc_notices_len;

const Command commands[] = {
    {"ask", cmd_ask, "a question to a vector index: passages, and a model's answer",
     "dgc ask [PROJECT] QUESTION [--index KEY] [--top N] [--json]\n"
     "\n"
     "  -i, --index KEY     the index to search, where the project has several\n"
     "  -k, --top N         passages (default: 5)\n"
     "      --no-answer     the passages alone, though the index names a model\n"
     "      --home DIR      where data lie (default: PROJECT/.dgc)\n"
     "      --record DIR    keep what services answer; --replay DIR takes it from there\n"
     "      --json          the result as JSON\n"
     "\n"
     "  dgc run && dgc ask 'how do refunds work?'\n"},
    {"build", cmd_build, "compile a project into one executable",
     "dgc build [PROJECT] [-o FILE] [--select EXPR | --job NAME]\n"
     "\n"
     "  -o, --output FILE   where the executable goes (default: NAME.bin)\n"
     "  -s, --select EXPR   only what this asset selection needs\n"
     "      --job NAME      only what this job needs\n"
     "      --emit plan|c   print the plan, or the C program, instead of building\n"
     "      --driver NAME   auto, gcc, clang, tcc, pack (the last two need no compiler)\n"
     "      --debug         keep symbols\n"
     "\n"
     "  dgc build shop -o shop.bin && ./shop.bin run\n"},
    {"check", cmd_check, "find every mistake, with place, reason and fix",
     "dgc check [PROJECT] [FILE...]\n"
     "\n"
     "      --fix           apply the fixes that are certain\n"
     "  -w, --watch         check again whenever a file changes\n"
     "      --format F      text, json, sarif, github (--json is short for json)\n"
     "      --no-sql        leave the SQL models unbound\n"
     "      --no-validate-requirements\n"
     "                      do not ask that environment variables are declared\n"
     "  -q, --quiet         say nothing when all is well\n"},
    {"completions", cmd_completions, "completion for a shell, asset names included",
     "dgc completions bash|zsh|fish\n"
     "\n"
     "  source <(dgc completions bash)\n"
     "  dgc completions fish > ~/.config/fish/completions/dgc.fish\n"},
    {"conns", cmd_conns, "the connections there are, tried and looked into",
     "dgc conns list [--json]\n"
     "dgc conns test NAME|URL...\n"
     "dgc conns discover NAME|URL [--schema PATTERN] [--table PATTERN] [--columns] [--json]\n"
     "\n"
     "  Connections come from the environment (MY_PG=postgres://user:password@host/database), from\n"
     "  ~/.sling/env.yaml and from ~/.dbt/profiles.yml.\n"
     "\n"
     "  dgc conns discover MY_PG --schema public --columns\n"},
    {"copy", cmd_copy, "move a table, query or files from any source to any target",
     "dgc copy SOURCE TARGET [options]\n"
     "\n"
     "  SOURCE, TARGET         a URL (postgres://host/shop?table=orders), a path (./orders.parquet), or the\n"
     "                         name of a connection\n"
     "  -t, --table NAME       what is read, where the URL does not say\n"
     "  -o, --object NAME      what is written\n"
     "      --sql QUERY        read this query\n"
     "  -s, --select COLUMNS   a,b as c,-d\n"
     "      --where CONDITION  only these rows\n"
     "  -l, --limit N          at most so many rows\n"
     "  -m, --mode MODE        full-refresh, incremental, truncate, snapshot, definition-only\n"
     "      --primary-key K    merge by these columns; incremental without other --mode\n"
     "      --update-key K     continue after the largest value of the last time\n"
     "      --columns TYPES    amount:decimal(12,2),note:string\n"
     "      --max-table-nesting N\n"
     "                         so many levels of JSON become columns a__b and tables orders__items\n"
     "      --progress P       auto, plain, none\n"
     "      --json             the result as JSON\n"
     "\n"
     "  dgc copy postgres://localhost/shop?table=orders ./orders.parquet\n"
     "  dgc copy ./orders.csv duckdb://warehouse.duckdb?table=raw.orders --primary-key id\n"},
    {"docs", cmd_docs, "the reference of component types and commands, as Markdown",
     "dgc docs [TYPE | reference | commands] [-o FOLDER] [--project DIR]\n"
     "\n"
     "  -o, --output FOLDER  write a page for each type and an index\n"
     "      --project DIR    with the types of this project\n"
     "\n"
     "  dgc docs dgc.Files\n"},
    {"doctor", cmd_doctor, "what this machine has of what dgc needs",
     "dgc doctor [PROJECT] [--json]\n"},
    {"explain", cmd_explain, "explain a diagnostic code, a component type or one of its attributes",
     "dgc explain CODE | TYPE | TYPE.ATTRIBUTE [--project DIR]\n"
     "\n"
     "  dgc explain E0107\n"
     "  dgc explain dgc.Files.path\n"},
    {"init", cmd_init, "make a new project that already runs",
     "dgc init NAME [--template T]\n"
     "\n"
     "  -t, --template T    shop (CSV, SQL, checks, schedule), empty, dagster\n"
     "\n"
     "  dgc init shop && cd shop && dgc run\n"},
    {"list", cmd_list, "list definitions, components, jobs, schedules",
     "dgc list defs [PROJECT] [--json]\n"
     "dgc list components [--json]\n"},
    {"mock", cmd_mock, "serve a tape: recorded answers of services, to any program",
     "dgc mock TAPE [--port N]\n"
     "\n"
     "  TAPE                a folder that `dgc run --record TAPE` wrote\n"
     "  -p, --port N        on 127.0.0.1 (default: a free one, whose URL is printed)\n"
     "\n"
     "  dgc mock tests/tapes/letters\n"},
    {"plan", cmd_plan, "what would run, in which order, and why",
     "dgc plan [PROJECT] [--select EXPR | --job NAME] [options of a built pipeline's plan]\n"
     "\n"
     "  -s, --select EXPR   assets to make, e.g. '+marts/revenue' or 'group:marts'\n"
     "      --home DIR      where data and history lie (default: PROJECT/.dgc)\n"
     "      --json          the plan as JSON\n"},
    {"run", cmd_run, "compile in memory and run at once",
     "dgc run [PROJECT] [--select EXPR | --job NAME] [options of a built pipeline's run]\n"
     "\n"
     "  -s, --select EXPR   assets to make, e.g. '+marts/revenue' or 'group:marts'\n"
     "      --job NAME      a job of the project\n"
     "      --partition K   a partition, or --partition-range A...B\n"
     "      --resume        only what did not succeed last time\n"
     "      --full-refresh  build incremental models anew\n"
     "      --home DIR      where data and history lie (default: PROJECT/.dgc)\n"
     "      --json          the result as JSON\n"},
    {"scaffold", cmd_scaffold, "begin a component file, or a component type in C",
     "dgc scaffold defs TYPE PATH [--ATTRIBUTE VALUE...] [--json-params JSON] [--project DIR]\n"
     "dgc scaffold component PREFIX.NAME [--project DIR]\n"
     "\n"
     "  dgc scaffold defs dgc.Files raw/orders --path ../../../data/orders.csv\n"
     "  dgc scaffold component acme.Rates\n"},
    {"schema", cmd_schema, "JSON Schema (draft-07) of component files, for editors",
     "dgc schema [TYPE] [-o FILE] [--project DIR]\n"
     "\n"
     "  -o, --output FILE   default: .dgc/schema.json of the project; `-` is standard output\n"
     "\n"
     "  dgc schema dgc.Files\n"},
    {"state", cmd_state, "cursors of incremental steps, loads of replications",
     "dgc state [PROJECT] show | set STEP[PARTITION] JSON | reset STEP | packages [STEP] | abort PACKAGE | rebuild\n"
     "\n"
     "      --home DIR      where data and history lie (default: PROJECT/.dgc)\n"
     "      --json          as JSON\n"
     "\n"
     "  dgc state show\n"
     "  dgc state reset orders\n"},
    {"status", cmd_status, "the last runs, and when each asset was made",
     "dgc status [PROJECT] [RUN]\n"
     "\n"
     "      --home DIR      where data and history lie (default: PROJECT/.dgc)\n"
     "      --json          as JSON\n"},
    {"test", cmd_test, "run the project's tests, each in a sandbox",
     "dgc test [PROJECT] [FILTER] [--record] [--json]\n"
     "\n"
     "  FILTER              only tests with this text in their names\n"
     "      --record        call services, and keep their answers as the tests' tapes\n"
     "      --json          the results as JSON\n"
     "\n"
     "  Tests are YAML files in tests/: rows that are given, what is run, rows that are expected.\n"},
    {0},
};

const Command *command_find(const char *name)
{
    for (const Command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

void command_usage(const Command *c, bool to_stderr)
{
    fprintf(to_stderr ? stderr : stdout, "%s - %s\n\n%s", c->name, c->summary, c->usage);
}

static void usage(FILE *to)
{
    fputs("dgc compiles component YAML into one native executable that runs the data pipeline.\n\n"
          "  dgc init shop && cd shop      a project that already runs\n"
          "  dgc check                     every mistake at once\n"
          "  dgc run                       compile in memory and run\n"
          "  dgc build -o shop.bin         one file; copy it anywhere with glibc\n\n"
          "Commands (dgc COMMAND --help):\n",
          to);
    for (const Command *c = commands; c->name; c++)
        fprintf(to, "  %-12s %s\n", c->name, c->summary);
    fputs("\n  --version, --licenses, --help\n", to);
}

static int unknown_command(const char *name)
{
    const char *near = NULL;
    int best = 3;
    for (const Command *c = commands; c->name; c++) {
        int d = str_distance(str_from(name), str_from(c->name), 3);
        if (d < best) {
            best = d;
            near = c->name;
        }
    }
    fprintf(stderr, "dgc: there is no command `%s`\n", name);
    if (near)
        fprintf(stderr, "  a similar command exists: %s\n", near);
    else
        fprintf(stderr, "  `dgc --help` lists them\n");
    return 2;
}

static void *malloc_or_end(size_t bytes)
{
    void *p = malloc(bytes);
    if (!p)
        dg_end_no_memory("for JSON");
    return p;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    buf_is_fatal = true; /* as running out is for arenas */
    cJSON_InitHooks(&(cJSON_Hooks){malloc_or_end, free});
    user_component_compiler(driver_component);
    if (argc < 2) {
        usage(stdout);
        return flush_stdout(0);
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        const Command *c = argc > 2 ? command_find(argv[2]) : NULL;
        if (c)
            command_usage(c, false);
        else
            usage(stdout);
        return flush_stdout(0);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("dgc " DGC_VERSION);
        return flush_stdout(0);
    }
    if (strcmp(name, "--licenses") == 0) {
        fwrite(dgc_notices, 1, dgc_notices_len, stdout);
        return flush_stdout(0);
    }
    if (strcmp(name, "__complete") == 0)
        return flush_stdout(cmd_complete(argc - 2, argv + 2));
    const Command *c = command_find(name);
    return c ? flush_stdout(c->run(argc - 2, argv + 2)) : unknown_command(name);
}
