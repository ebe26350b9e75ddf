/* pdf_fonts.c - what a code in a PDF's font stands for, and how wide it is.
 *
 * The font's ToUnicode map says it best. Without one: a simple font's encoding and the names of its
 * glyphs; of a composite font the maps that are Unicode themselves. Other codes are counted as unknown.
 */
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/pdf.h"
#include "runtime/text/unicode.h"

enum { RANGES_MAX = 200000, FONTS_MAX = 5000, NAME_MAX_BYTES = 64 };

typedef struct CodeRange { /* codes first..last of `bytes` bytes become text, the last character counted up */
    uint32_t first, last;
    uint8_t bytes, count;
    uint32_t characters[8];
} CodeRange;

typedef struct WidthRange {
    int32_t first, last;
    double width;
} WidthRange;

struct PdfFont {
    bool composite, unicode_codes; /* codes are UTF-16 themselves */
    Array(CodeRange) ranges;       /* ToUnicode, sorted */
    Array(CodeRange) spaces;       /* code spaces */
    uint32_t encoding[256];        /* simple fonts; 0: not known */
    double widths[256];
    Array(WidthRange) wide;        /* composite */
    double default_width;
    double scale;                  /* of widths: Type 3 fonts have their own */
};

/* ---- Encodings ---- */

typedef struct GlyphName { const char *name; uint32_t c; } GlyphName;
static const GlyphName glyph_names[] = {
#include "runtime/text/glyph_names.inc"
};

static int by_name(const void *key, const void *item)
{
    return str_cmp(*(const Str *)key, str_from(((const GlyphName *)item)->name));
}

static uint32_t hex_of(Str s)
{
    uint32_t c = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        char d = s.ptr[i];
        int digit = d >= '0' && d <= '9' ? d - '0' : (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : -1;
        if (digit < 0 || c > 0x10ffff)
            return 0;
        c = c * 16 + (uint32_t)digit;
    }
    return c <= 0x10ffff ? c : 0;
}

/* `eacute`, `a`, `uni00E9`, `u1F600`, `one.oldstyle`; 0: it says nothing. */
static uint32_t glyph_character(Str name)
{
    Str before, after;
    if (str_cut(name, '.', &before, &after) && before.len)
        name = before;
    if (name.len == 1)
        return (unsigned char)name.ptr[0];
    if (name.len > NAME_MAX_BYTES)
        return 0;
    const GlyphName *known = bsearch(&name, glyph_names, sizeof glyph_names / sizeof *glyph_names, sizeof *glyph_names, by_name);
    if (known)
        return known->c;
    if (str_starts(name, S("uni")) && name.len >= 7)
        return hex_of(str_sub(name, 3, 7));
    return name.ptr[0] == 'u' && name.len >= 5 && name.len <= 7 ? hex_of(str_sub(name, 1, name.len)) : 0;
}

static const uint16_t windows_high[32] = {
    0x20ac, 0x2022, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x2022, 0x017d, 0x2022,
    0x2022, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x2022, 0x017e, 0x0178};

static const uint16_t mac_high[128] = {
    0xc4, 0xc5, 0xc7, 0xc9, 0xd1, 0xd6, 0xdc, 0xe1, 0xe0, 0xe2, 0xe4, 0xe3, 0xe5, 0xe7, 0xe9, 0xe8, 0xea, 0xeb, 0xed, 0xec, 0xee, 0xef, 0xf1, 0xf3, 0xf2, 0xf4, 0xf6,
    0xf5, 0xfa, 0xf9, 0xfb, 0xfc, 0x2020, 0xb0, 0xa2, 0xa3, 0xa7, 0x2022, 0xb6, 0xdf, 0xae, 0xa9, 0x2122, 0xb4, 0xa8, 0x2260, 0xc6, 0xd8, 0x221e, 0xb1, 0x2264, 0x2265,
    0xa5, 0xb5, 0x2202, 0x2211, 0x220f, 0x3c0, 0x222b, 0xaa, 0xba, 0x3a9, 0xe6, 0xf8, 0xbf, 0xa1, 0xac, 0x221a, 0x192, 0x2248, 0x2206, 0xab, 0xbb, 0x2026, 0xa0, 0xc0,
    0xc3, 0xd5, 0x152, 0x153, 0x2013, 0x2014, 0x201c, 0x201d, 0x2018, 0x2019, 0xf7, 0x25ca, 0xff, 0x178, 0x2044, 0x20ac, 0x2039, 0x203a, 0xfb01, 0xfb02, 0x2021, 0xb7,
    0x201a, 0x201e, 0x2030, 0xc2, 0xca, 0xc1, 0xcb, 0xc8, 0xcd, 0xce, 0xcf, 0xcc, 0xd3, 0xd4, 0xf8ff, 0xd2, 0xda, 0xdb, 0xd9, 0x131, 0x2c6, 0x2dc, 0xaf, 0x2d8, 0x2d9,
    0x2da, 0xb8, 0x2dd, 0x2db, 0x2c7};

