/* rows.c - functions of row programs: text, numbers, dates, casts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "runtime/base/base.h"
#include "runtime/base/units.h"
#include "runtime/data/batch.h"
#include "runtime/data/rows_api.h"

/* ---- Text that lives until the next batch: blocks per thread, kept and used again ---- */

typedef struct Block {
    struct Block *next;
    size_t used, size;
    char bytes[];
} Block;
static _Thread_local Block *blocks, *current;

enum { BLOCK_BYTES = 1 << 18 };

void dg_rows_begin(void)
{
    current = blocks;
    if (current)
        current->used = 0;
}

static char *room(size_t n)
{
    while (current && current->size - current->used < n) {
        if (!current->next || current->next->size < n)
            break;
        current = current->next;
        current->used = 0;
    }
    if (!current || current->size - current->used < n) {
        size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        Block *b = malloc(sizeof *b + size);
        if (!b)
            return NULL;
        b->size = size;
        b->used = 0;
        b->next = current ? current->next : NULL;
        if (current)
            current->next = b;
        else
            blocks = b;
        current = b;
    }
    char *at = current->bytes + current->used;
    current->used += n;
    return at;
}

static DgStr keep(const char *ptr, size_t len)
{
    char *to = room(len + 1);
    if (!to)
        return (DgStr){"", 0};
    memcpy(to, ptr, len);
    return (DgStr){to, (ptrdiff_t)len};
}

/* ---- Errors ---- */

void dg_rows_note(DgRows *r, int32_t row, const char *what)
{
    if (!r->bad) {
        r->bad = what;
        r->bad_row = row;
    }
}

DgStatus dg_rows_end(const DgRows *r, const char *column, DgError *err)
{
    if (!r->bad)
        return DG_OK;
    dg_fail(err, DG_DATA, "column `%s`: %s", column, r->bad);
    dg_hint(err, "filter such rows out, or handle them with `x if ... else none`");
    return DG_DATA;
}

bool dg_rows_valid(const DgVector *v, int32_t rows)
{
    if (!v->valid)
        return true;
    int32_t words = rows / 64, left = rows % 64;
    for (int32_t i = 0; i < words; i++)
        if (v->valid[i] != UINT64_MAX)
            return false;
    return !left || (~v->valid[words] & ((UINT64_C(1) << left) - 1)) == 0;
}

/* ---- Columns as they are ---- */

void dg_rows_copy(DgRows *r, int32_t column, DgVector *out)
{
    const DgVector *in = &r->in->vectors[column];
    int32_t width = dg_type_width((DgTypeKind)r->in->columns[column].type.kind);
    if (width && !r->pick && dg_rows_valid(in, r->count)) {
        memcpy(out->values, in->values, (size_t)r->count * (size_t)width);
        return;
    }
    for (int32_t k = 0; k < r->count; k++) {
        int32_t i = r->pick ? r->pick[k] : k;
        if (!DG_VALID(in, i))
            dg_set_null(out, k);
        if (width) {
            memcpy((char *)out->values + (size_t)k * (size_t)width,
                   (const char *)in->values + (size_t)i * (size_t)width, (size_t)width);
        } else {
            DgStr s = DG_ROW_TEXT(in, i);
            if (!dg_text_set(out, k, s.ptr, (size_t)s.len))
                dg_rows_note(r, k, "too much text for one batch");
        }
    }
}

/* ---- Arithmetic ---- */

int64_t dg_row_add(DgRows *r, int32_t i, int64_t a, int64_t b)
{
    int64_t out;
    if (__builtin_add_overflow(a, b, &out))
        dg_rows_note(r, i, "a sum is larger than 64 bits hold");
    return out;
}

int64_t dg_row_sub(DgRows *r, int32_t i, int64_t a, int64_t b)
{
    int64_t out;
    if (__builtin_sub_overflow(a, b, &out))
        dg_rows_note(r, i, "a difference is larger than 64 bits hold");
    return out;
}

