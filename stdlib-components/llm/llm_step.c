/* llm_step.c - asks a model about each row of a table, many at once, each question once.
 *
 * Rows are read in batches. Those of a batch are asked at the same time, within concurrency and budget; a batch is
 * handed to the load when its last row is answered or given up. An answer is in the cache, safely, before its row
 * counts as done. Rows that cannot be answered go to ASSET_rejected with the reason.
 *
 * With `pack` rows gather until a call is full. Each row's part of the answer is kept by itself, so that rows may come
 * into other calls in the next run; a row whose part is missing or does not fit is asked alone from then on.
 */
#include "runtime/llm/llm_step.h"

#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/llm/batch.h"
#include "runtime/llm/pack.h"
#include "runtime/llm/rejected.h"
#include "runtime/llm/rows.h"
#include "runtime/os/os.h"

enum { WAIT_MS = 1000, REFUSED_FIRST = 3, EXPLAIN_ROWS = 1000, COUNTED_MAX = 20, ANSWER_TOKENS = 1024, PACK_ROW_TOKENS = 8 };

typedef enum ItemState { ITEM_NEW, ITEM_ASKED, ITEM_ANSWERED, ITEM_REJECTED } ItemState;

typedef struct Item { /* a row that is being asked about */
    ItemState state;
    int32_t row;
    int round;               /* of mending */
    Arena arena;
    DgEval eval;
    LlmQuestion question;
    LlmRequest request;
    LlmEstimate estimate;
    AnswerKey key;
    bool opened;
    bool packed;             /* it is asked with others: while `pack` is NULL it has not been */
    struct Pack *pack;       /* of the call under way, or that gathers */
    DgValue *values;         /* of the output's fields; or of the one column */
} Item;

typedef struct Pack { /* rows of one call */
    Arena arena;
    DgEval eval;
    Item **items;
    size_t count;
    bool made;
    LlmRequest request;
    LlmEstimate estimate;
} Pack;

typedef struct Asking {
    DgStepRun *sr;
    const LlmStep *c;
    LlmSession *l;
    Str system, schema;
    OutputField plain;       /* of an answer that is text */
    DgList fields;           /* of the answer, as columns */
    Pack *pack;              /* that gathers; NULL: none */
    Str pack_system, pack_schema, pack_whom;
    InputRows from;
    int32_t image;           /* column; -1: none */
    AnswerTable table;
    DgValue extra;           /* names for the prompt: row */
    Item *items;             /* DG_BATCH_ROWS */
    Rejected rejected;
    int64_t answered, refused;
    char spent[120];         /* which budget is used up; empty: none */
} Asking;

/* ---- The question ---- */

static DgStatus item_open(Asking *k, Item *it, DgError *err)
{
    arena_init(&it->arena, 256 << 20);
    it->arena.can_fail = true;
    step_eval(k->sr, &it->arena, &it->eval);
    it->opened = true;
    return DG_OK;
}

static void item_close(Item *it)
{
    if (!it->opened)
        return;
    dg_eval_free(&it->eval);
    arena_free(&it->arena);
    it->opened = false;
}

static DgStatus make_request(Asking *k, Item *it, DgError *err)
{
    LlmQuestion *q = &it->question;
    q->system = llm_safe(k->l, &it->arena, q->system);
    for (size_t i = 0; i < q->turns.count; i++) {
        q->turns.items[i].text = llm_safe(k->l, &it->arena, q->turns.items[i].text);
        if (!q->turns.items[i].text.ptr)
            return os_no_memory(err, "for a question");
    }
    DG_TRY(k->l->model.provider->api->ask(&k->l->model, &it->question, &it->arena, &it->request, err));
    it->key = answer_key(it->packed ? k->pack_whom : k->l->whom, it->request.body);
    it->estimate = (LlmEstimate){llm_tokens_about(it->request.body), k->c->tokens_max ? k->c->tokens_max : ANSWER_TOKENS};
    return DG_OK;
}

