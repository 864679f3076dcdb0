#!/bin/bash
# SPDX-License-Identifier: MIT
# refused.sh CULPRIT COMMAND [ARGUMENT...]: runs COMMAND, in whose arguments @ is a culprit that is looked at by strace, and
# lists the calls that its seccomp filter refused: none, if src/daemon/seccomp.c is right. For example
#   tests/refused.sh build/culprit tests/scenario/run.sh @ -s fanotify
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
CULPRIT=$(readlink -f "$1")
shift
command -v strace > /dev/null || { echo "******** NOT RUN: refused: no strace"; exit 0; }
WORK=$(mktemp -d "${CULPRIT_TEST_DIR:-/tmp}/culprit-refused.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
chmod 755 "$WORK"
mkdir "$WORK/calls"
ln -s "$(dirname "$CULPRIT")/tests" "$WORK/tests"
calls=$(sed -n 's/^ *CALL\(_BUT\)\?(\([a-z_0-9]*\).*/?\2/p' "$HERE/../src/daemon/seccomp.c" | tr '\n' ,)
# -D: the tracer is nobody's parent, so that culprit has the number and the signals of who was started
cat > "$WORK/culprit" <<END
#!/bin/sh
exec strace -D -f -qq --seccomp-bpf -e signal=none -e 'trace=${calls}bpf,seccomp' -o "$WORK/calls/\$\$" "$CULPRIT" "\$@"
END
chmod 755 "$WORK/culprit"
arguments=()
for word in "$@"; do
    [ "$word" = @ ] && word=$WORK/culprit
    arguments+=("$word")
done
"${arguments[@]}"
status=$?
# the tracers write until they have ended
for ((i = 0; i < 100; i++)); do pgrep -f -- "-o $WORK/calls/" > /dev/null || break; sleep 0.1; done
# a call may be in two lines: "<unfinished ...>" and "resumed"
confined=$(grep -l 'SECCOMP_FILTER_FLAG_TSYNC' "$WORK"/calls/* 2> /dev/null | wc -l)
refused=$(awk 'FNR == 1 {on = 0} /SECCOMP_FILTER_FLAG_TSYNC/ {on = 1}
    on && / = -1 (EPERM|ENOSYS)/ {sub(/^[0-9]+ +/, ""); print}' "$WORK"/calls/* 2> /dev/null | sort | uniq -c)
[ -z "$refused" ] || echo "$refused"
echo "refused: $confined of $(find "$WORK/calls" -type f | wc -l) culprits confined themselves; $([ -z "$refused" ] && echo no call of theirs was refused || echo WRONG: calls were refused)"
[ "$confined" -gt 0 ] && [ -z "$refused" ] && [ $status = 0 ]