static const uint16_t standard_high[96] = { /* from 0xa0 */
    0, 0xa1, 0xa2, 0xa3, 0x2044, 0xa5, 0x192, 0xa7, 0xa4, 0x27, 0x201c, 0xab, 0x2039, 0x203a, 0xfb01, 0xfb02, 0, 0x2013, 0x2020, 0x2021, 0xb7, 0, 0xb6, 0x2022, 0x201a,
    0x201e, 0x201d, 0xbb, 0x2026, 0x2030, 0, 0xbf, 0, 0x60, 0xb4, 0x2c6, 0x2dc, 0xaf, 0x2d8, 0x2d9, 0xa8, 0, 0x2da, 0xb8, 0, 0x2dd, 0x2db, 0x2c7, 0x2014, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc6, 0, 0xaa, 0, 0, 0, 0, 0x141, 0xd8, 0x152, 0xba, 0, 0, 0, 0, 0, 0xe6, 0, 0, 0, 0x131, 0, 0, 0x142, 0xf8, 0x153, 0xdf};

static void base_encoding(PdfFont *font, PdfObject name)
{
    bool mac = pdf_is_name(name, "MacRomanEncoding"), windows = pdf_is_name(name, "WinAnsiEncoding");
    for (uint32_t i = 32; i < 256; i++) {
        uint32_t c = i < 127 ? i : 0;
        if (i >= 128 && mac)
            c = mac_high[i - 128];
        else if (i >= 128 && windows)
            c = i < 160 ? windows_high[i - 128] : i;
        else if (i >= 160 && !mac)
            c = standard_high[i - 160];
        font->encoding[i] = c;
    }
    if (!mac && !windows)
        font->encoding['\''] = 0x2019, font->encoding['`'] = 0x2018;
}

static void simple_encoding(PdfFile *f, PdfFont *font, const PdfObject *dict)
{
    PdfObject encoding = pdf_get(f, dict, "Encoding"), base = encoding.kind == PDF_DICT ? pdf_get(f, &encoding, "BaseEncoding") : encoding;
    PdfObject differences = pdf_get(f, &encoding, "Differences");
    if (base.kind != PDF_NAME && pdf_is_name(pdf_get(f, dict, "Subtype"), "TrueType"))
        base = (PdfObject){.kind = PDF_NAME, .text = S("WinAnsiEncoding")};
    base_encoding(font, base);
    double code = 0;
    for (int32_t i = 0; differences.kind == PDF_ARRAY && i < differences.count; i++) {
        PdfObject o = pdf_resolve(f, differences.items[i]);
        if (o.kind == PDF_NUMBER)
            code = o.number;
        else if (o.kind == PDF_NAME && code >= 0 && code < 256)
            font->encoding[(int)code++] = glyph_character(o.text);
    }
}

/* ---- Widths ---- */

/* Helvetica's, for fonts that everybody has and whose widths are therefore not told. */
static const uint16_t helvetica[95] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584};

static void simple_widths(PdfFile *f, PdfFont *font, const PdfObject *dict)
{
    PdfObject widths = pdf_get(f, dict, "Widths"), descriptor = pdf_get(f, dict, "FontDescriptor"), name = pdf_get(f, dict, "BaseFont");
    double first = pdf_number(pdf_get(f, dict, "FirstChar"), 0), missing = pdf_number(pdf_get(f, &descriptor, "MissingWidth"), 0);
    bool courier = name.kind == PDF_NAME && str_find(name.text, S("Courier")) >= 0;
    for (int i = 0; i < 256; i++) {
        font->widths[i] = missing;
        if (widths.kind != PDF_ARRAY)
            font->widths[i] = courier ? 600 : i >= 32 && i < 127 ? helvetica[i - 32] : 556;
    }
    for (int32_t i = 0; widths.kind == PDF_ARRAY && i < widths.count && i < 256; i++) {
        double code = first + i;
        if (code >= 0 && code < 256)
            font->widths[(int)code] = pdf_number(pdf_resolve(f, widths.items[i]), 0);
    }
    PdfObject matrix = pdf_get(f, dict, "FontMatrix");
    if (matrix.kind == PDF_ARRAY && matrix.count == 6)
        font->scale = pdf_number(pdf_resolve(f, matrix.items[0]), 0.001) * 1000;
}

