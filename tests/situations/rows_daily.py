# SPDX-License-Identifier: MIT
"""What happens on any day: accounts, file transfers, servers and their tools, jobs that outlive their shell, debuggers."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\n:\n'
TYPED = 'root, at {tty}{from}, '
ROOT = TYPED + 'deleted {d}/a'
GONE = '[ ! -e {d}/a ]'
GIT = 'export HOME={t}; git config --global user.email a@b; git config --global user.name a; git config --system --add safe.directory "*"; '
SSH = '-F none -i {w}/keys/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'
HOST = 'ann@127.0.0.1'


def daily(name, do, says, **more):
    row('daily: ' + name, do, says, **{'tools': {'purge': SH}, **more})


# the new file is written beside the old one, in an overlay, whose folders nobody opens by a handle
daily('an account is added', 'useradd carl', [TYPED + 'replaced /etc/passwd (by /etc/passwd+, renamed over it): useradd carl, at'], target='/etc/passwd', never=['renamed /etc'])
daily('sftp', f'echo rm {{d}}/a | sftp -q -b - -P {{port}} {SSH} {HOST} > /dev/null', ['ann by sftp, from 127.0.0.1, on the host, deleted {d}/a, at'])
daily('sftp by sshd itself', f'echo rm {{d}}/a | sftp -s itself -q -b - -P {{port}} {SSH} {HOST} > /dev/null', ['ann by sftp, from 127.0.0.1, on the host, deleted {d}/a, at'])
daily('scp', f'scp -q -P {{port}} {SSH} /etc/hostname {HOST}:{{d}}/new', ['ann by sftp, from 127.0.0.1, on the host, created {d}/new, at'])
daily('rsync over ssh', f'rsync -a --delete -e "ssh -p {{port}} {SSH}" {{t}}/src/ {HOST}:{{d}}/ 2> /dev/null', ['rsync --server ', ', a command given to ssh by ann, from 127.0.0.1, on the host, deleted {d}/a, at'],
      tools={'src/keep': 'x'}, target='{d}/a')
daily('git push runs a hook of the other side', f'GIT_SSH_COMMAND="ssh -p {{port}} {SSH}" git -C {{t}}/clone push -q ssh://{HOST}{{t}}/bare.git HEAD 2> /dev/null',
      ['the git hook {t}/bare.git/hooks/post-receive, a command given to ssh by ann, from 127.0.0.1, on the host, deleted {d}/a with rm, at'],
      prepare=GIT + 'git init -q --bare {t}/bare.git; printf "#!/bin/sh\\nrm -f {d}/a\\n:\\n" > {t}/bare.git/hooks/post-receive; chmod -R 0777 {t}/bare.git; '
      'git clone -q {t}/bare.git {t}/clone; cd {t}/clone; echo x > x; git add x; git commit -qm one')
daily('git pull runs a hook', 'git -C {d} -c user.name=a -c user.email=a@b pull -q {t}/clone HEAD', [ROOT + ' with rm: /bin/sh {d}/.git/hooks/post-merge 0, at'], target='{d}/a',
      prepare=GIT + 'cd {d} && git init -q && git add -A && git commit -qm one; git clone -q {d} {t}/clone; cd {t}/clone && echo new > b && git add b && git commit -qm two; '
      'printf "#!/bin/sh\\nrm -f {d}/a\\n:\\n" > {d}/.git/hooks/post-merge; chmod +x {d}/.git/hooks/post-merge')
daily('php as a web server', '(cd {t}; exec php -S 127.0.0.1:$(python3 {t}/free) 2> {t}/log) & python3 {t}/ask; kill $!', [ROOT + ': php -S 127.0.0.1:'], needs=('php',), never=['standard input'],
      tools={'del.php': '<?php unlink("{d}/a");\n', 'free': """import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1], file=open("{t}/port", "w"), flush=True)
    print(s.getsockname()[1])
