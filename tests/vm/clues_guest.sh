# SPDX-License-Identifier: MIT
# In the guest, where systemd is the first process: clues_guest.sh CULPRIT [PASTS]. PASTS: names of some, in one word. Pasts that nobody
# watched, made by the real cron, systemd, sudo,
# at, sshd, dpkg and so on, each of which logs as it always does; then `culprit clues` is asked. What it says is left in /out, a file a past.
CULPRIT=$1 ONLY=${2:-}
. "$(cd "$(dirname "$0")/.." && pwd)/scenario/lib/test.sh"
B=/srv/vm
right=0 three=0 all=0 contradicted=0
mkdir -p $B /run/empty /run/sshd /etc/cron.d
rm -f /etc/cron.d/* /etc/cron.daily/* /run/nologin
echo 'root ALL=(ALL) NOPASSWD: ALL
ann ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/vm
useradd -m ann 2> /dev/null
systemctl stop cron > /dev/null 2>&1
systemctl start atd > /dev/null 2>&1

data() { mkdir -p $B/"$1"; for f in a b c; do echo x > $B/"$1"/$f; touch -d '90 days ago' $B/"$1"/$f; done; touch -d '90 days ago' $B/"$1"; }
gone() { [ ! -e "$1" ]; }
# Each past has its own minutes: the clock goes on by so many seconds.
later() { date -s "@$(($(date +%s) + ${1:-180}))" > /dev/null; }
# The clock is set to ten seconds before a minute, and cron is started anew: it would sleep until its own next minute.
before_a_minute() { later $((180 + 50 - ($(date +%s) + 180) % 60)); systemctl start cron; }
as_ann() { setpriv --reuid ann --regid ann --init-groups env HOME=/home/ann USER=ann LOGNAME=ann "$@"; }
# unit NAME COMMAND
unit() { printf '[Unit]\nDescription=%s\n[Service]\nType=oneshot\nExecStart=%s\n' "$1" "$2" > /etc/systemd/system/"$1".service; systemctl daemon-reload; }
executable() { # executable PATH TEXT
    printf '%s\n' "${@:2}" > "$1"
    chmod 755 "$1"
}

# asked NAME TARGET WORDS [OPTION...]: WORDS of the true cause, "" = nobody may be accused
asked() {
    local name=$1 target=$2 words=$3 rank suspects
    shift 3
    journalctl --sync
    "$CULPRIT" clues --for 300s "$@" "$target" > "/out/$name.txt" 2> /run/err
    all=$((all + 1))
    suspects=$(sed -n '/^SUSPECTS /,/^[A-RT-Z]/p' "/out/$name.txt" | grep -E '^(SUSPECTS)? +[0-9]+  ')
    if [ -z "$words" ]; then
        [ -n "$suspects" ] || { right=$((right + 1)) three=$((three + 1)) rank=nobody; }
    else
        rank=$(grep -nF -- "$words" <<< "$suspects" | head -1 | cut -d: -f1)
        [ "${rank:-9}" != 1 ] || right=$((right + 1))
        [ "${rank:-9}" -gt 3 ] || three=$((three + 1))
    fi
    grep -q '; but ' <<< "$suspects" && { contradicted=$((contradicted + 1)); echo "contradicted, and listed: $name"; }
    printf 'past %-14s %-50s %s, after %s s\n' "$name" "$words" "${rank:-not among them}" "$(cut -d. -f1 /proc/uptime)"
    case ${rank:-none} in 1 | nobody) ;; *) cat "/out/$name.txt" /run/err ;; esac
}

# many units begin with the machine: none of them did it for that
past_at_start() {
    data at-start
    rm $B/at-start/b
    asked at-start $B/at-start ""
}

past_memory() {
    asked memory /run/app/state "the restart of the machine"
}

# ---- what ran ----

past_cron() {
    data cron
    echo "* * * * * root rm -f $B/cron/b" > /etc/cron.d/vm
    before_a_minute
    await 200 gone $B/cron/b
    asked cron $B/cron "cron job: rm -f $B/cron/b"
    rm /etc/cron.d/vm
    systemctl stop cron
}

past_crontab() {
    data crontab
    executable /usr/local/bin/tidy-vm '#!/bin/sh' "DIR=$B/crontab" 'find $DIR -mtime +30 -type f -delete'
    echo '* * * * * /usr/local/bin/tidy-vm' | crontab -u root -
    before_a_minute
    await 200 gone $B/crontab/b
    asked crontab $B/crontab "cron job: /usr/local/bin/tidy-vm"
    crontab -u root -r
    systemctl stop cron
}

past_cron_daily() {
    data daily
    executable /etc/cron.daily/tidy '#!/bin/sh' "find $B/daily -type f -mtime +30 -exec rm {} +"
    echo '* * * * * root cd / && run-parts --report /etc/cron.daily' > /etc/cron.d/vm
    before_a_minute
    await 200 gone $B/daily/b
    asked cron-daily $B/daily "/etc/cron.daily"
    rm /etc/cron.d/vm /etc/cron.daily/tidy
    systemctl stop cron
}

past_timer() {
    later
    data timer
    unit purge "/bin/rm -rf $B/timer/b"
    printf '[Timer]\nOnActiveSec=1s\n' > /etc/systemd/system/purge.timer
    systemctl daemon-reload
    systemctl start purge.timer
    await 200 gone $B/timer/b
    asked timer $B/timer "unit: purge.service"
    systemctl stop purge.timer
}

past_tmpfiles() {
    later
    data tmpfiles
    echo "d $B/tmpfiles 0755 root root m:30d" > /etc/tmpfiles.d/vm.conf
    systemctl start systemd-tmpfiles-clean
    await 200 gone $B/tmpfiles/b
    asked tmpfiles $B/tmpfiles "systemd-tmpfiles"
    rm /etc/tmpfiles.d/vm.conf
}

past_logrotate() {
    echo x > /var/log/vm-app.log
    later
    # the distribution's own file says "create": it would be there again at once
    printf '/var/log/vm-app.log {\n nocreate\n rotate 0\n size 1\n}\n' > /etc/logrotate.d/vm-app
    systemctl start logrotate
    await 200 gone /var/log/vm-app.log
    asked logrotate /var/log/vm-app.log logrotate
}

past_sudo() {
    later
    data sudo
    as_ann sudo rm -f $B/sudo/b
    asked sudo $B/sudo "sudo by ann: /usr/bin/rm -f $B/sudo/b"
}

past_sudo_script() {
    later
    data sudo-script
    executable /usr/local/bin/wipe-vm '#!/bin/bash' "cd $B/sudo-script && rm -- *"
    as_ann sudo /usr/local/bin/wipe-vm
    asked sudo-script $B/sudo-script "sudo by ann: /usr/local/bin/wipe-vm"
}

past_at() {
    later
    data at
    echo "rm -f $B/at/b" | at now > /dev/null 2>&1
    await 200 gone $B/at/b
    asked at $B/at "at job"
}

past_boot_script() {
    later
    data boot
    executable /usr/local/sbin/at-boot '#!/bin/sh' "rm -f $B/boot/*"
    unit at-boot /usr/local/sbin/at-boot
    systemctl start at-boot
    asked boot-script $B/boot "unit: at-boot.service"
}

past_rsync() {
    later
    data rsync
    unit mirror "/usr/bin/rsync -a --delete /run/empty/ $B/rsync/"
    systemctl start mirror
    asked rsync $B/rsync "unit: mirror.service"
}

# rsync from another host: sshd's own log of who came
past_ssh() {
    later
    data ssh
    ssh-keygen -qt ed25519 -N '' -f /run/key
    mkdir -p /root/.ssh
    cat /run/key.pub > /root/.ssh/authorized_keys
    chmod -R go= /root/.ssh
    chmod 755 /root/.ssh/..
    ssh-keygen -A > /dev/null 2>&1
    systemctl start ssh > /dev/null 2>&1 || /usr/sbin/sshd
    rsync -a --delete -e 'ssh -i /run/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR' /run/empty/ 127.0.0.1:$B/ssh/
    asked ssh $B/ssh "login by ssh: root from 127.0.0.1"
}

# a job of CI, which cleans its working directory
past_git_clean() {
    later
    data clean
    git -C $B/clean init -q
    executable /usr/local/bin/ci-job '#!/bin/sh' "cd $B/clean && git clean -fdq"
    unit ci /usr/local/bin/ci-job
    later
    systemctl start ci
    asked git-clean $B/clean "unit: ci.service"
}

past_package() {
    mkdir -p /run/pkg/DEBIAN /run/pkg/opt/vm-pkg
    printf 'Package: vm-pkg\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' > /run/pkg/DEBIAN/control
    echo x > /run/pkg/opt/vm-pkg/f
    dpkg-deb --root-owner-group -b /run/pkg /run/vm-pkg.deb > /dev/null
    dpkg -i /run/vm-pkg.deb > /dev/null 2>&1
    later
    dpkg -r vm-pkg > /dev/null 2>&1
    asked package /opt/vm-pkg "package vm-pkg"
}

# ---- how it is now ----

past_mounted() {
    later
    data mounted
    mount -t tmpfs tmpfs $B/mounted
    asked mounted $B/mounted/a "the mount of tmpfs"
    umount $B/mounted
}

past_fstab() {
    later
    echo "/dev/nosuch $B/fstab ext4 noauto 0 0" >> /etc/fstab
    mkdir -p $B/fstab
    asked fstab $B/fstab "a file system that is not mounted"
}

past_trash() {
    later
    data trash
    mkdir -p /home/ann/.local/share/Trash/{info,files}
    printf '[Trash Info]\nPath=%s/trash/b\nDeletionDate=%s\n' $B "$(date +%Y-%m-%dT%H:%M:%S)" > /home/ann/.local/share/Trash/info/b.trashinfo
    mv $B/trash/b /home/ann/.local/share/Trash/files/
    asked trash $B/trash/b "the trash /home/ann"
}

# ---- who is there ----

past_agent() {
    mkdir -p /opt/sentinelone/bin
    cp /bin/sleep /opt/sentinelone/bin/sentinelone-agent
    /opt/sentinelone/bin/sentinelone-agent 3000 &
    later
    data agent
    git -C $B/agent init -q
    git -C $B/agent add .
    later
    rm $B/agent/a
    asked agent $B/agent SentinelOne
    kill %1
}

# ---- more, of other programs ----

# no auditd: only journald has the records
past_journal_audit() {
    later
    data watched
    auditctl -e 1 > /dev/null
    auditctl -w $B/watched -p wa > /dev/null
    rm -f $B/watched/b
    journalctl --sync
    auditctl -W $B/watched -p wa > /dev/null
    auditctl -e 0 > /dev/null
    asked journal-audit $B/watched/b "rm deleted $B/watched/b"
}

past_make() {
    data make
    printf 'clean:\n\trm -f *\n' > $B/make/Makefile
    echo "* * * * * root cd $B/make && make -s clean" > /etc/cron.d/vm
    before_a_minute
    await 200 gone $B/make/b
    asked make $B/make "cron job: cd $B/make && make -s clean"
    rm /etc/cron.d/vm
    systemctl stop cron
}

past_timer_user() {
    later
    data user-timer
    chown -R ann $B/user-timer
    unit sync-ann "/usr/bin/rsync -a --delete /run/empty/ $B/user-timer/"
    sed -i 's/^Type/User=ann\nType/' /etc/systemd/system/sync-ann.service
    printf '[Timer]\nOnActiveSec=1s\n' > /etc/systemd/system/sync-ann.timer
    systemctl daemon-reload
    systemctl start sync-ann.timer
    await 200 gone $B/user-timer/b
    asked timer-user $B/user-timer "unit: sync-ann.service"
    systemctl stop sync-ann.timer
}

past_su() {
    later
    data su
    chown -R ann $B/su
    su ann -c "rm -f $B/su/b"
    asked su $B/su "su: (to ann) root"
}

past_path_unit() {
    later
    data path
    mkdir -p /run/drop
    unit on-drop "/bin/rm -f $B/path/b"
    printf '[Path]\nPathExists=/run/drop/go\n' > /etc/systemd/system/on-drop.path
    systemctl daemon-reload
    systemctl start on-drop.path
    touch /run/drop/go
    await 200 gone $B/path/b
    systemctl stop on-drop.path
    rm /run/drop/go
    asked path-unit $B/path "unit: on-drop.service"
}

past_autoremove() {
    later
    for p in vm-app vm-lib; do
        mkdir -p /run/$p/DEBIAN /run/$p/opt/$p
        printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' $p > /run/$p/DEBIAN/control
        [ $p = vm-lib ] || echo "Depends: vm-lib" >> /run/$p/DEBIAN/control
        echo x > /run/$p/opt/$p/f
        dpkg-deb --root-owner-group -b /run/$p /run/$p.deb > /dev/null
    done
    apt-get -q -y install /run/vm-app.deb /run/vm-lib.deb > /run/apt.log 2>&1
    apt-mark auto vm-lib >> /run/apt.log 2>&1
    later
    apt-get -q -y autoremove --purge vm-app >> /run/apt.log 2>&1
    gone /opt/vm-lib || cat /run/apt.log
    asked autoremove /opt/vm-lib/f "apt: apt-get -q -y autoremove --purge vm-app"
}

past_olddir() {
    mkdir -p /var/log/vm-old
    echo x > /var/log/vm-olddir.log
    later
    printf '/var/log/vm-olddir.log {\n nocreate\n rotate 3\n size 1\n olddir /var/log/vm-old\n}\n' > /etc/logrotate.d/vm-olddir
    systemctl start logrotate
    await 200 gone /var/log/vm-olddir.log
    asked olddir /var/log/vm-olddir.log logrotate
}

past_ssh_shell() {
    later
    data ssh-shell
    [ -e /run/key ] || past_ssh
    later
    data ssh-shell
    ssh -i /run/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR 127.0.0.1 "sleep 20; rm -f $B/ssh-shell/b"
    asked ssh-shell $B/ssh-shell "login by ssh: root from 127.0.0.1"
}

past_user_crontab() {
    mkdir -p /home/ann/build
    data user-crontab
    chown -R ann $B/user-crontab /home/ann
    echo "* * * * * rm -rf $B/user-crontab/*" | crontab -u ann -
    before_a_minute
    await 200 gone $B/user-crontab/b
    asked user-crontab $B/user-crontab "cron job: rm -rf"
    crontab -u ann -r
    systemctl stop cron
}

past_stop_post() {
    data stop-post
    printf '[Service]\nExecStart=/bin/sleep 1000\nExecStopPost=/bin/sh -c "rm -f %s/stop-post/*"\n' $B > /etc/systemd/system/worker.service
    systemctl daemon-reload
    systemctl start worker
    later
    systemctl stop worker
    asked stop-post $B/stop-post "unit: worker.service"
}

past_puppet() {
    data puppet
    later
    puppet apply -l syslog -e "file { '$B/puppet/b': ensure => absent }" > /run/puppet.log 2>&1
    gone $B/puppet/b || cat /run/puppet.log
    asked puppet $B/puppet "Puppet"
}

past_ansible() {
    data ansible
    later
    ansible localhost -m file -a "path=$B/ansible/b state=absent" > /run/ansible.log 2>&1
    gone $B/ansible/b || cat /run/ansible.log
    asked ansible $B/ansible "Ansible"
}

past_cfengine() {
    data cfengine
    later
    mkdir -p /var/lib/cfengine3/{bin,inputs,state}
    printf 'bundle agent main { files: "%s/cfengine/b" delete => d; }\nbody delete d { dirlinks => "delete"; rmdirs => "true"; }\n' $B > /run/x.cf
    cf-agent -KIf /run/x.cf -b main > /run/cf.log 2>&1
    gone $B/cfengine/b || cat /run/cf.log
    asked cfengine $B/cfengine "cf-agent, by its own message"
}

# ---- nobody ----

past_open() {
    later
    data open
    exec 7< $B/open/a
    rm $B/open/a
    asked open $B/open ""
    ok "the open file is found" grep -q 'OPEN.*cp /proc/' /out/open.txt
    exec 7<&-
}

past_nothing() {
    later
    data nothing
    rm $B/nothing/b
    asked nothing $B/nothing ""
}

# these two first: a clock that goes on later lets the machine seem to have been started later
PASTS=(at-start memory cron crontab cron-daily timer tmpfiles logrotate sudo sudo-script at boot-script rsync ssh git-clean package mounted fstab trash agent journal-audit open nothing)
MORE=(make timer-user su path-unit autoremove olddir ssh-shell user-crontab stop-post puppet ansible cfengine)
for past in "${PASTS[@]}"; do
    [[ -n $ONLY && " $ONLY " != *" $past "* ]] || "past_${past//-/_}"
done
# these take as long again: only by name, or by "more"
for past in "${MORE[@]}"; do
    [[ " $ONLY " != *" $past "* && " $ONLY " != *" more "* ]] || "past_${past//-/_}"
done

echo "of $all pasts $right right, $three among the first three"
enough() { [ $right -ge $((all - 4)) ] && [ $three -ge $((all - 1)) ]; }
ok "the true cause is the first suspect in all but four, among three in all but one" enough
[ ! -e /out/nothing.txt ] || ok "nobody is accused where nothing is left" grep -q '^SUSPECTS  nobody' /out/nothing.txt
ok "no suspect is contradicted" test $contradicted = 0
finish
