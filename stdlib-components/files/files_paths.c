/* files_paths.c - from paths, globs and URLs to files that can be opened. */
#include <glob.h>
#include <stdlib.h>

#include "runtime/os/os.h"
#include "stdlib-components/files/files_step.h"

const char *const dg_files_modes[] = {"replace", "append", "merge", NULL};

static const int64_t download_max = (int64_t)1 << 40;

/* The temporary file keeps the name's end, by which formats are known. */
static DgStatus fetch(DgStepRun *run, DgStr url, FilesDownload download, Arena *a, FilesPaths *out,
                      DgError *err)
{
    Str name = url, rest;
    str_cut(url, '?', &name, &rest);
    ptrdiff_t slash = name.len;
    while (slash > 0 && name.ptr[slash - 1] != '/')
        slash--;
    uint64_t id;
    os_random(&id, sizeof id);
    const char *temp = getenv("TMPDIR");
    Str path = str_format(a, "%s/dgc-%016llx-%.*s", temp && *temp ? temp : "/tmp", (unsigned long long)id,
                          FMT(str_sub(name, slash, name.len)));
    array_add(a, &out->temporary, path);
    dg_log(run, DG_LOG_INFO, "downloading %.*s", FMT(url));
    DG_TRY(download(url, str_cstr(a, path), download_max, err));
    array_add(a, &out->local, path);
    array_add(a, &out->shown, str_copy(a, url));
    return DG_OK;
}

static DgStatus expand_one(DgStepRun *run, DgStr written, bool allow_empty, Arena *a, FilesPaths *out,
                           DgError *err)
{
    DgStr path = dg_project_path(run, written);
    glob_t found;
    int status = glob(str_cstr(a, path), GLOB_BRACE, NULL, &found);
    for (size_t k = 0; status == 0 && k < found.gl_pathc; k++) {
        Str full = str_copy(a, str_from(found.gl_pathv[k]));
        array_add(a, &out->local, full);
        array_add(a, &out->shown, found.gl_pathc == 1 ? written : full);
    }
    if (status == 0)
        globfree(&found);
    if (status == 0 || allow_empty)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "no file matches %.*s", FMT(written));
    dg_hint(err, "looked for %.*s; `allow_empty: true` makes that no error", FMT(path));
    return DG_CONFIG;
}

bool files_is_url(Str path)
{
    return str_starts(path, S("http://")) || str_starts(path, S("https://"));
}

DgStatus files_paths_expand(DgStepRun *run, const FilesTarget *t, FilesDownload download, Arena *a,
                            FilesPaths *out, DgError *err)
{
    for (size_t i = 0; i < t->paths.count; i++) {
        DgStr path = DG_ITEMS(DgStr, t->paths)[i];
        if (files_is_url(path) && !download)
            return dg_fail(err, DG_BUG, "%.*s is a URL, and this step was built without a network", FMT(path));
        if (files_is_url(path))
            DG_TRY(fetch(run, path, download, a, out, err));
        else if (i < t->folders.count && DG_ITEMS(DgStr, t->folders)[i].len)
            DG_TRY(dg_component_path(run, DG_ITEMS(DgStr, t->folders)[i], path, &path, err));
        if (!files_is_url(path))
            DG_TRY(expand_one(run, path, t->allow_empty, a, out, err));
    }
    return DG_OK;
}

void files_paths_release(FilesPaths *p, Arena *a)
{
    for (size_t i = 0; i < p->temporary.count; i++)
        dg_os.unlink(str_cstr(a, p->temporary.items[i]));
    p->temporary.count = 0;
}
