# SPDX-License-Identifier: MIT
"""A private dockerd for the battery: own socket, data and state; the user's is not touched."""
import os
import shutil
import subprocess
import tempfile
import time

from lib.mounts import unmount_below

APPLETS = "sh sleep rm mv cp ls cat chmod chown mkdir rmdir touch true id ln dd truncate".split()
IDLE = ["/bin/sh", "-c", 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done']


def make_root(root):
    """The smallest root file system that can run a shell: a static busybox, and some files to lose."""
    for d in ("bin", "etc", "proc", "sys", "dev", "tmp", "prd/sub"):
        os.makedirs(f"{root}/{d}")
    shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
    for a in APPLETS:
        os.symlink("busybox", f"{root}/bin/{a}")
    with open(root + "/etc/passwd", "w", encoding="ascii") as f:
        f.write("root:x:0:0:root:/root:/bin/sh\nim:x:1000:1000::/:/bin/sh\n")
    for name in ("prd/lower", "prd/lower2", "prd/sub/deep"):
        with open(f"{root}/{name}", "w", encoding="ascii") as f:
            f.write("content\n")
    return root


def end_daemon(daemon):
    """Asked to, as it has to clear up; on a busy machine that takes its time."""
    daemon.terminate()
    try:
        daemon.wait(120)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


class Docker:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="culprit-docker.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
        self.host = f"unix://{self.dir}/docker.sock"
        self.env = {**os.environ, "DOCKER_HOST": self.host}
        os.environ["DOCKER_HOST"] = self.host  # culprit's too
        self.log = open(self.dir + "/log", "wb")
        # it gives its containerd 15 seconds, whatever else the machine has to do: the next try finds more of it in memory
        if not any(self.begins() for _ in range(4)):
            raise RuntimeError("dockerd ended: " + open(self.dir + "/log", errors="replace").read()[-500:])
        self.make_image()

    def begins(self):
        self.daemon = subprocess.Popen(
            ["dockerd", "--data-root", self.dir + "/data", "--exec-root", self.dir + "/exec", "-H", self.host,
             "--pidfile", self.dir + "/pid", "--bridge=none", "--iptables=false", "--ip6tables=false"],
            stdout=self.log, stderr=self.log)
        for _ in range(1200):
            if self("version", check=False).returncode == 0:
                return True
            if self.daemon.poll() is not None:
                return False
            time.sleep(0.1)
        raise RuntimeError("dockerd does not answer: " + open(self.dir + "/log", errors="replace").read()[-500:])

    def __call__(self, *arguments, check=True):
        r = subprocess.run(["docker", *arguments], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=False, timeout=600)
        if check and r.returncode:
            raise RuntimeError(f"docker {' '.join(arguments)}: {r.stderr.decode(errors='replace').strip()}")
        return r

    def make_image(self):
        root = make_root(self.dir + "/root")
        tar = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", "shop:1.4"], env=self.env, stdin=tar.stdout, check=True,
                       stdout=subprocess.DEVNULL)
        tar.wait()

    def run(self, name, *options, command=None):
        self("rm", "-f", name, check=False)
        self("run", "-d", "--name", name, "--network", "none", *options, "shop:1.4", *(command or IDLE))
        return self.inspect(name, "{{.Id}}")

    def inspect(self, name, template):
        return self("inspect", "-f", template, name).stdout.decode().strip()

    def pid(self, name):
        return int(self.inspect(name, "{{.State.Pid}}"))

    def clear(self):
        ids = self("ps", "-aq", check=False).stdout.decode().split()
        if ids:
            self("rm", "-f", *ids, check=False)

    def stop(self):
        self.clear()
        end_daemon(self.daemon)
        unmount_below(self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)
