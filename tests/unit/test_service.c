/* Calls to services, against a server in a thread that answers as the path says. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/net/exchange.h"
#include "runtime/net/service.h"
#include "runtime/net/service_internal.h"
#include "runtime/os/os.h"

/* ---- The server: one thread a connection; ended with the process ---- */

static struct {
    int port;
    atomic_int requests, at_once, at_once_max;
    char last_key[80], first_key[80];
    pthread_mutex_t lock;
} server;

static void reply(int fd, int status, const char *headers, const char *body)
{
    char head[512];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status, strlen(body), headers);
    (void)!write(fd, head, (size_t)n);
    (void)!write(fd, body, strlen(body));
}

static void answer(int fd, const char *path, int n)
{
    if (strcmp(path, "/ok") == 0)
        reply(fd, 200, "Content-Type: text/plain\r\nSet-Cookie: a=b\r\n", "fine");
    else if (strcmp(path, "/slow") == 0)
        os_sleep_ms(60), reply(fd, 200, "", "slow");
    else if (strcmp(path, "/ms") == 0)
        n == 1 ? reply(fd, 429, "retry-after-ms: 40\r\nretry-after: 50\r\n", "{}") : reply(fd, 200, "", "ms");
    else if (strcmp(path, "/seconds") == 0)
        n == 1 ? reply(fd, 503, "Retry-After: 1\r\n", "") : reply(fd, 200, "", "seconds");
    else if (strcmp(path, "/500") == 0)
        n == 1 ? reply(fd, 500, "", "") : reply(fd, 200, "", "again");
    else if (strcmp(path, "/never") == 0)
        reply(fd, 500, "x-should-retry: false\r\n", "");
    else if (strcmp(path, "/bad") == 0)
        reply(fd, 400, "", "{\"error\": \"no\"}");
    else if (strcmp(path, "/spent") == 0)
        reply(fd, 429, "", "insufficient_quota");
    else if (strcmp(path, "/limited") == 0)
        reply(fd, 200, "x-ratelimit-remaining-tokens: 10\r\nx-ratelimit-reset-tokens: 200ms\r\n", "limited");
    else if (strcmp(path, "/down") == 0)
        reply(fd, 502, "", "");
    else if (strcmp(path, "/large") == 0)
        reply(fd, 200, "", "0123456789012345678901234567890123456789");
    else if (strcmp(path, "/hang") == 0)
        os_sleep_ms(3000);
    else if (strcmp(path, "/count") == 0)
        reply(fd, 200, "", n == 1 ? "one" : "two");
}

static void *serve(void *opaque)
{
    int fd = (int)(intptr_t)opaque;
    char text[4096];
    size_t have = 0;
    for (;;) {
        char *end, path[64] = "", *key;
        ssize_t n = read(fd, text + have, sizeof text - 1 - have);
        if (n <= 0)
            break;
        have += (size_t)n;
        text[have] = 0;
        if (!(end = strstr(text, "\r\n\r\n")))
            continue;
        char *length = strstr(text, "Content-Length: ");
        if (have < (size_t)(end + 4 - text) + (length ? strtoul(length + 16, NULL, 10) : 0))
            continue;
        sscanf(text, "%*s %63s", path);
        pthread_mutex_lock(&server.lock);
        if ((key = strstr(text, "Idempotency-Key: "))) {
            sscanf(key + 17, "%79s", server.last_key);
            if (!server.first_key[0])
                memcpy(server.first_key, server.last_key, sizeof server.first_key);
        }
        pthread_mutex_unlock(&server.lock);
        int number = atomic_fetch_add(&server.requests, 1) + 1, now = atomic_fetch_add(&server.at_once, 1) + 1;
        if (now > server.at_once_max)
            server.at_once_max = now;
        answer(fd, path, number);
        atomic_fetch_sub(&server.at_once, 1);
        have = 0;
    }
    close(fd);
    return NULL;
}

static void *accept_all(void *opaque)
{
    int listening = (int)(intptr_t)opaque;
    for (int fd; (fd = accept(listening, NULL, NULL)) >= 0;) {
        pthread_t t;
        pthread_create(&t, NULL, serve, (void *)(intptr_t)fd);
        pthread_detach(t);
    }
    return NULL;
}

static int start_server(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    pthread_t t;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    getsockname(fd, (struct sockaddr *)&at, &size);
    server.port = ntohs(at.sin_port);
    pthread_mutex_init(&server.lock, NULL);
    pthread_create(&t, NULL, accept_all, (void *)(intptr_t)fd);
    pthread_detach(t);
    return 0;
}

/* ---- The client ---- */

