# SPDX-License-Identifier: MIT
"""Real programs at work: one row each. `prepare` and `after` are not watched; all run by bash in the watched folder."""
import os
import shutil
import subprocess
from collections import namedtuple

# needs: programs; user: who runs it; short: part of the short form; on: not on these file systems
Workload = namedtuple('Workload', 'name run prepare needs short user timeout after', defaults=('', '', False, None, 240, ''))

GIT = 'git -c user.name=a -c user.email=a@b'
TREE = 'mkdir -p a/sub; for i in 1 2 3 4 5 6 7 8; do echo $i > a/f$i; echo $i > a/sub/g$i; done; '
TREE += 'ln a/f1 a/hard; ln -s f2 a/soft; mkfifo a/pipe; chmod 640 a/f3; chmod 2750 a/sub; chown 1:1 a/f4; '
C_SOURCES = 'for i in 1 2 3 4 5 6; do echo "int f$i(int x) { return x + $i; }" > f$i.c; done; echo "int main(void) { return 0; }" > main.c; '
MAKEFILE = r'''printf 'prog: main.o libf.a\n\tgcc -o $@ main.o libf.a\nlibf.a: f1.o f2.o f3.o f4.o f5.o f6.o\n\tar rcs $@ $^\n%%.o: %%.c\n\tgcc -g -c -o $@ $<\n' > Makefile; '''

# one process that does one thing after another, as fast as it can
STORM = r'''
import os, sys
for i in range(300):
    n = "s%d" % i
    fd = os.open(n, os.O_CREAT | os.O_WRONLY, 0o644); os.write(fd, b"x"); os.close(fd)
    os.chmod(n, 0o600)
    os.chown(n, 1, 1)
    os.utime(n, (1, 1))
    os.rename(n, n + ".new")
    os.link(n + ".new", n + ".link")
    os.unlink(n + ".new")
    if i % 2:
        os.unlink(n + ".link")
'''
# folders are used the moment they are there
FOLDERS = r'''
import os
for i in range(60):
    d = "d%d/e/f" % i
    os.makedirs(d)
    for j in range(5):
        open(d + "/n%d" % j, "w").close()
    os.rename(d + "/n0", d + "/m0")
    os.mkdir(d + "/x"); open(d + "/x/y", "w").close(); os.unlink(d + "/x/y"); os.rmdir(d + "/x")
    os.symlink("n1", d + "/l"); os.link(d + "/n2", d + "/h"); os.mkfifo(d + "/p")
'''
REPLACES = r'''
import os
for i in range(200):
    n = "r%d" % (i % 20)
    with open(n + ".tmp", "w") as f:
        f.write(str(i))
    os.replace(n + ".tmp", n)
'''
LOCKED_EDIT = r'''
import os
for i in range(200):
    with os.fdopen(os.open("config.lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644), "w") as f:
        os.chmod("config.lock", 0o644)
        f.write("x" * i)
    os.rename("config.lock", "config")
    if i % 3 == 0:
        with open("config") as f:
            f.read()
    if i % 7 == 0:
        os.chmod("config", 0o644)
'''
# the same names again, of other files and other types, in a folder that is as new as they are
REMADE = r'''
import os
def touch(n):
    open(n, "w").close()
def both(a, b):
    touch(a); os.link(a, b)
def turned(a, b):
    touch(b); os.link(b, a)
def moved(a, b):
    touch(a); os.rename(a, b); touch(a)
def over(a, b):
    touch(a); touch(b); os.rename(a, b)
def folder(a, b):
    os.mkdir(a); os.mkdir(b)
def soft(a, b):
    os.symlink("x", a); os.link(a, b, follow_symlinks=False)
def gone(n):
    if os.path.lexists(n):
        os.rmdir(n) if os.path.isdir(n) and not os.path.islink(n) else os.unlink(n)
WAYS = [both, turned, moved, over, folder, soft]
for i, first in enumerate(WAYS):
    for j, then in enumerate(WAYS):
        d = "d%d%d" % (i, j)
        os.mkdir(d)
        first(d + "/a", d + "/b")
        gone(d + "/a"); gone(d + "/b")
        then(d + "/a", d + "/b")
'''
THREADS = r'''
import os, threading
def work(k):
    for i in range(60):
        n = "t%d-%d" % (k, i)
        with open(n, "w") as f:
            f.write("x")
        os.chmod(n, 0o640)
        if i % 3 == 0:
            os.unlink(n)
ts = [threading.Thread(target=work, args=(k,)) for k in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]
'''
TEN = r'''
import os, sys
k = sys.argv[1]
for i in range(40):
    n = "same%d" % (i % 4)
    try:
        fd = os.open(n, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        os.fchmod(fd, 0o600 + int(k)); os.close(fd)
        os.unlink(n)
    except (FileNotFoundError, FileExistsError):
        pass
'''

