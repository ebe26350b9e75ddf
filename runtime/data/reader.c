/* Blocks of whole records. What is left behind a block's last record is carried to the next. */
#include "runtime/data/reader.h"

#include <pthread.h>

#include "runtime/data/cut.h"
#include "runtime/data/source.h"
#include "runtime/os/os.h"

static const size_t BLOCK_BYTES = (size_t)1 << 20;
static const size_t RECORD_BYTES_MAX = (size_t)256 << 20;
enum { HEADER_BYTES_MAX = 16 << 20 };

struct DgReader {
    DgReaderOptions options;
    DgStr shown;
    DataSource *source;
    pthread_mutex_t lock;
    char *carry;             /* bytes after the last block's end */
    size_t carry_count, carry_capacity;
    bool source_ended, ended;
    bool top;                /* JSON: values at the top, no array round them */
    int64_t offset, line;    /* of the carry's first byte */
    Arena arena;             /* names */
    DgStr *names;
    int32_t names_count;
};

void dg_block_release(DgBlockBuffer *b)
{
    os_free(b->bytes);
    *b = (DgBlockBuffer){0};
}

static DgStatus room_for(char **bytes, size_t *capacity, size_t need, DgError *err)
{
    if (need + DG_BLOCK_PADDING <= *capacity)
        return DG_OK;
    char *more = os_realloc(*bytes, need + DG_BLOCK_PADDING);
    if (!more)
        return os_no_memory(err, "for a block of a file");
    *bytes = more;
    *capacity = need + DG_BLOCK_PADDING;
    return DG_OK;
}

/* More bytes behind the carry: the beginning of a file is looked at there. */
static DgStatus carry_more(DgReader *r, size_t upto, DgError *err)
{
    size_t got = 0;
    if (r->source_ended || r->carry_count >= upto)
        return DG_OK;
    DG_TRY(room_for(&r->carry, &r->carry_capacity, upto, err));
    size_t want = upto - r->carry_count;
    DG_TRY(data_source_read(r->source, r->carry + r->carry_count, want, &got, err));
    r->source_ended = got < want;
    r->carry_count += got;
    return DG_OK;
}

static void carry_drop(DgReader *r, size_t n)
{
    r->line += count_lines(r->carry, r->carry + n);
    r->offset += (int64_t)n;
    r->carry_count -= n;
    memmove(r->carry, r->carry + n, r->carry_count);
}

/* Grows the carry until a record's end is in it: what is read before the blocks begin. */
static DgStatus carry_record(DgReader *r, size_t *length, DgError *err)
{
    const DgReaderOptions *o = &r->options;
    for (size_t want = (size_t)64 << 10;; want *= 2) {
        DG_TRY(carry_more(r, want, err));
        const char *feed = memchr(r->carry, '\n', r->carry_count);
        for (; feed; feed = memchr(feed + 1, '\n', (size_t)(r->carry + r->carry_count - feed - 1))) {
            size_t n = (size_t)(feed + 1 - r->carry);
            if (cut_csv(r->carry, n, o->delimiter, o->quote, o->escape, true) == n) {
                *length = n;
                return DG_OK;
            }
        }
        if (r->source_ended) {
            *length = r->carry_count;
            return DG_OK;
        }
        if (want >= HEADER_BYTES_MAX)
            return dg_fail(err, DG_DATA, "%.*s: the first record is longer than %d MB",
                           FMT(r->shown), HEADER_BYTES_MAX >> 20);
    }
}

/* ---- Opening ---- */

static DgStatus check_encoding(DgReader *r, DgError *err)
{
    const unsigned char *b = (const unsigned char *)r->carry;
    size_t n = r->carry_count;
    if (n >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf) {
        carry_drop(r, 3);
        return DG_OK;
    }
    bool marked = n >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff));
    bool looks = n >= 4 && ((!b[0] && b[1] && !b[2] && b[3]) || (b[0] && !b[1] && b[2] && !b[3]));
    if (!marked && !looks)
        return DG_OK;
    dg_fail(err, DG_DATA, "%.*s is UTF-16, not UTF-8", FMT(r->shown));
    dg_hint(err, "convert it: iconv -f UTF-16 -t UTF-8");
    return DG_DATA;
}

