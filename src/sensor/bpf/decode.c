/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "util/limits.h"
#include "wire/operation.h"

struct tail {
    const char *data;
    size_t len, at;
};

static int take(struct tail *t, uint32_t len, struct bytes *ret)
{
    if (len > t->len - t->at)
        return -EBADMSG;
    *ret = len ? (struct bytes){ t->data + t->at, len } : BYTES_NULL;
    t->at += len;
    return 0;
}

static struct bytes without_nul(struct bytes b)
{
    size_t n = b.data ? strnlen(b.data, b.len) : 0;

    return n ? (struct bytes){ b.data, n } : BYTES_NULL;
}

static bool are_names(struct bytes b)
{
    return !b.len || b.data[b.len - 1] == '\0';
}

static int decode_change(const char *data, size_t len, struct bpf_record *r, struct err *err)
{
    const struct wire_change *c = (const struct wire_change *)data;
    struct tail t;

    if (len < sizeof(*c))
        return err_say(err, -EBADMSG, "a change of %zu bytes, it needs %zu", len, sizeof(*c));
    r->change = c;
    t = (struct tail){ data + sizeof(*c), len - sizeof(*c), 0 };
    if (take(&t, c->path_len, &r->path) < 0 || take(&t, c->other_len, &r->other) < 0 ||
        take(&t, c->text_len, &r->text) < 0)
        return err_say(err, -EBADMSG, "a change's tail ends at byte %zu of %zu", t.at, t.len);
    if (!are_names(r->path) || !are_names(r->other))
        return err_say(err, -EBADMSG, "a change's names are not ended");
    if (c->hit_count > WIRE_HITS_MAX || c->operation == OPERATION_NONE ||
        c->operation >= OPERATION_COUNT)
        return err_say(err, -EBADMSG, "a change with %u hits, operation %u", c->hit_count,
                       c->operation);
    if (c->error < -1 || c->error > 4095)
        return err_say(err, -EBADMSG, "a change with error %d", c->error);
    for (unsigned i = 0; i < c->hit_count; i++)
        if (c->hits[i].path > 1)
            return err_say(err, -EBADMSG, "a hit on path %u", c->hits[i].path);
    r->text = without_nul(r->text);
    return 0;
}

static int decode_actor(const char *data, size_t len, struct bpf_record *r, struct err *err)
{
    struct wire_actor *a = &r->actor;
    struct tail t;

    if (len < sizeof(*a))
        return err_say(err, -EBADMSG, "an actor of %zu bytes, it needs %zu", len, sizeof(*a));
    memcpy(a, data, sizeof(*a));
    t = (struct tail){ data + sizeof(*a), len - sizeof(*a), 0 };
    if (take(&t, a->comm_len, &r->comm) < 0 || take(&t, a->exe_len, &r->exe) < 0 ||
        take(&t, a->cwd_len, &r->cwd) < 0 || take(&t, a->args_len, &r->args) < 0 ||
        take(&t, a->tty_len, &r->tty) < 0 || take(&t, a->cgroup_len, &r->cgroup) < 0)
        return err_say(err, -EBADMSG, "an actor's tail ends at byte %zu of %zu", t.at, t.len);
    if (!are_names(r->exe) || !are_names(r->cwd) || !are_names(r->cgroup))
        return err_say(err, -EBADMSG, "an actor's names are not ended");
    r->comm = without_nul(r->comm);
    r->tty = without_nul(r->tty);
    return 0;
}

int bpf_decode(const void *data, size_t len, struct bpf_record *ret, struct err *err)
{
    struct wire_header h;

    if (len < sizeof(h))
        return err_say(err, -EBADMSG, "a record of %zu bytes, the header needs %zu", len, sizeof(h));
    memcpy(&h, data, sizeof(h));
    if (h.version != WIRE_CHANGE_VERSION || h.len < sizeof(h) || h.len > len)
        return err_say(err, -EBADMSG, "version %u, length %u of %zu", h.version, h.len, len);
    ret->type = h.type;
    ret->change = NULL;
    ret->path = ret->other = ret->text = BYTES_NULL;
    ret->comm = ret->exe = ret->cwd = ret->args = ret->tty = ret->cgroup = BYTES_NULL;
    switch (h.type) {
    case WIRE_CHANGE:
    case WIRE_ALREADY_OPEN:
        return decode_change(data, h.len, ret, err);
    case WIRE_ACTOR:
        return decode_actor(data, h.len, ret, err);
    default:
        return err_say(err, -EBADMSG, "a record of type %u", h.type);
    }
}

unsigned bpf_names_count(struct bytes names)
{
    unsigned n = 0;

    for (size_t i = 0; i < names.len; i++)
        n += names.data[i] == '\0';
    return n;
}

/* Where each of the first names begins: found from the leaf, written from the other end. */
bool bpf_names_path(struct bytes names, unsigned count, struct bytes base, struct sbuf *out)
{
    size_t end = 0;
    unsigned found = 0;

    while (base.len && base.data[base.len - 1] == '/')
        base.len--;
    sbuf_clear(out);
    sbuf_add_bytes(out, base);
    while (found < count && end < names.len)
        found += names.data[end++] == '\0';
    if (found < count)
        return false;
    while (end > 0) {
        size_t start = end - 1; /* at the name's NUL */

        while (start > 0 && names.data[start - 1] != '\0')
            start--;
        sbuf_add_char(out, '/');
        sbuf_add_bytes(out, (struct bytes){ names.data + start, end - 1 - start });
        end = start;
    }
    if (out->len == 0)
        sbuf_add_char(out, '/');
    return sbuf_error(out) == 0;
}