static DgStatus make_question(Asking *k, Item *it, DgError *err)
{
    const LlmStep *c = k->c;
    DgValue text, extra = dg_new_dict(&it->eval);
    LlmQuestion *q = &it->question;
    dg_put_str(&it->eval, extra, "row", row_value(&it->eval, &k->from.in, it->row));
    k->sr->extra = &extra;
    DgStatus status = ((DgTemplateFn)c->prompt.call)(&it->eval, &text, err);
    k->sr->extra = NULL;
    DG_TRY(status);
    *q = (LlmQuestion){.system = k->system, .schema = k->schema, .tokens_max = c->tokens_max, .temperature = c->temperature,
                       .effort = c->effort, .seed = c->seed};
    for (size_t i = 0; i < c->examples.count; i++) {
        const LlmExample *x = &DG_ITEMS(LlmExample, c->examples)[i];
        LlmTurn in = {LLM_USER, x->input, {0}}, out = {LLM_ASSISTANT, x->output, {0}};
        array_add(&it->arena, &q->turns, in);
        array_add(&it->arena, &q->turns, out);
    }
    LlmTurn turn = {LLM_USER, text.kind == DG_V_STR ? text.as.s : dg_to_str(&it->eval, text), {0}};
    if (k->image >= 0) {
        DgValue v = row_cell(&it->eval, &k->from.columns[k->image], &k->from.in.vectors[k->image], it->row);
        if (v.kind == DG_V_STR)
            turn.image = v.as.s;
    }
    array_add(&it->arena, &q->turns, turn);
    return it->arena.failed ? os_no_memory(err, "for a question") : make_request(k, it, err);
}

/* ---- The answer ---- */

static DgStatus reject(Asking *k, Item *it, const char *kind, Str reason, Str reply, DgError *err)
{
    it->state = ITEM_REJECTED;
    return rejected_add(&k->rejected, &it->eval, &k->from.in, it->row, kind, reason, reply, err);
}

static DgStatus take_values(Asking *k, Item *it, Str text, Str *wrong, DgError *err)
{
    it->values = push(&it->arena, DgValue, k->fields.count);
    if (!it->values)
        return os_no_memory(err, "for an answer");
    if (k->c->output.count || it->packed)
        *wrong = output_check(&it->eval, &k->fields, text, it->values);
    else
        it->values[0] = dgv_from_str(str_trim(text));
    if (wrong->len)
        return DG_OK;
    it->state = ITEM_ANSWERED;
    k->answered++;
    return DG_OK;
}

static DgStatus ask_alone(Asking *k, Item *it, DgError *err)
{
    it->packed = false;
    it->pack = NULL;
    it->state = ITEM_NEW;
    return make_request(k, it, err);
}

/* Fits, or is to be mended: then the question goes on, and the item is new again. */
static DgStatus take_reply(Asking *k, Item *it, const LlmReply *r, DgError *err)
{
    const LlmStep *c = k->c;
    Str wrong = {0};
    if (it->packed) {
        if (r->text.len)
            DG_TRY(take_values(k, it, r->text, &wrong, err));
        return it->state == ITEM_ANSWERED ? DG_OK : ask_alone(k, it, err);
    }
    if (r->end == LLM_REFUSED)
        return reject(k, it, "refused", r->text.len ? r->text : S("the model refused"), r->text, err);
    if (r->end == LLM_CUT)
        return reject(k, it, "cut", S("the answer was longer than max_tokens allows"), r->text, err);
    DG_TRY(take_values(k, it, r->text, &wrong, err));
    if (!wrong.len)
        return DG_OK;
    if (it->round >= c->repairs)
        return reject(k, it, "invalid", wrong, r->text, err);
    it->round++;
    k->l->repairs++;
    LlmTurn said = {LLM_ASSISTANT, r->text.len ? r->text : S("{}"), {0}};
    LlmTurn mend = {LLM_USER, str_format(&it->arena, "That does not fit: %.*s. Answer again, with the corrected JSON object alone.", FMT(wrong)), {0}};
    array_add(&it->arena, &it->question.turns, said);
    array_add(&it->arena, &it->question.turns, mend);
    it->state = ITEM_NEW;
    return it->arena.failed ? os_no_memory(err, "for a question") : make_request(k, it, err);
}

