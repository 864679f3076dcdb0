/* SPDX-License-Identifier: MIT */
#include "daemon/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attribution/agents.h"
#include "sensor/audit/log/source.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/macro.h"

#define HEAD_MAX 256       /* of the first line: it holds a time and a serial number */
#define TAIL_MAX 256
#define MARK_NS NS_PER_S   /* what a kill -9 makes us read again */

/* A log as it is now, beside what the store says of it. */
struct log_state {
    bool known;    /* it has an identity: a regular file with a first line */
    bool plain;
    uint64_t device, inode, size;
    char head[HEAD_MAX];
    size_t head_len;
    bool complete; /* all of it is in the store */
    uint64_t offset; /* so much of it is */
};

struct import {
    const struct import_options *options;
    struct log_state *logs;
    size_t count, first; /* the view begins with file `first` */
    size_t marked;       /* files before it are marked as complete */
    uint64_t next_ns;
    struct replay_position safe;
    uint64_t damaged_files;
    int failure;
};

/* ---- which log is it ---- */

static void read_head(struct audit_log_source *source, struct log_state *l)
{
    size_t len = 0;
    int64_t n;
    const char *newline;

    while (len < sizeof(l->head) && (n = audit_log_source_read(source, l->head + len, sizeof(l->head) - len, NULL)) > 0)
        len += (size_t)n;
    newline = memchr(l->head, '\n', len);
    /* a first line that is not whole yet may go on in any way */
    l->known = newline || len == sizeof(l->head);
    l->head_len = newline ? (size_t)(newline - l->head) : len;
}

static void identify(const struct audit_log_file *file, struct log_state *l)
{
    struct audit_log_source *source = NULL;
    struct stat st;
    int fd = -EBADF;

    *l = (struct log_state){ 0 };
    if (strcmp(file->path, "-") == 0 || audit_log_file_open(file, &fd, NULL) < 0)
        return;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return;
    }
    l->device = (uint64_t)st.st_dev;
    l->inode = (uint64_t)st.st_ino;
    l->size = (uint64_t)st.st_size;
    if (audit_log_source_open(fd, &source, NULL) < 0)
        return;
    l->plain = audit_log_source_coding(source) == AUDIT_LOG_PLAIN;
    read_head(source, l);
    audit_log_source_close(source);
}

/* The bytes before `offset` of a plain log; 0 = none. */
static size_t read_tail(const struct audit_log_file *file, uint64_t offset, char tail[TAIL_MAX])
{
    size_t want = (size_t)MIN(offset, (uint64_t)TAIL_MAX);
    _cleanup_close_ int fd = -EBADF;
    ssize_t n;

    if (!want || audit_log_file_open(file, &fd, NULL) < 0)
        return 0;
    n = pread(fd, tail, want, (off_t)(offset - want));
    return n == (ssize_t)want ? want : 0;
}

/* ---- what the store has ---- */

/* Cut, written anew or changed in between: then it is another log, and is read from its beginning. */
static void compare(const struct import *im, size_t i, const struct store_imported *row)
{
    struct log_state *l = &im->logs[i];
    char tail[TAIL_MAX];
    size_t n;

    if (!l->known || row->device != l->device || row->inode != l->inode ||
        !bytes_equal(row->head, (struct bytes){ l->head, l->head_len }))
        return;
    if (!l->plain) {
        if (row->size != l->size)
            return;
        l->complete = row->complete;
        l->offset = row->offset;
        return;
    }
    n = read_tail(&im->options->files->files[i], row->offset, tail);
    if (row->offset > l->size || !n || !bytes_equal(row->tail, (struct bytes){ tail, n }))
        return;
    l->offset = row->offset;
    l->complete = row->offset == l->size;
}

static int on_imported(void *data, const struct store_imported *row)
{
    struct import *im = data;

    for (size_t i = 0; i < im->count; i++)
        compare(im, i, row);
    return 0;
}

static void mark(struct import *im, size_t i, uint64_t offset, bool complete)
{
    const struct log_state *l = &im->logs[i];
    char tail[TAIL_MAX];
    struct store_imported row = { .device = l->device, .inode = l->inode, .head = { l->head, l->head_len },
                                  .offset = offset, .size = l->size, .complete = complete };
    int r;

    if (!l->known)
        return;
    if (l->plain) {
        row.tail = (struct bytes){ tail, read_tail(&im->options->files->files[i], offset, tail) };
        if (!row.tail.len)
            return;
    }
    r = store_add_imported(im->options->store, &row);
    if (r < 0)
        im->failure = r;
}

/* Everything before im->safe is in the queue to the store. */
static void mark_safe(struct import *im, bool ended)
{
    size_t file = im->first + im->safe.file;

    for (; im->marked < file && im->marked < im->count; im->marked++)
        if (!im->damaged_files) /* else it may be readable the next time */
            mark(im, im->marked, im->logs[im->marked].size, true);
    if (file < im->count && (im->safe.offset || ended))
        mark(im, file, im->safe.offset, ended && !im->damaged_files);
}

/* ---- reading ---- */

static int on_event(void *data, struct event *event)
{
    struct import *im = data;
    int r = store_add_event(im->options->store, event);

    event_free(event);
    if (r < 0)
        im->failure = r;
    return r;
}

static int on_progress(void *data, const struct replay_stats *stats, uint64_t offset)
{
    struct import *im = data;
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    (void)offset;
    im->safe = stats->safe;
    im->damaged_files = stats->log.damaged_files;
    if (now >= im->next_ns) {
        im->next_ns = now + MARK_NS;
        mark_safe(im, false);
    }
    return im->failure ? im->failure : im->options->progress ? im->options->progress(im->options->data, stats) : 0;
}

