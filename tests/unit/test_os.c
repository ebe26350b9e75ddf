/* The table of system calls: files, children, faults, the redactor and the secrets on top. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/run/secrets.h"

static char folder[64], path[96];
static Arena arena;
static DgOs real;

static int clean(void **state)
{
    DgError err = {0};
    dg_os = real;
    snprintf(folder, sizeof folder, "/tmp/dgc-test-os-%d", (int)getpid());
    snprintf(path, sizeof path, "%s/file", folder);
    return os_remove_tree(folder, &err) == DG_OK && os_make_folders(folder, &err) == DG_OK ? 0 : 1;
}

static void files_are_replaced_whole(void **state)
{
    DgError err = {0};
    Str text;
    StrArray names;
    assert_int_equal(os_atomic_write(path, S("old"), 0644, &err), DG_OK);
    assert_int_equal(os_atomic_write(path, S("new text"), 0644, &err), DG_OK);
    assert_int_equal(os_read_file(&arena, path, 100, &text, &err), DG_OK);
    assert_true(str_eq(text, S("new text")));
    assert_int_equal(os_list(&arena, folder, &names, &err), DG_OK);
    assert_int_equal(names.count, 1); /* no temporary file is left */
    assert_int_equal(os_read_file(&arena, path, 3, &text, &err), DG_DATA);
    assert_int_equal(os_read_file(&arena, "/nonexistent", 3, &text, &err), DG_CONFIG);
    assert_string_equal(err.message, "could not open `/nonexistent`: No such file or directory");
}

