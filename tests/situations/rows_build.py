# SPDX-License-Identifier: MIT
"""Tools that run other tools: make, npm, git, packages, configuration management."""
from row import row

MAKEFILE = 'clean:\n\trm -f {d}/a\nall: clean\n\ttouch {d}/b\n'
SH = '#!/bin/sh\nrm -f {d}/a\n:\n'
GIT = 'export HOME={t}; git config --global user.email a@b; git config --global user.name a; git config --global init.defaultBranch main; ' \
      'git config --global --add safe.directory "*"; cd {d} && git init -q && git add -A && git commit -qm one; chmod 0777 {d}'


def control(name, **scripts):
    """Shell text that builds a tiny package {t}/NAME.deb with maintainer scripts."""
    text = f'mkdir -p {{t}}/{name}/DEBIAN {{t}}/{name}/usr/share/doc/{name}; ' \
           f'printf "Package: {name}\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n" > {{t}}/{name}/DEBIAN/control; '
    for script, line in scripts.items():
        text += f'printf "#!/bin/sh\\n{line}\\n:\\n" > {{t}}/{name}/DEBIAN/{script}; chmod 0755 {{t}}/{name}/DEBIAN/{script}; '
    return text + f'dpkg-deb -b {{t}}/{name} {{t}}/{name}.deb'


row('make in a directory', 'cd {t} && make -s clean; cd /', ['root, at {tty}{from}, deleted {d}/a with rm: make -s clean, in {t}, at'], tools={'Makefile': MAKEFILE}, every=True)
row('make -C', 'make -s -C {t} clean', ['root, at {tty}{from}, deleted {d}/a with rm: make -s -C {t} clean, in {t}, at'], tools={'Makefile': MAKEFILE})
row('make without a target', 'make -s -C {t}', ['root, at {tty}{from}, deleted {d}/a with rm: make -s -C {t}, in {t}, at'], tools={'Makefile': MAKEFILE})
row('make -f with a recipe of several commands', 'cd /; make -s -f {t}/build.mk clean', ['root, at {tty}{from}, deleted {d}/a with rm: make -s -f {t}/build.mk clean, in /, at'],
    tools={'build.mk': 'clean:\n\tcd {d} && rm -f a && :\n'})
row('make without a target, given to ssh', 'make -s -C {t} -f fix.mk', ['make -f fix.mk in {t}, a command given to ssh by root', 'on the host, changed the mode of {d}/a: 0666 → 0600 with chmod, at'],
    tools={'fix.mk': 'all:\n\tchmod 0600 {d}/a\n'}, by='ssh:root')
row('make of two targets, given to ssh', 'make -s -C {t} clean all', ['make clean all in {t}, a command given to ssh by root', 'on the host, deleted {d}/a with rm'], tools={'Makefile': MAKEFILE}, by='ssh:root')
row('make with a number for an option, given to ssh', 'make -s -l 2 -j 4 -C {t} clean', ['make clean in {t}, a command given to ssh by root', 'on the host, deleted {d}/a with rm, at'], tools={'Makefile': MAKEFILE}, by='ssh:root')
row('npm run behind an option with a value, given to ssh', 'npm --loglevel silent run clean --prefix {t}', ['npm run clean in {t}, a command given to ssh by root', 'on the host, deleted {d}/a with rm, at'], needs=('npm',),
    tools={'package.json': '{"name": "shop", "version": "1.0.0", "scripts": {"clean": "rm -f {d}/a && true"}}\n'}, by='ssh:root')
row('ninja without a target, given to ssh', 'ninja -C {t} > /dev/null', ['ninja in {t}, a command given to ssh by root', 'on the host, deleted {d}/a with rm, at'], needs=('ninja',),
    tools={'build.ninja': 'rule sweep\n command = rm -f {d}/a\nbuild sweep: sweep\n'}, by='ssh:root')
row('a script that make runs', 'make -s -C {t} clean', ['root, at {tty}{from}, deleted {d}/a with rm: /bin/sh {t}/purge, at'], tools={'Makefile': 'clean:\n\t{t}/purge\n', 'purge': SH}, details=['make('])
row('ninja', 'ninja -C {t} sweep > /dev/null', ['root, at {tty}{from}, deleted {d}/a with rm: ninja -C {t} sweep, in {t}, at'], needs=('ninja',),
    tools={'build.ninja': 'rule sweep\n command = rm -f {d}/a\nbuild sweep: sweep\n'})
