# SPDX-License-Identifier: MIT
# In the guest, where systemd is the first process: clues_guest.sh CULPRIT. Pasts that nobody watched, made by the real cron, systemd, sudo,
# at, dpkg and so on, each of which logs as it always does; then `culprit clues` is asked.
CULPRIT=$1
. "$(cd "$(dirname "$0")/.." && pwd)/scenario/lib/test.sh"
B=/srv/vm
right=0 three=0 all=0
mkdir -p $B /etc/cron.d
rm -f /etc/cron.d/* /etc/cron.daily/*
echo 'root ALL=(ALL) NOPASSWD: ALL
ann ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/vm
useradd -m ann 2> /dev/null
systemctl start cron atd > /dev/null 2>&1

data() { mkdir -p $B/"$1"; for f in a b c; do echo x > $B/"$1"/$f; touch -d '90 days ago' $B/"$1"/$f; done; touch -d '90 days ago' $B/"$1"; }
gone() { [ ! -e "$1" ]; }
told_journal() { journalctl --sync; }

# asked NAME TARGET WORDS [OPTION...]: WORDS of the true cause, "" = nobody may be accused
asked() {
    local name=$1 target=$2 words=$3 rank
    shift 3
    told_journal
    "$CULPRIT" clues --for 60s --format json "$@" "$target" > /run/said 2> /run/err
    "$CULPRIT" clues --for 60s "$@" "$target" > "/out/$name.txt" 2>&1
    all=$((all + 1))
    rank=$(jq -r 'select(.culprit.clue.kind == "suspect") | .culprit.clue.suspect' /run/said | grep -nF -- "$words" | head -1 | cut -d: -f1)
    if [ -z "$words" ]; then
        rank=$(jq -r 'select(.culprit.clue.kind == "suspect") | .culprit.clue.suspect' /run/said | wc -l)
        [ "$rank" != 0 ] || { right=$((right + 1)); three=$((three + 1)); rank=nobody; }
    else
        [ "${rank:-9}" != 1 ] || right=$((right + 1))
        [ "${rank:-9}" -gt 3 ] || three=$((three + 1))
    fi
    printf 'past %-22s %-45s rank %s\n' "$name" "$words" "${rank:-none}"
    case ${rank:-none} in 1 | nobody) ;; *) jq -rc 'select(.culprit.clue.kind == "suspect") | .culprit.clue | [.rank, .suspect, .rules]' /run/said | head -3; cat /run/err ;; esac
}

data cron
echo "* * * * * root rm -f $B/cron/b" > /etc/cron.d/vm
await 200 gone $B/cron/b
asked cron $B/cron "cron job: rm -f $B/cron/b"
rm /etc/cron.d/vm

data crontab
printf '#!/bin/sh\nDIR=%s\nfind $DIR -mtime +30 -type f -delete\n' $B/crontab > /usr/local/bin/tidy-vm
chmod 755 /usr/local/bin/tidy-vm
echo '* * * * * /usr/local/bin/tidy-vm' | crontab -u root -
await 200 gone $B/crontab/b
asked crontab $B/crontab "cron job: /usr/local/bin/tidy-vm"
crontab -u root -r

data timer
printf '[Service]\nType=oneshot\nExecStart=/bin/rm -rf %s/timer/b\n' $B > /etc/systemd/system/purge.service
printf '[Timer]\nOnActiveSec=1s\n' > /etc/systemd/system/purge.timer
systemctl daemon-reload
systemctl start purge.timer
await 200 gone $B/timer/b
asked timer $B/timer "unit: purge.service"

data tmpfiles
echo "d $B/tmpfiles 0755 root root m:30d" > /etc/tmpfiles.d/vm.conf
systemctl start systemd-tmpfiles-clean
await 200 gone $B/tmpfiles/b
asked tmpfiles $B/tmpfiles "systemd-tmpfiles"
rm /etc/tmpfiles.d/vm.conf

echo x > /var/log/vm-app.log
printf '/var/log/vm-app.log {\n rotate 0\n size 1\n}\n' > /etc/logrotate.d/vm-app
systemctl start logrotate
await 200 gone /var/log/vm-app.log
asked logrotate /var/log/vm-app.log logrotate

data sudo
setpriv --reuid ann --regid ann --init-groups sudo rm -f $B/sudo/b
asked sudo $B/sudo "sudo: /usr/bin/rm -f $B/sudo/b"

data sudo-script
printf '#!/bin/bash\ncd %s/sudo-script && rm -- *\n' $B > /usr/local/bin/wipe-vm
chmod 755 /usr/local/bin/wipe-vm
setpriv --reuid ann --regid ann --init-groups sudo /usr/local/bin/wipe-vm
asked sudo-script $B/sudo-script "sudo: /usr/local/bin/wipe-vm"

data at
echo "rm -f $B/at/b" | at now > /dev/null 2>&1
await 200 gone $B/at/b
asked at $B/at "at job"

data transient
systemd-run --wait rm -f $B/transient/b > /dev/null 2>&1
asked transient $B/transient "unit: run-"

data boot
printf '#!/bin/sh\nrm -f %s/boot/*\n' $B > /usr/local/sbin/at-boot
chmod 755 /usr/local/sbin/at-boot
printf '[Service]\nType=oneshot\nExecStart=/usr/local/sbin/at-boot\n[Install]\nWantedBy=multi-user.target\n' > /etc/systemd/system/at-boot.service
systemctl daemon-reload
systemctl start at-boot
asked boot-script $B/boot "unit: at-boot.service"

mkdir -p /run/pkg/DEBIAN /run/pkg/opt/vm-pkg
printf 'Package: vm-pkg\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' > /run/pkg/DEBIAN/control
echo x > /run/pkg/opt/vm-pkg/f
dpkg-deb --root-owner-group -b /run/pkg /run/vm-pkg.deb > /dev/null
dpkg -i /run/vm-pkg.deb > /dev/null 2>&1
sleep 70 # the installation is another minute's
dpkg -r vm-pkg > /dev/null 2>&1
asked package /opt/vm-pkg "package vm-pkg"

data mounted
mount -t tmpfs tmpfs $B/mounted
asked mounted $B/mounted/a "the mount of tmpfs"
umount $B/mounted

data unit-mount
printf '[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=%s/unitmount\n' $B > /etc/systemd/system/srv-vm-unitmount.mount
mkdir -p $B/unitmount; echo x > $B/unitmount/a
systemctl daemon-reload
systemctl start srv-vm-unitmount.mount
asked mount-unit $B/unitmount/a "tmpfs"
systemctl stop srv-vm-unitmount.mount

echo "/dev/nosuch $B/fstab ext4 noauto 0 0" >> /etc/fstab
mkdir -p $B/fstab
asked fstab $B/fstab "a file system that is not mounted"

data trash
mkdir -p /home/ann/.local/share/Trash/{info,files}
printf '[Trash Info]\nPath=%s/trash/b\nDeletionDate=%s\n' $B "$(date +%Y-%m-%dT%H:%M:%S)" > /home/ann/.local/share/Trash/info/b.trashinfo
mv $B/trash/b /home/ann/.local/share/Trash/files/
asked trash $B/trash/b "the trash /home/ann"

data rsync
printf '[Service]\nType=oneshot\nExecStart=/usr/bin/rsync -a --delete /run/empty/ %s/rsync/\n' $B > /etc/systemd/system/mirror.service
mkdir -p /run/empty
systemctl daemon-reload
systemctl start mirror
asked rsync $B/rsync "unit: mirror.service"

data daily
printf '#!/bin/sh\nfind %s/daily -type f -mtime +30 -exec rm {} +\n' $B > /etc/cron.daily/tidy
chmod 755 /etc/cron.daily/tidy
echo '* * * * * root cd / && run-parts --report /etc/cron.daily' > /etc/cron.d/vm
await 200 gone $B/daily/b
asked cron-daily $B/daily "run-parts"
rm /etc/cron.d/vm

mkdir -p /opt/sentinelone/bin
cp /bin/sleep /opt/sentinelone/bin/sentinelone-agent
/opt/sentinelone/bin/sentinelone-agent 3000 &
sleep 70
data agent
cd $B/agent && git init -q . && git add . && cd /
rm $B/agent/a
asked agent $B/agent SentinelOne
kill %1

data open
exec 7< $B/open/a
rm $B/open/a
sleep 70
asked open $B/open ""
ok "the open file is found" grep -q 'OPEN.*cp /proc/' /out/open.txt
exec 7<&-

data nothing
sleep 70
rm $B/nothing/b
asked nothing $B/nothing ""

echo "of $all pasts $right right, $three among the first three"
enough() { [ $right -ge 16 ] && [ $three -ge 19 ]; }
ok "the true cause is the first suspect in 16 of 20, among three in 19" enough
finish
