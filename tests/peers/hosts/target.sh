#!/bin/bash
# One rented VPS: systemd-nspawn boots an overlay over the base image, with its own network namespace on the bridge.
# Needs root and `lab.sh up`, not systemd on this machine.  A name is up to 9 of a-z 0-9 -, unique on the machine.
#
#   target.sh up NAME OCTET       buy it: boots at HOSTS_NET.OCTET; returns when sshd answers (HOSTS_SUITE picks the image)
#   target.sh down NAME           power cut, and wipe; leaves nothing
#   target.sh password NAME       prints the root password that `up`, `reinstall` or `setpw` set last
#   target.sh setpw NAME          root's password := standard input
#   target.sh reinstall NAME      fresh image, new SSH host keys, new password
#   target.sh reboot NAME         clean reboot from inside; returns when sshd answers again
#   target.sh halt|cut NAME       clean shutdown | power cut; the disk stays
#   target.sh start NAME          boots it after halt or cut
#   target.sh freeze|thaw NAME    it still accepts connections, but says nothing
#   target.sh link-down|link-up NAME
#   target.sh sshd-stop|sshd-start NAME
#   target.sh key-lost NAME       root's authorized_keys is emptied
#   target.sh dpkg-break NAME     as after a power cut in the middle of an installation
#   target.sh exec NAME CMD...    runs CMD inside, as root
#   target.sh leader NAME         the pid, on this machine, of its init
set -euo pipefail
SELF=$(realpath "$0")
. "$(dirname "$SELF")/config.sh"

# ---- cgroups: one of the host's own in each hierarchy, below ours ----
own_cgroup() { awk -F: -v c="$1" '$2 == c {print $3; exit}' /proc/self/cgroup; }
cgroup_dirs() {
  local at c
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then # version 2 only
    at=$(own_cgroup ""); echo "/sys/fs/cgroup${at%/}/th-$1"; return
  fi
  for c in cpu cpuacct cpuset memory devices freezer blkio pids systemd unified; do
    [ -d /sys/fs/cgroup/$c ] || continue
    case $c in systemd) at=$(own_cgroup name=systemd);; unified) at=$(own_cgroup "");; *) at=$(own_cgroup $c);; esac
    echo "/sys/fs/cgroup/$c${at%/}/th-$1"
  done
}

# ---- life ----
up() {
  local dir=$HOSTS_STORE/$1
  [ ! -e "$dir" ] || die "$1 exists already"
  [ -d "$HOSTS_BASE" ] || die "no image at $HOSTS_BASE: run mkbase.sh"
  mkdir -p "$dir"
  echo "$2" > "$dir/octet"; echo "$HOSTS_BASE" > "$dir/base"
  install_image "$1"
  boot "$1"
}

install_image() {
  local dir=$HOSTS_STORE/$1 ip=$HOSTS_NET.$(cat "$HOSTS_STORE/$1/octet") root=$HOSTS_STORE/$1/root
  # Docker cannot put its overlays on an overlay: its directories come from this machine's file system.
  mkdir -p "$dir"/{up,work,root,docker,containerd}
  mount_root "$1"
  install -d "$root/etc/systemd/network"
  printf '[Match]\nName=host0\n[Network]\nAddress=%s/24\nGateway=%s\nDNS=%s\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
    "$ip" "$HOSTS_NET.1" "$HOSTS_NET.1" > "$root/etc/systemd/network/10-host0.network"
  rm -f "$root/etc/resolv.conf"; echo "nameserver $HOSTS_NET.1" > "$root/etc/resolv.conf"
  echo "Acquire::http::Proxy \"http://$HOSTS_NET.1:$HOSTS_APT_PORT\";" > "$root/etc/apt/apt.conf.d/01proxy"
  local type; for type in ed25519 ecdsa; do
    ssh-keygen -q -t $type -N '' -f "$root/etc/ssh/ssh_host_${type}_key" -C root@fresh-vps
  done
  head -c 15 /dev/urandom | base64 | set_password "$1" chroot "$root"
}

mount_root() {
  local dir=$HOSTS_STORE/$1
  mount -t overlay "th-$1" -o "lowerdir=$(cat "$dir/base"),upperdir=$dir/up,workdir=$dir/work" "$dir/root"
}

