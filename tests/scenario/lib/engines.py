# SPDX-License-Identifier: MIT
"""Real container engines behind one face, each private to the test: podman and containerd with runc, and
runc by hand. What a machine does not have is skipped."""
import json
import os
import shutil
import subprocess
import tempfile
import time

from lib.engine import Docker as PrivateDocker, IDLE, end_daemon, make_root
from lib.mounts import unmount_below


class Missing(Exception):
    """The machine does not have this engine."""


def call(*arguments, check=True, **more):
    r = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       check=False, **more)
    if check and r.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {r.stderr.decode(errors='replace').strip()[-300:]}")
    return r.stdout.decode(errors="replace").strip()


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Missing(f"{p} is not here")


def overlay_of(pid):
    """(upper, first lower) of the overlay at the root of a process."""
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as f:
        for line in f:
            fields = line.split()
            if fields[4] == "/":
                options = dict(o.split("=", 1) for o in fields[-1].split(",") if "=" in o)
                return options.get("upperdir"), options.get("lowerdir", "").split(":")[0]
    return None, None


class Docker:
    """The battery's own dockerd, lib/engine.py."""
    volumes, layered, copies = True, True, True

    def __init__(self, docker):
        self.docker = docker

    def run(self, name, *options, command=None):
        self.docker.run(name, *options, command=command)

    def exec(self, name, script):
        self.docker("exec", name, "sh", "-c", script)

    def pid(self, name):
        return self.docker.pid(name)

    def merged(self, name):
        return self.docker.inspect(name, "{{.GraphDriver.Data.MergedDir}}")

    def upper(self, name):
        return self.docker.inspect(name, "{{.GraphDriver.Data.UpperDir}}")

    def lower(self, name):
        return os.path.realpath(self.docker.inspect(name, "{{.GraphDriver.Data.LowerDir}}").split(":")[-1])

    def restart(self, name):
        self.docker("restart", "-t", "2", name)

    def restart_command(self, name):
        return f"docker restart -t 2 {name}"

    def tool(self, *arguments):
        self.docker(*arguments)

    def clear(self):
        self.docker.clear()
        self.docker("volume", "prune", "-f", check=False)

    def stop(self):
        pass


