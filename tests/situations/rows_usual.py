# SPDX-License-Identifier: MIT
"""What happens every day: editors and scripts that keep the old file, installers, products that somebody calls, hooks, archives."""
from row import row

TYPED = 'root, at {tty}{from}, '
KEPT = 'replaced {d}/a (the old one is kept as {d}/a'
VIM = 'vim -es -u NONE -c "set nocp bkc=no {}" -c "s/a/b/" -c wq {{d}}/a < /dev/null'
GIT = 'export HOME={t}; git config --global user.email a@b; git config --global user.name a; git config --system --add safe.directory "*"; '
ROTATE = 'printf "{d}/app.log {\\n su root root\\n size 1\\n rotate 2\\n %s\\n}\\n" > {t}/app.conf; chmod 0755 {d}; chmod 0644 {t}/app.conf'


def usual(name, do, says, **more):
    row('usual: ' + name, do, says, **more)


usual('vim keeps a copy', VIM.format('backup'), [TYPED + KEPT + '~): vim -es -u NONE '], needs=('vim',), never=['renamed {d}', '{d}/a created'])
usual('vim removes its copy', VIM.format('wb nobackup'), [TYPED + 'replaced {d}/a (deleted and made anew): vim -es -u NONE '], needs=('vim',), never=['{d}/a~'])
usual('a script that keeps the old file', '{t}/update', [TYPED + KEPT + '.bak) with mv: /bin/sh {t}/update, at'], tools={'update': '#!/bin/sh\nmv {d}/a {d}/a.bak\necho new > {d}/a\n:\n'})
usual('sed -i.bak', 'sed -i.bak s/a/b/ {d}/a', [TYPED + KEPT + '.bak): sed -i.bak s/a/b/ {d}/a, at'], never=['renamed {d}'])
usual('npm install of a folder, with a script of its own', 'cd {d} && npm install --silent --no-audit --no-fund --offline {t}/shop; cd /', [TYPED + 'deleted {d}/a with rm: node /usr/bin/npm install --silent '], needs=('npm',), target='{d}/a',
      tools={'shop/package.json': '{"name": "shop", "version": "1.0.0", "scripts": {"postinstall": "rm -f {d}/a && true"}}\n'})
usual('npm ci', 'cd {d} && npm ci --silent --no-audit --no-fund --offline; cd /', [TYPED, 'deleted {d}/node_modules/x', ': node /usr/bin/npm ci --silent --no-audit --no-fund --offline, in {d}, at'], needs=('npm',),
      files={'package.json': '{"name": "shop", "version": "1.0.0"}\n'}, prepare='cd {d} && npm install --silent --package-lock-only --offline --no-audit --no-fund; mkdir -p node_modules; touch node_modules/x')
usual('a hook of git push, given to ssh', 'cd {t}/clone && git push -q origin HEAD:main', ['the git hook {t}/bare/hooks/post-receive, a command given to ssh by root', 'on the host, deleted {d}/a with rm, at'], by='ssh:root', target='{d}/a',
      prepare=GIT + 'git init -q --bare -b main {t}/bare; git clone -q {t}/bare {t}/clone; cd {t}/clone; echo > x; git add .; git commit -qm 1; printf "#!/bin/sh\\nrm -f {d}/a\\n:\\n" > {t}/bare/hooks/post-receive; chmod +x {t}/bare/hooks/post-receive')
usual('logrotate makes it anew', 'logrotate -s {t}/state {t}/app.conf', ['logrotate, run by root, at {tty}{from}, on the host, replaced {d}/app.log (the old one is kept as {d}/app.log.1), at'], needs=('logrotate',),
      files={'app.log': 'x\n' * 50}, prepare=ROTATE % 'create', never=['renamed {d}', '{d}/app.log created'])
usual('logrotate that compresses', 'logrotate -s {t}/state {t}/app.conf', ['logrotate, run by root, at {tty}{from}, on the host, deleted {d}/app.log.1 and renamed {d}/app.log to {d}/app.log.1, at'], needs=('logrotate',),
      files={'app.log': 'x\n' * 50, 'app.log.1': 'x\n'}, prepare=ROTATE % 'nocreate\n compress\n delaycompress')
usual('logrotate with sudo', 'sudo logrotate -s {t}/state {t}/app.conf', ['logrotate, run by ann, as root by sudo, at {tty}{from}, on the host, renamed {d}/app.log to {d}/app.log.1, at'], needs=('logrotate',), by='ann',
      files={'app.log': 'x\n' * 50}, prepare=ROTATE % 'nocreate' + '; chown root:root {t}/app.conf')
usual('a script of logrotate', 'logrotate -s {t}/state {t}/app.conf', ['logrotate, run by root, at {tty}{from}, on the host, ', 'deleted {d}/a with rm, at'], needs=('logrotate',), target='{d}/a',
      files={'app.log': 'x\n' * 50, 'a': ''}, prepare=ROTATE % 'postrotate\\n rm -f {d}/a\\n endscript')
