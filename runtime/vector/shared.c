/* shared.c - what the stores have in common: numbers as text, payloads, metadata that comes back. */
#include <math.h>
#include <stdio.h>

#include "runtime/vector/store.h"

const char *const dg_vector_metrics[] = {"cosine", "dot", "euclidean", NULL};

/* Nine significant digits tell every float32 apart; a double holds the scaled number well enough to
 * get them. Common magnitudes by hand, since a collection has millions of numbers; others by printf. */
static char *write_float(char *to, float value)
{
    static const double scale[] = {1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};
    double x = fabs((double)value);
    if (x == 0 || x >= 1 || x < 1e-7)
        return to + snprintf(to, 24, "%.9g", (double)value);
    int zeros = 0; /* after the point, before the first digit */
    for (double limit = 0.1; x < limit; limit /= 10)
        zeros++;
    uint64_t digits = (uint64_t)(x * scale[zeros] + 0.5); /* 10^8 <= digits <= 10^9, or one below by rounding */
    if (digits >= 1000000000)
        return to + snprintf(to, 24, "%.9g", (double)value);
    int wanted = 9 + zeros;
    char text[24];
    for (int i = wanted - 1; i >= 0; i--, digits /= 10)
        text[i] = (char)('0' + digits % 10);
    while (wanted > 1 && text[wanted - 1] == '0')
        wanted--;
    if (value < 0)
        *to++ = '-';
    *to++ = '0';
    *to++ = '.';
    memcpy(to, text, (size_t)wanted);
    return to + wanted;
}

void vector_write(StrBuf *out, const float *values, int64_t count)
{
    char text[32 * 26];
    buf_char(out, '[');
    for (int64_t i = 0; i < count;) {
        char *at = text;
        for (int64_t end = i + 32 < count ? i + 32 : count; i < end; i++) {
            if (i)
                *at++ = ',';
            at = write_float(at, values[i]);
        }
        buf_add(out, (Str){text, at - text});
    }
    buf_char(out, ']');
}

void vector_write_payload(StrBuf *out, const VectorRecord *r, bool with_text, bool with_id)
{
    buf_add(out, S("{\"" VECTOR_HASH_KEY "\":"));
    buf_json(out, r->hash);
    if (with_id) {
        buf_add(out, S(",\"" VECTOR_ID_KEY "\":"));
        buf_json(out, r->id);
    }
    if (with_text && r->text.ptr) {
        buf_add(out, S(",\"" VECTOR_TEXT_KEY "\":"));
        buf_json(out, r->text);
    }
    if (r->metadata.len) {
        buf_char(out, ',');
        buf_add(out, r->metadata);
    }
    buf_char(out, '}');
}

Str vector_metadata_from(DgEval *ev, Arena *a, const DgValue *object, Str *text)
{
    StrBuf b = {0};
    buf_char(&b, '{');
    for (size_t i = 0; object && object->kind == DG_V_DICT && i < object->as.dict->count; i++) {
        Str key = object->as.dict->keys[i].as.s;
        DgValue value = object->as.dict->values[i];
        if (text && str_eq(key, S(VECTOR_TEXT_KEY)) && value.kind == DG_V_STR) {
            *text = str_copy(a, value.as.s);
            continue;
        }
        if (str_eq(key, S(VECTOR_HASH_KEY)) || str_eq(key, S(VECTOR_ID_KEY)))
            continue;
        buf_add(&b, b.len > 1 ? S(",") : S(""));
        buf_json(&b, key);
        buf_char(&b, ':');
        if (value.kind == DG_V_STR)
            buf_json(&b, value.as.s); /* as it is; dg_write_json would escape all that is not ASCII */
        else
            dg_write_json(ev, &b, value, 0, false);
    }
    buf_char(&b, '}');
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}
