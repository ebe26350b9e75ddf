/* driver_jit.c - libtcc in memory: programs that run at once, components that plan at once.
 *
 * The program reads no file: its headers are in dgc, and every function it may call is in the table
 * of runtime/symbols.h. A component may also call libc, by the names found in its text.
 */
#include <ctype.h>
#include <sys/mman.h>

#include "codegen/tcc.h"
#include "runtime/symbols.h"

static void collect(void *opaque, const char *message)
{
    StrBuf *b = opaque;
    if (b->len < 16000)
        buf_format(b, "%s\n", message);
}

TCCState *tcc_start(Arena *a, StrBuf *said, int output, Str lib)
{
    TCCState *s = tcc_new();
    assert(s); /* it asks for memory only */
    tcc_set_error_func(s, said, collect);
    tcc_set_lib_path(s, str_cstr(a, str_format(a, "%.*s/tcc", FMT(lib))));
    tcc_set_options(s, "-nostdlib");
    tcc_set_output_type(s, output);
    return s;
}

/* Its own headers first: libc's need tcc's stddef.h and stdarg.h. */
static void add_system_headers(Arena *a, TCCState *s)
{
    static const char *const folders[] = {"/usr/local/include", "/usr/include/x86_64-linux-gnu",
                                          "/usr/include"};
    tcc_add_sysinclude_path(s, str_cstr(a, str_format(a, "%.*s/tcc/include", FMT(driver_lib(a)))));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        tcc_add_sysinclude_path(s, folders[i]);
}

bool tcc_compile_component(Arena *a, TCCState *s, const UserSource *source)
{
    Str text;
    if (!read_file(a, str_cstr(a, source->path), 4 << 20, &text))
        return false;
    if (!driver_is_libc_free(text))
        add_system_headers(a, s);
    return tcc_compile_string(s, str_cstr(a, driver_component_text(a, source, text))) == 0;
}

static bool name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The name at text[*at], or the empty text; moves on. Comments are not told apart. */
static Str next_name(Str text, ptrdiff_t *at)
{
    while (*at < text.len && (!name_char(text.ptr[*at]) || isdigit((unsigned char)text.ptr[*at])))
        while (++*at < text.len && name_char(text.ptr[*at]) && isdigit((unsigned char)text.ptr[*at - 1]))
            ;
    ptrdiff_t start = *at;
    while (*at < text.len && name_char(text.ptr[*at]))
        ++*at;
    return str_sub(text, start, *at);
}

static void add_table(TCCState *s)
{
    static const char *const called_by_tcc[] = {
        "memcpy", "memmove", "memset", "memcmp", "strlen", "__va_arg", "__floatundidf",
        "__floatundisf", "__floatundixf", "__fixdfdi", "__fixsfdi", "__fixxfdi", "__fixunsdfdi",
        "__fixunssfdi", "__fixunsxfdi"};
    for (const DgSymbol *symbol = dg_symbols; symbol->name; symbol++)
        tcc_add_symbol(s, symbol->name, symbol->address);
    for (size_t i = 0; i < sizeof called_by_tcc / sizeof *called_by_tcc; i++)
        tcc_add_symbol(s, called_by_tcc[i], dg_symbol_find(called_by_tcc[i]));
}

/* Functions of libc that a component may call: every name in it that libc has. */
static void add_libc(Arena *a, TCCState *s, Str text, Map *seen)
{
    for (ptrdiff_t at = 0; at < text.len;) {
        Str name = next_name(text, &at);
        if (name.len < 2 || name.len > 100 || map_has(seen, name) || str_starts(name, S("dg")) ||
            str_starts(name, S("mem")) || str_eq(name, S("strlen")))
            continue;
        map_put(a, seen, name, s);
        char *c_name = str_cstr(a, name);
        const void *address = dg_symbol_find(c_name);
        if (address)
            tcc_add_symbol(s, c_name, address);
    }
}

/* Into pages of their own, which live until the process ends; libtcc makes them executable. */
static bool relocate(TCCState *s)
{
    int size = tcc_relocate(s, NULL);
    void *code = size > 0 ? mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                          : MAP_FAILED;
    return code != MAP_FAILED && tcc_relocate(s, code) >= 0;
}

