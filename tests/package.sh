#!/bin/bash
# SPDX-License-Identifier: MIT
# package.sh deb|rpm|install [BUILD]: the package is built, looked at, installed where there was none before, used, removed and
# purged. deb makes a system of this machine's
# files that has nothing but what every system has and what the package needs.
# Environment: DEB (a package that is ready), MIRROR=1 (a system from the mirror, which takes minutes).
# install: `make install` and `make uninstall` of the build BUILD, without root too. Ends with "N passed, N failed".
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 2
. tests/scenario/lib/test.sh
KIND=${1:-deb}
WORK=$(mktemp -d /var/tmp/culprit-package.XXXXXX) || exit 2
SHOW_FAILED=$WORK/said
BUILD=$(readlink -f "${2:-build}")
COMMANDS=$(sed -n 's/^    { VERB_[A-Z]*, "\([a-z]*\)".*/\1/p' src/cli/verbs.c | grep -v '^help$')
clean_up() {
    [ ! -x "$WORK/root/etc/init.d/culprit" ] || in_root /etc/init.d/culprit stop > /dev/null 2>&1
    umount -R "$WORK/root" 2> /dev/null
    rm -rf --one-file-system "$WORK"
}
trap clean_up EXIT

say() { "$@" > "$WORK/said" 2>&1; }
not() { ! "$@"; }

# has_all FILE: it lists what every installation has
has_all() {
    local page name missing=0
    for name in $COMMANDS; do
        page=man1/culprit-$name.1
        [ "$name" != daemon ] || page=man8/culprit-daemon.8
        grep -qE "/usr/share/man/$page(\.gz)?$" "$1" || { echo "no page of $name"; missing=1; }
    done
    for name in /usr/bin/culprit /usr/share/man/man1/culprit.1 /usr/share/bash-completion/completions/culprit \
        /usr/share/zsh/site-functions/_culprit /usr/share/fish/vendor_completions.d/culprit.fish \
        /lib/systemd/system/culprit.service /usr/lib/sysusers.d/culprit.conf /usr/lib/tmpfiles.d/culprit.conf \
        /usr/share/doc/culprit/examples/culprit.conf; do
        grep -qE "$name(\.gz)?$" "$1" || { echo "no $name"; missing=1; }
    done
    return $missing
}

# ---- a system to install it on ----

# closure PACKAGE...: these, and what they depend on, of what is installed on this machine
closure() {
    dpkg-query -W -f '${Package}\t${Provides}\t${Status}\t${Pre-Depends}, ${Depends}\n' | awk -F '\t' -v want="$*" '
        function plain(name) { gsub(/\([^)]*\)|:[a-z0-9]+|[ ,]+$|^ +/, "", name); gsub(/ /, "", name); return name }
        $3 ~ /ok installed/ {
            needs[$1] = $4
            n = split($2, names, ",")
            for (i = 1; i <= n; i++) if (plain(names[i]) != "") provider[plain(names[i])] = $1
        }
        END {
            top = split(want, queue, " ")
            for (at = 1; at <= top; at++) {
                name = queue[at]
                if (!(name in needs)) name = provider[name]
                if (name == "" || name in seen) continue
                seen[name] = 1
                print name
                n = split(needs[name], groups, ",")
                for (i = 1; i <= n; i++) {
                    m = split(groups[i], others, "|")
                    for (j = 1; j <= m; j++) { # the first of these that is here
                        other = plain(others[j])
                        if (other in needs || other in provider) { queue[++top] = other; break }
                    }
                }
            }
        }'
}

