/* test_driver.c - what the drivers share, code loaded in memory, components that are wrong. */
#include "tests/test.h"

#include <libtcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codegen/driver_impl.h"
#include "runtime/elf_load.h"
#include "runtime/symbols.h"

static Arena arena;

static int setup(void **state)
{
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    arena_free(&arena);
    return 0;
}

static size_t occurrences(Str text, const char *what)
{
    size_t n = 0;
    for (ptrdiff_t at; (at = str_find(text, str_from(what))) >= 0; n++)
        text = str_sub(text, at + 1, text.len);
    return n;
}

static void headers_are_put_in_once(void **state)
{
    Str out = driver_expand(&arena, S("#define DGC_NO_LIBC\n#include \"runtime/pipeline.h\"\n"
                                      "#include \"runtime/component.h\"\nint x;\n"));
    assert_int_equal(occurrences(out, "#include \"runtime"), 0);
    assert_int_equal(occurrences(out, "typedef struct DgAssetDecl {"), 1);
    assert_int_equal(occurrences(out, "typedef struct DgPipeline {"), 1);
    assert_true(str_ends(out, S("#line 4 \"pipeline.c\"\nint x;\n")));
}

static void libc_headers_are_noticed(void **state)
{
    assert_true(driver_is_libc_free(S("#include \"runtime/component.h\"\nint a = 1 < 2;\n")));
    assert_false(driver_is_libc_free(S("int a;\n  #  include <stdio.h>\n")));
}

static void symbols_are_sorted_and_there(void **state)
{
    for (size_t i = 1; dg_symbols[i].name; i++)
        assert_true(strcmp(dg_symbols[i - 1].name, dg_symbols[i].name) < 0);
    assert_non_null(dg_symbol_find("dg_fail"));
    assert_non_null(dg_symbol_find("dg_script_ops"));
    assert_non_null(dg_symbol_find("memcpy"));
    assert_non_null(dg_symbol_find("__floatundidf"));
    assert_null(dg_symbol_find("dg_nothing_of_this_name"));
}

/* ---- Objects ---- */

static const char program[] =
    "int strncmp(const char *a, const char *b, unsigned long n);\n"
    "static int table[3] = {1, 2, 3};\n"
    "int zeros[100];\n"
    "static int twice(int n) { return 2 * n; }\n"
    "int (*pointer)(int) = twice;\n"
    "const char *const text = \"text\";\n"
    "int answer(int n) { zeros[3] += n; return pointer(table[2]) + zeros[3] + strncmp(text, \"text\", 4); }\n";

static void quiet(void *opaque, const char *message)
{
    (void)opaque, (void)message;
}

static Str object_of(const char *source)
{
    char path[] = "/tmp/dgc-test-object-XXXXXX";
    Str out;
    close(mkstemp(path));
    TCCState *s = tcc_new();
    tcc_set_error_func(s, NULL, quiet);
    tcc_set_options(s, "-nostdlib -nostdinc");
    tcc_set_output_type(s, TCC_OUTPUT_OBJ);
    assert_int_equal(tcc_compile_string(s, source), 0);
    assert_int_equal(tcc_output_file(s, path), 0);
    tcc_delete(s);
    assert_true(read_file(&arena, path, 1 << 20, &out));
    unlink(path);
    return out;
}

static void objects_are_loaded_and_run(void **state)
{
    ElfImage *image = NULL;
    DgError err = {0};
    Str object = object_of(program);
    DgStatus status = elf_load(&arena, &object, 1, dg_symbol_find, &image, &err);
    assert_text(str_from(err.message), "");
    assert_int_equal(status, DG_OK);
    int (*answer)(int) = NULL;
    const void *address = elf_symbol(image, "answer");
    assert_non_null(address);
    memcpy(&answer, &address, sizeof answer);
    assert_int_equal(answer(10), 16);
    assert_int_equal(answer(10), 26);
    assert_null(elf_symbol(image, "twice"));
}

static void two_objects_see_each_other(void **state)
{
    ElfImage *image = NULL;
    DgError err = {0};
    Str objects[] = {object_of("int other(void); int answer(void) { return other() + 1; }"),
                     object_of("static int seven = 7; int other(void) { return seven; }")};
    assert_int_equal(elf_load(&arena, objects, 2, dg_symbol_find, &image, &err), DG_OK);
    int (*answer)(void) = NULL;
    const void *address = elf_symbol(image, "answer");
    memcpy(&answer, &address, sizeof answer);
    assert_int_equal(answer(), 8);
}

static void a_missing_function_is_named(void **state)
{
    ElfImage *image = NULL;
    DgError err = {0};
    Str object = object_of("int nowhere_to_be_found(void); int f(void) { return nowhere_to_be_found(); }");
    assert_int_equal(elf_load(&arena, &object, 1, dg_symbol_find, &image, &err), DG_BUG);
    assert_non_null(strstr(err.message, "`nowhere_to_be_found`"));
}

