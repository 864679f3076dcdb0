/* SPDX-License-Identifier: MIT */
/*
 * The systemd journal around the moments, read by libsystemd: the files are opened beforehand, and it works in a process that has
 * neither user nor capabilities. What a program says of itself is believed only where root ran it: anybody may log as "CRON".
 */
#include "clues/source.h"

#ifdef HAVE_LIBSYSTEMD
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include "clues/journal_files.h"
#include "clues/syslog.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

#define ENTRIES_MAX 200000 /* of one span */
#define READ_NS (1800 * NS_PER_MS)
#define NS_PER_US 1000u
#define LATE_NS (30 * NS_PER_S) /* so late journald may read what was sent */
#define PASSWD_MAX (1024 * 1024)

static struct journal_files files; /* in the worker */

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    uint64_t earliest = UINT64_MAX;

    if (root < 0)
        return root;
    for (size_t i = 0; i < q.span_count; i++)
        earliest = MIN(earliest, q.spans[i].from_ns);
    if (!q.span_count)
        return -ENOENT;
    return journal_files_open(root, earliest, &files) ? clue_gather_file(g, root, "/etc/passwd", PASSWD_MAX, false) : -ENOENT;
}

static struct bytes field(sd_journal *j, const char *name)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;

    if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
        return BYTES_NULL;
    return (struct bytes){ (const char *)data + skip, len - skip };
}

/* The uid of a name in /etc/passwd; empty: it is not there. */
static struct bytes uid_of(struct bytes passwd, struct bytes name)
{
    while (passwd.len) {
        struct bytes line = bytes_next_line(&passwd), first = bytes_next_field(&line, ':');

        (void)bytes_next_field(&line, ':');
        if (name.len && bytes_equal(first, name))
            return bytes_next_field(&line, ':');
    }
    return BYTES_NULL;
}

/* sudo and its like log as the user who calls them: which program it was journald saw itself, not before the message but soon behind it.
 * So the user whom it names must be the one whose message it is: nobody logs another's. */
static bool is_switch_of_user(struct bytes exe, struct bytes ident, struct bytes message, struct bytes uid, struct bytes passwd)
{
    static const char *const programs[] = { "/usr/bin/sudo", "/bin/sudo", "/usr/bin/doas", "/usr/bin/sudo-rs", "/usr/bin/su", "/bin/su" };
    static const char *const idents[] = { "sudo", "doas", "su" };
    struct bytes rest = message, known;

    if (!BYTES_AMONG(exe, programs) || !BYTES_AMONG(ident, idents))
        return false;
    if (bytes_starts_with(message, bytes_of("(to "))) /* su's: "(to root) ann on pts/1" */
        (void)bytes_next_field(&rest, ')');
    known = uid_of(passwd, bytes_next_word(&rest));
    return !known.len || bytes_equal(known, uid);
}

/* When it was sent: journald notes it where it came to read it later, as on a machine with much to do. */
static uint64_t sent_us(sd_journal *j, uint64_t received_us)
{
    uint64_t us;

    return parse_u64(field(j, "_SOURCE_REALTIME_TIMESTAMP"), 10, &us) == 0 && us && us < received_us ? us : received_us;
}

/* Not behind all moments: what is read there is for what was sent before. */
static bool is_between(const struct clue_question *q, uint64_t ns)
{
    for (size_t i = 0; i < q->span_count; i++)
        if (ns <= q->spans[i].to_ns + CLUE_AFTER_NS)
            return true;
    return false;
}