DEB = '''mkdir -p p/DEBIAN p/usr/share/oracle p/etc; printf 'Package: oracle-probe\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n' > p/DEBIAN/control
for i in 1 2 3 4 5 6 7 8; do echo $i > p/usr/share/oracle/f$i; done; echo c > p/etc/oracle.conf; echo /etc/oracle.conf > p/DEBIAN/conffiles
printf '#!/bin/sh\\ntrue\\n' > p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates; : > root/var/lib/dpkg/status; : > root/var/lib/dpkg/available
dpkg-deb --root-owner-group -b p one.deb > /dev/null; sed -i s/1/2/ p/DEBIAN/control; rm p/usr/share/oracle/f3; dpkg-deb --root-owner-group -b p two.deb > /dev/null
'''
DPKG = 'dpkg --root=$PWD/root --force-script-chrootless --force-not-root --log=$PWD/log'

# what may not be changed, and why: see calls.py
REFUSING = """mkdir theirs sticky closed open empty full fixed grows read-only mounted ../below; chmod 1777 sticky; chmod 700 closed; chmod 777 open
echo 1 > full/f; echo 1 > closed/file; cp "$(command -v sleep)" sleeps
for d in theirs sticky fixed grows ../below; do echo 1 > $d/file; mkdir $d/folder; ln -s file $d/link; mkfifo $d/fifo; ln $d/file $d/hard; mknod $d/device c 1 3; done
mount -t tmpfs oracle mounted
mount --bind ../below read-only; mount -o remount,bind,ro read-only
chattr +i fixed/file fixed; chattr +a grows/file grows; true"""
ALLOWING = 'chattr -R -i -a fixed grows; umount mounted read-only'


def python():
    """A python that has its own test suite."""
    for name in ('python3', '/usr/bin/python3'):
        r = subprocess.run([name, '-c', 'import test.test_shutil, sys; print(sys.executable)'], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True) if shutil.which(name) else None
        if r and r.returncode == 0:
            return r.stdout.strip()
    return 'python3-with-its-test-suite'


def initdb():
    for base, _, files in sorted(os.walk('/usr/lib/postgresql')):
        if 'initdb' in files:
            return base + '/initdb'
    return 'initdb'


def script(code, *args):
    return "/usr/bin/python3 - " + ' '.join(args) + " <<'END'" + code + 'END\n'


def suite(*tests):
    return f'mkdir t; TMPDIR=$PWD/t {python()} -m unittest -q ' + ' '.join('test.' + t for t in tests) + ' > /dev/null 2>&1; true'