static bool is_asked_already(const Asking *k, const Item *it)
{
    for (int32_t i = 0; i < k->from.in.rows; i++)
        if (k->items[i].state == ITEM_ASKED && memcmp(&k->items[i].key, &it->key, sizeof it->key) == 0)
            return true;
    return false;
}

/* ---- Packs ---- */

static Pack *pack_open(Asking *k)
{
    Pack *p = os_alloc(sizeof *p);
    if (!p)
        return NULL;
    *p = (Pack){0};
    arena_init(&p->arena, 256 << 20);
    p->arena.can_fail = true;
    p->items = push(&p->arena, Item *, k->c->pack);
    step_eval(k->sr, &p->arena, &p->eval);
    return p;
}

static void pack_close(Pack *p)
{
    if (!p)
        return;
    dg_eval_free(&p->eval);
    arena_free(&p->arena);
    os_free(p);
}

static DgStatus gather(Asking *k, Item *it, DgError *err)
{
    if (!k->pack && !(k->pack = pack_open(k)))
        return os_no_memory(err, "for a call");
    it->pack = k->pack;
    it->state = ITEM_ASKED;
    k->pack->items[k->pack->count++] = it;
    return k->pack->arena.failed ? os_no_memory(err, "for a call") : DG_OK;
}

static DgStatus make_pack(Asking *k, Pack *p, DgError *err)
{
    const LlmStep *c = k->c;
    LlmQuestion q = {.system = k->pack_system, .schema = k->pack_schema, .tokens_max = c->tokens_max * (int64_t)p->count,
                     .temperature = c->temperature, .effort = c->effort, .seed = c->seed};
    const LlmQuestion *first = &p->items[0]->question;
    for (size_t i = 0; i + 1 < first->turns.count; i++) { /* examples, each a pack of one */
        StrBuf b = {0};
        LlmTurn turn = first->turns.items[i];
        bool good = true;
        if (turn.role == LLM_USER) {
            pack_add(&b, 1, turn.text);
            pack_end(&b);
        } else {
            good = pack_example(&p->eval, &k->fields, turn.text, &b);
        }
        turn.text = good ? str_copy(&p->arena, buf_str(&b)) : (Str){0};
        good = good && !b.failed;
        buf_free(&b);
        if (!good)
            return dg_fail(err, DG_CONFIG, "with `pack` an example's `output` is a JSON object with the fields of `output`");
        array_add(&p->arena, &q.turns, turn);
    }
    StrBuf b = {0};
    for (size_t i = 0; i < p->count; i++) {
        const LlmQuestion *own = &p->items[i]->question;
        pack_add(&b, i + 1, own->turns.items[own->turns.count - 1].text);
    }
    pack_end(&b);
    LlmTurn turn = {LLM_USER, str_copy(&p->arena, buf_str(&b)), {0}};
    bool failed = b.failed;
    buf_free(&b);
    array_add(&p->arena, &q.turns, turn);
    if (failed || p->arena.failed)
        return os_no_memory(err, "for a call");
    DG_TRY(k->l->model.provider->api->ask(&k->l->model, &q, &p->arena, &p->request, err));
    p->estimate = (LlmEstimate){llm_tokens_about(p->request.body), (c->tokens_max ? c->tokens_max : ANSWER_TOKENS) * (int64_t)p->count};
    p->made = true;
    return DG_OK;
}

static bool may_start(Asking *k, LlmEstimate e)
{
    char why[120];
    if (llm_may_start(k->l, e, why))
        return true;
    if (k->l->in_flight == 0)
        memcpy(k->spent, why, sizeof k->spent);
    return false;
}

/* Sends what has gathered, if it may be sent now. */
static DgStatus send_pack(Asking *k, DgError *err)
{
    Pack *p = k->pack;
    if (!p->made)
        DG_TRY(make_pack(k, p, err));
    if (k->spent[0] || k->l->in_flight >= k->l->s->concurrency * 2 || !may_start(k, p->estimate))
        return DG_OK;
    DG_TRY(llm_call(k->l, &p->request, p->estimate, p->items[0], err));
    k->pack = NULL;
    return DG_OK;
}

