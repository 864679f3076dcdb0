# SPDX-License-Identifier: MIT
"""Which names there are below the watched folder, and where a path of a traced process leads."""
import os
import re

LINKS_MAX = 40


class AllNames:
    """Sets that grow as the log is read, each with what follows behind."""

    def __init__(self, parts):
        self.parts = parts

    def __iter__(self):
        return iter({name + rest for names, rest in self.parts for name in names})


class Names:
    def __init__(self, top):
        self.top = os.fsencode(top)
        self.names, self.links = {self.top}, {}
        self.ever = {} # all names that the file of a name had or will have: one set for each file
        files = {}
        for root, folders, others in os.walk(self.top):
            for name in folders + others:
                path = os.path.join(root, name)
                self.names.add(path)
                if os.path.islink(path):
                    self.links[path] = os.readlink(path)
                if os.lstat(path).st_nlink > 1 and not os.path.isdir(path):
                    self.ever[path] = files.setdefault((os.lstat(path).st_dev, os.lstat(path).st_ino), set())
                    self.ever[path].add(path)

    def inside(self, path):
        return path is not None and (path == self.top or path.startswith(self.top + b'/'))

    def plain(self, path, follow=False, depth=0):
        """Without dots and links; the last component is followed only if asked."""
        out, parts = b'', [x for x in path.split(b'/') if x not in (b'', b'.')]
        for i, part in enumerate(parts):
            if part == b'..':
                out = out.rsplit(b'/', 1)[0]
                continue
            out += b'/' + part
            last = i == len(parts) - 1 and not path.endswith(b'/')
            if out in self.links and (follow or not last) and depth < LINKS_MAX:
                to = self.links[out]
                to = to if to.startswith(b'/') else out.rsplit(b'/', 1)[0] + b'/' + to
                return self.plain(to + b'/' + b'/'.join(parts[i + 1:]), follow, depth + 1)
        return out or b'/'

    def add(self, path, link=None):
        self.names.add(path)
        self.ever[path] = {path}
        if link is not None:
            self.links[path] = link

    def remove(self, path):
        self.names.discard(path)
        self.links.pop(path, None)
        self.ever.pop(path, None)

    def join(self, old, new):
        self.ever[new] = self.ever.setdefault(old, {old})
        self.ever[new].add(new)
        if old in self.links: # a symbolic link may have two names too
            self.links[new] = self.links[old]

    def all_of(self, path):
        """The names of the file there, also those that it had and those that it will have, and those by such names of its folders."""
        parts, rest = [], b''
        while self.inside(path) and path != self.top:
            parts.append((self.ever.setdefault(path, {path}), rest))
            path, name = path.rsplit(b'/', 1)
            rest = b'/' + name + rest
        return AllNames(parts)

    def move(self, old, new):
        for name in [n for n in self.names if n == old or n.startswith(old + b'/')]:
            self.names.discard(name)
            self.names.add(new + name[len(old):])
            self.ever[new + name[len(old):]] = self.ever.pop(name, {name})
            self.ever[new + name[len(old):]].add(new + name[len(old):])
        for name in [n for n in self.links if n == old or n.startswith(old + b'/')]:
            self.links[new + name[len(old):]] = self.links.pop(name)

    def exchange(self, old, new):
        aside = new + b'\0'
        self.move(old, aside)
        self.move(new, old)
        self.move(aside, new)


class Processes:
    """Working folders, thread groups and descriptors, by the thread's number."""

    def __init__(self, top):
        self.top, self.cwd, self.group, self.fds = top, {}, {}, {}
        self.moved = set() # who was elsewhere before its maker's fork came to its end (vfork)
        self.forked, self.forked_thread = None, False

    def see(self, tid):
        if tid in self.cwd:
            return
        self.cwd[tid] = self.cwd.get(self.forked, self.top)
        self.group[tid] = self.group.get(self.forked, tid) if self.forked_thread else tid

    def begins_fork(self, tid, thread):
        self.forked, self.forked_thread = tid, thread

    def child(self, tid, child, thread):
        if child not in self.moved:
            self.cwd[child] = self.cwd.get(tid, self.top)
        self.group[child] = self.group[tid] if thread else child

    def moves(self, tid, folder):
        self.moved.add(tid)
        self.cwd[tid] = folder

    def ends(self, tid):
        self.moved.discard(tid)

    def path(self, tid, folder, path):
        """A path as the call had it, made absolute."""
        m = re.match(rb'/(?:proc/self/fd|dev/fd)/(\d+)(.*)$', path, re.S)
        known = m and self.fds.get((self.group[tid], int(m[1])))
        if known:
            return known + m[2]
        return path if path.startswith(b'/') else (self.cwd[tid] if folder is None else folder) + b'/' + path
