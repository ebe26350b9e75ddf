#!/usr/bin/env bash
# Prints the directory of the third-party tree that scripts/pins.txt names.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
third_party_dir
