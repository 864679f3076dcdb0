#!/bin/bash
# SPDX-License-Identifier: MIT
# foreign.sh CULPRIT: what users and containers own cannot change a file of the host by our hand, is not opened where
# it is a fifo or a device, and stops nothing but its own answer. In a mount namespace with an /etc/passwd of its own.
set -u
CULPRIT=$(readlink -f "$1")
ACTORS=$(dirname "$CULPRIT")/tests/actors
if [ -z "${FOREIGN_WORK:-}" ]; then
    FOREIGN_WORK=$(mktemp -d /tmp/culprit-foreign.XXXXXX)
    export FOREIGN_WORK
    chmod 755 "$FOREIGN_WORK"
    mkdir -p "$FOREIGN_WORK/home"
    { cat /etc/passwd; echo "foreign:x:64242:64242::$FOREIGN_WORK/home:/bin/sh"; } > "$FOREIGN_WORK/passwd"
    chown 64242:64242 "$FOREIGN_WORK/home"
    unshare -m --propagation private bash -c 'mount --bind "$FOREIGN_WORK/passwd" /etc/passwd && exec "$0" "$1"' "$(readlink -f "$0")" "$CULPRIT"
    rc=$?
    rm -rf "$FOREIGN_WORK"
    exit $rc
fi
W=$FOREIGN_WORK STORAGE=$FOREIGN_WORK/home/.local/share/containers/storage
. "$(dirname "$(readlink -f "$0")")/lib/test.sh"
PIDS= RUNC= TURN=0 SHOW_FAILED="$W/out $W/err"
trap 'kill -9 $PIDS 2> /dev/null; [ -z "$RUNC" ] || runc delete -f "$RUNC" > /dev/null 2>&1; umount -l "$W/fuse" "$W"/over/sub/* "$W/lid/w" "$W/lid" 2> /dev/null' EXIT

AS_USER="setpriv --reuid=64242 --regid=64242 --clear-groups" # not the function in the background: $! would be a shell's
as_user() { $AS_USER "$@"; }

within() { # within SECONDS COMMAND...: ends by itself by then, whatever it says
    local seconds=$1 rc
    shift
    timeout -s KILL "$seconds" "$@" > "$W/out" 2> "$W/err"
    rc=$?
    [ $rc != 137 ]
}

start() { # start TARGET [SENSOR]: a watch that is ready
    : > "$W/err"
    "$CULPRIT" watch --no-store --sensor "${2:-fanotify}" --format json "$1" > "$W/out" 2> "$W/err" &
    WATCH=$!
    PIDS="$PIDS $WATCH"
    await 240 grep -q 'culprit: ready' "$W/err"
}

has() { [ "$(grep -c "$1" "$W/out")" -ge "$2" ]; }
appears() { await 60 has "$@"; } # appears TEXT COUNT: in what the watch says

READERS=
no_reader() { # what has ended and was not waited for yet is a zombie
    [ -z "$(for pid in $READERS; do grep -sh '^State:.[^Z]' "/proc/$pid/status"; done)" ]
}
readers_are_gone() { await 60 no_reader; }

is_gone() { ! kill -0 "$1" 2> /dev/null; }
stops() { # SIGTERM ends it, though what it was looking at never answers
    READERS="$READERS $(pgrep -P "$WATCH" | tr '\n' ' ')"
    kill -TERM "$WATCH"
    await 60 is_gone "$WATCH"
}

# ---- doctor TARGET: the directory's owner exchanges what is made in it ----

cat > "$W/swap.py" <<'END'
import os, sys, time
directory, victims, delay = sys.argv[1], sys.argv[2], float(sys.argv[3])
os.chdir(directory)
number = 0
while True:
    for name in os.listdir('.'):
        try:
            if not name.startswith('.culprit-doctor-') or os.lstat(name).st_uid == os.getuid():
                continue
            time.sleep(delay)
            os.rename(name, f'away{number}')
            number += 1
            os.mkdir(name)
            for file in os.listdir(victims):
                os.symlink(f'{victims}/{file}', f'{name}/{file}')
        except OSError:
            pass
    time.sleep(0.0002)
END
mkdir "$W/victims"
for name in open-write truncate chmod chown utime setxattr removexattr; do
    echo "root only" > "$W/victims/$name"
done
state() { (cd "$W/victims" && stat -c '%n %a %u:%g %s %y' -- * && cat -- *); }
before=$(state)
unharmed() { [ "$before" = "$(state)" ]; }
for delay in 0 0.02 0.2; do
    mkdir "$W/target"
    chown 64242 "$W/target"
    $AS_USER /usr/bin/python3 "$W/swap.py" "$W/target" "$W/victims" $delay &
    swapper=$!
    sleep 0.3
    ok "doctor ends while its directory is exchanged (after $delay s)" within 120 "$CULPRIT" doctor --sensor fanotify "$W/target"
    kill $swapper && wait $swapper 2> /dev/null
    ok "no file elsewhere was changed" unharmed
    rm -rf "$W/target"
