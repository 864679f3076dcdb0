# SPDX-License-Identifier: MIT
# bash completion of culprit: commands, options, containers, paths.
_culprit() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} names
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "watch run who doctor help" -- "$cur")
        return
    fi
    case $prev in
    --format) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur"); return ;;
    --sensor) mapfile -t COMPREPLY < <(compgen -W "auto audit fanotify bpf" -- "$cur"); return ;;
    --store) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    esac
    case $cur in
    -*) mapfile -t COMPREPLY < <(compgen -W "-p -k -w --sensor --writes --format --for --store --no-store
            --ring-size --settle --assert-unchanged --since --until --op --help" -- "$cur"); return ;;
    esac
    names=$(docker ps -a --format '{{.Names}}:/' 2>/dev/null)
    mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur"; compgen -f -- "$cur")
}
complete -o nospace -F _culprit culprit
