/* dg_main: the entry of a built pipeline. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

#include "runtime/cli/cli.h"

#include "runtime/os/os.h"

/* The licences of what is linked in, as a zstd frame; the build provides them. */
extern const char dg_payload_notices[] __attribute__((weak));
extern const char dg_payload_notices_end[] __attribute__((weak));

int cli_write(const StrBuf *out, int code)
{
    if (out->failed) {
        fprintf(stderr, "error: out of memory printing the result\n");
        return dg_status_exit_code(DG_NOMEM);
    }
    const char *at = out->ptr;
    size_t left = out->len;
    while (left > 0) {
        ssize_t put = dg_os.write(1, at, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EPIPE)
            return code; /* the reader has seen enough */
        if (put < 0) {
            char text[128];
            fprintf(stderr, "error: could not write standard output: %s\n",
                    strerror_r(errno, text, sizeof text));
            return dg_status_exit_code(DG_IO);
        }
        at += put;
        left -= (size_t)put;
    }
    return code;
}

int cli_error(const Cli *cli, const DgError *e)
{
    StrBuf b = {0}, clean = {0};
    const DgSite *site = run_site(cli->pipeline, e->site - 1);
    buf_add(&b, S("error: "));
    if (site)
        buf_format(&b, "%.*s:%d: ", FMT(site->file), site->line);
    buf_format(&b, "%s\n", e->message);
    if (e->hint[0])
        buf_format(&b, "  help: %s\n", e->hint);
    redact_text(cli->redactor, buf_str(&b), &clean);
    DgError ignored = {0};
    if (b.failed || clean.failed) {
        char text[128];
        int n = snprintf(text, sizeof text, e->status == DG_NOMEM ? "error: out of memory\n"
                         : "error: %s, and out of memory to say more\n", dg_status_name(e->status));
        os_write_all(2, text, (size_t)n, "standard error", &ignored);
    } else if (clean.ptr) {
        strip_controls(clean.ptr, clean.len, true);
        os_write_all(2, clean.ptr, clean.len, "standard error", &ignored);
    }
    buf_free(&b);
    buf_free(&clean);
    return dg_status_exit_code(e->status);
}

void cli_time(StrBuf *b, int64_t us)
{
    CivilTime t = civil_from_seconds(us / 1000000);
    civil_format(b, S("%Y-%m-%d %H:%M:%S UTC"), &t, 0);
}

DgStatus cli_history(Cli *cli, History **out, DgError *err)
{
    Str path = str_format(&cli->arena, "%.*s/runs.db", FMT(cli->run.home));
    DgStatus s = path.ptr ? history_open(path.ptr, true, cli->redactor, out, err)
                          : os_no_memory(err, "opening the history");
    return s == DG_END ? DG_OK : s;
}

/* A closed 0, 1 or 2 would be given to the next file that is opened, and written to. */
static void keep_standard_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) < 0)
            return; /* read-only: writing to it fails, as it should */
}

static int say_version(const DgPipeline *p)
{
    StrBuf b = {0};
    buf_format(&b, "%.*s, built by dgc %.*s, fingerprint %.*s\n", FMT(p->name), FMT(p->version),
               FMT(p->fingerprint));
    int code = cli_write(&b, 0);
    buf_free(&b);
    return code;
}

static int say_text(Str text, const char *missing)
{
    StrBuf b = {0};
    if (text.len == 0) {
        fprintf(stderr, "error: %s\n", missing);
        return dg_status_exit_code(DG_CONFIG);
    }
    buf_add(&b, text);
    if (!str_ends(text, S("\n")))
        buf_char(&b, '\n');
    int code = cli_write(&b, 0);
    buf_free(&b);
    return code;
}

/* Empty when there are none. */
static Str notices(Arena *a)
{
    const char *begin = dg_payload_notices, *end = dg_payload_notices_end;
    if (!begin)
        return (Str){0};
    size_t packed = (size_t)(end - begin);
    unsigned long long bytes = ZSTD_getFrameContentSize(begin, packed);
    if (bytes == ZSTD_CONTENTSIZE_UNKNOWN || bytes == ZSTD_CONTENTSIZE_ERROR || bytes > 16 << 20)
        return (Str){0};
    char *text = push(a, char, bytes + 1);
    size_t got = text ? ZSTD_decompress(text, (size_t)bytes, begin, packed) : 0;
    return ZSTD_isError(got) ? (Str){0} : (Str){text, (ptrdiff_t)got};
}

static int say_help(Cli *cli, bool of_command, int code)
{
    StrBuf b = {0};
    if (of_command)
        cli_command_help(cli, cli->command, &b);
    else
        cli_help(cli, &b);
    code = cli_write(&b, code);
    buf_free(&b);
    return code;
}

static int dispatch(Cli *cli, int argc, char **argv)
{
    DgError err = {0};
    Str near;
    Str first = str_from(argc > 1 ? argv[1] : "");
    if (str_eq(first, S("--version")) || str_eq(first, S("-V")))
        return say_version(cli->pipeline);
    if (str_eq(first, S("--sbom")))
        return say_text(cli->pipeline->sbom_json, "no bill of materials was built in");
    if (str_eq(first, S("--licenses")))
        return say_text(notices(&cli->arena), "no licences were built in");
    bool help = str_eq(first, S("help"));
    if (help && argc > 2 && cli_find_command(str_from(argv[2]), &cli->command, &near))
        return say_help(cli, true, 0);
    if (first.len == 0 || help || str_eq(first, S("--help")) || str_eq(first, S("-h")))
        return say_help(cli, false, 0);
    if (!cli_find_command(first, &cli->command, &near)) {
        dg_fail(&err, DG_USAGE, "there is no command `%.*s`", FMT(first));
        if (near.len)
            dg_hint(&err, "a similar command exists: `%.*s`", FMT(near));
        else
            dg_hint(&err, "the commands are run, list, plan, status, state and ask");
        return cli_error(cli, &err);
    }
    if (cli_parse(cli, argc - 2, argv + 2, &err) != DG_OK)
        return cli_error(cli, &err);
    if (cli->help)
        return say_help(cli, true, 0);
    switch (cli->command) {
    case CLI_RUN: return cli_run(cli);
    case CLI_LIST: return cli_list(cli);
    case CLI_PLAN: return cli_plan(cli);
    case CLI_STATUS: return cli_status(cli);
    case CLI_ASK: return cli_ask(cli);
    default: return cli_state(cli);
    }
}

int dg_main(const DgPipeline *pipeline, int argc, char **argv)
{
    DgError err = {0};
    Cli cli = {.pipeline = pipeline, .progress = PROGRESS_AUTO};
    keep_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    cli.program = argc > 0 ? (slash ? slash + 1 : argv[0]) : "pipeline";
    if (!os_faults_init(&err))
        return cli_error(&cli, &err);
    arena_init(&cli.arena, 1ull << 30);
    cli.arena.can_fail = true;
    cli.redactor = redactor_open();
    if (!cli.redactor) {
        os_no_memory(&err, "starting");
        return cli_error(&cli, &err);
    }
    int code = dispatch(&cli, argc, argv);
    redactor_close(cli.redactor);
    arena_free(&cli.arena);
    return code;
}
