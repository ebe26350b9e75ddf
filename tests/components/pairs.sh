#!/usr/bin/env bash
# Values that are hard to keep, over each pair of source and target: PostgreSQL, MariaDB, SQLite, DuckDB, Parquet and CSV.
# A table of PostgreSQL goes into the source, from there into the target, and from there into a table of PostgreSQL's
# again, where it is compared value by value. What no type of both ends can hold is in a second table, for those pairs that can.
# TEST_TIMEOUT: 600
set -u
. "$(dirname "$0")/../e2e/lib.sh"
for server in postgres mariadb; do . "$(dirname "$0")/../servers/$server.sh"; done
cd "$WORK" || exit 1
work=$WORK
trap 'mariadb_stop; postgres_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
postgres_start "$WORK/pg" || { echo "FAIL PostgreSQL does not start"; exit 1; }
mariadb_start "$WORK/server" || exit 1
createdb shop
pg=postgres://postgres@127.0.0.1:$PGPORT/shop
sql() { PGOPTIONS="-c client_min_messages=warning" psql -qAtX -v ON_ERROR_STOP=1 shop -c "$1"; }
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}

# Of each type its values, row by row in a column of its own.
lists="
i2|smallint|-32768 -1 0 1 32767
i4|integer|-2147483648 -1 0 1 2147483647
i8|bigint|-9223372036854775808 -9007199254740993 -9007199254740992 -9007199254740991 -1 0 1 9007199254740991 9007199254740992 9007199254740993 9223372036854775806 9223372036854775807
n2|numeric(10,2)|-99999999.99 -1.10 -0.01 0.00 0.01 0.10 0.99 1.00 12345678.90 99999999.99
n38|numeric(38,0)|-99999999999999999999999999999999999999 -18446744073709551617 -1 0 18446744073709551616 10000000000000000000000000000000000000 99999999999999999999999999999999999999
n3818|numeric(38,18)|-99999999999999999999.999999999999999999 -0.000000000000000001 0.000000000000000000 0.000000000000000001 123.456000000000000000 10000.000100000000000000
f4|real|-3.4028235e+38 -1.5 0 1.1754944e-38 0.1 3.1415927 16777216 3.4028235e+38
f8|double_precision|-1.7976931348623157e+308 -0.1 0 5e-324 2.2250738585072014e-308 0.1 0.30000000000000004 123456789.12345679 9007199254740993 1e22 1.7976931348623157e+308
b|boolean|true false
d|date|1000-01-01 1582-10-04 1900-02-28 1969-12-31 1970-01-01 2000-02-29 2024-12-31 9999-12-31
t|time|00:00:00 00:00:00.000001 12:34:56.789012 23:59:59.999999
ts|timestamp|1000-01-01T00:00:00 1969-12-31T23:59:59.999999 1970-01-01T00:00:00 2024-02-29T12:00:00.123456 2024-12-31T23:59:59.9 2038-01-19T03:14:08 9999-12-31T23:59:59.999999
tz|timestamptz|1970-01-01T00:00:01Z 1970-01-02T00:00:00+14 2024-03-31T02:30:00+01 2024-06-01T00:00:00.000001Z 2024-10-27T02:30:00.5-07 2038-01-19T03:14:07Z
u|uuid|00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff 123e4567-e89b-12d3-a456-426614174000 80000000-0000-4000-8000-00000000000a
"
beyond="
f4|real|NaN Infinity -Infinity
f8|double_precision|NaN Infinity -Infinity
d|date|infinity -infinity 0001-01-01
ts|timestamp|infinity -infinity 0001-01-01T00:00:00
tz|timestamptz|infinity 0001-01-01T00:00:00Z 1900-01-01T00:00:00Z 9999-12-31T23:59:59Z
"
# fill TABLE LISTS: one column for each line.
fill() {
    local name type values i
    sql "CREATE TABLE $1(id int primary key); INSERT INTO $1 SELECT generate_series(0, 25)"
    while IFS='|' read -r name type values; do
        [ -n "$name" ] || continue
        type=${type//_/ } i=0
        sql "ALTER TABLE $1 ADD COLUMN $name $type"
        for value in $values; do
            i=$((i + 1))
            echo "UPDATE $1 SET $name = '$value' WHERE id = $i;"
        done
    done <<< "$2" > updates.sql
    psql -qX shop -f updates.sql
}
fill master "$lists"
fill further "$beyond"
psql -qX shop <<'SQL'
ALTER TABLE master ADD COLUMN s text, ADD COLUMN vc varchar(5), ADD COLUMN bytes bytea, ADD COLUMN j jsonb;
UPDATE master SET s = x.s FROM (VALUES (1, ' '), (2, E'\t\n\r\\'), (3, '''"`'), (4, 'null'), (5, E'\\N'), (6, 'héß'), (7, '日本語'), (8, '😀👩‍👩‍👧'), (9, U&'\200E\202Eabc'),
    (10, repeat('x', 1000000)), (11, E'\x01\x1f'), (12, 'a,b;c|d'), (13, '{"a": 1}'), (14, E'\u00a0'), (15, '-'), (16, '1e400'), (17, '2024-01-01'), (18, '007'),
    (19, E'line one\nline two'), (20, '""'), (21, 'true')) x(id, s) WHERE master.id = x.id;
UPDATE master SET vc = x.s FROM (VALUES (1, ' '), (2, 'abcde'), (3, '😀😀😀😀😀'), (4, 'e'||U&'\0301')) x(id, s) WHERE master.id = x.id;
UPDATE master SET bytes = x.b FROM (VALUES (1, '\x00'::bytea), (2, '\xff00fe'), (3, '\x5c'), (4, '\x0d0a'), (5, '\x22')) x(id, b) WHERE master.id = x.id;
UPDATE master SET bytes = (SELECT decode(string_agg(lpad(to_hex(g), 2, '0'), '' ORDER BY g), 'hex') FROM generate_series(0, 255) g) WHERE id = 6;
UPDATE master SET j = x.j::jsonb FROM (VALUES (1, '{}'), (2, '[1, 2.50, 1e30, 9007199254740993]'), (3, '{"a": {"b": [null, true, "x\"y"]}}'), (4, '"text"'), (5, '[]'), (6, '"é\\n"'),
    (7, 'false'), (8, '0.1')) x(id, j) WHERE master.id = x.id;
ALTER TABLE further ADD COLUMN s text;
UPDATE further SET s = '' WHERE id = 1;
SQL
columns_of() { sql "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$1'::regclass AND attnum > 1 AND NOT attisdropped"; }
count_of() { sql "SELECT $(sed 's/[^ ][^ ]*/count(&)/g; s/ /+/g' <<< "$(columns_of "$1")") FROM $1"; }
values=$(count_of master) further=$(count_of further)
[ "$values" -ge 120 ] && echo "ok $values values go over each pair, and $further more over some" || { echo "FAIL only $values values"; failures=$((failures + 1)); }

# A CSV file says no types; the reader is told.
types="i2:smallint,i4:integer,i8:bigint,n2:decimal(10,2),n38:decimal(38,0),n3818:decimal(38,18),f4:real,f8:double,b:boolean,d:date,t:time,ts:timestamp,tz:timestamptz,u:uuid,s:text,vc:text,bytes:binary,j:json"
place() { # KIND TABLE: where the table lies
    case $1 in
    postgres) echo "$pg?table=public.pair_$2" ;;
    mariadb) echo "$MARIADB_URL?table=pair_$2" ;;
    sqlite) echo "sqlite://$WORK/pair.db?table=$2" ;;
    duckdb) echo "duckdb://$WORK/pair.duckdb?table=main.$2" ;;
    *) echo "$WORK/pair_$2.$1" ;;
    esac
}
copy() { # FROM-KIND FROM TO [OPTIONS]
    local kind=$1 from=$2 to=$3
    shift 3
    case $kind in
    csv) set -- "$@" --columns "$types" ;;
    mariadb) set -- "$@" --columns u:uuid ;; # it is a CHAR(36) there
    esac
    "$DGC" copy "$from" "$to" --progress plain "$@" > log 2>&1 || { sed -n 's/.*Failed copy: //p' log | cut -c1-300; return 1; }
}
differing() { # TABLE BACK: columns with rows that are not the same
    local column a b found=
    for column in $(columns_of "$1"); do
        a="a.$column::text" b="b.$column::text"
        case $column in # not every engine has a -0, or reals of 32 bits
        f4) a="(a.f4::real + 0::real)::text" b="(b.f4::real + 0::real)::text" ;;
        f8) a="(a.f8 + 0)::text" b="(b.f8 + 0)::text" ;;
        esac
        found+=$(sql "SELECT '$column: ' || string_agg(coalesce(left($a, 40), 'null') || ' became ' || coalesce(left($b, 40), 'null'), ', ') FROM $1 a FULL JOIN $2 b USING (id) WHERE $a IS DISTINCT FROM $b")
    done
    echo "$found"
}
pair() { # SOURCE TARGET TABLE BACK
    local from to problem
    from=$(place "$1" "of_$1_$3") to=$(place "$2" "to_$2_$3")
    problem=$(copy postgres "$pg?table=public.$3" "$from" && copy "$1" "$from" "$to" && sql "DROP TABLE IF EXISTS $4; CREATE TABLE $4 (LIKE $3 INCLUDING ALL)" && copy "$2" "$to" "$pg?table=public.$4" --mode truncate)
    is "$1 to $2${5:-}" "" "${problem:-$(differing "$3" "$4")}"
}
kinds=${PAIRS:-postgres mariadb sqlite duckdb parquet csv}
for source in $kinds; do
    for target in $kinds; do
        pair "$source" "$target" master back
    done
done
# Infinity, NaN, the year 1, the empty text.
for source in $kinds; do
    for target in $kinds; do
        case $source-$target in *mariadb* | *csv*) continue ;; esac
        pair "$source" "$target" further back_further ", beyond"
    done
done
finish
