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
libconfuse-dev       libconfuse-devel       build
libsqlite3-dev       sqlite-devel           build
libssl-dev           openssl-devel          build
libzstd-dev          libzstd-devel          build
liblzma-dev          xz-devel               build
zlib1g-dev           zlib-devel             build
libcap-ng-dev        libcap-ng-devel        build
libsystemd-dev       systemd-devel          build
libext2fs-dev        e2fsprogs-devel        build
libarchive-dev       libarchive-devel       build
uthash-dev           uthash-devel           build
python3              python3                build, test
debhelper            debhelper              package (make deb)
fakeroot             fakeroot               package (make deb)
lintian              lintian                package, test
rpm                  rpm-build              package (make rpm), test
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
prometheus-alertmanager alertmanager        test
rsyslog              rsyslog                test
cron                 cronie                 test (situations)
at                   at                     test (situations)
anacron              cronie-anacron         test (situations)
sudo                 sudo                   test (situations)
openssh-server       openssh-server         test (situations)
openssh-client       openssh-clients        test (situations)
logrotate            logrotate              test (situations)
make                 make                   test (situations)
git                  git                    test (situations)
npm                  nodejs-npm             test (situations)
python3-venv         python3                test (situations)
ruby                 ruby                   test (situations)
php-cli              php-cli                test (situations)
lua5.4               lua                    test (situations)
tcl                  tcl                    test (situations)
default-jdk-headless java-devel             test (situations)
gawk                 gawk                   test (situations)
toybox               toybox                 test (situations)
zsh                  zsh                    test (situations, completion)
fish                 fish                   test (completion)
ksh93u+m             ksh                    test (situations)
parallel             parallel               test (situations)
ansible-core         ansible-core           test (situations)
puppet-agent         puppet                 test (situations)
cfengine3            cfengine               test (situations)
docker-compose       docker-compose         test (situations)
tini                 tini                   test (situations)
rsync                rsync                  test (situations)
vim                  vim-enhanced           test (situations)
systemd              systemd                test (virtual machines)
cpio                 cpio                   test (virtual machines)
kmod                 kmod                   test (virtual machines)
plocate              plocate                test (the database of locate)
xz-utils             xz                     test (virtual machines)
TABLE
}

# here already, whoever installed it
have() {
    case $1 in
    npm) command -v npm ;;
    default-jdk-headless) command -v javac ;;
    *) dpkg-query -W -f '${Status}' "$1" 2> /dev/null | grep 'ok installed' ;;
    esac > /dev/null
}

# What the tests start themselves is not to run on this machine because they were installed.
DAEMONS='ssh cron atd anacron puppet cfengine3 prometheus-alertmanager rsyslog'
no_daemons() {
    [ -e /usr/sbin/policy-rc.d ] || {
        printf '#!/bin/sh\ncase $1 in %s) exit 101 ;; esac\n' "${DAEMONS// /|}" > /usr/sbin/policy-rc.d
        chmod 0755 /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    }
}
not_at_boot() { # not_at_boot PACKAGE...: those that were missing before
    local package
    command -v systemctl > /dev/null || return 0
    for package; do
        case $package in
        openssh-server) systemctl -q disable ssh ;;
        cron | anacron) systemctl -q disable "$package" ;;
        at) systemctl -q disable atd ;;
        esac > /dev/null 2>&1 || true
    done
}

case ${1:-} in
--list) table; exit 0 ;;
esac

if command -v apt-get > /dev/null; then
    missing=()
    while read -r debian _; do
        have "$debian" || missing+=("$debian")
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
    no_daemons
    # shellcheck disable=SC2068
    apt-get install -y -qq --no-install-recommends ${missing[@]} > /tmp/culprit-deps.log 2>&1 || {
        tail -5 /tmp/culprit-deps.log >&2
        exit 1
    }
    not_at_boot "${missing[@]}"
elif command -v dnf > /dev/null; then
    echo "deps: Fedora's names are listed, not tested" >&2
    table | awk '{print $2}' | xargs dnf install -y -q
else
    echo "deps: neither apt-get nor dnf is here; install what tools/deps.sh --list names" >&2
    exit 1
fi
