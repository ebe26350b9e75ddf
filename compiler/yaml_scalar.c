/* yaml_scalar.c - what a plain scalar is: YAML 1.1 as PyYAML's SafeLoader reads it, for that is
 * what existing projects were written against. Each matcher is one alternative of PyYAML's regular
 * expressions; quirks are kept (`1e3` and `-.5` are text, `1:30` is ninety, `0o17` is text). */
#include "compiler/yaml_internal.h"

#include <math.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool one_of(Str s, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(s, str_from(*words)))
            return true;
    return false;
}

/* ---- A cursor over the text; each step says whether it could be taken ---- */

typedef struct Cursor {
    const char *at, *end;
} Cursor;

static char peek(const Cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static bool skip_any(Cursor *c, const char *set)
{
    if (c->at == c->end || *c->at == '\0' || !strchr(set, *c->at))
        return false;
    c->at++;
    return true;
}

static size_t skip_all(Cursor *c, const char *set)
{
    const char *start = c->at;
    while (skip_any(c, set))
        ;
    return (size_t)(c->at - start);
}

static bool digits_between(Cursor *c, size_t min, size_t max)
{
    size_t n = 0;
    while (n < max && is_digit(peek(c))) {
        c->at++;
        n++;
    }
    return n >= min;
}

#define DIGITS "0123456789"

/* (?::[0-5]?[0-9])+ */
static bool skip_sexagesimal(Cursor *c)
{
    int parts = 0;
    while (peek(c) == ':') {
        c->at++;
        const char *start = c->at;
        digits_between(c, 0, 2);
        if (c->at == start || (c->at - start == 2 && *start > '5'))
            return false;
        parts++;
    }
    return parts > 0;
}

static bool is_int(Str s)
{
    Cursor c = {s.ptr, s.ptr + s.len};
    skip_any(&c, "-+");
    Cursor start = c;
    if (skip_any(&c, "0")) {
        if (c.at == c.end)
            return true;
        if (skip_any(&c, "b"))
            return skip_all(&c, "01_") > 0 && c.at == c.end;
        if (skip_any(&c, "x"))
            return skip_all(&c, "0123456789abcdefABCDEF_") > 0 && c.at == c.end;
        return skip_all(&c, "01234567_") > 0 && c.at == c.end;
    }
    c = start;
    if (!skip_any(&c, "123456789"))
        return false;
    skip_all(&c, DIGITS "_");
    return c.at == c.end || (skip_sexagesimal(&c) && c.at == c.end);
}

/* (?:[eE][-+][0-9]+)?$ : the sign is required, which is why 1e3 is no number */
static bool ends_in_exponent(Cursor *c)
{
    if (c->at == c->end)
        return true;
    return skip_any(c, "eE") && skip_any(c, "-+") && skip_all(c, DIGITS) > 0 && c->at == c->end;
}

static bool is_float(Str s)
{
    static const char *const SPECIAL[] = {".inf",  ".Inf",  ".INF",  "-.inf", "-.Inf",
                                          "-.INF", "+.inf", "+.Inf", "+.INF", ".nan",
                                          ".NaN",  ".NAN",  NULL};
    if (one_of(s, SPECIAL))
        return true;
    Cursor c = {s.ptr, s.ptr + s.len};
    if (skip_any(&c, "."))
        return skip_any(&c, DIGITS) && (skip_all(&c, DIGITS "_"), ends_in_exponent(&c));
    skip_any(&c, "-+");
    if (!skip_any(&c, DIGITS))
        return false;
    skip_all(&c, DIGITS "_");
    if (peek(&c) == ':')
        return skip_sexagesimal(&c) && skip_any(&c, ".") &&
               (skip_all(&c, DIGITS "_"), c.at == c.end);
    return skip_any(&c, ".") && (skip_all(&c, DIGITS "_"), ends_in_exponent(&c));
}

static bool skip_zone(Cursor *c)
{
    skip_all(c, " \t");
    if (skip_any(c, "Z"))
        return true;
    if (!skip_any(c, "-+") || !digits_between(c, 1, 2))
        return false;
    return !skip_any(c, ":") || digits_between(c, 2, 2);
}

/* YAML_DATE, YAML_TIMESTAMP or, for neither, YAML_STRING. */
static YamlKind date_kind(Str s)
{
    Cursor c = {s.ptr, s.ptr + s.len};
    if (!digits_between(&c, 4, 4) || !skip_any(&c, "-"))
        return YAML_STRING;
    Cursor month = c;
    if (digits_between(&c, 2, 2) && skip_any(&c, "-") && digits_between(&c, 2, 2) && c.at == c.end)
        return YAML_DATE;
    c = month;
    if (!digits_between(&c, 1, 2) || !skip_any(&c, "-") || !digits_between(&c, 1, 2))
        return YAML_STRING;
    if (!skip_any(&c, "Tt") && skip_all(&c, " \t") == 0)
        return YAML_STRING;
    if (!digits_between(&c, 1, 2) || !skip_any(&c, ":") || !digits_between(&c, 2, 2) ||
        !skip_any(&c, ":") || !digits_between(&c, 2, 2))
        return YAML_STRING;
    if (skip_any(&c, "."))
        skip_all(&c, DIGITS);
    if (c.at == c.end)
        return YAML_TIMESTAMP;
    return skip_zone(&c) && c.at == c.end ? YAML_TIMESTAMP : YAML_STRING;
}

static int number_at(const char **at, const char *end)
{
    int n = 0;
    while (*at < end && is_digit(**at))
        n = n * 10 + (*(*at)++ - '0');
    return n;
}

/* The calendar's rules, for a text that date_kind accepts. Python refuses the same. */
static bool date_exists(Str s)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *at = s.ptr, *end = s.ptr + s.len;
    int year = number_at(&at, end);
    at++;
    int month = number_at(&at, end);
    at++;
    int day = number_at(&at, end);
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > DAYS[month - 1] + (leap && month == 2))
        return false;
    if (at == end)
        return true;
    while (at < end && !is_digit(*at))
        at++;
    int hour = number_at(&at, end);
    at++;
    int minute = number_at(&at, end);
    at++;
    int second = number_at(&at, end);
    return hour < 24 && minute < 60 && second < 60;
}

