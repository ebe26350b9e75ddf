/* cmd_run.c - `dgc run`: compiled in memory, run at once, in a process of its own. */
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

static pid_t child;

static void pass_on(int signal_number)
{
    if (child > 0)
        kill(child, signal_number);
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 70;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    fprintf(stderr, "dgc run: the pipeline was ended by signal %d\n", WTERMSIG(status));
    return WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGABRT ? 70 : 128 + WTERMSIG(status);
}

/* The first plain argument is the project unless it follows an option that takes a value. */
static Str take_project(int *argc, char **argv)
{
    static const char *const valued[] = {"--select", "-s", "--job", "--partition", "--partition-range",
                                         "--threads", "--memory", "--home", "--progress", NULL};
    for (int i = 0; i < *argc; i++) {
        if (argv[i][0] == '-') {
            for (const char *const *v = valued; *v; v++)
                if (strcmp(argv[i], *v) == 0)
                    i++;
            continue;
        }
        struct stat st;
        if (stat(argv[i], &st) != 0 || !S_ISDIR(st.st_mode))
            continue;
        Str project = str_from(argv[i]);
        for (int k = i; k + 1 < *argc; k++)
            argv[k] = argv[k + 1];
        --*argc;
        return project;
    }
    return (Str){0};
}

int cmd_run(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            command_usage(command_find("run"), false);
            return 0;
        }
    }
    Arena arena;
    arena_init(&arena, 0);
    Compile c = {0};
    CompileOptions co = {.project = take_project(&argc, argv), .check_sql = true};
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
    const DgPipeline *pipeline = NULL;
    DgError err = {0};
    DgStatus status = driver_jit(&arena, text, &c.plan.user_sources, &pipeline, &err);
    if (status != DG_OK) {
        fprintf(stderr, "dgc run: %s\n  %s\n", err.message, err.hint);
        return dg_status_exit_code(status);
    }
    project_export_dotenv(c.project);
    setenv("DGC_PROJECT", str_cstr(&arena, c.project->root), 1);
    if (!getenv("DGC_HOME"))
        setenv("DGC_HOME", str_cstr(&arena, str_format(&arena, "%.*s/.dgc", FMT(c.project->root))), 1);
    char **args = push(&arena, char *, argc + 3);
    args[0] = str_cstr(&arena, str_from("dgc"));
    args[1] = str_cstr(&arena, str_from("run"));
    for (int i = 0; i < argc; i++)
        args[i + 2] = argv[i];
    fflush(NULL);
    signal(SIGINT, pass_on);
    signal(SIGTERM, pass_on);
    child = fork();
    if (child < 0) {
        fprintf(stderr, "dgc run: could not start a process: %s\n", strerror(errno));
        return 71;
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        exit(dg_main(pipeline, argc + 2, args));
    }
    return wait_for(child);
}
