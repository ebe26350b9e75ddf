/* AWS Signature Version 4: the examples that AWS publishes, and what their service forgives. */
#include "runtime/net/sigv4.h"
#include "tests/test.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { S3_SECONDS = 1369353600, SUITE_SECONDS = 1440938160 }; /* 2013-05-24T00:00:00Z, 2015-08-30T12:36:00Z */

static const DgAwsKeys s3_keys = {.access_key_id = DG_S("AKIAIOSFODNN7EXAMPLE"), .secret_access_key = DG_S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")};
static const DgAwsKeys suite_keys = {.access_key_id = DG_S("AKIDEXAMPLE"), .secret_access_key = DG_S("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")};
static Arena a;
static DgError err;

static int setup(void **state)
{
    arena_init(&a, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(&a);
    return 0;
}

static DgSigV4 s3_request(const char *method, const char *path, const char *query)
{
    return (DgSigV4){.method = method, .host = S("examplebucket.s3.amazonaws.com"), .path = str_from(path), .query = str_from(query), .payload_sha256 = S(EMPTY),
                     .region = S("us-east-1"), .service = S("s3"), .now_us = S3_SECONDS * INT64_C(1000000), .keys = &s3_keys};
}

static DgSigV4 suite_request(const char *path, const char *query)
{
    return (DgSigV4){.method = "GET", .host = S("example.amazonaws.com"), .path = str_from(path), .query = str_from(query), .payload_sha256 = S(EMPTY),
                     .region = S("us-east-1"), .service = S("service"), .now_us = SUITE_SECONDS * INT64_C(1000000), .keys = &suite_keys};
}

/* The Authorization header. */
static Str signed_as(const DgSigV4 *s)
{
    StrArray headers = {0};
    assert_int_equal(sigv4_sign(&a, s, &headers, &err), DG_OK);
    return str_sub(headers.items[headers.count - 1], 15, 10000);
}

static void check_signature(const DgSigV4 *s, const char *expected)
{
    Str all = signed_as(s);
    assert_text(str_sub(all, all.len - 64, all.len), expected);
}

static void an_object_is_got(void **state)
{
    Str range = S("Range: bytes=0-9");
    DgSigV4 s = s3_request("GET", "/test.txt", "");
    s.headers = &range;
    s.headers_count = 1;
    assert_text(signed_as(&s), "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                               "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                               "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void an_object_is_put(void **state)
{
    char hash[65];
    Str headers[] = {S("Date: Fri, 24 May 2013 00:00:00 GMT"), S("x-amz-storage-class: REDUCED_REDUNDANCY")};
    DgSigV4 s = s3_request("PUT", "/test%24file.text", "");
    sigv4_sha256(S("Welcome to Amazon S3."), hash);
    s.payload_sha256 = str_from(hash);
    s.headers = headers;
    s.headers_count = 2;
    check_signature(&s, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void queries_are_sorted_and_valueless_ones_get_an_equals_sign(void **state)
{
    DgSigV4 s = s3_request("GET", "/", "lifecycle");
    check_signature(&s, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    s = s3_request("GET", "/", "prefix=J&max-keys=2");
    check_signature(&s, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void a_url_is_signed(void **state)
{
    Str query;
    DgSigV4 s = s3_request("GET", "/test.txt", "");
    s.payload_sha256 = S("UNSIGNED-PAYLOAD");
    assert_int_equal(sigv4_presign(&a, &s, 86400, &query, &err), DG_OK);
    assert_text(query, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                       "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                       "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static void other_services_sign_no_hash_of_the_content(void **state)
{
    Str type = S("Content-Type: application/x-www-form-urlencoded; charset=utf-8");
    DgSigV4 s = suite_request("/", "");
    check_signature(&s, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    s = suite_request("/", "Action=ListUsers&Version=2010-05-08");
    s.host = S("iam.amazonaws.com");
    s.service = S("iam");
    s.headers = &type;
    s.headers_count = 1;
    check_signature(&s, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

static void other_services_normalise_paths(void **state)
{
    DgSigV4 plain = suite_request("/", ""), s;
    Str expected = signed_as(&plain);
    const char *const same[] = {"/", "//", "/./", "/example/..", "/a/../b/..", ""};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        s = suite_request(same[i], "");
        assert_true(str_eq(signed_as(&s), expected));
    }
    s = suite_request("/example/", "");
    assert_false(str_eq(signed_as(&s), expected));
}

static void blanks_in_headers_count_once_and_repeated_headers_are_one(void **state)
{
    Str wide[] = {S("My-Header1:   a   b   c  "), S("x-other: 1")}, narrow[] = {S("X-Other: 1"), S("my-header1:a b c")};
    DgSigV4 s = suite_request("/", ""), t = s;
    s.headers = wide, s.headers_count = 2;
    t.headers = narrow, t.headers_count = 2;
    assert_true(str_eq(signed_as(&s), signed_as(&t)));
    Str twice[] = {S("a: 1"), S("a: 2")}, once[] = {S("a: 1,2")};
    s.headers = twice, t.headers = once, t.headers_count = 1;
    assert_true(str_eq(signed_as(&s), signed_as(&t)));
}

static void headers_without_bound_are_refused(void **state)
{
    Str many[SIGV4_HEADERS_MAX + 1];
    StrArray headers = {0};
    for (size_t i = 0; i < SIGV4_HEADERS_MAX + 1; i++)
        many[i] = S("a: 1");
    DgSigV4 s = suite_request("/", "");
    s.headers = many, s.headers_count = SIGV4_HEADERS_MAX;
    assert_int_equal(sigv4_sign(&a, &s, &headers, &err), DG_OK);
    s.headers_count++;
    assert_int_equal(sigv4_sign(&a, &s, &headers, &err), DG_BUG);
}

static void memory_that_is_used_up_is_an_error(void **state)
{
    Arena small;
    StrArray headers = {0};
    arena_init(&small, 64 << 10);
    small.can_fail = true;
    while (!small.failed)
        arena_push(&small, 64, 1, 1);
    DgSigV4 s = s3_request("GET", "/test.txt", "a=b");
    assert_int_equal(sigv4_sign(&small, &s, &headers, &err), DG_NOMEM);
    arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_got),
        cmocka_unit_test(an_object_is_put),
        cmocka_unit_test(queries_are_sorted_and_valueless_ones_get_an_equals_sign),
        cmocka_unit_test(a_url_is_signed),
        cmocka_unit_test(other_services_sign_no_hash_of_the_content),
        cmocka_unit_test(other_services_normalise_paths),
        cmocka_unit_test(blanks_in_headers_count_once_and_repeated_headers_are_one),
        cmocka_unit_test(headers_without_bound_are_refused),
        cmocka_unit_test(memory_that_is_used_up_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
