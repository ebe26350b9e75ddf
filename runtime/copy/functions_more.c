/* functions_more.c - times, hashes, casts. */
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "runtime/base/zone.h"
#include "runtime/copy/functions.h"
#include "runtime/data/batch.h"
#include "runtime/data/scalars.h"
#include "runtime/os/os.h"

#define FUNCTION(name) DgStatus dg_fn_##name(const ExprScope *s, const DgValue *args, int count, DgValue *out, DgError *err)

static int shown(Str s)
{
    return (int)(s.len > 80 ? 80 : s.len);
}

/* ---- Times: ISO 8601 texts, in UTC when they have an offset ---- */

static bool parse_time(Str t, Str format, int64_t *us)
{
    if (!format.len || str_eq_nocase(format, S("auto")))
        return scalar_timestamp(t.ptr, t.ptr + t.len, us);
    CivilTime civil = {.year = 1970, .month = 1, .day = 1};
    int32_t offset = 0;
    bool has_offset = false;
    if (!civil_parse(t, format, &civil, &offset, &has_offset))
        return false;
    *us = (civil_to_seconds(&civil) - (has_offset ? offset : 0)) * 1000000;
    return true;
}

static DgStatus time_of(const ExprScope *s, DgValue v, Str format, const char *function, int64_t *us, DgError *err)
{
    Str t = str_trim(expr_text(s->scratch, v));
    if (t.len && parse_time(t, format, us))
        return DG_OK;
    return dg_fail(err, DG_DATA, "%s: `%.*s` is no time%s%.*s", function, shown(t), t.ptr ? t.ptr : "", format.len ? " as " : "", shown(format),
                   format.ptr ? format.ptr : "");
}

static int64_t seconds_of(int64_t us)
{
    return us / 1000000 - (us % 1000000 < 0);
}

static DgStatus write_time(const ExprScope *s, int64_t us, Str format, DgValue *out, DgError *err)
{
    StrBuf *b = expr_buffer(s);
    CivilTime t = civil_from_seconds(seconds_of(us));
    int64_t fraction = us - seconds_of(us) * 1000000;
    bool good = civil_format(b, format.len ? format : S("%Y-%m-%d %H:%M:%S"), &t, 0);
    if (!format.len && fraction)
        buf_format(b, ".%06lld", (long long)fraction);
    if (!good || b->failed)
        return dg_fail(err, DG_DATA, "`%.*s` is no format of times", shown(format), format.ptr);
    return function_text(s, b, out, err);
}

FUNCTION(date_parse)
{
    int64_t us = 0;
    DG_TRY(time_of(s, args[0], count > 1 ? expr_text(s->scratch, args[1]) : (Str){0}, "date_parse", &us, err));
    return write_time(s, us, (Str){0}, out, err);
}

FUNCTION(date_format)
{
    int64_t us = 0;
    DG_TRY(time_of(s, args[0], (Str){0}, "date_format", &us, err));
    return write_time(s, us, expr_text(s->scratch, args[1]), out, err);
}

FUNCTION(now)
{
    return write_time(s, s->now_us, (Str){0}, out, err);
}

const ExprFunction dg_time_functions[] = {
    {"date_parse", 1, 2, DG_TIMESTAMP, false, dg_fn_date_parse, "dg_fn_date_parse"}, {"date_format", 2, 2, DG_TEXT, false, dg_fn_date_format, "dg_fn_date_format"},
    {"now", 0, 0, DG_TIMESTAMP, false, dg_fn_now, "dg_fn_now"}, {0},
};

/* ---- Hashes ---- */

static DgStatus digest(const ExprScope *s, const EVP_MD *md, Str t, DgValue *out, DgError *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    StrBuf *b = expr_buffer(s);
    if (!md || !EVP_Digest(t.ptr ? t.ptr : "", (size_t)t.len, bytes, &n, md, NULL))
        return dg_fail(err, DG_FAILED, "this machine's OpenSSL does not make that hash");
    for (unsigned int i = 0; i < n; i++)
        buf_format(b, "%02x", bytes[i]);
    return function_text(s, b, out, err);
}

FUNCTION(md5) { return digest(s, EVP_md5(), expr_text(s->scratch, args[0]), out, err); }
FUNCTION(sha1) { return digest(s, EVP_sha1(), expr_text(s->scratch, args[0]), out, err); }
FUNCTION(sha256) { return digest(s, EVP_sha256(), expr_text(s->scratch, args[0]), out, err); }
FUNCTION(sha512) { return digest(s, EVP_sha512(), expr_text(s->scratch, args[0]), out, err); }

