# Shared by the set-up scripts: where the cache is, what the pins say, how to report.
# Sourced, not run.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pins_file=$root_dir/scripts/pins.txt
cache_dir=${DGC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dgc}

# The third-party tree is named by the pins it was built from, so two checkouts with different
# pins never disturb each other. System packages (apt lines) do not enter the name.
third_party_dir() {
    local hash
    hash=$(grep -Ev '^(#|apt |[[:space:]]*$)' "$pins_file" | sha256sum | cut -c1-12)
    printf '%s/third_party/%s\n' "$cache_dir" "$hash"
}

# pins KIND [NAME]: the lines of that kind, without the kind.
pins() {
    awk -v kind="$1" -v name="${2:-}" \
        '$1 == kind && (name == "" || $2 == name) { $1 = ""; sub(/^ /, ""); print }' "$pins_file"
}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# retry COMMAND...: networks hiccup; three attempts, then the failure counts.
retry() {
    local attempt
    for attempt in 1 2 3; do
        "$@" && return 0
        [ "$attempt" = 3 ] || { say "attempt $attempt failed: $*"; sleep $((attempt * 3)); }
    done
    return 1
}

# new_venv DIR: an empty Python environment. Debian has venv in a package of its own.
new_venv() {
    local sudo=
    rm -rf "$1"
    ! python3 -m venv "$1" > /dev/null 2>&1 || return 0
    rm -rf "$1"
    [ "$(id -u)" = 0 ] || sudo=sudo
    say "installing python3-venv"
    $sudo apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends python3 python3-venv > /dev/null < /dev/null ||
        { $sudo apt-get -q update > /dev/null && $sudo apt-get -q -y install --no-install-recommends python3 python3-venv > /dev/null < /dev/null; }
    /usr/bin/python3 -m venv "$1" >&2
}

# python_env NAME [--no-deps] PACKAGE...: an environment in the cache with these packages, made once. Prints its interpreter.
python_env() (
    export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
    name=$1; shift
    dir=$cache_dir/conformance/$name-$(printf '%s\n' "$@" | sha256sum | cut -c1-12)
    mkdir -p "$cache_dir/conformance"
    exec 9> "$dir.lock"
    flock 9
    if [ ! -e "$dir/.ready" ]; then
        new_venv "$dir"
        retry "$dir/bin/pip" install -q --no-compile "$@" >&2 || die "pip could not install $*"
        touch "$dir/.ready"
    fi
    echo "$dir/bin/python"
)
