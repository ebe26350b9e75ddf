/* The embedded warehouse: opening DuckDB, sessions, statements, errors. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/db/duckdb_internal.h"
#include "runtime/os/os.h"

/* ---- Errors ---- */

static const struct {
    const char *prefix; /* DuckDB begins each message with its kind */
    DgStatus status;
} KINDS[] = {
    {"Constraint Error", DG_DATA},        {"Conversion Error", DG_DATA},
    {"Out of Range Error", DG_DATA},      {"Invalid Input Error", DG_DATA},
    {"Mismatch Type Error", DG_DATA},     {"Divide by Zero Error", DG_DATA},
    {"Decimal Error", DG_DATA},           {"IO Error", DG_IO},
    {"Out of Memory Error", DG_NOMEM},    {"INTERRUPT Error", DG_CANCELLED},
    {"Permission Error", DG_NOPERM},      {"TransactionContext Error", DG_TEMPFAIL},
    {"Invalid Configuration Error", DG_CONFIG}, {"INTERNAL Error", DG_BUG},
    {"FATAL Error", DG_IO},               {"Network Error", DG_UNAVAILABLE},
    {"HTTP Error", DG_UNAVAILABLE},
};

static DgStatus io_status(Str message, DgError *err)
{
    if (str_find(message, S("Could not set lock")) >= 0) {
        dg_hint(err, "another process has the database open; DuckDB lets one process write");
        return DG_TEMPFAIL;
    }
    if (str_find(message, S("Permission denied")) >= 0)
        return DG_NOPERM;
    if (str_find(message, S("No such file")) >= 0 || str_find(message, S("No files found")) >= 0)
        return DG_CONFIG;
    return DG_IO;
}

DgStatus duck_fail(const DgSession *s, DgError *err, const char *message)
{
    Str text = str_from(message ? message : "DuckDB gave no reason");
    Str first, rest;
    if (!str_cut(text, '\n', &first, &rest))
        first = text;
    DgStatus status = DG_FAILED;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (str_starts(first, str_from(KINDS[i].prefix)))
            status = KINDS[i].status;
    /* A commit that failed wraps the reason: only a conflict is worth another try. */
    if (status == DG_TEMPFAIL && (str_find(first, S("IO Error")) >= 0 || str_find(first, S("No space left")) >= 0))
        status = DG_IO;
    if (s && __atomic_load_n(&s->interrupted, __ATOMIC_RELAXED))
        status = DG_CANCELLED;
    dg_fail(err, status, "%.*s", FMT(first));
    if (status == DG_DATA)
        duck_csv_error(text, err);
    if (status == DG_IO)
        status = io_status(first, err);
    if (status == DG_NOMEM)
        dg_hint(err, "give the pipeline more memory, or its temporary folder more room");
    if (err)
        err->status = status;
    return status;
}

/* ---- Opening ---- */

static int64_t read_number(const char *path)
{
    Arena a;
    Str text;
    DgError ignored;
    int64_t n = 0;
    arena_init(&a, 1 << 20);
    a.can_fail = true;
    if (os_read_file(&a, path, 4096, &text, &ignored) != DG_OK || !str_to_int(str_trim(text), &n))
        n = 0;
    arena_free(&a);
    return n;
}

/* Half of what the machine, or the control group, lets us have. */
static int64_t default_memory(void)
{
    int64_t have = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    int64_t group = read_number("/sys/fs/cgroup/memory.max");
    if (group > 0 && group < have)
        have = group;
    return have / 2;
}

