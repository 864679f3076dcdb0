/* SPDX-License-Identifier: MIT */
/* The table of what is expected. A row is a function and a row in tests/unit/test_alert_expect.c. */
#include "alert/expect.h"

#include <stdio.h>
#include <sys/stat.h>

#include "cause/link.h"
#include "event/operation.h"
#include "util/limits.h"
#include "util/macro.h"

#define BIT(operation) (UINT64_C(1) << (operation))
#define OWN_LATE_NS (60 * NS_PER_S)
#define OWN_FLAGS_BEFORE_NS (10 * NS_PER_S) /* that a guard is begun anew is known afterwards */

static bool is_below_any(struct bytes path, const char *const *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_path_covers(bytes_of(places[i]), path))
            return true;
    return false;
}
#define BELOW(path, places) is_below_any(path, places, ARRAY_SIZE(places))

/* Both names of a rename. */
static bool is_all_below(const struct event *e, const char *const *places, size_t count)
{
    return is_below_any(e->path, places, count) && (!e->previous_path.len || is_below_any(e->previous_path, places, count));
}
#define ALL_BELOW(e, places) is_all_below(e, places, ARRAY_SIZE(places))

static bool is_actor_on_host(const struct event *e)
{
    return e->actor.process && e->actor.process->origin == ORIGIN_HOST;
}

/* The actor lives in the container whose file it is. */
static bool is_in_victim(const struct event *e)
{
    const struct container *in = e->actor.process ? e->actor.process->container : NULL;

    return in && e->victim && in->id.len && bytes_equal(in->id, e->victim->id);
}

static bool is_on_the_same_side(const struct event *e)
{
    return e->victim ? is_in_victim(e) : is_actor_on_host(e) && e->victim_kind != VICTIM_CONTAINER;
}

/* The kernel's word for what the process executes. */
static bool is_executable(const struct event *e, const char *path)
{
    struct bytes executable = event_actor_executable(e);

    return bytes_equal_str(executable, path) || (bytes_starts_with(executable, bytes_of("/usr")) &&
                                                 bytes_equal_str((struct bytes){ executable.data + 4, executable.len - 4 }, path));
}

/* ---- the rows ---- */

void own_processes_add(struct own_processes *own, pid_t pid, uint64_t start_ns, bool parent)
{
    for (unsigned i = 0; i < OWN_PROCESSES_MAX; i++)
        if (own->all[i].pid == pid && own->all[i].start_ns == start_ns)
            return;
    for (unsigned i = 0; i < OWN_PROCESSES_MAX; i++, own->next = (own->next + 1) % OWN_PROCESSES_MAX)
        if (!own->all[own->next].parent)
            break;
    if (own->all[own->next].parent)
        return;
    own->all[own->next] = (struct own_process){ pid, start_ns, parent, 0 };
    own->next = (own->next + 1) % OWN_PROCESSES_MAX;
}

void own_processes_look(struct own_processes *own, uint64_t now_ns, bool (*is_there)(pid_t pid, uint64_t start_ns))
{
    for (unsigned i = 0; i < OWN_PROCESSES_MAX; i++) {
        struct own_process *p = &own->all[i];

        if (!p->pid)
            continue;
        if (is_there(p->pid, p->start_ns))
            p->gone_ns = 0;
        else if (!p->gone_ns)
            p->gone_ns = now_ns;
        else if (now_ns - p->gone_ns >= OWN_LATE_NS)
            *p = (struct own_process){ 0 };
    }
}

void own_flags_add(struct own_flags *own, struct bytes target, uint64_t now_ns)
{
    unsigned i = 0;

    if (target.len >= OWN_FLAGS_TARGET)
        return;
    while (i < OWN_FLAGS_MAX && !(own->all[i].to_ns >= now_ns && bytes_equal_str(target, own->all[i].target)))
        i++;
    if (i == OWN_FLAGS_MAX) {
        i = own->next;
        own->next = (own->next + 1) % OWN_FLAGS_MAX;
        snprintf(own->all[i].target, OWN_FLAGS_TARGET, "%.*s", (int)target.len, target.len ? target.data : "");
        own->all[i].from_ns = now_ns - MIN(OWN_FLAGS_BEFORE_NS, now_ns);
    }
    own->all[i].to_ns = now_ns + OWN_LATE_NS;
}