done
mkdir "$W/target"
ok "left alone, all is right" "$CULPRIT" doctor --sensor fanotify "$W/target"
ok "and nothing stays" rmdir "$W/target"
mkdir "$W/target"
mount -t ramfs ramfs "$W/target" # it has no attributes of users
ok "what the file system does not have is no fault" "$CULPRIT" doctor --sensor audit "$W/target"
umount "$W/target"
rmdir "$W/target"

# ---- the files that a process names ----

mkdir "$W/named" "$W/fuse" "$W/watched"
chmod 777 "$W/named"
as_user mkfifo "$W/named/fifo"
$AS_USER "$ACTORS/hold" "$W/named/fifo" &
PIDS="$PIDS $!"
$AS_USER bash -c "echo reader > '$W/named/fifo'; touch '$W/named/released'" &
PIDS="$PIDS $!"
within 120 "$CULPRIT" watch --no-store --sensor fanotify --for 1s "$W/watched"
ok "the writer of a fifo that a process names waits on" test ! -e "$W/named/released"
if [ -c /dev/fuse ]; then
    "$ACTORS/hangfuse" "$W/fuse" 2> /dev/null & # its own pid, so that it ends with us
    PIDS="$PIDS $!"
    await 60 grep -q " $W/fuse " /proc/self/mounts
    $AS_USER "$ACTORS/hold" "$W/fuse/script" &
    PIDS="$PIDS $!"
    sleep 0.3
    ok "a file system that never answers stops nothing" within 120 "$CULPRIT" watch --no-store --sensor fanotify --for 1s "$W/watched"
    # what the user names himself: said, by a process that can end
    unanswered() { # unanswered ARGUMENTS...
        timeout -s KILL 120 "$CULPRIT" "$@" > "$W/out" 2> "$W/err"
        [ $? = 3 ] && grep -q 'its file system does not answer' "$W/err"
    }
    ok "watch says that a target's file system does not answer" unanswered watch --no-store --sensor fanotify --for 1s "$W/fuse/script"
    ok "what is excluded need not answer" within 120 "$CULPRIT" watch --no-store --sensor fanotify --for 1s --exclude "$W/fuse/script" "$W/watched"
    ok "run says so" unanswered run --no-store --sensor fanotify -w "$W/fuse/script" -- true
    "$CULPRIT" watch --store "$W/some.db" --sensor fanotify --for 1s "$W/watched" > "$W/out" 2>&1
    ok "who says so" unanswered who --store "$W/some.db" "$W/fuse/script"
    ok "diff says so" unanswered diff --since -1h "$W/fuse/script"
    ok "doctor says so" unanswered doctor "$W/fuse/script"
    ok "search says so of a log" unanswered search -if "$W/fuse/script"
    ok "import says so of a log" unanswered import --store "$W/unanswered.db" "$W/fuse/script"
    ok "who says so of its store" unanswered who --store "$W/fuse/some.db" "$W/watched"
    ok "watch says so of its store" unanswered watch --store "$W/fuse/some.db" --sensor fanotify --for 1s "$W/watched"
    ok "run says so of the file for a list of tests" unanswered run --no-store --sensor fanotify --junit "$W/fuse/xml" -w "$W/watched" -- true
    ok "backup says so of the copy" unanswered backup --store "$W/some.db" "$W/fuse/copy"
    ok "daemon says so of its configuration" unanswered daemon --config "$W/fuse" --runtime-dir "$W/named"
    start "$W/watched"
    touch "$W/watched/beside"
    ok "events come meanwhile" appears /beside 1
    ok "SIGTERM ends it" stops
fi

# ---- one that never answers below what is watched: root's own FUSE, a dead NFS ----

hang_at() { # hang_at DIR [HOW]
    "$ACTORS/hangfuse" "$1" "${2:-}" 2> /dev/null &
    HANGS=$!
    PIDS="$PIDS $HANGS"
    await 60 grep -q " $1 " /proc/self/mounts
}
hang() { hang_at "$W/over/sub/$1" "${2:-}"; } # hang NAME [HOW]
unhang() { # it ends, and with it what waits for it
    kill -TERM "$HANGS" && wait "$HANGS" 2> /dev/null
}
says_so() { grep -q 'does not answer: changes on it may be missing' "$W/out"; }

