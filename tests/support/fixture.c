/* fixture.c - a project in a temporary folder. */
#include "tests/support/fixture.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file(const Fixture *f, Str name, Str text)
{
    char path[512];
    int n = snprintf(path, sizeof path, "%s/%.*s", f->folder, FMT(name));
    assert(n > 0 && (size_t)n < sizeof path);
    for (char *slash = path + strlen(f->folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        mkdir(path, 0755);
    }
    FILE *file = fopen(path, "wb");
    assert(file);
    fwrite(text.ptr, 1, (size_t)text.len, file);
    fclose(file);
}

void fixture_write(Fixture *f, const char *files)
{
    if (!f->folder[0]) {
        snprintf(f->folder, sizeof f->folder, "/tmp/dgc-test-XXXXXX");
        char *made = mkdtemp(f->folder);
        assert(made);
        (void)made;
        write_file(f, S("dgc.yaml"), S("name: test\n"));
    }
    Str rest = str_from(files), name = {0};
    ptrdiff_t start = 0;
    for (ptrdiff_t at = 0; at <= rest.len;) {
        ptrdiff_t end = str_find_char(str_sub(rest, at, rest.len), '\n');
        end = end < 0 ? rest.len : at + end;
        Str line = str_sub(rest, at, end);
        bool head = str_starts(line, S("-- ")) && str_ends(line, S(" --"));
        if ((head || end == rest.len) && name.len)
            write_file(f, name, str_sub(rest, start, head ? at : rest.len));
        if (head) {
            name = str_sub(line, 3, line.len - 3);
            start = end + 1;
        }
        at = end + 1;
    }
}

void fixture_compile(Fixture *f, const CompileOptions *options)
{
    CompileOptions o = options ? *options : (CompileOptions){0};
    o.project = str_from(f->folder);
    compile_release(&f->c);
    f->ok = compile_project(&f->c, &o);
}

void fixture_open(Fixture *f, const char *files)
{
    fixture_write(f, files);
    fixture_compile(f, NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

void fixture_close(Fixture *f)
{
    compile_release(&f->c);
    buf_free(&f->text);
    if (f->folder[0])
        nftw(f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    *f = (Fixture){0};
}

Str fixture_plan(Fixture *f)
{
    buf_free(&f->text);
    f->text = (StrBuf){0};
    plan_print(&f->c.plan, &f->text);
    return buf_str(&f->text);
}

static void show_place(Fixture *f, Span at)
{
    const SourceFile *file = at.file ? sources_file(&f->c.sources, at.file) : NULL;
    if (!file)
        return;
    Place place = sources_place(&f->c.sources, at);
    buf_format(&f->text, "%.*s:%u:%u ", FMT(file->path), place.line, place.column);
}

Str fixture_errors(Fixture *f)
{
    buf_free(&f->text);
    f->text = (StrBuf){0};
    diag_finish(&f->c.diag);
    for (size_t i = 0; i < f->c.diag.items.count; i++) {
        const DiagItem *it = f->c.diag.items.items[i];
        buf_format(&f->text, "%s ", diag_code_name(it->code));
        show_place(f, it->at);
        buf_format(&f->text, "%.*s\n", FMT(it->message));
        for (size_t k = 0; k < it->labels.count; k++) {
            buf_add(&f->text, S("  at "));
            show_place(f, it->labels.items[k].at);
            buf_format(&f->text, "%.*s\n", FMT(it->labels.items[k].text));
        }
    }
    return buf_str(&f->text);
}
