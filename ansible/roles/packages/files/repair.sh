# Finishes what an interrupted dpkg left behind (apt refuses to work until then); prints "repaired" if it had to.
broken() { [ -n "$(ls /var/lib/dpkg/updates)" ] || [ -n "$(dpkg --audit)" ]; }
broken || exit 0
# An apt that is at work right now looks the same, and holds the lock: wait for it.
for _ in $(seq 60); do
  out=$(dpkg --force-confdef --force-confold --configure -a 2>&1) && break
  case $out in *lock*) sleep 5 ;; *) break ;; esac
done
apt-get -y -q -o DPkg::Lock::Timeout=300 --fix-broken install || exit
broken && { echo "still broken after dpkg --configure -a: $out" >&2; exit 1; }
echo repaired
