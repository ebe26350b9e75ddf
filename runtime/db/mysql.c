/* mysql.c - the MySQL and MariaDB engine: connections and transactions.
 *
 * A session speaks utf8mb4 in UTC, and refuses what a server would otherwise cut or replace: values
 * out of range, zero dates, a 0 that becomes the next number of an AUTO_INCREMENT column.
 */
#include <stdio.h>

#include "runtime/db/mysql_internal.h"
#include "runtime/os/os.h"

enum { CONNECT_SECONDS = 10 };

/* ---- Errors ---- */

static DgStatus class_of(unsigned number)
{
    switch (number) {
    case 2002: case 2003: case 2004: case 2005: case 2006: case 2012: case 2013: case 2055: /* cannot reach, or lost */
    case 1042: case 1043: case 1053: case 1079: case 1080: case 1152: case 1158: case 1159: case 1160: case 1161:
    case 1184: case 1927: case 3169: case 4031: return DG_UNAVAILABLE;
    case 1044: case 1045: case 1142: case 1143: case 1227: case 1290: case 1370: case 1410: case 1524: case 1698:
    case 1792: case 1820: case 1836: case 3118: return DG_NOPERM;
    case 1040: case 1203: case 1226: case 1205: case 1213: case 1020: case 1317: case 1969: case 3024: case 3572:
    case 1206: case 1614: return DG_TEMPFAIL;
    case 1049: case 1130: case 2026: case 2049: case 2054: case 2058: case 2059: case 2061: return DG_CONFIG;
    case 1021: case 1041: case 1114: case 1023: case 1024: case 1030: case 1037: case 1038: case 1194: case 1195:
    case 1877: return DG_IO;
    case 2008: return DG_NOMEM;
    case 1022: case 1048: case 1062: case 1153: case 1169: case 1216: case 1217: case 1263: case 1264: case 1265:
    case 1292: case 1300: case 1364: case 1365: case 1366: case 1367: case 1406: case 1411: case 1416: case 1441: case 1451:
    case 1452: case 1526: case 1557: case 1586: case 1690: case 1761: case 1762: case 1859: case 2020: case 3140: case 3141:
    case 3156: case 3157: case 3819: case 4025: case 4078: return DG_DATA;
    default: return DG_FAILED;
    }
}

DgStatus my_fail(MysqlDb *db, DgError *err, unsigned number, const char *message)
{
    DgStatus status = class_of(number);
    if (__atomic_load_n(&db->interrupted, __ATOMIC_RELAXED) && (number == 1317 || status == DG_UNAVAILABLE))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    Str line = str_from(message), rest;
    str_cut(line, '\n', &line, &rest);
    dg_fail(err, status, "%s: %.*s (error %u)", db->mariadb ? "MariaDB" : "MySQL", FMT(line), number);
    if (number == 1698 || number == 1045)
        dg_hint(err, "check `user` and `password` of the connection, and from where the server lets this user in");
    else if (number == 2026)
        dg_hint(err, "`tls` of the connection is one of disabled, preferred, required, verify; `ssl_ca` names the authority");
    return status;
}

DgStatus my_handle_fail(MysqlDb *db, DgError *err)
{
    return my_fail(db, err, db->api->error_number(db->handle), db->api->error(db->handle));
}

DgStatus my_cancelled(MysqlDb *db, DgError *err)
{
    return __atomic_load_n(&db->interrupted, __ATOMIC_RELAXED) ? dg_fail(err, DG_CANCELLED, "cancelled") : DG_OK;
}

/* ---- Connecting ---- */

enum { MY_TLS_DEFAULT, MY_TLS_DISABLED, MY_TLS_PREFERRED, MY_TLS_REQUIRED, MY_TLS_VERIFY };

