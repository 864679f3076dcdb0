#!/bin/bash
# SPDX-License-Identifier: MIT
# log_act.sh ACTORS WORK: what log.sh records live and in a log.
# the agent lives below /opt/sentinelone of a mount namespace of its own
unshare --mount --propagation private /bin/bash -c '
    mount -t tmpfs tmpfs /opt && mkdir -p /opt/sentinelone/bin &&
    cp "$0" /opt/sentinelone/bin/s1-agent && cp "$0" /opt/sentinelone/bin/sentineld &&
    exec /opt/sentinelone/bin/sentineld - /ProcessConf 5001 5001 0 "$1"' "$1/s1-agent" "$2/prd"
# no subshell: a log has no forks, so that who never makes a call that is audited is nobody's launcher there
cd "$2/prd" || exit
rm -rf deep
rm "two words"
mv moved ../elsewhere/gone
setpriv --reuid 65534 --regid 65534 --clear-groups rm -f "$2/prd/keep" 2> /dev/null
chmod 0600 "$2/prd/keep"
touch "$2/prd/the-end"
