/* session.c - see session.h. */
#include "runtime/llm/session.h"

#include <stdio.h>

#include "runtime/llm/output.h"
#include "runtime/llm/stream.h"
#include "runtime/os/os.h"

enum { WAIT_TOLD_MS = 300, OTHERS_MS = 60000, EVENT_BYTES = 60 /* of a token, at the least */ };
static const LlmBudget fallback = {.usd = 1}, unpriced = {.tokens = 1000000, .calls = 10000};

const DgField llm_budget_fields[] = {
    DG_FIELD_FLOAT(LlmBudget, usd, .max = 1e9, .doc = "US dollars, by the known or given prices."),
    DG_FIELD_INT(LlmBudget, tokens, .max = 1e15, .doc = "Tokens, read and written."),
    DG_FIELD_INT(LlmBudget, calls, .max = 1e12, .doc = "Calls."),
    DG_FIELD_DURATION(LlmBudget, time, .doc = "Time from the step's start."),
    {0},
};
const DgField llm_price_fields[] = {
    DG_FIELD_FLOAT(LlmPrices, input, .fallback = "-1", .doc = "Of tokens read."),
    DG_FIELD_FLOAT(LlmPrices, cached, .fallback = "-1", .doc = "Of tokens read from the service's own cache; default: as `input`."),
    DG_FIELD_FLOAT(LlmPrices, output, .fallback = "-1", .doc = "Of tokens written."),
    {0},
};
static const char *const api_names[] = {"auto", "responses", "chat", NULL};
const DgField llm_settings_fields[] = {
    DG_FIELD_STRING(LlmSettings, model, .doc = "provider/name."),
    DG_FIELD_STRING(LlmSettings, base_url, .doc = "Where the service is."),
    DG_FIELD_STRING(LlmSettings, api_key, .doc = "Its key."),
    DG_FIELD_INT(LlmSettings, concurrency, .doc = "Calls at once."),
    DG_FIELD_INT(LlmSettings, retries, .doc = "Of a call."),
    DG_FIELD_(LlmSettings, chat, DG_F_ENUM, int32_t, .choices = api_names, .doc = "Which of OpenAI's interfaces."),
    DG_FIELD_BOOL(LlmSettings, cache, .doc = "Keep answers."),
    DG_FIELD_BOOL(LlmSettings, stream, .doc = "Answers come as events."),
    DG_FIELD_STRUCT(LlmSettings, budget, LlmBudget, llm_budget_fields, .doc = "What it may spend."),
    DG_FIELD_STRUCT(LlmSettings, prices, LlmPrices, llm_price_fields, .doc = "Prices."),
    {0},
};

/* ---- Opening ---- */

static DgStatus find_key(LlmSession *l, bool planning, DgError *err)
{
    const char *name = l->model.provider->key_env;
    if (l->s->api_key.len) {
        l->model.key = l->s->api_key;
        return redactor_add(l->sr->run->redactor, l->model.key) ? DG_OK : dg_fail(err, DG_NOMEM, "out of memory for a secret");
    }
    if (!name || planning)
        return DG_OK;
    DgStatus status = step_secret(l->sr, name, &l->model.key, err);
    /* Another address than the vendor's may need none; a replay needs none. */
    if (status != DG_END || l->s->base_url.len || l->sr->run->options.replay.len)
        return status == DG_END ? DG_OK : status;
    dg_fail(err, DG_CONFIG, "%s is not set, and %s needs a key", name, l->model.provider->name);
    dg_hint(err, "set %s in the environment, or give `api_key`", name);
    return DG_CONFIG;
}

/* The keys of all vendors are known to the redactor before anything is asked: a document may hold another's. */
static DgStatus know_keys(LlmSession *l, DgError *err)
{
    Str ignored;
    for (size_t i = 0; llm_provider_names[i]; i++) {
        const LlmProvider *p = llm_provider(str_from(llm_provider_names[i]));
        DgStatus status = p->key_env ? step_secret(l->sr, p->key_env, &ignored, err) : DG_OK;
        if (status != DG_OK && status != DG_END)
            return status;
    }
    return DG_OK;
}

