/* cache.c - the file of judgements: read whole, written whole beside it and renamed.
 *
 *   "dgc sql cache 2 VERSION\n"  u64 length of the entries  u64 hash of them
 *   entry: key (16 bytes)  u8 age  u16 columns  { u16 length, name, u16 length, type } each
 *
 * Entries that no check has used for AGE_MAX saves are left out. Numbers are little-endian, as the
 * machines are that we build for.
 */
#include "compiler/sql/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AGE_MAX = 8, BYTES_MAX = 64 << 20 };

typedef struct Entry {
    CacheKey key;
    uint8_t age;
    const char *body; /* columns, as in the file */
    size_t bytes;
    uint32_t next;    /* of the same slot, plus 1 */
} Entry;

struct SqlCache {
    Arena *arena;
    char *folder, *path;
    Array(Entry) entries;
    uint32_t *slots;
    size_t slots_count;
    bool changed;
};

#ifdef DGC_VERSION
static const char HEAD[] = "dgc sql cache 2 " DGC_VERSION " " BIND_DUCKDB_VERSION "\n";
#else
static const char HEAD[] = "dgc sql cache 2 " BIND_DUCKDB_VERSION "\n";
#endif

/* ---- Look-up ---- */

static size_t slot_of(const SqlCache *c, const CacheKey *key)
{
    uint64_t h;
    memcpy(&h, key->bytes, sizeof h);
    return (size_t)(h % c->slots_count);
}

static void index_entry(SqlCache *c, size_t i)
{
    size_t slot = slot_of(c, &c->entries.items[i].key);
    c->entries.items[i].next = c->slots[slot];
    c->slots[slot] = (uint32_t)i + 1;
}

static void grow_index(SqlCache *c)
{
    c->slots_count = c->slots_count ? c->slots_count * 2 : 1024;
    while (c->slots_count < c->entries.count)
        c->slots_count *= 2;
    c->slots = push(c->arena, uint32_t, c->slots_count);
    for (size_t i = 0; i < c->entries.count; i++)
        index_entry(c, i);
}

static Entry *find(const SqlCache *c, const CacheKey *key)
{
    for (uint32_t at = c->slots_count ? c->slots[slot_of(c, key)] : 0; at;) {
        Entry *e = &c->entries.items[at - 1];
        if (!memcmp(e->key.bytes, key->bytes, sizeof key->bytes))
            return e;
        at = e->next;
    }
    return NULL;
}

static void add_entry(SqlCache *c, Entry e)
{
    array_add(c->arena, &c->entries, e);
    if (c->entries.count > c->slots_count)
        grow_index(c);
    else
        index_entry(c, c->entries.count - 1);
}

/* ---- Bytes ---- */

typedef struct Bytes {
    const char *at, *end;
    bool bad;
} Bytes;

static const char *take(Bytes *b, size_t n)
{
    if (b->bad || (size_t)(b->end - b->at) < n) {
        b->bad = true;
        return NULL;
    }
    const char *p = b->at;
    b->at += n;
    return p;
}

static uint16_t take_u16(Bytes *b)
{
    uint16_t n = 0;
    const char *p = take(b, sizeof n);
    if (p)
        memcpy(&n, p, sizeof n);
    return n;
}

static Str take_text(Bytes *b)
{
    uint16_t n = take_u16(b);
    const char *p = take(b, n);
    return p ? (Str){p, n} : (Str){0};
}

static void put_u16(StrBuf *b, size_t n)
{
    uint16_t small = (uint16_t)n;
    buf_add(b, (Str){(const char *)&small, sizeof small});
}

static void put_text(StrBuf *b, Str s)
{
    put_u16(b, (size_t)s.len);
    buf_add(b, s);
}

/* ---- The file ---- */

static Str read_file(SqlCache *c)
{
    struct stat st;
    Str out = {0};
    int fd = open(c->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return out;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= BYTES_MAX) {
        char *bytes = push(c->arena, char, st.st_size);
        ptrdiff_t got = 0;
        while (got < st.st_size) {
            ssize_t n = read(fd, bytes + got, (size_t)(st.st_size - got));
            if (n <= 0)
                break;
            got += n;
        }
        out = (Str){bytes, got};
    }
    close(fd);
    return out;
}

static void read_entries(SqlCache *c, Bytes *b)
{
    while (b->at < b->end && !b->bad) {
        Entry e = {0};
        const char *key = take(b, sizeof e.key.bytes), *age = take(b, 1);
        e.body = b->at;
        uint16_t n = take_u16(b);
        for (uint16_t i = 0; i < n && !b->bad; i++) {
            take_text(b);
            take_text(b);
        }
        if (b->bad)
            return;
        memcpy(e.key.bytes, key, sizeof e.key.bytes);
        e.age = (uint8_t)(*age < AGE_MAX ? *age + 1 : AGE_MAX);
        e.bytes = (size_t)(b->at - e.body);
        array_add(c->arena, &c->entries, e);
    }
}