class Podman:
    volumes, layered, copies = True, True, True

    driver = ()

    def __init__(self):
        need("podman", "runc", "conmon")
        self.dir = tempfile.mkdtemp(prefix="culprit-podman.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
        # crun refuses a host with cgroups of both versions, and limits cannot be raised everywhere
        self.base = ["podman", "--root", self.dir + "/storage", "--runroot", self.dir + "/run", "--runtime",
                     shutil.which("runc"), "--cgroup-manager=cgroupfs", *self.driver]
        root = make_root(self.dir + "/root")
        call("tar", "-C", root, "-cf", self.dir + "/image.tar", ".")
        self.tool("import", self.dir + "/image.tar", "shop:1.4")

    def tool(self, *arguments, check=True):
        return call(*self.base, *arguments, check=check)

    def run(self, name, *options, command=None):
        self.tool("rm", "-f", "-t", "0", name, check=False)
        self.tool("run", "-d", "--name", name, "--network", "none", "--ulimit", "nofile=1024:1024",
                  "--ulimit", "nproc=1000:1000", *options, "shop:1.4", *(command or IDLE))

    def exec(self, name, script):
        self.tool("exec", name, "sh", "-c", script)

    def inspect(self, name, template):
        return self.tool("inspect", "-f", template, name)

    def pid(self, name):
        return int(self.inspect(name, "{{.State.Pid}}"))

    def merged(self, name):
        return self.inspect(name, "{{.GraphDriver.Data.MergedDir}}")

    def upper(self, name):
        return self.inspect(name, "{{.GraphDriver.Data.UpperDir}}")

    def lower(self, name):
        return os.path.realpath(self.inspect(name, "{{.GraphDriver.Data.LowerDir}}").split(":")[-1])

    def restart(self, name):
        self.tool("restart", "-t", "2", name)

    def restart_command(self, name):
        return " ".join(self.base) + f" restart -t 2 {name}"

    def clear(self):
        self.tool("rm", "-f", "-a", "-t", "0", check=False)
        self.tool("volume", "prune", "-f", check=False)

    def stop(self):
        self.clear()
        self.tool("rmi", "-f", "-a", check=False)
        unmount_below(self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)


class PodmanVfs(Podman):
    """Each layer a whole tree, as users have it who have no overlay."""
    layered, driver = False, ("--storage-driver", "vfs")


class Containerd:
    """By ctr, in a namespace of its own, from an image on an overlay."""
    volumes, layered, copies = False, True, False

    def __init__(self, podman):
        need("containerd", "ctr", "runc")
        self.dir = tempfile.mkdtemp(prefix="culprit-containerd.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
        with open(self.dir + "/config.toml", "w", encoding="ascii") as f:
            f.write(f'version = 2\nroot = "{self.dir}/root"\nstate = "{self.dir}/state"\n'
                    f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{self.dir}/sock"\n')
        self.log = open(self.dir + "/log", "wb")
        self.daemon = subprocess.Popen(["containerd", "-c", self.dir + "/config.toml"], stdout=self.log,
                                       stderr=self.log)
        deadline = time.time() + 120
        while "SERVER" not in self.tool("version", check=False).upper():
            if self.daemon.poll() is not None or time.time() > deadline:
                raise RuntimeError("containerd did not start")
            time.sleep(0.1)
        podman.tool("save", "--format", "oci-archive", "-o", self.dir + "/image.tar", "shop:1.4")
        self.tool("images", "import", self.dir + "/image.tar")
        self.image = self.tool("images", "ls", "-q").splitlines()[0]
        self.names = []

    def tool(self, *arguments, check=True):
        return call("ctr", "-a", self.dir + "/sock", "-n", "battery", *arguments, check=check)

    def run(self, name, *options, command=None):
        self.remove(name)
        options = list(options)
        mounts = []
        while "-v" in options:
            at = options.index("-v")
            source, target = options[at + 1].split(":")
            mounts += ["--mount", f"type=bind,src={source},dst={target},options=rbind:rw"]
            del options[at:at + 2]
        self.names.append(name)
        self.tool("run", "-d", *options, *mounts, self.image, name, *(command or IDLE))

    def remove(self, name):
        self.tool("task", "kill", "-s", "KILL", name, check=False)
        for _ in range(1200):
            if not self.tool("task", "rm", name, check=False) and name not in self.tool("task", "ls", "-q").split():
                break
            time.sleep(0.05)
        self.tool("container", "rm", name, check=False)

    def exec(self, name, script):
        self.tool("task", "exec", "--exec-id", f"x{time.time_ns()}", name, "/bin/sh", "-c", script)

    def pid(self, name):
        for line in self.tool("task", "ls").splitlines():
            if line.split()[0] == name:
                return int(line.split()[1])
        raise RuntimeError(f"{name} does not run")

    def merged(self, name):
        return f"{self.dir}/state/io.containerd.runtime.v2.task/battery/{name}/rootfs"

    def upper(self, name):
        return overlay_of(self.pid(name))[0]

    def lower(self, name):
        return overlay_of(self.pid(name))[1]

    def restart(self, name):
        self.tool("task", "kill", "-s", "KILL", name)
        for _ in range(3000):
            if name not in self.tool("task", "ls", "-q").split() or not self.tool("task", "rm", name, check=False):
                if name not in self.tool("task", "ls", "-q").split():
                    break
            time.sleep(0.02)
        self.tool("task", "start", "-d", name)

    def restart_command(self, name):
        ctr = f"ctr -a {self.dir}/sock -n battery task"
        return (f"{ctr} kill -s KILL {name}; until {ctr} rm {name} 2> /dev/null; do sleep 0.1; done; "
                f"{ctr} start -d {name}")

    def clear(self):
        for name in self.names:
            self.remove(name)
        self.names = []

    def stop(self):
        self.clear()
        end_daemon(self.daemon)
        unmount_below(self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)


class Runc:
    """A bundle with a plain directory as root, as somebody starts it by hand."""
    volumes, layered, copies = False, False, False

    def __init__(self):
        need("runc")
        self.dir = tempfile.mkdtemp(prefix="culprit-runc.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
        self.names = []

    def bundle(self, name):
        return f"{self.dir}/{name}"

    def run(self, name, *options, command=None):
        self.remove(name)
        shutil.rmtree(self.bundle(name), ignore_errors=True)
        os.makedirs(self.bundle(name))
        make_root(self.bundle(name) + "/rootfs")
        call("runc", "spec", cwd=self.bundle(name))
        with open(self.bundle(name) + "/config.json", encoding="utf-8") as f:
            config = json.load(f)
        config["process"].pop("rlimits", None)
        config["process"].update(terminal=False, args=command or IDLE)
        config["root"]["readonly"] = False
        for capabilities in config["process"]["capabilities"].values():
            capabilities += ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]
        options = list(options)
        while "-v" in options:
            at = options.index("-v")
            source, target = options[at + 1].split(":")
            config["mounts"].append({"destination": target, "type": "bind", "source": source,
                                     "options": ["rbind", "rw"]})
            del options[at:at + 2]
        config["annotations"] = dict(o.split("=", 1) for o in options[1::2])
        with open(self.bundle(name) + "/config.json", "w", encoding="utf-8") as f:
            json.dump(config, f)
        self.names.append(name)
        self.start(name)

    def start(self, name):
        with open(self.dir + "/out", "wb") as out:
            subprocess.run(["runc", "run", "-d", "--no-pivot", name], cwd=self.bundle(name), stdin=subprocess.DEVNULL,
                           stdout=out, stderr=out, check=True)

    def remove(self, name):
        call("runc", "delete", "-f", name, check=False)

    def exec(self, name, script):
        call("runc", "exec", name, "/bin/sh", "-c", script)

    def pid(self, name):
        return json.loads(call("runc", "state", name))["pid"]

    def upper(self, name):
        return self.bundle(name) + "/rootfs"

    def restart(self, name):
        self.remove(name)
        self.start(name)

    def restart_command(self, name):
        return f"cd {self.bundle(name)}; runc delete -f {name}; runc run -d --no-pivot {name} > /dev/null 2>&1 < /dev/null"

    def clear(self):
        for name in self.names:
            self.remove(name)
        self.names = []

    def stop(self):
        self.clear()
        unmount_below(self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)


class Engines:
    """Started when first asked for, stopped together."""

    def __init__(self, docker):
        self.docker = docker
        self.made = {}

    def get(self, name):
        if name not in self.made:
            try:
                self.made[name] = {"docker": lambda: Docker(self.docker), "podman": Podman, "podman-vfs": PodmanVfs,
                                   "containerd": lambda: Containerd(self.get("podman")), "runc": Runc}[name]()
            except Missing as reason:
                self.made[name] = reason
        if isinstance(self.made[name], Missing):
            raise self.made[name]
        return self.made[name]

    def stop(self):
        for engine in reversed(list(self.made.values())):
            if not isinstance(engine, Missing):
                engine.stop()


def each(names, prefix, play):
    """play(engines, name, work) on each engine; prints how many were right, and gives the exit status."""
    docker = PrivateDocker() if "docker" in names else None
    engines = Engines(docker)
    passed = failed = 0
    try:
        for name in names:
            with tempfile.TemporaryDirectory(prefix=prefix) as work:
                try:
                    right = play(engines, name, work)
                except Missing as reason:
                    print(f"{name}: skipped: {reason}")
                    continue
                passed, failed = passed + right, failed + (not right)
    finally:
        engines.stop()
        if docker:
            docker.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
