#!/bin/bash
# packages.sh PACKAGE...: installs those Debian packages that are missing, without starting their services.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: packages.sh PACKAGE..." >&2; exit 2; }
missing=()
for package; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || { echo "packages.sh: missing: ${missing[*]}; install them, or run this as root" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d # says no to the packages' own services, for this one run
[ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; trap 'rm -f $policy' EXIT; }
apt=(apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install --no-install-recommends "${missing[@]}")
"${apt[@]}" >&2 || { apt-get -q update >&2; "${apt[@]}" >&2; }