/* What a row has of the answer, kept by itself: also that it has none. */
static DgStatus keep_parts(Asking *k, Pack *p, const LlmReply *r, Str *texts, DgError *err)
{
    int64_t n = (int64_t)p->count;
    if (r->end != LLM_DONE || !pack_split(&p->eval, r->text, p->count, texts))
        memset(texts, 0, p->count * sizeof *texts);
    for (size_t i = 0; k->l->answers && i < p->count; i++) {
        LlmReply part = {.text = texts[i], .usage = {r->usage.in / n, r->usage.cached / n, r->usage.written / n, r->usage.out / n}};
        DG_TRY(answers_put(k->l->answers, &p->items[i]->key, k->l->s->model, &part, err));
    }
    return DG_OK;
}

static DgStatus take_parts(Asking *k, Pack *p, const LlmReply *r, DgError *err)
{
    Str *texts = push(&p->arena, Str, p->count);
    if (!texts)
        return os_no_memory(err, "for an answer");
    DG_TRY(keep_parts(k, p, r, texts, err));
    for (size_t i = 0; i < p->count; i++) {
        Item *it = p->items[i];
        LlmReply part = {.text = str_copy(&it->arena, texts[i])};
        DG_TRY(take_reply(k, it, &part, err));
    }
    return DG_OK;
}

static DgStatus take_pack(Asking *k, Pack *p, DgCall *call, DgError *err)
{
    LlmSession *l = k->l;
    const DgCallAnswer *a;
    LlmReply reply;
    DgStatus status = call_result(call, &a, err);
    if (status == DG_OK) {
        status = llm_read(l, &p->eval, a, &reply, err);
        llm_ended(l, p->estimate, status == DG_OK ? &reply.usage : &(LlmUsage){.in = p->estimate.in});
        if (status == DG_OK)
            return take_parts(k, p, &reply, err);
    } else {
        llm_ended(l, p->estimate, NULL);
        status = llm_failure(l, &p->eval, call, err);
    }
    if (status != DG_DATA)
        return status;
    status = DG_OK; /* one of the rows may be the cause: alone it shows which */
    for (size_t i = 0; status == DG_OK && i < p->count; i++)
        status = ask_alone(k, p->items[i], err);
    return status;
}

/* ---- Calls ---- */

/* From the cache, or over the network. *held: there is no room for it, or for others; else it may wait for another
 * row's answer. */
static DgStatus go_on(Asking *k, Item *it, bool *held, DgError *err)
{
    LlmSession *l = k->l;
    LlmReply reply;
    while (it->state == ITEM_NEW) {
        if (l->answers && is_asked_already(k, it))
            return DG_OK;
        DgStatus status = l->answers ? answers_get(l->answers, &it->arena, &it->key, &reply, err) : DG_END;
        if (status != DG_END) {
            DG_TRY(status);
            l->cached++;
            DG_TRY(take_reply(k, it, &reply, err));
            continue;
        }
        if (it->packed) {
            *held = k->pack && (int64_t)k->pack->count == k->c->pack;
            if (*held)
                return DG_OK;
            DG_TRY(gather(k, it, err));
            return (int64_t)k->pack->count == k->c->pack ? send_pack(k, err) : DG_OK;
        }
        *held = l->in_flight >= l->s->concurrency * 2 || k->spent[0] || !may_start(k, it->estimate);
        if (*held)
            return DG_OK;
        DG_TRY(llm_call(l, &it->request, it->estimate, it, err));
        it->state = ITEM_ASKED;
    }
    return DG_OK;
}

