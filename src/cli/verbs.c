/* SPDX-License-Identifier: MIT */
/* The table of verbs; main.c has what runs for each. */
#include "cli/verbs.h"

#include <string.h>

/* clang-format off */
const struct verb verbs[] = {
    { VERB_WATCH, "watch", "observe files, and say who changes them", COMPLETE_TARGET, NULL,
      "[-p rwxa] [-k KEY] [--for DUR] [options] TARGET...",
      "Observes until Ctrl-C, SIGTERM or DUR; prints each change, then the verdict.\n"
      "TARGET is [CONTAINER:]PATH; a directory covers everything below it. CONTAINER is a name, an\n"
      "id or its beginning, of Docker, Podman, containerd, CRI-O, runc, crun, LXC or nspawn. Also,\n"
      "with those that are made later: compose:PROJECT/SERVICE:PATH, pod:NAMESPACE/NAME[/CONTAINER]:PATH,\n"
      "image:NAME[:TAG]:PATH, label:KEY[=VALUE]:PATH; and volume:NAME/PATH.\n", NULL },
    { VERB_RUN, "run", "run a command, and say who changed files meanwhile", COMPLETE_COMMAND, NULL,
      "-w TARGET [-w TARGET...] [--settle DUR] [options] -- COMMAND...",
      "Watches, runs COMMAND, waits a little for late changes, prints the verdict.\n", NULL },
    { VERB_WHO, "who", "the verdict from what was recorded before", COMPLETE_TARGET, NULL,
      "[--from LOG...] [--since T] [--until T] [--op LIST] [--store FILE] TARGET...",
      "Answers from the store; also for containers that are gone.\n", NULL },
    { VERB_SEARCH, "search", "search audit logs, with ausearch's options", COMPLETE_FILE, NULL,
      "[options] [LOG...]",
      "Searches audit logs (by default the system's, with all its rotations; .gz .xz .zst too),\n"
      "or with --store what culprit recorded. All criteria must match.\n",
      "Times: 11/24/2026 12:00 as the locale has it, today, yesterday, recent, this-hour, this-week,\n"
      "week-ago, this-month, this-year, boot, now, 2026-11-24T12:00:00Z, -2h, 7d.\n"
      "Exit: 0 found, 1 nothing found, 2 wrong usage or no such log, 3 it cannot be read, 10 to 12\n"
      "checkpoint (see the manual). With --strict-ausearch 1 for every failure, as ausearch has it.\n" },
    { VERB_DIFF, "diff", "what differs from the image or from an earlier moment, and by whom",
      COMPLETE_TARGET, NULL,
      "[--since T | --from T1 --to T2] [--times] [--store FILE] CONTAINER [PATH]",
      "What of a container's files (running or not) is not as its image made it: missing, added,\n"
      "type, content, mode, owner, attributes and capabilities; each with whoever was recorded\n"
      "changing it. With a time: what the recorded changes since then come to; also for a\n"
      "container that is gone, and for a PATH of the host.\n"
      "Exit: 0 something differs, 1 nothing does, 3 no such container, or it cannot be compared.\n", NULL },
    { VERB_CLUES, "clues", "what this host still knows of what nobody recorded", COMPLETE_TARGET, NULL,
      "[--since T] [--until T] [--for DUR] [--history] [--format FMT] TARGET",
      "For afterwards, when nothing was watching: what is missing or changed against the image, the\n"
      "packages or git; what is hidden under a mount or still held open; when it happened; what ran,\n"
      "was logged or was due then; which rules of programs match the path. Reads only, some seconds.\n"
      "It names suspects, not culprits; where nothing is left it names nobody.\n"
      "Exit: 0 something was found, 1 nothing was.\n", NULL },
    { VERB_GUARD, "guard", "deny every change of files, and say who tried", COMPLETE_TARGET, NULL,
      "[--method METHOD] [--allow WHO]... [--for DUR] [--confirm DUR] TARGET...\n"
      "       culprit guard --would-have DUR [--allow WHO]... TARGET...\n"
      "       culprit guard --off [TARGET] | --confirmed [TARGET]",
      "Refuses changes of what is at and below TARGET until Ctrl-C, SIGTERM or DUR, and observes it\n"
      "meanwhile as watch does: who is refused is reported. By the kernel where that holds, else by the\n"
      "flags of chattr. \"guarded\" is said once it was tested to deny. It is undone on every exit, kill -9\n"
      "too; flags after a crash of the machine by the next command.\n"
      "Exit: as watch; 3 it cannot be guarded, and then nothing is held.\n", NULL },
    { VERB_RESTORE, "restore", "put back what was deleted or changed", COMPLETE_TARGET, NULL,
      "[--at TIME] [--from SOURCE] [--dry-run] [--force] [--store FILE] TARGET",
      "Puts back what is missing from a container (running or not), or not as its image made it, and\n"
      "deleted files of the host (of a container: --from open) that a process still holds open: content,\n"
      "mode, owner, times, attributes, ACL, capabilities, flags; of an image directories and links too.\n"
      "What is there and newer stays, unless --force. Each file is shown with whoever was recorded.\n"
      "Exit: 0 all of it is back, 1 nothing is missing or changed, 3 nothing could be put back,\n"
      "4 a part is back; the rest is named.\n", NULL },
    { VERB_IMPORT, "import", "audit logs into the store", COMPLETE_FILE, NULL,
      "[--store FILE] [LOG...]",
      "Puts the changes that audit logs report into the store, so that `who` and `search` see\n"
      "them. LOG is a file (plain, .gz, .xz, .zst), a directory with its rotations, or -; without one it\n"
      "is the system's. Importing twice adds nothing; one that was interrupted is taken up again so.\n", NULL },
    { VERB_RULES, "rules", "auditctl's rules: check, list, load, explain", COMPLETE_FILE,
      "check list load explain",
      "check FILE|- | list [-k KEY] [-i] [-s] | load FILE|- | explain [FILE|-]",
      "The rule language is auditctl's.\n\n"
      "  check    errors with their line and word, and what looks wrong; changes nothing\n"
      "  list     the kernel's own rules, as auditctl prints them\n"
      "  load     all of a file; nothing if it holds an error, unless the file says to go on\n"
      "  explain  what each rule catches and what it cannot; without FILE: the rules in force\n", NULL },
    { VERB_DAEMON, "daemon", "record unattended what /etc/culprit/culprit.conf names, or what the system consists of",
      COMPLETE_FILE, NULL, "[--config DIR] [--check-config [FILE] | --print-config]",
      "Stays in the foreground and records until SIGTERM; who, search and diff ask the record meanwhile and\n"
      "afterwards. SIGHUP reads the configuration anew; one with a mistake changes nothing. Without any\n"
      "configuration it watches /etc, the system's programs and libraries, /usr/local, /opt, /boot, cron\n"
      "and units.\n",
      NULL },
    { VERB_CTL, "ctl", "what the daemon does, what it watches; add, remove, silence, reload, flush", COMPLETE_TARGET,
      "status watches add remove silence reload flush metrics explain",
      "[--json] ACTION [TARGET...|EVENT|ALERT]",
      "Asks the daemon that runs. status, watches, metrics, explain: root and members of the group culprit;\n"
      "all else: root.\n\n"
      "  status   since when it records, what it does not see, what was lost, how late it is, what it costs\n"
      "  watches  what is watched, and what is not, and why\n"
      "  add      one more TARGET until it is removed or the daemon ends; a reload leaves it\n"
      "  remove   a TARGET that was added\n"
      "  silence  no alerts about TARGET, or about what the open ALERT is about, --for DUR\n"
      "           --reason TEXT; without an operand: what is silenced; --off NUMBER ends it\n"
      "  reload   the configuration anew; one with a mistake changes nothing, and the status is 2\n"
      "  flush    returns when all that happened before is in the record\n"
      "  metrics  for Prometheus, in its text format\n"
      "  explain  why EVENT (event.id, or its first digits) was an alert, or was none\n", NULL },
    { VERB_ALERT, "alert", "does an alert arrive? a test through each place where they go", COMPLETE_NOTHING, "test",
      "test [--json] [SINK]",
      "Has the daemon send a marked test through SINK, or through all sinks, the way that alerts take, and\n"
      "says of each whether it arrived, or what was answered. Root only.\n"
      "Exit: 0 it arrived everywhere, 1 somewhere it did not, or there is no such sink.\n", NULL },
    { VERB_SILENCE, "silence", "no alerts for a time about what was announced", COMPLETE_TARGET, NULL,
      "[--json] [--for DUR --reason TEXT TARGET|ALERT...]\n"
      "       culprit silence --off NUMBER",
      "No alerts for DUR of what happens at and below TARGET, or of what the open ALERT (its id, or the\n"
      "first eight digits) is about. What happens is recorded and counted as always; who silenced what,\n"
      "why, and how much that was, are alerts themselves. Without an operand: what is silenced, by whom.\n"
      "Root only. The same as `culprit ctl silence`.\n"
      "Exit: 0 done, 1 nothing is silenced, or no such alert is open.\n", NULL },
    { VERB_EXPECT, "expect", "propose what the configuration may expect, from the record", COMPLETE_NOTHING, NULL,
      "--learn DUR [--config DIR] [--store FILE]",
      "Prints expect blocks for what one cause did again and again in the last DUR of the record and\n"
      "nothing expects, with the counts, for review; then what is not proposed, and why: what was typed,\n"
      "happened on one day only, was refused or touches culprit itself. It changes nothing.\n"
      "Exit: 0 something is proposed, 1 nothing is.\n", NULL },
    { VERB_PRUNE, "prune", "remove what is old from the record", COMPLETE_NOTHING, NULL,
      "[--older-than AGE] [--larger-than SIZE] [--dry-run] [--store FILE]",
      "Removes events older than AGE (30d, 12h), and of a store larger than SIZE (500M, 2G) the oldest\n"
      "until it is not. Also while culprit records; the daemon does the same by itself, by\n"
      "retention_age and retention_size of its configuration. `who` says since when there is a record.\n", NULL },
    { VERB_BACKUP, "backup", "a copy of the record, also while culprit records", COMPLETE_FILE, NULL,
      "[--force] [--store FILE] FILE",
      "Writes a copy of the store as of one moment; `who --store FILE` asks it. Readable by its owner only.\n", NULL },
    { VERB_DOCTOR, "doctor", "what works on this machine, and what to do about the rest",
      COMPLETE_TARGET, NULL,
      "[--format FMT] [--containers | TARGET...]",
      "Without TARGET: the sensors, engines and the store. With TARGET: makes one change of each\n"
      "kind in a scratch directory beside it and checks what comes out.\n", NULL },
    { VERB_COMPLETION, "completion", "what Tab offers, for bash, zsh or fish", COMPLETE_NOTHING,
      "bash zsh fish", "bash|zsh|fish",
      "Writes what the shell has to source. Installed with culprit; for a culprit that is elsewhere:\n"
      "source <(culprit completion bash), source <(culprit completion zsh),\n"
      "culprit completion fish | source\n", NULL },
    { VERB_HELP, "help", "help on a command", COMPLETE_NOTHING, NULL, "[COMMAND]", "", NULL },
    { 0 },
};
/* clang-format on */

const struct verb *verb_by_name(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}
