/* hooks_out.c - HTTP requests, and commands: an argument list, never a shell. */
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/copy/hooks.h"
#include "runtime/net/http.h"
#include "runtime/os/os.h"

extern char **environ;

/* ---- HTTP ---- */

static bool line_safe(Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 && s.ptr[i] != '\t')
            return false;
    return true;
}

static DgStatus headers_of(Copy *c, DgValue hook, StrArray *out, DgError *err)
{
    const DgValue *v = hook_value(hook, "headers");
    if (v && v->kind != DG_V_DICT)
        return dg_fail(err, DG_CONFIG, "`headers` of a hook is a mapping");
    for (size_t i = 0; v && i < v->as.dict->count; i++) {
        Str value, name = expr_text(&c->arena, v->as.dict->keys[i]);
        DG_TRY(hook_fill(c, v->as.dict->values[i], &value, err));
        if (!line_safe(name) || !line_safe(value) || i >= 100)
            return dg_fail(err, DG_CONFIG, "header `%.*s` cannot be sent", FMT(name));
        array_add(&c->arena, out, str_format(&c->arena, "%.*s: %.*s", FMT(name), FMT(value)));
    }
    return DG_OK;
}

/* A mapping or list is sent as JSON; `{names}` in its texts are filled in. */
static DgStatus write_json(Copy *c, DgValue v, StrBuf *b, int depth, DgError *err)
{
    Str s;
    if (depth > 32)
        return dg_fail(err, DG_CONFIG, "the payload of a hook is more than 32 deep");
    if (v.kind == DG_V_LIST || v.kind == DG_V_DICT) {
        bool list = v.kind == DG_V_LIST;
        size_t n = list ? v.as.list->count : v.as.dict->count;
        buf_char(b, list ? '[' : '{');
        for (size_t i = 0; i < n; i++) {
            if (i)
                buf_char(b, ',');
            if (!list) {
                buf_json(b, expr_text(&c->arena, v.as.dict->keys[i]));
                buf_char(b, ':');
            }
            DG_TRY(write_json(c, list ? v.as.list->items[i] : v.as.dict->values[i], b, depth + 1, err));
        }
        buf_char(b, list ? ']' : '}');
        return DG_OK;
    }
    if (v.kind != DG_V_STR) {
        buf_add(b, v.kind == DG_V_NONE ? S("null") : expr_text(&c->arena, v));
        return DG_OK;
    }
    DG_TRY(copy_expand(c, v.as.s, &s, err));
    buf_json(b, s);
    return DG_OK;
}

static DgStatus payload_of(Copy *c, DgValue hook, StrArray *headers, Str *out, DgError *err)
{
    const DgValue *v = hook_value(hook, "payload");
    if (!v || (v->kind != DG_V_DICT && v->kind != DG_V_LIST))
        return hook_text(c, hook, "payload", out, err);
    StrBuf b = {.max = HOOK_OUTPUT_MAX};
    DgStatus status = write_json(c, *v, &b, 0, err);
    *out = str_copy(&c->arena, buf_str(&b));
    if (status == DG_OK && b.failed)
        status = dg_fail(err, DG_CONFIG, "the payload of a hook passes %d bytes", HOOK_OUTPUT_MAX);
    buf_free(&b);
    array_add(&c->arena, headers, S("Content-Type: application/json"));
    return status;
}

