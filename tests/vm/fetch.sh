#!/bin/bash
# SPDX-License-Identifier: MIT
# fetch.sh [--refresh] [DEST]: the stock kernels that culprit is tested on, unpacked below DEST
# (/var/cache/culprit-vm, or $CULPRIT_VM_CACHE): DEST/5.10, 6.1, 6.12, and the newest of sid by its own
# version. What is there is kept; --refresh asks for newer ones. Packages come through apt from the mirror
# that this machine uses; nothing outside DEST is changed. Prints one line a kernel, "VERSION RELEASE";
# exit status 1 if one of the four is not to be had, with its suite named on stderr.
set -u
REFRESH=
[ "${1:-}" = --refresh ] && { REFRESH=1; shift; }
DEST=${1:-${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}}
mkdir -p "$DEST" || exit 1
DEST=$(cd "$DEST" && pwd)
exec 9> "$DEST/.lock"
flock 9

# The suites, and the version each is known by; sid's kernel is whatever is newer than trixie's.
SUITES="bullseye=5.10 bookworm=6.1 trixie=6.12 sid="

newest() { # the newest version in DEST that no stable suite owns
    local v
    for v in "$DEST"/*/.done; do
        [ -e "$v" ] || continue
        v=$(basename "$(dirname "$v")")
        case " $SUITES " in *"=$v "*) ;; *) echo "$v" ;; esac
    done | sort -V | tail -1
}

# The first configured source that is a whole archive, not one of security updates.
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
        sed 's,/*$,,' | grep '/debian$' | head -1
}

# run apt with a configuration of its own below DEST
private_apt() { # private_apt SUITE-DIR COMMAND ARG...
    local dir=$1 command=$2
    shift 2
    "$command" -qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$dir" -o Dir::State::Lists="$dir/lists" \
        -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" -o APT::Architecture=amd64 \
        -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false \
        -o Acquire::Retries=2 "$@"
}

fetch() { # fetch SUITE MIRROR
    local suite=$1 uri=$2 dir=$DEST/.apt/$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg
    local image release version out packages p deb
    mkdir -p "$dir"/{lists/partial,cache/archives/partial,debs}
    : > "$dir/status"
    echo "deb [signed-by=$keys] $uri $suite main" > "$dir/sources.list"
    [ "$suite" = sid ] || echo "deb [signed-by=$keys] $uri-security $suite-security main" >> "$dir/sources.list"
    # a mirror need not carry the security archive: judged by whether the package is known afterwards
    private_apt "$dir" apt-get update 2> "$dir/errors"
    image=$(private_apt "$dir" apt-cache depends linux-image-amd64 2> /dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -1)
    [ -n "$image" ] || { tail -1 "$dir/errors" >&2; return 1; }
    release=${image#linux-image-}
    release=${release%-unsigned}
    version=$(grep -oE '^[0-9]+\.[0-9]+' <<< "$release")
    out=$DEST/$version
    [ "$(cat "$out/.done" 2> /dev/null)" = "$release" ] && return 0
    rm -rf "$out" "$dir"/debs/*
    mkdir -p "$out"
    # since 6.13 or so the kernel is split in two packages
    packages=("$image")
    for p in "linux-binary-$release" "linux-modules-$release"; do
        private_apt "$dir" apt-cache show "$p" > /dev/null 2>&1 && packages+=("$p")
    done
    (cd "$dir/debs" && private_apt "$dir" apt-get download "${packages[@]}") || return 1
    for deb in "$dir"/debs/*.deb; do dpkg -x "$deb" "$out" || return 1; done
    rm -f "$dir"/debs/*
    [ -e "$out/lib" ] || ln -s usr/lib "$out/lib"
    depmod -b "$out" "$release" 2> /dev/null
    [ -n "$(find "$out/" -name 'vmlinuz*' -print -quit)" ] || return 1
    echo "$release" > "$out/.done"
}

uri='' missing=0
for row in $SUITES; do
    suite=${row%%=*} version=${row#*=}
    [ -n "$version" ] || version=$(newest)
    if [ -z "$REFRESH" ] && [ -n "$version" ] && [ -e "$DEST/$version/.done" ]; then
        echo "$version $(cat "$DEST/$version/.done")"
        continue
    fi
    [ -n "$uri" ] || uri=$(mirror)
    if [ -z "$uri" ]; then
        echo "fetch: kernel ${version:-of sid}: apt has no source that is a Debian archive" >&2
        missing=1
    elif fetch "$suite" "$uri"; then
        version=${row#*=}
        [ -n "$version" ] || version=$(newest)
        echo "$version $(cat "$DEST/$version/.done")"
    else
        echo "fetch: kernel ${version:-of sid}: the archive did not give it (suite $suite)" >&2
        missing=1
    fi
done
exit $missing
