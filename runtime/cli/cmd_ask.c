/* ask: a question, the passages that an index finds for it, and a model's answer out of them.
 *
 * Nothing here knows a component: a step that can search is an index; the nearest step before it that can embed
 * makes the question's vector; a step that can answer is asked to. Nothing is written but the cache of answers.
 */
#include <cJSON.h>
#include <math.h>
#include <stdio.h>

#include "runtime/cli/cli.h"

#include "runtime/llm/citations.h"
#include "runtime/llm/output.h"
#include "runtime/os/os.h"
#include "runtime/run/step.h"

enum { TOP_USUAL = 5, QUESTION_BYTES_MAX = 32 << 10, SHOWN_BYTES = 1200 };

typedef struct Ask {
    Cli *cli;
    Run *run;
    Arena *arena;
    Str question;
    int32_t index, embed;    /* steps */
    DgStepRun *searching, *embedding;
    DgList passages;         /* of DgPassage */
    bool answered;
    DgAnswer answer;
    Citations citations;
} Ask;

/* ---- Who is asked ---- */

static Str key_of(const Ask *k, int32_t step)
{
    const DgStepDef *def = &k->run->pipeline->steps[step];
    return def->assets.count ? k->run->pipeline->assets[def->assets.items[0]].key : def->name;
}

