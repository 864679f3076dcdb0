/* SPDX-License-Identifier: MIT */
#include "search/match.h"

#include <errno.h>
#include <fnmatch.h>
#include <libaudit.h>
#include <stdlib.h>

#include "search/items_values.h"
#include "util/limits.h"
#include "util/macro.h"

int search_matcher_init(struct search_matcher *m, const struct search_query *query)
{
    *m = (struct search_matcher){ .query = query };
    m->users = search_users_new();
    m->places = search_places_new();
    if (m->users && m->places)
        return 0;
    search_matcher_done(m);
    return -ENOMEM;
}

void search_matcher_done(struct search_matcher *m)
{
    search_users_free(m->users);
    search_places_free(m->places);
    search_items_done(&m->items);
    search_paths_done(&m->paths);
    m->users = NULL;
    m->places = NULL;
}

static bool text_matches(const struct search_query *q, const char *needle, struct bytes text)
{
    size_t n = strlen(needle);

    if (!text.data)
        return false;
    if (q->word)
        return text.len == n && memcmp(text.data, needle, n) == 0;
    return n == 0 || memmem(text.data, text.len, needle, n) != NULL;
}

static bool one_matches(const struct search_query *q, const char *needle,
                        const struct search_strings *list)
{
    for (unsigned i = 0; i < list->count; i++)
        if (text_matches(q, needle, list->items[i]))
            return true;
    return false;
}

static bool user_matches(bool asked, uint32_t uid, const char *name, uint32_t has, struct bytes has_name)
{
    return !asked || (name ? bytes_equal_str(has_name, name) : uid == has);
}

static bool users_match(const struct search_query *q, const struct search_items *it)
{
    if (q->any_uid && q->uid_name)
        return bytes_equal_str(it->uid_name, q->uid_name) ||
               bytes_equal_str(it->euid_name, q->euid_name) ||
               bytes_equal_str(it->auid_name, q->auid_name);
    if (q->any_uid)
        return q->uid == it->uid || q->euid == it->euid || q->auid == it->auid;
    /* ausearch forgets what is given as a number as soon as one of them is given by name */
    return user_matches(q->has_uid, q->uid, q->uid_name, it->uid, it->uid_name) &&
           user_matches(q->has_euid, q->euid, q->euid_name, it->euid, it->euid_name) &&
           user_matches(q->has_auid, q->auid, q->auid_name, it->auid, it->auid_name);
}

static bool groups_match(const struct search_query *q, const struct search_items *it)
{
    if (q->any_gid)
        return q->gid == it->gid || q->egid == it->egid;
    return (!q->has_gid || q->gid == it->gid) && (!q->has_egid || q->egid == it->egid);
}

static bool contexts_match(const struct search_query *q, const struct search_items *it)
{
    if (!it->has_avc && (q->subject || q->object))
        return false;
    if (q->any_context)
        return one_matches(q, q->subject, &it->subjects) || one_matches(q, q->object, &it->objects);
    /* of the two the subject is asked for if both are: so it has always been */
    if (q->subject)
        return one_matches(q, q->subject, &it->subjects);
    return !q->object || one_matches(q, q->object, &it->objects);
}

static bool types_match(const struct search_query *q, const struct search_event *event)
{
    for (unsigned i = 0; i < event->count; i++)
        for (unsigned k = 0; k < q->type_count; k++)
            if (event->records[i].type == q->types[k])
                return true;
    return q->type_count == 0;
}

static bool nodes_match(const struct search_query *q, const struct search_event *event)
{
    for (unsigned i = 0; i < q->node_count; i++)
        if (event->node.data && bytes_equal_str(event->node, q->nodes[i]))
            return true;
    return q->node_count == 0;
}

/* -f as ausearch has it: a piece of a name as it was written, or of the working directory. */
static bool strict_file_matches(const struct search_query *q, const struct search_items *it)
{
    if (one_matches(q, q->files[0], &it->files))
        return true;
    return text_matches(q, q->files[0], it->cwd);
}

static bool is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static bool pattern_matches(const char *pattern, struct bytes text)
{
    char buffer[LIMIT_PATH];

    if (text.len >= sizeof(buffer))
        return false;
    memcpy(buffer, text.data, text.len);
    buffer[text.len] = '\0';
    return fnmatch(pattern, buffer, 0) == 0;
}

enum verdict { NO, UNSURE, YES };

/* Does -f's argument mean this file? A path, with everything below it; a pattern; or the end of a
 * path, by whole components, where it does not begin with a slash. */
static enum verdict path_matches(const char *wanted, const struct search_path *p, bool word)
{
    struct bytes w = bytes_of(wanted), path = p->path;

    if (!path.data)
        return NO;
    while (w.len > 1 && w.data[w.len - 1] == '/')
        w.len--;
    if (is_pattern(wanted)) {
        if (wanted[0] != '/')
            return pattern_matches(wanted, path) || pattern_matches(wanted, bytes_basename(path)) ? YES : NO;
        if (p->certain)
            return pattern_matches(wanted, path) ? YES : NO;
        return pattern_matches(strrchr(wanted, '/') + 1, bytes_basename(path)) ? UNSURE : NO;
    }
    if (w.data[0] == '/') {
        if (p->certain)
            return (word ? bytes_equal(w, path) : bytes_path_covers(w, path)) ? YES : NO;
        return bytes_equal(bytes_basename(path), bytes_basename(w)) ? UNSURE : NO;
    }
    if (path.len < w.len)
        return NO;
    /* "bin/tool", "tool": the last components, or a whole piece in the middle ("below bin") */
    for (size_t i = 0; i + w.len <= path.len; i++) {
        bool begins = i == 0 || path.data[i - 1] == '/';
        bool ends = i + w.len == path.len || (!word && path.data[i + w.len] == '/');

        if (begins && ends && memcmp(path.data + i, w.data, w.len) == 0)
            return YES;
    }
    return NO;
}