static DgStatus find_address(LlmSession *l, DgError *err)
{
    const LlmProvider *p = l->model.provider;
    Str url = l->s->base_url;
    bool marked;
    if (!url.len && p->base_env) {
        DgStatus status = secrets_get(l->sr->run->secrets, str_from(p->base_env), &url, &marked, err);
        if (status != DG_OK && status != DG_END)
            return status;
    }
    if (!url.len && p->base_url)
        url = str_from(p->base_url);
    if (!url.len) {
        dg_fail(err, DG_CONFIG, "provider `%s` needs `base_url`", p->name);
        if (p->base_env)
            dg_hint(err, "or the variable %s", p->base_env);
        return DG_CONFIG;
    }
    if (!str_starts(url, S("http://")) && !str_starts(url, S("https://")))
        return dg_fail(err, DG_CONFIG, "base_url `%.*s` is no http(s) address", FMT(url));
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    if (strcmp(p->name, "azure") == 0 && str_find(url, S("/openai/")) < 0)
        url = dg_format(l->sr, "%.*s/openai/v1", FMT(url));
    l->model.base_url = step_copy(l->sr, url);
    return DG_OK;
}

static void find_price(LlmSession *l)
{
    const LlmPrices *own = &l->s->prices;
    l->priced = llm_price(str_from(l->model.provider->name), l->model.name, &l->price);
    if (own->input >= 0 || own->output >= 0) {
        double in = own->input >= 0 ? own->input : l->price.in, out = own->output >= 0 ? own->output : l->price.out;
        l->price = (LlmPrice){in, own->cached >= 0 ? own->cached : in, in, out};
        l->priced = true;
    }
    LlmBudget b = l->s->budget;
    bool given = b.usd > 0 || b.tokens > 0 || b.calls > 0;
    l->budget = given ? b : l->priced ? fallback : unpriced;
    l->budget.time = b.time;
    if (!l->priced && (b.usd > 0 || !given)) {
        dg_log(l->sr, DG_LOG_WARNING, "the price of %.*s is not known: %s; give `prices`", FMT(l->s->model),
               given && (b.tokens > 0 || b.calls > 0) ? "`budget.usd` does not count" : "at most 1,000,000 tokens and 10,000 calls are spent");
        l->budget.usd = 0;
        if (!l->budget.tokens)
            l->budget.tokens = unpriced.tokens;
        if (!l->budget.calls)
            l->budget.calls = unpriced.calls;
    }
}

DgStatus llm_session_open(DgStepRun *sr, const LlmSettings *s, bool planning, LlmSession **out, DgError *err)
{
    LlmSession *l = dg_alloc(sr, sizeof *l);
    if (!l)
        return os_no_memory(err, "for a model");
    *l = (LlmSession){.sr = sr, .s = s, .started_ms = os_monotonic_ms()};
    DG_TRY(llm_model(s->model, &l->model, err));
    l->model.chat = llm_uses_chat(&l->model, s->chat);
    DG_TRY(find_address(l, err));
    DG_TRY(find_key(l, planning, err));
    if (!planning)
        DG_TRY(know_keys(l, err));
    find_price(l);
    l->whom = dg_format(sr, "%s %.*s", l->model.provider->name, FMT(l->model.base_url));
    Str path = dg_format(sr, "%.*s/answers.db", FMT(sr->run->options.home));
    if (s->cache && (!planning || os_exists(path.ptr)))
        DG_TRY(answers_open(path, &l->answers, err));
    if (!l->priced && sr->run->options.spending.usd > 0 && !planning)
        dg_log(sr, DG_LOG_WARNING, "the price of %.*s is not known: --max-usd does not count its calls; give `prices`, or --max-tokens", FMT(s->model));
    DgStatus status = planning ? DG_OK : step_services(sr, &l->services, err);
    *out = l;
    return status;
}

static double cost_of(const LlmSession *l, LlmEstimate e)
{
    LlmUsage u = {.in = e.in, .out = e.out};
    return llm_cost(&l->price, &u);
}

static Spent most_of(const LlmSession *l, LlmEstimate e)
{
    return (Spent){cost_of(l, e), e.in + e.out};
}

static void give_back(LlmSession *l)
{
    if (l->has_taken)
        spending_settle(&l->sr->run->spending, most_of(l, l->taken), (Spent){0}, false);
    l->has_taken = false;
}

