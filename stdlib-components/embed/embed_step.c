/* embed_step.c - embeds the distinct texts of a column, many requests at once, each text once.
 *
 * Texts that need a vector stream in; what the cache knows goes straight on, the rest is gathered into requests. Text and
 * vector stream into a temporary table as they come, in any order; embed_table.c then joins them to the rows.
 */
#include "stdlib-components/embed/embed_table.h"

#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/llm/lexical.h"
#include "runtime/os/os.h"
#include "runtime/run/step_tables.h"

enum { WAIT_MS = 1000, TEXT_TOKENS_USUAL = 8191, REQUEST_TOKENS_MAX = 250000, OUT_BYTES_MAX = 4 << 20 };

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(EmbedStep, from, .doc = "The asset it reads."),
    DG_FIELD_ASSET_KEY(EmbedStep, asset, .doc = "The asset it makes."),
    DG_FIELD_STRING(EmbedStep, column, .doc = "Column with the text."),
    DG_FIELD_STRING(EmbedStep, into, .doc = "Column of the vector."),
    DG_FIELD_STRUCT(EmbedStep, llm, LlmSettings, llm_settings_fields, .doc = "Model and budget."),
    DG_FIELD_INT(EmbedStep, dimensions, .doc = "Of a vector; 0: the model's own."),
    DG_FIELD_INT(EmbedStep, batch, .doc = "Texts of a request."),
    {0},
};

typedef struct Group { /* texts of one request */
    struct Group *next;
    Arena arena;
    DgEval eval;
    Str *texts;
    AnswerKey *keys;
    const float **vectors;   /* answered: of each text */
    size_t count, emitted;
    int64_t tokens, longest; /* all together; of one text */
    LlmEstimate estimate;
} Group;

typedef struct Embedding {
    DgStepRun *sr;
    const EmbedStep *c;
    LlmSession *l;           /* NULL: lexical */
    DgScan *scan;
    DgBatch in;
    bool has_in, in_done;
    int32_t in_next;
    Group *open;             /* being filled */
    Group *ready;            /* answered, not yet handed on */
    Arena row_arena;         /* of one vector from the cache */
    int32_t dimensions;      /* 0: not known yet */
    EmbedTable table;
    float *scratch;
    int64_t texts;
    char spent[120];
} Embedding;

static bool is_lexical(const EmbedStep *c)
{
    return str_eq(c->llm.model, S("builtin/lexical"));
}

/* ---- Handing on ---- */

static DgStatus fits(Embedding *e, int32_t dimensions, DgError *err)
{
    if (!e->dimensions)
        e->dimensions = dimensions;
    if (e->dimensions == dimensions)
        return DG_OK;
    dg_fail(err, DG_DATA, "%.*s gave a vector of %d numbers after one of %d", FMT(e->c->llm.model), dimensions, e->dimensions);
    dg_hint(err, "did the model behind the name change? remove answers.db, or give `dimensions`");
    return DG_DATA;
}

static DgStatus emit(Embedding *e, DgBatch *out, Str text, const float *vector, DgError *err)
{
    int32_t row = out->rows;
    if (!dg_text_set(&out->vectors[0], row, text.ptr, (size_t)text.len) || !dg_text_set(&out->vectors[1], row, (const char *)vector, (size_t)e->dimensions * sizeof *vector))
        return os_no_memory(err, "for a vector");
    out->rows++;
    e->texts++;
    dg_progress(e->sr, 1, text.len);
    return DG_OK;
}

static bool has_room(const Embedding *e, const DgBatch *out)
{
    return out->rows < out->rows_max && (int64_t)out->rows * e->dimensions * (int64_t)sizeof(float) < OUT_BYTES_MAX;
}

/* ---- Requests ---- */

static Group *group_open(Embedding *e)
{
    Group *g = os_alloc(sizeof *g);
    if (!g)
        return NULL;
    arena_init(&g->arena, 1 << 30);
    g->arena.can_fail = true;
    g->texts = push(&g->arena, Str, e->c->batch);
    g->keys = push(&g->arena, AnswerKey, e->c->batch);
    g->vectors = push(&g->arena, const float *, e->c->batch);
    step_eval(e->sr, &g->arena, &g->eval);
    return g;
}

static void group_close(Group *g)
{
    if (!g)
        return;
    dg_eval_free(&g->eval);
    arena_free(&g->arena);
    os_free(g);
}

