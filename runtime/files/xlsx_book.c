/* xlsx_book.c - what a workbook says beside its sheets' cells. */
#include <stdlib.h>

#include "runtime/files/xlsx_internal.h"
#include "runtime/os/os.h"

enum { SHEETS_MAX = 10000, STYLES_MAX = 200000, FORMATS_MAX = 10000 };

typedef struct Part { /* a member that is being read */
    XmlReader *xml;
    ZipStream *stream;
} Part;

static void part_close(Part *p)
{
    if (p->stream)
        zip_stream_close(p->stream);
    os_free(p->stream);
    os_free(p->xml);
    *p = (Part){0};
}

static DgStatus part_open(XlsxBook *b, const ZipMember *m, Part *p, DgError *err)
{
    *p = (Part){os_alloc(sizeof(XmlReader)), os_alloc(sizeof(ZipStream))};
    if (!p->xml || !p->stream) {
        part_close(p);
        return os_no_memory(err, "for a part of a workbook");
    }
    DgStatus status = zip_stream_open(p->stream, &b->zip, m, err);
    if (status != DG_OK) {
        part_close(p);
        return status;
    }
    p->xml->read = zip_stream_read;
    p->xml->context = p->stream;
    p->xml->what = str_cstr(&b->arena, m->name);
    return DG_OK;
}

/* `visit` for each element that opens. A part that is not there has none. */
static DgStatus each_element(XlsxBook *b, Str path, DgStatus (*visit)(XlsxBook *, XmlReader *, void *, DgError *), void *context,
                             DgError *err)
{
    const ZipMember *m = zip_find(&b->zip, path);
    Part p;
    XmlKind kind = XML_OPEN;
    if (!m)
        return DG_OK;
    DG_TRY(part_open(b, m, &p, err));
    DgStatus status = DG_OK;
    while (status == DG_OK && kind != XML_DONE) {
        status = xml_next(p.xml, &kind, err);
        if (status == DG_OK && kind == XML_OPEN)
            status = visit(b, p.xml, context, err);
    }
    part_close(&p);
    if (status == DG_OK && b->arena.failed)
        status = os_no_memory(err, "for a workbook");
    return status;
}

/* ---- Which sheet ---- */

typedef struct Search {
    Str wanted;
    int64_t number;      /* wanted as a number; 0: it is none */
    int64_t seen;
    Str first, by_number; /* relation ids */
    Str first_name, number_name;
    Str id, name;        /* by name */
    Str target;          /* of the relation */
    const char *type;    /* relations of this kind, when no id is known */
} Search;

static DgStatus visit_workbook(XlsxBook *b, XmlReader *x, void *context, DgError *err)
{
    Search *s = context;
    if (str_eq(x->name, S("workbookPr"))) {
        Str value = xml_attribute(x, "date1904");
        b->from_1904 = str_eq(value, S("1")) || str_eq(value, S("true"));
    }
    if (!str_eq(x->name, S("sheet")))
        return DG_OK;
    Str name = str_copy(&b->arena, xml_attribute(x, "name")), state = xml_attribute(x, "state"), id = {0};
    for (int32_t i = 0; i < x->attributes_count; i++) /* r:id; sheetId is another one */
        if (str_eq(x->attributes[i].name, S("id")))
            id = str_copy(&b->arena, x->attributes[i].value);
    if (++s->seen > SHEETS_MAX)
        return dg_fail(err, DG_DATA, "`%s` has too many sheets", b->zip.path);
    if (!s->first.len && !str_starts(state, S("hidden")) && !str_starts(state, S("veryHidden")))
        s->first = id, s->first_name = name;
    if (s->seen == s->number)
        s->by_number = id, s->number_name = name;
    if (s->wanted.len && str_eq_nocase(name, s->wanted))
        s->id = id, s->name = name;
    return DG_OK;
}

static DgStatus visit_relations(XlsxBook *b, XmlReader *x, void *context, DgError *err)
{
    Search *s = context;
    if (!str_eq(x->name, S("Relationship")))
        return DG_OK;
    bool fits = s->type ? str_ends(xml_attribute(x, "Type"), str_from(s->type)) : str_eq(xml_attribute(x, "Id"), s->id);
    if (fits && !s->target.len)
        s->target = str_copy(&b->arena, xml_attribute(x, "Target"));
    return DG_OK;
}

/* A relation's target stands on the folder of the part that has it. */
static Str resolve(Arena *a, Str folder, Str target)
{
    if (str_starts(target, S("/")))
        return str_sub(target, 1, target.len);
    while (str_starts(target, S("../"))) {
        target = str_sub(target, 3, target.len);
        folder = (Str){0};
    }
    return str_format(a, "%.*s%.*s", FMT(folder), FMT(target));
}

