# SPDX-License-Identifier: MIT
"""What happened, and what was told: the two words that the oracle compares."""
from collections import namedtuple

# ops: what it may be told as, the best first. optional: it need not be told. made: by the maker of a new file, to it.
Change = namedtuple('Change', 'ops path pid previous optional', defaults=(None, False))
Told = namedtuple('Told', 'op path pid previous', defaults=(None,))

# strace is not asked for single writes, reads and executions: what is told of those is not compared
CONTENT = {'write', 'open-write', 'read', 'exec'}
ATTRIBUTES = {'chmod', 'chown', 'utime', 'setxattr', 'removexattr', 'setacl', 'setflags'}
# "attributes, not known which": it stands for every change of attributes by that process
UNKNOWN = 'attributes'
# made and gone before it could be looked at: a file, a link or a special file
MADE = 'made'
