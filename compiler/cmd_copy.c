/* cmd_copy.c - `dgc copy`: from any source to any target, without a project. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "codegen/copy_run.h"
#include "compiler/cmd.h"
#include "compiler/connections.h"
#include "runtime/base/base.h"

int cmd_copy(int argc, char **argv)
{
    Arena a;
    CopyRequest r = {0};
    StrArray rest = {0};
    Str limit = {0}, nesting = {0};
    const Option options[] = {
        {"--table", 't', true, &r.stream, NULL, NULL},          {"--src-stream", 0, true, &r.stream, NULL, NULL},
        {"--src-conn", 0, true, &r.source, NULL, NULL},         {"--tgt-conn", 0, true, &r.target, NULL, NULL},
        {"--object", 'o', true, &r.object, NULL, NULL},         {"--tgt-object", 0, true, &r.object, NULL, NULL},
        {"--sql", 0, true, &r.sql, NULL, NULL},                 {"--where", 0, true, &r.where, NULL, NULL},
        {"--select", 's', true, &r.select, NULL, NULL},         {"--mode", 'm', true, &r.mode, NULL, NULL},
        {"--primary-key", 0, true, &r.primary_key, NULL, NULL}, {"--update-key", 0, true, &r.update_key, NULL, NULL},
        {"--columns", 0, true, &r.columns, NULL, NULL},         {"--limit", 'l', true, &limit, NULL, NULL},
        {"--max-table-nesting", 0, true, &nesting, NULL, NULL},
        {"--progress", 0, true, &r.progress, NULL, NULL},       {"--json", 0, false, NULL, &r.json, NULL},
    };
    arena_init(&a, 0);
    int code = options_read("copy", argc, argv, options, sizeof options / sizeof *options, &rest, &a);
    if (code >= 0) {
        arena_free(&a);
        return code;
    }
    size_t used = 0;
    if (!r.source.len && used < rest.count)
        r.source = rest.items[used++];
    if (!r.target.len && used < rest.count)
        r.target = rest.items[used++];
    if (!r.source.len || !r.target.len || used != rest.count || (limit.len && (!str_to_int(limit, &r.limit) || r.limit < 1)) ||
        (nesting.len && (!str_to_int(nesting, &r.nesting) || r.nesting < 0 || r.nesting > 1000))) {
        command_usage(command_find("copy"), true);
        arena_free(&a);
        return 2;
    }
    char home[] = "/tmp/dgc-copy-XXXXXX";
    if (!mkdtemp(home)) {
        fprintf(stderr, "error: could not make a folder in /tmp: %s\n", strerror(errno));
        arena_free(&a);
        return 73;
    }
    connections_export(&a);
    r.home = str_from(home);
    code = copy_run(&a, &r);
    copy_remove_home(home);
    arena_free(&a);
    return code;
}