if [ -c /dev/fuse ]; then
    mkdir -p "$W"/over/sub/{silent,dead,stuck,later,beside}
    for sensor in fanotify audit bpf; do
        "$CULPRIT" doctor --format json | grep -q "\"name\":\"$sensor\",\"works\":true" || continue
        for kind in silent dead stuck; do # stuck: in the middle of it
            hang $kind $kind
            ok "$sensor: a file system below that is $kind does not stop the start" start "$W/over" $sensor
            touch "$W/over/sub/beside/$kind-$sensor"
            ok "$sensor: what happens beside it is reported" appears "/beside/$kind-$sensor" 1
            ok "$sensor: SIGTERM ends it" stops
            ok "$sensor: that it does not answer is a gap" says_so
            unhang
        done
        start "$W/over" $sensor
        hang silent silent
        : > "$W/flagged"
        chattr +d "$W/flagged" # by audit what was changed is looked for, as no record says it
        touch "$W/over/sub/beside/later-$sensor"
        ok "$sensor: one that is mounted later stops nothing" appears "/beside/later-$sensor" 1
        ok "$sensor: SIGTERM ends it" stops
        unhang
        hang later later
        start "$W/over" $sensor
        chmod 600 "$W/over/sub/later/a/1"
        touch "$W/over/sub/beside/before-$sensor"
        appears "/beside/before-$sensor" 1
        kill -USR1 "$HANGS"
        for i in 1 2 3; do # it looks again at what has changed, from time to time
            sleep 1
            touch "$W/over/sub/beside/after-$sensor-$i"
            ok "$sensor: one that stops later stops nothing ($i)" appears "/beside/after-$sensor-$i" 1
        done
        ok "$sensor: SIGTERM ends it" stops
        unhang
    done
    # over the watched folder itself, over one above it, over a watched file: mounted later, too
    mkdir -p "$W/lid/w"
    : > "$W/lid/w/f"
    for sensor in fanotify audit bpf; do
        "$CULPRIT" doctor --format json | grep -q "\"name\":\"$sensor\",\"works\":true" || continue
        for way in lid/w:lid/w lid/w:lid lid/w/f:lid/w; do
            watched=$W/${way%:*} lid=$W/${way#*:}
            start "$watched" $sensor
            hang_at "$lid" dead
            [ $sensor = bpf ] || ok "$sensor: over ${way#*:}, of which ${way%:*} is watched: said while it does not answer" appears 'does not answer: changes there may be missing' 1
            ok "$sensor: SIGTERM ends it" stops
            unhang
        done
        start "$W/lid/w" $sensor
        hang_at "$W/lid/w" dead
        [ $sensor = bpf ] || appears 'does not answer: changes there may be missing' 1
        unhang
        changed() { touch "$W/lid/w/back-$sensor-$((++TURN))" && has "/back-$sensor-" 1; } # where it is watched again
        ok "$sensor: what happens when it is gone is reported" await 60 changed
        ok "$sensor: SIGTERM ends it" stops
    done
    # where runtimes keep a user's containers: a directory of his
    if [ ! -e /run/user/64242 ]; then
        mkdir -p /run/user/64242/crun
        "$ACTORS/hangfuse" /run/user/64242/crun dead 2> /dev/null &
        HANGS=$!
        PIDS="$PIDS $HANGS"
        await 60 grep -q ' /run/user/64242/crun ' /proc/self/mounts
        ok "a user's state directory that never answers: doctor ends" within 120 "$CULPRIT" doctor --containers
        ok "and a watch is ready and ends" within 120 "$CULPRIT" watch --no-store --sensor fanotify --for 1s "$W/watched"
        unhang
        rm -rf /run/user/64242
    fi
    hang silent silent
    ok "diff ends" within 120 "$CULPRIT" diff --store "$W/some.db" --since -1h "$W/over"
    ok "who ends" within 120 "$CULPRIT" who --store "$W/some.db" "$W/over"
    ok "run ends" within 120 "$CULPRIT" run --no-store --sensor fanotify --settle 0s -w "$W/over" -- true
    ok "doctor TARGET ends" within 120 "$CULPRIT" doctor --sensor fanotify "$W/over"
    unhang
fi

# ---- a user's Podman ----

RECORD='[{"id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","names":["foreignweb"],"image":"i","layer":"l","metadata":"{}"}]'
as_user mkdir -p "$STORAGE/overlay-containers"
as_user bash -c "echo '[]' > '$STORAGE/overlay-containers/containers.json'"
start "$W/watched"
as_user mkfifo "$STORAGE/db.sql"
as_user bash -c "echo '$RECORD' > '$STORAGE/overlay-containers/containers.json'"
sleep 0.5
touch "$W/watched/after"
ok "a user's database that is a fifo does not stop a running watch" appears /after 1
ok "SIGTERM ends it" stops
ok "doctor answers" within 120 "$CULPRIT" doctor
ok "and knows the container by the rest" bash -c "'$CULPRIT' doctor --containers | grep -q foreignweb"
rm -f "$STORAGE/db.sql"
/usr/bin/python3 - "$STORAGE/db.sql" <<'END'
import sqlite3, sys
endless = "with recursive c(x) as (values(1) union all select x + 1 from c) select hex(x), '{}' from c"
sqlite3.connect(sys.argv[1]).executescript(f"create view ContainerConfig(ID, JSON) as {endless};"
                                           f"create view ContainerState(ID, JSON) as {endless};")
END
ok "an endless view: doctor answers" within 120 "$CULPRIT" doctor
ok "and the container is named" bash -c "'$CULPRIT' doctor --containers | grep -q foreignweb"
rm -rf "$W/home/.local"

# ---- a container ----

if command -v runc > /dev/null && command -v busybox > /dev/null; then
    R=$W/ctr/rootfs
    mkdir -p "$R"/{bin,etc,proc,sys,dev,tmp,prd,var/lib/rpm,usr/bin}
    cp "$(command -v busybox)" "$R/bin/busybox"
    for name in sh sleep touch rm; do ln -s busybox "$R/bin/$name"; done
    cp "$R/bin/busybox" "$R/usr/bin/touch"
    echo 'app:x:0:0::/:/bin/sh' > "$R/etc/passwd"
    (cd "$W/ctr" && runc spec && /usr/bin/python3 - <<'END'
import json
c = json.load(open('config.json'))
c['process']['terminal'] = False
c['process']['args'] = ['/bin/sh', '/loop']
c['process'].pop('rlimits', None)
c['root']['readonly'] = False
json.dump(c, open('config.json', 'w'))
END
    )
    # runc exec would read its passwd itself, and wait for the fifo
    cat > "$R/loop" <<'END'
while :; do
    /bin/touch /prd/tick
    /bin/rm /prd/tick
    [ ! -e /go ] || /usr/bin/touch /prd/hostile
    /bin/sleep 0.3
done
END
    RUNC=culprit-foreign-$$
    runc run -d --bundle "$W/ctr" "$RUNC" < /dev/null > "$W/run.out" 2>&1 || cat "$W/run.out"
    ticks_on() { appears /prd/tick $(($(grep -c /prd/tick "$W/out") + 2)); }
    start "$RUNC:/prd"
    ok "a container's own name of its user" appears '/prd/tick.*"name":"app"\|"name":"app".*/prd/tick' 1
    rm "$R/etc/passwd"
    mkfifo "$R/etc/passwd"
    sleep 1.5
    ok "its passwd is a fifo: events come" ticks_on
    rm "$R/etc/passwd"
    echo 'stolen:x:0:0::/:/bin/sh' > "$W/shadow"
    ln -s "$W/shadow" "$R/etc/passwd"
    sleep 1.5
    ok "its passwd is a link to the host's file: events come" ticks_on
    ok "and the host's file was not read" bash -c "! grep -q stolen '$W/out'"
    /usr/bin/python3 - "$R/var/lib/rpm/rpmdb.sqlite" 4096 <<'END'
# one header of a million files of one name, whose directory is each time the last of a million
import sqlite3, struct, sys
size = int(sys.argv[2]) * 1024
n = size // 28
data = struct.pack('>II', 3, size - 8 - 48)
data += struct.pack('>IIII', 1117, 8, 0, n) + struct.pack('>IIII', 1118, 8, 6 * n, n)
data += struct.pack('>IIII', 1116, 4, 7 * n, n) + b'touch\0' * n + b'\0' * n + struct.pack('>I', n - 1) * n
data = data[:4] + struct.pack('>I', len(data) - 8 - 48) + data[8:]
db = sqlite3.connect(sys.argv[1])
db.executescript('create table Packages(hnum integer primary key, blob blob);'
                 'create table Basenames(key text, hnum integer, idx integer);')
db.execute('insert into Packages values(1, ?)', (data,))
db.executemany("insert into Basenames values('touch', ?, 0)", [(1,)] * 200)
db.commit()
END
    sleep 1.5
    touch "$R/go"
    ok "its package database takes for ever: the event comes" appears /prd/hostile 1
    ok "and others after it" ticks_on
    ok "SIGTERM ends it" stops
else
    echo "******** NOT RUN: hostile containers: runc or busybox is missing"
fi
ok "no reader is left" readers_are_gone
finish
