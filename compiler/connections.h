/* connections.h - connections that people have already: Sling's env.yaml, dbt's profiles.yml, the
 * environment. All end as variables of the environment, whose value is a URL or JSON, which is where
 * runs look for a connection that the project does not describe. Values are secrets.
 */
#ifndef DGC_CONNECTIONS_H
#define DGC_CONNECTIONS_H

#include "runtime/base/base.h"

typedef struct NamedConnection {
    Str name;   /* MY_PG */
    Str value;  /* URL, or JSON with `type` */
    Str origin; /* "environment", or the file */
} NamedConnection;
typedef Array(NamedConnection) NamedConnections;

/* Sorted by name; the environment wins over `$SLING_HOME_DIR/env.yaml` or `~/.sling/env.yaml`, that over
 * `$DBT_PROFILES_DIR/profiles.yml` or `~/.dbt/profiles.yml`. Files that cannot be read are told of on
 * standard error. dbt's outputs are called PROFILE_OUTPUT, the profile's default output also PROFILE,
 * in upper case. */
void connections_find(Arena *a, NamedConnections *out);
/* Sets those of files as variables of this process, for a run that begins in it. */
void connections_export(Arena *a);

#endif
