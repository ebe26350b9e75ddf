/* output.c - see output.h. */
#include "runtime/llm/output.h"

#include <math.h>
#include <stdio.h>

#include "runtime/db/value_parse.h"

static const char *const type_names[] = {
#define X(name, text, column) text,
    OUTPUT_TYPES(X)
#undef X
    NULL,
};
static const uint8_t column_kinds[] = {
#define X(name, text, column) column,
    OUTPUT_TYPES(X)
#undef X
};

const DgField output_fields[] = {
    DG_FIELD_ENUM(OutputField, type, .choices = type_names, .flags = DG_SHORTHAND | DG_BUILD, .doc = "Type of the value."),
    {.name = "enum", .kind = DG_F_LIST, .offset = offsetof(OutputField, choices), .of_kind = DG_F_STRING, .of_size = sizeof(DgStr),
     .flags = DG_BUILD, .doc = "The values it may have; of strings and lists of them."},
    DG_FIELD_STRING(OutputField, description, .flags = DG_BUILD, .doc = "What it means: the model reads this."),
    DG_FIELD_BOOL(OutputField, nullable, .flags = DG_BUILD, .doc = "It may be null."),
    DG_FIELD_FLOAT(OutputField, min, .fallback = "-9000000000000000", .flags = DG_BUILD, .doc = "Smallest number."),
    DG_FIELD_FLOAT(OutputField, max, .fallback = "9000000000000000", .flags = DG_BUILD, .doc = "Largest number."),
    {0},
};

static bool no_min(const OutputField *f)
{
    return f->min <= -9e15;
}

static bool no_max(const OutputField *f)
{
    return f->max >= 9e15;
}

static bool is_list(int32_t type)
{
    return type == OUTPUT_STRINGS || type == OUTPUT_INTS || type == OUTPUT_FLOATS;
}

static int32_t element_of(int32_t type)
{
    return type == OUTPUT_STRINGS ? OUTPUT_STRING : type == OUTPUT_INTS ? OUTPUT_INT : type == OUTPUT_FLOATS ? OUTPUT_FLOAT : type;
}

DgType output_column_type(const OutputField *f)
{
    return (DgType){.kind = column_kinds[f->type]};
}

/* ---- The schema ---- */

static void element_schema(const OutputField *f, bool nullable, StrBuf *out)
{
    static const char *const json[] = {[OUTPUT_STRING] = "string", [OUTPUT_INT] = "integer", [OUTPUT_FLOAT] = "number",
                                       [OUTPUT_BOOL] = "boolean", [OUTPUT_DATE] = "string", [OUTPUT_TIMESTAMP] = "string", [OUTPUT_JSON] = "string"};
    int32_t type = element_of(f->type);
    buf_format(out, nullable ? "{\"type\":[\"%s\",\"null\"]" : "{\"type\":\"%s\"", json[type]);
    for (size_t i = 0; i < f->choices.count; i++) {
        buf_add(out, i ? S(",") : S(",\"enum\":["));
        buf_json(out, DG_ITEMS(DgStr, f->choices)[i]);
    }
    if (f->choices.count)
        buf_add(out, nullable ? S(",null]") : S("]"));
    if (type == OUTPUT_DATE || type == OUTPUT_TIMESTAMP)
        buf_format(out, ",\"format\":\"%s\"", type == OUTPUT_DATE ? "date" : "date-time");
}

/* Bounds are told in words: strict schemas of some services do not take `minimum`. */
static void add_description(const OutputField *f, StrBuf *out)
{
    StrBuf words = {0};
    buf_add(&words, f->description);
    const char *between = !f->description.len ? "" : strchr(".!?", f->description.ptr[f->description.len - 1]) ? " " : ". ";
    if (!no_min(f) && !no_max(f))
        buf_format(&words, "%sFrom %g to %g.", between, f->min, f->max);
    else if (!no_min(f))
        buf_format(&words, "%sAt least %g.", between, f->min);
    else if (!no_max(f))
        buf_format(&words, "%sAt most %g.", between, f->max);
    if (f->type == OUTPUT_JSON)
        buf_format(&words, "%sA JSON document, as text.", between);
    if (words.len) {
        buf_add(out, S(",\"description\":"));
        buf_json(out, buf_str(&words));
    }
    out->failed |= words.failed;
    buf_free(&words);
}

void output_schema(const DgList *fields, StrBuf *out)
{
    buf_add(out, S("{\"type\":\"object\",\"properties\":{"));
    for (size_t i = 0; i < fields->count; i++) {
        const OutputField *f = &DG_ITEMS(OutputField, *fields)[i];
        buf_add(out, i ? S(",") : S(""));
        buf_json(out, f->key);
        buf_char(out, ':');
        if (is_list(f->type)) {
            buf_format(out, f->nullable ? "{\"type\":[\"array\",\"null\"],\"items\":" : "{\"type\":\"array\",\"items\":");
            element_schema(f, false, out);
            buf_char(out, '}');
        } else {
            element_schema(f, f->nullable, out);
        }
        add_description(f, out);
        buf_char(out, '}');
    }
    buf_add(out, S("},\"required\":["));
    for (size_t i = 0; i < fields->count; i++) {
        buf_add(out, i ? S(",") : S(""));
        buf_json(out, DG_ITEMS(OutputField, *fields)[i].key);
    }
    buf_add(out, S("],\"additionalProperties\":false}"));
}

