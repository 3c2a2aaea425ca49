#!/bin/bash
# with.sh COMMAND...: runs the command with the real peers that tests want, started once and stopped at its end, and
# then says which tests were skipped for want of one. tests/it/harness.rs reads the variables that are set here.
set -euo pipefail
peers=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d /tmp/rackhand-peers.XXXXXX)
chmod 711 "$dir" # the user postgres passes through
finish() {
  [ -z "${ironic:-}" ] || wait "$ironic" || true # it is not ended in the middle of an installation
  [ ! -d "$dir/ironic" ] || "$peers/ironic.sh" stop "$dir" || true
  [ ! -d "$dir/postgres/data" ] || "$peers/postgres.sh" stop "$dir" || true
  [ -z "${RACKHAND_TEST_HOSTS:-}" ] || "$peers/hosts/lab.sh" leave 8 || true
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export RACKHAND_TEST_POSTGRES RACKHAND_TEST_ANSIBLE RACKHAND_TEST_SSHD=/usr/sbin/sshd RACKHAND_SKIPPED_LOG=$dir/skipped
# Ironic takes some seconds to start, and a minute to install: meanwhile the others are.
venv=$root/target/peers/ironic
{ "$peers/ironic.sh" install "$venv" && "$peers/ironic.sh" start "$venv" "$dir" > "$dir/ironic.urls"; } &
ironic=$!
RACKHAND_TEST_POSTGRES=$("$peers/postgres.sh" start "$dir")
if [ -x "$peers/ansible.sh" ]; then
  "$peers/ansible.sh" "$root/target/peers/ansible"
  RACKHAND_TEST_ANSIBLE=$root/target/peers/ansible/bin/ansible-playbook
fi
if [ -x "$peers/mcp.sh" ]; then
  "$peers/mcp.sh" "$root/target/peers/mcp"
  export RACKHAND_TEST_MCP=$root/target/peers/mcp
fi
"$peers/schemathesis.sh" "$root/target/peers/schemathesis"
export RACKHAND_TEST_SCHEMATHESIS=$root/target/peers/schemathesis/bin/schemathesis
[ -x $RACKHAND_TEST_SSHD ] || "$peers/packages.sh" openssh-server
# A machine that cannot run hosts says why; the tests that want them are then skipped, or fail where none may be.
if [ -x "$peers/hosts/install.sh" ] && "$peers/hosts/install.sh"; then
  export RACKHAND_TEST_HOSTS=$peers/hosts
  # The tests that want hosts bring their network up. Whichever run of tests ends last takes it down, with whatever
  # hosts a failed test has left in it.
  hosts=$(. "$peers/hosts/config.sh" && echo "$HOSTS_HOME")
  mkdir -p "$hosts"
  # On a disk that other programs keep busy, installing packages takes twice as long.
  [ "$(awk '$1 == "MemAvailable:" {print int($2 / 1048576)}' /proc/meminfo)" -lt 12 ] || export HOSTS_TMPFS=${HOSTS_TMPFS:-6g}
  exec 8> "$hosts/lab.users"
  flock --shared 8
fi
wait "$ironic"
export RACKHAND_TEST_IRONIC RACKHAND_TEST_BMCS
read -r RACKHAND_TEST_IRONIC RACKHAND_TEST_BMCS < "$dir/ironic.urls"

status=0
"$@" 8>&- || status=$? # nothing that outlives the tests counts as one of their runs
if [ -s "$dir/skipped" ]; then
  echo "$(wc -l < "$dir/skipped") tests were SKIPPED:" >&2
  sort -u "$dir/skipped" >&2
fi
exit $status
