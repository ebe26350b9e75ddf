/* Options of a built pipeline: one table, from which parsing and help are made. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/cli/cli.h"

#include "runtime/os/os.h"

enum { ALL = (1 << CLI_COUNT) - 1, RUN = 1 << CLI_RUN, PLAN = 1 << CLI_PLAN, LIST = 1 << CLI_LIST, ASK = 1 << CLI_ASK, TOP_MAX = 100 };

typedef enum OptionId {
    OPT_SELECT, OPT_JOB, OPT_PARTITION, OPT_PARTITION_RANGE, OPT_FULL_REFRESH, OPT_RESUME,
    OPT_THREADS, OPT_MEMORY, OPT_POOL, OPT_DRY_RUN, OPT_HOME, OPT_PROJECT, OPT_DEV, OPT_JSON,
    OPT_PROGRESS, OPT_MAX_USD, OPT_MAX_TOKENS, OPT_MAX_CALLS, OPT_RECORD, OPT_REPLAY, OPT_INDEX, OPT_TOP, OPT_NO_ANSWER, OPT_HELP,
} OptionId;

typedef struct Option {
    const char *name;
    char letter;
    const char *value; /* NULL: none */
    int commands;      /* bit per CliCommand */
    const char *doc;
} Option;

static const Option options[] = {
    [OPT_SELECT] = {"select", 's', "EXPR", RUN | PLAN | LIST,
                    "assets to take: `raw/*`, `+marts/revenue`, `tag:nightly and not group:raw`"},
    [OPT_JOB] = {"job", 'j', "NAME", RUN | PLAN, "the assets and checks of one job"},
    [OPT_PARTITION] = {"partition", 'p', "KEY", RUN | PLAN, "partition to run: 2024-05-01"},
    [OPT_PARTITION_RANGE] = {"partition-range", 0, "A...B", RUN | PLAN, "partitions A to B, both included"},
    [OPT_FULL_REFRESH] = {"full-refresh", 0, NULL, RUN | PLAN,
                          "forget cursors and rebuild incremental tables"},
    [OPT_RESUME] = {"resume", 0, NULL, RUN, "do what the last run (or the run named) left undone"},
    [OPT_THREADS] = {"threads", 't', "N", RUN, "steps at once; default: one per processor"},
    [OPT_MEMORY] = {"memory", 'm', "SIZE", RUN, "for rows and DuckDB together; default 1GB"},
    [OPT_POOL] = {"pool", 0, "NAME=N", RUN, "steps of this pool at once; default 1"},
    [OPT_DRY_RUN] = {"dry-run", 'n', NULL, RUN, "show what would run, and stop"},
    [OPT_HOME] = {"home", 0, "DIR", ALL, "history and warehouse; default $DGC_HOME, else .dgc"},
    [OPT_PROJECT] = {"project", 0, "DIR", ALL, "where relative paths start; default: this folder"},
    [OPT_DEV] = {"dev", 0, NULL, RUN | ASK, "development: read the project's .env too"},
    [OPT_JSON] = {"json", 0, NULL, ALL, "one JSON document on standard output"},
    [OPT_PROGRESS] = {"progress", 0, "MODE", RUN, "auto, tty, plain, json or none; on standard error"},
    [OPT_MAX_USD] = {"max-usd", 0, "N", RUN, "US dollars that all steps together may spend on models"},
    [OPT_MAX_TOKENS] = {"max-tokens", 0, "N", RUN, "tokens, likewise"},
    [OPT_MAX_CALLS] = {"max-calls", 0, "N", RUN, "calls of models, likewise"},
    [OPT_RECORD] = {"record", 0, "DIR", RUN | ASK, "keep what services answer, as a tape; secrets are left out"},
    [OPT_REPLAY] = {"replay", 0, "DIR", RUN | ASK, "take answers of services from a tape; nobody is called"},
    [OPT_INDEX] = {"index", 'i', "KEY", ASK, "the index to search, where there are several"},
    [OPT_TOP] = {"top", 'k', "N", ASK, "passages; default 5"},
    [OPT_NO_ANSWER] = {"no-answer", 0, NULL, ASK, "the passages alone: no model is asked for an answer"},
    [OPT_HELP] = {"help", 'h', NULL, ALL, "this text"},
};
enum { OPTIONS_COUNT = sizeof options / sizeof *options };

