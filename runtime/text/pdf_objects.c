/* pdf_objects.c - the objects of a PDF. */
#include <math.h>
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/pdf.h"

/* ---- Characters ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0;
}

static bool is_delimiter(char c)
{
    return c == '(' || c == ')' || c == '<' || c == '>' || c == '[' || c == ']' || c == '{' || c == '}' || c == '/' || c == '%';
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void skip_blanks(PdfLexer *l)
{
    for (; l->at < l->s.len; l->at++) {
        char c = l->s.ptr[l->at];
        if (c == '%')
            while (l->at + 1 < l->s.len && l->s.ptr[l->at + 1] != '\n' && l->s.ptr[l->at + 1] != '\r')
                l->at++;
        else if (!is_blank(c))
            return;
    }
}

/* ---- Simple objects ---- */

static bool read_string(PdfLexer *l, PdfObject *out)
{
    Str s = l->s;
    int depth = 1;
    ptrdiff_t from = ++l->at;
    for (ptrdiff_t i = from; depth && i < s.len; i++) { /* how long it is at most */
        depth += s.ptr[i] == '(' ? 1 : s.ptr[i] == ')' ? -1 : 0;
        i += s.ptr[i] == '\\';
        l->at = i + 1;
    }
    if (depth)
        l->at = s.len;
    char *to = push(&l->file->arena, char, l->at - from + 1);
    ptrdiff_t n = 0, end = depth ? s.len : l->at - 1;
    if (!to)
        return false;
    for (ptrdiff_t i = from; i < end; i++) {
        char c = s.ptr[i];
        if (c != '\\' || i + 1 >= end) {
            to[n++] = c;
            continue;
        }
        c = s.ptr[++i];
        static const char escapes[] = "n\nr\rt\tb\bf\f";
        const char *known = c ? strchr(escapes, c) : NULL;
        if (c >= '0' && c <= '7') {
            int code = 0;
            for (int k = 0; k < 3 && i < end && s.ptr[i] >= '0' && s.ptr[i] <= '7'; k++)
                code = (code * 8 + (s.ptr[i++] & 7)) & 255;
            i--;
            to[n++] = (char)code;
        } else if (c == '\r' || c == '\n') {
            i += c == '\r' && i + 1 < end && s.ptr[i + 1] == '\n';
        } else {
            to[n++] = c;
            if (known && (known - escapes) % 2 == 0)
                to[n - 1] = known[1];
        }
    }
    *out = (PdfObject){.kind = PDF_STRING, .text = {to, n}};
    return true;
}

static bool read_hex(PdfLexer *l, PdfObject *out)
{
    Str rest = str_sub(l->s, l->at + 1, l->s.len);
    ptrdiff_t end = str_find_char(rest, '>'), n = 0;
    if (end < 0)
        return false;
    char *to = push(&l->file->arena, char, end / 2 + 2);
    int high = -1;
    for (ptrdiff_t i = 0; to && i < end; i++) {
        int digit = hex_digit(rest.ptr[i]);
        if (digit < 0)
            continue;
        if (high >= 0)
            to[n++] = (char)(high << 4 | digit);
        high = high >= 0 ? -1 : digit;
    }
    if (to && high >= 0)
        to[n++] = (char)(high << 4);
    l->at += end + 2;
    *out = (PdfObject){.kind = PDF_STRING, .text = {to, n}};
    return to != NULL;
}

static bool read_name(PdfLexer *l, PdfObject *out)
{
    ptrdiff_t from = ++l->at, n = 0;
    bool escaped = false;
    for (; l->at < l->s.len && !is_blank(l->s.ptr[l->at]) && !is_delimiter(l->s.ptr[l->at]); l->at++)
        escaped |= l->s.ptr[l->at] == '#';
    Str name = str_sub(l->s, from, l->at);
    char *to = escaped ? push(&l->file->arena, char, name.len + 1) : NULL;
    for (ptrdiff_t i = 0; to && i < name.len; i++) {
        int high = name.ptr[i] == '#' && i + 2 < name.len ? hex_digit(name.ptr[i + 1]) : -1, low = high >= 0 ? hex_digit(name.ptr[i + 2]) : -1;
        to[n++] = name.ptr[i];
        if (low >= 0) {
            to[n - 1] = (char)(high << 4 | low);
            i += 2;
        }
    }
    *out = (PdfObject){.kind = PDF_NAME, .text = to ? (Str){to, n} : name};
    return true;
}

