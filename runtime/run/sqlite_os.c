/* Sends SQLite's system calls and allocations through the table of runtime/os, so that tests can
 * fail or kill at each of them. Only when faults are asked for: otherwise SQLite keeps its own. */
#include "runtime/run/sqlite_os.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/os/os.h"

static int via_open(const char *path, int flags, int mode)
{
    return dg_os.open(path, flags, (mode_t)mode);
}

static int via_stat(const char *path, struct stat *out)
{
    return dg_os.stat(path, out);
}

static void route(sqlite3_vfs *vfs, const char *name, void (*call)(void))
{
    vfs->xSetSystemCall(vfs, name, (sqlite3_syscall_ptr)call);
}

/* The unix VFS calls fsync directly, so its files get a method table with our xSync. */
static sqlite3_vfs *unix_vfs;
static sqlite3_vfs counted_vfs;
static sqlite3_io_methods counted_methods;
static const sqlite3_io_methods *unix_methods;

static int counted_sync(sqlite3_file *file, int flags)
{
    /* Descriptor -1: only counts, and fails when told to. */
    if (dg_os.fsync(-1) != 0 && getenv("DGC_FAULT") && errno != EBADF)
        return SQLITE_IOERR_FSYNC;
    return unix_methods->xSync(file, flags);
}

static int counted_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                        int *out_flags)
{
    int rc = unix_vfs->xOpen(unix_vfs, name, file, flags, out_flags);
    if (rc == SQLITE_OK && file->pMethods) {
        if (!unix_methods) {
            unix_methods = file->pMethods;
            counted_methods = *unix_methods;
            counted_methods.xSync = counted_sync;
        }
        if (file->pMethods == unix_methods)
            file->pMethods = &counted_methods;
    }
    return rc;
}

static void *mem_malloc(int n)
{
    size_t *block = dg_os.malloc((size_t)n + sizeof(max_align_t));
    if (!block)
        return NULL;
    *block = (size_t)n;
    return (char *)block + sizeof(max_align_t);
}
static void mem_free(void *p)
{
    if (p)
        dg_os.free((char *)p - sizeof(max_align_t));
}
static int mem_size(void *p)
{
    return p ? (int)*(size_t *)(void *)((char *)p - sizeof(max_align_t)) : 0;
}
static void *mem_realloc(void *p, int n)
{
    size_t *block = dg_os.realloc((char *)p - sizeof(max_align_t), (size_t)n + sizeof(max_align_t));
    if (!block)
        return NULL;
    *block = (size_t)n;
    return (char *)block + sizeof(max_align_t);
}
static int mem_roundup(int n)
{
    return (n + 7) & ~7;
}
static int mem_init(void *data)
{
    return SQLITE_OK;
}
static void mem_shutdown(void *data)
{
}

void sqlite_use_os(void)
{
    static bool done;
    const char *fault = getenv("DGC_FAULT"), *count = getenv("DGC_FAULT_COUNT");
    if (done || ((!fault || !*fault) && (!count || !*count)))
        return;
    done = true;
    static const sqlite3_mem_methods memory = {mem_malloc, mem_free,     mem_realloc, mem_size,
                                               mem_roundup, mem_init,    mem_shutdown, NULL};
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    unix_vfs = sqlite3_vfs_find(NULL);
    if (!unix_vfs)
        return;
    route(unix_vfs, "open", (void (*)(void))via_open);
    route(unix_vfs, "stat", (void (*)(void))via_stat);
    route(unix_vfs, "read", (void (*)(void))dg_os.read);
    route(unix_vfs, "pread", (void (*)(void))dg_os.pread);
    route(unix_vfs, "pread64", (void (*)(void))dg_os.pread);
    route(unix_vfs, "write", (void (*)(void))dg_os.write);
    route(unix_vfs, "pwrite", (void (*)(void))dg_os.pwrite);
    route(unix_vfs, "pwrite64", (void (*)(void))dg_os.pwrite);
    route(unix_vfs, "ftruncate", (void (*)(void))dg_os.ftruncate);
    route(unix_vfs, "unlink", (void (*)(void))dg_os.unlink);
    counted_vfs = *unix_vfs;
    counted_vfs.zName = "dgc-counted";
    counted_vfs.pNext = NULL;
    counted_vfs.xOpen = counted_open;
    sqlite3_vfs_register(&counted_vfs, 1);
}