/* The first that is not in the store to its end. Those before it may have been imported in any order. */
static size_t first_new(const struct import *im)
{
    size_t i = 0;

    while (i < im->count && im->logs[i].known && im->logs[i].complete)
        i++;
    return i;
}

/* To know the processes and directories at the place where reading goes on, so much of the log before it is read again. */
static void set_start(struct import *im, size_t from, struct logs_options *logs)
{
    uint64_t offset = im->logs[from].offset, budget = LIMIT_IMPORT_LOOKBACK;

    im->first = from;
    logs->start_offset = offset > budget ? offset - budget : 0;
    budget -= MIN(budget, offset);
    while (im->first > 0 && im->logs[im->first - 1].known && im->logs[im->first - 1].size <= budget) {
        im->first--;
        budget -= im->logs[im->first].size;
        logs->start_offset = 0;
    }
    logs->emit_from = (struct replay_position){ from - im->first, offset };
}

/* What the store has already: a copy of a log, or a pipe, has the same records again. */
struct known_in_store {
    const struct gap *gap;
    const struct coverage *coverage;
    bool found;
};

static int compare_gap(void *data, const struct gap *gap)
{
    struct known_in_store *k = data;

    k->found |= gap->reason == k->gap->reason && gap->count == k->gap->count && gap->from_ns == k->gap->from_ns &&
                gap->to_ns == k->gap->to_ns && gap->sensor == k->gap->sensor;
    return k->found;
}

static int compare_coverage(void *data, const struct coverage *c)
{
    struct known_in_store *k = data;

    k->found |= c->sensors == k->coverage->sensors && c->from_ns == k->coverage->from_ns &&
                c->to_ns == k->coverage->to_ns && bytes_equal(c->watch, k->coverage->watch);
    return k->found;
}

static int add_gap(void *data, const struct gap *gap)
{
    struct import *im = data;
    struct store_query all = { .any_victim = true };
    struct known_in_store known = { .gap = gap };

    (void)store_each_gap(im->options->store, &all, compare_gap, &known, NULL);
    return known.found ? 0 : store_add_gap(im->options->store, gap);
}

struct import_span {
    struct import *im;
    struct bytes not_seen;
};

static int add_span(void *data, uint64_t from_ns, uint64_t to_ns)
{
    struct import_span *s = data;
    struct coverage coverage = { .sensors = SENSOR_AUDIT_LOG, .from_ns = from_ns, .to_ns = to_ns,
                                 .watch = { "/", 1 }, .not_seen = s->not_seen };
    struct store_query all = { .any_victim = true };
    struct known_in_store known = { .coverage = &coverage };
    uint64_t id;
    int r;

    (void)store_each_coverage(s->im->options->store, &all, compare_coverage, &known, NULL);
    if (known.found)
        return 0;
    r = store_begin_coverage(s->im->options->store, &coverage, &id);
    return r < 0 ? r : store_end_coverage(s->im->options->store, id, to_ns);
}

/* What was covered, and what was not: of the part that was read now, so that nothing is stored twice. */
static int add_coverage(struct import *im, const struct replay_stats *stats)
{
    _cleanup_sbuf_ struct sbuf not_seen = SBUF_INIT;
    struct import_span span = { .im = im };
    int r = store_flush(im->options->store, NULL); /* what is in the queue is not found by a question */

    if (r == 0)
        r = logs_each_gap(stats, 0, 0, add_gap, im);
    if (r == 0)
        r = store_flush(im->options->store, NULL);
    logs_not_seen(stats, &not_seen);
    span.not_seen = sbuf_bytes(&not_seen);
    return r < 0 ? r : logs_each_span(stats, add_span, &span);
}

static int read_logs(struct import *im, size_t from, struct import_result *ret, struct err *err)
{
    struct audit_log_files view;
    struct agents *agents = NULL;
    struct logs_options logs = { .files = &view, .log = im->options->log, .live = true, .data = im,
                                 .event = on_event, .progress = on_progress };
    int r;

    (void)agents_parse(agents_builtin(), &agents, NULL);
    logs.agents = agents;
    set_start(im, from, &logs);
    im->marked = from;
    im->safe = logs.emit_from;
    im->next_ns = clock_ns(CLOCK_MONOTONIC) + MARK_NS;
    view = (struct audit_log_files){ im->options->files->files + im->first, im->count - im->first };
    r = logs_read(&logs, &ret->stats, err);
    agents_free(agents); /* the store's queue has copies, by name */
    if (r < 0)
        return r;
    if (r == 0)
        im->safe = ret->stats.safe;
    im->damaged_files = ret->stats.log.damaged_files;
    mark_safe(im, r == 0);
    if (add_coverage(im, &ret->stats) < 0 && !im->failure)
        im->failure = -ENOBUFS;
    return im->failure ? im->failure : r;
}

int import_run(const struct import_options *options, struct import_result *ret, struct err *err)
{
    struct import im = { .options = options, .count = options->files->count };
    size_t from;
    int r, flushed;

    *ret = (struct import_result){ 0 };
    im.logs = calloc(im.count ? im.count : 1, sizeof(*im.logs));
    if (!im.logs)
        return err_set(err, -ENOMEM, "importing");
    for (size_t i = 0; i < im.count; i++)
        identify(&options->files->files[i], &im.logs[i]);
    r = store_each_imported(options->store, on_imported, &im, err);
    from = first_new(&im);
    ret->passed_files = from;
    ret->nothing_new = from == im.count;
    if (r == 0 && !ret->nothing_new) {
        ret->passed_bytes = im.logs[from].offset;
        r = read_logs(&im, from, ret, err);
    }
    flushed = store_flush(options->store, r < 0 ? NULL : err);
    free(im.logs);
    return r < 0 ? r : flushed < 0 ? flushed : r;
}
