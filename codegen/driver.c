/* driver.c - which driver builds, where, and what they have in common. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/driver_impl.h"

#include "embedded_headers.h"

/* ---- Files ---- */

Str driver_lib(Arena *a)
{
    char self[PATH_MAX];
    const char *named = getenv("DGC_LIB");
    if (named && *named)
        return str_copy(a, str_from(named));
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    while (n > 0 && self[n - 1] != '/')
        n--;
    /* build/dgc has build/lib; tests stand one folder deeper. */
    static const char *const places[] = {"", "../"};
    for (size_t i = 0; i < 2; i++) {
        Str lib = str_format(a, "%.*s%slib", n > 0 ? (int)n : 0, self, places[i]);
        if (access(str_cstr(a, str_format(a, "%.*s/LINK", FMT(lib))), R_OK) == 0)
            return lib;
    }
    return str_format(a, "%.*slib", n > 0 ? (int)n : 0, self);
}

const char *driver_find(Arena *a, const char *const *names)
{
    Str path = str_from(getenv("PATH"));
    for (; *names; names++) {
        for (Str rest = path, dir; rest.len;) {
            str_cut(rest, ':', &dir, &rest);
            char *full = str_cstr(a, str_format(a, "%.*s/%s", FMT(dir), *names));
            if (dir.len && access(full, X_OK) == 0)
                return full;
        }
    }
    return NULL;
}

bool write_file(const char *path, Str text, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    ptrdiff_t at = 0;
    while (fd >= 0 && at < text.len) {
        ssize_t n = write(fd, text.ptr + at, (size_t)(text.len - at));
        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? n : 0;
    }
    return fd >= 0 && close(fd) == 0 && at == text.len;
}

bool read_file(Arena *a, const char *path, size_t bytes_max, Str *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *out = (Str){0};
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size <= bytes_max;
    /* Aligned: objects are read as structs. */
    char *text = arena_push(a, 1, 16, ok ? (size_t)st.st_size + 1 : 1);
    ssize_t at = 0;
    while (ok && at < st.st_size) {
        ssize_t n = read(fd, text + at, (size_t)(st.st_size - at));
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        at += n > 0 ? n : 0;
    }
    ok = ok && at == st.st_size;
    int number = errno;
    close(fd);
    errno = number;
    if (ok)
        *out = (Str){text, at};
    return ok;
}

bool driver_link_list(Build *b, StrArray *out)
{
    Str rest, line;
    if (!read_file(b->a, str_cstr(b->a, str_format(b->a, "%.*s/LINK", FMT(b->lib))), 1 << 16, &rest)) {
        if (errno != ENOENT) {
            dg_fail(b->err, DG_IO, "could not read %.*s/LINK: %s", FMT(b->lib), strerror(errno));
            return false;
        }
        dg_fail(b->err, DG_CONFIG, "%.*s/LINK is missing: dgc's libraries are not beside it",
                FMT(b->lib));
        dg_hint(b->err, "keep the folder `lib` beside the program `dgc`, or name it in DGC_LIB");
        return false;
    }
    while (rest.len) {
        str_cut(rest, '\n', &line, &rest);
        if (line.len)
            array_add(b->a, out, line);
    }
    return true;
}

void user_sources_of(Arena *a, const Plan *plan, UserSources *out)
{
    for (size_t i = 0; i < plan->user_sources.count; i++) {
        Str shown = plan->user_sources.items[i];
        UserSource source = {str_format(a, "%.*s/%.*s", FMT(plan->root), FMT(shown)), shown};
        array_add(a, out, source);
    }
}

/* ---- Headers ---- */

static const size_t headers_count = sizeof EMBEDDED_HEADERS / sizeof *EMBEDDED_HEADERS;

/* The index of the header that `name` means: its path, or the last parts of it. -1: none. */
static int header_named(Str name)
{
    for (size_t i = 0; i < headers_count; i++) {
        Str path = str_from(EMBEDDED_HEADERS[i].path);
        if (str_eq(path, name) ||
            (str_ends(path, name) && path.ptr[path.len - name.len - 1] == '/'))
            return (int)i;
    }
    return -1;
}

