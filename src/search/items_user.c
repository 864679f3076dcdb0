/* SPDX-License-Identifier: MIT */
/* Records that programs send: user messages, logins, auditd's own. */
#include "search/items_user.h"

#include <ctype.h>
#include <libaudit.h>
#include <strings.h>

#include "search/items_values.h"
#include "util/macro.h"

static void add_subject(struct record_reading *r, struct bytes text)
{
    items_add(r->items, &r->items->subjects, text);
    r->items->has_avc = true;
}

static bool read_contexts(struct record_reading *r, struct record_place *p, struct bytes *avc_subject,
                          struct bytes *avc_object)
{
    const char *found;
    struct bytes word;

    if (r->q->subject && (found = place_find(p, p->at, "subj="))) {
        if (!place_word(p, found + 5, &word))
            return false;
        if (avc_subject)
            *avc_subject = word;
        else
            add_subject(r, word);
    }
    if (avc_object && r->q->object) {
        if ((found = place_find(p, p->at, "tcontext="))) {
            if (place_word(p, found + 9, &word))
                *avc_object = word;
            else
                p->at = found + 9;
        }
        if ((found = place_find(p, p->at, "tclass=")) && !place_word(p, found + 7, &word))
            p->at = found + 7;
    }
    return true;
}

static bool read_group(struct record_reading *r, struct record_place *p)
{
    const char *found;
    unsigned long v;

    if (p->type != AUDIT_ADD_GROUP && p->type != AUDIT_DEL_GROUP && p->type != AUDIT_GRP_MGMT)
        return true;
    found = place_find(p, p->at, " id=");
    if (!found && p->type == AUDIT_GRP_MGMT)
        found = place_find(p, p->at, "gid=");
    if (!found)
        return true;
    if (!place_number_at(p, found + 4, 10, false, &v))
        return false;
    r->items->gid = (uint32_t)v;
    return true;
}

static bool read_machine(struct record_reading *r, struct record_place *p)
{
    const struct search_query *q = r->q;
    const char *found;
    struct bytes word;

    if (q->vm && (found = place_find(p, p->at, "vm=")) &&
        !items_text(r->items, p, found + 3, &r->items->vm))
        return false;
    if (q->uuid && (found = place_find(p, p->at, "uuid="))) {
        const char *end = found + 5;

        while (end < p->end && *end != ' ' && *end != ':')
            end++;
        if (end == found + 5)
            return false;
        r->items->uuid = (struct bytes){ found + 5, (size_t)(end - found - 5) };
        p->at = end;
    }
    if (p->type == AUDIT_VIRT_MACHINE_ID) {
        if (q->subject && (found = place_find(p, p->at, "vm-ctx="))) {
            if (!place_word(p, found + 7, &word))
                return false;
            add_subject(r, word);
        }
        if (q->object && (found = place_find(p, p->at, "img-ctx="))) {
            if (!place_word(p, found + 8, &word))
                return false;
            items_add(r->items, &r->items->objects, word);
            r->items->has_avc = true;
        }
    } else if (p->type == AUDIT_VIRT_RESOURCE && q->file_count) {
        size_t n = 6;

        found = place_find(p, p->at, " path=");
        if (!found) {
            n = 10;
            found = place_find(p, p->at, " new-disk=");
        }
        if (found) {
            if (!items_path(r->items, p, found + n))
                return false;
            p->at = found + n;
        }
    }
    return true;
}

/* A second uid= is the one that is meant where there is one, as in USER_LOGIN. */
static bool read_second_uid(struct record_reading *r, struct record_place *p)
{
    const char *found, *end;
    unsigned long v = 0;

    for (;;) {
        found = place_find(p, p->at, "uid=");
        if (!found)
            return true;
        if (found == p->start || found[-1] != 'a')
            break;
        p->at = found + 1;
    }
    if (found > p->start && (found[-1] == 's' || found[-1] == 'u'))
        return true;
    if (found == p->start || (found[-1] != '\'' && found[-1] != ' '))
        return false;
    for (end = found + 4; end < p->end && isdigit((unsigned char)*end); end++)
        if (__builtin_mul_overflow(v, 10ul, &v) || __builtin_add_overflow(v, (unsigned long)(*end - '0'), &v))
            return false;
    if (end == found + 4)
        return false;
    p->at = end;
    reading_set_uid(r, (uint32_t)v);
    return true;
}

