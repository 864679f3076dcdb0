#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""oracle.py CULPRIT [-s SETS] [-w WORKLOADS] [-f FILE-SYSTEMS] [--late] [--held] [--short] [-v] [--keep]: real programs run under strace while
culprit watches; each successful change that strace saw must be reported once, as what it was, by whom it was, and nothing else.

SETS: sets of sensors, separated by blanks ("fanotify audit fanotify,audit"). Run it by run.sh, as root."""
import argparse
import fnmatch
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places  # noqa: E402
import reported  # noqa: E402
import trace  # noqa: E402
from compare import compare  # noqa: E402
from truth import Truth  # noqa: E402
from workloads import WORKLOADS, is_here  # noqa: E402

# of all changes, those that must be reported; nothing may be reported that is not so
TARGETS = {'bpf': 1.0, 'fanotify,audit': 0.999, 'audit': 0.995, 'fanotify': 0.97}
HOLD = ['sh', '-c', 'kill -STOP $PPID; "$@"; kill -CONT $PPID', 'hold'] # a command of culprit's, around another one
LATE = 0.95 # of those, where culprit is held up: the kernel's queues run over, which is reported as a gap
EXTRA = 0.001 # reported once more than it was done
SHOWN = 8
COLUMNS = 'right refused unknown declared missed extra wrong who'.split()
HEAD = ' '.join(f'{c:>8}' for c in COLUMNS)


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('culprit')
    ap.add_argument('-s', '--sets', default='fanotify audit fanotify,audit')
    ap.add_argument('-w', '--workloads', default='*', help='patterns of names, separated by commas')
    ap.add_argument('-f', '--file-systems', default='host', help='of host tmpfs ext4 xfs btrfs overlay lower, separated by commas')
    ap.add_argument('--late', action='store_true', help='culprit is stopped again and again: what it reads late it may not report wrongly')
    ap.add_argument('--held', action='store_true', help='culprit is stopped from the first change to the last, and looks at all of them then')
    ap.add_argument('--short', action='store_true')
    ap.add_argument('-v', '--verbose', action='store_true')
    ap.add_argument('--keep', action='store_true')
    return ap.parse_args()


class Run:
    """One workload, watched by one set of sensors."""

    def __init__(self, o, workload, sensors, point, kind):
        self.top = tempfile.mkdtemp(prefix='run-', dir=point)
        self.out = tempfile.mkdtemp(prefix='out-', dir=os.path.dirname(point))
        self.watched = self.top + '/w'
        self.culprit, self.workload, self.sensors, self.late, self.held = os.path.abspath(o.culprit), workload, sensors, o.late, o.held
        self.point, self.kind = point, kind
        os.mkdir(self.watched)
        for folder in (self.top, self.out, self.watched):
            os.chmod(folder, 0o777)

    def play(self):
        w, env = self.workload, {**os.environ, 'TMPDIR': self.watched, 'HOME': self.watched, 'LC_ALL': 'C.UTF-8', 'GIT_CONFIG_NOSYSTEM': '1',
                                 'UV_USE_IO_URING': '0'}
        env['ORACLE'] = os.path.dirname(os.path.abspath(__file__))
        if w.user:
            os.chown(self.watched, pwd.getpwnam(w.user).pw_uid, -1)
        if w.prepare:
            subprocess.run(['bash', '-c', w.prepare], cwd=self.watched, env=env, check=True, stdin=subprocess.DEVNULL)
        places.prepared(self.kind, self.point)
        truth = Truth(self.watched)
        run = [self.culprit, 'run', '-w', self.watched, '--format', 'json', '--no-store', '--settle', '500ms', '--sensor', self.sensors, '--']
        run += (HOLD if self.held else []) + trace.command(self.out + '/trace') + (['-u', w.user] if w.user else []) + ['bash', '-c', w.run]
        with open(self.out + '/json', 'wb') as out, open(self.out + '/err', 'wb') as err:
            with subprocess.Popen(run, cwd=self.watched, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env) as p:
                try:
                    held_up(p, time.monotonic() + w.timeout, self.late)
                except subprocess.TimeoutExpired:
                    p.kill()
                    raise
        changes = truth.read(self.out + '/trace')
        said, gaps, _ = reported.read(self.out + '/json', truth.names.inside)
        return compare(changes, said, self.sensors), gaps

    def show(self, key):
        short = lambda p: '-' if p is None else os.fsdecode(p).replace(self.watched, '.')  # noqa: E731
        op = key.op if hasattr(key, 'op') else key.ops[0]
        return f'{op} {short(key.path)} {key.pid}' + (f' (from {short(key.previous)})' if key.previous else '') + (f' {key.error}' if key.error else '')

    def done(self, keep):
        if self.workload.after:
            subprocess.run(['bash', '-c', self.workload.after], cwd=self.watched, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if keep:
            print(f'  {self.out}')
            return
        shutil.rmtree(self.top, ignore_errors=True)
        shutil.rmtree(self.out, ignore_errors=True)


def held_up(process, until, late):
    """Waits for its end. late: it is stopped for moments that no machine's load gives so often."""
    while late and process.poll() is None and time.monotonic() < until:
        process.send_signal(signal.SIGSTOP)
        time.sleep(random.random() * 0.006)
        process.send_signal(signal.SIGCONT)
        time.sleep(random.random() * 0.003)
    process.wait(max(until - time.monotonic(), 0))


