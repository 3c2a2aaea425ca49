# supervise.sh [SECONDS PROGRAM ARGUMENT...]: runs the program; at its end nothing that it started is left, and neither
# is the private directory. Without a program it only clears up after a run whose owner is gone.
#
# Started in the run's private directory (0700), before there is any secret in it. Standard input is a pipe that only
# Rackhand holds. The first byte on it says that the program may start, each `.` that Rackhand is alive, an `s` asks for
# a graceful stop. Its end (Rackhand let go, or is dead) stops everything at once, and so do SECONDS without a byte
# (Rackhand is frozen: another may do its work by now); the exit status is 75 then.
#
# ansible's workers and ssh's kept connections are in sessions of their own, where no signal to a group comes. But each
# has this directory in its environment or, once ssh has written its title over that, in its command line: they are
# found by it. This shell has it in neither.
here=$(pwd -P)
umask 077
exec 3<&0 </dev/null 2>/dev/null

marked() {
  printf '%s/\n' "$here" | grep -lsaF -f - /proc/[0-9]*/environ /proc/[0-9]*/cmdline
}

# ansible hands the password to ssh in shared memory, which outlives an ssh that is killed.
forget_passwords() {
  for file in $(marked); do
    case $file in *environ) ;; *) continue ;; esac
    shm=$(tr '\0' '\n' <"$file" | sed -n 's/^_ANSIBLE_SSH_ASKPASS_SHM=//p')
    case ${shm#/} in psm_*) rm -f "/dev/shm/${shm#/}" ;; esac
  done
}

# Twice nothing: a process is nameless for a moment while it becomes another program.
slay() {
  clean=0 tries=0
  while [ $clean -lt 2 ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1)) clean=$((clean + 1))
    forget_passwords
    for file in $(marked); do
      clean=0 pid=${file#/proc/}
      kill -KILL "${pid%%/*}"
    done
  done
  return 0
}

# The next byte from Rackhand; nothing if none comes. For $(hear) only: no shell with the program in its command line is
# left waiting.
hear() {
  exec timeout -s KILL "$patience" head -c 1 <&3
}

run() {
  {
    trap '' INT TERM HUP
    while byte=$(hear) && [ "$byte" ]; do
      [ "$byte" = . ] || { forget_passwords; kill -INT 0; }
    done
    echo >silent # `:` would end this shell where the directory is gone
    # The program may be about to start: go on until the shell below is through.
    while slay && kill -0 $$; do sleep 0.2; done
    rm -rf "$here"
  } >/dev/null &
  watcher=$!
  (
    export HOME="$here" TMPDIR="$here/tmp" ANSIBLE_HOME="$here/home" ANSIBLE_LOCAL_TEMP="$here/tmp"
    export ANSIBLE_SSH_CONTROL_PATH_DIR="$here/cp" RACKHAND_EVENTS="$here/events"
    # A socket's path has at most 107 characters: in a deep directory, a connection for each task.
    [ ${#here} -le 66 ] || export ANSIBLE_SSH_ARGS="-o ControlMaster=no -o ServerAliveInterval=10 -o ServerAliveCountMax=3"
    exec "$@" 3<&- 2>&1
  )
  status=$?
  kill -KILL $watcher
  [ ! -e silent ] || status=75
}

status=0
if [ $# -gt 0 ]; then
  trap : INT TERM HUP
  patience=$1 status=75
  shift
  [ ! "$(hear)" ] || run "$@"
fi
slay
cd / && rm -rf "$here"
exit $status