static bool read_until(struct record_place *p, const char *value, char first, char second, struct bytes *ret)
{
    const char *end = value < p->end ? memchr(value, first, (size_t)(p->end - value)) : NULL;

    if (!end)
        end = value < p->end ? memchr(value, second, (size_t)(p->end - value)) : NULL;
    if (!end)
        return false;
    *ret = (struct bytes){ value, (size_t)(end - value) };
    p->at = end;
    return true;
}

/* acct= moves the place only: what follows it is looked for behind it. */
static void pass_account(struct record_place *p)
{
    const char *found = place_find(p, p->at, "acct="), *end;

    if (!found || found + 5 >= p->end)
        return;
    end = found + 6;
    if (found[5] == '"')
        while (end < p->end && *end != '"')
            end++;
    else
        for (end = found + 5; end < p->end && *end != ' ';)
            end++;
    p->at = end;
}

/* `forgiving`: of an AVC that a program sent, where a malformed end does not matter. */
static bool read_rest(struct record_reading *r, struct record_place p, bool forgiving)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    const char *start, *found;
    struct bytes word;

    /* comm= is looked for from here, and acct= from here too */
    start = p.at;
    if (q->comm && (found = place_find(&p, start, "comm="))) {
        if (!items_text(items, &p, found + 5, &items->comm))
            return false;
    }
    {
        const char *after = p.at;

        p.at = start;
        if (place_find(&p, start, "acct="))
            pass_account(&p);
        else
            p.at = after;
    }
    start = p.at;
    if (q->host && (found = place_find(&p, start, "hostname="))) {
        if (!read_until(&p, found + 9, ',', ' ', &items->host))
            return false;
        if (bytes_equal_str(items->host, "?")) {
            found = place_find(&p, MIN(p.at + 1, p.end), "addr=");
            if (found && !read_until(&p, found + 5, ',', ' ', &items->host))
                return false;
        }
    }
    if (q->file_count && (found = place_find(&p, start, "cwd=")) &&
        !items_text_or_word(items, &p, found + 4, &items->cwd))
        return false;
    if (q->terminal && (found = place_find(&p, start, "terminal=")) &&
        !read_until(&p, found + 9, ' ', ')', &items->terminal))
        return false;
    if (q->exe && (found = place_find(&p, start, "exe=")) &&
        !items_text_or_word(items, &p, found + 4, &items->exe))
        return forgiving;
    if (q->success < 0)
        return true;
    if ((found = place_find(&p, start, "res="))) {
        if (!read_until(&p, found + 4, '\'', '\'', &word))
            return forgiving;
        items->success = !bytes_starts_with(word, bytes_of("failed"));
    } else if ((found = place_find(&p, start, "result="))) {
        if (!read_until(&p, found + 7, ')', ')', &word))
            return forgiving;
        items->success = word.len == 7 && strncasecmp(word.data, "success", 7) == 0;
    }
    return true;
}

bool read_user_message(struct record_reading *r, struct record_place p, struct bytes *avc_subject,
                       struct bytes *avc_object)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    unsigned long v;

    p.at = p.start;
    if (q->has_pid) {
        if (place_number(&p, "pid=", 10, false, &v) != NUMBER_READ)
            return false;
        items->pid = (uint32_t)v;
    }
    if (wants_uid(q)) {
        if (place_number(&p, "uid=", 10, false, &v) != NUMBER_READ)
            return false;
        reading_set_uid(r, (uint32_t)v);
    }
    if (wants_auid(q)) {
        enum number_result n = place_number(&p, "auid=", 10, false, &v);

        if (n == NUMBER_MISSING)
            n = place_number(&p, "loginuid=", 10, false, &v);
        if (n != NUMBER_READ)
            return false;
        reading_set_auid(r, (uint32_t)v);
    }
    if (q->has_session) {
        enum number_result n = place_number(&p, "ses=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ)
            items->session = (uint32_t)v;
    }
    if (!read_contexts(r, &p, avc_subject, avc_object))
        return false;
    if (q->has_gid && !read_group(r, &p))
        return avc_subject != NULL;
    if (!read_machine(r, &p))
        return avc_subject != NULL;
    if (wants_uid(q) && !read_second_uid(r, &p))
        return avc_subject != NULL;
    return read_rest(r, p, avc_subject != NULL);
}

