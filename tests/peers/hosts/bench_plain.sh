#!/bin/bash
# bench_plain.sh   seconds that plain ansible-playbook takes on one fresh host: with ansible/ansible.cfg, and with
# Ansible's default settings.  HOSTS_SUITE picks the image.  A first, untimed host fills the apt cache.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/config.sh"
ANSIBLE=$(cd "$HERE/../../../ansible" && pwd) NAME=bench OCTET=${BENCH_OCTET:-250}
IP=$HOSTS_NET.$OCTET

"$HERE/install.sh" check
"$HERE/mkbase.sh" "$HOSTS_SUITE" "$HOSTS_BASE"
"$HERE/../ansible.sh" "$HOSTS_HOME/venv"
"$HERE/lab.sh" up
DIR=$(mktemp -d)
: > "$DIR/defaults.cfg"
trap 'close_connections; "$HERE/target.sh" down $NAME; rm -rf "$DIR"' EXIT
ssh-keygen -q -t ed25519 -N '' -C bench -f "$DIR/key"
cat > "$DIR/vars.yml" <<V
rackhand_public_key: $(cat "$DIR/key.pub")
rackhand_private_key_file: $DIR/key
rackhand_hostname: bench
rackhand_ignore_ips: [$HOSTS_NET.1]
V

close_connections() { # ControlPersist keeps them for a minute
  local socket; for socket in "$DIR"/cp/*; do ssh -o ControlPath="$socket" -O exit any 2>/dev/null || true; done
}

inventory() { # inventory CREDENTIAL
  echo "$NAME ansible_host=$IP ansible_user=root $1 ansible_ssh_common_args='-o UserKnownHostsFile=$DIR/known_hosts'"
}

play() { # play CONFIG PLAYBOOK: prints its seconds
  local start=$EPOCHREALTIME
  ANSIBLE_CONFIG=$1 ANSIBLE_ROLES_PATH=$ANSIBLE/roles ANSIBLE_SSH_CONTROL_PATH_DIR=$DIR/cp \
    "$HOSTS_HOME/venv/bin/ansible-playbook" -i "$DIR/inventory" -e "@$DIR/vars.yml" "$ANSIBLE/playbooks/$2.yml" \
    > "$DIR/log" 2>&1 || { cat "$DIR/log" >&2; die "$2.yml failed"; }
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.1f", b - a}'
}

measure() { # measure LABEL CONFIG: one line of the table
  "$HERE/target.sh" up $NAME "$OCTET"
  ssh-keyscan -t ed25519 "$IP" > "$DIR/known_hosts" 2>/dev/null
  inventory "ansible_password=$("$HERE/target.sh" password $NAME)" > "$DIR/inventory"
  local access base again
  access=$(play "$2" access)
  inventory "ansible_ssh_private_key_file=$DIR/key" > "$DIR/inventory"
  base=$(play "$2" base)
  again=$(play "$2" base)
  printf '%-26s %8s %8s %12s\n' "$1" "$access" "$base" "$again"
  close_connections
  "$HERE/target.sh" down $NAME
}

measure warm-up "$ANSIBLE/ansible.cfg" > /dev/null
printf '%-26s %8s %8s %12s\n' "$HOSTS_SUITE, seconds" access base "base again"
measure "Ansible's defaults" "$DIR/defaults.cfg"
measure "ansible/ansible.cfg" "$ANSIBLE/ansible.cfg"