static const struct {
    const char *name, *words, *doc, *examples;
} commands[CLI_COUNT] = {
    [CLI_RUN] = {"run", " [--resume [RUN]]", "run the pipeline, or a part of it",
                 "run\n"
                 "run --select '+marts/revenue'\n"
                 "run --partition 2024-05-01\n"
                 "run --partition-range 2024-05-01...2024-05-07 --threads 2\n"
                 "run --resume\n"},
    [CLI_LIST] = {"list", "", "assets, checks, jobs, schedules with their next times, resources",
                  "list\n"
                  "list --select 'kind:duckdb'\n"
                  "list --json\n"},
    [CLI_PLAN] = {"plan", "", "what would run, in which order, and why",
                  "plan\n"
                  "plan --select 'orders+' --json\n"},
    [CLI_STATUS] = {"status", " [RUN]", "the last runs, and when each asset was made",
                    "status\n"
                    "status 0190c8a2\n"
                    "status --json\n"},
    [CLI_STATE] = {"state", " show | set STEP[PARTITION] JSON | reset STEP | packages [STEP] | abort PACKAGE | rebuild",
                   "cursors of incremental steps, loads of replications",
                   "state show\n"
                   "state reset orders\n"
                   "state set orders '{\"cursor\": \"2024-05-01\"}'\n"
                   "state packages\n"
                   "state rebuild\n"},
    [CLI_ASK] = {"ask", " QUESTION", "what an index finds for a question, and a model's answer out of it",
                 "ask 'how do refunds work?'\n"
                 "ask 'how do refunds work?' --index index/handbook --top 3\n"
                 "ask 'how do refunds work?' --no-answer --json\n"},
};

bool cli_find_command(Str name, CliCommand *out, Str *near)
{
    int best = 2;
    *near = (Str){0};
    for (int i = 0; i < CLI_COUNT; i++) {
        Str own = str_from(commands[i].name);
        if (str_eq(own, name)) {
            *out = (CliCommand)i;
            return true;
        }
        int distance = str_distance(name, own, best);
        if (distance <= best) {
            best = distance - 1;
            *near = own;
        }
    }
    return false;
}

const char *cli_command_name(CliCommand c)
{
    return commands[c].name;
}

/* ---- Help ---- */

void cli_help(const Cli *cli, StrBuf *out)
{
    buf_format(out, "%.*s: a data pipeline, built by dgc %.*s\n\n", FMT(cli->pipeline->name),
               FMT(cli->pipeline->version));
    buf_format(out, "  %s run                      run everything\n", cli->program);
    buf_format(out, "  %s run --select 'orders+'   one asset and what depends on it\n\n",
               cli->program);
    buf_add(out, S("commands:\n"));
    for (int i = 0; i < CLI_COUNT; i++)
        buf_format(out, "  %-10s %s\n", commands[i].name, commands[i].doc);
    buf_add(out, S("\n  COMMAND --help   its options and examples\n"
                   "  --version        version and fingerprint\n"
                   "  --sbom           what it is made of, as CycloneDX JSON\n"
                   "  --licenses       licences of the software inside\n\n"
                   "exit codes: 0 done, 1 an asset or a check failed, 2 usage, 65 data breaks its\n"
                   "contract, 69 a service cannot be reached, 70 a bug, 71 out of memory,\n"
                   "73/74 cannot write, 75 try later, 77 no permission, 78 a secret or setting\n"
                   "is missing, 130/143 stopped\n"));
}

void cli_command_help(const Cli *cli, CliCommand c, StrBuf *out)
{
    buf_format(out, "%s %s%s [options]: %s\n\nexamples:\n", cli->program, commands[c].name,
               commands[c].words, commands[c].doc);
    Str line, rest = str_from(commands[c].examples);
    while (str_cut(rest, '\n', &line, &rest))
        buf_format(out, "  %s %.*s\n", cli->program, FMT(line));
    buf_add(out, S("\noptions:\n"));
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const Option *o = &options[i];
        char left[48];
        if (!(o->commands >> c & 1))
            continue;
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : " ",
                 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        buf_format(out, "  %-28s %s\n", left, o->doc);
    }
}

/* ---- Parsing ---- */

bool cli_size(Str text, int64_t *out)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = {{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1ll << 40},
                 {"kb", 1000}, {"mb", 1000000}, {"gb", 1000000000}, {"tb", 1000000000000},
                 {"k", 1000}, {"m", 1000000}, {"g", 1000000000}, {"t", 1000000000000}, {"b", 1}};
    int64_t factor = 1;
    double number;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        Str suffix = str_from(units[i].suffix);
        ptrdiff_t at = text.len - suffix.len;
        if (at > 0 && str_eq_nocase(str_sub(text, at, text.len), suffix)) {
            factor = units[i].factor;
            text = str_trim(str_sub(text, 0, at));
            break;
        }
    }
    if (!str_to_double(text, &number) || !(number > 0) || number * (double)factor > 9e18)
        return false;
    *out = (int64_t)(number * (double)factor);
    return true;
}