def picked(o):
    patterns = o.workloads.split(',')
    for w in WORKLOADS:
        if not any(fnmatch.fnmatch(w.name, p) for p in patterns) or (o.short and not w.short):
            continue
        if is_here(w):
            yield w
        else:
            print(f'******** NOT RUN: {w.name} (needs {w.needs})', flush=True)


def numbers(row):
    return ' '.join(f'{n:8}' for n in row)


class Table:
    """What came out: for each set the sum, and what failed."""

    def __init__(self, late):
        self.sums, self.passed, self.failed, self.late = {}, 0, 0, late
        print(f'{"workload":16} {"on":8} {"sensors":15} {HEAD}', flush=True)

    def check(self, good):
        self.passed, self.failed = self.passed + good, self.failed + (not good)

    def add(self, workload, kind, sensors, result):
        s = self.sums.setdefault(sensors, [0] * len(COLUMNS))
        row = [n if isinstance(n, int) else len(n) for n in (getattr(result, c) for c in COLUMNS)]
        for i, n in enumerate(row):
            s[i] += n
        print(f'{workload.name:16} {kind:8} {sensors:15} {numbers(row)}', flush=True)
        self.check(result.all > 0 and not result.wrong)

    def sum(self, sensors):
        s = dict(zip(COLUMNS, self.sums[sensors]))
        right, missed, extra = s['right'], s['missed'], s['extra']
        share = right / max(right + missed, 1)
        # two sensors' observations of one change find each other only where neither is held up: not asked of a busy machine
        target = LATE if self.late else TARGETS.get(sensors, 1.0)
        good = share >= target and (',' in sensors or extra <= EXTRA * right)
        self.check(good)
        print(f'{"all":16} {"":8} {sensors:15} {numbers(self.sums[sensors])}  {100 * share:.2f} % reported'
              f'{"" if good else ", wanted %.1f %%" % (100 * target)}', flush=True)


def play(o, workload, kind, sensors, point, table):
    run = Run(o, workload, sensors, point, kind)
    try:
        result, gaps = run.play()
    except (subprocess.SubprocessError, OSError) as e:
        print(f'{workload.name:16} {kind:8} {sensors:15} {e}', flush=True)
        table.check(False)
        run.done(o.keep)
        return
    table.add(workload, kind, sensors, result)
    for word, keys in (('missed', result.missed), ('extra', result.extra), ('wrong', result.wrong)) + ((('declared', result.declared),) if o.verbose else ()):
        for key in keys[:1000 if o.verbose else SHOWN]:
            print(f'    {word}: {run.show(key)}')
    if gaps:
        print(f'    gaps: {gaps[:2]}')
    run.done(o.keep)


def main():
    o = options()
    top = tempfile.mkdtemp(prefix='culprit-oracle-', dir=os.environ.get('CULPRIT_TEST_DIR', '/var/tmp'))
    os.chmod(top, 0o755)
    table = Table(o.late or o.held)
    try:
        for kind in o.file_systems.split(','):
            point = places.place(kind, top)
            if not point:
                print(f'******** NOT RUN: {kind} (no such file system here)', flush=True)
                continue
            os.chmod(point, 0o777)
            for workload in picked(o):
                for sensors in o.sets.split():
                    play(o, workload, kind, sensors, point, table)
            if not o.keep:
                places.leave(point, kind)
    finally:
        if not o.keep:
            shutil.rmtree(top, ignore_errors=True)
    for sensors in table.sums:
        table.sum(sensors)
    print(f'{table.passed} passed, {table.failed} failed')
    return table.failed != 0


if __name__ == '__main__':
    sys.exit(main())
