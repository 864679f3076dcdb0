#!/bin/bash
# SPDX-License-Identifier: MIT
# package.sh deb|rpm [DIR [BUILD]]: builds that package of this tree, as it is, in DIR (build/packages), and puts it there.
# BUILD: a build of this tree that is ready; its objects are taken, as the tests do, instead of compiling all again.
# Needs no root. rpm is built by Debian's package of that name too: there what it needs is not looked for in rpm's own list.
set -euo pipefail
kind=${1:-}
case $kind in
deb | rpm) ;;
*) sed -n 3,4p "$0"; exit 2 ;;
esac
cd "$(dirname "$(readlink -f "$0")")/.."
out=${2:-build/packages}
mkdir -p "$out"
out=$(readlink -f "$out")
version=$(sed -n "s/^ *version: '\([^']*\)'.*/\1/p" meson.build | head -1)
for tool in $([ $kind = deb ] && echo dpkg-buildpackage dh || echo rpmbuild); do
    command -v "$tool" > /dev/null || { echo "package: no $tool here: make deps" >&2; exit 3; }
done

work=$(mktemp -d "$out/.build.XXXXXX")
built=
trap 'rm -rf "$work" ${built:+"$built"}' EXIT
if [ -n "${3:-}" ]; then
    # beside the other one: what ninja knows of its objects is relative to the sources
    built=$(mktemp -d "$PWD/build-package.XXXXXX")
    cp -a "$3/." "$built"
    meson setup --reconfigure "$built" --prefix=/usr --sysconfdir=/etc --localstatedir=/var --mandir=share/man -Dtests=false \
        -Dinit="$([ $kind = deb ] && echo sysv || echo systemd)"
    ninja -C "$built"
    export CULPRIT_BUILT=$built
fi
mkdir "$work/culprit-$version"
# without builds, which may come and go meanwhile, and without what git keeps
shopt -s extglob dotglob
tar -c --exclude=__pycache__ -- !(build*|.git) | tar -x -C "$work/culprit-$version"
if [ $kind = deb ]; then
    (cd "$work/culprit-$version" && dpkg-buildpackage -b -us -uc ${built:+-d})
    mv "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"
else
    tar -c -z -C "$work" -f "$work/culprit-$version.tar.gz" "culprit-$version"
    no_deps=
    rpm -q rpm > /dev/null 2>&1 || no_deps=--nodeps
    rpmbuild -bb $no_deps --define "_topdir $work/rpm" --define "_sourcedir $work" --define "culprit_version $version" \
        ${built:+--define "culprit_built $built"} "$work/culprit-$version/dist/culprit.spec"
    mv "$work"/rpm/RPMS/*/*.rpm "$out"
fi
