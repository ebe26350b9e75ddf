/* driver_pack.c - no compiler on the machine: a prebuilt runner with the program appended.
 *
 * The runner (lib/dgrunner, runtime/pack_main.c) holds the runtime and every component, and at start
 * loads the object at its own end. Its layout is in runtime/elf_load.h. The object comes from gcc or
 * clang at -O2 where there is one, else from libtcc; neither is inside the result.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/driver_impl.h"
#include "runtime/elf_load.h"

static bool append(FILE *to, Str bytes)
{
    static const char zeros[PACK_ALIGN];
    size_t pad = (PACK_ALIGN - (size_t)bytes.len % PACK_ALIGN) % PACK_ALIGN;
    return fwrite(bytes.ptr, 1, (size_t)bytes.len, to) == (size_t)bytes.len &&
           fwrite(zeros, 1, pad, to) == pad;
}

/* Runner, objects, table, trailer. */
static bool write_pack(Build *b, Str runner, const StrArray *objects)
{
    PackEntry entries[PACK_OBJECTS_MAX];
    PackTrailer trailer = {.magic = PACK_MAGIC, .count = objects->count};
    uint64_t at = ((uint64_t)runner.len + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
    FILE *f = fopen(b->made, "wb");
    bool ok = f && append(f, runner);
    for (size_t i = 0; ok && i < objects->count; i++) {
        entries[i] = (PackEntry){at, (uint64_t)objects->items[i].len};
        at += (entries[i].bytes + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
        ok = append(f, objects->items[i]);
    }
    ok = ok && fwrite(entries, sizeof *entries, objects->count, f) == objects->count &&
         fwrite(&trailer, sizeof trailer, 1, f) == 1;
    return f && fclose(f) == 0 && ok && chmod(b->made, 0755) == 0;
}

static bool add_object(Build *b, StrArray *objects, Str name)
{
    Str bytes;
    if (!read_file(b->a, str_cstr(b->a, str_format(b->a, "%s/%.*s", b->folder, FMT(name))), 256 << 20,
                   &bytes) || !bytes.len)
        return false;
    array_add(b->a, objects, bytes);
    return true;
}

DgStatus driver_pack(Build *b)
{
    static const char *const compilers[] = {"gcc", "clang", NULL};
    const char *compiler = driver_find(b->a, compilers);
    Str runner, name = b->job->needs_duckdb ? S("dgrunner-duckdb") : S("dgrunner");
    StrArray objects = {0};
    if (b->job->user_sources.count + 1 > PACK_OBJECTS_MAX)
        return dg_fail(b->err, DG_CONFIG, "too many components of the project for the driver `pack`");
    if (!read_file(b->a, str_cstr(b->a, str_format(b->a, "%.*s/%.*s", FMT(b->lib), FMT(name))), 256 << 20,
                   &runner))
        return dg_fail(b->err, DG_CONFIG, "could not read %.*s/%.*s: %s", FMT(b->lib), FMT(name),
                       strerror(errno));
    DG_TRY(compiler ? driver_cc_object(b, compiler) : driver_tcc_object(b));
    bool ok = add_object(b, &objects, S("pipeline.o"));
    for (size_t i = 0; compiler && ok && i < b->job->user_sources.count; i++)
        ok = add_object(b, &objects, str_format(b->a, "user%zu.o", i));
    b->out->linker = compiler ? S("none, object of gcc or clang") : S("none, object of tcc");
    if (!ok || !write_pack(b, runner, &objects))
        return dg_fail(b->err, DG_CANTCREATE, "could not write %s: %s", b->made, strerror(errno));
    return DG_OK;
}
