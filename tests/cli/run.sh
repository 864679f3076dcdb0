#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line without root and without sensors: tests/cli/run.sh CULPRIT_BINARY
# Help, usage errors, and whether help, manual page and completion say the same.
set -u
BINARY=${1:-}
if [ ! -x "$BINARY" ]; then
    echo "usage: $0 CULPRIT_BINARY" >&2
    exit 2
fi
BINARY=$(realpath "$BINARY")
cd "$(dirname "$0")/../.." || exit 2
MAN=man/culprit.1
passed=0 failed=0
work=$(mktemp -d /tmp/culprit-cli.XXXXXX) || exit 2
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$BINARY" "$work/culprit" && chmod 755 "$work/culprit" || exit 2
unprivileged=()
if [ "$(id -u)" = 0 ]; then
    unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups --)
fi

check() { # check NAME STATUS: 0 is good
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
        sed 's/^/    /' "$work/out" "$work/err" 2> /dev/null | head -8
    fi
}

# run ARGUMENTS...: without rights; status in $rc, output in $work/out and $work/err
run() {
    (cd / && exec timeout 300 "${unprivileged[@]}" "$work/culprit" "$@" < /dev/null) > "$work/out" 2> "$work/err"
    rc=$?
}

lines() { wc -l < "$1" | tr -d ' '; }

# usage NAME WHAT ARGUMENTS...: exit 2, nothing on stdout, one line that holds WHAT and where help is
usage() {
    local name=$1 what=$2
    shift 2
    run "$@"
    [ "$rc" = 2 ] && [ ! -s "$work/out" ] && [ "$(lines "$work/err")" = 1 ] &&
        grep -qF -- "$what" "$work/err" && grep -q '^culprit: ' "$work/err" &&
        grep -qE '\((culprit --help|culprit help [a-z]+)\)$' "$work/err"
    check "$name (exit $rc)" $?
}

# answers NAME WHAT ARGUMENTS...: exit 0, WHAT on stdout, nothing on stderr
answers() {
    local name=$1 what=$2
    shift 2
    run "$@"
    [ "$rc" = 0 ] && [ ! -s "$work/err" ] && grep -qF -- "$what" "$work/out"
    check "$name (exit $rc)" $?
}

# --- help and version ---
answers "--help" "usage: culprit" --help
answers "-h" "usage: culprit" -h
answers "help" "usage: culprit" help
version=$(sed -n "s/^ *version: '\([^']*\)'.*/\1/p" meson.build | head -1)
answers "--version" "culprit $version" --version
[ "$(lines "$work/out")" = 1 ]
check "--version is one line" $?
run
[ "$rc" = 2 ] && [ ! -s "$work/out" ] && grep -q "usage: culprit" "$work/err"
check "no command at all" $?

run --help
commands=$(sed -n '/^usage:/,/^for example/s/^  \([a-z]*\) .*/\1/p' "$work/out")
[ "$(wc -w <<< "$commands")" -ge 5 ]
check "the overview lists the commands" $?
for status in 0 1 2 3 4; do
    grep -qE "(^|[^0-9])$status [a-z]" "$work/out"
    check "the overview names exit status $status" $?
done
for command in $commands; do
    answers "help $command" "usage: culprit $command" help "$command"
    cp "$work/out" "$work/help.$command"
    answers "$command --help" "usage: culprit $command" "$command" --help
    cmp -s "$work/out" "$work/help.$command"
    check "$command --help is help $command" $?
    answers "$command --version" "culprit $version" "$command" --version
    awk 'length > 100 {bad = 1} END {exit bad}' "$work/help.$command"
    check "help $command fits 100 columns" $?
done