/* A path made absolute; it need not exist. */
static Str absolute(Arena *a, Str path)
{
    char here[PATH_MAX];
    if ((path.len && path.ptr[0] == '/') || !getcwd(here, sizeof here))
        return str_copy(a, path);
    while (str_starts(path, S("./")))
        path = str_sub(path, 2, path.len);
    if (path.len == 0 || str_eq(path, S(".")))
        return str_copy(a, str_from(here));
    return str_format(a, "%s/%.*s", here, FMT(path));
}

static DgStatus bad_value(DgError *err, const Option *o, Str value, const char *hint)
{
    dg_fail(err, DG_USAGE, "--%s takes %s, not `%.*s`", o->name, o->value, FMT(value));
    dg_hint(err, "%s", hint);
    return DG_USAGE;
}

static DgStatus set_progress(Cli *cli, Str value, DgError *err)
{
    static const char *const names[] = {"auto", "tty", "plain", "json", "none"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(value, str_from(names[i]))) {
            cli->progress = (ProgressMode)i;
            return DG_OK;
        }
    return bad_value(err, &options[OPT_PROGRESS], value, "auto, tty, plain, json or none");
}

static DgStatus set_pool(Cli *cli, Str value, DgError *err)
{
    Str name, number;
    int64_t n;
    if (!str_cut(value, '=', &name, &number) || !str_to_int(number, &n) || n < 1)
        return bad_value(err, &options[OPT_POOL], value, "for example --pool github=2");
    DgPair *pools = push(&cli->arena, DgPair, cli->run.pools_count + 1);
    if (!pools)
        return os_no_memory(err, "reading the options");
    if (cli->run.pools_count)
        memcpy(pools, cli->run.pools, cli->run.pools_count * sizeof *pools);
    pools[cli->run.pools_count++] = (DgPair){name, number};
    cli->run.pools = pools;
    return DG_OK;
}

static DgStatus set_most(OptionId id, Str value, int64_t *out, DgError *err)
{
    if (str_to_int(value, out) && *out > 0 && *out <= 1000000000000000)
        return DG_OK;
    return bad_value(err, &options[id], value, "a number above 0");
}

static DgStatus set_option(Cli *cli, OptionId id, Str value, DgError *err)
{
    int64_t n;
    switch (id) {
    case OPT_SELECT: cli->run.select = value; break;
    case OPT_JOB: cli->run.job = value; break;
    case OPT_PARTITION:
    case OPT_PARTITION_RANGE: cli->run.partition = value; break;
    case OPT_FULL_REFRESH: cli->run.full_refresh = true; break;
    case OPT_RESUME: cli->run.resuming = true; break;
    case OPT_THREADS:
        if (!str_to_int(value, &n) || n < 1 || n > 256)
            return bad_value(err, &options[id], value, "a number from 1 to 256");
        cli->run.threads = (int32_t)n;
        break;
    case OPT_MEMORY:
        if (!cli_size(value, &cli->run.memory_max) || cli->run.memory_max < 16 << 20)
            return bad_value(err, &options[id], value, "for example 512MB or 2GiB; at least 16MB");
        break;
    case OPT_POOL: return set_pool(cli, value, err);
    case OPT_DRY_RUN: cli->dry_run = true; break;
    case OPT_HOME: cli->run.home = absolute(&cli->arena, value); break;
    case OPT_PROJECT: cli->run.project = absolute(&cli->arena, value); break;
    case OPT_DEV: cli->run.development = true; break;
    case OPT_JSON: cli->json = true; break;
    case OPT_PROGRESS: return set_progress(cli, value, err);
    case OPT_MAX_USD:
        if (!str_to_double(value, &cli->run.spending.usd) || !(cli->run.spending.usd > 0 && cli->run.spending.usd <= 1e9))
            return bad_value(err, &options[id], value, "US dollars, for example 2.50");
        break;
    case OPT_MAX_TOKENS: return set_most(id, value, &cli->run.spending.tokens, err);
    case OPT_MAX_CALLS: return set_most(id, value, &cli->run.spending.calls, err);
    case OPT_RECORD: cli->run.record = absolute(&cli->arena, value); break;
    case OPT_REPLAY: cli->run.replay = absolute(&cli->arena, value); break;
    case OPT_INDEX: cli->index = value; break;
    case OPT_TOP:
        if (!str_to_int(value, &n) || n < 1 || n > TOP_MAX)
            return bad_value(err, &options[id], value, "a number from 1 to 100");
        cli->top = (int32_t)n;
        break;
    case OPT_NO_ANSWER: cli->no_answer = true; break;
    case OPT_HELP: cli->help = true; break;
    }
    if (cli->run.record.len && cli->run.replay.len)
        return dg_fail(err, DG_USAGE, "--record and --replay exclude each other");
    return DG_OK;
}