int64_t dg_row_mul(DgRows *r, int32_t i, int64_t a, int64_t b)
{
    int64_t out;
    if (__builtin_mul_overflow(a, b, &out))
        dg_rows_note(r, i, "a product is larger than 64 bits hold");
    return out;
}

int64_t dg_row_floordiv(DgRows *r, int32_t i, int64_t a, int64_t b, bool *null)
{
    if (b == 0 || (a == INT64_MIN && b == -1)) {
        *null |= b == 0;
        if (b)
            dg_rows_note(r, i, "a quotient is larger than 64 bits hold");
        return 0;
    }
    return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}

int64_t dg_row_mod(DgRows *r, int32_t i, int64_t a, int64_t b, bool *null)
{
    (void)r, (void)i;
    if (b == 0 || b == -1) {
        *null |= b == 0;
        return 0;
    }
    int64_t m = a % b;
    return m && (m < 0) != (b < 0) ? m + b : m;
}

double dg_row_fmod(double a, double b)
{
    double m = fmod(a, b);
    return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

double dg_row_pow(double a, double b) { return pow(a, b); }
double dg_row_floor(double d) { return floor(d); }
double dg_row_ceil(double d) { return ceil(d); }

double dg_row_round(double d, int64_t digits)
{
    double scale = pow(10, (double)(digits < -300 ? -300 : digits > 300 ? 300 : digits));
    double scaled = d * scale;
    return isfinite(scaled) ? round(scaled) / scale : d;
}

/* ---- Text ---- */

DgStr dg_row_concat(DgStr a, DgStr b)
{
    char *to = room((size_t)(a.len + b.len) + 1);
    if (!to)
        return (DgStr){"", 0};
    if (a.len)
        memcpy(to, a.ptr, (size_t)a.len);
    if (b.len)
        memcpy(to + a.len, b.ptr, (size_t)b.len);
    return (DgStr){to, a.len + b.len};
}

static DgStr map_ascii(DgStr s, char first, char last, int by)
{
    char *to = room((size_t)s.len + 1);
    if (!to)
        return (DgStr){"", 0};
    for (ptrdiff_t i = 0; i < s.len; i++)
        to[i] = (char)(s.ptr[i] >= first && s.ptr[i] <= last ? s.ptr[i] + by : s.ptr[i]);
    return (DgStr){to, s.len};
}

DgStr dg_row_upper(DgStr s) { return map_ascii(s, 'a', 'z', -32); }
DgStr dg_row_lower(DgStr s) { return map_ascii(s, 'A', 'Z', 32); }
DgStr dg_row_trim(DgStr s) { return str_trim(s); }

static ptrdiff_t next_character(DgStr s, ptrdiff_t i)
{
    i++;
    while (i < s.len && ((unsigned char)s.ptr[i] & 0xC0) == 0x80)
        i++;
    return i;
}

int64_t dg_row_length(DgStr s)
{
    int64_t n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return n;
}

DgStr dg_row_substr(DgStr s, int64_t from, int64_t count)
{
    ptrdiff_t at = 0;
    for (int64_t n = 1; n < from && at < s.len; n++)
        at = next_character(s, at);
    ptrdiff_t end = at;
    for (int64_t n = 0; n < count && end < s.len; n++)
        end = next_character(s, end);
    return str_sub(s, at, end);
}

DgStr dg_row_replace(DgStr s, DgStr from, DgStr to)
{
    DgStr out = {"", 0};
    if (!from.len)
        return s;
    for (;;) {
        ptrdiff_t at = str_find(s, from);
        if (at < 0)
            return dg_row_concat(out, s);
        out = dg_row_concat(dg_row_concat(out, str_sub(s, 0, at)), to);
        s = str_sub(s, at + from.len, s.len);
    }
}

int64_t dg_row_hash(DgStr s)
{
    uint64_t h = 14695981039346656037u;
    for (ptrdiff_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    int64_t out;
    memcpy(&out, &h, sizeof out);
    return out;
}

bool dg_row_starts(DgStr s, DgStr with) { return str_starts(s, with); }
bool dg_row_ends(DgStr s, DgStr with) { return str_ends(s, with); }
bool dg_row_contains(DgStr s, DgStr what) { return str_find(s, what) >= 0; }

int dg_row_compare(DgStr a, DgStr b)
{
    int c = str_cmp(a, b);
    return c < 0 ? -1 : c > 0;
}

/* ---- Regular expressions: compiled once per thread and pattern ---- */

enum { PATTERNS_MAX = 32 };
typedef struct Pattern {
    DgStr text;
    pcre2_code *code;
    pcre2_match_data *match;
} Pattern;
static _Thread_local Pattern patterns[PATTERNS_MAX];

static Pattern *pattern_of(DgRows *r, int32_t row, DgStr text)
{
    size_t slot = (size_t)((uint64_t)dg_row_hash(text) % PATTERNS_MAX);
    Pattern *p = &patterns[slot];
    if (p->code && str_eq(p->text, text))
        return p;
    int error;
    PCRE2_SIZE at;
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    free((void *)(uintptr_t)p->text.ptr);
    char *copy = malloc((size_t)text.len + 1);
    if (copy)
        memcpy(copy, text.ptr, (size_t)text.len);
    *p = (Pattern){.text = {copy, copy ? text.len : 0}};
    p->code = copy ? pcre2_compile((PCRE2_SPTR)text.ptr, (PCRE2_SIZE)text.len, PCRE2_UTF, &error, &at, NULL) : NULL;
    p->match = p->code ? pcre2_match_data_create_from_pattern(p->code, NULL) : NULL;
    if (!p->match) {
        dg_rows_note(r, row, "a regular expression is not well formed");
        return NULL;
    }
    return p;
}

static int match_at(const Pattern *p, DgStr s)
{
    return pcre2_match(p->code, (PCRE2_SPTR)s.ptr, (PCRE2_SIZE)s.len, 0, 0, p->match, NULL);
}

bool dg_row_regex_match(DgRows *r, int32_t i, DgStr s, DgStr pattern)
{
    Pattern *p = pattern_of(r, i, pattern);
    return p && match_at(p, s) >= 0;
}

DgStr dg_row_regex_extract(DgRows *r, int32_t i, DgStr s, DgStr pattern, bool *null)
{
    Pattern *p = pattern_of(r, i, pattern);
    int n = p ? match_at(p, s) : -1;
    if (n < 0) {
        *null = true;
        return (DgStr){"", 0};
    }
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
    int group = n > 1 ? 1 : 0;
    return str_sub(s, (ptrdiff_t)at[group * 2], (ptrdiff_t)at[group * 2 + 1]);
}

DgStr dg_row_regex_replace(DgRows *r, int32_t i, DgStr s, DgStr pattern, DgStr to)
{
    Pattern *p = pattern_of(r, i, pattern);
    PCRE2_SIZE size = (PCRE2_SIZE)(s.len * 2 + to.len * 4 + 64);
    for (int attempt = 0; p && attempt < 3; attempt++) {
        char *out = room(size);
        PCRE2_SIZE len = size;
        int n = out ? pcre2_substitute(p->code, (PCRE2_SPTR)s.ptr, (PCRE2_SIZE)s.len, 0,
                                       PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH, p->match,
                                       NULL, (PCRE2_SPTR)to.ptr, (PCRE2_SIZE)to.len, (PCRE2_UCHAR *)out, &len)
                    : -1;
        if (n >= 0)
            return (DgStr){out, (ptrdiff_t)len};
        size = len + 1;
    }
    dg_rows_note(r, i, "a regular expression could not be applied");
    return s;
}

/* ---- JSON: one value by path ---- */

static ptrdiff_t json_skip(DgStr s, ptrdiff_t i)
{
    int depth = 0;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '"') {
            for (i++; i < s.len && s.ptr[i] != '"'; i++)
                i += s.ptr[i] == '\\';
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (--depth < 0)
                return i;
        } else if (c == ',' && depth == 0) {
            return i;
        }
    }
    return s.len;
}

