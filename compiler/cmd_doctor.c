/* cmd_doctor.c - `dgc doctor`: what this machine has of what dgc needs, and what to do about the
 * rest. Nothing is changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "codegen/driver.h"
#include "compiler/cmd.h"
#include "compiler/project.h"

typedef enum Health { HEALTH_GOOD, HEALTH_OPTIONAL, HEALTH_BAD } Health;

typedef struct Finding {
    Health health;
    Str name, detail, remedy;
} Finding;

typedef struct Doctor {
    Arena *arena;
    Array(Finding) findings;
} Doctor;

static void found(Doctor *d, Health health, const char *name, Str detail, const char *remedy)
{
    Finding f = {health, str_from(name), detail,
                 health == HEALTH_GOOD ? (Str){0} : str_from(remedy)};
    array_add(d->arena, &d->findings, f);
}

static bool readable(Doctor *d, Str folder, const char *name)
{
    return access(str_cstr(d->arena, str_format(d->arena, "%.*s/%s", FMT(folder), name)),
                  R_OK) == 0;
}

/* The first tool of a list that is on PATH; `remedy` for when none is. */
static bool look_for(Doctor *d, const char *title, const char *const *names, Health otherwise,
                     const char *missing, const char *remedy)
{
    const char *path = driver_find(d->arena, names);
    found(d, path ? HEALTH_GOOD : otherwise, title, str_from(path ? path : missing), remedy);
    return path != NULL;
}

static void check_libraries(Doctor *d)
{
    static const char *const needed[] = {"LINK", "libdgrt.a", "libdgcomp.a", "notices.o", NULL};
    static const char *const packed[] = {"dgrunner", "dgrunner-duckdb", NULL};
    Str lib = driver_lib(d->arena);
    const char *absent = NULL;
    for (size_t i = 0; needed[i]; i++)
        if (!absent && !readable(d, lib, needed[i]))
            absent = needed[i];
    found(d, absent ? HEALTH_BAD : HEALTH_GOOD, "dgc's libraries",
          absent ? str_format(d->arena, "%.*s/%s is missing", FMT(lib), absent) : lib,
          "keep the folder `lib` beside the program `dgc`, or name it in DGC_LIB");
    bool runners = readable(d, lib, packed[0]) && readable(d, lib, packed[1]);
    found(d, runners ? HEALTH_GOOD : HEALTH_OPTIONAL, "building without a compiler",
          runners ? S("the runners are there") : S("no runners"),
          "run `make` in dgc's source tree, or have gcc or clang");
    bool engine = readable(d, lib, "libduckdb.so") || getenv("DGC_DUCKDB_LIB");
    found(d, engine ? HEALTH_GOOD : HEALTH_BAD, "DuckDB for dgc run and check",
          engine ? S("libduckdb.so") : S("libduckdb.so is missing"),
          "run `make` in dgc's source tree, or name a library of version 1.4 in DGC_DUCKDB_LIB");
    bool duckdb = readable(d, lib, "payload.o");
    found(d, duckdb ? HEALTH_GOOD : HEALTH_BAD, "DuckDB for pipelines",
          duckdb ? S("payload.o") : S("payload.o is missing"),
          "run `make` in dgc's source tree: it packs DuckDB's library");
}

static void check_compilers(Doctor *d)
{
    static const char *const gcc[] = {"gcc", "cc", NULL}, *const clang[] = {"clang", NULL};
    static const char *const fast[] = {"mold", "ld.lld", "ld.gold", NULL};
    static const char *const any[] = {"ld.bfd", "ld", NULL};
    const char *no = "not found";
    bool has = look_for(d, "gcc", gcc, HEALTH_OPTIONAL, no,
                        "apt install gcc: executables become faster; until then tcc builds them");
    look_for(d, "clang", clang, HEALTH_OPTIONAL, no, "not needed beside gcc");
    look_for(d, "fast linker", fast, HEALTH_OPTIONAL, no,
             "apt install mold: linking takes a third of the time");
    look_for(d, "linker", any, has ? HEALTH_BAD : HEALTH_OPTIONAL, no, "apt install binutils");
}

/* Free space where `folder` will be: of the nearest folder above that is there. */
static void check_folder(Doctor *d, const char *title, Str folder, const char *remedy)
{
    Str at = folder;
    const char *path = str_cstr(d->arena, at);
    while (access(path, F_OK) != 0 && at.len > 1) {
        while (at.len > 1 && at.ptr[at.len - 1] != '/')
            at.len--;
        at.len -= at.len > 1;
        path = str_cstr(d->arena, at);
    }
    struct statvfs fs;
    bool writable = access(path, W_OK) == 0;
    bool room = statvfs(path, &fs) == 0;
    double gib = room ? (double)fs.f_bavail * (double)fs.f_frsize / (1024.0 * 1024 * 1024) : 0;
    bool low = room && gib < 0.5;
    found(d, !writable ? HEALTH_BAD : low ? HEALTH_OPTIONAL : HEALTH_GOOD, title,
          writable ? str_format(d->arena, "%.*s (%.1f GiB free)", FMT(folder), gib)
                   : str_format(d->arena, "%s cannot be written", path),
          writable ? "make room: data and DuckDB's temporary files need it" : remedy);
}

