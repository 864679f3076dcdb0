/* SPDX-License-Identifier: MIT */
#include "search/items.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <libaudit.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uthash.h>

#include "search/items_user.h"
#include "search/items_values.h"
#include "util/limits.h"
#include "util/macro.h"

#define PATH_OFFSET 28 /* name= and cwd= come after "type=CWD msg=audit(...)" */

/* ---- the kernel's records ---- */

/* A number that must be there. */
static bool must_read(struct record_place *p, const char *name, uint32_t *ret)
{
    unsigned long v;

    if (place_number(p, name, 10, false, &v) != NUMBER_READ)
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* One that may be missing. */
static bool may_read(struct record_place *p, const char *name, uint32_t *ret)
{
    unsigned long v;
    enum number_result n = place_number(p, name, 10, false, &v);

    if (n == NUMBER_READ)
        *ret = (uint32_t)v;
    return n != NUMBER_BAD;
}

/* "uid=" that is not the end of "auid=" */
static const char *find_uid(const struct record_place *p, const char *from)
{
    const char *found = from;

    while ((found = place_find(p, found, "uid=")) && found > p->start && found[-1] == 'a')
        found++;
    return found;
}

static bool read_subject(struct record_reading *r, struct record_place *p, const char *name, bool may_end)
{
    const char *found = place_find(p, p->at, name);
    struct bytes word;

    if (!found)
        return true;
    if (!place_word(p, found + strlen(name), &word)) {
        if (!may_end)
            return false;
        word = (struct bytes){ found + strlen(name), (size_t)(p->end - found - (ptrdiff_t)strlen(name)) };
    }
    items_add(r->items, &r->items->subjects, word);
    r->items->has_avc = true;
    return true;
}

static void read_object(struct record_reading *r, struct record_place *p)
{
    const char *found = place_find(p, p->at, "obj=");
    struct bytes word;

    if (!found)
        return;
    if (!place_word(p, found + 4, &word))
        word = (struct bytes){ found + 4, (size_t)(p->end - found - 4) };
    items_add(r->items, &r->items->objects, word);
    r->items->has_avc = true;
}

static bool read_result(struct record_reading *r, struct record_place *p)
{
    unsigned long v;
    enum number_result n;

    if (r->q->success < 0)
        return true;
    n = place_number(p, "res=", 10, true, &v);
    if (n == NUMBER_READ)
        r->items->success = (int)v;
    return n != NUMBER_BAD;
}

static bool read_exe_comm(struct record_reading *r, struct record_place *p, bool must)
{
    const struct search_query *q = r->q;
    const char *found;

    if (q->comm) {
        found = place_find(p, p->at, "comm=");
        if (!found && must)
            return false;
        if (found && !items_text(r->items, p, found + 5, &r->items->comm))
            return false;
    }
    if (q->exe) {
        found = place_find(p, p->start, "exe=");
        if (!found && must)
            return false;
        if (found && !items_text(r->items, p, found + 4, &r->items->exe))
            return false;
    }
    return true;
}

/* ppid pid auid uid gid euid egid tty ses comm exe subj res: what SYSCALL and its like have */
static bool read_task(struct record_reading *r, struct record_place *p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    const char *found;
    unsigned long v;

    if (q->has_ppid && !may_read(p, "ppid=", &items->ppid))
        return false;
    if (q->has_pid && !must_read(p, " pid=", &items->pid))
        return false;
    if (wants_auid(q)) {
        enum number_result n = place_number(p, "auid=", 10, false, &v);

        if (n == NUMBER_MISSING)
            n = place_number(p, "loginuid=", 10, false, &v);
        if (n != NUMBER_READ)
            return false;
        items->auid = (uint32_t)v;
        items->auid_name = reading_user(r, "auid", items->auid);
    }
    if (wants_uid(q)) {
        found = find_uid(p, p->at);
        if (!found || !place_number_at(p, found + 4, 10, false, &v))
            return false;
        items->uid = (uint32_t)v;
        items->uid_name = reading_user(r, "uid", items->uid);
    }
    if (q->has_gid && !must_read(p, "gid=", &items->gid))
        return false;
    if (wants_euid(q)) {
        if (!must_read(p, "euid=", &items->euid))
            return false;
        items->euid_name = reading_user(r, "euid", items->euid);
    }
    if (q->has_egid && !must_read(p, "egid=", &items->egid))
        return false;
    if (q->terminal) {
        found = place_find(p, p->at, "tty=");
        if (found && !place_word(p, found + 4, &items->terminal))
            return false;
    }
    if (q->has_session && !may_read(p, "ses=", &items->session))
        return false;
    if (!read_exe_comm(r, p, true))
        return false;
    if (q->subject && !read_subject(r, p, "subj=", false))
        return false;
    return read_result(r, p);
}

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

static bool read_avc_path(struct record_reading *r, struct record_place p)
{
    const char *found;

    if (!r->q->file_count)
        return true;
    found = place_find(&p, p.at, " path=");
    return found && items_path(r->items, &p, found + 6);
}

static bool read_object_only(struct record_reading *r, struct record_place p)
{
    if (r->q->object)
        read_object(r, &p);
    return true;
}

static bool read_packet(struct record_reading *r, struct record_place p)
{
    if (r->q->host) {
        const char *found = place_find(&p, p.at, "saddr=");

        if (found && !place_word(&p, found + 6, &r->items->host))
            return false;
    }
    return read_object_only(r, p);
}

static bool read_socket(struct record_reading *r, struct record_place p)
{
    struct search_items *items = r->items;
    const char *found = r->q->host || r->q->file_count ? place_find(&p, p.at, "saddr=") : NULL;
    const char *hex = found ? found + 6 : NULL, *end = hex;
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        char bytes[sizeof(struct sockaddr_un) + 2];
    } address = { .bytes = { 0 } };
    char text[INET6_ADDRSTRLEN];
    size_t len = 0;

    if (!found)
        return true;
    if (hex < p.end && *hex == '(')
        return true; /* "(null)": of no family that is searched for */
    while (end < p.end && isxdigit((unsigned char)*end))
        end++;
    if (end - hex < 2)
        return false;
    for (; hex + 1 < end && len < sizeof(address.bytes) - 1; hex += 2)
        address.bytes[len++] = (char)(items_hex(hex[0]) << 4 | items_hex(hex[1]));
    len = (size_t)(end - (found + 6)) / 2;
    switch (address.sa.sa_family) {
    case AF_INET:
        if (len < sizeof(address.in))
            return false;
        if (r->q->host && inet_ntop(AF_INET, &address.in.sin_addr, text, sizeof(text)))
            items->host = items_keep(items, bytes_of(text));
        return true;
    case AF_INET6:
        if (len < sizeof(address.in6))
            return false;
        if (r->q->host && inet_ntop(AF_INET6, &address.in6.sin6_addr, text, sizeof(text)))
            items->host = items_keep(items, bytes_of(text));
        return true;
    case AF_UNIX:
        if (len < 4)
            return false;
        if (r->q->file_count) {
            const char *name = address.un.sun_path[0] ? address.un.sun_path : address.un.sun_path + 1;

            items_add(items, &items->files, items_keep(items, bytes_of(name)));
        }
        return true;
    default:
        return true;
    }
}

