/* Stores of files: the local disk. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/files/fs.h"
#include "tests/unit/temp_folder.h"

static DgFs *fs;

static int open_store(void **state)
{
    static const DgConn conn = {.name = DG_S("local"), .type = DG_S("file")};
    return begin(state) == 0 && fs_open(&conn, str_from(root), &fs, &err) == DG_OK ? 0 : 1;
}

static int close_store(void **state)
{
    fs_close(fs);
    return end(state);
}

static void put(const char *path, const char *bytes)
{
    ok(fs_put_bytes(fs, str_from(bytes), str_from(path), NULL, &a, NULL, &err));
}

static Str listed(const char *pattern)
{
    DgFsItems items = {0};
    StrBuf b = {0};
    ok(fs_list(fs, &a, str_from(pattern), &items, &err));
    for (size_t i = 0; i < items.count; i++)
        buf_format(&b, "%s%.*s:%lld", i ? " " : "", FMT(items.items[i].path), (long long)items.items[i].size);
    Str out = str_copy(&a, buf_str(&b));
    buf_free(&b);
    return out;
}

static void patterns_find_files(void **state)
{
    put("in/b.csv", "12");
    put("in/a.csv", "1");
    put("in/2024/01/x.csv", "123");
    put("in/2024/02/y.csv.gz", "1234");
    put("in/.hidden.csv", "");
    put("in/.dot/z.csv", "");
    assert_text(listed("in/a.csv"), "in/a.csv:1");
    assert_text(listed("in/*.csv"), "in/a.csv:1 in/b.csv:2");
    assert_text(listed("in/"), "in/2024/01/x.csv:3 in/2024/02/y.csv.gz:4 in/a.csv:1 in/b.csv:2");
    assert_text(listed("in"), "in/2024/01/x.csv:3 in/2024/02/y.csv.gz:4 in/a.csv:1 in/b.csv:2");
    assert_text(listed("in/**/*.csv"), "in/2024/01/x.csv:3 in/a.csv:1 in/b.csv:2");
    assert_text(listed("in/*/*/*"), "in/2024/01/x.csv:3 in/2024/02/y.csv.gz:4");
    assert_text(listed("in/{a,2024/01/x}.csv"), "in/2024/01/x.csv:3 in/a.csv:1");
    assert_text(listed("in/2024/0[2-9]/"), "in/2024/02/y.csv.gz:4");
    assert_text(listed("in/.*.csv"), "in/.hidden.csv:0");
    assert_text(listed("in/.dot/*"), "in/.dot/z.csv:0");
    assert_text(listed("in/none*"), "");
    assert_text(listed("no/such/folder/"), "");
    Str whole = str_format(&a, "%s/in/a.*", root);
    assert_text(listed(whole.ptr), str_format(&a, "%s/in/a.csv:1", root).ptr);
}

static void links_are_followed_but_not_in_circles(void **state)
{
    put("ring/deep/a.csv", "1");
    assert_int_equal(symlink("..", str_format(&a, "%s/ring/deep/back", root).ptr), 0);
    assert_int_equal(symlink("deep/a.csv", str_format(&a, "%s/ring/b.csv", root).ptr), 0);
    assert_int_equal(symlink("nowhere", str_format(&a, "%s/ring/c.csv", root).ptr), 0);
    assert_int_equal(mkfifo(str_format(&a, "%s/ring/d.csv", root).ptr, 0600), 0);
    assert_text(listed("ring/**"), "ring/b.csv:1 ring/deep/a.csv:1");
    DgFsItem item;
    assert_int_equal(fs_stat(fs, &a, S("ring/d.csv"), &item, &err), DG_CONFIG);
    assert_int_equal(fs_stat(fs, &a, S("ring/deep"), &item, &err), DG_END);
    assert_int_equal(fs_stat(fs, &a, S("ring/c.csv"), &item, &err), DG_END);
}

static Str content(const char *path)
{
    Str out;
    ok(fs_read_bytes(fs, &a, str_from(path), 100, &out, &err));
    return out;
}