static DgStatus no_such_option(Cli *cli, Str given, DgError *err)
{
    Str near = {0};
    int best = 3;
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        int distance = str_distance(given, str_from(options[i].name), best);
        if (options[i].commands >> cli->command & 1 && distance <= best) {
            best = distance - 1;
            near = str_from(options[i].name);
        }
    }
    dg_fail(err, DG_USAGE, "`%s` has no option --%.*s", commands[cli->command].name, FMT(given));
    if (near.len)
        dg_hint(err, "a similar option exists: --%.*s", FMT(near));
    else
        dg_hint(err, "`%s --help` shows them", commands[cli->command].name);
    return DG_USAGE;
}

/* The option at argv[*i]; takes its value from the same word (--a=b) or the next. */
static DgStatus take_option(Cli *cli, int argc, char **argv, int *i, DgError *err)
{
    Str word = str_from(argv[*i]), name, value = {0};
    bool is_long = str_starts(word, S("--"));
    bool joined = str_cut(str_sub(word, is_long ? 2 : 1, word.len), '=', &name, &value);
    for (int id = 0; id < OPTIONS_COUNT; id++) {
        const Option *o = &options[id];
        bool fits = is_long ? str_eq(name, str_from(o->name))
                            : name.len == 1 && o->letter == name.ptr[0];
        if (!fits || !(o->commands >> cli->command & 1))
            continue;
        if (!o->value && joined)
            return dg_fail(err, DG_USAGE, "--%s takes no value", o->name);
        if (o->value && !joined) {
            if (*i + 1 >= argc)
                return dg_fail(err, DG_USAGE, "--%s needs %s", o->name, o->value);
            value = str_from(argv[++*i]);
        }
        return set_option(cli, (OptionId)id, value, err);
    }
    return no_such_option(cli, name, err);
}

bool dg_takes_next(const char *word)
{
    for (int id = 0; id < OPTIONS_COUNT; id++) {
        const Option *o = &options[id];
        bool is_long = word[0] == '-' && word[1] == '-' && strcmp(word + 2, o->name) == 0;
        bool is_short = word[0] == '-' && o->letter && word[1] == o->letter && !word[2];
        if (o->value && o->commands & (RUN | ASK) && (is_long || is_short))
            return true;
    }
    return false;
}

static void set_defaults(Cli *cli)
{
    const char *home = getenv("DGC_HOME"), *dev = getenv("DGC_DEV");
    if (cli->run.project.len == 0)
        cli->run.project = absolute(&cli->arena, S("."));
    if (cli->run.home.len == 0)
        cli->run.home = absolute(&cli->arena, home && *home ? str_from(home) : S(".dgc"));
    cli->run.development |= dev && *dev && strcmp(dev, "0") != 0;
}

DgStatus cli_parse(Cli *cli, int argc, char **argv, DgError *err)
{
    bool options_over = false;
    for (int i = 0; i < argc; i++) {
        Str word = str_from(argv[i]);
        if (!options_over && str_eq(word, S("--")))
            options_over = true;
        else if (!options_over && word.len > 1 && word.ptr[0] == '-')
            DG_TRY(take_option(cli, argc, argv, &i, err));
        else
            array_add(&cli->arena, &cli->words, word);
    }
    set_defaults(cli);
    size_t words_max = cli->command == CLI_STATE ? 3 : cli->command == CLI_STATUS || cli->command == CLI_ASK ? 1
                     : cli->command == CLI_RUN && cli->run.resuming             ? 1
                                                                                : 0;
    if (cli->words.count > words_max) {
        dg_fail(err, DG_USAGE, "`%s` does not take the argument `%.*s`", commands[cli->command].name,
                FMT(cli->words.items[words_max]));
        if (cli->command == CLI_ASK)
            dg_hint(err, "put the question in quotes: ask 'how do refunds work?'");
        if (cli->command == CLI_RUN || cli->command == CLI_PLAN)
            dg_hint(err, "to choose assets: --select '%.*s'", FMT(cli->words.items[words_max]));
        return DG_USAGE;
    }
    if (cli->command == CLI_RUN && cli->words.count)
        cli->run.resume = cli->words.items[0];
    if (cli->run.resuming && (cli->run.select.len || cli->run.job.len || cli->run.partition.len)) {
        dg_fail(err, DG_USAGE, "--resume takes what to run from the earlier run");
        dg_hint(err, "leave out --select, --job and --partition");
        return DG_USAGE;
    }
    return DG_OK;
}