static bool read_integrity(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    unsigned long v;

    if (!may_read(&p, "pid=", &items->pid))
        return false;
    if (wants_uid(q)) {
        /* its parser takes the value from the "=" on, which reads as 0 */
        const char *found = place_find(&p, p.at, " uid=");

        if (found) {
            if (!place_number_at(&p, found + 4, 10, false, &v))
                return false;
            items->uid = (uint32_t)v;
            items->uid_name = reading_user(r, "uid", items->uid);
        }
    }
    if (wants_auid(q)) {
        struct record_place whole = { .at = p.start, .end = p.end, .start = p.start, .type = p.type };
        enum number_result n = place_number(&whole, "auid=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ) {
            p.at = whole.at;
            items->auid = (uint32_t)v;
            items->auid_name = reading_user(r, "auid", items->auid);
        }
    }
    if (q->has_session && !may_read(&p, "ses=", &items->session))
        return false;
    if (q->subject && !read_subject(r, &p, "subj=", false))
        return false;
    if (q->comm) {
        const char *found = place_find(&p, p.at, "comm=");

        if (found && !items_text(items, &p, found + 5, &items->comm))
            return false;
    }
    if (q->file_count) {
        const char *found = place_find(&p, p.at, " name=");

        if (found && !items_path(items, &p, found + 6))
            return false;
    }
    return read_result(r, &p);
}

