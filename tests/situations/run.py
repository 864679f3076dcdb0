#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py CULPRIT [--only WORD] [--show] [--keep] [--repeat N] [--sensor LIST...]: the table of situations, as root.

Each is set up for real with the real program, watched live, asked again from the store, and for a part of them from an
audit log: the answer must be the same. Ends with a line "N passed, N failed"."""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from row import ROWS, flat, sentences  # noqa: E402
from audit import Lock, by_sensor  # noqa: E402
from engine import Engine  # noqa: E402
from world import PATH, World, sh, wait_for  # noqa: E402
import rows_shell, rows_people, rows_build, rows_ci, rows_files, rows_timed, rows_typed, rows_systemd, rows_container, rows_daily, rows_programs, rows_admin, rows_usual  # noqa: E402,F401,E401

BATCH = 6
AGAIN = 500  # more than there are rows: the number of what is played once more
SYSTEMD = 'systemd as the first process'
# said nowhere, whatever happened
NEVER = ('(1 times)', 'chmod in ', '1 files', '1 processes', 'run.py', 'tests/situations', 'lost:', '(null)')


class Play:
    """A row while it is played: its folders, its watch, and what was answered."""

    def __init__(self, world, row, number):
        self.row = row
        base = os.path.join(world.work, f'{number:03}')
        self.d, self.t, self.store = f'{base}/srv', f'{base}/opt', f'{base}/store.db'
        self.names = {'from': ' from 127.0.0.1', 'd': self.d, 't': self.t, 'w': world.work, 'port': str(world.port), 'c': f'web{number}'}
        self.env = {'PATH': PATH, 'HOME': '/root', **world.env}
        self.wrong, self.live, self.audit_alone, self.crashed = [], '', False, False
        os.makedirs(self.d)
        os.makedirs(self.t)
        for path in (base, self.d, self.t):
            os.chmod(path, 0o777)
        for name, text in row.files.items():
            self.write(os.path.join(self.d, name), text, 0o666)
        for name, text in row.tools.items():
            self.write(os.path.join(self.t, name), text, 0o755)
        if row.prepare:
            sh(self.fill(row.prepare), env=self.env, stderr=subprocess.DEVNULL)

    def write(self, path, text, mode):
        if text is None:
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o777)
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.chmod(os.path.dirname(path), 0o777)
        with open(path, 'w') as f:
            f.write(self.fill(text))
        os.chmod(path, mode)

    def fill(self, text):
        return re.sub(r'\{(d|t|w|c|tty|port|from)\}', lambda m: self.names.get(m[1], m[0]), text)

    def watch(self, culprit, sensor):
        self.out = open(f'{self.d}/../live', 'w+')
        self.err = open(f'{self.d}/../err', 'w+')
        self.process = subprocess.Popen([culprit, 'watch', '--sensor', sensor, '--store', self.store, self.fill(self.row.target)],
                                        stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err, env=self.env)

    def is_ready(self):
        return 'culprit: ready' in open(self.err.name).read() or self.process.poll() is not None

    def end(self):
        try:
            self.process.wait(300)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.wrong.append('culprit does not end')
        self.live = open(self.out.name, errors='replace').read()
        self.crashed = self.process.returncode < 0

    def play(self, world):
        row = self.row
        if row.by in ('root', 'ann', 'bob'):
            self.names['tty'] = world.terminal(row.by).tty
        if not world.play(row.by, self.fill(row.do)):
            self.wrong.append('it could not be done')

    def finished(self):
        until = self.row.until and self.fill(self.row.until)
        return not until or subprocess.run(['/bin/sh', '-c', until], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env).returncode == 0


def check(play, answer, where):
    """What is wrong with an answer, as lines."""
    row, wrong = play.row, []
    found, whole = sentences(answer), flat(answer)
    if len(found) != row.verdicts:
        wrong.append(f'{where}: {len(found)} verdicts, not {row.verdicts}')
    log = where == 'log' and row.log_says
    audit = play.audit_alone and row.audit_says
    wanted = row.says if row.verdicts > 1 else [row.log_says if log else row.audit_says if audit else row.says]
    for phrases in wanted:
        # a log that began after the login does not have its address
        phrases = [play.fill(p.replace('{from}', '') if where == 'log' else p) for p in phrases]
        # where the machine is too busy, the address of a session that was there before is not read in time, and not said
        bare = [p.replace(' from 127.0.0.1', '') for p in phrases]
        # what takes more than one change may have begun in the second before
        spans = [re.sub(', at$', ', from', p) for p in phrases], [re.sub(', at$', ', from', p) for p in bare]
        if not any(all(any(word in s for word in words) for words in zip(phrases, bare, *spans)) for s in found):
            wrong.append(f'{where}: no verdict says ' + ' · '.join(phrases))
    wrong += [f'{where}: nowhere: {p}' for p in map(play.fill, row.details) if p not in whole and not log]
    verdicts = answer[answer.find('VERDICT'):]
    wrong += [f'{where}: says {p}' for p in [*map(play.fill, row.never), *NEVER] if p in flat(verdicts)]
    return wrong


def ask(culprit, play, *options):
    r = subprocess.run([culprit, 'who', *options, play.fill(play.row.target)], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, errors='replace', env=play.env)
    return r.stdout + ('' if r.returncode in (0, 1) else f'exit {r.returncode}: {r.stderr}')


def report(play, how, args, answers):
    name = play.row.name + (f' ({how})' if how else '')
    print(('ok      ' if not play.wrong else 'WRONG   ') + name, flush=True)
    if play.wrong or args.show:
        for line in play.wrong:
            print('        ' + line)
        for title, answer in answers:
            if args.show or any(w.startswith(title) for w in play.wrong):
                print(f'    --- {title}\n' + '\n'.join('    ' + line for line in answer.splitlines()), flush=True)
    return not play.wrong


def waits_first(plays):
    """What happens by itself later, as at the next full minute, is set up first: the others are played meanwhile."""
    return sorted(plays, key=lambda play: not play.row.until)


def batches(rows):
    """What happens at the next full minute is waited for once."""
    minute = [row for row in rows if row.name.startswith('cron: ')]
    others = [row for row in rows if row not in minute]
    fill = BATCH if minute else 0
    return [b for b in [minute + others[:fill], *(others[i:i + BATCH] for i in range(fill, len(others), BATCH))] if b]


def play_some(world, args, rows, number):
    """Some rows at a time: each with a watch of its own, played one after the other."""
    plays = [Play(world, row, number + i) for i, row in enumerate(rows)]
    for play in plays:
        play.watch(args.culprit, args.sensor)
    for play in plays:
        if not wait_for(play.is_ready, 240):
            play.wrong.append('culprit is not ready')
    for play in waits_first(plays):
        play.play(world)
    for play in plays:
        if not wait_for(play.finished, 300, 0.1):
            play.wrong.append('it did not happen')
    time.sleep(args.settle)
    for play in plays:
        play.process.send_signal(signal.SIGINT)
    for play in plays:
        play.end()
    for play in plays:
        who = ask(args.culprit, play, '--store', play.store)
        play.wrong += check(play, play.live, 'live') + check(play, who, 'store')
        if sentences(who) != sentences(play.live):
            play.wrong.append('store: not the words that were said live')
        report(play, '', args, [('live', play.live), ('store', who)])
        if not args.keep:
            shutil.rmtree(os.path.dirname(play.d), ignore_errors=True)
    return plays


def counted(plays, play_again):
    """What is wrong is played once more; right then it is UNSTABLE: listed, to be mended, and no failure. Never where culprit crashed."""
    wrong = [play for play in plays if play.wrong and not play.crashed]
    failed = sum(play.crashed for play in plays)
    for first, again in zip(wrong, play_again([play.row for play in wrong]) if wrong else ()):
        if again.wrong:
            failed += 1
        else:
            print(f'UNSTABLE: {first.row.name}: ' + '; '.join(first.wrong), flush=True)
    return len(plays) - failed, failed


def namespace():
    """Everything happens in a mount namespace of its own."""
    if os.environ.get('SITUATIONS_NAMESPACE') != '1':
        env = {**os.environ, 'SITUATIONS_NAMESPACE': '1'}
        os.execvpe('unshare', ['unshare', '--mount', '--propagation', 'private', sys.executable, '-B', *sys.argv], env)


def parts(world, args, rows):
    """Each batch of the table, then the part of it that other sensors and a log are asked about too."""
    number = 0
    for engine in (False, True):
        some = [row for row in rows if row.engine == engine]
        if engine and some:
            lock = Lock('engines')
            lock.__enter__()
            world.engine = Engine(world)
            world.env = world.engine.env
            world.forget_terminals()
        for few in batches(some):
            yield counted(play_some(world, args, few, number), lambda rows: play_some(world, args, rows, number + AGAIN))
            number += len(few)
    if world.engine:
        world.engine.stop()
        lock.__exit__()
    some = [row for row in rows if row.every and not row.engine]
    for sensor in args.also.split() if some else ():
        with Lock('audit'):
            yield counted(by_sensor(world, args, some, sensor, number, sys.modules[__name__]),
                          lambda rows: by_sensor(world, args, rows, sensor, number + AGAIN, sys.modules[__name__]))
        number += len(some)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('culprit', type=os.path.abspath)
    p.add_argument('--only', default='', help='rows whose names hold this')
    p.add_argument('--show', action='store_true', help='print every answer')
    p.add_argument('--keep', action='store_true', help='leave the folders')
    p.add_argument('--repeat', type=int, default=1)
    p.add_argument('--sensor', default='fanotify')
    p.add_argument('--also', default='fanotify,audit audit', help='by which other sensors rows are played again')
    p.add_argument('--settle', type=float, default=0.3)
    args = p.parse_args()
    if os.geteuid() != 0:
        raise SystemExit('situations: needs root')
    namespace()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended
    rows = [r for r in ROWS if args.only in r.name for _ in range(args.repeat)]
    elsewhere = {SYSTEMD} if not os.path.exists('/run/systemd/private') else set()
    if any(elsewhere & set(r.needs) for r in rows):
        print('situations: played in the virtual machine: ' + ', '.join(r.name for r in rows if elsewhere & set(r.needs)))
    rows = [r for r in rows if not elsewhere & set(r.needs)]
    missing = sorted({n for r in rows for n in r.needs if n != SYSTEMD and not shutil.which(n, path=PATH)})
    if missing:
        print('situations: not here (tools/deps.sh installs them): ' + ' '.join(missing))
    failed = len([r for r in rows if set(r.needs) & set(missing)])
    rows = [r for r in rows if not set(r.needs) & set(missing)]
    world, passed = World(), 0
    try:
        for ok, bad in parts(world, args, rows):
            passed, failed = passed + ok, failed + bad
    finally:
        if not args.keep:
            world.close()
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