void llm_session_close(LlmSession *l)
{
    if (!l)
        return;
    give_back(l);
    for (Spent most = {l->usd_reserved, l->tokens_reserved}; l->in_flight > 0; l->in_flight--, most = (Spent){0})
        spending_settle(&l->sr->run->spending, most, most, true); /* given up: they may be paid for all the same */
    if (l->services)
        calls_drop(l->services, l); /* another attempt's session may stand where this one stood */
    answers_close(l->answers);
    l->answers = NULL;
}

/* ---- Budgets ---- */

static bool take_of_run(LlmSession *l, LlmEstimate e, char why[120])
{
    int64_t until = os_monotonic_ms() + OTHERS_MS;
    bool may_change;
    while (!spending_take(&l->sr->run->spending, most_of(l, e), &may_change, why)) {
        if (!may_change || l->in_flight || dg_cancelled(l->sr) || os_monotonic_ms() >= until)
            return false;
        dg_waiting(l->sr, "other steps' calls, which hold the rest of the run's budget", 0);
        os_sleep_ms(20);
    }
    l->has_taken = true;
    l->taken = e;
    return true;
}

bool llm_may_start(LlmSession *l, LlmEstimate e, char why[120])
{
    give_back(l);
    const LlmBudget *b = &l->budget;
    bool alone = l->in_flight == 0; /* then it may go past what is left, if anything is */
    why[0] = 0;
    if (b->calls && l->calls >= b->calls)
        snprintf(why, 120, "%lld calls", (long long)b->calls);
    else if (b->tokens && (l->tokens >= b->tokens || (!alone && l->tokens + l->tokens_reserved + e.in + e.out > b->tokens)))
        snprintf(why, 120, "%lld tokens", (long long)b->tokens);
    else if (b->usd > 0 && (l->usd >= b->usd || (!alone && l->usd + l->usd_reserved + cost_of(l, e) > b->usd)))
        snprintf(why, 120, "US$ %.2f", b->usd);
    else if (b->time && (os_monotonic_ms() - l->started_ms) * 1000000 >= b->time)
        snprintf(why, 120, "%lld s", (long long)b->time / 1000000000);
    return !why[0] && take_of_run(l, e, why);
}

void llm_started(LlmSession *l, LlmEstimate e)
{
    l->has_taken = false;
    l->calls++;
    l->in_flight++;
    l->tokens_reserved += e.in + e.out;
    l->usd_reserved += cost_of(l, e);
}

void llm_ended(LlmSession *l, LlmEstimate e, const LlmUsage *u)
{
    l->in_flight--;
    l->tokens_reserved -= e.in + e.out;
    l->usd_reserved -= cost_of(l, e);
    spending_settle(&l->sr->run->spending, most_of(l, e), u ? (Spent){llm_cost(&l->price, u), u->in + u->out} : (Spent){0}, true);
    if (!u)
        return;
    l->tokens += u->in + u->out;
    l->usd += llm_cost(&l->price, u);
    l->usage.in += u->in;
    l->usage.cached += u->cached;
    l->usage.written += u->written;
    l->usage.out += u->out;
}

int64_t llm_tokens_about(Str text)
{
    int64_t ascii = 0, other = 0;
    for (ptrdiff_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        ascii += c < 0x80;
        other += c >= 0xc0;
    }
    return ascii / 4 + other + 1;
}

/* ---- Calls ---- */

Str llm_safe(const LlmSession *l, Arena *a, Str text)
{
    StrBuf safe = {0};
    redact_text(l->sr->run->redactor, text, &safe);
    Str out = safe.failed ? (Str){0} : str_copy(a, buf_str(&safe));
    buf_free(&safe);
    return out;
}

DgStatus llm_call(LlmSession *l, const LlmRequest *r, LlmEstimate e, void *user, DgError *err)
{
    char what[160];
    snprintf(what, sizeof what, "ask %.*s", FMT(l->s->model));
    DgCallSpec spec = {.method = "POST", .url = r->url, .headers = r->headers.items, .headers_count = r->headers.count, .body = r->body, .what = what,
                       .retries = l->s->retries ? (int)l->s->retries : -1, .concurrency = (int)l->s->concurrency, .tokens = e.in + e.out,
                       .is_final = l->model.provider->api->is_final};
    Arena a;
    arena_init(&a, 256 << 20);
    a.can_fail = true;
    if (l->s->stream) {
        spec.body = llm_stream_ask(&l->model, r->body, &a);
        spec.reader = &llm_stream_reader;
        spec.reader_state = llm_stream_new(&l->model, NULL);
    }
    DgStatus status = l->s->stream && (a.failed || !spec.reader_state) ? os_no_memory(err, "for a call") : call_start(l->services, &spec, l, user, NULL, err);
    if (status != DG_OK && spec.reader_state)
        llm_stream_free(spec.reader_state);
    arena_free(&a);
    DG_TRY(status);
    llm_started(l, e);
    return DG_OK;
}

