/* driver.c - gcc and clang: compile, link, put in place. */
#include "codegen/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

Str driver_lib(Arena *a)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return S("lib");
    while (n > 0 && self[n - 1] != '/')
        n--;
    return str_format(a, "%.*slib", (int)n, self);
}

const char *driver_find(Arena *a, const char *const *names)
{
    Str path = str_from(getenv("PATH"));
    for (; *names; names++) {
        for (Str rest = path, dir; rest.len;) {
            if (!str_cut(rest, ':', &dir, &rest)) {
                dir = rest;
                rest = (Str){0};
            }
            char *full = str_cstr(a, str_format(a, "%.*s/%s", FMT(dir), *names));
            if (access(full, X_OK) == 0)
                return full;
        }
    }
    return NULL;
}

typedef Array(char *) Argv;

static void arg(Arena *a, Argv *v, const char *fmt, ...) DG_PRINTF(3, 4);
static void arg(Arena *a, Argv *v, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = str_cstr(a, str_vformat(a, fmt, args));
    va_end(args);
    array_add(a, v, text);
}

/* Runs a command with its output in `log`; its exit status, -1 when it could not be started. */
static int run_command(Arena *a, Argv *v, const char *folder, const char *log)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    array_add(a, v, NULL);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int failed = posix_spawn(&pid, v->items[0], &actions, NULL, v->items, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static bool write_text(const char *path, Str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ptrdiff_t at = 0;
    while (fd >= 0 && at < text.len) {
        ssize_t n = write(fd, text.ptr + at, (size_t)(text.len - at));
        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? n : 0;
    }
    return fd >= 0 && close(fd) == 0 && at == text.len;
}

static Str read_text(Arena *a, const char *path, size_t max)
{
    char *text = push(a, char, max);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, max) : 0;
    if (fd >= 0)
        close(fd);
    return (Str){text, n > 0 ? n : 0};
}

/* What a pipeline carries compressed: the library, and what that needs of C++. */
static const struct { const char *symbol, *file; } payloads[] = {
    {"dg_payload_duckdb", "libduckdb.so.zst"},
    {"dg_payload_stdcxx", "libstdc++.so.6.zst"},
    {"dg_payload_gcc_s", "libgcc_s.so.1.zst"},
};

static Str payload_assembler(Arena *a, Str lib)
{
    StrBuf b = {0};
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        buf_format(&b,
                   ".section .rodata.%s,\"a\",@progbits\n.globl %s, %s_end\n.balign 16\n%s:\n"
                   ".incbin \"%.*s/%s\"\n%s_end:\n.byte 0\n",
                   payloads[i].symbol, payloads[i].symbol, payloads[i].symbol, payloads[i].symbol,
                   FMT(lib), payloads[i].file, payloads[i].symbol);
    buf_add(&b, S(".section .note.GNU-stack,\"\",@progbits\n"));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static DgStatus compiler_failed(Arena *a, const char *log, Str kept, DgError *err)
{
    Str said = str_trim(read_text(a, log, 600));
    dg_fail(err, DG_BUG, "the emitted program does not compile: %.*s", FMT(said));
    dg_hint(err, "this is a mistake in dgc; `dgc build --emit c` shows the program%s%.*s",
            kept.len ? ", also kept in " : "", FMT(kept));
    return DG_BUG;
}

static void add_user_object(Arena *a, Argv *link, const char *cc, const char *lib, const char *folder,
                            Str source, size_t number, int *status, const char *log)
{
    Argv v = {0};
    arg(a, &v, "%s", cc);
    arg(a, &v, "-O2");
    arg(a, &v, "-c");
    arg(a, &v, "-std=gnu11");
    arg(a, &v, "-ffunction-sections");
    arg(a, &v, "-fdata-sections");
    arg(a, &v, "-I%s/include", lib);
    arg(a, &v, "-I%s/include/runtime", lib);
    arg(a, &v, "-ffile-prefix-map=%.*s=components/component.c", FMT(source));
    arg(a, &v, "-o");
    arg(a, &v, "user%zu.o", number);
    arg(a, &v, "%.*s", FMT(source));
    if (*status == 0)
        *status = run_command(a, &v, folder, log);
    arg(a, link, "user%zu.o", number);
}

static DgStatus cc_build(Arena *a, const BuildJob *job, const char *cc, const char *folder, Str output,
                         BuildResult *out, DgError *err)
{
    Str lib = driver_lib(a);
    const char *log = str_cstr(a, str_format(a, "%s/log", folder));
    Argv compile = {0}, link = {0};
    arg(a, &compile, "%s", cc);
    static const char *const flags[] = {"-std=gnu11", "-O2", "-c", "-w", "-ffunction-sections",
                                        "-fdata-sections", "-fno-diagnostics-show-caret",
                                        "-fno-asynchronous-unwind-tables", "-frandom-seed=dgc"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i], "-fno-diagnostics-show-caret") || !strstr(cc, "clang"))
            arg(a, &compile, "%s", flags[i]);
    if (job->debug)
        arg(a, &compile, "-g");
    arg(a, &compile, "-ffile-prefix-map=%s=.", folder);
    arg(a, &compile, "-I%.*s/include", FMT(lib));
    arg(a, &compile, "-o");
    arg(a, &compile, "pipeline.o");
    arg(a, &compile, "pipeline.c");

    static const char *const linkers[] = {"mold", "ld.lld", "ld.gold", NULL};
    const char *linker = driver_find(a, linkers);
    arg(a, &link, "%s", cc);
    arg(a, &link, "pipeline.o");
    int status = 0;
    for (size_t i = 0; i < job->user_sources.count; i++)
        add_user_object(a, &link, cc, str_cstr(a, lib), folder, job->user_sources.items[i], i, &status,
                        log);
    if (status != 0)
        return compiler_failed(a, log, (Str){0}, err);
    if (job->needs_duckdb) {
        if (!write_text(str_cstr(a, str_format(a, "%s/payload.s", folder)), payload_assembler(a, lib)))
            return dg_fail(err, DG_CANTCREATE, "could not write to %s: %s", folder, strerror(errno));
        arg(a, &link, "payload.s");
    }
    if (linker)
        arg(a, &link, "-fuse-ld=%s", strstr(linker, "mold") ? "mold" : strstr(linker, "lld") ? "lld" : "gold");
    arg(a, &link, "-L%.*s", FMT(lib));
    arg(a, &link, "-Wl,--gc-sections,-z,relro,-z,now,--build-id=none%s", job->debug ? "" : ",-s");
    Str rest = read_text(a, str_cstr(a, str_format(a, "%.*s/LINK", FMT(lib))), 1 << 16), line;
    if (!rest.len)
        return dg_fail(err, DG_CONFIG, "%.*s/LINK is missing: dgc's libraries are not beside it",
                       FMT(lib));
    while (rest.len) {
        if (!str_cut(rest, '\n', &line, &rest)) {
            line = rest;
            rest = (Str){0};
        }
        if (line.len && line.ptr[0] == '-')
            arg(a, &link, "%.*s", FMT(line));
        else if (line.len)
            arg(a, &link, "%.*s/%.*s", FMT(lib), FMT(line));
    }
    arg(a, &link, "-o");
    arg(a, &link, "pipeline");
    if (run_command(a, &compile, folder, log) != 0 || run_command(a, &link, folder, log) != 0)
        return compiler_failed(a, log, (Str){0}, err);
    out->linker = str_from(linker ? linker : "ld");
    char *made = str_cstr(a, str_format(a, "%s/pipeline", folder));
    if (rename(made, str_cstr(a, output)) != 0)
        return dg_fail(err, DG_CANTCREATE, "could not create %.*s: %s", FMT(job->output), strerror(errno));
    return DG_OK;
}

