/* specs.c - what Dagster's script components share. */
#include "stdlib-components/script/specs.h"

const DgField dg_script_execution_fields[] = {
    DG_OP_SPEC_FIELDS(offsetof(ScriptExecution, op)),
    DG_FIELD_STRING(ScriptExecution, type, .flags = DG_BUILD | DG_ADVANCED, .fallback = "script",
                    .doc = "Always `script`."),
    DG_FIELD_PATH(ScriptExecution, path, .flags = DG_REQUIRED | DG_BUILD,
                  .doc = "The script, from the component's folder.", .example = "script.py"),
    DG_FIELD_STRINGS(ScriptExecution, args, .flags = DG_ONE_OR_MANY,
                     .doc = "Its arguments: a list, or text that is split at blanks as a shell does."),
    {0},
};

const DgField dg_script_config_fields[] = {
    DG_FIELD_STRUCT(ScriptConfig, execution, ScriptExecution, dg_script_execution_fields,
                    .flags = DG_REQUIRED, .doc = "What is run.",
                    .example = "{path: script.py}"),
    DG_FIELD_STRUCTS(ScriptConfig, assets, DgAssetSpec, dg_asset_spec_fields,
                     .doc = "The assets that the script makes, all of them in one run.",
                     .example = "[{key: my_asset}]"),
    DG_FIELD_STRUCTS(ScriptConfig, checks, DgCheckSpec, dg_check_spec_fields,
                     .doc = "The checks whose results the script reports."),
    DG_FIELD_STRING(ScriptConfig, asset_execution_type, .flags = DG_BUILD | DG_ADVANCED,
                    .fallback = "MATERIALIZATION",
                    .doc = "`MATERIALIZATION`; accepted as Dagster has it."),
    {0},
};

/* ---- Arguments ---- */

typedef struct Words {
    DgPlanner *p;
    DgStr *items;
    size_t count, capacity;
} Words;

static void add_word(Words *w, DgStr word)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 8;
        DgStr *larger = w->p->api->alloc(w->p, capacity * sizeof *larger);
        if (w->count)
            memcpy(larger, w->items, w->count * sizeof *larger);
        w->items = larger;
        w->capacity = capacity;
    }
    w->items[w->count++] = word;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Python's shlex.split: quotes join, `\` takes the next character (in "..." only before " and \).
 * False: a quote is not closed. */
static bool split_words(Words *w, DgStr text)
{
    char *bytes = w->p->api->alloc(w->p, (size_t)text.len + 1);
    ptrdiff_t n = 0, start = 0;
    bool in_word = false;
    char quote = 0;
    for (ptrdiff_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quote == '\'' ? c != '\'' : quote && c != '"' && c != '\\') {
            bytes[n++] = c;
        } else if (quote && c == quote) {
            quote = 0;
        } else if (c == '\\') {
            if (++i == text.len)
                return false;
            if (quote && text.ptr[i] != '"' && text.ptr[i] != '\\')
                bytes[n++] = '\\';
            bytes[n++] = text.ptr[i];
            in_word = true;
        } else if (c == '\'' || c == '"') {
            quote = c;
            in_word = true;
        } else if (!is_blank(c)) {
            bytes[n++] = c;
            in_word = true;
        } else if (in_word) {
            add_word(w, (DgStr){bytes + start, n - start});
            start = n;
            in_word = false;
        }
    }
    if (in_word)
        add_word(w, (DgStr){bytes + start, n - start});
    return !quote;
}

DgList dg_script_argv(DgPlanner *p, const DgList *args, const DgStr *head, size_t head_count)
{
    Words words = {.p = p};
    for (size_t i = 0; i < head_count; i++)
        add_word(&words, head[i]);
    const DgStr *items = DG_ITEMS(DgStr, *args);
    if (args->count == 1 && p->api->is_scalar(p, args)) {
        if (!p->api->is_known(p, &items[0]))
            p->api->report(p, "E0605", args, "write the arguments as a list",
                           "text that waits for the run cannot be split into arguments");
        else if (!split_words(&words, items[0]))
            p->api->report(p, "E0110", args, "close the quote, or write the arguments as a list",
                           "a quote in the arguments is not closed");
        return (DgList){words.items, words.count};
    }
    size_t first = words.count;
    for (size_t i = 0; i < args->count; i++)
        add_word(&words, items[i]);
    for (size_t i = 0; i < args->count; i++) /* only now: add_word() moves them */
        p->api->copy(p, &words.items[first + i], &items[i], sizeof items[i]);
    return (DgList){words.items, words.count};
}

/* ---- Plan ---- */

void dg_script_outputs(DgPlanner *p, const DgList *assets, const DgList *checks, DgStepDecl *step)
{
    DgStr *keys = p->api->alloc(p, (assets->count + 1) * sizeof *keys);
    DgPair *names = p->api->alloc(p, (checks->count + 1) * sizeof *names);
    for (size_t i = 0; i < assets->count; i++) {
        const DgAssetSpec *spec = &DG_ITEMS(DgAssetSpec, *assets)[i];
        p->api->asset(p, &(DgAssetDecl){.filled = spec});
        keys[i] = spec->key;
    }
    for (size_t i = 0; i < checks->count; i++) {
        const DgCheckSpec *spec = &DG_ITEMS(DgCheckSpec, *checks)[i];
        p->api->check(p, &(DgCheckDecl){.filled = spec});
        names[i] = (DgPair){spec->asset, spec->name};
    }
    step->assets = (DgList){keys, assets->count};
    step->checks = (DgList){names, checks->count};
}

/* Dagster's name of the op: the path's stem. */
static DgStr stem(DgStr path)
{
    ptrdiff_t start = path.len, end;
    while (start > 0 && path.ptr[start - 1] != '/')
        start--;
    end = path.len;
    for (ptrdiff_t i = path.len - 1; i > start; i--)
        if (path.ptr[i] == '.') {
            end = i;
            break;
        }
    return (DgStr){path.ptr + start, end - start};
}

void dg_script_plan(DgPlanner *p, const ScriptConfig *config, const char *const *program)
{
    const ScriptExecution *run = &config->execution;
    if (!config->assets.count && !config->checks.count) {
        p->api->report(p, "E0106", &run->path, "add `assets: [{key: ...}]`, or `checks`",
                       "the script makes no asset and judges none");
        return;
    }
    DgStr path = p->api->resolve(p, &run->path, run->path), text;
    if (!p->api->file_read(p, path, 1, &text))
        p->api->report(p, "E0703", &run->path, "the path is relative to the component's folder",
                       "there is no script `%.*s`", (int)path.len, path.ptr);
    DgStr head[4];
    size_t words = 0;
    for (; program[words] && words < 3; words++)
        head[words] = p->api->format(p, "%s", program[words]);
    head[words++] = path;
    ScriptStep *step = p->api->alloc(p, sizeof *step);
    *step = (ScriptStep){.argv = dg_script_argv(p, &run->args, head, words), .pipes = true};
    DgStepDecl decl = {.name = stem(run->path), .ops = &dg_script_ops, .config = step,
                       .op_filled = &run->op, .at = &run->path};
    dg_script_outputs(p, &config->assets, &config->checks, &decl);
    p->api->step(p, &decl);
}