FUNCTION(hash)
{
    Str kind = count > 1 ? expr_text(s->scratch, args[1]) : S("md5");
    const EVP_MD *md = str_eq(kind, S("md5"))      ? EVP_md5()
                       : str_eq(kind, S("sha1"))   ? EVP_sha1()
                       : str_eq(kind, S("sha256")) ? EVP_sha256()
                       : str_eq(kind, S("sha512")) ? EVP_sha512()
                                                   : NULL;
    if (!md)
        return dg_fail(err, DG_DATA, "hash makes md5, sha1, sha256 and sha512, not `%.*s`", shown(kind), kind.ptr);
    return digest(s, md, expr_text(s->scratch, args[0]), out, err);
}

/* Version 4 of RFC 9562. */
FUNCTION(uuid)
{
    uint8_t r[16];
    StrBuf *b = expr_buffer(s);
    os_random(r, sizeof r);
    r[6] = (uint8_t)((r[6] & 0x0F) | 0x40);
    r[8] = (uint8_t)((r[8] & 0x3F) | 0x80);
    for (int i = 0; i < 16; i++)
        buf_format(b, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", r[i]);
    return function_text(s, b, out, err);
}

/* ---- Casts ---- */

static bool to_whole(DgValue v, Str t, DgTypeKind kind, int64_t *out)
{
    unsigned char bytes[16];
    if (v.kind == DG_V_BOOL) {
        *out = v.as.b;
        return true;
    }
    if (v.kind == DG_V_FLOAT) { /* 12.0 is 12; 12.5 is no whole number */
        if (v.as.f != floor(v.as.f) || fabs(v.as.f) >= 9.2e18)
            return false;
        *out = (int64_t)v.as.f;
        return true;
    }
    return scalar_int(t.ptr, t.ptr + t.len, kind, bytes) && str_to_int(t, out);
}

FUNCTION(cast)
{
    DgType type;
    Str t = expr_text(s->scratch, args[0]), name = expr_text(s->scratch, args[1]), bare = str_trim(t);
    int64_t us;
    uint8_t b = 0;
    bool good = true;
    (void)count;
    if (!dg_type_parse(str_eq_nocase(name, S("string")) ? S("text") : str_eq_nocase(name, S("datetime")) ? S("timestamp") : name, &type))
        return dg_fail(err, DG_DATA, "`%.*s` is no type to cast to", shown(name), name.ptr);
    *out = expr_str(bare);
    switch ((DgTypeKind)type.kind) {
    case DG_TEXT: *out = expr_str(t); break;
    case DG_BOOL:
        good = bare.len && scalar_bool(bare.ptr, bare.ptr + bare.len, &b);
        *out = (DgValue){.kind = DG_V_BOOL, .as.b = b};
        break;
    case DG_FLOAT32:
    case DG_FLOAT64:
        out->kind = DG_V_FLOAT;
        good = bare.len && scalar_double(bare.ptr, bare.ptr + bare.len, &out->as.f);
        break;
    case DG_INT8: case DG_INT16: case DG_INT32: case DG_INT64: case DG_UINT8: case DG_UINT16: case DG_UINT32:
        out->kind = DG_V_INT;
        good = bare.len && to_whole(args[0], bare, type.kind, &out->as.i);
        break;
    case DG_DATE: good = bare.len >= 10 && scalar_timestamp(bare.ptr, bare.ptr + bare.len, &us);
        return good ? write_time(s, us, S("%Y-%m-%d"), out, err) : dg_fail(err, DG_DATA, "`%.*s` is no date", shown(bare), bare.ptr ? bare.ptr : "");
    case DG_TIMESTAMP:
    case DG_TIMESTAMPTZ: return dg_fn_date_parse(s, args, 1, out, err);
    default: break; /* decimals, uuids, json: their text is checked where it is stored */
    }
    return good ? DG_OK : dg_fail(err, DG_DATA, "`%.*s` is no %s", shown(t), t.ptr ? t.ptr : "", dg_type_name(type.kind));
}

const ExprFunction dg_other_functions[] = {
    {"hash", 1, 2, DG_TEXT, false, dg_fn_hash, "dg_fn_hash"}, {"md5", 1, 1, DG_TEXT, false, dg_fn_md5, "dg_fn_md5"}, {"sha1", 1, 1, DG_TEXT, false, dg_fn_sha1, "dg_fn_sha1"},
    {"sha256", 1, 1, DG_TEXT, false, dg_fn_sha256, "dg_fn_sha256"}, {"sha512", 1, 1, DG_TEXT, false, dg_fn_sha512, "dg_fn_sha512"}, {"uuid", 0, 1, DG_TEXT, true, dg_fn_uuid, "dg_fn_uuid"},
    {"hash_md5", 1, 1, DG_TEXT, false, dg_fn_md5, "dg_fn_md5"}, {"hash_sha256", 1, 1, DG_TEXT, false, dg_fn_sha256, "dg_fn_sha256"}, {"hash_sha512", 1, 1, DG_TEXT, false, dg_fn_sha512, "dg_fn_sha512"},
    {"cast", 2, 2, 255, false, dg_fn_cast, "dg_fn_cast"}, {0},
};
