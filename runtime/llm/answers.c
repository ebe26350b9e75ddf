/* answers.c - see answers.h. */
#include "runtime/llm/answers.h"

#include <pthread.h>
#include <sqlite3.h>

#include "runtime/base/sha256.h"
#include "runtime/os/os.h"
#include "runtime/run/sqlite_os.h"

enum { WAIT_MS = 10000 };

struct Answers {
    sqlite3 *db;
    sqlite3_stmt *get, *put;
    pthread_mutex_t lock;
    bool open; /* a transaction */
    char *path;
};

/* Safe when a transaction ends. Keys are random: their index fits into the cache, and pages that are written again and
 * again meet in the log before they go into the file. */
static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 4000";
/* With a rowid: answers lie in the order of their coming, one behind the other. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS answers(key BLOB PRIMARY KEY, model TEXT NOT NULL, at_us INTEGER NOT NULL, end INTEGER NOT NULL,"
    " tokens_in INTEGER NOT NULL, tokens_cached INTEGER NOT NULL, tokens_written INTEGER NOT NULL, tokens_out INTEGER NOT NULL,"
    " answer BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS batches(id TEXT PRIMARY KEY, whose TEXT NOT NULL, submitted_us INTEGER NOT NULL, requests INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS batch_keys(key BLOB PRIMARY KEY, batch TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS batch_keys_of ON batch_keys(batch);";

static DgStatus fail(Answers *c, DgError *err, const char *verb)
{
    int rc = c->db ? sqlite3_errcode(c->db) & 0xff : SQLITE_NOMEM;
    DgStatus status = rc == SQLITE_NOMEM ? DG_NOMEM
                      : rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? DG_TEMPFAIL
                      : rc == SQLITE_PERM || rc == SQLITE_READONLY || rc == SQLITE_CANTOPEN ? DG_CANTCREATE
                                                                                            : DG_IO;
    dg_fail(err, status, "could not %s the cache of answers `%s`: %s", verb, c->path ? c->path : "", c->db ? sqlite3_errmsg(c->db) : "out of memory");
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        dg_hint(err, "remove it: what it held will be asked, and paid for, again");
    return status;
}

DgStatus answers_open(Str path, Answers **out, DgError *err)
{
    Answers *c = os_alloc(sizeof *c);
    if (!c || !(c->path = os_alloc((size_t)path.len + 1))) {
        os_free(c);
        return os_no_memory(err, "for the cache of answers");
    }
    memcpy(c->path, path.ptr, (size_t)path.len);
    pthread_mutex_init(&c->lock, NULL);
    sqlite_use_os();
    bool good = sqlite3_open_v2(c->path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
                sqlite3_busy_timeout(c->db, WAIT_MS) == SQLITE_OK &&
                sqlite3_exec(c->db, settings, NULL, NULL, NULL) == SQLITE_OK &&
                sqlite3_exec(c->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(c->db, "SELECT end, tokens_in, tokens_cached, tokens_written, tokens_out, answer FROM answers WHERE key = ?", -1,
                                   &c->get, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(c->db, "INSERT OR REPLACE INTO answers VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &c->put, NULL) == SQLITE_OK;
    DgStatus status = good ? DG_OK : fail(c, err, "open");
    if (!good)
        answers_close(c);
    *out = good ? c : NULL;
    return status;
}

void answers_close(Answers *c)
{
    if (!c)
        return;
    DgError ignored;
    answers_keep(c, &ignored);
    sqlite3_finalize(c->get);
    sqlite3_finalize(c->put);
    sqlite3_close(c->db);
    pthread_mutex_destroy(&c->lock);
    os_free(c->path);
    os_free(c);
}

AnswerKey answer_key(Str whom, Str request)
{
    Sha256 sum;
    AnswerKey key;
    sha256_init(&sum);
    sha256_add(&sum, whom);
    sha256_add(&sum, S("\n"));
    sha256_add(&sum, request);
    sha256_end(&sum, key.bytes);
    return key;
}

/* Under the lock. DG_END: no row. */
static DgStatus look_up(Answers *c, const AnswerKey *key, DgError *err)
{
    sqlite3_reset(c->get);
    sqlite3_bind_blob(c->get, 1, key->bytes, sizeof key->bytes, SQLITE_STATIC);
    int rc = sqlite3_step(c->get);
    return rc == SQLITE_ROW ? DG_OK : rc == SQLITE_DONE ? DG_END : fail(c, err, "read");
}

