/* tokens_o200k.c - the vocabulary of GPT-4o, GPT-5 and the o models. */
#include "runtime/text/tokens.h"

extern const unsigned char dg_payload_o200k_base[], dg_payload_o200k_base_end[];
const DgTokenRanks dg_ranks_o200k_base = {"o200k_base", dg_payload_o200k_base, dg_payload_o200k_base_end, true};