row('npm run', 'cd {t} && npm run --silent clean; cd /', ['root, at {tty}{from}, deleted {d}/a with rm: node /usr/bin/npm run --silent clean, in {t}, at'], needs=('npm',),
    tools={'package.json': '{"name": "shop", "version": "1.0.0", "scripts": {"clean": "rm -f {d}/a && true"}}\n'})
row('git checkout of a file', 'cd {d} && git checkout -q -- a; cd /', ['root, at {tty}{from}, replaced {d}/a (deleted and made anew) and replaced {d}/.git/index (written new as index.lock, renamed over it): git checkout -q -- a, in {d}, at'], prepare=GIT + '; echo changed > {d}/a', never=['.git/index.lock'])
row('git reset', 'git -C {d} reset -q --hard', ['root, at {tty}{from}, replaced {d}/a (deleted and made anew) and replaced {d}/.git/index (written new as index.lock, renamed over it): git -C {d} reset -q --hard, in {d}, at'], prepare=GIT + '; echo changed > {d}/a')
row('git clean', 'git -C {d} clean -fdq', ['root, at {tty}{from}, deleted {d}/junk: git -C {d} clean -fdq, in {d}, at'], prepare=GIT + '; echo > {d}/junk')
row('a maintainer script', 'dpkg -i {t}/sit-shop.deb > /dev/null', ['dpkg (sit-shop), running the postinst of sit-shop, run by root, at {tty}{from}, on the host, deleted {d}/a with rm, at'], prepare=control('sit-shop', postinst='rm -f {d}/a'), details=['dpkg'])
row('a script of a removed package', 'dpkg -P sit-gone > /dev/null', ['dpkg (sit-gone), running the prerm of sit-gone, run by root, at {tty}{from}, on the host, deleted {d}/a with rm, at'],
    prepare=control('sit-gone', prerm='rm -f {d}/a') + '; dpkg -i {t}/sit-gone.deb', details=['dpkg'])
row('apt of a file', 'apt-get -q -y -o Debug::NoLocking=1 install {t}/sit-apt.deb > /dev/null 2>&1', ['apt-get ({t}/sit-apt.deb), running the postinst of sit-apt, run by root, at {tty}{from}, on the host, deleted {d}/a with rm, at'],
    prepare=control('sit-apt', postinst='rm -f {d}/a'), details=['apt'])
row('git stash', 'git -C {d} stash -q', ['root, at {tty}{from}, replaced {d}/a (deleted and made anew): git -C {d} stash -q, in {d}, at'], target='{d}/a', prepare=GIT + '; echo changed > {d}/a')
row('git pull', 'git -C {d} pull -q', ['root, at {tty}{from}, replaced {d}/a (deleted and made anew): git -C {d} pull -q, in {d}, at'],
    target='{d}/a', prepare=GIT + '; git clone -q {d} {t}/clone; cd {t}/clone && echo new > a && git commit -qam two; cd {d} && git remote add origin {t}/clone && git fetch -q && git branch -q -u origin/main')
row('ansible ad hoc', 'ANSIBLE_LOCALHOST_WARNING=0 ansible localhost -m file -a "path={d}/a state=absent" > /dev/null', ['Ansible (module file, path={d}/a state=absent), run by root, at {tty}{from}, deleted {d}/a, at'], needs=('ansible',),
    never=['VERDICT python'])
row('an ansible playbook', 'cd {t} && ansible-playbook -i localhost, -c local site.yml > /dev/null; cd /', ['Ansible (module file, site.yml), run by root, at {tty}{from}, deleted {d}/a, at'], needs=('ansible-playbook',),
    tools={'site.yml': '- hosts: all\n  gather_facts: false\n  tasks:\n  - name: remove it\n    file: path={d}/a state=absent\n'}, details=['site.yml'], never=['VERDICT python'])
