#!/usr/bin/env bash
# Transforms and constraints compiled to C give what the walked tree gives: each function and operator over
# columns of each kind, by the C compiler of a build, in memory by tcc, and walked; the same values, the same errors.
# TEST_TIMEOUT: 300
set -u
. "$(dirname "$0")/../e2e/lib.sh"
same() { # NAME FILE FILE
    if cmp -s "$2" "$3"; then echo "ok $1"; else
        echo "FAIL $1:"
        diff "$2" "$3" | head -20 | cut -c1-200 | sed 's/^/    /'
        failures=$((failures + 1))
    fi
}
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
cd "$WORK" || exit 1
cat > good <<'E'
1 + 2 * 3 - -1
record.i * 2 + 1
record.i * 3 - record.id * record.id
record.f * 2.5 - record.i
record.d + 1
record.i / 2
record.f / 4
record.i % 7
record.f % 2
-record.i
-record.f
'a' + record.i + record.b
record.t + '-' + record.f
record.i >= 7 && record.i < 1000 || false
!(record.i == 7)
record.f > record.i
record.i == record.f
record.t < 'm'
record.t == null
record.t != null
record.b == true
record.i > 5 ? 'big' : record.i > 2 ? 'mid' : 'small'
record.b ? record.t : record.f
record.vacant > 1 && false
record.vacant > 1 || true
record.vacant > 1 && true
!(record.vacant > 1)
record.vacant + 'a'
9007199254740993 > 9007199254740992.0
9223372036854775807 == 9223372036854775807.0
record.i < 9007199254740993.0
upper(trim_space(record.t))
lower(record.t)
trim(record.t)
replace_accents(record.t)
remove_diacritics(record.t)
replace_non_printable(record.t)
replace(record.t, 'o', '00')
replace(record.t, '', 'x')
substring(record.t, 1, 3)
substring(record.t, -2)
split_part(record.t, ' ', 1)
empty_as_null(record.t)
concat(record.t, null, record.i, record.f, record.b)
contains(record.t, 'o')
starts_with(record.t, 'Z')
ends_with(record.t, 'n')
is_null(record.t)
is_empty(record.t)
length(record.t)
coalesce(record.vacant, record.t, 'none')
if(record.b, record.i, record.f)
greatest(record.i, 1, record.vacant)
least(record.f, 0.5)
hash(record.t)
hash(record.t, 'sha256')
md5(record.t) + sha1(record.t) + sha256(record.t) + sha512(record.t)
hash_md5(record.i)
length(uuid())
length(cast(now(), 'string')) > 0
cast(record.i, 'text')
cast(record.f > 100, 'string')
cast(substring(record.at, 0, 10), 'date')
date_format(record.at, '%d.%m.%Y %H')
date_format(date_parse('29/02/2024', '%d/%m/%Y'), '%Y-%m-%d')
date_parse(record.day)
record.day + record.at + record.d
E
cat > bad <<'E'
'a' < record.i
1 / (record.i - record.i)
record.i % 0
9223372036854775807 + record.i
-record.t
!record.i
record.t * 2
hash(record.t, 'crc')
cast(record.t, 'integer')
cast(record.i, 'no type')
date_parse(record.t)
date_format(record.at, '%Q')
substring(record.t, 'x')
if(record.t, 1, 2)
greatest(record.i, record.t)
record.missing
replace(replace(replace(replace(replace(replace(replace(replace('aaaaaaaa','a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa')
E
sqlite3 src.db "CREATE TABLE v(id INTEGER PRIMARY KEY, i BIGINT, f DOUBLE, d DECIMAL(12,3), t TEXT, b BOOLEAN, day DATE, at TIMESTAMP, vacant BIGINT);
    WITH RECURSIVE n(k) AS (VALUES (1) UNION ALL SELECT k + 1 FROM n WHERE k < 5000)
    INSERT INTO v SELECT k, CASE WHEN k % 11 = 0 THEN NULL WHEN k % 97 = 0 THEN 9007199254740993 ELSE k * 7 - 300 END,
        CASE WHEN k % 13 = 0 THEN NULL ELSE k * 0.37 - 50 END, k * 1.125,
        CASE k % 6 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '  Zoë ' || k || ' ' WHEN 3 THEN 'tab' || char(9) || 'x' || char(8203) || k WHEN 4 THEN 'Ærø Ção Nn' ELSE 'one two three n' END,
        CASE WHEN k % 5 = 0 THEN NULL ELSE k % 2 END, date('2024-01-01', '+' || k || ' days'), datetime('2024-01-01', '+' || k || ' minutes'), NULL FROM n"
# A text of 100 kB in each of many rows: blocks become short.
sqlite3 src.db "CREATE TABLE wide(id INTEGER PRIMARY KEY, t TEXT);
    WITH RECURSIVE n(k) AS (VALUES (1) UNION ALL SELECT k + 1 FROM n WHERE k < 400) INSERT INTO wide SELECT k, replace(hex(zeroblob(1500)), '00', 'äbc' || k) FROM n"

project() {
    mkdir -p "$1/defs"
    {
        echo "type: dgc.Replication"
        echo "attributes:"
        echo "  connections: {SRC: {type: sqlite, instance: $WORK/src.db}, OUT: {type: sqlite, instance: $WORK/$1.db}}"
        echo "  name: copy"
        echo "  source: SRC"
        echo "  target: OUT"
        echo "  defaults: {mode: full-refresh}"
        echo "  env: {SLING_LOADED_AT_COLUMN: false, SLING_ON_CONSTRAINT_FAILURE: skip}"
        echo "  streams:"
        echo "    good:"
        echo "      sql: select * from v"
        echo "      object: main.good"
        echo "      columns: {id: 'bigint | value % 3 != 0 && record.i != null', f: 'double | value > 0', t: \"string | value != 'gone'\"}"
        echo "      transforms:"
        n=0
        while IFS= read -r line; do n=$((n + 1)); echo "        - {x$n: \"$line\"}"; done < good
        echo "        - {t: [trim_space, upper, 'value + \"!\"']}"
        echo "        - {t: 'record.x7 == null ? lower(value) : value'}"
        echo "    wide:"
        echo "      sql: select * from wide"
        echo "      object: main.wide"
        echo "      transforms: [upper, lower, \"replace(value, 'b', 'bbbb')\"]"
        n=0
        while IFS= read -r line; do
            n=$((n + 1))
            echo "    bad$n:"
            echo "      sql: select * from v where i is not null and t > 'Z'"
            echo "      object: main.bad$n"
            echo "      transforms: [{y: \"$line\"}]"
        done < bad
    } > "$1/defs/defs.yaml"
}
project fast
project memory
project walked
rules() { "$DGC" build "$1" --emit c 2> /dev/null | grep -c 'DgRuleRows \*x, '; }
is "each expression is a loop, once" $(($(wc -l < good) + 4 + 3 + 2 + $(wc -l < bad))) "$(rules fast)"
expect "builds" "$DGC" build fast -o fast.bin
./fast.bin run --project fast --home h1 --progress plain > fast.log 2>&1
"$DGC" run memory --home h2 --progress plain > memory.log 2>&1
DGC_WALK_RULES=1 "$DGC" run walked --home h3 --progress plain > walked.log 2>&1
for p in fast memory walked; do
    sqlite3 $p.db 'SELECT * FROM good ORDER BY id' > $p.good
    sqlite3 $p.db 'SELECT * FROM wide ORDER BY id' > $p.wide
    grep -o "Failed copy__bad.*" $p.log | sort -u > $p.errors
done
is "rows that keep the constraints" "$(sqlite3 src.db "SELECT count(*) FROM v WHERE id % 3 != 0 AND i IS NOT NULL AND (f > 0 OR f IS NULL)")" "$(wc -l < fast.good)"
is "values, by hand" "$(sqlite3 src.db "SELECT i * 2 + 1, upper(trim(t)), length(t) FROM v WHERE id = 500")" "$(sqlite3 fast.db "SELECT x2, replace(x32, 'Ë', 'ë'), x50 FROM good WHERE id = 500")"
same "values: built and walked" fast.good walked.good
same "values: in memory and walked" memory.good walked.good
same "long texts: built and walked" fast.wide walked.wide
is "long texts are whole" "$(sqlite3 src.db "SELECT sum(length(t)) + sum(length(t) - length(replace(t, 'b', ''))) * 3 FROM wide")" "$(sqlite3 fast.db 'SELECT sum(length(t)) FROM wide')"
is "each mistake is told" "$(wc -l < bad)" "$(wc -l < fast.errors)"
same "mistakes: built and walked" fast.errors walked.errors
same "mistakes: in memory and walked" memory.errors walked.errors
[ "$failures" = 0 ] || tail -c 500 memory.log
finish