/* *held: the budget does not allow it now. */
static DgStatus send(Embedding *e, bool *held, DgError *err)
{
    Group *g = e->open;
    LlmRequest r;
    char why[120];
    g->estimate = (LlmEstimate){g->tokens, 0};
    *held = !llm_may_start(e->l, g->estimate, why);
    if (*held) {
        if (e->l->in_flight == 0)
            memcpy(e->spent, why, sizeof e->spent);
        return DG_OK;
    }
    Str *safe = push(&g->arena, Str, g->count);
    for (size_t i = 0; safe && i < g->count; i++)
        safe[i] = llm_safe(e->l, &g->arena, g->texts[i]);
    if (g->arena.failed)
        return os_no_memory(err, "for a request");
    DG_TRY(e->l->model.provider->api->embed(&e->l->model, safe, g->count, &g->arena, &r, err));
    DG_TRY(llm_call(e->l, &r, g->estimate, g, err));
    e->open = NULL;
    return DG_OK;
}

static DgStatus take_call(Embedding *e, DgCall *call, DgError *err)
{
    LlmSession *l = e->l;
    Group *g = call_user(call);
    const DgCallAnswer *a;
    LlmUsage usage;
    int32_t dimensions;
    DgStatus status = call_result(call, &a, err);
    if (status != DG_OK) {
        llm_ended(l, g->estimate, NULL);
        status = llm_failure(l, &g->eval, call, err);
        if (status == DG_DATA && g->longest > TEXT_TOKENS_USUAL)
            dg_hint(err, "the longest text of the request has about %lld tokens, and models take some %d: cut texts with dgc.Documents",
                    (long long)g->longest, TEXT_TOKENS_USUAL);
        group_close(g);
        return status;
    }
    status = l->model.provider->api->read_embeddings(&l->model, &g->eval, a->body, g->count, g->vectors, &dimensions, &usage, err);
    llm_ended(l, g->estimate, status == DG_OK ? &usage : &(LlmUsage){.in = g->estimate.in});
    if (status == DG_OK)
        status = fits(e, dimensions, err);
    for (size_t i = 0; status == DG_OK && i < g->count && l->answers; i++)
        status = answers_put_vector(l->answers, &g->keys[i], l->s->model, g->vectors[i], dimensions, err);
    if (status != DG_OK) {
        group_close(g);
        return status;
    }
    g->next = e->ready;
    e->ready = g;
    return DG_OK;
}

/* This call and those that are done by now; what they gave is kept together before any of it is handed on. */
static DgStatus take_calls(Embedding *e, DgCall *call, DgError *err)
{
    DgStatus status = DG_OK;
    DgError ignored = {0};
    while (call) {
        DgStatus of_call = take_call(e, call, status == DG_OK ? err : &ignored);
        status = status == DG_OK ? of_call : status;
        call_free(e->l->services, call);
        call = calls_next(e->l->services, e->l, 0);
    }
    if (e->l->answers) {
        DgStatus kept = answers_keep(e->l->answers, status == DG_OK ? err : &ignored);
        status = status == DG_OK ? kept : status;
    }
    return status;
}

static AnswerKey key_of(Embedding *e, Str text)
{
    char head[64];
    int n = snprintf(head, sizeof head, "embedding %lld ", (long long)e->c->dimensions);
    StrBuf b = {0};
    buf_add(&b, (Str){head, n});
    buf_add(&b, e->c->llm.model);
    buf_char(&b, '\n');
    buf_add(&b, text);
    AnswerKey key = answer_key(e->l->whom, buf_str(&b));
    buf_free(&b);
    return key;
}

static DgStatus add_text(Embedding *e, AnswerKey key, Str text, DgError *err)
{
    if (!e->open && !(e->open = group_open(e)))
        return os_no_memory(err, "for a request");
    Group *g = e->open;
    g->keys[g->count] = key;
    g->texts[g->count] = str_copy(&g->arena, text);
    int64_t tokens = llm_tokens_about(text);
    g->tokens += tokens;
    g->longest = tokens > g->longest ? tokens : g->longest;
    g->count++;
    return g->arena.failed ? os_no_memory(err, "for a request") : DG_OK;
}

/* From the cache, or into a request. */
static DgStatus take_text(Embedding *e, DgBatch *out, Str text, DgError *err)
{
    const float *vector;
    int32_t dimensions;
    if (!e->l) {
        lexical_embed(text, e->scratch, e->dimensions);
        return emit(e, out, text, e->scratch, err);
    }
    AnswerKey key = key_of(e, text);
    arena_reset(&e->row_arena);
    DgStatus status = e->l->answers ? answers_get_vector(e->l->answers, &e->row_arena, &key, &vector, &dimensions, err) : DG_END;
    if (status == DG_OK) {
        e->l->cached++;
        DG_TRY(fits(e, dimensions, err));
        return emit(e, out, text, vector, err);
    }
    return status == DG_END ? add_text(e, key, text, err) : status;
}

