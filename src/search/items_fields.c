/* SPDX-License-Identifier: MIT */
#include "search/items_fields.h"

#include <libaudit.h>
#include <stdlib.h>

#include "search/items_values.h"
#include "util/macro.h"

bool must_read(struct record_place *p, const char *name, uint32_t *ret)
{
    unsigned long v;

    if (place_number(p, name, 10, false, &v) != NUMBER_READ)
        return false;
    *ret = (uint32_t)v;
    return true;
}

bool may_read(struct record_place *p, const char *name, uint32_t *ret)
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

bool read_subject(struct record_reading *r, struct record_place *p, const char *name, bool may_end)
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

void read_object(struct record_reading *r, struct record_place *p)
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

bool read_result(struct record_reading *r, struct record_place *p)
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

/* comm= and exe=, as far as the query asks for them; must: they have to be there. */
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

bool read_task(struct record_reading *r, struct record_place *p)
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
        reading_set_auid(r, (uint32_t)v);
    }
    if (wants_uid(q)) {
        found = find_uid(p, p->at);
        if (!found || !place_number_at(p, found + 4, 10, false, &v))
            return false;
        reading_set_uid(r, (uint32_t)v);
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
