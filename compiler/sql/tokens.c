/* tokens.c - finds table names in SQL text without judging it: DuckDB does that. */
#include "compiler/sql/sql_internal.h"

typedef enum TokenKind { TOKEN_WORD, TOKEN_QUOTED, TOKEN_TEXT, TOKEN_SIGN } TokenKind;
typedef struct Token {
    TokenKind kind;
    Str text; /* words as they stand; quoted names without their quotes */
    size_t start, end;
} Token;

bool sql_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 128;
}

/* ---- Tokens ---- */

static size_t comment_end(Str s, size_t i)
{
    size_t n = (size_t)s.len;
    if (s.ptr[i] == '-') {
        while (i < n && s.ptr[i] != '\n' && s.ptr[i] != '\r')
            i++;
        return i;
    }
    int depth = 0; /* they nest */
    for (; i + 1 < n; i++) {
        if (s.ptr[i] == '/' && s.ptr[i + 1] == '*') {
            depth++;
            i++;
        } else if (s.ptr[i] == '*' && s.ptr[i + 1] == '/') {
            i++;
            if (--depth == 0)
                return i + 1;
        }
    }
    return n;
}

size_t sql_skip(Str s, size_t i)
{
    size_t n = (size_t)s.len;
    while (i < n) {
        char c = s.ptr[i], d = i + 1 < n ? s.ptr[i + 1] : '\0';
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            i++;
        else if ((c == '-' && d == '-') || (c == '/' && d == '*'))
            i = comment_end(s, i);
        else
            break;
    }
    return i;
}

/* The end of what is quoted by s[i]; doubled quotes stand for one, `\'` too in E'...'. */
static size_t quote_end(Str s, size_t i, bool escapes)
{
    size_t n = (size_t)s.len;
    char quote = s.ptr[i++];
    while (i < n) {
        if (escapes && s.ptr[i] == '\\')
            i += 2;
        else if (s.ptr[i] != quote)
            i++;
        else if (i + 1 < n && s.ptr[i + 1] == quote)
            i += 2;
        else
            return i + 1;
    }
    return n;
}

/* $tag$ ... $tag$; i itself when there is none here. */
static size_t dollar_end(Str s, size_t i)
{
    size_t n = (size_t)s.len, tag = i + 1;
    while (tag < n && sql_name_char(s.ptr[tag]))
        tag++;
    if (tag >= n || s.ptr[tag] != '$' || (tag > i + 1 && s.ptr[i + 1] <= '9'))
        return i;
    Str mark = str_sub(s, (ptrdiff_t)i, (ptrdiff_t)tag + 1);
    ptrdiff_t close = str_find(str_sub(s, (ptrdiff_t)tag + 1, s.len), mark);
    return close < 0 ? n : tag + 1 + (size_t)close + (size_t)mark.len;
}

static size_t word_end(Str s, size_t i)
{
    while (i < (size_t)s.len && sql_name_char(s.ptr[i]))
        i++;
    return i;
}

static bool next(Str s, size_t *at, Token *t)
{
    size_t i = sql_skip(s, *at), n = (size_t)s.len, end;
    if (i >= n)
        return false;
    char c = s.ptr[i];
    *t = (Token){.kind = TOKEN_SIGN, .start = i, .end = i + 1};
    bool escape = (c == 'e' || c == 'E') && i + 1 < n && s.ptr[i + 1] == '\'';
    if (c == '\'' || escape) {
        t->kind = TOKEN_TEXT;
        t->end = quote_end(s, i + escape, escape);
    } else if (c == '"') {
        t->kind = TOKEN_QUOTED;
        t->end = quote_end(s, i, false);
    } else if (c == '$' && (end = dollar_end(s, i)) > i) {
        t->kind = TOKEN_TEXT;
        t->end = end;
    } else if (sql_name_char(c)) {
        t->kind = TOKEN_WORD;
        t->end = word_end(s, i);
    }
    if (t->end > n)
        t->end = n;
    t->text = str_sub(s, (ptrdiff_t)t->start, (ptrdiff_t)t->end);
    if (t->kind == TOKEN_QUOTED)
        t->text = str_sub(t->text, 1, t->text.len - 1);
    *at = t->end;
    return true;
}

size_t sql_word_end(Str sql, size_t at)
{
    Token t;
    size_t from = at;
    if (at >= (size_t)sql.len || !next(sql, &from, &t) || t.start != at)
        return at;
    return t.end;
}

