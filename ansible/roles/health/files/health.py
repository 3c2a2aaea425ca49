"""Prints [{"name", "ok", "detail"}] for this server.  Arguments: least free disk in percent, allowed ports (22,80)."""
import json
import os
import re
import subprocess
import sys

os.environ["LC_ALL"] = "C.UTF-8"  # ufw translates what it says
MIN_FREE, ALLOWED = float(sys.argv[1]), sorted(int(p) for p in sys.argv[2].split(","))


def run(*argv):
    """The standard output of a command; an exception with its last line of error if it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=15)
    if done.returncode:
        raise RuntimeError(f"{argv[0]}: " + ((done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return done.stdout.strip()


def ssh():
    settings = run("sshd", "-T", "-C", "user=root,host=localhost,addr=127.0.0.1").splitlines()
    off = "passwordauthentication no" in settings
    return off, "password login is " + ("off" if off else "ON")


def docker():
    version, running = run("docker", "info", "--format", "{{.ServerVersion}} {{.ContainersRunning}}").split()
    unhealthy = run("docker", "ps", "--quiet", "--filter", "health=unhealthy").split()
    return not unhealthy, f"version {version}, {running} running, {len(unhealthy)} unhealthy"


def disk():
    fs = os.statvfs("/")
    space, inodes = 100 * fs.f_bavail / fs.f_blocks, 100 * fs.f_favail / (fs.f_files or 1)
    ok = space >= MIN_FREE and (inodes >= MIN_FREE or not fs.f_files)
    return ok, f"{space:.0f} % free ({fs.f_bavail * fs.f_frsize / 2**30:.1f} GiB), {inodes:.0f} % of inodes"


def memory():
    kib = dict(re.findall(r"^(\w+): +(\d+)", open("/proc/meminfo").read(), re.M))
    free = 100 * int(kib["MemAvailable"]) / int(kib["MemTotal"])
    return free >= 5, f"{free:.0f} % of {int(kib['MemTotal']) / 2**20:.1f} GiB available"


def firewall():
    if "Status: active" not in run("ufw", "status"):
        return False, "UFW is not active"
    rules = [r for r in run("ufw", "show", "added").splitlines() if r.startswith("ufw ")]
    wanted = {f"ufw allow {p}/tcp" for p in ALLOWED}
    other = [r for r in rules if r.split(" comment ")[0] not in wanted]
    missing = wanted - {r.split(" comment ")[0] for r in rules}
    closed = "ctstate DNAT -j DROP" in run("iptables", "-S", "DOCKER-USER")
    detail = f"open: {', '.join(map(str, ALLOWED))}"
    if other or missing:
        detail = f"unexpected rules: {other}, missing: {sorted(missing)}"
    elif not closed:
        detail = "ports that Docker publishes are open"
    return not other and not missing and closed, detail


def fail2ban():
    status = run("fail2ban-client", "status", "sshd")
    return True, f"{re.search(r'Currently banned:.(.*)', status).group(1).strip()} banned"


def packages():
    broken = run("dpkg", "--audit") or os.listdir("/var/lib/dpkg/updates")
    restart = ", restart needed" if os.path.exists("/run/reboot-required") else ""
    return not broken, ("an installation was cut short" if broken else "consistent") + restart


def check(probe):
    try:
        ok, detail = probe()
    except FileNotFoundError as e:
        ok, detail = False, f"{e.filename} is not installed"
    except Exception as e:  # whatever it is, it is this check's result
        ok, detail = False, str(e)
    return {"name": probe.__name__, "ok": ok, "detail": detail}


print(json.dumps([check(p) for p in (ssh, docker, disk, memory, firewall, fail2ban, packages)]))
