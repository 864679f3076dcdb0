/* SPDX-License-Identifier: MIT */
#include "copies/record.h"

#include "util/clock.h"

#include <limits.h>
#include <string.h>

#include "util/macro.h"

uint64_t copy_check(const struct copy_record *record, struct bytes path, struct bytes link, struct bytes xattrs)
{
    const struct bytes parts[] = { { (const char *)&record->time_ns, sizeof(*record) - offsetof(struct copy_record, time_ns) }, path, link, xattrs };
    uint64_t h = 14695981039346656037ull; /* FNV-1a */

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        for (size_t k = 0; k < parts[i].len; k++)
            h = (h ^ (unsigned char)parts[i].data[k]) * 1099511628211ull;
    return h;
}

static bool take(struct bytes *rest, size_t len, struct bytes *ret)
{
    if (len > rest->len)
        return false;
    *ret = (struct bytes){ rest->data, len };
    *rest = (struct bytes){ rest->data + len, rest->len - len };
    return true;
}

bool copy_next(struct bytes *index, struct copy *ret)
{
    struct bytes rest = *index, head;
    struct copy_record *record = &ret->record;

    *ret = (struct copy){ 0 };
    if (!take(&rest, sizeof(*record), &head))
        return false;
    memcpy(record, head.data, sizeof(*record));
    if (record->magic != COPY_MAGIC || record->path_len >= PATH_MAX || !take(&rest, record->path_len, &ret->path) ||
        !take(&rest, record->link_len, &ret->link) || !take(&rest, record->xattrs_len, &ret->xattrs))
        return false;
    if (record->check != copy_check(record, ret->path, ret->link, ret->xattrs) || !ret->path.len || ret->path.data[0] != '/')
        return false;
    *index = rest;
    return true;
}

#define SLACK_NS ((int64_t)NS_PER_S) /* it is slewed, or read twice */

bool copies_clock_is_back(struct copies_clock *c, uint64_t real_ns, uint64_t boot_ns)
{
    int64_t ahead = (int64_t)(real_ns - boot_ns);
    bool back = c->looked ? ahead + SLACK_NS < c->ahead_ns : real_ns + (uint64_t)SLACK_NS < c->newest_ns;

    c->ahead_ns = ahead;
    c->looked = true;
    return back;
}