static bool read_avc(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    struct bytes subject = BYTES_NULL, object = BYTES_NULL;
    const char *found = place_find(&p, p.at, "avc: "), *brace;
    unsigned long v;

    if (found) {
        brace = memchr(found + 5, '{', (size_t)(p.end - found - 5));
        if (brace) {
            if (q->success >= 0) {
                const char *denied = place_find(&p, found + 5, "denied");

                items->success = !(denied && denied < brace);
            }
            p.at = memchr(brace, '}', (size_t)(p.end - brace));
            if (!p.at)
                return false;
        }
    }
    if (p.type == AUDIT_USER_AVC) {
        bool good = read_user_message(r, p, &subject, &object);

        items->has_avc = true;
        if (subject.data)
            items_add(items, &items->subjects, subject);
        if (object.data)
            items_add(items, &items->objects, object);
        return good;
    }
    if (q->has_pid && !may_read(&p, "pid=", &items->pid))
        return false;
    if (q->comm && !items->comm.data) {
        found = place_find(&p, p.at, "comm=");
        if (!found || !items_text(items, &p, found + 5, &items->comm) || !items->comm.data)
            return false;
        if (found[5] != '"')
            p.at = MIN(found + 11, p.end);
    }
    if (q->file_count) {
        found = place_find(&p, p.at, " path=");
        if (!found)
            found = place_find(&p, p.at, " name=");
        if (found) {
            if (!items_path(items, &p, found + 6))
                return false;
            p.at = MIN(p.at + 7, p.end);
        }
    }
    if (q->subject) {
        found = place_find(&p, p.at, "scontext=");
        if (found && !place_word(&p, found + 9, &subject))
            return false;
    }
    if (q->object) {
        found = place_find(&p, p.at, "tcontext=");
        if (found && !place_word(&p, found + 9, &object))
            return false;
    }
    if (!place_find(&p, p.at, "tclass="))
        return false;
    (void)v;
    items->has_avc = true;
    if (subject.data)
        items_add(items, &items->subjects, subject);
    if (object.data)
        items_add(items, &items->objects, object);
    return true;
}

static bool read_anomaly(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    unsigned long v;

    if (wants_auid(q)) {
        if (place_number(&p, "auid=", 10, true, &v) != NUMBER_READ)
            return false;
        items->auid = (uint32_t)v;
        items->auid_name = reading_user(r, "auid", items->auid);
    }
    if (wants_uid(q)) {
        enum number_result n = place_number(&p, "uid=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ) {
            items->uid = (uint32_t)v;
            items->uid_name = reading_user(r, "uid", items->uid);
        }
    }
    if (q->has_gid && !may_read(&p, "gid=", &items->gid))
        return false;
    if (q->has_session) {
        enum number_result n = place_number(&p, "ses=", 10, true, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ)
            items->session = (uint32_t)v;
    }
    if (p.type == AUDIT_ANOM_PROMISCUOUS)
        return true;
    if (q->subject && !read_subject(r, &p, "subj=", false))
        return false;
    if (q->has_pid && !may_read(&p, "pid=", &items->pid))
        return false;
    if (q->comm) {
        const char *found = place_find(&p, p.at, "comm=");

        if (found && !items_text(items, &p, found + 5, &items->comm))
            return false;
    }
    if (q->exe) {
        const char *found = place_find(&p, p.at, "exe=");

        if (!found && p.type != AUDIT_ANOM_ABEND)
            return false;
        if (found && !items_text(items, &p, found + 4, &items->exe))
            return false;
    }
    if (p.type == AUDIT_SECCOMP) {
        enum number_result n = place_number(&p, "arch=", 16, false, &v);

        if (n == NUMBER_MISSING)
            return true; /* some kernels wrote none */
        if (n == NUMBER_BAD)
            return false;
        items->arch = (int)v;
        if (place_number(&p, "syscall=", 10, false, &v) != NUMBER_READ)
            return false;
        items->syscall = (int)v;
    }
    return read_result(r, &p);
}