static ptrdiff_t blanks(DgStr s, ptrdiff_t i)
{
    while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\n' || s.ptr[i] == '\t' || s.ptr[i] == '\r'))
        i++;
    return i;
}

/* The value of a key, or of an index, inside the object or array s. */
static bool json_child(DgStr s, DgStr key, int64_t index, DgStr *out)
{
    ptrdiff_t i = blanks(s, 0);
    bool object = i < s.len && s.ptr[i] == '{';
    if (i >= s.len || (object ? index >= 0 : s.ptr[i] != '[' || index < 0))
        return false;
    i++;
    for (int64_t n = 0; i < s.len; n++) {
        i = blanks(s, i);
        DgStr name = {0};
        if (object && i < s.len && s.ptr[i] == '"') {
            ptrdiff_t end = i + 1;
            while (end < s.len && s.ptr[end] != '"')
                end += s.ptr[end] == '\\' ? 2 : 1;
            name = str_sub(s, i + 1, end);
            i = blanks(s, end + 1) + 1;
        }
        ptrdiff_t end = json_skip(s, i);
        if (object ? str_eq(name, key) : n == index) {
            *out = str_trim(str_sub(s, i, end));
            return out->len > 0;
        }
        if (end >= s.len || s.ptr[end] != ',')
            return false;
        i = end + 1;
    }
    return false;
}