static DgStatus configure(const DgWarehouseOptions *o, const DuckApi *api, duckdb_config config,
                          int32_t threads, DgError *err)
{
    char memory[32], lanes[16], temp[4096];
    snprintf(memory, sizeof memory, "%lldB",
             (long long)(o->memory_max > 0 ? o->memory_max : default_memory()));
    snprintf(lanes, sizeof lanes, "%d", (int)threads);
    const char *folder = getenv("TMPDIR");
    if (o->temp_folder.len)
        snprintf(temp, sizeof temp, "%.*s", FMT(o->temp_folder));
    else if (o->path.len)
        snprintf(temp, sizeof temp, "%.*s.tmp", FMT(o->path));
    else /* made when it is first needed, and removed by DuckDB */
        snprintf(temp, sizeof temp, "%s/dgc-duckdb-%d", folder ? folder : "/tmp", (int)getpid());
    const char *const settings[][2] = {
        {"memory_limit", memory},
        {"threads", lanes},
        {"temp_directory", temp},
        {"access_mode", o->read_only ? "READ_ONLY" : "AUTOMATIC"},
        {"autoinstall_known_extensions", "false"}, /* nothing is fetched behind the user's back */
        {"autoload_known_extensions", "false"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (api->set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess)
            return dg_fail(err, DG_CONFIG, "could not set DuckDB's %s to `%s`", settings[i][0],
                           settings[i][1]);
    return DG_OK;
}

static DgStatus open_database(const DgWarehouseOptions *o, DgWarehouse *w, DgError *err)
{
    const DuckApi *api = w->api;
    duckdb_config config = NULL;
    if (api->create_config(&config) != DuckDBSuccess)
        return os_no_memory(err, "for DuckDB's settings");
    char path[4096], *message = NULL;
    DgStatus status = DG_OK;
    if (snprintf(path, sizeof path, "%.*s", FMT(o->path)) >= (int)sizeof path)
        status = dg_fail(err, DG_CONFIG, "path of the database is too long");
    if (status == DG_OK)
        status = configure(o, api, config, w->threads, err);
    if (status == DG_OK && o->path.len && !o->read_only)
        status = duck_create(api, path, err);
    if (status == DG_OK &&
        api->open_ext(o->path.len ? path : NULL, &w->database, config, &message) != DuckDBSuccess)
        status = duck_fail(NULL, err, message);
    api->free(message);
    api->destroy_config(&config);
    return status;
}

/* DuckDB lets a process open a file once: who opens it again shares the instance. The list is the
 * process's, as the lock on the file is. */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static DgWarehouse *shared;

/* The file may not be there yet; its folder is. NULL: no such folder, or no memory. */
static char *absolute_path(Str path)
{
    char whole[4096], folder[4096];
    if (snprintf(whole, sizeof whole, "%.*s", FMT(path)) >= (int)sizeof whole)
        return NULL;
    char *slash = strrchr(whole, '/');
    const char *name = slash ? slash + 1 : whole;
    if (slash)
        *slash = 0;
    if (!realpath(slash ? (slash == whole ? "/" : whole) : ".", folder))
        return NULL;
    size_t room = strlen(folder) + strlen(name) + 2;
    char *out = os_alloc(room);
    if (out)
        snprintf(out, room, "%s/%s", folder, name);
    return out;
}

static DgStatus open_alone(const DgWarehouseOptions *o, DgWarehouse **out, DgError *err);
static void close_alone(DgWarehouse *w);

DgStatus dg_warehouse_open(const DgWarehouseOptions *o, DgWarehouse **out, DgError *err)
{
    char *path = o->path.len ? absolute_path(o->path) : NULL;
    if (!path)
        return open_alone(o, out, err);
    pthread_mutex_lock(&shared_lock);
    DgStatus status = DG_OK;
    DgWarehouse *w = shared;
    while (w && strcmp(w->path, path) != 0)
        w = w->next;
    if (!w) {
        status = open_alone(o, &w, err);
        if (status == DG_OK) {
            w->path = path;
            w->next = shared;
            shared = w;
            path = NULL;
        }
    }
    if (status == DG_OK)
        w->users++;
    *out = status == DG_OK ? w : NULL;
    pthread_mutex_unlock(&shared_lock);
    os_free(path);
    return status;
}

static DgStatus open_alone(const DgWarehouseOptions *o, DgWarehouse **out, DgError *err)
{
    *out = NULL;
    const DuckApi *api = duck_api(err);
    if (!api)
        return err ? err->status : DG_CONFIG;
    DgWarehouse *w = os_alloc(sizeof *w);
    if (!w)
        return os_no_memory(err, "for the warehouse");
    w->api = api;
    w->threads = o->threads > 0 ? o->threads : (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (w->threads < 1)
        w->threads = 1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->utility_lock, NULL);
    DgStatus status = open_database(o, w, err);
    if (status == DG_OK)
        status = dg_session_open(w, &w->utility, err);
    if (status == DG_OK)
        status = duck_pull_register(w->utility, err);
    if (status == DG_OK) /* the same text for the same instant, wherever this runs */
        status = duck_run(w->utility, S("SET GLOBAL TimeZone = 'UTC'"), NULL, err);
    if (status != DG_OK)
        dg_warehouse_close(w);
    else
        *out = w;
    return status;
}

/* True: the last user of it, or it was never shared. */
static bool leave(DgWarehouse *w)
{
    if (!w->path)
        return true;
    if (--w->users > 0)
        return false;
    for (DgWarehouse **at = &shared; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            return true;
        }
    return true;
}

void dg_warehouse_close(DgWarehouse *w)
{
    if (!w)
        return;
    bool listed = w->path; /* closed under the lock: the file must be free before it is opened anew */
    if (listed)
        pthread_mutex_lock(&shared_lock);
    bool last = leave(w);
    if (last)
        close_alone(w);
    if (listed)
        pthread_mutex_unlock(&shared_lock);
}

static void close_alone(DgWarehouse *w)
{
    dg_session_close(w->utility);
    if (w->database)
        w->api->close(&w->database);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->utility_lock);
    os_free(w->path);
    os_free(w);
}

int32_t dg_warehouse_threads(const DgWarehouse *w)
{
    return w->threads;
}

DgStatus dg_warehouse_schema(DgWarehouse *w, Str schema, DgError *err)
{
    Arena a;
    arena_init(&a, 1 << 20);
    a.can_fail = true;
    Str name = dg_duckdb_name(&a, schema);
    Str sql = str_format(&a, "CREATE SCHEMA IF NOT EXISTS %.*s", FMT(name));
    pthread_mutex_lock(&w->utility_lock);
    DgStatus status = duck_run(w->utility, sql, NULL, err);
    pthread_mutex_unlock(&w->utility_lock);
    arena_free(&a);
    return status;
}

/* ---- Sessions ---- */

DgStatus dg_session_open(DgWarehouse *w, DgSession **out, DgError *err)
{
    *out = NULL;
    DgSession *s = os_alloc(sizeof *s);
    if (!s)
        return os_no_memory(err, "for a database session");
    s->warehouse = w;
    s->api = w->api;
    if (w->api->connect(w->database, &s->connection) != DuckDBSuccess) {
        os_free(s);
        return dg_fail(err, DG_IO, "could not open a session on the database");
    }
    *out = s;
    return DG_OK;
}

void dg_session_close(DgSession *s)
{
    if (!s)
        return;
    if (s->in_transaction)
        dg_session_rollback(s, NULL);
    s->api->disconnect(&s->connection);
    os_free(s);
}

void dg_session_interrupt(DgSession *s)
{
    __atomic_store_n(&s->interrupted, true, __ATOMIC_RELAXED);
    s->api->interrupt(s->connection);
}

DgStatus dg_session_begin(DgSession *s, DgError *err)
{
    assert(!s->in_transaction);
    __atomic_store_n(&s->interrupted, false, __ATOMIC_RELAXED);
    DgStatus status = duck_run(s, S("BEGIN TRANSACTION"), NULL, err);
    s->in_transaction = status == DG_OK;
    return status;
}

DgStatus dg_session_commit(DgSession *s, DgError *err)
{
    assert(s->in_transaction);
    DgStatus status = duck_run(s, S("COMMIT"), NULL, err);
    if (status == DG_OK)
        s->in_transaction = false;
    else /* a commit that failed has been rolled back by DuckDB; one that was never sent has not */
        dg_session_rollback(s, NULL);
    return status;
}

DgStatus dg_session_rollback(DgSession *s, DgError *err)
{
    __atomic_store_n(&s->interrupted, false, __ATOMIC_RELAXED);
    if (!s->in_transaction)
        return DG_OK;
    s->in_transaction = false;
    DgError mine;
    DgStatus status = duck_run(s, S("ROLLBACK"), NULL, &mine);
    if (status != DG_OK && str_find(str_from(mine.message), S("no transaction is active")) >= 0)
        status = DG_OK; /* DuckDB had done it already */
    if (status != DG_OK && err)
        *err = mine;
    return status;
}

DgStatus dg_session_exec(DgSession *s, Str sql, DgError *err)
{
    return duck_run(s, sql, NULL, err);
}
