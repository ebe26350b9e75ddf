/* driver_tcc.c - libtcc compiles and links an executable: no other compiler is needed.
 *
 * Startup files are shipped (lib/crt); libc and libm are linked as the shared libraries that dgc
 * itself runs on. libtcc's own archive is not linked: runtime/tcc_helpers.c has what it would give.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/tcc.h"

static bool add(TCCState *s, Build *b, Str name)
{
    return tcc_add_file(s, str_cstr(b->a, str_format(b->a, "%.*s/%.*s", FMT(b->lib), FMT(name)))) == 0;
}

/* The shared library in which a function of this process stands. */
static bool add_library_of(TCCState *s, const char *function)
{
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, function);
    return address && dladdr(address, &info) && tcc_add_file(s, info.dli_fname) == 0;
}

/* tcc writes no PT_GNU_STACK, without which the kernel makes the stack executable. It takes the place
 * of PT_PHDR, which nobody needs in a program that is not moved. */
static bool close_stack(const char *path)
{
    Elf64_Ehdr head;
    Elf64_Phdr entry;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool ok = fd >= 0 && pread(fd, &head, sizeof head, 0) == sizeof head && head.e_type == ET_EXEC &&
              head.e_phentsize == sizeof entry &&
              pread(fd, &entry, sizeof entry, (off_t)head.e_phoff) == sizeof entry && entry.p_type == PT_PHDR;
    entry = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16};
    ok = ok && pwrite(fd, &entry, sizeof entry, (off_t)head.e_phoff) == sizeof entry;
    return fd >= 0 && close(fd) == 0 && ok;
}

static bool link_program(TCCState *s, Build *b, const StrArray *list)
{
    /* Other compilers bring a crtbegin.o that has it. */
    bool ok = tcc_compile_string(s, "void *__dso_handle = 0;") == 0;
    for (size_t i = 0; ok && i < list->count; i++)
        if (!str_starts(list->items[i], S("-")))
            ok = add(s, b, list->items[i]);
    ok = ok && add(s, b, S("notices.o"));
    if (b->job->needs_duckdb)
        ok = ok && add(s, b, S("payload.o"));
    ok = ok && add_library_of(s, "malloc") && add_library_of(s, "pow") &&
         add(s, b, S("crt/libc_nonshared.a")) && add(s, b, S("crt/crtn.o"));
    return ok && tcc_output_file(s, b->made) == 0 && close_stack(b->made) && chmod(b->made, 0755) == 0;
}

/* The program and the components of the project, compiled into `s`. */
static DgStatus compile_all(TCCState *s, Build *b, StrBuf *said)
{
    for (size_t i = 0; i < b->job->user_sources.count; i++) {
        const UserSource *source = &b->job->user_sources.items[i];
        if (!tcc_compile_component(b->a, s, source))
            return driver_user_error("tcc", buf_str(said), b->err);
    }
    if (tcc_compile_string(s, str_cstr(b->a, driver_expand(b->a, b->job->text))) != 0)
        return driver_internal_error(b->a, buf_str(said), b->job->text, b->err);
    return DG_OK;
}

DgStatus driver_tcc(Build *b)
{
    StrBuf said = {0};
    StrArray list = {0};
    if (!driver_link_list(b, &list))
        return b->err->status;
    TCCState *s = tcc_start(b->a, &said, TCC_OUTPUT_EXE, b->lib);
    DgStatus status = DG_OK;
    if (!add(s, b, S("crt/crt1.o")) || !add(s, b, S("crt/crti.o")))
        status = dg_fail(b->err, DG_CONFIG, "%.*s/crt is not complete: %.*s", FMT(b->lib),
                         FMT(str_trim(buf_str(&said))));
    if (status == DG_OK)
        status = compile_all(s, b, &said);
    if (status == DG_OK && !link_program(s, b, &list))
        status = driver_internal_error(b->a, buf_str(&said), b->job->text, b->err);
    tcc_delete(s);
    buf_free(&said);
    b->out->linker = S("tcc");
    return status;
}

DgStatus driver_tcc_object(Build *b)
{
    StrBuf said = {0};
    TCCState *s = tcc_start(b->a, &said, TCC_OUTPUT_OBJ, b->lib);
    DgStatus status = compile_all(s, b, &said);
    char *to = str_cstr(b->a, str_format(b->a, "%s/pipeline.o", b->folder));
    if (status == DG_OK && tcc_output_file(s, to) != 0)
        status = driver_internal_error(b->a, buf_str(&said), b->job->text, b->err);
    tcc_delete(s);
    buf_free(&said);
    return status;
}
