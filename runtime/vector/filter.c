/* filter.c - filters: as people write them, taken apart; and as MongoDB's heirs want them. */
#include "runtime/vector/store.h"

static const struct {
    const char *name;
    VectorOperator operator;
} OPERATORS[] = {
    {"eq", VECTOR_EQ}, {"ne", VECTOR_NE}, {"gt", VECTOR_GT}, {"gte", VECTOR_GTE}, {"lt", VECTOR_LT}, {"lte", VECTOR_LTE},
    {"in", VECTOR_IN}, {"nin", VECTOR_NIN},
};

static bool is_scalar(DgValue v)
{
    return v.kind == DG_V_STR || v.kind == DG_V_BOOL || v.kind == DG_V_INT || v.kind == DG_V_FLOAT;
}

static bool is_list(DgValue v)
{
    if ((v.kind != DG_V_LIST && v.kind != DG_V_TUPLE) || v.as.list->count == 0)
        return false;
    for (size_t i = 0; i < v.as.list->count; i++)
        if (!is_scalar(v.as.list->items[i]))
            return false;
    return true;
}

static bool fits(VectorOperator op, DgValue v)
{
    if (op == VECTOR_IN || op == VECTOR_NIN)
        return is_list(v);
    return is_scalar(v) && (op == VECTOR_EQ || op == VECTOR_NE || v.kind == DG_V_INT || v.kind == DG_V_FLOAT);
}

static const char *add(VectorCondition *to, Str field, Str name, DgValue value)
{
    if (name.len && name.ptr[0] == '$')
        name = str_sub(name, 1, name.len);
    for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++) {
        if (!str_eq(name, str_from(OPERATORS[i].name)))
            continue;
        *to = (VectorCondition){field, OPERATORS[i].operator, value};
        return fits(to->operator, value) ? NULL
               : to->operator == VECTOR_IN || to->operator == VECTOR_NIN
                   ? "`in` and `nin` want a list of texts, numbers or booleans"
                   : to->operator == VECTOR_EQ || to->operator == VECTOR_NE ? "`eq` and `ne` want a text, a number or a boolean"
                                                                            : "`gt`, `gte`, `lt` and `lte` want a number";
    }
    return "the comparisons are eq, ne, gt, gte, lt, lte, in and nin";
}

static const char *take(DgValue written, void *(*alloc)(void *context, size_t bytes), void *context, VectorFilter *out)
{
    size_t n = 0, most = 0;
    const DgValueDict *fields = written.as.dict;
    for (size_t i = 0; i < fields->count; i++)
        most += fields->values[i].kind == DG_V_DICT ? fields->values[i].as.dict->count : 1;
    VectorCondition *c = alloc(context, (most + 1) * sizeof *c);
    if (!c)
        return "there is no memory for it";
    for (size_t i = 0; i < fields->count; i++) {
        Str field = fields->keys[i].kind == DG_V_STR ? fields->keys[i].as.s : (Str){0};
        DgValue value = fields->values[i];
        const char *problem = field.len ? NULL : "its keys are names of metadata columns";
        if (value.kind == DG_V_DICT && value.as.dict->count == 0)
            problem = "a column has an empty mapping";
        for (size_t k = 0; !problem && value.kind == DG_V_DICT && k < value.as.dict->count; k++)
            problem = add(&c[n++], field, value.as.dict->keys[k].kind == DG_V_STR ? value.as.dict->keys[k].as.s : (Str){0}, value.as.dict->values[k]);
        if (!problem && value.kind != DG_V_DICT)
            problem = add(&c[n++], field, is_list(value) ? S("in") : S("eq"), value);
        if (problem)
            return problem;
    }
    *out = (VectorFilter){c, n};
    return NULL;
}

bool vector_filter(DgValue written, void *(*alloc)(void *context, size_t bytes), void *context, VectorFilter *out, const char **problem)
{
    *out = (VectorFilter){0};
    *problem = NULL;
    if (written.kind == DG_V_NONE || written.kind == DG_V_UNDEFINED)
        return true;
    *problem = written.kind == DG_V_DICT ? take(written, alloc, context, out) : "it is a mapping of metadata columns to values";
    return !*problem;
}

static void write_value(StrBuf *out, DgEval *ev, DgValue v)
{
    if (v.kind == DG_V_STR) {
        buf_json(out, v.as.s);
    } else if (v.kind == DG_V_LIST || v.kind == DG_V_TUPLE) {
        buf_char(out, '[');
        for (size_t i = 0; i < v.as.list->count; i++) {
            buf_add(out, i ? S(",") : S(""));
            write_value(out, ev, v.as.list->items[i]);
        }
        buf_char(out, ']');
    } else {
        dg_write_json(ev, out, v, 0, false);
    }
}

void vector_filter_mongo(StrBuf *out, DgEval *ev, const VectorFilter *f)
{
    if (f->count > 1)
        buf_add(out, S("{\"$and\":[")); /* two comparisons of one column would be one key twice */
    for (size_t i = 0; i < f->count; i++) {
        const VectorCondition *c = &f->conditions[i];
        buf_add(out, i ? S(",{") : S("{"));
        buf_json(out, c->field);
        buf_format(out, ":{\"$%s\":", OPERATORS[c->operator].name);
        write_value(out, ev, c->value);
        buf_add(out, S("}}"));
    }
    if (f->count > 1)
        buf_add(out, S("]}"));
}
