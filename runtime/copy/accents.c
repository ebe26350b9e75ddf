/* accents.c - letters without their marks: Latin, and combining marks of any script. */
#include "runtime/copy/functions.h"

static const char *const groups[][2] = { /* what it becomes, what becomes it */
    {"A", "ÀÁÂÃÄÅĀĂĄǍ"}, {"a", "àáâãäåāăąǎ"}, {"C", "ÇĆĈĊČ"}, {"c", "çćĉċč"}, {"D", "ĎĐÐ"}, {"d", "ďđð"},
    {"E", "ÈÉÊËĒĔĖĘĚ"}, {"e", "èéêëēĕėęě"}, {"G", "ĜĞĠĢ"}, {"g", "ĝğġģ"}, {"H", "ĤĦ"}, {"h", "ĥħ"}, {"I", "ÌÍÎÏĨĪĬĮİǏ"}, {"i", "ìíîïĩīĭįıǐ"},
    {"J", "Ĵ"}, {"j", "ĵ"}, {"K", "Ķ"}, {"k", "ķ"}, {"L", "ĹĻĽĿŁ"}, {"l", "ĺļľŀł"}, {"N", "ÑŃŅŇ"}, {"n", "ñńņň"},
    {"O", "ÒÓÔÕÖØŌŎŐǑ"}, {"o", "òóôõöøōŏőǒ"}, {"R", "ŔŖŘ"}, {"r", "ŕŗř"}, {"S", "ŚŜŞŠȘ"}, {"s", "śŝşšș"}, {"T", "ŢŤŦȚ"}, {"t", "ţťŧț"},
    {"U", "ÙÚÛÜŨŪŬŮŰŲǓ"}, {"u", "ùúûüũūŭůűųǔ"}, {"W", "Ŵ"}, {"w", "ŵ"}, {"Y", "ÝŶŸ"}, {"y", "ýÿŷ"}, {"Z", "ŹŻŽ"}, {"z", "źżž"},
    {"AE", "Æ"}, {"ae", "æ"}, {"OE", "Œ"}, {"oe", "œ"}, {"ss", "ß"}, {"TH", "Þ"}, {"th", "þ"},
};

void accents_remove(StrBuf *out, Str text)
{
    for (ptrdiff_t i = 0; i < text.len;) {
        int n = str_utf8_length(text, i);
        Str letter = str_sub(text, i, i + (n > 0 ? n : 1));
        i += letter.len;
        bool mark = letter.len == 2 && ((uint8_t)letter.ptr[0] == 0xCC || ((uint8_t)letter.ptr[0] == 0xCD && (uint8_t)letter.ptr[1] < 0xB0));
        if (mark)
            continue; /* U+0300 to U+036F */
        size_t g = 0, count = letter.len == 2 ? sizeof groups / sizeof *groups : 0;
        while (g < count && str_find(str_from(groups[g][1]), letter) < 0)
            g++;
        buf_add(out, g < count ? str_from(groups[g][0]) : letter);
    }
}
