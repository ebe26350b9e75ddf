#!/usr/bin/env bash
# Values that are hard to keep, from PostgreSQL through each engine and back: the same, or an error.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../servers/postgres.sh"
cd "$WORK" || exit 1
work=$WORK
trap 'postgres_stop; rm -rf "$work"' EXIT
postgres_start "$WORK/pg" || { echo "FAIL PostgreSQL does not start"; exit 1; }
createdb shop
pg=postgres://postgres@127.0.0.1:$PGPORT/shop
sql() { PGOPTIONS="-c client_min_messages=warning" psql -qAt -v ON_ERROR_STOP=1 shop -c "$1"; }
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}

# One table a type: name, type, values.
types="
i2|smallint|-32768 -1 0 1 32767
i4|integer|-2147483648 -1 0 1 2147483647
i8|bigint|-9223372036854775808 -9007199254740993 -9007199254740991 0 9007199254740991 9007199254740993 9223372036854775807
n2|numeric(10,2)|-99999999.99 -0.01 0.00 0.10 0.99 1.00 12345678.90 99999999.99
n38|numeric(38,0)|-99999999999999999999999999999999999999 -1 0 99999999999999999999999999999999999999 10000000000000000000000000000000000000
n3818|numeric(38,18)|-99999999999999999999.999999999999999999 0.000000000000000001 123.456000000000000000 10000.000100000000000000
n11|numeric(1,1)|-0.9 0.0 0.9
f4|real|-3.4028235e+38 -0 0 1.1754944e-38 3.1415927 3.4028235e+38 NaN Infinity -Infinity
f8|double_precision|-1.7976931348623157e+308 -0 0 5e-324 0.1 0.30000000000000004 9007199254740993 1.7976931348623157e+308 NaN Infinity -Infinity
b|boolean|true false
d|date|0001-01-01 1582-10-04 1969-12-31 1970-01-01 2000-02-29 2024-12-31 9999-12-31 infinity -infinity
t|time|00:00:00 00:00:00.000001 12:34:56.789012 23:59:59.999999
ts|timestamp|0001-01-01T00:00:00 1969-12-31T23:59:59.999999 1970-01-01T00:00:00 2038-01-19T03:14:08 2024-02-29T12:00:00.123456 9999-12-31T23:59:59.999999 infinity -infinity
tz|timestamptz|0001-01-01T00:00:00Z 1970-01-01T00:00:00+14 2024-03-31T02:30:00+01 2024-10-27T02:30:00.5-07 9999-12-31T23:59:59Z infinity
u|uuid|00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff 123e4567-e89b-12d3-a456-426614174000
"
count=0
while IFS='|' read -r name type values; do
    [ -n "$name" ] || continue
    type=${type//_/ }
    sql "CREATE TABLE v_$name(id int primary key, v $type)"
    i=0
    for value in $values; do
        i=$((i + 1))
        sql "INSERT INTO v_$name VALUES ($i, '$value')"
    done
    sql "INSERT INTO v_$name VALUES (0, NULL)"
    count=$((count + i + 1))
done <<< "$types"
psql -q shop <<'SQL'
CREATE TABLE v_text(id int primary key, v text);
INSERT INTO v_text VALUES (0, NULL), (1, ''), (2, ' '), (3, E'\t\n\r\\'), (4, '''"`'), (5, 'NULL'), (6, E'\\N'), (7, 'héß'), (8, '日本語'),
    (9, '😀👩‍👩‍👧'), (10, U&'\200E\202Eabc'), (11, repeat('x', 1000000)), (12, E'\x01\x1f'), (13, 'a,b;c|d'), (14, '{"a": 1}'), (15, E'\u00a0'), (16, '-');
CREATE TABLE v_vc(id int primary key, v varchar(5));
INSERT INTO v_vc VALUES (0, NULL), (1, ''), (2, 'abcde'), (3, '😀😀😀😀😀');
CREATE TABLE v_bytes(id int primary key, v bytea);
INSERT INTO v_bytes VALUES (0, NULL), (1, ''), (2, '\x00'), (3, '\xff00fe');
INSERT INTO v_bytes SELECT 4, decode(string_agg(lpad(to_hex(g), 2, '0'), '' ORDER BY g), 'hex') FROM generate_series(0, 255) g;
SQL
sql "CREATE TABLE v_json(id int primary key, v jsonb); INSERT INTO v_json VALUES (0, NULL), (1, 'null'), (2, '{}'), (3, '[1, 2.50, 1e30, 9007199254740993]'), (4, '{\"a\": {\"b\": [null, true, \"x\\\"y\"]}}'), (5, '\"text\"')"
sql "CREATE TABLE v_iv(id int primary key, v interval); INSERT INTO v_iv VALUES (0, NULL), (1, '1 year 2 months 3 days 04:05:06.789'), (2, '-1 day'), (3, '0'), (4, '00:00:00.000001'), (5, '-178956970 years')"
sql "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE v_odd(id int primary key, e mood, n inet, m money, a int[], x text[], r int4range, p point, g timetz);
    INSERT INTO v_odd(id) VALUES (0); INSERT INTO v_odd VALUES (1, 'ok', '10.0.0.1/8', 12.5, '{1,2,NULL}', '{\"a,b\",NULL,\"\"}', '[1,5)', '(1,2)', '10:00:00+02')"
count=$((count + 17 + 4 + 5 + 6 + 6))
tables=$(sql "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname ~ '^v_' AND relkind = 'r'")

differ() { # A B EXPRESSION: rows that are not in both
    sql "SELECT (SELECT count(*) FROM (SELECT id, $3 FROM $1 EXCEPT SELECT id, $3 FROM $2) x) + (SELECT count(*) FROM (SELECT id, $3 FROM $2 EXCEPT SELECT id, $3 FROM $1) x)"
}
for through in pg duckdb sqlite; do
    sql "DROP SCHEMA IF EXISTS back CASCADE; CREATE SCHEMA back"
    for table in $tables; do
        [ "$table" != v_odd ] || continue
        sql "CREATE TABLE back.$table (LIKE public.$table INCLUDING ALL)"
        case $through in
        pg) middle="$pg" name="public.m_$table" ;;
        duckdb) middle="duckdb://$WORK/m.duckdb" name="main.$table" ;;
        sqlite) middle="sqlite://$WORK/m.db" name=$table ;;
        esac
        if "$DGC" copy "$pg?table=public.$table" "$middle?table=$name" --progress plain > log 2>&1 &&
            "$DGC" copy "$middle?table=$name" "$pg?table=back.$table" --mode truncate --progress plain > log 2>&1; then
            expression=v::text
            case "$through $table" in
            "sqlite v_f4") expression='(v::real + 0)::text' ;; # 32-bit floats are widened; SQLite has no -0
            "sqlite v_f8") expression='(v + 0)::text' ;;
            "sqlite v_iv") continue ;;                          # intervals are text in SQLite
            esac
            is "$through: $table" 0 "$(differ "public.$table" "back.$table" "$expression")"
        else
            reason=$(sed -n 's/.*Failed copy: //p' log)
            echo "FAIL $through: $table: $reason"
            failures=$((failures + 1))
        fi
    done
done
expect "odd types become text and JSON" "$DGC" copy "$pg?table=public.v_odd" "$pg?table=public.odd_copy"
is "enum, inet, money, arrays, ranges" '1|ok|10.0.0.1/8|$12.50|[1, 2, null]|["a,b", null, ""]|[1,5)|(1,2)|10:00:00+02' "$(sql "SELECT * FROM odd_copy WHERE id = 1")"
sql "CREATE TABLE v_loose(id int, v numeric); INSERT INTO v_loose VALUES (1, 1.5), (2, 0.1234567891)"
"$DGC" copy "$pg?table=public.v_loose" "$pg?table=public.loose_copy" --progress plain > log 2>&1
is "a numeric that does not fit is refused" 65 $?
grep -q 'column `v`.*does not fit decimal(38,9)' log && echo "ok and told of" || { echo "FAIL: $(cat log)"; failures=$((failures + 1)); }
echo "values: $count in each of 3 ways"
finish
