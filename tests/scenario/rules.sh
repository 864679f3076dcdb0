#!/bin/bash
# SPDX-License-Identifier: MIT
# auditctl's rule language on the real kernel: rules.sh CULPRIT
# Each rule is loaded by auditctl and by culprit; both programs must show the same rule for both. The
# kernel's rules and state are put back as they were found.
set -u
CULPRIT=$(readlink -f "${1:?usage: rules.sh CULPRIT}")
HERE=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" != 0 ]; then
    echo "rules: needs root" >&2
    echo "0 passed, 1 failed"
    exit 1
fi
exec python3 "$HERE/rules_check.py" "$CULPRIT"
