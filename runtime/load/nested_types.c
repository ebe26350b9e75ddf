/* nested_types.c - the narrowest type that holds every value of a column as it is.
 *
 *   true, false                                boolean
 *   whole numbers                              bigint; decimal(38,0) past 64 bits
 *   numbers of at most 15 digits               double
 *   numbers with more                          decimal(38,s); text when that is not enough
 *   2024-05-06T07:08:09Z, with or without zone timestamptz, timestamp
 *   anything else, and mixtures                text
 *   objects, lists that are left whole         json
 */
#include <ctype.h>
#include <math.h>

#include "runtime/data/batch.h"
#include "runtime/data/scalars.h"
#include "runtime/load/nested_internal.h"

enum { DECIMAL_DIGITS = 38, DOUBLE_DIGITS = 15 };

static void see_number(NestedSeen *seen, Str s)
{
    int64_t whole;
    int32_t before = 0, after = 0, significant = 0, zeros = 0;
    bool point = false;
    ptrdiff_t i = s.len && s.ptr[0] == '-';
    for (; i < s.len && (isdigit((unsigned char)s.ptr[i]) || s.ptr[i] == '.'); i++) {
        if (s.ptr[i] == '.') {
            point = true;
            continue;
        }
        bool zero = s.ptr[i] == '0';
        after += point;
        before += !point && (before || !zero);
        zeros = zero ? zeros + 1 : 0; /* at the end, and at the beginning: they bear no weight */
        significant += !zero || significant ? 1 : 0;
    }
    if (significant > zeros)
        significant -= zeros;
    bool exponent = i < s.len;
    double d;
    seen->number = true;
    seen->fraction = seen->fraction || point || exponent;
    seen->exponent = seen->exponent || exponent;
    seen->no_int64 = seen->no_int64 || point || exponent || !str_to_int(s, &whole);
    seen->no_double = seen->no_double || significant > DOUBLE_DIGITS || !str_to_double(s, &d) || !isfinite(d) || (significant && d == 0);
    seen->digits = before > seen->digits ? before : seen->digits;
    seen->scale = after > seen->scale ? after : seen->scale;
}

/* A date, T, hours to seconds, at most six digits of them, and perhaps a zone. */
static bool is_time(Str s, bool *zone)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    ptrdiff_t i = 0, digits = 0;
    int64_t us;
    if (s.len < 19 || s.len > 32)
        return false;
    for (; form[i]; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)s.ptr[i]) : form[i] != s.ptr[i])
            return false;
    if (i < s.len && s.ptr[i] == '.')
        for (i++; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
            digits++;
    *zone = i < s.len;
    bool offset = s.len - i == 6 && (s.ptr[i] == '+' || s.ptr[i] == '-') && s.ptr[i + 3] == ':';
    return digits <= 6 && (!*zone || offset || (s.len - i == 1 && s.ptr[i] == 'Z')) && scalar_timestamp(s.ptr, s.ptr + s.len, &us);
}

void nested_see(NestedSeen *seen, char kind, Str value)
{
    bool zone = false;
    switch (kind) {
    case 'b': seen->boolean = true; break;
    case 'n': see_number(seen, value); break;
    case 'j': seen->json = true; break;
    default:
        seen->text = true;
        if (seen->no_time)
            break;
        if (!is_time(value, &zone))
            seen->no_time = true;
        seen->zone = seen->zone || zone;
        seen->no_zone = seen->no_zone || !zone;
    }
}

static DgType number_type(const NestedSeen *s)
{
    bool fits = !s->exponent && s->digits + s->scale <= DECIMAL_DIGITS;
    if (!s->no_int64)
        return (DgType){DG_INT64, 0, 0};
    if (s->fraction && !s->no_double)
        return (DgType){DG_FLOAT64, 0, 0};
    return fits ? (DgType){DG_DECIMAL, DECIMAL_DIGITS, (uint8_t)s->scale} : (DgType){DG_TEXT, 0, 0};
}

DgType nested_type(const NestedSeen *s)
{
    if (s->json)
        return (DgType){DG_JSON, 0, 0};
    if (s->boolean + s->number + s->text > 1)
        return (DgType){DG_TEXT, 0, 0};
    if (s->boolean)
        return (DgType){DG_BOOL, 0, 0};
    if (s->number)
        return number_type(s);
    if (s->text && !s->no_time && s->zone != s->no_zone)
        return (DgType){s->zone ? DG_TIMESTAMPTZ : DG_TIMESTAMP, 0, 0};
    return (DgType){DG_TEXT, 0, 0};
}

bool nested_store(DgVector *v, DgType type, int32_t row, char kind, Str value, StrBuf *scratch)
{
    const char *p = value.ptr, *end = value.ptr + value.len;
    char *at = (char *)v->values + (size_t)row * (size_t)dg_type_width((DgTypeKind)type.kind);
    switch ((DgTypeKind)type.kind) {
    case DG_BOOL: return scalar_bool(p, end, (uint8_t *)at);
    case DG_INT64: return scalar_int(p, end, DG_INT64, at);
    case DG_FLOAT64: return scalar_double(p, end, (double *)(void *)at);
    case DG_DECIMAL: return scalar_decimal(p, end, type, at);
    case DG_TIMESTAMP:
    case DG_TIMESTAMPTZ: return scalar_timestamp(p, end, (int64_t *)(void *)at);
    case DG_JSON:
        if (kind == 's') {
            scratch->len = 0;
            buf_json(scratch, value);
            value = buf_str(scratch);
        }
        return !scratch->failed && dg_text_set(v, row, value.ptr, (size_t)value.len);
    default: return dg_text_set(v, row, value.len ? value.ptr : "", (size_t)value.len);
    }
}
