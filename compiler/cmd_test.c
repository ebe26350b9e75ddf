/* cmd_test.c - `dgc test`: every fixture of a project, each in a sandbox and a process of its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "codegen/fixture_run.h"
#include "compiler/cmd.h"
#include "compiler/project.h"
#include "compiler/tape_leftovers.h"

typedef struct Test {
    const Fixture *fixture;
    pid_t pid;       /* 0: not started, or over */
    int pipe;        /* the report comes from here */
    double started_ms, elapsed_ms;
    StrBuf report;
    bool passed;
} Test;

typedef struct Suite {
    Arena arena;
    Sources sources;
    Diag diag;
    Str root;
    bool recording;
    Fixtures fixtures;
    Test *tests;
    size_t count;
} Suite;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

/* ---- Reading ---- */

static void read_fixtures(Suite *s)
{
    Arena *a = &s->arena;
    StrArray files = {0};
    DIR *d = opendir(str_cstr(a, str_format(a, "%.*s/tests", FMT(s->root))));
    for (struct dirent *e; d && (e = readdir(d));) {
        Str name = str_from(e->d_name);
        if (name.ptr[0] != '.' && (str_ends(name, S(".yaml")) || str_ends(name, S(".yml"))))
            array_add(a, &files, str_format(a, "tests/%s", e->d_name));
    }
    if (d)
        closedir(d);
    if (files.count)
        qsort(files.items, files.count, sizeof *files.items, by_text);
    for (size_t i = 0; i < files.count; i++) {
        DgError err = {0};
        Str disk = str_format(a, "%.*s/%.*s", FMT(s->root), FMT(files.items[i]));
        uint32_t file = sources_load(&s->sources, files.items[i], disk, &err);
        if (file)
            fixture_read(a, &s->diag, file, &s->fixtures);
        else
            diag_report(&s->diag, E0703, (Span){0}, "%.*s: %s", FMT(files.items[i]), err.message);
    }
}

static void choose_tests(Suite *s, Str filter)
{
    s->tests = push(&s->arena, Test, s->fixtures.count + 1);
    for (size_t i = 0; i < s->fixtures.count; i++)
        if ((!filter.len || str_find(s->fixtures.items[i]->name, filter) >= 0) && (!s->recording || s->fixtures.items[i]->tape.len))
            s->tests[s->count++] = (Test){.fixture = s->fixtures.items[i]};
}

/* What is on the tapes that will be recorded whole. One outside tests/ may serve `run --replay` as well: nothing in it is left over. */
static void find_tapes(Suite *s, Str filter, TapeFiles *out)
{
    StrArray seen = {0};
    for (size_t i = 0; s->recording && !filter.len && i < s->count; i++) {
        Str tape = s->tests[i].fixture->tape;
        bool known = !str_starts(tape, S("tests/"));
        for (size_t k = 0; k < seen.count && !known; k++)
            known = str_eq(seen.items[k], tape);
        if (known)
            continue;
        array_add(&s->arena, &seen, tape);
        tape_files_add(&s->arena, str_format(&s->arena, "%.*s/%.*s", FMT(s->root), FMT(tape)), out);
    }
}

/* ---- Running ---- */

