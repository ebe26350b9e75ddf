/* aws_credentials.h - keys for AWS, found where its SDKs look, in their order:
 *
 *   properties of the connection; AWS_ACCESS_KEY_ID ...; AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN
 *   (STS); the profile of ~/.aws/credentials and ~/.aws/config (keys, credential_process, role_arn with
 *   source_profile); the container's endpoint; the instance's metadata (IMDSv2).
 *
 * Keys that expire are fetched anew five minutes before. One thread at a time.
 */
#ifndef DGC_AWS_CREDENTIALS_H
#define DGC_AWS_CREDENTIALS_H

#include "runtime/db/conn.h"
#include "runtime/net/http.h"
#include "runtime/net/sigv4.h"

typedef struct DgAws {
    Arena arena;
    const DgConn *conn;
    DgHttp *http;
    DgAwsKeys keys;
    Str region, source; /* source: where the keys come from, for messages */
} DgAws;

/* Nothing is asked of the network yet. */
DgStatus aws_open(DgAws *aws, const DgConn *conn, DgError *err);
void aws_close(DgAws *aws);
/* Keys that are good for the next minutes. */
DgStatus aws_keys(DgAws *aws, const DgAwsKeys **out, DgError *err);

#endif
