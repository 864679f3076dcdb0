/* SPDX-License-Identifier: MIT */
#include "sensor/audit/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/audit/call.h"
#include "sensor/audit/netlink.h"
#include "sensor/audit/rules_build.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/proc_stat.h"

int audit_rules_new(int fd, struct audit_rules **ret, struct err *err)
{
    struct audit_rules *rules = calloc(1, sizeof(*rules));

    if (!rules)
        return err_set(err, -ENOMEM, "audit rules");
    rules->fd = fd;
    snprintf(rules->prefix, sizeof(rules->prefix), KEY_PREFIX "%d-%llu-", getpid(),
             (unsigned long long)proc_stat_start_ticks("/proc", getpid()));
    *ret = rules;
    return 0;
}

/* ---- to the kernel and back ---- */

static int send_set(int fd, struct audit_rule_set *set)
{
    for (; set->added < set->count; set->added++) {
        const struct kernel_rule *r = &set->rules[set->added];
        int k = audit_netlink_request(fd, AUDIT_ADD_RULE, r->data, r->len);

        if (k < 0) {
            set->added += k == -ETIMEDOUT; /* the kernel may have it yet: it is deleted with those before */
            return k;
        }
    }
    return 0;
}

/* How the child reports where it failed; more than any errno. */
#define CHILD_NO_NAMESPACE 255

/* Without SIGCHLD: the caller's own children are its business. */
static pid_t fork_quietly(void)
{
    return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}

#define NAMESPACE_MS 3000 /* for a set, where nobody may wait for longer */

/* One that the kernel lets wait is left: it ends once that is over, and is waited for with the next. */
static int await_child(pid_t child, int *ret_status)
{
    static pid_t left;
    uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + NAMESPACE_MS * NS_PER_MS;
    bool never_waits = audit_netlink_never_waits();
    pid_t ended;

    if (left && waitpid(left, NULL, __WALL | WNOHANG) != 0)
        left = 0;
    while ((ended = waitpid(child, ret_status, __WALL | (never_waits ? WNOHANG : 0))) != child) {
        if (ended < 0 && errno != EINTR)
            return -errno;
        if (never_waits && clock_ns(CLOCK_MONOTONIC) > deadline) {
            (void)kill(child, SIGKILL);
            left = child;
            return -ETIMEDOUT;
        }
        if (ended == 0)
            (void)poll(NULL, 0, 1);
    }
    return 0;
}

static int send_set_in_namespace(int fd, struct audit_rule_set *set, pid_t ns_pid)
{
    char path[48];
    _cleanup_close_ int ns = -EBADF;
    int status = 0;
    pid_t child;
    int r;

    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", ns_pid);
    ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0)
        return errno == ESRCH ? -ENOENT : -errno;
    child = fork_quietly();
    if (child < 0)
        return -errno;
    if (child == 0) {
        int k;

        audit_netlink_set_patience(AUDIT_WAITS); /* whoever sends has to be in that namespace */
        k = setns(ns, CLONE_NEWNS) < 0 ? CHILD_NO_NAMESPACE : -send_set(fd, set);
        _exit(k < 0 || k > 255 ? EIO : k);
    }
    audit_netlink_skip(set->count);
    r = await_child(child, &status);
    if (r == 0 && !WIFEXITED(status))
        r = -ECHILD;
    if (r == 0 && WEXITSTATUS(status) == CHILD_NO_NAMESPACE)
        return -EPERM;
    /* what the child has added before it failed is not known here: try to delete all */
    set->added = set->count;
    return r < 0 ? r : -WEXITSTATUS(status);
}

static void delete_set(struct audit_rules *rules, struct audit_rule_set *set)
{
    struct bytes all[SET_MAX];

    for (unsigned i = 0; i < set->added; i++)
        all[i] = (struct bytes){ (const char *)set->rules[i].data, set->rules[i].len };
    (void)audit_netlink_delete_rules(rules->fd, all, set->added);
    for (unsigned i = 0; i < set->count; i++)
        free(set->rules[i].data);
    free(set);
}

static struct audit_rule_set *new_set(struct audit_rules *rules, bool wide)
{
    struct audit_rule_set *set = calloc(1, sizeof(*set));

    if (set) {
        set->number = ++rules->last_number;
        snprintf(set->key, sizeof(set->key), "%s%u%s", rules->prefix, set->number, wide ? "w" : "");
    }
    return set;
}

static int keep(struct audit_rules *rules, struct audit_rule_set *set, int r,
                struct audit_rule_set **ret)
{
    if (r < 0) {
        if (set)
            delete_set(rules, set);
        return r;
    }
    set->next = rules->sets;
    rules->sets = set;
    *ret = set;
    return 0;
}

static int build_and_send(struct audit_rules *rules, struct audit_rule_set *set,
                          const struct audit_place *place)
{
    bool opens = place->permissions & (PERMISSION_WRITE | PERMISSION_READ) && place->path;
    uint32_t arch;
    int r = 0;

    for (unsigned i = 0; r == 0 && (arch = audit_call_arch(i)); i++) {
        if (rules_build_groups(place->permissions))
            r = rules_build_calls(set, arch, place);
        if (r == 0 && opens)
            r = rules_build_opens(set, arch, place);
    }
    if (r < 0)
        return r;
    return place->ns_pid ? send_set_in_namespace(rules->fd, set, place->ns_pid)
                         : send_set(rules->fd, set);
}

