/* lexical.h - embeddings without a model: words, hashed into a vector. For samples, tests and machines with no
 * network; it finds texts that share words with a question, and knows nothing of meaning.
 *
 * Feature hashing (Weinberger et al., 2009): each word (letters and digits in any script, lower case, common English
 * endings cut) adds ±1 at a place given by its hash, damped by 1 + ln(count); pairs of neighbours add half of that;
 * words of grammar a tenth. Characters of scripts without spaces count one by one and in pairs. Length 1 in the end.
 */
#ifndef DGC_LLM_LEXICAL_H
#define DGC_LLM_LEXICAL_H

#include "runtime/base/base.h"

enum { LEXICAL_DIMENSIONS = 384 };
void lexical_embed(Str text, float *out, int32_t dimensions);

#endif
