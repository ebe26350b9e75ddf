/* sigv4_driver.c - signs requests for sigv4_botocore.py. One JSON object a line in, the value of the
 * Authorization header a line out. */
#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/net/sigv4.h"

static Str text(const cJSON *root, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(root, name);
    return cJSON_IsString(item) ? str_from(item->valuestring) : (Str){0};
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        Arena a;
        DgError err = {0};
        StrArray headers = {0}, given = {0};
        arena_init(&a, 1 << 24);
        cJSON *root = cJSON_Parse(line), *item;
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(root, "headers"))
            array_add(&a, &given, str_from(item->valuestring));
        DgAwsKeys keys = {text(root, "access"), text(root, "secret"), text(root, "token"), 0};
        cJSON *now = cJSON_GetObjectItem(root, "now");
        DgSigV4 s = {.method = text(root, "method").ptr, .host = text(root, "host"), .path = text(root, "path"), .query = text(root, "query"),
                     .headers = given.items, .headers_count = given.count, .payload_sha256 = text(root, "payload"), .region = text(root, "region"),
                     .service = S("s3"), .now_us = (int64_t)now->valuedouble * 1000000, .keys = &keys};
        if (sigv4_sign(&a, &s, &headers, &err) != DG_OK)
            printf("error: %s\n", err.message);
        for (size_t i = 0; i < headers.count; i++)
            if (str_starts(headers.items[i], S("Authorization: ")))
                printf("%.*s\n", FMT(str_sub(headers.items[i], 15, headers.items[i].len)));
        cJSON_Delete(root);
        arena_free(&a);
    }
    free(line);
    return 0;
}