static DgStatus take_call(Asking *k, DgCall *call, DgError *err)
{
    LlmSession *l = k->l;
    Item *it = call_user(call);
    const DgCallAnswer *a;
    LlmReply reply;
    if (it->pack) {
        Pack *p = it->pack;
        DgStatus status = take_pack(k, p, call, err);
        for (size_t i = 0; i < p->count; i++)
            p->items[i]->pack = NULL;
        pack_close(p);
        return status;
    }
    DgStatus status = call_result(call, &a, err);
    if (status == DG_OK)
        status = llm_read(l, &it->eval, a, &reply, err);
    if (status == DG_OK) {
        llm_ended(l, it->estimate, &reply.usage);
        if (l->answers)
            DG_TRY(answers_put(l->answers, &it->key, l->s->model, &reply, err));
        return take_reply(k, it, &reply, err);
    }
    bool was_sent = a->status >= 200 && a->status < 300; /* paid for, though not usable */
    llm_ended(l, it->estimate, was_sent ? &(LlmUsage){.in = it->estimate.in} : NULL);
    if (!was_sent)
        status = llm_failure(l, &it->eval, call, err);
    if (status != DG_DATA)
        return status;
    /* When not one row went well the fault is not the row's. */
    if (++k->refused >= REFUSED_FIRST && !k->answered && !was_sent)
        return status;
    return reject(k, it, "failed", str_from(err->message), was_sent ? a->body : (Str){0}, err);
}

/* ---- A batch ---- */

static void keep_call(Asking *k, DgCall *call)
{
    LlmSession *l = k->l;
    Item *it = call_user(call);
    Pack *p = it->pack;
    const DgCallAnswer *a;
    LlmReply reply;
    DgError ignored = {0};
    bool good = call_result(call, &a, &ignored) == DG_OK &&
                llm_read(l, p ? &p->eval : &it->eval, a, &reply, &ignored) == DG_OK;
    llm_ended(l, p ? p->estimate : it->estimate, good ? &reply.usage : NULL);
    Str *texts = p ? push(&p->arena, Str, p->count) : NULL;
    if (good && texts)
        keep_parts(k, p, &reply, texts, &ignored);
    else if (good && !p && l->answers)
        answers_put(l->answers, &it->key, l->s->model, &reply, &ignored);
}

/* What is done is paid for: it is kept whatever happened since. */
static void end_calls(Asking *k)
{
    LlmSession *l = k->l;
    DgError ignored = {0};
    for (DgCall *c; l->in_flight > 0 && !dg_cancelled(k->sr) && (c = llm_next(l, 60000));) {
        keep_call(k, c);
        call_free(l->services, c);
    }
    if (l->answers)
        answers_keep(l->answers, &ignored);
}

static DgStatus spent(Asking *k, DgError *err)
{
    dg_fail(err, DG_TEMPFAIL, "the budget of %s is used up after %lld rows", k->spent, (long long)(k->answered + (int64_t)k->rejected.rows.count));
    dg_hint(err, "%s", k->l->answers ? "the answers are kept: raise it, and the next run continues" : "raise it");
    err->retry_after_ms = -1; /* another attempt would have the whole budget again */
    return DG_TEMPFAIL;
}

static DgStatus ask_batch(Asking *k, DgError *err)
{
    int32_t next = 0, first = 0;
    for (int32_t i = 0; i < k->from.in.rows; i++)
        k->items[i] = (Item){.row = i, .packed = k->c->pack > 1};
    while (first < k->from.in.rows) {
        bool held = false;
        if (dg_cancelled(k->sr))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        /* Rows that wait come first; then as many new ones as there is room for. */
        for (int32_t i = first; i < next && !k->spent[0]; i++)
            if (k->items[i].state == ITEM_NEW)
                DG_TRY(go_on(k, &k->items[i], &held, err));
        while (next < k->from.in.rows && !held && !k->spent[0]) {
            Item *it = &k->items[next++];
            DG_TRY(item_open(k, it, err));
            DG_TRY(make_question(k, it, err));
            DG_TRY(go_on(k, it, &held, err));
        }
        if (k->pack && (next == k->from.in.rows || (int64_t)k->pack->count == k->c->pack)) /* it is full, or no more will come */
            DG_TRY(send_pack(k, err));
        while (first < next && k->items[first].state >= ITEM_ANSWERED)
            first++;
        if (k->l->in_flight == 0) {
            if (k->spent[0])
                return spent(k, err);
            continue;
        }
        DgCall *call = llm_next(k->l, WAIT_MS);
        for (int n = 0; call && n < 256; n++) {
            DgStatus status = take_call(k, call, err);
            call_free(k->l->services, call);
            DG_TRY(status);
            call = calls_next(k->l->services, k->l, 0);
        }
        if (call) { /* the next round's */
            DgStatus status = take_call(k, call, err);
            call_free(k->l->services, call);
            DG_TRY(status);
        }
        if (k->l->answers)
            DG_TRY(answers_keep(k->l->answers, err));
    }
    return DG_OK;
}

