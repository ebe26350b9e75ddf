/* formats.c - names and endings of formats, words for dates. */
#include <stdlib.h>

#include "runtime/files/formats_internal.h"

static const struct { const char *name; DgFileFormat format; } names[] = {
    {"csv", DG_FILE_CSV},       {"txt", DG_FILE_CSV},          {"tsv", DG_FILE_TSV},      {"tab", DG_FILE_TSV},
    {"json", DG_FILE_JSON},     {"ndjson", DG_FILE_NDJSON},    {"jsonl", DG_FILE_NDJSON}, {"jsonlines", DG_FILE_NDJSON},
    {"parquet", DG_FILE_PARQUET}, {"parq", DG_FILE_PARQUET},   {"pq", DG_FILE_PARQUET},   {"xlsx", DG_FILE_XLSX},
    {"excel", DG_FILE_XLSX},    {"raw", DG_FILE_RAW},
};

DgFileFormat file_format_find(Str name)
{
    name = str_trim(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(name, str_from(names[i].name)))
            return names[i].format;
    return DG_FILE_AUTO;
}

/* `.gz` of `a/b.csv.gz`, without the dot; *before is the rest. */
static Str ending_of(Str path, Str *before)
{
    for (ptrdiff_t i = path.len - 1; i >= 0 && path.ptr[i] != '/'; i--)
        if (path.ptr[i] == '.') {
            *before = str_sub(path, 0, i);
            return str_sub(path, i + 1, path.len);
        }
    *before = path;
    return (Str){0};
}

Str format_compression_of(Str path)
{
    Str before, ending = ending_of(path, &before);
    if (str_eq_nocase(ending, S("gz")) || str_eq_nocase(ending, S("gzip")))
        return S("gzip");
    if (str_eq_nocase(ending, S("zst")) || str_eq_nocase(ending, S("zstd")))
        return S("zstd");
    return S("none");
}

DgFileFormat file_format_of(Str path)
{
    Str before, query, ending = ending_of(path, &before);
    if (str_eq(format_compression_of(path), S("none")) == false)
        ending = ending_of(before, &before);
    DgFileFormat found = ending.len && !str_eq_nocase(ending, S("raw")) && !str_eq_nocase(ending, S("excel"))
                             ? file_format_find(ending) : DG_FILE_AUTO;
    if (found == DG_FILE_AUTO && str_cut(path, '?', &before, &query)) /* what came over http */
        return file_format_of(before);
    return found;
}

Str format_folder_temporary(Arena *a)
{
    const char *folder = getenv("TMPDIR");
    return str_copy(a, folder && folder[0] == '/' ? str_from(folder) : S("/tmp"));
}

/* Longest first: the first that fits is taken. Go's reference time has a number for each part. */
static const struct { const char *word, *means; char part; } words[] = {
    {"YYYY", "%Y", 'd'}, {"yyyy", "%Y", 'd'}, {"2006", "%Y", 'd'}, {"YY", "%y", 'd'},  {"MMMM", "%B", 'd'}, {"MMM", "%b", 'd'},
    {"January", "%B", 'd'}, {"Jan", "%b", 'd'}, {"MM", "%m", 'd'}, {"DD", "%d", 'd'},  {"dd", "%d", 'd'},
    {"HH", "%H", 't'},   {"hh", "%I", 't'},   {"mm", "%M", 't'},   {"ss", "%S", 't'},  {"SSSSSS", "%f", 't'}, {"SSS", "%g", 't'},
    {"000000", "%f", 't'}, {"000", "%g", 't'}, {"15", "%H", 't'},  {"01", "%m", 'd'},  {"02", "%d", 'd'},
    {"03", "%I", 't'},   {"04", "%M", 't'},   {"05", "%S", 't'},   {"06", "%y", 'd'},  {"PM", "%p", 't'},   {"A", "%p", 't'},
    {"-0700", "%z", 't'}, {"-07:00", "%z", 't'}, {"Z07:00", "%z", 't'}, {"ZZ", "%z", 't'}, {"Z", "%z", 't'},
};

Str format_datetime(Arena *a, Str given, bool *date, bool *time)
{
    StrBuf b = {.max = 4096};
    *date = *time = false;
    if (str_find_char(given, '%') >= 0) { /* strftime's own */
        for (ptrdiff_t i = 0; i + 1 < given.len; i++)
            if (given.ptr[i] == '%') {
                i++;
                *date |= strchr("YymdBbeajGuUWx", given.ptr[i]) != NULL;
                *time |= strchr("HIMSfgnpzZcX", given.ptr[i]) != NULL;
            }
        return str_copy(a, given);
    }
    for (ptrdiff_t i = 0; i < given.len;) {
        size_t k = 0;
        Str rest = str_sub(given, i, given.len);
        while (k < sizeof words / sizeof *words && !str_starts(rest, str_from(words[k].word)))
            k++;
        if (k == sizeof words / sizeof *words) {
            buf_char(&b, given.ptr[i++]);
            continue;
        }
        buf_add(&b, str_from(words[k].means));
        *date |= words[k].part == 'd';
        *time |= words[k].part == 't';
        i += (ptrdiff_t)strlen(words[k].word);
    }
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}
