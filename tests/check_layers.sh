#!/bin/bash
# SPDX-License-Identifier: MIT
# Compares every #include "folder/..." below src/ with the table of docs/architecture.md, finds circles of files
# (circles.py), names of two types (type_names.py), private words and long files (plain_words.py), long functions
# (long_functions.py), functions of headers that nothing explains (contracts.py), files that documents name and that are not there
# (doc_files.py), what is not compiled without a library that may be missing (optional.sh), and what libraries must not do: print,
# exit, read the environment.
cd "$(dirname "$0")/.." || exit 2

allowed() {
    case $1 in
    util) echo util ;;
    control) echo util control ;;
    wire) echo wire ;;
    bpf) echo bpf wire ;;
    event) echo util wire event ;;
    foreign) echo util foreign ;;
    sensor) echo util wire event sensor bpf foreign ;; # bpf: the generated skeletons
    cause) echo util event cause ;;
    engine) echo util event foreign engine ;;
    attribution) echo util event cause engine attribution foreign ;;
    watch) echo util event cause engine watch foreign ;;
    store) echo util event cause store ;;
    copies) echo util event foreign copies ;;
    compare) echo util event cause engine store compare foreign ;;
    restore) echo util event cause engine store copies compare foreign restore ;;
    guard) echo util event engine foreign restore guard ;;
    clues) echo util event engine attribution foreign compare clues ;;
    report) echo util event cause store report ;;
    alert) echo util event cause store report alert ;;
    sink) echo util event foreign sink ;;
    history) echo util event cause sensor search history ;;
    rules) echo util event sensor rules ;;
    config) echo util event cause sensor watch store report alert sink rules copies config ;;
    search) echo util event sensor search ;;
    daemon) echo util event cause sensor engine attribution watch store copies guard report alert sink search history daemon foreign config control ;;
    cli) echo util event cause sensor engine attribution watch store copies compare restore guard clues report alert sink search rules history daemon cli foreign config control ;;
    esac
}

failed=0
for folder in src/*/; do
    name=${folder#src/} name=${name%/}
    list=" $(allowed "$name") "
    if [ "$list" = "  " ]; then
        echo "layers: folder $name is not in the table"
        failed=1
    fi
    grep -q "src/$name/" docs/architecture.md || { echo "layers: docs/architecture.md does not name src/$name/"; failed=1; }
    while IFS=: read -r file line include; do
        include=${include#*\"}
        to=${include%%/*}
        [ -d "src/$to" ] || continue
        case $list in
        *" $to "*) ;;
        *)
            echo "$file:$line: $name/ may not include $to/"
            failed=1
            ;;
        esac
    done < <(grep -rn '^#include "[a-z]*/' "$folder" --include='*.c' --include='*.h')
done
if grep -rnE '\b(printf|puts|perror|exit|getenv|secure_getenv)\(' src --include='*.c' |
    grep -vE '^src/(cli|bpf)/|_exit\(|bpf_printk|^[^:]*:[0-9]*: *(/?\*|//)'; then
    echo "layers: libraries neither print, exit, nor read the environment"
    failed=1
fi
# uthash ends the process where memory runs out, unless util/hash_table.h says otherwise; then what is added has to be asked for.
if grep -rn '<uthash.h>' src --include='*.c' --include='*.h' | grep -v '^src/util/hash_table.h:'; then
    echo "layers: uthash is included by util/hash_table.h alone"
    failed=1
fi
if ! grep -rlE 'HASH_ADD' src --include='*.c' | xargs awk '
    FNR == 1 && added { bad = 1; print where }
    FNR == 1 { added = 0 }
    added && /HASH_IS_IN|HASH_FREE_IF_OUT|hh\.tbl/ { added = 0 }
    added && FNR > added + 3 { bad = 1; print where; added = 0 }
    /HASH_ADD/ { added = FNR; where = FILENAME ":" FNR }
    END { if (added) print where; exit bad || added != 0 }'; then
    echo "layers: whoever adds to a table asks whether there was room (util/hash_table.h)"
    failed=1
fi
# JSON is written by util/json_writer.h alone; a constant part is a JSON_LITERAL.
if grep -rnE '(sbuf_add|sbuf_addf|sbuf_add_str)\(.*\\"[^"]*\\":' src --include='*.c' --include='*.h' |
    grep -v '^src/util/json_writer'; then
    echo "layers: a key of JSON by hand: use util/json_writer.h"
    failed=1
