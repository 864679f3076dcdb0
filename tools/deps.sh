#!/bin/bash
# SPDX-License-Identifier: MIT
# deps.sh [--list]: installs what culprit needs to build, to test and to play its story, as far as it
# is missing. One row a package: Debian/Ubuntu (tested), Fedora (listed), what for.
set -euo pipefail

table() {
    cat <<'TABLE'
gcc                  gcc                    build
meson                meson                  build
ninja-build          ninja-build            build
pkg-config           pkgconf-pkg-config     build
clang                clang                  build (BPF), fuzz
llvm                 llvm                   build (BPF)
bpftool              bpftool                build (BPF)
libbpf-dev           libbpf-devel           build (BPF)
libelf-dev           elfutils-libelf-devel  build (BPF)
linux-libc-dev       kernel-headers         build
libaudit-dev         audit-libs-devel       build
libauparse-dev       audit-libs-devel       build
libcurl4-openssl-dev libcurl-devel          build
libjansson-dev       jansson-devel          build
libsqlite3-dev       sqlite-devel           build
libssl-dev           openssl-devel          build
libzstd-dev          libzstd-devel          build
liblzma-dev          xz-devel               build
zlib1g-dev           zlib-devel             build
libcap-ng-dev        libcap-ng-devel        build
libsystemd-dev       systemd-devel          build
uthash-dev           uthash-devel           build
python3              python3                build, test
libcmocka-dev        libcmocka-devel        test
libclang-rt-14-dev   compiler-rt            fuzz
docker.io            moby-engine            test, story
podman               podman                 test
runc                 runc                   test
containerd           containerd             test
busybox-static       busybox                test, story
iproute2             iproute                test
auditd               audit                  test
fatrace              fatrace                bench
acl                  acl                    test
attr                 attr                   test
e2fsprogs            e2fsprogs              test
xfsprogs             xfsprogs               test
btrfs-progs          btrfs-progs            test
bindfs               bindfs                 test (virtual machines)
util-linux           util-linux             test
jq                   jq                     test
zstd                 zstd                   test
qemu-system-x86      qemu-system-x86        test (virtual machines)
bpftrace             bpftrace               bench
cpio                 cpio                   test (virtual machines)
kmod                 kmod                   test (virtual machines)
xz-utils             xz                     test (virtual machines)
TABLE
}

case ${1:-} in
--list) table; exit 0 ;;
esac

if command -v apt-get > /dev/null; then
    missing=()
    while read -r debian _; do
        dpkg-query -W -f '${Status}' "$debian" 2> /dev/null | grep -q 'ok installed' || missing+=("$debian")
    done < <(table)
    [ ${#missing[@]} -gt 0 ] || exit 0
    echo "deps: installing ${missing[*]}"
    if printf '%s\n' "${missing[@]}" | grep -qx docker.io; then
        if command -v dockerd > /dev/null; then # an engine is there already: it serves as well
            missing=("${missing[@]/docker.io/}")
        else
            echo "deps: no container engine here: docker.io is installed for the story"
        fi
    fi
    [ "$(id -u)" = 0 ] || { echo "deps: needs root: run it as root" >&2; exit 3; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || true # one unreachable source must not stop what the others have
    # shellcheck disable=SC2068
    apt-get install -y -qq --no-install-recommends ${missing[@]} > /tmp/culprit-deps.log 2>&1 || {
        tail -5 /tmp/culprit-deps.log >&2
        exit 1
    }
elif command -v dnf > /dev/null; then
    echo "deps: Fedora's names are listed, not tested" >&2
    table | awk '{print $2}' | xargs dnf install -y -q
else
    echo "deps: neither apt-get nor dnf is here; install what tools/deps.sh --list names" >&2
    exit 1
fi
