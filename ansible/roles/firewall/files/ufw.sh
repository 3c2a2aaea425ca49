# sh ufw.sh open|exactly PORT...   TCP ports; prints "changed: ..." for each thing it did.
# exactly: every other rule goes.  Rules are changed one by one, as `ufw reset` would leave the server open meanwhile.
set -eu
export LC_ALL=C.UTF-8 # ufw translates what it says
mode=$1; shift
rules() { ufw show added | sed -n "s/^ufw //p" | sed "s/ comment '.*'$//"; }
run() { ufw "$@" >/dev/null; echo "changed: ufw $*"; }

for port; do echo "allow $port/tcp"; done | sort -u > /run/ufw.want
rules | sort > /run/ufw.have
trap 'rm -f /run/ufw.want /run/ufw.have' EXIT

comm -23 /run/ufw.want /run/ufw.have | while read -r rule; do run $rule; done
if [ "$mode" = exactly ]; then
  comm -13 /run/ufw.want /run/ufw.have | while read -r rule; do
    case $rule in
      route\ *) eval "run route delete ${rule#route }" ;;
      *) eval "run delete $rule" ;;
    esac
  done
  [ "$(rules | sort)" = "$(cat /run/ufw.want)" ] || { echo "rules that ufw will not delete:"; rules; exit 1; } >&2
fi

for policy in INPUT=DROP FORWARD=DROP OUTPUT=ACCEPT; do
  grep -q "^DEFAULT_${policy%=*}_POLICY=\"${policy#*=}\"" /etc/default/ufw && continue
  case $policy in
    INPUT*) run default deny incoming ;;
    FORWARD*) run default deny routed ;;
    OUTPUT*) run default allow outgoing ;;
  esac
done
ufw status | grep -q '^Status: active' || run --force enable

# Our rules for Docker's published ports (the docker role writes them) must be in the kernel as they are in the file.
[ "$(grep '^-A DOCKER-USER' /etc/ufw/after.rules)" = \
  "$(iptables -S DOCKER-USER 2>/dev/null | grep '^-A' | grep -vx -- '-A DOCKER-USER -j RETURN')" ] || run reload
