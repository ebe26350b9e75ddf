/* tokens_cl100k.c - the vocabulary of GPT-4, GPT-3.5 and the text-embedding models. */
#include "runtime/text/tokens.h"

extern const unsigned char dg_payload_cl100k_base[], dg_payload_cl100k_base_end[];
const DgTokenRanks dg_ranks_cl100k_base = {"cl100k_base", dg_payload_cl100k_base, dg_payload_cl100k_base_end, false};
