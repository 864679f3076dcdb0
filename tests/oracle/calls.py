# SPDX-License-Identifier: MIT
"""calls.py done|refused|exchanged: every call that changes something, on every type of file, with every answer. Run as root in
the watched folder, which `prepare` has filled; one call after another, what it answers is not looked at.

done: what succeeds, and what fails because there is nothing to do (ENOENT, EEXIST, ENOTDIR, ELOOP, ENAMETOOLONG ...).
exchanged: two names, of files of each two types, change places.
refused: what somebody may not do (EACCES, EPERM), or nobody can (EROFS, ETXTBSY, EBUSY, ENOTEMPTY)."""
import ctypes
import os
import socket
import stat
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, EXCHANGE, NOREPLACE = -100, 2, 1
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, NODUMP = 0x80086601, 0x40086602, 0x40
TYPES = 'file folder link fifo socket device hard'.split()
BY_MKNOD = 'made'
NOBODY = 65534


def attempt(call, *args, **more):
    try:
        return call(*args, **more)
    except OSError:
        return None


def opened(path, flags, then=None):
    fd = attempt(os.open, path, flags | os.O_NONBLOCK, 0o644)
    if fd is not None:
        if then:
            attempt(then, fd)
        os.close(fd)


def rename2(old, new, flags):
    LIBC.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags)


def flags_of(path):
    import fcntl

    def change(fd):
        word = bytearray(8)
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, word)
        value = struct.unpack('I', word[:4])[0]
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack('Q', value ^ NODUMP))
    if stat.S_ISREG(os.lstat(path).st_mode):
        opened(path, os.O_RDONLY, change)


def bound(path):
    s = socket.socket(socket.AF_UNIX)
    attempt(s.bind, path)
    s.close()


