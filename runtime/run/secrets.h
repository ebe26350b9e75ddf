/* secrets.h - where the values of env.NAME come from, and what counts as a secret.
 *
 * Order: $CREDENTIALS_DIRECTORY/NAME (systemd), the file named by NAME_FILE (containers), the
 * environment, and in development the project's .env. One trailing newline of a file is dropped.
 * Values found in files, and names that the pipeline marks as secret, are given to the redactor
 * the moment they are read, and so are passwords in addresses. Resolved once per process and name; thread-safe.
 */
#ifndef DG_SECRETS_H
#define DG_SECRETS_H

#include "runtime/pipeline.h"
#include "runtime/run/redact.h"

typedef struct Secrets Secrets;

/* dotenv: path of the .env file; empty: none is read. */
DgStatus secrets_open(const DgPipeline *p, Redactor *redactor, Str dotenv, Secrets **out,
                      DgError *err);
void secrets_close(Secrets *s);
/* DG_END when the name is set nowhere; then err says where was looked. */
DgStatus secrets_get(Secrets *s, Str name, Str *value, bool *is_secret, DgError *err);
/* Reads every name of the pipeline, so that the redactor knows them all. When `require`, fails
 * with DG_CONFIG that names every required one that is missing. */
DgStatus secrets_load_all(Secrets *s, bool require, DgError *err);

#endif
