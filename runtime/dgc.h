/* dgc.h - the words shared by the compiler, the runtime, components and emitted C.
 *
 * Self-contained on purpose: emitted C and users' components include this (or component.h) and
 * no libc header, so libtcc compiles them in about a millisecond. Keep it to what gcc, clang and
 * tcc 0.9.27 all take: no atomics, thread-locals, __int128, builtins, statement expressions.
 */
#ifndef DGC_H
#define DGC_H

#ifdef DGC_NO_LIBC
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef unsigned long size_t;
typedef long ptrdiff_t;
#define bool _Bool
#define true 1
#define false 0
#define NULL ((void *)0)
#define offsetof(T, f) ((size_t) & ((T *)0)->f)
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

/* ---- Text: a view of UTF-8 bytes. Not NUL-terminated, owns nothing, passed by value. ---- */

typedef struct DgStr {
    const char *ptr;
    ptrdiff_t len;
} DgStr;
#define DG_S(lit) {"" lit, (ptrdiff_t)sizeof(lit) - 1} /* an initialiser */

/* ---- Errors: a status, and one DgError that the caller owns ---- */

/* The class of a failure decides what happens next; the number is the exit code. */
#define DG_STATUSES(X)                                                     \
    X(DG_OK, "ok", 0)                                                      \
    X(DG_END, "end", 0)                  /* no more rows: not an error */  \
    X(DG_FAILED, "failed", 1)            /* an asset or a check failed */  \
    X(DG_USAGE, "usage", 2)                                                \
    X(DG_DATA, "data", 65)               /* data breaks its contract */    \
    X(DG_UNAVAILABLE, "unavailable", 69) /* could not reach; retried */    \
    X(DG_BUG, "bug", 70)                                                   \
    X(DG_NOMEM, "memory", 71)                                              \
    X(DG_CANTCREATE, "cannot-create", 73)                                  \
    X(DG_IO, "io", 74)                                                     \
    X(DG_TEMPFAIL, "try-later", 75)      /* lock held, budget used up */   \
    X(DG_NOPERM, "permission", 77)                                         \
    X(DG_CONFIG, "config", 78)           /* secret or setting missing */   \
    X(DG_CANCELLED, "cancelled", 130)

typedef enum DgStatus {
#define X(name, text, exit_code) name,
    DG_STATUSES(X)
#undef X
} DgStatus;

/* Wording as PostgreSQL's: lower case, no full stop, what could not be done to what, then why.
 * `hint` says what to do about it. Both are cut when too long, never overrun. */
typedef struct DgError {
    DgStatus status;
    char message[1024];
    char hint[512];
    int32_t site;           /* index into the pipeline's sites plus 1; 0: none */
    int64_t retry_after_ms; /* what the service asked for; 0: nothing; -1: trying again by itself is wrong */
} DgError;

DgStatus dg_fail(DgError *err, DgStatus s, const char *fmt, ...); /* returns s */
void dg_hint(DgError *err, const char *fmt, ...);
#define DG_TRY(expr)              \
    do {                          \
        DgStatus dg_try_ = (expr);\
        if (dg_try_ != DG_OK)     \
            return dg_try_;       \
    } while (0)

/* ---- Values: what templates compute with. Python's kinds, as Jinja sees them. ---- */

typedef enum DgValueKind {
    DG_V_UNDEFINED, /* a name that is not there; s is the name */
    DG_V_NONE,
    DG_V_BOOL,
    DG_V_INT,   /* 64 bits; past them an error, never a wrapped number */
    DG_V_FLOAT,
    DG_V_STR,
    DG_V_BYTES,
    DG_V_LIST,
    DG_V_TUPLE,
    DG_V_DICT,
    DG_V_OBJECT, /* a thing with attributes and methods of its own: env, AssetKey, a date... */
    DG_V_FUNC,
} DgValueKind;

typedef struct DgValue {
    uint8_t kind;
    bool secret; /* came from a secret: redacted where printed, never folded into the executable */
    union {
        bool b;
        int64_t i;
        double f;
        DgStr s;
        struct DgValueList *list; /* LIST and TUPLE */
        struct DgValueDict *dict;
        const struct DgObject *object; /* OBJECT and FUNC; see runtime/eval/value.h */
    } as;
} DgValue;