static DgStatus check_line_ends(DgReader *r, DgError *err)
{
    if (r->options.format != DG_CSV || memchr(r->carry, '\n', r->carry_count) ||
        !memchr(r->carry, '\r', r->carry_count) || (r->carry_count && r->source_ended &&
                                                    r->carry[r->carry_count - 1] == '\r' &&
                                                    memchr(r->carry, '\r', r->carry_count) ==
                                                        r->carry + r->carry_count - 1))
        return DG_OK;
    dg_fail(err, DG_DATA, "%.*s: its lines end in carriage returns without line feeds",
            FMT(r->shown));
    dg_hint(err, "convert it: tr '\\r' '\\n'");
    return DG_DATA;
}

/* One field of the header, unquoted, into the arena. Returns what is behind it. */
static const char *header_field(DgReader *r, const char *p, const char *end, DgStr *name)
{
    char quote = r->options.quote, escape = r->options.escape ? r->options.escape : quote;
    char *to = push(&r->arena, char, end - p + 1);
    size_t n = 0;
    if (!to)
        return end;
    if (quote && p < end && *p == quote) {
        for (p++; p < end; p++) {
            if (*p == escape && p + 1 < end && (p[1] == quote || (escape != quote && p[1] == escape)))
                p++;
            else if (*p == quote)
                break;
            to[n++] = *p;
        }
        p += p < end;
    }
    while (p < end && *p != r->options.delimiter)
        to[n++] = *p++;
    *name = (DgStr){to, (ptrdiff_t)n};
    return p;
}

static DgStatus read_header(DgReader *r, DgError *err)
{
    size_t length = 0;
    DG_TRY(carry_record(r, &length, err));
    const char *end = r->carry + length, *p = r->carry;
    while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    r->names = push(&r->arena, DgStr, LIMIT_COLUMNS);
    while (r->names && length) {
        if (r->names_count == LIMIT_COLUMNS)
            return dg_fail(err, DG_DATA, "%.*s has more than %d columns", FMT(r->shown),
                           LIMIT_COLUMNS);
        p = header_field(r, p, end, &r->names[r->names_count++]);
        if (p == end)
            break;
        p++;
    }
    if (r->arena.failed)
        return os_no_memory(err, "for a file's header");
    ptrdiff_t bad;
    for (int32_t i = 0; i < r->names_count; i++)
        if (!str_utf8_valid(r->names[i], &bad))
            return dg_fail(err, DG_DATA, "%.*s: line %lld: the name of column %d is not UTF-8",
                           FMT(r->shown), (long long)r->line, (int)i + 1);
    carry_drop(r, length);
    return DG_OK;
}

static DgStatus skip_lines(DgReader *r, DgError *err)
{
    for (int64_t left = r->options.skip_lines; left > 0; left--) {
        size_t want = (size_t)64 << 10;
        const char *feed = memchr(r->carry, '\n', r->carry_count);
        for (; !feed && !r->source_ended && want <= RECORD_BYTES_MAX; want *= 2) {
            DG_TRY(carry_more(r, want, err));
            feed = memchr(r->carry, '\n', r->carry_count);
        }
        carry_drop(r, feed ? (size_t)(feed + 1 - r->carry) : r->carry_count);
    }
    return DG_OK;
}

/* To the first element: into the array that `records` leads to, or the one at the top. */
static DgStatus find_records(DgReader *r, DgError *err)
{
    DgStr pointer = r->options.records;
    for (size_t want = BLOCK_BYTES;; want *= 2) {
        size_t start = 0;
        bool more = true;
        const char *found = NULL;
        DG_TRY(carry_more(r, want, err));
        if (cut_json_find(r->carry, r->carry_count, pointer, &start, &more, &found)) {
            carry_drop(r, start);
            return DG_OK;
        }
        if (pointer.len == 0 && found) { /* one object, or one after another */
            r->top = true;
            return DG_OK;
        }
        if (!more || r->source_ended || want >= RECORD_BYTES_MAX) {
            if (pointer.len == 0) { /* nothing but white space */
                r->top = true;
                return DG_OK;
            }
            dg_fail(err, DG_DATA, "%.*s: at `%.*s` there is %s, not an array", FMT(r->shown),
                    FMT(pointer), found ? found : "nothing");
            dg_hint(err, "`records` is a JSON pointer to the array of records, such as /data/items");
            return DG_DATA;
        }
    }
}