""", 'ask': """import os, socket, time
for i in range(3000):
    time.sleep(0.1)
    try:
        with socket.create_connection(("127.0.0.1", int(open("{t}/port").read()))) as s:
            s.sendall(b"GET /del.php HTTP/1.0\\r\\n\\r\\n")
            s.recv(100)
            break
    except (OSError, ValueError):
        pass
"""})
daily('a job that outlives its shell', "bash -c 'nohup sh -c \"sleep 1; {t}/purge\" > /dev/null 2>&1 &'", [ROOT + ' with rm: /bin/sh {t}/purge, at'], until=GONE)
daily('a job with a session of its own', '(setsid sh -c "sleep 1; rm -f {d}/a; :" > /dev/null 2>&1 < /dev/null &)', [ROOT + " with rm: setsid sh -c 'sleep 1; rm -f {d}/a; :', at"], until=GONE)
daily('make as another user', 'sudo -u bob make -s -C {t} clean', ['ann, as bob by sudo, at {tty}{from}, deleted {d}/a with rm: make -s -C {t} clean, in {t}, at'], by='ann', tools={'Makefile': 'clean:\n\trm -f {d}/a\n'})
daily('chroot as another user', 'chroot --userspec=bob / rm -f {d}/a', ['root, as bob, at {tty}{from}, deleted {d}/a: chroot --userspec=bob / rm -f {d}/a, at'])
daily('a namespace of a user', 'unshare -r sh -c "rm -f {d}/a; :"', ["ann, at {tty}{from}, deleted {d}/a with rm: unshare -r sh -c 'rm -f {d}/a; :', at"], by='ann')
daily('xargs of a script', 'ls -d {d}/a {d}/b | xargs -P 2 -n 1 {t}/one', [TYPED + 'deleted 2 files in {d} with rm: /bin/sh {t}/one {d}/'], files={'a': '', 'b': ''}, tools={'one': '#!/bin/sh\nrm -f $1\n:\n'})
daily('node calls a shell', 'node {t}/app.js', [ROOT + ' with rm: node {t}/app.js, at'], tools={'app.js': 'require("child_process").execSync("rm -f {d}/a; :")\n'}, needs=('node',))
daily('python in a process of its own', 'python3 {t}/x.py', [ROOT + ': python3 {t}/x.py, at'],
      tools={'x.py': 'import multiprocessing, os\nif __name__ == "__main__":\n    multiprocessing.set_start_method("spawn")\n    p = multiprocessing.Process(target=os.unlink, args=("{d}/a",))\n    p.start()\n    p.join()\n'})
daily('a program in memory alone', 'python3 {t}/mem.py', [ROOT + ' with memfd:x: python3 {t}/mem.py, at'],
      tools={'mem.py': 'import os\nfd = os.memfd_create("x")\nos.write(fd, open("/bin/rm", "rb").read())\nos.execve(fd, ["rm", "-f", "{d}/a"], {})\n'})
daily('a script that is replaced while it runs', '{t}/purge', [ROOT + ' with rm: /bin/sh {t}/purge, at'], tools={'purge': '#!/bin/sh\ncp /bin/true {t}/purge.new; mv {t}/purge.new {t}/purge\nrm -f {d}/a\n:\n'})
daily('busybox find runs a tool of its own', 'busybox find {d} -name a -exec rm -f {} +', [ROOT + ': busybox find {d} -name a -exec rm -f {} +, at'], needs=('busybox',))
daily('a script that calls busybox find', '{t}/tidy', [ROOT + ' with find: /bin/sh {t}/tidy, at'], tools={'tidy': '#!/bin/sh\nbusybox find {d} -name a -exec rm -f {} +\n:\n'}, needs=('busybox',))
daily('a file is moved away and deleted there', 'python3 {t}/x.py', [TYPED + 'moved {d}/a away', ': python3 {t}/x.py, at'],
      tools={'x.py': 'import os\nos.mkdir("{t}/q")\nos.rename("{d}/a", "{t}/q/a")\nos.unlink("{t}/q/a")\nos.rmdir("{t}/q")\n'}, never=['renamed'])
