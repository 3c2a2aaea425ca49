#!/bin/bash
# postgres.sh start DIR: a private PostgreSQL server in DIR/postgres, on a unix socket there and no port, with fsync on;
#                        prints the address of its database `postgres`, as superuser.
# postgres.sh stop DIR:  stops it.
# It runs as the user postgres when this runs as root, so that user must be able to enter DIR.
set -euo pipefail
[ $# = 2 ] || { echo "usage: postgres.sh start|stop DIR" >&2; exit 2; }
home=$(realpath -m "$2")/postgres
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "postgres.sh: no PostgreSQL here: apt-get install postgresql" >&2; exit 1; }
unprivileged() { if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi; }

case $1 in
  start)
    mkdir "$home" && chmod 700 "$home"
    [ "$(id -u)" != 0 ] || chown postgres: "$home"
    # Whoever gets to the socket is trusted: only root and the server's own user can enter the directory.
    unprivileged "$bin/initdb" -D "$home/data" -U postgres --auth=trust -E UTF8 --locale=C >"$home/initdb.log" ||
      { cat "$home/initdb.log" >&2; exit 1; }
    unprivileged "$bin/pg_ctl" start -s -w -t 60 -D "$home/data" -l "$home/log" \
      -o "-k '$home' -h '' -c max_connections=300 -c fsync=on" || { cat "$home/log" >&2; exit 1; }
    echo "postgres://postgres@${home//\//%2F}/postgres";;
  stop) unprivileged "$bin/pg_ctl" stop -s -w -t 60 -m fast -D "$home/data";;
  *) echo "usage: postgres.sh start|stop DIR" >&2; exit 2;;
esac
