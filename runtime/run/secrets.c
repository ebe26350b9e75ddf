/* The resolver of secrets and environment variables. See secrets.h. */
#include "runtime/run/secrets.h"

#include <pthread.h>
#include <stdlib.h>

#include "runtime/os/os.h"

enum { SECRET_BYTES_MAX = 1 << 20, PASSWORD_BYTES_MIN = 6 };

typedef struct Entry {
    Str name, value;
    bool secret;
} Entry;

struct Secrets {
    const DgPipeline *pipeline;
    Redactor *redactor;
    pthread_mutex_t lock;
    Arena arena;
    Map resolved; /* name to Entry */
    Map dotenv;   /* name to Str */
};

/* NAME=value lines, `export ` and quotes allowed, # comments. */
static void parse_dotenv(Secrets *s, Str text)
{
    Str line, rest = text;
    for (bool more = true; more;) {
        more = str_cut(rest, '\n', &line, &rest);
        line = str_trim(line);
        if (str_starts(line, S("export ")))
            line = str_trim(str_sub(line, 7, line.len));
        Str name, value;
        if (line.len == 0 || line.ptr[0] == '#' || !str_cut(line, '=', &name, &value))
            continue;
        name = str_trim(name);
        value = str_trim(value);
        char quote = value.len >= 2 ? value.ptr[0] : 0;
        if ((quote == '"' || quote == '\'') && value.ptr[value.len - 1] == quote) {
            value = str_sub(value, 1, value.len - 1);
        } else {
            ptrdiff_t comment = str_find(value, S(" #"));
            if (comment >= 0)
                value = str_trim(str_sub(value, 0, comment));
        }
        Str *kept = push(&s->arena, Str, 1);
        if (!kept)
            return;
        *kept = value;
        map_put(&s->arena, &s->dotenv, name, kept);
    }
}

DgStatus secrets_open(const DgPipeline *p, Redactor *redactor, Str dotenv, Secrets **out,
                      DgError *err)
{
    Secrets *s = os_alloc(sizeof *s);
    if (!s)
        return os_no_memory(err, "opening the secrets");
    s->pipeline = p;
    s->redactor = redactor;
    pthread_mutex_init(&s->lock, NULL);
    arena_init(&s->arena, 256 << 20);
    s->arena.can_fail = true;
    *out = s;
    if (dotenv.len) {
        char *path = str_cstr(&s->arena, dotenv);
        Str text;
        DgStatus status = DG_OK;
        if (path && os_exists(path))
            status = os_read_file(&s->arena, path, SECRET_BYTES_MAX, &text, err);
        if (status != DG_OK) {
            secrets_close(s);
            *out = NULL;
            return status;
        }
        if (path && os_exists(path))
            parse_dotenv(s, text);
    }
    return DG_OK;
}

void secrets_close(Secrets *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->resolved.entries.count; i++) {
        Entry *e = s->resolved.entries.items[i].value;
        if (e->secret && e->value.len)
            explicit_bzero((char *)(uintptr_t)e->value.ptr, (size_t)e->value.len);
    }
    arena_free(&s->arena);
    pthread_mutex_destroy(&s->lock);
    os_free(s);
}

static const DgSecretDef *definition(const Secrets *s, Str name)
{
    for (int32_t i = 0; i < s->pipeline->secrets_count; i++)
        if (str_eq(s->pipeline->secrets[i].name, name))
            return &s->pipeline->secrets[i];
    return NULL;
}

static DgStatus read_secret_file(Secrets *s, const char *path, Str *value, DgError *err)
{
    DG_TRY(os_read_file(&s->arena, path, SECRET_BYTES_MAX, value, err));
    if (str_ends(*value, S("\n")))
        value->len--;
    if (str_ends(*value, S("\r")))
        value->len--;
    return DG_OK;
}

/* DG_END: not set. */
static DgStatus look_up(Secrets *s, Str name, Str *value, bool *is_secret, DgError *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    bool safe = str_find_char(name, '/') < 0 && name.len < 256;
    if (folder && *folder && safe) {
        Str path = str_format(&s->arena, "%s/%.*s", folder, FMT(name));
        if (path.ptr && os_exists(path.ptr)) {
            *is_secret = true;
            return read_secret_file(s, path.ptr, value, err);
        }
    }
    Str file_name = str_format(&s->arena, "%.*s_FILE", FMT(name));
    const char *path = file_name.ptr ? getenv(file_name.ptr) : NULL;
    const char *plain = safe && file_name.ptr ? getenv(str_cstr(&s->arena, name)) : NULL;
    /* NAME_FILE may be a variable of its own; only a pipeline's NAME makes it a pointer. */
    if (path && *path && (!plain || definition(s, file_name) == NULL)) {
        *is_secret = true;
        return read_secret_file(s, path, value, err);
    }
    if (plain) {
        *value = str_copy(&s->arena, str_from(plain));
        return DG_OK;
    }
    Str *in_file = map_get(&s->dotenv, name);
    if (in_file) {
        *value = *in_file;
        return DG_OK;
    }
    return DG_END;
}

