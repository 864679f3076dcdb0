#!/bin/bash
# SPDX-License-Identifier: MIT
# What tools/deps.sh names for building, and what Debian's and rpm's packages say they are built with, are the same; a row of deps.sh
# is there once. A library that only one of them has is found by whoever builds the other on a clean machine. Ends with "N passed,
# N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/scenario/lib/test.sh
WORK=$(mktemp -d /tmp/culprit-package-deps.XXXXXX) || exit 2
trap 'rm -rf "$WORK"' EXIT
SHOW_FAILED=$WORK/said

# deps COLUMN: what building needs, without what comes with something else of the list: Debian's build-essential is never named, and
# meson depends on ninja; glibc's own package of Fedora brings the kernel's headers
deps() {
    tools/deps.sh --list | awk -v column="$1" '$3 ~ /^build/ {print $column}' |
        grep -vxE "$([ "$1" = 1 ] && echo 'gcc|ninja-build|linux-libc-dev' || echo kernel-headers)" | sort -u
}

# the fields, one name a line; debhelper and systemd's own directories are of the packages, not of a build
control() {
    sed -n '/^Build-Depends:/,/^[A-Z]/{/^ /p}' debian/control | sed 's/ *(.*//; s/:any//; s/[ ,]//g' |
        grep -vE '^(debhelper-compat|dh-sequence-.*|systemd)$' | sort -u
}
spec() {
    sed -n 's/^BuildRequires: *//p' dist/culprit.spec | tr -d ' ' | tr ',' '\n' | grep -vx systemd | sort -u
}

same() { diff --label "tools/deps.sh" --label "$3" -U0 <("$1" "$2") <("$3") > "$WORK/said"; }
twice() { ! tools/deps.sh --list | awk '{print $1}' | sort | uniq -d | grep . > "$WORK/said"; }

ok "some are named" test "$(deps 1 | wc -l)" -gt 15 -a "$(deps 2 | wc -l)" -gt 15
ok "debian/control has them" same deps 1 control
ok "dist/culprit.spec has them" same deps 2 spec
ok "none is named twice" twice
finish
