/* elf_load.c - a linker for a handful of objects, at start, in memory. */
#include "runtime/elf_load.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>

enum { PAGE = 4096, STUB_BYTES = 16, SYMBOLS_MAX = 1 << 20, SECTION_BYTES_MAX = 1 << 28 };
enum { CODE, CONSTANTS, DATA, PARTS };

typedef struct Object {
    Str file;
    const Elf64_Shdr *sections;
    size_t sections_count;
    char **placed;               /* of each section; NULL: not loaded */
    const Elf64_Sym *symbols;
    size_t symbols_count;
    const char *names;
    size_t names_bytes;
    uintptr_t *addresses;        /* of each symbol, once settled */
} Object;

struct ElfImage {
    Arena *arena;
    Object *objects;
    size_t count;
    const void *(*find)(const char *name);
    Map globals;                 /* name -> address */
    char *base;
    size_t part_at[PARTS + 1];   /* offsets of the parts; the last is the size */
    char *stubs, *stubs_end;     /* in CODE: jumps to far functions */
    uintptr_t *got, *got_end;    /* in CONSTANTS: addresses that code loads */
    char *commons;               /* in DATA: variables that no object has given a section */
    Map stub_of, got_of;         /* bytes of an address -> its stub or slot */
};

static DgStatus damaged(DgError *err, const char *what)
{
    return dg_fail(err, DG_BUG, "the program at the end of this executable is damaged: %s", what);
}

static bool within(Str file, uint64_t offset, uint64_t bytes)
{
    return offset <= (uint64_t)file.len && bytes <= (uint64_t)file.len - offset;
}

/* ---- Reading ---- */

static DgStatus read_object(Arena *a, Str file, Object *o, DgError *err)
{
    const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)file.ptr;
    if (file.len < (ptrdiff_t)sizeof *h || (uintptr_t)file.ptr % 8 || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
        h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_type != ET_REL || h->e_machine != EM_X86_64 ||
        h->e_shentsize != sizeof(Elf64_Shdr))
        return damaged(err, "not an object file");
    if (!within(file, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)))
        return damaged(err, "section table");
    o->file = file;
    Elf64_Shdr *sections = push(a, Elf64_Shdr, h->e_shnum + 1);
    o->placed = push(a, char *, h->e_shnum + 1);
    if (!sections || !o->placed)
        return dg_fail(err, DG_NOMEM, "out of memory loading the program");
    memcpy(sections, file.ptr + h->e_shoff, h->e_shnum * sizeof *sections); /* tcc aligns it to 4 */
    o->sections = sections;
    o->sections_count = h->e_shnum;
    for (size_t i = 0; i < o->sections_count; i++) {
        const Elf64_Shdr *s = &o->sections[i];
        bool is_table = s->sh_type == SHT_SYMTAB || s->sh_type == SHT_RELA;
        if (s->sh_size > SECTION_BYTES_MAX || s->sh_addralign > PAGE ||
            (s->sh_type != SHT_NOBITS && !within(file, s->sh_offset, s->sh_size)) ||
            (is_table && s->sh_offset % 8))
            return damaged(err, "section");
        if (s->sh_type != SHT_SYMTAB)
            continue;
        if (s->sh_link >= o->sections_count || s->sh_size / sizeof(Elf64_Sym) > SYMBOLS_MAX ||
            !within(file, o->sections[s->sh_link].sh_offset, o->sections[s->sh_link].sh_size))
            return damaged(err, "symbol table");
        o->symbols = (const Elf64_Sym *)(const void *)(file.ptr + s->sh_offset);
        o->symbols_count = s->sh_size / sizeof(Elf64_Sym);
        o->names = file.ptr + o->sections[s->sh_link].sh_offset;
        o->names_bytes = o->sections[s->sh_link].sh_size;
    }
    o->addresses = push(a, uintptr_t, o->symbols_count + 1);
    if (!o->addresses)
        return dg_fail(err, DG_NOMEM, "out of memory loading the program");
    if (o->names_bytes && o->names[o->names_bytes - 1] != 0)
        return damaged(err, "names");
    return DG_OK;
}