/* `scheme://user:password@host`: the password is a secret, whatever the variable is called. But not one that is short, or
 * stands in the address once more (postgres://postgres:postgres@db): ordinary texts would be full of it. */
static Str password_of(Str value)
{
    ptrdiff_t at, start = str_find(value, S("://"));
    Str user, password, rest = start < 0 ? (Str){0} : str_sub(value, start + 3, value.len);
    for (at = 0; at < rest.len && rest.ptr[at] != '/' && rest.ptr[at] != '?' && rest.ptr[at] != '#'; at++)
        ;
    rest.len = at;
    while (at > 0 && rest.ptr[at - 1] != '@')
        at--;
    if (at == 0 || !str_cut(str_sub(rest, 0, at - 1), ':', &user, &password) || password.len < PASSWORD_BYTES_MIN)
        return (Str){0};
    ptrdiff_t after = password.ptr - value.ptr + password.len;
    bool elsewhere = str_find(value, password) < password.ptr - value.ptr || str_find(str_sub(value, after, value.len), password) >= 0;
    return elsewhere ? (Str){0} : password;
}

static DgStatus resolve(Secrets *s, Str name, Str *value, bool *is_secret, DgError *err)
{
    Entry *known = map_get(&s->resolved, name);
    if (known) {
        *value = known->value;
        *is_secret = known->secret;
        return DG_OK;
    }
    const DgSecretDef *def = definition(s, name);
    *is_secret = def && def->secret;
    *value = (Str){0};
    DgStatus status = look_up(s, name, value, is_secret, err);
    if (status == DG_END) {
        dg_fail(err, DG_CONFIG, "`%.*s` is not set", FMT(name));
        dg_hint(err, "looked for $CREDENTIALS_DIRECTORY/%.*s, the file in %.*s_FILE, and the "
                     "environment variable",
                FMT(name), FMT(name));
        return DG_END;
    }
    if (status != DG_OK)
        return status;
    Str password = password_of(*value);
    if ((*is_secret && !redactor_add(s->redactor, *value)) || (password.len && !redactor_add(s->redactor, password)))
        return os_no_memory(err, "keeping a secret out of the logs");
    known = push(&s->arena, Entry, 1);
    if (!known)
        return os_no_memory(err, "reading the environment");
    *known = (Entry){str_copy(&s->arena, name), *value, *is_secret};
    map_put(&s->arena, &s->resolved, known->name, known);
    return DG_OK;
}

DgStatus secrets_get(Secrets *s, Str name, Str *value, bool *is_secret, DgError *err)
{
    pthread_mutex_lock(&s->lock);
    DgStatus status = resolve(s, name, value, is_secret, err);
    pthread_mutex_unlock(&s->lock);
    return status;
}

DgStatus secrets_load_all(Secrets *s, bool require, DgError *err)
{
    StrBuf missing = {.max = 800};
    int missing_count = 0;
    DgStatus status = DG_OK;
    for (int32_t i = 0; i < s->pipeline->secrets_count && status == DG_OK; i++) {
        const DgSecretDef *def = &s->pipeline->secrets[i];
        Str value;
        bool is_secret;
        status = secrets_get(s, def->name, &value, &is_secret, err);
        if (status == DG_END) {
            status = DG_OK;
            if (def->required)
                buf_format(&missing, "%s`%.*s`", missing_count++ ? ", " : "", FMT(def->name));
        }
    }
    if (status == DG_OK && require && missing_count) {
        status = dg_fail(err, DG_CONFIG, "%s not set: %.*s",
                         missing_count == 1 ? "a variable that the pipeline needs is"
                                            : "variables that the pipeline needs are",
                         FMT(buf_str(&missing)));
        dg_hint(err, "looked in $CREDENTIALS_DIRECTORY, in the files that NAME_FILE variables "
                     "point to, and in the environment");
    } else if (status == DG_OK) {
        *err = (DgError){0};
    }
    buf_free(&missing);
    return status;
}