static bool is_full(const Embedding *e)
{
    return e->open && ((int64_t)e->open->count >= e->c->batch || e->open->tokens >= REQUEST_TOKENS_MAX);
}

/* The next text; DG_END: there is none. */
static DgStatus next_text(Embedding *e, Str *text, DgError *err)
{
    while (e->in_next >= e->in.rows) {
        if (e->in_done)
            return DG_END;
        dg_batch_reset(&e->in);
        e->in_next = 0;
        DgStatus status = dg_scan_next(e->scan, &e->in, err);
        e->in_done = status == DG_END;
        if (status != DG_OK && status != DG_END)
            return status;
    }
    *text = dg_text_get(&e->in.vectors[0], e->in_next++);
    return DG_OK;
}

static DgStatus hand_on_ready(Embedding *e, DgBatch *out, DgError *err)
{
    while (e->ready && has_room(e, out)) {
        Group *g = e->ready;
        DG_TRY(emit(e, out, g->texts[g->emitted], g->vectors[g->emitted], err));
        if (++g->emitted == g->count) {
            e->ready = g->next;
            group_close(g);
        }
    }
    return DG_OK;
}

static DgStatus no_budget(Embedding *e, DgError *err)
{
    dg_fail(err, DG_TEMPFAIL, "the budget of %s is used up after %lld texts", e->spent, (long long)e->texts);
    dg_hint(err, "%s", e->l->answers ? "the vectors are kept: raise it, and the next run continues" : "raise it");
    err->retry_after_ms = -1;
    return DG_TEMPFAIL;
}

static DgStatus next_vectors(void *context, void *lane, DgBatch *out, DgError *err)
{
    Embedding *e = context;
    (void)lane;
    for (;;) {
        bool held = false, ended = false;
        if (dg_cancelled(e->sr))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        DG_TRY(hand_on_ready(e, out, err));
        /* As many requests wait as can be under way, so that the provider has something to do while answers are read. */
        while (has_room(e, out) && !held && !ended && !e->ready && (!e->l || e->l->in_flight < 2 * e->c->llm.concurrency)) {
            Str text;
            DgStatus status = is_full(e) ? DG_END : next_text(e, &text, err);
            ended = status == DG_END && !is_full(e);
            if (status == DG_OK)
                DG_TRY(take_text(e, out, text, err));
            else if (status != DG_END)
                return status;
            else if (e->open)
                DG_TRY(send(e, &held, err));
        }
        if (!has_room(e, out))
            return DG_OK;
        if (ended && !e->open && !e->ready && (!e->l || !e->l->in_flight))
            return DG_END;
        if (e->ready)
            continue;
        if (e->spent[0])
            return no_budget(e, err);
        if (out->rows) /* the load has work to do meanwhile */
            return DG_OK;
        DgCall *call = e->l->in_flight ? llm_next(e->l, WAIT_MS) : NULL;
        if (call)
            DG_TRY(take_calls(e, call, err));
    }
}

/* ---- The whole ---- */

static const DgColumn columns[] = {{.name = DG_S("text"), .type = {.kind = DG_TEXT}}, {.name = DG_S("vector"), .type = {.kind = DG_BINARY}}};

static DgStatus open_model(Embedding *e, DgError *err)
{
    const EmbedStep *c = e->c;
    arena_init(&e->row_arena, 64 << 20);
    e->row_arena.can_fail = true;
    if (is_lexical(c)) {
        e->dimensions = c->dimensions ? (int32_t)c->dimensions : LEXICAL_DIMENSIONS;
        e->scratch = dg_alloc(e->sr, (size_t)e->dimensions * sizeof *e->scratch);
        if (!e->scratch)
            return os_no_memory(err, "for a vector");
    } else {
        DG_TRY(llm_session_open(e->sr, &c->llm, false, &e->l, err));
        e->l->model.embed_dimensions = c->dimensions;
        if (!e->l->model.provider->api->embed)
            return dg_fail(err, DG_CONFIG, "%s has no embeddings", e->l->model.provider->name);
    }
    return DG_OK;
}

static DgStatus open_texts(Embedding *e, DgError *err)
{
    int32_t count;
    DG_TRY(embed_table_open(e->sr, e->c, e->l ? e->l->whom : S("words"), &e->table, err));
    if (e->table.holds && !e->dimensions)
        e->dimensions = (int32_t)e->table.dimensions;
    e->table.holds = e->table.holds && e->table.dimensions == e->dimensions;
    DG_TRY(dg_step_scan(e->sr, embed_table_texts(&e->table), &e->scan, err));
    DG_TRY(dg_batch_init(&e->in, dg_scan_columns(e->scan, &count), 1, DG_BATCH_ROWS, err));
    e->has_in = true;
    return DG_OK;
}