typedef struct Bed {
    DgServices *services;
    Arena arena;
} Bed;

static int open_bed(void **state)
{
    static Bed bed;
    DgError err;
    server.requests = server.at_once_max = 0;
    server.first_key[0] = server.last_key[0] = 0;
    arena_init(&bed.arena, 0);
    assert_int_equal(services_open(&(DgServicesOptions){0}, &bed.services, &err), DG_OK);
    *state = &bed;
    return 0;
}
static int close_bed(void **state)
{
    Bed *b = *state;
    services_close(b->services);
    arena_free(&b->arena);
    return 0;
}

static DgCallSpec spec(Bed *b, const char *path)
{
    return (DgCallSpec){.method = "POST", .url = str_format(&b->arena, "http://127.0.0.1:%d%s", server.port, path), .body = S("{}"), .what = "ask"};
}

/* Status, and the answer's text in `text`. */
static DgStatus ask(Bed *b, const DgCallSpec *s, char *text, int *attempts, DgError *err)
{
    DgCall *call;
    const DgCallAnswer *a;
    assert_int_equal(call_start(b->services, s, b, NULL, &call, err), DG_OK);
    DgStatus status = call_wait(b->services, call, err);
    call_result(call, &a, NULL);
    snprintf(text, 64, "%.*s", FMT(a->body));
    *attempts = a->attempts;
    call_free(b->services, call);
    return status;
}

static void answers(Bed *b, const char *path, DgStatus status, const char *text, int attempts)
{
    char got[64];
    int tried;
    DgError err = {0};
    server.requests = 0;
    DgCallSpec s = spec(b, path);
    assert_int_equal(ask(b, &s, got, &tried, &err), status);
    assert_string_equal(got, text);
    assert_int_equal(tried, attempts);
}

static void one_call(void **state)
{
    answers(*state, "/ok", DG_OK, "fine", 1);
}

static void retries_as_sdks_do(void **state)
{
    int64_t before = os_monotonic_ms();
    answers(*state, "/ms", DG_OK, "ms", 2); /* the header in ms counts, not the 50 s */
    assert_true(os_monotonic_ms() - before < 5000);
    before = os_monotonic_ms();
    answers(*state, "/seconds", DG_OK, "seconds", 2);
    assert_true(os_monotonic_ms() - before >= 990);
    answers(*state, "/500", DG_OK, "again", 2);
    answers(*state, "/never", DG_UNAVAILABLE, "", 1);
    answers(*state, "/bad", DG_DATA, "{\"error\": \"no\"}", 1);
}

static bool no_money(int status, Str body)
{
    return status == 429 && str_eq(body, S("insufficient_quota"));
}

static void a_spend_limit_is_final(void **state)
{
    char text[64];
    int tried;
    DgError err;
    DgCallSpec s = spec(*state, "/spent");
    s.is_final = no_money;
    assert_int_equal(ask(*state, &s, text, &tried, &err), DG_UNAVAILABLE);
    assert_int_equal(tried, 1);
}

static void the_key_stays_the_same(void **state)
{
    char text[64];
    int tried;
    DgError err;
    DgCallSpec s = spec(*state, "/500");
    s.idempotency = "Idempotency-Key";
    assert_int_equal(ask(*state, &s, text, &tried, &err), DG_OK);
    assert_int_equal(tried, 2);
    assert_string_equal(server.first_key, server.last_key);
    assert_true(strlen(server.last_key) > 20);
}

static void unrepeatable_calls_are_not_repeated(void **state)
{
    char text[64];
    int tried;
    DgError err;
    DgCallSpec s = spec(*state, "/500");
    s.unrepeatable = true;
    assert_int_equal(ask(*state, &s, text, &tried, &err), DG_UNAVAILABLE);
    assert_int_equal(tried, 1);
}

static void many_at_once(void **state)
{
    Bed *b = *state;
    DgError err;
    DgCallSpec s = spec(b, "/slow");
    s.concurrency = 6;
    int64_t before = os_monotonic_ms();
    for (int i = 0; i < 60; i++)
        assert_int_equal(call_start(b->services, &s, b, (void *)(intptr_t)i, NULL, &err), DG_OK);
    bool seen[60] = {0};
    for (int i = 0; i < 60; i++) {
        const DgCallAnswer *a;
        DgCall *c = calls_next(b->services, b, 10000);
        assert_non_null(c);
        assert_int_equal(call_result(c, &a, &err), DG_OK);
        seen[(intptr_t)call_user(c)] = true;
        call_free(b->services, c);
    }
    for (int i = 0; i < 60; i++)
        assert_true(seen[i]);
    assert_true(server.at_once_max <= 6 && server.at_once_max >= 4);
    assert_true(os_monotonic_ms() - before < 3000); /* one after another: 3600 */
    assert_null(calls_next(b->services, b, 0));
}

