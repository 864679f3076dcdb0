# SPDX-License-Identifier: MIT
# In the guest: oracle.sh CULPRIT [options of oracle.py]. Results go to /out.
culprit=$1
shift
tests=$(cd "$(dirname "$0")/.." && pwd)
module loop ext4 xfs btrfs overlay 2> /dev/null
mkdir -m 1777 /run/oracle
export CULPRIT_TEST_DIR=/run/oracle
uname -r
bash "$tests/oracle/run.sh" "$culprit" "$@" 2>&1 | tee /out/oracle
exit "${PIPESTATUS[0]}"