static DgStatus prepare(DgReader *r, DgError *err)
{
    DG_TRY(carry_more(r, (size_t)64 << 10, err));
    DG_TRY(check_encoding(r, err));
    DG_TRY(check_line_ends(r, err));
    if (r->options.format == DG_JSON_DOC)
        return find_records(r, err);
    if (r->options.format == DG_CSV) {
        DG_TRY(skip_lines(r, err));
        if (r->options.header)
            DG_TRY(read_header(r, err));
    }
    return DG_OK;
}

DgStatus dg_reader_open(const char *path, DgStr shown, const DgReaderOptions *o, DgReader **out,
                        DgError *err)
{
    *out = NULL;
    DgReader *r = os_alloc(sizeof *r);
    if (!r)
        return os_no_memory(err, "for reading a file");
    r->options = *o;
    r->shown = shown;
    r->line = 1;
    if (!r->options.delimiter)
        r->options.delimiter = ',';
    if (!r->options.block_bytes)
        r->options.block_bytes = BLOCK_BYTES;
    if (!r->options.record_bytes_max)
        r->options.record_bytes_max = RECORD_BYTES_MAX;
    pthread_mutex_init(&r->lock, NULL);
    arena_init(&r->arena, (size_t)64 << 20);
    r->arena.can_fail = true;
    DgStatus status = data_source_open(path, shown, &r->source, err);
    if (status == DG_OK)
        status = prepare(r, err);
    if (status == DG_OK)
        *out = r;
    else
        dg_reader_close(r);
    return status;
}

void dg_reader_close(DgReader *r)
{
    if (!r)
        return;
    data_source_close(r->source);
    arena_free(&r->arena);
    os_free(r->carry);
    pthread_mutex_destroy(&r->lock);
    os_free(r);
}

const DgStr *dg_reader_header(const DgReader *r, int32_t *count)
{
    *count = r->names_count;
    return r->names;
}

int64_t dg_reader_bytes(const DgReader *r)
{
    return data_source_bytes(r->source);
}

/* ---- Blocks ---- */

static DgStatus bad_json(const DgReader *r, const char *bytes, size_t at, DgError *err)
{
    return dg_fail(err, DG_DATA, "%.*s: line %lld: a bracket that closes nothing", FMT(r->shown),
                   (long long)(r->line + count_lines(bytes, bytes + at)));
}

/* How many of the bytes are whole records. At the end of the file the rest is one, too, so that
 * the decoder says what is wrong with it. */
static DgStatus cut(DgReader *r, const char *bytes, size_t n, size_t *whole, DgError *err)
{
    const DgReaderOptions *o = &r->options;
    CutJson how = CUT_MORE;
    switch (o->format) {
    case DG_CSV:
        *whole = cut_csv(bytes, n, o->delimiter, o->quote, o->escape, r->source_ended);
        break;
    case DG_NDJSON:
        *whole = cut_lines(bytes, n);
        break;
    case DG_JSON_DOC:
        *whole = cut_json(bytes, n, r->top, r->source_ended, &how);
        if (how == CUT_BAD && *whole == 0)
            return bad_json(r, bytes, n, err);
        r->ended = how == CUT_CLOSED;
        return DG_OK;
    }
    if (r->source_ended)
        *whole = n;
    return DG_OK;
}

static DgStatus too_long(const DgReader *r, DgError *err)
{
    dg_fail(err, DG_DATA, "%.*s: line %lld: a record is longer than %zu MB", FMT(r->shown),
            (long long)r->line, r->options.record_bytes_max >> 20);
    if (r->options.format == DG_CSV)
        dg_hint(err, "a quote that is never closed makes the rest of a file one field");
    return DG_DATA;
}

