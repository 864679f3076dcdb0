# SPDX-License-Identifier: MIT
# The guest's first process: guest.sh KERNEL SCRIPT [ARG...]. Sets up what a running system has, runs the
# script, leaves its exit status in /out/status and switches the machine off: at once, or where the script has left a file
# /run/in-order, as a restart of a running system would, with all services ended.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 KERNEL=$1
script=$2
shift 2
system() {
    mount -t tmpfs -o mode=755,size=75% tmpfs /run
    mkdir -p /dev/shm /dev/pts /run/lock
    mount -t tmpfs tmpfs /dev/shm
    mount -t devpts devpts /dev/pts
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mount -t bpf bpf /sys/fs/bpf
    mount -t tracefs tracefs /sys/kernel/tracing 2> /dev/null
    mount -t securityfs securityfs /sys/kernel/security 2> /dev/null
    [ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
}
# a module of this kernel
module() { local m; for m; do modprobe -d "$KERNEL" "$m" || return; done; }
export -f module
# systemd as the first process, which runs this script again as a service: of its own units only what others stand on
boot_systemd() {
    local units=/run/systemd/system
    mkdir -p $units
    printf '%s\n' '[Unit]' 'Wants=systemd-journald.service dbus.service' 'After=systemd-journald.service dbus.service' \
        'DefaultDependencies=no' '[Service]' 'Type=oneshot' 'StandardOutput=tty' 'StandardError=tty' 'TTYPath=/dev/console' \
        "ExecStart=/bin/bash /run/guest" > $units/guest.service
    printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'Wants=guest.service' > $units/guest.target
    printf '%q ' env INIT= bash "$0" "$KERNEL" "$script" "$@" > /run/guest
    exec /lib/systemd/systemd --unit=guest.target --log-target=kmsg --show-status=no
}
if [ $$ = 1 ]; then
    system
    [ "${INIT:-}" != systemd ] || boot_systemd "$@"
fi
busybox ip link set lo up 2> /dev/null
ulimit -n 65536
cd /run || exit
echo
echo GUEST-BEGIN
bash "$script" "$@" < /dev/null
status=$?
sync
echo $status > /out/status
sync
echo
echo GUEST-END
if [ -e /run/in-order ]; then # what `systemctl reboot` does, without asking logind first
    systemctl start --no-block --job-mode=replace-irreversibly reboot.target
    exit $status
fi
echo o > /proc/sysrq-trigger
sleep 10