static DgStatus put_rows(Asking *k, DgBatch *out, DgError *err)
{
    for (int32_t i = 0; i < k->from.in.rows; i++)
        if (k->items[i].state == ITEM_ANSWERED)
            DG_TRY(answer_row(&k->table, &k->items[i].eval, &k->from.in, i, k->items[i].values, out, err));
    return DG_OK;
}

static DgStatus next_batch(void *context, void *lane, DgBatch *out, DgError *err)
{
    Asking *k = context;
    (void)lane;
    for (;;) {
        DG_TRY(rows_more(&k->from, err)); /* or that there are no more */
        DgStatus status = ask_batch(k, err);
        if (status == DG_OK)
            status = put_rows(k, out, err);
        else
            end_calls(k);
        for (int32_t i = 0; i < k->from.in.rows; i++) {
            Pack *p = k->items[i].pack; /* of a call that was given up */
            if (p && p != k->pack && p->items[0] == &k->items[i])
                pack_close(p);
        }
        for (int32_t i = 0; i < k->from.in.rows; i++)
            item_close(&k->items[i]);
        DG_TRY(status);
        dg_progress(k->sr, k->from.in.rows, 0);
        if (out->rows)
            return k->from.done ? DG_END : DG_OK;
    }
}

/* ---- The whole ---- */

static DgStatus choose_columns(Asking *k, DgError *err)
{
    const LlmStep *c = k->c;
    DG_TRY(answer_table(k->sr, c->from, k->from.columns, k->from.count, &c->keep, k->fields.items, k->fields.count, &k->table, err));
    k->image = c->image.len ? row_find_column(k->from.columns, k->from.count, c->image) : -1;
    if (c->image.len && k->image < 0)
        return dg_fail(err, DG_DATA, "`image` names `%.*s`, which `%.*s` does not have", FMT(c->image), FMT(c->from));
    return DG_OK;
}

static DgStatus begin(Asking *k, DgError *err)
{
    const LlmStep *c = k->c;
    rejected_open(&k->rejected);
    k->items = os_alloc(DG_BATCH_ROWS * sizeof *k->items);
    if (!k->items)
        return os_no_memory(err, "for rows");
    k->plain = (OutputField){.key = c->column, .type = OUTPUT_STRING, .min = -9e15, .max = 9e15};
    k->fields = c->output.count ? c->output : (DgList){&k->plain, 1};
    k->system = !c->rule.len ? c->system : !c->system.len ? c->rule : dg_format(k->sr, "%.*s\n\n%.*s", FMT(c->rule), FMT(c->system));
    if (c->output.count)
        DG_TRY(llm_schema(k->sr, output_schema, &k->fields, &k->schema, err));
    if (c->pack > 1) {
        DG_TRY(llm_schema(k->sr, pack_schema, &k->fields, &k->pack_schema, err));
        k->pack_system = k->system.len ? dg_format(k->sr, "%.*s\n\n%s", FMT(k->system), pack_rule) : str_from(pack_rule);
        k->pack_whom = dg_format(k->sr, "%.*s packed", FMT(k->l->whom));
    }
    DG_TRY(rows_begin(k->sr, c->from, c->limit, &k->from, err));
    return choose_columns(k, err);
}

static void end(Asking *k)
{
    llm_session_close(k->l);
    pack_close(k->pack);
    rows_end(&k->from);
    os_free(k->items);
    rejected_close(&k->rejected);
}

/* ---- Batches ---- */

