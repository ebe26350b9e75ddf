#!/usr/bin/env bash
# copy_lib.sh: what the torture scripts of replications share. Sourced, after ../servers/*.sh.
#
# One built pipeline, in which `TARGET_MODE` names a stream: the table `items` of a SQLite database into
# a table (or folder) called as the mode. COPY_TO is the folder of the targets that are files, COPY_DB the database of
# the servers, lake the bucket of S3. `s3_parts` is a folder with an object that is sent in parts.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

modes_of() { # TARGET
    case $1 in parquet) echo append refresh ;; s3) echo append refresh parts ;; *) echo append refresh upsert history nested ${MORE_MODES:-} ;; esac
}

# Server SERVER FOLDER: what a target needs. Without a server of S3, which is built from the network, there is none.
start_servers() { # TARGETS...: $TARGETS is what can be tried
    local target
    TARGETS=
    for target in "$@"; do
        case $target in
        postgres) postgres_start "$scratch/pg" || { echo "FAIL PostgreSQL does not start"; exit 1; } ;;
        mysql) mariadb_start "$scratch/my" || exit 1 ;;
        s3) mkdir -p "$scratch/s3"
            s3_start "$scratch/s3" || { echo "SKIPPED s3: NO SERVER COULD BE BUILT HERE: $(tail -n 1 "$scratch/s3/s3-build.log")"; continue; } ;;
        esac
        TARGETS+=" $target"
    done
}
stop_servers() { postgres_stop; mariadb_stop; s3_stop; }

component() { # TARGET MODE
    local object=main.$2 connection table=items
    case $1 in
    sqlite) connection="TO: {type: sqlite, instance: \"{{ env.COPY_TO }}/t.db\"}" ;;
    duckdb) connection="TO: {type: duckdb, instance: \"{{ env.COPY_TO }}/t.duckdb\"}" ;;
    postgres) object=public.$2 connection="TO: {type: postgres, host: 127.0.0.1, port: \"{{ env.COPY_PORT }}\", user: postgres, database: \"{{ env.COPY_DB }}\"}" ;;
    mysql) object=$2 connection="TO: {type: mysql, host: 127.0.0.1, port: \"{{ env.MARIADB_PORT }}\", user: me, password: \"p@ss:word\", database: \"{{ env.COPY_DB }}\"}" ;;
    s3) object="$2/" connection="TO: {type: s3, bucket: lake, endpoint: \"{{ env.AWS_ENDPOINT_URL_S3 }}\"}" ;;
    parquet) object="$2/" connection="TO: {type: file, instance: \"{{ env.COPY_TO }}\"}" ;;
    esac
    echo "type: dgc.Replication"
    echo "attributes:"
    echo "  name: $1_$2"
    echo "  connections:"
    echo "    SRC: {type: sqlite, instance: \"{{ env.COPY_FROM }}\"}"
    [ "$1" = parquet ] && object="{COPY_TO}/$2/" || echo "    $connection"
    echo "  source: SRC"
    [ "$1" = parquet ] && echo "  target: local" || echo "  target: TO"
    [ "$1" = parquet ] && echo "  env: {COPY_TO: \"{{ env.COPY_TO }}\"}"
    echo "  streams:"
    case $2 in parts) table=wide ;; nested) table=docs ;; esac
    echo "    $table:"
    echo "      object: \"$object\""
    echo "      meta: {dagster: {asset_key: $1_$2}}"
    case $2 in
    append) echo "      mode: incremental"; echo "      update_key: id" ;;
    refresh) echo "      mode: full-refresh" ;;
    parts) printf '      %s\n' "mode: full-refresh" "target_options: {format: csv}" ;;
    upsert) printf '      %s\n' "mode: incremental" "primary_key: id" "update_key: changed" ;;
    nested) printf '      %s\n' "mode: incremental" "primary_key: id" "update_key: changed" "max_table_nesting: 3" ;;
    backfill) printf '      %s\n' "mode: backfill" "primary_key: id" "update_key: id" "source_options: {range: \"1,$((${COPY_ROWS:-3000} + 500))\", chunk_count: 4}" ;;
    history) printf '      %s\n' "mode: incremental" "primary_key: id" "update_key: changed" "target_options: {merge_strategy: history_insert}" ;;
    esac
}

