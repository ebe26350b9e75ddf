/* source.c - files of the project, and the way from byte offsets to lines and columns. */
#include "compiler/source.h"

#include <errno.h>
#include <stdio.h>

void sources_init(Sources *s, Arena *arena)
{
    *s = (Sources){.arena = arena};
    array_add(arena, &s->files, (SourceFile){0});
}

static void index_lines(Arena *arena, SourceFile *f)
{
    uint32_t count = 1;
    for (ptrdiff_t i = 0; i < f->text.len; i++)
        count += f->text.ptr[i] == '\n';
    f->lines = push(arena, uint32_t, count);
    f->lines_count = count;
    uint32_t line = 1;
    for (ptrdiff_t i = 0; i < f->text.len; i++)
        if (f->text.ptr[i] == '\n')
            f->lines[line++] = (uint32_t)i + 1;
}

uint32_t sources_add(Sources *s, Str shown_path, Str text)
{
    assert(text.len < (ptrdiff_t)UINT32_MAX);
    SourceFile f = {.path = str_copy(s->arena, shown_path), .text = text};
    index_lines(s->arena, &f);
    array_add(s->arena, &s->files, f);
    return (uint32_t)s->files.count - 1;
}

/* Reads all of an open file; one byte past the limit is enough to know that it is too large. */
static DgStatus read_all(Arena *arena, FILE *in, Str path, Str *text, DgError *err)
{
    StrBuf b = {.max = LIMIT_YAML_BYTES};
    char chunk[16384];
    size_t n;
    errno = 0;
    while (!b.failed && (n = fread(chunk, 1, sizeof chunk, in)) > 0)
        buf_add(&b, (Str){chunk, (ptrdiff_t)n});
    DgStatus status = DG_OK;
    if (b.failed)
        status = dg_fail(err, DG_USAGE, "could not read `%.*s`: it is larger than %d MiB",
                         FMT(path), LIMIT_YAML_BYTES >> 20);
    else if (ferror(in))
        status = dg_fail(err, DG_IO, "could not read `%.*s`: %s", FMT(path), strerror(errno));
    else
        *text = str_copy(arena, buf_str(&b));
    buf_free(&b);
    return status;
}

uint32_t sources_load(Sources *s, Str shown_path, Str disk_path, DgError *err)
{
    Str disk = str_copy(s->arena, disk_path);
    FILE *in = fopen(disk.ptr, "rb");
    if (!in) {
        DgStatus status = errno == EACCES ? DG_NOPERM : DG_IO;
        dg_fail(err, status, "could not open `%.*s`: %s", FMT(shown_path), strerror(errno));
        return 0;
    }
    Str text = {0};
    DgStatus status = read_all(s->arena, in, shown_path, &text, err);
    fclose(in);
    if (status != DG_OK)
        return 0;
    uint32_t file = sources_add(s, shown_path, text);
    s->files.items[file].disk_path = disk;
    return file;
}

const SourceFile *sources_file(const Sources *s, uint32_t file)
{
    assert(file < s->files.count);
    return &s->files.items[file];
}

static uint32_t line_of(const SourceFile *f, uint32_t offset)
{
    uint32_t low = 0, high = f->lines_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (f->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

Str sources_line(const Sources *s, uint32_t file, uint32_t line)
{
    const SourceFile *f = sources_file(s, file);
    if (line == 0 || line > f->lines_count)
        return (Str){0};
    ptrdiff_t start = f->lines[line - 1];
    ptrdiff_t end = line < f->lines_count ? (ptrdiff_t)f->lines[line] - 1 : f->text.len;
    if (line == 1 && str_starts(f->text, S("\xef\xbb\xbf")))
        start = 3;
    Str text = str_sub(f->text, start, end);
    if (text.len && text.ptr[text.len - 1] == '\r')
        text.len--;
    return text;
}

static uint32_t column_of(const SourceFile *f, uint32_t line, uint32_t offset)
{
    uint32_t column = 1;
    uint32_t start = f->lines[line - 1];
    if (start == 0 && str_starts(f->text, S("\xef\xbb\xbf")))
        start = 3;
    for (uint32_t i = start; i < offset && i < (uint32_t)f->text.len; i++)
        column += ((unsigned char)f->text.ptr[i] & 0xc0) != 0x80;
    return column;
}

uint32_t sources_line_of(const Sources *s, Span at)
{
    return at.file ? line_of(sources_file(s, at.file), at.start) : 0;
}

Place sources_place(const Sources *s, Span at)
{
    if (at.file == 0)
        return (Place){0};
    const SourceFile *f = sources_file(s, at.file);
    Place p = {.line = line_of(f, at.start)};
    p.column = column_of(f, p.line, at.start);
    p.end_line = at.end > at.start ? line_of(f, at.end) : p.line;
    p.end_column = at.end > at.start ? column_of(f, p.end_line, at.end) : p.column;
    return p;
}

Span span_to(Span a, Span b)
{
    if (a.file == 0 || a.file != b.file)
        return a.file ? a : b;
    return (Span){a.file, a.start, b.end > a.end ? b.end : a.end};
}