static Str folder_of(Str path)
{
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, 0, i);
}

static DgStatus find_sheet(XlsxBook *b, Str wanted, Str *folder, DgError *err)
{
    Search s = {.wanted = wanted, .type = "/officeDocument"};
    if (!str_to_int(wanted, &s.number))
        s.number = 0;
    DG_TRY(each_element(b, S("_rels/.rels"), visit_relations, &s, err));
    Str book = resolve(&b->arena, S(""), s.target.len ? s.target : S("xl/workbook.xml"));
    if (!zip_find(&b->zip, book))
        return dg_fail(err, DG_DATA, "`%s` is no XLSX workbook", b->zip.path);
    *folder = folder_of(book);
    DG_TRY(each_element(b, book, visit_workbook, &s, err));
    if (!s.id.len && s.by_number.len)
        s.id = s.by_number, s.name = s.number_name;
    if (!wanted.len)
        s.id = s.first, s.name = s.first_name;
    if (!s.id.len)
        return dg_fail(err, DG_CONFIG, "`%s` has no sheet `%.*s`", b->zip.path, FMT(wanted));
    s.type = NULL;
    s.target = (Str){0};
    Str relations = str_format(&b->arena, "%.*s_rels/%.*s.rels", FMT(*folder), FMT(str_sub(book, folder->len, book.len)));
    DG_TRY(each_element(b, relations, visit_relations, &s, err));
    b->sheet_name = s.name;
    b->sheet_path = resolve(&b->arena, *folder, s.target);
    return zip_find(&b->zip, b->sheet_path) ? DG_OK
                                            : dg_fail(err, DG_DATA, "`%s` lacks its sheet `%.*s`", b->zip.path, FMT(s.name));
}

/* ---- Styles ---- */

typedef struct Styles {
    struct { int64_t id; XlsxKind kind; } *formats;
    int32_t count;
    bool in_cells; /* inside cellXfs; cellStyleXfs has xf too */
} Styles;

static bool counts_past_a_day(Str inside) /* h hh m mm s ss */
{
    char c = inside.len ? inside.ptr[0] | 32 : 0;
    bool same = inside.len == 1 || (inside.len == 2 && (inside.ptr[1] | 32) == c);
    return same && (c == 'h' || c == 'm' || c == 's');
}

/* A date's letters, outside of quotes and brackets; [h] counts hours past a day: a number. */
static XlsxKind kind_of_code(Str code)
{
    bool date = false, time = false;
    for (ptrdiff_t i = 0; i < code.len && code.ptr[i] != ';'; i++) {
        char c = code.ptr[i] | 32;
        if (code.ptr[i] == '"') {
            while (++i < code.len && code.ptr[i] != '"')
                continue;
        } else if (code.ptr[i] == '\\' || code.ptr[i] == '_' || code.ptr[i] == '*') {
            i++;
        } else if (code.ptr[i] == '[') {
            ptrdiff_t start = i;
            while (i < code.len && code.ptr[i] != ']')
                i++;
            if (counts_past_a_day(str_sub(code, start + 1, i)))
                return XLSX_NUMBER;
        } else if (str_starts(str_sub(code, i, code.len), S("General"))) {
            i += 6;
        } else {
            date |= c == 'y' || c == 'd';
            time |= c == 'h' || c == 's';
            date |= c == 'm' && !time && str_find_char(str_sub(code, i, code.len), 's') < 0 && str_find_char(str_sub(code, i, code.len), ':') < 0;
        }
    }
    return date ? XLSX_DATE : time ? XLSX_TIME : XLSX_NUMBER;
}

static XlsxKind kind_of_number(const Styles *s, int64_t id)
{
    for (int32_t i = 0; i < s->count; i++)
        if (s->formats[i].id == id)
            return s->formats[i].kind;
    if ((id >= 14 && id <= 17) || id == 22 || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) || id == 57 || id == 58)
        return XLSX_DATE;
    return (id >= 18 && id <= 21) || id == 45 || id == 47 ? XLSX_TIME : XLSX_NUMBER;
}

static DgStatus visit_styles(XlsxBook *b, XmlReader *x, void *context, DgError *err)
{
    Styles *s = context;
    int64_t id = 0;
    if (str_eq(x->name, S("numFmt")) && s->count < FORMATS_MAX && str_to_int(xml_attribute(x, "numFmtId"), &id)) {
        s->formats[s->count].id = id;
        s->formats[s->count++].kind = kind_of_code(xml_attribute(x, "formatCode"));
    } else if (str_eq(x->name, S("cellXfs")) || str_eq(x->name, S("cellStyles"))) {
        s->in_cells = str_eq(x->name, S("cellXfs"));
    } else if (s->in_cells && str_eq(x->name, S("xf"))) {
        if (b->styles.count == STYLES_MAX)
            return dg_fail(err, DG_DATA, "`%s` has too many styles", b->zip.path);
        str_to_int(xml_attribute(x, "numFmtId"), &id);
        array_add(&b->arena, &b->styles, (uint8_t)kind_of_number(s, id));
    }
    return DG_OK;
}