typedef struct DgValueList {
    DgValue *items;
    size_t count;
} DgValueList;
typedef struct DgValueDict { /* insertion order; keys[i] belongs to values[i] */
    DgValue *keys;
    DgValue *values;
    size_t count;
} DgValueDict;

/* One evaluation: arena, scope, budgets. Made by the runtime (or the compiler's folding). */
typedef struct DgEval DgEval;
/* A residual template, compiled: computes *out. Text templates give a DG_V_STR. */
typedef DgStatus (*DgTemplateFn)(DgEval *ev, DgValue *out, DgError *err);

/* ---- Column types and batches ---- */

#define DG_TYPES(X)                                                                  \
    X(DG_BOOL, "boolean", 1)        /* one byte each, 0 or 1 */                       \
    X(DG_INT8, "tinyint", 1)                                                         \
    X(DG_INT16, "smallint", 2)                                                       \
    X(DG_INT32, "integer", 4)                                                        \
    X(DG_INT64, "bigint", 8)                                                         \
    X(DG_UINT8, "utinyint", 1)                                                       \
    X(DG_UINT16, "usmallint", 2)                                                     \
    X(DG_UINT32, "uinteger", 4)                                                      \
    X(DG_UINT64, "ubigint", 8)                                                       \
    X(DG_FLOAT32, "float", 4)                                                        \
    X(DG_FLOAT64, "double", 8)                                                       \
    X(DG_DECIMAL, "decimal", 16)    /* 128-bit little-endian integer, times 10^-scale */ \
    X(DG_TEXT, "varchar", 0)        /* UTF-8; int32 offsets and bytes */              \
    X(DG_BINARY, "blob", 0)                                                          \
    X(DG_DATE, "date", 4)           /* days since 1970-01-01 */                       \
    X(DG_TIME, "time", 8)           /* microseconds since midnight */                 \
    X(DG_TIMESTAMP, "timestamp", 8) /* microseconds since 1970-01-01, no zone */      \
    X(DG_TIMESTAMPTZ, "timestamptz", 8) /* the same, UTC */                           \
    X(DG_INTERVAL, "interval", 16)  /* int32 months, int32 days, int64 microseconds */\
    X(DG_UUID, "uuid", 16)                                                           \
    X(DG_JSON, "json", 0)           /* text that is JSON */

typedef enum DgTypeKind {
#define X(name, text, width) name,
    DG_TYPES(X)
#undef X
} DgTypeKind;

typedef struct DgType {
    uint8_t kind;             /* DgTypeKind */
    uint8_t precision, scale; /* DECIMAL only */
} DgType;

typedef struct DgColumn {
    DgStr name;
    DgType type;
    bool not_null;
    DgStr path; /* where a decoder finds it: CSV header or JSON pointer; empty: the name */
} DgColumn;

/* One column of a batch, laid out as Arrow's C data interface lays it out (booleans excepted). */
typedef struct DgVector {
    uint64_t *valid;   /* bit i of word i/64: row i is not null. NULL: no nulls */
    void *values;      /* fixed-width values; for text, int32_t offsets[rows + 1] */
    char *bytes;       /* text: the characters */
    size_t bytes_count, bytes_capacity;
} DgVector;

enum { DG_BATCH_ROWS = 2048 }; /* rows in a batch at most: DuckDB's vector size */

/* Columns and memory are the caller's; dg_batch_init() makes one. */
typedef struct DgBatch {
    const DgColumn *columns;
    DgVector *vectors;
    int32_t columns_count;
    int32_t rows;
    int32_t rows_max;
} DgBatch;

#define DG_VALID(vector, row) \
    (!(vector)->valid || ((vector)->valid[(row) >> 6] >> ((row) & 63) & 1))
void dg_set_null(DgVector *v, int32_t row); /* allocated masks only: dg_batch_init makes them all */
/* Appends the text of `row`; rows are written in order, each exactly once (null rows too). False
 * when out of memory. */
bool dg_text_set(DgVector *v, int32_t row, const char *ptr, size_t len);
DgStr dg_text_get(const DgVector *v, int32_t row);

#endif
