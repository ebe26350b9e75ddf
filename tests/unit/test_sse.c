/* Streams of events: lines, fields, and that it does not matter where a piece ends. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/net/sse.h"
#include "tests/test.h"

static StrBuf seen;

static bool note(void *context, Str name, Str data)
{
    (void)context;
    buf_format(&seen, "[%.*s|%.*s]", FMT(name), FMT(data));
    return !str_eq(data, S("stop"));
}

static bool read_in_pieces(Str text, ptrdiff_t piece)
{
    Sse s = {0};
    bool go_on = true;
    buf_free(&seen);
    for (ptrdiff_t i = 0; i < text.len && go_on; i += piece) {
        Str part = str_sub(text, i, i + piece);
        char *copy = malloc((size_t)part.len); /* so that sanitizers see who reads past it */
        memcpy(copy, part.ptr, (size_t)part.len);
        go_on = sse_take(&s, (Str){copy, part.len}, note, NULL);
        free(copy);
    }
    sse_free(&s);
    return go_on;
}

static void check(const char *text, const char *expected)
{
    for (ptrdiff_t piece = 1; piece <= (ptrdiff_t)strlen(text) + 1; piece++) {
        read_in_pieces(str_from(text), piece);
        assert_text(buf_str(&seen), expected);
    }
    buf_free(&seen);
}

static void test_fields(void **state)
{
    check("data: one\n\ndata:two\n\n", "[|one][|two]");
    check("event: word\ndata: x\n\ndata: y\n\n", "[word|x][|y]");
    check("data: a\ndata:  b\ndata\n\n", "[|a\n b\n]");
    check(": comment\nid: 7\nretry: 10\ndata: x\nother: y\n\n", "[|x]");
    check("event: alone\n\ndata: x\n\n", "[|x]");
    check("data: a:b: c\n\n", "[|a:b: c]");
}

static void test_line_ends(void **state)
{
    check("data: a\r\n\r\ndata: b\r\n\r\n", "[|a][|b]");
    check("data: a\r\rdata: b\r\r", "[|a][|b]");
    check("data: a\n\r\ndata: b\r\n\n", "[|a][|b]");
    check("\xef\xbb\xbf" "data: a\n\ndata: \xef\xbb\xbf\n\n", "[|a][|\xef\xbb\xbf]");
    check("data: \xc5\xbd\xf0\x9f\x90\x8e\n\n", "[|\xc5\xbd\xf0\x9f\x90\x8e]");
}

static void test_unfinished(void **state)
{
    check("data: a\n\ndata: never", "[|a]");
    check("data: a\n\ndata: never\n", "[|a]");
    check("", "");
}

static void test_stopped(void **state)
{
    assert_false(read_in_pieces(S("data: stop\n\ndata: more\n\n"), 100));
    assert_text(buf_str(&seen), "[|stop]");
    buf_free(&seen);
}

static void test_too_large(void **state)
{
    Sse s = {0};
    Str many = {calloc(1, 1 << 20), 1 << 20};
    bool go_on = sse_take(&s, S("data: "), note, NULL);
    for (int i = 0; i < 20 && go_on; i++)
        go_on = sse_take(&s, many, note, NULL);
    assert_false(go_on);
    assert_true(s.line.failed && s.line.len <= SSE_EVENT_MAX);
    free((char *)(uintptr_t)many.ptr);
    sse_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),    cmocka_unit_test(test_line_ends), cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_stopped),   cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