size_t sql_name_end(Str sql, size_t at)
{
    size_t end = sql_word_end(sql, at);
    while (end + 1 < (size_t)sql.len && sql.ptr[end] == '.' &&
           (sql_name_char(sql.ptr[end + 1]) || sql.ptr[end + 1] == '"'))
        end = sql_word_end(sql, end + 1);
    return end;
}

size_t sql_start(Str sql)
{
    size_t start = sql_skip(sql, 0);
    return start < (size_t)sql.len ? start : 0;
}

size_t sql_second_statement(Str sql)
{
    Token t;
    bool ended = false;
    for (size_t at = 0; next(sql, &at, &t);) {
        bool sign = t.kind == TOKEN_SIGN && t.text.ptr[0] == ';';
        if (ended && !sign)
            return t.start;
        ended |= sign;
    }
    return 0;
}

Str sql_unquoted(Arena *arena, Str name)
{
    return str_find(name, S("\"\"")) < 0 ? name : str_replace(arena, name, S("\"\""), S("\""));
}

ptrdiff_t sql_find_word(Str sql, Str word)
{
    Token t;
    for (size_t at = 0; next(sql, &at, &t);)
        if ((t.kind == TOKEN_WORD || t.kind == TOKEN_QUOTED) && str_eq_nocase(t.text, word))
            return (ptrdiff_t)t.start;
    return -1;
}

bool sql_has_table(Str sql, Str name)
{
    Token t;
    for (size_t at = 0; next(sql, &at, &t);) {
        bool word = t.kind == TOKEN_WORD || t.kind == TOKEN_QUOTED;
        bool prefix = at < (size_t)sql.len && sql.ptr[at] == '.';
        bool part = t.start > 0 && sql.ptr[t.start - 1] == '.';
        if (word && !prefix && !part && str_eq_nocase(t.text, name))
            return true;
    }
    return false;
}

/* ---- Tables ---- */

enum { DEPTH_MAX = 256 };

typedef struct Level { /* what stands between two parentheses */
    bool call;       /* the parentheses of a function: extract(year from x) */
    bool query;      /* a SELECT or FROM began it */
    bool in_from;    /* between FROM and the next clause: a comma separates tables */
} Level;

typedef struct Scan {
    Arena *arena;
    Str sql;
    size_t at;
    Token t, before;
    Level levels[DEPTH_MAX];
    size_t depth;
    bool want;       /* a table's name may come now */
    bool after_with; /* a CTE's name may come now */
    SqlNames out;
    StrArray ctes;
} Scan;

static bool word_is(const Token *t, const char *word)
{
    return t->kind == TOKEN_WORD && (t->text.ptr[0] | 0x20) == word[0] &&
           str_eq_nocase(t->text, str_from(word));
}

static bool word_among(const Token *t, const char *const *words)
{
    for (; *words; words++)
        if (word_is(t, *words))
            return true;
    return false;
}

static bool sign_is(const Token *t, char c)
{
    return t->kind == TOKEN_SIGN && t->text.ptr[0] == c;
}

static bool is_name(const Token *t)
{
    return t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED;
}

/* name [. name [. name]]; s->at stands after the first. */
static SqlName read_name(Scan *s)
{
    SqlName name = {.count = 1, .start = s->t.start, .end = s->t.end};
    name.parts[0] = sql_unquoted(s->arena, s->t.text);
    size_t ahead = s->at;
    Token dot, part;
    while (name.count < 3 && next(s->sql, &ahead, &dot) && sign_is(&dot, '.') &&
           next(s->sql, &ahead, &part) && is_name(&part)) {
        name.parts[name.count++] = sql_unquoted(s->arena, part.text);
        name.end = part.end;
        s->at = ahead;
    }
    return name;
}

/* `name [(columns)] as [not materialized] (`: only then it is a CTE. */
static bool begins_cte(const Scan *s)
{
    size_t ahead = s->at;
    Token t;
    if (!next(s->sql, &ahead, &t))
        return false;
    if (sign_is(&t, '(')) {
        while (next(s->sql, &ahead, &t) && !sign_is(&t, ')'))
            ;
        if (!next(s->sql, &ahead, &t))
            return false;
    }
    if (!word_is(&t, "as") || !next(s->sql, &ahead, &t))
        return false;
    while (word_is(&t, "not") || word_is(&t, "materialized"))
        if (!next(s->sql, &ahead, &t))
            return false;
    return sign_is(&t, '(');
}