static bool number_of(Str s, double *out)
{
    double n = 0, part = 0.1;
    bool negative = false, digits = false, point = false;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c >= '0' && c <= '9') {
            digits = true;
            if (point) {
                n += (c - '0') * part;
                part /= 10;
            } else {
                n = n * 10 + (c - '0');
            }
        } else if (c == '.' && !point) {
            point = true;
        } else if ((c == '-' || c == '+') && !digits && !point) {
            negative = c == '-';
        } else if (c == '-' && digits) { /* 12.-5, which some programs write */
            break;
        } else {
            return false;
        }
    }
    *out = negative ? -n : n;
    return (digits || point) && n < 1e15;
}

static bool read_word(PdfLexer *l, PdfObject *out)
{
    ptrdiff_t from = l->at;
    while (l->at < l->s.len && !is_blank(l->s.ptr[l->at]) && !is_delimiter(l->s.ptr[l->at]))
        l->at++;
    if (l->at == from) { /* a ) or } that closes nothing */
        l->at++;
        *out = (PdfObject){.kind = PDF_WORD, .text = str_sub(l->s, from, l->at)};
        return true;
    }
    Str word = str_sub(l->s, from, l->at);
    double n;
    if (number_of(word, &n))
        *out = (PdfObject){.kind = PDF_NUMBER, .number = n};
    else if (str_eq(word, S("true")) || str_eq(word, S("false")))
        *out = (PdfObject){.kind = PDF_BOOL, .number = word.ptr[0] == 't'};
    else if (str_eq(word, S("null")))
        *out = (PdfObject){.kind = PDF_NULL};
    else
        *out = (PdfObject){.kind = PDF_WORD, .text = word};
    return true;
}

/* ---- Arrays, dictionaries, references ---- */

static bool whole(const PdfObject *o, double max)
{
    return o->kind == PDF_NUMBER && o->number >= 0 && o->number <= max && floor(o->number) == o->number;
}

static bool read_object(PdfLexer *l, PdfObject *out, bool refs, int depth);

/* `12 0 R` after its first number. */
static void make_reference(PdfLexer *l, PdfObject *out)
{
    PdfObject generation, word;
    ptrdiff_t mark = l->at;
    if (whole(out, PDF_OBJECT_MAX)) {
        skip_blanks(l);
        char c = l->at < l->s.len ? l->s.ptr[l->at] : 0;
        if (c >= '0' && c <= '9' && read_word(l, &generation) && whole(&generation, 65535)) {
            skip_blanks(l);
            if (l->at < l->s.len && l->s.ptr[l->at] == 'R' && read_word(l, &word) && str_eq(word.text, S("R"))) {
                out->kind = PDF_REF;
                return;
            }
        }
    }
    l->at = mark;
}

static bool read_many(PdfLexer *l, PdfObject *out, PdfKind kind, bool refs, int depth)
{
    Array(PdfObject) items = {0};
    Arena *a = &l->file->arena;
    const char *close = kind == PDF_ARRAY ? "]" : ">";
    for (;;) {
        skip_blanks(l);
        if (l->at >= l->s.len || depth > PDF_DEPTH || items.count > PDF_ITEMS_MAX)
            return false;
        if (l->s.ptr[l->at] == *close) {
            l->at += kind == PDF_DICT && l->at + 1 < l->s.len && l->s.ptr[l->at + 1] == '>' ? 2 : 1;
            break;
        }
        PdfObject item;
        if (!read_object(l, &item, refs, depth + 1))
            return false;
        if (item.kind == PDF_WORD && (str_eq(item.text, S("endobj")) || str_eq(item.text, S("stream")) || str_eq(item.text, S("obj"))))
            return false;
        array_add(a, &items, item);
        if (a->failed)
            return false;
    }
    *out = (PdfObject){.kind = kind, .count = (int32_t)(kind == PDF_DICT ? items.count & ~(size_t)1 : items.count), .items = items.items};
    return true;
}

