/* variables.c - the names in braces that Sling's replications use, filled in when a stream runs. */
#include <ctype.h>

#include "runtime/base/zone.h"
#include "runtime/copy/copy.h"
#include "runtime/copy/expression.h"

static Str lower_case(Copy *c, Str s)
{
    return str_lower(&c->arena, s);
}

static Str upper_case(Copy *c, Str s)
{
    Str out = str_copy(&c->arena, s);
    for (ptrdiff_t i = 0; i < out.len; i++)
        ((char *)out.ptr)[i] = (char)toupper((unsigned char)out.ptr[i]);
    return out;
}

/* A path as part of a name: what is no letter or digit becomes `_`. */
static Str as_name(Copy *c, Str s)
{
    Str out = str_copy(&c->arena, s);
    for (ptrdiff_t i = 0; i < out.len; i++)
        if (!isalnum((unsigned char)out.ptr[i]))
            ((char *)out.ptr)[i] = '_';
    return out;
}

/* ---- Files: folder, name and ending of what a pattern names ---- */

static Str file_path(const Copy *c)
{
    Str path = c->name;
    ptrdiff_t scheme = str_find(path, S("://"));
    if (scheme < 0)
        return path;
    path = str_sub(path, scheme + 3, path.len);
    if (str_starts(c->name, S("file://")))
        return path;
    ptrdiff_t slash = str_find_char(path, '/'); /* past the host or bucket */
    return slash < 0 ? (Str){0} : str_sub(path, slash + 1, path.len);
}

static ptrdiff_t last_slash(Str path)
{
    ptrdiff_t i = path.len - 1;
    while (i >= 0 && path.ptr[i] != '/')
        i--;
    return i;
}

static Str file_part(Copy *c, Str what)
{
    Str path = file_path(c);
    while (str_ends(path, S("/")))
        path.len--;
    ptrdiff_t slash = last_slash(path);
    Str base = str_sub(path, slash + 1, path.len), folder = slash > 0 ? str_sub(path, 0, slash) : (Str){0};
    ptrdiff_t dot = str_find_char(base, '.');
    if (str_eq(what, S("name")))
        return as_name(c, dot > 0 ? str_sub(base, 0, dot) : base);
    if (str_eq(what, S("ext")))
        return dot >= 0 ? str_sub(base, dot + 1, base.len) : (Str){0};
    if (str_eq(what, S("path")))
        return as_name(c, path);
    return as_name(c, str_sub(folder, last_slash(folder) + 1, folder.len)); /* folder */
}

/* ---- Times ---- */

static Str date_part(Copy *c, Str name)
{
    static const char *const parts[][2] = {
        {"YYYY", "%Y"}, {"YY", "%y"}, {"MM", "%m"}, {"MMM", "%b"}, {"DD", "%d"}, {"DDD", "%j"}, {"HH", "%H"}, {"hh", "%I"}, {"mm", "%M"},
        {"ss", "%S"}, {"ISO8601", "%Y-%m-%dT%H:%M:%SZ"}, {"run_timestamp", "%Y_%m_%d_%H%M%S"},
        {"part_year", "year=%Y"}, {"part_month", "month=%m"}, {"part_year_month", "year_month=%Y-%m"}, {"part_day", "day=%d"},
        {"part_hour", "hour=%H"},
    };
    CivilTime t = civil_from_seconds(c->started_us / 1000000);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!str_eq(name, str_from(parts[i][0])))
            continue;
        StrBuf b = {.max = 64};
        civil_format(&b, str_from(parts[i][1]), &t, 0);
        Str out = str_copy(&c->arena, buf_str(&b));
        buf_free(&b);
        return out;
    }
    return (Str){0};
}

/* ---- The table of names ---- */

static Str kind_of(const CopyEnd *end)
{
    return end->engine ? S("database") : S("file");
}

static Str default_schema(const CopyEnd *end)
{
    Str schema = conn_prop(&end->conn, "schema");
    if (!schema.len && end->engine)
        schema = end->engine->dialect->default_schema ? str_from(end->engine->dialect->default_schema) : conn_prop(&end->conn, "database");
    return schema;
}

static bool end_variable(Copy *c, const CopyEnd *end, Str what, Str *out)
{
    if (str_eq(what, S("name")))
        *out = lower_case(c, end->conn.name);
    else if (str_eq(what, S("type")))
        *out = end->conn.type;
    else if (str_eq(what, S("kind")))
        *out = kind_of(end);
    else if (str_eq(what, S("bucket")) || str_eq(what, S("container")))
        *out = conn_prop(&end->conn, "bucket");
    else if (str_eq(what, S("account")))
        *out = conn_prop(&end->conn, "account");
    else if (str_eq(what, S("schema")))
        *out = default_schema(end);
    else if (str_eq(what, S("database")))
        *out = conn_prop(&end->conn, "database");
    else
        return false;
    return true;
}

static Str schema_of(const Copy *c)
{
    return c->from.schema.len ? c->from.schema : c->source.engine ? default_schema(&c->source) : (Str){0};
}

static bool stream_variable(Copy *c, Str what, Str *out)
{
    Str base = what;
    bool lower = str_ends(what, S("_lower")), upper = str_ends(what, S("_upper"));
    if (lower || upper)
        base.len -= 6;
    if (str_eq(base, S("name")))
        *out = c->source.engine && c->from.table.len ? str_format(&c->arena, "%.*s_%.*s", FMT(schema_of(c)), FMT(c->from.table)) : as_name(c, c->name);
    else if (str_eq(base, S("schema")))
        *out = schema_of(c);
    else if (str_eq(base, S("table")))
        *out = c->from.table.len ? c->from.table : file_part(c, S("name"));
    else if (str_eq(base, S("full_name")))
        *out = c->name;
    else if (str_eq(base, S("description")))
        *out = c->s->description;
    else if (str_eq(base, S("run_id")))
        *out = str_from(c->run->run->id);
    else if (str_starts(base, S("file_")))
        *out = file_part(c, str_sub(base, 5, base.len));
    else
        return false;
    *out = lower ? lower_case(c, *out) : upper ? upper_case(c, *out) : *out;
    return true;
}