static void remove_folder(Arena *a, const char *folder, size_t user_sources)
{
    static const char *const files[] = {"pipeline.c", "pipeline.o", "pipeline", "payload.s", "log"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(str_cstr(a, str_format(a, "%s/%s", folder, files[i])));
    for (size_t i = 0; i < user_sources; i++)
        unlink(str_cstr(a, str_format(a, "%s/user%zu.o", folder, i)));
    rmdir(folder);
}

DgStatus driver_build(Arena *a, const BuildJob *job, BuildResult *out, DgError *err)
{
    static const char *const any[] = {"gcc", "clang", "cc", NULL};
    char *name = str_cstr(a, job->driver);
    const char *const named[] = {name, NULL};
    bool want_tcc = str_eq(job->driver, S("tcc"));
    const char *cc = want_tcc ? NULL : driver_find(a, str_eq(job->driver, S("auto")) ? any : named);
    if (!cc && !want_tcc && !str_eq(job->driver, S("auto"))) {
        dg_fail(err, DG_CONFIG, "the compiler `%s` is not on PATH", name);
        dg_hint(err, "`--driver tcc` needs no compiler");
        return DG_CONFIG;
    }
    /* Beside the output, so that it can be put in place by renaming. */
    char *folder = str_cstr(a, str_format(a, "%.*s.building-%ld", FMT(job->output), (long)getpid()));
    if (mkdir(folder, 0700) != 0)
        return dg_fail(err, DG_CANTCREATE, "could not create %.*s: %s", FMT(job->output), strerror(errno));
    char real[PATH_MAX];
    if (realpath(folder, real))
        folder = str_cstr(a, str_from(real));
    Str temp = str_format(a, "%.*s", FMT(job->output));
    DgStatus status = DG_OK;
    if (!write_text(str_cstr(a, str_format(a, "%s/pipeline.c", folder)), job->text))
        status = dg_fail(err, DG_CANTCREATE, "could not write to %s: %s", folder, strerror(errno));
    else if (cc)
        status = cc_build(a, job, cc, folder, temp, out, err);
    else
        status = driver_tcc_build(a, job, temp, err);
    remove_folder(a, folder, job->user_sources.count);
    struct stat st;
    if (status == DG_OK && stat(str_cstr(a, job->output), &st) == 0)
        out->bytes = st.st_size;
    out->driver = str_from(cc ? cc : "tcc");
    if (!cc)
        out->linker = S("tcc");
    return status;
}
