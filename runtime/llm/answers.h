/* answers.h - answers that were paid for, kept: a SQLite file beside the run history.
 *
 * The key is a hash of all that was asked (model, prompt, parameters, schema: the request's body, and whom).
 * An answer is written before its row counts as done, so a crash never pays twice for a finished call. One
 * writer at a time; other runs wait up to 10 s. What a cache holds is a service's words: data, never code.
 */
#ifndef DGC_LLM_ANSWERS_H
#define DGC_LLM_ANSWERS_H

#include "runtime/llm/provider.h"

typedef struct Answers Answers; /* any thread */

typedef struct AnswerKey {
    uint8_t bytes[32];
} AnswerKey;

DgStatus answers_open(Str path, Answers **out, DgError *err);
void answers_close(Answers *c); /* NULL is fine */

/* `whom`: provider and base URL. */
AnswerKey answer_key(Str whom, Str request);
/* DG_END: not known. Text and vector are in the arena. */
DgStatus answers_get(Answers *c, Arena *a, const AnswerKey *key, LlmReply *out, DgError *err);
DgStatus answers_get_vector(Answers *c, Arena *a, const AnswerKey *key, const float **vector, int32_t *dimensions, DgError *err);
bool answers_has(Answers *c, const AnswerKey *key);
/* In a transaction until answers_keep(), which is when they are safe. */
DgStatus answers_put(Answers *c, const AnswerKey *key, Str model, const LlmReply *reply, DgError *err);
DgStatus answers_put_vector(Answers *c, const AnswerKey *key, Str model, const float *vector, int32_t dimensions, DgError *err);
DgStatus answers_keep(Answers *c, DgError *err);

/* Batches that a service works on: their ids are kept as soon as they are known, with the keys of what was asked. */
typedef struct AnswersBatch {
    Str id;
    int64_t submitted_us, requests;
} AnswersBatch;
/* Safe when it returns. `whose`: the step's, and whom it asked. */
DgStatus answers_put_batch(Answers *c, Str whose, Str id, const AnswerKey *keys, size_t count, DgError *err);
DgStatus answers_batches(Answers *c, Str whose, Arena *a, AnswersBatch **out, size_t *count, DgError *err);
bool answers_is_in_batch(Answers *c, const AnswerKey *key);
/* Its results are in: safe with the answers put before, at answers_keep(). */
DgStatus answers_end_batch(Answers *c, Str id, DgError *err);

#endif
