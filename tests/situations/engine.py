# SPDX-License-Identifier: MIT
"""A dockerd of our own, as tests/scenario/lib/docker.sh starts it; podman with a storage of its own."""
import os
import signal
import subprocess

from world import PATH, sh, wait_for

APPLETS = 'sh sleep rm mv cp ls cat chmod chown mkdir touch true id ln dd truncate'


class Engine:
    def __init__(self, world):
        self.dir = os.path.join(world.work, 'docker')
        os.makedirs(f'{self.dir}/data')
        os.makedirs(f'{self.dir}/exec')
        self.env = {'PATH': PATH, 'DOCKER_HOST': f'unix://{self.dir}/docker.sock', 'HOME': '/root'}
        world.daemon(f'dockerd --data-root {self.dir}/data --exec-root {self.dir}/exec -H {self.env["DOCKER_HOST"]} '
                     f'--pidfile {self.dir}/pid --bridge=none --iptables=false --ip6tables=false')
        self.pid = world.daemons.pop()
        if not wait_for(lambda: self.docker('version') == 0, 300, 0.2):
            raise SystemExit('situations: the private dockerd does not start')
        root = f'{self.dir}/root'
        sh(f'mkdir -p {root}/bin {root}/etc {root}/proc {root}/sys {root}/dev {root}/tmp {root}/root {root}/prd; cp $(command -v busybox) {root}/bin/busybox; '
           f'for a in {APPLETS}; do ln -s busybox {root}/bin/$a; done; echo a > {root}/prd/a; echo b > {root}/prd/b; '
           f'printf "root:x:0:0:root:/root:/bin/sh\\nim:x:1000:1000::/:/bin/sh\\n" > {root}/etc/passwd; '
           f'printf "#!/bin/sh\\nrm -f /prd/a\\nexec sleep 600\\n" > {root}/bin/entry; printf "#!/bin/sh\\nrm -f /prd/a\\n:\\n" > {root}/bin/clean; '
           f'printf "#!/bin/sh\\nsleep 2\\nclean\\nexec sleep 600\\n" > {root}/bin/app; chmod 0755 {root}/bin/entry {root}/bin/clean {root}/bin/app; '
           f'tar -C {root} -c . | docker import - shop:1.4', env=self.env)

    def docker(self, *args):
        return subprocess.run(['docker', *args], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env).returncode

    def pods(self):
        ctr = f'ctr -a {self.dir}/exec/containerd/containerd.sock -n k8s.io'
        sh(f'for c in $({ctr} task ls -q); do {ctr} task kill -a -s 9 $c; {ctr} task rm -f $c; {ctr} container rm $c; done; :', env=self.env, stderr=subprocess.DEVNULL)

    def stop(self):
        self.pods()
        sh('docker rm -f $(docker ps -aq) 2> /dev/null; :', env=self.env, stderr=subprocess.DEVNULL)
        os.kill(self.pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f'/proc/{self.pid}'), 120, 0.1)
        for line in reversed(open('/proc/mounts').readlines()):
            if line.split()[1].startswith(self.dir + '/'):
                subprocess.run(['umount', '-l', line.split()[1]], stderr=subprocess.DEVNULL)
