/* pack_main.c - the prebuilt runner: runtime and components, with a program loaded from its own end.
 *
 * What `dgc build --driver pack` makes on machines without a compiler is this executable with the
 * program's object appended. See elf_load.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/elf_load.h"
#include "runtime/pipeline.h"
#include "runtime/symbols.h"

static DgStatus map_self(Str *out, DgError *err)
{
    struct stat st;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return dg_fail(err, DG_IO, "could not read /proc/self/exe: %s", strerror(errno));
    void *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED)
        return dg_fail(err, DG_IO, "could not map /proc/self/exe: %s", strerror(errno));
    *out = (Str){file, st.st_size};
    return DG_OK;
}

/* The objects behind the runner's own bytes. */
static DgStatus find_objects(Str file, Str *objects, size_t *count, DgError *err)
{
    PackTrailer trailer;
    size_t bytes = (size_t)file.len;
    if (bytes < sizeof trailer)
        return dg_fail(err, DG_BUG, "this executable is damaged");
    memcpy(&trailer, file.ptr + bytes - sizeof trailer, sizeof trailer);
    if (memcmp(trailer.magic, PACK_MAGIC, sizeof PACK_MAGIC) != 0) {
        dg_fail(err, DG_BUG, "this is dgc's runner without a program");
        dg_hint(err, "`dgc build --driver pack` makes a pipeline from it");
        return DG_BUG;
    }
    size_t room = bytes - sizeof trailer;
    if (!trailer.count || trailer.count > PACK_OBJECTS_MAX || trailer.count * sizeof(PackEntry) > room)
        return dg_fail(err, DG_BUG, "this executable is damaged");
    const char *table = file.ptr + room - trailer.count * sizeof(PackEntry);
    for (size_t i = 0; i < trailer.count; i++) {
        PackEntry entry;
        memcpy(&entry, table + i * sizeof entry, sizeof entry);
        if (entry.offset > bytes || entry.bytes > bytes - entry.offset)
            return dg_fail(err, DG_BUG, "this executable is damaged");
        objects[i] = (Str){file.ptr + entry.offset, (ptrdiff_t)entry.bytes};
    }
    *count = trailer.count;
    return DG_OK;
}

int main(int argc, char **argv)
{
    Str file = {0}, objects[PACK_OBJECTS_MAX];
    size_t count = 0;
    DgError err = {0};
    Arena arena;
    ElfImage *image = NULL;
    arena_init(&arena, 256 << 20);
    DgStatus status = map_self(&file, &err);
    if (status == DG_OK)
        status = find_objects(file, objects, &count, &err);
    if (status == DG_OK)
        status = elf_load(&arena, objects, count, dg_symbol_find, &image, &err);
    const DgPipeline *pipeline = image ? elf_symbol(image, "dg_pipeline") : NULL;
    if (!pipeline) {
        fprintf(stderr, "error: %s\n", err.message[0] ? err.message : "this executable has no pipeline");
        if (err.hint[0])
            fprintf(stderr, "  help: %s\n", err.hint);
        return dg_status_exit_code(status == DG_OK ? DG_BUG : status);
    }
    return dg_main(pipeline, argc, argv);
}
