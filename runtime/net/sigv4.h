/* sigv4.h - AWS Signature Version 4, as its documentation has it; S3's flavour encodes paths once.
 *
 * libcurl's own is wrong in the version that Debian 12 has, so requests are signed here.
 */
#ifndef DGC_SIGV4_H
#define DGC_SIGV4_H

#include "runtime/base/base.h"

typedef struct DgAwsKeys {
    Str access_key_id, secret_access_key, session_token; /* the last may be empty */
    int64_t expires_us;                                  /* 0: never */
} DgAwsKeys;

typedef struct DgSigV4 {
    const char *method;
    Str host;               /* with :port when it is not the default one */
    Str path;               /* as sent: percent-encoded */
    Str query;              /* as sent, without `?` */
    const Str *headers;     /* further ones to sign, "Name: value"; sigv4_sign allows SIGV4_HEADERS_MAX */
    size_t headers_count;
    Str payload_sha256;     /* 64 hex digits, or UNSIGNED-PAYLOAD */
    Str region, service;    /* "s3": paths are encoded once and kept as they are; others' twice, dots undone */
    int64_t now_us;
    const DgAwsKeys *keys;
} DgSigV4;

enum { SIGV4_HEADERS_MAX = 64 };

/* Headers to add: x-amz-date, x-amz-content-sha256 (s3), x-amz-security-token, Authorization. */
DgStatus sigv4_sign(Arena *a, const DgSigV4 *s, StrArray *headers, DgError *err);
/* The query of a URL that is good for expires_s seconds (a week at most): the given one, and the
 * signature. Whoever sends it sends the signed headers as well. */
DgStatus sigv4_presign(Arena *a, const DgSigV4 *s, int64_t expires_s, Str *query, DgError *err);
void sigv4_sha256(Str bytes, char hex[65]);

#endif