DgStatus hook_http(Copy *c, DgValue hook, DgError *err)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
    Str method, into;
    StrArray headers = {0};
    DgHttpRequest r = {.answer_max = HOOK_OUTPUT_MAX, .cancelled = copy_cancelled, .context = c};
    DgHttpAnswer answer = {0};
    DgHttp *http;
    DG_TRY(hook_text(c, hook, "url", &r.url, err));
    DG_TRY(hook_text(c, hook, "method", &method, err));
    DG_TRY(hook_text(c, hook, "into", &into, err));
    DG_TRY(headers_of(c, hook, &headers, err));
    DG_TRY(payload_of(c, hook, &headers, &r.body, err));
    for (size_t i = 0; i < 5; i++)
        if (str_eq_nocase(method.len ? method : S("GET"), str_from(methods[i])))
            r.method = methods[i];
    if (!r.method)
        return dg_fail(err, DG_CONFIG, "`method` of a hook is GET, HEAD, PUT, POST or DELETE, not `%.*s`", FMT(method));
    if (!str_starts(r.url, S("http://")) && !str_starts(r.url, S("https://")))
        return dg_fail(err, DG_CONFIG, "`url` of a hook begins with http:// or https://");
    r.idempotent = r.method != methods[3]; /* a POST is sent once: it may mean something twice */
    r.headers = headers.items;
    r.headers_count = headers.count;
    DG_TRY(http_open(&http, err));
    DgStatus status = http_send(http, &c->arena, &r, &answer, "send the hook's request", err);
    http_close(http);
    if (status == DG_END)
        status = dg_fail(err, DG_FAILED, "the server answers 404: there is no such address");
    if (status == DG_OK && into.len) {
        DG_TRY(hook_store(c, into, expr_str(answer.body), err));
        status = hook_store(c, str_format(&c->arena, "%.*s.status", FMT(into)), (DgValue){.kind = DG_V_INT, .as.i = answer.status}, err);
    }
    return status;
}

/* ---- Commands ---- */

/* Words at blanks; quotes hold words together. Names are filled in after that: a value is never two words. */
static DgStatus words(Copy *c, Str text, StrArray *out, DgError *err)
{
    StrBuf word = {.max = HOOK_OUTPUT_MAX};
    char quote = 0;
    bool open = false;
    for (ptrdiff_t i = 0; i <= text.len; i++) {
        char ch = i < text.len ? text.ptr[i] : ' ';
        bool blank = ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
        if (i == text.len && quote) {
            buf_free(&word);
            return dg_fail(err, DG_CONFIG, "a command without its closing quote");
        }
        if (quote && ch == quote) {
            quote = 0;
        } else if (!quote && (ch == '"' || ch == '\'')) {
            quote = ch;
            open = true;
        } else if (!quote && blank) {
            if (open)
                array_add(&c->arena, out, str_copy(&c->arena, buf_str(&word)));
            word.len = 0;
            open = false;
        } else {
            buf_char(&word, ch);
            open = true;
        }
    }
    buf_free(&word);
    return DG_OK;
}

static DgStatus arguments(Copy *c, DgValue hook, const char ***out, DgError *err)
{
    StrArray list = {0};
    const DgValue *v = hook_value(hook, "command");
    if (v->kind == DG_V_LIST)
        for (size_t i = 0; i < v->as.list->count; i++)
            array_add(&c->arena, &list, expr_text(&c->arena, v->as.list->items[i]));
    else
        DG_TRY(words(c, expr_text(&c->arena, *v), &list, err));
    if (!list.count || list.count > HOOKS_MAX)
        return dg_fail(err, DG_CONFIG, "`command` of a hook has no words, or more than %d", HOOKS_MAX);
    *out = push(&c->arena, const char *, list.count + 1);
    for (size_t i = 0; i < list.count; i++) {
        Str s;
        DG_TRY(copy_expand(c, list.items[i], &s, err));
        if (str_find_char(s, 0) >= 0)
            return dg_fail(err, DG_CONFIG, "an argument of a command holds a NUL");
        (*out)[i] = str_cstr(&c->arena, s);
    }
    return DG_OK;
}

static DgStatus environment(Copy *c, DgValue hook, const char ***out, DgError *err)
{
    size_t have = 0, n = 0;
    const DgValue *v = hook_value(hook, "env");
    if (v && v->kind != DG_V_DICT)
        return dg_fail(err, DG_CONFIG, "`env` of a hook is a mapping");
    while (environ && environ[have])
        have++;
    const char **all = push(&c->arena, const char *, have + (v ? v->as.dict->count : 0) + 1);
    for (size_t i = 0; v && i < v->as.dict->count; i++) {
        Str value, key = expr_text(&c->arena, v->as.dict->keys[i]);
        DG_TRY(hook_fill(c, v->as.dict->values[i], &value, err));
        if (!key.len || str_find_char(key, '=') >= 0 || str_find_char(value, 0) >= 0)
            return dg_fail(err, DG_CONFIG, "`%.*s` cannot be set for a command", FMT(key));
        all[n++] = str_format(&c->arena, "%.*s=%.*s", FMT(key), FMT(value)).ptr;
    }
    size_t own = n;
    for (size_t i = 0; i < have; i++) {
        bool replaced = false;
        for (size_t k = 0; k < own; k++) {
            size_t name = (size_t)(strchr(all[k], '=') - all[k]) + 1;
            replaced = replaced || strncmp(all[k], environ[i], name) == 0;
        }
        if (!replaced)
            all[n++] = environ[i];
    }
    *out = all;
    return DG_OK;
}

