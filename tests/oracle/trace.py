# SPDX-License-Identifier: MIT
"""strace's log, line by line, as system calls."""
import re
from collections import namedtuple

# `?`: a call that this strace or machine does not know is no error
CALLS = ('unlink unlinkat rmdir rename renameat renameat2 mkdir mkdirat link linkat symlink symlinkat mknod mknodat chmod fchmod '
         'fchmodat fchmodat2 chown lchown fchown fchownat utime utimes futimesat utimensat truncate ftruncate setxattr lsetxattr '
         'fsetxattr removexattr lremovexattr fremovexattr open openat creat chdir fchdir clone clone3 fork vfork bind ioctl setuid fallocate').split()

TEXT = rb'"((?:[^"\\]|\\.)*)"'
FOLDER = rb'(?:AT_FDCWD|\d+)(?:<((?:[^>\\]|\\.)*)>)?'
FORKS = {'clone', 'clone3', 'fork', 'vfork'}
ESCAPES = {b'n': b'\n', b't': b'\t', b'r': b'\r', b'v': b'\v', b'f': b'\f', b'a': b'\a', b'b': b'\b'}

# error: its name, None = success; result_path: of the descriptor that it returned
Call = namedtuple('Call', 'tid name args result result_path error')


def unescape(text):
    def one(m):
        s = m[1]
        if s[:1] == b'x':
            return bytes([int(s[1:], 16)])
        return bytes([int(s, 8) & 255]) if s[:1].isdigit() else ESCAPES.get(s, s)
    return re.sub(rb'\\(x[0-9a-f]{2}|[0-7]{1,3}|.)', one, text, flags=re.S)


def command(log):
    return ['strace', '-f', '-y', '-s', '8192', '-o', log, '-e', 'signal=none', '-e', 'trace=?' + ',?'.join(CALLS)]


def calls(log, on_fork, on_end):
    """Each finished call. on_fork(tid, is_thread) when a fork begins: its child may be seen before it ends. on_end(tid)."""
    with open(log, 'rb') as lines:
        yield from finished(lines, on_fork, on_end)


def finished(lines, on_fork, on_end):
    pending = {}
    for line in lines:
        m = re.match(rb'(\d+) +(.*)$', line.rstrip(b'\n'), re.S)
        if not m:
            continue
        tid, text = int(m[1]), m[2]
        if text.startswith(b'+++ '):
            on_end(tid)
        if re.match(rb'(clone3?|v?fork)\(', text):
            on_fork(tid, b'CLONE_THREAD' in text)
        if text.endswith(b'<unfinished ...>'):
            pending[tid] = text[:-len(b'<unfinished ...>')].rstrip()
            continue
        rest = re.match(rb'<\.\.\. \w+ resumed>(.*)$', text, re.S)
        if rest:
            text = pending.pop(tid, b'') + rest[1]
        m = re.match(rb'(\w+)\((.*)\) += (-?\d+|\?)(?:<((?:[^>\\]|\\.)*)>)?(?: ([A-Z0-9]+) \(.*)?', text, re.S)
        if m:
            yield Call(tid, m[1].decode(), m[2], m[3], unescape(m[4]) if m[4] else None, m[5] and m[5].decode())
