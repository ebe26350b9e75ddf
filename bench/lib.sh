#!/usr/bin/env bash
# lib.sh - what benchmarks share: medians and races of whole commands, one line a figure. Sourced.
: "${ROOT:=$(cd "$(dirname "$0")/.." && pwd)}"
: "${BUILD:=$ROOT/build}"
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
: "${DGC:=$BUILD/dgc}"
TP=$("$ROOT/scripts/tp_dir.sh")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# median RUNS COMMAND...: the median wall time in milliseconds. Output is thrown away.
median() {
    local runs=$1 i start end
    shift
    for ((i = 0; i < runs; i++)); do
        start=$(date +%s%N)
        "$@" > /dev/null 2>&1 < /dev/null
        end=$(date +%s%N)
        echo $(((end - start) / 1000))
    done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] / 1000 }'
}

# The measuring process is small itself: what it starts counts from nothing.
measure() { # COMMAND...: prints milliseconds, the largest resident set in MB, and how it ended; $WORK/cpu: its milliseconds of processor
    if [ ! -x "$WORK/measure" ]; then
        cat > "$WORK/measure.c" <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double ms(struct timeval t) { return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3; }
int main(int argc, char **argv)
{
    struct rusage u;
    FILE *cpu = fopen(argv[2], "w");
    struct timespec a, b;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &a);
    if (vfork() == 0) {
        int log = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600), null = open("/dev/null", O_RDONLY);
        dup2(null, 0), dup2(log, 1), dup2(log, 2);
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    wait3(&status, 0, &u);
    clock_gettime(CLOCK_MONOTONIC, &b);
    fprintf(cpu, "%.1f\n", ms(u.ru_utime) + ms(u.ru_stime));
    fclose(cpu);
    printf("%.1f %.1f %d\n", (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6, (double)u.ru_maxrss / 1024,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
C
        gcc -O1 -o "$WORK/measure" "$WORK/measure.c"
    fi
    "$WORK/measure" "$WORK/log" "$WORK/cpu" "$@"
}

# peak COMMAND...: the largest resident set, in MB.
peak() { measure "$@" | cut -d' ' -f2; }

# race RUNS FUNCTION...: each of them so often, in turns: a machine that is busy is busy for all. A function prepares
# what it needs and runs `timed COMMAND...`. Best times are kept in best_ms, largest resident sets in peak_mb.
declare -A best_ms peak_mb
timed() { measured=$(measure "$@"); }
race() {
    local runs=$1 racer i ms mb code
    shift
    for racer; do best_ms[$racer]=; peak_mb[$racer]=; done
    for ((i = 0; i < runs; i++)); do
        for racer; do
            measured=
            "$racer"
            read -r ms mb code <<< "$measured"
            [ "${code:-none}" = 0 ] || { echo "FAIL $racer ended with ${code:-nothing}"; tail -3 "$WORK/log"; return 1; }
            best_ms[$racer]=$(printf '%s\n' "$ms" ${best_ms[$racer]} | sort -n | head -1)
            peak_mb[$racer]=$(printf '%s\n' "$mb" ${peak_mb[$racer]} | sort -n | tail -1)
        done
    done
}

# Lines of a table: what, ours, theirs, how they compare, what is asked for. at_most: our time in theirs; at_least: theirs in ours.
table_head() { printf '%-50s %9s %9s %8s  %-8s\n' "$1" dgc other ratio bar; }
at_most() { awk -v n="$1" -v o="${best_ms[$2]}" -v t="$3" -v b="$4" 'BEGIN { r = o / t; printf "%-50s %7.2f s %7.2f s %7.2fx  <= %-5s %s\n", n, o / 1000, t / 1000, r, b, r <= b ? "ok" : "over" }'; }
at_least() { awk -v n="$1" -v o="${best_ms[$2]}" -v t="${best_ms[$3]}" -v b="$4" 'BEGIN { r = t / o; printf "%-50s %7.2f s %7.2f s %7.1fx  >= %-5s %s\n", n, o / 1000, t / 1000, r, b, r >= b ? "ok" : "over" }'; }
memory() { awk -v n="$1" -v v="$2" -v b="$3" 'BEGIN { printf "%-50s %6.0f MB %9s %8s  <= %-5s %s\n", n, v, "", "", b, v + 0 <= b + 0 ? "ok" : "over" }'; }

# duck_sql FILE SQL...: statements in a DuckDB file (empty: in memory), by the library that pipelines have.
duck_sql() { "$WORK/duck_sql" "$@"; }
make_duck_sql() {
    cat > "$WORK/sql.c" <<'C'
#include <duckdb.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    duckdb_database db;
    duckdb_connection c;
    duckdb_result r;
    if (duckdb_open(argv[1], &db) || duckdb_connect(db, &c))
        return 1;
    for (int i = 2; i < argc; i++) {
        if (duckdb_query(c, argv[i], &r))
            return fprintf(stderr, "%s\n", duckdb_result_error(&r)), 1;
        if (duckdb_result_return_type(r) == DUCKDB_RESULT_TYPE_QUERY_RESULT && duckdb_row_count(&r))
            printf("%s\n", duckdb_value_varchar(&r, 0, 0));
    }
    duckdb_disconnect(&c);
    duckdb_close(&db);
    return 0;
}
C
    gcc -O1 -I"$TP/include" "$WORK/sql.c" "$BUILD/lib/libduckdb.so" -Wl,-rpath,"$BUILD/lib" -o "$WORK/duck_sql"
}

# figure NAME VALUE UNIT BAR: at most BAR is met. figure_min: at least.
figure() { awk -v n="$1" -v v="$2" -v u="$3" -v b="$4" 'BEGIN { printf "%-44s %9.2f %-10s (bar %s)  %s\n", n, v, u, b, (v + 0 <= b + 0) ? "met" : "NOT met" }'; }
figure_min() { awk -v n="$1" -v v="$2" -v u="$3" -v b="$4" 'BEGIN { printf "%-44s %9.2f %-10s (bar %s)  %s\n", n, v, u, b, (v + 0 >= b + 0) ? "met" : "NOT met" }'; }
difference() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
