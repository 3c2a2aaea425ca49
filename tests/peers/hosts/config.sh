# shellcheck shell=bash
# Sourced by every script here: where hosts, images and caches live, and the network they are on.
HOSTS_HOME=${HOSTS_HOME:-/var/lib/rackhand-testhosts} # kept between runs: base images, apt cache
HOSTS_BR=${HOSTS_BR:-rhtest0}                         # the bridge; up to 15 characters
HOSTS_NET=${HOSTS_NET:-10.203.3}                      # a /24; the machine is .1 on it
HOSTS_STORE=${HOSTS_STORE:-$HOSTS_HOME/hosts}         # one directory for each host that exists now
HOSTS_TMPFS=${HOSTS_TMPFS:-}                          # e.g. 8g: hosts live in memory (0.8 GB for each provisioned one), which is
                                                      # much faster while other programs keep the disk busy
HOSTS_SUITE=${HOSTS_SUITE:-bookworm}                  # the image that `target.sh up` boots
HOSTS_BASE=${HOSTS_BASE:-$HOSTS_HOME/base/$HOSTS_SUITE}
HOSTS_APT_PORT=${HOSTS_APT_PORT:-3142}
export HOSTS_HOME HOSTS_BR HOSTS_NET HOSTS_STORE HOSTS_SUITE HOSTS_BASE HOSTS_APT_PORT

die() { echo "${0##*/}: $*" >&2; exit 1; }

# The Debian archive (no argument) or security archive ("-security") that this machine itself installs from.
apt_uri() {
  apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n "s,^\(http://[^ ]*/debian${1:-}\)/*\$,\1,p" | head -n 1
}