/* ---- The check ---- */

typedef struct Checking {
    DgEval *ev;
    const OutputField *f;
    StrBuf wrong; /* what is wrong, a line each */
} Checking;

static void say(Checking *c, DgValue v, const char *must)
{
    buf_format(&c->wrong, "%s`%.*s` must be %s, but is ", c->wrong.len ? "; " : "", FMT(c->f->key), must);
    StrBuf shown = {.max = 4096};
    dg_write_json(c->ev, &shown, v, 0, false);
    buf_format(&c->wrong, "%.*s%s", shown.len > 80 ? 80 : (int)shown.len, shown.ptr ? shown.ptr : "", shown.len > 80 ? "..." : "");
    buf_free(&shown);
}

static bool in_bounds(Checking *c, DgValue v, double x)
{
    char words[80];
    if ((no_min(c->f) || x >= c->f->min) && (no_max(c->f) || x <= c->f->max))
        return true;
    if (no_max(c->f))
        snprintf(words, sizeof words, "at least %g", c->f->min);
    else if (no_min(c->f))
        snprintf(words, sizeof words, "at most %g", c->f->max);
    else
        snprintf(words, sizeof words, "from %g to %g", c->f->min, c->f->max);
    say(c, v, words);
    return false;
}

static bool is_choice(Checking *c, DgValue v)
{
    const DgList *all = &c->f->choices;
    StrBuf words = {0};
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(v.as.s, DG_ITEMS(DgStr, *all)[i]))
            return true;
    if (!all->count)
        return true;
    buf_add(&words, S("one of "));
    for (size_t i = 0; i < all->count; i++)
        buf_format(&words, "%s%.*s", i ? ", " : "", FMT(DG_ITEMS(DgStr, *all)[i]));
    Str text = str_copy(c->ev->arena, buf_str(&words));
    say(c, v, text.ptr ? text.ptr : "one of its values");
    buf_free(&words);
    return false;
}

/* Dates and timestamps as the tables' readers take them. */
static bool is_time(Checking *c, DgValue v)
{
    DgBatch b = {0};
    DgColumn column = {.name = c->f->key, .type = output_column_type(c->f)};
    DgError err;
    bool good = dg_batch_init(&b, &column, 1, 1, &err) == DG_OK;
    if (good) {
        good = value_parse(&b.vectors[0], 0, &column, v.as.s, &err) == DG_OK;
        dg_batch_release(&b);
    }
    if (!good)
        say(c, v, c->f->type == OUTPUT_DATE ? "a date such as 2026-01-31" : "a time such as 2026-01-31T12:00:00Z");
    return good;
}

static bool check_element(Checking *c, DgValue *v)
{
    switch (element_of(c->f->type)) {
    case OUTPUT_INT:
        if (v->kind == DG_V_FLOAT && v->as.f == floor(v->as.f) && fabs(v->as.f) < 9e15)
            *v = dgv_int((int64_t)v->as.f);
        if (v->kind == DG_V_INT)
            return in_bounds(c, *v, (double)v->as.i);
        return say(c, *v, "an integer"), false;
    case OUTPUT_FLOAT:
        if (v->kind == DG_V_INT)
            *v = dgv_float((double)v->as.i);
        if (v->kind == DG_V_FLOAT)
            return in_bounds(c, *v, v->as.f);
        return say(c, *v, "a number"), false;
    case OUTPUT_BOOL:
        if (v->kind != DG_V_BOOL)
            say(c, *v, "true or false");
        return v->kind == DG_V_BOOL;
    case OUTPUT_JSON: {
        DgValue parsed;
        DgError err;
        if (v->kind != DG_V_STR)
            return true;
        if (dg_read_json(c->ev, v->as.s, &parsed, &err) != DG_OK)
            return say(c, *v, "a JSON document"), false;
        *v = parsed;
        return true;
    }
    default:
        if (v->kind != DG_V_STR)
            return say(c, *v, "a string"), false;
        return c->f->type == OUTPUT_DATE || c->f->type == OUTPUT_TIMESTAMP ? is_time(c, *v) : is_choice(c, *v);
    }
}

static void check_field(Checking *c, DgValue *v)
{
    if (v->kind == DG_V_NONE && c->f->nullable)
        return;
    if (!is_list(c->f->type)) {
        check_element(c, v);
        return;
    }
    if (v->kind != DG_V_LIST) {
        say(c, *v, "a list");
        return;
    }
    for (size_t i = 0; i < v->as.list->count; i++)
        if (!check_element(c, &v->as.list->items[i]))
            return;
}

