# SPDX-License-Identifier: MIT
"""The same rows by other sensors: one watch of all of them, asked from its store; and from the log of an auditd of our own."""
import fcntl
import os
import signal
import subprocess
import tempfile
import time

from world import PATH, sh, wait_for

CONF = '''log_file = {dir}/audit.log
log_format = ENRICHED
flush = NONE
max_log_file = 50
num_logs = 2
max_log_file_action = ROTATE
space_left = 75
admin_space_left = 50
space_left_action = IGNORE
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
'''


class Lock:
    """The kernel has one audit, and containers have names: two runs at once would see each other."""

    def __init__(self, what):
        self.path = f'/run/culprit-test-{what}.lock'

    def __enter__(self):
        self.file = open(self.path, 'w')
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *error):
        self.file.close()


def status(word):
    out = subprocess.run(['auditctl', '-s'], capture_output=True, text=True, env={'PATH': PATH}).stdout
    return next((line.split()[1] for line in out.splitlines() if line.startswith(word + ' ')), '')


class Auditd:
    def __init__(self, world):
        self.dir = tempfile.mkdtemp(prefix='auditd.', dir=world.work)
        self.log = os.path.join(self.dir, 'audit.log')
        os.makedirs(os.path.join(self.dir, 'etc/plugins.d'))
        with open(os.path.join(self.dir, 'etc/auditd.conf'), 'w') as f:
            f.write(CONF.format(dir=self.dir))
        os.chmod(f.name, 0o640)
        self.enabled, self.backlog = status('enabled'), status('backlog_limit')
        sh('auditctl -e 1; auditctl -b 8192', env={'PATH': PATH})  # the limit that distributions' rules begin with: the kernel's 64 loses some
        self.process = subprocess.Popen(['auditd', '-n', '-c', f'{self.dir}/etc'], stdin=subprocess.DEVNULL, env={'PATH': PATH},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_for(lambda: status('pid') == str(self.process.pid), 120, 0.1):
            raise SystemExit('situations: auditd does not start')
        sh('auditctl -a always,exit -F arch=b64 -S execve -k launch', env={'PATH': PATH})

    def watch(self, path):
        sh(f'auditctl -w {path} -p wa -k changes', env={'PATH': PATH})

    def has(self, word):
        with open(self.log, 'rb') as f:
            return word in f.read()

    def stop(self):
        # what the kernel still holds would be missing
        sh('auditctl -m situations-end', env={'PATH': PATH})
        if not wait_for(lambda: self.has(b'situations-end'), 120, 0.1):
            print('situations: auditd has not written the end')
        sh(f'auditctl -D; auditctl -b {self.backlog}; auditctl -e {self.enabled}', env={'PATH': PATH})
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)


def by_sensor(world, args, rows, sensor, number, kit):
    """kit: what run.py does with a row: Play, check, ask, report."""
    plays = [kit.Play(world, row, number + i) for i, row in enumerate(rows)]
    log = Auditd(world) if sensor == 'audit' else None
    for play in plays:
        play.audit_alone = sensor == 'audit'
    watch = None
    try:
        store = os.path.join(world.work, f'{sensor}.db')
        error = open(os.path.join(world.work, f'{sensor}.err'), 'w+')
        for play in plays if log else ():
            log.watch(play.d)
        watch = subprocess.Popen([args.culprit, 'watch', '--sensor', sensor, '--store', store, *(play.fill(play.row.target) for play in plays)],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error, env={'PATH': PATH})
        ready = wait_for(lambda: 'culprit: ready' in open(error.name).read() or watch.poll() is not None, 240)
        for play in kit.waits_first(plays):
            play.wrong += [] if ready else ['culprit is not ready']
            play.play(world)
        for play in plays:
            if not wait_for(play.finished, 300, 0.1):
                play.wrong.append('it did not happen')
        time.sleep(args.settle + 0.5)
        watch.send_signal(signal.SIGINT)
        watch.wait(300)
    finally:
        if watch and watch.poll() is None:
            watch.kill()
            watch.wait()
        if log:
            log.stop()
    for play in plays:
        who = kit.ask(args.culprit, play, '--store', store)
        answers = [('store', who)]
        play.wrong += kit.check(play, who, 'store')
        if log and play.row.log:
            reported = kit.ask(args.culprit, play, '--from', log.log)
            answers.append(('log', reported))
            play.wrong += kit.check(play, reported, 'log')
        play.crashed = watch.returncode < 0
        kit.report(play, sensor, args, answers)
    return plays