static void composite_widths(PdfFile *f, PdfFont *font, const PdfObject *descendant)
{
    PdfObject w = pdf_get(f, descendant, "W");
    font->default_width = pdf_number(pdf_get(f, descendant, "DW"), 1000);
    for (int32_t i = 0; w.kind == PDF_ARRAY && i + 1 < w.count && font->wide.count < RANGES_MAX;) {
        int32_t first = (int32_t)pdf_number(pdf_resolve(f, w.items[i]), -1);
        PdfObject second = pdf_resolve(f, w.items[i + 1]);
        if (second.kind == PDF_ARRAY) {
            for (int32_t k = 0; k < second.count && font->wide.count < RANGES_MAX; k++) {
                WidthRange one = {first + k, first + k, pdf_number(pdf_resolve(f, second.items[k]), 1000)};
                array_add(&f->arena, &font->wide, one);
            }
            i += 2;
        } else if (i + 2 < w.count) {
            WidthRange many = {first, (int32_t)pdf_number(second, -1), pdf_number(pdf_resolve(f, w.items[i + 2]), 1000)};
            array_add(&f->arena, &font->wide, many);
            i += 3;
        } else {
            break;
        }
    }
}

static int by_first_width(const void *a, const void *b)
{
    const WidthRange *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static double width_of(const PdfFont *font, uint32_t code)
{
    size_t low = 0, high = font->wide.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const WidthRange *r = &font->wide.items[middle];
        if ((int64_t)code < r->first)
            high = middle;
        else if ((int64_t)code > r->last)
            low = middle + 1;
        else
            return r->width;
    }
    return font->default_width;
}

/* ---- Character maps ---- */

static uint32_t code_of(Str s)
{
    uint32_t code = 0;
    for (ptrdiff_t i = 0; i < s.len && i < 4; i++)
        code = code << 8 | (unsigned char)s.ptr[i];
    return code;
}

static void characters_of(Str utf16, CodeRange *out)
{
    const unsigned char *p = (const unsigned char *)utf16.ptr;
    for (ptrdiff_t i = 0; i + 1 < utf16.len && out->count < 8; i += 2) {
        uint32_t c = (uint32_t)(p[i] << 8 | p[i + 1]);
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < utf16.len) {
            c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)(p[i + 2] << 8 | p[i + 3]) - 0xdc00);
            i += 2;
        }
        out->characters[out->count++] = c > 0x10ffff ? 0xfffd : c;
    }
    if (utf16.len == 1)
        out->characters[out->count++] = p[0];
}

static void add_range(PdfFile *f, PdfFont *font, Str first, Str last, Str text)
{
    CodeRange r = {.first = code_of(first), .last = code_of(last), .bytes = (uint8_t)first.len};
    characters_of(text, &r);
    if (first.len >= 1 && first.len <= 4 && r.count && r.last >= r.first && font->ranges.count < RANGES_MAX)
        array_add(&f->arena, &font->ranges, r);
}

static int by_code(const void *a, const void *b)
{
    const CodeRange *x = a, *y = b;
    return x->bytes != y->bytes ? x->bytes - y->bytes : (x->first > y->first) - (x->first < y->first);
}

static void read_map(PdfFile *f, PdfFont *font, Str text)
{
    PdfLexer l = {text, 0, f};
    PdfObject o, before[2] = {{0}, {0}};
    enum { NOTHING, SPACES, CHARACTERS, RANGES } in = NOTHING;
    int have = 0;
    while (pdf_next(&l, &o, false) && !f->arena.failed) {
        if (o.kind == PDF_WORD) {
            in = str_eq(o.text, S("begincodespacerange")) ? SPACES : str_eq(o.text, S("beginbfchar")) ? CHARACTERS
                 : str_eq(o.text, S("beginbfrange")) ? RANGES : NOTHING;
            have = 0;
            continue;
        }
        if (in == NOTHING || (o.kind != PDF_STRING && !(in == RANGES && have == 2)))
            continue;
        int wanted = in == RANGES ? 2 : 1;
        if (have < wanted) {
            before[have++] = o;
            continue;
        }
        have = 0;
        if (in == SPACES) {
            CodeRange space = {code_of(before[0].text), code_of(o.text), (uint8_t)before[0].text.len, 0, {0}};
            if (before[0].text.len >= 1 && before[0].text.len <= 4 && font->spaces.count < 1000)
                array_add(&f->arena, &font->spaces, space);
        } else if (in == CHARACTERS) {
            add_range(f, font, before[0].text, before[0].text, o.text);
        } else if (o.kind == PDF_STRING) {
            add_range(f, font, before[0].text, before[1].text, o.text);
        } else if (o.kind == PDF_ARRAY) {
            uint32_t first = code_of(before[0].text);
            for (int32_t i = 0; i < o.count && i < 65536; i++) {
                uint32_t code = first + (uint32_t)i;
                char bytes[4] = {(char)(code >> 24), (char)(code >> 16), (char)(code >> 8), (char)code};
                ptrdiff_t n = before[0].text.len < 4 ? before[0].text.len : 4;
                Str one = {bytes + 4 - n, n};
                if (o.items[i].kind == PDF_STRING)
                    add_range(f, font, one, one, o.items[i].text);
            }
        }
    }
}