# What a system has that has nothing but what every system has, and what the package depends on: of this machine's files.
from_this_machine() {
    local essential depends package
    essential=$(dpkg-query -W -f '${Package} ${Essential} ${Priority}\n' | awk '$2 == "yes" || $3 == "required" {print $1}')
    depends=$(dpkg-deb -f "$DEB" Pre-Depends Depends | sed 's/^[A-Z][A-Za-z-]*://' | tr ',' '\n' |
        sed 's/|.*//; s/(.*//; s/:any//; s/ //g' | grep .)
    closure $essential $depends grep apt | sort -u > "$WORK/packages"
    # as every package has it: directories, the links of a merged /usr, files
    mkdir -p "$ROOT"/usr/{bin,sbin,lib,lib64} "$ROOT"/{dev,proc,sys,run,tmp,root,home,etc,var/{tmp,log,cache}} "$ROOT/var/lib/dpkg"/{info,updates,triggers}
    for package in bin sbin lib lib64; do
        [ ! -L /$package ] || ln -sfn "$(readlink /$package)" "$ROOT/$package"
    done
    chmod 1777 "$ROOT/tmp" "$ROOT/var/tmp"
    xargs dpkg-query -L < "$WORK/packages" | sort -u | grep -vE '^/\.?$|^/usr/share/(doc|man|locale|info)/|^/(bin|sbin|lib|lib64)$|^diverted|^package|^locally' |
        sed 's|^/||' > "$WORK/files"
    tar -c -C / --no-recursion --ignore-failed-read -T "$WORK/files" 2> /dev/null | tar -x -C "$ROOT"
    # links that maintainers' scripts made, the users, the loader's cache
    cp -a /etc/alternatives "$ROOT/etc/" 2> /dev/null
    for package in awk mawk gawk which nawk; do
        [ ! -L /usr/bin/$package ] || cp -a /usr/bin/$package "$ROOT/usr/bin/"
    done
    for package in passwd group shadow gshadow; do
        grep -vE '^culprit:' "/etc/$package" > "$ROOT/etc/$package"
    done
    cp /etc/nsswitch.conf /etc/debian_version /etc/os-release "$ROOT/etc/" 2> /dev/null
    awk -v list="$WORK/packages" 'BEGIN { while ((getline name < list) > 0) keep[name] = 1; RS = ""; ORS = "\n\n" }
        { name = $2; if (name in keep) print }' /var/lib/dpkg/status > "$ROOT/var/lib/dpkg/status"
    cp /var/lib/dpkg/diversions "$ROOT/var/lib/dpkg/" 2> /dev/null
    : > "$ROOT/var/lib/dpkg/statoverride"
    cp /var/lib/dpkg/info/format "$ROOT/var/lib/dpkg/info/"
    (cd /var/lib/dpkg/info && sed 's/.*/&.list &:*.list &.*inst &.*rm &.conffiles &:*.*inst &:*.*rm &:*.conffiles/' "$WORK/packages" | xargs sh -c 'ls -d $* 2> /dev/null' - |
        xargs cp -t "$ROOT/var/lib/dpkg/info/")
    in_root ldconfig
}

# The same as the mirror has it, with apt's own sources; minutes on a slow machine.
from_the_mirror() {
    local depends
    depends=$(dpkg-deb -f "$DEB" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep . | paste -sd,)
    mmdebstrap --quiet --variant=minbase --include="$depends" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$ROOT" > "$WORK/said" 2>&1
}

in_root() { chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
culprit() { in_root culprit "$@"; }

# every file and folder, without what dpkg and its kind keep of their own work
all_files() {
    (cd "$ROOT" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp \) -prune -o -print) |
        grep -vE '^\./var/lib/dpkg/|^\./var/lib/systemd/|^\./var/log/(dpkg\.log|alternatives\.log|apt)|^\./etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|^\./etc/\.pwd\.lock$|^\./etc/ld\.so\.cache$|^\./var/cache/(ldconfig|apt|debconf)|^\./var/lib/apt' | sort
}

# ---- the package of Debian ----

deb() {
    command -v dpkg-buildpackage > /dev/null && command -v dh > /dev/null && command -v lintian > /dev/null || {
        echo "******** NOT TESTED: the package for Debian: debhelper or lintian is not here (tools/deps.sh installs them)"
        finish
        return
    }
    if [ -z "${DEB:-}" ]; then
        ok "it is built" say tools/package.sh deb "$WORK" "$BUILD"
        DEB=$(echo "$WORK"/culprit_*.deb)
    fi
    [ -e "$DEB" ] || { cp "$WORK/said" /tmp/culprit-package.log; tail -5 "$WORK/said"; finish; return; }
    [ -n "${NO_LINTIAN:-}" ] || ok "lintian finds no error and no warning" say lintian --no-cfg --allow-root --fail-on error,warning --suppress-tags-from-file /dev/null "$DEB"
    dpkg-deb -c "$DEB" | awk '{print substr($6, 2)}' > "$WORK/list"
    ok "it has a manual page for each command, completions, unit, group, folders, the example" say has_all "$WORK/list"
    has() { grep -qx "$1" "$WORK/list"; }
    ok "and the script of System V's init" has /etc/init.d/culprit
    ok "nothing of it belongs to a user" [ "$(dpkg-deb -c "$DEB" | awk '$2 != "root/root"' | wc -l)" = 0 ]
    same_version() { [ "$(dpkg-deb -f "$DEB" Version)" = "$("$BUILD/culprit" --version | sed 's/culprit //')" ]; }
    ok "its version is the program's" same_version
    [ "$(id -u)" = 0 ] || { echo "******** NOT TESTED: installing it: not root"; finish; return; }

    ROOT=$WORK/root
    mkdir -p "$ROOT"
    mount -t tmpfs -o mode=0755 culprit-package "$ROOT" || { finish; return; }
    if [ -n "${MIRROR:-}" ]; then
        ok "a system from the mirror" from_the_mirror
    else
        ok "a system of this machine's files" from_this_machine
    fi
    mount --rbind --make-rslave /proc "$ROOT/proc" && mount --rbind --make-rslave /sys "$ROOT/sys" && mount --rbind --make-rslave /dev "$ROOT/dev"
    mount -t tmpfs tmpfs "$ROOT/tmp" && cp "$DEB" "$ROOT/tmp/"
    # without an init Debian's invoke-rc.d starts and stops nothing, unless this says that it may
    printf '#!/bin/sh\nexit 0\n' > "$ROOT/usr/sbin/policy-rc.d" && chmod 755 "$ROOT/usr/sbin/policy-rc.d"
    installed_and_removed
    finish
}

