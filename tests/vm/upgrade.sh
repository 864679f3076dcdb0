#!/bin/bash
# SPDX-License-Identifier: MIT
# upgrade.sh CULPRIT [VERSION]: Debian's package of the build that CULPRIT is in, under a real systemd on a stock kernel (6.1): installed,
# upgraded while changes are made, the machine restarted, its power cut. Three boots of one disk. Each change is in the record, or in a gap.
# Ends with "N passed, N failed". Needs no root. Environment: VM_OUT (a folder that keeps the disk and what the guests
# left), DEB (a package that is ready).
set -u
[ $# -ge 1 ] || { sed -n 3,7p "$0"; exit 2; }
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
. "$HERE/../scenario/lib/test.sh"
CULPRIT=$(readlink -f "$1")
OUT=${VM_OUT:-$(mktemp -d /var/tmp/culprit-vm-upgrade.XXXXXX)}
[ -n "${VM_OUT:-}" ] || trap 'rm -rf "$OUT"' EXIT
PATH=$PATH:/usr/sbin:/sbin
for program in dpkg-buildpackage dh mkfs.ext4; do
    command -v "$program" > /dev/null || {
        echo "******** NOT TESTED: an upgrade of the package under systemd: $program is not here (tools/deps.sh installs it)"
        finish
        exit
    }
done

packages() {
    rm -rf "$OUT"/{culprit_*,tree,log.*,cut,disk}
    [ -n "${DEB:-}" ] || "$HERE/../../tools/package.sh" deb "$OUT" "$(dirname "$CULPRIT")" || return
    cp "${DEB:-$(echo "$OUT"/culprit_*.deb)}" "$OUT/first.deb" && dpkg-deb -R "$OUT/first.deb" "$OUT/tree" && sed -i 's/^Version: .*/&+2/' "$OUT/tree/DEBIAN/control" &&
        dpkg-deb --root-owner-group -b "$OUT/tree" "$OUT/second.deb"
}
disk() { truncate -s 2G "$OUT/disk" && mkfs.ext4 -q -F "$OUT/disk"; }
said() { "$@" > "$OUT/said" 2>&1; }
SHOW_FAILED=$OUT/said
mkdir -p "$OUT"
ok "two packages" said packages
ok "a disk" said disk

boot() { # boot PART
    set -o pipefail
    echo "---- the $1 boot"
    ONLY=$1 VM_OUT=$OUT DISK=$OUT/disk SECONDS_MAX=${SECONDS_MAX:-1800} "$HERE/under_systemd.sh" upgrade_guest.sh "$CULPRIT" "${2:-6.1}" 2> "$OUT/$1.err" |
        tee "$OUT/$1.said" | grep --line-buffered -v ' passed, '
}
add() { # add PART: what its guest found is counted here
    passed=$((passed + $(grep -c '^right: ' "$OUT/$1.said"))) failed=$((failed + $(grep -c '^WRONG: ' "$OUT/$1.said")))
    cp "$OUT/console" "$OUT/$1.console"
    cat "$OUT/$1.err" > "$OUT/said"
}
came_to_its_end() { [ -s "$OUT/status" ]; }

boot first "${2:-}"
if grep 'NOT TESTED' "$OUT/first.said"; then
    finish
    exit
fi
add first
ok "the first boot came to its end" came_to_its_end
boot second "${2:-}" &
guest=$!
until [ -e "$OUT/cut" ] || ! kill -0 $guest 2> /dev/null; do sleep 0.2; done
[ ! -e "$OUT/cut" ] || kill -KILL "$(cat "$OUT/pid")"
wait $guest
add second
ok "the second ended by a power cut" test -e "$OUT/cut" -a ! -e "$OUT/status"
boot third "${2:-}"
add third
ok "the third came to its end" came_to_its_end
finish