static DgStatus which_index(Ask *k, const int32_t *steps, int32_t count, DgError *err)
{
    StrBuf b = {.max = 400};
    Str near = {0};
    int best = 4;
    for (int32_t i = 0; i < count; i++) {
        Str key = key_of(k, steps[i]);
        if (str_eq(key, k->cli->index) || (count == 1 && !k->cli->index.len)) {
            k->index = steps[i];
            buf_free(&b);
            return DG_OK;
        }
        buf_format(&b, "%s%.*s", i ? ", " : "", FMT(key));
        int distance = str_distance(k->cli->index, key, best);
        if (distance <= best) {
            best = distance - 1;
            near = key;
        }
    }
    if (k->cli->index.len)
        dg_fail(err, DG_USAGE, "there is no index `%.*s`", FMT(k->cli->index));
    else
        dg_fail(err, DG_USAGE, "there are %d indexes: which one is to be searched?", count);
    if (k->cli->index.len && near.len)
        dg_hint(err, "a similar one exists: --index %.*s", FMT(near));
    else
        dg_hint(err, "--index with one of: %.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return DG_USAGE;
}

static DgStatus find_index(Ask *k, DgError *err)
{
    const DgPipeline *p = k->run->pipeline;
    int32_t *steps = push(k->arena, int32_t, p->steps_count + 1), count = 0;
    if (!steps)
        return os_no_memory(err, "for a question");
    for (int32_t i = 0; i < p->steps_count; i++)
        if (p->steps[i].ops->search)
            steps[count++] = i;
    if (count)
        return which_index(k, steps, count, err);
    dg_fail(err, DG_CONFIG, "there is no index to ask: the project has no dgc.VectorIndex");
    dg_hint(err, "docs/how-to/vector-stores.md shows how to make one");
    return DG_CONFIG;
}

/* The nearest step before the index that embeds, level by level. */
static DgStatus find_embed(Ask *k, DgError *err)
{
    const DgPipeline *p = k->run->pipeline;
    bool *seen = push(k->arena, bool, p->steps_count + 1);
    int32_t *queue = push(k->arena, int32_t, p->steps_count + 1), head = 0, tail = 0;
    if (!seen || !queue)
        return os_no_memory(err, "for a question");
    queue[tail++] = k->index;
    seen[k->index] = true;
    while (head < tail) {
        const DgStepDef *def = &p->steps[queue[head++]];
        if (def->ops->embed) {
            k->embed = queue[head - 1];
            return DG_OK;
        }
        for (int32_t i = 0; i < def->reads.count; i++) {
            int32_t step = p->assets[def->reads.items[i]].step;
            if (step >= 0 && !seen[step]) {
                seen[step] = true;
                queue[tail++] = step;
            }
        }
    }
    dg_fail(err, DG_CONFIG, "no dgc.Embed makes the vectors of `%.*s`: a question cannot be made one", FMT(key_of(k, k->index)));
    dg_hint(err, "`ask` embeds the question like the index's texts: let a dgc.Embed make what the index is made from");
    return DG_CONFIG;
}

static DgStatus take_question(Ask *k, DgError *err)
{
    ptrdiff_t bad;
    k->question = str_trim(k->cli->words.count ? k->cli->words.items[0] : (Str){0});
    if (!k->question.len) {
        dg_fail(err, DG_USAGE, "there is no question");
        dg_hint(err, "ask 'how do refunds work?'");
        return DG_USAGE;
    }
    if (k->question.len > QUESTION_BYTES_MAX)
        return dg_fail(err, DG_USAGE, "the question has %zd bytes; at most %d are taken", k->question.len, QUESTION_BYTES_MAX);
    if (!str_utf8_valid(k->question, &bad))
        return dg_fail(err, DG_USAGE, "the question is not UTF-8 at byte %zd", bad + 1);
    return DG_OK;
}

/* ---- Asking ---- */

static DgStatus embed(Ask *k, const float **vector, int32_t *dimensions, DgError *err)
{
    double length = 0;
    DG_TRY(step_question_open(k->run, k->embed, &k->embedding, err));
    DG_TRY(k->embedding->def->ops->embed(k->embedding, k->embedding->config, k->question, vector, dimensions, err));
    for (int32_t i = 0; i < *dimensions; i++)
        length += (double)(*vector)[i] * (double)(*vector)[i];
    if (length > 0 && isfinite(length))
        return DG_OK;
    dg_fail(err, DG_DATA, "the question has nothing to search by");
    dg_hint(err, "ask with words");
    return DG_DATA;
}

static DgStatus search(Ask *k, DgError *err)
{
    const float *vector;
    int32_t dimensions;
    DG_TRY(step_question_open(k->run, k->index, &k->searching, err));
    DgStepRun *sr = k->searching;
    DG_TRY(sr->def->ops->search(sr, sr->config, NULL, 0, 0, &k->passages, err)); /* before anything is paid */
    DG_TRY(os_make_folders(str_cstr(k->arena, k->run->options.home), err));      /* for the cache */
    DG_TRY(embed(k, &vector, &dimensions, err));
    return sr->def->ops->search(sr, sr->config, vector, dimensions, k->cli->top ? k->cli->top : TOP_USUAL, &k->passages, err);
}

static DgStatus answer(Ask *k, DgError *err)
{
    DgStepRun *sr = k->searching;
    if (!sr->def->ops->answer || k->cli->no_answer || !k->passages.count)
        return DG_OK;
    DG_TRY(sr->def->ops->answer(sr, sr->config, k->question, &k->passages, &k->answer, err));
    k->answered = true;
    return citations_read(k->arena, k->answer.text, (int32_t)k->passages.count, &k->citations) ? DG_OK : os_no_memory(err, "for an answer");
}

/* ---- What is shown ---- */

static const char *const sources[] = {"document", "source", "path", "url", "file", NULL};
static const char *const headings[] = {"headings", "heading", "section", "title", NULL};
static const char *const pages[] = {"page", NULL};

/* The first of these members that says something, as text. */
static Str member(Ask *k, const cJSON *metadata, const char *const *names)
{
    for (; *names; names++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(metadata, *names);
        if (cJSON_IsString(v) && v->valuestring[0])
            return output_clean(k->arena, str_from(v->valuestring));
        if (cJSON_IsNumber(v))
            return str_format(k->arena, "%.15g", v->valuedouble);
    }
    return (Str){0};
}

typedef struct Place {
    Str source, heading, page;
} Place;

static Place place_of(Ask *k, const DgPassage *p)
{
    cJSON *metadata = cJSON_ParseWithLength(p->metadata.ptr ? p->metadata.ptr : "", (size_t)p->metadata.len);
    Place place = {member(k, metadata, sources), member(k, metadata, headings), member(k, metadata, pages)};
    cJSON_Delete(metadata);
    return place;
}

static bool is_cited(const Ask *k, int32_t n)
{
    for (size_t i = 0; i < k->citations.cited.count; i++)
        if (k->citations.cited.items[i] == n)
            return true;
    return false;
}

static void text_place(Ask *k, StrBuf *b, int32_t n, const DgPassage *p)
{
    Place place = place_of(k, p);
    Str source = place.source.len ? place.source : output_clean(k->arena, p->id);
    buf_format(b, "[%d] %.*s", n, FMT(source));
    if (place.page.len)
        buf_format(b, ", page %.*s", FMT(place.page));
    if (place.heading.len)
        buf_format(b, ": %.*s", FMT(place.heading));
    buf_format(b, "  (%.3f)\n", p->score);
}

/* Indented; what is longer than a screen takes is cut. */
static void text_passage(Ask *k, StrBuf *b, const DgPassage *p)
{
    Str clean = str_trim(output_clean(k->arena, p->text)), line, rest = clean;
    ptrdiff_t end = clean.len;
    if (end > SHOWN_BYTES) {
        end = SHOWN_BYTES;
        while (end > 0 && ((unsigned char)clean.ptr[end] & 0xc0) == 0x80)
            end--;
        rest = str_sub(clean, 0, end);
    }
    for (bool more = rest.len > 0; more;) {
        more = str_cut(rest, '\n', &line, &rest);
        buf_format(b, line.len ? "    %.*s\n" : "%.*s\n", FMT(line));
    }
    if (end < clean.len)
        buf_format(b, "    ... (%zd bytes more; --json has them all)\n", clean.len - end);
    buf_char(b, '\n');
}

static void show_text(Ask *k, StrBuf *b)
{
    if (!k->passages.count)
        buf_format(b, "nothing was found: the index `%.*s` is empty\n", FMT(key_of(k, k->index)));
    if (k->answer.refusal.len)
        buf_format(b, "%.*s would not answer: %.*s\n\n", FMT(k->answer.model), FMT(k->answer.refusal));
    else if (k->answered)
        buf_format(b, "%.*s%s\n\n", FMT(k->citations.text), k->answer.cut ? " ..." : "");
    bool only_cited = k->citations.cited.count > 0;
    for (int32_t i = 0; i < (int32_t)k->passages.count; i++) {
        const DgPassage *p = &DG_ITEMS(DgPassage, k->passages)[i];
        if (only_cited && !is_cited(k, i + 1))
            continue;
        text_place(k, b, i + 1, p);
        if (!k->answered || k->answer.refusal.len)
            text_passage(k, b, p);
    }
}

static void json_text(StrBuf *b, const char *name, Str text)
{
    buf_format(b, "\"%s\": ", name);
    text.len ? buf_json(b, text) : buf_add(b, S("null"));
}

static void json_passage(Ask *k, StrBuf *b, int32_t n, const DgPassage *p)
{
    Place place = place_of(k, p);
    Str metadata = output_clean(k->arena, p->metadata);
    buf_format(b, "    {\"number\": %d, \"score\": %.9g, \"cited\": %s, ", n, p->score, is_cited(k, n) ? "true" : "false");
    json_text(b, "id", output_clean(k->arena, p->id));
    buf_add(b, S(", "));
    json_text(b, "source", place.source);
    buf_add(b, S(", "));
    json_text(b, "heading", place.heading);
    buf_add(b, S(", "));
    json_text(b, "page", place.page);
    buf_add(b, S(",\n     "));
    json_text(b, "text", output_clean(k->arena, p->text));
    buf_format(b, ",\n     \"metadata\": %.*s}", FMT(metadata.len ? metadata : S("{}")));
}

static void json_numbers(StrBuf *b, const char *name, const int32_t *items, size_t count)
{
    buf_format(b, ", \"%s\": [", name);
    for (size_t i = 0; i < count; i++)
        buf_format(b, "%s%d", i ? ", " : "", items[i]);
    buf_char(b, ']');
}

static void json_answer(Ask *k, StrBuf *b)
{
    const DgAnswer *a = &k->answer;
    if (!k->answered) {
        buf_add(b, S("null"));
        return;
    }
    buf_char(b, '{');
    json_text(b, "text", k->citations.text);
    json_numbers(b, "citations", k->citations.cited.items, k->citations.cited.count);
    json_numbers(b, "invented", k->citations.invented.items, k->citations.invented.count);
    buf_add(b, S(",\n    "));
    json_text(b, "refusal", a->refusal);
    buf_format(b, ", \"cut\": %s, \"cached\": %s, ", a->cut ? "true" : "false", a->cached ? "true" : "false");
    json_text(b, "model", a->model);
    buf_format(b, ", \"tokens_in\": %lld, \"tokens_out\": %lld, \"cost_usd\": ", (long long)a->tokens_in, (long long)a->tokens_out);
    a->usd >= 0 ? buf_format(b, "%.9g}", a->usd) : buf_add(b, S("null}"));
}

static void show_json(Ask *k, StrBuf *b, const DgError *err)
{
    buf_add(b, S("{\n  \"schema\": \"dgc-ask/1\",\n  "));
    json_text(b, "question", k->question);
    buf_add(b, S(",\n  "));
    json_text(b, "index", key_of(k, k->index));
    buf_add(b, S(",\n  \"answer\": "));
    json_answer(k, b);
    buf_add(b, S(",\n  "));
    json_text(b, "error", str_from(err->message));
    buf_add(b, S(",\n  \"passages\": ["));
    for (int32_t i = 0; i < (int32_t)k->passages.count; i++) {
        buf_add(b, i ? S(",\n") : S("\n"));
        json_passage(k, b, i + 1, &DG_ITEMS(DgPassage, k->passages)[i]);
    }
    buf_add(b, k->passages.count ? S("\n  ]\n}\n") : S("]\n}\n"));
}

/* What is worth knowing about the answer, on standard error. */
static void tell(Ask *k, Console *console)
{
    const Citations *c = &k->citations;
    StrBuf b = {.max = 1000};
    for (size_t i = 0; i < c->invented.count; i++)
        buf_format(&b, "%s[%d]", i ? ", " : "", c->invented.items[i]);
    if (c->invented.count) {
        Str all = str_format(k->arena, "the answer cites %.*s, which no passage is: left out", FMT(buf_str(&b)));
        console_prefixed(console, DG_LOG_WARNING, S("ask"), all);
    }
    if (k->answered && k->answer.text.len && !c->cited.count)
        console_prefixed(console, DG_LOG_WARNING, S("ask"), S("the answer cites no passage: believe it less"));
    if (k->answer.cut)
        console_prefixed(console, DG_LOG_WARNING, S("ask"), S("the answer is cut off: raise `answer.max_tokens`"));
    buf_free(&b);
}

static int show(Ask *k, Console *console, DgError *err)
{
    StrBuf b = {0}, clean = {0};
    tell(k, console);
    k->cli->json ? show_json(k, &b, err) : show_text(k, &b);
    redact_text(k->cli->redactor, buf_str(&b), &clean);
    clean.failed |= b.failed || k->arena->failed;
    int code = cli_write(&clean, 0);
    buf_free(&b);
    buf_free(&clean);
    return err->status != DG_OK ? cli_error(k->cli, err) : code;
}

int cli_ask(Cli *cli)
{
    DgError err = {0};
    Ask k = {.cli = cli, .arena = &cli->arena};
    Console *console = console_open(PROGRESS_PLAIN, cli->redactor);
    int code;
    cli->run.reading = true;
    if (!console)
        os_no_memory(&err, "starting");
    DgStatus status = console ? run_open(cli->pipeline, &cli->run, console, cli->redactor, &k.run, &err) : DG_NOMEM;
    if (status == DG_OK)
        status = secrets_load_all(k.run->secrets, false, &err); /* passages are shown: no secret of the project is in them */
    if (status == DG_OK)
        status = take_question(&k, &err);
    if (status == DG_OK)
        status = find_index(&k, &err);
    if (status == DG_OK)
        status = find_embed(&k, &err);
    if (status == DG_OK)
        status = search(&k, &err);
    if (status == DG_OK) {
        status = answer(&k, &err); /* the passages are worth showing even if it fails */
        err.status = status;
        code = show(&k, console, &err);
    } else {
        err.status = status;
        code = cli_error(cli, &err);
    }
    step_question_close(k.embedding);
    step_question_close(k.searching);
    run_close(k.run);
    if (console)
        console_close(console);
    return code;
}