script() { in_root /etc/init.d/culprit "$1"; }
status_is() { # 0 it runs, 1 it died, 3 it does not run
    script status
    [ $? = "$1" ]
}
none_runs() { ! find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -printf '%l\n' 2> /dev/null | grep -F "$ROOT/usr/bin/culprit"; }
pid() { cat "$ROOT/run/culprit.pid"; }
another_than() { status_is 0 && [ "$(pid)" != "$1" ]; }
answers() { culprit ctl status; }
reported() { culprit who "$1"; }

# the script of System V's init, by hand
script_works() {
    local first
    ok "status says that it runs" say status_is 0
    first=$(pid)
    ok "start starts no second one" say script start
    ok "but leaves the first" test "$(pid)" = "$first"
    echo 'sensor = nonsense' > "$ROOT/etc/culprit/culprit.conf"
    ok "restart refuses a mistake in the configuration" say not script restart
    ok "and reload" say not script reload
    ok "and what ran runs" test "$(pid)" = "$first" -a -e "/proc/$first/exe"
    rm "$ROOT/etc/culprit/culprit.conf"
    ok "reload reads the configuration" say script reload
    ok "and says so" await 60 grep -q 'the configuration was read again' "$ROOT/var/log/culprit.log"
    ok "restart" say script restart
    ok "is another one" say another_than "$first"
    kill -9 "$(pid)"
    ok "killed: status says that it died" await 60 say status_is 1
    ok "and start starts it" say script start
    ok "which answers at once" say answers
    ok "stop" say script stop
    ok "ends it" say none_runs
    ok "and status says so" say status_is 3
    ok "stop where none runs is no fault" say script stop
    ok "started again" say script start
}

installed_and_removed() {
    local left=$WORK/left before
    SHOW_FAILED="$WORK/said $ROOT/var/log/culprit.log"
    mkdir -p "$ROOT/srv"
    all_files > "$WORK/before"
    in_root cat /etc/group | sort > "$WORK/groups.before"
    ok "it is installed" say in_root dpkg -i "/tmp/$(basename "$DEB")"
    ok "and runs, by nothing but that" say status_is 0
    ok "and answers" say answers
    ok "the group culprit is there" say in_root getent group culprit
    ok "its socket is the group's" [ "$(in_root stat -c '%a %G' /run/culprit/control 2>&1)" = "660 culprit" ]
    as() { in_root setpriv --reuid 54321 --regid 54321 "${@:2}" "$1" culprit ctl status; }
    ok "who is in it may ask for the status" say as -- --groups "$(in_root getent group culprit | cut -d: -f3)"
    ok "somebody else may not" say not as -- --clear-groups
    ok "the example has no mistake" say culprit daemon --check-config /usr/share/doc/culprit/examples/culprit.conf
    say culprit doctor
    ok "culprit doctor" grep -q '^kernel' "$WORK/said"
    mkdir -p "$ROOT/srv/watched"
    echo before > "$ROOT/srv/watched/file"
    ok "culprit run" say culprit run --no-daemon --sensor fanotify --settle 0s -w /srv/watched -- rm /srv/watched/file
    ok "names who did it" grep -q 'deleted' "$WORK/said"
    ok "culprit who, of what run recorded" say reported /srv/watched/file
    ok "names him too" grep -q ' deleted /srv/watched/file' "$WORK/said"
    in_root touch /etc/culprit-test
    ok "the daemon has recorded a change of /etc" await 120 say reported /etc/culprit-test
    in_root rm /etc/culprit-test
    rm -r "$ROOT/srv/watched"

    script_works
    before=$(pid)
    ok "installed over itself" say in_root dpkg -i "/tmp/$(basename "$DEB")"
    ok "another one runs" say another_than "$before"
    ok "removed" say in_root dpkg -r culprit
    ok "none runs any more" say none_runs
    ok "the record is kept" test -s "$ROOT/var/lib/culprit/culprit.db"
    ok "the program is not" test ! -e "$ROOT/usr/bin/culprit"
    ok "purged" say in_root dpkg -P culprit
    all_files > "$WORK/after"
    diff "$WORK/before" "$WORK/after" > "$left"
    SHOW_FAILED=$left # shellcheck disable=SC2034
    ok "nothing is left" [ ! -s "$left" ]
    in_root cat /etc/group | sort | diff "$WORK/groups.before" - > "$left"
    ok "not even the group" [ ! -s "$left" ]
}

