/* sha256.h - fingerprints: SHA-256, in pieces or at once. */
#ifndef DG_SHA256_H
#define DG_SHA256_H

#include "runtime/base/base.h"

typedef struct Sha256 {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
} Sha256;

void sha256_init(Sha256 *s);
void sha256_add(Sha256 *s, Str bytes);
void sha256_end(Sha256 *s, uint8_t out[32]);
void sha256_hex(Sha256 *s, char out[65]); /* ends it; 64 digits and a NUL */

#endif