static DgStatus add_rows(Asking *k, LlmBatch *b, DgError *err)
{
    DgStatus status = DG_OK;
    while (!k->spent[0] && (status = rows_more(&k->from, err)) == DG_OK) {
        for (int32_t i = 0; i < k->from.in.rows && !k->spent[0]; i++) {
            Item it = {.row = i};
            char why[120];
            bool held = false;
            DG_TRY(item_open(k, &it, err));
            DgStatus added = make_question(k, &it, err);
            if (added == DG_OK)
                added = llm_batch_add(b, &it.key, &it.request, it.estimate, &held, why, err);
            if (held)
                memcpy(k->spent, why, sizeof k->spent);
            item_close(&it);
            DG_TRY(added);
        }
        if (dg_cancelled(k->sr))
            return dg_fail(err, DG_CANCELLED, "cancelled");
    }
    return status == DG_END ? DG_OK : status;
}

/* What batches answer is in the cache afterwards, where the rows find it. */
static DgStatus ask_in_batches(Asking *k, DgError *err)
{
    LlmBatch *b;
    DgStatus status = llm_batch_open(k->l, dg_format(k->sr, "%.*s %.*s", FMT(k->c->asset), FMT(k->l->whom)), &b, err);
    if (status == DG_OK)
        status = add_rows(k, b, err);
    if (status == DG_OK)
        status = llm_batch_finish(b, err);
    llm_batch_close(b);
    if (status == DG_OK && k->spent[0])
        return spent(k, err);
    DG_TRY(status);
    rows_end(&k->from);
    DG_TRY(rows_begin(k->sr, k->c->from, k->c->limit, &k->from, err));
    return choose_columns(k, err); /* their names are the scan's */
}

static DgStatus load(Asking *k, DgError *err)
{
    DgSession *session;
    Str schema, table;
    DgLoadResult result;
    DG_TRY(step_session(k->sr, &session, err));
    DgLoad own = {.mode = DG_REPLACE, .columns = k->table.columns, .columns_count = k->table.columns_count, .lanes_max = 1};
    DgPull pull = {.context = k, .next = next_batch, .lanes_max = 1};
    pthread_mutex_lock(&k->sr->lock);
    dg_asset_table(&k->sr->arena, k->c->asset, &schema, &table);
    pthread_mutex_unlock(&k->sr->lock);
    DG_TRY(dg_session_load(session, schema, table, &own, &pull, &result, err));
    llm_report(k->l, k->c->asset);
    return rejected_load(&k->rejected, k->sr, k->c->asset, "llm/rejected", err);
}

static DgStatus llm_execute(DgStepRun *sr, const void *config, void *state, DgError *err)
{
    Asking *k = state;
    k->sr = sr;
    k->c = config;
    DgStatus status = llm_session_open(sr, &k->c->llm, false, &k->l, err);
    if (status == DG_OK)
        status = begin(k, err);
    if (status == DG_OK && k->c->batch)
        status = ask_in_batches(k, err);
    if (status == DG_OK)
        status = load(k, err);
    end(k);
    return status;
}

/* ---- What it would cost ---- */

typedef struct Counted { /* by the service: questions, their tokens, and what they were estimated at */
    int64_t questions, tokens, estimated;
} Counted;

/* DG_END: the service is not asked, or enough. */
static DgStatus count_one(Asking *k, Item *it, Counted *by_service, DgError *err)
{
    int64_t tokens;
    if (by_service->questions >= COUNTED_MAX)
        return DG_END;
    DG_TRY(llm_count(k->l, &it->question, &it->eval, &tokens, err));
    by_service->questions++;
    by_service->tokens += tokens;
    by_service->estimated += it->estimate.in;
    return DG_OK;
}

