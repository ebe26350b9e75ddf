/* nested_json.c - JSON that an engine or reader has taken for JSON already, value by value. */
#include "runtime/load/nested_internal.h"

static void blanks(NestedJson *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
}

bool nested_json_mark(NestedJson *j, char mark)
{
    blanks(j);
    if (j->at >= j->end || *j->at != mark)
        return false;
    j->at++;
    return true;
}

static bool word(const NestedJson *j, const char *text, ptrdiff_t len)
{
    return j->end - j->at >= len && memcmp(j->at, text, (size_t)len) == 0;
}

char nested_json_kind(NestedJson *j)
{
    blanks(j);
    if (j->at >= j->end)
        return 'x';
    switch (*j->at) {
    case '{':
    case '[': return *j->at;
    case '"': return 's';
    case 't': return word(j, "true", 4) ? 'b' : 'x';
    case 'f': return word(j, "false", 5) ? 'b' : 'x';
    case 'n': return word(j, "null", 4) ? '0' : 'x';
    default: return *j->at == '-' || (*j->at >= '0' && *j->at <= '9') ? 'n' : 'x';
    }
}

static bool skip_string(NestedJson *j)
{
    for (j->at++; j->at < j->end; j->at++) {
        if (*j->at == '\\')
            j->at++;
        else if (*j->at == '"') {
            j->at++;
            return true;
        }
    }
    return false;
}

bool nested_json_skip(NestedJson *j, Str *raw)
{
    char open[LIMIT_JSON_DEPTH];
    int depth = 0;
    blanks(j);
    const char *start = j->at;
    while (j->at < j->end) {
        char c = *j->at;
        if (c == '"') {
            if (!skip_string(j))
                return false;
        } else if (c == '{' || c == '[') {
            if (depth == LIMIT_JSON_DEPTH)
                return false;
            open[depth++] = c == '{' ? '}' : ']';
            j->at++;
        } else if (c == '}' || c == ']') {
            if (!depth)
                break; /* the end of what this value lies in */
            if (open[--depth] != c)
                return false;
            j->at++;
        } else if (!depth && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            break;
        } else {
            j->at++;
            continue;
        }
        if (!depth)
            break;
    }
    *raw = (Str){start, j->at - start};
    return !depth && j->at > start;
}

/* ---- Strings ---- */

static int32_t hex4(const NestedJson *j, const char *p)
{
    int32_t v = 0;
    if (j->end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static void add_utf8(StrBuf *out, int32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
        return;
    }
    if (c >= 0x10000)
        buf_char(out, (char)(0xF0 | c >> 18)), buf_char(out, (char)(0x80 | (c >> 12 & 0x3F)));
    else if (c >= 0x800)
        buf_char(out, (char)(0xE0 | c >> 12));
    else
        buf_char(out, (char)(0xC0 | c >> 6));
    if (c >= 0x800)
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
    buf_char(out, (char)(0x80 | (c & 0x3F)));
}

/* Behind `\u`. */
static const char *unicode(NestedJson *j, StrBuf *out)
{
    int32_t c = hex4(j, j->at), low;
    if (c < 0)
        return "a \\u without four digits";
    j->at += 4;
    if (c >= 0xD800 && c < 0xDC00 && j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u' && (low = hex4(j, j->at + 2)) >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        j->at += 6;
    }
    if (c >= 0xD800 && c < 0xE000)
        return "half a character (a lone surrogate)";
    if (!c)
        return "the character NUL, which no text can hold";
    add_utf8(out, c);
    return NULL;
}

const char *nested_json_string(NestedJson *j, StrBuf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    for (j->at++; j->at < j->end;) {
        const char *run = j->at;
        while (j->at < j->end && *j->at != '"' && *j->at != '\\')
            j->at++;
        buf_add(out, (Str){run, j->at - run});
        if (j->at >= j->end)
            break;
        if (*j->at++ == '"')
            return NULL;
        if (j->at >= j->end)
            break;
        char c = *j->at++;
        const char *found = c ? strchr(from, c) : NULL, *wrong = NULL;
        if (found)
            buf_char(out, to[found - from]);
        else
            wrong = c == 'u' ? unicode(j, out) : "an escape that JSON does not have";
        if (wrong)
            return wrong;
    }
    return "a string that does not end";
}