/* ---- Shared strings ---- */

void xlsx_add_text(StrBuf *to, Str text)
{
    while (text.len) {
        ptrdiff_t at = str_find(text, S("_x"));
        if (at < 0 || at + 7 > text.len || text.ptr[at + 6] != '_') {
            ptrdiff_t n = at < 0 ? text.len : at + 1;
            buf_add(to, str_sub(text, 0, n));
            text = str_sub(text, n, text.len);
            continue;
        }
        uint32_t c = 0;
        bool hex = true;
        for (ptrdiff_t i = at + 2; i < at + 6; i++) {
            char d = text.ptr[i] | 32;
            int digit = text.ptr[i] >= '0' && text.ptr[i] <= '9' ? text.ptr[i] - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : -1;
            hex &= digit >= 0;
            c = c * 16 + (uint32_t)(digit & 15);
        }
        ptrdiff_t end = hex && c && c < 0x80 ? at : at + 1; /* control characters; `_x005F_` is _ itself */
        buf_add(to, str_sub(text, 0, end));
        if (end == at)
            buf_char(to, (char)c);
        text = str_sub(text, end == at ? at + 7 : end, text.len);
    }
}

static DgStatus read_strings(XlsxBook *b, Str path, int64_t memory_max, DgError *err)
{
    const ZipMember *m = zip_find(&b->zip, path);
    Part p;
    XmlKind kind = XML_OPEN;
    int32_t phonetic = 0; /* depth of an element whose text is how the rest is pronounced */
    bool in_text = false;
    if (!m)
        return DG_OK;
    b->strings.bytes.max = memory_max > 0 ? (size_t)memory_max : (size_t)1 << 30;
    DG_TRY(part_open(b, m, &p, err));
    DgStatus status = DG_OK;
    while (status == DG_OK && kind != XML_DONE) {
        status = xml_next(p.xml, &kind, err);
        if (status != DG_OK)
            break;
        if (kind == XML_OPEN) {
            phonetic = !phonetic && str_eq(p.xml->name, S("rPh")) ? p.xml->depth : phonetic;
            in_text = str_eq(p.xml->name, S("t")) && !phonetic;
        } else if (kind == XML_TEXT && in_text) {
            xlsx_add_text(&b->strings.bytes, p.xml->text);
        } else if (kind == XML_CLOSE) {
            in_text = false;
            phonetic = p.xml->depth < phonetic ? 0 : phonetic;
            if (str_eq(p.xml->name, S("si")))
                array_add(&b->arena, &b->strings.ends, (uint32_t)b->strings.bytes.len);
        }
        if (b->strings.bytes.failed || b->strings.bytes.len > UINT32_MAX || b->arena.failed) {
            status = dg_fail(err, DG_NOMEM, "the texts of `%s` need more memory than there is to be", b->zip.path);
            break;
        }
    }
    part_close(&p);
    return status;
}

/* ---- Opening ---- */

DgStatus xlsx_book_open(XlsxBook *b, const char *path, Str sheet, int64_t memory_max, DgError *err)
{
    Str folder;
    *b = (XlsxBook){.zip.fd = -1};
    arena_init(&b->arena, (size_t)1 << 30);
    b->arena.can_fail = true;
    Styles styles = {.formats = os_alloc(sizeof *styles.formats * FORMATS_MAX)};
    DgStatus status = styles.formats ? zip_open(&b->zip, &b->arena, path, err) : os_no_memory(err, "for the styles of a workbook");
    if (status == DG_OK)
        status = find_sheet(b, sheet, &folder, err);
    if (status == DG_OK)
        status = each_element(b, str_format(&b->arena, "%.*sstyles.xml", FMT(folder)), visit_styles, &styles, err);
    if (status == DG_OK)
        status = read_strings(b, str_format(&b->arena, "%.*ssharedStrings.xml", FMT(folder)), memory_max, err);
    os_free(styles.formats);
    if (status != DG_OK)
        xlsx_book_close(b);
    return status;
}

void xlsx_book_close(XlsxBook *b)
{
    zip_close(&b->zip);
    buf_free(&b->strings.bytes);
    arena_free(&b->arena);
    *b = (XlsxBook){.zip.fd = -1};
}