static DgStatus find_tls(const DgConn *conn, int *out, DgError *err)
{
    static const char *const keys[] = {"tls", "ssl", "sslmode", "ssl_mode", "ssl-mode"};
    static const struct { const char *word; int tls; } words[] = {
        {"disabled", MY_TLS_DISABLED}, {"disable", MY_TLS_DISABLED}, {"false", MY_TLS_DISABLED}, {"preferred", MY_TLS_PREFERRED},
        {"prefer", MY_TLS_PREFERRED}, {"allow", MY_TLS_PREFERRED}, {"required", MY_TLS_REQUIRED}, {"require", MY_TLS_REQUIRED},
        {"skip-verify", MY_TLS_REQUIRED}, {"true", MY_TLS_VERIFY}, {"verify", MY_TLS_VERIFY}, {"verify_ca", MY_TLS_VERIFY},
        {"verify-ca", MY_TLS_VERIFY}, {"verify_identity", MY_TLS_VERIFY}, {"verify-full", MY_TLS_VERIFY}};
    Str value = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !value.len; i++)
        value = conn_prop(conn, keys[i]);
    *out = conn_prop(conn, "ssl_ca").len ? MY_TLS_VERIFY : MY_TLS_DEFAULT;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq_nocase(value, str_from(words[i].word))) {
            *out = words[i].tls;
            return DG_OK;
        }
    if (!value.len)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "`tls` of connection `%.*s` is `%.*s`", FMT(conn->name), FMT(value));
    dg_hint(err, "write one of disabled, preferred, required, verify");
    return DG_CONFIG;
}

/* The two libraries number these options differently. */
static void set_tls(const MysqlDb *db, MysqlHandle *handle)
{
    enum { MARIADB_VERIFY = 21, MARIADB_ENFORCE = 38, MYSQL_MODE = 35 };
    bool used = db->tls != MY_TLS_DISABLED;
    if (used && (db->ca || db->cert || db->key))
        db->api->ssl_set(handle, db->key, db->cert, db->ca, NULL, NULL);
    if (db->tls == MY_TLS_DEFAULT)
        return;
    if (!db->api->mariadb) { /* 1 disabled, 2 preferred, 3 required, 4 the authority, 5 the name too */
        unsigned mode = db->tls == MY_TLS_VERIFY ? 5 : (unsigned)db->tls;
        db->api->options(handle, MYSQL_MODE, &mode);
        return;
    }
    /* "Enforced" still means without, where the server has none: connect_handle looks. */
    char enforce = used, verify = db->tls == MY_TLS_VERIFY;
    db->api->options(handle, MARIADB_ENFORCE, &enforce);
    db->api->options(handle, MARIADB_VERIFY, &verify);
}

static DgStatus connect_handle(MysqlDb *db, MysqlHandle **out, DgError *err)
{
    enum { PROTOCOL = 9, TCP = 1 };
    const MysqlApi *api = db->api;
    unsigned seconds = CONNECT_SECONDS, tcp = TCP, infile = 1;
    MysqlHandle *handle = api->init(NULL);
    *out = NULL;
    if (!handle)
        return os_no_memory(err, "for a connection to MySQL");
    api->options(handle, MY_OPT_CONNECT_TIMEOUT, &seconds);
    api->options(handle, MY_OPT_CHARSET, "utf8mb4");
    api->options(handle, MY_OPT_LOCAL_INFILE, &infile);
    if (!db->socket) /* `localhost` would be a socket somewhere */
        api->options(handle, PROTOCOL, &tcp);
    set_tls(db, handle);
    if (!api->real_connect(handle, db->host, db->user, db->password, db->database, db->port, db->socket,
                           MY_FOUND_ROWS | MY_MULTI_STATEMENTS | MY_LOCAL_FILES)) {
        DgStatus status = my_fail(db, err, api->error_number(handle), api->error(handle));
        api->close(handle);
        return status;
    }
    if (db->tls >= MY_TLS_REQUIRED && !api->get_ssl_cipher(handle)) {
        api->close(handle);
        return dg_fail(err, DG_CONFIG, "the connection asks for TLS, which the server does not offer");
    }
    *out = handle;
    return DG_OK;
}

