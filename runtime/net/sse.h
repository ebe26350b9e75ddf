/* sse.h - a stream of events as servers send it: text/event-stream of the HTML standard (section 9.2.6), piece by piece.
 *
 * Lines end with CR, LF or both, wherever a piece is cut; comments, ids and retry times are passed over. An event whose
 * blank line never comes is none.
 */
#ifndef DGC_SSE_H
#define DGC_SSE_H

#include "runtime/base/base.h"

enum { SSE_EVENT_MAX = 16 << 20 }; /* bytes of one event */

typedef struct Sse {
    StrBuf line, data, name;
    bool after_cr;             /* a LF now belongs to the line before */
    bool begun;                /* the first line was seen: a byte order mark stands nowhere else */
} Sse;

/* `name` is empty where none was given. False ends the reading. */
typedef bool SseEvent(void *context, Str name, Str data);
void sse_begin(Sse *s);        /* forgets what came; zeroed memory is begun */
/* False: the event said so, or an event is too large (then s->data.failed or s->line.failed). */
bool sse_take(Sse *s, Str bytes, SseEvent *event, void *context);
void sse_free(Sse *s);

#endif
