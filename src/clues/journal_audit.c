/* SPDX-License-Identifier: MIT */
#include "clues/journal_audit.h"

#include <errno.h>

#include "clues/fact.h"
#include "engine/flat.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define LINE_MAX_LEN (64 * 1024)

bool journal_audit_line(struct sbuf *out, struct bytes type, struct bytes name, struct bytes serial, uint64_t time_us, struct bytes message)
{
    uint32_t number;
    uint64_t id;

    /* a program may send audit a message of several lines, of which the second would be read as a record */
    if (parse_u32(type, 10, &number) < 0 || parse_u64(serial, 10, &id) < 0 || message.len > LINE_MAX_LEN ||
        memchr(message.data ? message.data : "", '\n', message.len) || !name.len || !bytes_starts_with(message, name))
        return false;
    message = (struct bytes){ message.data + name.len, message.len - name.len };
    while (message.len && message.data[0] == ' ')
        message = (struct bytes){ message.data + 1, message.len - 1 };
    sbuf_addf(out, "type=UNKNOWN[%u] msg=audit(%llu.%03llu:%llu): ", number, (unsigned long long)(time_us / 1000000),
              (unsigned long long)(time_us / 1000 % 1000), (unsigned long long)id);
    sbuf_add_bytes(out, message);
    sbuf_add_char(out, '\n');
    return true;
}

int journal_audit_take(struct bytes answer, uint64_t *ret_from_ns, struct bytes *ret_text)
{
    uint64_t from;

    if (flat_get_u64(&answer, &from) < 0)
        return -EBADMSG;
    *ret_from_ns = from;
    *ret_text = answer;
    return 0;
}

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-journal.h>

#include "clues/journal_files.h"
#include "clues/source.h"
#include "util/clock.h"

#define TEXT_MAX (16 * 1024 * 1024)
#define READ_NS (600 * NS_PER_MS)
#define NS_PER_US 1000u

static struct journal_files files; /* in the worker */

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);

    (void)g;
    if (root < 0)
        return root;
    return journal_files_open(root, q.since_ns, &files) ? 0 : -ENOENT;
}

static struct bytes field(sd_journal *j, const char *name, struct sbuf *hold)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;

    sbuf_clear(hold); /* the next field may take the place of this one in memory */
    if (sd_journal_get_data(j, name, &data, &len) >= 0 && len >= skip && len - skip <= LINE_MAX_LEN)
        sbuf_add(hold, (const char *)data + skip, len - skip);
    return sbuf_bytes(hold);
}

struct record_fields {
    struct sbuf type, name, serial, source, message;
};

static void record_fields_done(struct record_fields *f)
{
    sbuf_done(&f->type);
    sbuf_done(&f->name);
    sbuf_done(&f->serial);
    sbuf_done(&f->source);
    sbuf_done(&f->message);
}

static void one_record(sd_journal *j, struct record_fields *f, uint64_t time_us, struct sbuf *out)
{
    uint64_t source = 0;

    (void)field(j, "_AUDIT_TYPE", &f->type);
    (void)field(j, "_AUDIT_TYPE_NAME", &f->name);
    (void)field(j, "_AUDIT_ID", &f->serial);
    if (parse_u64(field(j, "_SOURCE_REALTIME_TIMESTAMP", &f->source), 10, &source) == 0)
        time_us = source; /* the kernel's, of which all records of an event have the same */
    (void)field(j, "MESSAGE", &f->message);
    (void)journal_audit_line(out, sbuf_bytes(&f->type), sbuf_bytes(&f->name), sbuf_bytes(&f->serial), time_us, sbuf_bytes(&f->message));
}

/* The last line first. */
static void turn_round(const struct sbuf *lines, struct sbuf *out)
{
    size_t end = lines->len;

    while (end) {
        const char *newline = end > 1 ? memrchr(lines->data, '\n', end - 1) : NULL;
        size_t from = newline ? (size_t)(newline + 1 - lines->data) : 0;

        sbuf_add(out, lines->data + from, end - from);
        end = from;
    }
}

/* From the end backwards: the newest are those that are asked for. */
static int read_back(sd_journal *j, const struct clue_question *q, struct sbuf *lines, uint64_t *ret_from_ns)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + clue_patience(q, READ_NS), us = 0;
    struct record_fields f = { SBUF_INIT, SBUF_INIT, SBUF_INIT, SBUF_INIT, SBUF_INIT };
    int r = q->until_ns ? sd_journal_seek_realtime_usec(j, q->until_ns / NS_PER_US + 1) : sd_journal_seek_tail(j);

    *ret_from_ns = 0;
    while (r >= 0 && (r = sd_journal_previous(j)) > 0) {
        if (sd_journal_get_realtime_usec(j, &us) < 0 || us * NS_PER_US < q->since_ns)
            break;
        if (lines->len > TEXT_MAX || clock_ns(CLOCK_MONOTONIC) > until) {
            *ret_from_ns = us * NS_PER_US;
            break;
        }
        one_record(j, &f, us, lines);
    }
    record_fields_done(&f);
    return r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf lines = SBUF_INIT;
    struct clue_question q;
    uint64_t from_ns = 0;
    sd_journal *j = NULL;
    int r;

    (void)g;
    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    r = sd_journal_open_files_fd(&j, files.fds, files.count, 0);
    /* a field that no program can give itself */
    if (r >= 0)
        r = sd_journal_add_match(j, "_TRANSPORT=audit", 0);
    if (r >= 0)
        r = read_back(j, &q, &lines, &from_ns);
    sd_journal_close(j);
    if (r < 0)
        return r;
    flat_put_u64(answer, from_ns);
    turn_round(&lines, answer);
    return sbuf_error(&lines);
}

const struct foreign_job journal_audit_job = { "the audit records in the journal", 1024, gather, parse, true };
#else
static int gather(struct bytes request, struct gathered *g)
{
    (void)request;
    (void)g;
    return -EOPNOTSUPP; /* built without libsystemd */
}

const struct foreign_job journal_audit_job = { "the journal (this culprit was built without libsystemd)", 1024, gather, NULL, false };
#endif
