#!/usr/bin/env bash
# conformance_s3.sh: prints the path of an S3 server that verifies signatures (versitygw), built once from
# the Go module into the cache. Fails when there is no Go that can build it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

version=v1.8.0
dir=$cache_dir/conformance/versitygw-$version
if [ ! -x "$dir/versitygw" ]; then
    command -v go > /dev/null || { say "no go: the S3 server cannot be built"; exit 1; }
    mkdir -p "$dir"
    exec 9> "$dir.lock"
    flock 9
    [ -x "$dir/versitygw" ] || GOBIN=$dir GOFLAGS=-buildvcs=false retry go install "github.com/versity/versitygw/cmd/versitygw@$version" >&2
fi
echo "$dir/versitygw"