static void check_folders(Doctor *d, Str project)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache)
        check_folder(d, "cache", str_format(d->arena, "%s/dgc", cache),
                     "set XDG_CACHE_HOME to a folder of yours");
    else if (home && *home)
        check_folder(d, "cache", str_format(d->arena, "%s/.cache/dgc", home),
                     "set XDG_CACHE_HOME to a folder of yours");
    else
        found(d, HEALTH_OPTIONAL, "cache", S("neither XDG_CACHE_HOME nor HOME is set"),
              "set one: otherwise DuckDB is unpacked into memory at every start");
    Compile c = {0};
    if (project_types(&c, project))
        check_folder(d, "home of the pipeline",
                     str_format(d->arena, "%.*s/.dgc", FMT(c.project->root)),
                     "run as the owner of the project, or give `--home DIR` to run");
    else
        found(d, project.len ? HEALTH_BAD : HEALTH_OPTIONAL, "project", S("none here"),
              "`dgc init NAME` makes one");
    compile_release(&c);
}

static void check_rest(Doctor *d)
{
    static const char *const python[] = {"python3", "python", NULL}, *const uv[] = {"uv", NULL};
    const char *zones = getenv("TZDIR");
    Str folder = str_from(zones && *zones ? zones : "/usr/share/zoneinfo");
    bool good = readable(d, folder, "Europe/Berlin");
    found(d, good ? HEALTH_GOOD : HEALTH_BAD, "time zones",
          good ? folder : str_format(d->arena, "none in %.*s", FMT(folder)),
          "apt install tzdata: schedules and partitions with a time zone need it");
    look_for(d, "python", python, HEALTH_OPTIONAL, "not found",
             "only dagster.PythonScriptComponent needs it");
    look_for(d, "uv", uv, HEALTH_OPTIONAL, "not found", "only dagster.UvRunComponent needs it");
}

static const char *const marks[] = {"ok", "--", "NO"};
static const char *const words[] = {"ok", "optional", "missing"};

static void print_text(const Doctor *d)
{
    static const char *const colors[] = {"\033[32m", "\033[33m", "\033[31m"};
    bool color = color_wanted(1);
    for (size_t i = 0; i < d->findings.count; i++) {
        const Finding *f = &d->findings.items[i];
        printf("%s%s%s  %-29.*s %.*s\n", color ? colors[f->health] : "", marks[f->health],
               color ? "\033[0m" : "", FMT(f->name), FMT(f->detail));
        if (f->remedy.len)
            printf("      %.*s\n", FMT(f->remedy));
    }
}

static void print_json(const Doctor *d)
{
    StrBuf out = {0};
    buf_add(&out, S("{\"version\": \"" DGC_VERSION "\", \"items\": ["));
    for (size_t i = 0; i < d->findings.count; i++) {
        const Finding *f = &d->findings.items[i];
        buf_add(&out, i ? S(", {\"name\": ") : S("{\"name\": "));
        buf_json(&out, f->name);
        buf_format(&out, ", \"state\": \"%s\", \"detail\": ", words[f->health]);
        buf_json(&out, f->detail);
        buf_add(&out, S(", \"remedy\": "));
        buf_json(&out, f->remedy);
        buf_char(&out, '}');
    }
    buf_add(&out, S("]}\n"));
    fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
}

int cmd_doctor(int argc, char **argv)
{
    Arena arena;
    bool json = false;
    StrArray rest = {0};
    arena_init(&arena, 0);
    const Option options[] = {{.name = "--json", .flag = &json}};
    int code = options_read("doctor", argc, argv, options, 1, &rest, &arena);
    if (code >= 0)
        return code;
    Doctor d = {.arena = &arena};
    found(&d, HEALTH_GOOD, "dgc", S(DGC_VERSION), "");
    check_libraries(&d);
    check_compilers(&d);
    check_folders(&d, rest.count ? rest.items[0] : (Str){0});
    check_rest(&d);
    if (json)
        print_json(&d);
    else
        print_text(&d);
    for (size_t i = 0; i < d.findings.count; i++)
        if (d.findings.items[i].health == HEALTH_BAD)
            return 1;
    return 0;
}