static void a_budget_of_tokens_holds_calls_back(void **state)
{
    Bed *b = *state;
    char text[64];
    int tried;
    DgError err;
    DgCallSpec s = spec(b, "/limited");
    s.tokens = 100;
    assert_int_equal(ask(b, &s, text, &tried, &err), DG_OK);
    int64_t before = os_monotonic_ms();
    assert_int_equal(ask(b, &s, text, &tried, &err), DG_OK);
    assert_true(os_monotonic_ms() - before >= 150);
}

static void sizes_and_deadlines(void **state)
{
    char text[64];
    int tried;
    DgError err;
    DgCallSpec s = spec(*state, "/large");
    s.answer_max = 20;
    assert_int_equal(ask(*state, &s, text, &tried, &err), DG_DATA);
    s = spec(*state, "/hang");
    s.deadline_ms = 300;
    int64_t before = os_monotonic_ms();
    assert_int_equal(ask(*state, &s, text, &tried, &err), DG_UNAVAILABLE);
    assert_true(os_monotonic_ms() - before < 2500);
    assert_non_null(strstr(err.message, "1 attempt"));
}

static void a_host_that_is_down_is_tried_one_by_one(void **state)
{
    Bed *b = *state;
    DgError err;
    DgCallSpec s = spec(b, "/down");
    s.concurrency = 4;
    s.deadline_ms = 1500;
    for (int i = 0; i < 50; i++)
        assert_int_equal(call_start(b->services, &s, b, NULL, NULL, &err), DG_OK);
    for (int i = 0; i < 50; i++) {
        const DgCallAnswer *a;
        DgCall *c = calls_next(b->services, b, 5000);
        assert_non_null(c);
        assert_int_equal(call_result(c, &a, &err), DG_UNAVAILABLE);
        call_free(b->services, c);
    }
    assert_true(server.requests < 20); /* not 250 */
}

static void foreign_addresses_are_public(void **state)
{
    char text[64];
    int tried;
    DgError err;
    DgCallSpec s = spec(*state, "/ok");
    s.foreign = true;
    s.retries = -1;
    assert_int_equal(ask(*state, &s, text, &tried, &err), DG_UNAVAILABLE);
    assert_int_equal(server.requests, 0);
}