static void read_map_stream(PdfFile *f, PdfFont *font, PdfObject stream)
{
    StrBuf text = {0};
    DgError ignored = {0};
    if (stream.kind == PDF_STREAM && pdf_unpack(f, &stream, &text, &ignored) == DG_OK)
        read_map(f, font, str_copy(&f->arena, buf_str(&text)));
    buf_free(&text);
}

/* ---- Fonts ---- */

static PdfFont *make_font(PdfFile *f, PdfObject dict)
{
    PdfFont *font = push(&f->arena, PdfFont, 1);
    if (!font)
        return NULL;
    font->scale = 1;
    font->composite = pdf_is_name(pdf_get(f, &dict, "Subtype"), "Type0");
    if (font->composite) {
        PdfObject descendants = pdf_get(f, &dict, "DescendantFonts"), encoding = pdf_get(f, &dict, "Encoding");
        PdfObject descendant = descendants.kind == PDF_ARRAY && descendants.count ? pdf_resolve(f, descendants.items[0]) : (PdfObject){0};
        composite_widths(f, font, &descendant);
        read_map_stream(f, font, encoding); /* for its code spaces */
        font->unicode_codes = encoding.kind == PDF_NAME && (str_find(encoding.text, S("UCS2")) >= 0 || str_find(encoding.text, S("UTF16")) >= 0);
    } else {
        simple_encoding(f, font, &dict);
        simple_widths(f, font, &dict);
    }
    read_map_stream(f, font, pdf_get(f, &dict, "ToUnicode"));
    if (font->ranges.count)
        qsort(font->ranges.items, font->ranges.count, sizeof *font->ranges.items, by_code);
    if (font->wide.count)
        qsort(font->wide.items, font->wide.count, sizeof *font->wide.items, by_first_width);
    return font;
}

PdfFont *pdf_font(PdfFile *f, PdfObject font)
{
    int32_t number = font.kind == PDF_REF ? (int32_t)font.number : -1;
    for (size_t i = 0; number >= 0 && i < f->font_numbers.count; i++)
        if (f->font_numbers.items[i] == number)
            return f->fonts.items[i];
    PdfFont *made = make_font(f, pdf_resolve(f, font));
    if (made && number >= 0 && f->fonts.count < FONTS_MAX) {
        array_add(&f->arena, &f->fonts, made);
        array_add(&f->arena, &f->font_numbers, number);
    }
    return f->arena.failed ? NULL : made;
}

/* ---- Codes ---- */

/* How many bytes the next code has. */
static int code_length(const PdfFont *font, Str s)
{
    if (!font->composite)
        return 1;
    for (int bytes = 1; bytes <= 4 && bytes <= s.len; bytes++) {
        for (size_t i = 0; i < font->spaces.count; i++) {
            const CodeRange *r = &font->spaces.items[i];
            bool inside = r->bytes == bytes;
            for (int k = 0; inside && k < bytes; k++) { /* each byte by itself, as code spaces are */
                uint32_t byte = (unsigned char)s.ptr[k], shift = (uint32_t)(bytes - 1 - k) * 8;
                inside = byte >= (r->first >> shift & 255) && byte <= (r->last >> shift & 255);
            }
            if (inside)
                return bytes;
        }
    }
    return s.len < 2 ? 1 : 2;
}

static bool mapped(const PdfFont *font, uint32_t code, int bytes, PdfGlyph *out)
{
    size_t low = 0, high = font->ranges.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const CodeRange *r = &font->ranges.items[middle];
        if (r->bytes > bytes || (r->bytes == bytes && r->first > code)) {
            high = middle;
        } else if (r->bytes < bytes || r->last < code) {
            low = middle + 1;
        } else {
            memcpy(out->characters, r->characters, sizeof r->characters);
            out->count = r->count;
            out->characters[r->count - 1] += code - r->first;
            return true;
        }
    }
    return false;
}

bool pdf_glyph(const PdfFont *font, Str s, ptrdiff_t *at, PdfGlyph *out)
{
    if (*at >= s.len)
        return false;
    Str rest = str_sub(s, *at, s.len);
    int bytes = code_length(font, rest);
    uint32_t code = code_of(str_sub(rest, 0, bytes));
    *at += bytes;
    *out = (PdfGlyph){.blank = bytes == 1 && code == 32};
    out->width = font->composite ? width_of(font, code) : font->widths[code & 255] * font->scale;
    if (mapped(font, code, bytes, out))
        return true;
    uint32_t c = font->composite ? (font->unicode_codes ? code : 0) : font->encoding[code & 255];
    if (c) {
        out->characters[0] = c;
        out->count = 1;
    }
    return true;
}