static int calls;
static ssize_t short_write(int fd, const void *from, size_t n)
{
    if (++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return real.write(fd, from, n > 2 ? 2 : n);
}
static ssize_t short_read(int fd, void *to, size_t n)
{
    return real.read(fd, to, n > 3 ? 3 : n);
}
static ssize_t full_disk(int fd, const void *from, size_t n)
{
    errno = ENOSPC;
    return -1;
}

static void short_transfers_and_interruptions_are_looped_over(void **state)
{
    DgError err = {0};
    Str text;
    dg_os.write = short_write;
    dg_os.read = short_read;
    assert_int_equal(os_atomic_write(path, S("a longer text than two bytes"), 0644, &err), DG_OK);
    assert_int_equal(os_read_file(&arena, path, 100, &text, &err), DG_OK);
    assert_true(str_eq(text, S("a longer text than two bytes")));
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    DgError err = {0};
    Str text;
    StrArray names;
    assert_int_equal(os_atomic_write(path, S("old"), 0644, &err), DG_OK);
    dg_os.write = full_disk;
    assert_int_equal(os_atomic_write(path, S("new"), 0644, &err), DG_IO);
    assert_non_null(strstr(err.message, "No space left on device"));
    dg_os = real;
    assert_int_equal(os_read_file(&arena, path, 100, &text, &err), DG_OK);
    assert_true(str_eq(text, S("old")));
    assert_int_equal(os_list(&arena, folder, &names, &err), DG_OK);
    assert_int_equal(names.count, 1);
}

static void children_run_without_a_shell(void **state)
{
    const char *argv[] = {"printf", "%s|", "a b", "$HOME", NULL};
    OsChild child;
    DgError err = {0};
    char text[64];
    size_t got;
    int status = 0;
    assert_int_equal(os_spawn(&(OsSpawn){.argv = argv}, &child, &err), DG_OK);
    assert_int_equal(os_read_some(child.out_fd, text, sizeof text, &got, "pipe", &err), DG_OK);
    while (!os_child_done(&child, &status))
        os_sleep_ms(1);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(str_eq((Str){text, (ptrdiff_t)got}, S("a b|$HOME|")));
    os_child_stop(&child, 0, &status);
    const char *missing[] = {"no-such-program", NULL};
    assert_int_equal(os_spawn(&(OsSpawn){.argv = missing}, &child, &err), DG_CONFIG);
    assert_string_equal(err.message, "could not start `no-such-program`: No such file or directory");
}

static void stopping_a_child_stops_its_group(void **state)
{
    const char *argv[] = {"sh", "-c", "trap '' TERM; sleep 100 & echo $!; wait; wait", NULL};
    OsChild child;
    DgError err = {0};
    char text[32] = {0};
    int64_t pid;
    int status;
    assert_int_equal(os_spawn(&(OsSpawn){.argv = argv}, &child, &err), DG_OK);
    while (!strchr(text, '\n'))
        if (read(child.out_fd, text + strlen(text), 1) <= 0)
            break;
    assert_true(str_to_int(str_trim(str_from(text)), &pid));
    int64_t start = os_monotonic_ms();
    os_child_stop(&child, 100, &status);
    assert_true(WIFSIGNALED(status));
    assert_true(os_monotonic_ms() - start < 3000);
    os_sleep_ms(20);
    char stat_path[64];
    snprintf(stat_path, sizeof stat_path, "/proc/%lld/stat", (long long)pid);
    Str left;
    bool gone = os_read_file(&arena, stat_path, 4096, &left, &err) != DG_OK ||
                str_find(left, S(") Z ")) > 0; /* or a zombie that nobody has reaped yet */
    assert_true(gone);
}

/* Faults are read once per process: each case is a child of its own. */
static int in_child(const char *fault, void (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        DgError err = {0};
        setenv("DGC_FAULT", fault, 1);
        if (!os_faults_init(&err))
            _exit(99);
        body();
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    return status;
}

static void write_twice(void)
{
    DgError err = {0};
    DgStatus first = os_atomic_write(path, S("one"), 0644, &err);
    DgStatus second = os_atomic_write(path, S("two"), 0644, &err);
    _exit((first != DG_OK) * 1 + (second != DG_OK) * 2);
}
static void fsync_once(void)
{
    DgError err = {0};
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    os_atomic_write(path, S("one"), 0644, &err);
}
static void pass_crashpoints(void)
{
    os_crashpoint("a");
    os_crashpoint("b");
    os_crashpoint("b");
}

static void faults_hit_the_call_they_name(void **state)
{
    assert_int_equal(WEXITSTATUS(in_child("write:1:EIO", write_twice)), 1);
    assert_int_equal(WEXITSTATUS(in_child("write:2:ENOSPC", write_twice)), 2);
    assert_int_equal(WEXITSTATUS(in_child("write:1+:EIO", write_twice)), 3);
    assert_int_equal(WEXITSTATUS(in_child("write:1:short,rename:2:EACCES", write_twice)), 2);
    assert_int_equal(WEXITSTATUS(in_child("write:1:EINTR", write_twice)), 0);
    assert_int_equal(WTERMSIG(in_child("rename:1:kill", write_twice)), SIGKILL);
    assert_int_equal(WTERMSIG(in_child("rename:1:after", write_twice)), SIGKILL);
    assert_int_equal(WEXITSTATUS(in_child("nonsense", write_twice)), 99);
}

static void a_failed_fsync_ends_the_process(void **state)
{
    assert_int_equal(WEXITSTATUS(in_child("fsync:1:EIO", fsync_once)), 74);
}

static void crash_points_are_counted_by_name(void **state)
{
    assert_int_equal(WTERMSIG(in_child("crash:b:2", pass_crashpoints)), SIGKILL);
    assert_int_equal(in_child("crash:b:3", pass_crashpoints), 0);
}

/* ---- Redactor and secrets ---- */

static void redacts(Redactor *r, const char *text, const char *expected)
{
    StrBuf b = {0};
    redact_text(r, str_from(text), &b);
    buf_char(&b, 0);
    assert_string_equal(b.ptr, expected);
    buf_free(&b);
}

static void secrets_are_found_in_all_their_forms(void **state)
{
    Redactor *r = redactor_open();
    assert_true(redactor_add(r, S("p@ss \"w/rd\"?")));
    assert_true(redactor_add(r, S("abc"))); /* too short to tell from ordinary text */
    assert_true(redactor_add(r, S("-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n")));
    redacts(r, "it is p@ss \"w/rd\"? indeed", "it is [secret] indeed");
    redacts(r, "url p%40ss%20%22w%2Frd%22%3F", "url [secret]");
    redacts(r, "json \"p@ss \\\"w/rd\\\"?\"", "json \"[secret]\"");
    redacts(r, "Basic cEBzcyAidy9yZCI/ end", "Basic [secret] end");
    redacts(r, "abc stays", "abc stays");
    redacts(r, "a line of the key: MIIEvQIBADANBg", "a line of the key: [secret]");
    char text[32] = "say p@ss \"w/rd\"? again";
    redact_cstring(r, text, sizeof text);
    assert_string_equal(text, "say [secret] again");
    redactor_close(r);
}

static void control_characters_do_not_reach_a_terminal(void **state)
{
    char text[] = "a\033[31mb\x07\tc\xc2\x9b\n";
    strip_controls(text, sizeof text - 1, true);
    assert_string_equal(text, "a?[31mb?\tc??\n");
}

static void expect_secret(Secrets *s, const char *name, const char *value, bool secret)
{
    Str got;
    bool is_secret;
    DgError err = {0};
    DgStatus status = secrets_get(s, str_from(name), &got, &is_secret, &err);
    if (!value) {
        assert_int_equal(status, DG_END);
        return;
    }
    assert_int_equal(status, DG_OK);
    assert_true(str_eq(got, str_from(value)));
    assert_int_equal(is_secret, secret);
}

static void secrets_are_looked_for_in_order(void **state)
{
    static const DgSecretDef defs[] = {{.name = DG_S("T_KEY"), .secret = true, .site = -1},
                                       {.name = DG_S("T_GONE"), .required = true, .site = -1}};
    DgPipeline p = {.name = DG_S("x"), .secrets = defs, .secrets_count = 2};
    DgError err = {0};
    Secrets *s;
    Redactor *r = redactor_open();
    char dotenv[96], file[96], credential[96];
    snprintf(dotenv, sizeof dotenv, "%s/.env", folder);
    snprintf(file, sizeof file, "%s/from-file", folder);
    snprintf(credential, sizeof credential, "%s/T_CRED", folder);
    os_atomic_write(dotenv, S("# c\nexport T_DOT='in dotenv' \nT_KEY=from dotenv\n"), 0600, &err);
    os_atomic_write(file, S("from a file\n"), 0600, &err);
    os_atomic_write(credential, S("from systemd"), 0600, &err);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    setenv("T_FILED_FILE", file, 1);
    setenv("T_CRED", "from env", 1);
    setenv("T_KEY", "from env", 1);
    assert_int_equal(secrets_open(&p, r, str_from(dotenv), &s, &err), DG_OK);
    expect_secret(s, "T_CRED", "from systemd", true);
    expect_secret(s, "T_FILED", "from a file", true);
    expect_secret(s, "T_KEY", "from env", true);
    expect_secret(s, "T_DOT", "in dotenv", false);
    expect_secret(s, "T_GONE", NULL, false);
    redacts(r, "from systemd, from a file, from env, in dotenv",
            "[secret], [secret], [secret], in dotenv");
    assert_int_equal(secrets_load_all(s, true, &err), DG_CONFIG);
    assert_string_equal(err.message, "a variable that the pipeline needs is not set: `T_GONE`");
    assert_int_equal(secrets_load_all(s, false, &err), DG_OK);
    secrets_close(s);
    redactor_close(r);
    unsetenv("CREDENTIALS_DIRECTORY");
}

int main(void)
{
    real = dg_os;
    arena_init(&arena, 64 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(files_are_replaced_whole, clean),
        cmocka_unit_test_setup(short_transfers_and_interruptions_are_looped_over, clean),
        cmocka_unit_test_setup(a_full_disk_leaves_the_old_file, clean),
        cmocka_unit_test_setup(children_run_without_a_shell, clean),
        cmocka_unit_test_setup(stopping_a_child_stops_its_group, clean),
        cmocka_unit_test_setup(faults_hit_the_call_they_name, clean),
        cmocka_unit_test_setup(a_failed_fsync_ends_the_process, clean),
        cmocka_unit_test_setup(crash_points_are_counted_by_name, clean),
        cmocka_unit_test_setup(secrets_are_found_in_all_their_forms, clean),
        cmocka_unit_test_setup(control_characters_do_not_reach_a_terminal, clean),
        cmocka_unit_test_setup(secrets_are_looked_for_in_order, clean),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    DgError err = {0};
    clean(NULL);
    os_remove_tree(folder, &err);
    return failed;
}