static void private_networks(void **state)
{
    static const char *const inside[] = {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.9.9", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
                                         "255.255.255.255", "224.0.0.1"};
    static const char *const outside[] = {"8.8.8.8", "172.32.0.1", "172.15.0.1", "100.128.0.1", "11.0.0.1", "192.169.0.1"};
    static const char *const inside6[] = {"::1", "::", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "fd12::1", "64:ff9b::7f00:1", "2002:7f00:1::"};
    static const char *const outside6[] = {"2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        assert_true(inet_pton(AF_INET, inside[i], &v4.sin_addr) && address_is_private((struct sockaddr *)&v4));
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_true(inet_pton(AF_INET, outside[i], &v4.sin_addr) && !address_is_private((struct sockaddr *)&v4));
    for (size_t i = 0; i < sizeof inside6 / sizeof *inside6; i++)
        assert_true(inet_pton(AF_INET6, inside6[i], &v6.sin6_addr) && address_is_private((struct sockaddr *)&v6));
    for (size_t i = 0; i < sizeof outside6 / sizeof *outside6; i++)
        assert_true(inet_pton(AF_INET6, outside6[i], &v6.sin6_addr) && !address_is_private((struct sockaddr *)&v6));
}

static void resets(void **state)
{
    (void)state;
    assert_int_equal(rate_reset_ms(S("12ms")), 12);
    assert_int_equal(rate_reset_ms(S("1s")), 1000);
    assert_int_equal(rate_reset_ms(S("6m0s")), 360000);
    assert_int_equal(rate_reset_ms(S("1m2.5s")), 62500);
    assert_int_equal(rate_reset_ms(S("7")), 7000);
    assert_int_equal(rate_reset_ms(S("2020-01-02T03:04:05Z")), 0);
    assert_int_equal(rate_reset_ms(S("soon")), -1);
    char text[40];
    time_t t = (time_t)(os_real_us() / 1000000) + 30;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
    int64_t wait = rate_reset_ms(str_from(text));
    assert_true(wait > 28000 && wait <= 30000);
}

static Str no_secret(void *context, Arena *a, Str text)
{
    (void)context;
    return str_replace(a, text, S("s3cret"), S("[secret]"));
}

static void tapes(void **state)
{
    Bed *b = *state;
    char folder[] = "/tmp/dgc-tape-XXXXXX", text[64];
    int tried;
    DgError err = {0};
    assert_non_null(mkdtemp(folder));
    Str header[] = {S("Authorization: Bearer s3cret"), S("X-API-KEY: other"), S("Accept: */*")};
    DgServicesOptions o = {.tape = DG_TAPE_RECORD, .tape_folder = str_from(folder), .redact = no_secret};
    DgCallSpec s = spec(b, "/count"), bad = spec(b, "/bad");
    s.headers = bad.headers = header;
    s.headers_count = bad.headers_count = 3;
    s.body = S("{\"secret\": \"s3cret\"}");
    services_close(b->services);
    assert_int_equal(services_open(&o, &b->services, &err), DG_OK);
    server.requests = 0;
    assert_int_equal(ask(b, &s, text, &tried, &err), DG_OK);
    assert_int_equal(ask(b, &s, text, &tried, &err), DG_OK);
    assert_string_equal(text, "two");
    assert_int_equal(ask(b, &bad, text, &tried, &err), DG_DATA);
    services_close(b->services);
    /* The other way round, and with another secret: nobody is called. */
    StrArray names = {0};
    assert_int_equal(os_list(&b->arena, folder, &names, &err), DG_OK);
    assert_int_equal(names.count, 2);
    for (size_t i = 0; i < names.count; i++) {
        Str all;
        assert_int_equal(os_read_file(&b->arena, str_cstr(&b->arena, str_format(&b->arena, "%s/%.*s", folder, FMT(names.items[i]))), 1 << 20, &all, &err), DG_OK);
        assert_true(str_find(all, S("s3cret")) < 0);
        assert_true(str_find(all, S("Authorization")) < 0);
        assert_true(str_find(all, S("API-KEY")) < 0);
        assert_true(str_find(all, S("Accept")) > 0);
    }
    o.tape = DG_TAPE_REPLAY;
    assert_int_equal(services_open(&o, &b->services, &err), DG_OK);
    server.requests = 0;
    assert_int_equal(ask(b, &bad, text, &tried, &err), DG_DATA);
    assert_string_equal(text, "{\"error\": \"no\"}");
    s.body = S("{\"secret\": \"[secret]\"}");
    assert_int_equal(ask(b, &s, text, &tried, &err), DG_OK);
    assert_string_equal(text, "one");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(b, &s, text, &tried, &err), DG_OK);
        assert_string_equal(text, "two");
    }
    s.body = S("{}");
    assert_int_equal(ask(b, &s, text, &tried, &err), DG_CONFIG);
    assert_int_equal(server.requests, 0);
    os_remove_tree(folder, &err);
}

static void calls_can_be_given_up(void **state)
{
    Bed *b = *state;
    DgError err;
    DgCall *call;
    DgCallSpec s = spec(b, "/hang");
    assert_int_equal(call_start(b->services, &s, b, NULL, &call, &err), DG_OK);
    os_sleep_ms(50);
    call_free(b->services, call);
    answers(b, "/ok", DG_OK, "fine", 1);
    /* What is done or under way does not reach a later owner at the same address. */
    DgCallSpec quick = spec(b, "/ok");
    assert_int_equal(call_start(b->services, &quick, b, NULL, NULL, &err), DG_OK);
    assert_int_equal(call_start(b->services, &s, b, NULL, NULL, &err), DG_OK);
    os_sleep_ms(300);
    calls_drop(b->services, b);
    assert_null(calls_next(b->services, b, 300));
    /* Closing ends what is under way. */
    assert_int_equal(call_start(b->services, &s, b, NULL, &call, &err), DG_OK);
    int64_t before = os_monotonic_ms();
    services_close(b->services);
    assert_true(os_monotonic_ms() - before < 2500);
    assert_int_equal(services_open(&(DgServicesOptions){0}, &b->services, &err), DG_OK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_call), CASE(retries_as_sdks_do), CASE(a_spend_limit_is_final), CASE(the_key_stays_the_same), CASE(unrepeatable_calls_are_not_repeated),
        CASE(many_at_once), CASE(a_budget_of_tokens_holds_calls_back), CASE(sizes_and_deadlines), CASE(a_host_that_is_down_is_tried_one_by_one),
        CASE(foreign_addresses_are_public), CASE(private_networks), CASE(resets), CASE(tapes), CASE(calls_can_be_given_up),
    };
    return cmocka_run_group_tests_name("services", tests, start_server, NULL);
}
