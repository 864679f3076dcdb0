/* SPDX-License-Identifier: MIT */
#include "search/items.h"

#include <libaudit.h>
#include <stdlib.h>

#include "search/items_fields.h"
#include "search/items_kernel.h"
#include "search/items_user.h"
#include "search/items_values.h"
#include "util/limits.h"
#include "util/macro.h"

#define PATH_OFFSET 28 /* name= and cwd= come after "type=CWD msg=audit(...)" */

static bool read_syscall(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    const char *found;
    unsigned long v;

    if ((q->format > SEARCH_DEFAULT && q->format <= SEARCH_TEXT) || q->has_machine) {
        if (place_number(&p, "arch=", 16, false, &v) != NUMBER_READ)
            return false;
        items->arch = (int)v;
    }
    if (place_number(&p, "syscall=", 10, false, &v) != NUMBER_READ)
        return false;
    items->syscall = (int)v;
    if (q->success >= 0) {
        struct bytes word;

        found = place_find(&p, p.at, "success=");
        if (found && !place_word(&p, found + 8, &word))
            return false;
        if (found)
            items->success = bytes_equal_str(word, "yes");
    }
    if (q->has_exit) {
        if (place_number(&p, "exit=", 0, false, &v) != NUMBER_READ)
            return false;
        items->exit = (int64_t)v;
        items->exit_known = true;
    }
    if (place_number(&p, "a0=", 16, false, &v) != NUMBER_READ ||
        place_number(&p, "a1=", 16, false, &v) != NUMBER_READ)
        return false;
    if (!read_task(r, &p))
        return false;
    if (q->key_count) {
        found = place_find(&p, p.at, "key=");
        if (found && !items_keys(items, &p, found + 4))
            return false;
    }
    return true;
}

static bool read_cwd(struct record_reading *r, struct record_place p)
{
    const char *found;
    struct bytes text;

    if (!r->q->file_count)
        return true;
    found = place_find(&p, p.at + MIN(PATH_OFFSET, p.end - p.at), " cwd=");
    if (!found)
        return true;
    if (!items_text(r->items, &p, found + 5, &text))
        return false;
    if (!r->items->cwd.data)
        r->items->cwd = text;
    return true;
}

static bool read_path(struct record_reading *r, struct record_place p)
{
    p.at += MIN(PATH_OFFSET, p.end - p.at);
    if (r->q->file_count) {
        const char *found = place_find(&p, p.at, " name=");

        if (found) {
            if (!items_path(r->items, &p, found + 6))
                return false;
            p.at = found + 6;
        }
    }
    if (r->q->object)
        read_object(r, &p);
    return true;
}

static bool read_record(struct record_reading *r, const struct search_record *record)
{
    struct record_place p = { .at = record->text.data,
                       .end = record->text.data + record->text.len,
                       .start = record->text.data,
                       .type = record->type };

    switch (record->type) {
    case AUDIT_SYSCALL:
        return read_syscall(r, p);
    case AUDIT_CWD:
        return read_cwd(r, p);
    case AUDIT_AVC_PATH:
        return read_avc_path(r, p);
    case AUDIT_PATH:
        return read_path(r, p);
    case AUDIT_USER:
    case AUDIT_FIRST_USER_MSG ... AUDIT_USER_END:
    case AUDIT_USER_CHAUTHTOK ... AUDIT_LAST_USER_MSG:
    case AUDIT_FIRST_USER_MSG2 ... AUDIT_LAST_USER_MSG2:
        return read_user_message(r, p, NULL, NULL);
    case AUDIT_SOCKADDR:
        return read_socket(r, p);
    case AUDIT_LOGIN:
        return read_login(r, p);
    case AUDIT_IPC:
    case AUDIT_OBJ_PID:
        return read_object_only(r, p);
    case AUDIT_DAEMON_START:
    case AUDIT_DAEMON_END:
    case AUDIT_DAEMON_ABORT:
    case AUDIT_DAEMON_CONFIG:
    case AUDIT_DAEMON_ROTATE:
    case AUDIT_DAEMON_RESUME:
        return read_daemon(r, p);
    case AUDIT_DAEMON_ACCEPT:
    case AUDIT_DAEMON_CLOSE:
        return read_daemon_peer(r, p);
    case AUDIT_CONFIG_CHANGE: {
        bool good = read_simple(r, p);

        read_avc_path(r, p); /* older ones have no path */
        return good;
    }
    case AUDIT_AVC:
    case AUDIT_USER_AVC:
        return read_avc(r, p);
    case AUDIT_NETFILTER_PKT:
        return read_packet(r, p);
    case AUDIT_FEATURE_CHANGE:
    case AUDIT_ANOM_LINK:
        return read_task(r, &p);
    case AUDIT_SECCOMP:
    case AUDIT_ANOM_PROMISCUOUS:
    case AUDIT_ANOM_ABEND:
        return read_anomaly(r, p);
    case AUDIT_MAC_POLICY_LOAD ... AUDIT_MAC_UNLBL_STCDEL:
        return read_simple(r, p);
    case AUDIT_INTEGRITY_DATA ... AUDIT_INTEGRITY_RULE:
        return read_integrity(r, p);
    case AUDIT_NETFILTER_CFG:
    case AUDIT_EVENT_LISTENER:
        return read_kernel(r, p);
    case AUDIT_TTY:
        return read_tty(r, p);
    default:
        return true;
    }
}

bool search_items_read(const struct search_event *event, const struct search_query *query,
                       struct search_users *users, struct search_items *items)
{
    struct record_reading r = { .q = query, .users = users, .items = items };
    size_t need = 256;

    for (unsigned i = 0; i < event->count; i++)
        need += 2 * event->records[i].text.len + LIMIT_NAME;
    if (query->file_count) /* working directories in front of names */
        need += event->count * (size_t)1024;
    if (items->text_size < need) {
        free(items->text);
        items->text_size = 0;
        items->text = malloc(need);
        if (!items->text)
            return false;
        items->text_size = need;
    }
    items->text_len = 0;
    items->pid = items->ppid = items->uid = items->euid = items->gid = items->egid = UINT32_MAX;
    items->auid = items->session = UINT32_MAX - 1;
    items->uid_name = items->euid_name = items->auid_name = BYTES_NULL;
    items->exit_known = items->has_avc = items->failed = false;
    items->success = -1;
    items->arch = items->syscall = 0;
    items->host = items->terminal = items->cwd = items->exe = items->comm = BYTES_NULL;
    items->uuid = items->vm = items->interp = BYTES_NULL;
    items->keys.count = items->files.count = items->subjects.count = items->objects.count = 0;
    if (event->count > 0 && (event->count == 1 || event->records[0].type == AUDIT_SYSCALL))
        items->interp = event->records[0].enriched;
    for (unsigned i = 0; i < event->count; i++)
        if (!read_record(&r, &event->records[i]))
            return false;
    return !items->failed;
}

void search_items_done(struct search_items *items)
{
    free(items->text);
    free(items->keys.items);
    free(items->files.items);
    free(items->subjects.items);
    free(items->objects.items);
    *items = (struct search_items){ 0 };
}
