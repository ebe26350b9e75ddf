/* hosts.c - how much a host bears: concurrency, rates, retries, and whether it is there at all. */
#include "runtime/net/service_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/os/os.h"

enum { FAILURES_MAX = 5, PROBE_FIRST_MS = 1000, PROBE_MAX_MS = 60000, SHRINK_EVERY_MS = 1000, RESET_MAX_MS = 600000 };
static const double RETRIES_FIRST = 20, RETRIES_MAX = 100, RETRIES_PER_CALL = 0.1;

void host_init(Host *h, Str origin, int concurrency)
{
    *h = (Host){.origin = origin, .limit_max = concurrency, .limit = (concurrency + 1) / 2, .retries_left = RETRIES_FIRST};
}

static bool enough(const HostBudget *b, int64_t wanted, int64_t now_ms)
{
    return !b->known || now_ms >= b->reset_ms || b->left >= wanted;
}

int64_t host_gate(Host *h, int64_t tokens, int64_t now_ms, const char **why)
{
    static const char *const names[BUDGETS] = {"requests", "tokens", "input tokens", "output tokens"};
    if (now_ms < h->pause_until_ms) {
        *why = h->pause_why;
        return h->pause_until_ms;
    }
    if (h->failures >= FAILURES_MAX && (h->in_flight || now_ms < h->probe_ms)) {
        *why = "it does not answer";
        return h->in_flight ? now_ms + 1000 : h->probe_ms;
    }
    for (int i = 0; i < BUDGETS; i++) {
        /* A call that wants more than the whole budget must go some time: with nothing else under way. */
        int64_t wanted = i == BUDGET_REQUESTS ? 1 : i == BUDGET_OUTPUT ? 1 : tokens;
        if (!enough(&h->budgets[i], wanted, now_ms)) {
            *why = names[i];
            return h->budgets[i].reset_ms;
        }
    }
    *why = NULL;
    return h->in_flight >= h->limit ? now_ms + 1000 : 0;
}

void host_started(Host *h, int64_t tokens)
{
    h->in_flight++;
    h->budgets[BUDGET_REQUESTS].left--;
    h->budgets[BUDGET_TOKENS].left -= tokens;
    h->budgets[BUDGET_INPUT].left -= tokens;
}

/* ---- Headers ---- */

static int64_t go_duration_ms(Str v)
{
    double total = 0;
    while (v.len) {
        char *end, text[40];
        snprintf(text, sizeof text, "%.*s", FMT(v));
        double n = strtod(text, &end);
        ptrdiff_t used = end - text, unit = used;
        if (!used || n < 0)
            return -1;
        while (unit < v.len && v.ptr[unit] >= 'a' && v.ptr[unit] <= 'z')
            unit++;
        Str u = str_sub(v, used, unit);
        double scale = str_eq(u, S("ms")) ? 1 : str_eq(u, S("s")) || !u.len ? 1000 : str_eq(u, S("m")) ? 60000
                       : str_eq(u, S("h")) ? 3600000 : str_eq(u, S("us")) || str_eq(u, S("ns")) ? 0 : -1;
        if (scale < 0)
            return -1;
        total += n * scale;
        v = str_sub(v, unit, v.len);
    }
    return total < RESET_MAX_MS ? (int64_t)total : RESET_MAX_MS;
}