/* Who did it is not known: whoever is known is looked for among the processes. */
static bool is_own_flags(const struct own_flags *own, const struct event *e)
{
    if (e->operation != OPERATION_SETFLAGS || e->actor.process || e->actor.pid)
        return false;
    for (unsigned i = 0; i < OWN_FLAGS_MAX; i++)
        if (e->time_ns >= own->all[i].from_ns && e->time_ns < own->all[i].to_ns &&
            (!own->all[i].target[0] || bytes_equal_str(e->watch_text, own->all[i].target) ||
             bytes_path_covers(bytes_of(own->all[i].target), e->path)))
            return true;
    return false;
}

/* Who holds a guard may have lost its parents by the time that it undoes it. */
static bool is_that(const struct own_process *own, const struct event *e)
{
    return e->actor.pid == own->pid && (!own->start_ns || !e->actor.start_ns || process_starts_agree(e->actor.start_ns, own->start_ns));
}

static bool is_below(const struct own_process *own, const struct event *e)
{
    const struct process *p = e->actor.process;

    return e->actor.parent_pid == own->pid || (p && p->parent_pid == own->pid) || process_descends_from(p, own->pid, own->start_ns);
}

static bool is_own(const struct expect_rules *rules, const struct event *e)
{
    for (unsigned i = 0; rules->own && i < OWN_PROCESSES_MAX; i++) {
        const struct own_process *own = &rules->own->all[i];

        if (own->pid && (is_that(own, e) || (own->parent && is_below(own, e))))
            return true;
    }
    return rules->own_flags && is_own_flags(rules->own_flags, e);
}

static bool is_read(const struct expect_rules *rules, const struct event *e)
{
    (void)rules;
    return e->operation == OPERATION_READ || e->operation == OPERATION_EXEC || e->operation == OPERATION_OPEN_WRITE;
}

static bool is_failed(const struct expect_rules *rules, const struct event *e)
{
    (void)rules;
    return e->error > 0 && !operation_error_is_refusal(e->error);
}

/* Where packages put files; of the rest (/home, /root, /srv, /usr/local, /tmp) none is theirs. */
static bool is_package(const struct expect_rules *rules, const struct event *e)
{
    static const char *const places[] = { "/usr", "/etc", "/boot", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
                                          "/var/lib", "/var/cache", "/var/log", "/var/spool", "/run", "/var/run", "/var/opt", "/snap" };
    static const char *const not_theirs[] = { "/usr/local" };

    (void)rules;
    return (e->cause.launcher.kind == LAUNCHER_PACKAGE || e->cause.run.kind == RUN_MAINTAINER) && !e->cause.run.claimed &&
           is_on_the_same_side(e) && ALL_BELOW(e, places) && !BELOW(e->path, not_theirs) && !BELOW(e->previous_path, not_theirs);
}

static bool is_container(const struct expect_rules *rules, const struct event *e)
{
    (void)rules;
    return (e->cause.launcher.kind == LAUNCHER_ENTRY_POINT || e->cause.launcher.kind == LAUNCHER_HEALTH_CHECK) &&
           e->victim_kind == VICTIM_CONTAINER && is_in_victim(e);
}

/* Its own work, not what it was asked to run: of a container's layer, or where it keeps them. A volume goes where somebody wants that. */
static bool is_engine(const struct expect_rules *rules, const struct event *e)
{
    static const char *const places[] = { "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/run/docker", "/run/containerd",
                                          "/run/containers", "/run/runc", "/run/crun", "/var/lib/cni", "/run/netns", "/etc/cni", "/run/crio" };

    (void)rules;
    return (e->cause.launcher.kind == LAUNCHER_ENGINE || (e->cause.launcher.kind == LAUNCHER_REMOVAL && e->victim_kind == VICTIM_CONTAINER)) && is_actor_on_host(e) && !e->cause.tool.len &&
           (e->victim || ALL_BELOW(e, places));
}