DgStatus driver_jit(Arena *a, Str text, const UserSources *user_sources, const DgPipeline **out,
                    DgError *err)
{
    StrBuf said = {0};
    Map seen = {0};
    TCCState *s = tcc_start(a, &said, TCC_OUTPUT_MEMORY, S("/nonexistent"));
    bool ok = tcc_compile_string(s, str_cstr(a, driver_expand(a, text))) == 0;
    add_table(s);
    for (size_t i = 0; ok && i < user_sources->count; i++) {
        Str source;
        ok = tcc_compile_component(a, s, &user_sources->items[i]);
        if (!ok) {
            DgStatus status = driver_user_error("tcc", buf_str(&said), err);
            tcc_delete(s);
            buf_free(&said);
            return status;
        }
        if (read_file(a, str_cstr(a, user_sources->items[i].path), 4 << 20, &source))
            add_libc(a, s, source, &seen);
    }
    ok = ok && relocate(s);
    *out = ok ? tcc_get_symbol(s, "dg_pipeline") : NULL;
    tcc_delete(s);
    DgStatus status = *out ? DG_OK : driver_internal_error(a, buf_str(&said), text, err);
    buf_free(&said);
    return status;
}

/* ---- Components of the project ---- */

static void complain(Arena *a, UserModule *out, const char *fmt, ...) DG_PRINTF(3, 4);
static void complain(Arena *a, UserModule *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    array_add(a, &out->complaints, str_vformat(a, fmt, args));
    va_end(args);
}

/* Emitted code refers to a step's ops by the name in `symbol`: it must lead to these very ops. */
static void check_ops(Arena *a, TCCState *s, const UserSource *source, const DgComponent *component,
                      UserModule *out)
{
    for (const DgStepOps *const *step = component->steps; step && *step; step++) {
        const char *symbol = (*step)->symbol;
        if (!symbol || tcc_get_symbol(s, symbol) != *step)
            complain(a, out, "%.*s:1: error: the DgStepOps `%s` must not be static, and name "
                     "itself: .symbol = \"%s\"", FMT(source->shown),
                     (*step)->name ? (*step)->name : "?", symbol ? symbol : "dg_NAME_ops");
    }
}

static void find_components(Arena *a, TCCState *s, const UserSource *source, Str text,
                            UserModule *out)
{
    Map seen = {0};
    for (ptrdiff_t at = 0; at < text.len;) {
        Str name = next_name(text, &at);
        if (!str_starts(name, S("dg_component_")) || map_has(&seen, name))
            continue;
        map_put(a, &seen, name, s);
        const DgComponent *component = tcc_get_symbol(s, str_cstr(a, name));
        if (!component)
            continue;
        if (!component->name || !component->plan || !component->fields)
            complain(a, out, "%.*s:1: error: `%.*s` needs at least .name, .fields and .plan",
                     FMT(source->shown), FMT(name));
        else
            array_add(a, &out->components, component);
        check_ops(a, s, source, component, out);
    }
    if (!out->components.count && !out->complaints.count)
        complain(a, out, "%.*s:1: error: no component: define `const DgComponent "
                 "dg_component_NAME`, not static", FMT(source->shown));
}

static void split_lines(Arena *a, Str said, UserModule *out)
{
    for (Str line; said.len;) {
        str_cut(said, '\n', &line, &said);
        if (str_find(line, S("error:")) >= 0)
            array_add(a, &out->complaints, str_copy(a, line));
    }
}

bool driver_component(Arena *a, const UserSource *source, UserModule *out)
{
    StrBuf said = {0};
    Map seen = {0};
    Str text;
    *out = (UserModule){0};
    if (!read_file(a, str_cstr(a, source->path), 4 << 20, &text)) {
        complain(a, out, "%.*s:1: error: the file cannot be read", FMT(source->shown));
        return false;
    }
    TCCState *s = tcc_start(a, &said, TCC_OUTPUT_MEMORY, driver_lib(a));
    bool ok = tcc_compile_component(a, s, source);
    if (ok) {
        add_table(s);
        add_libc(a, s, text, &seen);
        ok = relocate(s);
    }
    if (ok)
        find_components(a, s, source, text, out);
    else
        split_lines(a, buf_str(&said), out);
    if (!ok && !out->complaints.count)
        complain(a, out, "%.*s:1: error: %.*s", FMT(source->shown), FMT(str_trim(buf_str(&said))));
    tcc_delete(s);
    buf_free(&said);
    return out->complaints.count == 0;
}
