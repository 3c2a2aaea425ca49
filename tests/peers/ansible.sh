#!/bin/bash
# ansible.sh PATH: a virtual environment at PATH with ansible/requirements.txt in it; nothing to do if it is there already.
set -euo pipefail
[ $# = 1 ] || { echo "usage: ansible.sh PATH" >&2; exit 2; }
venv=$1 wants=$(cd "$(dirname "$0")/../../ansible" && pwd)/requirements.txt
stamp=$venv/.requirements.txt # what was installed last
! cmp -s "$wants" "$stamp" || exit 0
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wants" >&2
cp "$wants" "$stamp"
