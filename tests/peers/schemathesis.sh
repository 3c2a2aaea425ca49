#!/bin/bash
# schemathesis.sh PATH: a virtual environment at PATH with the fuzzer of schemathesis/requirements.txt in it; nothing to
# do if it is there already.
set -euo pipefail
[ $# = 1 ] || { echo "usage: schemathesis.sh PATH" >&2; exit 2; }
venv=$1 wants=$(cd "$(dirname "$0")/schemathesis" && pwd)/requirements.txt
stamp=$venv/.requirements.txt # what was installed last
! cmp -s "$wants" "$stamp" || exit 0
rm -f "$stamp"
python3.11 -m venv "$venv" 2>/dev/null || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wants" >&2
cp "$wants" "$stamp"
