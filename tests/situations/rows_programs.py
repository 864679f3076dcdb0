# SPDX-License-Identifier: MIT
"""Programs that people use every day: what they leave behind, and what has them do it."""
from row import row

SH = '#!/bin/sh\n'
BY = 'root, at {tty}{from}, '
TWENTY = {f'f{i}': 'x\n' for i in range(20)}
GIT = 'cd {d} && git init -q . && git config user.email a@b && git config user.name a && git add . && git commit -qm 1'
DEB = 'mkdir -p {t}/p/DEBIAN {t}/p/{d} && chmod 755 {t}/p {t}/p/DEBIAN && printf "Package: tiny-x\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n" > {t}/p/DEBIAN/control && ' \
      'echo new > {t}/p/{d}/a && dpkg-deb --root-owner-group -Zgzip -b {t}/p {t}/tiny.deb'

row('sudoedit', 'EDITOR={t}/ed sudoedit {d}/a', ['ann, as root by sudo, at {tty}{from}, wrote to {d}/a: sudoedit {d}/a, '], by='ann', never=['calls itself'],
    prepare='chmod 755 {d}; chown root {d}/a', tools={'ed': SH + 'echo x >> "$1"\n'})
row('perl -i', 'perl -i -pe s/a/b/ {d}/a', [BY + 'replaced {d}/a (written new as ', ', renamed over it): perl -i -pe s/a/b/ {d}/a, '])
row('a loop behind a pipe in a script', '{t}/loop', [BY + 'deleted 2 files in {d} with rm: /bin/sh {t}/loop, '], files={'a': 'a\n', 'b': 'b\n'}, never=['runs)'],
    tools={'loop': SH + 'ls {d} | while read f; do rm -f {d}/$f; done\n'})
row('a trap of a script', '{t}/trapped', [BY + 'deleted {d}/a with rm: /bin/sh {t}/trapped, '], tools={'trapped': SH + 'trap "rm -f {d}/a" EXIT\n:\n'})
row('xargs -P', 'ls {d}/f* | xargs -P 4 -n 1 rm -f', [BY + 'deleted 20 files in {d}: xargs -P 4 -n 1 rm -f, '], files=TWENTY, never=['runs)'])
row('python: a pool', 'python3 {t}/x.py', [BY + 'deleted 20 files in {d}: python3 {t}/x.py, '], files=TWENTY, never=['runs)'],
    tools={'x.py': 'import os, glob\nfrom multiprocessing import Pool\nif __name__ == "__main__":\n    with Pool(3) as p: p.map(os.remove, glob.glob("{d}/f*"), 1)\n'})
row('python: a daemon that forks twice', '{t}/dm', [BY + 'deleted {d}/a: python3 {t}/dm, '], until='! test -e {d}/a',
    tools={'dm': '#!/usr/bin/env python3\nimport os,time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\nos.remove("{d}/a")\n'})
row('sqlite3', 'sqlite3 {d}/x.db "insert into t values(1)"', [BY + "wrote to {d}/x.db: sqlite3 {d}/x.db 'insert into t values(1)', "], files={}, prepare='sqlite3 {d}/x.db "create table t(i)"', needs=('sqlite3',))
row('sqlite3 with a log beside its file', 'sqlite3 {d}/x.db "pragma journal_mode=wal; insert into t values(1)" > /dev/null', [BY + "wrote to {d}/x.db: sqlite3 {d}/x.db 'pragma journal_mode=wal; insert into t values(1)', "], files={},
    prepare='sqlite3 {d}/x.db "create table t(i)"', needs=('sqlite3',), every=True, never=['3 files'], audit_says=[BY + "opened {d}/x.db for writing: sqlite3 {d}/x.db 'pragma journal_mode=wal; "])
row('ex with its swap file', 'printf "1s/a/b/\\nwq\\n" | ex -s {d}/a', [BY, 'wrote', ': ex -s {d}/a, '], needs=('vim',), every=True, never=['3 files', '.swp', 'deleted'], audit_says=[BY + 'opened {d}/a for writing: ex -s {d}/a, '])
row('a hook before the commit', 'cd {d} && git commit -q --allow-empty -m 2; cd /', [['replaced {d}/a (written new as ', 'with sed: /bin/sh {d}/.git/hooks/pre-commit, '], [': git commit -q --allow-empty -m 2, in {d}, ']], verdicts=2,
    prepare=GIT + ' && printf "#!/bin/sh\\nsed -i s/a/b/ a\\n:\\n" > .git/hooks/pre-commit && chmod 755 .git/hooks/pre-commit')
row('dpkg -i', 'dpkg -i {t}/tiny.deb > /dev/null 2>&1', ['dpkg, run by root, at {tty}{from}, on the host, replaced {d}/a (written new as a.dpkg-new, renamed over it), '], prepare=DEB, needs=('dpkg-deb',))
