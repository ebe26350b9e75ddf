/* Child processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/os.h"

extern char **environ;

/* Runs in the child. What stops it goes back through `report` as an errno; exec closes it. */
static void become(const OsSpawn *spawn, int out, int err_out, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(err_out, 2) >= 0 &&
        (!spawn->folder || chdir(spawn->folder) == 0)) {
        char *const *env = spawn->env ? (char *const *)(uintptr_t)spawn->env : environ;
        dg_os.exec(spawn->argv[0], (char *const *)(uintptr_t)spawn->argv, env);
    }
    int number = errno;
    if (write(report, &number, sizeof number) < 0)
        _exit(126);
    _exit(127);
}

static void close_pair(int fds[2])
{
    os_close(fds[0]);
    os_close(fds[1]);
}

/* Makes the three pipes; all or none. */
static DgStatus make_pipes(int out[2], int err_out[2], int report[2], DgError *err)
{
    if (dg_os.pipe(out) == 0) {
        if (dg_os.pipe(err_out) == 0) {
            if (dg_os.pipe(report) == 0)
                return DG_OK;
            close_pair(err_out);
        }
        close_pair(out);
    }
    return os_fail(err, errno, "make", "a pipe");
}

DgStatus os_spawn(const OsSpawn *spawn, OsChild *out, DgError *err)
{
    int out_pipe[2], err_pipe[2], report[2];
    *out = (OsChild){.pid = -1, .out_fd = -1, .err_fd = -1};
    DG_TRY(make_pipes(out_pipe, err_pipe, report, err));
    pid_t pid = dg_os.fork();
    if (pid == 0)
        become(spawn, out_pipe[1], err_pipe[1], report[1]);
    int number = errno;
    os_close(out_pipe[1]);
    os_close(err_pipe[1]);
    os_close(report[1]);
    if (pid > 0) {
        setpgid(pid, pid); /* in both processes: whoever comes first */
        int child_errno = 0;
        ssize_t got;
        do
            got = read(report[0], &child_errno, sizeof child_errno);
        while (got < 0 && errno == EINTR);
        if (got <= 0) {
            os_close(report[0]);
            *out = (OsChild){.pid = pid, .out_fd = out_pipe[0], .err_fd = err_pipe[0]};
            return DG_OK;
        }
        waitpid(pid, NULL, 0);
        number = child_errno;
    }
    os_close(report[0]);
    os_close(out_pipe[0]);
    os_close(err_pipe[0]);
    os_fail(err, number, "start", spawn->argv[0]);
    if (pid > 0 && number == ENOENT && !spawn->folder)
        dg_hint(err, "is it installed and in PATH?");
    return err->status;
}

bool os_child_done(OsChild *child, int *status)
{
    if (child->pid <= 0)
        return true;
    pid_t got = dg_os.waitpid(child->pid, status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    if (got < 0)
        *status = 0;
    /* The leader is gone; what it left running in its group goes too. */
    dg_os.kill(-child->pid, SIGKILL);
    child->pid = -1;
    return true;
}

void os_child_stop(OsChild *child, int64_t grace_ms, int *status)
{
    *status = 0;
    if (child->pid > 0) {
        dg_os.kill(-child->pid, SIGTERM);
        int64_t until = os_monotonic_ms() + grace_ms;
        while (!os_child_done(child, status)) {
            if (os_monotonic_ms() >= until) {
                dg_os.kill(-child->pid, SIGKILL);
                while (dg_os.waitpid(child->pid, status, 0) < 0 && errno == EINTR)
                    continue;
                child->pid = -1;
                break;
            }
            os_sleep_ms(10);
        }
    }
    os_close(child->out_fd);
    os_close(child->err_fd);
    child->out_fd = child->err_fd = -1;
}
