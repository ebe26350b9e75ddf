/* The console. See console.h. */
#include "runtime/run/console.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/os/os.h"

struct Console {
    ProgressMode mode;
    bool color;
    Redactor *redactor;
    pthread_mutex_t lock;
    StrBuf live;   /* the block drawn last */
    int live_lines;
    int width;
};

static bool wants_color(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && term && strcmp(term, "dumb") != 0;
}

Console *console_open(ProgressMode mode, Redactor *redactor)
{
    Console *c = os_alloc(sizeof *c);
    if (!c)
        return NULL;
    bool tty = isatty(2);
    const char *term = getenv("TERM");
    if (mode == PROGRESS_AUTO)
        mode = tty && term && strcmp(term, "dumb") != 0 ? PROGRESS_TTY : PROGRESS_PLAIN;
    c->mode = mode;
    c->color = tty && wants_color();
    c->redactor = redactor;
    c->live.max = 64 << 10;
    pthread_mutex_init(&c->lock, NULL);
    struct winsize size = {0};
    c->width = ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
    return c;
}

void console_close(Console *c)
{
    if (!c)
        return;
    console_live(c, (Str){0});
    buf_free(&c->live);
    pthread_mutex_destroy(&c->lock);
    os_free(c);
}

ProgressMode console_mode(const Console *c)
{
    return c->mode;
}

bool console_color(const Console *c)
{
    return c->color;
}

int console_width(const Console *c)
{
    return c->width;
}

static void send(const StrBuf *b)
{
    DgError ignored = {0};
    if (b->len)
        os_write_all(2, b->ptr, b->len, "standard error", &ignored);
}

/* Takes the live block off the screen. */
static void erase(Console *c, StrBuf *out)
{
    if (c->live_lines)
        buf_format(out, "\033[%dA\033[J", c->live_lines);
}

static void redraw(Console *c, StrBuf *out)
{
    buf_add(out, buf_str(&c->live));
}

static void print(Console *c, const StrBuf *line)
{
    StrBuf out = {0};
    pthread_mutex_lock(&c->lock);
    erase(c, &out);
    buf_add(&out, buf_str(line));
    redraw(c, &out);
    send(&out);
    pthread_mutex_unlock(&c->lock);
    buf_free(&out);
}

static void add_clean(Console *c, StrBuf *out, Str text, bool keep_newlines)
{
    size_t start = out->len;
    redact_text(c->redactor, text, out);
    if (out->ptr && c->mode != PROGRESS_JSON)
        strip_controls(out->ptr + start, out->len - start, keep_newlines);
}

static const char *color_of(char tone)
{
    return tone == 'g' ? "\033[1;32m" : tone == 'b' ? "\033[1;31m" : tone == 'w' ? "\033[1;33m"
         : tone == 'd' ? "\033[2m" : "\033[1;36m";
}

void console_line(Console *c, char tone, const char *verb, Str text)
{
    if (c->mode == PROGRESS_JSON || (c->mode == PROGRESS_NONE && tone != 'b'))
        return;
    StrBuf b = {0};
    buf_format(&b, "%s%11s%s ", c->color ? color_of(tone) : "", verb, c->color ? "\033[0m" : "");
    add_clean(c, &b, text, true);
    buf_char(&b, '\n');
    print(c, &b);
    buf_free(&b);
}

void console_prefixed(Console *c, DgLogLevel level, Str prefix, Str text)
{
    if (c->mode == PROGRESS_JSON || (c->mode == PROGRESS_NONE && level < DG_LOG_ERROR))
        return;
    StrBuf b = {.max = 1 << 20};
    const char *color = level == DG_LOG_ERROR ? color_of('b') : level == DG_LOG_WARNING ? color_of('w')
                                                                                      : "\033[2m";
    buf_format(&b, "%s", c->color ? color : "");
    add_clean(c, &b, prefix, false);
    buf_format(&b, " |%s ", c->color ? "\033[0m" : "");
    add_clean(c, &b, text, false);
    buf_char(&b, '\n');
    print(c, &b);
    buf_free(&b);
}

void console_json(Console *c, Str object)
{
    if (c->mode != PROGRESS_JSON)
        return;
    StrBuf b = {0};
    add_clean(c, &b, object, false);
    buf_char(&b, '\n');
    print(c, &b);
    buf_free(&b);
}

void console_live(Console *c, Str lines)
{
    if (c->mode != PROGRESS_TTY)
        return;
    StrBuf out = {0};
    pthread_mutex_lock(&c->lock);
    if (!str_eq(lines, buf_str(&c->live)) || c->live_lines) {
        erase(c, &out);
        c->live.len = 0;
        add_clean(c, &c->live, lines, true);
        c->live_lines = 0;
        for (size_t i = 0; i < c->live.len; i++)
            c->live_lines += c->live.ptr[i] == '\n';
        redraw(c, &out);
        send(&out);
    }
    pthread_mutex_unlock(&c->lock);
    buf_free(&out);
}

void show_count(StrBuf *b, int64_t n)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)(n < 0 ? -n : n));
    if (n < 0)
        buf_char(b, '-');
    for (int i = 0; i < len; i++) {
        buf_char(b, digits[i]);
        if ((len - i - 1) % 3 == 0 && i + 1 < len)
            buf_char(b, ',');
    }
}

void show_bytes(StrBuf *b, int64_t n)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)n;
    int unit = 0;
    while (value >= 1000 && unit < 4) {
        value /= 1000;
        unit++;
    }
    buf_format(b, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void show_duration(StrBuf *b, int64_t ms)
{
    if (ms < 1000)
        buf_format(b, "%lld ms", (long long)ms);
    else if (ms < 60000)
        buf_format(b, "%.1f s", (double)ms / 1000);
    else if (ms < 3600000)
        buf_format(b, "%lld m %02lld s", (long long)(ms / 60000), (long long)(ms / 1000 % 60));
    else
        buf_format(b, "%lld h %02lld m", (long long)(ms / 3600000), (long long)(ms / 60000 % 60));
}