/* Until both ends are closed. What passes the limit is read and dropped, so the command does not hang. */
static bool drain(Copy *c, OsChild *child, StrBuf *out, StrBuf *err_text)
{
    int *fds[2] = {&child->out_fd, &child->err_fd};
    StrBuf *to[2] = {out, err_text};
    while (child->out_fd >= 0 || child->err_fd >= 0) {
        struct pollfd p[2] = {{.fd = child->out_fd, .events = POLLIN}, {.fd = child->err_fd, .events = POLLIN}};
        if (dg_cancelled(c->run))
            return false;
        if (dg_os.poll(p, 2, 100) < 0 && errno != EINTR)
            return false;
        for (int i = 0; i < 2; i++) {
            char bytes[4096];
            if (*fds[i] < 0 || !p[i].revents)
                continue;
            ssize_t n = dg_os.read(*fds[i], bytes, sizeof bytes);
            if (n > 0) {
                buf_add(to[i], (Str){bytes, n});
            } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
                os_close(*fds[i]);
                *fds[i] = -1;
            }
        }
    }
    return true;
}

static void say(Copy *c, Str text)
{
    Str line, rest = {0};
    while (text.len) {
        str_cut(text, '\n', &line, &rest);
        dg_log(c->run, DG_LOG_INFO, "%.*s", FMT(line));
        text = rest;
    }
}

static DgStatus wait_for(Copy *c, OsChild *child, const char *program, StrBuf *out, StrBuf *text, DgError *err)
{
    int status = 0;
    if (!drain(c, child, out, text)) {
        os_child_stop(child, 5000, &status);
        return dg_fail(err, DG_CANCELLED, "cancelled");
    }
    while (!os_child_done(child, &status)) {
        if (dg_cancelled(c->run)) {
            os_child_stop(child, 5000, &status);
            return dg_fail(err, DG_CANCELLED, "cancelled");
        }
        os_sleep_ms(10);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return DG_OK;
    Str last = str_trim(buf_str(text));
    last = last.len > 400 ? str_sub(last, last.len - 400, last.len) : last;
    return WIFEXITED(status) ? dg_fail(err, DG_FAILED, "`%s` ends with code %d: %.*s", program, WEXITSTATUS(status), FMT(last))
                             : dg_fail(err, DG_FAILED, "`%s` dies of signal %d", program, WTERMSIG(status));
}

DgStatus hook_command(Copy *c, DgValue hook, DgError *err)
{
    Str folder, into;
    const char **argv = NULL, **env = NULL;
    const DgValue *print = hook_value(hook, "print");
    OsChild child = {.out_fd = -1, .err_fd = -1};
    DG_TRY(arguments(c, hook, &argv, err));
    DG_TRY(environment(c, hook, &env, err));
    DG_TRY(hook_text(c, hook, "working_dir", &folder, err));
    DG_TRY(hook_text(c, hook, "into", &into, err));
    folder = dg_project_path(c->run, folder.len ? folder : S("."));
    OsSpawn spawn = {.argv = argv, .env = env, .folder = str_cstr(&c->arena, folder)};
    DG_TRY(os_spawn(&spawn, &child, err));
    StrBuf out = {.max = HOOK_OUTPUT_MAX}, text = {.max = HOOK_OUTPUT_MAX};
    DgStatus status = wait_for(c, &child, argv[0], &out, &text, err);
    if (print && (print->kind == DG_V_BOOL ? print->as.b : print->kind == DG_V_STR && str_eq(print->as.s, S("true")))) {
        say(c, buf_str(&out));
        say(c, buf_str(&text));
    }
    if (status == DG_OK && into.len)
        status = out.failed ? dg_fail(err, DG_DATA, "`%s` writes more than %d bytes to store", argv[0], HOOK_OUTPUT_MAX)
                            : hook_store(c, into, expr_str(str_trim(buf_str(&out))), err);
    buf_free(&out);
    buf_free(&text);
    return status;
}
