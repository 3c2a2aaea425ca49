#!/bin/bash
# mcp.sh DIR: two generations of PyPI's MCP client (DIR/1, DIR/2), and npm's with the conformance suites and the node for
# both (DIR/node), in DIR; nothing to do for what is there already.
set -euo pipefail
[ $# = 1 ] || { echo "usage: mcp.sh DIR" >&2; exit 2; }
dir=$1 peers=$(cd "$(dirname "$0")" && pwd) wants=$(cd "$(dirname "$0")" && pwd)/mcp
mkdir -p "$dir"
for generation in 1 2; do
  list=$wants/requirements-$generation.txt venv=$dir/$generation
  ! cmp -s "$list" "$venv/.requirements.txt" || continue
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$list" >&2
  cp "$list" "$venv/.requirements.txt"
done
cmp -s "$wants/package-lock.json" "$dir/node/.package-lock.json" && exit 0
# Any npm will do: the node that these run on is one of the packages.
command -v npm >/dev/null || "$peers/packages.sh" nodejs npm
mkdir -p "$dir/node"
cp "$wants/package.json" "$wants/package-lock.json" "$dir/node/"
(cd "$dir/node" && npm ci --no-audit --no-fund --loglevel=error >&2)
cp "$wants/package-lock.json" "$dir/node/.package-lock.json"