/* io_uring's rules are a set of their own within the set: their refusal is no failure. */
static int add_uring_rule(struct audit_rules *rules, struct audit_rule_set *set,
                          const struct audit_place *place)
{
    unsigned before = set->count;
    int r;

    if (rules->no_uring || !place->path)
        return 0;
    r = rules_build_uring(set, place);
    if (r == 0)
        r = place->ns_pid ? send_set_in_namespace(rules->fd, set, place->ns_pid)
                          : send_set(rules->fd, set);
    if (r == -EINVAL || r == -EOPNOTSUPP) {
        rules->no_uring = true;
        while (set->count > before)
            free(set->rules[--set->count].data);
        set->added = MIN(set->added, set->count);
        r = 0;
    }
    return r;
}

int audit_rules_add(struct audit_rules *rules, const struct audit_place *place,
                    struct audit_rule_set **ret, struct err *err)
{
    struct audit_rule_set *set = new_set(rules, place->wide);
    int r = set ? build_and_send(rules, set, place) : -ENOMEM;

    if (r == 0)
        r = add_uring_rule(rules, set, place);
    r = keep(rules, set, r, ret);
    if (r < 0)
        return err_set(err, r, "audit rule");
    return 0;
}

int audit_rules_add_way(struct audit_rules *rules, pid_t ns_pid, const char *const *paths, unsigned count,
                        struct audit_rule_set **ret, struct err *err)
{
    struct audit_rule_set *set = new_set(rules, true);
    int r = set ? 0 : -ENOMEM;

    for (unsigned i = 0; i < count && r == 0; i++) {
        struct audit_place place = { .ns_pid = ns_pid, .path = paths[i] };
        uint32_t arch;

        for (unsigned k = 0; r == 0 && (arch = audit_call_arch(k)); k++)
            r = rules_build_moves(set, arch, &place);
        if (r == 0 && !rules->no_uring)
            r = rules_build_uring_moves(set, &place);
    }
    if (r == 0)
        r = ns_pid ? send_set_in_namespace(rules->fd, set, ns_pid) : send_set(rules->fd, set);
    r = keep(rules, set, r, ret);
    return r < 0 ? err_set(err, r, "audit rules for what lies above the path") : 0;
}

void audit_rules_remove(struct audit_rules *rules, struct audit_rule_set *set)
{
    if (!set)
        return;
    for (struct audit_rule_set **at = &rules->sets; *at; at = &(*at)->next)
        if (*at == set) {
            *at = set->next;
            break;
        }
    delete_set(rules, set);
}

int audit_rules_add_pathless(struct audit_rules *rules, unsigned permissions,
                             struct audit_rule_set **ret, struct err *err)
{
    struct audit_rule_set *set = new_set(rules, true);
    uint32_t arch;
    int r = set ? 0 : -ENOMEM;

    for (unsigned i = 0; r == 0 && (arch = audit_call_arch(i)); i++) {
        if (permissions & PERMISSION_ATTR)
            r = rules_build_flags(set, arch);
        if (r == 0 && (permissions & PERMISSION_WRITE))
            r = rules_build_unmounts(set, arch);
    }
    if (r == 0)
        r = send_set(rules->fd, set);
    r = keep(rules, set, r, ret);
    return r < 0 ? err_set(err, r, "audit rules for flags and mounts") : 0;
}

int audit_rules_exclude(struct audit_rules *rules, struct audit_rule_set **ret)
{
    static const uint32_t types[] = { AUDIT_EOE, AUDIT_BPRM_FCAPS };
    struct audit_rule_set *set = new_set(rules, true);
    int r = set ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(types); i++)
        r = rules_build_exclusion(set, types[i]);
    if (r == 0)
        r = send_set(rules->fd, set);
    return keep(rules, set, r, ret);
}

void audit_rules_withdraw(struct audit_rules *rules)
{
    struct bytes *all = NULL;
    size_t n = 0;

    for (struct audit_rule_set *set = rules ? rules->sets : NULL; set; set = set->next)
        n += set->added;
    all = n ? calloc(n, sizeof(*all)) : NULL;
    if (!all)
        return;
    n = 0;
    for (struct audit_rule_set *set = rules->sets; set; set = set->next) {
        for (unsigned i = 0; i < set->added; i++)
            all[n++] = (struct bytes){ (const char *)set->rules[i].data, set->rules[i].len };
        set->added = 0;
    }
    (void)audit_netlink_delete_rules(rules->fd, all, n);
    free(all);
}

void audit_rules_free(struct audit_rules *rules)
{
    if (!rules)
        return;
    while (rules->sets)
        audit_rules_remove(rules, rules->sets);
    free(rules);
}

/* ---- keys ---- */

bool audit_rule_set_has_key(const struct audit_rule_set *set, struct bytes key)
{
    return bytes_equal_str(key, set->key);
}

enum audit_key audit_rules_key(const struct audit_rules *rules, struct bytes key)
{
    struct bytes prefix = bytes_of(rules->prefix);
    enum audit_key found = AUDIT_KEY_FOREIGN;

    while (key.len) {
        const char *end = memchr(key.data, 1, key.len);
        size_t n = end ? (size_t)(end - key.data) : key.len;

        if (n > prefix.len && bytes_starts_with(key, prefix)) {
            if (key.data[n - 1] != 'w')
                return AUDIT_KEY_EXACT;
            found = AUDIT_KEY_WIDE;
        }
        n += end != NULL;
        key = (struct bytes){ key.data + n, key.len - n };
    }
    return found;
}