/* JSON whose last value or array does not end. */
static DgStatus cut_off(const DgReader *r, DgError *err)
{
    return dg_fail(err, DG_DATA, "%.*s: line %lld: the file ends in the middle of a record",
                   FMT(r->shown), (long long)r->line);
}

static bool only_space(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != ' ' && p[i] != '\t' && p[i] != '\n' && p[i] != '\r')
            return false;
    return true;
}

/* Fills `to` with the carry and what follows until it holds a whole record. */
static DgStatus fill(DgReader *r, DgBlockBuffer *to, size_t *count, size_t *whole, DgError *err)
{
    size_t want = r->options.block_bytes > r->carry_count ? r->options.block_bytes : r->carry_count;
    DG_TRY(room_for(&to->bytes, &to->capacity, want, err));
    memcpy(to->bytes, r->carry, r->carry_count);
    *count = r->carry_count;
    *whole = 0;
    for (;;) {
        size_t got = 0;
        if (!r->source_ended) {
            DG_TRY(data_source_read(r->source, to->bytes + *count, want - *count, &got, err));
            r->source_ended = got < want - *count;
            *count += got;
        }
        DG_TRY(cut(r, to->bytes, *count, whole, err));
        if (*whole || r->source_ended || r->ended)
            return DG_OK;
        if (*count >= r->options.record_bytes_max)
            return too_long(r, err);
        want *= 2;
        DG_TRY(room_for(&to->bytes, &to->capacity, want, err));
    }
}

static DgStatus next_block(DgReader *r, DgBlockBuffer *to, DgError *err)
{
    size_t count = 0, whole = 0;
    if (r->ended || (r->source_ended && r->carry_count == 0))
        return DG_END;
    DG_TRY(fill(r, to, &count, &whole, err));
    size_t rest = count - whole;
    bool over = r->ended || (r->source_ended && whole == 0);
    if (over && !r->ended && r->options.format == DG_JSON_DOC &&
        (!r->top || !only_space(to->bytes, count)))
        return cut_off(r, err);
    if (!over) {
        DG_TRY(room_for(&r->carry, &r->carry_capacity, rest, err));
        memcpy(r->carry, to->bytes + whole, rest);
    }
    r->carry_count = over ? 0 : rest;
    r->ended |= over;
    to->block = (DgBlock){.at = to->bytes, .begin = to->bytes, .end = to->bytes + whole,
                          .offset = r->offset, .first_line = r->line, .file = r->shown};
    r->offset += (int64_t)whole;
    r->line += count_lines(to->bytes, to->bytes + whole);
    memset(to->bytes + whole, 0, DG_BLOCK_PADDING);
    return whole ? DG_OK : DG_END;
}

DgStatus dg_reader_next(DgReader *r, DgBlockBuffer *to, DgError *err)
{
    pthread_mutex_lock(&r->lock);
    DgStatus status = next_block(r, to, err);
    if (status != DG_OK)
        r->ended = true;
    pthread_mutex_unlock(&r->lock);
    return status;
}

/* ---- Inside a block ---- */

int64_t dg_block_line(const DgBlock *block, const char *at)
{
    return block->first_line + count_lines(block->begin, at);
}

void dg_block_skip_record(DgBlock *block, const DgReaderOptions *o)
{
    size_t n = (size_t)(block->end - block->at), length = n;
    char delimiter = o->delimiter ? o->delimiter : ',';
    if (o->format == DG_JSON_DOC) {
        CutJson how;
        const char *p = block->at;
        while (p < block->end && (*p == ',' || *p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
            p++;
        for (const char *q = p; q < block->end; q++)
            if ((*q == '}' || *q == ']') &&
                cut_json(p, (size_t)(q + 1 - p), false, false, &how) == (size_t)(q + 1 - p)) {
                block->at = q + 1;
                return;
            }
    } else {
        const char *feed = memchr(block->at, '\n', n);
        for (; feed; feed = memchr(feed + 1, '\n', (size_t)(block->end - feed - 1))) {
            length = (size_t)(feed + 1 - block->at);
            if (o->format == DG_NDJSON ||
                cut_csv(block->at, length, delimiter, o->quote, o->escape, true) == length)
                break;
        }
        if (!feed)
            length = n;
    }
    block->at += length;
}