static Str answer_of(Answers *c, Arena *a)
{
    Str bytes = {sqlite3_column_blob(c->get, 5), sqlite3_column_bytes(c->get, 5)};
    return str_copy(a, bytes);
}

DgStatus answers_get(Answers *c, Arena *a, const AnswerKey *key, LlmReply *out, DgError *err)
{
    pthread_mutex_lock(&c->lock);
    DgStatus status = look_up(c, key, err);
    if (status == DG_OK) {
        *out = (LlmReply){.end = (LlmEnd)sqlite3_column_int(c->get, 0), .text = answer_of(c, a),
                          .usage = {sqlite3_column_int64(c->get, 1), sqlite3_column_int64(c->get, 2), sqlite3_column_int64(c->get, 3),
                                    sqlite3_column_int64(c->get, 4)}};
        if (a->failed)
            status = os_no_memory(err, "for an answer");
    }
    sqlite3_reset(c->get);
    pthread_mutex_unlock(&c->lock);
    return status;
}

DgStatus answers_get_vector(Answers *c, Arena *a, const AnswerKey *key, const float **vector, int32_t *dimensions, DgError *err)
{
    pthread_mutex_lock(&c->lock);
    DgStatus status = look_up(c, key, err);
    if (status == DG_OK) {
        int bytes = sqlite3_column_bytes(c->get, 5);
        float *copy = push(a, float, bytes / 4 + 1);
        if (copy)
            memcpy(copy, sqlite3_column_blob(c->get, 5), (size_t)bytes);
        *vector = copy;
        *dimensions = bytes / 4;
        if (!copy)
            status = os_no_memory(err, "for an embedding");
    }
    sqlite3_reset(c->get);
    pthread_mutex_unlock(&c->lock);
    return status;
}

