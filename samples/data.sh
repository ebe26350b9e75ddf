#!/bin/sh
# Puts the samples' data in place: files of the npm packages vega-datasets and
# @octokit/webhooks-examples, which set-up has fetched. Does nothing when they are there.
set -eu
cd "$(dirname "$0")"
share=${TP_SHARE:-$(../scripts/tp_dir.sh)/share}

copy() { # from, to
    [ -s "$2" ] && return
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.part"
    mv "$2.part" "$2"
}

for name in flights-3m.parquet airports.csv movies.json cars.json seattle-weather.csv; do
    copy "$share/vega-datasets/$name" "flights/data/$name"
done
copy "$share/webhooks-examples/api.github.com/index.json" github-events/data/webhooks.json
