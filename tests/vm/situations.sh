# SPDX-License-Identifier: MIT
# In the guest: situations.sh CULPRIT [options of situations/run.py]. Results go to /out.
culprit=$1
shift
tests=$(cd "$(dirname "$0")/.." && pwd)
rm -f /run/nologin # what waits for the end of the boot is not started
mkdir -m 1777 /run/culprit-test
export CULPRIT_TEST_DIR=/run/culprit-test
uname -r
python3 -B "$tests/situations/run.py" "$culprit" "$@" 2>&1 | tee /out/situations
exit "${PIPESTATUS[0]}"
