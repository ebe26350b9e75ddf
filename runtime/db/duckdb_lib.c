/* Finding, unpacking and loading libduckdb.so.
 *
 * A pipeline carries the library, and the C++ runtime that it needs, as zstd frames between weak
 * symbols. They are unpacked once into the user's cache under a name made from their content, and
 * from then on loading takes some 25 ms. Where no cache can be written, a memory file does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "runtime/db/duckdb_api.h"
#include "runtime/os/os.h"

#define WEAK extern __attribute__((weak))
WEAK const char dg_payload_duckdb[], dg_payload_duckdb_end[];
WEAK const char dg_payload_stdcxx[], dg_payload_stdcxx_end[];
WEAK const char dg_payload_gcc_s[], dg_payload_gcc_s_end[];

typedef struct Payload {
    const char *name; /* first part of the file name in the cache */
    const char *begin, *end;
} Payload;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static DuckApi table;
static bool loaded;

static size_t payload_bytes(const Payload *p)
{
    return (size_t)(p->end - p->begin);
}

/* Tells contents apart without reading all of it at each start: the length and some hundred
 * samples, the last of which is the frame's own checksum. */
static uint64_t payload_identity(const Payload *p)
{
    enum { SAMPLES = 128, SAMPLE_BYTES = 64 };
    size_t n = payload_bytes(p);
    uint64_t h = n;
    for (size_t i = 0; i < SAMPLES && n > SAMPLE_BYTES; i++) {
        size_t at = (n - SAMPLE_BYTES) / (SAMPLES - 1) * i;
        if (i == SAMPLES - 1)
            at = n - SAMPLE_BYTES;
        h = (h << 7 | h >> 57) ^ str_hash((Str){p->begin + at, SAMPLE_BYTES});
    }
    return h;
}

/* Decompresses the frame to fd. Its checksum is verified on the way. */
static DgStatus payload_write(const Payload *p, int fd, const char *path, DgError *err)
{
    size_t room = ZSTD_DStreamOutSize();
    char *buffer = os_alloc(room);
    ZSTD_DStream *stream = ZSTD_createDStream();
    DgStatus status = buffer && stream ? DG_OK : os_no_memory(err, "for unpacking libduckdb");
    ZSTD_inBuffer in = {p->begin, payload_bytes(p), 0};
    size_t left = 1;
    if (stream)
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 30);
    while (status == DG_OK && left != 0) {
        ZSTD_outBuffer out = {buffer, room, 0};
        left = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(left) || (out.pos == 0 && in.pos == in.size && left != 0))
            status = dg_fail(err, DG_BUG, "the embedded %s is damaged: %s", p->name,
                             ZSTD_isError(left) ? ZSTD_getErrorName(left) : "cut short");
        else
            status = os_write_all(fd, buffer, out.pos, path, err);
    }
    ZSTD_freeDStream(stream);
    os_free(buffer);
    return status;
}

/* Ours, whole, and nobody else can write to it. */
static bool cached_file_good(const char *path, const Payload *p)
{
    struct stat st;
    unsigned long long bytes = ZSTD_getFrameContentSize(p->begin, payload_bytes(p));
    return dg_os.stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
           (bytes == ZSTD_CONTENTSIZE_UNKNOWN ? st.st_size > 0
                                              : (unsigned long long)st.st_size == bytes);
}

static DgStatus payload_to_cache(const Payload *p, const char *path, DgError *err)
{
    char temp[4096 + 32];
    uint32_t salt;
    os_random(&salt, sizeof salt);
    if (snprintf(temp, sizeof temp, "%s.%08x.tmp", path, salt) >= (int)sizeof temp)
        return dg_fail(err, DG_CANTCREATE, "path of the cache is too long");
    int fd;
    DG_TRY(os_open(temp, O_WRONLY | O_CREAT | O_EXCL, 0700, &fd, err));
    DgStatus status = payload_write(p, fd, temp, err);
    if (status == DG_OK)
        os_sync(fd, temp);
    os_close(fd);
    if (status == DG_OK && dg_os.rename(temp, path) != 0)
        status = os_fail(err, errno, "rename", temp);
    if (status != DG_OK)
        dg_os.unlink(temp);
    return status;
}

static DgStatus payload_to_memory(const Payload *p, char *path, size_t path_size, DgError *err)
{
    int fd = memfd_create(p->name, MFD_CLOEXEC);
    if (fd < 0)
        return os_fail(err, errno, "create memory file for", p->name);
    snprintf(path, path_size, "/proc/self/fd/%d", fd); /* stays open: the mapping's path */
    return payload_write(p, fd, path, err);
}

