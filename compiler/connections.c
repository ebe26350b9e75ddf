/* connections.c - the connections of Sling, dbt and the environment. */
#include "compiler/connections.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/diag.h"
#include "compiler/yaml.h"

extern char **environ;

typedef struct Finder {
    Arena *a;
    NamedConnections *out;
    Diag diag;
    Sources sources;
} Finder;

static bool known(const Finder *f, Str name)
{
    for (size_t i = 0; i < f->out->count; i++)
        if (str_eq(f->out->items[i].name, name))
            return true;
    return false;
}

static void add(Finder *f, Str name, Str value, Str origin)
{
    if (name.len && value.len && !known(f, name)) {
        NamedConnection c = {str_copy(f->a, name), str_copy(f->a, value), origin};
        array_add(f->a, f->out, c);
    }
}

/* ---- The environment ---- */

static bool looks_like_one(Str value)
{
    static const char *const schemes[] = {"postgres://", "postgresql://", "mysql://", "mariadb://", "sqlite://", "duckdb://", "s3://", "file://"};
    value = str_trim(value);
    if (str_starts(value, S("{")))
        return str_find(value, S("\"type\"")) >= 0;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_starts(value, str_from(schemes[i])))
            return true;
    return false;
}

static void from_environment(Finder *f)
{
    for (char **e = environ; *e; e++) {
        Str name, value;
        if (str_cut(str_from(*e), '=', &name, &value) && looks_like_one(value))
            add(f, name, value, S("environment"));
    }
}

/* ---- Files ---- */

/* `${NAME}` and dbt's `{{ env_var('NAME', 'default') }}`. */
static Str expanded(Finder *f, Str text)
{
    Str inner = str_trim(text), name = {0}, fallback = {0};
    if (str_starts(inner, S("${")) && str_ends(inner, S("}"))) {
        name = str_sub(inner, 2, inner.len - 1);
    } else if (str_starts(inner, S("{{")) && str_ends(inner, S("}}")) && str_find(inner, S("env_var(")) >= 0) {
        ptrdiff_t open = str_find_char(inner, '(');
        Str args = str_sub(inner, open + 1, inner.len), rest;
        char quote = args.len ? args.ptr[0] : 0;
        if (!str_cut(str_sub(args, 1, args.len), quote, &name, &rest))
            return text;
        ptrdiff_t second = str_find_char(rest, quote);
        if (second >= 0)
            str_cut(str_sub(rest, second + 1, rest.len), quote, &fallback, &args);
    } else {
        return text;
    }
    const char *value = getenv(str_cstr(f->a, name));
    return value ? str_from(value) : fallback;
}

static void add_json(Finder *f, StrBuf *b, const YamlNode *value)
{
    bool bare = value->kind == YAML_INT || value->kind == YAML_FLOAT || value->kind == YAML_BOOL;
    if (value->kind == YAML_BOOL)
        buf_add(b, value->as.b ? S("true") : S("false"));
    else if (bare)
        buf_add(b, value->text);
    else
        buf_json(b, expanded(f, value->text));
}

static void add_mapping(Finder *f, Str name, const YamlNode *map, Str origin)
{
    StrBuf b = {.max = 64 << 10};
    buf_char(&b, '{');
    for (size_t i = 0; i < map->as.map.count; i++) {
        const YamlEntry *e = &map->as.map.entries[i];
        if (e->value->kind == YAML_MAP || e->value->kind == YAML_LIST || e->value->kind == YAML_NULL || e->value->kind == YAML_ERROR)
            continue;
        buf_add(&b, b.len > 1 ? S(",") : S(""));
        buf_json(&b, e->key->text);
        buf_char(&b, ':');
        add_json(f, &b, e->value);
    }
    buf_char(&b, '}');
    add(f, name, buf_str(&b), origin);
    buf_free(&b);
}

static YamlNode *read_file(Finder *f, Str path)
{
    DgError err = {0};
    char *c = str_cstr(f->a, path);
    if (access(c, F_OK) != 0)
        return NULL;
    uint32_t file = sources_load(&f->sources, path, path, &err);
    if (!file) {
        fprintf(stderr, "warning: %s\n", err.message);
        return NULL;
    }
    YamlFile yaml = yaml_parse(f->a, &f->diag, file);
    if (yaml.broken || !yaml.documents.count || yaml.documents.items[0]->kind != YAML_MAP) {
        fprintf(stderr, "warning: %s is no YAML mapping; its connections are not there\n", c);
        return NULL;
    }
    return yaml.documents.items[0];
}

static Str in_home(Finder *f, const char *variable, const char *folder, const char *file)
{
    const char *given = getenv(variable), *home = getenv("HOME");
    return given && *given ? str_format(f->a, "%s/%s", given, file)
           : home          ? str_format(f->a, "%s/%s/%s", home, folder, file)
                           : (Str){0};
}

static void from_sling(Finder *f)
{
    Str path = in_home(f, "SLING_HOME_DIR", ".sling", "env.yaml");
    YamlNode *root = path.len ? read_file(f, path) : NULL;
    const YamlNode *connections = root ? yaml_get(root, S("connections")) : NULL;
    for (size_t i = 0; connections && connections->kind == YAML_MAP && i < connections->as.map.count; i++) {
        const YamlEntry *e = &connections->as.map.entries[i];
        if (e->value->kind == YAML_MAP)
            add_mapping(f, e->key->text, e->value, path);
        else if (e->value->kind == YAML_STRING)
            add(f, e->key->text, expanded(f, e->value->text), path);
    }
}

static Str upper_name(Finder *f, Str a, Str b)
{
    Str out = str_format(f->a, "%.*s%s%.*s", FMT(a), b.len ? "_" : "", FMT(b));
    for (ptrdiff_t i = 0; i < out.len; i++)
        ((char *)out.ptr)[i] = (char)(isalnum((unsigned char)out.ptr[i]) ? toupper((unsigned char)out.ptr[i]) : '_');
    return out;
}

static void from_dbt(Finder *f)
{
    Str path = in_home(f, "DBT_PROFILES_DIR", ".dbt", "profiles.yml");
    YamlNode *root = path.len ? read_file(f, path) : NULL;
    for (size_t i = 0; root && i < root->as.map.count; i++) {
        const YamlEntry *profile = &root->as.map.entries[i];
        const YamlNode *outputs = yaml_get(profile->value, S("outputs")), *target = yaml_get(profile->value, S("target"));
        for (size_t k = 0; outputs && outputs->kind == YAML_MAP && k < outputs->as.map.count; k++) {
            const YamlEntry *output = &outputs->as.map.entries[k];
            if (output->value->kind != YAML_MAP)
                continue;
            add_mapping(f, upper_name(f, profile->key->text, output->key->text), output->value, path);
            if (target && str_eq(expanded(f, target->text), output->key->text))
                add_mapping(f, upper_name(f, profile->key->text, (Str){0}), output->value, path);
        }
    }
}

/* ---- The whole ---- */

static int by_name(const void *x, const void *y)
{
    return str_cmp(((const NamedConnection *)x)->name, ((const NamedConnection *)y)->name);
}

void connections_find(Arena *a, NamedConnections *out)
{
    Finder f = {.a = a, .out = out};
    sources_init(&f.sources, a);
    diag_init(&f.diag, a, &f.sources);
    from_environment(&f);
    from_sling(&f);
    from_dbt(&f);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_name);
}

void connections_export(Arena *a)
{
    NamedConnections found = {0};
    connections_find(a, &found);
    for (size_t i = 0; i < found.count; i++)
        setenv(str_cstr(a, found.items[i].name), str_cstr(a, found.items[i].value), 0);
}
