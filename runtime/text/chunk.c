/* chunk.c - putting segments together to chunks.
 *
 * A segment is what is not cut: a block that fits, else a sentence, else as much of one as fits. A
 * chunk takes segments while they fit; the count of its whole text decides at the end, because tokens
 * reach over the seams.
 */
#include "runtime/text/chunk.h"
#include "runtime/text/unicode.h"

const char *const dg_chunk_ways[] = {"heading", "sentence", "tokens", NULL};

enum { CODE_TIMES = 4, TOKEN_BYTES = 16, HEADINGS_MAX = 2000 };

void chunker_start(DgChunker *c, const DgDoc *doc, const DgChunkOptions *options)
{
    StrBuf kept = c->headings;
    *c = (DgChunker){.doc = doc, .options = *options, .carry = -1, .headings = kept};
    c->at = doc->count ? doc->blocks[0].start : 0;
}

void chunker_free(DgChunker *c)
{
    buf_free(&c->headings);
}

static Str part(const DgChunker *c, int64_t start, int64_t end)
{
    return str_sub(c->doc->text, (ptrdiff_t)start, (ptrdiff_t)end);
}

static int64_t count(const DgChunker *c, int64_t start, int64_t end)
{
    return tokens_count(c->options.tokenizer, part(c, start, end));
}

/* Tokens, when they are at most `max`; else -1. Long text is not counted to its end. */
static int64_t fits(const DgChunker *c, int64_t start, int64_t end, int64_t max)
{
    int64_t n = tokens_count_to(c->options.tokenizer, part(c, start, end), max);
    return n <= max ? n : -1;
}

/* ---- Segments ---- */

static int64_t line_or_sentence(const DgChunker *c, const DgBlock *b, int64_t end)
{
    Str text = c->doc->text;
    if (b->kind != DG_BLOCK_CODE && b->kind != DG_BLOCK_ROWS)
        return sentence_end(text, (ptrdiff_t)c->at, (ptrdiff_t)end);
    const char *line = memchr(text.ptr + c->at, '\n', (size_t)(end - c->at));
    return line ? line - text.ptr + 1 : end;
}

static DgSegment cut_segment(const DgChunker *c, const DgBlock *b)
{
    int64_t most = c->options.tokens, tokens;
    int64_t ahead = most * 4 * TOKEN_BYTES + 256, end = b->end - c->at > ahead ? c->at + ahead : b->end;
    end = line_or_sentence(c, b, end);
    if ((tokens = fits(c, c->at, end, most)) < 0) {
        int64_t cut = c->at + tokens_cut(c->options.tokenizer, part(c, c->at, end), most);
        end = break_before(part(c, 0, end), (ptrdiff_t)c->at, (ptrdiff_t)(c->at + (cut - c->at) / 2), (ptrdiff_t)cut);
        tokens = count(c, c->at, end);
        if (tokens > most) { /* a shorter text may be more tokens */
            end = cut;
            tokens = count(c, c->at, end);
        }
    }
    return (DgSegment){c->at, end, tokens, c->block};
}

static bool next_segment(DgChunker *c, DgSegment *out)
{
    while (c->block < c->doc->count && c->at >= c->doc->blocks[c->block].end) {
        c->block++;
        if (c->block < c->doc->count && c->doc->blocks[c->block].start > c->at)
            c->at = c->doc->blocks[c->block].start;
    }
    if (c->block >= c->doc->count)
        return false;
    const DgBlock *b = &c->doc->blocks[c->block];
    bool whole = c->at == b->start && (c->options.by == DG_CHUNK_HEADING || b->kind != DG_BLOCK_TEXT);
    int64_t most = b->kind == DG_BLOCK_CODE ? c->options.tokens * CODE_TIMES : c->options.tokens;
    int64_t tokens = whole ? fits(c, b->start, b->end, most) : -1;
    *out = tokens >= 0 ? (DgSegment){b->start, b->end, tokens, c->block} : cut_segment(c, b);
    c->at = out->end;
    return true;
}

static bool peek(DgChunker *c, DgSegment *out)
{
    if (!c->has_pending)
        c->has_pending = next_segment(c, &c->pending);
    *out = c->pending;
    return c->has_pending;
}

/* ---- Headings ---- */

static const DgBlock *heading_of(const DgChunker *c, const DgSegment *s)
{
    const DgBlock *b = &c->doc->blocks[s->block];
    return b->kind == DG_BLOCK_HEADING && b->start == s->start ? b : NULL;
}

