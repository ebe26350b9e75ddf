/* http_get.c - one GET into a file; the step that wants it is what tries again. */
#include "runtime/net/http_get.h"

#include <fcntl.h>
#include <stdio.h>

#include "runtime/net/http.h"
#include "runtime/os/os.h"

DgStatus http_download(Str url, const char *to, int64_t bytes_max, DgError *err)
{
    Arena a;
    int fd;
    DgHttp *http;
    DgHttpAnswer answer;
    char what[256];
    snprintf(what, sizeof what, "get %.*s", FMT(url));
    DG_TRY(os_open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd, err));
    arena_init(&a, 4 << 20);
    a.can_fail = true;
    DgStatus status = http_open(&http, err);
    if (status == DG_OK) {
        DgHttpRequest r = {.method = "GET", .url = url, .to_fd = fd, .to_max = bytes_max, .attempts = 1};
        status = http_send(http, &a, &r, &answer, what, err);
        bool refused = status == DG_NOPERM || status == DG_END || status == DG_TEMPFAIL || status == DG_CONFIG;
        if (refused || (status == DG_OK && answer.status != 200)) {
            err->status = status = refused ? DG_DATA : dg_fail(err, DG_DATA, "could not %s: the server answered %d", what, answer.status);
        }
        http_close(http);
    }
    arena_free(&a);
    os_close(fd);
    return status;
}