row('an ansible playbook\'s command', 'cd {t} && ansible-playbook -i {t}/hosts.yml -e @{t}/vars.yml site.yml > /dev/null; cd /', ['Ansible (module command: rm -f {d}/a, site.yml), run by root, at {tty}{from}, deleted {d}/a with rm, at'], needs=('ansible-playbook',),
    tools={'site.yml': '- hosts: all\n  gather_facts: false\n  tasks:\n  - name: remove it\n    command: rm -f {d}/a\n', 'vars.yml': 'x: 1\n', 'hosts.yml': 'all:\n  hosts:\n    here:\n      ansible_connection: local\n'}, never=['hosts.yml', 'vars.yml'],
    prepare='chmod 0644 {t}/*.yml')
row('an ansible playbook\'s shell task', 'cd {t} && ansible-playbook -i localhost, -c local site.yml > /dev/null; cd /', ['Ansible (module command: rm -f {d}/a; true, site.yml), run by root, at {tty}{from}, deleted {d}/a with rm, at'], needs=('ansible-playbook',),
    tools={'site.yml': '- hosts: all\n  gather_facts: false\n  tasks:\n  - name: remove it\n    shell: rm -f {d}/a; true\n'})
row('two items of an ansible task', 'cd {t} && ansible-playbook -i localhost, -c local site.yml > /dev/null; cd /', ['Ansible (module command, site.yml), run by root, at {tty}{from}, deleted 2 files in {d} with rm, '], needs=('ansible-playbook',), files={'a': '', 'b': ''},
    tools={'site.yml': '- hosts: all\n  gather_facts: false\n  tasks:\n  - command: rm -f {d}/{{ item }}\n    loop: [a, b]\n'})
row('logrotate', 'logrotate -s {t}/state {t}/app.conf', ['logrotate, run by root, at {tty}{from}, on the host, renamed {d}/app.log to {d}/app.log.1, at'], needs=('logrotate',), files={'app.log': 'x\n' * 50},
    prepare='printf "{d}/app.log {\\n su root root\\n size 1\\n rotate 2\\n missingok\\n}\\n" > {t}/app.conf; chmod 0755 {d}; chmod 0644 {t}/app.conf')
row('rsync --delete', 'rsync -a --delete {t}/src/ {d}/', ['root, at {tty}{from}, deleted {d}/a: rsync -a --delete {t}/src/ {d}/, at'], tools={'src/keep': 'x', 'src/more': 'y'}, needs=('rsync',), never=['changed the mode'], every=True)
row('cp -a into a folder', 'cp -a {t}/src/. {d}/', ['root, at {tty}{from}, created {d}/b: cp -a {t}/src/. {d}/, at'], tools={'src/b': 'x'}, never=['set the times of {d}:'])
row('tar', 'tar -C {d} -xf {t}/x.tar', ['root, at {tty}{from}, replaced {d}/a (deleted and made anew): tar -C {d} -xf {t}/x.tar, at'], prepare='echo new > {t}/a; tar -C {t} -cf {t}/x.tar a')
row('a module of a venv', '{t}/venv/bin/python -m clean', ['root, at {tty}{from}, deleted {d}/a: {t}/venv/bin/python -m clean, at'],
    prepare='/usr/bin/python3 -m venv --without-pip {t}/venv; printf "import os\\nos.unlink(\\"{d}/a\\")\\n" > $(echo {t}/venv/lib/python3*)/site-packages/clean.py')
row('puppet apply', 'cd {t} && puppet apply site.pp > /dev/null; cd /', ['Puppet (site.pp), run by root, at {tty}{from}, deleted {d}/a, at'], needs=('puppet',),
    tools={'site.pp': 'file { "{d}/a": ensure => absent }\n'}, never=['running'])
row('cf-agent', 'cf-agent -KIf {t}/site.cf > /dev/null', ['CFEngine ({t}/site.cf), run by root, at {tty}{from}, deleted {d}/a, at'], needs=('cf-agent',),
    tools={'site.cf': 'bundle agent main\n{\n  files: "{d}/a" delete => tidy_it;\n}\nbody delete tidy_it\n{\n  dirlinks => "delete";\n  rmdirs => "true";\n}\n'})