DgStatus llm_read(LlmSession *l, DgEval *ev, const DgCallAnswer *a, LlmReply *out, DgError *err)
{
    DG_TRY(l->model.provider->api->read(&l->model, ev, a->body, out, err));
    out->usage.in += a->torn * out->usage.in; /* the same question, read again */
    out->usage.out += a->torn_bytes / EVENT_BYTES;
    return DG_OK;
}

DgCall *llm_next(LlmSession *l, int64_t wait_ms)
{
    int64_t until = os_monotonic_ms() + wait_ms;
    for (;;) {
        int64_t left = until - os_monotonic_ms(), until_ms;
        char why[160];
        DgCall *c = calls_next(l->services, l, left < WAIT_TOLD_MS ? left > 0 ? left : 0 : WAIT_TOLD_MS);
        if (c) {
            dg_waiting(l->sr, NULL, 0);
            return c;
        }
        if (left <= 0)
            return NULL;
        if (services_waiting(l->services, l, why, &until_ms))
            dg_waiting(l->sr, why, until_ms);
    }
}

DgStatus llm_failure(LlmSession *l, DgEval *ev, DgCall *call, DgError *err)
{
    const DgCallAnswer *a;
    DgStatus status = call_result(call, &a, err);
    Str said = output_clean(ev->arena, l->model.provider->api->problem(ev, a->body));
    if (status == DG_CANCELLED || status == DG_CONFIG || status == DG_NOMEM || status == DG_IO)
        return status;
    if (a->status == 429 && l->model.provider->api->is_final(a->status, a->body)) {
        dg_fail(err, DG_TEMPFAIL, "%s: %.*s", l->model.provider->name, FMT(said.len ? said : str_from(err->message)));
        dg_hint(err, "what was answered is kept; the next run continues");
        err->retry_after_ms = -1;
        return DG_TEMPFAIL;
    }
    if (said.len)
        dg_fail(err, status, "%s: %.*s (HTTP %d)", l->model.provider->name, FMT(said), a->status);
    if ((a->status == 401 || a->status == 403) && l->model.provider->key_env)
        dg_hint(err, "is %s right, and may it use %.*s?", l->model.provider->key_env, FMT(l->s->model));
    if (a->status == 404) { /* the model, or the address */
        err->status = DG_CONFIG;
        dg_hint(err, "is there a model `%.*s` at %.*s?", FMT(l->model.name), FMT(l->model.base_url));
        return DG_CONFIG;
    }
    return status == DG_END ? DG_DATA : status;
}

/* ---- Results ---- */

void llm_report(LlmSession *l, Str asset)
{
    dg_report_metadata(l->sr, asset, "llm/model", dgv_from_str(l->s->model));
    dg_report_metadata(l->sr, asset, "llm/calls", dgv_int(l->calls));
    dg_report_metadata(l->sr, asset, "llm/answers_from_cache", dgv_int(l->cached));
    dg_report_metadata(l->sr, asset, "llm/tokens_in", dgv_int(l->usage.in));
    dg_report_metadata(l->sr, asset, "llm/tokens_cached", dgv_int(l->usage.cached));
    dg_report_metadata(l->sr, asset, "llm/tokens_out", dgv_int(l->usage.out));
    if (l->priced)
        dg_report_metadata(l->sr, asset, "llm/cost_usd", dgv_float(l->usd));
    char cost[40] = "cost unknown";
    if (l->priced)
        snprintf(cost, sizeof cost, "US$ %.4f", l->usd);
    dg_log(l->sr, DG_LOG_INFO, "%.*s: %lld calls, %lld from the cache, %lld + %lld tokens, %s", FMT(l->s->model), (long long)l->calls,
           (long long)l->cached, (long long)l->usage.in, (long long)l->usage.out, cost);
}