/* `#include "X"` with X one of ours; the header's index, else -1. */
static int header_of_line(Str line)
{
    line = str_trim(line);
    if (!str_starts(line, S("#")))
        return -1;
    line = str_trim(str_sub(line, 1, line.len));
    if (!str_starts(line, S("include")))
        return -1;
    line = str_trim(str_sub(line, 7, line.len));
    ptrdiff_t end = line.len > 1 ? str_find_char(str_sub(line, 1, line.len), '"') : -1;
    return line.len && line.ptr[0] == '"' && end >= 0 ? header_named(str_sub(line, 1, end + 1)) : -1;
}

static void expand(StrBuf *out, Str text, const char *shown, bool *done, int depth)
{
    uint32_t number = 0;
    for (Str rest = text, line; rest.len;) {
        str_cut(rest, '\n', &line, &rest);
        number++;
        int header = header_of_line(line);
        if (header < 0 || depth > 8) {
            buf_add(out, line);
            buf_char(out, '\n');
            continue;
        }
        if (!done[header]) {
            done[header] = true;
            buf_format(out, "#line 1 \"%s\"\n", EMBEDDED_HEADERS[header].path);
            expand(out, (Str){(const char *)EMBEDDED_HEADERS[header].text,
                              (ptrdiff_t)EMBEDDED_HEADERS[header].size},
                   EMBEDDED_HEADERS[header].path, done, depth + 1);
        }
        buf_format(out, "#line %u \"%s\"\n", number + 1, shown);
    }
}