static bool read_object(PdfLexer *l, PdfObject *out, bool refs, int depth)
{
    skip_blanks(l);
    *out = (PdfObject){0};
    if (l->at >= l->s.len)
        return false;
    char c = l->s.ptr[l->at], next = l->at + 1 < l->s.len ? l->s.ptr[l->at + 1] : 0;
    if (c == '(')
        return read_string(l, out);
    if (c == '<' && next == '<') {
        l->at += 2;
        return read_many(l, out, PDF_DICT, refs, depth);
    }
    if (c == '<')
        return read_hex(l, out);
    if (c == '/')
        return read_name(l, out);
    if (c == '[') {
        l->at++;
        return read_many(l, out, PDF_ARRAY, refs, depth);
    }
    if (!read_word(l, out))
        return false;
    if (refs && out->kind == PDF_NUMBER)
        make_reference(l, out);
    return true;
}

bool pdf_next(PdfLexer *l, PdfObject *out, bool refs)
{
    return read_object(l, out, refs, 0);
}

PdfObject pdf_raw(const PdfObject *dict, const char *key)
{
    if (dict->kind == PDF_DICT || dict->kind == PDF_STREAM)
        for (int32_t i = 0; i + 1 < dict->count; i += 2)
            if (dict->items[i].kind == PDF_NAME && str_eq(dict->items[i].text, str_from(key)))
                return dict->items[i + 1];
    return (PdfObject){0};
}

PdfObject pdf_get(PdfFile *f, const PdfObject *dict, const char *key)
{
    return pdf_resolve(f, pdf_raw(dict, key));
}

double pdf_number(PdfObject o, double fallback)
{
    return o.kind == PDF_NUMBER ? o.number : fallback;
}

bool pdf_is_name(PdfObject o, const char *name)
{
    return o.kind == PDF_NAME && str_eq(o.text, str_from(name));
}

/* ---- Objects of the file ---- */

/* After a dictionary: the bytes of its stream, if it has one. Their length may be told wrongly. */
static void take_stream(PdfFile *f, PdfLexer *l, PdfObject *o, bool may_resolve)
{
    skip_blanks(l);
    if (!str_starts(str_sub(l->s, l->at, l->s.len), S("stream")))
        return;
    ptrdiff_t from = l->at + 6;
    from += from < l->s.len && l->s.ptr[from] == '\r';
    from += from < l->s.len && l->s.ptr[from] == '\n';
    PdfObject length = pdf_raw(o, "Length");
    if (length.kind == PDF_REF)
        length = may_resolve ? pdf_resolve(f, length) : (PdfObject){0};
    ptrdiff_t end = -1;
    if (whole(&length, (double)(l->s.len - from))) {
        PdfLexer after = {l->s, from + (ptrdiff_t)length.number, f};
        skip_blanks(&after);
        if (str_starts(str_sub(l->s, after.at, l->s.len), S("endstream")))
            end = from + (ptrdiff_t)length.number;
    }
    if (end < 0) {
        const char *found = from < l->s.len ? memmem(l->s.ptr + from, (size_t)(l->s.len - from), "endstream", 9) : NULL;
        end = found ? found - l->s.ptr : l->s.len;
    }
    o->kind = PDF_STREAM;
    o->data = str_sub(l->s, from, end);
    l->at = end;
}