static void open_level(Scan *s)
{
    static const char *const no_calls[] = {"in", "as", "from", "join", "exists", "any", "all",
                                           "some", "select", "where", "and", "or", "not", "on",
                                           "union", "except", "intersect", "lateral", "when",
                                           "then", "else", "having", "by", "over", "using",
                                           "materialized", "with", "values", NULL};
    if (s->depth + 1 < DEPTH_MAX)
        s->depth++;
    s->levels[s->depth] = (Level){.call = is_name(&s->before) && !word_among(&s->before, no_calls)};
    if (s->want) /* a subquery, or tables in parentheses */
        s->levels[s->depth].in_from = true;
}

static void table_here(Scan *s)
{
    SqlName name = read_name(s);
    size_t ahead = s->at;
    Token call;
    bool is_call = next(s->sql, &ahead, &call) && sign_is(&call, '(');
    if (!is_call)
        array_add(s->arena, &s->out, name);
    s->want = false;
}

static bool starts_from(const Scan *s)
{
    const Level *level = &s->levels[s->depth];
    if (word_is(&s->before, "distinct")) /* a is distinct from b */
        return false;
    return !level->call || level->query;
}

static void scan_word(Scan *s)
{
    static const char *const ends[] = {"where", "group", "order", "having", "limit", "qualify",
                                       "window", "union", "except", "intersect", "select",
                                       "offset", "set", NULL};
    Level *level = &s->levels[s->depth];
    if (s->after_with && !word_is(&s->t, "recursive")) {
        if (begins_cte(s))
            array_add(s->arena, &s->ctes, sql_unquoted(s->arena, s->t.text));
        s->after_with = false;
    }
    if (word_is(&s->t, "with")) {
        s->after_with = true;
        level->query = true;
    } else if (word_is(&s->t, "from") && starts_from(s)) {
        s->want = level->in_from = level->query = true;
    } else if (word_is(&s->t, "join") || word_is(&s->t, "pivot") || word_is(&s->t, "unpivot")) {
        s->want = true;
    } else if (word_among(&s->t, ends)) {
        level->query |= word_is(&s->t, "select");
        level->in_from = s->want = false;
    } else if (word_is(&s->t, "on") || word_is(&s->t, "using")) {
        s->want = false;
    } else if (s->want && !word_is(&s->t, "lateral") && !word_is(&s->t, "only")) {
        table_here(s);
    }
}

static void scan_sign(Scan *s)
{
    Level *level = &s->levels[s->depth];
    char c = s->t.text.ptr[0];
    if (c == '(') {
        open_level(s);
        return;
    }
    if (c == ')' && s->depth > 0)
        s->depth--;
    else if (c == ',' && level->in_from)
        s->want = true;
    if (c == ',' && sign_is(&s->before, ')'))
        s->after_with = true; /* the next CTE, or a column: only `name as (` counts */
    if (c != ',')
        s->want = false;
}

static bool is_cte(const Scan *s, const SqlName *name)
{
    for (size_t k = 0; name->count == 1 && k < s->ctes.count; k++)
        if (str_eq_nocase(s->ctes.items[k], name->parts[0]))
            return true;
    return false;
}

SqlNames sql_tables(Arena *arena, Str sql)
{
    Scan s = {.arena = arena, .sql = sql, .before = {.kind = TOKEN_SIGN, .text = S(";")}};
    while (next(sql, &s.at, &s.t)) {
        Token now = s.t;
        if (s.t.kind == TOKEN_WORD)
            scan_word(&s);
        else if (s.t.kind == TOKEN_SIGN)
            scan_sign(&s);
        else if (s.t.kind == TOKEN_QUOTED && s.after_with && begins_cte(&s))
            array_add(arena, &s.ctes, sql_unquoted(arena, s.t.text));
        else if (s.t.kind == TOKEN_QUOTED && s.want)
            table_here(&s);
        else
            s.want = false;
        s.after_with &= s.t.kind == TOKEN_WORD || s.t.kind == TOKEN_SIGN;
        s.before = now;
    }
    size_t kept = 0;
    for (size_t i = 0; i < s.out.count; i++)
        if (!is_cte(&s, &s.out.items[i]))
            s.out.items[kept++] = s.out.items[i];
    s.out.count = kept;
    return s.out;
}