static bool cache_folder(char *to, size_t size)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (base && base[0] == '/')
        n = snprintf(to, size, "%s/dgc", base);
    else if (home && home[0] == '/')
        n = snprintf(to, size, "%s/.cache/dgc", home);
    DgError ignored;
    return n > 0 && (size_t)n < size && os_make_folders(to, &ignored) == DG_OK;
}

/* Where the payload can be loaded from, unpacking it if need be. */
static DgStatus payload_place(const Payload *p, char *path, size_t path_size, DgError *err)
{
    char folder[3072];
    if (cache_folder(folder, sizeof folder)) {
        snprintf(path, path_size, "%s/%s-%016llx.so", folder, p->name,
                 (unsigned long long)payload_identity(p));
        if (cached_file_good(path, p) || payload_to_cache(p, path, err) == DG_OK)
            return DG_OK;
    }
    return payload_to_memory(p, path, path_size, err);
}

static void *open_library(const char *path, int flags, DgError *err)
{
    void *library = dlopen(path, RTLD_NOW | flags);
    if (!library) {
        const char *why = dlerror();
        dg_fail(err, DG_CONFIG, "could not load DuckDB's library: %s", why ? why : path);
        dg_hint(err, "DGC_DUCKDB_LIB can name another libduckdb.so of version 1.4");
    }
    return library;
}

static void *open_payload(DgError *err)
{
    const Payload needs[] = {
        {"libgcc_s", dg_payload_gcc_s, dg_payload_gcc_s_end},
        {"libstdc++", dg_payload_stdcxx, dg_payload_stdcxx_end},
        {"libduckdb", dg_payload_duckdb, dg_payload_duckdb_end},
    };
    void *library = NULL;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        char path[4096];
        if (!needs[i].begin)
            continue;
        if (payload_place(&needs[i], path, sizeof path, err) != DG_OK)
            return NULL;
        /* The first two are found again by soname when libduckdb asks for them. */
        library = open_library(path, i < 2 ? RTLD_GLOBAL : RTLD_LOCAL, err);
        if (!library)
            return NULL;
    }
    return library;
}

/* FOLDER/SUB/libduckdb.so; with the C++ runtime beside it where the machine has none. */
static void *open_beside(const char *folder, const char *sub, DgError *err)
{
    static const char *const NAMES[] = {"libgcc_s.so.1", "libstdc++.so.6"};
    char path[4096 + 64];
    snprintf(path, sizeof path, "%s/%slibduckdb.so", folder, sub);
    if (!os_exists(path))
        return NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; !library && i < 2; i++) {
        char need[4096 + 64];
        snprintf(need, sizeof need, "%s/%s%s", folder, sub, NAMES[i]);
        dlopen(need, RTLD_NOW | RTLD_GLOBAL);
    }
    return library ? library : open_library(path, RTLD_LOCAL, err);
}

static void *find_library(DgError *err)
{
    const char *named = getenv("DGC_DUCKDB_LIB");
    if (named && *named)
        return open_library(named, RTLD_LOCAL, err);
    if (dg_payload_duckdb)
        return open_payload(err);
    char folder[4096];
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[n > 0 ? n : 0] = 0;
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    dg_fail(err, DG_CONFIG, "DuckDB's library is not there: looked for lib/libduckdb.so in `%s`",
            folder);
    dg_hint(err, "set DGC_DUCKDB_LIB to a libduckdb.so of version 1.4");
    static const char *const SUBS[] = {"lib/", "", "../lib/", "../../lib/"};
    for (size_t i = 0; i < sizeof SUBS / sizeof *SUBS; i++) {
        void *library = open_beside(folder, SUBS[i], err);
        if (library)
            return library;
    }
    return NULL;
}

static bool fill_table(void *library, DgError *err)
{
    static const char *const NAMES[] = {
#define X(name) "duckdb_" #name,
        DUCK_FUNCTIONS(X)
#undef X
    };
    _Static_assert(sizeof(DuckApi) == sizeof NAMES, "one pointer per name");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        void *function = dlsym(library, NAMES[i]);
        if (!function) {
            dg_fail(err, DG_CONFIG, "DuckDB's library has no %s: it is not version 1.4 or later",
                    NAMES[i]);
            return false;
        }
        memcpy((char *)&table + i * sizeof function, &function, sizeof function);
    }
    return true;
}

const DuckApi *duck_api(DgError *err)
{
    pthread_mutex_lock(&lock);
    if (!loaded) {
        void *library = find_library(err);
        loaded = library && fill_table(library, err);
    }
    bool ready = loaded;
    pthread_mutex_unlock(&lock);
    return ready ? &table : NULL;
}
