/* xml.c - reading XML piece by piece. */
#include "runtime/files/xml.h"

static DgStatus wrong(const XmlReader *x, const char *why, DgError *err)
{
    return dg_fail(err, DG_DATA, "%s is not XML that dgc reads: %s", x->what, why);
}

/* More bytes behind those that are there. *got 0: there are none, or no room. */
static DgStatus refill(XmlReader *x, size_t *got, DgError *err)
{
    *got = 0;
    if (x->at > 0) {
        memmove(x->buffer, x->buffer + x->at, x->end - x->at);
        x->end -= x->at;
        x->at = 0;
    }
    if (x->ended || x->end == sizeof x->buffer)
        return DG_OK;
    DG_TRY(x->read(x->context, x->buffer + x->end, sizeof x->buffer - x->end, got, err));
    x->end += *got;
    x->ended = *got == 0;
    return DG_OK;
}

/* Where `needle` begins, from `from` bytes after `at` on. */
static DgStatus find(XmlReader *x, size_t from, Str needle, size_t *where, DgError *err)
{
    for (;;) {
        Str rest = {x->buffer + x->at, (ptrdiff_t)(x->end - x->at)};
        ptrdiff_t found = str_find(str_sub(rest, (ptrdiff_t)from, rest.len), needle);
        if (found >= 0) {
            *where = from + (size_t)found;
            return DG_OK;
        }
        size_t got;
        DG_TRY(refill(x, &got, err));
        if (!got)
            return wrong(x, x->ended ? "it ends too early" : "a piece of it is too long", err);
    }
}

/* Comments may be longer than the buffer. */
static DgStatus skip_to(XmlReader *x, Str needle, DgError *err)
{
    for (;;) {
        Str rest = {x->buffer + x->at, (ptrdiff_t)(x->end - x->at)};
        ptrdiff_t found = str_find(rest, needle);
        if (found >= 0) {
            x->at += (size_t)(found + needle.len);
            return DG_OK;
        }
        if (rest.len >= needle.len)
            x->at += (size_t)(rest.len - needle.len + 1);
        size_t got;
        DG_TRY(refill(x, &got, err));
        if (!got)
            return wrong(x, "it ends too early", err);
    }
}

static size_t utf8_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00 >> n) | c);
    return n;
}

