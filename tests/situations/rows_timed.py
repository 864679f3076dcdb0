# SPDX-License-Identifier: MIT
"""What runs by itself: cron, anacron, at. The jobs of cron fire at the next full minute."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\n:\n'
GONE = '[ ! -e {d}/a ]'


def cron(name, line, says, user='', **more):
    """A line of a user's crontab, or of /etc/cron.d without one."""
    write = f"(crontab -u {user} -l 2> /dev/null; echo '{line}') | crontab -u {user} -" if user else f"echo '{line}' >> /etc/cron.d/situations"
    row(name, write, says, until=GONE, **more)  # written once the watch is ready


cron('cron: a user\'s crontab', '* * * * * {t}/purge-logs --older 3', ['{t}/purge-logs, a cron job of bob, on the host, deleted {d}/a with rm, at'], user='bob', tools={'purge-logs': SH},
     details=['cron of bob (* * * * * {t}/purge-logs --older 3)', 'person bob (login uid 4202) · no terminal',
     'next its line in /var/spool/cron/crontabs/bob (crontab -e -u bob): * * * * * {t}/purge-logs --older 3', 'its line: {t}/purge-logs:2: rm -f {d}/a'], every=True,
     log_says=['{t}/purge-logs, a cron job of bob, deleted {d}/a with rm, at'])
cron('cron: /etc/cron.d', '* * * * * root {t}/purge', ['{t}/purge, a cron job of root, on the host, deleted {d}/a with rm, at'], tools={'purge': SH}, details=['cron of root (* * * * * root {t}/purge)', 'next its line in /etc/cron.d/situations: * * * * * root {t}/purge', 'its line: {t}/purge:2: rm -f {d}/a'])
cron('cron: a command line', '* * * * * cd {d} && rm -f a', ['cd {d} && rm -f a, a cron job of bob, on the host, deleted {d}/a with rm, at'], user='bob')
cron('cron: a python script', '* * * * * ann /usr/bin/python3 {t}/clean.py', ['{t}/clean.py (python3.11), a cron job of ann, on the host, deleted {d}/a, at'],
     tools={'clean.py': 'import os\nos.unlink("{d}/a")\n'})
cron('cron: run-parts', '* * * * * root cd / && run-parts --report {t}/cron.daily', ['{t}/cron.daily/tidy, a cron job of root, on the host, deleted {d}/a with rm, at'], tools={'cron.daily/tidy': SH})
cron('cron: flock and timeout', '* * * * * root flock -n {t}/lock timeout 60 {t}/purge --x >> {t}/log 2>&1', ['{t}/purge, a cron job of root, on the host, deleted {d}/a with rm, at'], tools={'purge': SH})
cron('cron: a module', '* * * * * bob cd {t} && PYTHONPATH=. python3 -m tidy', ['python3.11 -m tidy, a cron job of bob, on the host, deleted {d}/a, at'], tools={'tidy.py': 'import os\nos.unlink("{d}/a")\n'})
cron('cron: sudo', '* * * * * root sudo -u bob rm -f {d}/a', ['sudo -u bob rm -f {d}/a, a cron job of root, as bob, on the host, deleted {d}/a, at'])
row('at', 'echo {t}/purge | at now 2> /dev/null; for i in $(seq 480); do sleep 0.5; [ -e {d}/a ] || break; kill -HUP $(cat /run/atd.pid); done',
    ['{t}/purge, an at job of root, on the host, deleted {d}/a with rm, at'], tools={'purge': SH}, until=GONE, needs=('at',))
row('ten runs of one job', '; '.join(['{t}/job; sleep 0.2'] * 10), ['root, at {tty}{from}, set the times of {d}/a 10 times with touch: /bin/sh {t}/job, from '], tools={'job': '#!/bin/sh\ntouch {d}/a\n:\n'})
