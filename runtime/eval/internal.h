/* internal.h - helpers that the files of runtime/eval share; nobody else includes it. */
#ifndef DG_EVAL_INTERNAL_H
#define DG_EVAL_INTERNAL_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/eval/value.h"

/* ---- Memory ---- */
/* NULL, and an error, when the arena is full. */
void *dg_eval_alloc(DgEval *ev, size_t size, size_t align, size_t count);
#define dg_make(ev, T, n) ((T *)dg_eval_alloc((ev), sizeof(T), _Alignof(T), (size_t)(n)))
StrBuf dg_buf(DgEval *ev);              /* bounded by the budget */
Str dg_take(DgEval *ev, StrBuf *b);     /* into the arena; frees and charges */
DgValue dg_take_value(DgEval *ev, StrBuf *b, bool secret);
DgValue dg_type_error(DgEval *ev, const char *fmt, ...) DG_PRINTF(2, 3);
/* Calls of objects report with a DgError; this makes it the sticky error of ev. */
DgValue dg_settle(DgEval *ev, DgStatus s, const DgError *err, DgValue v);

/* ---- Kinds ---- */
static inline bool is_str(DgValue v) { return v.kind == DG_V_STR; }
static inline bool is_int(DgValue v) { return v.kind == DG_V_INT || v.kind == DG_V_BOOL; }
static inline bool is_none(DgValue v) { return v.kind == DG_V_NONE; }
static inline bool is_undefined(DgValue v) { return v.kind == DG_V_UNDEFINED; }
static inline bool is_seq(DgValue v) { return v.kind == DG_V_LIST || v.kind == DG_V_TUPLE; }
static inline bool is_dict(DgValue v) { return v.kind == DG_V_DICT; }
static inline bool is_object(DgValue v) { return v.kind == DG_V_OBJECT || v.kind == DG_V_FUNC; }
static inline int64_t int_of(DgValue v) { return v.kind == DG_V_BOOL ? v.as.b : v.as.i; }
static inline double float_of(DgValue v)
{
    return v.kind == DG_V_FLOAT ? v.as.f : (double)int_of(v);
}
/* An argument as a count or index; an error that names `what` when it is no integer. */
int64_t dg_want_int(DgEval *ev, DgValue v, const char *what);
Str dg_want_str(DgEval *ev, DgValue v, const char *what);
DgValue dg_undefined_named(Str name);
uint64_t dgv_hash(DgValue v, int depth);
bool dgv_hashable(DgValue v, int depth);

/* ---- UTF-8 ---- */
uint32_t utf8_next(Str s, ptrdiff_t *at); /* bytes that are no UTF-8 come out as they are */
void utf8_add(StrBuf *b, uint32_t c);
ptrdiff_t utf8_count(Str s);
ptrdiff_t utf8_offset(Str s, ptrdiff_t index); /* byte offset of a character; clamped */
bool str_is_ascii(Str s);
void uc_upper(StrBuf *b, uint32_t c); /* may add two characters: sharp s */
void uc_lower(StrBuf *b, uint32_t c);
bool uc_is_alpha(uint32_t c);
bool uc_is_digit(uint32_t c);
bool uc_is_space(uint32_t c);
bool uc_is_upper(uint32_t c);
bool uc_is_lower(uint32_t c);
DgValue dg_upper(DgEval *ev, DgValue s);
DgValue dg_lower(DgEval *ev, DgValue s);
DgValue dg_capitalize(DgEval *ev, DgValue s);
DgValue dg_title(DgEval *ev, DgValue s);
Str str_strip(Str s, Str chars, int ends); /* ends: 1 left, 2 right; empty ptr: white space */

/* ---- Pieces of other files ---- */
bool dg_is_method(DgValue v, Str name);
DgValue dg_str_method(DgEval *ev, DgValue self, Str name, const DgArgs *args, bool *found);
DgValue dg_list_method(DgEval *ev, DgValue self, Str name, const DgArgs *args, bool *found);
DgValue dg_dict_method(DgEval *ev, DgValue self, Str name, const DgArgs *args, bool *found);
DgValue dg_format_percent(DgEval *ev, Str fmt, DgValue args);
DgValue dg_format_braces(DgEval *ev, Str fmt, const DgArgs *args);
void dg_format_spec(DgEval *ev, StrBuf *b, DgValue v, Str spec);
DgValue dg_attr_path(DgEval *ev, DgValue v, DgValue path); /* attribute='a.b.0' of filters */
void dg_sort_values(DgEval *ev, DgValue *keys, DgValue *values, size_t count, bool reverse);
DgValue dg_round_float(double f, int64_t digits);
bool dg_parse_int(Str s, int base, int64_t *out, bool *overflow);
DgValue dg_join(DgEval *ev, Str separator, DgValue list, bool strict);
extern const DgObjectType dg_native_type, dg_bound_type, dg_namespace_type, dg_record_type;
extern const DgObjectType dg_cycler_type, dg_joiner_type, dg_loop_type;
extern const DgObjectType dg_datetime_type, dg_date_type, dg_timedelta_type;
DgValue dg_group(DgEval *ev, DgValue grouper, DgValue list); /* groupby: a pair with names */
DgValue dg_loop_object(DgEval *ev, DgLoop *loop);

#endif
