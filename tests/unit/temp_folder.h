/* temp_folder.h - what tests of files begin with: a folder, an arena, an error, and calls that must go well.
 * A test includes it once; each test of cmocka gets a folder of its own, removed after it. */
#ifndef TESTS_UNIT_TEMP_FOLDER_H
#define TESTS_UNIT_TEMP_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

#include "runtime/os/os.h"
#include "tests/test.h"

static char root[64];
static Arena a;
static DgError err;

#define ok(expr)                                                      \
    do {                                                              \
        DgStatus status_ = (expr);                                    \
        if (status_ != DG_OK)                                         \
            fail_msg("%s: %s", dg_status_name(status_), err.message); \
    } while (0)

static int begin(void **state)
{
    snprintf(root, sizeof root, "/tmp/dgc-test-XXXXXX");
    arena_init(&a, 0);
    return mkdtemp(root) ? 0 : 1;
}

static int end(void **state)
{
    arena_free(&a);
    return os_remove_tree(root, &err) == DG_OK ? 0 : 1;
}

#endif
