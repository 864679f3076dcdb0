#!/bin/bash
# SPDX-License-Identifier: MIT
# run, watch and who as root, on directories of our own by one set of sensors (fanotify): exit statuses, filters, what run passes
# on, whom it runs as, what it writes for CI. tests/cli/observe.sh CULPRIT_BINARY [SENSORS]
set -u
BINARY=${1:-}
if [ ! -x "$BINARY" ] || [ "$(id -u)" != 0 ]; then
    echo "usage, as root: $0 CULPRIT_BINARY" >&2
    exit 2
fi
BINARY=$(realpath "$BINARY")
SENSORS=${2:-fanotify}
passed=0 failed=0
work=$(mktemp -d /tmp/culprit-observe.XXXXXX) || exit 2
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work" || exit 2

check() { # check NAME STATUS: 0 is good
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
        sed 's/^/    /' "$work/out" "$work/err" 2> /dev/null | head -12
    fi
}

culprit() { # status in $rc, output in out and err
    timeout 600 "$BINARY" "$@" < /dev/null > "$work/out" 2> "$work/err"
    rc=$?
}

# run OPTIONS... -- COMMAND...: on a new directory d
run() {
    rm -rf "$work/d"
    mkdir "$work/d"
    echo old > "$work/d/old"
    culprit run --sensor "$SENSORS" --settle 200ms --store "$work/db" -w "$work/d" "$@"
}

# --- the exit status: NAME|STATUS|OPTIONS|COMMAND ---
while IFS='|' read -r name status options command; do
    # shellcheck disable=SC2086
    run $options -- sh -c "$command"
    [ "$rc" = "$status" ] && grep -q '^culprit: ready' err
    check "$name (exit $rc)" $?
done << 'END'
something changed|0||touch d/new
nothing changed|1||true
COMMAND fails|7||touch d/new; exit 7
COMMAND fails, nothing changed|7||exit 7
COMMAND is killed|137||kill -9 $$
COMMAND is ended by SIGTERM|143||kill $$
COMMAND fails, culprit's own is asked for|0|--exit-status own|touch d/new; exit 7
the same, nothing changed|1|--exit-status own|exit 7
COMMAND's is asked for|7|--exit-status command|exit 7
unchanged|0|--assert-unchanged|true
not unchanged|1|--assert-unchanged|rm d/old
not unchanged, and COMMAND fails|7|--assert-unchanged|rm d/old; exit 7
unchanged, and COMMAND fails|7|--assert-unchanged|exit 7
not unchanged, culprit's own|1|--assert-unchanged --exit-status own|rm d/old; exit 7
unchanged, culprit's own|0|--assert-unchanged --exit-status own|exit 7
only what is allowed|0|--assert-unchanged --allow *.log|echo x > d/a.log
a folder that is allowed|0|--assert-unchanged --allow ./d/cache|mkdir d/cache; echo x > d/cache/f
a pattern that is allowed|0|--assert-unchanged --allow ./d/**/*.o|mkdir d/x.o; echo x > d/x.o/f
what is not allowed too|1|--assert-unchanged --allow *.log|echo x > d/a.log; rm d/old
a filter that matches|0|--op delete|rm d/old
a filter that does not match|1|--op rename|rm d/old
an excluded file|1|--exclude old|rm d/old
reads, which are asked for|0|--op read|cat d/old > open-elsewhere
another user's change|1|--by-user 65534|rm d/old
this user's change|0|--by-user root|rm d/old
another program's change|1|--program mv|rm d/old
this program's change|0|--program rm|rm d/old
END
run -- "$work/nosuch"
[ "$rc" = 127 ] && grep -q 'nosuch: No such file' err && grep -q 'exit 127' out && ! grep -q 'late changes' out
check "what cannot be found (exit $rc)" $?
culprit guard --for 1s "$work/nosuch"
[ "$rc" != 0 ] && grep -q 'nosuch: No such file' err
check "what cannot be guarded is named (exit $rc)" $?
run -- "$work/d/old"
[ "$rc" = 126 ] && grep -q 'Permission denied' err
check "what cannot be executed (exit $rc)" $?
run --format json -- sh -c 'rm d/old; exit 3'
[ "$rc" = 3 ] && grep -q '"exit_code":3' out && grep -q '"exit_status":0' out
check "both statuses are in JSON (exit $rc)" $?
run -- sh -c 'rm d/old; exit 3'
grep -q "exit 3 after.*culprit's own exit status: 0" out
check "both statuses are in the text" $?