static void enter(DgChunker *c, size_t block)
{
    size_t level = c->doc->blocks[block].level;
    if (level < 1 || level > 9)
        return;
    c->path[level - 1] = block + 1;
    for (size_t i = level; i < 9; i++)
        c->path[i] = 0;
}

/* [text](where) at `i`: where the text ends; -1: it is no such thing. */
static ptrdiff_t link_text_end(Str s, ptrdiff_t i)
{
    ptrdiff_t end = str_find(str_sub(s, i, s.len), S("]("));
    return s.ptr[i] == '[' && end >= 0 && str_find_char(str_sub(s, i + end, s.len), ')') >= 0 ? i + end : -1;
}

/* Blanks put together; of Markdown without its marks: `code`, **strong**, [text](where). */
static void add_label(StrBuf *out, Str label, bool marked)
{
    bool blank = false;
    ptrdiff_t text_end = -1;
    for (ptrdiff_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (marked && i == text_end) {
            i += str_find_char(str_sub(label, i, label.len), ')');
            continue;
        }
        if (marked && c == '[' && i > text_end && link_text_end(label, i) > 0) {
            text_end = link_text_end(label, i);
            continue;
        }
        if (marked && (c == '`' || c == '*'))
            continue;
        bool is_blank = (unsigned char)c <= ' ';
        if (!is_blank || !blank)
            buf_char(out, is_blank ? ' ' : c);
        blank = is_blank;
    }
}

static Str headings(DgChunker *c)
{
    c->headings.len = 0;
    c->headings.failed = false;
    for (size_t i = 0; i < 9; i++) {
        if (!c->path[i])
            continue;
        const DgBlock *b = &c->doc->blocks[c->path[i] - 1];
        if (c->headings.len)
            buf_add(&c->headings, S(" > "));
        add_label(&c->headings, part(c, b->label_start, b->label_end), c->doc->marked);
    }
    Str all = buf_str(&c->headings);
    return all.len > HEADINGS_MAX ? str_sub(all, 0, unicode_start(all, HEADINGS_MAX)) : all;
}

/* ---- Overlap ---- */

/* Where the last `tokens` tokens of start..end begin: at a sentence, else at a word. */
static int64_t tail(const DgChunker *c, int64_t start, int64_t end, int64_t tokens)
{
    Str text = c->doc->text;
    int64_t from = end - tokens * 4 > start ? end - tokens * 4 : start, n;
    from = unicode_start(text, (ptrdiff_t)from);
    while (from < end && (n = count(c, from, end)) > tokens)
        from = unicode_start(text, (ptrdiff_t)(from + (end - from) * (n - tokens) / n + 4));
    if (from <= start || from >= end)
        return from >= end ? -1 : from;
    int64_t sentence = sentence_end(text, (ptrdiff_t)from, (ptrdiff_t)end);
    if (sentence < end)
        return sentence;
    int64_t word = break_before(part(c, 0, end), (ptrdiff_t)from, (ptrdiff_t)from, (ptrdiff_t)(from + (end - from) / 2));
    return word >= end ? -1 : word;
}

/* ---- Chunks ---- */

static size_t block_at(const DgChunker *c, size_t near, int64_t at)
{
    while (near > 0 && c->doc->blocks[near].start > at)
        near--;
    return near;
}

static int64_t source_of(const DgChunker *c, size_t block, int64_t at)
{
    const DgBlock *b = &c->doc->blocks[block];
    if (b->source_end - b->source == b->end - b->start)
        return b->source + (at - b->start);
    return at >= b->end ? b->source_end : b->source;
}

/* start..end without blanks round it, first..last the blocks. */
static bool make(DgChunker *c, int64_t start, int64_t end, size_t first, size_t last, DgChunk *out)
{
    const char *p = c->doc->text.ptr;
    while (end > start && (p[end - 1] == ' ' || p[end - 1] == '\n' || p[end - 1] == '\t' || p[end - 1] == '\r'))
        end--;
    while (start < end && (p[start] == '\n' || p[start] == '\r'))
        start++;
    if (start >= end)
        return false;
    first = block_at(c, first, start);
    out->text = part(c, start, end);
    out->page = c->doc->blocks[first].page;
    out->source_start = source_of(c, first, start);
    out->source_end = source_of(c, block_at(c, last, end - 1), end);
    return true;
}

