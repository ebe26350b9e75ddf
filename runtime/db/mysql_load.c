/* mysql_load.c - LOAD DATA LOCAL INFILE whose "file" is the stream of rows.
 *
 * The server asks the client for a file by name; the handler answers with rows while a load is under
 * way and refuses every other time, whatever the name. With LOCAL the server turns errors into
 * warnings and leaves rows out: both are counted, and a load with any of them fails.
 */
#include <stdio.h>

#include "runtime/db/mysql_write.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

enum { CHUNK = 64 << 10 };

struct MysqlLoad {
    MysqlInsert *in;
    StrBuf buffer;
    size_t at;
    bool started;       /* the server has asked for the rows */
    DgStatus status;
    DgError error;
};

/* ---- Lines ---- */

static void add_escaped(StrBuf *out, Str s)
{
    ptrdiff_t from = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c != '\\' && c != '\t' && c != '\n' && c != '\r')
            continue;
        buf_add(out, str_sub(s, from, i));
        buf_char(out, '\\');
        buf_char(out, c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
        from = i + 1;
    }
    buf_add(out, str_sub(s, from, s.len));
}

static void add_hex(StrBuf *out, Str s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (ptrdiff_t i = 0; i < s.len; i++) {
        char pair[2] = {digits[(unsigned char)s.ptr[i] >> 4], digits[s.ptr[i] & 15]};
        buf_add(out, (Str){pair, 2});
    }
}

static DgStatus add_row(MysqlLoad *load, DgError *err)
{
    MysqlInsert *in = load->in;
    StrBuf *out = &load->buffer;
    for (int32_t i = 0; i < in->count; i++) {
        const MysqlTarget *t = &in->targets[i];
        bool null = false;
        if (i)
            buf_char(out, '\t');
        DG_TRY(my_value_text(in, t, &in->batch.vectors[i], in->row, &null, err));
        if (null)
            buf_add(out, S("\\N"));
        else if (t->how == MYSQL_TEXT)
            add_escaped(out, buf_str(&in->text));
        else if (t->how == MYSQL_BYTES)
            add_hex(out, buf_str(&in->text));
        else
            buf_add(out, buf_str(&in->text));
    }
    buf_char(out, '\n');
    in->row++;
    in->rows++;
    return out->failed ? os_no_memory(err, "for rows to insert") : DG_OK;
}

static DgStatus refill(MysqlLoad *load, DgError *err)
{
    load->buffer.len = load->at = 0;
    while (load->buffer.len < CHUNK) {
        DgStatus status = my_cancelled(load->in->db, err);
        if (status == DG_OK)
            status = my_next_row(load->in, err);
        if (status != DG_OK)
            return status;
        DG_TRY(add_row(load, err));
    }
    return DG_OK;
}

/* ---- The library's callbacks ---- */

static int handler_open(void **state, const char *name, void *context)
{
    MysqlDb *db = context;
    *state = db->load;
    if (!db->load || db->load->started)
        return 1;
    db->load->started = true;
    return 0;
}

static int handler_read(void *state, char *to, unsigned room)
{
    MysqlLoad *load = state;
    if (!load)
        return -1;
    if (load->at == load->buffer.len && load->status == DG_OK)
        load->status = refill(load, &load->error);
    if (load->status != DG_OK && load->status != DG_END)
        return -1;
    size_t n = load->buffer.len - load->at;
    n = n > room ? room : n;
    if (n)
        memcpy(to, load->buffer.ptr + load->at, n);
    load->at += n;
    return (int)n;
}

static void handler_end(void *state)
{
    (void)state;
}

static int handler_error(void *state, char *to, unsigned room)
{
    snprintf(to, room, "%s", state ? "the rows could not be read" : "the server asked for a file, which is refused");
    return 2000;
}

void my_load_handlers(MysqlDb *db)
{
    db->api->set_local_infile_handler(db->handle, handler_open, handler_read, handler_end, handler_error, db);
}

/* ---- The load ---- */

static void add_statement(StrBuf *sql, const MysqlInsert *in)
{
    bool first = true;
    buf_add(sql, S("LOAD DATA LOCAL INFILE 'rows' INTO TABLE "));
    sql_table(sql, &dg_dialect_mysql, in->to);
    buf_add(sql, S(" CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' ("));
    for (int32_t i = 0; i < in->count; i++) {
        const MysqlTarget *t = &in->targets[i];
        buf_add(sql, i ? S(",") : S(""));
        if (t->how == MYSQL_BYTES || t->is_bit || t->is_geometry)
            buf_format(sql, "@v%d", i);
        else
            sql_name(sql, &dg_dialect_mysql, t->column.name);
    }
    buf_char(sql, ')');
    for (int32_t i = 0; i < in->count; i++) {
        const MysqlTarget *t = &in->targets[i];
        if (t->how != MYSQL_BYTES && !t->is_bit && !t->is_geometry)
            continue;
        buf_add(sql, first ? S(" SET ") : S(","));
        first = false;
        sql_name(sql, &dg_dialect_mysql, t->column.name);
        buf_format(sql, t->is_bit ? "=CAST(@v%d AS UNSIGNED)" : t->is_geometry ? "=ST_GeomFromText(@v%d)" : "=UNHEX(@v%d)", i);
    }
}

DgStatus my_load(MysqlInsert *in, DgError *err)
{
    MysqlDb *db = in->db;
    MysqlLoad load = {.in = in, .status = DG_OK};
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    add_statement(&sql, in);
    if (sql.failed) {
        buf_free(&sql);
        return os_no_memory(err, "for rows to insert");
    }
    db->load = &load;
    int rc = db->api->real_query(db->handle, sql.ptr, (unsigned long)sql.len);
    db->load = NULL;
    DgStatus status = DG_OK;
    if (rc != 0 && load.status != DG_OK && load.status != DG_END) {
        status = load.status; /* the rows' own failure comes first */
        if (err)
            *err = load.error;
    } else if (rc != 0) {
        unsigned number = db->api->error_number(db->handle);
        status = my_handle_fail(db, err);
        if (!load.started && (number == 1148 || number == 2068 || number == 3948 || number == 3950 || number == 4166))
            status = DG_END; /* local files are switched off */
    } else {
        int64_t kept = (int64_t)db->api->affected_rows(db->handle);
        status = my_check_warnings(in, err);
        if (status == DG_OK && kept != in->rows)
            status = dg_fail(err, DG_DATA, "the server kept %lld of %lld rows of table `%.*s`", (long long)kept,
                             (long long)in->rows, FMT(in->to.table));
    }
    buf_free(&load.buffer);
    buf_free(&sql);
    return status;
}