# --- what is left out is counted, and is not nothing ---
run --exclude old -- rm d/old
grep -q 'nothing that matches the filters happened to .*(1 event did not match the filters)' out
check "a filter is said, live" $?
culprit who --store nowhere.db "d/it's"
[ $rc = 1 ] && grep -qF "culprit clues 'd/it'\\''s'" err
check "nothing was recorded: what the host still knows, of what was asked for (exit $rc)" $?
culprit who --store db --op rename d
[ "$rc" = 1 ] && grep -q 'nothing that matches the filters' out
check "a filter is said, from the store (exit $rc)" $?
run -- sh -c 'rm d/old; touch d/new'
culprit who --store db --op delete --format json --since -1h d
[ "$rc" = 0 ] && grep -q '"filtered":' out && ! grep -q '"action":"create"' out
check "JSON is filtered too (exit $rc)" $?
run --assert-unchanged --allow old -- rm d/old
grep -q 'nothing but what --allow permits happened.*(1 change)' out
check "what is allowed is counted" $?
run --quiet -- rm d/old
[ "$(grep -c . out)" = 1 ] && grep -q '^VERDICT' out
check "--quiet is the verdict alone" $?
run --quiet --format json -- rm d/old
[ "$(grep -c . out)" = 1 ] && grep -q '"kind":"alert"' out
check "--quiet, JSON" $?
run --limit 1 -- sh -c 'rm d/old; mv d d2; mkdir d; mv d2/* d; chmod 700 d; rmdir d2'
[ "$(grep -c '^VERDICT' out)" = 1 ]
check "--limit 1" $?
rm -rf d2
run -- rm d/old
grep -qE '^culprit: ready \([a-z +]+; [0-9]+ kinds? of change (is|are) not seen: culprit doctor\)$' err
check "the ready line is short" $?

rm -f db*
run -- sh -c 'for i in 1 2 3; do echo abc > d/f$i; rm d/f$i; done; rm d/old'
for by in cause program user file hour; do
    culprit who --store db --since -1h --by $by --op delete --program rm d
    [ "$rc" = 0 ] && head -1 out | grep -q "changes .* $by\$" && grep -qE '^ +4 +4 .*in all$' out && grep -q coverage out
    check "who --by $by (exit $rc)" $?
done
culprit who --store db --since -1h --by file --top 1 d
[ "$(grep -c '/d/' out)" = 1 ] && grep -q ' more$' out
check "who --top 1" $?
culprit who --store db --by file --sort bytes --format json d
[ "$rc" = 0 ] && ! grep -v '^{"by":"file",' out
check "who --by, JSON (exit $rc)" $?
culprit who --store db --by file --op delete --format json d
[ "$rc" = 0 ] && grep -qE '[0-9]+ more events? did not match' err
check "what a table leaves out is said (exit $rc)" $?
culprit who --store db --by file --program nosuch d
[ "$rc" = 1 ] && grep -q 'did not match the filters' out
check "who --by, nothing left (exit $rc)" $?
run -- sh -c 'echo x > d/t; rm d/t'
culprit who --store db --since -1h --op delete --exclude old d
cp out whole
culprit who --store db --since -1h --exclude old d
check "a file that came and went is that, whatever is asked for" "$(! grep -q 'deleted .*/d/t' whole; echo $?)"