# make_pipeline TARGETS...: $pipeline, and the source before and after a day of changes: $before, $after.
make_pipeline() {
    local target mode rows=${COPY_ROWS:-3000}
    mkdir -p "$scratch/p/defs/copy"
    for target in "$@"; do
        for mode in $(modes_of "$target"); do echo "---"; component "$target" "$mode"; done
    done | sed 1d > "$scratch/p/defs/copy/defs.yaml"
    pipeline=$scratch/copy.bin before=$scratch/before.db after=$scratch/after.db
    (cd "$scratch/p" && "${DGC:-$BUILD/dgc}" build . -o "$pipeline") > "$scratch/log" 2>&1 || { cat "$scratch/log"; echo "FAIL the replications build"; exit 1; }
    sqlite3 "$before" "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(10,2), changed TIMESTAMP);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)
        INSERT INTO items SELECT i, 'item ' || i, i / 4.0, datetime('2024-01-01', '+' || i || ' minutes') FROM n"
    sqlite3 "$before" "CREATE TABLE docs(id INTEGER PRIMARY KEY, doc JSON, changed TIMESTAMP);
        INSERT INTO docs SELECT id, json_object('who', name, 'lines', json_array(json_object('sku', id % 7), json_object('sku', id % 3)), 'tags', json_array(id)), changed
        FROM items WHERE id % 5 = 0"
    # 18 MB in four values.
    [[ " $* " != *" s3 "* ]] || sqlite3 "$before" "CREATE TABLE wide AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6)
        SELECT i AS id, hex(zeroblob(1500000)) AS body FROM n"
    cp "$before" "$after"
    [[ " $* " != *" s3 "* ]] || sqlite3 "$after" "UPDATE wide SET id = id + 10"
    sqlite3 "$after" "UPDATE docs SET doc = json_object('who', 'new', 'lines', json_array(json_object('sku', -id))), changed = datetime('2025-01-01', '+' || id || ' minutes') WHERE id % 10 = 0;
        INSERT INTO docs SELECT id + 100000, doc, datetime('2025-06-01') FROM docs WHERE id < 500"
    sqlite3 "$after" "UPDATE items SET price = price + 1, changed = datetime('2025-01-01', '+' || id || ' minutes') WHERE id % 5 = 0;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO items SELECT $rows + i, 'new ' || i, 0, datetime('2025-06-01', '+' || i || ' minutes') FROM n"
    build_tool query tests/torture/query.c || { echo "FAIL query.c builds"; exit 1; }
    export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so COPY_DB=copied COPY_PORT=${PGPORT:-0} MARIADB_PORT=${MARIADB_PORT:-0}
    export AWS_ENDPOINT_URL_S3=${AWS_ENDPOINT_URL_S3:-}
}

# run_copy TARGET MODE SOURCE HOME [VAR=VALUE...] [COMMAND...]: one run of a stream into COPY_TO and COPY_DB.
run_copy() {
    local stream=$1_$2 source=$3 home=$4; shift 4
    (env COPY_FROM="$source" "$@" "$pipeline" run --select "$stream" --home "$home" --progress plain; exit $?) > "$home.err" 2>&1
}

