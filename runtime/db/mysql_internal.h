/* mysql_internal.h - what the files of the MySQL engine share. Private to runtime/db. */
#ifndef DGC_MYSQL_INTERNAL_H
#define DGC_MYSQL_INTERNAL_H

#include "runtime/db/engine.h"
#include "runtime/db/mysql_api.h"

typedef struct MysqlLoad MysqlLoad; /* mysql_load.c: a LOAD DATA LOCAL under way */

typedef struct MysqlDb {
    DgDb base;
    const MysqlApi *api;
    MysqlHandle *handle;
    Arena arena;               /* what connecting needs, also for the connection that kills */
    const char *host, *user, *password, *database, *socket, *ca, *cert, *key;
    unsigned port;
    int tls;                   /* MY_TLS_... */
    unsigned long thread;      /* the server's number of this connection */
    bool mariadb;              /* the server is one */
    bool local_infile;         /* the server takes LOAD DATA LOCAL */
    int64_t packet_max;
    bool interrupted;          /* set by any thread; accessed atomically */
    MysqlLoad *load;
} MysqlDb;

extern const DgDialect dg_dialect_mysql;

/* Fills err with the server's or library's message and returns the status of its number. */
DgStatus my_fail(MysqlDb *db, DgError *err, unsigned number, const char *message);
DgStatus my_handle_fail(MysqlDb *db, DgError *err);
DgStatus my_cancelled(MysqlDb *db, DgError *err);
/* Ends the statement that runs, from a connection of its own; false when that did not work. */
bool my_kill_query(MysqlDb *db);

DgStatus my_exec(DgDb *base, Str sql, int64_t *changed, DgError *err);
/* The result of a short statement, all of it. */
typedef struct MysqlCells {
    Str *cells;                /* rows times columns; NULL: ptr is NULL */
    int32_t rows, columns;
} MysqlCells;
DgStatus my_cells(MysqlDb *db, Arena *a, Str sql, MysqlCells *out, DgError *err);

/* What a field of a result is read as. */
DgType my_field_type(const MysqlApi *api, const MysqlField *field);
bool my_type_from(Str native, DgType *out);
/* Binary geometry (SRID and WKB) as its text; false when it is not that. */
bool my_geometry_text(StrBuf *out, Str bytes);

DgStatus my_query(DgDb *base, Str sql, DgRows **out, DgError *err);
DgStatus my_insert(DgDb *base, DgTableName to, DgRows *from, int64_t *rows, DgError *err);
DgStatus my_tables(DgDb *base, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err);
DgStatus my_describe(DgDb *base, Arena *a, DgTableName name, DgTableInfo *out, DgError *err);
DgStatus my_split(DgDb *base, Arena *a, DgTableName name, int32_t parts, StrArray *conditions, DgError *err);

/* mysql_load.c: the handler of LOAD DATA LOCAL; what a server asks for unasked is refused. */
void my_load_handlers(MysqlDb *db);

#endif
