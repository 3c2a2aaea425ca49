#!/bin/bash
# install.sh         installs what test hosts need on this machine, and checks that it can run them
# install.sh check   only checks: exits 1 with one sentence if it cannot
set -euo pipefail
. "$(dirname "$0")/config.sh"
# nspawn hosts want a Debian-like machine, full root, and nothing else: no systemd as PID 1, no KVM.
declare -A TOOLS=([mmdebstrap]=mmdebstrap [systemd-nspawn]=systemd-container [apt-cacher-ng]=apt-cacher-ng
  [ip]=iproute2 [ss]=iproute2 [ssh]=openssh-client [nsenter]=util-linux [tc]=iproute2)

missing() { # packages of the tools that are not there
  local t; for t in "${!TOOLS[@]}"; do PATH=$PATH:/usr/sbin command -v "$t" >/dev/null || echo "${TOOLS[$t]}"; done | sort -u
}

can_mount_overlay() ( # in a mount namespace of its own, so that nothing stays behind
  unshare --mount sh -ec 'd=$(mktemp -d); trap "umount $d; rmdir $d" EXIT; mount -t tmpfs t $d; mkdir $d/l $d/u $d/w $d/m
    mount -t overlay o -o lowerdir=$d/l,upperdir=$d/u,workdir=$d/w $d/m; umount $d/m') 2>/dev/null

can_bridge() { unshare --net ip link add rhcheck type bridge 2>/dev/null; }

can_cgroup() { # every hierarchy must take a directory of ours; `target.sh` makes the same ones
  local d; for d in $("$(dirname "$0")/target.sh" _cgroups check); do mkdir "$d" 2>/dev/null && rmdir "$d" || return 1; done
}

check() {
  [ "$(id -u)" = 0 ] || die "test hosts need root: they are systemd-nspawn machines with their own network"
  command -v apt-get >/dev/null || die "test hosts need a Debian-like machine (apt-get was not found)"
  [ -n "$(apt_uri)" ] && [ -n "$(apt_uri -security)" ] || die "this machine's apt sources name no plain-http Debian archive to build the hosts from"
  [ -z "$(missing)" ] || die "missing packages: $(missing | xargs); run $0"
  can_mount_overlay || die "this machine cannot mount overlayfs (kernel or container limits), so it cannot run nspawn hosts"
  can_bridge || die "this machine cannot create network bridges (no CAP_NET_ADMIN), so it cannot run nspawn hosts"
  can_cgroup || die "this machine's cgroups are not writable, so it cannot run nspawn hosts"
}

install_packages() {
  local want; want=$(missing); [ -n "$want" ] || return 0
  export DEBIAN_FRONTEND=noninteractive
  # The packages' own services must not start: a policy that says no, for this one run only.
  local policy=/usr/sbin/policy-rc.d
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; trap "rm -f $policy" EXIT; }
  local apt=(apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install --no-install-recommends)
  # shellcheck disable=SC2086 # one word for each package
  "${apt[@]}" $want >&2 || { apt-get -q update >&2; "${apt[@]}" $want >&2; }
  ! command -v systemctl >/dev/null || systemctl disable --quiet apt-cacher-ng 2>/dev/null || true
}

case ${1:-install} in
  check) check;;
  install) [ "$(id -u)" = 0 ] || check; install_packages; check;;
  *) die "usage: install.sh [check]";;
esac
