# SPDX-License-Identifier: MIT
"""The machine that the situations happen on: users, terminals by a real sshd, cron and atd of our own.

All of it is in a mount namespace whose /etc, /home and /var/spool are our own, so that nothing of the machine
is changed and nothing is left behind."""
import os
import shutil
import signal
import subprocess
import tempfile
import time

USERS = (('ann', 4201), ('bob', 4202))
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
OVERLAID = ('/etc', '/var/spool', '/var/lib/dpkg', '/home')


def sh(text, **more):
    return subprocess.run(['/bin/sh', '-c', text], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **more)


def wait_for(test, seconds, pause=0.02):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Terminal:
    """An interactive shell of a user who logged in by ssh."""

    def __init__(self, world, user):
        self.log = open(os.path.join(world.work, f'terminal-{user}.log'), 'wb')
        self.process = subprocess.Popen(world.ssh_command(user, '-tt'), stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        self.marks = 0
        self.marker = os.path.join(world.work, 'marks', user + ('-engine' if world.engine else ''))
        self.tty = ''
        path = os.path.join(world.work, 'marks', user + '.tty')
        exports = ''.join(f'export {name}={value}; ' for name, value in world.env.items() if name == 'DOCKER_HOST')
        if not self.type(f'unset HISTFILE; export PATH={PATH}; PS1="$ "; {exports}tty > {path}', 600):
            raise SystemExit(f'situations: no terminal for {user}: ' + open(self.log.name, errors='replace').read()[-300:])
        self.tty = open(path).read().strip().removeprefix('/dev/')

    def type(self, text, seconds):
        """Types it, and waits until the next command of this shell has run."""
        self.marks += 1
        done = f'{self.marker}.{self.marks}'
        # one command: what is typed ahead, sudo's own terminal throws away
        self.process.stdin.write(f'{{ {text}\n}}; : > {done}\n'.encode())
        self.process.stdin.flush()
        return wait_for(lambda: os.path.exists(done), seconds)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


class World:
    def __init__(self):
        self.work = tempfile.mkdtemp(prefix='situations.', dir=os.environ.get('CULPRIT_TEST_DIR', '/srv'))
        os.chmod(self.work, 0o755)
        os.makedirs(os.path.join(self.work, 'marks'))
        os.chmod(os.path.join(self.work, 'marks'), 0o1777)
        self.daemons, self.terminals = [], {}
        self.env, self.engine = {}, None
        self.overlay()
        self.users()
        self.sshd()
        self.timers()

    def overlay(self):
        over = os.path.join(self.work, 'over')
        os.mkdir(over)
        sh(f'mount -t tmpfs -o mode=0755 tmpfs {over}')
        for path in OVERLAID:
            name = path.strip('/').replace('/', '-')
            sh(f'mkdir -p {over}/{name}/upper {over}/{name}/work && mount -t overlay overlay '
               f'-o lowerdir={path},upperdir={over}/{name}/upper,workdir={over}/{name}/work {path}')

        # what root's shells do here at their start is this machine's, and may take an emulated one minutes
        open(f'{over}/nothing', 'w', encoding='ascii').close()
        for name in ('.bashrc', '.profile', '.bash_profile', '.bash_login', '.bash_logout'):
            if os.path.exists(f'/root/{name}'):
                sh(f'mount --bind {over}/nothing /root/{name}')
        self.own_run(os.path.join(over, 'run'))

    def own_run(self, path):
        """/run as it is, but for the files by which cron and atd know that they run already."""
        os.mkdir(path)
        for name in os.listdir('/run'):
            theirs, ours = f'/run/{name}', f'{path}/{name}'
            if name in ('atd.pid', 'crond.pid', 'crond.reboot'):
                continue
            if os.path.islink(theirs):
                os.symlink(os.readlink(theirs), ours)
                continue
            if os.path.isdir(theirs):
                os.mkdir(ours)
            else:
                open(ours, 'w').close()
            sh(f'mount --rbind {theirs} {ours}')
        sh(f'mount --rbind {path} /run')

    def users(self):
        for name, uid in USERS:
            sh(f'useradd -m -u {uid} -s /bin/bash {name} && rm -f ~{name}/.bash_logout')
        with open('/etc/sudoers.d/situations', 'w') as f:
            f.write('ann ALL=(ALL) NOPASSWD: ALL\nDefaults:ann !lecture\n')
        os.chmod('/etc/sudoers.d/situations', 0o440)
        # what the machine itself would do at this hour is none of our situations
        sh('rm -f /etc/cron.d/* /etc/crontab /etc/cron.*ly/* /etc/anacrontab; mkdir -p /run/sshd')

    def daemon(self, command):
        """Starts it as an orphan, as what boots a machine does: nothing of ours is above it."""
        pid_file = os.path.join(self.work, f'daemon-{len(self.daemons)}.pid')
        log = os.path.join(self.work, f'daemon-{len(self.daemons)}.log')
        sh(f'setsid sh -c \'echo $$ > {pid_file}; exec {command}\' > {log} 2>&1 < /dev/null &', env={'PATH': PATH})
        if not wait_for(lambda: os.path.exists(pid_file) and os.path.getsize(pid_file) > 0, 120):
            raise SystemExit(f'situations: does not start: {command}')
        self.daemons.append(int(open(pid_file).read()))

    def sshd(self):
        self.port = free_port()
        keys = os.path.join(self.work, 'keys')
        os.mkdir(keys)
        sh(f'ssh-keygen -q -t ed25519 -N "" -f {keys}/host; ssh-keygen -q -t ed25519 -N "" -f {keys}/id')
        with open(f'{keys}/config', 'w') as f:
            f.write(f'Port {self.port}\nListenAddress 127.0.0.1\nHostKey {keys}/host\nAuthorizedKeysFile {keys}/id.pub\n'
                    f'StrictModes no\nPermitRootLogin yes\nUsePAM yes\nLoginGraceTime 0\nPidFile none\nPrintMotd no\nPrintLastLog no\n'
                    f'Subsystem sftp /usr/lib/openssh/sftp-server\nSubsystem itself internal-sftp\nMaxSessions 50\nMaxStartups 100\nUseDNS no\n')
        sh(f'chmod 0644 {keys}/id.pub; sed -i /motd/d\\;/mail/d\\;/systemd/d /etc/pam.d/sshd /etc/pam.d/common-session')
        self.daemon(f'/usr/sbin/sshd -D -f {keys}/config')
        import socket
        def answers():
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return True
            except OSError:
                return False
        if not wait_for(answers, 120):
            raise SystemExit('situations: sshd does not answer')

    def timers(self):
        for name in ('cron', 'atd'):
            if shutil.which(name, path=PATH):
                self.daemon(f'{name} -f')

    def ssh_command(self, user, *options):
        return ['ssh', '-F', 'none', '-q', '-p', str(self.port), '-i', f'{self.work}/keys/id', '-o', 'StrictHostKeyChecking=no',
                '-o', 'UserKnownHostsFile=/dev/null', *options, f'{user}@127.0.0.1']

    def terminal(self, user):
        if user not in self.terminals:
            self.terminals[user] = Terminal(self, user)
        return self.terminals[user]

    def forget_terminals(self):
        for terminal in self.terminals.values():
            terminal.close()
        self.terminals = {}

    def play(self, by, text, seconds=300):
        """root, ann, bob: typed at a terminal · ssh:USER: a command given to ssh · none: what is timed does it itself."""
        if by == 'none':
            return True
        if by.startswith('ssh:'):
            r = subprocess.run([*self.ssh_command(by[4:]), text], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, timeout=seconds)
            return r.returncode != 255
        return self.terminal(by).type(text, seconds)

    def close(self):
        self.forget_terminals()
        for pid in self.daemons:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        wait_for(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in self.daemons), 5)
        for path in ['/run', *reversed(OVERLAID)]:
            subprocess.run(['umount', '-l', path], stderr=subprocess.DEVNULL)
        subprocess.run(['umount', '-l', os.path.join(self.work, 'over')], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.work, ignore_errors=True)
