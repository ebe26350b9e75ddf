#!/usr/bin/env bash
# fetch_deb_source.sh SOURCE DIR: unpack a pinned Debian source package, patches applied, into DIR.
#
# Works from a private source list that repeats the machine's configured package sources as
# deb-src; nothing under /etc is touched and no root is needed. The upstream tarball must match its
# pin. Of Debian's patch sets the pinned ones are preferred, newest first; if the archive has
# dropped them all, the newest one there is used (apt has checked its signature chain) with a note.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

source_name=$1
dest=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"

# Both styles of source list, turned into deb-src entries. $1: a pattern that the address of an
# archive must match, since other vendors' archives often hold no sources at all.
write_private_lists() {
    local file
    rm -rf "$work/sources.d" && mkdir "$work/sources.d"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -nE 's/^[[:space:]]*deb(-src)?[[:space:]]/deb-src /p' "$file"
    done | awk -v pattern="$1" '$0 ~ pattern && !seen[$0]++' > "$work/sources.d/all.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        awk -v pattern="$1" 'BEGIN { RS = ""; ORS = "\n\n" }
            { uris = $0; sub(/^(.*\n)?URIs:/, "", uris); sub(/\n.*/, "", uris) }
            uris ~ pattern { sub(/^Types:[^\n]*/, "Types: deb-src")
                             sub(/\nTypes:[^\n]*/, "\nTypes: deb-src"); print }' \
            "$file" > "$work/sources.d/$(basename "$file")"
    done
    find "$work/sources.d" -size 0 -delete
    [ -n "$(ls -A "$work/sources.d")" ]
}

apt_private() {
    apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$work/sources.d" -o Dir::State::lists="$work/lists" \
        -o Dir::Cache="$work/cache" "$@"
}

listed_revisions() {
    apt-cache -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources.d" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" showsrc "$source_name" |
        awk -v name="$source_name" \
            '$1 == "Package:" { ours = ($2 == name) } $1 == "Version:" && ours { print $2 }' |
        sort -rVu
}

# try_revision REVISION: leaves the two tarballs in $work/src, or fails.
try_revision() {
    rm -rf "$work/src" && mkdir "$work/src" && cd "$work/src"
    apt_private source --only-source --download-only "$source_name=$1" > "$work/log" 2>&1 || return 1
    orig=$(ls "$work/src/${source_name}_"*.orig.tar.* | grep -v '\.asc$' | head -1)
    patches=$(ls "$work/src/${source_name}_"*.debian.tar.* | head -1)
}

orig_pinned() { pins deb-orig "$source_name" | awk '{ print $3 }' | grep -qx "$(sha256_of "$orig")"; }
patches_pinned() { pins deb-patches "$source_name" | awk '{ print $3 }' | grep -qx "$(sha256_of "$patches")"; }

choose_revision() {
    local revision available
    available=$(listed_revisions)
    for revision in $available; do
        pins deb-patches "$source_name" | awk '{ print $2 }' | grep -qxF -- "$revision" || continue
        if try_revision "$revision" && orig_pinned && patches_pinned; then return 0; fi
    done
    for revision in $available; do
        if try_revision "$revision" && orig_pinned; then
            say "$source_name: revision $revision is not among the pinned patch sets;" \
                "using it (patches $(sha256_of "$patches"))"
            return 0
        fi
    done
    cat "$work/log" >&2 || true
    die "$source_name: no source revision matches the pinned upstream tarball (available: $(echo $available))"
}

write_private_lists '/debian(-security)?/?([ \t]|$)' || write_private_lists . ||
    die "no package source is configured in /etc/apt"
retry apt_private update > "$work/log" 2>&1 || { cat "$work/log" >&2; die "apt-get update failed"; }
choose_revision
rm -rf "$dest" && mkdir -p "$dest"
tar -xf "$orig" -C "$dest" --strip-components=1
tar -xf "$patches" -C "$dest"
[ ! -f "$dest/debian/patches/series" ] || grep -Ev '^[[:space:]]*(#|$)' "$dest/debian/patches/series" |
    while read -r patch_name _; do
        patch -d "$dest" -p1 -s -i "debian/patches/$patch_name" || die "$source_name: $patch_name does not apply"
    done
say "$source_name: $(basename "$orig"), $(basename "$patches")"
