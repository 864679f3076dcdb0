/* SPDX-License-Identifier: MIT */
#include "search/items_kernel.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "search/items_fields.h"
#include "search/items_user.h"
#include "search/items_values.h"
#include "util/macro.h"

bool read_avc_path(struct record_reading *r, struct record_place p)
{
    const char *found;

    if (!r->q->file_count)
        return true;
    found = place_find(&p, p.at, " path=");
    return found && items_path(r->items, &p, found + 6);
}

bool read_object_only(struct record_reading *r, struct record_place p)
{
    if (r->q->object)
        read_object(r, &p);
    return true;
}

bool read_packet(struct record_reading *r, struct record_place p)
{
    if (r->q->host) {
        const char *found = place_find(&p, p.at, "saddr=");

        if (found && !place_word(&p, found + 6, &r->items->host))
            return false;
    }
    return read_object_only(r, p);
}

bool read_socket(struct record_reading *r, struct record_place p)
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

bool read_integrity(struct record_reading *r, struct record_place p)
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
            reading_set_uid(r, (uint32_t)v);
        }
    }
    if (wants_auid(q)) {
        struct record_place whole = { .at = p.start, .end = p.end, .start = p.start, .type = p.type };
        enum number_result n = place_number(&whole, "auid=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ) {
            p.at = whole.at;
            reading_set_auid(r, (uint32_t)v);
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

bool read_avc(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    struct bytes subject = BYTES_NULL, object = BYTES_NULL;
    const char *found = place_find(&p, p.at, "avc: "), *brace;

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
    items->has_avc = true;
    if (subject.data)
        items_add(items, &items->subjects, subject);
    if (object.data)
        items_add(items, &items->objects, object);
    return true;
}

bool read_anomaly(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    unsigned long v;

    if (wants_auid(q)) {
        if (place_number(&p, "auid=", 10, true, &v) != NUMBER_READ)
            return false;
        reading_set_auid(r, (uint32_t)v);
    }
    if (wants_uid(q)) {
        enum number_result n = place_number(&p, "uid=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ) {
            reading_set_uid(r, (uint32_t)v);
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
bool read_simple(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    unsigned long v;

    if (wants_auid(q)) {
        enum number_result n = place_number(&p, "auid=", 10, true, &v);

        if (n == NUMBER_BAD || (n == NUMBER_MISSING && p.type != AUDIT_CONFIG_CHANGE))
            return false;
        if (n == NUMBER_READ) {
            reading_set_auid(r, (uint32_t)v);
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

bool read_tty(struct record_reading *r, struct record_place p)
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
            reading_set_uid(r, (uint32_t)v);
        }
    }
    if (wants_auid(q)) {
        if (place_number(&p, "auid=", 10, true, &v) != NUMBER_READ)
            return false;
        reading_set_auid(r, (uint32_t)v);
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
bool read_kernel(struct record_reading *r, struct record_place p)
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
