/* The redactor: a short list of patterns, longest first, behind a first-byte filter. */
#include "runtime/run/redact.h"

#include <pthread.h>

#include "runtime/os/os.h"

enum { SECRET_BYTES_MIN = 4, PATTERNS_MAX = 4096 };

typedef struct Pattern {
    char *ptr;
    size_t len;
} Pattern;

struct Redactor {
    pthread_rwlock_t lock;
    Pattern *patterns; /* longest first */
    size_t count, capacity;
    bool first[256];
};

Redactor *redactor_open(void)
{
    Redactor *r = os_alloc(sizeof *r);
    if (r)
        pthread_rwlock_init(&r->lock, NULL);
    return r;
}

void redactor_close(Redactor *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        explicit_bzero(r->patterns[i].ptr, r->patterns[i].len);
        os_free(r->patterns[i].ptr);
    }
    os_free(r->patterns);
    pthread_rwlock_destroy(&r->lock);
    os_free(r);
}

static bool known(const Redactor *r, Str text)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_eq((Str){r->patterns[i].ptr, (ptrdiff_t)r->patterns[i].len}, text))
            return true;
    return false;
}

static bool add_pattern(Redactor *r, Str text)
{
    if (text.len < SECRET_BYTES_MIN || known(r, text) || r->count == PATTERNS_MAX)
        return r->count < PATTERNS_MAX;
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 16;
        Pattern *grown = os_realloc(r->patterns, capacity * sizeof *grown);
        if (!grown)
            return false;
        r->patterns = grown;
        r->capacity = capacity;
    }
    char *copy = os_alloc((size_t)text.len);
    if (!copy)
        return false;
    memcpy(copy, text.ptr, (size_t)text.len);
    size_t at = r->count;
    while (at > 0 && r->patterns[at - 1].len < (size_t)text.len)
        at--;
    memmove(r->patterns + at + 1, r->patterns + at, (r->count - at) * sizeof *r->patterns);
    r->patterns[at] = (Pattern){copy, (size_t)text.len};
    r->count++;
    r->first[(unsigned char)text.ptr[0]] = true;
    return true;
}

static void base64(StrBuf *out, Str s, bool url)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    /* Without the last, incomplete group: padding depends on what follows the secret. */
    for (ptrdiff_t i = 0; i + 2 < s.len; i += 3) {
        uint32_t v = (uint32_t)(unsigned char)s.ptr[i] << 16 |
                     (uint32_t)(unsigned char)s.ptr[i + 1] << 8 | (unsigned char)s.ptr[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            char c = plain[v >> shift & 63];
            buf_char(out, url && c == '+' ? '-' : url && c == '/' ? '_' : c);
        }
    }
}

static void url_encoded(StrBuf *out, Str s, bool upper)
{
    for (ptrdiff_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c);
        if (plain && c)
            buf_char(out, (char)c);
        else
            buf_format(out, upper ? "%%%02X" : "%%%02x", c);
    }
}

/* The forms of one value; `b` is scratch. */
static bool add_forms(Redactor *r, Str value, StrBuf *b)
{
    bool ok = add_pattern(r, value);
    for (int form = 0; form < 5; form++) {
        b->len = 0;
        if (form < 2 && value.len >= 6)
            base64(b, value, form == 1);
        else if (form == 2 || form == 3)
            url_encoded(b, value, form == 2);
        else if (form == 4)
            buf_json(b, value);
        if (b->failed)
            return false;
        Str text = buf_str(b);
        ok &= add_pattern(r, form == 4 ? str_sub(text, 1, text.len - 1) : text);
    }
    return ok;
}

bool redactor_add(Redactor *r, Str secret)
{
    StrBuf b = {.max = 1 << 20};
    pthread_rwlock_wrlock(&r->lock);
    bool ok = secret.len < SECRET_BYTES_MIN || add_forms(r, secret, &b);
    Str line, rest = secret;
    if (secret.len && str_find_char(secret, '\n') >= 0)
        for (bool more = true; more && ok;) {
            more = str_cut(rest, '\n', &line, &rest);
            line = str_trim(line);
            if (line.len >= 8)
                ok = add_forms(r, line, &b);
        }
    pthread_rwlock_unlock(&r->lock);
    if (b.ptr)
        explicit_bzero(b.ptr, b.capacity);
    buf_free(&b);
    return ok;
}

/* Length of the secret at `at`; 0: none. */
static size_t match(const Redactor *r, const char *at, size_t left)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->patterns[i].len <= left && memcmp(r->patterns[i].ptr, at, r->patterns[i].len) == 0)
            return r->patterns[i].len;
    return 0;
}

void redact_text(Redactor *r, Str text, StrBuf *out)
{
    if (!r) {
        buf_add(out, text);
        return;
    }
    pthread_rwlock_rdlock(&r->lock);
    ptrdiff_t kept = 0, i = 0;
    while (i < text.len && r->count) {
        size_t n = r->first[(unsigned char)text.ptr[i]]
                       ? match(r, text.ptr + i, (size_t)(text.len - i))
                       : 0;
        if (n == 0) {
            i++;
            continue;
        }
        buf_add(out, str_sub(text, kept, i));
        buf_add(out, S("[secret]"));
        i += (ptrdiff_t)n;
        kept = i;
    }
    buf_add(out, str_sub(text, kept, text.len));
    pthread_rwlock_unlock(&r->lock);
}

void redact_cstring(Redactor *r, char *text, size_t room)
{
    if (!r || !room)
        return;
    StrBuf b = {.max = room * 4 + 64};
    redact_text(r, str_from(text), &b);
    size_t n = b.len < room - 1 ? b.len : room - 1;
    if (!b.failed)
        memcpy(text, b.ptr ? b.ptr : "", n);
    else
        n = 0; /* better no message than a leak */
    text[n] = 0;
    buf_free(&b);
}

void strip_controls(char *text, size_t length, bool keep_newlines)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 32 && c != '\t' && !(keep_newlines && c == '\n')) || c == 127)
            text[i] = '?';
        /* C1 controls, as UTF-8: C2 80..9F. CSI is one of them. */
        if (c == 0xC2 && i + 1 < length && (unsigned char)text[i + 1] >= 0x80 &&
            (unsigned char)text[i + 1] < 0xA0)
            text[i] = text[i + 1] = '?';
    }
}
