#!/usr/bin/env bash
# lib.sh - what benchmarks share: medians of whole commands, one line a figure. Sourced.
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

# peak COMMAND...: the largest resident set, in MB. The measuring process is small itself.
peak() {
    if [ ! -x "$WORK/peak" ]; then
        cat > "$WORK/peak.c" <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct rusage u;
    int status;
    if (vfork() == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0), dup2(null, 1), dup2(null, 2);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    wait3(&status, 0, &u);
    printf("%.1f\n", (double)u.ru_maxrss / 1024);
    return 0;
}
C
        gcc -O1 -o "$WORK/peak" "$WORK/peak.c"
    fi
    "$WORK/peak" "$@"
}

# figure NAME VALUE UNIT BAR: at most BAR is met. figure_min: at least.
figure() { awk -v n="$1" -v v="$2" -v u="$3" -v b="$4" 'BEGIN { printf "%-44s %9.2f %-10s (bar %s)  %s\n", n, v, u, b, (v + 0 <= b + 0) ? "met" : "NOT met" }'; }
figure_min() { awk -v n="$1" -v v="$2" -v u="$3" -v b="$4" 'BEGIN { printf "%-44s %9.2f %-10s (bar %s)  %s\n", n, v, u, b, (v + 0 >= b + 0) ? "met" : "NOT met" }'; }
difference() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
