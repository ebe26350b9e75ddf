/* test.h - cmocka, which needs four headers before its own, and a comparison that shows text whole. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/base/base.h"

/* Both texts are printed in full when they differ: one can be pasted over the other. */
#define assert_text(actual, expected)                                                          \
    do {                                                                                       \
        Str actual_ = (actual);                                                                \
        Str expected_ = str_from(expected);                                                    \
        if (!str_eq(actual_, expected_)) {                                                     \
            print_error("--- expected\n%.*s\n--- actual\n%.*s\n---\n", FMT(expected_),         \
                        FMT(actual_));                                                         \
            fail();                                                                            \
        }                                                                                      \
    } while (0)

#endif
