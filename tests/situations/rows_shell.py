# SPDX-License-Identifier: MIT
"""Scripts of every interpreter, and the wrappers that a command is started by."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\n:\n'
PY = 'import os, sys\nos.unlink("{d}/a")\n'


ROOT = 'root, at {tty}{from}, deleted {d}/a'


def script(name, text, do, says, tools=None, **more):
    """A script that deletes {d}/a: the script is named, whatever interprets it. says: how it was called."""
    *_, file = says.split('{t}/')
    tool = ' with rm' if 'rm' in text and 'import' not in text and 'require' not in text else ''
    row(name, do, [f'{ROOT}{tool}: {says}, at'], tools=tools or {file.split(' ')[0]: text}, **more)


script('sh script by #!', SH, '{t}/purge', '/bin/sh {t}/purge', every=True)
script('bash script by argument', SH, 'bash {t}/purge.sh --older 3', 'bash {t}/purge.sh --older 3', every=True)
script('bash script by argument, with options', SH, 'bash -eu -o pipefail {t}/purge.sh', 'bash -eu -o pipefail {t}/purge.sh')
script('dash script', SH, 'dash {t}/purge.sh', 'dash {t}/purge.sh')
script('zsh script', '#!/usr/bin/zsh\nrm -f {d}/a\n:\n', '{t}/purge', '/usr/bin/zsh {t}/purge', needs=('zsh',))
script('ksh script', '#!/usr/bin/ksh\nrm -f {d}/a\n:\n', '{t}/purge', '/usr/bin/ksh {t}/purge', needs=('ksh',))
script('busybox sh script', SH.replace('rm', '/usr/bin/rm'), 'busybox sh {t}/purge.sh', 'busybox sh {t}/purge.sh', never=['VERDICT busybox'], needs=('busybox',))
script('python script by env', '#!/usr/bin/env python3\n' + PY, '{t}/clean.py', 'python3 {t}/clean.py', never=['python3.11,', 'with python'], every=True)
script('python script by argument', PY, 'python3 -u -B {t}/clean.py --days 3', 'python3 -u -B {t}/clean.py --days 3', every=True)
script('perl script', '#!/usr/bin/perl -w\nunlink "{d}/a";\n', '{t}/clean.pl', '/usr/bin/perl -w {t}/clean.pl', never=['with perl'])
script('ruby script', 'File.delete("{d}/a")\n', 'ruby {t}/clean.rb', 'ruby {t}/clean.rb', needs=('ruby',))
script('node script', 'require("fs").unlinkSync("{d}/a")\n', 'node {t}/clean.js', 'node {t}/clean.js', needs=('node',))
script('php script', '<?php unlink("{d}/a");\n', 'php -d memory_limit=64M {t}/clean.php', 'php -d memory_limit=64M {t}/clean.php', needs=('php',))
script('lua script', 'os.remove("{d}/a")\n', 'lua5.4 {t}/clean.lua', 'lua5.4 {t}/clean.lua', needs=('lua5.4',))
script('tcl script', '#!/usr/bin/tclsh\nfile delete {d}/a\n', '{t}/clean.tcl', '/usr/bin/tclsh {t}/clean.tcl', needs=('tclsh',))
script('gawk script', '#!/usr/bin/gawk -f\nBEGIN { system("rm -f {d}/a"); exit 0 }\n', '{t}/clean.awk', '/usr/bin/gawk -f {t}/clean.awk', needs=('gawk',))
script('sed script', '#!/usr/bin/sed -f\ns/a/b/w {d}/b\n', 'echo a | sed -f {t}/x.sed; python3 {t}/last.py', 'python3 {t}/last.py',
       tools={'x.sed': 's/x/y/\n', 'last.py': PY})
row('python module', 'cd / && PYTHONPATH={t} python3 -m janitor.old --days 3', [ROOT + ': python3 -m janitor.old --days 3, at'],
    tools={'janitor/__init__.py': '', 'janitor/old.py': PY}, every=True)
row('python -c', 'python3 -c \'import os; os.unlink("{d}/a")\'', [ROOT + ': python3 -c \'import os; os.unlink("{d}/a")\', at'], every=True)
row('perl -e', 'perl -e \'unlink "{d}/a"\'', [ROOT + ': perl -e \'unlink "{d}/a"\', at'])
row('ruby -e', 'ruby -e \'File.delete("{d}/a")\'', [ROOT + ': ruby -e File.delete("{d}/a"), at'], needs=('ruby',))
row('node -e', 'node -e \'require("fs").unlinkSync("{d}/a")\'', [ROOT + ': node -e require("fs").unlinkSync("{d}/a"), at'], needs=('node',))
row('php -r', 'php -r \'unlink("{d}/a");\'', [ROOT + ': php -r unlink("{d}/a");, at'], needs=('php',))
row('sh -c', 'sh -c "rm -f {d}/a; :"', [ROOT + ' with rm: sh -c \'rm -f {d}/a; :\', at'])
row('a pipe into sh, given to ssh', 'cat {t}/install.sh | sh', ['cat {t}/install.sh | sh, a command given to ssh by root, ', 'on the host, deleted {d}/a with rm, at'],
    tools={'install.sh': SH}, by='ssh:root')
row('a script that deletes itself', '{t}/once', [ROOT + ' with rm: /bin/sh {t}/once, at'], tools={'once': '#!/bin/sh\nrm -f "$0"\nrm -f {d}/a\n:\n'}, every=True)
row('a script that ends by exec rm', '{t}/purge', [ROOT + ' with rm: /bin/sh {t}/purge, at'], tools={'purge': '#!/bin/sh\nexec rm -f {d}/a\n'}, every=True)
row('python of a venv', '{t}/venv/bin/python {t}/clean.py', [ROOT + ': {t}/venv/bin/python {t}/clean.py, at'], tools={'clean.py': PY},
    prepare='/usr/bin/python3 -m venv --without-pip {t}/venv')
row('console script of a venv', '{t}/venv/bin/cleaner', [ROOT + ': {t}/venv/bin/python {t}/venv/bin/cleaner, at'],
    tools={'venv/bin/cleaner': '#!{t}/venv/bin/python\n' + PY}, prepare='/usr/bin/python3 -m venv --without-pip {t}/venv')
row('a script that another calls', '{t}/outer', [ROOT + ' with rm: sh {t}/inner, at'], tools={'outer': '#!/bin/sh\nsh {t}/inner\n:\n', 'inner': SH}, details=['dash outer(', 'dash inner('])
row('a script with a blank in its name', '"{t}/purge all"', [ROOT + ' with rm: /bin/sh \'{t}/purge all\', at'], tools={'purge all': SH})
row('env -S', '{t}/clean', [ROOT + ': python3 -u {t}/clean, at'], tools={'clean': '#!/usr/bin/env -S python3 -u\n' + PY})
for wrapper, call in (('env', 'env -i LC_ALL=C'), ('nice', 'nice -n 5'), ('ionice', 'ionice -c 3'), ('timeout', 'timeout -k 5 60'),
                      ('flock', 'flock {t}/lock'), ('setsid', 'setsid -w'), ('nohup', 'nohup'), ('stdbuf', 'stdbuf -oL'), ('tini', 'tini -s --'),
                      ('chrt', 'chrt -o 0'), ('taskset', 'taskset -c 0'), ('prlimit', 'prlimit --nofile=512'), ('unshare', 'unshare -n')):
    row(f'{wrapper} a script', f'{call} {{t}}/purge > /dev/null 2>&1', [ROOT + ' with rm: /bin/sh {t}/purge, at'], tools={'purge': SH}, needs=(wrapper,))
row('flock -c', 'flock {t}/lock -c "{t}/purge"', [ROOT + ' with rm: /bin/sh {t}/purge, at'], tools={'purge': SH})
row('wrappers one in another', 'nohup nice -n 1 timeout 60 env A=1 python3 {t}/clean.py > /dev/null 2>&1', [ROOT + ': python3 {t}/clean.py, at'], tools={'clean.py': PY})
row('xargs', 'ls -d {d}/a {d}/b | xargs rm -f', ['root, at {tty}{from}, deleted 2 files in {d}: xargs rm -f, at'], files={'a': '', 'b': ''})
row('find -exec', 'find {d} -name "*.log" -exec rm -f {} +', ['root, at {tty}{from}, deleted 2 files in {d} with rm: find {d} -name *.log -exec rm -f {} +, at'], files={'a.log': '', 'b.log': '', 'c': ''})
row('find -delete', 'find {d} -name "*.log" -delete', ['root, at {tty}{from}, deleted 2 files in {d}: find {d} -name *.log -delete, at'], files={'a.log': '', 'b.log': '', 'c': ''}, every=True)
row('parallel', 'parallel --will-cite rm -f ::: {d}/a {d}/b', ['root, at {tty}{from}, deleted 2 files in {d} with rm: /usr/bin/perl /usr/bin/parallel --will-cite rm -f ::: {d}/a'], files={'a': '', 'b': ''}, needs=('parallel',))
row('java -jar', 'java -jar {t}/clean.jar', [ROOT + ': java -jar {t}/clean.jar, at'], needs=('java', 'javac'),
    tools={'Clean.java': 'public class Clean { public static void main(String[] a) { new java.io.File("{d}/a").delete(); } }\n'},
    prepare='cd {t} && javac -J-Xshare:auto -J-XX:TieredStopAtLevel=1 Clean.java && jar cfe clean.jar Clean Clean.class')
row('java of a class', 'java -cp {t}/clean.jar Clean', [ROOT + ': java -cp {t}/clean.jar Clean, at'], needs=('java', 'javac'),
    tools={'Clean.java': 'public class Clean { public static void main(String[] a) { new java.io.File("{d}/a").delete(); } }\n'},
    prepare='cd {t} && javac -J-XX:TieredStopAtLevel=1 Clean.java && jar cfe clean.jar Clean Clean.class')
row('find in a script', '{t}/expire', ['root, at {tty}{from}, deleted 2 files in {d} with find: /bin/sh {t}/expire, at'], files={'a.log': '', 'b.log': ''}, tools={'expire': '#!/bin/sh\nfind {d} -name "*.log" -delete\n:\n'})
row('one script with many tools', '{t}/deploy', ['root, at {tty}{from}, deleted {d}/b and changed the mode of {d}/a: 0666 → 0600 with rm and chmod: /bin/bash {t}/deploy, at'], tools={'deploy': '#!/bin/bash\nset -e\nmkdir {d}/new\ntouch {d}/new/x\ncp {d}/new/x {d}/new/y\n'
    'mv {d}/new/y {d}/new/z\nchmod 0600 {d}/a\nln -s a {d}/link\nrm {d}/b\n:\n'}, files={'a': 'a', 'b': 'b'}, details=['mkdir', 'touch', 'chmod', 'rm'], every=True)
row('two python scripts', 'python3 {t}/one.py; python3 {t}/two.py', [[ROOT + ': python3 {t}/one.py, at'], [ROOT[:-1] + 'b: python3 {t}/two.py, at']], verdicts=2,
    files={'a': '', 'b': ''}, tools={'one.py': PY, 'two.py': PY.replace('/a"', '/b"')}, every=True)
row('two scripts with the same tool', '{t}/one; {t}/two', [[ROOT + ' with rm: /bin/sh {t}/one, at'], [ROOT[:-1] + 'b with rm: /bin/sh {t}/two, at']], verdicts=2,
    files={'a': '', 'b': ''}, tools={'one': SH, 'two': SH.replace('/a', '/b')})
row('busybox by its applet', 'busybox rm -f {d}/a', [ROOT + ': busybox rm -f {d}/a, at'], needs=('busybox',))
row('busybox applet by its name', '{t}/rm -f {d}/a', [ROOT + ': {t}/rm -f {d}/a, at'], prepare='ln -s $(command -v busybox) {t}/rm')
row('toybox by its applet', 'toybox rm -f {d}/a', [ROOT + ': toybox rm -f {d}/a, at'], needs=('toybox',))
row('a process that renames itself', 'perl -e \'$0 = "sh /opt/innocent.sh"; unlink "{d}/a"\'', [ROOT + ': perl -e \'$0 = "sh /opt/innocent.sh"; unlink "{d}/a"\', at'])
row('argv names a script that is not run', '(exec -a /bin/sh python3 /opt/innocent.sh {d}/a 2> /dev/null); rm -f {d}/a', [ROOT + ': rm -f {d}/a, at'], never=['innocent'])
