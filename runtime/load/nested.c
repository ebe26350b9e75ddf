/* nested.c - rows taken apart. A row gives its cells first, then the lists in it, each of whose elements
 * is a row of another table and is treated alike. */
#include <ctype.h>
#include <stdio.h>

#include "runtime/base/sha256.h"
#include "runtime/data/value_text.h"
#include "runtime/load/nested_internal.h"
#include "runtime/os/os.h"

typedef struct Cell {
    uint32_t field;
    char kind;
    size_t at, len;  /* in n->bytes */
} Cell;

typedef struct Waiting {
    size_t part;
    Str list;        /* of the row's own JSON */
    int32_t level;
} Waiting;

struct NestedCells {
    Cell *cells;
    size_t cells_count, cells_room;
    Waiting *lists;
    size_t lists_count, lists_room;
};

typedef struct RowId {
    char text[NESTED_ID_BYTES];
} RowId;

static const DgType id_type = {DG_TEXT, 0, 0}, number_type = {DG_INT64, 0, 0};

/* ---- Names ---- */

/* Parts of a path lie NUL by NUL, which no key can hold; a name has `__` between them. */
static Str joined(Nested *n, Str first, Str path)
{
    StrBuf b = {.max = 64 << 10};
    buf_add(&b, first);
    if (first.len)
        buf_add(&b, S("__"));
    for (ptrdiff_t i = 0; i < path.len; i++)
        if (path.ptr[i])
            buf_char(&b, path.ptr[i]);
        else
            buf_add(&b, S("__"));
    Str out = str_copy(&n->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static DgStatus too_many(const Nested *n, const char *what, int most, size_t part, DgError *err)
{
    Str name = n->parts.items[part].table.name;
    dg_fail(err, DG_DATA, "the JSON of the rows makes more than %d %s%s%.*s", most, what, name.len ? " under " : "", FMT(name));
    dg_hint(err, "lower `max_table_nesting`, or leave a column whole with `columns: {name: json}`");
    return DG_DATA;
}

static DgStatus field_of(Nested *n, size_t part, uint32_t *out, DgError *err)
{
    NestedPart *p = &n->parts.items[part];
    Str path = buf_str(&n->path);
    uintptr_t known = (uintptr_t)map_get(&p->fields, path);
    if (!known) {
        if (p->columns.count + (size_t)n->from_count >= LIMIT_COLUMNS - 16)
            return too_many(n, "columns", LIMIT_COLUMNS - 16, part, err);
        Str name = joined(n, (Str){0}, path);
        array_add(&n->arena, &p->columns, ((NestedField){.name = name, .key = part ? -1 : n->spec->key_of(n->spec->context, name)}));
        known = p->columns.count;
        map_put(&n->arena, &p->fields, str_copy(&n->arena, path), (void *)known);
        if (n->arena.failed)
            return os_no_memory(err, "taking JSON apart");
    }
    *out = (uint32_t)(known - 1);
    return DG_OK;
}

static DgStatus add_part(Nested *n, Str name, size_t *out, DgError *err)
{
    array_add(&n->arena, &n->parts, ((NestedPart){.table.name = name, .spool.fd = -1}));
    *out = n->parts.count - 1;
    return n->arena.failed ? os_no_memory(err, "taking JSON apart") : DG_OK;
}

static DgStatus list_of(Nested *n, size_t part, size_t *out, DgError *err)
{
    Str path = buf_str(&n->path);
    uintptr_t known = (uintptr_t)map_get(&n->parts.items[part].lists, path);
    if (!known) {
        if (n->parts.count >= NESTED_TABLES_MAX)
            return too_many(n, "tables", NESTED_TABLES_MAX, part, err);
        DG_TRY(add_part(n, joined(n, n->parts.items[part].table.name, path), &known, err));
        map_put(&n->arena, &n->parts.items[part].lists, str_copy(&n->arena, path), (void *)known);
    }
    *out = known;
    return n->arena.failed ? os_no_memory(err, "taking JSON apart") : DG_OK;
}

/* ---- Values ---- */

static bool grow(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? *room * 2 : 64;
    void *bigger = os_realloc(*items, more * size);
    if (!bigger)
        return false;
    *items = bigger;
    *room = more;
    return true;
}

static DgStatus add_cell(Nested *n, size_t part, char kind, size_t at, DgError *err)
{
    uint32_t field = 0;
    struct NestedCells *c = n->cells;
    if (n->bytes.failed || !grow((void **)&c->cells, c->cells_count, &c->cells_room, sizeof *c->cells))
        return os_no_memory(err, "taking JSON apart");
    DG_TRY(field_of(n, part, &field, err));
    Str value = {n->bytes.ptr + at, (ptrdiff_t)(n->bytes.len - at)};
    nested_see(&n->parts.items[part].columns.items[field].seen, kind, value);
    c->cells[c->cells_count++] = (Cell){field, kind, at, n->bytes.len - at};
    return DG_OK;
}

static DgStatus no_json(const Nested *n, const char *what, DgError *err)
{
    return dg_fail(err, DG_DATA, "row %lld has JSON with %s, in `%.*s`", (long long)n->rows + 1, what, FMT(n->where));
}

static bool is_number(Str s)
{
    ptrdiff_t i = s.ptr[0] == '-', digits = 0;
    for (; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
        digits++;
    if (i < s.len && s.ptr[i] == '.')
        for (i++, digits = digits ? 0 : -1; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
            digits++;
    if (digits > 0 && i < s.len && (s.ptr[i] | 32) == 'e') {
        digits = 0;
        for (i += 1 + (i + 1 < s.len && (s.ptr[i + 1] == '+' || s.ptr[i + 1] == '-')); i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
            digits++;
    }
    return digits > 0 && i == s.len;
}

static DgStatus take_object(Nested *n, size_t part, NestedJson *j, int32_t level, DgError *err);

/* The value that stands at `j` as what n->path names in a row of `part`. */
static DgStatus take(Nested *n, size_t part, NestedJson *j, int32_t level, DgError *err)
{
    char kind = nested_json_kind(j);
    size_t at = n->bytes.len;
    Str raw;
    if (kind == 's') {
        const char *wrong = nested_json_string(j, &n->bytes);
        return wrong ? no_json(n, wrong, err) : add_cell(n, part, 's', at, err);
    }
    if (kind == '{' && level < n->spec->depth)
        return take_object(n, part, j, level + 1, err);
    if (kind == 'x' || !nested_json_skip(j, &raw))
        return no_json(n, "a value that is none", err);
    if (kind == '0')
        return DG_OK;
    if (kind == '[' && level < n->spec->depth) {
        struct NestedCells *c = n->cells;
        size_t list;
        DG_TRY(list_of(n, part, &list, err));
        if (!grow((void **)&c->lists, c->lists_count, &c->lists_room, sizeof *c->lists))
            return os_no_memory(err, "taking JSON apart");
        c->lists[c->lists_count++] = (Waiting){list, raw, level + 1};
        return DG_OK;
    }
    if (kind == 'n' && !is_number(raw))
        return no_json(n, "a number that is none", err);
    buf_add(&n->bytes, raw);
    return add_cell(n, part, kind == '{' || kind == '[' ? 'j' : kind, at, err);
}

static DgStatus take_object(Nested *n, size_t part, NestedJson *j, int32_t level, DgError *err)
{
    size_t mark = n->path.len;
    j->at++;
    for (bool first = true; !nested_json_mark(j, '}'); first = false) {
        if ((!first && !nested_json_mark(j, ',')) || nested_json_kind(j) != 's')
            return no_json(n, "an object that is none", err);
        if (mark)
            buf_char(&n->path, 0);
        const char *wrong = nested_json_string(j, &n->path);
        if (wrong || n->path.failed || !nested_json_mark(j, ':'))
            return no_json(n, wrong ? wrong : n->path.failed ? "a name that is too long" : "an object that is none", err);
        DG_TRY(take(n, part, j, level, err));
        n->path.len = mark;
    }
    return DG_OK;
}

static void name_path(Nested *n, const char *name)
{
    n->path.len = 0;
    buf_add(&n->path, str_from(name));
}

/* An element of a list as a row. */
static DgStatus take_element(Nested *n, size_t part, NestedJson *j, int32_t level, DgError *err)
{
    char kind = nested_json_kind(j);
    name_path(n, kind == '[' && level < n->spec->depth ? "list" : "value");
    if (kind != '{')
        return take(n, part, j, level, err);
    n->path.len = 0;
    return take_object(n, part, j, level, err);
}

/* ---- Ids ---- */

static void finish_id(Sha256 *hash, RowId *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[32];
    sha256_end(hash, bytes);
    for (int i = 0; i < NESTED_ID_BYTES; i++)
        out->text[i] = digits[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
}

static void hash_text(Sha256 *hash, Str s)
{
    int64_t len = s.len;
    sha256_add(hash, (Str){(const char *)&len, sizeof len});
    sha256_add(hash, s);
}

/* The cells of the row at hand are all there are. */
static void root_id(Nested *n, const DgBatch *in, int32_t row, RowId *out)
{
    const struct NestedCells *c = n->cells;
    Sha256 hash;
    sha256_init(&hash);
    for (int32_t key = 0; key < n->spec->keys_count; key++) {
        n->text.len = 0;
        for (int32_t i = 0; i < n->from_count; i++)
            if (n->key[i] == key && !n->apart[i] && DG_VALID(&in->vectors[i], row))
                value_write_text(&n->text, &in->vectors[i], n->from[i].type, row);
        for (size_t i = 0; i < c->cells_count; i++)
            if (n->parts.items[0].columns.items[c->cells[i].field].key == key)
                buf_add(&n->text, (Str){n->bytes.ptr + c->cells[i].at, (ptrdiff_t)c->cells[i].len});
        hash_text(&hash, buf_str(&n->text));
    }
    if (!n->spec->keys_count) {
        hash_text(&hash, n->spec->salt);
        sha256_add(&hash, (Str){(const char *)&n->rows, sizeof n->rows});
    }
    finish_id(&hash, out);
}

static void element_id(const RowId *parent, Str list, int64_t place, RowId *out)
{
    Sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, (Str){parent->text, NESTED_ID_BYTES});
    hash_text(&hash, list);
    sha256_add(&hash, (Str){(const char *)&place, sizeof place});
    finish_id(&hash, out);
}

/* ---- Rows ---- */

static DgStatus write_plain(Nested *n, NestedSpool *s, const DgBatch *in, int32_t row, DgError *err)
{
    for (int32_t i = 0; i < n->from_count; i++) {
        const DgVector *v = &in->vectors[i];
        size_t width = (size_t)dg_type_width((DgTypeKind)n->from[i].type.kind);
        char valid = DG_VALID(v, row);
        if (n->apart[i])
            continue;
        DG_TRY(spool_add(s, n->folder, &valid, 1, err));
        if (!valid)
            continue;
        if (width) {
            DG_TRY(spool_add(s, n->folder, (const char *)v->values + (size_t)row * width, width, err));
            continue;
        }
        Str text = dg_text_get(v, row);
        uint32_t len = (uint32_t)text.len;
        DG_TRY(spool_add(s, n->folder, &len, 4, err));
        DG_TRY(spool_add(s, n->folder, text.ptr, (size_t)text.len, err));
    }
    return DG_OK;
}

static DgStatus write_cells(Nested *n, NestedSpool *s, size_t from, DgError *err)
{
    const struct NestedCells *c = n->cells;
    uint32_t count = (uint32_t)(c->cells_count - from);
    DG_TRY(spool_add(s, n->folder, &count, 4, err));
    for (size_t i = from; i < c->cells_count; i++) {
        uint32_t head[2] = {c->cells[i].field, (uint32_t)c->cells[i].len};
        if (c->cells[i].len > UINT32_MAX / 4)
            return dg_fail(err, DG_DATA, "row %lld has a value of more than 1 GB", (long long)n->rows + 1);
        DG_TRY(spool_add(s, n->folder, head, 8, err));
        DG_TRY(spool_add(s, n->folder, &c->cells[i].kind, 1, err));
        DG_TRY(spool_add(s, n->folder, n->bytes.ptr + c->cells[i].at, c->cells[i].len, err));
    }
    return DG_OK;
}

static DgStatus take_lists(Nested *n, size_t from, const RowId *parent, const RowId *root, DgError *err);

static DgStatus write_element(Nested *n, size_t part, const RowId ids[3], int64_t place, size_t cells, DgError *err)
{
    NestedSpool *s = &n->parts.items[part].spool;
    int64_t numbers[2] = {place, n->rows};
    DG_TRY(write_cells(n, s, cells, err));
    DG_TRY(spool_add(s, n->folder, ids, 3 * sizeof *ids, err));
    DG_TRY(spool_add(s, n->folder, numbers, sizeof numbers, err));
    n->parts.items[part].table.rows++;
    return DG_OK;
}

static DgStatus take_list(Nested *n, const Waiting *w, const RowId *parent, const RowId *root, DgError *err)
{
    NestedJson j = {w->list.ptr + 1, w->list.ptr + w->list.len};
    for (int64_t place = 0; !nested_json_mark(&j, ']'); place++) {
        n->where = n->parts.items[w->part].table.name;
        size_t cells = n->cells->cells_count, lists = n->cells->lists_count, bytes = n->bytes.len;
        RowId ids[3] = {{{0}}, *parent, *root};
        if (place && !nested_json_mark(&j, ','))
            return no_json(n, "a list that is none", err);
        DG_TRY(take_element(n, w->part, &j, w->level, err));
        element_id(parent, n->parts.items[w->part].table.name, place, &ids[0]);
        DG_TRY(write_element(n, w->part, ids, place, cells, err));
        n->cells->cells_count = cells;
        n->bytes.len = bytes;
        DG_TRY(take_lists(n, lists, &ids[0], root, err));
    }
    return DG_OK;
}

/* Those that the row at hand left, from the `from`th on. */
static DgStatus take_lists(Nested *n, size_t from, const RowId *parent, const RowId *root, DgError *err)
{
    for (size_t i = from; i < n->cells->lists_count; i++) {
        Waiting one = n->cells->lists[i];
        size_t count = n->cells->lists_count;
        DG_TRY(take_list(n, &one, parent, root, err));
        n->cells->lists_count = count;
    }
    n->cells->lists_count = from;
    return DG_OK;
}

static DgStatus take_row(Nested *n, const DgBatch *in, int32_t row, DgError *err)
{
    RowId id;
    n->bytes.len = 0;
    n->cells->cells_count = n->cells->lists_count = 0;
    for (int32_t i = 0; i < n->from_count; i++) {
        if (!n->apart[i] || !DG_VALID(&in->vectors[i], row))
            continue;
        Str text = dg_text_get(&in->vectors[i], row);
        NestedJson j = {text.ptr, text.ptr + text.len};
        n->path.len = 0;
        buf_add(&n->path, n->from[i].name);
        n->where = n->from[i].name;
        DG_TRY(take(n, 0, &j, 0, err));
        if (nested_json_kind(&j) != 'x' || j.at < j.end)
            return no_json(n, "more than one value", err);
    }
    root_id(n, in, row, &id);
    NestedSpool *s = &n->parts.items[0].spool; /* now: the array may have moved before */
    DG_TRY(write_plain(n, s, in, row, err));
    DG_TRY(write_cells(n, s, 0, err));
    DG_TRY(spool_add(s, n->folder, &id, sizeof id, err));
    DG_TRY(spool_add(s, n->folder, &n->rows, sizeof n->rows, err));
    n->cells->cells_count = 0;
    n->parts.items[0].table.rows++;
    DG_TRY(take_lists(n, 0, &id, &id, err));
    n->rows++;
    return DG_OK;
}

static DgStatus take_rows(Nested *n, DgRows *from, DgError *err)
{
    DgBatch in;
    DgStatus status = DG_OK;
    DG_TRY(dg_batch_init(&in, from->columns, from->columns_count, DG_BATCH_ROWS, err));
    while (status == DG_OK) {
        if (n->spec->cancelled && n->spec->cancelled(n->spec->context)) {
            status = dg_fail(err, DG_CANCELLED, "cancelled");
            break;
        }
        status = from->next(from, &in, err);
        for (int32_t row = 0; row < in.rows && (status == DG_OK || status == DG_END); row++) {
            DgStatus taken = take_row(n, &in, row, err);
            status = taken == DG_OK ? status : taken;
        }
    }
    dg_batch_release(&in);
    return status == DG_END ? DG_OK : status;
}

/* ---- The tables that came of it ---- */

static void name_columns(Nested *n, size_t part)
{
    static const char *const names[] = {"_dlt_id", "_dlt_parent_id", "_dlt_root_id", "_dlt_list_idx", "_dgc_row"};
    NestedPart *p = &n->parts.items[part];
    DgColumn *columns = push(&n->arena, DgColumn, (size_t)n->from_count + p->columns.count + 6);
    int32_t count = 0;
    if (!columns)
        return;
    for (int32_t i = 0; i < n->from_count && !part; i++)
        if (!n->apart[i])
            columns[count++] = n->from[i];
    for (size_t i = 0; i < p->columns.count; i++) {
        const NestedField *f = &p->columns.items[i];
        columns[count++] = (DgColumn){.name = f->name, .type = f->added ? f->type : nested_type(&f->seen)};
    }
    p->table.made_count = (int32_t)p->columns.count;
    for (int i = 0; i < 5; i++)
        if (part || i == 0 || i == 4)
            columns[count++] = (DgColumn){.name = str_from(names[i]), .type = i < 3 ? id_type : number_type, .not_null = true};
    p->table.columns = columns;
    p->table.columns_count = count;
}

bool nested_add_column(Nested *n, Str name, DgType type)
{
    array_add(&n->arena, &n->parts.items[0].columns, ((NestedField){.name = str_copy(&n->arena, name), .type = type, .added = true}));
    name_columns(n, 0);
    return !n->arena.failed;
}

int32_t nested_tables(const Nested *n)
{
    return (int32_t)n->parts.count;
}

const NestedTable *nested_table(const Nested *n, int32_t table)
{
    return &n->parts.items[table].table;
}

DgStatus nested_open(Nested *n, int32_t table, DgRows **out, DgError *err)
{
    return nested_rows(n, &n->parts.items[table], table == 0, out, err);
}

void nested_close(Nested *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->parts.count; i++)
        spool_close(&n->parts.items[i].spool);
    if (n->cells) {
        os_free(n->cells->cells);
        os_free(n->cells->lists);
    }
    os_free(n->cells);
    os_free(n->apart);
    os_free(n->key);
    buf_free(&n->path);
    buf_free(&n->bytes);
    buf_free(&n->text);
    arena_free(&n->arena);
    os_free(n);
}

static DgStatus prepare(Nested *n, DgRows *from, const NestedSpec *spec, DgError *err)
{
    size_t root;
    n->spec = spec;
    n->from = from->columns;
    n->from_count = from->columns_count;
    n->path.max = 64 << 10;
    n->folder = str_copy(&n->arena, spec->folder);
    n->cells = os_alloc(sizeof *n->cells);
    n->apart = os_alloc((size_t)n->from_count + 1);
    n->key = os_alloc(((size_t)n->from_count + 1) * sizeof *n->key);
    if (!n->cells || !n->apart || !n->key)
        return os_no_memory(err, "taking JSON apart");
    for (int32_t i = 0; i < n->from_count; i++) {
        n->apart[i] = n->from[i].type.kind == DG_JSON && !spec->stays(spec->context, n->from[i].name);
        n->key[i] = spec->key_of(spec->context, n->from[i].name);
    }
    return add_part(n, (Str){0}, &root, err);
}

DgStatus nested_read(DgRows *from, const NestedSpec *spec, Nested **out, DgError *err)
{
    Nested *n = os_alloc(sizeof *n);
    *out = NULL;
    if (!n)
        return os_no_memory(err, "taking JSON apart");
    arena_init(&n->arena, 64 << 20);
    n->arena.can_fail = true;
    DgStatus status = prepare(n, from, spec, err);
    if (status == DG_OK)
        status = take_rows(n, from, err);
    for (size_t i = 0; i < n->parts.count && status == DG_OK; i++) {
        status = spool_flush(&n->parts.items[i].spool, n->folder, err);
        name_columns(n, i);
    }
    if (status == DG_OK && n->arena.failed)
        status = os_no_memory(err, "taking JSON apart");
    if (status == DG_OK)
        *out = n;
    else
        nested_close(n);
    return status;
}