bool answers_has(Answers *c, const AnswerKey *key)
{
    DgError ignored;
    pthread_mutex_lock(&c->lock);
    bool found = look_up(c, key, &ignored) == DG_OK;
    sqlite3_reset(c->get);
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* Under the lock. */
static bool begin(Answers *c)
{
    c->open = c->open || sqlite3_exec(c->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
    return c->open;
}

static DgStatus put(Answers *c, const AnswerKey *key, Str model, const LlmReply *reply, Str answer, DgError *err)
{
    const int64_t numbers[] = {os_real_us(), reply->end, reply->usage.in, reply->usage.cached, reply->usage.written, reply->usage.out};
    pthread_mutex_lock(&c->lock);
    bool good = begin(c);
    sqlite3_reset(c->put);
    sqlite3_bind_blob(c->put, 1, key->bytes, sizeof key->bytes, SQLITE_STATIC);
    sqlite3_bind_text(c->put, 2, model.ptr, (int)model.len, SQLITE_STATIC);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_int64(c->put, 3 + i, numbers[i]);
    sqlite3_bind_blob64(c->put, 9, answer.ptr ? answer.ptr : "", (sqlite3_uint64)answer.len, SQLITE_STATIC);
    good = good && sqlite3_step(c->put) == SQLITE_DONE;
    DgStatus status = good ? DG_OK : fail(c, err, "write");
    sqlite3_reset(c->put);
    pthread_mutex_unlock(&c->lock);
    return status;
}

DgStatus answers_put(Answers *c, const AnswerKey *key, Str model, const LlmReply *reply, DgError *err)
{
    return put(c, key, model, reply, reply->text, err);
}

DgStatus answers_put_vector(Answers *c, const AnswerKey *key, Str model, const float *vector, int32_t dimensions, DgError *err)
{
    LlmReply none = {0};
    return put(c, key, model, &none, (Str){(const char *)vector, (ptrdiff_t)dimensions * 4}, err);
}

DgStatus answers_keep(Answers *c, DgError *err)
{
    pthread_mutex_lock(&c->lock);
    DgStatus status = DG_OK;
    if (c->open) {
        os_crashpoint("answers-commit");
        status = sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? DG_OK : fail(c, err, "write");
        if (status != DG_OK)
            sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
        else
            os_crashpoint("answers-committed");
        c->open = false;
    }
    pthread_mutex_unlock(&c->lock);
    return status;
}

/* ---- Batches ---- */

/* One statement with up to four values, a text for each that has no number; under the lock. */
typedef struct Bound {
    Str text; /* ptr NULL: */
    int64_t number;
} Bound;

static bool execute(Answers *c, const char *sql, const Bound *values, int count)
{
    sqlite3_stmt *s = NULL;
    bool good = sqlite3_prepare_v2(c->db, sql, -1, &s, NULL) == SQLITE_OK;
    for (int i = 0; good && i < count; i++)
        good = (values[i].text.ptr ? sqlite3_bind_text(s, i + 1, values[i].text.ptr, (int)values[i].text.len, SQLITE_STATIC)
                                   : sqlite3_bind_int64(s, i + 1, values[i].number)) == SQLITE_OK;
    good = good && sqlite3_step(s) == SQLITE_DONE;
    sqlite3_finalize(s);
    return good;
}

static bool put_keys(Answers *c, Str id, const AnswerKey *keys, size_t count)
{
    sqlite3_stmt *s = NULL;
    bool good = sqlite3_prepare_v2(c->db, "INSERT OR REPLACE INTO batch_keys VALUES(?, ?)", -1, &s, NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < count; i++) {
        sqlite3_reset(s);
        sqlite3_bind_blob(s, 1, keys[i].bytes, sizeof keys[i].bytes, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, id.ptr, (int)id.len, SQLITE_STATIC);
        good = sqlite3_step(s) == SQLITE_DONE;
    }
    sqlite3_finalize(s);
    return good;
}

DgStatus answers_put_batch(Answers *c, Str whose, Str id, const AnswerKey *keys, size_t count, DgError *err)
{
    const Bound row[] = {{.text = id}, {.text = whose}, {.number = os_real_us()}, {.number = (int64_t)count}};
    pthread_mutex_lock(&c->lock);
    bool good = begin(c) && execute(c, "INSERT OR REPLACE INTO batches VALUES(?, ?, ?, ?)", row, 4) && put_keys(c, id, keys, count);
    DgStatus status = good ? DG_OK : fail(c, err, "write");
    pthread_mutex_unlock(&c->lock);
    return status == DG_OK ? answers_keep(c, err) : status;
}

DgStatus answers_batches(Answers *c, Str whose, Arena *a, AnswersBatch **out, size_t *count, DgError *err)
{
    Array(AnswersBatch) found = {0};
    sqlite3_stmt *s = NULL;
    pthread_mutex_lock(&c->lock);
    bool good = sqlite3_prepare_v2(c->db, "SELECT id, submitted_us, requests FROM batches WHERE whose = ? ORDER BY submitted_us, id", -1, &s, NULL) == SQLITE_OK;
    int rc = SQLITE_ERROR;
    if (good) {
        sqlite3_bind_text(s, 1, whose.ptr, (int)whose.len, SQLITE_STATIC);
        while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
            Str id = {(const char *)sqlite3_column_text(s, 0), sqlite3_column_bytes(s, 0)};
            AnswersBatch b = {str_copy(a, id), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)};
            array_add(a, &found, b);
        }
    }
    DgStatus status = rc == SQLITE_DONE ? DG_OK : fail(c, err, "read");
    sqlite3_finalize(s);
    pthread_mutex_unlock(&c->lock);
    *out = found.items;
    *count = found.count;
    return status == DG_OK && a->failed ? os_no_memory(err, "for batches") : status;
}

bool answers_is_in_batch(Answers *c, const AnswerKey *key)
{
    sqlite3_stmt *s = NULL;
    pthread_mutex_lock(&c->lock);
    bool found = false;
    if (sqlite3_prepare_v2(c->db, "SELECT 1 FROM batch_keys WHERE key = ?", -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_blob(s, 1, key->bytes, sizeof key->bytes, SQLITE_STATIC);
        found = sqlite3_step(s) == SQLITE_ROW;
    }
    sqlite3_finalize(s);
    pthread_mutex_unlock(&c->lock);
    return found;
}

DgStatus answers_end_batch(Answers *c, Str id, DgError *err)
{
    const Bound row[] = {{.text = id}};
    pthread_mutex_lock(&c->lock);
    bool good = begin(c) && execute(c, "DELETE FROM batches WHERE id = ?", row, 1) && execute(c, "DELETE FROM batch_keys WHERE batch = ?", row, 1);
    DgStatus status = good ? DG_OK : fail(c, err, "write");
    pthread_mutex_unlock(&c->lock);
    return status;
}
