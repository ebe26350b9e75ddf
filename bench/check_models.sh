#!/usr/bin/env bash
# check_models.sh [N...]: `dgc check` of projects with N SQL models (default 1000 5000 10000), in
# chains and joins: time and memory, with and without what earlier checks have left in the cache.
# Most of them have the shape of others and are judged once with them; in `each its own` none is.
set -euo pipefail
BUILD=${BUILD:-build}
DGC=${DGC:-$BUILD/dgc}
[ $# -gt 0 ] || set -- 1000 5000 10000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# make_project FOLDER N [OWN]: each model reads the one before it; every fifth joins two, every ninth has
# a CTE, a window and a macro-free condition. OWN=1 writes a number of its own into each.
make_project() {
    mkdir -p "$1/defs/raw" "$1/defs/models/sql"
    printf 'name: bench\n' > "$1/dgc.yaml"
    printf 'type: dgc.Files\nattributes:\n  path: events.csv\n  asset: raw/events\n  columns:\n' > "$1/defs/raw/defs.yaml"
    printf '    %s\n' 'id: bigint' 'customer_id: bigint' 'day: date' 'amount: decimal(18,2)' 'status: varchar' \
        'country: varchar' 'score: double' 'is_late: boolean' >> "$1/defs/raw/defs.yaml"
    printf 'id,customer_id,day,amount,status,country,score,is_late\n' > "$1/defs/raw/events.csv"
    printf 'type: dgc.SqlModels\nattributes: {path: sql, prefix: marts}\n' > "$1/defs/models/defs.yaml"
    awk -v n="$2" -v own="${3:-0}" -v out="$1/defs/models/sql" 'BEGIN {
        for (i = 0; i < n; i++) {
            file = sprintf("%s/m%05d.sql", out, i)
            before = i % 20 == 0 ? "{{ source(\"raw\", \"events\") }}" : sprintf("{{ ref(\"m%05d\") }}", i - 1)
            gsub(/"/, "\047", before)
            number = own ? i + 1 : 1
            if (i % 9 == 8)
                printf "-- Days of model %d.\nwith days as (\n    select day, customer_id, sum(amount) as amount, max(score) as score\n    from %s\n    where status <> \047void\047 group by all\n)\nselect row_number() over (partition by customer_id order by day) as id, customer_id, day,\n    amount::decimal(18,2) as amount, \047ok\047 as status, \047DE\047 as country, score, score > %d as is_late\nfrom days\n", i, before, number > file
            else if (i % 5 == 4)
                printf "select a.id, a.customer_id, a.day, a.amount, b.status, b.country, a.score, b.is_late\nfrom %s a\njoin {{ ref(\047m%05d\047) }} b on b.id = a.id and a.id > %d\n", before, i - 2, number > file
            else
                printf "select id, customer_id, day, amount * 2 as amount, upper(status) as status, country, score + %d as score,\n    is_late and amount > 0 as is_late\nfrom %s\nwhere day >= date \0472020-01-01\047\n", number, before > file
            close(file)
        } }'
}

measure() { # LABEL PROJECT
    local line
    line=$( { TIMEFORMAT='%R'; time "$DGC" check "$2" > "$work/out" 2>&1; } 2>&1 ) || { cat "$work/out"; exit 1; }
    "$DGC" --version > /dev/null
    printf '%-28s %7.2f s\n' "$1" "$line"
}

rss() { # PROJECT: kB at most
    python3 - "$DGC" "$1" <<'PY' 2> /dev/null || echo '?'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "check", sys.argv[2]], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
}

for n in "$@"; do
    project=$work/p$n
    make_project "$project" "$n"
    measure "$n models, cold" "$project"
    measure "$n models, warm" "$project"
    printf '%-28s %7d kB\n' "$n models, warm, memory" "$(rss "$project")"
    rm -rf "$project/.dgc"
    printf '%-28s %7d kB\n' "$n models, cold, memory" "$(rss "$project")"
    rm -rf "$project"
    make_project "$project" "$n" 1
    measure "$n, each its own, cold" "$project"
    measure "$n, each its own, warm" "$project"
    rm -rf "$project"
done