# --- what never came is not "nothing happened" ---
culprit watch --sensor "$SENSORS" --no-store --for 1s "$work/nosuch"
[ "$rc" = 1 ] && grep -q "^culprit: $work/nosuch was never there in .* ([a-z +]*; nothing lost)" out && ! grep -qE 'nothing happened|VERDICT' out
check "a path that never came (exit $rc)" $?
culprit watch --sensor "$SENSORS" --no-store --for 1s nosuch:/x
[ "$rc" = 1 ] && grep -q '^culprit: nosuch:/x was never there in ' out && ! grep -q 'nothing happened' out && ! grep -q 'did you mean nosuch' err
check "a container that never came (exit $rc)" $?
run -w nosuch:/x -- true
[ "$rc" = 1 ] && grep -q '^culprit: nosuch:/x was never there in ' out && grep -q "nothing happened to $work/d in " out && ! grep -q 'happened to.*nosuch' out
check "one that never came, and one that was there (exit $rc)" $?
run -w nosuch:/x -- rm d/old
[ "$rc" = 0 ] && grep -q '^VERDICT' out && ! grep -q 'nothing happened' out
check "one that never came, and a change of another (exit $rc)" $?
culprit watch --sensor "$SENSORS" --no-store --for 1s --format json nosuch:/x
[ "$rc" = 1 ] && grep -q '"message":"nosuch:/x was never there' out && grep -q '"reason":"absent"' out
check "one that never came, JSON (exit $rc)" $?

# --- a file's number that becomes another file's: who wrote to the one did not write to the other ---
cat > "$work/reuse.py" << 'END'
import os, sys, time
directory, number = sys.argv[1], None
fd = os.open(directory + "/gone", os.O_CREAT | os.O_RDWR)
os.write(fd, b"x")
number = os.fstat(fd).st_ino
time.sleep(0.5)  # it is read while it has a name
os.unlink(directory + "/gone")
os.close(fd)
for i in range(200):
    name = "%s/new%d" % (directory, i)
    os.system("touch " + name)
    if os.stat(name).st_ino == number:
        sys.exit(0)
sys.exit(9)
END
run --format json -- python3 "$work/reuse.py" "$work/d"
if [ "$rc" != 9 ]; then # a file system that uses no number twice
    grep '"kind":"event".*"action":"write".*"file":{"path":"[^"]*/d/new' out > writes
    check "an inode's number that is used again" "$([ ! -s writes ]; echo $?)"
fi

# --- JUnit ---
run --junit "$work/j.xml" -w "$work" -- sh -c 'rm d/old; : > "d/<&\"$(printf "\\001\\377")"'
python3 - "$work/j.xml" "$work/d" "$work" << 'END'
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
names = [case.get("name") for case in suite.findall("testcase")]
assert names == sys.argv[2:], names
assert suite.get("tests") == "2" and suite.get("failures") == "1" or suite.get("failures") == "2", suite.attrib
assert suite.find("testcase/failure").get("message").startswith("VERDICT")
END
check "JUnit's XML" $?
[ "$(stat -c %a "$work/j.xml")" = 644 ] && [ "$(find "$work" -maxdepth 1 -name '.culprit*' | wc -l)" = 0 ]
check "nothing is left beside it" $?
ln -s "$work/real.xml" "$work/own.xml"
run --junit "$work/own.xml" -- true
[ -L "$work/own.xml" ] && grep -q testsuite "$work/real.xml"
check "a symbolic link of ours is followed" $?
mkdir -m 777 "$work/foreign"
ln -s /etc "$work/foreign/etc" && chown -h 65534 "$work/foreign/etc"
ln -s "$work/victim" "$work/foreign/j.xml" && chown -h 65534 "$work/foreign/j.xml"
for path in foreign/j.xml foreign/etc/culprit-junit.xml; do
    run --junit "$work/$path" -- touch d/ran
    [ "$rc" != 0 ] && [ "$rc" != 1 ] && [ ! -e d/ran ] && [ ! -e "$work/victim" ] && [ ! -e /etc/culprit-junit.xml ] &&
        grep -q "somebody else's" err
    check "somebody else's symbolic link is not: $path (exit $rc)" $?
