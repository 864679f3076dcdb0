/* SPDX-License-Identifier: MIT */
#include "clues/fact.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/flat.h"

static const char *const names[CLUE_KIND_COUNT] = {
    [CLUE_MISSING] = "missing", [CLUE_CHANGED] = "changed",     [CLUE_ADDED] = "added",       [CLUE_HIDDEN] = "hidden",
    [CLUE_UNMOUNTED] = "unmounted", [CLUE_OPEN] = "open",       [CLUE_KEPT] = "kept",         [CLUE_INTACT] = "intact",
    [CLUE_RECORDED] = "recorded", [CLUE_TIME] = "time",         [CLUE_HAPPENED] = "happened", [CLUE_RUNNING] = "running",
    [CLUE_RULE] = "rule",       [CLUE_AGENT] = "agent",       [CLUE_BACKUP] = "backup",   [CLUE_ACCESS] = "access",
};

const char *clue_kind_name(enum clue_kind kind)
{
    return names[kind];
}

int clue_span_of(const struct clue_question *q, uint64_t time_ns, uint64_t before)
{
    for (size_t i = 0; i < q->span_count; i++)
        if (time_ns + before >= q->spans[i].from_ns && time_ns <= q->spans[i].to_ns + CLUE_AFTER_NS)
            return (int)i;
    return -1;
}

uint64_t clue_distance(const struct clue_question *q, const struct clue_fact *f)
{
    uint64_t nearest = UINT64_MAX;

    for (size_t i = 0; i < q->span_count && f->from_ns; i++) {
        uint64_t at = q->spans[i].from_ns, d = f->from_ns > at ? f->from_ns - at : f->to_ns < at ? at - f->to_ns : 0;

        nearest = MIN(nearest, d);
    }
    return nearest;
}

uint64_t clue_patience(const struct clue_question *q, uint64_t usual_ns)
{
    return usual_ns * MAX(q->patience, (uint64_t)1);
}

void clue_question_put(struct sbuf *out, const struct clue_question *q)
{
    flat_put_bytes(out, q->path);
    flat_put_bytes(out, q->host_path);
    flat_put_bytes(out, q->written);
    flat_put_bytes(out, q->extra);
    flat_put_u64(out, q->now_ns);
    flat_put_u64(out, q->boot_ns);
    flat_put_u64(out, q->anew_ns);
    flat_put_u64(out, q->patience);
    flat_put_u64(out, q->since_ns);
    flat_put_u64(out, q->until_ns);
    flat_put_u64(out, q->span_count);
    for (size_t i = 0; i < q->span_count; i++) {
        flat_put_u64(out, q->spans[i].from_ns);
        flat_put_u64(out, q->spans[i].to_ns);
    }
}

int clue_question_get(struct bytes in, struct clue_question *ret)
{
    struct clue_question q = { 0 };
    struct bytes *const texts[] = { &q.path, &q.host_path, &q.written, &q.extra };
    uint64_t *const numbers[] = { &q.now_ns, &q.boot_ns, &q.anew_ns, &q.patience, &q.since_ns, &q.until_ns };
    uint64_t count = 0;
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++)
        r = flat_get_bytes(&in, texts[i]);
    for (size_t i = 0; i < ARRAY_SIZE(numbers) && r == 0; i++)
        r = flat_get_u64(&in, numbers[i]);
    if (r == 0)
        r = flat_get_u64(&in, &count);
    if (r < 0 || count > CLUE_SPANS_MAX || !q.path.len || q.path.data[0] != '/')
        return -EBADMSG;
    for (; q.span_count < count; q.span_count++)
        if (flat_get_u64(&in, &q.spans[q.span_count].from_ns) < 0 || flat_get_u64(&in, &q.spans[q.span_count].to_ns) < 0)
            return -EBADMSG;
    *ret = q;
    return 0;
}

/* ---- answers ---- */

static void put_text(struct sbuf *out, struct bytes b, size_t max)
{
    char cut[CLUE_PATH_MAX];

    if (b.len <= max) {
        flat_put_bytes(out, b);
        return;
    }
    memcpy(cut, b.data, max - 3);
    memcpy(cut + max - 3, "...", 3);
    flat_put_bytes(out, (struct bytes){ cut, max });
}

void clue_put(struct sbuf *answer, const struct clue_fact *f)
{
    flat_put_u64(answer, CLUE_PART_FACT);
    flat_put_u64(answer, f->kind);
    flat_put_u64(answer, f->marks);
    flat_put_u64(answer, f->from_ns);
    flat_put_u64(answer, f->to_ns);
    put_text(answer, f->text, CLUE_TEXT_MAX);
    put_text(answer, f->place, CLUE_PATH_MAX);
    put_text(answer, f->path, CLUE_PATH_MAX);
    put_text(answer, f->user, CLUE_USER_MAX);
    put_text(answer, f->suspect, CLUE_TEXT_MAX);
}

void clue_put_cover(struct sbuf *answer, uint64_t from_ns, uint64_t to_ns)
{
    flat_put_u64(answer, CLUE_PART_COVER);
    flat_put_u64(answer, from_ns);
    flat_put_u64(answer, to_ns);
}

void clue_put_note(struct sbuf *answer, const char *format, ...)
{
    char text[CLUE_TEXT_MAX];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    flat_put_u64(answer, CLUE_PART_NOTE);
    flat_put_bytes(answer, bytes_of(text));
}

static int take_fact(struct bytes *in, struct clue_fact *ret)
{
    struct clue_fact f = { 0 };
    struct {
        struct bytes *to;
        size_t max;
    } texts[] = { { &f.text, CLUE_TEXT_MAX }, { &f.place, CLUE_PATH_MAX }, { &f.path, CLUE_PATH_MAX },
                  { &f.user, CLUE_USER_MAX }, { &f.suspect, CLUE_TEXT_MAX } };
    uint64_t kind = 0, marks = 0;

    if (flat_get_u64(in, &kind) < 0 || flat_get_u64(in, &marks) < 0 || flat_get_u64(in, &f.from_ns) < 0 ||
        flat_get_u64(in, &f.to_ns) < 0 || kind >= CLUE_KIND_COUNT || (marks & ~(uint64_t)CLUE_MARKS_ALL))
        return -EBADMSG;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (flat_get_bytes(in, texts[i].to) < 0 || texts[i].to->len > texts[i].max)
            return -EBADMSG;
    f.kind = (enum clue_kind)kind;
    f.marks = (unsigned)marks;
    *ret = f;
    return CLUE_PART_FACT;
}

int clue_take(struct bytes *answer, struct clue_fact *ret_fact, struct clue_span *ret_cover)
{
    struct clue_fact note = { 0 };
    uint64_t part = 0;

    if (!answer->len)
        return CLUE_PART_END;
    if (flat_get_u64(answer, &part) < 0)
        return -EBADMSG;
    switch (part) {
    case CLUE_PART_FACT:
        return take_fact(answer, ret_fact);
    case CLUE_PART_COVER:
        return flat_get_u64(answer, &ret_cover->from_ns) < 0 || flat_get_u64(answer, &ret_cover->to_ns) < 0 ? -EBADMSG
                                                                                                        : CLUE_PART_COVER;
    case CLUE_PART_NOTE:
        if (flat_get_bytes(answer, &note.text) < 0 || note.text.len > CLUE_TEXT_MAX)
            return -EBADMSG;
        *ret_fact = note;
        return CLUE_PART_NOTE;
    default:
        return -EBADMSG;
    }
}
