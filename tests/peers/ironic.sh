#!/bin/bash
# ironic.sh install VENV:   a virtual environment at VENV with OpenStack Ironic and the BMC emulator of sushy-tools in it,
#                           and an empty database; nothing to do if they are there already.
# ironic.sh start VENV DIR: an Ironic of its own in DIR/ironic, without logins, and an emulator of 50 BMCs behind one
#                           address, with a login that is made up at each start; prints `IRONIC-URL BMC-URL` once both
#                           serve, the login in the latter.
# ironic.sh stop DIR:       ends both at once; nothing in DIR/ironic is worth keeping.
# Nodes with driver fake-hardware and the interfaces `scripted` do what is written on them: openstack/ironic_scripted.py.
set -euo pipefail
usage() { echo "usage: ironic.sh install VENV | start VENV DIR | stop DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")/openstack" && pwd)

# The programs are started through the interpreter, so that a copied environment works too.
run() { local venv=$1 program=$2; shift 2; exec "$venv/bin/python" "$venv/bin/$program" "$@"; }

configure() { # HOME PORT
  sed -e "s#@HOME@#$1#g" -e "s#@PORT@#$2#g" "$here/ironic.conf" > "$1/ironic.conf"
}

free_port() { "$1/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Prints a new `NAME:PASSWORD`, of which FILE keeps what the emulator checks it by; quickly, since it does so each time.
new_login() { # VENV FILE
  "$1/bin/python" - "$2" <<'END'
import bcrypt, secrets, sys
password = secrets.token_urlsafe(16)
with open(sys.argv[1], 'w') as file:
    print('admin', bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode(), sep=':', file=file)
print('admin', password, sep=':')
END
}

# Runs in a session of its own, so that all of it can be ended by its number, and tells that in HOME/NAME.pid.
launch() { # HOME NAME COMMAND...
  local home=$1 name=$2
  shift 2
  setsid "$@" > "$home/$name.log" 2>&1 < /dev/null &
  echo $! > "$home/$name.pid"
}

until_it_serves() { # HOME NAME URL WORD
  for _ in $(seq 600); do
    ! curl -sf --max-time 5 -H 'X-OpenStack-Ironic-API-Version: 1.56' "$3" 2>/dev/null | grep -q "$4" || return 0
    kill -0 "$(cat "$1/$2.pid")" 2>/dev/null || break
    sleep 0.1
  done
  { echo "ironic.sh: $2 does not serve:"; tail -n 20 "$1/$2.log"; } >&2
  return 1
}

end() { # HOME
  for pid in "$1"/*.pid; do
    [ ! -s "$pid" ] || kill -KILL -- "-$(cat "$pid")" 2>/dev/null || true
    rm -f "$pid"
  done
}

case ${1:-}$# in
  install2)
    venv=$2 stamp=$2/.requirements.txt # what was installed last
    ! cmp -s "$here/requirements.txt" "$stamp" || exit 0
    rm -f "$stamp"
    python3.11 -m venv "$venv" 2>/dev/null || python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    empty=$(mktemp -d)
    configure "$empty" 1
    (run "$venv" ironic-dbsync --config-file "$empty/ironic.conf" create_schema) > "$empty/log" 2>&1 ||
      { cat "$empty/log" >&2; exit 1; }
    mv "$empty/ironic.sqlite" "$venv/empty.sqlite"
    rm -r "$empty"
    cp "$here/requirements.txt" "$stamp";;
  start3)
    venv=$(realpath "$2") home=$(realpath -m "$3")/ironic
    mkdir -p "$home"/{images,redfish,scripted.dist-info,tmp}
    cp "$venv/empty.sqlite" "$home/ironic.sqlite"
    cp "$here/ironic_scripted.py" "$home/"
    cp "$here/entry_points.txt" "$home/scripted.dist-info/"
    printf 'Metadata-Version: 2.1\nName: scripted\nVersion: 1\n' > "$home/scripted.dist-info/METADATA"
    export TMPDIR=$home/tmp XDG_CACHE_HOME=$home/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
    login=$(new_login "$venv" "$home/bmcs.login")
    trap 'end "$home"' EXIT # unless both come to serve
    for _ in 1 2 3; do # somebody else may take a port that was free
      port=$(free_port "$venv") bmc=$(free_port "$venv")
      configure "$home" "$port"
      export PYTHONPATH=$home
      launch "$home" ironic "$venv/bin/python" "$venv/bin/ironic" --config-file "$home/ironic.conf"
      BMC_HOME=$home/redfish BMC_PORT=$bmc BMC_LOGIN=$home/bmcs.login \
        launch "$home" bmcs "$venv/bin/python" "$here/bmcs.py" "$here/bmcs.conf"
      if until_it_serves "$home" ironic "http://127.0.0.1:$port/v1/drivers" fake-hardware &&
        until_it_serves "$home" bmcs "http://$login@127.0.0.1:$bmc/redfish/v1/Systems" Members; then
        trap - EXIT
        echo "http://127.0.0.1:$port http://$login@127.0.0.1:$bmc"
        exit 0
      fi
      end "$home"
    done
    exit 1;;
  stop2) end "$(realpath -m "$2")/ironic";;
  *) usage;;
esac