PdfObject pdf_resolve(PdfFile *f, PdfObject o)
{
    for (int depth = 0; o.kind == PDF_REF; depth++) {
        int32_t number = (int32_t)o.number;
        PdfEntry *e = number < f->entries_count && depth < 32 ? &f->entries[number] : NULL;
        if (!e || !e->text.len || e->reading)
            return (PdfObject){0};
        if (!e->object) {
            PdfLexer l = {e->text, 0, f};
            e->reading = true;
            PdfObject read;
            if (!pdf_next(&l, &read, true))
                read = (PdfObject){0};
            if (read.kind == PDF_DICT)
                take_stream(f, &l, &read, true);
            e->object = push(&f->arena, PdfObject, 1);
            e->reading = false;
            if (!e->object)
                return (PdfObject){0};
            *e->object = read;
        }
        o = *e->object;
    }
    return o;
}

static bool set_entry(PdfFile *f, int32_t number, Str text)
{
    if (number >= f->entries_count) {
        int32_t count = number < 1024 ? 2048 : number * 2;
        PdfEntry *grown = realloc(f->entries, sizeof *grown * (size_t)count);
        if (!grown)
            return false;
        memset(grown + f->entries_count, 0, sizeof *grown * (size_t)(count - f->entries_count));
        f->entries = grown;
        f->entries_count = count;
    }
    f->entries[number] = (PdfEntry){.text = text};
    return true;
}

static void take_trailer(PdfFile *f, const PdfObject *dict)
{
    PdfObject root = pdf_raw(dict, "Root"), info = pdf_raw(dict, "Info"), encrypt = pdf_raw(dict, "Encrypt");
    if (root.kind == PDF_REF)
        f->root = root;
    if (info.kind == PDF_REF)
        f->info = info;
    f->encrypted |= encrypt.kind != PDF_NULL;
}

/* The number before ` G obj` at `at`, which is where `obj` begins; -1: it is no object. */
static int32_t number_before(Str s, ptrdiff_t at)
{
    ptrdiff_t i = at;
    int64_t number[2] = {0};
    for (int part = 0; part < 2; part++) {
        ptrdiff_t blanks = i;
        while (i > 0 && is_blank(s.ptr[i - 1]))
            i--;
        if (i == blanks)
            return -1;
        ptrdiff_t end = i;
        while (i > 0 && end - i < 8 && s.ptr[i - 1] >= '0' && s.ptr[i - 1] <= '9')
            i--;
        if (i == end || (i > 0 && s.ptr[i - 1] >= '0' && s.ptr[i - 1] <= '9'))
            return -1;
        str_to_int(str_sub(s, i, end), &number[part]);
    }
    return number[0] <= 65535 && number[1] <= PDF_OBJECT_MAX ? (int32_t)number[1] : -1;
}

/* Goes through the whole file once. Of objects with one number the last counts, as in files that were
 * changed by appending to them. */
static DgStatus scan(PdfFile *f, DgError *err)
{
    Str s = f->bytes;
    for (ptrdiff_t at = 0; at < s.len;) {
        const char *found = memmem(s.ptr + at, (size_t)(s.len - at), "obj", 3);
        const char *trailer = memmem(s.ptr + at, (size_t)((found ? found - s.ptr : s.len) - at), "trailer", 7);
        if (trailer) {
            PdfLexer l = {s, trailer - s.ptr + 7, f};
            PdfObject dict;
            if (pdf_next(&l, &dict, true) && dict.kind == PDF_DICT)
                take_trailer(f, &dict);
        }
        if (!found)
            break;
        ptrdiff_t here = found - s.ptr;
        int32_t number = number_before(s, here);
        at = here + 3;
        if (number < 0)
            continue;
        DG_TRY(doc_check(f->doc, err));
        PdfLexer l = {s, at, f};
        size_t mark = arena_mark(&f->arena);
        PdfObject o;
        skip_blanks(&l);
        bool is_dict = str_starts(str_sub(s, l.at, s.len), S("<<")) && pdf_next(&l, &o, true) && o.kind == PDF_DICT;
        if (!set_entry(f, number, str_sub(s, at, s.len)))
            return os_no_memory(err, "for a document's objects");
        if (f->arena.failed)
            return dg_fail(err, DG_DATA, "it has too many objects");
        if (!is_dict) {
            arena_pop(&f->arena, mark);
            continue;
        }
        take_stream(f, &l, &o, false);
        bool holds = o.kind == PDF_STREAM && pdf_is_name(pdf_raw(&o, "Type"), "ObjStm");
        if (o.kind == PDF_STREAM && pdf_is_name(pdf_raw(&o, "Type"), "XRef"))
            take_trailer(f, &o);
        at = l.at;
        arena_pop(&f->arena, mark);
        if (holds)
            array_add(&f->arena, &f->packed, number);
    }
    return DG_OK;
}

