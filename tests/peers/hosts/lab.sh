#!/bin/bash
# lab.sh up         the bridge, a route that keeps the hosts' packets on this machine, and an apt cache: the hosts' only way out
# lab.sh leave FD   down, unless another run of tests holds the file that is open as FD
# lab.sh down       every host, the cache's process, the route and the bridge; images and cached packages stay
set -euo pipefail
. "$(dirname "$0")/config.sh"
APT=$HOSTS_HOME/apt

cache_answers() { (exec 3<> "/dev/tcp/$HOSTS_NET.1/$HOSTS_APT_PORT") 2>/dev/null; }

up() {
  mkdir -p "$HOSTS_STORE" "$APT"/{cache,log,conf}
  exec 9> "$HOSTS_HOME/lab.lock"; flock 9
  # Never over hosts that are there.
  [ -z "$HOSTS_TMPFS" ] || [ -n "$(ls -A "$HOSTS_STORE")" ] || mountpoint -q "$HOSTS_STORE" || mount -t tmpfs -o "mode=700,size=$HOSTS_TMPFS" rackhand-hosts "$HOSTS_STORE"
  ip link show "$HOSTS_BR" >/dev/null 2>&1 || ip link add "$HOSTS_BR" type bridge
  ip addr replace "$HOSTS_NET.1/24" dev "$HOSTS_BR"
  ip link set "$HOSTS_BR" up
  # If the bridge ever goes away, packets for the lab must not follow the default route out of the machine.
  ip route replace unreachable "$HOSTS_NET.0/24" metric 429496729
  cache_answers && return
  # A configuration of its own: the packaged one rewrites mirrors.
  cat > "$APT/conf/acng.conf" <<C
CacheDir: $APT/cache
LogDir: $APT/log
BindAddress: $HOSTS_NET.1
Port: $HOSTS_APT_PORT
ReportPage: acng-report.html
ExThreshold: 400
PassThroughPattern: ^$
C
  setsid apt-cacher-ng -c "$APT/conf" ForeGround=1 > "$APT/out" 2>&1 < /dev/null 9>&- &
  echo $! > "$APT/pid"
  for _ in $(seq 100); do cache_answers && return; sleep 0.1; done
  die "the apt cache did not start: $(tail -n 1 "$APT/out")"
}

down() {
  local host pid
  for host in "$HOSTS_STORE"/*/; do [ ! -d "$host" ] || "$(dirname "$0")/target.sh" down "$(basename "$host")"; done
  ! mountpoint -q "$HOSTS_STORE" || umount "$HOSTS_STORE"
  if pid=$(cat "$APT/pid" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = apt-cacher-ng ]; then
    kill "$pid"
    for _ in $(seq 100); do [ -d "/proc/$pid" ] || break; sleep 0.05; done
  fi
  rm -f "$APT/pid"
  ip link del "$HOSTS_BR" 2>/dev/null || true
  ip route del unreachable "$HOSTS_NET.0/24" metric 429496729 2>/dev/null || true
}

case ${1:-} in
  up) up;;
  down) down;;
  leave) ! flock --nonblock --exclusive "${2:?file descriptor}" || down;;
  *) die "usage: lab.sh up|down|leave FD";;
esac
