/* error.c - failures of the world: what happened, which class it has, what to do. */
#include "runtime/base/base.h"

#include <stdio.h>
#include <stdlib.h>

const char *dg_status_name(DgStatus s)
{
    switch (s) {
#define X(name, text, exit_code) \
    case name:                   \
        return text;
        DG_STATUSES(X)
#undef X
    }
    return "unknown";
}

int dg_status_exit_code(DgStatus s)
{
    switch (s) {
#define X(name, text, exit_code) \
    case name:                   \
        return exit_code;
        DG_STATUSES(X)
#undef X
    }
    return 70;
}

bool dg_is_transient(DgStatus s)
{
    return s == DG_UNAVAILABLE || s == DG_TEMPFAIL;
}

void dg_end_no_memory(const char *what)
{
    fprintf(stderr, "dgc: out of memory %s\n", what);
    exit(dg_status_exit_code(DG_NOMEM));
}

/* Formats aside first: an argument may be the very text that is replaced, as when a caller adds
 * its own words to a message. Cut text ends with a whole character. */
static void set_text(char *to, size_t size, const char *fmt, va_list args)
{
    char text[sizeof((DgError *)0)->message];
    assert(size <= sizeof text);
    int len = vsnprintf(text, size, fmt, args);
    if (len < 0)
        text[len = 0] = '\0';
    if ((size_t)len >= size) {
        size_t cut = size - 1;
        while (cut > 0 && ((unsigned char)text[cut - 1] & 0xc0) == 0x80)
            cut--;
        if (cut > 0 && (unsigned char)text[cut - 1] >= 0xc0) {
            Str s = {text, (ptrdiff_t)size - 1};
            int n = str_utf8_length(s, (ptrdiff_t)cut - 1);
            cut = n ? cut - 1 + (size_t)n : cut - 1;
        } else {
            cut = size - 1;
        }
        text[cut] = '\0';
        len = (int)cut;
    }
    memcpy(to, text, (size_t)len + 1);
}

DgStatus dg_fail(DgError *err, DgStatus s, const char *fmt, ...)
{
    if (!err)
        return s;
    va_list args;
    va_start(args, fmt);
    set_text(err->message, sizeof err->message, fmt, args);
    va_end(args);
    err->status = s;
    err->hint[0] = '\0';
    err->retry_after_ms = 0;
    return s;
}

void dg_hint(DgError *err, const char *fmt, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, fmt);
    set_text(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}
