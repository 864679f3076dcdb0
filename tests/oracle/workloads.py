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
# a folder goes to another name between what is done to one file in it
MOVED = r'''
import os
os.makedirs("x/y")
for i in range(40):
    a, b = "a%d" % i, "b%d" % i
    os.mkdir(a); open(a + "/f", "w").close(); os.rename(a, b); os.unlink(b + "/f"); os.rmdir(b)
    os.mkdir(a); open(a + "/f", "w").close(); os.chmod(a + "/f", 0o600); os.rename(a, b); os.chown(b + "/f", 1, 1)
    open("x/y/f", "w").close(); os.chmod("x/y/f", 0o600); os.rename("x", "z"); os.chown("z/y/f", 1, 1); os.chmod("z/y", 0o700 + i)
    os.rename("z", "x"); os.chown("x/y", i, i); os.unlink("x/y/f")
    os.makedirs("n/m"); os.rename("n", "o"); os.rmdir("o/m"); os.rmdir("o")
'''
# what a lower layer has goes into new folders, and what is new goes to names that a lower layer had
LAYERS = r'''
import os
for i in range(12):
    d = "n%d/m" % i
    os.makedirs(d)
    os.rename("old/f%d" % i, d + "/f"); os.chmod(d + "/f", 0o600); os.chmod("n%d" % i, 0o750); os.chown(d, 1, 1)
    os.link("old/g%d" % i, d + "/g"); os.setxattr(d + "/g", "user.x", b"1"); os.utime(d + "/g", (1, 2))
    os.rename(d + "/f", "n%d/f" % i); os.rename("n%d/f" % i, "old/f%d" % i)
    os.unlink("old/h%d" % i); os.mkdir("old/h%d" % i); open("old/h%d/x" % i, "w").close(); os.chmod("old/h%d/x" % i, 0o600)
    os.rename("old/h%d/x" % i, d + "/x"); os.rmdir("old/h%d" % i); os.rename(d, "old/h%d" % i)
    with open("old/h%d/x" % i, "w") as f:
        f.write("x")
    os.unlink("old/h%d/g" % i); os.unlink("old/h%d/x" % i); os.symlink("a", "n%d/s" % i); os.mkfifo("n%d/p" % i); os.chmod("n%d/p" % i, 0o600)
    os.rmdir("old/h%d" % i)
'''
# what is there is kept by a second name before another one takes its place, as dpkg does
KEPT = r'''
import os
for i in range(60):
    with open("old/f%d-new" % i, "w") as f:
        f.write("new")
    os.link("old/f%d" % i, "old/f%d-old" % i)
    os.rename("old/f%d-new" % i, "old/f%d" % i)
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

PERL = r"""use File::Copy; use File::Temp; use File::Path qw(make_path remove_tree); use Fcntl;
copy("a/f1", "p1"); move("p1", "p2"); move("a/f2", "a/sub/f2"); make_path("q/r/s"); open(F, ">", "q/r/s/t"); print F 1; close F;
utime 1, 2, "q/r/s/t"; chmod 0600, "q/r/s/t"; link "q/r/s/t", "q/t"; symlink "t", "q/u"; rename "q/t", "q/r/t"; truncate "q/r/t", 0;
sysopen(F, "excl", O_CREAT | O_EXCL | O_RDWR); close F; my $t = File::Temp->new(DIR => "."); print $t 1; undef $t;
mkdir "m"; chown 1, 1, "m"; rmdir "m"; remove_tree("q"); system "touch", "z";"""
PYTHON = r"""
import compileall, dbm.dumb, logging.handlers, os, shelve, tempfile, zipapp
os.makedirs('src'); open('src/__main__.py', 'w').write('print(1)'); compileall.compile_dir('src', quiet=2); zipapp.create_archive('src', 'app.pyz')
h = logging.handlers.RotatingFileHandler('log', maxBytes=50, backupCount=3)
for i in range(40):
    h.emit(logging.makeLogRecord({'msg': 'x' * 20}))
h.close()
with shelve.open('shelf') as s:
    s['a'] = 1
with dbm.dumb.open('dumb', 'c') as d:
    d[b'k'] = b'v'
for i in range(10):
    with tempfile.NamedTemporaryFile(dir='.') as f:
        f.write(b'x'); os.link(f.name, 'kept%d' % i)
with tempfile.TemporaryDirectory(dir='.') as t:
    os.mkfifo(t + '/p'); os.symlink('x', t + '/l'); os.replace(t + '/l', t + '/m')
fd = os.open('.', os.O_TMPFILE | os.O_RDWR) if hasattr(os, 'O_TMPFILE') else -1
os.link('/proc/self/fd/%d' % fd, 'named', src_dir_fd=fd, follow_symlinks=True)
"""
APPLETS = """b=busybox; $b cp a/f1 c1; $b cp -a a b; $b mv b/f1 b/f2; $b ln a/f5 l1; $b ln -sf x l2; $b ln -sf y l2; $b touch -d 2020-01-01 a/f2; $b touch new
$b chmod 600 a/f3; $b chown 3:3 a/f3; $b mkdir -p m/n; $b rmdir m/n; $b sed -i s/1/2/ a/f1; $b dd if=/dev/zero of=d1 bs=10 count=2 2> /dev/null
$b truncate -s 5 a/f6; $b install -m 640 a/f7 i1; $b tar cf t.tar a; $b mkdir x; $b tar xf t.tar -C x; $b gzip a/f8; $b gunzip a/f8.gz
$b mkfifo p; $b mknod z p; $b unlink z; $b split -l 1 a/f1 s.; $b find b -name 'g*' -delete; $b tee t1 < a/f1 > /dev/null; $b rm -r x; true"""
ALTERNATIVES = """mkdir -p root/etc root/bin alt admin; for v in 1 2 3; do echo $v > root/bin/tool$v; done"""

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
    Workload('git-more', f'cd r; git checkout -q -b y; echo q > f1; git stash -q; git stash pop -q; {GIT} commit -qam y; git checkout -q -; echo o > f9; {GIT} commit -qam o; '
             f'git checkout -q y; {GIT} rebase -q - ; git mv f2 g2; git rm -q f3; {GIT} commit -qm mv; git reset -q --hard HEAD~1; git clean -qfd; git tag t; git repack -adq; '
             f'git gc -q --prune=now; git pack-refs --all; git branch -q -D y || true; git config user.x z; git remote add o .; git fetch -q o; git apply ../p',
             f"git init -q r; cd r; for i in $(seq 12); do echo $i > f$i; done; git add .; {GIT} commit -qm 1; echo z > f10; git diff > ../p; git checkout -q f10", 'git', True),
    Workload('rsync-more', 'rsync -a a/ b/; echo z >> a/f1; rm a/f2 a/f3; rsync -a --inplace --delete-after a/ b/; rsync -a --partial --partial-dir=.p a/ b/; '
             'rsync -a --link-dest=$PWD/b a/ c/; rsync -a --remove-source-files a/sub/ d/; rsync -a --delete-delay --backup-dir=$PWD/old a/ b/; rsync -aS --append-verify a/ e/',
             TREE, 'rsync'),
    Workload('diff-patch', 'patch -s -p1 < ../p1; patch -s -R -p1 < ../p1; patch -s -b -p1 < ../p1; cd a; patch -s -p1 -o ../out f2 < ../../p1 || true',
             TREE + 'cp -a a ../a; cp -a a ../b; echo n >> ../b/f1; rm ../b/f2; echo n > ../b/new; (cd ..; diff -Nru -x pipe a b > p1); cd a; cp -a . ..; true', 'patch'),
    Workload('install', 'make -s install DESTDIR=$PWD/i; make -s install DESTDIR=$PWD/i; ln -sfn one i/l; ln -sfn two i/l; cp --backup=numbered s/a i/usr/bin/a; '
             'mv --backup s/b i/usr/bin/a; cp -al s t; cp -rs $PWD/s u; mv -n s/a i/usr/bin/a; install -D -b -m 600 s/a i/x/y/z; cp --remove-destination s/a i/x/y/z; mv -T t t2',
             r"""mkdir s; echo 1 > s/a; echo 2 > s/b; printf 'install:\n\tinstall -d $(DESTDIR)/usr/bin\n\tinstall -m 755 s/a s/b $(DESTDIR)/usr/bin\n\tln -sf a $(DESTDIR)/usr/bin/c\n' > Makefile""", 'make'),
    Workload('files', 'split -n 4 a/f1 s.; csplit -s -f c. big 3 5; fallocate -l 4096 fa; fallocate -p -l 4096 fa; truncate -s 100 fa; shred -n 1 -u s.aa; dd if=big of=fa conv=notrunc bs=1 2> /dev/null; '
             'cp --reflink=auto big r; cp --sparse=always fa sp; tee -a big < a/f2 > /dev/null; mv a/f3 /dev/shm/o.$$; mv /dev/shm/o.$$ a/f3; mv a/sub /dev/shm/d.$$; mv /dev/shm/d.$$ back; '
             'unlink a/f4; link a/f5 a/f5.l; ln -P a/soft a/soft2; chattr +d fa; chattr -d fa; zstd -q big; zstd -qd --rm -f big.zst -o big2; flock lock true; mktemp -d dXXX > /dev/null; cp -p a/hard h2',
             TREE + 'seq 10 > big', 'zstd fallocate'),
    Workload('busybox', APPLETS, TREE, 'busybox', True),
    Workload('perl', 'perl ../k.pl', TREE + f"cat > ../k.pl <<'END'\n{PERL}\nEND\n", 'perl', True),
    Workload('python-files', f"/usr/bin/python3 - <<'END'{PYTHON}END\n", '', '', True),
    Workload('tar-more', 'tar -g snap -cf 0.tar a; echo z > a/f1; rm a/f2; tar -g snap -cf 1.tar a; mkdir x; tar -g /dev/null -xf 0.tar -C x; tar -g /dev/null -xf 1.tar -C x; '
             'tar uf 0.tar a/f1; tar --delete -f 0.tar a/f3; tar xf 0.tar -C x --overwrite; tar xf 0.tar -C x --unlink-first; tar xf 0.tar -C x --keep-newer-files 2> /dev/null; '
             'find a | cpio -pdlm y 2> /dev/null; find a | cpio -pdu z 2> /dev/null', TREE, 'cpio'),
    Workload('accounts', 'useradd -P $PWD/root -m -d /home/x x; usermod -P $PWD/root -c y x; groupadd -P $PWD/root z; userdel -P $PWD/root -r x; chpasswd -R $PWD/root <<< "" ; true',
             'mkdir -p root/etc root/home root/var/mail; cp /etc/login.defs root/etc; for f in passwd shadow group gshadow subuid subgid; do : > root/etc/$f; done; echo users:x:100: > root/etc/group', 'useradd groupadd'),
    Workload('system', 'update-alternatives --altdir $PWD/alt --admindir $PWD/admin --log $PWD/log --install $PWD/root/bin/tool tool $PWD/root/bin/tool1 1; '
             'update-alternatives --altdir $PWD/alt --admindir $PWD/admin --log $PWD/log --install $PWD/root/bin/tool tool $PWD/root/bin/tool2 5; '
             'update-alternatives --altdir $PWD/alt --admindir $PWD/admin --log $PWD/log --remove tool $PWD/root/bin/tool2; ldconfig -C $PWD/cache -f /dev/null /usr/lib; '
             'printf "d /run/x 0750 1 1\\nf /run/x/y 0640 1 1 - hi\\nL /run/x/l - - - - y\\nC /run/x/c - - - - /etc/hostname\\n" > t.conf; systemd-tmpfiles --root=$PWD/root --create $PWD/t.conf; '
             'dpkg-divert --root $PWD/root --admindir $PWD/root/var/lib/dpkg --local --rename --divert /bin/tool3.d --add /bin/tool3; dpkg-statoverride --admindir $PWD/root/var/lib/dpkg --force-statoverride-add --add root root 755 /bin/none',
             ALTERNATIVES + '; mkdir -p root/var/lib/dpkg/info root/run; : > root/var/lib/dpkg/status; cp /etc/passwd /etc/group root/etc', 'update-alternatives systemd-tmpfiles dpkg-divert'),
    Workload('keys', 'ssh-keygen -q -t ed25519 -N "" -f k; ssh-keygen -q -p -N x -f k; ssh-keygen -R h -f kh > /dev/null 2>&1; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout o.key -out o.crt -subj /CN=a 2> /dev/null; '
             'openssl rand -writerand rnd > /dev/null 2>&1; gpg --homedir $PWD/g --batch --quiet --passphrase "" --quick-gen-key a@b 2> /dev/null; gpgconf --homedir $PWD/g --kill all', 'mkdir -m 700 g; echo h x y > kh', 'ssh-keygen openssl gpg'),
    Workload('toolchain', 'cmake -S s -B b > /dev/null; cmake --build b > /dev/null; cmake --install b --prefix $PWD/i > /dev/null; cmake --build b --target clean; gcc -save-temps -c s/m.c; '
             'strip -o m.s m.o; ar qc l.a m.o; ar d l.a m.o; ranlib l.a; ld -r m.o -o n.o; setcap cap_net_raw+ep i/bin/m', "mkdir s; echo 'int main(void) { return 0; }' > s/m.c; "
             "printf 'cmake_minimum_required(VERSION 3.5)\\nproject(m C)\\nadd_executable(m m.c)\\ninstall(TARGETS m DESTINATION bin)\\n' > s/CMakeLists.txt", 'cmake gcc setcap'),
    Workload('editors-more', 'vim -u NONE -es -c "set backup backupdir=." -c "normal iq" -c wq a/f1; vim -u NONE -es -c "set undofile undodir=." -c "normal iq" -c wq a/f2; '
             'vim -u NONE -es -c "w! new" -c q a/f3; vim -u NONE -es -c "sav other" -c q a/f4; ex -s a/f5 <<< $\'%s/5/6/\\nwq\'; ed -s a/f6 <<< $\'1d\\nw new2\\nq\'', TREE, 'vim ed ex'),
    Workload('logrotate-more', 'logrotate -s st c; echo m >> l1; echo m >> l2; logrotate -f -s st c; echo n >> l1; logrotate -f -s st c', 'mkdir old; chmod 755 .; echo 1 > l1; echo 1 > l2; '
             'printf "$PWD/l1 {\\n su root root\\n copytruncate\\n rotate 2\\n size 1\\n dateext\\n dateformat -%%s\\n}\\n$PWD/l2 {\\n su root root\\n rotate 1\\n size 1\\n olddir old\\n create\\n delaycompress\\n compress\\n}\\n" > c; chmod 644 c', 'logrotate'),
    Workload('sqlite-more', "for m in delete truncate persist wal memory; do sqlite3 $m.db \"pragma journal_mode=$m; create table t(x); insert into t values(1); begin; insert into t values(2); rollback; vacuum;\" > /dev/null; done; "
             "sqlite3 delete.db \"vacuum into 'v.db'\"; sqlite3 v.db \"attach 'w.db' as w; create table w.t(x); begin; insert into w.t values(1); insert into t values(3); commit;\"; sqlite3 v.db '.backup b.db'", '', 'sqlite3'),
    Workload('node', 'node -e \'const f=require("fs"); f.mkdirSync("n/m",{recursive:true}); f.writeFileSync("n/a","1"); f.appendFileSync("n/a","2"); f.copyFileSync("n/a","n/b"); f.renameSync("n/b","n/c"); f.linkSync("n/c","n/d"); '
             'f.symlinkSync("d","n/e"); f.chmodSync("n/c",0o600); f.utimesSync("n/c",1,2); f.truncateSync("n/c",1); f.cpSync("n","o",{recursive:true}); f.rmSync("n",{recursive:true}); f.mkdtempSync("t-")\'', '', 'node'),
    Workload('ruby-php', 'ruby -rfileutils -rtempfile -e \'FileUtils.mkdir_p("r/s"); File.write("r/a","1"); FileUtils.cp("r/a","r/b"); FileUtils.mv("r/b","r/c"); FileUtils.ln_s("c","r/d"); FileUtils.touch("r/c"); '
             'FileUtils.cp_r("r","q"); FileUtils.rm_rf("r"); Tempfile.create("x",".") { |f| f.write 1 }\'; php -r \'mkdir("h"); file_put_contents("h/a", 1); copy("h/a","h/b"); rename("h/b","h/c"); touch("h/c", 5); chmod("h/c", 0600); '
             'link("h/c","h/d"); symlink("c","h/e"); unlink("h/d"); tempnam("h","t");\'', '', 'ruby php'),
    Workload('small-tools', "sort a/f1 | sponge a/f1; echo x | sponge -a a/f2; file-rename 's/f/F/' a/f3 a/f4; mmv 'a/f*' 'a/h#1'; mmv -c 'a/h*' 'a/i#1'; "
             "dos2unix -q a/i5; unix2dos -q a/i6; unix2dos -q -n a/i7 a/j7; symlinks -cd a > /dev/null; fdupes -qdN a > /dev/null; "
             "7z a -bd s.7z a > /dev/null; 7z x -bd -ox s.7z > /dev/null; 7z d -bd s.7z a/sub > /dev/null; dar -Q -q -c d -R a; mkdir y; dar -Q -q -x d -R y; "
             "dar -Q -q -c e -A d -R a", TREE + 'cp a/sub/g1 a/sub/g9; ln -s nowhere a/gone; ', 'sponge file-rename mmv dos2unix symlinks fdupes 7z dar'),
    Workload('backups', "export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes RESTIC_PASSWORD=x; borg init -e none b; borg create b::one a; echo z > a/f1; borg create b::two a; mkdir x; cd x; borg extract ../b::two; cd ..; "
             "borg prune --keep-last 1 b; borg compact b; restic -q init -r r; restic -q backup -r r a; rm a/f2; restic -q backup -r r a; "
             "restic -q restore -r r latest --target y; restic -q forget -r r --keep-last 1 --prune; rdiff-backup backup a d > /dev/null; echo q > a/f3; "
             "rdiff-backup backup a d > /dev/null; rdiff-backup restore d e > /dev/null", TREE + 'rm a/pipe; ', 'borg restic rdiff-backup'),
    Workload('other-vcs', "hg -q init h; cd h; cp ../a/f* .; hg -q add; hg -q commit -u a -m a; echo z > f1; hg -q commit -u a -m b; hg -q update -C 0; hg -q clone . ../i; "
             "cd ..; svnadmin create s; svn -q checkout file://$PWD/s w; cd w; cp ../a/f* .; svn -q add f*; svn -q commit -m a; svn -q move f1 g1; svn -q delete f2; "
             "svn -q commit -m b; svn -q update -r 1; svn -q revert -R .; cd ../q; quilt -q new p; quilt -q add f1; echo z > f1; quilt -q refresh; quilt -q pop; quilt -q push",
             TREE + 'mkdir q; cp a/f1 q/', 'hg svn quilt'),
    Workload('databases', "gdbmtool -n g.db store k v; gdbmtool g.db store l w; gdbmtool g.db delete k; gdbmtool g.db reorganize; printf 'k\\nv\\n' | db_load -T -t hash h.db; "
             "printf 'l\\nw\\n' | db_load -T h.db; printf 'k\\nv\\n' | db_load -T -t btree i.db; mkdir m; printf ' 6b\\n 76\\nDATA=END\\n' > d; "
             "{ printf 'VERSION=3\\nformat=bytevalue\\ntype=btree\\nmapsize=1048576\\nHEADER=END\\n'; cat d; } | mdb_load m; mkdir n; mdb_copy -c m n", '',
             'gdbmtool db_load mdb_load'),
    Workload('stress-more', 'stress-ng --temp-path . --timeout 5 --symlink 1 --symlink-ops 20 --chown 1 --chown-ops 50 --touch 1 --touch-ops 100 --dirdeep 1 --dirdeep-ops 50 '
             '--fallocate 1 --fallocate-ops 5 --mknod 1 --mknod-ops 50 --lease 1 --lease-ops 20 > /dev/null 2>&1', '', 'stress-ng'),
    Workload('calls', '/usr/bin/python3 -B $ORACLE/calls.py done', '', 'python3', True),
    Workload('exchanged', '/usr/bin/python3 -B $ORACLE/calls.py exchanged', '', 'python3', True),
    Workload('refused', '/usr/bin/python3 -B $ORACLE/calls.py refused', REFUSING, 'python3 chattr', True, None, 240, ALLOWING),
    Workload('storm', script(STORM), '', '', True),
    Workload('folders', script(FOLDERS), '', '', True),
    Workload('replaces', script(REPLACES), '', '', True),
    Workload('locked-edit', script(LOCKED_EDIT), 'echo 1 > config', '', True),
    Workload('remade', script(REMADE), '', '', True),
    Workload('moved', script(MOVED), '', '', True),
    Workload('layers', script(LAYERS), 'mkdir old; for i in $(seq 0 11); do echo f > old/f$i; echo g > old/g$i; echo h > old/h$i; done'),
    Workload('kept', script(KEPT), 'mkdir old; for i in $(seq 0 59); do echo f > old/f$i; done'),
    Workload('threads', script(THREADS)),
    Workload('same-name', f"cat > ../k.py <<'END'{TEN}END\nfor k in 1 2 3 4; do /usr/bin/python3 ../k.py $k & done; wait"),
]


def is_here(workload):
    return all(shutil.which(p) for p in workload.needs.split())