static const char *symbol_name(const Object *o, const Elf64_Sym *symbol)
{
    return symbol->st_name < o->names_bytes ? o->names + symbol->st_name : "";
}

/* ---- Placing ---- */

static int part_of(const Elf64_Shdr *s)
{
    return s->sh_flags & SHF_EXECINSTR ? CODE : s->sh_flags & SHF_WRITE ? DATA : CONSTANTS;
}

static bool is_loaded(const Elf64_Shdr *s)
{
    return (s->sh_flags & SHF_ALLOC) && s->sh_size && s->sh_type != SHT_NOTE;
}

static size_t aligned(size_t at, uint64_t align)
{
    size_t n = align > 1 ? (size_t)align : 1;
    return (at + n - 1) / n * n;
}

/* Where each section goes. With `base` it is also put there. */
static size_t place_part(ElfImage *image, int part, size_t at, bool put)
{
    for (size_t i = 0; i < image->count; i++) {
        Object *o = &image->objects[i];
        for (size_t k = 0; k < o->sections_count; k++) {
            const Elf64_Shdr *s = &o->sections[k];
            if (!is_loaded(s) || part_of(s) != part)
                continue;
            at = aligned(at, s->sh_addralign);
            if (put) {
                o->placed[k] = image->base + at;
                if (s->sh_type != SHT_NOBITS)
                    memcpy(o->placed[k], o->file.ptr + s->sh_offset, s->sh_size);
            }
            at += s->sh_size;
        }
    }
    return at;
}

static size_t symbols_of(const ElfImage *image)
{
    size_t n = 0;
    for (size_t i = 0; i < image->count; i++)
        n += image->objects[i].symbols_count;
    return n;
}

/* An upper bound: each with its alignment, here the symbol's value. */
static size_t commons_bytes(const ElfImage *image)
{
    size_t n = 0;
    for (size_t i = 0; i < image->count; i++)
        for (size_t k = 1; k < image->objects[i].symbols_count; k++) {
            const Elf64_Sym *s = &image->objects[i].symbols[k];
            if (s->st_shndx == SHN_COMMON && s->st_size < SECTION_BYTES_MAX && s->st_value <= PAGE)
                n += s->st_size + s->st_value;
        }
    return n;
}

