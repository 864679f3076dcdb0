# SPDX-License-Identifier: MIT
# What tests in shell have in common; source it, and end with `finish`.
passed=0 failed=0
SHOW_FAILED= # files that say more of what failed

ok() { # ok TEXT COMMAND...
    local text=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "right: $text"
    else
        failed=$((failed + 1))
        echo "WRONG: $text"
        [ -z "$SHOW_FAILED" ] || tail -qn 3 $SHOW_FAILED 2> /dev/null # a pattern
    fi
}

await() { # await SECONDS COMMAND...: until it succeeds
    local i
    for ((i = 0; i < $1 * 20; i++)); do
        "${@:2}" && return 0
        sleep 0.05
    done
    return 1
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}