/* Every byte of the headers and tables, changed: an error or an image, never a crash. */
static void damaged_objects_are_refused(void **state)
{
    Str object = object_of(program);
    size_t mark = arena_mark(&arena);
    char *copy = aligned_alloc(16, ((size_t)object.len + 15) / 16 * 16);
    for (ptrdiff_t i = 0; i < object.len; i++) {
        for (int bit = 0; bit < 8; bit += 7) {
            ElfImage *image = NULL;
            DgError err = {0};
            memcpy(copy, object.ptr, (size_t)object.len);
            copy[i] = (char)(copy[i] ^ 1 << bit);
            Str damaged = {copy, object.len};
            elf_load(&arena, &damaged, 1, dg_symbol_find, &image, &err);
            arena_pop(&arena, mark);
        }
    }
    for (ptrdiff_t length = 0; length < object.len; length += 7) {
        ElfImage *image = NULL;
        DgError err = {0};
        Str cut = {object.ptr, length};
        assert_int_not_equal(elf_load(&arena, &cut, 1, dg_symbol_find, &image, &err), DG_OK);
    }
    free(copy);
}

/* ---- Programs and components in memory ---- */

static void programs_need_no_file(void **state)
{
    const DgPipeline *pipeline = NULL;
    DgError err = {0};
    UserSources none = {0};
    DgStatus status = driver_jit(&arena, S("#define DGC_NO_LIBC\n#include \"runtime/pipeline.h\"\n"
                                           "const DgPipeline dg_pipeline = {.name = {\"tiny\", 4}};\n"),
                                 &none, &pipeline, &err);
    assert_int_equal(status, DG_OK);
    assert_text(pipeline->name, "tiny");
}

static void a_mistake_of_ours_keeps_the_program(void **state)
{
    const DgPipeline *pipeline = NULL;
    DgError err = {0};
    UserSources none = {0};
    assert_int_equal(driver_jit(&arena, S("int f(void) { return undeclared; }\n"), &none, &pipeline, &err), DG_BUG);
    assert_non_null(strstr(err.message, "pipeline.c:1"));
    Str hint = str_from(err.hint);
    ptrdiff_t at = str_find(hint, S("/dgc-program-"));
    assert_true(at > 0);
    while (at > 0 && hint.ptr[at - 1] != ' ')
        at--;
    assert_int_equal(unlink(str_cstr(&arena, str_sub(hint, at, hint.len))), 0);
}

static Str complaint_about(const char *text)
{
    char path[] = "/tmp/dgc-test-component-XXXXXX.c";
    UserModule module;
    close(mkstemps(path, 2));
    assert_true(write_file(path, str_from(text), 0600));
    UserSource source = {str_from(path), S("components/x.c")};
    bool ok = driver_component(&arena, &source, &module);
    unlink(path);
    return ok ? S("none") : module.complaints.items[0];
}

#define HEAD "#include \"runtime/component.h\"\n"
#define BODY                                                                                   \
    "static const DgField fields[] = {{0}};\nstatic void plan(DgPlanner *p, const void *c) {}\n" \
    "const DgComponent dg_component_x = {.name = \"x.X\", .fields = fields, .plan = plan"

static void components_are_told_what_is_wrong(void **state)
{
    assert_text(complaint_about(HEAD BODY "};\n"), "none");
    assert_text(complaint_about(HEAD "int f(void) { return y; }\n"), "components/x.c:2: error: 'y' undeclared");
    assert_true(str_find(complaint_about(HEAD "int x;\n"), S("no component")) > 0);
    assert_true(str_find(complaint_about(HEAD "const DgComponent dg_component_x = {.name = \"x.X\"};\n"),
                         S("needs at least")) > 0);
    assert_true(str_find(complaint_about(HEAD "static const DgStepOps ops = {.name = \"x.X\"};\n"
                                         "static const DgStepOps *const steps[] = {&ops, NULL};\n" BODY
                                         ", .steps = steps};\n"),
                         S("must not be static")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_put_in_once),
        cmocka_unit_test(libc_headers_are_noticed),
        cmocka_unit_test(symbols_are_sorted_and_there),
        cmocka_unit_test(objects_are_loaded_and_run),
        cmocka_unit_test(two_objects_see_each_other),
        cmocka_unit_test(a_missing_function_is_named),
        cmocka_unit_test(damaged_objects_are_refused),
        cmocka_unit_test(programs_need_no_file),
        cmocka_unit_test(a_mistake_of_ours_keeps_the_program),
        cmocka_unit_test(components_are_told_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