static DgStatus place_all(ElfImage *image, DgError *err)
{
    size_t at = 0, symbols = symbols_of(image), stubs_at = 0, got_at = 0, commons_at = 0;
    for (int part = 0; part < PARTS; part++) {
        image->part_at[part] = at = aligned(at, PAGE);
        at = place_part(image, part, at, false);
        at = aligned(at, STUB_BYTES);
        if (part == CODE) {
            stubs_at = at;
            at += symbols * STUB_BYTES;
        } else if (part == CONSTANTS) {
            got_at = at;
            at += symbols * sizeof(uintptr_t);
        } else {
            commons_at = at;
            at += commons_bytes(image);
        }
    }
    image->part_at[PARTS] = at = aligned(at + 1, PAGE);
    if (at > SECTION_BYTES_MAX)
        return damaged(err, "it claims to be too large");
    char *base = mmap(NULL, at, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (base == MAP_FAILED)
        return dg_fail(err, DG_NOMEM, "could not get %zu bytes for the program: %s", at, strerror(errno));
    image->base = base;
    image->stubs = base + stubs_at;
    image->stubs_end = image->stubs + symbols * STUB_BYTES;
    image->got = (uintptr_t *)(void *)(base + got_at);
    image->got_end = image->got + symbols;
    image->commons = base + commons_at;
    for (int part = 0; part < PARTS; part++)
        place_part(image, part, image->part_at[part], true);
    return DG_OK;
}

/* ---- Symbols ---- */

/* `int n;` in several objects is one variable. */
static DgStatus define_common(ElfImage *image, Object *o, size_t i, DgError *err)
{
    const Elf64_Sym *s = &o->symbols[i];
    Str name = str_from(symbol_name(o, s));
    char *known = map_get(&image->globals, name);
    char *end = image->base + image->part_at[PARTS];
    if (!known) {
        known = image->base + aligned((size_t)(image->commons - image->base), s->st_value);
        if (s->st_value > PAGE || known > end || s->st_size > (size_t)(end - known))
            return damaged(err, "a variable");
        image->commons = known + s->st_size;
        map_put(image->arena, &image->globals, name, known);
    }
    o->addresses[i] = (uintptr_t)known;
    return DG_OK;
}

static DgStatus define_symbols(ElfImage *image, Object *o, DgError *err)
{
    for (size_t i = 1; i < o->symbols_count; i++) {
        const Elf64_Sym *s = &o->symbols[i];
        if (s->st_shndx == SHN_UNDEF)
            continue;
        if (s->st_shndx == SHN_COMMON) {
            DG_TRY(define_common(image, o, i, err));
            continue;
        }
        if (s->st_shndx == SHN_ABS)
            o->addresses[i] = s->st_value;
        else if (s->st_shndx < o->sections_count && o->placed[s->st_shndx])
            o->addresses[i] = (uintptr_t)o->placed[s->st_shndx] + s->st_value;
        else
            continue; /* of a section that is not loaded */
        int binding = ELF64_ST_BIND(s->st_info);
        if (binding == STB_LOCAL)
            continue;
        Str name = str_from(symbol_name(o, s));
        if (binding == STB_GLOBAL || !map_has(&image->globals, name))
            map_put(image->arena, &image->globals, name, (void *)o->addresses[i]);
    }
    return DG_OK;
}

static DgStatus resolve_symbols(ElfImage *image, Object *o, DgError *err)
{
    for (size_t i = 1; i < o->symbols_count; i++) {
        const Elf64_Sym *s = &o->symbols[i];
        const char *name = symbol_name(o, s);
        if (s->st_shndx != SHN_UNDEF || !*name)
            continue;
        uintptr_t address = (uintptr_t)map_get(&image->globals, str_from(name));
        if (!address)
            address = (uintptr_t)image->find(name);
        if (!address && ELF64_ST_BIND(s->st_info) != STB_WEAK && strcmp(name, "_GLOBAL_OFFSET_TABLE_") != 0)
            return dg_fail(err, DG_BUG, "the program asks for `%s`, which this runner does not have", name);
        o->addresses[i] = address;
    }
    return DG_OK;
}

/* ---- Relocations ---- */

/* `jmp *0(%rip)` and the address behind it. */
static uintptr_t stub_for(ElfImage *image, uintptr_t target)
{
    static const unsigned char jump[] = {0xff, 0x25, 0, 0, 0, 0};
    Str key = {(const char *)&target, sizeof target};
    char *stub = map_get(&image->stub_of, key);
    if (!stub && image->stubs < image->stubs_end) {
        stub = image->stubs;
        image->stubs += STUB_BYTES;
        memcpy(stub, jump, sizeof jump);
        memcpy(stub + sizeof jump, &target, sizeof target);
        map_put(image->arena, &image->stub_of, str_copy(image->arena, key), stub);
    }
    return (uintptr_t)stub;
}

static uintptr_t slot_for(ElfImage *image, uintptr_t target)
{
    Str key = {(const char *)&target, sizeof target};
    uintptr_t *slot = map_get(&image->got_of, key);
    if (!slot && image->got < image->got_end) {
        slot = image->got++;
        *slot = target;
        map_put(image->arena, &image->got_of, str_copy(image->arena, key), slot);
    }
    return (uintptr_t)slot;
}

static bool put32(char *at, int64_t value, bool is_signed)
{
    if (is_signed ? value < INT32_MIN || value > INT32_MAX : value < 0 || value > UINT32_MAX)
        return false;
    uint32_t low = (uint32_t)value;
    memcpy(at, &low, sizeof low);
    return true;
}

/* Sums wrap, as in a linker: only what does not fit its field is an error. */
static int64_t sum(uint64_t a, uint64_t b)
{
    return (int64_t)(a + b);
}

static bool relocate_one(ElfImage *image, uint32_t type, char *at, uintptr_t symbol, int64_t addend)
{
    uint64_t here = (uint64_t)(uintptr_t)at, offset = (uint64_t)addend - here;
    int64_t value = sum(symbol, (uint64_t)addend), distance = sum(symbol, offset);
    switch (type) {
    case R_X86_64_NONE: return true;
    case R_X86_64_64: memcpy(at, &value, 8); return true;
    case R_X86_64_PC64: memcpy(at, &distance, 8); return true;
    case R_X86_64_32: return put32(at, value, false);
    case R_X86_64_32S: return put32(at, value, true);
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
        return put32(at, distance, true) || put32(at, sum(stub_for(image, symbol), offset), true);
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
        return put32(at, sum(slot_for(image, symbol), offset), true);
    default: return false;
    }
}

static size_t relocated_bytes(uint32_t type)
{
    return type == R_X86_64_NONE ? 0 : type == R_X86_64_64 || type == R_X86_64_PC64 ? 8 : 4;
}

static DgStatus relocate_section(ElfImage *image, Object *o, const Elf64_Shdr *s, DgError *err)
{
    const Elf64_Rela *list = (const Elf64_Rela *)(const void *)(o->file.ptr + s->sh_offset);
    char *target = s->sh_info < o->sections_count ? o->placed[s->sh_info] : NULL;
    if (!target)
        return DG_OK; /* debug information */
    uint64_t size = o->sections[s->sh_info].sh_size;
    for (size_t i = 0; i < s->sh_size / sizeof *list; i++) {
        uint32_t type = (uint32_t)ELF64_R_TYPE(list[i].r_info);
        uint64_t symbol = ELF64_R_SYM(list[i].r_info);
        size_t bytes = relocated_bytes(type);
        if (symbol >= o->symbols_count || list[i].r_offset > size || bytes > size - list[i].r_offset)
            return damaged(err, "relocation");
        if (!relocate_one(image, type, target + list[i].r_offset, o->addresses[symbol],
                          list[i].r_addend))
            return dg_fail(err, DG_BUG, "the program has a relocation (type %u) that this runner does "
                           "not know or reach", type);
    }
    return DG_OK;
}

static DgStatus relocate_all(ElfImage *image, DgError *err)
{
    for (size_t i = 0; i < image->count; i++) {
        Object *o = &image->objects[i];
        for (size_t k = 0; k < o->sections_count; k++)
            if (o->sections[k].sh_type == SHT_RELA)
                DG_TRY(relocate_section(image, o, &o->sections[k], err));
    }
    static const int access[PARTS] = {PROT_READ | PROT_EXEC, PROT_READ, PROT_READ | PROT_WRITE};
    for (int part = 0; part < PARTS; part++) {
        size_t bytes = image->part_at[part + 1] - image->part_at[part];
        if (bytes && mprotect(image->base + image->part_at[part], bytes, access[part]) != 0)
            return dg_fail(err, DG_NOPERM, "could not make the program executable: %s", strerror(errno));
    }
    return DG_OK;
}

DgStatus elf_load(Arena *a, const Str *objects, size_t count, const void *(*find)(const char *name),
                  ElfImage **out, DgError *err)
{
    ElfImage *image = push(a, ElfImage, 1);
    *image = (ElfImage){.arena = a, .objects = push(a, Object, count + 1), .count = count, .find = find};
    for (size_t i = 0; i < count; i++)
        DG_TRY(read_object(a, objects[i], &image->objects[i], err));
    DG_TRY(place_all(image, err));
    for (size_t i = 0; i < count; i++)
        DG_TRY(define_symbols(image, &image->objects[i], err));
    for (size_t i = 0; i < count; i++)
        DG_TRY(resolve_symbols(image, &image->objects[i], err));
    DG_TRY(relocate_all(image, err));
    *out = image;
    return DG_OK;
}

const void *elf_symbol(const ElfImage *image, const char *name)
{
    return map_get(&image->globals, str_from(name));
}