static Str expanded(Arena *a, Str text, const char *shown)
{
    StrBuf b = {0};
    bool *done = push(a, bool, headers_count);
    expand(&b, text, shown, done, 0);
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

Str driver_expand(Arena *a, Str text)
{
    return str_concat(a, S("#line 1 \"pipeline.c\"\n"), expanded(a, text, "pipeline.c"));
}

bool driver_is_libc_free(Str text)
{
    for (Str line; text.len;) {
        str_cut(text, '\n', &line, &text);
        line = str_trim(line);
        if (str_starts(line, S("#")) && str_find(line, S("include")) > 0 &&
            str_find_char(line, '<') > 0)
            return false;
    }
    return true;
}

Str driver_component_text(Arena *a, const UserSource *source, Str text)
{
    const char *shown = str_cstr(a, source->shown);
    return str_format(a, "%s#line 1 \"%s\"\n%.*s",
                      driver_is_libc_free(text) ? "#define DGC_NO_LIBC\n" : "", shown,
                      FMT(expanded(a, text, shown)));
}

/* ---- Errors ---- */

DgStatus driver_internal_error(Arena *a, Str said, Str text, DgError *err)
{
    char path[PATH_MAX];
    const char *temp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/dgc-program-XXXXXX.c", temp && *temp ? temp : "/tmp");
    int fd = mkstemps(path, 2);
    bool kept = fd >= 0 && close(fd) == 0 && write_file(path, text, 0600);
    said = str_trim(said);
    dg_fail(err, DG_BUG, "internal error: the emitted program does not compile: %.*s",
            FMT(str_sub(said, 0, 600)));
    dg_hint(err, "this is a mistake in dgc, not in the project; %s%s",
            kept ? "the program is in " : "`dgc build --emit c` shows the program",
            kept ? path : "");
    (void)a;
    return DG_BUG;
}

DgStatus driver_user_error(const char *compiler, Str said, DgError *err)
{
    const char *slash = strrchr(compiler, '/');
    dg_fail(err, DG_FAILED, "%s does not take a component of the project: %.*s",
            slash ? slash + 1 : compiler, FMT(str_sub(str_trim(said), 0, 800)));
    dg_hint(err, "components are C11, and compiled by libtcc too");
    return DG_FAILED;
}

/* ---- Building ---- */

/* Files by name, so that nothing else can be removed by mistake. */
static void remove_folder(Build *b)
{
    static const char *const files[] = {"pipeline.c", "pipeline.o", "pipeline", "log"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(str_cstr(b->a, str_format(b->a, "%s/%s", b->folder, files[i])));
    for (size_t i = 0; i < b->job->user_sources.count; i++) {
        unlink(str_cstr(b->a, str_format(b->a, "%s/user%zu.c", b->folder, i)));
        unlink(str_cstr(b->a, str_format(b->a, "%s/user%zu.o", b->folder, i)));
    }
    rmdir(b->folder);
}

/* tcc links with the libc that dgc itself runs on; all it needs beside is shipped. */
static DgStatus choose(Build *b, const char **compiler, Str *driver)
{
    static const char *const any[] = {"gcc", "clang", "cc", NULL};
    static const char *const linkers[] = {"mold", "ld.lld", "ld.gold", "ld", NULL};
    *driver = b->job->driver.len ? b->job->driver : S("auto");
    *compiler = NULL;
    if (str_eq(*driver, S("tcc")) || str_eq(*driver, S("pack")))
        return DG_OK;
    if (str_eq(*driver, S("auto"))) {
        *compiler = driver_find(b->a, linkers) ? driver_find(b->a, any) : NULL;
        if (!*compiler)
            *driver = S("tcc");
    } else if (str_eq(*driver, S("gcc")) || str_eq(*driver, S("clang"))) {
        const char *const named[] = {str_cstr(b->a, *driver), NULL};
        *compiler = driver_find(b->a, named);
        if (!*compiler) {
            dg_fail(b->err, DG_CONFIG, "the compiler `%.*s` is not on PATH", FMT(*driver));
            dg_hint(b->err, "`--driver tcc` and `--driver pack` need no compiler");
            return DG_CONFIG;
        }
    } else {
        dg_fail(b->err, DG_USAGE, "there is no driver `%.*s`", FMT(*driver));
        dg_hint(b->err, "the drivers are auto, gcc, clang, tcc and pack");
        return DG_USAGE;
    }
    if (*compiler) {
        const char *slash = strrchr(*compiler, '/');
        *driver = str_from(slash ? slash + 1 : *compiler);
    }
    return DG_OK;
}

static DgStatus cannot_create(const Build *b)
{
    return dg_fail(b->err, DG_CANTCREATE, "could not create %.*s: %s", FMT(b->job->output),
                   strerror(errno));
}

static DgStatus build_in_folder(Build *b, const char *compiler, Str driver)
{
    struct stat st;
    DgStatus status = compiler                     ? driver_cc(b, compiler)
                      : str_eq(driver, S("tcc")) ? driver_tcc(b)
                                                 : driver_pack(b);
    if (status != DG_OK)
        return status;
    if (stat(b->made, &st) != 0 || rename(b->made, str_cstr(b->a, b->job->output)) != 0)
        return cannot_create(b);
    b->out->bytes = st.st_size;
    b->out->driver = driver;
    return DG_OK;
}

DgStatus driver_build(Arena *a, const BuildJob *job, BuildResult *out, DgError *err)
{
    Build b = {.a = a, .job = job, .lib = driver_lib(a), .out = out, .err = err};
    const char *compiler;
    Str driver;
    char real[PATH_MAX];
    struct stat st;
    if (stat(str_cstr(a, job->output), &st) == 0 && S_ISDIR(st.st_mode))
        return dg_fail(err, DG_CANTCREATE, "could not create %.*s: it is a folder", FMT(job->output));
    DG_TRY(choose(&b, &compiler, &driver));
    b.folder = str_cstr(a, str_format(a, "%.*s.building-%ld", FMT(job->output), (long)getpid()));
    if (mkdir(b.folder, 0700) != 0)
        return cannot_create(&b);
    if (realpath(b.folder, real))
        b.folder = str_cstr(a, str_from(real));
    b.made = str_cstr(a, str_format(a, "%s/pipeline", b.folder));
    DgStatus status = build_in_folder(&b, compiler, driver);
    remove_folder(&b);
    return status;
}
