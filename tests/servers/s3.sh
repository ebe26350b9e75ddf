# s3.sh: an S3 server that verifies signatures (versitygw), on 127.0.0.1, for one test. Sourced, not run.
#
#   s3_start FOLDER    starts it with its objects in FOLDER/data, bucket `lake`; sets S3_PORT and S3_DATA and exports the
#                      AWS_... variables by which it is reached. Fails when there is none and none can be built.
#   s3_stop            stops it; safe to call twice

s3_pid=

s3_start() {
    local server waited=0
    server=$("$ROOT/scripts/conformance_s3.sh" 2> "$1/s3-build.log") && [ -x "$server" ] || return 1
    S3_DATA=$1/data
    mkdir -p "$S3_DATA/lake"
    S3_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export AWS_ACCESS_KEY_ID=AKTEST AWS_SECRET_ACCESS_KEY=SKTEST AWS_ENDPOINT_URL_S3=http://127.0.0.1:$S3_PORT AWS_EC2_METADATA_DISABLED=true
    ROOT_ACCESS_KEY=AKTEST ROOT_SECRET_KEY=SKTEST "$server" --port "127.0.0.1:$S3_PORT" --region us-east-1 posix "$S3_DATA" > "$1/s3.log" 2>&1 &
    s3_pid=$!
    until (exec 3<> "/dev/tcp/127.0.0.1/$S3_PORT") 2> /dev/null; do
        waited=$((waited + 1))
        if [ $waited -gt 200 ] || ! kill -0 "$s3_pid" 2> /dev/null; then
            echo "FAIL the S3 server does not start"
            tail -n 5 "$1/s3.log"
            s3_stop
            return 1
        fi
        sleep 0.05
    done
}

s3_stop() {
    if [ -n "$s3_pid" ]; then
        kill "$s3_pid" 2> /dev/null
        wait "$s3_pid" 2> /dev/null
    fi
    s3_pid=
}