bool my_kill_query(MysqlDb *db)
{
    MysqlHandle *killer;
    char sql[64];
    if (connect_handle(db, &killer, NULL) != DG_OK)
        return false;
    int n = snprintf(sql, sizeof sql, "KILL QUERY %lu", db->thread);
    bool fine = db->api->real_query(killer, sql, (unsigned long)n) == 0;
    db->api->close(killer);
    return fine;
}

static void my_interrupt(DgDb *base)
{
    MysqlDb *db = (MysqlDb *)base;
    __atomic_store_n(&db->interrupted, true, __ATOMIC_RELAXED);
    my_kill_query(db);
}

static void my_close(DgDb *base)
{
    MysqlDb *db = (MysqlDb *)base;
    if (!db)
        return;
    if (db->handle)
        db->api->close(db->handle);
    arena_free(&db->arena);
    os_free(db);
}

/* `5.5.5-10.11.4-MariaDB`: the first part is for old replicas. */
static int32_t version_of(Str text)
{
    int part[3] = {0}, n = 0;
    if (str_starts(text, S("5.5.5-")))
        text = str_sub(text, 6, text.len);
    for (ptrdiff_t i = 0; i < text.len && n < 3; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9' && part[n] < 1000)
            part[n] = part[n] * 10 + text.ptr[i] - '0';
        else if (text.ptr[i] == '.')
            n++;
        else
            break;
    }
    return part[0] * 10000 + part[1] * 100 + part[2];
}

static DgStatus prepare_session(MysqlDb *db, DgError *err)
{
    MysqlCells found;
    size_t mark = arena_mark(&db->arena);
    DG_TRY(my_exec(&db->base, S("SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
                                   "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', autocommit = 1,"
                                   " net_read_timeout = 3600, net_write_timeout = 3600, sql_notes = 1, max_error_count = 64"),
                      NULL, err));
    DG_TRY(my_cells(db, &db->arena, S("SELECT @@local_infile, @@max_allowed_packet"), &found, err));
    if (found.rows == 1 && found.columns == 2) {
        db->local_infile = str_eq(found.cells[0], S("1"));
        str_to_int(found.cells[1], &db->packet_max);
    }
    arena_pop(&db->arena, mark);
    return DG_OK;
}

static const char *text_prop(MysqlDb *db, const DgConn *conn, const char *key)
{
    Str value = conn_prop(conn, key);
    return value.len ? str_cstr(&db->arena, value) : NULL;
}

static DgStatus my_open(const DgConn *conn, DgDb **out, DgError *err)
{
    const MysqlApi *api;
    *out = NULL;
    DG_TRY(my_api(&api, err));
    MysqlDb *db = os_alloc(sizeof *db);
    if (!db)
        return os_no_memory(err, "for a connection to MySQL");
    arena_init(&db->arena, 1 << 20);
    db->arena.can_fail = true;
    db->base.engine = &dg_engine_mysql;
    db->api = api;
    db->packet_max = 1 << 20;
    db->mariadb = str_eq(conn->type, S("mariadb"));
    db->host = text_prop(db, conn, "host");
    db->user = text_prop(db, conn, "user");
    db->password = text_prop(db, conn, "password");
    db->database = text_prop(db, conn, "database");
    db->socket = text_prop(db, conn, "socket");
    db->ca = text_prop(db, conn, "ssl_ca");
    db->cert = text_prop(db, conn, "ssl_cert");
    db->key = text_prop(db, conn, "ssl_key");
    int64_t port = conn_prop_int(conn, "port", 3306);
    db->port = port > 0 && port < 65536 ? (unsigned)port : 3306;
    DgStatus status = db->arena.failed ? os_no_memory(err, "for a connection to MySQL") : find_tls(conn, &db->tls, err);
    if (status == DG_OK)
        status = connect_handle(db, &db->handle, err);
    if (status == DG_OK) {
        Str version = str_from(api->get_server_info(db->handle));
        db->mariadb = str_find(version, S("MariaDB")) >= 0;
        db->base.version = version_of(version);
        db->thread = api->thread_id(db->handle);
        my_load_handlers(db);
        status = prepare_session(db, err);
    }
    if (status != DG_OK)
        my_close(&db->base);
    else
        *out = &db->base;
    return status;
}