/* The child writes its report to the pipe; its exit code is the verdict. */
static void run_child(Suite *s, const Fixture *f, int out)
{
    enum { SECONDS_MAX = 600 };
    StrBuf report = {0};
    alarm(SECONDS_MAX);
    size_t wrong = s->diag.items.count;
    bool passed = fixture_run(&s->arena, &s->diag, f, s->root, s->recording, &report);
    if (s->diag.items.count > wrong)
        diag_render(&s->diag, (DiagRender){.format = DIAG_TEXT}, &report);
    for (size_t at = 0; at < report.len;) {
        ssize_t n = write(out, report.ptr + at, report.len - at);
        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    _exit(passed ? 0 : 1);
}

static void start_test(Suite *s, Test *t)
{
    int ends[2];
    fflush(NULL);
    t->started_ms = now_ms();
    bool piped = pipe2(ends, O_CLOEXEC) == 0; /* no script of a test keeps it open */
    t->pid = piped ? fork() : -1;
    if (t->pid < 0) {
        buf_format(&t->report, "could not start a process: %s\n", strerror(errno));
        t->pid = 0;
        if (piped) {
            close(ends[0]);
            close(ends[1]);
        }
        return;
    }
    if (t->pid == 0) {
        close(ends[0]);
        run_child(s, t->fixture, ends[1]);
    }
    close(ends[1]);
    t->pipe = ends[0];
}

/* The pipe is closed: the child is over. */
static void finish_test(Test *t)
{
    int status = 0;
    close(t->pipe);
    while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
        ;
    t->elapsed_ms = now_ms() - t->started_ms;
    t->passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (WIFSIGNALED(status))
        buf_format(&t->report, "the test crashed: %s\n", strsignal(WTERMSIG(status)));
    t->pid = 0;
}

static void read_report(Test *t)
{
    char buffer[4096];
    ssize_t n = read(t->pipe, buffer, sizeof buffer);
    if (n > 0)
        buf_add(&t->report, (Str){buffer, n});
    else if (n == 0 || errno != EINTR)
        finish_test(t);
}

/* Waits until one of the tests that run has something to say. */
static void wait_for_reports(Suite *s, size_t started, struct pollfd *polls)
{
    nfds_t count = 0;
    for (size_t i = 0; i < started; i++)
        if (s->tests[i].pid)
            polls[count++] = (struct pollfd){.fd = s->tests[i].pipe, .events = POLLIN};
    if (!count || poll(polls, count, -1) < 0)
        return;
    count = 0;
    for (size_t i = 0; i < started; i++)
        if (s->tests[i].pid && polls[count++].revents)
            read_report(&s->tests[i]);
}

/* ---- Output ---- */

static void print_test(const Test *t, bool color)
{
    const char *word = t->passed ? (color ? "\033[32mok\033[0m  " : "ok  ")
                                 : (color ? "\033[31mFAIL\033[0m" : "FAIL");
    printf("%s %.*s (%.0f ms)\n", word, FMT(t->fixture->name), t->elapsed_ms);
    for (Str rest = buf_str(&t->report), line; !t->passed && rest.len;) {
        str_cut(rest, '\n', &line, &rest);
        printf("     %.*s\n", FMT(line));
    }
    fflush(stdout);
}

static void print_json(const Suite *s, size_t failed)
{
    StrBuf b = {0};
    buf_format(&b, "{\n  \"schema\": \"dgc-test/1\",\n  \"passed\": %zu,\n  \"failed\": %zu,\n  \"tests\": [",
               s->count - failed, failed);
    for (size_t i = 0; i < s->count; i++) {
        const Test *t = &s->tests[i];
        buf_format(&b, "%s\n    {\"name\": ", i ? "," : "");
        buf_json(&b, t->fixture->name);
        buf_add(&b, S(", \"file\": "));
        buf_json(&b, sources_file(&s->sources, t->fixture->at.file)->path);
        buf_format(&b, ", \"line\": %u, \"passed\": %s, \"elapsed_ms\": %.0f, \"report\": ",
                   sources_line_of(&s->sources, t->fixture->at), t->passed ? "true" : "false",
                   t->elapsed_ms);
        buf_json(&b, t->passed ? (Str){0} : buf_str(&t->report));
        buf_char(&b, '}');
    }
    buf_add(&b, s->count ? S("\n  ]\n}\n") : S("]\n}\n"));
    fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
}

/* As many at a time as there are processors; shown in order. */
static size_t run_all(Suite *s, bool json)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t at_once = processors > 0 ? (size_t)processors : 1, started = 0, shown = 0, failed = 0;
    struct pollfd *polls = push(&s->arena, struct pollfd, at_once);
    while (shown < s->count) {
        size_t running = 0;
        for (size_t i = 0; i < started; i++)
            running += s->tests[i].pid != 0;
        for (; started < s->count && running < at_once; running++)
            start_test(s, &s->tests[started++]);
        wait_for_reports(s, started, polls);
        for (; shown < started && !s->tests[shown].pid; shown++) {
            failed += !s->tests[shown].passed;
            if (!json)
                print_test(&s->tests[shown], color_wanted(1));
        }
    }
    return failed;
}

static int test(Suite *s, Str project, Str filter, bool json)
{
    Compile finder = {0};
    arena_init(&finder.arena, 0);
    sources_init(&finder.sources, &finder.arena);
    diag_init(&finder.diag, &finder.arena, &finder.sources);
    if (!project_find(&finder, project)) {
        diag_print(&finder.diag, 2);
        return 2;
    }
    s->root = finder.project->root;
    read_fixtures(s);
    if (s->diag.items.count)
        diag_print(&s->diag, 2);
    if (diag_failed(&s->diag))
        return 1;
    choose_tests(s, filter);
    if (!s->count && !json) {
        if (!s->fixtures.count)
            fprintf(stderr, "dgc test: the project has no tests\n");
        else if (filter.len)
            fprintf(stderr, "dgc test: no test%s has `%.*s` in its name\n", s->recording ? " with a tape" : "", FMT(filter));
        else
            fprintf(stderr, "dgc test: no test names a tape\n");
        fprintf(stderr, "  tests are YAML files in tests/; docs/reference/fixtures.md says how\n");
        return s->fixtures.count ? 2 : 0;
    }
    double start = now_ms();
    TapeFiles before = {0};
    find_tapes(s, filter, &before);
    size_t failed = run_all(s, json);
    size_t removed = failed ? 0 : tape_files_remove(&before); /* a test that fails may not have come to its questions */
    if (json)
        print_json(s, failed);
    else
        printf("%zu passed, %zu failed, in %.1f s\n", s->count - failed, failed, (now_ms() - start) / 1e3);
    if (removed && !json)
        printf("%zu answer%s that nobody asks for any more removed from the tapes\n", removed, removed == 1 ? "" : "s");
    return failed ? 1 : 0;
}

int cmd_test(int argc, char **argv)
{
    Suite s = {0};
    bool json = false;
    StrArray rest = {0};
    arena_init(&s.arena, 0);
    const Option options[] = {{.name = "--json", .flag = &json}, {.name = "--record", .flag = &s.recording}};
    int code = options_read("test", argc, argv, options, 2, &rest, &s.arena);
    if (code >= 0)
        return code;
    sources_init(&s.sources, &s.arena);
    diag_init(&s.diag, &s.arena, &s.sources);
    /* One word is the project when there is such a folder, else the filter. */
    bool is_project = rest.count > 1 || (rest.count == 1 && access(str_cstr(&s.arena, rest.items[0]), F_OK) == 0);
    code = test(&s, is_project ? rest.items[0] : (Str){0},
                rest.count > 1 ? rest.items[1] : rest.count && !is_project ? rest.items[0] : (Str){0}, json);
    return flush_stdout(code);
}
