/* unicode.h - characters of UTF-8 text and what kind they are. */
#ifndef DGC_UNICODE_H
#define DGC_UNICODE_H

#include "runtime/base/base.h"

typedef enum CharClass {
    CHAR_OTHER,  /* punctuation, symbols, controls, what is not assigned */
    CHAR_SPACE,  /* White_Space, line ends too */
    CHAR_UPPER,  /* Lu, Lt */
    CHAR_LOWER,  /* Ll */
    CHAR_LETTER, /* Lm, Lo: letters without case */
    CHAR_MARK,   /* M: combining */
    CHAR_NUMBER, /* N */
} CharClass;

/* The class of each character, 0x110000 bytes; made at the first call. NULL: out of memory. */
const uint8_t *unicode_classes(void);

/* The character at s[*i], and *i after it. What is not UTF-8 is U+FFFD, one byte long. */
uint32_t unicode_next(Str s, ptrdiff_t *i);
/* The start of the character that s[i] is in, or i when it is a start. */
ptrdiff_t unicode_start(Str s, ptrdiff_t i);
void unicode_add(StrBuf *b, uint32_t c);

/* Chinese, Japanese: a line may be broken between any two of these. */
bool is_ideographic(uint32_t c);
/* Thai, Lao, Khmer, Burmese: words are not separated, and a dictionary alone could tell them apart. */
bool is_unspaced(uint32_t c);

#endif