static void end(Embedding *e)
{
    Group *g;
    if (e->l) {
        for (DgCall *c; e->l->in_flight > 0 && !dg_cancelled(e->sr) && (c = llm_next(e->l, 60000));) { /* what is paid for is kept */
            DgError ignored = {0};
            take_calls(e, c, &ignored);
        }
        llm_session_close(e->l);
    }
    while ((g = e->ready)) {
        e->ready = g->next;
        group_close(g);
    }
    group_close(e->open);
    if (e->scan)
        dg_scan_close(e->scan);
    if (e->has_in)
        dg_batch_release(&e->in);
    arena_free(&e->row_arena);
}

static DgStatus load(Embedding *e, DgError *err)
{
    const EmbedStep *c = e->c;
    DgStepRun *sr = e->sr;
    DgSession *session;
    int64_t rows;
    DG_TRY(step_session(sr, &session, err));
    DgPull pull = {.context = e, .next = next_vectors, .lanes_max = 1, .floats = true};
    DG_TRY(dg_session_stream(session, columns, 2, &pull, S("CREATE OR REPLACE TEMP TABLE dgc_vectors AS SELECT * FROM "), (Str){0}, &rows, err));
    if (!e->dimensions)
        e->dimensions = c->dimensions ? (int32_t)c->dimensions : 1;
    DG_TRY(embed_table_write(&e->table, e->dimensions, &rows, err));
    sr->unit->rows = rows;
    dg_report_metadata(sr, c->asset, "embedding/dimensions", dgv_int(e->dimensions));
    dg_report_metadata(sr, c->asset, "embedding/texts", dgv_int(e->texts));
    if (e->l)
        llm_report(e->l, c->asset);
    return DG_OK;
}

static DgStatus embed_execute(DgStepRun *sr, const void *config, void *state, DgError *err)
{
    Embedding *e = state;
    e->sr = sr;
    e->c = config;
    DgStatus status = open_model(e, err);
    if (status == DG_OK)
        status = open_texts(e, err);
    if (status == DG_OK)
        status = load(e, err);
    end(e);
    return status;
}

/* ---- One question ---- */

static DgStatus ask_model(Embedding *e, AnswerKey key, Str question, const float **vector, DgError *err)
{
    bool held = false;
    DgStatus status = DG_OK;
    DG_TRY(add_text(e, key, question, err));
    DG_TRY(send(e, &held, err));
    if (held)
        return no_budget(e, err);
    while (status == DG_OK && !e->ready) {
        DgCall *call = llm_next(e->l, WAIT_MS);
        if (call)
            status = take_calls(e, call, err);
    }
    DG_TRY(status);
    *vector = e->ready->vectors[0];
    return DG_OK;
}

static DgStatus find_vector(Embedding *e, Str question, const float **vector, DgError *err)
{
    if (!e->l) {
        lexical_embed(question, e->scratch, e->dimensions);
        *vector = e->scratch;
        return DG_OK;
    }
    AnswerKey key = key_of(e, question);
    DgStatus status = e->l->answers ? answers_get_vector(e->l->answers, &e->row_arena, &key, vector, &e->dimensions, err) : DG_END;
    return status == DG_END ? ask_model(e, key, question, vector, err) : status;
}

static DgStatus embed_question(DgStepRun *sr, const void *config, DgStr question, const float **vector, int32_t *dimensions, DgError *err)
{
    Embedding *e = dg_alloc(sr, sizeof *e);
    const float *found = NULL;
    if (!e)
        return os_no_memory(err, "for a question");
    *e = (Embedding){.sr = sr, .c = config};
    DgStatus status = open_model(e, err);
    if (status == DG_OK)
        status = find_vector(e, question, &found, err);
    float *copy = status == DG_OK ? dg_alloc(sr, (size_t)e->dimensions * sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, found, (size_t)e->dimensions * sizeof *copy);
    else if (status == DG_OK)
        status = os_no_memory(err, "for a vector");
    *vector = copy;
    *dimensions = e->dimensions;
    end(e);
    return status;
}

const DgStepOps dg_embed_ops = {
    .name = "dgc.Embed",
    .symbol = "dg_embed_ops",
    .role = DG_ACTION,
    .fields = fields,
    .config_size = sizeof(EmbedStep),
    .state_size = sizeof(Embedding),
    .execute = embed_execute,
    .embed = embed_question,
};