/* Each field may be in memory that the next call gives back. */
static void one_entry(sd_journal *j, struct sbuf *answer, const struct clue_question *q, struct bytes passwd)
{
    struct syslog_message m = { .place = bytes_of("journal") };
    _cleanup_sbuf_ struct sbuf ident = SBUF_INIT, message = SBUF_INIT, uid = SBUF_INIT, by = SBUF_INIT;
    struct bytes text;
    uint64_t us = 0;

    if (sd_journal_get_realtime_usec(j, &us) < 0)
        return;
    text = field(j, "_UID");
    sbuf_add(&uid, text.data, MIN(text.len, (size_t)10));
    text = field(j, "SYSLOG_IDENTIFIER");
    sbuf_add_bytes(&ident, text.len ? text : field(j, "_COMM"));
    sbuf_add_bytes(&message, field(j, "MESSAGE"));
    if (message.len > 16 * 1024)
        sbuf_truncate(&message, 16 * 1024);
    m.time_ns = sent_us(j, us) * NS_PER_US;
    if (!is_between(q, m.time_ns))
        return;
    if (uid.len && !bytes_equal_str(sbuf_bytes(&uid), "0")) {
        sbuf_addf(&by, "by uid %.*s: ", (int)uid.len, uid.data);
        m.by = sbuf_bytes(&by);
        m.of_user = !is_switch_of_user(field(j, "_EXE"), sbuf_bytes(&ident), sbuf_bytes(&message), sbuf_bytes(&uid), passwd);
    }
    m.ident = sbuf_bytes(&ident);
    m.message = sbuf_bytes(&message);
    if (!sbuf_error(&ident) && !sbuf_error(&message))
        syslog_message(answer, q, &m);
}

/* The latest first. */
static int by_time(const void *a, const void *b)
{
    const struct clue_span *x = a, *y = b;

    return (x->to_ns < y->to_ns) - (x->to_ns > y->to_ns);
}

/* From just behind a moment backwards: what is nearest comes first, however much a host logs in an hour. */
static int read_spans(sd_journal *j, struct sbuf *answer, const struct clue_question *q, struct bytes passwd)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + clue_patience(q, READ_NS), read_from = UINT64_MAX;
    struct clue_span spans[CLUE_SPANS_MAX];

    memcpy(spans, q->spans, sizeof(spans));
    qsort(spans, q->span_count, sizeof(*spans), by_time);
    for (size_t i = 0; i < q->span_count; i++) {
        uint64_t from = spans[i].from_ns - MIN(spans[i].from_ns, CLUE_FAR_NS), to = MIN(spans[i].to_ns + CLUE_AFTER_NS + LATE_NS, read_from);
        unsigned n = 0;
        int r = sd_journal_seek_realtime_usec(j, to / NS_PER_US + 1);

        while (r >= 0 && (r = sd_journal_previous(j)) > 0) {
            uint64_t us = 0;

            if (sd_journal_get_realtime_usec(j, &us) < 0 || us * NS_PER_US < from)
                break;
            if (++n > ENTRIES_MAX || ((n & 255) == 0 && clock_ns(CLOCK_MONOTONIC) > until)) {
                clue_put_note(answer, "of the hour before a moment only the last %u entries were read", n);
                break;
            }
            one_entry(j, answer, q, passwd);
        }
        if (r < 0)
            return r;
        read_from = from;
    }
    return 0;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;
    sd_journal *j = NULL;
    uint64_t first = 0, last = 0;
    int r;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    r = sd_journal_open_files_fd(&j, files.fds, files.count, 0);
    if (r < 0)
        return r;
    r = read_spans(j, answer, &q, gathered_get(g, "/etc/passwd"));
    if (r >= 0 && sd_journal_get_cutoff_realtime_usec(j, &first, &last) > 0)
        clue_put_cover(answer, first * NS_PER_US, 0);
    else
        clue_put_cover(answer, 0, 0);
    sd_journal_close(j);
    return r;
}

const struct foreign_job clue_job_journal = { "the journal", PASSWD_MAX + 1024, gather, parse, true };
#else
#include <errno.h>

static int gather(struct bytes request, struct gathered *g)
{
    (void)request;
    (void)g;
    return -EOPNOTSUPP; /* built without libsystemd */
}

const struct foreign_job clue_job_journal = { "the journal (this culprit was built without libsystemd)", 1024, gather, NULL, false };
#endif
