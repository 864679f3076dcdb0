# SPDX-License-Identifier: MIT
# bash completion of culprit: commands, options, containers, paths.
_culprit() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "watch run who search diff import rules doctor help" -- "$cur")
        return
    fi
    if [ "${COMP_WORDS[1]}" = search ]; then
        case $prev in
        --format) mapfile -t COMPREPLY < <(compgen -W "raw default interpret csv text json ocsf" -- "$cur"); return ;;
        --escape) mapfile -t COMPREPLY < <(compgen -W "raw tty shell shell_quote" -- "$cur"); return ;;
        -sv | --success) mapfile -t COMPREPLY < <(compgen -W "yes no" -- "$cur"); return ;;
        -ts | --start | -te | --end) mapfile -t COMPREPLY < <(compgen -W "now recent this-hour boot today yesterday
                this-week week-ago this-month this-year checkpoint" -- "$cur"); return ;;
        -ui | -ue | -ul | -ua | --uid | --uid-effective | --uid-all | --loginuid)
            mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
        -gi | -ge | -ga | --gid | --gid-effective | --gid-all) mapfile -t COMPREPLY < <(compgen -g -- "$cur"); return ;;
        esac
        case $cur in
        -*) mapfile -t COMPREPLY < <(compgen -W "$(culprit search -h 2>/dev/null | grep -oE -- '^ +(-[a-z]+, )?--[a-z0-9-]+' |
                tr -d ,)" -- "$cur"); return ;;
        esac
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
    fi
    if [ "${COMP_WORDS[1]}" = rules ]; then
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W "check list load explain" -- "$cur")
        elif [ "${COMP_WORDS[2]}" = list ]; then
            mapfile -t COMPREPLY < <(compgen -W "-k -i -s" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        return
    fi
    case $prev in
    --rules | --from) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    --format) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur"); return ;;
    --sensor) mapfile -t COMPREPLY < <(compgen -W "auto audit fanotify bpf" -- "$cur"); return ;;
    --store | --exclude | --allow | --junit) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    --user | --by-user) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
    --program) mapfile -t COMPREPLY < <(compgen -c -- "$cur"); return ;;
    --op)
        local before= # LIST: the last word of it
        [[ $cur != *,* ]] || before=${cur%,*},
        mapfile -t COMPREPLY < <(compgen -P "$before" -W "delete modify create move permission mode owner time xattr acl
            flags attribute access execute read open-write write truncate mkdir mknod symlink link unlink rmdir rename
            replace chmod chown utime setxattr removexattr setacl setflags attributes exec mount unmount" -- "${cur##*,}")
        return ;;
    --by) mapfile -t COMPREPLY < <(compgen -W "cause program user file hour" -- "$cur"); return ;;
    --sort) mapfile -t COMPREPLY < <(compgen -W "count bytes" -- "$cur"); return ;;
    --exit-status) mapfile -t COMPREPLY < <(compgen -W "command own" -- "$cur"); return ;;
    --cause | --limit | --top | --node | -k) return ;;
    --container)
        mapfile -t COMPREPLY < <(timeout 2 culprit doctor --containers 2> /dev/null | sed 's,:/*$,,' |
            grep -F -- "$cur")
        return ;;
    esac
    case $cur in
    -*) mapfile -t COMPREPLY < <(compgen -W "-p --permissions -k --key -w --watch -i -s --debug --sensor --writes --format --for --store --no-store
            --ring-size --rules --settle --assert-unchanged --allow --junit --exit-status --by-user --since --until --from --to --times --op --user --program --cause
            --container --exclude --limit --quiet --verbose --by --top --sort --node --containers --help" -- "$cur"); return ;;
    esac
    # words broken at the colon: take the target as it was typed
    local typed=${COMP_LINE:0:COMP_POINT} name
    typed=${typed##* }
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    [ "${COMP_WORDS[1]}" != import ] || return 0
    while IFS= read -r name; do # names are foreign: compared, never expanded
        if [[ $typed && $name == "$typed"* && $typed == *:* && $COMP_WORDBREAKS == *:* ]]; then
            COMPREPLY+=("${name#"${typed%"${typed##*:}"}"}")
        elif [[ $name == "$typed"* ]]; then
            COMPREPLY+=("$name")
        fi
    done < <(timeout 2 culprit doctor --containers 2> /dev/null)
}
complete -o nospace -F _culprit culprit