/* The next window of exactly so many tokens. */
static bool next_window(DgChunker *c, DgChunk *out)
{
    const DgDoc *d = c->doc;
    const DgTokenizer *t = c->options.tokenizer;
    int64_t all = d->count ? d->blocks[d->count - 1].end : 0;
    while (d->count && c->at < all) {
        int64_t start = c->at, most = all - start;
        if (most > c->options.tokens * 256)
            most = c->options.tokens * 256; /* no token is longer */
        int64_t end = start + tokens_cut(t, part(c, start, start + most), c->options.tokens);
        while (c->block + 1 < d->count && d->blocks[c->block + 1].start <= start)
            c->block++;
        size_t last = c->block;
        if (d->blocks[c->block].kind == DG_BLOCK_HEADING)
            enter(c, c->block);
        while (last + 1 < d->count && d->blocks[last + 1].start < end)
            last++;
        int64_t back = end < all && c->options.overlap ? tail(c, start, end, c->options.overlap) : -1;
        c->at = back > start ? back : end;
        size_t first = c->block;
        if (make(c, start, end, first, last, out)) {
            out->headings = headings(c);
            out->tokens = tokens_count(t, out->text);
            for (size_t i = first + 1; i <= last; i++)
                if (d->blocks[i].start <= c->at && d->blocks[i].kind == DG_BLOCK_HEADING)
                    enter(c, i);
            return true;
        }
    }
    return false;
}

/* May `s` be the next segment of a chunk that has `taken` of them, `heads` of which are headings? */
static bool belongs(const DgChunker *c, const DgSegment *s, const DgSegment *last, int taken, bool only_heads)
{
    const DgBlock *h = heading_of(c, s);
    if (!taken || !h || c->options.by != DG_CHUNK_HEADING)
        return true;
    return only_heads && h->level > c->doc->blocks[last->block].level;
}

bool chunker_next(DgChunker *c, DgChunk *out)
{
    int64_t most = c->options.tokens;
    if (c->options.by == DG_CHUNK_TOKENS)
        return next_window(c, out);
    for (DgSegment s; peek(c, &s);) {
        int64_t start = c->carry >= 0 && c->carry < s.start ? c->carry : s.start, sum = 0;
        DgSegment first = s, last = s, before = s;
        bool only_heads = true;
        int taken = 0;
        if (start < s.start) {
            sum = count(c, start, s.start);
            if (sum + s.tokens > most) { /* the overlap is no reason to cut */
                start = s.start;
                sum = 0;
            }
        }
        while (peek(c, &s) && belongs(c, &s, &last, taken, only_heads) && (!taken || sum + s.tokens <= most)) {
            const DgBlock *h = heading_of(c, &s);
            c->has_pending = false;
            before = last;
            last = s;
            sum += s.tokens + (s.end == c->doc->blocks[s.block].end); /* and a line end */
            only_heads &= h != NULL;
            if (h && (c->options.by == DG_CHUNK_HEADING || !taken))
                enter(c, s.block);
            taken++;
        }
        if (!make(c, start, last.end, first.block, last.block, out))
            continue;
        out->tokens = tokens_count(c->options.tokenizer, out->text);
        if (out->tokens > most && start < first.start) {
            start = first.start;
            make(c, start, last.end, first.block, last.block, out);
            out->tokens = tokens_count(c->options.tokenizer, out->text);
        }
        if (out->tokens > most && taken > 1 && !heading_of(c, &last)) { /* the seams cost more than they were counted */
            c->block = last.block; /* from there once more: what was looked at beyond it, too */
            c->at = last.start;
            c->has_pending = false;
            last = before;
            make(c, start, last.end, first.block, last.block, out);
            out->tokens = tokens_count(c->options.tokenizer, out->text);
        }
        out->headings = headings(c);
        for (size_t i = first.block + 1; c->options.by != DG_CHUNK_HEADING && i <= last.block; i++)
            if (c->doc->blocks[i].kind == DG_BLOCK_HEADING)
                enter(c, i);
        c->carry = -1;
        DgSegment next;
        bool goes_on = c->options.overlap && peek(c, &next) && !(c->options.by == DG_CHUNK_HEADING && heading_of(c, &next));
        if (goes_on && c->doc->blocks[last.block].kind != DG_BLOCK_CODE)
            c->carry = tail(c, start, last.end, c->options.overlap);
        return true;
    }
    return false;
}