/* ---- Values ---- */

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Digits in a base, underscores ignored. *approximate goes on where 64 bits end. */
static bool read_digits(Str s, int base, uint64_t *exact, double *approximate, bool *fits)
{
    int count = 0;
    *exact = 0;
    *approximate = 0;
    *fits = true;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '_')
            continue;
        int digit = digit_value(s.ptr[i]);
        if (digit >= base)
            return false;
        count++;
        *approximate = *approximate * base + digit;
        if (*exact > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base)
            *fits = false;
        else
            *exact = *exact * (uint64_t)base + (uint64_t)digit;
    }
    return count > 0;
}

static bool read_sexagesimal(Str s, uint64_t *exact, double *approximate, bool *fits)
{
    *exact = 0;
    *approximate = 0;
    *fits = true;
    for (bool more = true; more;) {
        Str part;
        uint64_t n;
        double f;
        bool part_fits;
        more = str_cut(s, ':', &part, &s);
        if (!read_digits(part, 10, &n, &f, &part_fits))
            return false;
        *approximate = *approximate * 60 + f;
        if (!part_fits || *exact > (UINT64_MAX - n) / 60)
            *fits = false;
        else
            *exact = *exact * 60 + n;
    }
    return true;
}

static bool construct_int(Str s, ScalarValue *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = str_sub(s, 1, s.len);
    uint64_t n;
    double f;
    bool fits;
    bool ok;
    if (str_starts(s, S("0b")))
        ok = read_digits(str_sub(s, 2, s.len), 2, &n, &f, &fits);
    else if (str_starts(s, S("0x")))
        ok = read_digits(str_sub(s, 2, s.len), 16, &n, &f, &fits);
    else if (s.len > 1 && s.ptr[0] == '0')
        ok = read_digits(s, 8, &n, &f, &fits);
    else if (str_find_char(s, ':') >= 0)
        ok = read_sexagesimal(s, &n, &f, &fits);
    else
        ok = read_digits(s, 10, &n, &f, &fits);
    if (!ok)
        return false;
    if (!fits || n > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        double nearest;
        if (fits)
            f = (double)n;
        else if (str_to_double(s, &nearest))
            f = nearest;
        *out = (ScalarValue){.kind = YAML_FLOAT, .f = negative ? -f : f, .too_large = true};
        return true;
    }
    *out = (ScalarValue){.kind = YAML_INT, .i = negative ? (int64_t)(0 - n) : (int64_t)n};
    return true;
}

static bool construct_float(Str s, ScalarValue *out)
{
    *out = (ScalarValue){.kind = YAML_FLOAT};
    bool negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = str_sub(s, 1, s.len);
    if (str_eq_nocase(s, S(".inf")) || str_eq_nocase(s, S(".nan"))) {
        out->f = str_eq_nocase(s, S(".nan")) ? (double)NAN : (double)INFINITY;
        if (negative)
            out->f = -out->f;
        return true;
    }
    double sum = 0;
    for (bool more = true; more;) {
        Str part;
        char digits[512]; /* longer numbers do not differ in what a double can hold */
        size_t n = 0;
        more = str_cut(s, ':', &part, &s);
        for (ptrdiff_t i = 0; i < part.len; i++) {
            if (n == sizeof digits)
                return false;
            if (part.ptr[i] != '_')
                digits[n++] = part.ptr[i];
        }
        double f;
        Str number = {digits, (ptrdiff_t)n};
        if (!str_to_double(number, &f)) {
            if (str_find_char(number, 'e') < 0 && str_find_char(number, 'E') < 0)
                return false;
            f = (double)INFINITY; /* well formed by the matcher, so it is too large */
        }
        sum = sum * 60 + f;
    }
    out->f = negative ? -sum : sum;
    return true;
}

