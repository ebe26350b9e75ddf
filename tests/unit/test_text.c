/* Documents as text: tokens, blocks, chunks, and the formats. */
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/chunk.h"
#include "runtime/text/unicode.h"
#include "tests/test.h"

static DgTokenizer *o200k, *cl100k;

static int open_tokenizers(void **state)
{
    DgError err = {0};
    (void)state;
    return tokens_open(&dg_ranks_o200k_base, &o200k, &err) != DG_OK || tokens_open(&dg_ranks_cl100k_base, &cl100k, &err) != DG_OK;
}

static int close_tokenizers(void **state)
{
    (void)state;
    tokens_close(o200k);
    tokens_close(cl100k);
    return 0;
}

/* ---- Tokens ---- */

static void tokens_are_tiktokens(void **state)
{
    static const struct { const char *text, *o200k, *cl100k; } cases[] = {
        {"", "", ""},
        {"Hello, world!", "13225 11 2375 0", "9906 11 1917 0"},
        {"don't STOP", "91418 82926", "15357 956 46637"},
        {"  \n  x", "4066 220 1215", "2355 220 865"},
        {"日本語のテキスト", "9048 40909 3385 16056 18368 38236", "9080 22656 45918 252 16144 57933 62903 71634"},
        {"ภาษาไทย", "194649 20619", "3098 254 21437 3098 102 21437 50856 36984 35609"},
        {"1234567 €", "7633 19354 22 7950", "4513 10961 22 13281"},
        {"HTTPServer isn't CamelCase", "17893 6444 12471 112127 6187", "9412 5592 4536 956 69254 4301"},
        {"e\xcc\x81tude", "68 13430 83 3525", "68 54939 83 799"},
        {"<|endoftext|>", "27 91 419 1440 919 91 29", "27 91 8862 728 428 91 29"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int which = 0; which < 2; which++) {
            const DgTokenizer *t = which ? cl100k : o200k;
            int32_t ranks[64];
            StrBuf shown = {0};
            int64_t count = tokens_encode(t, str_from(cases[i].text), ranks, 64);
            for (int64_t k = 0; k < count; k++)
                buf_format(&shown, "%s%d", k ? " " : "", ranks[k]);
            assert_text(buf_str(&shown), which ? cases[i].cl100k : cases[i].o200k);
            assert_int_equal(tokens_count(t, str_from(cases[i].text)), count);
            buf_free(&shown);
        }
}

static void long_words_take_no_quadratic_time(void **state)
{
    enum { N = 4 << 20 };
    char *text = malloc(N);
    (void)state;
    memset(text, 'a', N);
    int64_t start = os_monotonic_ms();
    assert_int_equal(tokens_count(o200k, (Str){text, 200}), 25); /* tiktoken says so */
    assert_int_equal(tokens_count(o200k, (Str){text, N}), N / 8);
    assert_true(os_monotonic_ms() - start < 60000); /* sanitizers are slow; quadratic would be hours */
    free(text);
}

static void a_cut_keeps_the_budget_and_whole_characters(void **state)
{
    static const char *const texts[] = {"The quick brown fox jumps over the lazy dog.", "日本語のテキストを切る。", "ภาษาไทยไม่มีช่องว่าง", "👩‍👩‍👧🏽👍🏽 ok", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    DgTokenizer *clone = tokens_clone(o200k);
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Str text = str_from(texts[i]);
        const DgTokenizer *all[] = {o200k, cl100k, clone, NULL};
        for (int which = 0; which < 4; which++) {
            int64_t count = tokens_count(all[which], text);
            for (int64_t n = 1; n <= count; n++) {
                ptrdiff_t cut = tokens_cut(all[which], text, n);
                assert_true(cut > 0 && cut <= text.len && unicode_start(text, cut) == cut);
                if (cut > 4 && tokens_count(all[which], str_sub(text, 0, cut)) > n)
                    fail_msg("%s at %lld: %td", texts[i], (long long)n, cut);
                assert_true(n < count || cut == text.len);
            }
        }
    }
    tokens_close(clone);
}

/* ---- Chunks ---- */

static void show(DgDocFormat format, Str bytes, DgChunkOptions options, StrBuf *out)
{
    DgDoc doc = {.text_max = 1 << 20};
    DgChunker chunker = {0};
    DgChunk chunk;
    DgError err = {0};
    DgStatus status = doc_read(&doc, format, bytes, &err);
    if (status != DG_OK) {
        buf_format(out, "%s: %s\n", dg_status_name(status), err.message);
    } else {
        if (doc.title.len)
            buf_format(out, "title: %.*s\n", FMT(doc.title));
        chunker_start(&chunker, &doc, &options);
        while (chunker_next(&chunker, &chunk)) {
            buf_format(out, "[%.*s]", FMT(chunk.headings));
            if (chunk.page)
                buf_format(out, " page %d", chunk.page);
            buf_format(out, " %lld-%lld, %lld tokens\n%.*s\n", (long long)chunk.source_start, (long long)chunk.source_end, (long long)chunk.tokens, FMT(chunk.text));
        }
    }
    chunker_free(&chunker);
    doc_free(&doc);
}

static void expect_chunks(DgDocFormat format, Str bytes, DgChunkOptions options, const char *expected)
{
    StrBuf out = {0};
    show(format, bytes, options, &out);
    assert_text(buf_str(&out), expected);
    buf_free(&out);
}

static void markdown_is_cut_at_headings(void **state)
{
    (void)state;
    expect_chunks(DG_DOC_MARKDOWN, S("---\ntitle: \"The Book\"\nx: 1\n---\n# One #\n\nFirst.\n\n## Two `code`\nSecond\nline.\n\n```sh\n# no heading\n```\n\nUnder\n=====\n"
                                     "<!--\n# hidden\n-->\n\nThird.\n### [Deep](x) *one*\n#no heading\n"),
                  (DgChunkOptions){DG_CHUNK_HEADING, 100, 0, o200k},
                  "title: The Book\n"
                  "[One] 31-46, 5 tokens\n# One #\n\nFirst.\n"
                  "[One > Two code] 48-98, 17 tokens\n## Two `code`\nSecond\nline.\n\n```sh\n# no heading\n```\n"
                  "[Under] 100-137, 11 tokens\nUnder\n=====\n<!--\n# hidden\n-->\n\nThird.\n"
                  "[Under > Deep one] 138-169, 12 tokens\n### [Deep](x) *one*\n#no heading\n");
}

static void headings_without_text_go_with_what_is_below(void **state)
{
    (void)state;
    expect_chunks(DG_DOC_MARKDOWN, S("# A\n## B\ntext\n## C\n# D\n"), (DgChunkOptions){DG_CHUNK_HEADING, 100, 0, NULL},
                  "title: A\n[A > B] 0-13, 4 tokens\n# A\n## B\ntext\n[A > C] 14-18, 1 tokens\n## C\n[D] 19-22, 1 tokens\n# D\n");
}

static void sections_too_long_are_cut_at_blocks_then_sentences(void **state)
{
    (void)state;
    expect_chunks(DG_DOC_MARKDOWN, S("# A\n\nOne two three. Four five six. Seven eight nine.\n\nTen eleven twelve.\n"), (DgChunkOptions){DG_CHUNK_HEADING, 8, 0, NULL},
                  "title: A\n"
                  "[A] 0-19, 5 tokens\n# A\n\nOne two three.\n"
                  "[A] 20-34, 4 tokens\nFour five six.\n"
                  "[A] 35-52, 5 tokens\nSeven eight nine.\n"
                  "[A] 54-72, 5 tokens\nTen eleven twelve.\n");
}

static void what_overlaps_begins_at_a_sentence(void **state)
{
    (void)state;
    expect_chunks(DG_DOC_TEXT, S("Alpha beta gamma. One two. Delta epsilon zeta. Three four. Eta theta iota."), (DgChunkOptions){DG_CHUNK_SENTENCE, 12, 4, NULL},
                  "[] 0-26, 7 tokens\nAlpha beta gamma. One two.\n"
                  "[] 18-58, 10 tokens\nOne two. Delta epsilon zeta. Three four.\n"
                  "[] 47-74, 7 tokens\nThree four. Eta theta iota.\n");
}

static void sentences_end_where_they_end(void **state)
{
    static const struct { const char *text, *first; } cases[] = {
        {"Dr. Who is in. Next.", "Dr. Who is in. "}, {"See e.g. this one. Next.", "See e.g. this one. "}, {"Pi is 3.14 or so. Next.", "Pi is 3.14 or so. "},
        {"He said \"stop!\" Then left.", "He said \"stop!\" "}, {"これは文です。次の文。", "これは文です。"}, {"他说：“好。”然后走了。", "他说：“好。”"},
        {"One line\n- an item", "One line\n"}, {"no end at all", "no end at all"}, {"Really?! Yes.", "Really?! "}, {"J. Smith went. Ok.", "J. Smith went. "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str text = str_from(cases[i].text);
        assert_text(str_sub(text, 0, sentence_end(text, 0, text.len)), cases[i].first);
    }
}

static void fences_stay_whole(void **state)
{
    StrBuf text = {0}, out = {0};
    (void)state;
    buf_add(&text, S("Before it.\n\n```c\n"));
    for (int i = 0; i < 6; i++)
        buf_format(&text, "int line_%d;\n\n", i);
    buf_add(&text, S("```\n\nAfter it.\n"));
    show(DG_DOC_MARKDOWN, buf_str(&text), (DgChunkOptions){DG_CHUNK_HEADING, 10, 4, NULL}, &out);
    assert_true(str_find(buf_str(&out), S("```c\nint line_0;\n\nint line_1;\n\nint line_2;\n\nint line_3;\n\nint line_4;\n\nint line_5;\n\n```\n[]")) >= 0);
    buf_free(&text);
    buf_free(&out);
}

/* Whatever the text and the way: sizes kept, nothing lost but blanks, characters whole, places right. */
static void nothing_is_lost(void **state)
{
    static const char *const words[] = {"alpha ", "β-γάμμα ", "文字", "です。", "ภาษา", "ไม่", "Ende. ", "wow! ", "\n\n", "\n", "# Head\n", "- item\n", "| a | b |\n", "```\ncode\n```\n",
                                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "e\xcc\x81", "👩‍👧", "    ", "1. one\n"};
    DgTokenizer *clone = tokens_clone(o200k);
    uint64_t seed = 11;
    (void)state;
    for (int round = 0; round < 400; round++) {
        StrBuf b = {0};
        for (int n = 0; n < 120; n++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            buf_add(&b, str_from(words[(seed >> 33) % (sizeof words / sizeof *words)]));
        }
        Str text = buf_str(&b);
        DgDoc doc = {.text_max = 1 << 20};
        DgChunker chunker = {0};
        DgChunk chunk;
        DgError err = {0};
        DgChunkOptions options = {(DgChunkBy)(round % 3), 8 + round % 50, round % 2 ? 4 : 0, round % 4 ? clone : NULL};
        assert_int_equal(doc_read(&doc, DG_DOC_MARKDOWN, text, &err), DG_OK);
        chunker_start(&chunker, &doc, &options);
        char *covered = calloc((size_t)text.len + 1, 1);
        int chunks = 0;
        while (chunker_next(&chunker, &chunk)) {
            assert_true(++chunks < 2000 && chunk.text.len > 0);
            bool code = memmem(chunk.text.ptr, (size_t)chunk.text.len, "```", 3) != NULL;
            if (chunk.tokens > options.tokens * (code ? 5 : 1) && chunk.text.len > 16)
                fail_msg("round %d: %lld tokens, not %lld, in\n%.*s", round, (long long)chunk.tokens, (long long)options.tokens, FMT(chunk.text));
            assert_true(chunk.tokens == tokens_count(options.tokenizer, chunk.text));
            assert_true(str_utf8_valid(chunk.text, NULL));
            assert_true(chunk.source_start == chunk.text.ptr - text.ptr && chunk.source_end - chunk.source_start == chunk.text.len);
            memset(covered + (chunk.text.ptr - text.ptr), 1, (size_t)chunk.text.len);
        }
        for (ptrdiff_t i = 0; i < text.len; i++)
            if (!covered[i] && (unsigned char)text.ptr[i] > ' ')
                fail_msg("round %d: byte %td of\n%.*s\nis in no chunk", round, i, FMT(text));
        free(covered);
        chunker_free(&chunker);
        doc_free(&doc);
        buf_free(&b);
    }
    tokens_close(clone);
}

/* ---- HTML ---- */

static void html_becomes_text(void **state)
{
    (void)state;
    expect_chunks(DG_DOC_HTML, S("<!doctype html><head><title>A &amp; B</title><style>p {}</style></head><body><h1>One</h1>\n<p>Some  <b>bold</b>\n text&nbsp;&lt;x&gt; &#8212; &eacute; AT&T.</p>"
                                 "<script>if (a < b) document.write('<p>no</p>')</script><h2>Two</h2><ul><li>first<li>second</ul><table><tr><th>k<th>v<tr><td>1<td><p>2</p></table>"
                                 "<pre>a\n  b</pre>1 < 2<br>end"),
                  (DgChunkOptions){DG_CHUNK_HEADING, 200, 0, NULL},
                  "title: A & B\n"
                  "[One] 81-154, 9 tokens\nOne\n\nSome bold text <x> — é AT&T.\n"
                  "[One > Two] 217-331, 13 tokens\nTwo\n\n- first\n- second\n\nk | v\n1 | 2\n\na\n  b\n\n1 < 2\nend\n");
}

static void html_is_never_too_deep(void **state)
{
    StrBuf b = {0}, out = {0};
    (void)state;
    for (int i = 0; i < 50000; i++)
        buf_add(&b, S("<div><b><table><tr><td>"));
    buf_add(&b, S("deep"));
    show(DG_DOC_HTML, buf_str(&b), (DgChunkOptions){DG_CHUNK_HEADING, 200, 0, NULL}, &out);
    assert_true(str_find(buf_str(&out), S("deep\n")) > 0);
    buf_free(&b);
    buf_free(&out);
}

static void encodings_become_utf8(void **state)
{
    (void)state;
    DgChunkOptions o = {DG_CHUNK_HEADING, 100, 0, NULL};
    expect_chunks(DG_DOC_TEXT, S("\xef\xbb\xbfmark"), o, "[] 3-7, 1 tokens\nmark\n");
    expect_chunks(DG_DOC_TEXT, S("\xff\xfeh\0i\0\x3d\xd8\x00\xde"), o, "[] 0-6, 2 tokens\nhi😀\n");
    expect_chunks(DG_DOC_TEXT, S("caf\xe9 \x80"), o, "[] 0-9, 3 tokens\ncafé €\n");
    expect_chunks(DG_DOC_TEXT, S("a\0b"), o, "data: it is no text: it has NUL bytes\n");
    expect_chunks(DG_DOC_TEXT, S(""), o, "");
}

/* ---- PDF ---- */

#define PDF_HEAD "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" \
    "3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
#define PDF_FONT "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>endobj\n"
#define PDF_END "trailer<</Root 1 0 R/Info 6 0 R>>\nstartxref\n0\n%%EOF\n"
#define PDF_CONTENT(text) "4 0 obj<</Length 0>>stream\n" text "\nendstream endobj\n"

static void pdf_becomes_lines_and_headings(void **state)
{
    (void)state;
    expect_chunks(DG_DOC_PDF, S(PDF_HEAD PDF_CONTENT("BT /F1 24 Tf 72 700 Td (The Head) Tj /F1 10 Tf 0 -40 Td (First \\(line\\) of) Tj 0 -12 Td [(the) -300 (te) 20 (xt \\223q\\224)] TJ 0 -40 Td "
                                                     "(Another paragraph, caf\\351.) Tj ET") PDF_FONT "6 0 obj<</Title(My\\040Title)>>endobj\n" PDF_END),
                  (DgChunkOptions){DG_CHUNK_HEADING, 100, 0, NULL},
                  "title: My Title\n[The Head] page 1 0-69, 18 tokens\nThe Head\n\nFirst (line) of\nthe text “q”\n\nAnother paragraph, café.\n");
}

static void pdf_codes_go_through_unicode_maps(void **state)
{
    (void)state;
    expect_chunks(DG_DOC_PDF, S(PDF_HEAD PDF_CONTENT("BT /F1 10 Tf 1 0 0 1 50 500 Tm <000100020003> Tj ET")
                                "5 0 obj<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</DW 500>>]/ToUnicode 7 0 R>>endobj\n"
                                "7 0 obj<</Length 1>>stream\n1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar <0001> <65E5> endbfchar "
                                "1 beginbfrange <0002> <0003> <672C> endbfrange\nendstream endobj\n" PDF_END),
                  (DgChunkOptions){DG_CHUNK_HEADING, 100, 0, NULL}, "[] page 1 0-9, 3 tokens\n日本\xe6\x9c\xad\n");
}

static void bad_pdfs_say_why(void **state)
{
    (void)state;
    DgChunkOptions o = {DG_CHUNK_HEADING, 100, 0, NULL};
    expect_chunks(DG_DOC_PDF, S("hello"), o, "data: it is no PDF\n");
    expect_chunks(DG_DOC_PDF, S(PDF_HEAD), o, "data: it is a PDF that was cut off\n");
    expect_chunks(DG_DOC_PDF, S("%PDF-1.4\n%%EOF"), o, "data: it is a PDF without pages\n");
    expect_chunks(DG_DOC_PDF, S("%PDF-1.4\ntrailer<</Root 1 0 R/Encrypt 9 0 R>>\n%%EOF"), o, "data: it is an encrypted PDF\n");
    expect_chunks(DG_DOC_PDF, S(PDF_HEAD PDF_CONTENT("0 0 10 10 re f") PDF_END), o, "data: it has no text on its 1 pages: they may be pictures of text\n");
    expect_chunks(DG_DOC_PDF, S(PDF_HEAD "4 0 obj<</Filter/FlateDecode/Length 4>>stream\nxxxx\nendstream endobj\n" PDF_END), o, "data: a stream in it is damaged\n");
    expect_chunks(DG_DOC_PDF, S("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Kids[2 0 R 2 0 R 1 0 R]>>endobj trailer<</Root 1 0 R>>\n%%EOF"), o,
                  "data: it has no text on its 1 pages: they may be pictures of text\n");
}

static void bad_documents_of_word_say_why(void **state)
{
    (void)state;
    DgChunkOptions o = {DG_CHUNK_HEADING, 100, 0, NULL};
    expect_chunks(DG_DOC_DOCX, S("PK\3\4 and no more"), o, "data: `the document` is no good ZIP archive: there is no directory in it\n");
}

static void formats_are_known_by_name_or_content(void **state)
{
    (void)state;
    assert_int_equal(doc_format_of(S("a/b.MD"), S("")), DG_DOC_MARKDOWN);
    assert_int_equal(doc_format_of(S("a.b/c"), S("%PDF-1.7")), DG_DOC_PDF);
    assert_int_equal(doc_format_of(S("https://x.org/p.html?a=b.pdf"), S("")), DG_DOC_HTML);
    assert_int_equal(doc_format_of(S("x"), S("  <!DOCTYPE html>")), DG_DOC_HTML);
    assert_int_equal(doc_format_of(S("a.xyz"), S("text")), DG_DOC_AUTO);
}

static void a_deadline_ends_a_document(void **state)
{
    DgDoc doc = {.text_max = 1 << 30, .deadline_ms = 1};
    DgError err = {0};
    StrBuf b = {0};
    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_add(&b, S("line\n\n"));
    assert_int_equal(doc_read(&doc, DG_DOC_MARKDOWN, buf_str(&b), &err), DG_DATA);
    assert_text(str_from(err.message), "reading it takes too long");
    doc.deadline_ms = 0;
    doc.text_max = 1000;
    assert_int_equal(doc_read(&doc, DG_DOC_HTML, buf_str(&b), &err), DG_DATA);
    doc_free(&doc);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_tiktokens),
        cmocka_unit_test(long_words_take_no_quadratic_time),
        cmocka_unit_test(a_cut_keeps_the_budget_and_whole_characters),
        cmocka_unit_test(markdown_is_cut_at_headings),
        cmocka_unit_test(headings_without_text_go_with_what_is_below),
        cmocka_unit_test(sections_too_long_are_cut_at_blocks_then_sentences),
        cmocka_unit_test(what_overlaps_begins_at_a_sentence),
        cmocka_unit_test(sentences_end_where_they_end),
        cmocka_unit_test(fences_stay_whole),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(html_becomes_text),
        cmocka_unit_test(html_is_never_too_deep),
        cmocka_unit_test(encodings_become_utf8),
        cmocka_unit_test(pdf_becomes_lines_and_headings),
        cmocka_unit_test(pdf_codes_go_through_unicode_maps),
        cmocka_unit_test(bad_pdfs_say_why),
        cmocka_unit_test(bad_documents_of_word_say_why),
        cmocka_unit_test(formats_are_known_by_name_or_content),
        cmocka_unit_test(a_deadline_ends_a_document),
    };
    return cmocka_run_group_tests(tests, open_tokenizers, close_tokenizers);
}
