/* cmd_mock.c - `dgc mock`: a tape as a server, for programs that would call the service. */
#include <unistd.h>

#include "compiler/cmd.h"
#include "compiler/mock_server.h"

static volatile sig_atomic_t ended;

static void end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

/* They arrive while the server waits, and at no other time. */
static void catch_signals(sigset_t *waiting)
{
    struct sigaction action = {.sa_handler = end};
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, waiting);
    sigdelset(waiting, SIGINT);
    sigdelset(waiting, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int serve(Arena *a, Str folder, int port)
{
    MockTape tape = {0};
    DgError err = {0};
    sigset_t waiting;
    int listener;
    DgStatus status = mock_tape_read(a, folder, &tape, &err);
    if (status == DG_OK)
        status = mock_listen(&port, &listener, &err);
    if (status != DG_OK) {
        fprintf(stderr, "dgc mock: %s\n", err.message);
        if (err.hint[0])
            fprintf(stderr, "  %s\n", err.hint);
        return dg_status_exit_code(status);
    }
    catch_signals(&waiting);
    fprintf(stderr, "serving %zu recorded requests of %.*s; Ctrl-C ends it\n", tape.entries.count, FMT(folder));
    printf("http://127.0.0.1:%d\n", port);
    int code = flush_stdout(0);
    if (code == 0)
        mock_serve(&tape, listener, stderr, &ended, &waiting);
    close(listener);
    return code;
}

int cmd_mock(int argc, char **argv)
{
    Arena a;
    Str port_text = {0};
    StrArray rest = {0};
    int64_t port = 0;
    arena_init(&a, 0);
    const Option options[] = {{.name = "--port", .letter = 'p', .takes_value = true, .value = &port_text}};
    int code = options_read("mock", argc, argv, options, 1, &rest, &a);
    if (code >= 0)
        return code;
    if (port_text.len && (!str_to_int(port_text, &port) || port < 0 || port > 65535)) {
        fprintf(stderr, "dgc mock: --port is a number from 0 to 65535, found `%.*s`\n", FMT(port_text));
        return 2;
    }
    if (rest.count != 1) {
        fprintf(stderr, rest.count ? "dgc mock: one tape is served at a time\n" : "dgc mock: which tape? A folder that `dgc run --record DIR` wrote\n");
        return 2;
    }
    return serve(&a, rest.items[0], (int)port);
}