static const char *const TRUE_WORDS[] = {"yes", "Yes", "YES", "true", "True",
                                         "TRUE", "on", "On", "ON", NULL};
static const char *const FALSE_WORDS[] = {"no", "No", "NO", "false", "False",
                                          "FALSE", "off", "Off", "OFF", NULL};
static const char *const NULL_WORDS[] = {"~", "null", "Null", "NULL", "", NULL};

static bool is_word(Str text, const char *const *words)
{
    for (; *words; words++)
        if (str_eq_nocase(text, str_from(*words)))
            return true;
    return false;
}

bool yaml_construct(Str text, YamlKind kind, ScalarValue *out)
{
    *out = (ScalarValue){.kind = kind};
    switch (kind) {
    case YAML_NULL:
        return true;
    case YAML_BOOL:
        out->b = is_word(text, TRUE_WORDS);
        return out->b || is_word(text, FALSE_WORDS);
    case YAML_INT:
        return construct_int(text, out);
    case YAML_FLOAT:
        return construct_float(text, out);
    case YAML_TIMESTAMP:
    case YAML_DATE:
        out->kind = date_kind(text);
        return out->kind != YAML_STRING && date_exists(text);
    default:
        return false;
    }
}

/* ---- YAML 1.2 ---- */

/* A number of YAML 1.2's core schema that is text in YAML 1.1: 1e3, -.5, 0o17. Numbers with leading
 * zeros that are no octal (08) are left out: nobody means a number by them. */
static const char *text_but_number(Str s)
{
    Cursor c = {s.ptr, s.ptr + s.len};
    if (str_starts(s, S("0o"))) {
        c.at += 2;
        return skip_all(&c, "01234567") > 0 && c.at == c.end ? "an octal number" : NULL;
    }
    skip_any(&c, "-+");
    size_t digits = skip_all(&c, DIGITS);
    bool padded = digits > 1 && c.at[-(ptrdiff_t)digits] == '0';
    bool point = skip_any(&c, ".");
    if (point)
        digits += skip_all(&c, DIGITS);
    if (digits == 0 || padded)
        return NULL;
    if (skip_any(&c, "eE")) {
        skip_any(&c, "-+");
        if (skip_all(&c, DIGITS) == 0)
            return NULL;
        return c.at == c.end ? "a number" : NULL;
    }
    return point && c.at == c.end ? "a number" : NULL;
}

static const char *differs_in_1_2(Str s, const ScalarValue *v)
{
    static const char *const SAME[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
    switch (v->kind) {
    case YAML_STRING:
        return text_but_number(s);
    case YAML_BOOL:
        return one_of(s, SAME) ? NULL : "text";
    case YAML_INT:
    case YAML_FLOAT: {
        if (str_find_char(s, '_') >= 0 || str_find_char(s, ':') >= 0)
            return "text";
        bool sign = s.ptr[0] == '-' || s.ptr[0] == '+';
        Str digits = str_sub(s, sign, s.len);
        if (str_starts(digits, S("0b")) || (sign && str_starts(digits, S("0x"))))
            return "text";
        int64_t decimal;
        if (v->kind == YAML_INT && str_to_int(s, &decimal) && decimal != v->i)
            return "a decimal number";
        return NULL;
    }
    default:
        return NULL;
    }
}

/* The order is PyYAML's: for texts that begin alike, float before int before timestamp. */
ScalarValue yaml_resolve(Str text)
{
    ScalarValue v = {.kind = YAML_STRING};
    if (one_of(text, NULL_WORDS)) {
        v.kind = YAML_NULL;
        return v;
    }
    if (one_of(text, TRUE_WORDS) || one_of(text, FALSE_WORDS)) {
        v.kind = YAML_BOOL;
        v.b = one_of(text, TRUE_WORDS);
    } else if (strchr("-+.0123456789", text.ptr[0])) {
        YamlKind date;
        bool number = is_float(text) ? construct_float(text, &v)
                                     : is_int(text) && construct_int(text, &v);
        if (!number)
            v = (ScalarValue){.kind = YAML_STRING};
        if (!number && (date = date_kind(text)) != YAML_STRING)
            v = (ScalarValue){.kind = date, .impossible = !date_exists(text)};
    }
    v.other = differs_in_1_2(text, &v);
    return v;
}
