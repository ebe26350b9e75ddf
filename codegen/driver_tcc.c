/* driver_tcc.c - libtcc: executables without another compiler, programs and components in memory.
 *
 * In memory nothing of libc's headers or archives is needed: every identifier of the text that dgc
 * itself exports is handed to libtcc, so `-nostdlib` links.
 */
#include "codegen/driver.h"

#include <dlfcn.h>
#include <errno.h>
#include <libtcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void collect(void *opaque, const char *message)
{
    StrBuf *b = opaque;
    if (b->len < 4000)
        buf_format(b, "%s\n", message);
}

static TCCState *start(Arena *a, StrBuf *said, int output, const char *options)
{
    TCCState *s = tcc_new();
    Str lib = driver_lib(a);
    if (!s)
        return NULL;
    tcc_set_error_func(s, said, collect);
    tcc_set_lib_path(s, str_cstr(a, lib));
    tcc_set_options(s, options);
    tcc_set_output_type(s, output);
    tcc_add_include_path(s, str_cstr(a, str_format(a, "%.*s/include", FMT(lib))));
    tcc_add_include_path(s, str_cstr(a, str_format(a, "%.*s/include/runtime", FMT(lib))));
    return s;
}

static bool name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Every identifier in the text that this process can resolve. */
static void add_symbols(Arena *a, TCCState *s, Str text)
{
    Map seen = {0};
    static const char *const always[] = {"memcpy", "memmove", "memset", "memcmp", "strlen",
                                         "__va_arg", "__floatundidf", "__floatundisf", "__fixunsdfdi",
                                         "__fixunssfdi", "__fixdfdi", "__fixsfdi", "alloca"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        void *p = dlsym(RTLD_DEFAULT, always[i]);
        if (p)
            tcc_add_symbol(s, always[i], p);
        map_put(a, &seen, str_from(always[i]), s);
    }
    for (ptrdiff_t i = 0; i < text.len;) {
        if (!name_start(text.ptr[i])) {
            i++;
            continue;
        }
        ptrdiff_t end = i + 1;
        while (end < text.len && (name_start(text.ptr[end]) || (text.ptr[end] >= '0' && text.ptr[end] <= '9')))
            end++;
        Str name = str_sub(text, i, end);
        i = end;
        if (name.len > 120 || map_has(&seen, name))
            continue;
        map_put(a, &seen, name, s);
        void *p = dlsym(RTLD_DEFAULT, str_cstr(a, name));
        if (p)
            tcc_add_symbol(s, str_cstr(a, name), p);
    }
}

static Str whole_file(Arena *a, Str path)
{
    struct stat st;
    char *name = str_cstr(a, path);
    FILE *f = fopen(name, "rb");
    if (!f || fstat(fileno(f), &st) != 0 || st.st_size > 16 << 20) {
        if (f)
            fclose(f);
        return (Str){0};
    }
    char *text = push(a, char, st.st_size + 1);
    size_t n = fread(text, 1, (size_t)st.st_size, f);
    fclose(f);
    return (Str){text, (ptrdiff_t)n};
}

static DgStatus failed(StrBuf *said, DgError *err)
{
    dg_fail(err, DG_BUG, "the emitted program does not compile: %.*s", FMT(str_trim(buf_str(said))));
    dg_hint(err, "this is a mistake in dgc; `dgc build --emit c` shows the program");
    buf_free(said);
    return DG_BUG;
}

DgStatus driver_jit(Arena *a, Str text, const StrArray *user_sources, const DgPipeline **out,
                    DgError *err)
{
    StrBuf said = {0};
    TCCState *s = start(a, &said, TCC_OUTPUT_MEMORY, "-nostdlib -nostdinc -w");
    if (!s)
        return dg_fail(err, DG_NOMEM, "out of memory");
    /* main() is for executables; in memory the tables are all that is wanted. */
    bool ok = tcc_compile_string(s, str_cstr(a, text)) == 0;
    add_symbols(a, s, text);
    for (size_t i = 0; ok && i < user_sources->count; i++) {
        Str source = whole_file(a, user_sources->items[i]);
        ok = tcc_compile_string(s, str_cstr(a, str_format(a, "#define DGC_NO_LIBC\n#line 1 %s%.*s%s\n%.*s", "\"",
                                                          FMT(user_sources->items[i]), "\"", FMT(source)))) == 0;
        add_symbols(a, s, source);
    }
    int size = ok ? tcc_relocate(s, NULL) : -1;
    void *code = NULL;
    if (size > 0) {
        code = aligned_alloc(4096, ((size_t)size + 8191) / 4096 * 4096);
        ok = code && tcc_relocate(s, code) >= 0;
    }
    *out = ok && size > 0 ? tcc_get_symbol(s, "dg_pipeline") : NULL;
    tcc_delete(s);
    if (!*out)
        return failed(&said, err);
    buf_free(&said);
    return DG_OK;
}