/* 2026-01-02T03:04:05Z, as ms from now. */
static int64_t rfc3339_ms(Str v)
{
    struct tm tm = {0};
    char text[40], rest[24] = "";
    double seconds = 0;
    snprintf(text, sizeof text, "%.*s", FMT(v));
    if (sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%lf%20s", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &seconds, rest) < 6)
        return -1;
    int off_h = 0, off_m = 0;
    char sign = '+';
    if (rest[0] == '+' || rest[0] == '-') {
        sign = rest[0];
        if (sscanf(rest + 1, "%2d:%2d", &off_h, &off_m) < 1)
            return -1;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int64_t offset = (off_h * 60 + off_m) * 60, at = (int64_t)timegm(&tm) - (sign == '-' ? -offset : offset);
    int64_t wait = at * 1000 + (int64_t)(seconds * 1000) - os_real_us() / 1000;
    return wait < 0 ? 0 : wait < RESET_MAX_MS ? wait : RESET_MAX_MS;
}

int64_t rate_reset_ms(Str v)
{
    int64_t n;
    if (str_to_int(v, &n) && n > 1000000000) { /* seconds since 1970 */
        int64_t wait = n * 1000 - os_real_us() / 1000;
        return wait < 0 ? 0 : wait < RESET_MAX_MS ? wait : RESET_MAX_MS;
    }
    int64_t wait = v.len > 10 ? rfc3339_ms(v) : -1;
    return wait >= 0 ? wait : v.len && v.len < 32 ? go_duration_ms(v) : -1;
}

static bool has(Str text, const char *part)
{
    return str_find(text, str_from(part)) >= 0;
}

void host_header(Host *h, Str line, int64_t now_ms)
{
    Str key, value;
    char name[80];
    if (!str_cut(line, ':', &key, &value) || key.len >= (ptrdiff_t)sizeof name)
        return;
    for (ptrdiff_t i = 0; i < key.len; i++)
        name[i] = (char)(key.ptr[i] >= 'A' && key.ptr[i] <= 'Z' ? key.ptr[i] + 32 : key.ptr[i]);
    Str k = {name, key.len};
    value = str_trim(value);
    if (!has(k, "ratelimit") && !has(k, "rate-limit"))
        return;
    HostBudget *b = &h->budgets[has(k, "input") ? BUDGET_INPUT : has(k, "output") ? BUDGET_OUTPUT : has(k, "token") ? BUDGET_TOKENS : BUDGET_REQUESTS];
    int64_t n;
    if (has(k, "remaining") && str_to_int(value, &n) && n >= 0) {
        /* Calls under way are not in what the host counted last. */
        b->left = n;
        b->known = true;
    } else if (has(k, "reset") && (n = rate_reset_ms(value)) >= 0) {
        b->reset_ms = now_ms + n;
    }
}

/* ---- Ends ---- */

void host_ended(Host *h, int status, int64_t wait_ms, int64_t now_ms)
{
    bool refused = status == 429 || status == 529;
    h->in_flight--;
    if (status < 0)
        return;
    if (refused) {
        h->steady = true;
        if (now_ms - h->shrunk_ms >= SHRINK_EVERY_MS) {
            h->limit = h->limit > 1 ? h->limit / 2 : 1;
            h->shrunk_ms = now_ms;
            h->successes = 0;
        }
    }
    if ((refused || status == 503) && wait_ms > 0 && now_ms + wait_ms > h->pause_until_ms) {
        h->pause_until_ms = now_ms + wait_ms;
        h->pause_why = "it asked to wait";
    }
    if (status && (status < 500 || status == 529)) {
        h->failures = 0;
        if (status < 300 && ++h->successes >= h->limit && h->limit < h->limit_max) {
            h->limit = h->steady ? h->limit + 1 : h->limit * 2 < h->limit_max ? h->limit * 2 : h->limit_max;
            h->successes = 0;
        }
        h->retries_left += RETRIES_PER_CALL;
        if (h->retries_left > RETRIES_MAX)
            h->retries_left = RETRIES_MAX;
        return;
    }
    if (h->failures < 30)
        h->failures++;
    int64_t wait = h->failures >= FAILURES_MAX && h->failures < FAILURES_MAX + 10 ? (int64_t)PROBE_FIRST_MS << (h->failures - FAILURES_MAX) : PROBE_MAX_MS;
    h->probe_ms = now_ms + (wait < PROBE_MAX_MS ? wait : PROBE_MAX_MS);
}

bool host_may_retry(Host *h, bool told_to_wait)
{
    if (told_to_wait)
        return true;
    if (h->retries_left < 1)
        return false;
    h->retries_left -= 1;
    return true;
}
