/* cmd_run.c - `dgc run` and its like, which a built pipeline has, too: compiled in memory, run at once, in a process of its own. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codegen/driver.h"
#include "codegen/emit_program.h"
#include "compiler/cmd.h"
#include "compiler/project.h"

static volatile pid_t child; /* for the signal handler */

/* What the terminal sends goes to the whole process group, so the child has it already. */
static void pass_on(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    if (child > 0 && info->si_code <= 0)
        kill(child, signal_number);
}

static void pass_signals_on(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

static void default_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 70;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int number = WTERMSIG(status);
    bool crash = number == SIGSEGV || number == SIGABRT || number == SIGBUS || number == SIGILL ||
                 number == SIGFPE;
    fprintf(stderr, "dgc: the pipeline %s (signal %d, %s)\n", crash ? "crashed" : "was ended",
            number, strsignal(number));
    return crash ? 70 : 128 + number;
}

static bool is_project(const char *folder)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/dgc.yaml", folder);
    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

static int plain_words(int argc, char **argv)
{
    int count = 0;
    for (int i = 0; i < argc; i++) {
        count += argv[i][0] != '-';
        i += argv[i][0] == '-' && dg_takes_next(argv[i]);
    }
    return count;
}

/* The first plain argument that is a folder and does not follow an option that takes a value. Words of `ask`, `status`
 * and `state` may be those of a folder by chance, but not of one with a dgc.yaml. */
static Str take_project(bool has_words, int *argc, char **argv)
{
    for (int i = 0; i < *argc; i++) {
        struct stat st;
        if (argv[i][0] == '-') {
            i += dg_takes_next(argv[i]);
            continue;
        }
        if (stat(argv[i], &st) != 0 || !S_ISDIR(st.st_mode) || (has_words && !is_project(argv[i])))
            continue;
        Str project = str_from(argv[i]);
        for (int k = i; k + 1 < *argc; k++)
            argv[k] = argv[k + 1];
        --*argc;
        return project;
    }
    return (Str){0};
}

/* In the child: compiles and never comes back. */
static void run_program(Compile *c, const char *command, Str text, int argc, char **argv)
{
    Arena *a = &c->arena;
    const DgPipeline *pipeline = NULL;
    UserSources sources = {0};
    DgError err = {0};
    user_sources_of(a, &c->plan, &sources);
    DgStatus status = driver_jit(a, text, &sources, &pipeline, &err);
    if (status != DG_OK) {
        fprintf(stderr, "dgc: %s\n  help: %s\n", err.message, err.hint);
        exit(dg_status_exit_code(status));
    }
    project_export_dotenv(c->project);
    if (!getenv("DGC_HOME"))
        setenv("DGC_HOME", str_cstr(a, str_format(a, "%.*s/.dgc", FMT(c->project->root))), 1);
    char **args = push(a, char *, argc + 5);
    args[0] = str_cstr(a, S("dgc"));
    args[1] = str_cstr(a, str_from(command));
    args[2] = str_cstr(a, S("--project"));
    args[3] = str_cstr(a, c->project->root);
    for (int i = 0; i < argc; i++)
        args[i + 4] = argv[i];
    buf_is_fatal = false; /* from here on it is the runtime */
    exit(dg_main(pipeline, argc + 4, args));
}

static int run_in_child(Compile *c, const char *command, Str text, int argc, char **argv)
{
    fflush(NULL);
    pass_signals_on();
    pid_t parent = getpid();
    child = fork();
    if (child < 0) {
        fprintf(stderr, "dgc: could not start a process: %s\n", strerror(errno));
        return 71;
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            exit(143);
        default_signals();
        run_program(c, command, text, argc, argv);
    }
    return wait_for(child);
}

static int compile_and_run(const char *command, bool has_words, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            command_usage(command_find(command), false);
            return 0;
        }
    }
    Compile c = {0};
    CompileOptions co = {.project = take_project(has_words, &argc, argv), .check_sql = true};
    bool good = compile_project(&c, &co);
    if (c.diag.items.count)
        diag_print(&c.diag, 2);
    if (!good)
        return c.project && c.project->top ? 1 : 2;
    EmitOptions eo = {.version = S(DGC_VERSION)};
    Str text = emit_program(&c.plan, &eo);
    if (!text.len) {
        diag_print(&c.diag, 2);
        return 1;
    }
    int code = run_in_child(&c, command, text, argc, argv);
    compile_release(&c);
    return code;
}

int cmd_run(int argc, char **argv) { return compile_and_run("run", false, argc, argv); }

int cmd_plan(int argc, char **argv) { return compile_and_run("plan", false, argc, argv); }

/* With a second word, the first one is the project. */
int cmd_ask(int argc, char **argv) { return compile_and_run("ask", plain_words(argc, argv) < 2, argc, argv); }

int cmd_status(int argc, char **argv) { return compile_and_run("status", true, argc, argv); }

int cmd_state(int argc, char **argv) { return compile_and_run("state", true, argc, argv); }
