# SPDX-License-Identifier: MIT
# In the guest, where systemd is the first process and the disk lives longer than it: upgrade_guest.sh CULPRIT PART, of upgrade.sh. A file
# is made each 100 ms, and /out has when, whatever becomes of the daemon; the record has to know each, or that it was not watched then.
PART=$2
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../scenario/lib/test.sh"
DIR=/etc/numbered
SHOW_FAILED=/run/said

numbered() { python3 -B "$HERE/numbered.py" "$@"; }
# no service that a shutdown ends: it goes on until systemd's last moment
begin() { systemd-run --quiet --unit="numbered-$PART" -p DefaultDependencies=no python3 -B "$HERE/numbered.py" make $DIR "/out/log.$PART" "$PART"; }
property() { systemctl show -P "$1" culprit; }
is_ready() { [ "$(property ActiveState)" = active ]; }
reported() { culprit who --format json "$DIR/$1" 2> /run/said | grep -q '"action":"create"'; }
lines() { [ "$(cat "/out/log.$PART" 2> /dev/null | wc -l)" -ge "$1" ]; }
caught_up() { await 600 reported "$(tail -2 "/out/log.$PART" | head -1 | cut -d' ' -f1)"; }
check() { # check SPANS CUT PART...
    numbered check "$1" "$2" "$(property ActiveEnterTimestampMonotonic)" $DIR $(printf '/out/log.%s ' "${@:3}")
}
install() { dpkg --no-triggers --force-unsafe-io -i "/out/$1.deb" > /run/said 2>&1; } # a trigger would read all manual pages

part_first() {
    local pid
    rm -f /usr/sbin/policy-rc.d # of an image for containers: nothing is started where it is
    mkdir -p $DIR /etc/culprit /etc/systemd/system/culprit.service.d
    # an emulated processor is slow
    printf '[Service]\nTimeoutStartSec=900\nWatchdogSec=300\nTimeoutStopSec=300\n' > /etc/systemd/system/culprit.service.d/vm.conf
    printf 'groups = { }\nwatch numbered { targets = { %s } }\n' $DIR > /etc/culprit/culprit.conf
    ok "the package is installed" install first
    ok "which enables it" systemctl --quiet is-enabled culprit
    ok "and starts it" is_ready
    systemctl --quiet add-wants guest.target culprit # of the targets that a boot has, the only one here
    begin
    ok "changes are made" await 600 lines 20
    ok "and recorded" caught_up
    pid=$(property MainPID)
    ok "a newer package is installed meanwhile" install second
    ok "its version is there" test "$(dpkg-query -W -f '${Version}' culprit)" = "$(dpkg-deb -f /out/second.deb Version)"
    another() { is_ready && [ "$(property MainPID)" != "$pid" ] && [ "$(property NRestarts)" = 0 ]; }
    ok "another one runs, restarted in order" another
    ok "which records" caught_up
    ok "each change is in the record, once, or in the gap of the upgrade" check 2 - first
    touch /run/in-order
}

part_second() {
    begin
    ok "it is started with the machine" await 900 is_ready
    ok "and records" caught_up
    ok "each change before the restart is known, or in its gap, which was in order" check 3 - first second
    # what is written seldom would stay in memory for longest
    touch /run/quiet
    ok "changes go on" await 900 lines $(($(wc -l < /out/log.second) + 45))
    touch /out/cut
    sleep infinity # the power is cut
}

part_third() {
    ok "it is started after a power cut" await 900 is_ready
    begin
    ok "changes are made" await 600 lines 5
    ok "and recorded" caught_up
    ok "each change before the power cut is known, or in its gap, which was not in order" check 4 /out/log.second first second third
    touch /run/in-order
}

"part_$PART"
finish
