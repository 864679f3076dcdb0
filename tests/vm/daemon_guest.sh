# SPDX-License-Identifier: MIT
# In the guest, where systemd is the first process: daemon_guest.sh CULPRIT. The unit as it is installed, with this binary.
CULPRIT=$1
. "$(cd "$(dirname "$0")/.." && pwd)/scenario/lib/test.sh"
UNIT=$(cd "$(dirname "$0")/../.." && pwd)/systemd/culprit.service.in
DROPIN=/etc/systemd/system/culprit.service.d
SHOW_FAILED=/run/said
sed "s|@bindir@/culprit|$CULPRIT|" "$UNIT" > /etc/systemd/system/culprit.service
mkdir -p $DROPIN /etc/culprit /srv/later
# an emulated processor is slow; and nobody wants to wait for the watchdog
printf '[Service]\nTimeoutStartSec=600\nWatchdogSec=40\nTimeoutStopSec=60\nTimeoutAbortSec=5\nStandardError=append:/run/culprit.err\n' > $DROPIN/vm.conf
configure() { printf 'groups = { etc }\nwatch people { targets = { /home, /root, /tmp, /srv/later } }\n%s' "${1:-}" > /etc/culprit/culprit.conf; }
configure
systemctl daemon-reload

property() { systemctl show -P "$1" culprit; }
enable() { systemctl enable --now culprit > /run/said 2>&1 || { systemctl status culprit >> /run/said 2>&1; cat /run/culprit.err >> /run/said; false; }; }
ok "it is enabled, and started once it is ready" enable
ok "its status says what is watched" grep -q 'targets are watched' <(property StatusText)

recorded() { "$CULPRIT" who --format json "$1" 2> /run/said | grep -q '"action":"create"'; }
change() { # change PATH: is recorded
    : > "$1"
    ok "a change of $1 is recorded" await 120 recorded "$1"
}
change /etc/culprit-vm
change /home/culprit-vm
change /root/culprit-vm
change /tmp/culprit-vm
mount -t tmpfs tmpfs /srv/later
seen_later() { : > "/srv/later/f$RANDOM$RANDOM" && "$CULPRIT" who --format json /srv/later 2> /run/said | grep -q '"action":"create"'; }
ok "changes on what is mounted later are recorded" await 120 seen_later

configure 'wtach x { }
'
reload() { systemctl reload culprit; }
ok "systemctl reload" reload
status_says() { property StatusText | grep -q "$1"; }
ok "a mistake is in the status" await 120 status_says 'has mistakes'
change /home/after-a-mistake
configure
reload
fine() { ! property StatusText | grep -q mistakes; }
ok "and gone when it is corrected" await 120 fine

# restarted NAME: systemd has another one, which is ready
pid=$(property MainPID)
restarted() { [ "$(property MainPID)" != "$pid" ] && [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != 0 ]; }
kill -9 "$pid"
ok "one that was killed is started again" await 600 restarted
change /home/after-a-kill
pid=$(property MainPID)
kill -STOP "$pid"
ok "one that hangs is started again" await 600 restarted
change /home/after-a-hang
ok "nothing was given up" test -z "$(grep -E "cannot|keeping|going on without" /run/culprit.err)"
stop() { systemctl stop culprit && [ "$(property Result)" = success ] && [ "$(property ActiveState)" = inactive ]; }
ok "it is stopped" stop
cp /run/culprit.err /out/journal
finish