/* Where the last value ends with the record, what follows is looked for from its beginning. */
static void back_from_end(struct record_place *p)
{
    if (p->at >= p->end || *p->at != ' ')
        p->at = p->start;
}

bool read_login(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    const char *found;
    struct bytes word;
    unsigned long v;

    if (q->has_pid) {
        if (place_number(&p, "pid=", 10, false, &v) != NUMBER_READ)
            return false;
        items->pid = (uint32_t)v;
    }
    if (wants_uid(q)) {
        if (place_number(&p, "uid=", 10, false, &v) != NUMBER_READ)
            return false;
        reading_set_uid(r, (uint32_t)v);
    }
    if (q->subject && (found = place_find(&p, p.at, "subj="))) {
        if (!place_word(&p, found + 5, &word))
            return false;
        add_subject(r, word);
    }
    if (wants_auid(q)) {
        /* "new auid=" until 3.13, " auid=" behind "old-auid=" since */
        enum number_result n = place_number(&p, "new auid=", 10, true, &v);

        if (n == NUMBER_MISSING)
            n = place_number(&p, " auid=", 10, true, &v);
        if (n == NUMBER_MISSING)
            n = place_number(&p, "new loginuid=", 10, true, &v);
        if (n != NUMBER_READ)
            return false;
        reading_set_auid(r, (uint32_t)v);
        back_from_end(&p);
    }
    if (q->success >= 0) {
        enum number_result n = place_number(&p, "res=", 10, true, &v);

        if (n == NUMBER_BAD)
            return false;
        items->success = n == NUMBER_READ ? (int)v : 1; /* older kernels wrote successes only */
        back_from_end(&p);
    }
    if (q->has_session) {
        enum number_result n = place_number(&p, "new ses=", 10, true, &v);

        if (n == NUMBER_MISSING)
            n = place_number(&p, " ses=", 10, true, &v);
        if (n != NUMBER_READ)
            return false;
        items->session = (uint32_t)v;
    }
    return true;
}

static void read_word_result(struct record_reading *r, const struct record_place *p, const char *from)
{
    const char *found = place_find(p, from, "res=");

    if (found && found + 4 < p->end && isalpha((unsigned char)found[4]))
        r->items->success = !(p->end - found - 4 >= 6 && memcmp(found + 4, "failed", 6) == 0);
}

/* "res=" with no word behind it is malformed. */
static bool result_is_bad(const struct record_place *p, const char *from)
{
    const char *found = place_find(p, from, "res=");

    return found && (found + 4 >= p->end || !isalpha((unsigned char)found[4]));
}

bool read_daemon(struct record_reading *r, struct record_place p)
{
    const struct search_query *q = r->q;
    struct search_items *items = r->items;
    const char *after = memchr(p.at, ')', (size_t)(p.end - p.at)), *found;
    unsigned long v;
    struct bytes word;

    if (!after)
        after = p.start;
    p.at = after;
    if (wants_auid(q)) {
        if (place_number(&p, "auid=", 10, false, &v) != NUMBER_READ)
            return false;
        reading_set_auid(r, (uint32_t)v);
    }
    if (q->has_pid) {
        if (place_number(&p, "pid=", 10, false, &v) != NUMBER_READ)
            return false;
        items->pid = (uint32_t)v;
    }
    if (q->has_uid) {
        enum number_result n = place_number(&p, " uid=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ)
            items->uid = (uint32_t)v;
    }
    if (q->has_session) {
        enum number_result n = place_number(&p, "ses=", 10, false, &v);

        if (n == NUMBER_BAD)
            return false;
        if (n == NUMBER_READ)
            items->session = (uint32_t)v;
    }
    if (q->subject && (found = place_find(&p, p.at, "subj="))) {
        if (!place_word(&p, found + 5, &word))
            word = (struct bytes){ found + 5, (size_t)(p.end - found - 5) };
        add_subject(r, word);
    }
    if (q->success >= 0) {
        if (result_is_bad(&p, after))
            return false;
        read_word_result(r, &p, after);
    }
    return true;
}

bool read_daemon_peer(struct record_reading *r, struct record_place p)
{
    const char *found;

    if (r->q->host && (found = place_find(&p, p.at, "addr=")) &&
        !read_until(&p, found + 5, ':', ' ', &r->items->host))
        return false;
    if (r->q->success >= 0) {
        if (result_is_bad(&p, p.at))
            return false;
        read_word_result(r, &p, p.at);
    }
    return true;
}
