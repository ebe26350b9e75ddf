/* mock_server.h - a tape served over HTTP/1.1 on 127.0.0.1.
 *
 * One thread, as many connections as MOCK_CONNECTIONS_MAX, kept open between requests. A request has a Content-Length
 * or no body; chunked bodies are refused with 411. What is too large, slow or malformed is answered so and closed.
 */
#ifndef DGC_MOCK_SERVER_H
#define DGC_MOCK_SERVER_H

#include <signal.h>
#include <stdio.h>

#include "compiler/mock_tape.h"

enum { MOCK_CONNECTIONS_MAX = 256, MOCK_HEAD_MAX = 64 << 10, MOCK_BODY_MAX = 64 << 20, MOCK_IDLE_S = 60, MOCK_DRAIN_S = 2 };

/* A socket that listens on 127.0.0.1; `port` 0 becomes the one that was free. */
DgStatus mock_listen(int *port, int *out, DgError *err);
/* Answers until `*ended` is set by a signal that `waiting` lets through; a line for each request goes to `log`. */
void mock_serve(MockTape *t, int listener, FILE *log, const volatile sig_atomic_t *ended, const sigset_t *waiting);

#endif