/* `all`: what rows take; *each: what every call takes besides. */
static DgStatus count(Asking *k, int64_t *rows, int64_t *known, LlmEstimate *all, int64_t *each, Counted *by_service, DgError *err)
{
    bool packed = k->c->pack > 1;
    Item it = {0};
    DgStatus status = DG_OK;
    while (*rows < EXPLAIN_ROWS && (status = rows_more(&k->from, err)) == DG_OK) {
        for (int32_t i = 0; i < k->from.in.rows && *rows < EXPLAIN_ROWS; i++) {
            it = (Item){.row = i, .packed = packed};
            DG_TRY(item_open(k, &it, err));
            DgStatus made = make_question(k, &it, err);
            if (made == DG_OK) {
                bool cached = k->l->answers && answers_has(k->l->answers, &it.key);
                *known += cached;
                int64_t text = llm_tokens_about(it.question.turns.items[it.question.turns.count - 1].text);
                *each = packed ? it.estimate.in - text + llm_tokens_about(str_from(pack_rule)) : 0;
                all->in += cached ? 0 : packed ? text + PACK_ROW_TOKENS : it.estimate.in;
                all->out += cached ? 0 : k->c->output.count ? 20 * (int64_t)k->c->output.count + 10 : it.estimate.out / 4;
                ++*rows;
                if (!cached)
                    made = count_one(k, &it, by_service, err);
            }
            item_close(&it);
            if (made != DG_END)
                DG_TRY(made);
        }
    }
    return status == DG_END ? DG_OK : status;
}

static DgStatus describe(Asking *k, int64_t total, DgStr *text, DgError *err)
{
    DgStepRun *sr = k->sr;
    int64_t rows = 0, known = 0, each = 0;
    LlmEstimate all = {0};
    Counted by_service = {0};
    char cost[64] = "cost unknown", counted[80] = "";
    if (k->c->limit && total > k->c->limit)
        total = k->c->limit;
    DG_TRY(count(k, &rows, &known, &all, &each, &by_service, err));
    double scale = rows ? (double)total / (double)rows : 0;
    int64_t asked = (int64_t)((double)(rows - known) * scale), calls = (asked + k->c->pack - 1) / k->c->pack;
    int64_t in = (int64_t)((double)all.in * scale) + calls * each, out = (int64_t)((double)all.out * scale);
    if (by_service.questions) { /* what is estimated is off by so much */
        in = (int64_t)((double)in * (double)by_service.tokens / (double)by_service.estimated);
        snprintf(counted, sizeof counted, "; tokens read: counted by the service for %lld", (long long)by_service.questions);
    } else if (k->sr->run->options.count && !k->l->model.provider->api->count) {
        snprintf(counted, sizeof counted, "; tokens are estimated: %s does not count", k->l->model.provider->name);
    }
    LlmUsage u = {.in = in, .out = out};
    if (k->l->priced)
        snprintf(cost, sizeof cost, "about US$ %.4f%s", llm_cost(&k->l->price, &u) / (k->c->batch ? 2 : 1), k->c->batch ? " in batches" : "");
    *text = dg_format(sr, "asks %.*s about %lld rows: %lld answers are known, %s%lld calls, about %lld + %lld tokens, %s (prices of %s)%s\n", FMT(k->c->llm.model),
                      (long long)total, (long long)((double)known * scale), rows < total ? "about " : "", (long long)calls, (long long)in, (long long)out, cost,
                      llm_prices_date, counted);
    return DG_OK;
}

static DgStatus llm_explain(DgStepRun *sr, const void *config, DgStr *text, DgError *err)
{
    int64_t total = 0;
    bool there;
    Asking *k = dg_alloc(sr, sizeof *k);
    if (!k)
        return os_no_memory(err, "for a plan");
    *k = (Asking){.sr = sr, .c = config};
    DG_TRY(rows_there(sr, k->c->from, &there, &total, err));
    if (!there) {
        *text = dg_format(sr, "asks %.*s about each row of %.*s, which is not made yet\n", FMT(k->c->llm.model), FMT(k->c->from));
        return DG_OK;
    }
    DgStatus status = llm_session_open(sr, &k->c->llm, true, &k->l, err);
    if (status == DG_OK)
        status = begin(k, err);
    if (status == DG_OK)
        status = describe(k, total, text, err);
    end(k);
    return status;
}

const DgStepOps dg_llm_ops = {
    .name = "dgc.Llm",
    .symbol = "dg_llm_ops",
    .role = DG_ACTION,
    .fields = llm_step_fields,
    .config_size = sizeof(LlmStep),
    .state_size = sizeof(Asking),
    .execute = llm_execute,
    .explain = llm_explain,
};