fi
# What users, processes and containers own is opened by src/foreign/ and src/util/beneath.c alone: anything else
# may be a fifo, a device, a link to the host's files, or never answer. These open what is not theirs:
may_open=" $(sed 's/ *#.*//' <<'END'
attribution/file_mapping.c    # the host's own package lists, for owner.c
attribution/agents.c          # the administrator's list of products
attribution/host_names.c      # a root directory, O_PATH
attribution/owner.c           # the host's own package lists
attribution/peer.c            # /proc
attribution/procfs.c          # /proc
attribution/sessions.c        # a root directory, O_PATH
attribution/users.c           # /proc
clues/deleted.c               # the block device of a mounted file system, by its number, read only
clues/access_files.c          # O_PATH; directories below the target, without following
clues/directory.c             # O_PATH; directories below the target, without following
clues/namespaces.c            # /proc, root directories, O_PATH
clues/open.c                  # /proc
clues/mounts.c                # a directory, by its descriptor
clues/processes.c             # /proc
cli/cmd_doctor.c              # /sys
cli/guard_allow.c             # /proc
cli/kernel_guard.c            # /sys
cli/output_file.c             # the user's own: where he wants the output
cli/print.c                   # /proc
cli/rule_file.c               # the user's own: his rules
cli/who_store.c               # our own store
config/files.c                # the administrator's configuration
copies/held.c                  # /proc/self
copies/held_thread.c           # our own copies
copies/pack.c                 # our own copies
copies/large.c                # the same
copies/spans.c                # beside them
daemon/answerer.c             # /proc, of its own process
daemon/heartbeat.c            # our own directory, /proc/self
daemon/changes.c              # doctor's scratch directory, by descriptors
daemon/silencing.c            # our own file beside the store, /proc
daemon/usual_file.c           # our own file beside the store
daemon/single.c               # our own lock
daemon/scratch.c              # the same
daemon/responder.c            # /proc; cgroups
daemon/selftest.c             # /proc, a root directory
engine/engine_machine.c       # cgroups; /var/lib/lxc and /run/systemd/machines, which are root's
engine/layers.c               # O_PATH without following, one name at a time
engine/merged.c               # directories of layers, to list them
engine/oci.c                  # /proc
engine/oci_dirs.c             # directories of runtimes, to list them
engine/oci_exit.c             # cgroups
engine/first_process.c        # cgroups, /proc
engine/podman_find.c          # /etc/passwd, /etc/containers
guard/keeper.c                # /dev/null
guard/state.c                 # our own state
guard/tree.c                  # O_PATH without following; /proc
restore/place.c               # /proc; directories beneath a root, O_PATH without following
restore/put.c                 # names in a directory, by its descriptor: ours, or O_PATH without following
restore/still_open.c          # /proc; what a process holds, O_PATH
restore/writer.c              # O_PATH without following, in a layer that is not mounted
search/checkpoint.c           # the user's own: his checkpoint
sensor/audit/log/config.c     # auditd's settings
sensor/bpf/guard_tree.c       # O_PATH without following; directories of a target
sensor/audit/log/files.c      # logs that the user names, also pipes; what was listed and nothing else
sensor/audit/object.c         # /proc
sensor/audit/rules.c          # /proc
sensor/audit/session.c        # /proc
sensor/audit/session_found.c  # our own state, /proc
sensor/bpf/below.c            # O_PATH of a directory of the host
sensor/bpf/features.c         # /sys, /proc
sensor/bpf/pin.c              # O_PATH of what is watched
sensor/bpf/record_event.c     # /proc
sensor/fanotify/fanotify.c    # /proc
sensor/fanotify/marks.c       # /proc
sensor/fanotify/meaning.c     # O_PATH of what is watched
sensor/fanotify/object.c      # O_PATH of what is watched
sensor/fanotify/place.c       # O_PATH of what is watched
sensor/fanotify/rescan.c      # directories of what is watched
sensor/fanotify/window.c      # /proc
sensor/object/way.c           # O_PATH of what is watched
sensor/tree/open_directory.c  # directories of what is watched
sensor/tree/walk.c            # the same
sink/file.c                   # where the administrator wants alerts
sink/sinks.c                  # the administrator's secret
sink/spool.c                  # our own spool
store/observer.c              # our own store
store/sqlite.c                # our own store
store/takeover.c              # our own state
util/child.c                  # /dev/null
util/inherited.c              # /proc/self/fd
util/inotify.c                # O_PATH of /
util/memory.c                 # /proc
util/mountinfo.c              # /proc
util/priority.c               # /proc/self
util/proc_stat.c              # /proc
util/write.c                 # our own files
store/room.c                  # beside our own store
store/checkpoint.c            # its log
store/maintain.c              # a new file, by its own name
watch/count.c                 # directories of what is watched
watch/resolve.c               # root directories, O_PATH
END
) "
while IFS=: read -r file line text; do
    case $file in
    src/foreign/* | src/util/beneath.c | src/bpf/*) continue ;;
    esac
    [[ $may_open == *[[:space:]]"${file#src/}"[[:space:]]* ]] && continue
    echo "$file:$line: opens a file by itself: use util/beneath.h, or ask src/foreign/"
    failed=1
done < <(grep -rnE '(^|[^a-z_>.])(open|openat|openat2|creat|fopen|opendir|fts_open|nftw|sqlite3_open(_v2)?)\(' src --include='*.c' |
    grep -vE '^[^:]*:[0-9]*: *(/?\*|//)')
for file in $may_open; do
    [ -e "src/$file" ] || { echo "layers: $file, which may open files, is not there any more"; failed=1; }
done
python3 tests/circles.py || failed=1
python3 tests/type_names.py || failed=1
python3 tests/plain_words.py || failed=1
python3 tests/long_functions.py || failed=1
python3 tests/contracts.py || failed=1
python3 -B tests/doc_files.py || failed=1
tests/optional.sh || failed=1
[ $failed = 0 ] && echo "layers: every include is in the table, no circle of files, no name of two types, no header's function unexplained"
exit $failed