static bool object_variable(Copy *c, Str what, Str *out)
{
    if (str_eq(what, S("name")) || str_eq(what, S("full_name")))
        *out = c->object;
    else if (str_eq(what, S("schema")))
        *out = c->to.schema;
    else if (str_eq(what, S("table")))
        *out = c->to.table;
    else
        return false;
    return true;
}

static bool variable(Copy *c, Str name, Str *out)
{
    static const char *const heads[] = {"source", "target", "stream", "object"};
    for (size_t i = 0; i < 4; i++) {
        Str head = str_from(heads[i]);
        if (!str_starts(name, head) || name.len <= head.len + 1 || (name.ptr[head.len] != '_' && name.ptr[head.len] != '.'))
            continue;
        Str what = str_sub(name, head.len + 1, name.len);
        return i == 0   ? end_variable(c, &c->source, what, out)
               : i == 1 ? end_variable(c, &c->target, what, out)
               : i == 2 ? stream_variable(c, what, out)
                        : object_variable(c, what, out);
    }
    if (str_eq(name, S("update_key"))) {
        *out = c->s->update_key;
        return true;
    }
    if (str_eq(name, S("run_id"))) {
        *out = str_from(c->run->run->id);
        return true;
    }
    *out = date_part(c, name);
    if (out->len)
        return true;
    for (size_t i = 0; i < c->step->env.count; i++) { /* the replication's own `env` */
        const DgValuePair *pair = &DG_ITEMS(DgValuePair, c->step->env)[i];
        if (str_eq(pair->key, name)) {
            *out = copy_env_text(c, &pair->value);
            return true;
        }
    }
    return false;
}

/* ---- What hooks know ---- */

static DgStatus stored(Copy *c, Str key, DgValue *out, DgError *err)
{
    Run *run = c->run->run;
    Str full = str_format(&c->arena, "%.*s/%.*s", FMT(c->step->replication), FMT(key));
    pthread_mutex_lock(&run->lock);
    const DgValue *v = map_get(&run->store, full);
    if (v)
        *out = *v; /* what it points to is never freed or changed while the run lasts */
    pthread_mutex_unlock(&run->lock);
    if (v)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "nothing is stored as `%.*s`", FMT(key));
    dg_hint(err, "a hook before this one must set it: `{type: store, key: ..., value: ...}`, or `into:` of a query");
    return DG_CONFIG;
}

DgStatus copy_variable(Copy *c, Str name, DgValue *out, DgError *err)
{
    Str text = {0};
    if (str_starts(name, S("store.")))
        return stored(c, str_sub(name, 6, name.len), out, err);
    if (str_eq(name, S("run.total_rows"))) {
        *out = (DgValue){.kind = DG_V_INT, .as.i = c->rows_total};
        return DG_OK;
    }
    if (str_eq(name, S("run.status")))
        text = c->status;
    else if (str_eq(name, S("run.id")))
        text = str_from(c->run->run->id);
    else if (str_starts(name, S("env.")))
        text = copy_setting(c, str_cstr(&c->arena, str_sub(name, 4, name.len)));
    else if (!variable(c, name, &text))
        return DG_END;
    *out = (DgValue){.kind = DG_V_STR, .as.s = text};
    return DG_OK;
}

static bool is_name(Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.ptr[i]) && s.ptr[i] != '_' && s.ptr[i] != '.' && s.ptr[i] != '[' && s.ptr[i] != ']')
            return false;
    return s.len > 0 && s.len < 64 && !isdigit((unsigned char)s.ptr[0]);
}

DgStatus copy_expand(Copy *c, Str text, Str *out, DgError *err)
{
    StrBuf b = {.max = 1 << 20};
    Str rest = text;
    while (rest.len) {
        ptrdiff_t open = str_find_char(rest, '{');
        ptrdiff_t close = open < 0 ? -1 : str_find_char(str_sub(rest, open, rest.len), '}');
        Str name = close < 0 ? (Str){0} : str_sub(rest, open + 1, open + close);
        DgValue value = {.kind = DG_V_NONE};
        DgStatus status = DG_OK;
        if (close < 0)
            break;
        buf_add(&b, str_sub(rest, 0, open));
        if (!is_name(name) || dg_placeholder_known(name)) {
            buf_add(&b, str_sub(rest, open, open + close + 1));
        } else if ((status = copy_variable(c, name, &value, err)) != DG_OK && status != DG_END) {
            buf_free(&b);
            return status;
        } else if (status == DG_END) {
            buf_free(&b);
            dg_fail(err, DG_CONFIG, "`{%.*s}` is no variable of a replication", FMT(name));
            dg_hint(err, "there are {stream_schema}, {stream_table}, {stream_name}, {stream_file_name}, {target_schema}, {run_timestamp}, {YYYY}...");
            return DG_CONFIG;
        } else {
            buf_add(&b, expr_text(&c->arena, value));
        }
        rest = str_sub(rest, open + close + 1, rest.len);
    }
    buf_add(&b, rest);
    *out = str_copy(&c->arena, buf_str(&b));
    buf_free(&b);
    return DG_OK;
}