done
run --junit "$work/nosuch/j.xml" -- touch d/ran
[ "$rc" = 2 ] && [ ! -e d/ran ]
check "a place that is not there (exit $rc)" $?
run --junit "$work/foreign" -- touch d/ran
[ "$rc" -ge 2 ] && [ ! -e d/ran ]
check "a directory (exit $rc)" $?

# --- whom COMMAND runs as ---
mkdir -m 777 "$work/open"
# shellcheck disable=SC2016
run --user nobody -- sh -c 'id -u; id -g; id -G; echo "$HOME|$USER|$LOGNAME|$SHELL"; grep CapPrm /proc/self/status; : > open/file'
{ id -u nobody; id -g nobody; id -G nobody; getent passwd nobody | awk -F: '{print $6 "|" $1 "|" $1 "|" $7}'; } > want
head -4 out | cmp -s - want && grep -q 'CapPrm:.*0000000000000000' out && [ "$(stat -c %U open/file)" = nobody ]
check "COMMAND is another user's (exit $rc)" $?
run --user 65534 -- sh -c 'rm d/old 2> /dev/null; exit 0'
[ -e d/old ]
check "a user by number, who may not do what root may (exit $rc)" $?
run --user nosuch-user -- true
[ "$rc" = 2 ] && grep -q 'no user "nosuch-user"' err
check "nobody of that name (exit $rc)" $?

# --- what lies outside of what can be seen is said ---
rm -rf "$work/d"
mkdir "$work/d"
echo > "$work/d/a"
culprit run --sensor "$SENSORS" --settle 0s --no-store -w "$work/d/a" -- true
[ "$rc" = 1 ] && ! grep -q 'other name' err
check "a file with one name (exit $rc)" $?
ln "$work/d/a" "$work/d/b"
culprit run --sensor "$SENSORS" --settle 0s --no-store -w "$work/d/a" -- chmod 600 "$work/d/b"
grep -q 'through its 1 other name (hard links)' err
check "a file with another name" $?

# --- a link on the way that leads elsewhere ---
rm -rf "$work/d"
mkdir -p "$work/d/old" "$work/d/new"
echo > "$work/d/new/f"
ln -s old "$work/d/current"
culprit run --sensor "$SENSORS" --settle 0s --no-store -w "$work/d/current" -- ln -sfn new "$work/d/current"
[ "$rc" = 0 ] && grep -q 'replaced .*current' out && ! grep -q 'some lost' out
check "where it leads nothing had happened (exit $rc)" $?

# --- search, where auditd has written nothing ---
# nowhere COMMAND...: where neither it nor culprit has, before COMMAND
nowhere() {
    timeout 300 unshare --mount --propagation private sh -c 'mount -t tmpfs none /var/log && mount -t tmpfs none /var/lib && "$@" && exec "$0" search -f /srv' \
        "$BINARY" "$@" < /dev/null > out 2> err
    rc=$?
}
nowhere true
[ "$rc" = 2 ] && grep -q 'No such file' err && grep -q 'named with -if FILE, a record of culprit.s with --store FILE' err
check "there is nothing to search (exit $rc)" $?
if [ -d /etc/audit ]; then
    # shellcheck disable=SC2016
    nowhere sh -c 'mount -t tmpfs none /etc/audit && mkdir -p /var/lib/culprit && : > /etc/audit/auditd.conf && : > /var/lib/culprit/culprit.db'
    [ "$rc" = 2 ] && grep -q 'recorded itself is searched with --store /var/lib/culprit/culprit.db' err
    check "there is a record of culprit's to search (exit $rc)" $?
fi

echo "$passed passed, $failed failed"
[ $failed = 0 ]