/* Models put JSON into a fence of Markdown, or a word before it. */
static Str unwrap(Str answer)
{
    ptrdiff_t start = 0, end = answer.len;
    while (start < end && answer.ptr[start] != '{')
        start++;
    while (end > start && answer.ptr[end - 1] != '}')
        end--;
    return end > start ? str_sub(answer, start, end) : answer;
}

bool output_read(DgEval *ev, DgStr answer, DgValue *out, DgError *err)
{
    return dg_read_json(ev, str_trim(answer), out, err) == DG_OK || dg_read_json(ev, unwrap(answer), out, err) == DG_OK;
}

static void check_one(Checking *c, const OutputField *f, const DgValue *found, DgValue *value)
{
    c->f = f;
    *value = found ? *found : dgv_none();
    if (!found && !f->nullable)
        buf_format(&c->wrong, "%s`%.*s` is missing", c->wrong.len ? "; " : "", FMT(f->key));
    else
        check_field(c, value);
}

static Str end_check(Checking *c)
{
    Str wrong = c->wrong.len ? str_copy(c->ev->arena, buf_str(&c->wrong)) : (Str){0};
    buf_free(&c->wrong);
    return wrong;
}

DgStr output_check(DgEval *ev, const DgList *fields, DgStr answer, DgValue *values)
{
    DgValue v;
    DgError err;
    if (!output_read(ev, answer, &v, &err))
        return str_format(ev->arena, "the answer is %s", err.message);
    if (v.kind != DG_V_DICT)
        return str_copy(ev->arena, S("the answer is not a JSON object"));
    Checking c = {.ev = ev, .wrong = {.max = 8192}};
    for (size_t i = 0; i < fields->count; i++) {
        const OutputField *f = &DG_ITEMS(OutputField, *fields)[i];
        check_one(&c, f, dgv_get_str(v, f->key), &values[i]);
    }
    return end_check(&c);
}

DgStr output_check_values(DgEval *ev, const DgList *fields, DgValue *values)
{
    Checking c = {.ev = ev, .wrong = {.max = 8192}};
    for (size_t i = 0; i < fields->count; i++)
        check_one(&c, &DG_ITEMS(OutputField, *fields)[i], values[i].kind == DG_V_UNDEFINED ? NULL : &values[i], &values[i]);
    return end_check(&c);
}

/* ---- Into the table ---- */

DgStr output_clean(Arena *a, DgStr text)
{
    char *out = push(a, char, text.len + 1);
    ptrdiff_t n = 0;
    if (!out)
        return (Str){0};
    for (ptrdiff_t i = 0; i < text.len; i++) {
        int bytes = str_utf8_length(text, i);
        unsigned char c = (unsigned char)text.ptr[i];
        if (bytes <= 0 || (bytes == 1 && (c < 0x20 || c == 0x7f) && c != '\t' && c != '\n')) /* C1 controls below */
            continue;
        if (bytes == 2 && c == 0xc2 && (unsigned char)text.ptr[i + 1] < 0xa0) {
            i++;
            continue;
        }
        memcpy(out + n, text.ptr + i, (size_t)bytes);
        n += bytes;
        i += bytes - 1;
    }
    return (Str){out, n};
}

DgStatus output_set(DgEval *ev, const OutputField *f, DgValue v, DgVector *to, int32_t row, DgError *err)
{
    DgColumn column = {.name = f->key, .type = output_column_type(f)};
    bool good = true;
    if (v.kind == DG_V_NONE) {
        if (dg_type_width(column.type.kind) == 0)
            good = dg_text_set(to, row, "", 0);
        dg_set_null(to, row);
        return good ? DG_OK : dg_fail(err, DG_NOMEM, "out of memory for an answer");
    }
    switch (f->type) {
    case OUTPUT_STRING: {
        Str clean = output_clean(ev->arena, v.as.s);
        good = dg_text_set(to, row, clean.ptr ? clean.ptr : "", (size_t)clean.len);
        break;
    }
    case OUTPUT_INT: ((int64_t *)to->values)[row] = v.as.i; break;
    case OUTPUT_FLOAT: ((double *)to->values)[row] = v.as.f; break;
    case OUTPUT_BOOL: ((uint8_t *)to->values)[row] = v.as.b; break;
    case OUTPUT_DATE:
    case OUTPUT_TIMESTAMP: return value_parse(to, row, &column, v.as.s, err);
    default: {
        StrBuf b = {0};
        dg_write_json(ev, &b, v, 0, false);
        good = !b.failed && dg_text_set(to, row, b.ptr ? b.ptr : "", b.len);
        buf_free(&b);
    }
    }
    return good ? DG_OK : dg_fail(err, DG_NOMEM, "out of memory for an answer");
}
