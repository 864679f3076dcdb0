# SPDX-License-Identifier: MIT
# In the guest, for bench/copies.sh: copies_guest.sh BUILD
mkdir -p /run/b
mount -t tmpfs tmpfs /run/b
CULPRIT_TEST_DIR=/run/b exec python3 -B "$(dirname "$0")/copies.py" "$1" 100 cost
