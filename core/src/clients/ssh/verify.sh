# Prints what Rackhand wants to know of a host, one key=value a line, and end=ok as the last. Runs as root by `sh -s`,
# changes nothing, and takes what is missing for a "no". Debian 12 and 13, Ubuntu 24.04.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C.UTF-8 # ufw translates what it says
export PATH LC_ALL

say() { printf '%s=%s\n' "$1" "$(printf '%s' "$2" | head -n 1)"; }
yes_if() { key=$1; shift; if "$@" >/dev/null 2>&1; then say "$key" yes; else say "$key" no; fi; }
bounded() { if command -v timeout >/dev/null 2>&1; then timeout 20 "$@"; else "$@"; fi; }
from_os_release() { (. /etc/os-release && eval "printf '%s' \"\$$1\"") 2>/dev/null; }

say hostname "$(cat /proc/sys/kernel/hostname 2>/dev/null)"

# What systemd goes by is where /etc/localtime points; without it, the host is on UTC.
timezone=$(readlink /etc/localtime 2>/dev/null)
case $timezone in
*/zoneinfo/*) say timezone "${timezone##*/zoneinfo/}" ;;
*) if [ -e /etc/localtime ]; then say timezone "$(cat /etc/timezone 2>/dev/null)"; else say timezone UTC; fi ;;
esac

# A client without its daemon may print an empty version and succeed.
if docker=$(bounded docker info --format '{{.ServerVersion}}' 2>/dev/null) && [ -n "$docker" ]; then
  say docker_ok yes
  say docker_version "$docker"
else
  say docker_ok no
fi

firewall=$(bounded ufw status verbose 2>/dev/null)
case $firewall in
*"Status: active"*)
  say ufw_active yes
  say ufw_default "$(printf '%s\n' "$firewall" | sed -n 's/^Default: \([a-z]*\) (incoming).*/\1/p')"
  printf '%s\n' "$firewall" | sed -e '1,/^--/d' -e '/^[[:space:]]*$/d' -e 's/^/ufw_rule=/'
  ;;
*) say ufw_active no ;;
esac

jail_is_up() { systemctl is-active --quiet fail2ban && bounded fail2ban-client status sshd; }
yes_if fail2ban_ok jail_is_up

disk=$(df -P -m / 2>/dev/null | sed -n 2p)
set -- $disk
say disk_total_mib "${2:-0}"
say disk_free_mib "${4:-0}"

# Only settings that were read prove that passwords are off.
sshd=$(bounded sshd -T -C user=root,host=localhost,addr="${SSH_CONNECTION%% *}" 2>/dev/null)
password_is_off() {
  printf '%s\n' "$sshd" | grep -qx 'passwordauthentication no' &&
    printf '%s\n' "$sshd" | grep -qx 'kbdinteractiveauthentication no'
}
if password_is_off; then say password_login no; else say password_login yes; fi

say os_id "$(from_os_release ID)"
say os_version "$(from_os_release VERSION_ID)"
say end ok
