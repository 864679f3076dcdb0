# SPDX-License-Identifier: MIT
# To be sourced by a bench whose arguments are BUILD [VERSION] (6.1): guests of the stock kernel VERSION. Sets BUILD and OUT, a folder that is
# removed at the end. `counted` boots a guest with one processor whose clock counts instructions (-icount shift=0: one nanosecond each), so
# that the numbers are the same on every machine; `fast` one with two that run as they are emulated. The arguments of both: the script that
# runs in it, and the script's own; status: the script's. Needs what tests/vm needs; no root.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
VERSION=${2:-6.1}
tests/vm/fetch.sh > /dev/null || exit 2
OUT=$(mktemp -d /var/tmp/culprit-bench.XXXXXX)
trap 'rm -rf "$OUT"' EXIT
boot() { SECONDS_MAX=${SECONDS_MAX:-1800} tests/vm/boot.sh "${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}/$VERSION" "$OUT" "$@"; }
counted() { ICOUNT=shift=0 boot "$@"; }
fast() { SMP=2 boot "$@"; }