/* "/opt/sentinelone" of "/opt/sentinelone/bin/agent"; empty: the program lies among those of others. */
static struct bytes own_directory(struct bytes executable)
{
    static const char *const vendors[] = { "/opt/", "/usr/lib/", "/usr/libexec/", "/usr/local/", "/var/lib/" };

    for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
        struct bytes prefix = bytes_of(vendors[i]), rest;

        if (!bytes_starts_with(executable, prefix))
            continue;
        rest = (struct bytes){ executable.data + prefix.len, executable.len - prefix.len };
        if (!bytes_char(rest, '/'))
            return BYTES_NULL;
        return (struct bytes){ executable.data, prefix.len + bytes_next_field(&rest, '/').len };
    }
    return BYTES_NULL;
}

static bool is_same_name(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if ((a.data[i] | 0x20) != (b.data[i] | 0x20))
            return false;
    return true;
}

/* Its directory below /opt or its kin, and those of the same name where data of programs is. */
static bool is_in_directory_of(struct bytes path, struct bytes directory)
{
    static const char *const data[] = { "/var/lib/", "/var/log/", "/var/cache/", "/var/opt/", "/run/", "/etc/", "/etc/opt/" };

    if (bytes_path_covers(directory, path))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
        struct bytes prefix = bytes_of(data[i]), rest = path;

        if (!bytes_starts_with(path, prefix))
            continue;
        rest = (struct bytes){ path.data + prefix.len, path.len - prefix.len };
        if (is_same_name(bytes_next_field(&rest, '/'), bytes_basename(directory)))
            return true;
    }
    return false;
}

static bool is_agent(const struct expect_rules *rules, const struct event *e)
{
    const struct process *p = e->cause.launcher.process;
    struct bytes directory;

    (void)rules;
    if (e->cause.launcher.kind != LAUNCHER_PRODUCT || !p || p->owner.looks_like || e->victim)
        return false;
    directory = own_directory(p->executable);
    return directory.len && is_in_directory_of(e->path, directory) &&
           (!e->previous_path.len || is_in_directory_of(e->previous_path, directory));
}

static bool is_configuration(const struct expect_rules *rules, const struct event *e)
{
    (void)rules;
    return e->cause.launcher.kind == LAUNCHER_CONFIGURATION && e->cause.launcher.process && is_on_the_same_side(e);
}

static bool is_git_program(const struct process *p)
{
    static const char *const places[] = { "/usr/lib/git-core", "/usr/libexec/git-core" };

    return bytes_equal_str(p->executable, "/usr/bin/git") || BELOW(p->executable, places);
}

/* The command that was given: git starts itself for parts of it. Of a script that calls git too: what git did is git's, whoever deploys by it.
 * NULL: it was another one. */
static const struct cause_run *git_command(const struct event *e)
{
    struct process *p = e->actor.process, *top = NULL;
    const struct cause_link *link;

    if (e->cause.run.kind == RUN_GIT)
        return &e->cause.run;
    for (unsigned i = 0; i < LIMIT_LINEAGE && p && is_git_program(p); i++, p = p->parent)
        top = p;
    link = top ? link_of(top) : NULL;
    return link && link->run.kind == RUN_GIT ? &link->run : NULL;
}

/* What writes a working tree; clean and filter-branch remove what is in no commit. */
static bool is_git(const struct expect_rules *rules, const struct event *e)
{
    static const char *const commands[] = { "pull", "merge", "checkout", "switch", "restore", "rebase", "reset", "fetch", "clone",
                                            "cherry-pick", "revert", "stash", "commit", "add", "submodule", "gc", "am", "apply" };
    const struct cause_run *run = git_command(e);

    (void)rules;
    return run && !run->claimed && run->directory.len && run->directory.len > 1 && BYTES_AMONG(run->name, commands) &&
           is_on_the_same_side(e) && bytes_path_covers(run->directory, e->path) &&
           (!e->previous_path.len || bytes_path_covers(run->directory, e->previous_path));
}

