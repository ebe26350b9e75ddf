/* record.c - objects that are a class name and fields, and asset keys. */
#include "runtime/eval/internal.h"

typedef struct Record {
    DgObject head;
    Str class_name; /* NUL-terminated */
    DgValue fields;
    DgRecordMethod methods;
} Record;

static DgStatus record_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err)
{
    const DgValue *v = dgv_get_str(((const Record *)self)->fields, name);
    if (!v)
        return DG_END;
    *out = *v;
    return DG_OK;
}

static DgStatus record_method(DgEval *ev, const DgObject *self, Str name, const DgArgs *args,
                              DgValue *out, DgError *err)
{
    const Record *r = (const Record *)self;
    return r->methods ? r->methods(ev, dgv_object(self), name, args, out, err) : DG_END;
}

static void record_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    const Record *r = (const Record *)self;
    buf_add(b, r->class_name);
    buf_char(b, '(');
    const DgValueDict *d = r->fields.as.dict;
    for (size_t i = 0; i < d->count && dg_step(ev, 1); i++) {
        if (i)
            buf_add(b, S(", "));
        dg_write_str(ev, b, d->keys[i]);
        buf_char(b, '=');
        dg_write_repr(ev, b, d->values[i]);
    }
    buf_char(b, ')');
}

static void record_json(DgEval *ev, const DgObject *self, StrBuf *b)
{
    dg_write_json(ev, b, ((const Record *)self)->fields, 0, false);
}

static bool record_equal(const DgObject *a, const DgObject *b)
{
    const Record *x = (const Record *)a, *y = (const Record *)b;
    return str_eq(x->class_name, y->class_name) && dgv_equal(x->fields, y->fields);
}

const DgObjectType dg_record_type = {.name = "record", .attr = record_attr, .method = record_method,
                                     .write = record_write, .write_json = record_json,
                                     .equal = record_equal};

DgValue dg_record(Arena *arena, const char *class_name, DgValue fields, DgRecordMethod methods)
{
    Record *r = push(arena, Record, 1);
    if (!r || !is_dict(fields))
        return dgv_undefined();
    *r = (Record){.head = {.type = &dg_record_type},
                  .class_name = str_copy(arena, str_from(class_name)),
                  .fields = fields,
                  .methods = methods};
    return dgv_object(&r->head);
}

bool dgv_is_record(DgValue v)
{
    return v.kind == DG_V_OBJECT && v.as.object->type == &dg_record_type;
}

Str dgv_record_class(DgValue v)
{
    return dgv_is_record(v) ? ((const Record *)v.as.object)->class_name : (Str){0};
}

DgValue dgv_record_fields(DgValue v)
{
    return dgv_is_record(v) ? ((const Record *)v.as.object)->fields : dgv_undefined();
}

const DgValue *dgv_record_get(DgValue v, Str field)
{
    return dgv_is_record(v) ? dgv_get_str(dgv_record_fields(v), field) : NULL;
}

/* ---- Asset keys ---- */

static DgValue key_text(DgEval *ev, DgValue path, char separator)
{
    return dg_join(ev, (Str){&separator, 1}, path, true);
}

/* Letters, digits and underscores stay; everything else becomes an underscore. */
static DgValue key_identifier(DgEval *ev, DgValue path)
{
    DgValue text = dg_join(ev, S("__"), path, true);
    StrBuf b = dg_buf(ev);
    for (ptrdiff_t i = 0; i < text.as.s.len && !dg_failed(ev); i++) {
        char c = text.as.s.ptr[i];
        bool keep = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        buf_char(&b, keep ? c : '_');
    }
    return dg_take_value(ev, &b, text.secret);
}

/* A prefix is one part, or a list of parts. */
static DgValue prefix_parts(DgEval *ev, DgValue prefix)
{
    return is_str(prefix) ? dg_list(ev, &prefix, 1) : dg_iterate(ev, prefix);
}

static DgValue key_of(DgEval *ev, DgValue path);

static bool has_prefix(DgEval *ev, DgValue path, DgValue parts)
{
    if (dg_failed(ev) || parts.as.list->count > path.as.list->count)
        return false;
    for (size_t i = 0; i < parts.as.list->count; i++)
        if (!dgv_equal(parts.as.list->items[i], path.as.list->items[i]))
            return false;
    return true;
}

static DgStatus key_method(DgEval *ev, DgValue self, Str name, const DgArgs *args, DgValue *out,
                           DgError *err)
{
    DgValue path = *dgv_record_get(self, S("path")), v[1] = {dgv_none()};
    if (str_eq(name, S("with_prefix")) || str_eq(name, S("has_prefix"))) {
        if (dg_args_spread(ev, "the method", args, "prefix", v, 1)) {
            DgValue parts = prefix_parts(ev, v[0]);
            *out = name.ptr[0] == 'h' ? dgv_bool(has_prefix(ev, path, parts))
                                      : key_of(ev, dg_add(ev, parts, path));
        }
    } else if (str_eq(name, S("to_user_string"))) {
        *out = key_text(ev, path, '/');
    } else if (str_eq(name, S("to_escaped_user_string"))) {
        *out = key_text(ev, path, '/');
    } else if (str_eq(name, S("to_python_identifier"))) {
        *out = key_identifier(ev, path);
    } else if (str_eq(name, S("to_string"))) {
        StrBuf b = dg_buf(ev);
        dg_write_json(ev, &b, path, 0, false);
        *out = dg_take_value(ev, &b, false);
    } else {
        return DG_END;
    }
    return dg_eval_status(ev, err);
}

static DgValue key_of(DgEval *ev, DgValue path)
{
    DgValue fields = dg_new_dict(ev);
    if (!dg_failed(ev)) {
        dg_put_str(ev, fields, "path", path);
        dg_put_str(ev, fields, "parts", path);
    }
    return dg_failed(ev) ? dgv_undefined() : dg_record(ev->arena, "AssetKey", fields, key_method);
}

DgValue dg_asset_key(DgEval *ev, const Str *parts, size_t count)
{
    DgValue path = dg_new_list(ev, count);
    for (size_t i = 0; i < count && !dg_failed(ev); i++)
        path.as.list->items[i] = dgv_from_str(parts[i]);
    return key_of(ev, path);
}
