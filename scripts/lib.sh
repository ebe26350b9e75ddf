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