/* The objects inside a stream. */
static DgStatus open_packed(PdfFile *f, int32_t number, DgError *err)
{
    PdfObject stream = pdf_resolve(f, (PdfObject){.kind = PDF_REF, .number = number});
    StrBuf text = {0};
    DgStatus status = pdf_unpack(f, &stream, &text, err);
    if (status != DG_OK) {
        buf_free(&text);
        return status == DG_END ? DG_OK : status;
    }
    Str all = str_copy(&f->arena, buf_str(&text));
    buf_free(&text);
    int32_t count = (int32_t)pdf_number(pdf_get(f, &stream, "N"), 0);
    double first = pdf_number(pdf_get(f, &stream, "First"), 0);
    PdfLexer l = {all, 0, f};
    for (int32_t i = 0; i < count && i < PDF_ITEMS_MAX; i++) {
        PdfObject name, offset;
        if (!pdf_next(&l, &name, false) || !pdf_next(&l, &offset, false) || !whole(&name, PDF_OBJECT_MAX) || !whole(&offset, (double)all.len))
            break;
        double at = first + offset.number;
        int32_t inner = (int32_t)name.number;
        /* An object of the file's later part, of the same number, counts more. */
        Str old = inner < f->entries_count ? f->entries[inner].text : (Str){0};
        bool newer = old.ptr > f->entries[number].text.ptr && old.ptr < f->bytes.ptr + f->bytes.len;
        if (at >= 0 && at < (double)all.len && !newer && inner != number && !set_entry(f, inner, str_sub(all, (ptrdiff_t)at, all.len)))
            return os_no_memory(err, "for a document's objects");
    }
    return f->arena.failed ? dg_fail(err, DG_DATA, "it has too many objects") : DG_OK;
}

DgStatus pdf_open(PdfFile *f, DgError *err)
{
    Str end = str_sub(f->bytes, f->bytes.len - 2048, f->bytes.len);
    if (str_find(str_sub(f->bytes, 0, 1024), S("%PDF-")) < 0)
        return dg_fail(err, DG_DATA, "it is no PDF");
    if (str_find(end, S("startxref")) < 0 && str_find(end, S("%%EOF")) < 0)
        return dg_fail(err, DG_DATA, "it is a PDF that was cut off");
    DG_TRY(scan(f, err));
    if (f->encrypted)
        return dg_fail(err, DG_DATA, "it is an encrypted PDF");
    for (size_t i = 0; i < f->packed.count; i++)
        DG_TRY(open_packed(f, f->packed.items[i], err));
    f->root = pdf_resolve(f, f->root);
    if (f->root.kind != PDF_DICT) { /* no trailer that can be used: look for it */
        for (int32_t i = 0; i < f->entries_count; i++) {
            PdfObject o = pdf_resolve(f, (PdfObject){.kind = PDF_REF, .number = i});
            if (o.kind == PDF_DICT && pdf_is_name(pdf_raw(&o, "Type"), "Catalog"))
                f->root = o;
        }
    }
    return f->root.kind == PDF_DICT ? DG_OK : dg_fail(err, DG_DATA, "it is a PDF without pages");
}
