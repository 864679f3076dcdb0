# SPDX-License-Identifier: MIT
"""What administrators, developers and their scripts do to files that are in use: sessions that stay, editors, archives, releases, workers."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\n:\n'
TYPED = 'root, at {tty}{from}, '
ROOT = TYPED + 'deleted {d}/a'
GONE = '[ ! -e {d}/a ]'
GIT = 'export HOME={t}; cd {d}; git config --global user.email a@b; git config --global user.name a; git config --system --add safe.directory "*"; git init -q; git add a; git commit -qm x; '
OLD = 'touch -d "9 days ago" {d}/*'
RENEW = '#!/bin/bash\nset -e\necho new > {d}/archive/cert2.pem\nln -sfn archive/cert2.pem {d}/cert.pem\nrm -f {d}/archive/cert1.pem\n:\n'


def admin(name, do, says, **more):
    row('admin: ' + name, do, says, **{'tools': {'purge': SH}, **more})


admin('run-parts, typed', 'run-parts {t}/cron.daily', [ROOT + ' with rm: /bin/sh {t}/cron.daily/tidy, at'], tools={'cron.daily/tidy': SH})
admin('what is typed in tmux', 'tmux -f /dev/null -L {c} new-session -d; tmux -L {c} send-keys "rm -f {d}/a" Enter', ['root, at pts/', ', deleted {d}/a: rm -f {d}/a, at'], until=GONE, needs=('tmux',))
admin('a script in tmux', 'tmux -f /dev/null -L {c} new-session -d "sh {t}/purge"', ['root, at pts/', ', deleted {d}/a with rm: sh {t}/purge, at'], until=GONE, needs=('tmux',))
admin('savelog', 'savelog -q -c 3 {d}/a', [TYPED + 'renamed {d}/a to {d}/a.0 with mv: /bin/sh /usr/bin/savelog -q -c 3 {d}/a, at'], needs=('savelog',))
admin('a certificate is renewed', '{t}/renew', [TYPED, 'deleted {d}/archive/cert1.pem', 'replaced {d}/cert.pem (written new as ', ': /bin/bash {t}/renew, at'], tools={'renew': RENEW},
      prepare='mkdir {d}/archive; echo > {d}/archive/cert1.pem; ln -s archive/cert1.pem {d}/cert.pem')
admin('a release by rsync --delete', '{t}/deploy.sh', [ROOT + ' with rsync: /bin/bash {t}/deploy.sh, at'], target='{d}/a', tools={'src/b': 'x', 'deploy.sh': '#!/bin/bash\nrsync -a --delete {t}/src/ {d}/\n:\n'}, needs=('rsync',))
admin('tar over what is there', 'tar -C {d} -xf {t}/x.tar', [TYPED + 'replaced {d}/a (deleted and made anew): tar -C {d} -xf {t}/x.tar, at'], prepare='cd {t} && echo new > a && tar cf x.tar a', every=True)
admin('install(1)', 'install -m 0755 {t}/n {d}/a', [TYPED + 'replaced {d}/a (deleted and made anew): install -m 0755 {t}/n {d}/a, at'], tools={'n': 'new'}, every=True)
admin('make install', 'make -s -C {t} install', [TYPED + 'replaced {d}/a (deleted and made anew)', ': make -s -C {t} install, in {t}, at'], tools={'Makefile': 'install:\n\tinstall -m 0644 {t}/n {d}/a\n', 'n': 'x'})
admin('patch', 'patch -s {d}/a {t}/p', [TYPED + 'replaced {d}/a (written new as a.o', ': patch -s {d}/a {t}/p, at'], files={'a': 'a\n'}, tools={'p': '--- a\n+++ a\n@@ -1 +1 @@\n-a\n+b\n'}, needs=('patch',))
admin('shred', 'shred -u -n 1 {d}/a', [TYPED, 'deleted {d}/a (moved to {d}/0 first): shred -u -n 1 {d}/a, at'])
admin('an alternative', 'update-alternatives --quiet --install {d}/link {c} {d}/a 5', [TYPED + 'created the symbolic link {d}/link: update-alternatives --quiet --install {d}/link {c} '], never=['dpkg-tmp'])
admin('a checkout of another branch', 'git -C {d} checkout -q other', [ROOT + ' and replaced 2 files in {d}/.git (each written new and renamed over the old one): git -C {d} checkout -q other, in {d}, at'],
      prepare=GIT + 'git checkout -qb other; git rm -q a; echo c > c; git add c; git commit -qm y; git checkout -q -')
admin('a job that cleans its work tree', '{t}/ci.sh', [TYPED, 'deleted {d}/junk', 'with git: /bin/sh {t}/ci.sh, at'], tools={'ci.sh': '#!/bin/sh\ncd {d} && git clean -fdxq && git reset -q --hard\n'}, prepare=GIT + 'echo > junk')
admin('old files by find and xargs', 'nice ionice -c3 find {d} -type f -mtime +7 -print0 | xargs -0 -r rm -f', [TYPED + 'deleted {d}/a: xargs -0 -r rm -f, at'], prepare=OLD)
admin('old files by find, one at a time', 'flock -n {t}/l find {d} -type f -mtime +7 -delete', [TYPED + 'deleted {d}/a: flock -n {t}/l find {d} -type f -mtime '], prepare=OLD)
admin('a daemon begun by start-stop-daemon', 'start-stop-daemon --start --background --chuid bob --exec {t}/purge', ['root, as bob, at {tty}{from}, deleted {d}/a with rm: /bin/sh {t}/purge, at'], until=GONE)
admin('a supervisor and its worker', '(setsid {t}/supervise > /dev/null 2>&1 < /dev/null &)', [ROOT + ': /usr/bin/python3 {t}/worker, at'], until=GONE,
      tools={'supervise': '#!/bin/sh\nwhile [ -e {d}/a ]; do {t}/worker; done\n', 'worker': '#!/usr/bin/python3\nimport os\nos.unlink("{d}/a")\n'})
admin('workers that a server forks', 'python3 {t}/server.py', [TYPED + 'deleted 3 files in {d}: python3 {t}/server.py, at'], files={'a': '', 'b': '', 'c': ''},
      tools={'server.py': 'import os\nfor name in "abc":\n    if os.fork() == 0:\n        os.unlink("{d}/" + name)\n        os._exit(0)\nfor name in "abc":\n    os.wait()\n'})
admin('a worker of php', 'php {t}/w.php', [ROOT + ' with find: php {t}/w.php, at'], tools={'w.php': '<?php exec("find {d} -name a -delete");\n'}, needs=('php',))
admin('rake', 'cd {t} && rake clean; cd /', [ROOT + ' with rm: /usr/bin/ruby /usr/bin/rake clean, in {t}, at'], tools={'Rakefile': 'task :clean do\n  sh "rm -f {d}/a; :", verbose: false\nend\n'}, needs=('rake',))
admin('sudo in a command given to ssh', 'sudo rm -f {d}/a', ['sudo rm -f {d}/a, a command given to ssh by ann, as root by sudo, from 127.0.0.1, on the host, deleted {d}/a, at'], by='ssh:ann', never=['run by ann'])
admin('sudo of a script, given to ssh', 'sudo -n {t}/purge', ['{t}/purge, a command given to ssh by ann, as root by sudo, from 127.0.0.1, on the host, deleted {d}/a with rm, at'], by='ssh:ann', never=['run by ann'])
admin('sudo su -', 'sudo su - bob -c "rm -f {d}/a"', ["ann, as bob by su, at {tty}{from}, deleted {d}/a: sudo su - bob -c 'rm -f {d}/a', at"], by='ann')
admin('sudo vim', 'sudo vim -es -u NONE -c "s/a/b/" -c wq {d}/a < /dev/null', ['ann, as root by sudo, at {tty}{from}, ', 'wrote', ' {d}/a', ': sudo vim -es -u NONE -c s/a/b/ -c wq {d}/a, at'], by='ann', files={'a': 'aaa\n'}, needs=('vim',))
admin('a script that sets modes and owners', '{t}/fix', [TYPED + 'changed the mode of {d}/a: 0666 → 0644', 'changed the owner of {d}/a: root → bob', 'with chmod and chown: /bin/sh {t}/fix, at'],
      tools={'fix': '#!/bin/sh\nchmod 0644 {d}/a\nchown bob {d}/a\n'})
admin('a playbook as another user', 'ANSIBLE_LOCALHOST_WARNING=0 ansible localhost -b -m file -a "path={d}/a state=absent" > /dev/null',
      ['Ansible (module file, path={d}/a state=absent), run by ann, as root by sudo, at {tty}{from}, deleted {d}/a, at'], by='ann', needs=('ansible',))
admin('a shell by ansible', 'ANSIBLE_LOCALHOST_WARNING=0 ansible localhost -m shell -a "cd {d} && rm -f *" > /dev/null', ['Ansible (module command: cd {d} && rm -f *), run by root, at {tty}{from}, deleted {d}/a with rm, at'],
      needs=('ansible',), target='{d}/a')
admin('commands given to at', 'echo rm -f {d}/a | at now 2> /dev/null; for i in $(seq 480); do sleep 0.5; [ -e {d}/a ] || break; sudo kill -HUP $(cat /run/atd.pid); done', ['An at job of ann, on the host, deleted {d}/a with rm, at'],
      by='ann', until=GONE, needs=('at',))