WORKLOADS = [
    Workload('git', f'cd r; git checkout -q -b x; for i in 1 2 3; do echo z >> f$i; done; {GIT} commit -qam 2; git checkout -q -; '
             f'{GIT} merge -q x; git gc -q; git worktree add -q ../w2; git worktree remove ../w2; git clone -q . ../c',
             f'git init -q r; cd r; for i in $(seq 60); do echo $i > f$i; done; git add .; {GIT} commit -qm 1', 'git', True),
    Workload('coreutils', 'cp a/f1 c1; cp -a a b; mv b/f1 b/f2; mv b/f3 d1; cp -a d1 a/; install -m 640 -o 1 -g 1 a/f2 i1; install -d i2; '
             'touch -d @5 a/f5; touch new; chmod -R g+w a; chown -R 2:2 b; ln a/f5 l1; ln -s x l2; ln -sf y l2; mktemp -p . > /dev/null; '
             'truncate -s 3 a/f6; dd if=/dev/zero of=a/f7 bs=1k count=3 2> /dev/null; mkfifo p; mknod z p; shred -u a/f8; rm -rf b; rmdir i2',
             TREE, '', True),
    Workload('sed-perl', "sed -i s/1/2/ a/f1; sed -i.bak s/2/3/ a/f2 a/f3; perl -i -pe s/3/4/ a/f3 a/f4; perl -e 'chmod 0600, $ARGV[0]; "
             "chown 1, 1, $ARGV[0]; unlink $ARGV[0]' a/f5; for i in 1 2 3 4 5 6; do sed -i s/x/y/ a/sub/g$i; done", TREE, 'perl', True),
    Workload('acl-xattr', 'setfacl -m u:1:r a/f1; setfacl -m g:2:rw a/f2; setfacl -b a/f1; setfacl -d -m u:1:rx a/sub; cp -a a b; '
             'setfattr -n user.x -v 1 a/f3; setfattr -n user.y -v 2 a/f3; setfattr -x user.x a/f3; getfacl -R a > acls; '
             'setfacl --restore=acls', TREE, 'setfacl setfattr', True),
    Workload('tar', 'tar cf t.tar a; mkdir x; tar xf t.tar -C x; tar xpf t.tar -C x; tar --xattrs --acls -czf t.tgz a; mkdir y; '
             'tar --xattrs --acls -xzf t.tgz -C y; rm -rf x', TREE, '', True),
    Workload('rsync', 'rsync -aH a/ b/; echo z >> a/f1; rm a/f2; rsync -aHAX --delete a/ b/; touch a/f3; rsync -a --inplace a/ b/; '
             'rsync -a --backup --suffix=.old a/ b/; rsync -rlt --chmod=F600 a/ c/', TREE, 'rsync', True),
    Workload('dpkg', f'{DPKG} -i one.deb; {DPKG} -i two.deb; {DPKG} -r oracle-probe; {DPKG} -P oracle-probe', DEB, 'dpkg dpkg-deb', True),
    Workload('cpio-zip', 'find a | cpio -o > c.cpio 2> /dev/null; mkdir x; cd x; cpio -idm < ../c.cpio 2> /dev/null; cd ..; '
             'zip -qr z.zip a -x a/pipe; unzip -q z.zip -d y; zip -qu z.zip a/f1; gzip -k a/f1; gunzip -f a/f1.gz; xz a/f2; bzip2 a/f3',
             TREE, 'cpio zip unzip'),
    Workload('editors', "ed -s a/f1 <<< $'1s/1/x/\\nw\\nq'; vim -u NONE -es -c 'normal ix' -c wq a/f2; "
             "vim -u NONE -es -c 'set backup backupcopy=no' -c 'normal iy' -c wq a/f3; vim -u NONE -es -c 'set backupcopy=yes' -c 'normal iz' -c wq a/f4",
             TREE, 'ed vim', True),
    Workload('compiler', C_SOURCES + MAKEFILE + 'make -s -j2; strip prog; ranlib libf.a; make -s clean; objcopy --only-keep-debug prog d', '',
             'gcc make'),
    Workload('logrotate', 'logrotate -s st c; echo more >> log; logrotate -f -s st c; echo x >> log; logrotate -f -s st c', 'echo one > log; chmod 755 .; '
             'printf "$PWD/log {\\n su root root\\n rotate 2\\n size 1\\n compress\\n create 640 root root\\n}\\n" > c; chmod 644 c', 'logrotate'),
    Workload('sqlite', "sqlite3 a.db 'create table t(x); insert into t values(1);'; sqlite3 a.db 'pragma journal_mode=wal; insert into t values(2);' "
             "> /dev/null; sqlite3 a.db 'delete from t; vacuum;'; sqlite3 b.db '.restore a.db'", '', 'sqlite3'),
    Workload('initdb', f'{initdb()} -N -D d > /dev/null', '', initdb(), False, 'postgres'),
    Workload('npm', 'cd p; npm pack --silent > /dev/null; mkdir ../q; cd ../q; npm init -y > /dev/null; npm install --silent --offline --no-audit ../p/*.tgz',
             'mkdir p; cd p; npm init -y > /dev/null; echo 1 > index.js', 'npm'),
    Workload('ansible', 'ANSIBLE_LOCALHOST_WARNING=0 ansible -c local -i localhost, localhost -m copy -a "dest=$PWD/x content=hi mode=0600 owner=1" > /dev/null; '
             'ansible -c local -i localhost, localhost -m lineinfile -a "path=$PWD/x line=z" > /dev/null; '
             'ansible -c local -i localhost, localhost -m file -a "path=$PWD/d state=directory mode=0700" > /dev/null', '', 'ansible'),
    Workload('python-shutil', suite('test_shutil'), '', python()),
    Workload('python-os', suite('test_os'), '', python()),
    Workload('python-pathlib', suite('test_pathlib', 'test_tempfile', 'test_glob'), '', python()),
    Workload('python-zipfile', suite('test_zipfile', 'test_tarfile', 'test_fileinput', 'test_mailbox'), '', python()),
    Workload('stress-ng', 'stress-ng --temp-path . --timeout 5 --dir 1 --dir-ops 100 --rename 1 --rename-ops 200 --link 1 --link-ops 50 '
             '--chmod 1 --chmod-ops 100 --utime 1 --utime-ops 100 --xattr 1 --xattr-ops 20 > /dev/null 2>&1', '', 'stress-ng'),
    Workload('calls', '/usr/bin/python3 -B $ORACLE/calls.py done', '', 'python3', True),
    Workload('exchanged', '/usr/bin/python3 -B $ORACLE/calls.py exchanged', '', 'python3', True),
    Workload('refused', '/usr/bin/python3 -B $ORACLE/calls.py refused', REFUSING, 'python3 chattr', True, None, 240, ALLOWING),
    Workload('storm', script(STORM), '', '', True),
    Workload('folders', script(FOLDERS), '', '', True),
    Workload('replaces', script(REPLACES), '', '', True),
    Workload('locked-edit', script(LOCKED_EDIT), 'echo 1 > config', '', True),
    Workload('remade', script(REMADE), '', '', True),
    Workload('threads', script(THREADS)),
    Workload('same-name', f"cat > ../k.py <<'END'{TEN}END\nfor k in 1 2 3 4; do /usr/bin/python3 ../k.py $k & done; wait"),
]


def is_here(workload):
    return all(shutil.which(p) for p in workload.needs.split())