# ---- the package of Fedora and its kin, by Debian's rpmbuild ----

rpm_package() {
    local package
    command -v rpmbuild > /dev/null || {
        echo "******** NOT TESTED: the package for rpm: rpmbuild is not here (tools/deps.sh installs it)"
        finish
        return
    }
    ok "it is built" say tools/package.sh rpm "$WORK" "$BUILD"
    package=$(echo "$WORK"/culprit-*.rpm)
    [ -e "$package" ] || { tail -5 "$WORK/said"; finish; return; }
    rpm -qpl "$package" > "$WORK/list" 2> /dev/null
    ok "it has a manual page for each command, completions, unit, group, folders, the example" say has_all "$WORK/list"
    elsewhere() { ! grep -vE '^/(usr/(bin|lib|share)|etc/culprit)(/|$)' "$WORK/list" > "$WORK/said"; }
    ok "nothing of it is elsewhere" elsewhere
    owned() { [ "$(rpm -qp --qf '[%{FILEUSERNAME}:%{FILEGROUPNAME}\n]' "$package" | sort -u)" = root:root ]; }
    ok "all of it is root's" owned
    version() { [ "$(rpm -qp --qf '%{VERSION}' "$package")" = "$("$BUILD/culprit" --version | sed 's/culprit //')" ]; }
    ok "its version is the program's" version
    needs() { rpm -qpR "$package" 2> /dev/null | grep -q 'libaudit.so' && ! rpm -qpR "$package" | grep -q "$WORK"; }
    ok "it says which libraries it needs" needs
    ok "its scripts are shell" say scripts_are_shell "$package"
    mkdir "$WORK/unpacked"
    (cd "$WORK/unpacked" && rpm2cpio "$package" | cpio -id --quiet)
    ok "the program in it runs" say "$WORK/unpacked/usr/bin/culprit" --version
    ok "the unit starts it where it is" grep -qx 'ExecStart=/usr/bin/culprit daemon' "$WORK/unpacked/usr/lib/systemd/system/culprit.service"
    finish
}

scripts_are_shell() { # each of them, alone
    local kind
    for kind in PREIN POSTIN PREUN POSTUN; do
        rpm -qp --qf "%{$kind}\n" "$1" 2> /dev/null > "$WORK/script"
        [ -s "$WORK/script" ] && sh -n "$WORK/script" || return 1
    done
}

# ---- make install ----

install() {
    local into=$WORK/into as=() make=()
    # a copy, so that what is noted of installations is not the build's
    COPY=$(mktemp -d "$PWD/build-install.XXXXXX")
    trap 'rm -rf "$COPY"; clean_up' EXIT
    cp -a "$BUILD/." "$COPY"
    chmod 755 "$WORK" "$COPY"
    mkdir "$into"
    if [ "$(id -u)" = 0 ]; then
        as=(setpriv --reuid 65534 --regid 65534 --clear-groups -- env "HOME=$WORK")
        chown -R 65534:65534 "$COPY" "$into"
    fi
    make=(make --no-print-directory "BUILD=$COPY" "DESTDIR=$into")
    ok "nothing was installed: uninstall says so" say not "${as[@]}" make --no-print-directory "BUILD=$WORK/nowhere" uninstall
    ok "make install DESTDIR= without root" say "${as[@]}" "${make[@]}" install
    (cd "$into" && find . ! -type d) | sed 's|^\.||; s|^/usr/local/|/usr/|' | sort > "$WORK/list"
    ok "all is there" say has_all "$WORK/list"
    ok "and nothing outside it was touched" not grep -vqE '^/(usr|lib|etc)/' "$WORK/list"
    ok "the program runs" say "$(find "$into" -type f -name culprit -path '*/bin/*')" --version
    ok "make uninstall DESTDIR= without root" say "${as[@]}" "${make[@]}" uninstall
    ok "nothing is left, no folder either" [ -z "$(find "$into" -mindepth 1)" ]
    finish
}

case $KIND in
deb) deb ;;
rpm) rpm_package ;;
install) install ;;
*) sed -n 3,5p "$0"; exit 2 ;;
esac
