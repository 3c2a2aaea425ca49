#!/bin/bash
# mkbase.sh SUITE DIR: the provider's image, a Debian as a rented VPS arrives.  SUITE is bookworm or trixie.
# It has systemd, sshd and python3, but no docker, ufw or fail2ban, and it has no password: `target.sh up` sets one.
# An image made by this same script is used again.
set -euo pipefail
. "$(dirname "$0")/config.sh"
[ $# = 2 ] || die "usage: mkbase.sh SUITE DIR"
SUITE=$1 DIR=$2
case $SUITE in bookworm | trixie) ;; *) die "unknown suite $SUITE (bookworm or trixie)";; esac
URI=$(apt_uri) SEC=$(apt_uri -security)
[ -n "$URI" ] && [ -n "$SEC" ] || die "this machine's apt sources name no plain-http Debian archive"
HASH=$(cat "$0" - <<< "$SUITE $URI $SEC" | sha256sum | cut -c1-64)

mkdir -p "$(dirname "$DIR")"
exec 9> "$DIR.lock"; flock 9 # two runs that start together make one image
[ "$(cat "$DIR.hash" 2>/dev/null)" != "$HASH" ] || exit 0
rm -rf --one-file-system "$DIR" "$DIR.hash"

INCLUDE=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,python3,sudo,ca-certificates,iproute2,iputils-ping,netbase,procps,less,cron,kmod,apt-utils,tzdata,lsb-release
# --variant=minbase without the security archive: the image is behind on updates, as real ones are.
mmdebstrap --quiet --variant=minbase --mode=root --include=$INCLUDE "$SUITE" "$DIR" "deb $URI $SUITE main" >&2

cat > "$DIR/etc/apt/sources.list" <<S
deb $URI $SUITE main
deb $URI $SUITE-updates main
deb $SEC $SUITE-security main
S
echo 'Acquire::Check-Valid-Until "false";' > "$DIR/etc/apt/apt.conf.d/99snapshot" # the archive may be a snapshot
mkdir -p "$DIR/etc/ssh/sshd_config.d" # what cloud images ship: a drop-in that wins over sshd_config itself
printf 'PasswordAuthentication yes\nPermitRootLogin yes\n' > "$DIR/etc/ssh/sshd_config.d/50-cloud-init.conf"
rm -f "$DIR"/etc/ssh/ssh_host_*
echo Etc/GMT+5 > "$DIR/etc/timezone"; ln -sf /usr/share/zoneinfo/Etc/GMT+5 "$DIR/etc/localtime" # "timezone UTC" is real work
echo fresh-vps > "$DIR/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 fresh-vps\n::1 localhost ip6-localhost\n' > "$DIR/etc/hosts"
: > "$DIR/etc/machine-id"; rm -f "$DIR/var/lib/dbus/machine-id"

systemctl --quiet --root="$DIR" enable systemd-networkd 2>/dev/null
systemctl --quiet --root="$DIR" disable systemd-networkd-wait-online 2>/dev/null
systemctl --quiet --root="$DIR" mask apt-daily.timer apt-daily-upgrade.timer 2>/dev/null # the same run every time

# Docker needs the host's own cgroup (v1) controllers writable; nspawn mounts them read-only.
cat > "$DIR/etc/systemd/system/cgroup-rw.service" <<'S'
[Unit]
Description=Make this container's own cgroup v1 controllers writable (for dockerd)
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target
ConditionVirtualization=container
ConditionPathIsMountPoint=/sys/fs/cgroup/memory
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for c in cpu cpuacct cpuset memory devices freezer blkio pids; do mount -o remount,bind,rw,nosuid,nodev,noexec /sys/fs/cgroup/$c || true; done'
[Install]
WantedBy=sysinit.target
S
systemctl --quiet --root="$DIR" enable cgroup-rw.service 2>/dev/null
echo "$HASH" > "$DIR.hash"