/* logrotate itself and what it packs with; its scripts are others. */
static bool is_rotation(const struct expect_rules *rules, const struct event *e)
{
    static const char *const packers[] = { "gzip", "xz", "bzip2", "zstd" };
    const struct process *parent = e->actor.process ? e->actor.process->parent : NULL;

    (void)rules;
    if (!is_actor_on_host(e) || e->victim)
        return false;
    if (is_executable(e, "/sbin/logrotate"))
        return true;
    return parent && bytes_equal_str(parent->executable, "/usr/sbin/logrotate") &&
           BYTES_AMONG(bytes_basename(event_actor_executable(e)), packers);
}

/* It removes where it is meant to; elsewhere it only makes. */
static bool is_tmpfiles(const struct expect_rules *rules, const struct event *e)
{
    static const char *const places[] = { "/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm", "/var/cache", "/var/lib/systemd" };

    (void)rules;
    return is_actor_on_host(e) && !e->victim && is_executable(e, "/bin/systemd-tmpfiles") &&
           (!operation_removes(e->operation) || ALL_BELOW(e, places));
}

static bool is_of_person(const struct event *e)
{
    const struct person *person = &e->cause.person;
    const struct file_state *file = e->file.known & FILE_UID ? &e->file : &e->before;

    return person->known && person->id != UID_UNKNOWN && file->known & FILE_UID && file->uid == person->id;
}

static bool is_editor(const struct expect_rules *rules, const struct event *e)
{
    struct bytes executable = event_actor_executable(e);
    bool edits = false;

    for (size_t i = 0; !edits && i < rules->editors.count; i++)
        edits = expect_is_named(rules->editors.items[i], executable);
    return edits && e->cause.person.interactive && is_actor_on_host(e) && !e->victim && is_of_person(e);
}

/* clang-format off */
static const struct expected_row rows[EXPECTED_COUNT] = {
    [EXPECTED_NONE] = { "none", "nothing explains it", true, NULL },
    [EXPECTED_OWN] = { "own", "culprit's own work", true, is_own },
    [EXPECTED_READ] = { "read", "nothing was changed by it", true, is_read },
    [EXPECTED_FAILED] = { "failed", "nothing came of it, and nobody was refused", true, is_failed },
    [EXPECTED_PACKAGE] = { "package", "a package manager's transaction, where packages put files", false, is_package },
    [EXPECTED_CONTAINER] = { "container", "the container's own program, in its own layer", false, is_container },
    [EXPECTED_ENGINE] = { "engine", "the container engine's own work", false, is_engine },
    [EXPECTED_AGENT] = { "agent", "a known product, in its own directories", false, is_agent },
    [EXPECTED_CONFIGURATION] = { "configuration", "configuration management", false, is_configuration },
    [EXPECTED_GIT] = { "git", "git, in its working tree", false, is_git },
    [EXPECTED_ROTATION] = { "rotation", "logrotate", false, is_rotation },
    [EXPECTED_TMPFILES] = { "tmpfiles", "systemd-tmpfiles, where it is meant to remove", false, is_tmpfiles },
    [EXPECTED_EDITOR] = { "editor", "a person at a terminal edited a file of his own", false, is_editor },
    [EXPECTED_BLOCK] = { "block", "an expect block of the configuration", true, NULL },
};
/* clang-format on */

const struct expected_row *expected_row(enum expected which)
{
    return &rows[(unsigned)which < EXPECTED_COUNT ? which : EXPECTED_NONE];
}

enum expected expected_by_name(struct bytes name)
{
    unsigned i = EXPECTED_NONE + 1;

    while (i < EXPECTED_COUNT && !bytes_equal_str(name, rows[i].name))
        i++;
    return (enum expected)i;
}

enum expected expected_find(const struct expect_rules *rules, const struct event *e, const struct expect_block **ret_block)
{
    *ret_block = NULL;
    for (unsigned i = EXPECTED_NONE + 1; i < EXPECTED_COUNT; i++)
        if (rows[i].is && (rows[i].always || rules->rows >> i & 1) && rows[i].is(rules, e))
            return (enum expected)i;
    for (size_t i = 0; i < rules->block_count; i++)
        if (expect_block_matches(&rules->blocks[i], e)) {
            *ret_block = &rules->blocks[i];
            return EXPECTED_BLOCK;
        }
    return EXPECTED_NONE;
}