def make(kind, path):
    if kind in ('file', 'hard'):
        attempt(lambda: open(path, 'w').close())
    if kind == 'hard':
        attempt(os.link, path, path + '.other')
    elif kind == 'folder':
        attempt(os.mkdir, path)
    elif kind == 'link':
        attempt(os.symlink, 'nowhere', path)
    elif kind == 'fifo':
        attempt(os.mkfifo, path)
    elif kind == 'socket':
        bound(path)
    elif kind == 'made': # a regular file, by mknod
        attempt(os.mknod, path, stat.S_IFREG | 0o644)
    elif kind == 'device':
        attempt(os.mknod, path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


def attributes(path):
    """By name, not following, and by descriptor."""
    for follow in (True, False):
        if follow or hasattr(os, 'lchmod'):
            attempt(os.chmod, path, 0o640, follow_symlinks=follow)
        attempt(os.chown, path, 1, 1, follow_symlinks=follow)
        attempt(os.utime, path, (1, 2), follow_symlinks=follow)
        for name in ('user.oracle', 'trusted.oracle', 'security.oracle'):
            attempt(os.setxattr, path, name, b'1', follow_symlinks=follow)
        for name in ('user.oracle', 'trusted.oracle', 'security.oracle'):
            attempt(os.removexattr, path, name, follow_symlinks=follow)
    if stat.S_ISREG(os.lstat(path).st_mode) or stat.S_ISDIR(os.lstat(path).st_mode):
        for call in (lambda fd: os.chmod(fd, 0o700), lambda fd: os.chown(fd, 2, 2), lambda fd: os.utime(fd, (3, 4)),
                     lambda fd: os.setxattr(fd, 'user.fd', b'2'), lambda fd: os.removexattr(fd, 'user.fd')):
            opened(path, os.O_RDONLY, call)
        attempt(flags_of, path)


def contents(path):
    attempt(os.truncate, path, 7)
    if stat.S_ISREG(os.lstat(path).st_mode):
        opened(path, os.O_RDWR, lambda fd: os.ftruncate(fd, 3))
        opened(path, os.O_WRONLY | os.O_TRUNC)
        opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def moves(path, to):
    """There and back again; what is not allowed stays where it is."""
    attempt(os.rename, path, to)
    attempt(os.rename, to, path)
    rename2(path, to, NOREPLACE)
    rename2(to, path, NOREPLACE)
    attempt(os.link, path, to, follow_symlinks=False)
    attempt(os.unlink, to)


def removed(path):
    attempt(os.rmdir, path)
    attempt(os.unlink, path)


def done():
    os.mkdir('x')
    make(BY_MKNOD, 'x/made')
    for kind in TYPES:
        a, b = f'x/{kind}', f'x/{kind}.moved'
        make(kind, a)
        attributes(a)
        contents(a)
        moves(a, b)
        for other in TYPES: # over and with each other type
            make(other, b)
            attempt(os.rename, a, b)
            attempt(os.rename, b, a)
            removed(b)
            removed(b + '.other')
            make(kind, a)
        nothing_to_do(a)
        removed(a)
        removed(a + '.other')


def exchanged():
    os.mkdir('x')
    for kind in TYPES:
        for other in TYPES:
            a, b = f'x/{kind}-{other}', f'x/{other}-{kind}.moved'
            make(kind, a)
            make(other, b)
            rename2(a, b, EXCHANGE)
            rename2(a, b, NOREPLACE) # EEXIST
            for path in (a, b, a + '.other', b + '.other'):
                removed(path)


def nothing_to_do(path):
    for wrong in ('x/none', path + '/below', 'x/' + 'n' * 300, 'x/turn/turn', 'x/none/below'):
        for call in (os.unlink, os.rmdir, lambda p: os.chmod(p, 0), lambda p: os.chown(p, 1, 1), lambda p: os.truncate(p, 1),
                     lambda p: os.utime(p, (1, 1)), lambda p: os.setxattr(p, 'user.x', b''), lambda p: os.rename(p, 'x/elsewhere'),
                     lambda p: os.link(p, 'x/elsewhere'), lambda p: opened(p, os.O_WRONLY)):
            attempt(call, wrong)
    for call in (os.mkdir, os.mkfifo, lambda p: os.symlink('a', p), lambda p: os.link('x', p), bound,
                 lambda p: opened(p, os.O_CREAT | os.O_EXCL | os.O_WRONLY)):
        attempt(call, path)
    attempt(os.rename, path, path)


def everything(folder):
    """What is in it, and what is not: changed, moved, removed, made."""
    for name in sorted(os.listdir(folder)):
        path = f'{folder}/{name}'
        attributes(path)
        contents(path)
        attempt(os.rename, path, path + '.moved')
        attempt(os.rename, path, 'open/moved')
        attempt(os.link, path, path + '.linked', follow_symlinks=False)
        removed(path)
    for kind in TYPES + [BY_MKNOD]:
        make(kind, f'{folder}/new-{kind}')
    attempt(os.rename, 'open/mine', f'{folder}/mine')
    attempt(os.link, 'open/mine', f'{folder}/mine')
    opened(f'{folder}/new', os.O_CREAT | os.O_EXCL | os.O_WRONLY)


def as_nobody(work, *args):
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        opened('open/mine', os.O_CREAT | os.O_WRONLY)
        work(*args)
        os._exit(0)
    os.waitpid(pid, 0)


def closed():
    """Nobody may even search it."""
    for call in (os.unlink, lambda p: os.chmod(p, 0o600), lambda p: os.truncate(p, 1), lambda p: opened(p, os.O_WRONLY),
                 lambda p: os.rename(p, 'open/moved'), lambda p: os.mkdir(p + '.new'), lambda p: opened(p + '.new', os.O_CREAT | os.O_WRONLY)):
        attempt(call, 'closed/file')


def running():
    """A program that runs is written by nobody."""
    with subprocess.Popen(['./sleeps', '100']) as p:
        contents('sleeps')
        opened('sleeps', os.O_WRONLY)
        attempt(os.chmod, 'sleeps', 0o755)
        p.kill()


def refused():
    for folder in ('theirs', 'sticky'):
        as_nobody(everything, folder)
    as_nobody(closed)
    running()
    for folder in ('full', 'mounted'):
        attempt(os.rmdir, folder)
        attempt(os.rename, folder, 'open/moved')
        attempt(os.rename, folder, 'empty')
        attempt(os.rename, 'empty', folder)
    for folder in ('fixed', 'grows', 'read-only'):
        if os.path.isdir(folder):
            everything(folder)


if __name__ == '__main__':
    os.umask(0o022)
    {'done': done, 'exchanged': exchanged, 'refused': refused}[sys.argv[1]]()