SqlCache *cache_open(Arena *arena, Str project)
{
    SqlCache *c = push(arena, SqlCache, 1);
    uint64_t numbers[2];
    size_t head = sizeof HEAD - 1;
    c->arena = arena;
    c->folder = str_cstr(arena, str_format(arena, "%.*s/.dgc/cache", FMT(project)));
    c->path = str_cstr(arena, str_format(arena, "%.*s/.dgc/cache/sql.bin", FMT(project)));
    Str file = read_file(c);
    if ((size_t)file.len < head + sizeof numbers || memcmp(file.ptr, HEAD, head))
        return c;
    memcpy(numbers, file.ptr + head, sizeof numbers);
    Str rest = str_sub(file, (ptrdiff_t)(head + sizeof numbers), file.len);
    if (numbers[0] != (uint64_t)rest.len || numbers[1] != str_hash(rest))
        return c;
    Bytes b = {rest.ptr, rest.ptr + rest.len, false};
    read_entries(c, &b);
    grow_index(c);
    return c;
}

bool cache_get(SqlCache *c, const CacheKey *key, BindResult *out)
{
    Entry *e = find(c, key);
    if (!e)
        return false;
    Bytes b = {e->body, e->body + e->bytes, false};
    uint16_t n = take_u16(&b);
    BindColumn *columns = push(c->arena, BindColumn, n + 1);
    for (uint16_t i = 0; i < n; i++) {
        columns[i].name = take_text(&b);
        columns[i].type = take_text(&b);
    }
    e->age = 0;
    *out = (BindResult){.ok = true, .columns = columns, .count = n};
    return true;
}

void cache_put(SqlCache *c, const CacheKey *key, const BindResult *r)
{
    StrBuf b = {.max = 1 << 22};
    if (r->count > UINT16_MAX || find(c, key))
        return;
    put_u16(&b, r->count);
    for (size_t i = 0; i < r->count; i++) {
        if (r->columns[i].name.len > UINT16_MAX || r->columns[i].type.len > UINT16_MAX)
            b.failed = true;
        put_text(&b, r->columns[i].name);
        put_text(&b, r->columns[i].type);
    }
    if (!b.failed) {
        Str body = str_copy(c->arena, buf_str(&b));
        add_entry(c, (Entry){.key = *key, .body = body.ptr, .bytes = (size_t)body.len});
        c->changed = true;
    }
    buf_free(&b);
}

/* ---- Saving ---- */

static bool write_all(int fd, Str s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.ptr, (size_t)s.len);
        if (n <= 0)
            return false;
        s = str_sub(s, n, s.len);
    }
    return true;
}

/* Nothing of it belongs into version control. */
static void make_folders(const SqlCache *c)
{
    char *slash = strrchr(c->folder, '/');
    *slash = '\0';
    mkdir(c->folder, 0777);
    *slash = '/';
    if (mkdir(c->folder, 0777) != 0)
        return;
    int fd = open(str_format(c->arena, "%s/.gitignore", c->folder).ptr,
                  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
        write_all(fd, S("*\n"));
        close(fd);
    }
}

static void write_file(const SqlCache *c, Str entries)
{
    char *temp = str_cstr(c->arena, str_format(c->arena, "%s.XXXXXX", c->path));
    uint64_t numbers[2] = {(uint64_t)entries.len, str_hash(entries)};
    make_folders(c);
    int fd = mkstemp(temp);
    if (fd < 0)
        return;
    bool ok = write_all(fd, (Str){HEAD, sizeof HEAD - 1}) &&
              write_all(fd, (Str){(const char *)numbers, sizeof numbers}) && write_all(fd, entries);
    ok = close(fd) == 0 && ok;
    if (!ok || rename(temp, c->path) != 0)
        unlink(temp);
}

void cache_save(SqlCache *c)
{
    if (!c->changed)
        return;
    StrBuf b = {.max = BYTES_MAX - 4096};
    for (size_t i = 0; i < c->entries.count; i++) {
        const Entry *e = &c->entries.items[i];
        if (e->age >= AGE_MAX)
            continue;
        buf_add(&b, (Str){(const char *)e->key.bytes, sizeof e->key.bytes});
        buf_char(&b, (char)e->age);
        buf_add(&b, (Str){e->body, (ptrdiff_t)e->bytes});
    }
    if (!b.failed)
        write_file(c, buf_str(&b));
    buf_free(&b);
    c->changed = false;
}
