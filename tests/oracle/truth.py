# SPDX-License-Identifier: MIT
"""From system calls to the changes that must be reported."""
import os
import re
import stat

from change import AUDIT, NO_REFUSAL, NOBODY, Change
from names import Names, Processes
from trace import FOLDER, FORKS, TEXT, calls, unescape

GONE = b' (deleted)'
OPERATIONS = (('chmod', 'chmod'), ('chown', 'chown'), ('utim', 'utime'), ('truncate', 'truncate'), ('setxattr', 'setxattr'),
              ('removexattr', 'removexattr'))
ATTRIBUTE_CALLS = re.compile(r'l?f?(chmod|chown|truncate|setxattr|removexattr)(at2?)?$|utimes?$|futimesat$|utimensat$')


class Truth:
    def __init__(self, top):
        self.names = Names(top)
        self.processes = Processes(self.names.top)
        self.changes, self.made = [], set()
        self.error = None # of the call that is looked at
        self.users = set() # processes that gave root's rights away

    # ---- what is reported ----

    def report(self, call, ops, path, previous=None, optional=False, unplaced=None):
        inside = self.names.inside
        if inside(path) or inside(previous):
            self.changes.append(Change((ops,) if isinstance(ops, str) else ops, path if inside(path) else None, self.processes.group[call.tid],
                                       previous if inside(previous) else None, optional, self.error, NOBODY if self.stopped(path) or self.stopped(previous) else unplaced,
                                       self.names.all_of(path) if path else ()))

    def stopped(self, path):
        """Refused on the way: by a read-only mount, or in a folder that this user may not search."""
        return self.error == 'EROFS' or (self.error == 'EACCES' and path is not None and self.is_closed(path))

    def is_closed(self, path):
        """No folder that everybody may search: the workloads have no others."""
        while self.names.inside(os.path.dirname(path)):
            path = os.path.dirname(path)
            if os.path.isdir(path) and not os.stat(path).st_mode & stat.S_IXOTH:
                return True
        return False

    def make(self, call, op, path, link=None, unplaced=None):
        self.report(call, op, path, unplaced=unplaced)
        if not self.error:
            self.names.add(path, link)
            self.made.add((path, self.processes.group[call.tid]))

    # ---- where ----

    def place(self, call, texts, i=0, folder=None, follow=False):
        return self.names.plain(self.processes.path(call.tid, folder, texts[i]), follow)

    # ---- the calls ----

    def read(self, log):
        for call in calls(log, self.processes.begins_fork, self.processes.ends):
            self.processes.see(call.tid)
            if call.name in FORKS:
                if call.error is None and call.result.isdigit() and int(call.result) > 0:
                    self.processes.child(call.tid, int(call.result), b'CLONE_THREAD' in call.args)
            elif call.error not in NO_REFUSAL and call.result != '?':
                self.error = call.error
                self.on_call(call)
        return self.changes

    def on_call(self, call):
        name, texts = call.name, [unescape(x) for x in re.findall(TEXT, call.args)]
        lead = re.match(FOLDER, call.args)
        folder = unescape(lead[1]) if lead and lead[1] is not None else None
        if name in ('chdir', 'fchdir'):
            if not self.error:
                self.processes.moves(call.tid, self.place(call, texts, 0, None, True) if name == 'chdir' else folder)
        elif name == 'setuid' and not self.error:
            self.users.add(self.processes.group[call.tid])
        elif name in ('open', 'openat', 'creat') and self.error:
            self.on_open_refused(call, texts, folder)
        elif name in ('open', 'openat', 'creat'):
            self.on_open(call, texts, folder)
        elif name in ('unlink', 'unlinkat', 'rmdir'):
            path = self.place(call, texts, 0, folder if name == 'unlinkat' else None)
            folder_too = name == 'rmdir' or b'AT_REMOVEDIR' in call.args.rsplit(b'"', 1)[1]
            ops = ('rmdir', 'unlink') if folder_too else ('unlink', 'rmdir')
            self.report(call, ops if self.error else ops[0], path) # refused before it was known what it is
            if not self.error:
                self.names.remove(path)
        elif name.startswith('rename'):
            self.on_rename(call, texts, folder)
        elif name.startswith('link'):
            self.on_link(call, texts, folder)
        elif name.startswith('mkdir'):
            self.make(call, 'mkdir', self.place(call, texts, 0, folder if name == 'mkdirat' else None))
        elif name.startswith('symlink'):
            m = re.search(rb'", ' + FOLDER + rb', "', call.args)
            self.make(call, 'symlink', self.place(call, texts, 1, unescape(m[1]) if m and m[1] else None), texts[0])
        elif name.startswith('mknod'):
            regular = b'S_IFREG' in call.args or b'S_IF' not in call.args
            # a folder is made by mkdir alone: the kernel says so before it looks for the name
            self.make(call, 'create' if regular else 'mknod', self.place(call, texts, 0, folder if name == 'mknodat' else None),
                      unplaced=NOBODY if b'S_IFDIR' in call.args else None)
        elif name == 'bind':
            m = re.search(rb'sun_path="((?:[^"\\]|\\.)*)"', call.args)
            if m:
                self.make(call, 'mknod', self.names.plain(self.processes.path(call.tid, None, unescape(m[1]))))
        elif name == 'fallocate':
            if not self.error and b'COLLAPSE_RANGE' in call.args:
                self.report(call, ('truncate', 'write', 'open-write'), folder, optional=True) # shorter by a part in its midst
        elif name == 'ioctl':
            if b'FS_IOC_SETFLAGS' in call.args or b'FS_IOC_FSSETXATTR' in call.args:
                self.report(call, 'setflags', folder, unplaced=AUDIT)
        elif ATTRIBUTE_CALLS.match(name):
            self.on_attribute(call, texts, folder)

    def on_open(self, call, texts, folder):
        path, pid = call.result_path, self.processes.group[call.tid]
        if call.result.isdigit() and path:
            self.processes.fds[(pid, int(call.result))] = path
        if not path or not path.startswith(b'/') or path.endswith(GONE) or b'O_TMPFILE' in call.args or b'O_PATH' in call.args:
            return
        # the log's order is not the kernel's where several processes have one name: only O_EXCL is sure
        if b'O_EXCL' in call.args or ((b'O_CREAT' in call.args or call.name == 'creat') and path not in self.names.names):
            self.make(call, 'create', path)
        elif b'O_TRUNC' in call.args or call.name == 'creat':
            # what is empty already is not changed by it
            self.report(call, ('truncate', 'open-write', 'write'), path, optional=True)

    def on_open_refused(self, call, texts, folder):
        path = self.place(call, texts, 0, folder if call.name == 'openat' else None, b'O_NOFOLLOW' not in call.args)
        creates = b'O_CREAT' in call.args or call.name == 'creat'
        if b'O_TMPFILE' in call.args:
            self.report(call, ('create',), path, optional=True)
        elif creates and path not in self.names.names:
            self.report(call, 'create', path, unplaced=AUDIT)
        elif b'O_TRUNC' in call.args or call.name == 'creat':
            self.report(call, ('truncate', 'open-write'), path)
        elif b'O_WRONLY' in call.args or b'O_RDWR' in call.args:
            self.report(call, 'open-write', path)

    def two(self, call, texts, folder, plain):
        """Both paths of rename and link."""
        if call.name == plain:
            return self.place(call, texts, 0), self.place(call, texts, 1)
        m = re.match(FOLDER + rb', ' + TEXT + rb', ' + FOLDER, call.args)
        return self.place(call, texts, 0, folder), self.place(call, texts, 1, unescape(m[3]) if m and m[3] is not None else None)

    def on_rename(self, call, texts, folder):
        old, new = self.two(call, texts, folder, 'rename')
        if b'RENAME_EXCHANGE' in call.args and old == new:
            return
        if b'RENAME_EXCHANGE' in call.args:
            self.report(call, 'rename', new, old)
            self.report(call, 'rename', old, new)
            if not self.error:
                self.names.exchange(old, new)
        elif self.error:
            self.report(call, 'rename', new, old)
            if new in self.names.names:
                self.report(call, 'replace', new, optional=True)
        elif old != new:
            self.report(call, 'rename', new, old)
            if new in self.names.names:
                self.report(call, 'replace', new)
            self.names.remove(new)
            self.names.move(old, new)

    def on_link(self, call, texts, folder):
        nameless = b'AT_EMPTY_PATH' in call.args or b'/proc/self/fd/' in call.args
        old, new = self.two(call, texts, folder, 'link')
        # what had no name before is a new file to those who see names
        # a user's link to what is not his own is refused before anything is asked (fs.protected_hardlinks)
        protected = self.error == 'EPERM' and self.processes.group[call.tid] in self.users
        self.make(call, ('link', 'create') if nameless else 'link', new, unplaced=NOBODY if protected else None)
        if not self.error and not nameless:
            self.names.join(old, new)

    def on_attribute(self, call, texts, folder):
        op = next(o for word, o in OPERATIONS if word in call.name)
        at = call.name.endswith(('at', 'at2'))
        by_path = re.match(FOLDER + rb', "' if at else rb'"', call.args)
        path = texts[0] if texts and by_path else b''
        nofollow = call.name.startswith('l') or b'AT_SYMLINK_NOFOLLOW' in call.args
        gone = not path and folder is not None and folder.endswith(GONE)
        optional = gone or (op == 'chown' and re.search(rb', -1, -1\b', call.args) is not None)
        if op == 'utime' and call.args.count(b'UTIME_OMIT') == 2:
            return
        where = self.place(call, texts, 0, folder if at else None, not nofollow) if path else folder
        if where is None or not where.startswith(b'/'):
            return
        where = where[:-len(GONE)] if gone else where
        ops = {'truncate': ('truncate', 'open-write', 'write'), 'setxattr': ('setxattr', 'setacl'),
               'removexattr': ('removexattr', 'setacl')}.get(op, (op,))
        if b'system.posix_acl_' in call.args:
            ops = ('setacl', 'setxattr', 'removexattr', 'acl-mode')
        if op == 'utime' and (where, self.processes.group[call.tid]) in self.made:
            ops += ('own-times',)
        self.report(call, ops, where, optional=optional, unplaced=AUDIT if not path and op in ('utime', 'truncate') else None)