/* One entity between & and ;. 0: there is no such thing. */
static size_t entity(Str name, char *to)
{
    static const struct { const char *name; char c; } known[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(name, str_from(known[i].name))) {
            *to = known[i].c;
            return 1;
        }
    if (name.len < 2 || name.ptr[0] != '#')
        return 0;
    bool hex = name.ptr[1] == 'x';
    uint32_t c = 0;
    for (ptrdiff_t i = hex ? 2 : 1; i < name.len; i++) {
        char d = name.ptr[i];
        int digit = d >= '0' && d <= '9' ? d - '0' : hex && (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return 0;
        c = c * (hex ? 16 : 10) + (uint32_t)digit;
        if (c > 0x10ffff)
            return 0;
    }
    if (name.len == (hex ? 2 : 1) || c == 0 || (c >= 0xd800 && c < 0xe000))
        return 0;
    return utf8_put(to, c);
}

/* In place: what comes out is never longer. False: an entity that is none. */
static bool decode(char *text, size_t n, Str *out)
{
    size_t to = 0;
    char *first = memchr(text, '&', n);
    for (size_t i = first ? (to = (size_t)(first - text)) : n; i < n;) {
        if (text[i] != '&') {
            text[to++] = text[i++];
            continue;
        }
        char *semicolon = memchr(text + i, ';', n - i);
        char bytes[4];
        size_t length = semicolon ? entity((Str){text + i + 1, semicolon - (text + i + 1)}, bytes) : 0;
        if (!length)
            return false;
        memcpy(text + to, bytes, length);
        to += length;
        i = (size_t)(semicolon - text) + 1;
    }
    *out = (Str){text, (ptrdiff_t)(first ? to : n)};
    return true;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static Str local_name(const char *from, const char *to)
{
    const char *colon = memchr(from, ':', (size_t)(to - from));
    from = colon ? colon + 1 : from;
    return (Str){from, to - from};
}

/* p..end is what stands between < and >. */
static DgStatus open_tag(XmlReader *x, char *p, char *end, DgError *err)
{
    x->close_next = end > p && end[-1] == '/';
    end -= x->close_next;
    char *start = p;
    while (p < end && !blank(*p))
        p++;
    x->name = local_name(start, p);
    x->attributes_count = 0;
    for (;;) {
        while (p < end && blank(*p))
            p++;
        if (p == end)
            break;
        start = p;
        while (p < end && *p != '=' && !blank(*p))
            p++;
        Str name = local_name(start, p);
        while (p < end && blank(*p))
            p++;
        if (p == end || *p != '=')
            return wrong(x, "an attribute has no value", err);
        p++;
        while (p < end && blank(*p))
            p++;
        char quote = p < end ? *p : '\0';
        char *close = quote == '"' || quote == '\'' ? memchr(p + 1, quote, (size_t)(end - p - 1)) : NULL;
        if (!close || x->attributes_count == XML_ATTRIBUTES)
            return wrong(x, close ? "an element has too many attributes" : "an attribute has no value", err);
        x->attributes[x->attributes_count].name = name;
        if (!decode(p + 1, (size_t)(close - p - 1), &x->attributes[x->attributes_count].value))
            return wrong(x, "an unknown entity", err);
        x->attributes_count++;
        p = close + 1;
    }
    if (!x->name.len || x->depth == XML_DEPTH)
        return wrong(x, x->name.len ? "elements nest too deep" : "an element has no name", err);
    x->depth++;
    x->seen_root = true;
    return DG_OK;
}

/* The > that ends the tag: quoted ones do not count. */
static DgStatus tag_end(XmlReader *x, size_t *where, DgError *err)
{
    char quote = 0;
    for (size_t i = 1;; i++) {
        if (x->at + i == x->end) {
            size_t got;
            DG_TRY(refill(x, &got, err));
            if (!got)
                return wrong(x, x->ended ? "it ends too early" : "an element is too long", err);
        }
        char c = x->buffer[x->at + i];
        if (quote ? c == quote : c == '>') {
            if (!quote) {
                *where = i;
                return DG_OK;
            }
            quote = 0;
        } else if (!quote && (c == '"' || c == '\'')) {
            quote = c;
        }
    }
}

static DgStatus markup(XmlReader *x, XmlKind *kind, DgError *err)
{
    size_t end = 0;
    while (x->end - x->at < 9 && !x->ended) {
        size_t got;
        DG_TRY(refill(x, &got, err));
    }
    Str rest = {x->buffer + x->at, (ptrdiff_t)(x->end - x->at)};
    *kind = XML_DONE; /* nothing for the caller */
    if (str_starts(rest, S("<?")))
        return skip_to(x, S("?>"), err);
    if (str_starts(rest, S("<!--"))) {
        x->at += 4;
        return skip_to(x, S("-->"), err);
    }
    if (str_starts(rest, S("<![CDATA["))) {
        DG_TRY(find(x, 9, S("]]>"), &end, err));
        x->text = (Str){x->buffer + x->at + 9, (ptrdiff_t)end - 9};
        x->at += end + 3;
        *kind = XML_TEXT;
        return DG_OK;
    }
    if (str_starts(rest, S("<!")))
        return wrong(x, "it declares a document type", err);
    DG_TRY(tag_end(x, &end, err));
    char *start = x->buffer + x->at + 1, *stop = x->buffer + x->at + end;
    x->at += end + 1;
    if (*start != '/') {
        *kind = XML_OPEN;
        return open_tag(x, start, stop, err);
    }
    char *name_end = ++start;
    while (name_end < stop && !blank(*name_end))
        name_end++;
    x->name = local_name(start, name_end);
    if (x->depth == 0)
        return wrong(x, "an element is closed that was not open", err);
    x->depth--;
    *kind = XML_CLOSE;
    return DG_OK;
}

/* Text up to the next element, or as much of it as the buffer holds. */
static DgStatus text(XmlReader *x, DgError *err)
{
    size_t n = 0, got;
    for (;;) {
        char *start = x->buffer + x->at;
        char *stop = memchr(start, '<', x->end - x->at);
        n = (size_t)(stop ? stop - start : (ptrdiff_t)(x->end - x->at));
        if (stop)
            break;
        /* An entity or a character may go on behind the end. */
        size_t kept = n;
        for (size_t i = 1; i <= 12 && i <= n; i++)
            if (start[n - i] == '&') {
                kept = n - i;
                break;
            }
        for (size_t i = 1; i <= 3 && i <= kept && kept == n; i++)
            if (((unsigned char)start[n - i] & 0xc0) == 0xc0) {
                kept = n - i;
                break;
            }
        if (kept > 0 && x->end - x->at > XML_BUFFER / 2) {
            n = kept;
            break;
        }
        DG_TRY(refill(x, &got, err));
        if (!got)
            break;
    }
    if (!decode(x->buffer + x->at, n, &x->text))
        return wrong(x, "an unknown entity", err);
    x->at += n;
    return DG_OK;
}

DgStatus xml_next(XmlReader *x, XmlKind *kind, DgError *err)
{
    size_t got;
    if (x->close_next) { /* <a/>: the name stays */
        x->close_next = false;
        x->depth--;
        *kind = XML_CLOSE;
        return DG_OK;
    }
    for (;;) {
        if (x->at == x->end) {
            DG_TRY(refill(x, &got, err));
            if (!got) {
                *kind = XML_DONE;
                return x->depth || !x->seen_root ? wrong(x, "it ends too early", err) : DG_OK;
            }
        }
        if (x->buffer[x->at] == '<') {
            DG_TRY(markup(x, kind, err));
            if (*kind != XML_DONE)
                return DG_OK;
            continue;
        }
        *kind = XML_TEXT;
        DG_TRY(text(x, err));
        if (x->depth) /* what stands around the root is nothing */
            return DG_OK;
        if (x->text.len >= 2 && (unsigned char)x->text.ptr[0] >= 0xfe)
            return wrong(x, "it is not UTF-8", err);
    }
}

Str xml_attribute(const XmlReader *x, const char *name)
{
    for (int32_t i = 0; i < x->attributes_count; i++)
        if (str_eq(x->attributes[i].name, str_from(name)))
            return x->attributes[i].value;
    return (Str){0};
}

DgStatus xml_read_memory(void *context, char *to, size_t n, size_t *got, DgError *err)
{
    XmlMemory *m = context;
    *got = (size_t)m->rest.len < n ? (size_t)m->rest.len : n;
    if (*got)
        memcpy(to, m->rest.ptr, *got);
    m->rest = str_sub(m->rest, (ptrdiff_t)*got, m->rest.len);
    return DG_OK;
}
