/* duckdb_create.c - a new database file, which is there whole or not at all.
 *
 * DuckDB makes a file by opening it and writing its headers, one after the other; killed between, it leaves a file
 * that nobody can open. So a new one is made aside, closed, synced, and renamed; what another process made meanwhile
 * is never replaced. Processes take turns by a lock on the folder: whoever has it may remove what dead ones left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/db/duckdb_internal.h"
#include "runtime/os/os.h"

enum { LOCK_MS = 10000, PATH_SIZE = 4096 };

typedef struct Place {
    char folder[PATH_SIZE], aside[PATH_SIZE], aside_log[PATH_SIZE], log[PATH_SIZE];
} Place;

/* FOLDER/NAME is made as FOLDER/.NAME.new; a log of changes ends in `.wal`. */
static bool find_place(const char *path, Place *p)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int folder = slash == path ? 1 : slash ? (int)(slash - path) : 1;
    snprintf(p->folder, sizeof p->folder, "%.*s", folder, slash ? path : ".");
    return *name && snprintf(p->aside, sizeof p->aside, "%s/.%s.new", p->folder, name) < PATH_SIZE &&
           snprintf(p->aside_log, sizeof p->aside_log, "%s/.%s.new.wal", p->folder, name) < PATH_SIZE &&
           snprintf(p->log, sizeof p->log, "%s.wal", path) < PATH_SIZE;
}

static DgStatus remove_file(const char *path, DgError *err)
{
    return dg_os.unlink(path) == 0 || errno == ENOENT ? DG_OK : os_fail(err, errno, "delete", path);
}

static DgStatus sync_path(const char *path, int flags, DgError *err)
{
    int fd;
    DG_TRY(os_open(path, flags, 0, &fd, err));
    os_sync(fd, path);
    os_close(fd);
    return DG_OK;
}

/* Closing writes all of it. */
static DgStatus make_aside(const DuckApi *api, const char *path, DgError *err)
{
    duckdb_database database = NULL;
    char *message = NULL;
    DgStatus status = DG_OK;
    if (api->open_ext(path, &database, NULL, &message) != DuckDBSuccess)
        status = duck_fail(NULL, err, message);
    api->free(message);
    if (database)
        api->close(&database);
    os_crashpoint("duckdb-made");
    return status == DG_OK ? sync_path(path, O_RDONLY, err) : status;
}

static DgStatus create(const DuckApi *api, const char *path, const Place *p, DgError *err)
{
    if (os_exists(path))
        return DG_OK; /* another process was faster */
    DG_TRY(remove_file(p->aside, err));
    DG_TRY(remove_file(p->aside_log, err));
    DG_TRY(remove_file(p->log, err)); /* of a database that was removed: DuckDB would not read it either */
    DgStatus status = make_aside(api, p->aside, err);
    if (status == DG_OK && dg_os.rename_new(p->aside, path) != 0 && errno != EEXIST)
        status = os_fail(err, errno, "create", path);
    dg_os.unlink(p->aside);
    return status == DG_OK ? sync_path(p->folder, O_RDONLY | O_DIRECTORY, err) : status;
}

DgStatus duck_create(const DuckApi *api, const char *path, DgError *err)
{
    Place p;
    int fd;
    if (!find_place(path, &p) || os_exists(path) || !os_exists(p.folder))
        return DG_OK; /* opening it says what is wrong */
    DG_TRY(os_open(p.folder, O_RDONLY | O_DIRECTORY, 0, &fd, err));
    DgStatus status = os_lock(fd, p.folder, LOCK_MS, err);
    if (status == DG_OK)
        status = create(api, path, &p, err);
    os_close(fd); /* unlocks */
    return status;
}
