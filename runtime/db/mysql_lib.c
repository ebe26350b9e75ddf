/* mysql_lib.c - finding and loading a MySQL client library. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "runtime/db/mysql_api.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static MysqlApi table;
static bool loaded;

/* Function pointers and data pointers differ in C; POSIX makes them the same. */
static bool find(void *library, const char *prefix, const char *name, void *to)
{
    char symbol[64];
    snprintf(symbol, sizeof symbol, "%s%s", prefix, name);
    void *at = dlsym(library, symbol);
    memcpy(to, &at, sizeof at);
    return at != NULL;
}

static DgStatus load(DgError *err)
{
    static const char *const names[] = {"libmariadb.so.3", "libmysqlclient.so.21", "libmysqlclient.so.24"};
    void *library = NULL;
    const char *missing = NULL;
    for (size_t i = 0; i < 3 && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        dg_fail(err, DG_CONFIG, "there is no MySQL client library on this machine");
        dg_hint(err, "install libmariadb.so.3: Debian and Ubuntu `apt install libmariadb3`, Fedora `dnf install"
                     " mariadb-connector-c`, Alpine `apk add mariadb-connector-c`");
        return DG_CONFIG;
    }
#define X(result, name, parameters)                                 \
    if (!find(library, "mysql_", #name, (void *)&table.name))       \
        missing = #name;
    MYSQL_FUNCTIONS(X)
#undef X
    if (!find(library, "mysql_", "ssl_set", (void *)&table.ssl_set))
        missing = "ssl_set";
    if (!find(library, "mysql_", "errno", (void *)&table.error_number))
        missing = "errno";
    table.mariadb = find(library, "mariadb_", "field_attr", (void *)&table.field_attribute);
    if (missing) /* stays loaded: unloading a library with threads of its own is not safe */
        return dg_fail(err, DG_CONFIG, "the MySQL client library of this machine is too old: it lacks mysql_%s", missing);
    if (table.server_init(0, NULL, NULL) != 0)
        return dg_fail(err, DG_CONFIG, "the MySQL client library could not be started");
    loaded = true;
    return DG_OK;
}

DgStatus my_api(const MysqlApi **out, DgError *err)
{
    pthread_mutex_lock(&lock);
    DgStatus status = loaded ? DG_OK : load(err);
    pthread_mutex_unlock(&lock);
    *out = &table;
    return status;
}
