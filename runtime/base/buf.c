/* buf.c - building text of unknown length, up to a bound. */
#include "runtime/base/base.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t BUF_MAX_DEFAULT = (size_t)1 << 30;

bool buf_is_fatal;

/* Makes room for `more` bytes and a NUL. Text is never cut in the middle: it fits or it fails. */
static bool buf_room(StrBuf *b, size_t more)
{
    size_t max = b->max ? b->max : BUF_MAX_DEFAULT;
    if (b->failed || more > max || b->len > max - more) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity : 128;
    while (capacity < need)
        capacity *= 2;
    char *ptr = realloc(b->ptr, capacity);
    if (!ptr) {
        if (buf_is_fatal)
            dg_end_no_memory("for a text");
        b->failed = true;
        return false;
    }
    b->ptr = ptr;
    b->capacity = capacity;
    return true;
}

void buf_add(StrBuf *b, Str s)
{
    if (s.len == 0 || !buf_room(b, (size_t)s.len))
        return;
    memcpy(b->ptr + b->len, s.ptr, (size_t)s.len);
    b->len += (size_t)s.len;
    b->ptr[b->len] = '\0';
}

void buf_char(StrBuf *b, char c)
{
    buf_add(b, (Str){&c, 1});
}

void buf_vformat(StrBuf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    if (len < 0) {
        b->failed = true;
    } else if (buf_room(b, (size_t)len)) {
        vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void buf_format(StrBuf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vformat(b, fmt, args);
    va_end(args);
}

static void buf_json_char(StrBuf *b, unsigned char c)
{
    static const char SHORT[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof SHORT && SHORT[c]) {
        buf_char(b, '\\');
        buf_char(b, SHORT[c]);
    } else {
        buf_format(b, "\\u%04x", (unsigned)c);
    }
}

void buf_json(StrBuf *b, Str s)
{
    buf_char(b, '"');
    ptrdiff_t plain = 0; /* start of the run that needs no escape */
    for (ptrdiff_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        int n = c < 0x80 ? 1 : str_utf8_length(s, i);
        if (n > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            i += n;
            continue;
        }
        buf_add(b, str_sub(s, plain, i));
        if (n == 0)
            buf_add(b, S("\xef\xbf\xbd"));
        else
            buf_json_char(b, c);
        plain = ++i;
    }
    buf_add(b, str_sub(s, plain, s.len));
    buf_char(b, '"');
}

void buf_free(StrBuf *b)
{
    free(b->ptr);
    size_t max = b->max;
    *b = (StrBuf){.max = max};
}

Str buf_str(const StrBuf *b)
{
    return (Str){b->ptr ? b->ptr : "", (ptrdiff_t)b->len};
}
