#!/usr/bin/env bash
# start.sh [stop]: a PostgreSQL for this sample, on 127.0.0.1, its data in server/ beside this file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/servers/postgres.sh"
if [ "${1:-}" = stop ]; then
    postgres_data=$here/server/data
    postgres_stop
    rm -rf "$here/server"
    exit 0
fi
[ ! -f "$here/server/env" ] || { echo "it runs already; $0 stop ends it"; exit 0; }
postgres_start "$here/server"
createdb shop
psql -q shop << 'SQL'
CREATE TABLE customers(id int PRIMARY KEY, name text NOT NULL, country char(2));
CREATE TABLE orders(id bigint PRIMARY KEY, customer_id int NOT NULL, status text, updated_at timestamptz NOT NULL);
CREATE TABLE items(order_id bigint, sku text, quantity int, price numeric, note text);
INSERT INTO customers SELECT g, 'customer ' || g, (ARRAY['DE', 'FR', 'US', NULL])[g % 4 + 1] FROM generate_series(1, 500) g;
INSERT INTO orders SELECT g, g % 500 + 1, (ARRAY['open', 'paid', 'sent'])[g % 3 + 1], timestamptz '2026-01-01' + g * interval '1 minute' FROM generate_series(1, 20000) g;
INSERT INTO items SELECT g % 20000 + 1, 'sku-' || g % 97, g % 5 + 1, (g % 1000) / 10.0, NULL FROM generate_series(1, 60000) g;
SQL
printf 'export SHOP_PG=postgres://postgres@127.0.0.1:%s/shop\n' "$PGPORT" > "$here/server/env"
echo "started; now: . $here/server/env"