# contents TARGET MODE: the rows in COPY_TO or COPY_DB, in one line. Of a history not its times.
contents() {
    local columns="id, name, price, changed" files rows
    [ "$2" != history ] || columns+=", _dlt_valid_to IS NULL AS is_now"
    rows="SELECT $columns FROM $2"
    [ "$2" != nested ] || rows="SELECT o.id, o.doc__who, l._dlt_list_idx, l.sku, t.value FROM nested o LEFT JOIN nested__doc__lines l ON l._dlt_parent_id = o._dlt_id
        LEFT JOIN nested__doc__tags t ON t._dlt_parent_id = o._dlt_id"
    # Of a backfill in four chunks each was loaded as often as the others: once, or once more when all of it was done.
    [ "$2" != backfill ] || rows="SELECT id, name, price, changed FROM $2 UNION ALL SELECT -1, table_name, count(*) % 4, NULL FROM _dgc_loads WHERE table_name = 'backfill' GROUP BY table_name"
    case $1 in
    sqlite) sqlite3 "$COPY_TO/t.db" "$rows" | sort | awk 'END { print NR }; { print }' | cksum ;;
    postgres) psql -X -A -t -d "$COPY_DB" -c "$rows" | sort | cksum ;;
    duckdb) "$scratch/query" "$COPY_TO/t.duckdb" "SELECT count(*) || ' rows, ' || sum(hash(t)::HUGEINT) FROM ($rows) t" ;;
    mysql) mariadb_sql "USE $COPY_DB; $rows" | sort | cksum ;;
    s3 | parquet)
        local folder=$COPY_TO/$2
        [ "$1" = parquet ] || folder=$S3_DATA/lake/$2
        files=$(python3 -c 'import json, sys; d = sys.argv[1]; print(", ".join("\x27%s/%s\x27" % (d, f) for f in json.load(open(d + "/_dgc_manifest.json"))["files"]))' "$folder")
        if [ "$2" = parts ]; then eval "cat ${files//,/}" | cksum
        else "$scratch/query" "" "SELECT count(*) || ' rows, ' || sum(hash(t)::HUGEINT) FROM (SELECT $columns FROM read_parquet([$files])) t"; fi
        # Nothing is left that the manifest does not name, but for manifests on their way, which stay for an hour.
        [ "$(tr -cd , <<< "$files," | wc -c)" = "$(find "$folder" -type f ! -name '*_dgc_manifest.json*' | wc -l)" ] || echo "leftover: $(ls -A "$folder" | tr '\n' ' ')"
        [ "$1" != s3 ] || find "$S3_DATA/lake/.sgwtmp/multipart" -type f 2> /dev/null | sed 's/.*/leftover part/' | sort -u ;;
    esac 2>&1
}

# MariaDB copies no databases: table by table.
copy_database() { # FROM TO
    local table statements="DROP DATABASE IF EXISTS $2; CREATE DATABASE $2;"
    for table in $(mariadb_sql "SELECT table_name FROM information_schema.tables WHERE table_schema = '$1'"); do
        statements+="CREATE TABLE $2.\`$table\` LIKE $1.\`$table\`; INSERT INTO $2.\`$table\` SELECT * FROM $1.\`$table\`;"
    done
    mariadb_sql "$statements"
}
# Of clients that were killed: the server may not have noticed yet.
end_sessions() {
    mariadb_sql "$(mariadb_sql "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE user = 'me'")" > /dev/null 2>&1 || true
}

# The target as a run over $before left it (`grown`), or nothing (`empty`).
keep_target() { # TARGET NAME
    case $1 in
    postgres) psql -q -X -d template1 -c "CREATE DATABASE $2 TEMPLATE $COPY_DB" ;;
    mysql) copy_database "$COPY_DB" "$2" ;;
    s3) rm -rf "${scratch:?}/$2"; cp -a "$S3_DATA/lake" "$scratch/$2" ;;
    *) rm -rf "${scratch:?}/$2"; cp -r "$COPY_TO" "$scratch/$2" ;;
    esac
}
take_target() { # TARGET NAME
    case $1 in
    postgres) psql -q -X -d template1 -c "DROP DATABASE IF EXISTS $COPY_DB WITH (FORCE)" -c "CREATE DATABASE $COPY_DB TEMPLATE $2 STRATEGY file_copy" 2>&1 | grep -v NOTICE ;;
    mysql) end_sessions; copy_database "$2" "$COPY_DB" ;;
    s3) rm -rf "${S3_DATA:?}/lake"; cp -a "$scratch/$2" "$S3_DATA/lake" ;;
    *) rm -rf "${COPY_TO:?}"; cp -r "$scratch/$2" "$COPY_TO" ;;
    esac
}
