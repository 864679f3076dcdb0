# SPDX-License-Identifier: MIT
"""noise.py CULPRIT [COUNT]: ordinary work on watched trees with the default settings is no alert: COUNT packages (3; --long: 20) installed, upgraded
and purged by the real apt and dpkg, with maintainer scripts, alternatives and triggers, as many containers that come and go, logrotate,
systemd-tmpfiles, git pull, an Ansible playbook. One deletion by nobody known among all that is exactly one alert. It prints what was folded,
by row. What this machine does not have is left out, and that is said.

All of it is in a mount namespace of its own, whose /etc, /usr and so on are overlays: nothing of the machine is changed.
The last line is "N passed, N failed"."""
import json
import os
import re
import shutil
import subprocess
import sys

if "CULPRIT_NOISE" not in os.environ:
    os.environ["CULPRIT_NOISE"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B", *sys.argv])

from lib.daemon_test import CULPRIT, DaemonTest, touch
from lib.engine import Docker

SECONDS = 300
COUNT = 20 if "--long" in sys.argv else int(sys.argv[2]) if len(sys.argv) > 2 else 3
OVERLAID = ("/etc", "/usr", "/opt", "/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/var/log")
shared = DaemonTest("noise", SECONDS)
work, etc, run = shared.work, shared.etc, shared.run
check, wait_until, said, start = shared.check, shared.wait_until, shared.said, shared.start
tree, store, tmp = f"{work}/tree", f"{work}/db", f"{work}/tmp"
QUIET = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": work}


def sh(text, **more):
    r = subprocess.run(["/bin/sh", "-ec", text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       check=False, timeout=SECONDS, cwd="/", env=QUIET, **more)
    if r.returncode:
        print(r.stdout[-2000:])
    return r.returncode == 0


def overlays():
    sh(f"mkdir -p {work}/over && mount -t tmpfs -o mode=0755 tmpfs {work}/over")
    for place in filter(os.path.isdir, OVERLAID):
        at = f"{work}/over/{place.strip('/').replace('/', '-')}"
        sh(f"mkdir -p {at}/upper {at}/work && mount -t overlay overlay -o lowerdir={place},upperdir={at}/upper,workdir={at}/work {place}")


# ---- the ordinary ----

def package(n, version):
    """With files of each kind, scripts that do what scripts do, an alternative; the first one is interested in what the others bring."""
    name, root = f"culprit-noise{n}", f"{work}/debs/{n}-{version}"
    for place in ("DEBIAN", "usr/bin", f"usr/lib/{name}", f"usr/share/{name}", "usr/share/culprit-noise", "etc"):
        os.makedirs(f"{root}/{place}")

    def write(path, text, mode=0o644):
        with open(f"{root}/{path}", "w", encoding="utf-8") as f:
            f.write(text)
            os.fchmod(f.fileno(), mode)
    write("DEBIAN/control", f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: t <t@t>\nDescription: a test\n")
    write("DEBIAN/conffiles", f"/etc/{name}.conf\n")
    write("DEBIAN/triggers", "interest-noawait /usr/share/culprit-noise\n" if n == 0 else "activate-noawait ldconfig\n")
    write("DEBIAN/postinst", f"""#!/bin/sh
set -e
if [ "$1" = triggered ]; then
    ls /usr/share/culprit-noise > /etc/culprit-noise.index.new; mv /etc/culprit-noise.index.new /etc/culprit-noise.index
    exit 0
fi
update-alternatives --install /usr/bin/culprit-noise culprit-noise /usr/bin/{name} {n + 1}
install -d -m 0755 /etc/{name}.d; sed -i s/old/new/ /etc/{name}.conf; chmod 0640 /etc/{name}.conf
""", 0o755)
    write("DEBIAN/prerm", f'#!/bin/sh\nset -e\n[ "$1" != remove ] || update-alternatives --remove culprit-noise /usr/bin/{name}\n', 0o755)
    write("DEBIAN/postrm", f'#!/bin/sh\nset -e\n[ "$1" != purge ] || rm -rf /etc/{name}.d /etc/culprit-noise.index\n', 0o755)
    write(f"usr/bin/{name}", "#!/bin/sh\n", 0o755)
    write(f"usr/lib/{name}/libnoise.so.{version}", version)
    write(f"usr/share/{name}/{version}", version)
    write(f"usr/share/culprit-noise/{n}", version)
    write(f"etc/{name}.conf", "old\n")
    return sh(f"dpkg-deb --root-owner-group -b {root} {work}/debs/{name}-{version}.deb")


def packages():
    if not shutil.which("dpkg-deb") or not shutil.which("apt-get"):
        return print("skipped: packages: no dpkg")
    fine = all(package(n, v) for n in range(COUNT) for v in ("1", "2"))
    check("packages are installed", fine and sh(f"apt-get -qq -y -o APT::Sandbox::User=root install {work}/debs/culprit-noise*-1.deb"))
    check("upgraded", sh(f"dpkg --force-confnew -i {work}/debs/culprit-noise*-2.deb"))
    check("and purged", sh("apt-get -qq -y purge 'culprit-noise*'") and not os.path.exists("/usr/bin/culprit-noise0"))
    return None


def containers(docker):
    for _ in range(COUNT):
        docker.run("noise", command=["/bin/sh", "-c", "cd /prd; echo 1 > made; chmod 600 made; rm lower; mv lower2 moved; touch up; while :; do sleep 1; done"])
        wait_until(lambda: os.path.exists(f"/proc/{docker.pid('noise')}/root/prd/up"))
        docker("restart", "-t", "0", "noise")
        docker("rm", "-f", "noise")
    check("containers came and went", True)


def rotation():
    if not shutil.which("logrotate"):
        return print("skipped: logrotate")
    with open(f"{work}/rotate.conf", "w", encoding="utf-8") as f:
        f.write(f"{tree}/log/*.log {{\n su root root\n rotate 2\n compress\n create 0640 root root\n}}\n")
    return check("logs are rotated", all(sh(f"for i in 1 2 3; do logrotate -f -s {work}/rotated {work}/rotate.conf; echo x | dd status=none of={work}/x; done") for _ in range(2)))


def tmpfiles():
    if not shutil.which("systemd-tmpfiles"):
        return print("skipped: systemd-tmpfiles")
    with open(f"{work}/tmpfiles.conf", "w", encoding="utf-8") as f:
        f.write(f"d {tmp}/kept 0700 root root -\nf {tmp}/kept/file 0600 root root - text\nR {tmp}/gone\ne {tmp}/aged - - - 0\n")
    return check("tmpfiles makes and removes", sh(f"systemd-tmpfiles --create --remove --clean {work}/tmpfiles.conf") and
                 not os.path.exists(f"{tmp}/gone"))


def git():
    if not shutil.which("git"):
        return print("skipped: git")
    return check("git pulls", sh(f"git -C {tree}/site pull -q") and not os.path.exists(f"{tree}/site/b"))


def prepare_git():
    if shutil.which("git"):
        sh(f"git init -q -b main {work}/origin; cd {work}/origin; git config user.name a; git config user.email a@b; for f in a b c; do echo $f > $f; done; "
           f"git add .; git commit -qm one; git clone -q {work}/origin {tree}/site; echo 2 > a; git rm -q b; mkdir d; echo d > d/d; git add .; git commit -qm two")


def ansible():
    if not shutil.which("ansible-playbook"):
        return print("skipped: ansible")
    with open(f"{work}/site.yml", "w", encoding="utf-8") as f:
        f.write(f"""- hosts: all
  gather_facts: false
  tasks:
  - copy: {{dest: {tree}/motd, content: "hello\\n", mode: "0644"}}
  - copy: {{dest: /etc/culprit-noise.conf, content: "x\\n", owner: daemon}}
  - lineinfile: {{path: {tree}/hosts, line: "10.0.0.1 db"}}
  - file: {{path: {tree}/old, state: absent}}
  - file: {{path: {tree}/dir/sub, state: directory, mode: "0750"}}
  - command: rm -f {tree}/by-command
""")
    return check("Ansible runs", sh(f"cd {work}; ansible-playbook -i localhost, -c local site.yml") and not os.path.exists(f"{tree}/by-command"))


# ---- the one that is none of it ----

def script(name, text):
    """Of its own: what it does has another cause than what this program has done, which is to be no alert."""
    with open(f"{work}/{name}", "w", encoding="utf-8") as f:
        f.write(text + "\n")
    subprocess.run(["/bin/sh", f"{work}/{name}"], check=True, timeout=SECONDS, cwd="/")


def alerts():
    return re.findall(r"^culprit: alert (\w+) \(([^)]*)\): (.*)$", said(), re.M)


def status():
    r = subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", "--json", "status"], capture_output=True, text=True, check=False, timeout=SECONDS)
    return json.loads(r.stdout)["alerts"] if r.returncode == 0 else {"failed": r.stderr}


def show(s):
    print(f"\n{'row':14} changes")
    for row, n in sorted(s["expected"].items(), key=lambda x: -x[1]):
        print(f"{row:14} {n:7}")
    print(f"{'silenced':14} {s['silenced']:7}\n{'alerted':14} {s['reported']:7}\n{'seen':14} {s['seen']:7}\n")
    subprocess.run([CULPRIT, "who", "--store", store, "--expected", "--config", etc, "--top", "2", "/"], check=False, timeout=SECONDS)


def play(docker):
    packages()
    if docker:
        containers(docker)
    else:
        print("skipped: containers: no docker")
    script("cleaner", f"rm {tree}/precious")
    rotation()
    tmpfiles()
    git()
    ansible()
    check("the deletion is an alert", wait_until(lambda: any("cleaner" in a[2] for a in alerts())), alerts())
    script("last", f": > {tree}/last")  # comes after all that
    check("all of it was judged", wait_until(lambda: any("/last" in a[2] for a in alerts())), alerts())
    s = status()
    show(s)
    late = [a for a in alerts() if a[2].startswith("culprit may not know every container: docker: ")]  # a slow machine's dockerd: said, and no noise
    reported = [a for a in alerts() if f"{work}/last" not in a[2] and a not in late]
    for a in late + reported:
        print("alert:", *a[1:])
    check("exactly one is an alert", len({a[0] for a in reported}) == 1, reported)
    check("each change is counted once", s["seen"] == s["reported"] + s["silenced"] + sum(s["expected"].values()), s)
    check("and no event was lost", "culprit lost " not in said(), said())


def main():
    overlays()
    for name in ("etc", "run", "tree/log", "tree/dir", "debs", "tmp/gone/sub", "tmp/aged"):
        os.makedirs(f"{work}/{name}")
    for name in ("precious", "old", "by-command", "log/a.log", "log/b.log"):
        touch(f"{tree}/{name}")
    with open(f"{tree}/hosts", "w", encoding="utf-8") as f:
        f.write("127.0.0.1 localhost\n")
    for name in ("gone/sub/x", "gone/y", "aged/z"):
        touch(f"{tmp}/{name}")
    prepare_git()
    docker = None
    try:
        if shutil.which("dockerd") and shutil.which("docker") and shutil.which("busybox"):
            docker = Docker()
        with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
            f.write(("" if "--long" in sys.argv else "sensor = fanotify\n") +  # audit is one for the whole kernel: beside this, others use it
                    f"store = {store}\nwatch w {{ targets = {{ {tree}, {tmp}, 'noise:/prd' }} }}\n" +
                    (f"docker_socket = {docker.host[len('unix://'):]}\n" if docker else ""))
        start()
        play(docker)
    finally:
        if docker:
            docker.stop()
        shared.clear()
        sh(f"umount -l {work}/over; rm -rf {work}")
    return shared.result()


sys.exit(main())
