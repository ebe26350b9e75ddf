/* sse.c - see sse.h. */
#include "runtime/net/sse.h"

static void empty(StrBuf *b)
{
    b->len = 0;
    b->max = SSE_EVENT_MAX;
}

void sse_begin(Sse *s)
{
    sse_free(s);
    *s = (Sse){0};
}

void sse_free(Sse *s)
{
    buf_free(&s->line);
    buf_free(&s->data);
    buf_free(&s->name);
}

static bool dispatch(Sse *s, SseEvent *event, void *context)
{
    Str data = buf_str(&s->data);
    bool go_on = true;
    if (data.len) /* each line has added a newline, the last one too many */
        go_on = event(context, buf_str(&s->name), str_sub(data, 0, data.len - 1));
    empty(&s->data);
    empty(&s->name);
    return go_on;
}

static bool take_line(Sse *s, SseEvent *event, void *context)
{
    Str line = buf_str(&s->line), name = line, value = {0};
    if (!s->begun && str_starts(line, S("\xef\xbb\xbf")))
        name = line = str_sub(line, 3, line.len);
    s->begun = true;
    if (!line.len)
        return dispatch(s, event, context);
    if (str_cut(line, ':', &name, &value) && value.len && value.ptr[0] == ' ')
        value = str_sub(value, 1, value.len);
    if (str_eq(name, S("data"))) {
        buf_add(&s->data, value);
        buf_char(&s->data, '\n');
    } else if (str_eq(name, S("event"))) {
        empty(&s->name);
        buf_add(&s->name, value);
    }
    return !s->data.failed && !s->name.failed;
}

bool sse_take(Sse *s, Str bytes, SseEvent *event, void *context)
{
    if (!s->line.max) {
        empty(&s->line);
        empty(&s->data);
        empty(&s->name);
    }
    while (bytes.len) {
        if (s->after_cr && bytes.ptr[0] == '\n')
            bytes = str_sub(bytes, 1, bytes.len);
        s->after_cr = false;
        ptrdiff_t n = 0;
        while (n < bytes.len && bytes.ptr[n] != '\n' && bytes.ptr[n] != '\r')
            n++;
        buf_add(&s->line, str_sub(bytes, 0, n));
        if (s->line.failed)
            return false;
        if (n == bytes.len)
            return true;
        s->after_cr = bytes.ptr[n] == '\r';
        bytes = str_sub(bytes, n + 1, bytes.len);
        bool go_on = take_line(s, event, context);
        empty(&s->line);
        if (!go_on)
            return false;
    }
    return true;
}