/* ---- Statements ---- */

DgStatus my_exec(DgDb *base, Str sql, int64_t *changed, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    const MysqlApi *api = db->api;
    int64_t last = 0;
    DG_TRY(my_cancelled(db, err));
    int rc = api->real_query(db->handle, sql.ptr, (unsigned long)sql.len);
    if (rc != 0) /* 1 and -1 */
        return my_handle_fail(db, err);
    while (rc == 0) {
        MysqlResult *result = api->use_result(db->handle);
        if (result) { /* rows that nobody asked for */
            while (api->fetch_row(result)) {
            }
            bool broke = api->error_number(db->handle) != 0;
            DgStatus status = broke ? my_handle_fail(db, err) : DG_OK;
            api->free_result(result);
            DG_TRY(status);
            last = 0;
        } else if (api->field_count(db->handle)) {
            return my_handle_fail(db, err);
        } else {
            last = (int64_t)api->affected_rows(db->handle);
        }
        rc = api->next_result(db->handle); /* -1: that was the last */
    }
    if (rc > 0)
        return my_handle_fail(db, err);
    if (changed)
        *changed = last;
    return my_cancelled(db, err); /* some functions end early without an error */
}

DgStatus my_cells(MysqlDb *db, Arena *a, Str sql, MysqlCells *out, DgError *err)
{
    const MysqlApi *api = db->api;
    Array(Str) cells = {0};
    char **row;
    *out = (MysqlCells){0};
    DG_TRY(my_cancelled(db, err));
    if (api->real_query(db->handle, sql.ptr, (unsigned long)sql.len) != 0)
        return my_handle_fail(db, err);
    MysqlResult *result = api->store_result(db->handle);
    if (!result)
        return my_handle_fail(db, err);
    out->columns = (int32_t)api->num_fields(result);
    while ((row = api->fetch_row(result))) {
        const unsigned long *lengths = api->fetch_lengths(result);
        for (int32_t i = 0; i < out->columns; i++)
            array_add(a, &cells, row[i] ? str_copy(a, (Str){row[i], (ptrdiff_t)lengths[i]}) : (Str){0});
        out->rows++;
    }
    api->free_result(result);
    out->cells = cells.items;
    return a->failed ? os_no_memory(err, "for the result of a query") : DG_OK;
}

static DgStatus my_begin(DgDb *base, DgTxKind kind, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    __atomic_store_n(&db->interrupted, false, __ATOMIC_RELAXED);
    return my_exec(base, kind == DG_TX_READ ? S("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
                                                   "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                                               : S("START TRANSACTION READ WRITE"), NULL, err);
}

static DgStatus my_commit(DgDb *base, bool *unknown, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    *unknown = false;
    DG_TRY(my_cancelled(db, err));
    if (db->api->real_query(db->handle, "COMMIT", 6) == 0)
        return DG_OK;
    /* An answer with an error says that nothing was committed; no answer says nothing. */
    *unknown = class_of(db->api->error_number(db->handle)) == DG_UNAVAILABLE;
    return my_handle_fail(db, err);
}

static DgStatus my_rollback(DgDb *base, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    __atomic_store_n(&db->interrupted, false, __ATOMIC_RELAXED);
    return my_exec(base, S("ROLLBACK"), NULL, err);
}

static const char *const aliases[] = {"mariadb", NULL};

const DgEngine dg_engine_mysql = {
    .type = "mysql",
    .title = "MySQL",
    .aliases = aliases,
    .dialect = &dg_dialect_mysql,
    .open = my_open,
    .close = my_close,
    .interrupt = my_interrupt,
    .begin = my_begin,
    .commit = my_commit,
    .rollback = my_rollback,
    .exec = my_exec,
    .query = my_query,
    .insert = my_insert,
    .tables = my_tables,
    .describe = my_describe,
    .split = my_split,
};