static DgStr json_text(DgStr s)
{
    if (s.len < 2 || s.ptr[0] != '"')
        return s;
    s = str_sub(s, 1, s.len - 1);
    if (str_find_char(s, '\\') < 0)
        return s;
    StrBuf b = {0};
    for (ptrdiff_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c != '\\' || i + 1 >= s.len) {
            buf_char(&b, c);
            continue;
        }
        c = s.ptr[++i];
        if (c == 'u' && i + 4 < s.len) {
            char hex[5] = {s.ptr[i + 1], s.ptr[i + 2], s.ptr[i + 3], s.ptr[i + 4], 0};
            unsigned long u = strtoul(hex, NULL, 16);
            if (u < 0x80)
                buf_char(&b, (char)u);
            else if (u < 0x800)
                buf_format(&b, "%c%c", (int)(0xC0 | u >> 6), (int)(0x80 | (u & 63)));
            else
                buf_format(&b, "%c%c%c", (int)(0xE0 | u >> 12), (int)(0x80 | (u >> 6 & 63)), (int)(0x80 | (u & 63)));
            i += 4;
        } else {
            buf_char(&b, c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c);
        }
    }
    DgStr out = keep(b.ptr ? b.ptr : "", b.len);
    buf_free(&b);
    return out;
}

DgStr dg_row_json_get(DgStr json, DgStr path, bool *null)
{
    if (path.len && path.ptr[0] == '$')
        path = str_sub(path, 1, path.len);
    while (path.len) {
        DgStr key = {0};
        int64_t index = -1;
        ptrdiff_t end = 1;
        if (path.ptr[0] == '[') {
            end = str_find_char(path, ']');
            if (end < 0 || !str_to_int(str_sub(path, 1, end), &index))
                break;
            end++;
        } else {
            ptrdiff_t start = path.ptr[0] == '.';
            end = start;
            while (end < path.len && path.ptr[end] != '.' && path.ptr[end] != '[')
                end++;
            key = str_sub(path, start, end);
        }
        if (!json_child(json, key, index, &json)) {
            *null = true;
            return (DgStr){"", 0};
        }
        path = str_sub(path, end, path.len);
    }
    *null |= str_eq(json, S("null"));
    return json_text(json);
}
