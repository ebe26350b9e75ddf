/* sentences.c - where sentences end, and where else text may be cut without harm. */
#include "runtime/text/chunk.h"
#include "runtime/text/unicode.h"

static bool ends_sentence(uint32_t c)
{
    switch (c) {
    case '.': case '!': case '?': case 0x2026: case 0x0589: case 0x061f: case 0x06d4: case 0x0964: case 0x0965: case 0x1362:
    case 0x104b: case 0x17d4: return true;
    default: return false;
    }
}

static bool ends_at_once(uint32_t c) /* no blank has to follow */
{
    return c == 0x3002 || c == 0xff01 || c == 0xff0e || c == 0xff1f || c == 0xff61;
}

static bool closes(uint32_t c)
{
    switch (c) {
    case '"': case '\'': case ')': case ']': case '*': case '_': case 0xbb: case 0x2019: case 0x201d: case 0x203a: case 0x300d: case 0x300f:
    case 0xff09: case 0x3011: return true;
    default: return false;
    }
}

/* `Dr.`, `e.g.`, `A.`: the point does not end a sentence. text[..point] is what is before it. */
static bool is_abbreviation(Str text, ptrdiff_t at, ptrdiff_t point)
{
    static const char *const known[] = {"dr", "mr", "mrs", "ms", "prof", "st", "sr", "jr", "vs", "etc", "inc", "ltd", "co", "corp", "no", "fig", "eq", "cf", "al", "approx",
                                        "dept", "est", "ca", "bzw", "usw", "nr", "abb", "vgl", "sog", "evtl", "ggf"};
    ptrdiff_t from = point;
    while (from > at && point - from < 12 && ((text.ptr[from - 1] | 32) >= 'a' && (text.ptr[from - 1] | 32) <= 'z'))
        from--;
    Str word = str_sub(text, from, point);
    if (word.len == 1)
        return true;
    for (size_t i = 0; word.len && i < sizeof known / sizeof *known; i++)
        if (str_eq_nocase(word, str_from(known[i])))
            return true;
    return word.len && from > at && text.ptr[from - 1] == '.'; /* e.g. */
}

/* Behind the line end at `at`: an item of a list, a row, a new paragraph begins. */
static bool line_starts_anew(Str text, ptrdiff_t at, ptrdiff_t end)
{
    while (at < end && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
        at++;
    if (at >= end)
        return false;
    char c = text.ptr[at];
    if (c == '\n' || c == '|')
        return true;
    if ((c == '-' || c == '*' || c == '+') && at + 1 < end && text.ptr[at + 1] == ' ')
        return true;
    ptrdiff_t digits = at;
    while (digits < end && digits - at < 9 && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    return digits > at && digits + 1 < end && (text.ptr[digits] == '.' || text.ptr[digits] == ')') && text.ptr[digits + 1] == ' ';
}

static ptrdiff_t over_blanks(Str text, ptrdiff_t at, ptrdiff_t end)
{
    while (at < end && (text.ptr[at] == ' ' || text.ptr[at] == '\t' || text.ptr[at] == '\n' || text.ptr[at] == '\r'))
        at++;
    if (at + 3 <= end && memcmp(text.ptr + at, "\xe3\x80\x80", 3) == 0) /* the wide blank of Chinese and Japanese */
        at += 3;
    return at;
}

ptrdiff_t sentence_end(Str text, ptrdiff_t at, ptrdiff_t end)
{
    Str s = str_sub(text, 0, end);
    for (ptrdiff_t i = at; i < end;) {
        ptrdiff_t here = i;
        uint32_t c = unicode_next(s, &i);
        if (c == '\n' && line_starts_anew(text, i, end))
            return i;
        bool at_once = ends_at_once(c);
        if (!at_once && !ends_sentence(c))
            continue;
        while (i < end) { /* ?!, .", 。」 */
            ptrdiff_t next = i;
            uint32_t more = unicode_next(s, &next);
            if (!ends_sentence(more) && !ends_at_once(more) && !closes(more))
                break;
            at_once |= ends_at_once(more);
            i = next;
        }
        if (i >= end)
            return end;
        bool blank = text.ptr[i] == ' ' || text.ptr[i] == '\n' || text.ptr[i] == '\t' || text.ptr[i] == '\r';
        if (!at_once && (!blank || (c == '.' && is_abbreviation(text, at, here))))
            continue;
        ptrdiff_t next = over_blanks(text, i, end);
        if (!at_once && c == '.' && next < end && text.ptr[next] >= 'a' && text.ptr[next] <= 'z')
            continue;
        return next;
    }
    return end;
}

/* A character that may not begin a piece: it belongs to the one before. */
static bool hangs_on(uint32_t c, const uint8_t *classes)
{
    return classes[c] == CHAR_MARK || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0x1f3fb && c <= 0x1f3ff) || c == 0x3001 || c == 0x3002 ||
           c == 0xff0c || c == 0xff0e || c == 0xff01 || c == 0xff1f || c == 0x300d || c == 0x300f || c == 0x30fc || c == 0x0e33 || c == 0x0eb3;
}

static bool waits_for_next(uint32_t c)
{
    return c == 0x200d || c == 0x300c || c == 0x300e || (c >= 0x0e40 && c <= 0x0e44) || (c >= 0x0ec0 && c <= 0x0ec4);
}

ptrdiff_t break_before(Str text, ptrdiff_t at, ptrdiff_t least, ptrdiff_t most)
{
    const uint8_t *classes = unicode_classes();
    ptrdiff_t line = -1, blank = -1, character = -1;
    if (most >= text.len)
        return text.len;
    ptrdiff_t i = unicode_start(text, least > at ? least : at);
    uint32_t previous = 0;
    while (i <= most) {
        ptrdiff_t here = i;
        uint32_t c = unicode_next(text, &i);
        if (here > at && here > least) {
            if (previous == '\n')
                line = here;
            if (previous && classes[previous] == CHAR_SPACE && classes[c] != CHAR_SPACE)
                blank = here;
            bool one_word = classes[c] >= CHAR_UPPER && previous && classes[previous] >= CHAR_UPPER;
            if (previous && !hangs_on(c, classes) && !waits_for_next(previous) && (!one_word || is_ideographic(c) || is_ideographic(previous) || is_unspaced(c)))
                character = here;
        }
        previous = c;
    }
    if (line >= 0 && line >= most - (most - least) / 2)
        return line;
    if (blank >= 0 && blank >= character - 200) /* among ideographs a blank far back is no reason to stop there */
        return blank;
    if (character >= 0)
        return character;
    most = unicode_start(text, most);
    for (ptrdiff_t cut = most; cut > at && cut > most - 64; cut = unicode_start(text, cut - 1)) {
        ptrdiff_t next = cut;
        if (!hangs_on(unicode_next(text, &next), classes))
            return cut;
    }
    return most;
}
