/* batch.h - many questions of one step, answered by the service within a day at half the price.
 *
 * Questions gather into documents; each is submitted as one batch, and its id is kept in answers.db, durably, before
 * anything waits for it. A run that is killed or stopped leaves the batches at the service: the next run waits for the
 * same ones and takes their answers; what stands in a batch is not asked again. Answers go to the cache; questions
 * that the batch did not answer (expired, refused by the service) are simply still not there.
 */
#ifndef DGC_LLM_BATCH_H
#define DGC_LLM_BATCH_H

#include "runtime/llm/session.h"

typedef struct LlmBatch LlmBatch; /* one thread; while it is open the session's prices are halved */

/* The session has a cache and an API with batches. `whose` names the step. */
DgStatus llm_batch_open(LlmSession *l, Str whose, LlmBatch **out, DgError *err);
/* Unless it is asked already. *held: the budget does not allow it, and `why` says which. */
DgStatus llm_batch_add(LlmBatch *b, const AnswerKey *key, const LlmRequest *r, LlmEstimate e, bool *held, char why[120], DgError *err);
/* Submits what is left, and waits for all batches of the step. DG_CANCELLED: they go on, and the next run has them. */
DgStatus llm_batch_finish(LlmBatch *b, DgError *err);
void llm_batch_close(LlmBatch *b); /* NULL is fine */

#endif
