/* options.c - command-line options, and the small things every command does. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/cmd.h"

bool color_wanted(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

void diag_print(Diag *d, int fd)
{
    StrBuf out = {0};
    diag_finish(d);
    diag_render(d, (DiagRender){.format = DIAG_TEXT, .color = color_wanted(fd), .items_max = 20},
                &out);
    fwrite(out.ptr, 1, out.len, fd == 1 ? stdout : stderr);
    buf_free(&out);
}

/* A reader that has gone away is no error: `dgc docs reference | head`. */
static bool stdout_closed(void)
{
    struct pollfd p = {.fd = 1};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

int flush_stdout(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    const char *why = strerror(errno ? errno : EIO);
    if (errno == EPIPE || stdout_closed())
        return code;
    fprintf(stderr, "dgc: could not write to standard output: %s\n", why);
    return dg_status_exit_code(DG_IO);
}

static const Option *find_option(const Option *options, size_t count, Str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(name, str_from(options[i].name)))
            return &options[i];
        if (name.len == 2 && name.ptr[0] == '-' && options[i].letter &&
            name.ptr[1] == options[i].letter)
            return &options[i];
    }
    return NULL;
}

static int unknown_option(const char *command, const Option *options, size_t count, Str name)
{
    const char *nearest = NULL;
    int best = 3;
    for (size_t i = 0; i < count; i++) {
        int d = str_distance(name, str_from(options[i].name), 3);
        if (d < best) {
            best = d;
            nearest = options[i].name;
        }
    }
    fprintf(stderr, "dgc %s: there is no option `%.*s`\n", command, FMT(name));
    if (nearest)
        fprintf(stderr, "  a similar option exists: %s\n", nearest);
    fprintf(stderr, "  `dgc %s --help` shows them all\n", command);
    return 2;
}

int options_read(const char *command, int argc, char **argv, const Option *options, size_t count,
                 StrArray *rest, Arena *arena)
{
    bool only_rest = false;
    for (int i = 0; i < argc; i++) {
        Str arg = str_from(argv[i]);
        if (only_rest || arg.len < 2 || arg.ptr[0] != '-') {
            if (!rest) {
                fprintf(stderr, "dgc %s: takes no argument `%s`\n", command, argv[i]);
                return 2;
            }
            array_add(arena, rest, arg);
            continue;
        }
        if (str_eq(arg, S("--"))) {
            only_rest = true;
            continue;
        }
        if (str_eq(arg, S("--help")) || str_eq(arg, S("-h"))) {
            command_usage(command_find(command), false);
            return 0;
        }
        Str name = arg, value = {0};
        bool inline_value = str_starts(arg, S("--")) && str_cut(arg, '=', &name, &value);
        const Option *o = find_option(options, count, name);
        if (!o)
            return unknown_option(command, options, count, name);
        if (!o->takes_value) {
            if (inline_value) {
                fprintf(stderr, "dgc %s: `%s` takes no value\n", command, o->name);
                return 2;
            }
            *o->flag = true;
            continue;
        }
        if (!inline_value && i + 1 >= argc) {
            fprintf(stderr, "dgc %s: `%s` needs a value\n", command, o->name);
            return 2;
        }
        if (!inline_value)
            value = str_from(argv[++i]);
        if (o->many)
            array_add(arena, o->many, value);
        else
            *o->value = value;
    }
    return -1;
}