/* Messages of which only the login user is of interest. */
static bool read_simple(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    unsigned long v;

    if (wants_auid(q)) {
        enum number_result n = place_number(&p, "auid=", 10, true, &v);

        if (n == NUMBER_BAD || (n == NUMBER_MISSING && p.type != AUDIT_CONFIG_CHANGE))
            return false;
        if (n == NUMBER_READ) {
            items->auid = (uint32_t)v;
            items->auid_name = reading_user(r, "auid", items->auid);
        }
    }
    if (q->has_session) {
        enum number_result n = place_number(&p, "ses=", 10, true, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ)
            items->session = (uint32_t)v;
    }
    if (q->subject && !read_subject(r, &p, "subj=", true))
        return false;
    if (q->key_count) {
        const char *found = place_find(&p, p.at, "key=");

        if (found && !items_keys(items, &p, found + 4))
            return false;
    }
    if (p.type == AUDIT_CONFIG_CHANGE)
        items->success = 1;
    return read_result(r, &p);
}

static bool read_tty(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    unsigned long v;

    if (q->has_pid && !may_read(&p, "pid=", &items->pid))
        return false;
    if (wants_uid(q)) {
        const char *found = place_find(&p, p.at, " uid=");

        if (found) {
            if (!place_number_at(&p, found + 4, 10, false, &v))
                return false;
            items->uid = (uint32_t)v;
            items->uid_name = reading_user(r, "uid", items->uid);
        }
    }
    if (wants_auid(q)) {
        if (place_number(&p, "auid=", 10, true, &v) != NUMBER_READ)
            return false;
        items->auid = (uint32_t)v;
        items->auid_name = reading_user(r, "auid", items->auid);
    }
    if (q->has_session && !may_read(&p, "ses=", &items->session))
        return false;
    if (q->comm) {
        const char *found = place_find(&p, p.at, "comm=");

        if (found && !items_text(items, &p, found + 5, &items->comm))
            return false;
    }
    return true;
}

/* NETFILTER_CFG, EVENT_LISTENER: fields that an earlier record of the event has given stay. */
static bool read_kernel(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    const char *found;
    unsigned long v;

    if (q->has_pid && items->pid == UINT32_MAX && !must_read(&p, " pid=", &items->pid))
        return false;
    if (wants_uid(q) && items->uid == UINT32_MAX && !items->uid_name.data) {
        enum number_result n = place_number(&p, "uid=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        items->uid = n == NUMBER_READ ? (uint32_t)v : 0;
        items->uid_name = reading_user(r, "uid", items->uid);
    }
    if (wants_auid(q) && items->auid == UINT32_MAX - 1 && !items->auid_name.data) {
        enum number_result n = place_number(&p, "auid=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        items->auid = n == NUMBER_READ ? (uint32_t)v : UINT32_MAX;
        items->auid_name = reading_user(r, "auid", items->auid);
    }
    if (q->terminal && !items->terminal.data) {
        found = place_find(&p, p.at, "tty=");
        if (!found)
            items->terminal = bytes_of("(none)");
        else if (!place_word(&p, found + 4, &items->terminal))
            return false;
    }
    if (q->has_session && items->session == UINT32_MAX - 1) {
        enum number_result n = place_number(&p, "ses=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        items->session = n == NUMBER_READ ? (uint32_t)v : UINT32_MAX;
    }
    if (q->subject && !items->has_avc) {
        if (!place_find(&p, p.at, "subj=") || !read_subject(r, &p, "subj=", false))
            return false;
    }
    if (q->comm && !items->comm.data) {
        found = place_find(&p, p.at, "comm=");
        if (!found || !items_text(items, &p, found + 5, &items->comm))
            return false;
    }
    if (q->exe && !items->exe.data) {
        found = place_find(&p, p.start, "exe=");
        if (!found)
            items->exe = bytes_of("(null)");
        else if (!items_text(items, &p, found + 4, &items->exe))
            return false;
    }
    return read_result(r, &p);
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
