/* lexical.c - see lexical.h. */
#include "runtime/llm/lexical.h"

#include <math.h>

enum { WORD_MAX = 64 };

static uint64_t hash_of(Str s, uint64_t seed)
{
    uint64_t h = 14695981039346656037u ^ seed;
    for (ptrdiff_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    return h ^ h >> 29;
}

static void add(float *out, int32_t dimensions, uint64_t h, float weight)
{
    out[h % (uint64_t)dimensions] += h >> 63 ? weight : -weight;
}

static bool is_grammar(Str w)
{
    static const char *const words[] = {
        "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
        "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if", "in", "into", "is", "it", "its", "may", "me", "more", "my", "no",
        "not", "of", "on", "one", "or", "our", "out", "she", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these",
        "they", "thi", "this", "to", "up", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your"};
    size_t low = 0, high = sizeof words / sizeof *words;
    while (low < high) {
        size_t mid = (low + high) / 2;
        Str at = str_from(words[mid]);
        int order = memcmp(w.ptr, at.ptr, (size_t)(w.len < at.len ? w.len : at.len));
        order = order ? order : w.len < at.len ? -1 : w.len > at.len;
        if (order == 0)
            return true;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}

/* refunds, refunded, refunding: refund. */
static Str stem(Str w)
{
    static const char *const ends[] = {"ingly", "edly", "ings", "ing", "ies", "ed", "es", "ly", "s"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        Str end = str_from(ends[i]);
        if (w.len >= end.len + 3 && str_ends(w, end) && !(end.len == 1 && w.ptr[w.len - 2] == 's'))
            return str_sub(w, 0, w.len - end.len);
    }
    return w;
}

/* Scripts that put no spaces between words: each character is a word. */
static bool stands_alone(Str c)
{
    unsigned char first = (unsigned char)c.ptr[0], second = c.len > 1 ? (unsigned char)c.ptr[1] : 0;
    if (c.len == 3)
        return (first == 0xe0 && second >= 0xb8) || (first == 0xe1 && second < 0x90) || (first == 0xe3 && second >= 0x81) || (first >= 0xe4 && first <= 0xe9) ||
               (first == 0xef && second >= 0xa4 && second < 0xac);
    return c.len == 4 && first == 0xf0 && second == 0xa0;
}

static void take_word(Str word, Str before, float *out, int32_t dimensions)
{
    float weight = is_grammar(word) ? 0.1f : 1;
    add(out, dimensions, hash_of(word, 0), weight);
    if (before.len && weight == 1 && !is_grammar(before))
        add(out, dimensions, hash_of(word, hash_of(before, 1)), 0.5f);
}

void lexical_embed(Str text, float *out, int32_t dimensions)
{
    char now[WORD_MAX], last[WORD_MAX];
    Str before = {last, 0};
    ptrdiff_t n = 0;
    memset(out, 0, (size_t)dimensions * sizeof *out);
    for (ptrdiff_t i = 0; i <= text.len;) {
        int bytes = i < text.len ? str_utf8_length(text, i) : 0;
        char c = i < text.len ? text.ptr[i] : ' ';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || bytes > 1;
        Str alone = bytes > 2 && stands_alone(str_sub(text, i, i + bytes)) ? str_sub(text, i, i + bytes) : (Str){0};
        if (n && (!letter || alone.len || n + 4 >= WORD_MAX)) {
            Str word = stem((Str){now, n});
            take_word(word, before, out, dimensions);
            memcpy(last, word.ptr, (size_t)word.len);
            before.len = word.len;
            n = 0;
        }
        if (alone.len) {
            take_word(alone, before, out, dimensions);
            memcpy(last, alone.ptr, (size_t)alone.len);
            before.len = alone.len;
        } else if (letter) {
            for (int k = 0; k < (bytes > 1 ? bytes : 1); k++) {
                char x = text.ptr[i + k];
                now[n++] = (char)(x >= 'A' && x <= 'Z' ? x + 32 : x);
            }
        }
        i += bytes > 1 ? bytes : 1;
    }
    double sum = 0;
    for (int32_t i = 0; i < dimensions; i++) {
        float x = out[i], size = fabsf(x);
        out[i] = size > 1 ? (x < 0 ? -1 : 1) * (1 + logf(size)) : x;
        sum += (double)out[i] * out[i];
    }
    float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (int32_t i = 0; i < dimensions; i++)
        out[i] *= scale;
}
