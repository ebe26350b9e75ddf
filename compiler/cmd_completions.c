/* cmd_completions.c - `dgc completions SHELL`; its scripts ask the hidden `dgc __complete`.
 *
 * The scripts know nothing themselves: they hand over the words typed so far and take back one
 * candidate a line. Options come from the usage texts, names from the registry and the project. */
#include <stdio.h>

#include "compiler/cmd.h"
#include "compiler/project.h"
#include "compiler/registry.h"

/* ---- Candidates ---- */

static void offer(Str candidate, Str prefix)
{
    if (str_starts(candidate, prefix))
        printf("%.*s\n", FMT(candidate));
}

static void offer_words(const char *words, Str prefix)
{
    for (Str rest = str_from(words), word; rest.len;) {
        str_cut(rest, ' ', &word, &rest);
        offer(word, prefix);
    }
}

/* Every `--option` that the usage names. */
static void offer_options(const Command *c, Str prefix)
{
    StrArray seen = {0};
    Arena arena;
    arena_init(&arena, 1 << 20);
    Str usage = str_from(c->usage);
    for (ptrdiff_t i = 0; i + 2 < usage.len; i++) {
        bool begins = usage.ptr[i] == '-' && usage.ptr[i + 1] == '-' && usage.ptr[i + 2] >= 'a' &&
                      usage.ptr[i + 2] <= 'z' && (i == 0 || usage.ptr[i - 1] != '-');
        if (!begins)
            continue;
        ptrdiff_t end = i + 2;
        while (end < usage.len && ((usage.ptr[end] >= 'a' && usage.ptr[end] <= 'z') ||
                                   usage.ptr[end] == '-'))
            end++;
        Str option = str_sub(usage, i, end);
        bool known = false;
        for (size_t k = 0; k < seen.count; k++)
            known = known || str_eq(seen.items[k], option);
        if (!known) {
            array_add(&arena, &seen, option);
            offer(option, prefix);
        }
        i = end;
    }
    offer(S("--help"), prefix);
    arena_free(&arena);
}

static void offer_types(Str prefix)
{
    for (size_t i = 0; i < registry_count(); i++)
        if (!registry_at(i)->needs_python)
            offer(str_from(registry_at(i)->name), prefix);
}

static void offer_codes(Str prefix)
{
#define X(code, slug, title) offer(S(#code), prefix);
    DIAG_CODES(X)
#undef X
}

typedef enum ProjectNames { NAMES_ASSETS, NAMES_JOBS } ProjectNames;

/* Names of the project that the shell stands in; silent when it has mistakes. */
static void offer_names(ProjectNames what, Str prefix)
{
    Compile c = {0};
    CompileOptions o = {0};
    compile_project(&c, &o);
    if (what == NAMES_ASSETS)
        for (size_t i = 0; i < c.plan.assets.count; i++)
            offer(c.plan.assets.items[i]->key, prefix);
    else
        for (size_t i = 0; i < c.plan.jobs.count; i++)
            offer(c.plan.jobs.items[i]->name, prefix);
    compile_release(&c);
}

static bool is_word(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || (b && strcmp(word, b) == 0);
}

/* The value of the option before; false: it takes none that we know. */
static bool offer_value(const char *option, Str prefix)
{
    if (is_word(option, "--select", "-s") || is_word(option, "--assets", "-a") || is_word(option, "--index", "-i"))
        offer_names(NAMES_ASSETS, prefix);
    else if (is_word(option, "--job", NULL))
        offer_names(NAMES_JOBS, prefix);
    else if (is_word(option, "--format", NULL))
        offer_words("text json sarif github", prefix);
    else if (is_word(option, "--driver", NULL))
        offer_words("auto gcc clang tcc pack", prefix);
    else if (is_word(option, "--emit", NULL))
        offer_words("plan c", prefix);
    else if (is_word(option, "--template", "-t"))
        offer_words("shop empty dagster", prefix);
    else
        return false;
    return true;
}

/* The argument at this position, where it is not a path: shells complete those themselves. */
static void offer_argument(const Command *c, int position, const char *before, Str prefix)
{
    if (strcmp(c->name, "completions") == 0) {
        offer_words("bash zsh fish", prefix);
    } else if (strcmp(c->name, "explain") == 0) {
        offer_codes(prefix);
        offer_types(prefix);
    } else if (strcmp(c->name, "list") == 0 && position == 0) {
        offer_words("defs components jobs schedules envs", prefix);
    } else if (strcmp(c->name, "schema") == 0 || strcmp(c->name, "docs") == 0) {
        if (strcmp(c->name, "docs") == 0)
            offer_words("reference commands", prefix);
        offer_types(prefix);
    } else if (strcmp(c->name, "scaffold") == 0 && position == 0) {
        offer_words("defs component", prefix);
    } else if (strcmp(c->name, "scaffold") == 0 && position == 1 && strcmp(before, "defs") == 0) {
        offer_types(prefix);
    }
}

int cmd_complete(int argc, char **argv)
{
    Str prefix = str_from(argc ? argv[argc - 1] : "");
    if (argc <= 1) {
        for (const Command *c = commands; c->name; c++)
            offer(str_from(c->name), prefix);
        return 0;
    }
    const Command *c = command_find(argv[0]);
    if (!c)
        return 0;
    const char *before = argv[argc - 2];
    if (argc > 2 && offer_value(before, prefix))
        return 0;
    if (str_starts(prefix, S("-"))) {
        offer_options(c, prefix);
        return 0;
    }
    int position = 0;
    for (int i = 1; i < argc - 1; i++)
        position += argv[i][0] != '-';
    offer_argument(c, position, before, prefix);
    return 0;
}

/* ---- Scripts ---- */

static const char bash_script[] =
    "_dgc() {\n"
    "    local IFS=$'\\n'\n"
    "    COMPREPLY=($(dgc __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
    "}\n"
    "complete -o default -o bashdefault -F _dgc dgc\n";

static const char zsh_script[] =
    "#compdef dgc\n"
    "_dgc() {\n"
    "    local -a found\n"
    "    found=(${(f)\"$(dgc __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
    "    if (( $#found )); then compadd -a found; else _files; fi\n"
    "}\n"
    "compdef _dgc dgc\n";

static const char fish_script[] =
    "function __dgc_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    dgc __complete $words[2..-1] 2>/dev/null\n"
    "end\n"
    "complete -c dgc -a '(__dgc_complete)'\n";

int cmd_completions(int argc, char **argv)
{
    Arena arena;
    StrArray rest = {0};
    arena_init(&arena, 1 << 20);
    int code = options_read("completions", argc, argv, NULL, 0, &rest, &arena);
    if (code >= 0)
        return code;
    Str shell = rest.count == 1 ? rest.items[0] : (Str){0};
    const char *script = str_eq(shell, S("bash"))   ? bash_script
                         : str_eq(shell, S("zsh"))  ? zsh_script
                         : str_eq(shell, S("fish")) ? fish_script
                                                    : NULL;
    if (!script) {
        fprintf(stderr, "dgc completions: name a shell: bash, zsh or fish\n");
        return 2;
    }
    fputs(script, stdout);
    return 0;
}