DgStatus driver_tcc_build(Arena *a, const BuildJob *job, Str output, DgError *err)
{
    StrBuf said = {0};
    TCCState *s = start(a, &said, TCC_OUTPUT_EXE, "-w");
    if (!s)
        return dg_fail(err, DG_NOMEM, "out of memory");
    Str lib = driver_lib(a);
    bool ok = tcc_compile_string(s, str_cstr(a, job->text)) == 0;
    for (size_t i = 0; ok && i < job->user_sources.count; i++)
        ok = tcc_add_file(s, str_cstr(a, job->user_sources.items[i])) == 0;
    Str link = whole_file(a, str_format(a, "%.*s/LINK", FMT(lib))), line;
    if (job->needs_duckdb)
        ok = ok && tcc_add_file(s, str_cstr(a, str_format(a, "%.*s/payload.o", FMT(lib)))) == 0;
    for (Str rest = link; ok && rest.len;) {
        if (!str_cut(rest, '\n', &line, &rest)) {
            line = rest;
            rest = (Str){0};
        }
        if (str_starts(line, S("-l")))
            ok = tcc_add_library(s, str_cstr(a, str_sub(line, 2, line.len))) == 0;
        else if (line.len && line.ptr[0] != '-')
            ok = tcc_add_file(s, str_cstr(a, str_format(a, "%.*s/%.*s", FMT(lib), FMT(line)))) == 0;
    }
    char *temp = str_cstr(a, str_format(a, "%.*s.tcc-%ld", FMT(output), (long)getpid()));
    ok = ok && tcc_output_file(s, temp) == 0;
    tcc_delete(s);
    ok = ok && chmod(temp, 0755) == 0 && rename(temp, str_cstr(a, output)) == 0;
    if (!ok) {
        unlink(temp);
        return failed(&said, err);
    }
    buf_free(&said);
    return DG_OK;
}

DgStatus driver_component(Arena *a, Str path, const DgComponent **out, StrBuf *complaints,
                          DgError *err)
{
    Str source = whole_file(a, path);
    if (!source.len)
        return dg_fail(err, DG_IO, "could not read %.*s", FMT(path));
    TCCState *s = start(a, complaints, TCC_OUTPUT_MEMORY, "-nostdlib -nostdinc");
    if (!s)
        return dg_fail(err, DG_NOMEM, "out of memory");
    Str text = str_format(a, "#define DGC_NO_LIBC\n#line 1 \"%.*s\"\n%.*s", FMT(path), FMT(source));
    ptrdiff_t at = str_find(source, S("dg_component_"));
    ptrdiff_t end = at;
    while (at >= 0 && end < source.len && (name_start(source.ptr[end]) ||
                                           (source.ptr[end] >= '0' && source.ptr[end] <= '9')))
        end++;
    Str symbol = at >= 0 ? str_sub(source, at, end) : S("dg_component_");
    bool ok = tcc_compile_string(s, str_cstr(a, text)) == 0;
    add_symbols(a, s, source);
    int size = ok ? tcc_relocate(s, NULL) : -1;
    void *code = size > 0 ? aligned_alloc(4096, ((size_t)size + 8191) / 4096 * 4096) : NULL;
    *out = code && tcc_relocate(s, code) >= 0 ? tcc_get_symbol(s, str_cstr(a, symbol)) : NULL;
    tcc_delete(s);
    if (!*out)
        return dg_fail(err, DG_DATA, "%.*s is no component", FMT(path));
    return DG_OK;
}