static enum verdict files_match(struct search_matcher *m)
{
    const struct search_query *q = m->query;
    const struct audit_facts *f = &m->paths.facts;
    enum verdict best = NO;

    for (unsigned i = 0; i < m->paths.count && best != YES; i++) {
        const struct search_path *p = &m->paths.paths[i];

        for (unsigned k = 0; k < q->inode_count; k++)
            if ((p->record->file.known & FILE_INODE) && p->record->file.inode == q->inodes[k] &&
                p->record->type != AUDIT_NAME_PARENT)
                return YES;
        /* the directory of a change is not what was changed, unless it is below what is asked for:
         * then the change is too */
        if (p->record->type == AUDIT_NAME_PARENT && !p->certain)
            continue;
        for (unsigned k = 0; k < q->file_count; k++) {
            enum verdict v = path_matches(q->files[k], p, q->word);

            if (p->record->type == AUDIT_NAME_PARENT && q->word)
                v = NO;
            best = MAX(best, v);
        }
    }
    for (unsigned k = 0; k < q->file_count && best == NO; k++) {
        /* records that have names of their own: AVC path=, a socket's, CONFIG_CHANGE */
        for (unsigned i = 0; i < m->items.files.count && f->path_count == 0; i++) {
            struct search_path p = { .path = m->items.files.items[i], .certain = true };

            best = MAX(best, path_matches(q->files[k], &p, q->word));
        }
        if (f->executable.data && f->call == AUDIT_CALL_execve) {
            struct search_path p = { .path = f->executable, .certain = true };

            best = MAX(best, path_matches(q->files[k], &p, q->word));
        }
    }
    return best;
}

static bool operations_match(const struct search_matcher *m)
{
    for (unsigned i = 0; i < m->paths.change_count; i++)
        if (m->query->operations & 1ull << m->paths.changes[i].operation)
            return true;
    return false;
}

static bool keys_match(const struct search_query *q, const struct search_items *it)
{
    for (unsigned k = 0; k < q->key_count; k++) {
        if (q->strict || !is_pattern(q->keys[k])) {
            if (one_matches(q, q->keys[k], &it->keys))
                return true;
            continue;
        }
        for (unsigned i = 0; i < it->keys.count; i++)
            if (pattern_matches(q->keys[k], it->keys.items[i]))
                return true;
    }
    return q->key_count == 0;
}

bool search_asks_for_all(const struct search_query *q)
{
    return !q->has_id && !q->has_pid && !q->has_ppid && !q->has_exit && !q->has_session && !q->has_uid && !q->has_euid && !q->has_auid &&
           !q->has_gid && !q->has_egid && !q->has_syscall && !q->has_machine && !q->any_uid && !q->any_gid && !q->uid_name &&
           !q->euid_name && !q->auid_name && q->success < 0 && !q->comm && !q->exe && !q->host && !q->terminal && !q->subject &&
           !q->object && !q->uuid && !q->vm && !q->key_count && !q->node_count && !q->file_count && !q->type_count && !q->inode_count &&
           !q->operations && !q->container && !q->strict;
}

bool search_matches(struct search_matcher *m, const struct search_event *event)
{
    const struct search_query *q = m->query;
    const struct search_items *it = &m->items;
    uint64_t time_ms = event->sec * 1000 + event->milli;
    enum verdict files = YES;

    if (q->start_s && event->sec < q->start_s)
        return false;
    if (q->end_s && event->sec > q->end_s)
        return false;
    if ((q->start_ms && time_ms < q->start_ms) || (q->end_ms && time_ms > q->end_ms))
        return false;
    if (q->has_id && q->id != event->serial)
        return false;
    if (!search_items_read(event, q, m->users, &m->items))
        return false;
    if (!nodes_match(q, event) || !users_match(q, it) || !groups_match(q, it))
        return false;
    if ((q->has_ppid && q->ppid != it->ppid) || (q->has_pid && q->pid != it->pid))
        return false;
    if (q->has_machine && q->machine != audit_elf_to_machine((unsigned)it->arch))
        return false;
    if ((q->has_syscall && q->syscall != it->syscall) || (q->has_session && q->session != it->session))
        return false;
    if (q->has_exit && (!it->exit_known || q->exit != it->exit))
        return false;
    if (q->success >= 0 && q->success != it->success)
        return false;
    if (!types_match(q, event))
        return false;
    if (q->strict && q->file_count && !strict_file_matches(q, it))
        return false;
    if ((q->host && !text_matches(q, q->host, it->host)) ||
        (q->terminal && !text_matches(q, q->terminal, it->terminal)) ||
        (q->exe && !text_matches(q, q->exe, it->exe)) ||
        (q->comm && !text_matches(q, q->comm, it->comm)))
        return false;
    if (!keys_match(q, it) || (q->vm && !text_matches(q, q->vm, it->vm)) ||
        (q->uuid && !text_matches(q, q->uuid, it->uuid)) || !contexts_match(q, it))
        return false;
    if ((q->strict || (!q->file_count && !q->inode_count)) && !q->operations)
        return true;
    if (search_paths_read(event, m->places, &m->paths) < 0)
        return false;
    if (!q->strict && (q->file_count || q->inode_count))
        files = files_match(m);
    if (files == NO || (q->operations && !operations_match(m)))
        return false;
    m->unsure += files == UNSURE;
    return true;
}
