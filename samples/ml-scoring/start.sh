#!/usr/bin/env bash
# start.sh [serve|stop]: an MLflow server for this sample on 127.0.0.1:5000, its data in server/ beside this file; `serve`: the model that is
# champion on 127.0.0.1:5001. MLflow comes from PyPI, into a cache outside of the tree.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = stop ]; then
    for file in "$here"/server/*.pid; do [ ! -f "$file" ] || kill -- "-$(cat "$file")" 2> /dev/null || true; done
    rm -rf "$here/server"
    exit 0
fi
PATH=$(dirname "$("$here/../../scripts/conformance_mlflow.sh")"):$PATH
export MLFLOW_TRACKING_URI=http://127.0.0.1:5000 MLFLOW_DISABLE_TELEMETRY=true
mkdir -p "$here/server" && cd "$here/server"
start() { # NAME URL COMMAND...
    name=$1 url=$2
    shift 2
    setsid "$@" > "$name.log" 2>&1 < /dev/null &
    echo $! > "$name.pid"
    for _ in $(seq 120); do ! curl -sf -o /dev/null "$url" || return 0; sleep 1; done
    echo "$name does not start; see $here/server/$name.log" >&2
    return 1
}
if [ "${1:-}" = serve ]; then
    [ ! -f model.pid ] || kill -- "-$(cat model.pid)" 2> /dev/null || true
    start model http://127.0.0.1:5001/ping mlflow models serve -m models:/spend@champion -p 5001 --env-manager local
else
    start mlflow http://127.0.0.1:5000/health mlflow server --port 5000 --workers 1 --backend-store-uri sqlite:///mlflow.db \
        --artifacts-destination artifacts --serve-artifacts
    printf 'export MLFLOW_TRACKING_URI=%s MODEL_URL=http://127.0.0.1:5001\n' "$MLFLOW_TRACKING_URI" > env
    echo "started; now: . $here/server/env"
fi