boot() { # and wait for sshd
  local dir=$HOSTS_STORE/$1 d
  ! alive "$1" || die "$1 is running"
  cgroup_dirs "$1" > "$dir/cgroups"; rm -f "$dir/stop"
  while read -r d; do
    mkdir -p "$d"
    case $d in
      */cpuset/*) cat "${d%/*}/cpuset.cpus" > "$d/cpuset.cpus"; cat "${d%/*}/cpuset.mems" > "$d/cpuset.mems"; echo 1 > "$d/cgroup.clone_children";;
      # The host can make block nodes (docker asks for that) but not open this machine's disks.
      */devices/*) echo 'b *:* rw' > "$d/devices.deny";;
    esac
  done < "$dir/cgroups"
  rm -f "$dir/pid"
  setsid "$SELF" _supervise "$1" < /dev/null >> "$dir/console.log" 2>&1 &
  wait_ssh "$1"
}

supervise() { # runs nspawn, and again each time the host reboots (nspawn --keep-unit then exits with 133)
  local dir=$HOSTS_STORE/$1 d rc=133
  while [ $rc = 133 ] && [ ! -e "$dir/stop" ]; do
    free_interface "$1"
    rc=0
    (
      while read -r d; do echo $BASHPID > "$d/cgroup.procs"; done < "$dir/cgroups"
      echo $BASHPID > "$dir/pid"
      # Debian 13's systemd wants cgroup v2; Debian 12's docker is happier with what this machine has.
      [ "$(sed -n 's/^VERSION_ID="\(.*\)"/\1/p' "$dir/root/usr/lib/os-release")" = 12 ] || export UNIFIED_CGROUP_HIERARCHY=1
      # Never --capability=all: the host could then set this machine's clock.
      exec systemd-nspawn --quiet --boot --register=no --keep-unit --machine="th-$1" --directory="$dir/root" \
        --network-bridge="$HOSTS_BR" --console=pipe --resolv-conf=off --timezone=off --link-journal=no \
        --system-call-filter='add_key keyctl bpf perf_event_open' \
        --bind="$dir/docker:/var/lib/docker" --bind="$dir/containerd:/var/lib/containerd"
    ) || rc=$?
  done
}

down() {
  local dir=$HOSTS_STORE/$1
  [ -d "$dir" ] || return 0
  cut "$1"
  umount "$dir/root" 2>/dev/null || umount -l "$dir/root" 2>/dev/null || true
  rm -rf --one-file-system "$dir"
}

cut() { # power cut
  local dir=$HOSTS_STORE/$1 d
  : > "$dir/stop"
  ! alive "$1" || { thaw "$1"; kill -KILL "$(leader "$1" || cat "$dir/pid")" 2>/dev/null || true; wait_dead "$1"; }
  clean_up_after "$1"
}

halt() { # nspawn turns TERM into a clean shutdown
  : > "$HOSTS_STORE/$1/stop"
  kill -TERM "$(cat "$HOSTS_STORE/$1/pid")"
  wait_dead "$1"
  clean_up_after "$1"
}

clean_up_after() { # the kernel tears a network namespace and its cgroups down in its own time
  local d
  free_interface "$1"
  [ -f "$HOSTS_STORE/$1/cgroups" ] || return 0
  while read -r d; do
    for _ in $(seq 200); do
      [ -d "$d" ] || break
      find "$d" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      [ ! -d "$d" ] || sleep 0.01
    done
  done < "$HOSTS_STORE/$1/cgroups"
  rm -f "$HOSTS_STORE/$1/cgroups"
}

reboot() {
  local before; before=$(leader "$1")
  inside "$1" systemctl reboot
  for _ in $(seq 1000); do [ -d "/proc/$before" ] || break; sleep 0.02; done
  wait_ssh "$1"
}

reinstall() {
  local dir=$HOSTS_STORE/$1
  cut "$1"
  umount "$dir/root"
  rm -rf --one-file-system "$dir"/{up,work,docker,containerd,password}
  install_image "$1"
  boot "$1"
}

# ---- inside ----
inside() {
  local pid; pid=$(leader "$1"); shift
  nsenter -t "$pid" -a env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
}

set_password() { # the new password on standard input; the rest says how to run a command in the host
  local name=$1 pw; shift
  read -r pw; [ -n "$pw" ] || die "no password on standard input"
  "$@" chpasswd <<< "root:$pw"
  (umask 077; echo "$pw" > "$HOSTS_STORE/$name/password")
}

break_dpkg() { # unpacked but not configured, and dpkg's journal says that it was interrupted: apt refuses to work
  inside "$1" sh -ec 'cd /tmp; apt-get -qq update; apt-get -qq download sl; dpkg --unpack sl_*.deb >/dev/null; rm sl_*.deb
    sed -n "/^Package: sl$/,/^$/p" /var/lib/dpkg/status > /var/lib/dpkg/updates/0001'
}

freezer() { # STATE for version 1, STATE for version 2
  local d; d=$(grep -m 1 -e /freezer/ "$HOSTS_STORE/$1/cgroups" || true)
  if [ -n "$d" ]; then echo "$2" > "$d/freezer.state"; else echo "$3" > "$(cat "$HOSTS_STORE/$1/cgroups")/cgroup.freeze"; fi
}
freeze() { freezer "$1" FROZEN 1; }
thaw() { freezer "$1" THAWED 0; }

# ---- helpers ----
leader() { local p; p=$(cat "$HOSTS_STORE/$1/pid"); p=$(tr -d ' ' < "/proc/$p/task/$p/children"); [ -n "$p" ] && echo "$p"; }
alive() { local p; p=$(cat "$HOSTS_STORE/$1/pid" 2>/dev/null) && [ -d "/proc/$p" ] && ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null; }
wait_dead() { for _ in $(seq 3000); do alive "$1" || return 0; sleep 0.01; done; die "nspawn of $1 will not die"; }
free_interface() { for _ in $(seq 100); do [ -e "/sys/class/net/vb-th-$1" ] || break; ip link del "vb-th-$1" 2>/dev/null || true; sleep 0.01; done; }
wait_ssh() { # a SYN to a dead neighbour blocks for 3 s, so each try is cut at 0.5 s
  local ip=$HOSTS_NET.$(cat "$HOSTS_STORE/$1/octet") end=$((SECONDS + 30)) line
  while [ $SECONDS -lt $end ]; do
    line=$(timeout 0.5 bash -c "exec 3<>/dev/tcp/$ip/22 && read -r l <&3 && echo \"\$l\"" 2>/dev/null) || true
    [[ $line != SSH-* ]] || return 0
    sleep 0.02
  done
  die "no sshd on $1 ($ip) in 30 s; its console: $HOSTS_STORE/$1/console.log"
}

verb=${1:-} name=${2:-}
[ "$verb" != _cgroups ] || { cgroup_dirs "$name"; exit; }
[[ $name =~ ^[a-z][a-z0-9-]{0,8}$ ]] || die "usage: target.sh VERB NAME ... (see the top of $SELF)"
[ "$verb" = up ] || [ "$verb" = down ] || [ -d "$HOSTS_STORE/$name" ] || die "there is no host $name"
case $verb in
  up) up "$name" "${3:?octet}";;
  down | cut | halt | reboot | reinstall | freeze | thaw | leader) $verb "$name";;
  start) boot "$name";;
  password) cat "$HOSTS_STORE/$name/password";;
  setpw) set_password "$name" inside "$name";;
  exec) shift 2; inside "$name" "$@";;
  sshd-stop) inside "$name" systemctl stop ssh.socket ssh.service 2>/dev/null || inside "$name" systemctl stop ssh.service;;
  sshd-start) inside "$name" systemctl start ssh.service;;
  key-lost) inside "$name" sh -c ': > /root/.ssh/authorized_keys';;
  dpkg-break) break_dpkg "$name";;
  link-down) ip link set "vb-th-$name" down;;
  link-up) ip link set "vb-th-$name" up;;
  _supervise) supervise "$name";;
  *) die "unknown verb $verb (see the top of $SELF)";;
esac