usual('find -exec sh -c', 'find {d} -name a -exec sh -c \'rm -f "$1"; :\' _ {} \\;', [TYPED + 'deleted {d}/a with rm: find {d} -name a -exec sh -c '])
usual('xargs sh -c', 'echo {d}/a | xargs -n 1 sh -c \'rm -f "$0"; :\'', [TYPED + 'deleted {d}/a with rm: xargs -n 1 sh -c '])
usual('mv from another file system', 'mv /dev/shm/{c} {d}/new', [TYPED + 'created {d}/new: mv /dev/shm/{c} {d}/new, at'], prepare='echo x > /dev/shm/{c}')
usual('unzip over what is there', 'unzip -qo {t}/x.zip -d {d}', [TYPED + 'replaced {d}/a (deleted and made anew): unzip -qo {t}/x.zip -d {d}, at'], needs=('unzip', 'zip'), prepare='cd {t}; echo new > a; zip -q x.zip a')
usual('gzip', 'gzip {d}/a', [TYPED + 'deleted {d}/a: gzip {d}/a, at'], details=['{d}/a.gz created'])
usual('systemd-tmpfiles', 'systemd-tmpfiles --create --remove {t}/x.conf', ['systemd-tmpfiles, run by root, at {tty}{from}, on the host, deleted {d}/a, at'], needs=('systemd-tmpfiles',), prepare='printf "r {d}/a\\n" > {t}/x.conf')
# it ends once it has done it, however long that takes
usual('watch', '(trap "" TERM; until [ ! -e {d}/a ]; do sleep 0.1; done; sleep 1; kill $(cat /proc/$$/task/$$/children)) & timeout 300 watch -n 600 -t rm -f {d}/a > /dev/null 2>&1 || :',
      [TYPED + 'deleted {d}/a: timeout 300 watch -n 600 -t rm -f {d}/a, at'], needs=('watch',))
usual('a file that is sourced', '. {t}/env.sh', [TYPED + 'deleted {d}/a: rm -f {d}/a, at'], tools={'env.sh': 'rm -f {d}/a\n:\n'})
usual('a function of a sourced file', '. {t}/env.sh; wipe', [TYPED + 'deleted {d}/a: rm -f {d}/a, at'], tools={'env.sh': 'wipe() { rm -f {d}/a; :; }\n'})
usual('gem install', 'gem install --local --install-dir {d}/gems -q {t}/g-1.gem > /dev/null 2>&1; :', [TYPED + 'created ', ': ruby /usr/bin/gem install --local '], needs=('gem',), never=['/usr/bin/env'],
      prepare='cd {t}; printf "Gem::Specification.new { |s| s.name = %%q(g); s.version = %%q(1); s.summary = %%q(x); s.authors = [%%q(a)]; s.files = [] }" > g.gemspec; gem build -q g.gemspec')
usual('puppet as a user', 'puppet apply {t}/s.pp > /dev/null 2>&1', ['Puppet ({t}/s.pp), run by ann, at {tty}{from}, deleted {d}/a, at'], by='ann', tools={'s.pp': 'file { "{d}/a": ensure => absent }\n'}, needs=('puppet',), never=['as ann'])
usual('one command for each file', 'for i in 1 2 3; do mv {d}/f$i {d}/g$i; done', [TYPED + 'renamed 3 files in {d}: mv {d}/f1 {d}/g1 (the first of 3 runs), '], files={'f1': '', 'f2': '', 'f3': ''})
usual('a script for each file', 'ls {d}/f* | xargs -n 1 sh {t}/purge', [TYPED + 'deleted 3 files in {d} with rm: sh {t}/purge {d}/f1 (the first of 3 runs), '], files={'f1': '', 'f2': '', 'f3': ''}, tools={'purge': '#!/bin/sh\nrm -f "$1"\n:\n'})
usual('a folder is exchanged and the old one removed', 'mv {d}/app {d}/app.old; mv {t}/app {d}/app; rm -rf {d}/app.old',
      [[TYPED + 'replaced the directory {d}/app (the old one was kept as {d}/app.old at first): mv {d}/app {d}/app.old (the first of 2 runs), '], [TYPED + 'deleted {d}/app.old/x and removed the directory {d}/app.old (which had been {d}/app): rm -rf {d}/app.old, ']],
      verdicts=2, files={'app/x': ''}, tools={'app/x': ''}, never=['is kept'])
usual('quotes in a text', """python3 -c 'import os; os.unlink("{d}/a"); print("")'""", [TYPED + "deleted {d}/a: python3 -c 'import os; os.unlink(\"{d}/a\"); print(\"\")', at"])
usual('other quotes in a text', """python3 -c "import os; os.unlink('{d}/a')" """, [TYPED + 'deleted {d}/a: python3 -c "import os; os.unlink(\'{d}/a\')", at'])