# --- help, manual page, completion: the same commands and options ---
sed 's/\\-/-/g; s/\\f[BIR]//g' "$MAN" > "$work/man"
sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$work/man" > "$work/man.options"
# options_of COMMAND: those that its help lists, one a line; they are the rows of the table
options_of() {
    awk '/^  -|^      --/ {
        for (i = 1; i <= 2; i++) {
            word = $i
            sub(/,$/, "", word)
            if (word !~ /^--?[a-z]/) break
            print word
        }
    }' "$work/help.$1" | sort -u
}
# COMMAND OPTION, of each entry that begins with the commands that have it: "(watch, run) ..."
awk '
/^\.SH SEARCH/ { search = 1 }
/^\.TP/ {
    getline tag
    getline text
    if (search) commands = "search"
    else if (match(text, /^\([^)]*\)/)) commands = substr(text, 2, RLENGTH - 2)
    else commands = "nobody"
    count = split(commands, command, /, */)
    gsub(/[",]/, " ", tag)
    words = split(tag, word, / +/)
    for (i = 1; i <= words; i++)
        for (c = 1; word[i] ~ /^--?[a-z]/ && c <= count; c++) {
            sub(/ .*/, "", command[c])
            print command[c], word[i]
        }
}' "$work/man.options" | sort -u > "$work/man.pairs"
for command in $commands; do
    [ "$command" = help ] && continue
    grep -qE "^\.B culprit $command" "$work/man"
    check "manual: synopsis of $command" $?
    sed -n '/^\.SH COMMANDS/,/^\.SH OPTIONS/p' "$work/man" | grep -qE "^\.B $command\$"
    check "manual: what $command does" $?
    options=$(options_of "$command")
    [ -n "$options" ] || [ "$command" = completion ]
    check "help $command has options" $?
    for option in $options; do
        echo "$command $option" >> "$work/help.pairs"
        words=("$command")
        [ "$command" != rules ] || words+=(list)
        run "${words[@]}" "$option" # it is taken, or asks for its argument
        ! grep -q "unknown option" "$work/err"
        check "$command takes $option" $?
    done
done
sort -u "$work/help.pairs" | diff - "$work/man.pairs" > "$work/out" 2>&1
check "the manual has the options of each command, and no other (< help, > manual)" $?
# the pages of single commands: what their lists of options begin with
for page in man/culprit-*.[18]; do
    command=${page#man/culprit-}
    command=${command%.*}
    sed 's/\\-/-/g; s/\\f[BIR]//g' "$page" | awk '
        /^\.TP/ {
            getline
            gsub(/[",]/, " ")
            for (i = 2; i <= NF; i++) if ($i ~ /^--?[a-z][a-z-]*$/) print $i
        }' | sort -u > "$work/page.options"
    options_of "$command" | diff - "$work/page.options" > "$work/out" 2>&1
    check "$page has the options of $command, and no other (< help, > page)" $?
done
for status in 0 1 2 3 4; do
    sed -n '/^\.SH EXIT STATUS/,/^\.SH /p' "$work/man" | grep -qE "(^|[ ;])$status [a-z]"
    check "manual: exit status $status" $?
done
if command -v man > /dev/null; then
    for page in "$MAN" man/culprit-alert.1 man/culprit-backup.1 man/culprit-clues.1 man/culprit-ctl.1 man/culprit-expect.1 man/culprit-guard.1 man/culprit-daemon.8 man/culprit-prune.1 man/culprit-restore.1; do
        [ -z "$(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 > /dev/null)" ]
        check "$page has no warnings" $?
    done
fi

# --- daemon: its configuration, the pages of the manual about it ---
usage "daemon takes no target" "what is watched stands in the configuration" daemon /etc
answers "the example has no mistake" "no mistake: 1 file, 0 watches" daemon --check-config "$PWD/dist/culprit.conf"
answers "the defaults are printed" "groups = {" daemon --config / --print-config
for key in $(sed -n 's/^\([a-z_]*\) = .*/\1/p' "$work/out") targets permissions key; do
    sed -n '/^\.SH CONFIGURATION/,/^\.SH OPTIONS/p' man/culprit-daemon.8 | grep -qE "^\.B(R|I)? (.* )?$key( |$)"
    check "culprit-daemon(8) explains $key" $?
done
for group in $(sed -n 's/^#   \([a-z]*\) .*/\1/p' "$work/out"); do
    grep -qx "\.B $group" man/culprit-daemon.8
    check "culprit-daemon(8) explains the group $group" $?
done
printf 'wtach x {}\n' > "$work/bad.conf"
run daemon --check-config "$work/bad.conf"
[ "$rc" = 2 ] && [ ! -s "$work/out" ] && grep -qF "culprit: $work/bad.conf:1: no key \"wtach\"; did you mean watch?" "$work/err"
check "a mistake has file, line and status 2 (exit $rc)" $?
while IFS='|' read -r line said; do
    printf '%s\n' "$line" > "$work/bad.conf"
    run daemon --check-config "$work/bad.conf"
    [ "$rc" = 2 ] && [ ! -s "$work/out" ] && [ "$(lines "$work/err")" = 1 ] && grep -qF "culprit: $work/bad.conf:1: $said" "$work/err"
    check "$line is refused (exit $rc)" $?
done << 'END'
copies_size = 512K|copies_size: "512K" is less than 1M
learning = 31d|learning: "31d" is more than 30 days
learning = never|learning: "never" is neither off nor a duration (write 90s, 15m, 2h or 7d)
redact = { user }|redact: nothing to redact is called "user" (users, arguments, homes)
keep_copies = on|keep_copies has no place here: it belongs into a watch
watch a { targets = /srv keep_copy = on }|no key "keep_copy"; did you mean keep_copies?
watch a { targets = /srv guard = on guard = off }|guard stands twice
watch a { targets = /srv allow = user:backup }|allow goes with guard = on
sink m { type = mail to = a@b ca = /x }|sink "m": secret and ca of mail are for a server
END
run daemon --config "$work/nowhere" --check-config
[ "$rc" = 2 ] && grep -q "nowhere: No such file" "$work/err"
check "a directory that was named has to be there (exit $rc)" $?

# --- completion: every command, and exactly the options of each ---
for shell in bash zsh fish; do
    answers "completion $shell" "completion of culprit" completion "$shell"
    cp "$work/out" "$work/complete.$shell"
done
usage "completion of no shell" "for which shell" completion
usage "completion of another shell" 'no completion for "ksh"' completion ksh
# complete_words WORD...: what bash would offer for the last one
complete_words() {
    bash -c 'complete() { :; }; timeout() { echo web:/; } # it asks `culprit doctor --containers`
        . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _culprit; printf "%s\n" "${COMPREPLY[@]}"' \
        _ "$work/complete.bash" "$@" > "$work/out" 2> "$work/err"
}
# options_in_SHELL COMMAND: what it offers for a dash
options_in_bash() {
    complete_words culprit "$1" -
    cat "$work/out"
}
options_in_zsh() { # what _arguments is asked for; it is not there without a terminal
    zsh -f -c '_arguments() { print -rl -- "$@"; }; compdef() { :; }
        . "$1"; words=(culprit $2 -) CURRENT=3; _culprit' _ "$work/complete.zsh" "$1" |
        sed -nE 's/^\*(--?[a-z0-9-]+).*/\1/p'
}
options_in_fish() {
    HOME=$work XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work fish --no-config -c 'source $argv[1]; complete -C "culprit $argv[2] -"' \
        -- "$work/complete.fish" "$1" | cut -f 1
}
for shell in bash zsh fish; do
    if ! command -v "$shell" > /dev/null; then
        echo "******** NOT TESTED: completion by $shell, which is not installed"
        continue
    fi
    "$shell" -n "$work/complete.$shell" > "$work/out" 2> "$work/err"
    check "completion is $shell" $?
    for command in $commands; do
        {
            options_of "$command"
            [ "$command" = search ] || printf '%s\n' --help --version
        } | sort > "$work/wanted"
        "options_in_$shell" "$command" 2>&1 | sort | diff "$work/wanted" - > "$work/differences"
        cp "$work/differences" "$work/out"
        [ ! -s "$work/differences" ]
        check "$shell offers the options of $command, and no other (< help, > $shell)" $?
    done
done
complete_words culprit ""
for command in $commands; do
    grep -qx "$command" "$work/out"
    check "completes to $command" $?
done
complete_words culprit w
[ "$(sort "$work/out" | tr '\n' ' ')" = "watch who " ]
check "completes w" $?
complete_words culprit watch --fo
[ "$(sort "$work/out" | tr '\n' ' ')" = "--follow --for --format " ]
check "completes --fo" $?
complete_words culprit watch --format ""
[ "$(sort "$work/out" | tr '\n' ' ')" = "json text " ]
check "completes --format" $?
complete_words culprit watch --format = j
[ "$(cat "$work/out")" = json ]
check "completes --format=" $?
complete_words culprit watch --sensor audit,f
[ "$(cat "$work/out")" = audit,fanotify ]
check "completes a list of sensors" $?
complete_words culprit rules ""
[ "$(sort "$work/out" | tr '\n' ' ')" = "check explain list load " ]
check "completes what about rules" $?
complete_words culprit run -w /etc -- chmo
grep -qx chmod "$work/out"
check "completes COMMAND" $?
complete_words culprit run -w we
grep -qx web:/ "$work/out"
check "completes -w" $?
complete_words culprit who --op delete,perm
grep -qx delete,permission "$work/out"
check "completes a list of operations" $?
complete_words culprit watch we
grep -qx web:/ "$work/out"
check "completes containers" $?

# --- wrong usage: exit 2, one line, what to do ---
usage "unknown command" 'no command "nosuch"' nosuch
usage "empty command" 'no command ""' ""
usage "an option that is no command" 'no command "--bogus"' --bogus
usage "help of nothing known" 'no command "nosuch"' help nosuch
for command in watch run who doctor; do
    usage "$command: unknown long option" "unknown option --bogus" "$command" --bogus /x
    usage "$command: unknown short option" "unknown option -Q" "$command" -Q /x
    usage "$command: unknown format" 'unknown format "xml" (use text, json)' "$command" --format xml /x
    usage "$command: format without a word" "--format needs an argument" "$command" --format
done
usage "watch: nothing" "nothing to watch" watch
usage "run: nothing" "nothing to watch" run
usage "run: no target" "nothing to watch: -w" run -- true
usage "run: no command" "no command to run" run -w /etc
usage "run: nothing behind --" "no command to run" run -w /etc --
usage "who: nothing" "which file?" who
usage "unknown permission" "unknown permission 'z'" watch -p rwz /x
usage "no permission" "no permission" watch -p "" /x
usage "-p alone" "-p needs an argument" watch -p
usage "-k alone" "-k needs an argument" run -k
usage "-k alone behind another letter" "culprit: -k needs an argument" rules list -ik
usage "duration without a unit" '"5" is not a duration' watch --for 5 /x
usage "negative duration" '"-5s" is not a duration' watch --for -5s /x
usage "duration too large" "is not a duration" watch --for 99999999999999999999d /x
usage "duration of nothing" "--for 0 would see nothing" watch --for 0s /x
usage "settle" '"long" is not a duration' run -w /x --settle long -- true
usage "size" '"huge" is not a size' watch --ring-size huge /x
usage "size too large" "is not a size" watch --ring-size 99999999999G /x
usage "who: an end before the beginning" "--until is before --since" who --since -1h --until -2h /x
usage "who: no such table" 'unknown summary "day" (use cause, program, user, file, hour)' who --by day /x
usage "who: no such order" 'unknown order "size" (use count, bytes)' who --by file --sort size /x
usage "who: rows of no table" "--top and --sort go with --by" who --top 3 /x
usage "who: expected, and another table" "without --by" who --expected --by file /x
usage "who: a configuration for nothing" "--config goes with --expected" who --config /etc /x
usage "expect: of what" "--learn 7d" expect
usage "expect: no duration" "is not a duration" expect --learn often
usage "expect: a word" 'unexpected word "x"' expect --learn 7d x
usage "who: no number of rows" "is not a number" who --by file --top many /x
for option in --allow --junit --exit-status; do
    usage "run's $option for watch" "$option belongs to \`culprit run\`" watch "$option" own /x
done
usage "run: a user that is none" 'no user "nosuch-user"' run --no-store --user nosuch-user -w /etc -- true
usage "run: no user" "no user" run --user "" -w /etc -- true
usage "run: --allow alone" "--allow goes with --assert-unchanged" run --allow /x -w /etc -- true
usage "run: no path" "no path in --allow" run --assert-unchanged --allow "" -w /etc -- true
usage "run: no file" "no file in --junit" run --junit "" -w /etc -- true
usage "run: whose status" 'unknown exit status "his" (use command, own)' run --exit-status his -w /etc -- true
usage "run's option for watch" "--settle belongs to \`culprit run\`" watch --settle 3s /x
usage "run's other option for watch" "--assert-unchanged belongs to \`culprit run\`" watch --assert-unchanged /x
usage "watch's option for run" "--for belongs to \`culprit watch\`" run -w /etc --for 2s -- true
usage "an option with a word too much" "unknown option" watch --writes=yes /x
usage "who: no time" '"never" is not a time' who --since never /x
usage "who: a day that is none" "is not a time" who --until 2026-13-01 /x
usage "who: unknown operation" 'unknown operation "fly"; there are delete' who --op unlink,fly /x
usage "who: an operation mistyped" 'unknown operation "delet"; did you mean delete? (culprit help who)' who --op delet /x
usage "who: no operation" "no operation" who --op "" /x
for command in watch who; do
    usage "$command: empty target" "[CONTAINER:]PATH" "$command" ""
    usage "$command: no container before the colon" "no container" "$command" ":/x"
    usage "$command: relative path in a container" "starts with /" "$command" "web:x"
    usage "$command: no path in a container" "starts with /" "$command" "web:"
done
for command in watch who; do
    usage "$command: a slip in an option" "did you mean --user?" "$command" --usr bob /x
    usage "$command: a slip in an operation" "did you mean delete?" "$command" --op delet /x
    usage "$command: operations are listed" "attribute" "$command" --op fly /x
    usage "$command: no number" 'is not a number' "$command" --limit many /x
    usage "$command: a negative number" 'is not a number' "$command" --limit -1 /x
    usage "$command: quiet and verbose" "opposites" "$command" --quiet --verbose /x
    usage "$command: no user" "no user" "$command" --user "" /x
    usage "$command: no program" "nothing in --program" "$command" --program "" /x
    usage "$command: no cause" "nothing in --cause" "$command" --cause "" /x
    usage "$command: no excluded path" "no path" "$command" --exclude "" /x
    usage "$command: no container" "is no container" "$command" --container /x /x
done
usage "a slip in a command" "did you mean watch?" wacth
usage "a slip in an option" "did you mean --help?" --hlep
usage "a slip in what about rules" "did you mean list?" rules lst
usage "an abbreviation of several" "it could be --since, --store" who --s x /x
usage "an option that takes no word" "--quiet takes no argument" who --quiet=yes /x
usage "operations that are not observed" "add r to it" watch -p w --op read /x
usage "run: empty target" "[CONTAINER:]PATH" run -w "" -- true
usage "guard: confirmed after its end" "give --confirm less than --for" guard --confirm 10m --for 10m /x
usage "guard: --confirmed with what begins one" "nothing of it is changed" guard --confirmed --for 5m
usage "guard: --off with what begins one" "nothing of it is changed" guard --off --confirm 5m
usage "guard: kept, and reported" "not with --log-only" guard --keep --format json /x
usage "guard: kept, and over" "not with --log-only" guard --keep --off /x
usage "guard: a judgement with another option" "with --allow, --store and --format alone" guard --would-have 7d --confirm 5m /x
usage "guard: nobody is allowed" "--allow names nobody" guard --would-have 7d --allow "" /x
usage "guard: a judgement of nothing" "which files?" guard --would-have 7d
usage "the second target is bad" "no container" watch /etc ":/x"

# --- without rights: exit 3, one line; without a store: exit 1 ---
if [ "${#unprivileged[@]}" -gt 0 ] || [ "$(id -u)" != 0 ]; then
    for format in text json; do
        run watch --no-store --format "$format" --for 1s /etc
        [ "$rc" = 3 ] && [ ! -s "$work/out" ] && [ "$(lines "$work/err")" = 1 ] && grep -q root "$work/err"
        check "watch without rights, $format (exit $rc)" $?
    done
    mkdir -m 777 "$work/open"
    run run --no-store -w /etc -- touch "$work/open/ran"
    [ "$rc" = 3 ] && [ ! -e "$work/open/ran" ]
    check "run without rights runs nothing (exit $rc)" $?
    run run --no-store -w /etc -- true --help
    [ "$rc" = 3 ] && ! grep -q usage "$work/out"
    check "COMMAND's --help is COMMAND's (exit $rc)" $?
    run doctor
    [ "$rc" = 3 ] && grep -q "^kernel" "$work/out"
    check "doctor without rights says what is missing (exit $rc)" $?
fi
run who --store /nonexistent/culprit.db /etc/hosts
[ "$rc" = 1 ] && [ ! -s "$work/out" ] && [ "$(lines "$work/err")" = 1 ] && grep -q "nothing was recorded" "$work/err"
check "who without a store (exit $rc)" $?
# mv /data/mid /data/gone, asked for what was in it
call='type=SYSCALL msg=audit(1795480500.100:50): arch=c000003e syscall=82 success=yes exit=0 a0=7fff a1=7ffe a2=0 a3=0 items=4 ppid=41 pid=42 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=7 comm="mv" exe="/usr/bin/mv" key="d"'
{
    echo "$call"
    echo 'type=CWD msg=audit(1795480500.100:50): cwd="/data"'
    for path in '0 name="/data/" inode=11 040755 PARENT' '1 name="/data/" inode=11 040755 PARENT' \
        '2 name="/data/mid" inode=12 040755 DELETE' '3 name="/data/gone" inode=12 040755 CREATE'; do
        read -r item name inode mode type <<< "$path"
        echo "type=PATH msg=audit(1795480500.100:50): item=$item $name $inode dev=fd:01 mode=$mode ouid=0 ogid=0 rdev=00:00 nametype=$type"
    done
} > "$work/mv.log"
chmod 644 "$work/mv.log"
run who --from "$work/mv.log" /data/mid/leaf/k
[ "$rc" = 0 ] && grep -q "moved /data/mid to /data/gone.*: /data/mid/leaf/k went with it\.$" "$work/out"
check "who: a folder above was moved (exit $rc)" $?
run who --from "$work/mv.log" --format json /data/mid/leaf/k
grep -q '"previous_path":"/data/mid".*"carried":"/data/mid/leaf/k"' "$work/out" && grep -q '"path":"/data/gone"' "$work/out"
check "who: a folder above was moved, as JSON" $?
run who --from "$work/mv.log" /srv/other
[ "$rc" = 1 ] && grep -q "nothing is recorded of /srv/other; what the log's rules covered is not known" "$work/out" &&
    ! grep -q "nothing happened" "$work/out"
check "who: a log does not say what it covered (exit $rc)" $?
# three deletions below /srv9/sub, and a file that went from there to /srv8
{
    call='arch=c000003e success=yes exit=0 a0=7 ppid=1 auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 comm="rm" exe="/usr/bin/rm" key="k"'
    for i in 1 2 3 4; do
        at="msg=audit(1795480500.10$i:5$i):" paths=("0 /srv9/sub 11 040755 PARENT" "1 /srv9/sub/f$i 2$i 0100644 DELETE") number=87
        [ "$i" != 4 ] || { paths=("0 /srv9/sub 11 040755 PARENT" "1 /srv8 12 040755 PARENT" "2 /srv9/sub/g 33 0100644 DELETE" "3 /srv8/g 33 0100644 CREATE") number=82; }
        echo "type=SYSCALL $at $call syscall=$number items=${#paths[@]} pid=90$i"
        echo "type=CWD $at cwd=\"/\""
        for path in "${paths[@]}"; do
            read -r item name inode mode type <<< "$path"
            echo "type=PATH $at item=$item name=\"$name\" inode=$inode dev=fd:01 mode=$mode ouid=0 ogid=0 rdev=00:00 nametype=$type"
        done
    done
} > "$work/within.log"
chmod 644 "$work/within.log"
mkdir "$work/own"
[ "$(id -u)" != 0 ] || chown 65534 "$work/own"
run import --store "$work/own/within.db" "$work/within.log"
for from in "--from $work/within.log" "--store $work/own/within.db"; do
    read -ra words <<< "$from"
    for targets in "/srv9" "/srv9 /srv9" "/srv9 /srv9/sub" "/srv9/sub /srv9/ /srv9/sub" "/srv8 /srv9" "/srv9 /srv8/g /srv9/sub"; do
        read -ra places <<< "$targets"
        run who "${words[@]}" --format json "${places[@]}"
        [ "$(grep -c '"kind":"event"' "$work/out")" = 4 ] && [ "$(grep -o '"outcome":"success","id":"[0-9a-f]*"' "$work/out" | sort -u | wc -l)" = 4 ]
        check "who ${words[0]} $targets: each change once" $?
        run who "${words[@]}" --by file "${places[@]}"
        grep -q "^ *4 .* in all$" "$work/out"
        check "and counted once (--by file)" $?
        run who "${words[@]}" "${places[@]}"
        [ "$rc" = 0 ] && ! grep -q "6 files\|8 files" "$work/out"
        check "and in the verdict" $?
    done
done
printf 'no database, and not empty either\n%200s' x > "$work/text"
run who --store "$work/text" /etc/hosts
[ "$rc" != 0 ] && [ ! -s "$work/out" ] && [ "$(lines "$work/err")" = 1 ]
check "who with a file that is no store (exit $rc)" $?
cmp -s <(printf 'no database, and not empty either\n%200s' x) "$work/text"
check "and leaves it as it is" $?

# --- what went wrong is never "nothing found": STATUS ARGUMENTS...; one line on stderr, nothing on stdout ---
head -c 200000 /dev/urandom > "$work/noise"
printf 'SQLite format 3\0' > "$work/damaged"
head -c 200000 /dev/urandom >> "$work/damaged"
mkdir "$work/nothing"
echo "-w /etc -p wa -k x" > "$work/closed"
chmod 644 "$work/noise" "$work/damaged" "$work/text"
chmod 000 "$work/closed"
while read -r status arguments; do
    read -ra words <<< "${arguments//@/$work}"
    run "${words[@]}"
    [ "$rc" = "$status" ] && [ ! -s "$work/out" ] && [ "$(lines "$work/err")" -ge 1 ]
    check "exit $status: $arguments (exit $rc)" $?
done << 'END'
3 who --store @/text /etc/hosts
3 who --store @/damaged /etc/hosts
3 who --store @/noise /etc/hosts
3 who --store @/nothing /etc/hosts
3 diff --store @/text --since -1h /etc/hosts
3 diff --store @/damaged --since -1h /etc/hosts
3 search --store @/text -k x
3 search --store @/damaged -k x
3 import --store @/text @/noise
3 import --store /nonexistent/dir/c.db @/noise
2 who --from @/nosuch /etc/hosts
2 who --from @/nothing /etc/hosts
3 who --from @/closed /etc/hosts
2 who --from /dev/zero /etc/hosts
2 import /dev/zero
2 search -if /dev/urandom -k x
2 import @/nosuch
2 search -if @/nosuch -k x
3 search -if @/closed -k x
2 search -if @/noise -k x
1 search --strict-ausearch -if @/nosuch -k x
2 search --frobnicate
1 search --strict-ausearch --frobnicate
2 rules check @/nosuch
3 rules check @/closed
2 rules load @/nosuch
2 rules explain @/nosuch
2 rules nosuch
2 watch --rules @/nosuch
3 watch --rules @/closed
1 who --store @/nosuch.db /etc/hosts
1 diff --store @/nosuch.db --since -1h /etc/hosts
END
# what never ends is not read for ever: 124 would be the time-out's
(cd / && cat /dev/zero 2> /dev/null | timeout 600 "${unprivileged[@]}" "$work/culprit" who --from - /etc/hosts) > "$work/out" 2> "$work/err"
[ "${PIPESTATUS[0]}" != 124 ] && grep -q 'without the end of a line: no log; not read on' "$work/err"
check "a pipe that never ends a line is not read for ever" $?

# --- what the user typed comes back harmless ---
evil=$'/x\e[2J\a\n\x7f\xff'
for arguments in "nosuch" "watch --bogus" "watch --for" "watch -p" "who --since" "who --op" "watch --sensor" \
    "who --store" "who --format" "help"; do
    if [ "$arguments" = nosuch ]; then
        run "$evil"
    else
        read -ra words <<< "$arguments"
        case $arguments in
        *--bogus) run "${words[0]}" "--bogus$evil" /x ;;
        help) run help "$evil" ;;
        *) run "${words[@]}" "$evil" /x ;;
        esac
    fi
    [ "$rc" != 0 ] && [ "$(lines "$work/err")" = 1 ] && ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f\xff]' "$work/err"
    check "hostile argument of $arguments (exit $rc)" $?
done
long=$(printf 'x%.0s' {1..100000})
usage "a very long command" "no command" "$long"
usage "a very long target" "a target of" watch "/$long"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
