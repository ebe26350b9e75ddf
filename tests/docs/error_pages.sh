#!/usr/bin/env bash
# error_pages.sh: each diagnostic has its page, and the pages say what dgc says.
#
# In docs/errors/CODE.md, code blocks with the info string `LANGUAGE fail FILE` are together one
# project, in which `dgc check` must report CODE; those with `LANGUAGE good FILE` are another, in
# which it must not, nor any error. FILE is relative to the folder of the component; dgc.yaml, .env
# and components/ are the project's.
set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# project PAGE WORD FOLDER: writes the blocks with that word; false when there are none.
project() {
    mkdir -p "$3/defs/example"
    [ -f "$3/dgc.yaml" ] || echo 'name: example' > "$3/dgc.yaml"
    awk -v word="$2" -v root="$3" '
        /^```/ && out { close(out); out = ""; next }
        /^```/ {
            n = split(substr($0, 4), info, " ")
            if (n == 3 && info[2] == word) {
                file = info[3]
                if (file !~ /^(dgc\.yaml|\.env|components\/)/)
                    file = "defs/example/" file
                out = root "/" file
                folder = out
                sub(/\/[^\/]*$/, "", folder)
                system("mkdir -p \"" folder "\"")
                printf "" > out
                found = 1
                next
            }
        }
        out { print > out }
        END { exit !found }' "$1"
}

codes_in() { grep -oE '"code":"[EW][0-9]{4}"' "$1" | grep -oE '[EW][0-9]{4}' | sort -u | tr '\n' ' '; }

codes=$(sed -nE 's/^ *X\(([EW][0-9]{4}), "([^"]+)".*/\1 \2/p' compiler/diag_codes.h)
while read -r code slug; do
    page=docs/errors/$code.md
    if [ ! -f "$page" ]; then echo "FAIL $code: there is no $page"; continue; fi
    if [ "$(head -1 "$page")" = "# $code $slug" ]; then echo "ok $code has a page"
    else echo "FAIL $code: the first line of $page is not \`# $code $slug\`"; fi
    [ -x "${DGC:-}" ] || continue
    for word in fail good; do
        root=$work/$code.$word
        project "$page" $word "$root" || continue
        "$DGC" check "$root" --format json < /dev/null > "$work/out" 2> "$work/err"
        got=$(codes_in "$work/out")
        if [ $word = fail ]; then
            case " $got" in *" $code "*) echo "ok $code: the failing example fails" ;;
            *) echo "FAIL $code: the failing example gives: ${got:-nothing}" ;; esac
        else
            case " $got" in *" $code "* | *" E"*) echo "FAIL $code: the good example gives: $got" ;;
            *) echo "ok $code: the good example is good" ;; esac
        fi
    done
done <<< "$codes"
for page in docs/errors/[EW]*.md; do
    code=$(basename "$page" .md)
    grep -q "^$code " <<< "$codes" || echo "FAIL $page: there is no such code"
done
