/* cmd_conns.c - `dgc conns`: the connections there are, tried and looked into. */
#include <stdio.h>

#include "codegen/conns_run.h"
#include "compiler/cmd.h"
#include "compiler/connections.h"

typedef struct Conns {
    Arena a;
    NamedConnections found;
    StrArray words;
    ConnsRequest request;
} Conns;

static void list_text(Conns *c, StrBuf *out)
{
    for (size_t i = 0; i < c->found.count; i++) {
        const NamedConnection *n = &c->found.items[i];
        Str shown = conns_shown(&c->a, n->name, n->value);
        buf_format(out, "%-24.*s %-48.*s %.*s\n", FMT(n->name), FMT(shown), FMT(n->origin));
    }
    if (!c->found.count)
        buf_add(out, S("no connections: set a variable such as MY_PG=postgres://user:password@host/database\n"));
}

static void list_json(Conns *c, StrBuf *out)
{
    buf_char(out, '[');
    for (size_t i = 0; i < c->found.count; i++) {
        const NamedConnection *n = &c->found.items[i];
        buf_add(out, i ? S(",\n {\"name\": ") : S("{\"name\": "));
        buf_json(out, n->name);
        buf_add(out, S(", \"url\": "));
        buf_json(out, conns_shown(&c->a, n->name, n->value));
        buf_add(out, S(", \"origin\": "));
        buf_json(out, n->origin);
        buf_char(out, '}');
    }
    buf_add(out, S("]\n"));
}

/* A URL, or the name of a connection. False: told the user. */
static bool find(Conns *c, Str word)
{
    c->request.name = word;
    if (str_find(word, S("://")) >= 0) {
        c->request.name = S("URL");
        c->request.value = word;
        return true;
    }
    Str nearest = {0};
    int best = 3;
    for (size_t i = 0; i < c->found.count; i++) {
        if (str_eq_nocase(c->found.items[i].name, word)) {
            c->request.value = c->found.items[i].value;
            return true;
        }
        int distance = str_distance(c->found.items[i].name, word, 3);
        if (distance < best)
            best = distance, nearest = c->found.items[i].name;
    }
    fprintf(stderr, "error: there is no connection `%.*s`\n", FMT(word));
    if (nearest.len)
        fprintf(stderr, "  help: a similar one exists: `%.*s`\n", FMT(nearest));
    else
        fprintf(stderr, "  help: set the environment variable %.*s to its URL, or give a URL; `dgc conns list` shows all\n", FMT(word));
    return false;
}

static int say_error(const DgError *err)
{
    fprintf(stderr, "error: %s\n", err->message);
    if (err->hint[0])
        fprintf(stderr, "  help: %s\n", err->hint);
    return dg_status_exit_code(err->status);
}

static int test_all(Conns *c)
{
    int code = 0;
    for (size_t i = 1; i < c->words.count; i++) {
        DgError err = {0};
        Str detail;
        if (!find(c, c->words.items[i]))
            return 78;
        if (conns_test(&c->a, &c->request, &detail, &err) == DG_OK)
            printf("%.*s: ok, %.*s\n", FMT(c->words.items[i]), FMT(detail));
        else
            code = say_error(&err);
    }
    return code;
}

static int discover(Conns *c)
{
    DgError err = {0};
    StrBuf out = {0};
    if (!find(c, c->words.items[1]))
        return 78;
    DgStatus status = conns_discover(&c->a, &c->request, &out, &err);
    if (status == DG_OK)
        fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
    return status == DG_OK ? 0 : say_error(&err);
}

static int act(Conns *c)
{
    Str word = c->words.count ? c->words.items[0] : S("list");
    if (str_eq(word, S("list")) && c->words.count < 2) {
        StrBuf out = {0};
        if (c->request.json)
            list_json(c, &out);
        else
            list_text(c, &out);
        fwrite(out.ptr, 1, out.len, stdout);
        buf_free(&out);
        return 0;
    }
    if (str_eq(word, S("test")) && c->words.count > 1)
        return test_all(c);
    if (str_eq(word, S("discover")) && c->words.count == 2)
        return discover(c);
    command_usage(command_find("conns"), true);
    return 2;
}

int cmd_conns(int argc, char **argv)
{
    Conns c = {.words = {0}};
    const Option options[] = {
        {"--schema", 0, true, &c.request.schema, NULL, NULL}, {"--table", 't', true, &c.request.table, NULL, NULL},
        {"--pattern", 'p', true, &c.request.table, NULL, NULL}, {"--columns", 0, false, NULL, &c.request.columns, NULL},
        {"--json", 0, false, NULL, &c.request.json, NULL},
    };
    arena_init(&c.a, 0);
    int code = options_read("conns", argc, argv, options, sizeof options / sizeof *options, &c.words, &c.a);
    if (code < 0) {
        connections_find(&c.a, &c.found);
        code = flush_stdout(act(&c));
    }
    arena_free(&c.a);
    return code;
}