static void puts_can_depend_on_what_is_there(void **state)
{
    Str first, second, none;
    DgFsPut absent = {.if_absent = true};
    ok(fs_put_bytes(fs, S("one"), S("new/folder/x"), &absent, &a, &first, &err));
    assert_int_equal(fs_put_bytes(fs, S("two"), S("new/folder/x"), &absent, &a, &none, &err), DG_TEMPFAIL);
    assert_text(content("new/folder/x"), "one");
    DgFsItem item;
    ok(fs_stat(fs, &a, S("new/folder/x"), &item, &err));
    assert_text(item.etag, str_cstr(&a, first));
    DgFsPut over = {.if_etag = first};
    ok(fs_put_bytes(fs, S("three"), S("new/folder/x"), &over, &a, &second, &err));
    assert_int_equal(fs_put_bytes(fs, S("four"), S("new/folder/x"), &over, &a, &none, &err), DG_TEMPFAIL);
    assert_text(content("new/folder/x"), "three");
    assert_text(listed("new/folder/.*"), "");
    assert_int_equal(fs_put_bytes(fs, S(""), S("a/"), NULL, &a, NULL, &err), DG_CONFIG);
    assert_int_equal(fs_put_bytes(fs, S(""), S("a\0b"), NULL, &a, NULL, &err), DG_CONFIG);
}

static void files_are_put_fetched_and_deleted(void **state)
{
    Str local, big = {push(&a, char, 3000000), 3000000};
    bool downloaded = true;
    DgFsItems items = {0};
    ok(fs_put_bytes(fs, big, S("big"), NULL, &a, NULL, &err));
    ok(fs_put(fs, &a, str_format(&a, "%s/big", root), S("copies/big"), NULL, NULL, &err));
    ok(fs_list(fs, &a, S("copies/*"), &items, &err));
    assert_int_equal(items.count, 1);
    assert_int_equal(items.items[0].size, 3000000);
    ok(fs_fetch(fs, &a, &items.items[0], S("/nowhere"), &local, &downloaded, &err));
    assert_false(downloaded);
    assert_text(local, str_format(&a, "%s/copies/big", root).ptr);
    put("copies/big", "other");
    assert_int_equal(fs_fetch(fs, &a, &items.items[0], S("/nowhere"), &local, &downloaded, &err), DG_TEMPFAIL);
    Str gone[] = {S("copies/big"), S("copies/never"), S("big")};
    ok(fs_delete(fs, gone, 3, &err));
    assert_text(listed("copies/"), "");
    Str out;
    assert_int_equal(fs_read_bytes(fs, &a, S("big"), 10, &out, &err), DG_END);
}

static void urls_split(void **state)
{
    static const struct { const char *url, *connection, *path; } cases[] = {
        {"s3://bucket/a/b.csv", "s3://bucket", "a/b.csv"}, {"s3://bucket", "s3://bucket", ""},
        {"file:///x/y", "file://", "/x/y"},                {"file://x/y", "file://", "x/y"},
        {"./a.csv", "file://", "./a.csv"},                 {"HTTPS://h:1/p?q=1", "https://h:1", "p?q=1"},
        {"postgres://h/db", NULL, NULL},                   {"", NULL, NULL},
        {"s3:///a", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str connection, path;
        bool fits = fs_split_url(&a, str_from(cases[i].url), &connection, &path);
        assert_int_equal(fits, cases[i].connection != NULL);
        if (!fits)
            continue;
        assert_text(connection, cases[i].connection);
        assert_text(path, cases[i].path);
    }
}

static void the_connection_may_name_the_folder(void **state)
{
    DgPair prop = {S("path"), S("in/2024/")};
    DgConn conn = {.type = S("file"), .props = &prop, .props_count = 1};
    DgFs *below;
    DgFsItems items = {0};
    ok(fs_open(&conn, str_from(root), &below, &err));
    ok(fs_list(below, &a, S("**"), &items, &err));
    fs_close(below);
    assert_int_equal(items.count, 2);
    assert_text(items.items[0].path, "01/x.csv");
    conn.type = S("postgres");
    assert_int_equal(fs_open(&conn, str_from(root), &below, &err), DG_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_find_files),
        cmocka_unit_test(links_are_followed_but_not_in_circles),
        cmocka_unit_test(puts_can_depend_on_what_is_there),
        cmocka_unit_test(files_are_put_fetched_and_deleted),
        cmocka_unit_test(urls_split),
        cmocka_unit_test(the_connection_may_name_the_folder),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}
