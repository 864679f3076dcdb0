# SPDX-License-Identifier: MIT
"""What happened, and what was reported: the two words that the oracle compares."""
from collections import namedtuple

# ops: what it may be reported as, the best first. optional: it need not be reported. error: the errno's name of what was refused.
# unplaced: whose sensors cannot say which file it was: NOBODY's, or AUDIT's, whose record has none. links: the file's names, also former and later ones
Change = namedtuple('Change', 'ops path pid previous optional error unplaced links', defaults=(None, False, None, None, ()))
Reported = namedtuple('Reported', 'op path pid previous error', defaults=(None, None))

NOBODY, AUDIT = 'nobody', 'audit'

# nobody was refused anything: there was nothing to do, or it was to be asked for in another way (event/operation.h)
NO_REFUSAL = set('ENOENT EEXIST ENOTDIR EISDIR ELOOP ENAMETOOLONG EINVAL EFAULT EINTR EAGAIN EBADF EXDEV EOPNOTSUPP ENOTSUP ENODATA '
                 'ENOSYS E2BIG ENXIO ESRCH ENOTTY ENODEV ENOMEM EMFILE ENFILE EADDRINUSE ERANGE ENOEXEC ENOTSOCK'.split())

# strace is not asked for single writes, reads and executions: what is reported of those is not compared
CONTENT = {'write', 'open-write', 'read', 'exec'}
WRITES = {'write', 'open-write', 'truncate'}
ATTRIBUTES = {'chmod', 'chown', 'utime', 'setxattr', 'removexattr', 'setacl', 'setflags'}
# "attributes, not known which": it stands for every change of attributes by that process
UNKNOWN = 'attributes'
# made and gone before it could be looked at: a file, a link or a special file
MADE = 'made'
# found in a new folder: made, linked or moved there
FOUND = 'found'
# behind an operation: which of the file's names led to it is said not to be known
ONE_OF_NAMES = '?'
# a note's beginning: which of several processes it was is said not to be known
ONE_OF_PROCESSES = 'one of several processes'
